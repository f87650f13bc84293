"""What the estimators of sequences share: input, standardisation, classes."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
)
from torch import Tensor

from .._computing import computing
from .._constants import UNKNOWN
from .._sklearn import StrOptions, available_if
from ..sequences import Sequences, check_sequences
from ._base import NetEstimator
from ._batches import Data
from ._labels import check_labels, encode_labels

# Utterances that pass the module at once in inference.
_UTTERANCES_AT_ONCE = 64


class SequenceEstimator(NetEstimator):
    """Base of the estimators that train a torch module on ragged sequences.

    Frames are standardised batch by batch, by statistics over the utterances that
    are trained on: a copy of the corpus is never made.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetEstimator._parameter_constraints,
        "standardize": ["boolean"],
    }

    def _fit_scaling(self, train: Data, valid: Data | None) -> tuple[Data, Data | None]:
        """Learn mean and scale of what is trained on, and apply them to both."""
        if self.standardize:
            self.mean_, self.scale_ = train["X"].moments()
        scaled = {**train, "X": self._scaled(train["X"])}
        return scaled, valid and {**valid, "X": self._scaled(valid["X"])}

    def _scaled(self, sequences: Sequences) -> Sequences:
        """Return the sequences with what was learned about their frames."""
        if not hasattr(self, "mean_"):
            return sequences
        return sequences.standardized(self.mean_, self.scale_)

    def _check_X(self, X: Any) -> Sequences:  # noqa: N802 - X is scikit-learn's name
        """Validate what a fitted estimator is given."""
        return self._scaled(check_sequences(self, X, reset=False))

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that sequences of equal length may come as 3-D."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _infer(
        self,
        sequences: Sequences,
        width: int,
        compute: Callable[[Any, Tensor, Tensor], Tensor],
    ) -> NDArray[np.float64]:
        """Return a row for each utterance, computed in float64 on padded batches.

        `compute` is given module, frames and lengths.
        """
        module, device = self._inference_module()
        result = np.empty((len(sequences), width))
        with computing(self._n_threads()), torch.inference_mode():
            for utterances in sequences.buckets(_UTTERANCES_AT_ONCE):
                frames, lengths = sequences.padded(utterances)
                x = torch.from_numpy(frames.astype(np.float64)).to(device)
                on_device = torch.from_numpy(lengths).to(device)
                result[utterances] = compute(module, x, on_device).cpu()
        return result


def check_classes(
    estimator: Any, sequences: Sequences, y: Any, *, allow_unknown: bool = False
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes, and the number of the class of each utterance.

    Parameters
    ----------
    estimator : estimator
        Named in messages.
    sequences : Sequences
        The utterances, whose number must be the same.
    y : array-like of shape (n,)
        Class of each utterance.
    allow_unknown : bool, default=False
        Whether NaN or None may stand for a class that is not known.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        In order.
    numbers : ndarray of shape (n,), int64
        -1 where the class is not known.

    Raises
    ------
    ValueError
        If `y` is missing, is not one class per utterance, or has gaps that are not
        allowed.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    labels = check_labels("y", y)
    check_consistent_length(sequences, labels)
    missing = np.flatnonzero(pd.isna(labels))
    if missing.size == len(labels) or (missing.size and not allow_unknown):
        raise ValueError(
            f"Input y contains NaN: utterance {missing[0]} has no class "
            f"({missing.size} of {len(labels)} in all). Leave such utterances out."
        )
    if labels.dtype.kind == "f" and np.isinf(labels).any():
        raise ValueError("Input y contains infinity, which is no class.")
    check_classification_targets(np.delete(labels, missing))
    return encode_labels("y", labels)


def _knows_classes(estimator: Any) -> bool:
    """Tell whether the estimator is a classifier, with its parameters as they are."""
    if get_tags(estimator).estimator_type == "classifier":
        return True
    name = type(estimator).__name__
    raise AttributeError(
        f"This {name} knows no classes, so it cannot predict them; put a classifier "
        "after it, such as SequenceClassifier."
    )


class SequenceClassifierMixin(ClassifierMixin, metaclass=ABCMeta):
    """Predictions of classes, from the logarithms of their probabilities."""

    _class_weight_constraint: ClassVar[list[Any]] = [
        dict,
        StrOptions({"balanced"}),
        None,
    ]
    classes_: NDArray[Any]
    class_weight: Any

    def _with_class_weights(
        self, train: Data, valid: Data | None
    ) -> tuple[Data, Data | None]:
        """Add to each utterance the weight that its class has in what is trained on."""
        weights = self._class_weights(train["y"])
        return _weighted(train, weights), valid and _weighted(valid, weights)

    def _class_weights(self, y: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the weights of all classes, 1 for those that are not trained on."""
        # A dict may weigh a class that only held-out speakers have.
        by_hand = isinstance(self.class_weight, dict)
        y = y[y != UNKNOWN]
        present = np.arange(len(self.classes_)) if by_hand else np.unique(y)
        weights = np.ones(len(self.classes_), np.float32)
        weights[present] = compute_class_weight(
            self.class_weight, classes=self.classes_[present], y=self.classes_[y]
        )
        return weights

    @abstractmethod
    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return them for validated utterances, of shape (n, n_classes)."""

    @available_if(_knows_classes)
    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the class of each utterance.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n,)
            The most probable classes.
        """
        best = self.predict_log_proba(X).argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[best]
        return predicted

    @available_if(_knows_classes)
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of ``classes_``.
        """
        probabilities: NDArray[np.float64] = np.exp(self.predict_log_proba(X))
        return probabilities

    @available_if(_knows_classes)
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return self._log_probabilities(self._check_X(X))

    @available_if(_knows_classes)
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of `predict`.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.
        y : array-like of shape (n,)
            Their classes.
        sample_weight : array-like of shape (n,), default=None
            Weights of the utterances.

        Returns
        -------
        float
        """
        return float(super().score(X, y, sample_weight))


def _weighted(data: Data, weights: NDArray[np.float32]) -> Data:
    """Return the data with the weight of each utterance, 0 without a class."""
    y = data["y"]
    return {**data, "weight": np.where(y == UNKNOWN, np.float32(0), weights[y])}
