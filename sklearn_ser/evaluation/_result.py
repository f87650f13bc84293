"""The result of an evaluation by speaker: predictions, scores and settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._constants import N_LISTED
from .._representation import representation
from ..audio import describe
from ..datasets import Corpus, dimension_levels
from ..datasets._levels import LEVELS
from ..metrics import macro_f1_score, ua_score, wa_score
from ._front_end import behind_front_end

Target = Literal["emotion", "activation", "valence", "dominance"]

_SCORES = {"wa": wa_score, "ua": ua_score, "f1": macro_f1_score}


@dataclass(frozen=True, eq=False)
class SpeakerEvaluation:
    """The result of an evaluation by speaker.

    Attributes
    ----------
    corpus : Corpus
        The utterances that were evaluated: those that have features and a class.
    predicted : ndarray of shape (n_utterances,)
        The class that was predicted for each utterance while its speaker was held out;
        of several seeds, by the first.
    fold : ndarray of shape (n_utterances,)
        The number of that fold, from zero.
    estimators : list
        The fitted estimator of each fold, of several seeds those of the first. They
        predict from recordings; from features, where features were given. The data of
        a pre-training are dropped, as no prediction needs them and each estimator would
        have its own copy, see `DropsPretrainingData`. A search keeps those that are
        among the values it tries.
    features : ndarray or data frame of n_utterances rows
        What the front end gave, or what was given in its place.
    left_out : list of str
        The recordings without features.
    unrated : list of str
        The recordings without a rating of the target, where that is a dimension.
    target : {"emotion", "activation", "valence", "dominance"}
        What was predicted.
    settings : dict
        Estimator, splitter, corpus, target and versions.
    speaker_statistics : str or None
        Which statistics of the held-out speakers themselves the predictions used, such
        as those of `SpeakerScaler`; None if none. Scores with and without them are not
        comparable.
    """

    corpus: Corpus
    predicted: NDArray[Any]
    fold: NDArray[np.intp]
    estimators: list[Any]
    features: Any
    left_out: list[str] = field(default_factory=list)
    unrated: list[str] = field(default_factory=list)
    target: Target = "emotion"
    settings: dict[str, Any] = field(default_factory=dict)
    speaker_statistics: str | None = None
    seed: int | None = None
    probabilities: NDArray[np.float64] | None = None
    probability_classes: list[str] | None = None
    refitted: Any = None
    origin: dict[str, Any] = field(default_factory=dict, repr=False)
    _runs: tuple[SpeakerEvaluation, ...] = field(default=(), repr=False)

    @property
    def runs(self) -> tuple[SpeakerEvaluation, ...]:
        """The runs, one for each seed; this one alone, if no seeds were given."""
        return self._runs or (self,)

    @property
    def spread(self) -> dict[str, float] | None:
        """Standard deviations of ``wa``, ``ua`` and ``f1`` over the runs.

        Those of a sample, divided by one less than their number; None for one run.
        """
        if len(self.runs) < 2:
            return None
        return {
            name: float(np.std([getattr(run, name) for run in self.runs], ddof=1))
            for name in _SCORES
        }

    @property
    def learners(self) -> list[Any]:
        """The part of each of `estimators` that takes `features`."""
        return [behind_front_end(fitted) for fitted in self.estimators]

    @property
    def card(self) -> dict[str, Any]:
        """What was evaluated, how, where, and with which result: plain JSON.

        `verify_card` runs it again. It reads all recordings, to tell their content. The
        user guide says what stands on it.
        """
        from ._card import make_card

        return make_card(self)

    @property
    def truth(self) -> NDArray[np.str_]:
        """The true class of each utterance: its emotion, or the level of its rating."""
        return classes_of(self.corpus, self.target)

    @property
    def classes(self) -> list[str]:
        """The classes, true or predicted: levels by height, emotions by name."""
        return in_order({*self.truth.tolist(), *self.predicted.tolist()}, self.target)

    @property
    def wa(self) -> float:
        """Weighted accuracy, pooled: over all utterances; the mean of the runs."""
        return self._score("wa")

    @property
    def ua(self) -> float:
        """Unweighted accuracy, pooled: over all utterances; the mean of the runs."""
        return self._score("ua")

    @property
    def f1(self) -> float:
        """Mean F-measure of the classes, pooled as the others; the mean of runs."""
        return self._score("f1")

    @property
    def folds(self) -> pd.DataFrame:
        """One row per fold: ``speakers`` held out, ``utterances``, and the scores.

        These are ``wa``, ``ua`` and ``f1``, over the classes that the speakers have;
        of several seeds, those of the first.
        """
        rows, truth = [], self.truth
        for number in range(len(self.estimators)):
            held_out = self.fold == number
            scores = {
                name: score(truth[held_out], self.predicted[held_out])
                for name, score in _SCORES.items()
            }
            rows.append(
                {
                    "speakers": " ".join(np.unique(self.corpus.speaker[held_out])),
                    "utterances": int(held_out.sum()),
                    **scores,
                }
            )
        return pd.DataFrame(rows)

    def embedding(self, fold: int = 0) -> NDArray[Any]:
        """Return the representation that the classifier of a fold was given.

        Parameters
        ----------
        fold : int, default=0
            The fold whose estimator embeds all utterances, its own training
            utterances and those of the held-out speakers.

        Returns
        -------
        ndarray of shape (n_utterances, n_dimensions)
            The input of the last step; or the output of its ``transform``, if it
            classifies by a representation that it has learned itself. For a search,
            this is the last step of its best estimator. Sequences are averaged over
            time.
        """
        of_speakers = {
            "groups": self.corpus.speaker,
            "neutral": self.corpus.emotion == "neutral",
        }
        return representation(self.learners[fold], self.features, **of_speakers)

    def to_dict(self) -> dict[str, Any]:
        """Return scores and settings as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"wa"``, ``"ua"`` and ``"f1"``, pooled; ``"wa_over_folds"`` and so on,
            each with ``"mean"`` and ``"std"`` (divided by the number of folds);
            ``"folds"``; ``"utterances"``, each with its speaker, emotion, truth,
            prediction and fold; ``"left_out"``; ``"unrated"``; ``"target"``;
            ``"speaker_statistics"``; ``"settings"``. With seeds also ``"runs"``, each
            with its seed and scores, and ``"spread"``.
        """
        folds = self.folds
        over_folds = {
            f"{name}_over_folds": {
                "mean": float(folds[name].mean()),
                "std": float(folds[name].std(ddof=0)),
            }
            for name in _SCORES
        }
        utterances = pd.DataFrame(
            {
                "speaker": self.corpus.speaker,
                "emotion": self.corpus.emotion,
                "truth": self.truth,
                "predicted": self.predicted,
                "fold": self.fold,
            }
        )
        if "file" in self.corpus.frame:
            utterances.insert(0, "recording", recording_names(self.corpus))
        return {
            "target": self.target,
            **self._pooled(),
            **over_folds,
            "folds": folds.to_dict("records"),
            "left_out": self.left_out,
            "unrated": self.unrated,
            "speaker_statistics": self.speaker_statistics,
            **self._of_runs(),
            "settings": self.settings,
            "utterances": utterances.to_dict("records"),
        }

    def _of_runs(self) -> dict[str, Any]:
        """Return the scores of each seed as plain values, if seeds were given."""
        if not self._runs:
            return {}
        runs = [{"seed": run.seed, **run._pooled()} for run in self._runs]
        return {"runs": runs, "spread": self.spread}

    def __str__(self) -> str:
        """Return the table of folds and the scores, as the command line prints it."""
        folds = self.folds
        scores = folds[[*_SCORES]]
        rows = [
            ("held out", "utterances", *map(str.upper, _SCORES)),
            *folds.astype({"utterances": str}).itertuples(index=False, name=None),
            ("mean of folds", "", *scores.mean()),
            ("sd of folds", "", *scores.std(ddof=0)),
            ("pooled", str(len(self.corpus)), *self.runs[0]._pooled().values()),
        ]
        if self.spread is not None:
            name = f"{len(self.runs)} seeds"
            rows.append((f"mean of {name}", "", *self._pooled().values()))
            rows.append((f"sd of {name}", "", *self.spread.values()))
        lines = [_table_row(*row) for row in rows]
        lines.insert(len(folds) + 1, "-" * len(lines[0]))
        lines += _listed("features", self.left_out)
        lines += _listed(f"a rating of {self.target}", self.unrated)
        if self.speaker_statistics is not None:
            lines.append(f"statistics of test speakers: {self.speaker_statistics}")
        return "\n".join(lines)

    def _score(self, name: str) -> float:
        """Return a score over all utterances at once, or the mean of those of runs."""
        if self._runs:
            return float(np.mean([getattr(run, name) for run in self._runs]))
        return _SCORES[name](self.truth, self.predicted)

    def _pooled(self) -> dict[str, float]:
        """Return the scores over all utterances at once."""
        return {name: getattr(self, name) for name in _SCORES}


def classes_of(corpus: Corpus, target: Target) -> NDArray[np.str_]:
    """Return the class of each utterance: its emotion, or the level of its rating."""
    if target == "emotion":
        return corpus.emotion
    return dimension_levels(getattr(corpus, target), rating_scale=corpus.rating_scale)


def in_order(classes: set[Any], target: Target) -> list[Any]:
    """Sort classes: levels by height, emotions by name."""
    order = LEVELS if target != "emotion" else ()
    return [
        *(level for level in order if level in classes),
        *sorted(classes - {*order}),
    ]


def recording_names(corpus: Corpus) -> list[str]:
    """Name the utterances: by file or segment, or by number."""
    if "file" in corpus.frame:
        return [describe(recording) for recording in corpus.audio]
    return [f"utterance {index}" for index in range(len(corpus))]


def _table_row(held_out: str, utterances: str, *scores: Any) -> str:
    """Lay out one row of the table of folds."""
    texts = (f"{x:.3f}" if isinstance(x, float) else x for x in scores)
    return f"{short(held_out):<18}{utterances:>10}" + "".join(
        f"{text:>8}" for text in texts
    )


def _listed(missing: str, names: list[str]) -> list[str]:
    """Name, in one line, the recordings that were left out, if any."""
    if not names:
        return []
    more = len(names) - N_LISTED
    shown = [*names[:N_LISTED], *([f"{more} more"] if more > 0 else [])]
    return [f"left out, without {missing}: {', '.join(shown)}"]


def short(speakers: str, width: int = 17) -> str:
    """Cut a list of speakers to the width of a column."""
    return speakers if len(speakers) <= width else speakers[: width - 1] + "…"
