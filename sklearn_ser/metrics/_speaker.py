"""How much a representation tells of the speaker."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_consistent_length, column_or_1d

from .._constants import LARGEST
from .._typing import FloatArray
from ..sequences import as_sequences
from ._correlation import RandomState
from ._scores import ua_score

# Many more than the fit needs: it stops when it has converged.
_MAX_ITER = 10_000


@dataclass(frozen=True)
class SpeakerProbeResult:
    """How well a probe recognises the speakers.

    Attributes
    ----------
    ua : float
        Unweighted accuracy, the mean recall of the speakers, on the utterances that
        the probe was not trained on: the mean over the repeats.
    std : float
        Sample standard deviation of the unweighted accuracy over the repeats; NaN for
        one repeat. The repeats share their utterances, so it is not a standard error.
    chance : float
        Expected accuracy if the representation tells nothing: 1 / `n_speakers`.
    n_speakers : int
        Number of speakers that were probed.
    n_utterances : int
        Number of their utterances.
    n_left_out : int
        Number of utterances that have no speaker, or one with no other utterance.
    """

    ua: float
    std: float
    chance: float
    n_speakers: int
    n_utterances: int
    n_left_out: int

    @property
    def above_chance(self) -> float:
        """Share of the way from chance to perfect recognition.

        ``(ua - chance) / (1 - chance)``: 0 at chance, 1 where all is recognised, on
        one scale for any number of speakers. It can fall below 0 by chance.
        """
        return (self.ua - self.chance) / (1 - self.chance)


def speaker_probe(
    X: Any,
    speaker: ArrayLike,
    *,
    probe: BaseEstimator | None = None,
    n_repeats: int = 10,
    random_state: RandomState = None,
) -> SpeakerProbeResult:
    """Measure the speaker information in a representation.

    A classifier of speakers, the probe, is trained on a random half of the
    utterances of each speaker and tested on the other half.

    Parameters
    ----------
    X : array-like of shape (n_utterances, n_dimensions), or list, Series or 1-D \
