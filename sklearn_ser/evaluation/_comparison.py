"""Evaluations of several systems on the same utterances, compared over speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import lcm
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state, check_scalar

from .._typing import FloatArray
from .._warnings import warn_user
from ._comparable import check_comparable
from ._formats import SCORE_NAMES, comparison_table, to_latex, to_markdown
from ._intervals import (
    LEVEL,
    Metric,
    check_level,
    check_metric,
    difference_interval,
    score_counts,
    score_interval,
)
from ._outcome import Outcome
from ._scored import ScoredBySpeaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..plotting import EvaluationComparisonDisplay

# Sums of the same differences in another order are the same to so much.
_ROUNDING = 1e-12

# Permutations whose confusion matrices are held at once.
_CHUNK = 1024


@dataclass(frozen=True, eq=False, repr=False)
class EvaluationComparison:
    """Scores of several systems, and their differences, over the same speakers.

    Made by `compare_evaluations`, whose notes say how.

    Attributes
    ----------
    scores : DataFrame
        One row per system: ``name``, the pooled ``score``, and the limits ``low`` and
        ``high`` of its interval.
    pairs : DataFrame
        One row per pair of systems: ``first``, ``second``, their ``difference`` (the
        score of the second minus that of the first), the limits ``low`` and ``high`` of
        its interval, the p-value ``p``, and ``p_holm``, corrected for the number of
        pairs.
    speakers : DataFrame
        The score of each system, in columns, on the utterances of each speaker, whose
        names are the index.
    metric : {"wa", "ua", "f1"}
        The score.
    level : float
        The level of the intervals.

    See Also
    --------
    compare_evaluations : Makes one.
    sklearn_ser.plotting.EvaluationComparisonDisplay : What ``plot`` draws.
    """

    scores: pd.DataFrame
    pairs: pd.DataFrame
    speakers: pd.DataFrame
    metric: Metric
    level: float = LEVEL

    def plot(self, ax: Axes | None = None) -> EvaluationComparisonDisplay:
        """Draw the scores with their intervals, and those of the speakers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        EvaluationComparisonDisplay
            The display, drawn.
        """
        from ..plotting import EvaluationComparisonDisplay

        return EvaluationComparisonDisplay.from_comparison(self, ax=ax)

    def to_markdown(self, table: Literal["pairs", "scores"] = "pairs") -> str:
        """Return a table in Markdown.

        Parameters
        ----------
        table : {"pairs", "scores"}, default="pairs"
            Which of the two.

        Returns
        -------
        str
            The table, without a line break at the end.
        """
        return to_markdown(self._table(table))

    def to_latex(self, table: Literal["pairs", "scores"] = "pairs") -> str:
        r"""Return a table in LaTeX.

        Parameters
        ----------
        table : {"pairs", "scores"}, default="pairs"
            Which of the two.

        Returns
        -------
        str
            A ``tabular``, whose rules need ``\usepackage{booktabs}``.
        """
        return to_latex(self._table(table))

    def __str__(self) -> str:
        """Return both tables, as the command line prints them."""
        tables = (self._table("scores"), self._table("pairs"))
        return "\n\n".join(table.to_string(index=False) for table in tables)

    def __repr__(self) -> str:
        names = ", ".join(self.scores["name"])
        score, n = SCORE_NAMES[self.metric], len(self.speakers)
        return f"<EvaluationComparison of {names}: {score} over {n} speakers>"

    def _repr_html_(self) -> str:
        """Return both tables for a notebook."""
        return "".join(
            self._table(table).to_html(index=False, border=0)
            for table in ("scores", "pairs")
        )

    def _table(self, table: str) -> pd.DataFrame:
        """Return a table as it is written, all cells being texts."""
        if table not in ("pairs", "scores"):
            raise ValueError(f"table must be 'pairs' or 'scores', got {table!r}.")
        frame = self.pairs if table == "pairs" else self.scores
        return comparison_table(frame, self.metric, self.level)


def compare_evaluations(
    evaluations: Sequence[ScoredBySpeaker],
    names: Sequence[str] | None = None,
    *,
    metric: Metric = "ua",
    level: float = LEVEL,
    n_permutations: int = 9999,
    random_state: int | np.random.RandomState | None = 0,
) -> EvaluationComparison:
    """Compare evaluations of the same utterances, pair by pair, over speakers.

    Parameters
    ----------
    evaluations : sequence of two or more evaluations
        Results of `evaluate_by_speaker`, or saved ones that `read_evaluation` has read.
        The folds must be the same, too. Where they have several runs, those of an
        evaluation with fewer are repeated.
    names : sequence of str, default=None
        The systems, in the same order; None numbers them.
    metric : {"wa", "ua", "f1"}, default="ua"
        What is compared: the weighted or unweighted accuracy, or the mean F-measure,
        pooled over all utterances.
    level : float, default=0.95
        Level of the confidence intervals.
    n_permutations : int, default=9999
        How many permutations to draw for a p-value. If there are not more of them than
        that, which is so up to 13 speakers, all are taken and none is drawn.
    random_state : int, RandomState instance or None, default=0
        Seed of these permutations.

    Returns
    -------
    EvaluationComparison
        Tables of the scores and of the differences.

    Raises
    ------
    ValueError
        If there are fewer than two evaluations, or they differ in the target, the
        utterances, their speakers or classes, or the folds; the message says where.

    Warns
    -----
    UserWarning
        If the predictions of some used statistics of the held-out speakers, and those
        of others did not, or others.

    See Also
    --------
    read_evaluation : Reads the scores that the command line has written.

    Notes
    -----
    **The test.** The null hypothesis is that two systems are exchangeable on each
    speaker: that it tells nothing which of the two a speaker's predictions came from.
    So a permutation swaps all predictions of some speakers, in all runs, between the
    systems, and the pooled scores of both are computed anew. The p-value is the share
    of permutations, the identity among them, whose difference is at least as large, in
    either direction. For WA and UA, which are sums over speakers, this flips the signs
    of the speakers' contributions to the difference. Nothing is assumed about
    distributions, and no p-value can be below 1 over the number of permutations times
    2: with 4 speakers, none is below 0.125.

    Utterances are never swapped one by one, as those of a speaker are not independent:
    McNemar's test would find differences where there are none.

    **Several pairs.** ``p_holm`` is corrected by the method of Holm [1]_: all
    differences with ``p_holm`` below 0.05 are found with a risk of 5 % that a single
    one of them is none.

    **Intervals** of differences are those of `SpeakerEvaluation.interval` without the
    logit. They and the p-values are computed in different ways, and may disagree on a
    difference at the border.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure",
       Scandinavian Journal of Statistics 6(2), 1979, pp. 65-70.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import EGeMAPS, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import compare_evaluations, evaluate_by_speaker
    >>> corpus = make_emotional_speech(n_speakers=4, n_repetitions=2)
    >>> systems = [make_pipeline(EGeMAPS(), DummyClassifier()), recipes.egemaps_svc()]
    >>> comparison = compare_evaluations(
    ...     [evaluate_by_speaker(system, corpus) for system in systems],
    ...     names=["chance", "SVC"],
    ... )
    >>> comparison.pairs[["first", "second", "p"]]
        first second      p
    0  chance    SVC  0.125
    """
    metric, level = check_metric(metric), check_level(level)
    check_scalar(n_permutations, "n_permutations", Integral, min_val=1)
    names = _check_names(names, len(evaluations))
    outcomes = [evaluation._outcome() for evaluation in evaluations]
    check_comparable(names, outcomes)
    _warn_of_statistics(names, outcomes)
    classes = sorted({name for outcome in outcomes for name in outcome.classes})
    runs = lcm(*(len(outcome.predictions) for outcome in outcomes))
    counts = [
        np.repeat(of_runs, runs // len(of_runs), axis=0)
        for of_runs in (outcome.counts(classes=classes) for outcome in outcomes)
    ]
    swaps = _draw_swaps(counts[0].shape[1], n_permutations, random_state)
    rows = []
    for a, b in combinations(range(len(names)), 2):
        low, high = difference_interval(counts[a], counts[b], metric, level)
        difference, p = _swap_speakers(counts[a], counts[b], metric, swaps)
        rows.append((names[a], names[b], difference, low, high, p))
    columns = ["first", "second", "difference", "low", "high", "p"]
    pairs = pd.DataFrame(rows, columns=columns)
    return EvaluationComparison(
        scores=_score_all(names, counts, metric, level),
        pairs=pairs.assign(p_holm=_holm(pairs["p"].to_numpy())),
        speakers=pd.DataFrame(
            {
                name: score_counts(of_system, metric).mean(axis=0)
                for name, of_system in zip(names, counts, strict=True)
            },
            index=pd.Index(outcomes[0].speakers, name="speaker"),
        ),
        metric=metric,
        level=level,
    )


def _score_all(
    names: Sequence[str],
    counts: Sequence[NDArray[np.int64]],
    metric: Metric,
    level: float,
) -> pd.DataFrame:
    """Return the pooled score of each system with its interval."""
    rows = [
        (
            name,
            float(score_counts(of_system.sum(axis=1), metric).mean()),
            *score_interval(of_system, metric, level),
        )
        for name, of_system in zip(names, counts, strict=True)
    ]
    return pd.DataFrame(rows, columns=["name", "score", "low", "high"])


def _draw_swaps(
    n_speakers: int,
    n_permutations: int,
    random_state: int | np.random.RandomState | None,
) -> FloatArray:
    """Return who is swapped in each permutation: 1 or 0; nobody in the first."""
    if 2**n_speakers <= n_permutations:
        numbers = np.arange(2**n_speakers)[:, None]
        everyone: FloatArray = (numbers >> np.arange(n_speakers) & 1).astype(np.float64)
        return everyone
    random = check_random_state(random_state)
    drawn: FloatArray = random.randint(2, size=(n_permutations, n_speakers)).astype(
        np.float64
    )
    return np.vstack([np.zeros(n_speakers), drawn])


def _swap_speakers(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    metric: Metric,
    swaps: FloatArray,
) -> tuple[float, float]:
    """Return how much the second is above the first, and the p-value."""
    n_runs, n_speakers, n_classes, _ = first.shape
    gained = (second - first).swapaxes(0, 1).reshape(n_speakers, -1)
    before, both = first.sum(axis=1), (first + second).sum(axis=1)
    differences = []
    for start in range(0, len(swaps), _CHUNK):
        moved = swaps[start : start + _CHUNK] @ gained
        of_first = before + moved.reshape(-1, n_runs, n_classes, n_classes)
        scores = [score_counts(c, metric).mean(-1) for c in (of_first, both - of_first)]
        differences.append(scores[1] - scores[0])
    swapped = np.concatenate(differences)
    as_large = np.abs(swapped) >= abs(swapped[0]) - _ROUNDING
    return float(swapped[0]), float(as_large.mean())


def _holm(p: FloatArray) -> FloatArray:
    """Return p-values that are corrected for their number, by Holm's method."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _check_names(names: Sequence[str] | None, n: int) -> list[str]:
    """Return a name for each system."""
    if n < 2:
        raise ValueError(f"A comparison needs at least two evaluations, got {n}.")
    if names is None:
        return [f"system {number}" for number in range(1, n + 1)]
    given = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(given) != n or len(set(given)) < n:
        raise ValueError(
            f"names must name each of the {n} evaluations, and no two alike, got "
            f"{names!r}."
        )
    return given


def _warn_of_statistics(names: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """Warn of scores that know more of the held-out speakers than others do."""
    used = [outcome.speaker_statistics for outcome in outcomes]
    if len(set(used)) > 1:
        said = (f"{n}: {u or 'none'}" for n, u in zip(names, used, strict=True))
        warn_user(
            "The systems use different statistics of the held-out speakers "
            f"({'; '.join(said)}): a difference may come from these."
        )
