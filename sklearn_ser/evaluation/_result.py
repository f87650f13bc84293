"""The result of an evaluation by speaker: predictions, scores and settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._representation import representation
from .._typing import FloatArray
from ..audio import describe
from ..datasets import Corpus, dimension_levels
from ._front_end import behind_front_end
from ._intervals import METRICS
from ._leak_report import LeakageReport, name_leaks
from ._outcome import Outcome, Target
from ._scored import ScoredBySpeaker, short

__all__ = ["SpeakerEvaluation", "Target", "classes_of", "recording_names", "short"]


@dataclass(frozen=True, eq=False, repr=False)
class SpeakerEvaluation(ScoredBySpeaker):
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
    leaks : LeakageReport or None
        What the test shares with the training, as far as that can be told without
        another fit; None with ``on_leak="ignore"``.
    probabilities : ndarray of shape (n_utterances, n_columns), dtype float64, or None
        The probability of each class, predicted while the speaker was held out; of
        several seeds, by the first. 0 for a class that a fold does not know; None if
        the classifier has none.
    probability_classes : list of str of length n_columns, or None
        The classes that the columns of `probabilities` are of.
    seed : int or None
        The seed of the run, of several the first; None if none were given.
    refitted : estimator or None
        The whole estimator, fitted on all speakers, with ``refit=True``. Its ``card_``
        is the `card`.
    origin : dict
        What the card tells of the run: what was given, when, how long and where.

    See Also
    --------
    compare_evaluations : Whether one system is better than another.
    read_evaluation : Reads what was saved of an evaluation.
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
    probabilities: FloatArray | None = None
    probability_classes: list[str] | None = None
    seed: int | None = None
    refitted: Any = None
    origin: dict[str, Any] = field(default_factory=dict)
    _runs: tuple[SpeakerEvaluation, ...] = ()

    @property
    def runs(self) -> tuple[SpeakerEvaluation, ...]:
        """The runs, one for each seed; this one alone, if no seeds were given."""
        return self._runs or (self,)

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
            ``"speaker_statistics"``; ``"leaks"``; ``"settings"``; ``"intervals"``, with
            the limits of each pooled score over ``"n_speakers"`` speakers at
            ``"level"``; ``"calibration_error"``, None where there are no probabilities.
            With several seeds also ``"runs"``, each with its seed and scores,
            ``"spread"``, and with the utterances ``"predicted_by_run"``.
        """
        folds = self.folds
        over_folds = {
            f"{name}_over_folds": {
                "mean": float(folds[name].mean()),
                "std": float(folds[name].std(ddof=0)),
            }
            for name in METRICS
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
        runs = self._predictions()
        if len(runs) > 1:
            utterances["predicted_by_run"] = np.stack(runs, axis=1).tolist()
        if "file" in self.corpus.frame:
            utterances.insert(0, "recording", recording_names(self.corpus))
        return {
            "target": self.target,
            **self._pooled(),
            "intervals": self._intervals(),
            **self._of_runs(),
            **over_folds,
            "calibration_error": (
                None if self.probabilities is None else self.calibration_error()
            ),
            "folds": folds.to_dict("records"),
            "left_out": self.left_out,
            "unrated": self.unrated,
            "speaker_statistics": self.speaker_statistics,
            "leaks": None if self.leaks is None else self.leaks.to_dict(),
            "settings": self.settings,
            "utterances": utterances.to_dict("records"),
        }

    def _of_runs(self) -> dict[str, Any]:
        """Return the scores of each seed as plain values, if seeds were given."""
        if not self._runs:
            return {}
        runs = [{"seed": run.seed, **run._pooled()} for run in self._runs]
        return {"runs": runs, "spread": self.spread}

    def _predictions(self) -> list[NDArray[Any]]:
        """Return the predicted classes of each run."""
        return [run.predicted for run in self.runs]

    def _leaks(self) -> list[str]:
        """Name the leaks that were found."""
        found = () if self.leaks is None else self.leaks.findings
        return name_leaks((x.kind, x.severity, x.n_utterances) for x in found)

    def _representation(self) -> NDArray[Any] | None:
        """Return what the classifier of the first fold is given, where it is known."""
        # Sequences of recordings that an estimator takes by itself have none.
        try:
            embedded = self.embedding(0) if self.estimators else np.empty(0)
        except (TypeError, ValueError):
            return None
        return embedded if embedded.ndim == 2 else None

    def _outcome(self) -> Outcome:
        """Return what was predicted for which utterances."""
        return Outcome(
            corpus=self.corpus.name,
            recordings=recording_names(self.corpus),
            speaker=self.corpus.speaker,
            truth=self.truth,
            predictions=self._predictions(),
            fold=self.fold,
            target=self.target,
            left_out=self.left_out,
            unrated=self.unrated,
            speaker_statistics=self.speaker_statistics,
            settings=self.settings,
            leaks=self._leaks(),
            probabilities=[
                run.probabilities for run in self.runs if run.probabilities is not None
            ],
            probability_classes=self.probability_classes or (),
        )


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
