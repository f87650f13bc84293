"""The representation by which a fitted estimator classifies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import check_is_fitted

from ._sklearn import BaseSearchCV
from .features import SequencePooling
from .sequences import as_sequences


def split_last_step(estimator: Any) -> tuple[list[Pipeline], Any]:
    """Find the last step inside pipelines, searches and augmentation.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator. Pipelines, searches and what augments the training, such as
        `SpeedPerturbation`, may stand around each other in any order.

    Returns
    -------
    before : list of Pipeline
        The pipelines that transform the input, in order.
    last : estimator
        The last step of the innermost pipeline, or the estimator itself if it is none
        of these three.

    Raises
    ------
    NotFittedError
        If a search or what augments has no fitted estimator.
    """
    before = []
    while True:
        if isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                before.append(estimator[:-1])
            estimator = estimator[-1]
        elif augments(estimator):
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


def augments(estimator: Any) -> bool:
    """Tell whether an estimator only augments the training of the one inside.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    bool
        For `SpeedPerturbation`, and others that have `augments_training` and an
        `estimator`; it predicts as its fitted `estimator_` does.
    """
    return callable(getattr(estimator, "augments_training", None)) and hasattr(
        estimator, "estimator"
    )


def representation(estimator: Any, X: Any, **metadata: Any) -> NDArray[Any]:
    """Compute the representation by which a fitted estimator classifies.

    Parameters
    ----------
    estimator : estimator
        A fitted transformer, classifier, pipeline, search or `SpeedPerturbation`.
    X : collection of n utterances
        What the estimator takes.
    **metadata : array-like of shape (n_utterances,)
        What steps may ask for in ``transform``.

    Returns
    -------
    ndarray of shape (n_utterances, n_dimensions)
        The output of the last step's ``transform``, if it has one: then it is a
        classifier with a representation of its own. Otherwise the input of the last
        step. Sequences are averaged over time.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    """
    before, last = split_last_step(estimator)
    if hasattr(last, "fit") and not hasattr(last, "transform"):
        check_is_fitted(last)  # as no other call would tell
    for step in (*before, last):
        if hasattr(step, "transform"):
            X = transform_asked(step, X, metadata)
    embedded = np.asarray(as_sequences(X) if isinstance(X, list | tuple) else X)
    if embedded.ndim == 3 or (embedded.ndim == 1 and embedded.dtype == object):
        pooling = SequencePooling(("mean",)).set_output(transform="default")
        embedded = pooling.transform(embedded)
    return embedded


def transform_asked(step: Any, X: Any, metadata: dict[str, Any]) -> Any:
    """Transform with a step, which is given the metadata that it asks for.

    Parameters
    ----------
    step : transformer
        A fitted one.
    X : collection of n utterances
        What it takes.
    metadata : dict of array-like of shape (n_utterances,)
        What it may ask for.

    Returns
    -------
    collection of n utterances
        What it gives.
    """
    with config_context(enable_metadata_routing=True):
        asked = get_routing_for_object(step).consumes("transform", metadata.keys())
        given = {name: metadata[name] for name in asked}
        if given:
            return step.transform(X, **given)
    return step.transform(X)
