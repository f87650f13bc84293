"""What stands for the condition of training data: inferred as it is for new data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold

from ..._sklearn import take_rows
from ...training._labels import check_labels, encode_labels

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


def infer_across_folds(
    cvae: Any, X: Any, y: Any, metadata: dict[str, Any]
) -> NDArray[np.float64]:
    """Infer the condition of each training utterance by a model that has not seen it.

    Parameters
    ----------
    cvae : CVAE
        Fitted, with a condition. Clones of it are fitted to the folds.
    X, y
        What it was fitted to.
    metadata : dict of str to array-like
        Likewise, ``"condition"`` and ``"groups"`` where they were given.

    Returns
    -------
    ndarray of shape (n, width)
        What its module is to be told.
    """
    coder = cvae._coder
    told = np.empty((len(X), coder.points.shape[1]))
    for train, test in _folds(cvae, X, y, metadata):
        of_fold = {name: take_rows(v, train) for name, v in metadata.items()}
        y_of_fold = None if y is None else take_rows(y, train)
        model = clone(cvae).set_params(validation_groups=_watched(cvae, of_fold))
        model.fit(take_rows(X, train), y_of_fold, **of_fold)
        sequences = model._check_X(take_rows(X, test))
        posterior = np.exp(model._inference().log_posterior(sequences))
        told[test] = coder.expect(posterior, model._coder.values)
    return told


def _watched(cvae: Any, metadata: dict[str, Any]) -> NDArray[Any] | None:
    """Return whom early stopping is to watch in a fold: as in the whole, if it can."""
    if cvae.validation_groups is None:
        return None
    speakers = np.unique(check_labels("groups", metadata["groups"]))
    watched = np.intersect1d(speakers, cvae.validation_groups_)
    # A fold may lack all who are watched, or all others: it draws some of its own.
    return watched if 0 < len(watched) < len(speakers) else None


def _folds(cvae: Any, X: Any, y: Any, metadata: dict[str, Any]) -> Iterator[Fold]:
    """Yield the folds: by speaker, or with alike conditions in each."""
    if "groups" in metadata:
        _, speaker = encode_labels("groups", check_labels("groups", metadata["groups"]))
        n_folds = min(cvae.cv, len(np.unique(speaker)))
        if n_folds > 1:
            yield from GroupKFold(n_folds).split(speaker, groups=speaker)
            return
    # Dealt out in the order of the condition, whether of categories or of numbers.
    known = cvae._coder.read("condition", metadata.get("condition", y), X)
    fold = np.empty(len(known), np.int64)
    order = np.lexsort(known.reshape(len(known), -1).T)
    fold[order] = np.arange(len(known)) % min(cvae.cv, len(known))
    for number in np.unique(fold):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)
