"""What was predicted for which utterances: all that statistics need to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray
from ..datasets._levels import LEVELS
from ._intervals import count_by_speaker

Target = Literal["emotion", "activation", "valence", "dominance"]


def in_order(classes: set[Any], target: Target) -> list[Any]:
    """Sort classes: levels by height, emotions by name."""
    order = LEVELS if target != "emotion" else ()
    return [
        *(level for level in order if level in classes),
        *sorted(classes - {*order}),
    ]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The utterances of an evaluation, and what was predicted for them.

    Attributes
    ----------
    corpus : str
        The name of the corpus.
    recordings : list of str
        Names of the utterances.
    speaker : ndarray of shape (n_utterances,)
        Who speaks.
    truth : ndarray of shape (n_utterances,)
        True classes.
    predictions : sequence of ndarrays of shape (n_utterances,)
        Predicted classes, of each run.
    fold : ndarray of shape (n_utterances,)
        The fold that held out the utterance, from zero.
    target : {"emotion", "activation", "valence", "dominance"}
        What the classes are.
    left_out : list of str
        Recordings without features.
    unrated : list of str
        Recordings without a rating of the target.
    speaker_statistics : str or None
        The statistics of held-out speakers that were used.
    settings : dict
        What the scores depend on.
    leaks : list of str
        What the training knows of the test, in words.
    probabilities : sequence of ndarrays of shape (n_utterances, n_columns)
        Probabilities of each run; empty where there are none.
    probability_classes : sequence of length n_columns
        The classes that they are of.
    """

    corpus: str
    recordings: list[str]
    speaker: NDArray[Any]
    truth: NDArray[Any]
    predictions: Sequence[NDArray[Any]]
    fold: NDArray[np.intp]
    target: Target = "emotion"
    left_out: list[str] = field(default_factory=list)
    unrated: list[str] = field(default_factory=list)
    speaker_statistics: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    probabilities: Sequence[FloatArray] = ()
    probability_classes: Sequence[Any] = ()

    @property
    def classes(self) -> list[str]:
        """The classes, true or predicted: levels by height, emotions by name."""
        found = set(self.truth.tolist()).union(*(p.tolist() for p in self.predictions))
        return in_order(found, self.target)

    @property
    def speakers(self) -> NDArray[Any]:
        """The speakers, sorted."""
        return np.unique(self.speaker)

    def counts(
        self,
        rows: NDArray[Any] | slice = slice(None),
        classes: Sequence[str] | None = None,
        by: NDArray[Any] | None = None,
    ) -> NDArray[np.int64]:
        """Count confusions by run and speaker, see `count_by_speaker`.

        Parameters
        ----------
        rows : mask, indices or slice, default=slice(None)
            The utterances to count.
        classes : sequence of str, default=None
            The classes, in order; None takes `classes`.
        by : ndarray of shape (n_utterances,), default=None
            What stands in the place of the speakers, such as `fold`.

        Returns
        -------
        ndarray of shape (n_runs, n_speakers, n_classes, n_classes), dtype int64
            Confusion matrices of the speakers who have such utterances.
        """
        return count_by_speaker(
            self.truth[rows],
            [of_run[rows] for of_run in self.predictions],
            (self.speaker if by is None else by)[rows],
            classes=self.classes if classes is None else classes,
        )
