"""CVAE: variational autoencoders of speech segments (Latif et al., 2018)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.utils import Tags
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)
from torch import Tensor

from ..._sklearn import (
    Interval,
    StrOptions,
    fit_context,
    output_config,
    validate_parameter_constraints,
)
from ...sequences import Sequences, check_sequences
from ...training._base import NetTransformerMixin, check_sizes, draw_seed
from ...training._batches import Batch, FrameBatches
from ...training._labels import check_groups
from ...training._net import one_thread
from ...training._sequences import (
    SequenceClassifierMixin,
    SequenceEstimator,
    check_classes,
)
from ...training._spec import NetSpec
from ._loss import VariationalLoss, negative_elbo
from ._net import VariationalAutoencoder

# Segments that pass the module at once in inference.
_SEGMENTS_AT_ONCE = 2048


@dataclass(frozen=True)
class AddCondition:
    """Adds the emotions to a batch as the condition, and none for some segments."""

    n_classes: int
    dropout: float

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with its ``"condition"``.

        Parameters
        ----------
        batch : dict of str to Tensor
            With the numbers of the emotions as ``"y"``.
        generator : torch.Generator
            Where the segments without a condition are drawn.

        Returns
        -------
        dict of str to Tensor
        """
        y = batch["y"]
        condition = torch.nn.functional.one_hot(y, self.n_classes).to(torch.float32)
        if self.dropout:
            kept = torch.rand(len(y), generator=generator) >= self.dropout
            condition *= kept.to(condition)[:, None]
        return {**batch, "condition": condition}


