"""What a trained autoencoder gives: latent representations, back, and scores."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import check_is_fitted

from ..._sklearn import TablesFollowSetOutput, validate_parameter_constraints
from ..._warnings import warn_user
from ...sequences import Sequences, check_sequences
from ...training._base import NetTransformerMixin
from ...training._sequences import SequenceClassifierMixin, SequenceEstimator
from ._condition import Condition
from ._inference import Inference


class TrainedAutoencoder(
    TablesFollowSetOutput,
    NetTransformerMixin,
    SequenceClassifierMixin,
    SequenceEstimator,
):
    """Base of `CVAE`: all that is done with it once it is trained."""

    condition: Literal["posterior", "prior", "zero"]
    output: Literal["mean_variance", "mean"]
    variant: Literal["cvae", "vae", "ae"]
    # What the net is told of a condition, None without; and whether it has learned to
    # do without.
    _coder: Condition | None
    _trains_zeros: bool

    def transform(
        self, X: Any, *, known_condition: Any = None, oracle_labels: Any = None
    ) -> NDArray[Any]:
        """Encode utterances, segment by segment.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances.
        known_condition : array-like of shape (n,) or (n, n_columns), default=None
            The conditions, for a model with a `condition` of its own that is known
            beforehand of new utterances, too, such as the gender of the speakers. It
            must not be what a classifier is to find. Where it is None or NaN, the model
            infers it.
        oracle_labels : array-like of shape (n,), default=None
            The true emotions, to measure what it would be worth to know them. The
            latent values then contain the answer, so no score that is computed from
            them is an evaluation. Only for a model whose condition was `y`.

        Returns
        -------
        ndarray of shape (n,) and dtype object, (n, n_segments, n_outputs) or \
(n, n_outputs)
            Utterances in the form of `X`, float32. Each segment has the means, then the
            variances, of its latent distribution.
        """
        check_is_fitted(self)
        # All else waits for the next fit, and is checked there.
        validate_parameter_constraints(
            self._parameter_constraints,
            {"output": self.output, "condition": self.condition},
            caller_name="CVAE",
        )
        sequences = self._check_X(X)
        known = None
        if oracle_labels is not None:
            known = self._read("oracle_labels", oracle_labels, sequences)
        elif known_condition is not None:
            known = self._read("known_condition", known_condition, sequences)
        inference = self._inference()
        told = inference.tell(sequences, known, self._stand_in())
        return self._encode(sequences, inference, told)

    def inverse_transform(self, X: Any, *, known_condition: Any = None) -> NDArray[Any]:
        """Reconstruct segments from their latent representations.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_outputs), \
or array-like of shape (n, n_segments, n_outputs) or (n, n_outputs)
            Utterances, as `transform` returns them. The means are decoded.
        known_condition : array-like of shape (n,) or (n, n_columns), default=None
            The emotion, or another condition, under which an utterance is to be
            reconstructed: speech of that emotion is generated. Without it, the decoder
            is told the probabilities that all conditions have beforehand, or nothing
            with ``condition="zero"``: what an utterance was encoded with is not known.

        Returns
        -------
        ndarray of shape (n,) and dtype object, (n, n_segments, n_features) or \
