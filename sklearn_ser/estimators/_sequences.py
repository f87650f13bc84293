"""What the estimators of sequences share: input, standardisation, classes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

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
