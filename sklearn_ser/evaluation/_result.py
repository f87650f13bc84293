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
from ._leak_report import LeakageReport

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
        The class that was predicted for each utterance while its speaker was held out.
    fold : ndarray of shape (n_utterances,)
        The number of that fold, from zero.
    estimators : list
        The fitted estimator of each fold, without its stateless front end. The data of
        a pre-training are dropped, as no prediction needs them and each estimator would
        have its own copy, see `DropsPretrainingData`. A search keeps those that are
        among the values it tries.
    features : ndarray or data frame of n_utterances rows
        What the front end gave.
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
    leaks : LeakageReport or None
        What the test shares with the training, as far as that can be told without
        another fit; None with ``on_leak="ignore"``.
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
    leaks: LeakageReport | None = None

    @property
    def truth(self) -> NDArray[np.str_]:
        """The true class of each utterance: its emotion, or the level of its rating."""
        return classes_of(self.corpus, self.target)

    @property
    def classes(self) -> list[str]:
        """The classes, true or predicted: levels by height, emotions by name."""
        found = {*self.truth.tolist(), *self.predicted.tolist()}
        order = LEVELS if self.target != "emotion" else ()
        return [
            *(level for level in order if level in found),
            *sorted(found - {*order}),
        ]

    @property
    def wa(self) -> float:
        """Weighted accuracy, pooled: over all utterances at once."""
        return wa_score(self.truth, self.predicted)

    @property
    def ua(self) -> float:
        """Unweighted accuracy, pooled: over all utterances at once."""
        return ua_score(self.truth, self.predicted)

    @property
    def f1(self) -> float:
        """Mean F-measure of the classes, pooled: over all utterances at once."""
        return macro_f1_score(self.truth, self.predicted)

    @property
    def folds(self) -> pd.DataFrame:
        """One row per fold: ``speakers`` held out, ``utterances``, and the scores.

        These are ``wa``, ``ua`` and ``f1``, over the classes that the speakers have.
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
        return representation(self.estimators[fold], self.features, **of_speakers)

    def to_dict(self) -> dict[str, Any]:
        """Return scores and settings as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"wa"``, ``"ua"`` and ``"f1"``, pooled; ``"wa_over_folds"`` and so on,
            each with ``"mean"`` and ``"std"`` (divided by the number of folds);
            ``"folds"``; ``"utterances"``, each with its speaker, emotion, truth,
            prediction and fold; ``"left_out"``; ``"unrated"``; ``"target"``;
            ``"speaker_statistics"``; ``"leaks"``; ``"settings"``.
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
            "leaks": None if self.leaks is None else self.leaks.to_dict(),
            "settings": self.settings,
            "utterances": utterances.to_dict("records"),
        }

    def __str__(self) -> str:
        """Return the table of folds and the scores, as the command line prints it."""
        folds = self.folds
        scores = folds[[*_SCORES]]
        rows = [
            ("held out", "utterances", *map(str.upper, _SCORES)),
            *folds.astype({"utterances": str}).itertuples(index=False, name=None),
            ("mean of folds", "", *scores.mean()),
            ("sd of folds", "", *scores.std(ddof=0)),
            ("pooled", str(len(self.corpus)), *self._pooled().values()),
        ]
        lines = [_table_row(*row) for row in rows]
        lines.insert(len(folds) + 1, "-" * len(lines[0]))
        lines += _listed("features", self.left_out)
        lines += _listed(f"a rating of {self.target}", self.unrated)
        if self.speaker_statistics is not None:
            lines.append(f"statistics of test speakers: {self.speaker_statistics}")
        return "\n".join(lines)

    def _pooled(self) -> dict[str, float]:
        """Return the scores over all utterances at once."""
        return {name: getattr(self, name) for name in _SCORES}


def classes_of(corpus: Corpus, target: Target) -> NDArray[np.str_]:
    """Return the class of each utterance: its emotion, or the level of its rating."""
    if target == "emotion":
        return corpus.emotion
    return dimension_levels(getattr(corpus, target), rating_scale=corpus.rating_scale)


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
