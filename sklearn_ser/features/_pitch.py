"""Pitch, without a decision on voicing, frame by frame (Ghahremani et al., 2014)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.interpolate import make_interp_spline
from scipy.optimize import isotonic_regression
from scipy.signal import firwin

from ._base import Features
from ._frames import MIN_POWER, n_samples

Signal = NDArray[np.float64]

# The settings of the published tracker, beside those that are parameters.
RATE = 4000  # Hz, at which periods are looked for
CUTOFF = 1000  # Hz, of the low-pass before
N_TAPS = 31  # of the low-pass; ours
DELTA_PITCH = 0.005  # relative step from one candidate to the next
BALLAST = 7000.0  # lowers the correlation of quiet frames
SOFT_MIN_F0 = 10.0  # Hz; a short period is preferred to its multiples
PENALTY = 0.1  # of a change of the logarithm of f0, squared
# Lags beyond the candidates, for the interpolation between whole samples.
MARGIN = 3
# Frames that are worked on at a time: larger arrays are slower to allocate, smaller
# ones take more calls.
N_CHUNK = 75


class _Candidates(NamedTuple):
    """The periods that a frame may have."""

    lags: Signal  # (n_candidates,), seconds, from the shortest
    first: int  # the whole lags from which they are interpolated, in samples
    last: int
    interpolation: Signal  # (n_whole_lags, n_candidates)
    weighting: Signal  # interpolation, with the factors that make costs of them
    center: float  # lag of middling pitch, in samples


def track_pitch(
    signal: Features,
    rate: int,
    *,
    window: float,
    hop: float,
    min_f0: float = 50.0,
    max_f0: float = 400.0,
) -> Features:
    """Track the pitch of a signal, and how periodic it is.

    Each frame has a pitch, also where there is no voice: there, the pitch follows the
    smooth line that best joins the voiced frames. The normalised cross-correlation
    (NCCF) at that pitch tells how reliable it is.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,) and dtype float32
        The signal, at least one frame long.
    rate : int
        Its sampling rate in Hz.
    window, hop : float
        Length of a frame and time from one to the next, in seconds; frames lie as
        in :func:`sklearn_ser.features._frames.frame_signal`.
    min_f0, max_f0 : float
        Lowest and highest pitch in Hz.

    Returns
    -------
    ndarray of shape (n_frames, 2) and dtype float32
        Fundamental frequency in Hz, and the NCCF there, in [-1, 1].

    Notes
    -----
    The signal is low-passed at 1 kHz and taken at 4 kHz. The NCCF of a frame *v* and
    the frame *v'* that begins one lag later is ``v·v' / sqrt(|v|² |v'|² + ballast)``. A
    Viterbi search finds the lags that minimise the sum of
    ``1 - NCCF (1 - 10 Hz · lag)`` and of ``0.1 (log lag - log lag')²`` from frame to
    frame. Its ballast is 7000 times the square of the average energy of a frame, so
    that the loud frames decide; the NCCF that is returned has no ballast. All this is
    published; the shape of the low-pass and of the interpolation between samples is
    ours.

    References
    ----------
    .. [1] P. Ghahremani, B. BabaAli, D. Povey, K. Riedhammer, J. Trmal and
       S. Khudanpur, "A pitch extraction algorithm tuned for automatic speech
       recognition", ICASSP, 2014.
    """
    window_length, hop_length = n_samples(window, rate), n_samples(hop, rate)
    starts = np.arange(0, len(signal) - window_length + 1, hop_length)
    length = n_samples(window, RATE)
    candidates = _candidates(min_f0, max_f0)
    slow = soxr.resample(signal, rate, RATE, quality="HQ").astype(np.float64)
    slow = np.convolve(slow, _low_pass())[N_TAPS // 2 : -(N_TAPS // 2)]

    # A frame and its copy at a middling lag lie around the middle of the window.
    starts = np.rint(starts * (RATE / rate) - candidates.center / 2).astype(np.intp)
    # Zeros lie around the signal.
    width = length + candidates.last
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(slow, width), width)
    ballast = BALLAST * (np.var(slow) * length) ** 2
    # A frame that is silence in the mel spectrum has no correlation.
    least = (float(MIN_POWER) * length) ** 2
    lags, interpolation = candidates.lags, candidates.interpolation
    costs = np.empty((len(starts), len(lags)), np.float32)
    nccf = np.empty((len(starts), len(interpolation)), np.float32)
    for first in range(0, len(starts), N_CHUNK):
        chunk = slice(first, first + N_CHUNK)
        frames = windows[width + starts[chunk]]
        frames -= frames.mean(axis=1, keepdims=True)
        products, energies = _correlate(frames, length, candidates)
        energies = np.maximum(energies, least)
        nccf[chunk] = products / np.sqrt(energies)
        loud = products / np.sqrt(energies + ballast)
        costs[chunk] = loud @ candidates.weighting
    path = _best_path(costs, PENALTY, np.log(lags))
    found = np.einsum("ij,ij->i", nccf, interpolation.T[path])
    return np.column_stack([1 / lags[path], np.clip(found, -1, 1)]).astype(np.float32)


@lru_cache(maxsize=8)
def _candidates(min_f0: float, max_f0: float) -> _Candidates:
    """Lay out the periods from the highest pitch to the lowest in equal ratios."""
    count = 1 + int(np.log(max_f0 / min_f0) / np.log1p(DELTA_PITCH))
    lags = np.power(1 + DELTA_PITCH, np.arange(count, dtype=np.float64)) / max_f0
    first = max(1, int(RATE * lags[0]) - MARGIN)
    last = int(np.ceil(RATE * lags[-1])) + MARGIN
    whole = np.arange(first, last + 1)
    # Interpolation is linear in the values, so that of unit vectors gives its matrix.
    spline = make_interp_spline(whole, np.eye(len(whole)), k=5)
    center = RATE / np.sqrt(min_f0 * max_f0)
    interpolation = spline(RATE * lags).T
    weighting = (SOFT_MIN_F0 * lags - 1) * interpolation
    return _Candidates(lags, first, last, interpolation, weighting, center)


@lru_cache(maxsize=1)
def _low_pass() -> Signal:
    """Return the taps of the low-pass."""
    taps: Signal = firwin(N_TAPS, CUTOFF, fs=RATE)
    return taps


def _correlate(
    frames: Signal, length: int, candidates: _Candidates
) -> tuple[Signal, Signal]:
    """Return the products of the head of each frame with what follows at each lag.

    The second result is the products of the two energies. Both are of shape (n_frames,
    n_whole_lags); the head has ``length`` samples.
    """
    first, last = candidates.first, candidates.last
    n_fft = next_fast_len(frames.shape[1], real=True)
    spectra = rfft(frames, n_fft) * rfft(frames[:, :length], n_fft).conj()
    products: Signal = irfft(spectra, n_fft)[:, first : last + 1]
    energy = np.zeros((len(frames), 1 + frames.shape[1]))
    np.cumsum(frames**2, axis=1, out=energy[:, 1:])
    energies = energy[:, first + length :] - energy[:, first : last + 1]
    return products, energy[:, length, None] * energies


def _best_path(
    costs: NDArray[np.floating[Any]], penalty: float, places: Signal
) -> NDArray[np.intp]:
    """Return the states that minimise their costs and the penalty of their changes.

    The search of Viterbi: ``costs`` is of shape (n_frames, n_states), and a change of
    state costs ``penalty`` times the squared distance of their ``places``, which
    ascend.
    """
    # Single precision is enough where the sums are kept small.
    costs = costs.astype(np.float32, copy=False)
    find_origins = _origin_finder(penalty, places)
    origins = np.empty(costs.shape, np.int16)
    total = costs[0]
    for frame in range(1, len(costs)):
        best = find_origins(total)
        origins[frame] = best
        changes = penalty * (places - places[best]) ** 2
        total = total[best] + changes.astype(np.float32) + costs[frame]
        total -= total.min()
    path = np.empty(len(costs), np.intp)
    path[-1] = total.argmin()
    for frame in range(len(costs) - 1, 0, -1):
        path[frame - 1] = origins[frame, path[frame]]
    return path


def _origin_finder(
    penalty: float, places: Signal
) -> Callable[[Features], NDArray[np.intp]]:
    """Return what finds the best state before each state, from the sums of costs.

    The best has the least sum and penalty, ``total + penalty * (place - origin)²``.
    Without the square of the place, which all have in common, that is a curve over the
    origins, ``total + penalty * origin²``, less a line of the slope ``2 * penalty *
    place``. It is least where such a line, from below, touches the lower convex hull of
    the curve: where the hull stops being less steep. The slopes of the hull are those
    that never fall and are closest to the slopes of the curve. So each frame takes one
    isotonic regression and one look-up, and not all pairs of states.
    """
    bowl, slopes, gaps = penalty * places**2, 2 * penalty * places, np.diff(places)
    # Equal weights take less time where they are not told.
    weights = None if np.allclose(gaps, gaps[:1], rtol=1e-9, atol=0) else gaps

    def find_origins(total: Features) -> NDArray[np.intp]:
        curve = total + bowl
        hull = isotonic_regression((curve[1:] - curve[:-1]) / gaps, weights=weights).x
        found: NDArray[np.intp] = hull.searchsorted(slopes)
        return found

    return find_origins
