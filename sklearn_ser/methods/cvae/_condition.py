"""What a model is conditioned on: one of several values, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_array, check_consistent_length

from ..._computing import on_threads
from ..._constants import UNKNOWN
from ...training._batches import Batch
from ...training._labels import check_labels, encode_labels

# Points that stand for all that continuous conditions may be. Ratings in half steps
# from 1 to 5 have nine.
_POINTS = 16


@dataclass(frozen=True)
class Categories:
    """Conditions of which an utterance has one, as a vector with a single one.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        What there is, in order.
    prior : ndarray of shape (n_values,)
        Their probabilities.
    """

    values: NDArray[Any]
    prior: NDArray[np.float64]

    @property
    def points(self) -> NDArray[np.float32]:
        """What the net is told of each value: shape (n_values, width)."""
        return self.encode(np.arange(len(self.values)))

    def encode(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what the net is told: zeros where the condition is not known."""
        told: NDArray[np.bool_] = numbers[:, None] == np.arange(len(self.values))
        return told.astype(np.float32)

    def expect(self, posterior: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        """Return what the net is told where there are only probabilities of values."""
        told = np.zeros((len(posterior), len(self.values)))
        told[:, np.searchsorted(self.values, values)] = posterior
        return told

    def read(self, name: str, given: Any, X: Any) -> NDArray[np.float32]:
        """Return what the net is told of conditions that a user gives."""
        labels = check_labels(name, given)
        check_consistent_length(X, labels)
        known: NDArray[np.bool_] = labels[:, None] == self.values
        strange = np.flatnonzero(~known.any(axis=1) & ~pd.isna(labels))
        if strange.size:
            index = strange[0]
            raise ValueError(
                f"{name} has {labels.tolist()[index]!r} at index {index}, which was "
                f"not among the conditions in fit: {self.values.tolist()}."
            )
        return known.astype(np.float32)


@dataclass(frozen=True)
class Numbers:
    """Conditions that are numbers: standardised, each with a one where it is known.

    Parameters
    ----------
    values : ndarray of shape (n_values, n_columns)
        Points that stand for all that there may be.
    prior : ndarray of shape (n_values,)
        Their probabilities.
    mean, scale : ndarray of shape (n_columns,)
        Of what was trained on.
    """

    values: NDArray[np.float64]
    prior: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def points(self) -> NDArray[np.float32]:
        """What the net is told of each value: shape (n_values, width)."""
        return self.encode(self.values)

    def encode(self, numbers: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return what the net is told: zeros where the condition is not known."""
        known = ~np.isnan(numbers)
        standard = np.where(known, (numbers - self.mean) / self.scale, 0.0)
        return np.hstack([standard, known]).astype(np.float32)

    def expect(self, posterior: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        """Return what the net is told where there are only probabilities of values."""
        return self.encode(posterior @ values)

    def read(self, name: str, given: Any, X: Any) -> NDArray[np.float32]:
        """Return what the net is told of conditions that a user gives."""
        numbers = _check_numbers(name, given, X)
        if numbers.shape[1] != len(self.mean):
            raise ValueError(
                f"{name} has {numbers.shape[1]} column(s), but the condition in fit "
                f"had {len(self.mean)}."
            )
        return self.encode(numbers)


Condition = Categories | Numbers


@dataclass(frozen=True)
class DropCondition:
    """Takes the condition from some segments of a batch."""

    share: float

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch, with zeros for the condition of some segments.

        Parameters
        ----------
        batch : dict of str to Tensor
            With the ``"condition"``.
        generator : torch.Generator
            Where these segments are drawn.

        Returns
        -------
        dict of str to Tensor
        """
        condition = batch["condition"]
        kept = torch.rand(len(condition), generator=generator) >= self.share
        return {**batch, "condition": condition * kept.to(condition)[:, None]}


def check_condition(given: Any, X: Any) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """Validate the condition of each utterance; tell names from numbers.

    Parameters
    ----------
    given : array-like of shape (n,) or (n, n_columns)
        Floats, or several columns, are numbers; anything else are names.
    X : Sequences
        The utterances, whose number must be the same.

    Returns
    -------
    values : ndarray of shape (n_values,) or None
        The different names, in order; None for numbers.
    numbers : ndarray of shape (n,), int64, or (n, n_columns), float64
        The number of each name, -1 where it is not known; or the numbers, with NaN.

    Raises
    ------
    ValueError
        If it is not one condition per utterance, or if none is known.
    """
    if _is_continuous(given):
        numbers = _check_numbers("condition", given, X)
        empty = np.flatnonzero(np.isnan(numbers).all(axis=0))
        if empty.size:
            raise ValueError(
                f"The condition is NaN for all utterances in column {empty[0]}: leave "
                "that column out."
            )
        return None, numbers
    labels = check_labels("condition", given)
    check_consistent_length(X, labels)
    if pd.isna(labels).all():
        raise ValueError(
            "The condition is not known of any utterance: give some, or take "
            'CVAE(variant="vae"), which needs none.'
        )
    return encode_labels("condition", labels)


def learn_categories(
    values: NDArray[Any], numbers: NDArray[np.int64], priors: Any
) -> Categories:
    """Learn how often the utterances to train on have each value.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        What there is, in order.
    numbers : ndarray of shape (n,), int64
        The number of the value of each utterance, -1 where it is not known.
    priors : array-like of shape (n_values,), "uniform" or None
        As of `CVAE`.

    Returns
    -------
    Categories

    Raises
    ------
    ValueError
        If none is known, or if `priors` are no probabilities of these values.
    """
    known = numbers[numbers != UNKNOWN]
    if not known.size:
        raise ValueError(
            "No utterance to train on has a condition that is known: give more of "
            "them, or hold out fewer speakers."
        )
    if priors is None:
        return Categories(
            values, np.bincount(known, minlength=len(values)) / len(known)
        )
    if isinstance(priors, str):
        return Categories(values, np.full(len(values), 1 / len(values)))
    prior = np.asarray(priors, dtype=np.float64)
    if prior.shape != values.shape:
        raise ValueError(
            f"priors must have one value for each of the {len(values)} classes, got "
            f"shape {prior.shape}."
        )
    if not (prior >= 0).all() or not np.isclose(prior.sum(), 1):
        raise ValueError(
            f"priors must be at least 0 and sum to 1, got {prior.tolist()}."
        )
    return Categories(values, prior)


def learn_numbers(numbers: NDArray[np.float64], priors: Any, seed: int) -> Numbers:
    """Learn the mean, the scale and some points of what is trained on.

    Parameters
    ----------
    numbers : ndarray of shape (n, n_columns)
        NaN where one is not known.
    priors : None or any
        As of `CVAE`.
    seed : int
        For the choice of the points.

    Returns
    -------
    Numbers

    Raises
    ------
    ValueError
        If no number of a column is known, or if `priors` are given.
    """
    if priors is not None:
        raise ValueError(
            f"priors={priors!r} are of classes, but this condition is continuous: set "
            "priors=None."
        )
    unknown = np.flatnonzero(np.isnan(numbers).all(axis=0))
    if unknown.size:
        raise ValueError(
            f"No utterance to train on has a condition that is known in column "
            f"{unknown[0]}: give more of them, or hold out fewer speakers."
        )
    mean, scale = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
    # Rounding alone gives a constant some spread.
    rounding = 10 * np.finfo(np.float64).eps * np.abs(mean)
    scale = np.where(scale <= rounding, 1.0, scale)
    complete = numbers[~np.isnan(numbers).any(axis=1)]
    if not len(complete):  # no two columns are known together
        complete = mean[None]
    # Rounded, so that the points are the same in every unit.
    standard = np.round((complete - mean) / scale, 6)
    _, first, counts = np.unique(
        standard, axis=0, return_index=True, return_counts=True
    )
    values = complete[first]
    if len(values) > _POINTS:
        with on_threads():
            clusters = KMeans(_POINTS, n_init=1, random_state=seed).fit(standard)
        values = clusters.cluster_centers_ * scale + mean
        counts = np.bincount(clusters.labels_, minlength=_POINTS)
    return Numbers(values, counts / counts.sum(), mean, scale)


def _is_continuous(given: Any) -> bool:
    """Tell whether conditions are numbers: floats, or several columns."""
    values = np.asarray(given, dtype=object)
    if values.ndim == 2 and values.shape[1] > 1:
        return True
    known = values[~pd.isna(values)].tolist()
    return any(isinstance(value, float | np.floating) for value in known)


def _check_numbers(name: str, given: Any, X: Any) -> NDArray[np.float64]:
    """Return conditions as columns of numbers, NaN where they are not known."""
    try:
        numbers: NDArray[np.float64] = check_array(
            given,
            dtype=np.float64,
            ensure_2d=False,
            ensure_all_finite="allow-nan",
            input_name=name,
        )
        check_consistent_length(X, numbers)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be one row of numbers per utterance, NaN where they are not "
            f"known: {error}"
        ) from error
    return numbers.reshape(len(numbers), -1)
