"""Log-mel energies in segments of several frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import Features
from ._frame_base import MelTransformer, numbered
from ._frames import frame_signal, n_samples
from ._segments import (
    SEGMENT_CONSTRAINTS,
    check_segment_hop,
    count_segments,
    names_in_segment,
)


class LogMelSegmenter(MelTransformer):
    """Log-mel energies in segments, by default the 10 x 80 of Latif et al. (2018).

    Each recording becomes a sequence of segments. A segment holds the log-mel
    energies of some frames, one after the other. The frames are those of the whole
    recording: the 10 of a segment of 0.1 s begin 10 ms apart, and the last of them
    reaches 15 ms into the next segment.

    Parameters
    ----------
    segment : float or None, default=0.1
        Length of a segment in seconds, a whole number of hops; None gives the frames
        themselves.
    segment_hop : float or None, default=None
        Time from the start of one segment to the next in seconds, a whole number of
        hops and no more than ``segment``; None is ``segment``, so that they do not
        overlap. The paper does not say whether they do.
    remainder : {"drop", "pad"}, default="drop"
        What happens to the frames after the last complete segment: they are left out,
        or make another segment in which the last frame is repeated. In both cases, a
        recording with fewer frames than a segment gives one segment, filled in this
        way.
    n_mels : int, default=80
        Number of mel bands (Slaney's, as in librosa).
    window : float, default=0.025
        Length of a frame in seconds, rounded to whole samples.
    hop : float, default=0.010
        Time from the start of one frame to the next in seconds, rounded to whole
        samples.
    f_min : float, default=0.0
        Lower edge of the first band in Hz.
    f_max : float or None, default=None
        Upper edge of the last band in Hz; None is half the sampling rate; the bands
        then change with it. The paper does not give it.
    n_fft : int or None, default=None
        Length in samples to which a frame is padded with zeros for its Fourier
        transform; None is the smallest power of two that holds it (512 at 16 kHz).
    window_type : {"boxcar", "hamming", "hann"}, default="hamming"
        Shape of the window.
    sampling_rate : int or None, default=16000
        The rate in Hz to which recordings are resampled. None keeps the rate of each
        recording.
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
        Of the class: the settings of papers, for ``from_preset``; ``"latif2018"``
        [1]_ are the defaults.

    See Also
    --------
    LogMel : The frames, cut or padded to one duration.
    SpectrogramSegmenter : Segments of the spectrogram, without mel bands.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``. The energies are in
    dB, at least -100, and not normalised. No frame reaches beyond the signal; a
    recording shorter than one window is faulty. Segments that do not overlap need no
    memory beside their values.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import LogMelSegmenter
    >>> tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
    >>> segmenter = LogMelSegmenter()
    >>> segments = segmenter.fit_transform([tone])[0]
    >>> segments.shape
    (9, 800)
    >>> segments.reshape(-1, *segmenter.segment_shape).shape
    (9, 10, 80)
    >>> LogMelSegmenter(remainder="pad").fit_transform([tone])[0].shape
    (10, 800)
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "latif2018": {"segment": 0.1, "n_mels": 80, "window": 0.025, "hop": 0.010},
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MelTransformer._parameter_constraints,
        **SEGMENT_CONSTRAINTS,
        "segment": [*SEGMENT_CONSTRAINTS["segment"], None],
    }

    def __init__(
        self,
        segment: float | None = 0.1,
        *,
        segment_hop: float | None = None,
        remainder: str = "drop",
        n_mels: int = 80,
        window: float = 0.025,
        hop: float = 0.010,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_fft: int | None = None,
        window_type: str = "hamming",
        sampling_rate: int | None = 16000,
        channel: str | int = "mean",
        n_jobs: int | None = None,
        memory: Any = None,
        on_error: str = "raise",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            n_mels=n_mels,
            window=window,
            hop=hop,
            f_min=f_min,
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
        """Frames and bands of a segment: the shape into which its row unfolds."""
        self._check_params()
        return self._n_frames()[0], self.n_mels

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the energies: those of the first frame come first.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_features,) and dtype object
            ``logmel00_frame0`` and so on; without segments ``logmel00`` and so on.
        """
        n_frames, n_mels = self.segment_shape
        names = numbered("logmel", n_mels)
        if self.segment is not None:
            names = names_in_segment(names, numbered("frame", n_frames))
        return np.array(names, dtype=object)

    def _check_settings(self, rate: int | None) -> None:
        """Check the windows and bands, and that segments are whole numbers of hops."""
        super()._check_settings(rate)
        self._n_frames()

    def _n_frames(self) -> tuple[int, int]:
        """Return the number of frames in a segment, and from one to the next."""
        if self.segment is None:
            if self.segment_hop is not None:
                raise ValueError(
                    f"segment_hop={self.segment_hop:g} s needs segments: give segment, "
                    "or leave segment_hop out."
                )
            return 1, 1
        check_segment_hop(self.segment, self.segment_hop)
        n_frames = self._in_hops("segment", self.segment)
        if self.segment_hop is None:
            return n_frames, n_frames
        return n_frames, self._in_hops("segment_hop", self.segment_hop)

    def _in_hops(self, name: str, seconds: float) -> int:
        """Return a time as a whole number of hops."""
        count = round(seconds / self.hop)
        if count < 1 or not math.isclose(count * self.hop, seconds, rel_tol=1e-6):
            raise ValueError(
                f"{name}={seconds:g} s is not a whole number of hops of {self.hop:g} "
                f"s: take {max(1, count) * self.hop:g} s, or change hop."
            )
        return count

    def _compute_frames(self, signal: Features, rate: int) -> Features:
        """Compute the segments of a signal."""
        size, step = self._n_frames()
        window, hop = n_samples(self.window, rate), n_samples(self.hop, rate)
        n_mels = int(self.n_mels)
        available = 1 + (signal.size - window) // hop
        n_segments = count_segments(available, size, step, self.remainder)
        needed = size + (n_segments - 1) * step
        count = min(needed, available)
        # Of exactly this size, because the segments keep all of it alive.
        energies = np.empty((needed, n_mels), np.float32)
        self._log_mel(signal[: window + (count - 1) * hop], rate, energies[:count])
        energies[count:] = energies[count - 1]
        if step == size:
            return energies.reshape(n_segments, -1)
        return frame_signal(energies.ravel(), size * n_mels, step * n_mels).copy()