class CVAE(NetTransformerMixin, SequenceClassifierMixin, SequenceEstimator):
    r"""Conditional variational autoencoder of segments (Latif et al., 2018).

    Learns to compress segments of speech, such as those of `LogMelSegmenter`, into
    the mean and the variance of a latent distribution, under the condition of the
    utterance's emotion. `transform` gives these for each segment; they are the
    features for a classifier of sequences.

    The emotion of a new utterance is not known. `transform` therefore never uses it,
    not even for the training data: it uses what the model itself infers.

    Parameters
    ----------
    variant : {"cvae", "vae", "ae"}, default="cvae"
        Conditional variational autoencoder, variational autoencoder, or plain
        autoencoder: the three models of the paper. The latter two learn without
        labels.
    latent_dim : int, default=128
        Dimensions of the latent distribution (paper; it studies 32 to 512).
    hidden_sizes : sequence of int, default=(512, 256)
        Widths of the encoder's hidden layers (paper), mirrored by the decoder.
    output : {"mean_variance", "mean"}, default="mean_variance"
        What `transform` gives: mean and variance, "the parameters of the
        probability distribution" in the paper, or the mean alone. An autoencoder
        without variance has only the latent representation.
    condition : {"posterior", "prior", "zero"}, default="posterior"
        What stands for the unknown emotion in `transform`: the probabilities of the
        classes that `predict_proba` infers, ``class_prior_``, or no class at all, see
        the notes. For the last, train with `label_dropout`. Only for
        ``variant="cvae"``.
    label_dropout : float, default=0.0
        Share of the segments that are trained without their emotion, so that the model
        also learns to do without it. Only for ``variant="cvae"``.
    priors : array-like of shape (n_classes,), "uniform" or None, default=None
        Probabilities of the classes before an utterance is heard. None takes their
        frequencies in training. Only for ``variant="cvae"``.
    beta : float, default=1.0
        Weight in training of the divergence from the standard normal distribution.
    annealing_epochs : int, default=0
        Epochs over which that weight rises to `beta`.
    free_bits : float, default=0.0
        Nats that each latent dimension may hold without cost.
    recon_scale : float, default=1.0
        Factor of the squared error: 1 as in Eq. 2, 0.5 for a decoder of unit
        variance.
    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over all
        frames or segments that are trained on. The paper says nothing of it; squared
        errors need it.
    lr : float, default=1e-3
        Learning rate of Adam (paper).
    max_epochs : int, default=20
        Passes over the training data; not published. The paper stops at an
        unpublished reconstruction error.
    batch_size : int, default=128
        Segments in a batch; not published.
    early_stopping : bool, default=False
        Whether to hold out some speakers, to stop when the loss on them no longer
        falls, and to keep the weights of the best epoch. Needs `groups` in `fit`.
    validation_fraction : float, default=0.1
        Share of the speakers to hold out for early stopping.
    n_iter_no_change : int, default=10
        Epochs without improvement after which early stopping stops.
    tol : float, default=1e-4
        Smallest improvement of the loss that counts for early stopping.
    device : str or torch.device, default="auto"
        Where to compute: ``"auto"`` takes CUDA where there is one, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in `fit`: first weights, batches, held-out speakers.
        The same integer gives the same result under every joblib backend, and touches
        no global random state; None draws a seed from numpy's.
    verbose : int or bool, default=0
        Whether to show a progress bar over the epochs.
    net_params : dict or None, default=None
        Further parameters of the skorch net, merged last, for instance
        ``{"optimizer__weight_decay": 1e-4}``. The notes say more of Adam's.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module, a
        `sklearn_ser.nets.VariationalAutoencoder`.
    classes_ : ndarray of shape (n_classes,)
        The emotions; only for ``variant="cvae"``.
    class_prior_ : ndarray of shape (n_classes,)
        Their probabilities before an utterance is heard, likewise.
    mean_ : ndarray of shape (n_features,)
        Mean of each feature over the segments that were trained on.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations; 1 for constants.
    history_ : list of dict
        One entry per epoch: ``"epoch"``, and the means over the epoch of
        ``"train_loss"``, ``"train_reconstruction_loss"`` and, except for
        ``variant="ae"``, ``"train_kl_loss"``, the divergence without weight; the same
        with ``"valid_"`` under early stopping, whose loss has the full `beta`.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` was a table with names.

    See Also
    --------
    SequenceClassifier : The classifier of the paper.
    sklearn_ser.recipes.cvae_lstm : The paper's pipeline from recordings on.
    sklearn_ser.features.LogMelSegmenter : The paper's segments.

    Notes
    -----
    The paper gives the encoder the true emotion and classifies what it encodes; it does
    not say what the encoder is given in the test. The true emotion there would make the
    result worthless. For comparison, ``transform(X, oracle_labels=y)`` uses it and
    gives an upper bound.

    The probabilities of the classes take the place of the label. The encoder has only
    seen labels that are certain; it is run once, and not averaged over the classes. The
    model was trained with the labels of the training data, so it infers their emotions
    correctly more often than those of new data. A classifier that is trained on the
    latent values of the same data may trust them too much. ``condition="prior"``, the
    same for all utterances, avoids this.

    The paper appends the label to "the speech frame representation". Here it is
    appended once to each segment, not to each of its frames.

    `predict` uses the conditional generative model itself as a classifier. It gives the
    class with the highest evidence lower bound (at the mean of the latent distribution,
    and with a divergence of weight 1 whatever `beta`), summed over the segments, plus
    the logarithm of its prior probability. As segments are not independent, its
    probabilities are nearly always close to 0 or 1.

    The paper's values for Adam, :math:`\beta_1 = 0.999` and :math:`\beta_2 = 0.99`,
    are probably exchanged: they violate a condition of its proof of convergence
    [2]_, :math:`\beta_1^2 < \sqrt{\beta_2}`. The default is (0.9, 0.999).

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.
    .. [2] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization",
       ICLR, 2015, arXiv:1412.6980.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import CVAE
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "sadness"], 20)
    >>> X = [rng.normal(loc, size=(rng.integers(5, 15), 8)) for loc in 2 * (y < "b")]
    >>> cvae = CVAE(latent_dim=2, hidden_sizes=(16,), random_state=0).fit(X, y)
    >>> latents = cvae.transform(X)
    >>> latents.shape, latents[0].shape == (len(X[0]), 4)
    ((40,), True)
    >>> bool(cvae.score(X, y) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SequenceEstimator._parameter_constraints,
        "variant": [StrOptions({"cvae", "vae", "ae"})],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_sizes": ["array-like"],
        "output": [StrOptions({"mean_variance", "mean"})],
        "condition": [StrOptions({"posterior", "prior", "zero"})],
        "label_dropout": [Interval(Real, 0, 1, closed="left")],
        "priors": ["array-like", StrOptions({"uniform"}), None],
        "beta": [Interval(Real, 0, None, closed="left")],
        "annealing_epochs": [Interval(Integral, 0, None, closed="left")],
        "free_bits": [Interval(Real, 0, None, closed="left")],
        "recon_scale": [Interval(Real, 0, None, closed="neither")],
    }

    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        variant: Literal["cvae", "vae", "ae"] = "cvae",
        *,
        latent_dim: int = 128,
        hidden_sizes: Sequence[int] = (512, 256),
        output: Literal["mean_variance", "mean"] = "mean_variance",
        condition: Literal["posterior", "prior", "zero"] = "posterior",
        label_dropout: float = 0.0,
        priors: Any = None,
        beta: float = 1.0,
        annealing_epochs: int = 0,
        free_bits: float = 0.0,
        recon_scale: float = 1.0,
        standardize: bool = True,
        lr: float = 1e-3,
        max_epochs: int = 20,
        batch_size: int = 128,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int | bool = 0,
        net_params: dict[str, Any] | None = None,
    ) -> None:
        self.variant = variant
        self.latent_dim = latent_dim
        self.hidden_sizes = hidden_sizes
        self.output = output
        self.condition = condition
        self.label_dropout = label_dropout
        self.priors = priors
        self.beta = beta
        self.annealing_epochs = annealing_epochs
        self.free_bits = free_bits
        self.recon_scale = recon_scale
        self.standardize = standardize
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.net_params = net_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> CVAE:
        """Train the autoencoder.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances as sequences of segments; each row of a 2-D array is an utterance
            of one segment.
        y : array-like of shape (n,), default=None
            Emotion of each utterance. Needed for ``variant="cvae"``, else ignored.
        groups : array-like of shape (n,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        CVAE
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an utterance is not a sequence of finite numbers, if emotions or
            speakers are needed and missing, or if the lengths differ.
        """
        self._reset()
        sequences = check_sequences(self, X, reset=True)
        groups = check_groups(self, groups, sequences)
        data: dict[str, Any] = {"X": sequences}
        if self.variant == "cvae":
            self.classes_, data["y"] = check_classes(self, sequences, y)
        seed = draw_seed(self.random_state)
        train, valid = self._split_off_speakers(data, groups, seed)
        if self.variant == "cvae":
            # Only the classes that are trained on: one that only held-out speakers show
            # is never learned, and must not be predicted.
            self.class_prior_ = self._class_prior(train["y"])
        train, valid = self._fit_scaling(train, valid)
        self._train(self._specify(seed), train, valid)
        return self

    def transform(self, X: Any, *, oracle_labels: Any = None) -> NDArray[Any]:
        """Encode utterances, segment by segment.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances.
        oracle_labels : array-like of shape (n,), default=None
            The true emotions, to measure what it would be worth to know them. The
            latent values then contain the answer, so no score that is computed from
            them is an evaluation. Only for ``variant="cvae"``.

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
        container = output_config(self)
        if sequences.kind != "table" and container != "default":
            raise ValueError(
                f"Sequences do not fit the output container {container!r}: use "
                'set_output(transform="default") here, and the container on later '
                "steps alone."
            )
        module: Any
        module, device = self._inference_module()
        condition = self._condition(sequences, module, device, oracle_labels)
        encoded = np.empty((sequences.n_frames, self._n_features_out), np.float32)
        first = 0
        with one_thread(), torch.inference_mode():
            for x, rows in self._chunks(sequences, device):
                of_segments = None
                if condition is not None:
                    of_segments = condition[torch.from_numpy(rows)]
                mean, logvar = module.encode(x, of_segments)
                parts = [mean] if self._has_no_variance() else [mean, logvar.exp()]
                encoded[first : first + len(x)] = torch.cat(parts, dim=1).cpu()
                first += len(x)
        return sequences.like_input(encoded)

    @property
    def _n_features_out(self) -> int:
        """Width of what `transform` gives, for `get_feature_names_out`."""
        latent_dim = int(self._spec.module_params["latent_dim"])
        return latent_dim if self._has_no_variance() else 2 * latent_dim

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn whether this is a classifier."""
        tags = super().__sklearn_tags__()
        # After a fit its variant counts: one that is set later waits for the next fit.
        if self._n_conditions() if hasattr(self, "_spec") else self.variant == "cvae":
            return tags
        tags.estimator_type = None
        tags.classifier_tags = None
        tags.target_tags.required = False
        return tags

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from."""
        n_conditions = len(self.classes_) if self.variant == "cvae" else 0
        inputs = {"x": "X", "generator": "generator"}
        add_condition = None
        if n_conditions:
            inputs["condition"] = "condition"
            add_condition = AddCondition(n_conditions, self.label_dropout)
        return NetSpec(
            module=VariationalAutoencoder,
            module_params={
                "n_features": self.n_features_in_,
                "latent_dim": self.latent_dim,
                "hidden_sizes": check_sizes("hidden_sizes", self.hidden_sizes),
                "n_conditions": n_conditions,
                "variational": self.variant != "ae",
            },
            criterion=VariationalLoss,
            criterion_params={
                "beta": self.beta,
                "recon_scale": self.recon_scale,
                "annealing_epochs": self.annealing_epochs,
                "free_bits": self.free_bits,
            },
            inputs=inputs,
            batches=FrameBatches,
            batch_transform=add_condition,
            **self._shared_settings(seed),
        )

    def _n_conditions(self) -> int:
        """Return the number of classes that the net was built with; 0 without."""
        return int(self._spec.module_params["n_conditions"])

    def _class_prior(self, y: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probabilities of the classes before an utterance is heard."""
        n_classes = len(self.classes_)
        if self.priors is None:
            return np.bincount(y, minlength=n_classes) / len(y)
        if isinstance(self.priors, str):
            return np.full(n_classes, 1 / n_classes)
        prior = np.asarray(self.priors, dtype=np.float64)
        if prior.shape != (n_classes,):
            raise ValueError(
                f"priors must have one value for each of the {n_classes} classes, got "
                f"shape {prior.shape}."
            )
        if not (prior >= 0).all() or not np.isclose(prior.sum(), 1):
            raise ValueError(
                f"priors must be at least 0 and sum to 1, got {prior.tolist()}."
            )
        return prior

    def _has_no_variance(self) -> bool:
        """Tell whether `transform` gives means alone."""
        return self.output == "mean" or not self._spec.module_params["variational"]

    @staticmethod
    def _chunks(
        sequences: Sequences, device: str
    ) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
        """Yield segments in float64, and the utterances that they belong to."""
        first = 0
        for frames in sequences.chunks(_SEGMENTS_AT_ONCE):
            last = first + len(frames)
            x = torch.from_numpy(frames.astype(np.float64)).to(device)
            yield x, sequences.utterance[first:last].astype(np.int64)
            first = last

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._log_posterior(sequences, *self._inference_module())

    def _condition(
        self, sequences: Sequences, module: Any, device: str, oracle_labels: Any
    ) -> Tensor | None:
        """Return what stands for the emotion of each utterance, where one is needed."""
        if not self._n_conditions():
            if oracle_labels is not None:
                raise ValueError(
                    f"CVAE(variant={self.variant!r}) has no condition: oracle_labels "
                    "mean nothing to it."
                )
            return None
        n, n_classes = len(sequences), len(self.classes_)
        if oracle_labels is not None:
            condition = self._one_hot(sequences, oracle_labels)
        elif self.condition == "posterior":
            condition = np.exp(self._log_posterior(sequences, module, device))
        elif self.condition == "prior":
            condition = np.tile(self.class_prior_, (n, 1))
        else:
            condition = np.zeros((n, n_classes))
        return torch.from_numpy(condition).to(device)

    def _one_hot(self, sequences: Sequences, labels: Any) -> NDArray[np.float64]:
        """Return the true emotions as the condition."""
        labels = column_or_1d(labels)
        check_consistent_length(sequences, labels)
        known: NDArray[np.bool_] = labels[:, None] == self.classes_
        unknown = np.flatnonzero(~known.any(axis=1))
        if unknown.size:
            index = unknown[0]
            raise ValueError(
                f"oracle_labels has {labels.tolist()[index]!r} at index {index}, which "
                "was not among the emotions in fit."
            )
        return known.astype(np.float64)

    def _log_posterior(
        self, sequences: Sequences, module: Any, device: str
    ) -> NDArray[np.float64]:
        """Return the logarithms of the probabilities of the classes by utterance."""
        n_classes = len(self.classes_)
        bound = np.empty((sequences.n_frames, n_classes))
        conditions = torch.eye(n_classes, dtype=torch.float64, device=device)
        scale = self._spec.criterion_params["recon_scale"]
        first = 0
        with one_thread(), torch.inference_mode():
            for x, _ in self._chunks(sequences, device):
                for k, condition in enumerate(conditions):
                    of_segments = condition.expand(len(x), -1)
                    mean, logvar = module.encode(x, of_segments)
                    decoded = module.decode(mean, of_segments)
                    loss = negative_elbo(x, decoded, mean, logvar, recon_scale=scale)
                    bound[first : first + len(x), k] = -loss.cpu()
                first += len(x)
        starts = np.cumsum(sequences.lengths) - sequences.lengths
        evidence = np.add.reduceat(bound, starts, axis=0)
        with np.errstate(divide="ignore"):  # a prior may be zero
            evidence += np.log(self.class_prior_)
        posterior: NDArray[np.float64] = log_softmax(evidence, axis=1)
        return posterior
