"""Log-mel energies with pitch and energy, frame by frame (Li et al., 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._sklearn import Interval, StrOptions
from ._base import Features
from ._frame_base import POSITIVE, MelTransformer, numbered
from ._frames import (
    DB_PER_NEPER,
    MIN_POWER,
    frame_signal,
    n_samples,
)
from ._pitch import CUTOFF, SOFT_MIN_F0, track_pitch


class LogMelProsody(MelTransformer):
    """Log-mel energies, pitch and energy of recordings: the 43 of Li et al. (2020).

    Each frame has 40 log-mel energies, the fundamental frequency, the normalised
    cross-correlation (NCCF) at that period, which tells how voiced the frame is, and
    the energy. By default each recording becomes a sequence of 14 s, as in the paper
    [1]_: a longer one is cut to its middle, and the frames of a shorter one are
    repeated.

    Parameters
    ----------
    n_mels : int, default=40
        Number of mel bands (Slaney's, as in librosa).
    window : float, default=0.040
        Length of a frame in seconds, rounded to whole samples; of the pitch too.
    hop : float, default=0.010
        Time from the start of one frame to the next in seconds, rounded to whole
        samples.
    f_min : float, default=0.0
        Lower edge of the first band in Hz.
    f_max : float or None, default=None
        Upper edge of the last band in Hz; None is half the sampling rate; the bands
        then change with it. The paper states neither edge.
    n_fft : int or None, default=None
        Length in samples to which a frame is padded with zeros for the Fourier
        transform of the mel bands; None is the smallest power of two that holds it.
    window_type : {"boxcar", "hamming", "hann"}, default="hamming"
        Shape of the window of the mel bands; pitch and energy have none.
    min_f0, max_f0 : float, default=50.0, 400.0
        Lowest and highest pitch in Hz that is looked for, between 10 and 1000; the
        defaults are those of the tracker [2]_. Voices of high activation can exceed
        400 Hz.
    duration : float or None, default=14.0
        Length in seconds of what is kept from the middle of a longer recording; None
        keeps all of it.
    shorter : {"repeat", "keep"}, default="repeat"
        What happens to a recording shorter than ``duration``: its frames are repeated
        in a cycle until there are as many as in that time (the "cycle repeat mode" of
        the paper), or it keeps its length. The repeated frames add no information:
        where sequences may differ in length, ``"keep"`` saves time and memory.
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
        Of the class: the settings of papers, for ``from_preset``; ``"li2020"`` are
        the defaults.

    See Also
    --------
    LogMel : The log-mel energies alone.
    sklearn_ser.SpeedPerturbation : The paper's augmentation of the training data.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``. Nothing is
    normalised, as in the paper: log-mel energies and energy are in dB, f0 is in Hz,
    the NCCF lies in [-1, 1]. No frame reaches beyond the recording: there are ``1 +
    (n_samples - window) // hop``, 1397 in 14 s.

    The pitch is that of [2]_, without its post-processing. It is defined in every
    frame, and continues smoothly where there is no voice; the NCCF is low there. The
    energy is the mean power of a frame relative to full scale, at least -100 dB as the
    mel bands are.

    The paper does not say whether the signal or its features are repeated. Here the
    features are repeated, in a fraction of the time. Only the few frames across the
    seams differ: in a repeated signal they contain both the end and the beginning of an
    utterance.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.
    .. [2] P. Ghahremani, B. BabaAli, D. Povey, K. Riedhammer, J. Trmal and
       S. Khudanpur, "A pitch extraction algorithm tuned for automatic speech
       recognition", ICASSP, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import LogMelProsody
    >>> times = np.arange(16000) / 16000
    >>> voice = sum(np.cos(2 * np.pi * 120 * k * times) / k for k in range(1, 9)) / 4
    >>> LogMelProsody().fit_transform([voice])[0].shape
    (1397, 43)
    >>> extractor = LogMelProsody(shorter="keep")
    >>> frames = extractor.fit_transform([voice])[0]
    >>> frames.shape
    (97, 43)
    >>> extractor.get_feature_names_out()[-3:]
    array(['f0', 'nccf', 'energy'], dtype=object)
    >>> bool(np.allclose(frames[:, 40], 120, rtol=0.01))
    True
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "li2020": {
            "n_mels": 40,
            "window": 0.040,
            "hop": 0.010,
            "duration": 14.0,
            "shorter": "repeat",
        }
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MelTransformer._parameter_constraints,
        "min_f0": [Interval(Real, SOFT_MIN_F0, None, closed="left")],
        "max_f0": [Interval(Real, 0, CUTOFF, closed="right")],
        "duration": [POSITIVE, None],
        "shorter": [StrOptions({"repeat", "keep"})],
    }

    def __init__(
        self,
        n_mels: int = 40,
        *,
        window: float = 0.040,
        hop: float = 0.010,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_fft: int | None = None,
        window_type: str = "hamming",
        min_f0: float = 50.0,
        max_f0: float = 400.0,
        duration: float | None = 14.0,
        shorter: str = "repeat",
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
        self.min_f0 = min_f0
        self.max_f0 = max_f0
        self.duration = duration
        self.shorter = shorter

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_mels + 3,) and dtype object
            ``logmel00`` and so on from the lowest band, ``f0``, ``nccf``, ``energy``.
        """
        self._check_params()
        names = [*numbered("logmel", self.n_mels), "f0", "nccf", "energy"]
        return np.array(names, dtype=object)

    def _check_settings(self, rate: int | None) -> None:
        """Check also that there are pitches to choose from, and a frame at all."""
        super()._check_settings(rate)
        if self.min_f0 >= self.max_f0:
            raise ValueError(
                f"min_f0={self.min_f0:g} Hz must be lower than max_f0="
                f"{self.max_f0:g} Hz."
            )
        if self.duration is not None and self.duration < self.window:
            raise ValueError(
                f"duration={self.duration:g} s holds no frame of window="
                f"{self.window:g} s: raise it, or take duration=None."
            )

    def _compute_frames(self, signal: Features, rate: int) -> Features:
        """Compute the features of a signal, cut or repeated."""
        if self.duration is None:
            return self._features(signal, rate)
        length = n_samples(self.duration, rate)
        start = max(0, signal.size - length) // 2
        features = self._features(signal[start : start + length], rate)
        if self.shorter == "keep":
            return features
        window, hop = n_samples(self.window, rate), n_samples(self.hop, rate)
        # Row by row in a cycle, as numpy's resize fills an array.
        return np.resize(features, (1 + (length - window) // hop, features.shape[1]))

    def _features(self, signal: Features, rate: int) -> Features:
        """Compute the (n_frames, n_mels + 3) features of a signal."""
        window, hop = n_samples(self.window, rate), n_samples(self.hop, rate)
        frames = frame_signal(signal, window, hop)
        features = np.empty((len(frames), self.n_mels + 3), np.float32)
        self._log_mel(signal, rate, out=features[:, : self.n_mels])
        features[:, self.n_mels : -1] = track_pitch(
            signal,
            rate,
            window=self.window,
            hop=self.hop,
            min_f0=self.min_f0,
            max_f0=self.max_f0,
        )
        power = np.square(frames).mean(axis=1)
        features[:, -1] = DB_PER_NEPER * np.log(np.maximum(power, MIN_POWER))
        return features
