"""The representation by which a fitted estimator classifies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._sklearn import BaseSearchCV
from .augmentation import SpeedPerturbation
from .features import SequencePooling
from .sequences import as_sequences


def split_last_step(estimator: Any) -> tuple[list[Pipeline], Any]:
    """Look into pipelines, searches and speed perturbation for what comes last.

    Parameters
    ----------
    estimator : estimator
        Fitted; pipelines, searches and `SpeedPerturbation` in any order around each
        other.

    Returns
    -------
    before : list of Pipeline
        What transforms the input, in order.
    last : estimator
        The last step of the innermost pipeline; the estimator itself, where it is
        none of these.

    Raises
    ------
    NotFittedError
        If a search or a `SpeedPerturbation` has no fitted estimator.
    """
    before = []
    while True:
        if isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                before.append(estimator[:-1])
            estimator = estimator[-1]
        elif isinstance(estimator, SpeedPerturbation):
            check_is_fitted(estimator)
            estimator = estimator.estimator_
        elif isinstance(estimator, BaseSearchCV):
            check_is_fitted(
                estimator,
                "best_estimator_",
                msg="%(name)s has no best_estimator_: call fit first, with refit=True.",
            )
            estimator = estimator.best_estimator_
        else:
            return before, estimator


def representation(estimator: Any, X: Any) -> NDArray[Any]:
    """Compute the representation by which a fitted estimator classifies.

    Parameters
    ----------
    estimator : estimator
        A fitted transformer, classifier, pipeline, search or `SpeedPerturbation`.
    X : collection of n utterances
        What the estimator takes.

    Returns
    -------
    ndarray of shape (n_utterances, n_dimensions)
        What the last step makes of its input, where it has ``transform``, as a
        classifier with a representation of its own; else what it is given. Of
        sequences, the mean over time.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    """
    before, last = split_last_step(estimator)
    if hasattr(last, "fit") and not hasattr(last, "transform"):
        check_is_fitted(last)  # as nothing is asked of it that would tell
    for step in (*before, last):
        if hasattr(step, "transform"):
            X = step.transform(X)
    embedded = np.asarray(as_sequences(X) if isinstance(X, list | tuple) else X)
    if embedded.ndim == 3 or (embedded.ndim == 1 and embedded.dtype == object):
        pooling = SequencePooling(("mean",)).set_output(transform="default")
        embedded = pooling.transform(embedded)
    return embedded
