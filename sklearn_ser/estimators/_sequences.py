"""What the estimators of sequences share: input, standardisation, classes."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from ..sequences import Sequences, check_sequences
from ._base import Data, NetEstimator


class SequenceEstimator(NetEstimator):
    """Base of the estimators that train a torch module on ragged sequences.

    Frames are standardised batch by batch, by statistics over the utterances that
    are trained on: a copy of the corpus is never made.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetEstimator._parameter_constraints,
        "standardize": ["boolean"],
    }

    def _prepare(self, data: Data, valid: Data | None) -> tuple[Data, Data | None]:
        if self.standardize:
            self.mean_, self.scale_ = data["X"].moments()
        return self._with_statistics(data), valid and self._with_statistics(valid)

    def _with_statistics(self, data: Data) -> Data:
        """Return the data with the frames to be standardised."""
        return {**data, "X": self._standardised(data["X"])}

    def _standardised(self, sequences: Sequences) -> Sequences:
        """Return the sequences with what was learned about their frames."""
        if not hasattr(self, "mean_"):
            return sequences
        return sequences.standardised(self.mean_, self.scale_)

    def _check_X(self, X: Any) -> Sequences:  # noqa: N802 - X is scikit-learn's name
        """Validate what a fitted estimator is given."""
        return self._standardised(check_sequences(self, X, reset=False))

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that sequences of equal length may come as 3-D."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _forget(self, *names: str) -> None:
        super()._forget("mean_", "scale_", "classes_", *names)

    def _encode_classes(self, sequences: Sequences, y: Any) -> NDArray[np.int64]:
        """Set ``classes_`` and return the class of each utterance as its number."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        labels = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        labels = column_or_1d(labels, warn=True)
        check_consistent_length(sequences, labels)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        return codes.astype(np.int64)


def _predicts(estimator: Any) -> bool:
    """Tell whether the estimator knows classes."""
    estimator._check_predicts()
    return True


class SequenceClassifierMixin(ClassifierMixin, metaclass=ABCMeta):
    """Predictions of classes, from the logarithms of their probabilities."""

    @abstractmethod
    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return them for validated utterances, of shape (n, n_classes)."""

    def _check_predicts(self) -> None:
        """Raise an AttributeError where the parameters leave nothing to predict."""

    @available_if(_predicts)
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

    @available_if(_predicts)
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

    @available_if(_predicts)
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

    @available_if(_predicts)
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
