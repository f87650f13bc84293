"""The corpora beside the target: segments, and the quadrant of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, NoReturn, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from .._constants import UNKNOWN
from .._warnings import warn_user
from ..audio import naming
from ..sequences import Sequences, as_sequences, check_sequences
from ._corpus import Corpus, counted
from ._emotions import emotion_quadrant

__all__ = ["AuxiliaryCorpora"]

_QUADRANTS = (1, 2, 3, 4)


class AuxiliaryCorpora:
    """The corpora on which a network is pre-trained beside its target.

    P(X) of [1]_: the segments of one or several corpora, with the quadrant of valence
    and activation of each. An estimator gets it once, as a parameter, so that it is
    cross-validated with the target but never split. It cannot be changed, and is
    never copied: clones of an estimator share it, and joblib maps its one large array
    into the memory of all worker processes.

    Parameters
    ----------
    X : list, Series or 1-D object array of n array-likes of shape (n_segments_i, \
n_features); ndarray of shape (n, n_segments, n_features) or (n, n_features)
        Utterances as sequences of segments, as :class:`~sklearn_ser.features.\
SpectrogramSegmenter` gives them; each row of a table is an utterance of one segment.
        They are copied, once.
    quadrant : array-like of shape (n,)
        Quadrant of each utterance, from 1 to 4 as of :func:`emotion_quadrant`; None or
        NaN where it is unknown: such an utterance is reconstructed, but is in no
        triplet.
    corpus : array-like of str of shape (n,) or None, default=None
        Name of the corpus of each utterance. None means that all are of one.

    Attributes
    ----------
    segments : ndarray of shape (n_segments, n_features), float32
        The segments of all utterances in their order, as they were given. This array
        and the others are read-only.
    segment_quadrant : ndarray of shape (n_segments,), int64
        Quadrant of each segment: that of its utterance, -1 where it is unknown.
    segment_corpus : ndarray of shape (n_segments,), int64
        Number of the corpus of each segment: its place in `names`.
    names : tuple of str
        Names of the corpora, in the order in which they come; ``"unnamed"`` where
        none was given.
    n_utterances : int
        Number of utterances.
    n_features : int
        Width of a segment.
    mean, scale : ndarray of shape (n_corpora, n_features), float64
        Mean and standard deviation of each feature over the segments of a corpus, by
        the rule of scikit-learn's `StandardScaler`: the scale of a constant is one.

    Raises
    ------
    ValueError
        If there is no utterance, or if one has no segments, another width, values
        that are NaN, infinite or too large for float32, a quadrant other than 1 to 4,
        or no corpus; the message names it. If `quadrant` or `corpus` is not of the
        length of X.

    See Also
    --------
    emotion_quadrant : The quadrant of an emotion.
    Corpus : Recordings with their labels.

    Notes
    -----
    The number of segments is its length. Attributes cannot be set, and the arrays are
    read-only. Two objects are equal only if they are the same object.

    A pickle contains all segments. So does the pickle of an estimator with them, and
    what a worker process sends back with fitted estimators.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn_ser import SpectrogramSegmenter
    >>> from sklearn_ser.datasets import AuxiliaryCorpora, make_emotional_speech
    >>> ours, theirs = (
    ...     make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=seed)
    ...     for seed in range(2)
    ... )
    >>> auxiliary = AuxiliaryCorpora.from_corpora(
    ...     [replace(ours, name="ours"), replace(theirs, name="theirs")],
    ...     SpectrogramSegmenter(),
    ... )
    >>> auxiliary
    <AuxiliaryCorpora ours, theirs: 8 utterances, ... segments of 4,128 values,
    quadrants 1 to 4: ...>
    >>> auxiliary.take([0, 5], standardize=True).shape
    (2, 4128)
    """

    segments: NDArray[np.float32]
    segment_quadrant: NDArray[np.int64]
    segment_corpus: NDArray[np.int64]
    names: tuple[str, ...]
    n_utterances: int
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    _contents: NDArray[np.uint64]

    def __init__(
        self,
        X: Any,
        quadrant: ArrayLike | Sequence[float | None],
        *,
        corpus: ArrayLike | None = None,
    ) -> None:
        # Each row of a table is an utterance, too, and errors name it so.
        given = check_sequences(BaseEstimator(), as_sequences(X), reset=True)
        n = len(given)
        quadrants = check_quadrants(quadrant, n)
        numbers, names = _check_corpora(corpus, n)
        segments = np.empty((given.n_frames, given.n_features), np.float32)
        utterances = np.split(segments, np.cumsum(given.lengths)[:-1])  # views
        for utterance, values in zip(utterances, given.arrays, strict=True):
            utterance[:] = values
        copied = Sequences(utterances)
        parts = [copied[np.flatnonzero(numbers == i)] for i in range(len(names))]
        mean, scale = zip(*(part.moments() for part in parts), strict=True)
        # All silence is alike: it tells nothing about where it comes from.
        contents = [_content(x) for x in utterances if x.min() < x.max()]
        self.__setstate__(
            {
                "segments": segments,
                "segment_quadrant": np.repeat(quadrants, given.lengths),
                "segment_corpus": np.repeat(numbers, given.lengths),
                "names": names,
                "n_utterances": n,
                "mean": np.stack(mean),
                "scale": np.stack(scale),
                "_contents": np.array(contents, dtype=np.uint64),
            }
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Plain views, also of memory maps, which stay mapped: a cache must not find
        # another object where the same values lie elsewhere.
        plain = {
            name: np.asarray(value) if isinstance(value, np.ndarray) else value
            for name, value in state.items()
        }
        for value in plain.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(plain)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"Cannot assign to {name!r}: an AuxiliaryCorpora cannot be changed."
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"Cannot delete {name!r}: an AuxiliaryCorpora cannot be changed."
        )

    def __len__(self) -> int:
        return len(self.segments)

    def __repr__(self) -> str:
        quadrant = self.segment_quadrant
        counts = [np.count_nonzero(quadrant == i) for i in (*_QUADRANTS, UNKNOWN)]
        *known, unknown = (f"{count:,}" for count in counts)
        parts = [
            counted(self.n_utterances, "utterance"),
            f"{counted(len(self), 'segment')} of {counted(self.n_features, 'value')}",
            f"quadrants 1 to 4: {' / '.join(known)}",
            *([f"unknown: {unknown}"] if counts[-1] else []),
        ]
        return f"<AuxiliaryCorpora {', '.join(self.names)}: {', '.join(parts)}>"

    def __sklearn_clone__(self) -> Self:
        return self

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @property
    def n_features(self) -> int:
        """Width of a segment."""
        return int(self.segments.shape[1])

    def pretraining_corpora(self) -> tuple[str, ...]:
        """Name the corpora, for an evaluation by speaker.

        `sklearn_ser.evaluation.evaluate_by_speaker` refuses to evaluate one of them.

        Returns
        -------
        tuple of str
            The same as `names`.
        """
        return self.names

    def take(self, rows: ArrayLike, *, standardize: bool) -> NDArray[np.float32]:
        """Copy some segments.

        Parameters
        ----------
        rows : array-like of int of shape (n,)
            Numbers of segments.
        standardize : bool
            Whether each is standardised by the mean and scale of its own corpus.

        Returns
        -------
        ndarray of shape (n, n_features), float32
            A copy, which may be written to.

        Raises
        ------
        IndexError
            If there is no such segment.
        """
        which = np.atleast_1d(rows)
        if not which.size:  # an empty list has no type of its own
            which = which.astype(np.intp)
        segments: NDArray[np.float32] = self.segments[which]
        if standardize:
            # One by one: several times as fast as on an array of their means. In
            # float64, and only then rounded.
            for segment, i in zip(segments, self.segment_corpus[which], strict=True):
                segment[:] = (segment - self.mean[i]) / self.scale[i]
        return segments

    def holds(self, X: Any) -> NDArray[np.bool_]:
        """Tell which utterances are also among these.

        A target in its own auxiliary corpora cannot be tested: the network would be
        pre-trained on the speakers that are held out.

        Parameters
        ----------
        X : list, Series or 1-D object array of n array-likes of shape (n_segments_i, \
n_features); ndarray of shape (n, n_segments, n_features) or (n, n_features)
            Utterances from the same front end, not standardised.

        Returns
        -------
        ndarray of shape (n,), bool
            True where an utterance has exactly the segments of one of these, in the
            same order, as float32. An utterance whose values are all equal, such as
            silence, does not count.

        Raises
        ------
        ValueError
            If an utterance is not 2-D or not numeric, or if their widths differ.
        """
        contents = [_content(values) for values in as_sequences(X)]
        return np.isin(np.array(contents, dtype=np.uint64), self._contents)

    @classmethod
    def from_corpora(
        cls, corpora: Corpus | Iterable[Corpus], front_end: Any = None
    ) -> Self:
        """Make auxiliary corpora of recordings with emotions.

        Parameters
        ----------
        corpora : Corpus or iterable of Corpus
            Corpora of different names, without the target.
        front_end : transformer or None, default=None
            Makes segments of recordings. It must be the front end of the target, with
            the same settings, so that both branches of a network see the same kind of
            segment. None is ``SpectrogramSegmenter()``, that of [1]_.

        Returns
        -------
        AuxiliaryCorpora
            Its quadrants are those that :func:`emotion_quadrant` gives to the
            emotions of the corpora: by Table 1 of [1]_ and its extension, which
            :func:`emotion_dimensions` shows. For an emotion that it does not know, the
            quadrant is unknown.

        Raises
        ------
        AudioError
            If a recording is faulty and the front end's ``on_error="raise"``, which
            is the default. With ``"warn"`` or ``"nan"``, such recordings are left
            out.
        ValueError
            If there is no corpus, if two have the same name, or if a corpus has no
            utterance or no recording that gives segments.
        TypeError
            If one of the corpora is not a `Corpus`.

        Warns
        -----
        UserWarning
            If there are emotions whose quadrant is unknown; it names them.

        References
        ----------
        .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
           representation with gated fusion model for speech emotion recognition",
           Interspeech, 2021.
        """
        chosen = _check_distinct(corpora)
        if front_end is None:
            from ..features import SpectrogramSegmenter

            front_end = SpectrogramSegmenter()
        utterances: list[NDArray[Any]] = []
        emotions: list[str] = []
        names: list[str] = []
        for corpus in chosen:
            segments, usable = _segments(corpus, front_end)
            utterances.extend(segments[usable])
            emotions.extend(corpus.emotion[usable].tolist())
            names.extend([corpus.name] * np.count_nonzero(usable))
        return cls(utterances, _quadrants(emotions), corpus=names)


def _per_utterance(name: str, values: object, n: int) -> NDArray[np.object_]:
    """Return one value for each utterance."""
    array = np.asarray(values, dtype=object)
    if array.shape != (n,):
        raise ValueError(
            f"{name} has the shape {array.shape}, but X has {n} utterances: give one "
            "value for each."
        )
    return array


def check_quadrants(quadrant: object, n: int) -> NDArray[np.int64]:
    """Return the quadrants of utterances as numbers.

    Parameters
    ----------
    quadrant : array-like of shape (n,)
        From 1 to 4; None or NaN where it is unknown.
    n : int
        Number of utterances.

    Returns
    -------
    ndarray of shape (n,), int64
        -1 where it is unknown.

    Raises
    ------
    ValueError
        If it is not one quadrant for each utterance.
    """
    values = _per_utterance("quadrant", quadrant, n)
    known = ~pd.isna(values)
    for index in np.flatnonzero(known):
        value = values[index]
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or value not in _QUADRANTS:
            raise ValueError(
                f"The quadrant of utterance {index} of {n} is {value!r}: it must be 1, "
                "2, 3 or 4, as of sklearn_ser.datasets.emotion_quadrant, or None or "
                "NaN where it is unknown."
            )
    return np.where(known, values, UNKNOWN).astype(np.int64)


def _check_corpora(
    corpus: ArrayLike | None, n: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the number of the corpus of each utterance, and the names."""
    if corpus is None:
        return np.zeros(n, np.int64), ("unnamed",)
    values = _per_utterance("corpus", corpus, n)
    for index in np.flatnonzero(pd.isna(values)):
        raise ValueError(f"utterance {index} of {n} has no corpus: name one for each.")
    names = [str(value) for value in values]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.int64), tuple(numbers)


