"""Fingerprints of recordings, by which copies of the same audio are found."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features._base import RecordingTransformer

# What telephone speech keeps, so that neither a low rate nor a codec changes it.
RATE = 8000
BAND = 150.0, 3600.0
N_BANDS = 20
# Long windows that overlap much: a shift of some milliseconds changes little.
WINDOW = 512
HOP = 128
# Added to the power of each band, relative to the mean of all: what codecs and
# quantisation change lies below.
FLOOR = 0.1


class Fingerprint(RecordingTransformer):
    """Level of a recording over time in bands, without its gain.

    The rows are frames, every 16 ms, of ``log(power / mean power + 0.1)`` in 20 bands
    from 150 to 3,600 Hz, equally wide in pitch. A faulty recording gives no frames.

    Parameters
    ----------
    n_jobs : int or None, default=None
        Number of threads.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the fingerprints are cached.
    """

    def __init__(self, *, n_jobs: int | None = None, memory: Any = None) -> None:
        super().__init__(
            sampling_rate=RATE, n_jobs=n_jobs, memory=memory, on_error="nan"
        )

    def attempt(
        self, recordings: NDArray[np.object_]
    ) -> tuple[list[NDArray[np.float32] | None], list[int]]:
        """Return the fingerprints without warnings, None for faulty recordings.

        Parameters
        ----------
        recordings : ndarray of shape (n,) and dtype object
            Recordings.

        Returns
        -------
        fingerprints : list of n ndarray, or None
        faulty : list of int
            The recordings that cannot be read.
        """
        results, faults, _ = self._run(recordings)
        return results, sorted(faults)

    def _note(self, signal: NDArray[np.float32]) -> str | None:
        return None

    def _settings(self) -> tuple[object, ...]:
        return (BAND, N_BANDS, WINDOW, HOP, FLOOR)

    def _is_ragged(self) -> bool:
        return True

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return a name for each band, see `RecordingTransformer`."""
        return np.array([f"band{i}" for i in range(N_BANDS)], dtype=object)

    def _extract(self, signal: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        padded = np.pad(signal, (0, max(0, WINDOW - len(signal))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
        window, filters = _window_and_filters()
        power = np.abs(np.fft.rfft(frames * window)) ** 2 @ filters
        mean = power.mean() or 1.0
        level: NDArray[np.float32] = np.log(power / mean + FLOOR).astype(np.float32)
        return level


@lru_cache
def _window_and_filters() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the window, and the weights of the lines of a spectrum in each band."""
    lines = np.log(np.maximum(np.fft.rfftfreq(WINDOW, 1 / RATE), 1.0))[:, None]
    edges = np.log(np.geomspace(*BAND, N_BANDS + 2))
    width = edges[1] - edges[0]
    weights = np.clip(1 - np.abs(lines - edges[1:-1]) / width, 0, None)
    return np.hanning(WINDOW + 2)[1:-1], weights / weights.sum(axis=0)


def powers(fingerprint: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the power of each frame and band, relative to the mean of all.

    Parameters
    ----------
    fingerprint : ndarray of shape (n_frames, 20)
        As `Fingerprint` gives it.

    Returns
    -------
    ndarray of the same shape, float64
    """
    power: NDArray[np.float64] = np.exp(fingerprint.astype(np.float64)) - FLOOR
    return np.maximum(power, 0.0)
