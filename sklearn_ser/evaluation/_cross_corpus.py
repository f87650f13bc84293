"""Each corpus against each other, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import pandas as pd

from .._adapt import SCALERS
from ..datasets import Corpus
from ._checks import check_pretraining, check_searches
from ._front_end import split_front_end
from ._plan import find_classes, make_plan
from ._result import SpeakerEvaluation
from ._side import prepare_side
from ._transfer import by_speaker, transfer
from ._transfer_result import TransferEvaluation

Score = Literal["wa", "ua", "f1"]

SCORES: tuple[Score, ...] = get_args(Score)


@dataclass(frozen=True, eq=False)
class CrossCorpusMatrix:
    """Scores of training on each corpus and testing on each.

    Attributes
    ----------
    names : list of str
        The corpora, in the order in which they were given.
    evaluations : dict
        The evaluation of each pair (trained on, tested on): a `TransferEvaluation` of
        two corpora, and a `SpeakerEvaluation` of one with itself, by speaker.
    classes : dict of list of str
        The emotions that each pair was told apart in.
    settings : dict
        Estimator, statistics, seeds and versions.
    """

    names: list[str]
    evaluations: dict[tuple[str, str], TransferEvaluation | SpeakerEvaluation]
    classes: dict[tuple[str, str], list[str]]
    settings: dict[str, Any] = field(default_factory=dict)

    def table(self, score: Score = "ua") -> pd.DataFrame:
        """Return a score of each pair.

        Parameters
        ----------
        score : {"wa", "ua", "f1"}, default="ua"
            Which one: the mean over the seeds for two corpora; within one, by speaker,
            pooled over the folds, with the first seed.

        Returns
        -------
        pandas.DataFrame
            Rows are trained on, columns are tested on.
        """
        _check_score(score)
        return self._frame(lambda pair: getattr(self.evaluations[pair], score))

    def std(self, score: Score = "ua") -> pd.DataFrame:
        """Return the sample standard deviation of a score over the seeds.

        Parameters
        ----------
        score : {"wa", "ua", "f1"}, default="ua"
            Which one.

        Returns
        -------
        pandas.DataFrame
            As `table`; NaN for one seed, and within a corpus.
        """
        _check_score(score)

        def of_pair(pair: tuple[str, str]) -> float:
            found = self.evaluations[pair]
            # A result by speaker has folds, and no seeds.
            spread = found.std[score] if isinstance(found, TransferEvaluation) else None
            return float("nan") if spread is None else spread

        return self._frame(of_pair)

    @property
    def n_classes(self) -> pd.DataFrame:
        """How many emotions each pair was told apart in: chance is a UA of 1 / n."""
        return self._frame(lambda pair: len(self.classes[pair]))

    def to_dict(self) -> dict[str, Any]:
        """Return scores and settings as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"names"``; ``"wa"``, ``"ua"`` and ``"f1"``, each a list of rows;
            ``"pairs"``, each with ``"trained_on"``, ``"tested_on"``, its ``"classes"``
            and its ``"evaluation"`` as a dict; ``"settings"``.
        """
        pairs = [
            {
                "trained_on": pair[0],
                "tested_on": pair[1],
                "classes": self.classes[pair],
                "evaluation": found.to_dict(),
            }
            for pair, found in self.evaluations.items()
        ]
        tables: dict[str, Any] = {
            name: self.table(name).to_numpy().tolist() for name in SCORES
        }
        return {
            "names": self.names,
            **tables,
            "pairs": pairs,
            "settings": self.settings,
        }

    def __str__(self) -> str:
        """Return the table of UA, and the number of emotions where that differs."""
        shown = self.table().rename_axis(index="trained on", columns="tested on")
        lines = ["UA; within a corpus by speaker", shown.to_string(float_format="%.3f")]
        if self.n_classes.to_numpy().min() != self.n_classes.to_numpy().max():
            lines += ["emotions", self.n_classes.to_string()]
        else:
            (classes, *_) = self.classes.values()
            lines.append(f"emotions: {', '.join(classes)}")
        return "\n".join(lines)

    def _frame(self, value: Any) -> pd.DataFrame:
        """Return a table of what is said of each pair."""
        rows = [[value((row, column)) for column in self.names] for row in self.names]
        return pd.DataFrame(
            rows,
            index=pd.Index(self.names, name="trained on"),
            columns=pd.Index(self.names, name="tested on"),
        )


def cross_corpus_matrix(
    estimator: Any,
    corpora: Sequence[Corpus],
    *,
    statistics: float | None = 0.2,
    statistics_by: Literal["utterance", "speaker"] = "utterance",
    adapt: str | Sequence[str] = SCALERS,
    outliers: float | None = 10.0,
    classes: Literal["shared", "pair"] | Sequence[str] = "shared",
    seeds: Sequence[int] = (0,),
    cv: Any = None,
    n_jobs: int | Literal["auto"] | None = None,
    verbose: bool = False,
) -> CrossCorpusMatrix:
    """Train a classifier on each corpus and test it on each.

    Two corpora are evaluated by `evaluate_transfer`; one with itself by
    `evaluate_by_speaker`, so that no speaker stands on both sides. No speaker of one
    corpus counts as one of another, whatever their names.

    Parameters
    ----------
    estimator : estimator
        A pipeline from recordings to emotions, such as those of `sklearn_ser.recipes`.
    corpora : sequence of Corpus
        Two or more, of different names.
    statistics : float or None, default=0.2
        Share of the target that gives statistics: see `evaluate_transfer`. Within a
        corpus, statistics are those of the training speakers.
    statistics_by : {"utterance", "speaker"}, default="utterance"
        See `evaluate_transfer`.
    adapt : "scalers" or sequence of str, default="scalers"
        See `evaluate_transfer`.
    outliers : float or None, default=10.0
        See `evaluate_transfer`; they are dropped within a corpus, too.
    classes : "shared", "pair" or sequence of str, default="shared"
        The emotions to tell apart. "shared" are those that all corpora have, so that
        all numbers of the table are of the same task. "pair" are those that both
        corpora of a pair have, and within a corpus all of its own: mind the number of
        classes, then.
    seeds : sequence of int, default=(0,)
        For each a run of each pair. Within a corpus, the first one is taken.
    cv : int, splitter, iterable of splits or None, default=None
        Folds within a corpus, as of `evaluate_by_speaker`.
    n_jobs : int, "auto" or None, default=None
        Runs or folds at once.
    verbose : bool, default=False
        Whether to show progress bars.

    Returns
    -------
    CrossCorpusMatrix
        The tables, and the evaluation of each pair.

    Raises
    ------
    ValueError
        If there are fewer than two corpora, or two of one name, or as of
        `evaluate_transfer`.

    See Also
    --------
    sklearn_ser.plotting.CrossCorpusDisplay : Draws the table.

    Notes
    -----
    Features of each corpus are computed once for the transfers and once for the
    evaluation within it: give the front end a `memory` where that takes long.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import cross_corpus_matrix
    >>> corpora = [
    ...     replace(make_emotional_speech(2, 2, random_state=seed), name=name)
    ...     for seed, name in enumerate(["first", "second"])
    ... ]
    >>> matrix = cross_corpus_matrix(recipes.egemaps_svc(), corpora)
    >>> matrix.table().shape, matrix.n_classes.to_numpy().tolist()
    ((2, 2), [[4, 4], [4, 4]])
    """
    corpora = _check_corpora(corpora)
    front_end, learner = split_front_end(estimator)
    check_searches(learner)
    for corpus in corpora:
        check_pretraining(estimator, corpus)
    by_pair = isinstance(classes, str) and classes == "pair"
    plan = make_plan(
        classes=[] if by_pair else find_classes(classes, corpora),
        statistics=statistics,
        statistics_by=statistics_by,
        adapt=adapt,
        outliers=outliers,
        seeds=seeds,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    sides = [prepare_side(estimator, front_end, x, outliers) for x in corpora]
    evaluations: dict[tuple[str, str], TransferEvaluation | SpeakerEvaluation] = {}
    plans = {}
    for source in sides:
        for target in sides:
            pair = (source.corpus.name, target.corpus.name)
            shared = [source.corpus, target.corpus]
            plans[pair] = plan
            if by_pair:
                plans[pair] = replace(plan, classes=find_classes("shared", shared))
            evaluations[pair] = (
                by_speaker(estimator, source, plans[pair], cv)
                if source is target
                else transfer(estimator, learner, source, target, plans[pair])
            )
    return CrossCorpusMatrix(
        names=[corpus.name for corpus in corpora],
        evaluations=evaluations,
        classes={pair: plan.classes for pair, plan in plans.items()},
        settings=_settings(evaluations),
    )


def _check_corpora(corpora: Sequence[Corpus]) -> list[Corpus]:
    """Return the corpora as a list; refuse fewer than two, or two of one name."""
    found = list(corpora)
    names = [corpus.name for corpus in found]
    if len(found) < 2:
        raise ValueError(f"A matrix needs two corpora at least, got {len(found)}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Two corpora are named {', '.join(twice)}: give one another name, by "
            "dataclasses.replace(corpus, name=...)."
        )
    return found


def _check_score(score: str) -> None:
    """Refuse a score that there is not."""
    if score not in SCORES:
        raise ValueError(f"score must be 'wa', 'ua' or 'f1', got {score!r}.")


def _settings(evaluations: dict[tuple[str, str], Any]) -> dict[str, Any]:
    """Return what all pairs have in common."""
    (one, *_) = (x for x in evaluations.values() if isinstance(x, TransferEvaluation))
    of_pair = {"source", "target", "classes"}
    return {name: value for name, value in one.settings.items() if name not in of_pair}
