"""The result of a transfer from one corpus to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils import check_scalar

from .._dimensions import DIMENSIONS
from .._representation import representation, split_last_step
from .._sklearn import take_rows
from ..datasets import Corpus
from ..datasets._corpus import counted
from ..metrics import CorrelationResult, latent_correlation, pairwise_correlation
from ._result import SpeakerEvaluation, recording_names
from ._scored import listed
from ._side import voices_of
from ._tables import SCORES

_ANALYSES = {"pairs": pairwise_correlation, "latent": latent_correlation}


@dataclass(frozen=True, eq=False)
class TransferRun:
    """A transfer with one seed.

    Attributes
    ----------
    seed : int
        The seed of the share of the target and of the estimator.
    statistics : ndarray of shape (n_statistics,) and dtype int
        The utterances of the target that gave the statistics, as rows of it.
    tested : ndarray of shape (n_tested,) and dtype int
        Those that were predicted together: all others, of any emotion, in order.
    scored : ndarray of shape (n_scored,) and dtype int
        Those of them that are scored, as their emotions are among the classes.
    truth : ndarray of shape (n_scored,)
        Their emotions.
    predicted : ndarray of shape (n_scored,)
        The emotions that were predicted for them.
    estimator : estimator
        The fitted estimator, with the statistics of the target and without its
        stateless front end.
    """

    seed: int
    statistics: NDArray[np.intp]
    tested: NDArray[np.intp]
    scored: NDArray[np.intp]
    truth: NDArray[np.str_]
    predicted: NDArray[Any]
    estimator: Any

    @property
    def wa(self) -> float:
        """Weighted accuracy."""
        return float(SCORES["wa"](self.truth, self.predicted))

    @property
    def ua(self) -> float:
        """Unweighted accuracy."""
        return float(SCORES["ua"](self.truth, self.predicted))

    @property
    def f1(self) -> float:
        """Mean F-measure of the classes."""
        return float(SCORES["f1"](self.truth, self.predicted))


@dataclass(frozen=True, eq=False)
class TransferEvaluation:
    """The result of a transfer from one corpus to another.

    Attributes
    ----------
    source : Corpus
        The utterances that were trained on.
    target : Corpus
        The utterances of the other corpus that have features and are no outliers,
        whether they gave statistics, are scored, or neither.
    classes : list of str
        The emotions that were told apart.
    runs : list of TransferRun
        A transfer for each seed.
    features : ndarray or data frame of n_utterances rows
        What the front end gave for `target`.
    adapted : list of str
        The steps that have the statistics of the target.
    left_out : dict of list of str
        The recordings without features: ``"source"`` and ``"target"``.
    outliers : dict of list of str
        The recordings that were dropped as outliers, likewise.
    subsets : list of TransferEvaluation
        The same transfer with fewer classes, in the order of the parameter.
    upper_bound : SpeakerEvaluation or None
        The same estimator trained on the target itself, by speaker, with the first
        seed; None where it was not asked for.
    settings : dict
        Estimator, corpora, classes, statistics, seeds and versions.
    speaker_statistics : str or None
        Which statistics of the target's speakers the predictions used beside, such as
        those of ``SpeakerScaler(by="speaker")``; None if none.
    """

    source: Corpus
    target: Corpus
    classes: list[str]
    runs: list[TransferRun]
    features: Any
    adapted: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    outliers: dict[str, list[str]] = field(default_factory=dict)
    subsets: list[TransferEvaluation] = field(default_factory=list)
    upper_bound: SpeakerEvaluation | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    speaker_statistics: str | None = None

    @property
    def truth(self) -> NDArray[np.str_]:
        """The emotions of the scored utterances, run after run."""
        return np.concatenate([run.truth for run in self.runs])

    @property
    def predicted(self) -> NDArray[Any]:
        """The predicted emotions, run after run."""
        return np.concatenate([run.predicted for run in self.runs])

    @property
    def wa(self) -> float:
        """Weighted accuracy: the mean over the runs."""
        return float(np.mean([run.wa for run in self.runs]))

    @property
    def ua(self) -> float:
        """Unweighted accuracy: the mean over the runs."""
        return float(np.mean([run.ua for run in self.runs]))

    @property
    def f1(self) -> float:
        """Mean F-measure of the classes: the mean over the runs."""
        return float(np.mean([run.f1 for run in self.runs]))

    @property
    def scores(self) -> pd.DataFrame:
        """One row per run: ``seed``, ``utterances`` scored, ``wa``, ``ua``, ``f1``."""
        return pd.DataFrame(
            {
                "seed": run.seed,
                "utterances": len(run.scored),
                **{name: getattr(run, name) for name in SCORES},
            }
            for run in self.runs
        )

    @property
    def std(self) -> dict[str, float | None]:
        """Sample standard deviation of each score over the runs; None for one run."""
        scores = self.scores
        return {name: _std(scores[name]) for name in SCORES}

    @property
    def by_class(self) -> pd.DataFrame:
        """One row per emotion: means over the runs.

        ``utterances`` scored, ``precision``, ``recall`` and ``f1``, and
        ``recall_std``, the sample standard deviation of the recall over the runs, NaN
        for one run. A precision without a prediction is 0.
        """
        tables = []
        for run in self.runs:
            precision, recall, f1, n = precision_recall_fscore_support(
                run.truth, run.predicted, labels=self.classes, zero_division=0
            )
            recall[n == 0] = f1[n == 0] = np.nan  # of an emotion that was not scored
            columns = {"precision": precision, "recall": recall, "f1": f1}
            tables.append(
                pd.DataFrame({"utterances": n, **columns}, index=self.classes)
            )
        of_runs = pd.concat(tables).groupby(level=0)
        table = of_runs.mean().loc[self.classes]
        table["recall_std"] = of_runs["recall"].std(ddof=1)
        return table.rename_axis("emotion")

    def embedding(self, run: int = 0) -> NDArray[Any]:
        """Return the representation by which the scored utterances are classified.

        Parameters
        ----------
        run : int, default=0
            The number of the run, from zero.

        Returns
        -------
        ndarray of shape (n_scored, n_dimensions)
            As of `SpeakerEvaluation.embedding`, for the utterances that were scored.

        Raises
        ------
        ValueError
            If the estimator classifies recordings without a representation.
        """
        one = self.runs[run]
        before, last = split_last_step(one.estimator)
        is_table = np.ndim(self.features) == 2
        if not before and not is_table and not hasattr(last, "transform"):
            raise ValueError(
                f"{type(last).__name__} has no representation of the utterances: it "
                "neither transforms nor stands behind a step that does."
            )
        voices = voices_of(self.target.select(one.tested))
        rows = take_rows(self.features, one.tested)
        embedded = representation(one.estimator, rows, **voices)
        return embedded[np.searchsorted(one.tested, one.scored)]

    def correlations(self, n_permutations: int = 199) -> pd.DataFrame:
        """Tell how much of the target's ratings the embedding carries.

        Parameters
        ----------
        n_permutations : int, default=199
            Permutations of each test; 0 leaves it out.

        Returns
        -------
        pandas.DataFrame
            One row for each run, each rated ``dimension``, and both analyses:
            ``"pairs"`` by `sklearn_ser.metrics.pairwise_correlation` and ``"latent"``
            by `sklearn_ser.metrics.latent_correlation`, with the attributes of their
            results as columns. NaN where an analysis is not defined, as for a collapsed
            embedding. Empty without ratings.

        Raises
        ------
        ValueError
            As `embedding`.

        Notes
        -----
        Only the scored utterances are looked at. Trust `permutation_p_value`, not the
        F-test, for pairs: see `sklearn_ser.metrics.pairwise_correlation`.
        """
        rows = []
        for number, run in enumerate(self.runs):
            corpus = self.target.select(run.scored)
            found = _correlations(
                self.embedding(number), corpus, n_permutations, run.seed
            )
            rows += [{"seed": run.seed, **row} for row in found]
        return pd.DataFrame(rows)

    def upper_bound_correlations(self, n_permutations: int = 199) -> pd.DataFrame:
        """Tell the same of the estimators that were trained on the target itself.

        The rows "(supervised)" of Table 3 of Das et al. (2022), but by speaker: each
        embedding is looked at on the speakers whom its fold has held out.

        Parameters
        ----------
        n_permutations : int, default=199
            Permutations of each test; 0 leaves it out.

        Returns
        -------
        pandas.DataFrame
            As `correlations`, with a row for each ``fold`` in the place of ``seed``.

        Raises
        ------
        ValueError
            If no upper bound was asked for.
        """
        bound = self.upper_bound
        if bound is None:
            raise ValueError(
                "There is no upper bound: ask for it by "
                "evaluate_transfer(..., upper_bound=True)."
            )
        rows = []
        for fold in range(len(bound.estimators)):
            held_out = bound.fold == fold
            found = _correlations(
                bound.embedding(fold)[held_out],
                bound.corpus.select(held_out),
                n_permutations,
                self.runs[0].seed,
            )
            rows += [{"fold": fold, **row} for row in found]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return scores and settings as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"classes"``; ``"wa"``, ``"ua"`` and ``"f1"``, each with ``"mean"`` and
            ``"std"`` over the runs; ``"by_class"``; ``"runs"``, each with its seed, its
            scores and its ``"utterances"``; ``"adapted"``; ``"left_out"``;
            ``"outliers"``; ``"subsets"`` and ``"upper_bound"``, as dicts of theirs;
            ``"speaker_statistics"``; ``"settings"``.
        """
        std = self.std
        by_class = self.by_class.reset_index()
        names = np.array(recording_names(self.target))
        return {
            "classes": self.classes,
            **{
                name: {"mean": getattr(self, name), "std": std[name]} for name in SCORES
            },
            "by_class": _plain(by_class),
            "runs": [self._run_to_dict(run, names) for run in self.runs],
            "adapted": self.adapted,
            "left_out": self.left_out,
            "outliers": self.outliers,
            "subsets": [subset.to_dict() for subset in self.subsets],
            "upper_bound": None
            if self.upper_bound is None
            else self.upper_bound.to_dict(),
            "speaker_statistics": self.speaker_statistics,
            "settings": self.settings,
        }

    def _run_to_dict(self, run: TransferRun, names: NDArray[Any]) -> dict[str, Any]:
        """Return a run as plain values."""
        utterances = pd.DataFrame(
            {
                "recording": names[run.scored],
                "speaker": self.target.speaker[run.scored],
                "truth": run.truth,
                "predicted": run.predicted,
            }
        )
        return {
            "seed": run.seed,
            **{name: getattr(run, name) for name in SCORES},
            "statistics": names[run.statistics].tolist(),
            "utterances": utterances.to_dict("records"),
        }

    def __str__(self) -> str:
        """Return the scores of the runs and of the classes, as tables."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        """Give the lines of the table."""
        yield f"{self.source.name} → {self.target.name}: {', '.join(self.classes)}"
        yield (
            f"trained on {counted(len(self.source), 'utterance')}; {self._statistics()}"
        )
        yield _row("seed", "utterances", *map(str.upper, SCORES))
        scores = self.scores.astype({"seed": str, "utterances": str})
        for row in scores.itertuples(index=False, name=None):
            yield _row(*row)
        yield "-" * len(_row("", ""))
        yield _row("mean of seeds", "", *(getattr(self, name) for name in SCORES))
        if len(self.runs) > 1:
            yield _row("sd of seeds", "", *self.std.values())
        yield ""
        yield _row("emotion", "utterances", "recall", "prec.", "F1")
        for name, of_class in self.by_class.iterrows():
            values = (of_class["recall"], of_class["precision"], of_class["f1"])
            yield _row(str(name), f"{of_class['utterances']:.4g}", *values)
        for subset in self.subsets:
            yield f"{', '.join(subset.classes)}: {subset._said()}"
        if self.upper_bound is not None:
            yield f"trained on the target, by speaker: UA {self.upper_bound.ua:.3f}"
        for side, names in self.left_out.items():
            yield from (f"{side}: {line}" for line in listed("features", names))
        if any(self.outliers.values()):
            counts = ", ".join(
                f"{len(x)} of {side}" for side, x in self.outliers.items()
            )
            yield f"outliers left out: {counts}"
        if self.speaker_statistics is not None:
            yield f"statistics of test speakers: {self.speaker_statistics}"

    def _statistics(self) -> str:
        """Say whose statistics the predictions use."""
        share = self.settings["statistics"]
        if share == 0:
            return "no statistics of the target"
        units = f"{self.settings['statistics_by']}s"
        also = ", which are scored, too," if share == 1 else ""
        steps = ", ".join(self.adapted) or "no step"
        return (
            f"statistics of {100 * share:g} % of the target's {units}{also} in {steps}"
        )

    def _said(self) -> str:
        """Return the UA in words."""
        spread = self.std["ua"]
        return f"UA {self.ua:.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def _correlations(
    embedded: NDArray[Any], corpus: Corpus, n_permutations: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Give the result of each analysis of each rated dimension; NaN where undefined."""
    check_scalar(n_permutations, "n_permutations", Integral, min_val=0)
    for dimension in DIMENSIONS:
        ratings = getattr(corpus, dimension)
        if ratings is None or np.isnan(ratings).all():
            continue
        for name, analysis in _ANALYSES.items():
            try:
                result = vars(
                    analysis(
                        embedded,
                        ratings,
                        n_permutations=n_permutations,
                        random_state=seed,
                    )
                )
            except ValueError:  # a collapsed embedding, equal ratings, too few of them
                result = dict.fromkeys(CorrelationResult.__dataclass_fields__, np.nan)
            yield {"dimension": dimension, "analysis": name, **result}


def _std(values: pd.Series) -> float | None:
    """Return the sample standard deviation, None of a single value."""
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, with None in the place of NaN."""
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in records]


def _row(name: str, utterances: str, *scores: Any) -> str:
    """Lay out one row of a table."""
    texts = (f"{x:.3f}" if isinstance(x, float) else x for x in scores or [""] * 3)
    return f"{name:<18}{utterances:>10}" + "".join(f"{text:>8}" for text in texts)
