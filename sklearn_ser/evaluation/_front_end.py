"""The part of a pipeline that treats each recording by itself, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline

from .._sklearn import BaseSearchCV
from ..features import RecordingTransformer, SequencePooling, has_features
from ._protocol import find_usable


def n_stateless(estimator: Any) -> int:
    """Count the steps at the head of a pipeline that treat each recording by itself.

    Only the extractors and the pooling of this library are known to do so; another
    step, even one that learns nothing, may mix the rows it is given. Those of a
    pipeline in a search count, unless it searches over them.

    Parameters
    ----------
    estimator : estimator
        A pipeline or any other estimator, fitted or not.

    Returns
    -------
    int
        1 for an extractor, 2 where a pooling follows; 0 where nothing learns behind it.
    """
    if isinstance(estimator, BaseSearchCV):
        if not isinstance(estimator.estimator, Pipeline):
            return 0
        n_steps = n_stateless(estimator.estimator)
        names = {name for name, _ in estimator.estimator.steps[:n_steps]} | {"steps"}
        return 0 if names & _searched(estimator) else n_steps
    if not isinstance(estimator, Pipeline) or len(estimator) == 1:
        return 0
    if not isinstance(estimator[0], RecordingTransformer):
        return 0
    return 1 + (len(estimator) > 2 and isinstance(estimator[1], SequencePooling))


def _searched(search: Any) -> set[str]:
    """Name the steps over whose parameters a search goes."""
    for name in ("param_grid", "param_distributions"):
        grids = getattr(search, name, None)
        if grids is not None:
            grids = [grids] if isinstance(grids, Mapping) else grids
            return {key.partition("__")[0] for grid in grids for key in grid}
    return {"steps"}  # not known


def split_front_end(estimator: Any) -> tuple[list[Any], Any]:
    """Split a pipeline after what treats each recording by itself.

    Parameters
    ----------
    estimator : estimator
        A pipeline or any other estimator.

    Returns
    -------
    front_end : list of transformer
        The steps that `n_stateless` counts; empty where there is none.
    learner : estimator
        The rest, unfitted.
    """
    n_steps = n_stateless(estimator)
    if isinstance(estimator, BaseSearchCV) and n_steps:
        pipeline = estimator.estimator
        search = clone(estimator).set_params(estimator=clone(pipeline[n_steps:]))
        return [pipeline[i] for i in range(n_steps)], make_pipeline(search)
    if not isinstance(estimator, Pipeline):
        return [], make_pipeline(clone(estimator))
    learner = clone(estimator[n_steps:] if n_steps else estimator)
    return [estimator[i] for i in range(n_steps)], learner


def join_front_end(estimator: Any, fitted: Any) -> Any:
    """Put the front end before a fitted learner, so that it takes recordings.

    Parameters
    ----------
    estimator : estimator
        What was split.
    fitted : estimator
        Its learner, fitted.

    Returns
    -------
    estimator
        A pipeline with a copy of the front end; the learner itself, if it takes the
        recordings.
    """
    n_steps = n_stateless(estimator)
    if not n_steps:
        return fitted
    whole = estimator.estimator if isinstance(estimator, BaseSearchCV) else estimator
    options = whole.get_params(deep=False)
    front_end = clone(whole[:n_steps])
    options["steps"] = [*front_end.steps, *fitted.steps]
    return type(whole)(**options)


def behind_front_end(fitted: Any) -> Any:
    """Return the part of a fitted pipeline that takes features.

    Parameters
    ----------
    fitted : estimator
        What `join_front_end` has given.

    Returns
    -------
    estimator
        The steps behind the front end.
    """
    n_steps = n_stateless(fitted)
    return fitted[n_steps:] if n_steps else fitted


def extractor_inside(estimator: Any) -> RecordingTransformer | None:
    """Find the extractor of this library that gets the data first.

    Parameters
    ----------
    estimator : estimator
        Pipelines, searches and other meta-estimators may stand around each other.

    Returns
    -------
    RecordingTransformer or None
        None where another gets the data, or where it is not known.
    """
    while not isinstance(estimator, RecordingTransformer):
        if isinstance(estimator, Pipeline):
            estimator = estimator[0]
        elif hasattr(estimator, "estimator"):
            estimator = estimator.estimator
        else:
            return None
    return estimator


def usable_inside(
    estimator: Any, front_end: list[Any], audio: NDArray[np.object_]
) -> NDArray[np.bool_] | None:
    """Ask which recordings can be used by what runs inside of an estimator.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.
    front_end : list of transformer
        What `split_front_end` takes off its head.
    audio : ndarray of shape (n,) and dtype object
        Recordings.

    Returns
    -------
    ndarray of shape (n,) and dtype bool, or None
        None where nothing more is known than the front end tells. An extractor inside
        of other estimators runs for it, unless a faulty recording is to be an error.

    Raises
    ------
    ValueError
        If the estimator's own answer is not one truth value for each recording.
    """
    asked = find_usable(estimator, audio)
    extractor = None if front_end else extractor_inside(estimator)
    if asked is not None or getattr(extractor, "on_error", "raise") == "raise":
        return asked
    assert extractor is not None
    return has_features(extractor.transform(audio))
