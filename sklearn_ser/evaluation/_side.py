"""One corpus of a transfer: its features, and which utterances take part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone

from .._dimensions import DIMENSIONS
from .._sklearn import take_rows
from ..datasets import Corpus
from ..datasets._emotions import spelled
from ..features import SequencePooling, has_features
from ..metrics import zscore_outliers
from ..metrics._scorer import asked_at_prediction
from ._folds import NEUTRAL
from ._front_end import usable_inside
from ._protocol import predicting
from ._result import recording_names


@dataclass(frozen=True, eq=False)
class Side:
    """A corpus with its features.

    Attributes
    ----------
    corpus : Corpus
        The utterances that have features and are no outliers.
    features : ndarray or data frame of n_utterances rows
        What the front end gives.
    left_out : list of str
        The recordings without features.
    outliers : list of str
        The recordings that are outliers.
    is_judged : bool
        Whether there were features by which outliers could be told.
    """

    corpus: Corpus
    features: Any
    left_out: list[str]
    outliers: list[str]
    is_judged: bool

    @property
    def emotion(self) -> NDArray[np.str_]:
        """The emotions, spelled alike in all corpora."""
        return emotions_of(self.corpus)

    def metadata(self) -> dict[str, NDArray[Any]]:
        """Return what a fit may ask for."""
        corpus = self.corpus
        known = {
            **{name: getattr(corpus, name) for name in DIMENSIONS},
            "emotion": self.emotion,
            "gender": corpus.gender,
            "groups": corpus.speaker,
            "neutral": self.emotion == NEUTRAL,
        }
        return {name: value for name, value in known.items() if value is not None}


def voices_of(corpus: Corpus) -> dict[str, NDArray[Any]]:
    """Return what a prediction may ask for, and no label beside.

    Parameters
    ----------
    corpus : Corpus
        The target of a transfer.

    Returns
    -------
    dict of ndarray of shape (n_utterances,)
        ``groups``, the speakers, named with their corpus, so that none of them is one
        of the training; and ``neutral``, which utterances are known to be neutral.
    """
    return {
        "groups": np.array([f"{corpus.name}: {name}" for name in corpus.speaker]),
        "neutral": emotions_of(corpus) == NEUTRAL,
    }


def emotions_of(corpus: Corpus) -> NDArray[np.str_]:
    """Return the emotions, spelled alike in all corpora.

    Parameters
    ----------
    corpus : Corpus
        Any.

    Returns
    -------
    ndarray of shape (n_utterances,) and dtype str
        Nouns where they are known.
    """
    return np.array([spelled(name) for name in corpus.emotion], dtype=np.str_)


def prepare_side(
    estimator: Any, front_end: list[Any], corpus: Corpus, outliers: float | None
) -> Side:
    """Compute the features of a corpus, and leave out what cannot be used.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.
    front_end : list of transformer
        Those at its head that treat each recording by itself.
    corpus : Corpus
        Recordings with emotions and speakers.
    outliers : float or None
        z-score beyond which an utterance is an outlier of its corpus.

    Returns
    -------
    Side
        The corpus with its features.

    Raises
    ------
    ValueError
        If no recording has features.
    """
    audio = corpus.audio
    features = extract(front_end, audio)
    usable = has_features(features)
    asked = usable_inside(estimator, front_end, audio)
    if asked is not None:
        usable &= asked
    if not usable.any():
        raise ValueError(
            f"None of the {len(corpus)} recordings of {corpus.name} has features."
        )
    names, kept = np.array(recording_names(corpus)), np.flatnonzero(usable)
    is_judged = outliers is not None and bool(front_end)
    if outliers is not None and is_judged:
        rows = _as_table(take_rows(features, kept))
        kept = kept[~zscore_outliers(rows, outliers)]
    is_outlier = usable.copy()
    is_outlier[kept] = False
    return Side(
        corpus=corpus.select(kept),
        features=take_rows(features, kept),
        left_out=names[~usable].tolist(),
        outliers=names[is_outlier].tolist(),
        is_judged=is_judged,
    )


def extract(front_end: list[Any], audio: NDArray[np.object_]) -> Any:
    """Compute the features of recordings.

    Parameters
    ----------
    front_end : list of transformer
        Those at the head of a pipeline that treat each recording by itself.
    audio : ndarray of shape (n,) and dtype object
        Recordings.

    Returns
    -------
    ndarray or data frame of n rows
        Their features; the recordings themselves without a front end.
    """
    features: Any = audio
    for step in front_end:
        # They learn nothing, but a pooling can name its columns only if it is fitted.
        features = clone(step).fit_transform(features)
    return features


def predict_asked(fitted: Any, X: Any, known: dict[str, Any]) -> NDArray[Any]:
    """Predict, and give what is asked for of what is known.

    Parameters
    ----------
    fitted : estimator
        A fitted one.
    X : collection of n utterances
        What it takes.
    known : dict of array-like of shape (n_utterances,)
        Speakers, and which utterances are neutral.

    Returns
    -------
    ndarray of shape (n_utterances,)
        The predictions.
    """
    with config_context(enable_metadata_routing=True):
        given = asked_at_prediction(predicting(fitted), **known)
        predictor = predicting(fitted) if given else fitted
        predicted: NDArray[Any] = predictor.predict(X, **given)
        return predicted


def _as_table(features: Any) -> NDArray[Any]:
    """Return a row for each utterance: of sequences, the mean over time."""
    if np.ndim(features) == 2:
        return np.asarray(features)
    pooling = SequencePooling(("mean",)).set_output(transform="default")
    table: NDArray[Any] = pooling.fit_transform(features)
    return table
