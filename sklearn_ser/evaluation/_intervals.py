"""Confidence intervals of pooled scores, over speakers.

The utterances of a speaker succeed and fail together: a resampling of utterances takes
them for independent, and gives intervals that are much too narrow. Here the speaker is
what was sampled. `benchmarks/simulate_intervals.py` compares ways to do so.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit
from sklearn.utils import check_scalar

from .._typing import FloatArray

Metric = Literal["wa", "ua", "f1"]

METRICS: tuple[Metric, ...] = ("wa", "ua", "f1")
LEVEL = 0.95
# Sums of floats that should be 0.
_NO_ERROR = 1e-9


class ConfidenceInterval(NamedTuple):
    """The limits of a confidence interval.

    Attributes
    ----------
    low : float
        The lower limit.
    high : float
        The upper limit.

    Examples
    --------
    >>> from sklearn_ser.evaluation import ConfidenceInterval
    >>> interval = ConfidenceInterval(0.58, 0.75)
    >>> low, high = interval
    >>> interval.high
    0.75
    """

    low: float
    high: float


def check_metric(metric: str) -> Metric:
    """Return the name of a score; refuse others."""
    for known in METRICS:
        if metric == known:
            return known
    raise ValueError(
        f"metric must be {', '.join(map(repr, METRICS[:-1]))} or {METRICS[-1]!r}, got "
        f"{metric!r}."
    )


def check_level(level: float) -> float:
    """Return the level of an interval; refuse what lies not between 0 and 1."""
    check_scalar(level, "level", Real)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95, got {level}.")
    return float(level)


def count_by_speaker(
    truth: NDArray[Any],
    predictions: Sequence[NDArray[Any]],
    speaker: NDArray[Any],
    *,
    classes: Sequence[Any] | None = None,
) -> NDArray[np.int64]:
    """Count confusions by run and speaker.

    Parameters
    ----------
    truth : ndarray of shape (n_utterances,)
        True classes.
    predictions : sequence of n_runs ndarrays of shape (n_utterances,)
        Predicted classes, of each run.
    speaker : ndarray of shape (n_utterances,)
        Who speaks.
    classes : sequence of length n_classes, default=None
        All classes, in order; None sorts those that occur.

    Returns
    -------
    ndarray of shape (n_runs, n_speakers, n_classes, n_classes), dtype int64
        Confusion matrices, whose rows are the true classes. The speakers are sorted.
    """
    if classes is None:
        classes = sorted({*truth.tolist(), *(x for p in predictions for x in p)})
    numbers = {name: number for number, name in enumerate(classes)}
    true, *predicted = (
        np.array([numbers[x] for x in labels], dtype=np.intp)
        for labels in (truth.tolist(), *predictions)
    )
    speakers, codes = np.unique(speaker, return_inverse=True)
    n_classes = len(numbers)
    shape = (len(speakers), n_classes, n_classes)
    rows = [
        np.bincount(
            (codes * n_classes + true) * n_classes + of_run, minlength=np.prod(shape)
        ).reshape(shape)
        for of_run in predicted
    ]
    return np.stack(rows).astype(np.int64)


def score_counts(counts: NDArray[Any], metric: Metric) -> FloatArray:
    """Score confusion matrices as `sklearn_ser.metrics` scores their utterances.

    Parameters
    ----------
    counts : ndarray of shape (..., n_classes, n_classes)
        Confusion matrices of one utterance or more, whose rows are the true classes.
    metric : {"wa", "ua", "f1"}
        What to compute.

    Returns
    -------
    ndarray of shape (...)
        The scores. Classes that are never true are left out, as they are there.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    true = counts.sum(axis=-1)
    if metric == "wa":
        shares: FloatArray = hits.sum(axis=-1) / true.sum(axis=-1)
        return shares
    if metric == "ua":
        of_class = hits / np.maximum(true, 1)
    else:
        of_class = 2 * hits / np.maximum(true + counts.sum(axis=-2), 1)
    occurs = true > 0
    means: FloatArray = (of_class * occurs).sum(axis=-1) / occurs.sum(axis=-1)
    return means


