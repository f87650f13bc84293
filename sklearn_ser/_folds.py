"""Folds by speaker for searches inside a model, whose speakers may be few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold


class SpeakerFolds(GroupKFold):
    """`GroupKFold` with no more folds than there are speakers.

    Parameters
    ----------
    n_splits : int, default=3
        The most folds.
    """

    def __init__(self, n_splits: int = 3) -> None:
        super().__init__(n_splits)

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Deal the speakers into folds.

        Parameters
        ----------
        X, y : object
            As of `GroupKFold`.
        groups : array-like of shape (n_samples,)
            Speakers.

        Yields
        ------
        train, test : ndarray of int
            The rows of both sides.

        Raises
        ------
        ValueError
            If there are no speakers, or one alone.
        """
        n_folds = self.get_n_splits(X, y, groups)
        yield from GroupKFold(n_folds).split(X, y, groups)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y : object
            Not used.
        groups : array-like of shape (n_samples,), default=None
            Speakers.

        Returns
        -------
        int
            As many as there are speakers, or ``n_splits`` if they are fewer.

        Raises
        ------
        ValueError
            If there is one speaker alone.
        """
        if groups is None:
            return int(self.n_splits)
        n_speakers = len(np.unique(groups))
        if n_speakers < 2:
            raise ValueError(
                "groups names one speaker alone: what is chosen by speaker needs at "
                "least two in training."
            )
        return min(int(self.n_splits), n_speakers)