(n, n_features)
            Utterances in the form of `X`, float32, with features as in `fit`.
        """
        check_is_fitted(self)
        # A bare estimator, because these are not as wide as what `fit` has seen.
        latents = check_sequences(BaseEstimator(), X, reset=True)
        if latents.n_features != self._n_features_out:
            raise ValueError(
                f"X has {latents.n_features} columns, but transform gives "
                f"{self._n_features_out}."
            )
        latent_dim = int(self._spec.module_params["latent_dim"])
        means = Sequences([z[:, :latent_dim] for z in latents.arrays], latents.kind)
        known = None
        if known_condition is not None:
            known = self._read("known_condition", known_condition, latents, of_any=True)
        inference = self._inference()
        # The condition cannot be inferred from what it was inferred for.
        stand_in = "zero" if self.condition == "zero" else "prior"
        decoded = inference.decode(means, inference.tell(means, known, stand_in))
        if hasattr(self, "mean_"):
            decoded = decoded * self.scale_ + self.mean_
        return latents.like_input(decoded.astype(np.float32))

    def score_samples(
        self, X: Any, *, known_condition: Any = None
    ) -> NDArray[np.float64]:
        """Return the evidence lower bound of each utterance.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances.
        known_condition : array-like of shape (n,) or (n, n_columns), default=None
            The emotion, or another condition, under which an utterance is scored.
            Without it, or where it is None or NaN, a conditional model weights all
            conditions by their probabilities.

        Returns
        -------
        ndarray of shape (n,)
            In nats, the higher the better: a lower bound of the logarithm of the
            density of an utterance's segments, summed over them. The decoder is a
            normal distribution of variance :math:`1/(2s)` around the reconstruction of
            the standardised features, with `recon_scale` as :math:`s`; the divergence
            has weight 1 whatever `beta`. The expectation over the latent distribution
            is a mean over 16 samples, the same in each call. A plain autoencoder has no
            such distribution: it gets the logarithm of the density given the code,
            which is no bound.
        """
        check_is_fitted(self)
        sequences = self._check_X(X)
        known = None
        if known_condition is not None:
            known = self._read(
                "known_condition", known_condition, sequences, of_any=True
            )
        bound = self._inference().evidence(sequences, known, self._spec.seed)
        # What the bound leaves out: the decoder's constant, and the standardisation.
        scale = self._spec.criterion_params["recon_scale"]
        constant = 0.5 * self.n_features_in_ * np.log(scale / np.pi)
        if hasattr(self, "scale_"):
            constant -= np.log(self.scale_).sum()
        scores: NDArray[np.float64] = bound + constant * sequences.lengths
        return scores

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy of `predict`, or else the mean of `score_samples`.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances.
        y : array-like of shape (n,), default=None
            Their classes, for a model that knows classes, else ignored.
        sample_weight : array-like of shape (n,), default=None
            Weights of the utterances.

        Returns
        -------
        float
            The higher the better.
        """
        if is_classifier(self):
            return super().score(X, y, sample_weight)
        return float(np.average(self.score_samples(X), weights=sample_weight))

    @property
    def _n_features_out(self) -> int:
        """Width of what `transform` gives, for `get_feature_names_out`."""
        latent_dim = int(self._spec.module_params["latent_dim"])
        return 2 * latent_dim if self._gives_variance() else latent_dim

    def _inference(self) -> Inference:
        """Return the trained module with what it needs to speak of utterances."""
        scale = self._spec.criterion_params["recon_scale"]
        module, device = self._inference_module()
        return Inference(module, device, scale, self._coder, self._n_threads())

    def _stand_in(self) -> str:
        """Return what stands for a condition that is not known, where it matters."""
        if self._coder is None or self._spec.module_params["conditioned"] == "decoder":
            return "prior"
        self._warn_of_zeros()
        return self.condition

    def _warn_of_zeros(self) -> None:
        """Warn where nothing is to be fed, and the net is not trained with nothing."""
        if self._coder is None or self.condition != "zero" or self._trains_zeros:
            return
        warn_user(
            'CVAE(condition="zero") is told nothing where it encodes, but was trained '
            "with the condition of each utterance: set label_dropout to more than 0, "
            "or train it with utterances whose condition is not known, too."
        )

    def _read(
        self, name: str, given: Any, sequences: Sequences, *, of_any: bool = False
    ) -> NDArray[np.float32]:
        """Return what the net is told of conditions that the user knows.

        For `transform` a label is an oracle, and a condition of its own is none; where
        `of_any` is true, the name of the parameter does not tell.
        """
        if self._coder is None:
            raise ValueError(
                f"CVAE(variant={self.variant!r}) has no condition: {name} means "
                "nothing to it."
            )
        knows_classes = hasattr(self, "classes_")
        if not of_any and knows_classes != (name == "oracle_labels"):
            raise ValueError(
                "The condition of this CVAE is y, and known_condition would tell what "
                "is to be found. To measure what that is worth, pass oracle_labels."
                if knows_classes
                else "The condition of this CVAE is not y, so it knows no labels: pass "
                "known_condition."
            )
        return self._coder.read(name, given, sequences)

    def _encode(
        self, sequences: Sequences, inference: Inference, told: NDArray[Any] | None
    ) -> NDArray[Any]:
        """Return what is encoded, in the form of the input."""
        encoded = inference.encode(
            sequences, told, with_variance=self._gives_variance()
        )
        return sequences.like_input(encoded)

    def _gives_variance(self) -> bool:
        """Tell whether `transform` gives variances beside the means."""
        variational: bool = self._spec.module_params["variational"]
        return variational and self.output == "mean_variance"

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._inference().log_posterior(sequences)
