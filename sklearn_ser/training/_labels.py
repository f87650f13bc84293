"""Labels, ratings and speakers: one per sample, checked once."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
)

from .._constants import UNKNOWN


def check_ratings(name: str, values: Any, X: Any) -> NDArray[np.float64]:
    """Validate a target with one number per sample, NaN where it is unknown.

    Parameters
    ----------
    name : str
        What the values are, for messages.
    values : array-like of shape (n_samples,)
        Numbers.
    X : array-like of shape (n_samples, ...)
        The samples, whose number must be the same: scikit-learn hands metadata of
        another length whole to each fold.

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Raises
    ------
    ValueError
        If the values are not numbers, infinite, or of another length than `X`.
    """
    try:
        array: NDArray[np.float64] = check_array(
            column_or_1d(values),
            dtype=np.float64,
            ensure_2d=False,
            ensure_all_finite=False,
            input_name=name,
        )
        check_consistent_length(X, array)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be one number per sample, NaN where it is unknown: {error}"
        ) from error
    too_large = np.flatnonzero(np.abs(array) > np.finfo(np.float32).max)
    if too_large.size:
        raise ValueError(
            f"{name} is infinite or too large for float32 at index {too_large[0]}; use "
            "NaN for unknown."
        )
    return array


def check_labels(name: str, values: Any) -> NDArray[Any]:
    """Return labels unchanged as a 1-D array, with the missing ones.

    Parameters
    ----------
    name : str
        What the labels are, for messages.
    values : array-like of shape (n_samples,)
        Labels; None, NaN or NA where there is none.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If it is not one label per sample.
    """
    # numpy would turn a NaN in a list of names into the name "nan".
    if isinstance(values, list | tuple) and any(isinstance(v, str) for v in values):
        values = np.array(list(values), dtype=object)
    try:
        array: NDArray[Any] = column_or_1d(values, warn=name == "y")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be one label per sample: {error}") from error
    if array.dtype == object and all(isinstance(v, str) for v in array.tolist()):
        return array.astype(str)
    return array


def encode_labels(
    name: str, values: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the different labels, and the number of each, -1 for missing ones.

    Parameters
    ----------
    name : str
        What the labels are, for messages.
    values : ndarray of shape (n_samples,)
        Labels; None, NaN or NA where there is none.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        In order.
    numbers : ndarray of shape (n_samples,), int64

    Raises
    ------
    ValueError
        If the labels are of several types, so that they have no order.
    """
    known: NDArray[np.bool_] = ~pd.isna(values)
    kept = values[known]
    if kept.dtype == object:
        types = sorted({_kind(value) for value in kept.tolist()})
        if len(types) > 1:
            raise ValueError(
                f"{name} has labels of several types ({', '.join(types)}): make all "
                "of them strings, or all numbers."
            )
        kept = np.array(kept.tolist())
    labels, of_known = np.unique(kept, return_inverse=True)
    numbers = np.full(len(values), UNKNOWN, np.int64)
    numbers[known] = of_known
    return labels, numbers


def _kind(value: Any) -> str:
    """Return the name of the type of a label, the same for all that can be compared."""
    if isinstance(value, str):
        return "str"
    return "number" if isinstance(value, Number | np.number) else type(value).__name__


def check_groups(estimator: Any, groups: Any, X: Any) -> NDArray[Any] | None:
    """Validate the speakers.

    Parameters
    ----------
    estimator : estimator
        With ``early_stopping=True`` it needs at least two speakers, and no gaps.
    groups : array-like of shape (n_samples,) or None
        Speaker of each sample.
    X : array-like of shape (n_samples, ...)
        The samples, whose number must be the same.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        None where there are none, and none are needed.

    Raises
    ------
    ValueError
        If speakers are needed and missing, or are not one per sample, or if some are
        named to be held out without early stopping.
    """
    name = type(estimator).__name__
    if estimator.validation_groups is not None and not estimator.early_stopping:
        raise ValueError(
            f"{name}(validation_groups=…) names the speakers that early stopping holds "
            "out: set early_stopping=True, or leave validation_groups=None."
        )
    if groups is None:
        if not estimator.early_stopping:
            return None
        raise ValueError(
            f"{name}(early_stopping=True) holds out whole speakers: pass them "
            f"as groups. {routing_hint(estimator, 'groups')}"
        )
    speakers = check_labels("groups", groups)
    check_consistent_length(X, speakers)
    if not estimator.early_stopping:
        return speakers
    missing = np.flatnonzero(pd.isna(speakers))
    if missing.size:
        raise ValueError(
            f"groups has no speaker at index {missing[0]} ({missing.size} in all): "
            "name the speakers of all samples, or leave those samples out."
        )
    if len(encode_labels("groups", speakers)[0]) < 2:
        raise ValueError(
            f"{name}(early_stopping=True) holds out whole speakers, but groups "
            "names only one."
        )
    return speakers


def routing_hint(estimator: Any, target: str) -> str:
    """Say how a per-sample target reaches an estimator, in both routing modes.

    Parameters
    ----------
    estimator : estimator
        Named as a step of a pipeline is; it may ask for the target by another name.
    target : str
        Name of the target in its `fit`.

    Returns
    -------
    str
        Sentences for an error message, whose spellings hold also where the estimator
        stands in a search without a pipeline.
    """
    name = type(estimator).__name__
    asked = estimator.get_metadata_routing().fit.requests.get(target)
    request = "" if asked else f" and {name}(…).set_fit_request({target}=True)"
    routed = asked if isinstance(asked, str) else target
    return (
        f"Alone: fit(X, y, {target}=…). In a pipeline or a search, with "
        f"sklearn.set_config(enable_metadata_routing=True){request}: "
        f"fit(X, y, {routed}=…). Without routing, as a step of a pipeline (in a "
        f"search, too), by the name of the step: make_pipeline({name}(…)) takes "
        f"fit(X, y, {name.lower()}__{target}=…)."
    )
