"""Evaluations that were written as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ._leak_report import name_leaks
from ._outcome import Outcome, Target
from ._scored import ScoredBySpeaker

_COLUMNS = ("speaker", "truth", "predicted", "fold")


@dataclass(frozen=True, eq=False, repr=False)
class SavedEvaluation(ScoredBySpeaker):
    """An evaluation that was saved: predictions and settings, without estimators.

    Read one by `read_evaluation`. It gives the same scores, intervals and tables as the
    `SpeakerEvaluation` that was saved.

    Attributes
    ----------
    corpus_name : str
        The name of the corpus.
    recordings : list of str
        Names of the utterances: their files, or numbers.
    speaker : ndarray of shape (n_utterances,), dtype str
        Who speaks.
    truth : ndarray of shape (n_utterances,), dtype str
        The true classes.
    predicted : ndarray of shape (n_utterances,), dtype str
        The predicted classes; of the first run, where there are several.
    fold : ndarray of shape (n_utterances,), dtype int
        The fold that held out the utterance, from zero.
    predicted_by_run : ndarray of shape (n_runs, n_utterances), dtype str
        The predicted classes of each run.
    target : {"emotion", "activation", "valence", "dominance"}
        What was predicted.
    left_out : list of str
        The recordings without features.
    unrated : list of str
        The recordings without a rating of the target.
    settings : dict
        Estimator, splitter, corpus, target and versions.
    speaker_statistics : str or None
        The statistics of the held-out speakers that the predictions used.
    leaks : list of str
        What the training knew of the test, in words.

    See Also
    --------
    read_evaluation : Reads one from a file.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import SavedEvaluation, evaluate_by_speaker
    >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=2)
    >>> evaluation = evaluate_by_speaker(recipes.egemaps_svc(), corpus)
    >>> saved = SavedEvaluation.from_dict(evaluation.to_dict())
    >>> saved.interval("ua") == evaluation.interval("ua")
    True
    """

    corpus_name: str
    recordings: list[str]
    speaker: NDArray[np.str_]
    truth: NDArray[np.str_]
    predicted: NDArray[np.str_]
    fold: NDArray[np.intp]
    predicted_by_run: NDArray[np.str_]
    target: Target = "emotion"
    left_out: list[str] = field(default_factory=list)
    unrated: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    speaker_statistics: str | None = None
    leaks: list[str] = field(default_factory=list)

    @classmethod
    def from_dict(cls, scores: Mapping[str, Any]) -> Self:
        """Make one of what `SpeakerEvaluation.to_dict` has returned.

        Parameters
        ----------
        scores : dict
            As it was returned, or read from JSON.

        Returns
        -------
        SavedEvaluation
            The evaluation.

        Raises
        ------
        ValueError
            If it lacks the utterances, or they lack what is needed.
        """
        utterances = scores.get("utterances") if isinstance(scores, Mapping) else None
        if not utterances:
            raise ValueError(
                "The scores have no utterances: save what SpeakerEvaluation.to_dict "
                "returns, as a whole."
            )
        for number, row in enumerate(utterances):
            for name in _COLUMNS:
                if row.get(name) is None:
                    raise ValueError(
                        f"The scores have no {name} of utterance {number}: save what "
                        "SpeakerEvaluation.to_dict returns, as a whole."
                    )
        columns = {
            name: np.array([str(row[name]) for row in utterances])
            for name in ("speaker", "truth", "predicted")
        }
        settings = dict(scores.get("settings") or {})
        runs = [row.get("predicted_by_run", [row["predicted"]]) for row in utterances]
        return cls(
            corpus_name=str(settings.get("corpus", {}).get("name", "")),
            recordings=[
                str(row.get("recording", f"utterance {number}"))
                for number, row in enumerate(utterances)
            ],
            **columns,
            fold=np.array([row["fold"] for row in utterances], dtype=np.intp),
            predicted_by_run=np.array(runs, dtype=np.str_).T,
            target=scores.get("target", "emotion"),
            left_out=list(scores.get("left_out", [])),
            unrated=list(scores.get("unrated", [])),
            settings=settings,
            speaker_statistics=scores.get("speaker_statistics"),
            leaks=_named(scores.get("leaks")),
        )

    def _outcome(self) -> Outcome:
        """Return what was predicted for which utterances."""
        return Outcome(
            corpus=self.corpus_name,
            recordings=self.recordings,
            speaker=self.speaker,
            truth=self.truth,
            predictions=list(self.predicted_by_run),
            fold=self.fold,
            target=self.target,
            left_out=self.left_out,
            unrated=self.unrated,
            speaker_statistics=self.speaker_statistics,
            settings=self.settings,
            leaks=self.leaks,
        )


def _named(leaks: Mapping[str, Any] | None) -> list[str]:
    """Name the leaks of a report that was saved."""
    findings = [] if leaks is None else leaks["findings"]
    return name_leaks((x["kind"], x["severity"], x["n_utterances"]) for x in findings)


def read_evaluation(path: str | os.PathLike[str]) -> SavedEvaluation:
    """Read an evaluation that was saved as JSON.

    Parameters
    ----------
    path : str or path
        A file with what `SpeakerEvaluation.to_dict` returns, such as the
        ``scores.json`` of the command line.

    Returns
    -------
    SavedEvaluation
        Its predictions and settings, with the same scores and intervals; for
        `compare_evaluations`, too.

    Raises
    ------
    ValueError
        If the file is no JSON, or not of an evaluation; the message names it.
    OSError
        If the file cannot be read.

    See Also
    --------
    compare_evaluations : Whether one system is better than another.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import evaluate_by_speaker, read_evaluation
    >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=2)
    >>> evaluation = evaluate_by_speaker(recipes.egemaps_svc(), corpus)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scores.json"
    ...     _ = path.write_text(json.dumps(evaluation.to_dict()))
    ...     saved = read_evaluation(path)
    >>> saved.ua == evaluation.ua
    True
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        return SavedEvaluation.from_dict(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{os.fspath(path)} is no JSON ({error}); give the scores.json that an "
            "evaluation has written."
        ) from error
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error