def _content(utterance: NDArray[Any]) -> int:
    """Return a number for the content of an utterance, equal for equal values."""
    with np.errstate(over="ignore"):  # infinity is among none
        values = utterance.astype(np.float32, order="C")
    values += np.float32(0)  # turns -0.0 into 0.0
    digest = hashlib.blake2b(digest_size=8)
    digest.update(repr(values.shape).encode())
    digest.update(values.data)
    return int.from_bytes(digest.digest())


def _check_distinct(corpora: Corpus | Iterable[Corpus]) -> list[Corpus]:
    """Return the corpora, which can be told apart and have utterances."""
    chosen = [corpora] if isinstance(corpora, Corpus) else list(corpora)
    if not chosen:
        raise ValueError("corpora is empty: give one corpus or several.")
    for index, corpus in enumerate(chosen):
        if not isinstance(corpus, Corpus):
            raise TypeError(
                "corpora must be a Corpus or several: at index "
                f"{index} is a {type(corpus).__name__}."
            )
        if corpus.name in {other.name for other in chosen[:index]}:
            raise ValueError(
                f"Two corpora have the name {corpus.name!r}, and each is standardised "
                "by itself: give them different ones, by dataclasses.replace(corpus, "
                "name=...)."
            )
        if not len(corpus):
            raise ValueError(f"The corpus {corpus.name} has no utterances.")
    return chosen


