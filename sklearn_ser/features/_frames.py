"""Frames of a signal and their log spectra, in one pass over an utterance."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.sparse import csr_array

from ..audio import AudioError
from ._base import Features

# The least power, as in librosa.power_to_db: silence has -100 dB.
MIN_POWER = np.float32(1e-10)
# Of power: a neper of amplitude is twice as much.
DB_PER_NEPER = np.float32(10 / np.log(10))
SILENCE_DB = np.log(MIN_POWER) * DB_PER_NEPER
# Frames that are worked on at a time: few enough for their spectra to stay in the
# processor's cache, enough for threads to run side by side. A power of two is slower,
# because columns then compete for the same lines of the cache.
N_CHUNK = 300


def n_samples(seconds: float, rate: int) -> int:
    """Return the whole number of samples that is nearest to a time, at least one."""
    samples = round(float(seconds) * int(rate))
    if samples < 1:
        raise ValueError(f"{seconds:g} s are less than one sample at {rate} Hz.")
    return samples


def frame_signal(
    signal: NDArray[Any], window_length: int, hop_length: int
) -> NDArray[Any]:
    """Cut a signal into overlapping frames, without copying it.

    Parameters
    ----------
    signal : ndarray of shape (..., n_samples)
        The signal; it is framed along its last axis.
    window_length : int
        Samples in a frame.
    hop_length : int
        Samples from one frame to the next.

    Returns
    -------
    ndarray of shape (..., n_frames, window_length)
        A read-only view, with ``n_frames = 1 + (n_samples - window_length) //
        hop_length``: nothing is padded, and an incomplete frame is left out.

    Raises
    ------
    AudioError
        If the signal is shorter than one window.
    """
    length = signal.shape[-1]
    if length < window_length:
        raise AudioError(
            f"its {length:,} samples are too short: one window needs "
            f"{window_length:,}; leave it out, or shorten the window."
        )
    windows = np.lib.stride_tricks.sliding_window_view(signal, window_length, axis=-1)
    return windows[..., ::hop_length, :]


def log_mel(
    signal: Features,
    rate: int,
    *,
    window: float,
    hop: float,
    n_mels: int,
    f_min: float = 0.0,
    f_max: float | None = None,
    n_fft: int | None = None,
    window_type: str = "hamming",
    out: Features | None = None,
) -> Features:
    """Compute the log power in mel bands of a signal, frame by frame.

    The values equal
    ``librosa.power_to_db(librosa.feature.melspectrogram(...), top_db=None)`` where its
    frames lie at the same place. librosa's frames have ``n_fft`` samples, with the
    window in their middle; those of this function have the length of the window.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,) and dtype float32
        The signal.
    rate : int
        Its sampling rate in Hz.
    window, hop : float
        Length of a frame, and time from one to the next, in seconds; rounded to
        whole samples.
    n_mels : int
        Number of bands.
    f_min, f_max : float
        Lower edge of the first and upper edge of the last band in Hz; an upper edge
        of None is half the sampling rate.
    n_fft : int or None, default=None
        Length in samples to which a frame is padded with zeros for its Fourier
        transform; None is the smallest power of two that holds it.
    window_type : str, default="hamming"
        Shape of the window, a name in :func:`scipy.signal.get_window` (periodic).
    out : ndarray of shape (n_frames, n_mels) and dtype float32, default=None
        Where the result is written.

    Returns
    -------
    ndarray of shape (n_frames, n_mels) and dtype float32
        Log power in dB, at least -100.

    Raises
    ------
    AudioError
        If the signal is shorter than one window.
    ValueError
        If the bands do not fit the sampling rate and the length of the transform.
    """
    window_length = n_samples(window, rate)
    n_fft = fft_length(window_length, n_fft)
    filters = mel_filters(rate, n_fft, n_mels, f_min, f_max)
    frames = frame_signal(signal, window_length, n_samples(hop, rate))
    if out is None:
        out = np.empty((len(frames), n_mels), np.float32)
    log_power(frames, out, window_type=window_type, n_fft=n_fft, filters=filters)
    return out


def log_power(
    frames: NDArray[Any],
    out: Features,
    *,
    window_type: str,
    n_fft: int,
    filters: csr_array | None = None,
) -> None:
    """Write the log power spectra of frames, or of their bands, into an array.

    Parameters
    ----------
    frames : ndarray of shape (n, ..., window_length)
        The frames.
    out : ndarray of shape (n, ..., n_out) and dtype float32
        Where the log power in dB is written: that of the first ``n_out`` bins, or of
        the bands.
    window_type : str
        Shape of the window.
    n_fft : int
        Length of the transform in samples, at least ``window_length``.
    filters : csr_array of shape (n_out, n_bins) and dtype float32 or None
        Weights of the first bins in each band, for frames of shape (n,
        window_length).
    """
    inner = frames.shape[1:-1]
    window = taper(window_type, frames.shape[-1])
    n_bins = out.shape[-1] if filters is None else filters.shape[-1]
    step = max(1, N_CHUNK // prod(inner))
    padded = np.zeros((step, *inner, n_fft), np.float32)
    for first in range(0, len(frames), step):
        chunk, target = frames[first : first + step], out[first : first + step]
        padded_chunk = padded[: len(chunk)]
        np.multiply(chunk, window, out=padded_chunk[..., : window.size])
        spectrum = rfft(padded_chunk)[..., :n_bins]
        power = spectrum.real**2
        power += spectrum.imag**2
        if filters is not None:
            # Faster than a dense product, whose threads also get in the way of ours.
            power = (filters @ power.T).T
        np.maximum(power, MIN_POWER, out=target)
        np.log(target, out=target)
        target *= DB_PER_NEPER


def fft_length(window_length: int, n_fft: int | None) -> int:
    """Return the length of the transform, by default the next power of two."""
    if n_fft is None:
        return 1 << (window_length - 1).bit_length()
    if n_fft < window_length:
        raise ValueError(
            f"n_fft={n_fft} is shorter than the window of {window_length} samples: "
            "raise it, shorten the window, or take n_fft=None."
        )
    return n_fft


@lru_cache(maxsize=32)
def taper(window_type: str, length: int) -> Features:
    """Return a periodic window."""
    from scipy.signal.windows import get_window  # slow to import

    window: Features = get_window(window_type, length).astype(np.float32)
    window.setflags(write=False)
    return window


@lru_cache(maxsize=32)
def mel_filters(
    rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float | None
) -> csr_array:
    """Return librosa's mel filters, of shape (n_mels, bins below the upper edge)."""
    import librosa  # slow to import

    half = rate / 2
    top = half if f_max is None else f_max
    if not f_min < top <= half:
        raise ValueError(
            f"Mel bands from {f_min:g} to {top:g} Hz are not possible: they must rise "
            f"and end at or below half the sampling rate, {half:g} Hz."
        )
    edges = librosa.mel_frequencies(n_mels + 2, fmin=f_min, fmax=top)
    bins = librosa.fft_frequencies(sr=rate, n_fft=n_fft)
    inside = bins.searchsorted(edges[2:]) - bins.searchsorted(edges[:-2], "right")
    if inside.min() < 1:
        raise ValueError(
            f"{n_mels} mel bands from {f_min:g} to {top:g} Hz are too narrow: "
            f"{np.sum(inside < 1)} of them hold no bin of a {n_fft}-point transform at "
            f"{rate} Hz; lower n_mels or raise n_fft."
        )
    weights = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=f_min, fmax=top
    )
    return csr_array(weights[:, : bins.searchsorted(top)])
