"""Recordings that share audio: copies of each other, and overlapping excerpts.

Two steps, so that no two recordings are compared that have nothing in common. Each
recording has a few anchors, the onsets that stand out; the nearest neighbours of what
is around them are candidates, and say how one recording lies against the other. What
the two have there in common is then correlated frame by frame. Copies at another speed
have no anchors in common: they are found by their envelopes over their own duration,
and are read once more, one of them at the speed of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, maximum_filter1d
from scipy.signal import correlate
from sklearn.neighbors import NearestNeighbors

from ..audio import load_audio
from ._fingerprints import BAND, N_BANDS, RATE, Fingerprint, powers

Frames = NDArray[np.float32]

# Correlation of the frames from which two recordings may share audio, and from which
# they do. Different utterances of EMO-DB, URDU and the first eight speakers of CREMA-D
# reach 0.60; those of the synthetic corpus, whose voices are much alike, 0.91. Copies
# through MP3 of 8 kbit/s have 0.85 and more, all others 0.93.
MAYBE = 0.65
SURE = 0.95
# Between the two, samples decide: copies correlate with 0.74 and more, the synthetic
# utterances with 0.3.
SAMPLES_ALIKE = 0.5
# The frames that must overlap: half a second, and half of the shorter recording.
N_OVERLAP = 30
OVERLAP = 0.5
# Shorter ones have too little in them: they are compared by their samples alone.
N_SHORTEST = 20
# Changes of a sound that only hums are rounding.
LEAST_CHANGE = 0.05
# Of each recording, the onsets that stand out by most, and the frames around them.
N_ANCHORS = 5
APART = 13
HALF = 12
# Neighbours of an anchor: its own copies, and those of the other anchors beside it.
N_NEIGHBORS = 6
ALIKE = 0.7
# Speeds that are looked for, and the points of an envelope.
SPEEDS = 0.7, 1.43
SLIGHT = 0.03
N_POINTS = 64
ENVELOPES_ALIKE = 0.85
# Noise that was added: quiet frames are so much (in dB) nearer to loud ones. What lies
# deeper below them is a matter of codecs and quantisation.
NOISE = 5.0
DEEPEST = -40.0


class Copy(NamedTuple):
    """Two recordings that share audio."""

    first: int
    second: int
    similarity: float
    speed: float  # of the second, relative to the first
    is_altered: bool  # played at another speed, or with noise


def find_copies(
    fingerprints: Sequence[Frames | None],
    contents: Sequence[str | None],
    read: Callable[[int], Frames],
) -> list[Copy]:
    """Find the recordings that share audio.

    Parameters
    ----------
    fingerprints : sequence of n ndarray of shape (n_frames_i, 20), or None
        As `Fingerprint` gives them; None where there is none.
    contents : sequence of n str, or None
        Equal where the samples are.
    read : callable
        Gives the signal of a recording at 8 kHz by its index.

    Returns
    -------
    list of Copy
        Each pair once, in order.
    """
    found: dict[tuple[int, int], Copy] = {}
    heard = {i: x for i, x in enumerate(fingerprints) if x is not None and len(x) > 3}
    changes = {index: _changes(levels) for index, levels in heard.items()}
    # All silence is alike: it tells nothing.
    changes = {i: x for i, x in changes.items() if np.std(x) > LEAST_CHANGE}
    known: dict[str, int] = {}
    for index in changes:
        content = contents[index]
        if content is not None and known.setdefault(content, index) != index:
            pair = known[content], index
            found[pair] = Copy(*pair, 1.0, 1.0, False)
    changes = {i: x for i, x in changes.items() if len(x) >= N_SHORTEST}
    for first, second, lag in _candidates(changes):
        similarity = max(
            _correlation(changes[first], changes[second], lag + more)
            for more in (-1, 0, 1)
        )
        pair = first, second
        best = max(MAYBE, found[pair].similarity if pair in found else 0)
        if similarity > best and _is_same(similarity, read(first), read(second)):
            noisy = _has_noise(heard[first], heard[second], lag)
            found[pair] = Copy(*pair, similarity, 1.0, noisy)
    for first, second in _candidates_of_speed({i: heard[i] for i in changes}):
        copy = _at_another_speed(first, second, read)
        if copy is not None and (first, second) not in found:
            found[first, second] = copy
    return [found[pair] for pair in sorted(found)]


def _changes(levels: Frames) -> Frames:
    """Return how levels change from frame to frame: without what lasts, such as hum."""
    return levels[2:] - levels[:-2]


def _candidates(changes: dict[int, Frames]) -> Iterator[tuple[int, int, int]]:
    """Give two recordings with anchors that are alike, and the lag between them.

    The lag is the frame of the first at which the second begins.
    """
    if not changes:
        return
    anchors = {index: _anchors(x) for index, x in changes.items()}
    owner = np.repeat([*anchors], [len(places) for places, _ in anchors.values()])
    place = np.concatenate([places for places, _ in anchors.values()])
    around = np.concatenate([x for _, x in anchors.values()])
    n_neighbors = min(N_NEIGHBORS, len(around))
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(around)
    distance, neighbor = search.kneighbors(around)
    alike = (1 - distance**2 / 2 > ALIKE) & (owner[neighbor] != owner[:, None])
    ours, which = np.nonzero(alike)
    theirs = neighbor[ours, which]
    swap = owner[ours] > owner[theirs]
    ours, theirs = np.where(swap, theirs, ours), np.where(swap, ours, theirs)
    lags = place[ours] - place[theirs]
    triples = np.unique(np.stack([owner[ours], owner[theirs], lags], axis=1), axis=0)
    yield from (tuple(triple) for triple in triples.tolist())


def _anchors(changes: Frames) -> tuple[NDArray[np.intp], Frames]:
    """Return the frames of onsets, and what is around them as vectors of length one."""
    onset = np.maximum(changes, 0).sum(axis=1)
    peaks = np.flatnonzero((onset == maximum_filter1d(onset, APART)) & (onset > 0))
    peaks = peaks[np.argsort(-onset[peaks], kind="stable")][:N_ANCHORS]
    padded = np.pad(changes, ((HALF, HALF), (0, 0)))
    around = np.stack([padded[peak : peak + 2 * HALF] for peak in peaks])
    coarse = around.reshape(len(peaks), HALF, 2, N_BANDS // 2, 2).mean(axis=(2, 4))
    flat = coarse.reshape(len(peaks), -1)
    return peaks, flat / np.linalg.norm(flat, axis=1, keepdims=True)


def _overlap(n_first: int, n_second: int, lag: int) -> tuple[slice, slice] | None:
    """Return the frames of two recordings that lie over each other, None for few."""
    start, end = max(lag, 0), min(n_first, n_second + lag)
    shorter = min(n_first, n_second)
    # A recording of few frames may still begin a frame or two later.
    if end - start < max(OVERLAP * shorter, min(N_OVERLAP, shorter - 2)):
        return None
    return slice(start, end), slice(start - lag, end - lag)


def _correlation(first: Frames, second: Frames, lag: int) -> float:
    """Correlate what two recordings have in common, if that is enough of the sound."""
    common = _overlap(len(first), len(second), lag)
    if common is None:
        return 0.0
    ours, theirs = first[common[0]], second[common[1]]
    energies = np.vdot(ours, ours), np.vdot(theirs, theirs)
    shares = energies[0] / np.vdot(first, first), energies[1] / np.vdot(second, second)
    if max(shares) < OVERLAP:
        return 0.0
    return float(np.vdot(ours, theirs) / np.sqrt(energies[0] * energies[1]))


def _has_noise(first: Frames, second: Frames, lag: int) -> bool:
    """Tell whether one of two copies has noise that the other has not."""
    common = _overlap(len(first), len(second), lag)
    if common is None:
        return False
    floors = []
    for levels, frames in zip((first, second), common, strict=True):
        power = powers(levels[frames]).sum(axis=1)
        quiet = np.quantile(power, 0.1) / max(power.mean(), np.finfo(float).tiny)
        floors.append(max(10 * np.log10(max(quiet, 1e-12)), DEEPEST))
    return bool(abs(floors[0] - floors[1]) > NOISE)


def _candidates_of_speed(levels: dict[int, Frames]) -> Iterator[tuple[int, int]]:
    """Give two recordings of which one may be the other at another speed."""
    if len(levels) < 2:
        return
    names = np.array([*levels])
    envelopes = np.stack([_envelope(x) for x in levels.values()])
    n_neighbors = min(N_NEIGHBORS, len(names))
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute")
    distance, neighbor = search.fit(envelopes).kneighbors(envelopes)
    ours, which = np.nonzero(1 - distance**2 / 2 > ENVELOPES_ALIKE)
    pairs = np.sort(names[np.stack([ours, neighbor[ours, which]], axis=1)], axis=1)
    for first, second in np.unique(pairs, axis=0).tolist():
        speed = len(levels[first]) / len(levels[second])
        if abs(speed - 1) > SLIGHT and SPEEDS[0] < speed < SPEEDS[1]:
            moved = _moved(levels[first], speed, len(levels[second]))
            if _correlate_inside(moved, levels[second], speed) > MAYBE:
                yield first, second


def _envelope(levels: Frames) -> NDArray[np.float64]:
    """Return the level over the whole duration, as a vector of length one."""
    power = powers(levels).sum(axis=1)
    level = np.log(power + 0.03 * power.mean())
    points = np.linspace(0, len(level) - 1, 3 * N_POINTS)
    coarse = np.interp(points, np.arange(len(level)), level)
    coarse = coarse.reshape(N_POINTS, 3).mean(axis=1)
    coarse -= coarse.mean()
    return np.asarray(coarse / (np.linalg.norm(coarse) or 1.0))


def _bands_higher(speed: float) -> float:
    """Return by how many bands a frequency is higher at a speed."""
    return float(np.log(speed) / np.log(BAND[1] / BAND[0]) * (N_BANDS + 1))


def _moved(levels: Frames, speed: float, n_frames: int) -> Frames:
    """Return the levels of a recording as they are about at another speed."""
    times = (np.arange(n_frames) + 0.5) * speed - 0.5
    bands = np.arange(N_BANDS) - _bands_higher(speed)
    at = np.meshgrid(times, bands, indexing="ij")
    moved: Frames = map_coordinates(levels, at, order=1, mode="nearest")
    return moved


def _correlate_inside(moved: Frames, levels: Frames, speed: float) -> float:
    """Correlate two recordings in the bands that both have at a speed."""
    higher = _bands_higher(speed)
    first, last = max(0, np.ceil(higher)), N_BANDS + min(0, np.floor(higher))
    pair = (_changes(x[:, int(first) : int(last)]) for x in (moved, levels))
    ours, theirs = map(np.ascontiguousarray, pair)
    return max(_correlation(ours, theirs, lag) for lag in (-1, 0, 1))


def _at_another_speed(
    first: int, second: int, read: Callable[[int], Frames]
) -> Copy | None:
    """Compare two recordings after the first has been brought to the second's speed."""
    ours, theirs = read(first), read(second)
    speed = len(ours) / len(theirs)
    ours, _ = load_audio((ours, round(RATE * speed)), RATE)
    moved, levels = Fingerprint().transform([(ours, RATE), (theirs, RATE)])
    similarity = _correlate_inside(moved, levels, speed)
    if similarity < MAYBE or not _is_same(similarity, ours, theirs):
        return None
    return Copy(first, second, similarity, speed, True)


def _is_same(similarity: float, first: Frames, second: Frames) -> bool:
    """Tell whether two signals that are much alike are the same in a part."""
    if similarity > SURE:
        return True
    ours, theirs = first - first.mean(), second - second.mean()
    lag = int(np.abs(correlate(ours, theirs, method="fft")).argmax()) - len(theirs) + 1
    start, end = max(lag, 0), min(len(ours), len(theirs) + lag)
    if end - start < OVERLAP * min(len(ours), len(theirs)):
        return False
    ours, theirs = ours[start:end], theirs[start - lag : end - lag]
    product = np.sqrt(np.vdot(ours, ours) * np.vdot(theirs, theirs))
    return bool(abs(np.vdot(ours, theirs)) > SAMPLES_ALIKE * product)
