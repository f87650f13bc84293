"""Tables of an evaluation: by fold, by speaker and by class."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils import check_scalar

from .._typing import FloatArray
from ..metrics import macro_f1_score, ua_score, wa_score
from ._intervals import METRICS, Metric, score_counts, score_interval
from ._outcome import Outcome

SCORES = {"wa": wa_score, "ua": ua_score, "f1": macro_f1_score}


def score_runs(outcome: Outcome, metric: Metric) -> FloatArray:
    """Score all utterances at once, in each run.

    Parameters
    ----------
    outcome : Outcome
        Classes, true and predicted.
    metric : {"wa", "ua", "f1"}
        The score.

    Returns
    -------
    ndarray of shape (n_runs,)
        Between 0 and 1.
    """
    return np.array([SCORES[metric](outcome.truth, run) for run in outcome.predictions])


def tabulate_folds(outcome: Outcome) -> pd.DataFrame:
    """Tabulate the folds: who is held out, how many utterances, the scores."""
    held_out = pd.Series(outcome.speaker).groupby(outcome.fold)
    speakers = held_out.agg(lambda names: " ".join(np.unique(names))).to_numpy()
    return pd.DataFrame({"speakers": speakers, **_scores_by(outcome, outcome.fold)})


def tabulate_speakers(outcome: Outcome) -> pd.DataFrame:
    """Tabulate the speakers: their fold, how many utterances, the scores."""
    fold = pd.Series(outcome.fold).groupby(outcome.speaker).first().to_numpy()
    scores = _scores_by(outcome, outcome.speaker)
    return pd.DataFrame({"speaker": outcome.speakers, "fold": fold, **scores})


def tabulate_classes(outcome: Outcome) -> pd.DataFrame:
    """Tabulate the classes: their support, recall with interval, precision and F1."""
    classes = outcome.classes
    of_runs = [
        precision_recall_fscore_support(
            outcome.truth, predicted, labels=classes, zero_division=np.nan
        )[:3]
        for predicted in outcome.predictions
    ]
    support = np.array([(outcome.truth == name).sum() for name in classes])
    precision, recall, f1 = _mean_of_known(np.array(of_runs, dtype=np.float64))
    limits = np.array([_recall_limits(outcome, name) for name in classes])
    return pd.DataFrame(
        {
            "class": classes,
            "support": support,
            "recall": recall,
            "recall_low": limits[:, 0],
            "recall_high": limits[:, 1],
            "precision": precision,
            # A class that is never true is left out of the mean F-measure.
            "f1": np.where(support > 0, f1, np.nan),
        }
    )


def calibration_error(outcome: Outcome, n_bins: int) -> float:
    """Compute the expected calibration error, as the mean over the runs.

    Parameters
    ----------
    outcome : Outcome
        With probabilities.
    n_bins : int
        Number of bins of equal width.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If there are no probabilities, or fewer than one bin.
    """
    check_scalar(n_bins, "n_bins", Integral, min_val=1)
    if not outcome.probabilities:
        raise ValueError(
            "The evaluation has no probabilities: evaluate a classifier that has "
            "predict_proba. For one without, such as LinearSVC, "
            "sklearn.calibration.CalibratedClassifierCV(classifier) makes them; saved "
            "evaluations have none."
        )
    classes = np.asarray(outcome.probability_classes)
    errors = []
    for probabilities in outcome.probabilities:
        confidence = probabilities.max(axis=1)
        right = classes[probabilities.argmax(axis=1)] == outcome.truth
        # The upper end belongs to a bin, as 0 is never the largest probability.
        bins = np.clip(np.ceil(confidence * n_bins).astype(np.intp) - 1, 0, n_bins - 1)
        gaps = np.bincount(bins, weights=confidence - right, minlength=n_bins)
        errors.append(np.abs(gaps).sum() / len(right))
    return float(np.mean(errors))


def _scores_by(outcome: Outcome, groups: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the numbers of utterances of groups, and the scores, in their order."""
    counts = outcome.counts(by=groups)
    columns: dict[str, NDArray[Any]] = {"utterances": counts[0].sum(axis=(1, 2))}
    for metric in METRICS:
        columns[metric] = score_counts(counts, metric).mean(axis=0)
    return columns


def _recall_limits(outcome: Outcome, name: str) -> tuple[float, float]:
    """Return the interval of a recall over the speakers who have the class."""
    rows = outcome.truth == name
    if len(np.unique(outcome.speaker[rows])) < 2:
        return float("nan"), float("nan")
    return score_interval(outcome.counts(rows), "wa")


def _mean_of_known(values: FloatArray) -> FloatArray:
    """Return the mean over the first axis without NaN, NaN where all are."""
    known = ~np.isnan(values)
    sums, numbers = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    mean: FloatArray = np.divide(
        sums, numbers, out=np.full(sums.shape, np.nan), where=numbers > 0
    )
    return mean