object array of n_utterances array-likes of shape (n_frames_i, n_dimensions), or \
array-like of shape (n_utterances, n_frames, n_dimensions)
        Representation of each utterance. For sequences, the mean over time is probed,
        as computed by :class:`~sklearn_ser.SequencePooling` with ``("mean",)``.
    speaker : array-like of shape (n_utterances,)
        Speaker of each utterance. None or NaN is an unknown one: such utterances are
        left out, and so is the utterance of a speaker who has no other.
    probe : classifier or None, default=None
        Any classifier of scikit-learn; a clone of it is trained in each repeat, on
        speakers numbered in order of their first utterance. None takes multinomial
        logistic regression with an L2 penalty (``C=1``) after a `StandardScaler`,
        all speakers weighted alike.
    n_repeats : int, default=10
        Number of times that the halves are drawn.
    random_state : int, RandomState instance or None, default=None
        Seed of the halves. It does not seed the probe.

    Returns
    -------
    SpeakerProbeResult
        The unweighted accuracy on the halves not trained on, and chance.

    Raises
    ------
    TypeError
        When the probe is not a classifier or `n_repeats` is not an integer.
    ValueError
        When the lengths differ, fewer than two speakers have two utterances, or an
        utterance of theirs has no frames or values that are not finite or too large
        for float32; the message names it.

    See Also
    --------
    ua_score : The mean recall.
    latent_correlation : How much of a continuous label a representation tells.

    Notes
    -----
    If a speaker has an odd number of utterances, the training half gets one more.
    Features are scaled by the statistics of the training half.

    The default measures what a linear classifier can read from so many utterances. That
    is a lower bound of the information: compare representations on the same utterances,
    with the same probe.

    Speakers that the representation was trained on and other speakers are two questions
    with different answers: pass the utterances of those you mean. The adversary of [1]_
    sees the former, but aims at the latter.

    If emotion and speaker go together, for instance because speakers have utterances of
    one emotion only (most speakers of URDU), a representation of only the emotion also
    tells the speaker. A result above chance is then no proof that it contains the
    voice: compare it with that of another representation of the same utterances.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.metrics import speaker_probe
    >>> speaker = np.repeat(["03", "08", "09", "10"], 20)
    >>> voice = np.repeat([1.0, 2.0, 3.0, 4.0], 20)[:, None]
    >>> result = speaker_probe(voice, speaker, random_state=0)
    >>> result.ua, result.chance, result.above_chance
    (1.0, 0.25, 1.0)
    >>> noise = np.random.default_rng(0).normal(size=(80, 3))
    >>> result = speaker_probe(noise, speaker, random_state=0)
    >>> abs(result.above_chance) < 0.1
    True
    """
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    if probe is None:
        probe = _default_probe()
    elif not isinstance(probe, BaseEstimator) or not is_classifier(probe):
        raise TypeError(
            "probe must be a classifier of scikit-learn such as "
            f"LogisticRegression(), got {probe!r}."
        )
    sequences = as_sequences(X)
    rows, codes = _probed(_speaker_codes(speaker, len(sequences)))
    means = np.stack([_mean(sequences[i], f"utterance {i} of X") for i in rows])
    random = check_random_state(random_state)
    scores = []
    for _ in range(n_repeats):
        train, test = _halves(codes, random)
        fitted = clone(probe).fit(means[train], codes[train])
        scores.append(ua_score(codes[test], fitted.predict(means[test])))
    n_speakers = int(codes.max()) + 1
    return SpeakerProbeResult(
        ua=float(np.mean(scores)),
        std=float(np.std(scores, ddof=1)) if n_repeats > 1 else float("nan"),
        chance=1 / n_speakers,
        n_speakers=n_speakers,
        n_utterances=len(rows),
        n_left_out=len(sequences) - len(rows),
    )


def _default_probe() -> BaseEstimator:
    """Return a linear classifier in which all speakers and features count alike."""
    regression = LogisticRegression(class_weight="balanced", max_iter=_MAX_ITER)
    return make_pipeline(StandardScaler(), regression)


def _speaker_codes(speaker: ArrayLike, n_utterances: int) -> NDArray[np.intp]:
    """Give the speakers numbers in order of appearance; -1 is an unknown one."""
    # numpy would turn a NaN in a list of names into a speaker called "nan".
    in_list = isinstance(speaker, list | tuple)
    labels = pd.Series(speaker if in_list else column_or_1d(speaker))
    check_consistent_length(range(n_utterances), labels)
    codes: NDArray[np.intp] = pd.factorize(labels)[0]
    return codes


def _probed(
    codes: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the utterances of speakers with two or more, and these, numbered anew."""
    counts = np.bincount(codes[codes >= 0])
    known = np.flatnonzero(codes >= 0)
    rows = known[counts[codes[known]] >= 2]
    speakers, numbers = np.unique(codes[rows], return_inverse=True)
    if len(speakers) < 2:
        raise ValueError(
            "A probe of speakers needs at least 2 speakers with at least 2 utterances "
            f"each, got {len(speakers)} (of {len(counts)} speakers of {len(known)} "
            f"utterances; {len(codes) - len(known)} have no speaker)."
        )
    return rows, numbers


def _mean(frames: NDArray[Any], name: str) -> FloatArray:
    """Return the mean over time; refuse utterances without one."""
    if not len(frames):
        raise ValueError(
            f"{name} has no frames: leave such utterances out, with "
            "sklearn_ser.features.has_features."
        )
    # As elsewhere, what float32 cannot hold is refused; its square is still finite.
    # One pass: no comparison with NaN holds.
    if not (np.abs(frames, dtype=np.float64) <= LARGEST).all():
        raise ValueError(
            f"{name} contains NaN, infinity or a value too large for float32: repair "
            "the utterance or leave it out."
        )
    mean: FloatArray = frames.mean(axis=0, dtype=np.float64)
    return mean


def _halves(
    codes: NDArray[np.intp], random: np.random.RandomState
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw half of the utterances of each speaker, rounded up.

    Returns those and the others, both in order.
    """
    order = random.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]  # speaker after speaker
    counts = np.bincount(codes)
    place = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    trains = place < np.repeat((counts + 1) // 2, counts)
    return np.sort(order[trains]), np.sort(order[~trains])
