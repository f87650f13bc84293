"""From the name of an emotion to activation and valence.

One table holds the published binary signs of each emotion, and how listeners rated it
on the two dimensions. The three schemes are read from this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._levels import RATING_SCALE

__all__ = [
    "canonical_emotion",
    "emotion_dimensions",
    "emotion_quadrant",
]


class _Ratings(NamedTuple):
    """How listeners rated an emotion on one dimension, from 1 to 5."""

    agree: float  # share strictly on the side of 3 that the binary table gives
    midpoint: float  # share exactly on 3
    mean: float  # mean of the corpora's means


class _Emotion(NamedTuple):
    """The binary signs of an emotion, and its ratings where there are any."""

    activation: int
    valence: int
    activation_ratings: _Ratings | None = None
    valence_ratings: _Ratings | None = None


# Signs: Gao et al. (2021), Table 1, and its extension to the other corpora by the same
# convention. The table prints fear in both columns; it is -H throughout.
# Ratings: computed from the labels that Das et al. (2022) gave to EMO-DB, CaFE, URDU
# and AESDD. Nobody rated frustration there.
_EMOTIONS = {
    "anger": _Emotion(+1, -1, _Ratings(0.91, 0.06, 4.23), _Ratings(0.80, 0.18, 2.03)),
    "boredom": _Emotion(-1, -1, _Ratings(0.79, 0.20, 2.16), _Ratings(0.40, 0.60, 2.70)),
    "disgust": _Emotion(-1, -1, _Ratings(0.39, 0.40, 2.78), _Ratings(0.78, 0.20, 2.20)),
    "fear": _Emotion(+1, -1, _Ratings(0.56, 0.25, 3.44), _Ratings(0.89, 0.11, 2.11)),
    "frustration": _Emotion(+1, -1),
    "happiness": _Emotion(
        +1, +1, _Ratings(0.58, 0.30, 3.48), _Ratings(0.43, 0.41, 3.37)
    ),
    "neutral": _Emotion(-1, +1, _Ratings(0.29, 0.60, 2.80), _Ratings(0.01, 0.92, 2.97)),
    "sadness": _Emotion(-1, -1, _Ratings(0.62, 0.28, 2.32), _Ratings(0.72, 0.28, 2.27)),
    "surprise": _Emotion(
        +1, +1, _Ratings(0.47, 0.40, 3.25), _Ratings(0.11, 0.72, 2.96)
    ),
}

# Other words for the same emotion, by which corpora and their users name it.
SPELLINGS = {
    "ang": "anger",
    "angry": "anger",
    "bored": "boredom",
    "dis": "disgust",
    "disgusted": "disgust",
    "afraid": "fear",
    "anxiety": "fear",
    "anxious": "fear",
    "fea": "fear",
    "fearful": "fear",
    "fru": "frustration",
    "frustrated": "frustration",
    "amused": "amusement",
    "exc": "excitement",
    "excited": "excitement",
    "hap": "happiness",
    "happy": "happiness",
    "joy": "happiness",
    "joyful": "happiness",
    "calmness": "calm",
    "neu": "neutral",
    "sad": "sadness",
    "sur": "surprise",
    "surprised": "surprise",
}

# Amusement and excitement count as happiness and calm as neutral: the binary table
# gives them the same quadrants, and IEMOCAP's users merge excitement likewise.
_KINDS = {"amusement": "happiness", "excitement": "happiness", "calm": "neutral"}

SYNONYMS = {word: _KINDS.get(noun, noun) for word, noun in SPELLINGS.items()} | _KINDS

# The schemes, each with the scale of what it gives.
SCHEMES = {
    "binary": (-1.0, 1.0),
    "ternary": (-1.0, 1.0),
    "circumplex": RATING_SCALE,
}


def spelled(emotion: str) -> str:
    """Return the noun for an emotion, and a name that is not known in lower case."""
    name = str(emotion).strip().lower()
    return SPELLINGS.get(name, name)


def find_emotion(emotion: str, present: Sequence[str]) -> str | None:
    """Find what a corpus calls an emotion.

    Parameters
    ----------
    emotion : str
        Its name, or a synonym.
    present : sequence of str
        The names in the corpus, of which no two are spellings of one emotion.

    Returns
    -------
    str or None
        The same name, or another spelling of it, or else the one that counts as the
        same emotion; None without any.

    Raises
    ------
    ValueError
        If several count as it.
    """
    if emotion in present:
        return emotion
    noun = spelled(emotion)
    same = [name for name in present if spelled(name) == noun]
    if not same:
        kind = _KINDS.get(noun, noun)
        same = [name for name in present if SYNONYMS.get(spelled(name), name) == kind]
    if len(same) > 1:
        raise ValueError(
            f"{emotion!r} may be {' or '.join(map(repr, same))} here: name those that "
            "you want."
        )
    return same[0] if same else None


def check_spellings(emotions: Iterable[str], owner: str) -> None:
    """Refuse two spellings of one emotion, which would be two classes.

    Parameters
    ----------
    emotions : iterable of str
        Names of emotions.
    owner : str
        What has them, for the message.

    Raises
    ------
    ValueError
        If there are two spellings of one emotion.
    """
    seen: dict[str, str] = {}
    for name in dict.fromkeys(emotions):
        other = seen.setdefault(spelled(name), name)
        if other != name:
            raise ValueError(
                f"{owner} has both {other!r} and {name!r}, which are one emotion: give "
                "it one name, such as that of canonical_emotion."
            )


def canonical_emotion(emotion: str) -> str:
    """Return the noun that the corpora of this package use for an emotion.

    Parameters
    ----------
    emotion : str
        The name of an emotion in any case, or a synonym: ``"Angry"``, ``"joy"``,
        ``"exc"``.

    Returns
    -------
    str
        ``"anger"``, ``"boredom"``, ``"disgust"``, ``"fear"``, ``"frustration"``,
        ``"happiness"``, ``"neutral"``, ``"sadness"`` or ``"surprise"``.

    Raises
    ------
    ValueError
        If the emotion is unknown. The message names those known.

    Examples
    --------
    >>> from sklearn_ser.datasets import canonical_emotion
    >>> canonical_emotion("Angry"), canonical_emotion("joy")
    ('anger', 'happiness')
    """
    name = spelled(emotion)
    name = _KINDS.get(name, name)
    if name not in _EMOTIONS:
        raise ValueError(
            f"Unknown emotion {emotion!r}; known are {', '.join(_EMOTIONS)}, "
            f"and the synonyms {', '.join(SYNONYMS)}."
        )
    return name


def emotion_dimensions(
    emotion: ArrayLike, scheme: str = "binary"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map categorical emotions to activation and valence.

    Parameters
    ----------
    emotion : str or array-like of str
        Names of emotions or synonyms of them, as in :func:`canonical_emotion`.
    scheme : {"binary", "ternary", "circumplex"}, default="binary"
        - ``"binary"``: +1 or -1 on both dimensions, by Table 1 of [1]_ (after [2]_)
          and its extension by the same convention:

          =========================  ==========  =======
          emotion                    activation  valence
          =========================  ==========  =======
          happiness, surprise        +1          +1
          anger, fear, frustration   +1          -1
          sadness, disgust, boredom  -1          -1
          neutral                    -1          +1
          =========================  ==========  =======

        - ``"ternary"``: the binary sign where listeners back it, 0 where they don't.
          The rule: the sign stays if more of the utterances rated by the authors of
          [3]_ lie strictly on its side of the midpoint than exactly on the midpoint. So
          the activation of neutral and disgust and the valence of neutral, surprise and
          boredom are 0. Frustration, which they didn't rate, keeps its signs.
        - ``"circumplex"``: the mean ratings of [3]_ over their corpora, from 1 to 5
          with the midpoint at 3: anger, for one, has activation 4.23 and valence
          2.03.

    Returns
    -------
    activation, valence : ndarray of float64
        Of the same shape as `emotion`.

    Raises
    ------
    ValueError
        If an emotion is unknown, if it has no ratings and the scheme is
        ``"circumplex"`` (frustration), or if the scheme is unknown.

    See Also
    --------
    emotion_quadrant : The binary signs as one number.

    Notes
    -----
    Positive valence for neutral and for surprise is a convention: of the utterances
    rated, 92 % and 72 % lie exactly on the midpoint. Low activation for disgust is
    weak: 39 % lie below the midpoint and 40 % on it.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang, J. Dang, "Metric Learning Based Feature
       Representation with Gated Fusion Model for Speech Emotion Recognition",
       Interspeech 2021.
    .. [2] B. Schuller et al., "Cross-corpus acoustic emotion recognition: variances
       and strategies", IEEE Transactions on Affective Computing, 2010.
    .. [3] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.datasets import emotion_dimensions
    >>> activation, valence = emotion_dimensions(["anger", "sad", "neutral"])
    >>> activation
    array([ 1., -1., -1.])
    >>> valence
    array([-1., -1.,  1.])
    >>> emotion_dimensions(["anger", "sad", "neutral"], "ternary")[1]
    array([-1., -1.,  0.])
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {tuple(SCHEMES)}, got {scheme!r}.")
    emotions = np.asarray(emotion, dtype=object)
    # Not a set: each process would name another unknown one.
    points = {
        name: _point(canonical_emotion(name), scheme)
        for name in dict.fromkeys(emotions.flat)
    }
    pairs = np.array([points[name] for name in emotions.flat], dtype=np.float64)
    activation, valence = pairs.reshape(-1, 2).T
    return activation.reshape(emotions.shape), valence.reshape(emotions.shape)


def _point(name: str, scheme: str) -> tuple[float, float]:
    """Return activation and valence of one emotion under a scheme."""
    emotion = _EMOTIONS[name]
    ratings = (emotion.activation_ratings, emotion.valence_ratings)
    if scheme == "binary":
        return emotion.activation, emotion.valence
    if scheme == "ternary":
        return (
            _backed_sign(emotion.activation, emotion.activation_ratings),
            _backed_sign(emotion.valence, emotion.valence_ratings),
        )
    if ratings[0] is None or ratings[1] is None:
        rated = [key for key, value in _EMOTIONS.items() if value.valence_ratings]
        raise ValueError(
            f"Nobody has rated {name!r}, so that it has no place on the circumplex; "
            f"rated are {', '.join(rated)}."
        )
    return ratings[0].mean, ratings[1].mean


def _backed_sign(sign: int, ratings: _Ratings | None) -> int:
    """Return the sign, or 0 where listeners don't back it."""
    return sign if ratings is None or ratings.agree > ratings.midpoint else 0


def emotion_quadrant(emotion: ArrayLike) -> NDArray[np.int64]:
    """Return the quadrant of the valence-activation plane of each emotion.

    Parameters
    ----------
    emotion : str or array-like of str
        Names of emotions or synonyms of them.

    Returns
    -------
    ndarray of int64
        Of the same shape as `emotion`, by the ``"binary"`` scheme of
        :func:`emotion_dimensions`: 1 for positive valence and high activation, 2 for
        negative and high, 3 for negative and low, 4 for positive and low.

    Raises
    ------
    ValueError
        If an emotion is unknown.

    Examples
    --------
    >>> from sklearn_ser.datasets import emotion_quadrant
    >>> emotion_quadrant(["happiness", "anger", "sadness", "neutral"])
    array([1, 2, 3, 4])
    """
    activation, valence = emotion_dimensions(emotion)
    upper = np.where(valence > 0, 1, 2)
    lower = np.where(valence > 0, 4, 3)
    return np.where(activation > 0, upper, lower).astype(np.int64)