def score_interval(
    counts: NDArray[np.int64], metric: Metric, level: float = LEVEL
) -> ConfidenceInterval:
    """Compute the interval of a pooled score, over speakers.

    The score's logit, give or take a quantile of Student's t of delete-one-speaker
    jackknife standard errors. The jackknife's center is the score itself.

    Parameters
    ----------
    counts : ndarray of shape (n_runs, n_speakers, n_classes, n_classes), dtype int64
        Confusion matrices, see `count_by_speaker`. The score is the mean over the runs.
    metric : {"wa", "ua", "f1"}
        The score.
    level : float, default=0.95
        The share of such intervals that contain the score of all speakers.

    Returns
    -------
    ConfidenceInterval
        Within 0 and 1. At a score of 0 or 1, where the jackknife sees no spread, the
        other limit is that of Clopper and Pearson for as many trials as speakers. At
        another score without spread, the error is that of independent utterances.

    Raises
    ------
    ValueError
        If there is only one speaker.
    """
    score, error, n_speakers = _jackknife(counts, metric)
    if not 0 < score < 1:
        exact = stats.binomtest(round(score) * n_speakers, n_speakers)
        limits = exact.proportion_ci(level)
        return ConfidenceInterval(float(limits.low), float(limits.high))
    if error < _NO_ERROR:  # by chance, no speaker differs from another
        error = _error_of_utterances(counts, metric)
    half = _quantile(counts, metric, level) * error / (score * (1 - score))
    low, high = expit(logit(score) + np.array([-half, half]))
    return ConfidenceInterval(float(low), float(high))


def difference_interval(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    metric: Metric,
    level: float = LEVEL,
) -> ConfidenceInterval:
    """Compute the interval of a difference between pooled scores, over speakers.

    Parameters
    ----------
    first : ndarray of shape (n_runs, n_speakers, n_classes, n_classes), dtype int64
        Confusion matrices of what is subtracted, see `count_by_speaker`.
    second : ndarray of shape (n_runs, n_speakers, n_classes, n_classes), dtype int64
        Confusion matrices of the other, for the same speakers.
    metric : {"wa", "ua", "f1"}
        The score.
    level : float, default=0.95
        As in `score_interval`.

    Returns
    -------
    ConfidenceInterval
        Of second minus first, within -1 and 1; as `score_interval`, without the logit.
    """
    difference, error, _ = _jackknife(first, metric, second)
    half = _quantile(first, metric, level) * error
    return ConfidenceInterval(max(difference - half, -1.0), min(difference + half, 1.0))


def _jackknife(
    counts: NDArray[np.int64],
    metric: Metric,
    other: NDArray[np.int64] | None = None,
) -> tuple[float, float, int]:
    """Return a pooled score, or how much another one is above; error; speakers."""
    n_speakers = counts.shape[1]
    if n_speakers < 2:
        raise ValueError(
            "An interval over speakers needs at least 2 speakers, got "
            f"{n_speakers}; evaluate on a corpus of more."
        )
    score, without = _deleted(counts, metric)
    if other is not None:
        of_other, without_other = _deleted(other, metric)
        score, without = of_other - score, without_other - without
    variance = (n_speakers - 1) / n_speakers * ((without - score) ** 2).sum()
    return score, float(np.sqrt(variance)), n_speakers


def _error_of_utterances(counts: NDArray[np.int64], metric: Metric) -> float:
    """Return the standard error of a score where utterances are independent.

    It is 0 where each class is always right or always wrong, as by a constant.
    """
    of_class = counts.sum(axis=(0, 1))
    n_true = of_class.sum(axis=1)
    present = n_true > 0
    recall = np.diag(of_class)[present] / n_true[present]
    n_true = n_true[present] / len(counts)  # the runs have the same utterances
    weight = n_true / n_true.sum() if metric == "wa" else 1 / len(n_true)
    return float(np.sqrt((weight**2 * recall * (1 - recall) / n_true).sum()))


def _deleted(counts: NDArray[np.int64], metric: Metric) -> tuple[float, FloatArray]:
    """Return the mean score of the runs: of all speakers, and without each of them."""
    total = counts.sum(axis=1)
    without: FloatArray = score_counts(total[:, None] - counts, metric).mean(axis=0)
    return float(score_counts(total, metric).mean()), without


def _quantile(counts: NDArray[np.int64], metric: Metric, level: float) -> float:
    """Return the quantile of Student's t, with fewer degrees for unequal speakers.

    Between n - 1, too many where few speakers carry a score, and Kish's effective
    number of speakers less one, too few: the geometric mean, which the simulation has
    shown to keep the level.
    """
    n_speakers = counts.shape[1]
    of_class = counts[0].sum(axis=-1)  # true utterances by speaker and class
    if metric == "wa":
        weights = of_class.sum(axis=-1)
    else:  # each class counts the same
        weights = (of_class / np.maximum(of_class.sum(axis=0), 1)).sum(axis=-1)
    effective = weights.sum() ** 2 / (weights**2).sum()
    degrees = max(np.sqrt(n_speakers * effective) - 1, 1.0)
    return float(stats.t.ppf((1 + level) / 2, degrees))
