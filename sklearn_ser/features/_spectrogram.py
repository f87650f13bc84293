"""Log spectrograms in segments of one size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from .._sklearn import Interval
from ..audio import RATES
from ._base import Features
from ._frame_base import FrameTransformer, numbered
from ._frames import fft_length, frame_signal, log_power
from ._segments import (
    SEGMENT_CONSTRAINTS,
    check_segment_hop,
    count_segments,
    names_in_segment,
)


class _Layout(NamedTuple):
    """The sizes of segments and frames in samples, and of a segment's spectrogram."""

    segment: int
    step: int
    window: int
    hop: int
    n_fft: int
    n_frames: int
    n_bins: int


class SpectrogramSegmenter(FrameTransformer):
    """Log spectrograms of segments, by default the 32 x 129 of Gao et al. (2021).

    Each recording is cut into segments of 265 ms. Each segment becomes a row: its log
    power spectra, one frame after the other. ``row.reshape(32, 129)`` is the
    spectrogram, with time first.

    The paper names 265 ms, frames of 25 ms and 32 x 129 values, but no hop and no
    transform; 129 bins up to 8 kHz would belong to frames of 16 ms. Of the settings
    that give this shape without padding, two are natural. The default,
    ``"gao2021_s1"``, has windows of 25 ms in the middle of frames of 512 samples, every
    7.5 ms, and keeps the band up to 4 kHz, as the network's first authors [2]_ do.
    ``"gao2021_s2"`` has Hann windows of 256 samples, every 128, and the band up to 8
    kHz: the defaults of Matplotlib's ``specgram``, which the authors may well have
    used.

    Parameters
    ----------
    segment : float, default=0.265
        Length of a segment in seconds.
    segment_hop : float or None, default=None
        Time from the start of one segment to the next in seconds, no more than
        ``segment``; None is ``segment``, so that they do not overlap.
    remainder : {"pad", "drop"}, default="pad"
        What happens to the signal after the last complete segment: it makes another
        one, padded with zeros, or is left out. In both cases, a recording shorter than
        a segment gives one segment, padded with zeros.
    window : float, default=0.025
        Length of the window in seconds.
    hop : float, default=0.0075
        Time from the start of one frame to the next in seconds.
    f_max : float or None, default=4000.0
        The highest frequency that is kept in Hz; it must be that of a bin. None is
        half the sampling rate.
    n_fft : int or None, default=None
        Length of a frame and of its Fourier transform in samples; the window lies in
        its middle. None is the smallest power of two that holds the window, 512 by
        default: its bins are 31.25 Hz apart.
    window_type : {"boxcar", "hamming", "hann"}, default="hamming"
        Shape of the window.
    sampling_rate : int, default=16000
        The rate in Hz to which recordings are resampled; at it, all times must be whole
        numbers of samples. The number of bins depends on it, so it cannot be left to
        the recordings. At 8000, the default settings give 32 x 129 values of the same
        times and frequencies.
    channel : "mean" or int, default="mean"
        Which channel of a recording is taken, counted from 0, or the mean of all.
        A silent channel beside others is warned of; channels that cancel each other
        in their mean are a fault.
    n_jobs : int or None, default=None
        Number of threads; None means 1 unless in a :obj:`joblib.parallel_config`
        context, -1 means all processors.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the features of each recording are cached, by default nowhere. The content
        of a recording and the settings are the key: a renamed file is found again, a
        changed one is not, and faulty recordings are never cached.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does. "raise" raises an error at once; "nan" gives a row
        of NaN, or a sequence without frames; "warn" does the same, and lists all such
        recordings in one warning at the end.
    verbose : bool, default=False
        Whether to show a progress bar over the recordings.

    Attributes
    ----------
    presets : dict
        Of the class: the settings of papers, for ``from_preset``; ``"gao2021_s1"``
        and ``"gao2021_s2"``, both after [1]_.

    See Also
    --------
    LogMelSegmenter : Segments of log-mel energies.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``. The power is in dB,
    at least -100, which is the value of silence, and not normalised. No frame reaches
    beyond its segment. A recording shorter than one window is faulty.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.
    .. [2] A. Satt, S. Rozenberg and R. Hoory, "Efficient emotion recognition from
       speech using deep learning on spectrograms", Interspeech, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import SpectrogramSegmenter
    >>> tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000)
    >>> segmenter = SpectrogramSegmenter()
    >>> segments = segmenter.fit_transform([tone])[0]
    >>> segments.shape
    (4, 4128)
    >>> spectrograms = segments.reshape(-1, *segmenter.segment_shape)
    >>> spectrograms.shape
    (4, 32, 129)
    >>> int(spectrograms[0, 0].argmax()) * 31.25
    500.0
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "gao2021_s1": {
            "segment": 0.265,
            "window": 0.025,
            "hop": 0.0075,
            "f_max": 4000.0,
            "window_type": "hamming",
        },
        "gao2021_s2": {
            "segment": 0.265,
            "window": 0.016,
            "hop": 0.008,
            "f_max": 8000.0,
            "window_type": "hann",
        },
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **FrameTransformer._parameter_constraints,
        **SEGMENT_CONSTRAINTS,
        "sampling_rate": [Interval(Integral, *RATES, closed="both")],
    }

    def __init__(
        self,
        segment: float = 0.265,
        *,
        segment_hop: float | None = None,
        remainder: str = "pad",
        window: float = 0.025,
        hop: float = 0.0075,
        f_max: float | None = 4000.0,
        n_fft: int | None = None,
        window_type: str = "hamming",
        sampling_rate: int = 16000,
        channel: str | int = "mean",
        n_jobs: int | None = None,
        memory: Any = None,
        on_error: str = "raise",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            window=window,
            hop=hop,
            f_max=f_max,
            n_fft=n_fft,
            window_type=window_type,
            sampling_rate=sampling_rate,
            channel=channel,
            n_jobs=n_jobs,
            memory=memory,
            on_error=on_error,
            verbose=verbose,
        )
        self.segment = segment
        self.segment_hop = segment_hop
        self.remainder = remainder

    @property
    def segment_shape(self) -> tuple[int, int]:
        """Frames and bins of a segment: the shape into which its row unfolds."""
        self._check_params()
        layout = self._layout()
        return layout.n_frames, layout.n_bins

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the features: the bins of the first frame come first.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_features,) and dtype object
            ``bin000_frame00`` and so on; bin ``k`` lies at ``k * sampling_rate /
            n_fft`` Hz.
        """
        n_frames, n_bins = self.segment_shape
        names = names_in_segment(numbered("bin", n_bins), numbered("frame", n_frames))
        return np.array(names, dtype=object)

    def _check_settings(self, rate: int | None) -> None:
        """Check that segments, frames and bins come out whole."""
        self._layout()

    def _layout(self) -> _Layout:
        """Convert the times to samples, and count frames and bins."""
        rate = cast(int, self.sampling_rate)  # None is not among its values here
        check_segment_hop(self.segment, self.segment_hop)
        segment = _whole("segment", self.segment, rate)
        step = segment
        if self.segment_hop is not None:
            step = _whole("segment_hop", self.segment_hop, rate)
        window = _whole("window", self.window, rate)
        hop = _whole("hop", self.hop, rate)
        n_fft = fft_length(window, self.n_fft)
        if segment < n_fft:
            raise ValueError(
                f"segment={self.segment:g} s is shorter than a frame of n_fft={n_fft} "
                f"samples at {rate} Hz: raise it, or lower n_fft or window."
            )
        n_frames = 1 + (segment - n_fft) // hop
        n_bins = _count_bins(self.f_max, n_fft, rate)
        return _Layout(segment, step, window, hop, n_fft, n_frames, n_bins)

    def _compute_frames(self, signal: Features, rate: int) -> Features:
        """Compute the spectrograms of a signal."""
        layout = self._layout()
        segment, step = layout.segment, layout.step
        count = count_segments(signal.size, segment, step, self.remainder)
        power = np.empty((count, layout.n_frames, layout.n_bins), np.float32)
        complete = 0
        if signal.size >= segment:
            segments = frame_signal(signal, segment, step)
            complete = len(segments)
            self._write(segments, power[:complete], layout)
        if complete < count:
            rest = signal[complete * step :]
            rest = np.pad(rest, (0, segment - rest.size))
            self._write(rest[np.newaxis], power[complete:], layout)
        return power.reshape(count, -1)

    def _write(self, segments: Features, out: Features, layout: _Layout) -> None:
        """Write the log power spectra of segments into an array."""
        # A window between zeros has the power spectrum of the window alone.
        before = (layout.n_fft - layout.window) // 2
        used = layout.window + (layout.n_frames - 1) * layout.hop
        frames = frame_signal(
            segments[:, before : before + used], layout.window, layout.hop
        )
        log_power(frames, out, window_type=self.window_type, n_fft=layout.n_fft)


def _whole(name: str, seconds: float, rate: int) -> int:
    """Return a time as a whole number of samples."""
    samples = float(seconds) * int(rate)
    if round(samples) < 1 or not math.isclose(samples, round(samples), rel_tol=1e-6):
        raise ValueError(
            f"{name}={seconds:g} s are {samples:.2f} samples at {rate} Hz, not a whole "
            "number: change it, or the sampling_rate (16000 in the paper)."
        )
    return round(samples)


def _count_bins(f_max: float | None, n_fft: int, rate: int) -> int:
    """Count the bins up to a frequency, which must be that of the last one."""
    if f_max is None:
        return n_fft // 2 + 1
    distance = rate / n_fft
    last = round(f_max / distance)
    if last > n_fft // 2 or not math.isclose(last * distance, f_max):
        nearest = min(max(last, 1), n_fft // 2) * distance
        raise ValueError(
            f"f_max={f_max:g} Hz is not the frequency of a bin: they are "
            f"{distance:g} Hz apart and end at {n_fft // 2 * distance:g} Hz; take "
            f"{nearest:g}, or change n_fft or sampling_rate."
        )
    return last + 1