def _segments(
    corpus: Corpus, front_end: Any
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return the segments of each recording, and which recordings have any."""
    from ..features import has_features

    with naming(f"corpus {corpus.name}"):
        segments = front_end.transform(corpus.audio)
    usable = has_features(segments)
    if not usable.any():
        raise ValueError(
            f"No recording of the corpus {corpus.name} gave segments, of "
            f'{len(corpus)}: a front end with on_error="raise" says why.'
        )
    return as_sequences(segments), usable


def _quadrants(emotions: list[str]) -> list[int | None]:
    """Return the quadrants of emotions; warn once of those without one."""
    quadrants: dict[str, int | None] = {}
    for emotion in dict.fromkeys(emotions):
        try:
            quadrants[emotion] = int(emotion_quadrant(emotion))
        except ValueError:
            quadrants[emotion] = None
    unknown = sorted(emotion for emotion, n in quadrants.items() if n is None)
    if unknown:
        n = sum(quadrants[emotion] is None for emotion in emotions)
        warn_user(
            f"No quadrant is known for {', '.join(unknown)}: "
            f"{counted(n, 'utterance')} will be reconstructed, but be no part of a "
            "triplet. sklearn_ser.datasets.emotion_dimensions lists what is known."
        )
    return [quadrants[emotion] for emotion in emotions]
