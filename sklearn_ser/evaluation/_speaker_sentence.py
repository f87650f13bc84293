"""Folds that hold out speakers and sentences together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, GroupKFold
from sklearn.utils.validation import check_consistent_length, check_random_state

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


class SpeakerSentenceKFold(BaseCrossValidator):
    """Folds whose training knows neither the speakers nor the sentences of the test.

    Speakers are dealt into parts, and so are sentences. Each fold tests what the
    speakers of one part say of the sentences of one part, and trains on what all other
    speakers say of all other sentences. Each utterance is tested once. What the tested
    speakers say of other sentences, and others of the tested sentences, is on neither
    side of the fold.

    Parameters
    ----------
    n_speaker_folds : int or None, default=None
        Parts of the speakers; None is one for each speaker.
    n_sentence_folds : int or None, default=None
        Parts of the sentences; None is one for each sentence.
    shuffle : bool, default=False
        Whether speakers and sentences are dealt at random; otherwise so that the parts
        have about as many utterances, as `GroupKFold` does.
    random_state : int, RandomState or None, default=None
        Seed of the deal; None draws one from numpy's. Used with ``shuffle=True`` only.

    See Also
    --------
    evaluate_by_speaker : Takes ``cv="speaker_sentence"`` for the defaults.
    sklearn.model_selection.GroupKFold : Folds by speaker alone.

    Notes
    -----
    With the defaults there are as many folds as pairs of a speaker and a sentence that
    were recorded: 100 for EMO-DB. Parts in common with no utterance make no fold.

    ``split`` asks for the metadata ``groups`` and ``sentences``: with
    ``set_config(enable_metadata_routing=True)``, `cross_validate` takes them as
    ``params={"groups": speakers, "sentences": sentences}``. Without routing, give
    ``cv=list(folds.split(X, y, speakers, sentences=sentences))``.

    Examples
    --------
    >>> from sklearn_ser.evaluation import SpeakerSentenceKFold
    >>> speakers = ["a", "a", "b", "b", "c", "c"]
    >>> sentences = ["1", "2", "1", "2", "1", "2"]
    >>> folds = SpeakerSentenceKFold()
    >>> folds.get_n_splits(groups=speakers, sentences=sentences)
    6
    >>> train, test = next(folds.split(speakers, groups=speakers, sentences=sentences))
    >>> train, test
    (array([3, 5]), array([0]))
    """

    __metadata_request__split = {"groups": True, "sentences": True}

    def __init__(
        self,
        n_speaker_folds: int | None = None,
        n_sentence_folds: int | None = None,
        *,
        shuffle: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_speaker_folds = n_speaker_folds
        self.n_sentence_folds = n_sentence_folds
        self.shuffle = shuffle
        self.random_state = random_state

    def split(
        self, X: Any, y: Any = None, groups: Any = None, *, sentences: Any = None
    ) -> Iterator[Split]:
        """Give the utterances of training and test, fold by fold.

        Parameters
        ----------
        X : array-like of length n
            Only its length is used.
        y : array-like of shape (n,), default=None
            Not used.
        groups : array-like of shape (n,)
            Speakers.
        sentences : array-like of shape (n,)
            What was said.

        Yields
        ------
        train, test : ndarray of int
            The rows of both sides.

        Raises
        ------
        ValueError
            If speakers or sentences are not given, or one of them is missing; if there
            are fewer than two, or fewer than parts are asked for; or if nothing is left
            to train on in a fold.
        """
        check_consistent_length(X, groups, sentences)
        for speakers, spoken in self._parts(groups, sentences):
            test = np.flatnonzero(speakers & spoken)
            train = np.flatnonzero(~speakers & ~spoken)
            if not train.size:
                raise ValueError(
                    "A fold has nothing to train on: the tested speakers and sentences "
                    "are on all utterances. Give speakers who share sentences, or "
                    "folds by speaker alone, such as GroupKFold."
                )
            yield train, test

    def get_n_splits(
        self, X: Any = None, y: Any = None, groups: Any = None, *, sentences: Any = None
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y : object
            Not used.
        groups, sentences : array-like of shape (n,)
            Speakers, and what was said.

        Returns
        -------
        int
            Those with utterances to test.

        Raises
        ------
        ValueError
            As of `split`.
        """
        return sum(1 for _ in self._parts(groups, sentences))

    def _parts(
        self, groups: Any, sentences: Any
    ) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Give the utterances of the tested speakers, and of the tested sentences."""
        random = check_random_state(self.random_state) if self.shuffle else None
        of_speakers = _dealt("groups", groups, self.n_speaker_folds, random)
        of_sentences = _dealt("sentences", sentences, self.n_sentence_folds, random)
        for speaker in np.unique(of_speakers):
            for sentence in np.unique(of_sentences):
                parts = of_speakers == speaker, of_sentences == sentence
                if (parts[0] & parts[1]).any():
                    yield parts


def _dealt(
    name: str, values: Any, n_parts: int | None, random: np.random.RandomState | None
) -> NDArray[np.int64]:
    """Return the part of each utterance."""
    if values is None:
        raise ValueError(
            f"{name} is missing: SpeakerSentenceKFold needs the speaker (groups) and "
            "the sentence (sentences) of each utterance."
        )
    column = np.asarray(values, dtype=object)
    missing = np.flatnonzero(pd.isna(column))
    if missing.size:
        raise ValueError(
            f"{name} has none at index {missing[0]} ({missing.size} in all): leave "
            "these utterances out, or give folds by speaker alone."
        )
    codes, found = pd.factorize(column.astype(str), sort=True)
    if len(found) < max(2, n_parts or 2):
        raise ValueError(
            f"{name} has {len(found)} different values, and {n_parts or 2} parts are "
            "to be held out in turn: ask for fewer parts, two at least."
        )
    if n_parts is None:
        return np.asarray(codes, dtype=np.int64)
    folds = GroupKFold(n_parts, shuffle=random is not None, random_state=random)
    part = np.empty(len(codes), dtype=np.int64)
    for number, (_, rows) in enumerate(folds.split(codes, groups=codes)):
        part[rows] = number
    return part
