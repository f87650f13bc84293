"""Which parts of a recording are speech: a running rule, which hears no future."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SpeechRule"]

_FRAME = 0.02  # s
_QUIETEST, _STEP = -100.0, 0.5  # dB of full scale
# A pause is as loud as the quietest tenth of what was heard so far.
_SHARE_OF_PAUSES = 0.1
_ABOVE = 10.0  # dB
_AUDIBLE = -60.0  # dB of full scale


class SpeechRule:
    """Tells frames of speech from pauses, by their level above that of the pauses.

    A frame of 20 ms is speech if it is 10 dB louder than the quietest tenth of all
    frames so far, and not below -60 dB of full scale. What comes later changes nothing,
    so that a stream and a file give the same. The levels are kept as a histogram: the
    memory does not grow.

    Parameters
    ----------
    sampling_rate : int
        Of the signal, in Hz.
    """

    def __init__(self, sampling_rate: int) -> None:
        self.n_frame = max(1, round(_FRAME * sampling_rate))
        self._counts = np.zeros(int(-_QUIETEST / _STEP) + 1, dtype=np.int64)
        self._left = np.empty(0, dtype=np.float32)

    def hear(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next samples.

        Parameters
        ----------
        signal : ndarray of shape (n_samples,)
            What follows on what was heard.

        Returns
        -------
        ndarray of shape (n_frames,)
            The levels of the frames that are now whole, in dB of full scale.
        """
        signal = np.concatenate([self._left, signal])
        n_whole = len(signal) // self.n_frame * self.n_frame
        self._left = signal[n_whole:]
        frames = signal[:n_whole].reshape(-1, self.n_frame).astype(np.float64)
        power = (frames**2).mean(axis=1)
        levels = 10 * np.log10(np.maximum(power, 10 ** (_QUIETEST / 10)))
        return np.asarray(levels, dtype=np.float32)

    def count(self, levels: NDArray[np.float32]) -> None:
        """Let levels count for what a pause is.

        Parameters
        ----------
        levels : ndarray of shape (n_frames,)
            As `hear` gives them.
        """
        places = ((levels - _QUIETEST) / _STEP).astype(np.int64)
        np.add.at(self._counts, places.clip(0, len(self._counts) - 1), 1)

    def share(self, levels: NDArray[np.float32]) -> float:
        """Return the share of frames that are speech, by what was counted so far.

        Parameters
        ----------
        levels : ndarray of shape (n_frames,)
            Of a window.

        Returns
        -------
        float
            From 0 to 1; 0 of no frames.
        """
        if not len(levels):
            return 0.0
        below = np.cumsum(self._counts)
        place = int(np.searchsorted(below, _SHARE_OF_PAUSES * below[-1]))
        threshold = max(_QUIETEST + place * _STEP + _ABOVE, _AUDIBLE)
        return float((levels > threshold).mean())
