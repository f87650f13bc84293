"""The models of all folds, on recordings in which several emotions may be present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length

from .._sklearn import take_rows
from .._typing import BoolArray, FloatArray
from ..audio import as_recordings
from ..datasets import Corpus
from ..datasets._corpus import counted
from ..features import has_features
from ..metrics import presence_score
from ..metrics._presence import check_presence
from ._front_end import split_front_end
from ._result import SpeakerEvaluation
from ._side import extract, predict_asked


@dataclass(frozen=True, eq=False)
class PresenceEvaluation:
    """How often what the models of all folds predict is present.

    Attributes
    ----------
    classes : list of str
        The emotions that were asked about.
    present : ndarray of shape (n_scored, n_classes) and dtype bool
        Which are present in each recording that was scored.
    predicted : ndarray of shape (n_folds, n_scored)
        What each model predicts.
    scored : ndarray of shape (n_recordings,) and dtype bool
        Which recordings were scored: those that have features and show one of the
        classes.
    """

    classes: list[str]
    present: BoolArray
    predicted: NDArray[Any]
    scored: BoolArray

    @property
    def scores(self) -> FloatArray:
        """The accuracy of each fold's model, see `metrics.presence_score`."""
        return np.array(
            [
                presence_score(self.present, predicted, classes=self.classes)
                for predicted in self.predicted
            ]
        )

    @property
    def mean(self) -> float:
        """The mean accuracy of the models."""
        return float(self.scores.mean())

    @property
    def min(self) -> float:
        """The accuracy of the worst model."""
        return float(self.scores.min())

    @property
    def max(self) -> float:
        """The accuracy of the best model."""
        return float(self.scores.max())

    @property
    def chance(self) -> float:
        """What guessing is expected to score: the mean share of present classes."""
        return float(self.present.mean())

    @property
    def by_class(self) -> pd.DataFrame:
        """One row per emotion: in how many recordings it is present and predicted.

        ``present`` counts recordings; ``predicted`` is the mean count over the models,
        and ``right`` the share of these in which it is present, NaN for none.
        """
        is_predicted = self.predicted[:, :, None] == np.array(self.classes)
        n_predicted = is_predicted.sum(axis=(0, 1))
        right = (is_predicted & self.present).sum(axis=(0, 1))
        share = np.full(len(self.classes), np.nan)
        np.divide(right, n_predicted, out=share, where=n_predicted > 0)
        return pd.DataFrame(
            {
                "present": self.present.sum(axis=0),
                "predicted": n_predicted / len(self.predicted),
                "right": share,
            },
            index=pd.Index(self.classes, name="emotion"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"classes"``, ``"recordings"`` scored and ``"left_out"``, ``"chance"``,
            ``"scores"``, ``"mean"``, ``"min"`` and ``"max"``.
        """
        return {
            "classes": self.classes,
            "recordings": len(self.present),
            "left_out": int((~self.scored).sum()),
            "chance": self.chance,
            "scores": self.scores.tolist(),
            **{name: getattr(self, name) for name in ("mean", "min", "max")},
        }

    def __str__(self) -> str:
        """Return the scores in a few lines."""
        models = counted(len(self.predicted), "model")
        return (
            f"{models} on {counted(len(self.present), 'recording')}, "
            f"{(~self.scored).sum()} left out; chance {self.chance:.3f}\n"
            f"accuracy: mean {self.mean:.3f}, min {self.min:.3f}, max {self.max:.3f}"
        )


def evaluate_presence(
    evaluation: SpeakerEvaluation,
    estimator: Any,
    recordings: Any,
    present: ArrayLike,
    *,
    classes: Sequence[str],
    groups: ArrayLike | None = None,
) -> PresenceEvaluation:
    """Test the models of all folds on another corpus with several emotions at once.

    Table 3 of [1]_: each model of a cross-validation on one corpus predicts all of
    another one, in whose utterances several emotions may be present. A prediction is
    right if its emotion is; reported are mean, least and largest accuracy of the
    models. Nothing is fitted.

    Parameters
    ----------
    evaluation : SpeakerEvaluation
        The cross-validation, whose `estimators` are tested.
    estimator : estimator
        The one that was evaluated; its front end makes the features.
    recordings : Corpus, or collection of n recordings
        The other corpus. Emotions of a `Corpus` are not looked at.
    present : array-like of shape (n, n_classes) and dtype bool
        Which classes are present in each recording, such as of
        `sklearn_ser.metrics.emotion_presence`. Recordings in which none is, and those
        without features, are left out.
    classes : sequence of str of length n_classes
        The classes of the columns, named as in `evaluation`.
    groups : array-like of shape (n,), default=None
        Speakers, for steps that ask for them at the prediction; None takes those of a
        `Corpus`.

    Returns
    -------
    PresenceEvaluation
        Predictions and scores of each model.

    Raises
    ------
    ValueError
        If the lengths differ, a class was never trained, or nothing is left to score.

    See Also
    --------
    evaluate_transfer : With one emotion for each utterance, and statistics of the other
        corpus.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import evaluate_by_speaker, evaluate_presence
    >>> from sklearn_ser.metrics import emotion_presence
    >>> recipe = recipes.egemaps_svc()
    >>> evaluation = evaluate_by_speaker(recipe, make_emotional_speech(3, 2))
    >>> other = make_emotional_speech(1, 1, random_state=1)
    >>> ratings = [[2, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 2]]
    >>> present = emotion_presence(
    ...     ratings, ["anger", "happiness", "sadness"], classes=evaluation.classes
    ... )
    >>> result = evaluate_presence(
    ...     evaluation, recipe, other, present, classes=evaluation.classes
    ... )
    >>> result.predicted.shape, result.chance
    ((3, 4), 0.3125)
    """
    found = check_presence(present, classes)
    unknown = set(classes) - set(evaluation.truth.tolist())
    if unknown:
        raise ValueError(
            f"classes names {', '.join(sorted(unknown))}, which no model was trained "
            f"for; they tell apart {', '.join(evaluation.classes)}."
        )
    if isinstance(recordings, Corpus):
        groups = recordings.speaker if groups is None else groups
        recordings = recordings.audio
    audio = as_recordings(recordings)
    check_consistent_length(found, audio, groups)
    features = extract(split_front_end(estimator)[0], audio)
    scored = has_features(features) & found.any(axis=1)
    if not scored.any():
        raise ValueError(
            f"None of the {len(found)} recordings has features and shows one of "
            f"{', '.join(classes)}."
        )
    rows = np.flatnonzero(scored)
    known = {} if groups is None else {"groups": np.asarray(groups)[rows]}
    features = take_rows(features, rows)
    predicted = [predict_asked(model, features, known) for model in evaluation.learners]
    return PresenceEvaluation(list(classes), found[rows], np.stack(predicted), scored)
