"""What the estimators of this room share: all but where the labels come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import (
    check_array,
    check_is_fitted,
    validate_data,
)
from torch import Tensor

from ..._computing import computing
from ..._sklearn import Interval, StrOptions
from ..._warnings import warn_user
from ...training._base import (
    NetEstimator,
    NetTransformerMixin,
    check_sizes,
    draw_seed,
)
from ...training._batches import Batch, Data, TableBatches
from ...training._labels import check_groups
from ...training._spec import NetSpec
from ._batches import LabeledBatches
from ._loss import MetricDAELoss
from ._net import DenoisingAutoencoder
from ._scale import label_scale, scaled

# One column for each label, NaN where it is not known.
Labels = NDArray[np.float64]


@dataclass(frozen=True)
class AddNoise:
    """Adds to a batch a noisy copy of the features, which the network sees."""

    std: float

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with ``"noisy"`` features.

        Parameters
        ----------
        batch : dict of str to Tensor
            With the clean features as ``"X"``.
        generator : torch.Generator
            Where the noise is drawn.

        Returns
        -------
        dict of str to Tensor
        """
        clean = batch["X"]
        noise = torch.randn(clean.shape, generator=generator).to(clean.device)
        return {**batch, "noisy": clean + self.std * noise}


class MetricAutoencoder(NetTransformerMixin, NetEstimator):
    """Base of `MetricDAE` and `MetricDAERegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetEstimator._parameter_constraints,
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_sizes": ["array-like"],
        "decoder_relu": [StrOptions({"all", "released"})],
        "noise_std": [Interval(Real, 0, None, closed="left")],
        "distance": [StrOptions({"euclidean", "mean_euclidean", "signed"})],
        "combine": [StrOptions({"sum", "log"})],
        "metric_weight": [Interval(Real, 0, None, closed="left")],
    }

    latent_dim: int
    hidden_sizes: Sequence[int]
    decoder_relu: Literal["all", "released"]
    noise_std: float
    distance: Literal["euclidean", "mean_euclidean", "signed"]
    combine: Literal["sum", "log"]
    metric_weight: float
    label_mean_: Labels
    label_scale_: Labels
    coef_: Labels
    intercept_: Labels

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Embed utterances.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.

        Returns
        -------
        ndarray of shape (n_samples, latent_dim), float32
            The embedding; with two labels its first half belongs to the first.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return self._through("encoder", X)

    def inverse_transform(self, X: Any) -> NDArray[np.float32]:
        """Reconstruct features from embeddings.

        Parameters
        ----------
        X : array-like of shape (n_samples, latent_dim)
            Embeddings, as `transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            The decoder's features, standardised as those in `fit` were.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.float32, input_name="X")
        if X.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the embedding has "
                f"{self._n_features_out} dimensions."
            )
        return self._through("decoder", X)

    @abstractmethod
    def _targets(self) -> list[str]:
        """Return the names of the labels that are learned, in order, for messages."""

    @property
    def _n_features_out(self) -> int:
        """Width of the embedding, for `get_feature_names_out`."""
        return int(self._spec.module_params["latent_dim"])

    def _learn(self, X: NDArray[np.float32], labels: Labels, groups: Any) -> None:
        """Train the net, and fit the estimate of the labels."""
        groups = check_groups(self, groups, X)
        seed = draw_seed(self.random_state)
        train, valid = self._split_off_speakers(_data(X, labels), groups, seed)
        self._check_labeled(train)
        self._learn_scale(train)
        self._warn_of_missing(train, f"{type(self).__name__} does not learn")
        if valid is not None:
            self._warn_of_missing(valid, "Early stopping does not watch")
            valid = self._scaled(valid)
        self._train(self._specify(seed), self._scaled(train), valid)
        self._fit_label_estimate(X, labels)

    def _learn_more(self, X: NDArray[np.float32], labels: Labels) -> None:
        """Train the net for another epoch, or a new one for its first."""
        if hasattr(self, "net_"):
            spec, net = self._spec, self.net_
        else:
            spec = self._specify(draw_seed(self.random_state))
            net = spec.build()
        data = _data(X, labels)
        self._learn_scale(data)
        if np.isfinite(labels).any():  # a part of a stream may be without
            self._warn_of_missing(data, f"{type(self).__name__} does not learn")
        net.train_on(self._scaled(data), epochs=1)
        self._set_fitted(spec, net)
        self._fit_label_estimate(X, labels)

    def _estimate(self, X: Any) -> Labels:
        """Return the labels by the embedding, with one column for each."""
        X = validate_data(self, X, dtype=np.float32, reset=False)
        estimate: Labels = self._through("encoder", X) @ self.coef_.T + self.intercept_
        return estimate

    def _check_labeled(self, train: Data) -> None:
        """Refuse targets of which nothing is known."""
        for k, name in enumerate(self._targets()):
            if np.isnan(train["labels"][:, k]).all():
                raise ValueError(
                    f"{name} is NaN for all {len(train['X'])} samples to train on: "
                    "nothing to learn from. MetricDAE(label=None) needs no labels."
                )

    def _learn_scale(self, train: Data) -> None:
        """Learn the scale of the labels, unless it is known from an earlier call."""
        if "labels" not in train:
            return
        mean, scale = label_scale(train["labels"])
        if hasattr(self, "label_scale_"):
            known = ~np.isnan(self.label_scale_)
            mean = np.where(known, self.label_mean_, mean)
            scale = np.where(known, self.label_scale_, scale)
        self.label_mean_, self.label_scale_ = mean, scale

    def _warn_of_missing(self, data: Data, what: str) -> None:
        """Say of which labels no batch can hold two that differ, and why."""
        for k, name in enumerate(self._targets()):
            values = data["labels"][:, k]
            known = values[~np.isnan(values)]
            if self.batch_size == 1:
                missing = "batch_size=1 puts no two in a batch"
            elif len(known) < 2:
                missing = f"only {len(known)} of {len(values)} samples has one"
            elif np.isnan(label_scale(known[:, None])[1]):
                missing = f"all {len(known)} that are known are {known[0]:g}"
            else:
                continue
            warn_user(
                f"{what} {name}: the metric loss compares two labels of a batch that "
                f"differ, and {missing}."
            )

    def _scaled(self, data: Data) -> Data:
        """Return the data with labels of the spread that the loss was made for."""
        if "labels" not in data:
            return data
        labels = scaled(
            data["labels"], self.label_mean_, self.label_scale_, self._targets()
        )
        return {**data, "labels": labels}

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from."""
        return NetSpec(
            module=DenoisingAutoencoder,
            module_params={
                "n_features": self.n_features_in_,
                "latent_dim": self.latent_dim,
                "hidden_sizes": check_sizes("hidden_sizes", self.hidden_sizes),
                "decoder_relu": self.decoder_relu,
            },
            batches=LabeledBatches if self._targets() else TableBatches,
            criterion=MetricDAELoss,
            criterion_params={
                "distance": self.distance,
                "combine": self.combine,
                "metric_weight": self.metric_weight,
            },
            inputs={"x": "noisy" if self.noise_std else "X"},
            batch_transform=AddNoise(self.noise_std) if self.noise_std else None,
            **self._shared_settings(seed),
        )

    def _through(self, half: str, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pass an array through the encoder or the decoder."""
        module, device = self._inference_module()
        with computing(self._n_threads()), torch.inference_mode():
            wide = torch.tensor(np.asarray(X, np.float64, order="C"), device=device)
            result: Tensor = getattr(module, half)(wide)
        return result.float().cpu().numpy()

    def _fit_label_estimate(self, X: Any, labels: NDArray[np.float64]) -> None:
        """Fit the labels to the embedding by least squares, where there are any."""
        labeled = ~np.isnan(labels)
        # A batch too small for the regression leaves the estimate as it was.
        needed = self._n_features_out + 2 if hasattr(self, "coef_") else 1
        if not labels.shape[1] or (labeled.sum(axis=0) < needed).any():
            return
        embedding = self._through("encoder", X).astype(np.float64)
        # Labels near zero and one, whose squares lose no digits; some are constant.
        mean = np.where(np.isnan(self.label_mean_), 0.0, self.label_mean_)
        scale = np.where(np.isnan(self.label_scale_), 1.0, self.label_scale_)
        models = [
            LinearRegression().fit(embedding[known], values[known])
            for values, known in zip(
                ((labels - mean) / scale).T, labeled.T, strict=True
            )
        ]
        self.coef_ = np.stack([model.coef_ for model in models]) * scale[:, None]
        self.intercept_ = np.array([m.intercept_ for m in models]) * scale + mean


def _data(X: NDArray[np.float32], labels: NDArray[np.float64]) -> Data:
    """Return what the net is trained on."""
    return {"X": X, "labels": labels} if labels.shape[1] else {"X": X}
