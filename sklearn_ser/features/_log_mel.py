"""Log-mel energies, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import Features
from ._frame_base import POSITIVE, MelTransformer, numbered
from ._frames import SILENCE_DB, n_samples


class LogMel(MelTransformer):
    """Log-mel energies of recordings, by default the 26 of Lian et al. (2018).

    Each recording becomes a sequence of frames: windows of the signal whose power
    spectra are summed in bands on the mel scale, as logarithms. By default it is cut
    to 9 s, or padded with zeros at its end, as the paper does; ``duration=None``
    keeps its length.

    Parameters
    ----------
    n_mels : int, default=26
        Number of mel bands (Slaney's, as in librosa).
    window : float, default=0.025
        Length of a frame in seconds, rounded to whole samples.
    hop : float, default=0.010
        Time from the start of one frame to the next in seconds, rounded to whole
        samples. The paper says that frames overlap by 15 ms.
    f_min : float, default=0.0
        Lower edge of the first band in Hz.
    f_max : float or None, default=6500.0
        Upper edge of the last band in Hz; None is half the sampling rate; the bands
        then change with it.
    n_fft : int or None, default=None
        Length in samples to which a frame is padded with zeros for its Fourier
        transform; None is the smallest power of two that holds it, at 16 kHz the 512
        of the paper.
    window_type : {"boxcar", "hamming", "hann"}, default="hamming"
        Shape of the window.
    duration : float or None, default=9.0
        Length in seconds to which a recording is cut or padded at its end; None keeps
        its length. Zeros have -100 dB in each band.
    top_db : float or None, default=None
        The range in dB that is kept: values further below the highest one of the
        recording are raised. librosa's ``power_to_db`` does so with 80 by default; the
        paper does not say. Frames then depend on their recording.
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
        Of the class: the settings of papers, for ``from_preset``. ``"lian2018"`` [1]_
        are the defaults; ``"li2020"`` [2]_ has 40 bands up to half the sampling rate
        in frames of 40 ms, of the whole recording.

    See Also
    --------
    MFCC : The same energies, decorrelated.
    LogMelSegmenter : The same energies in segments of several frames.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``. The frames are not
    normalised. Lian et al. standardise all features before training, and do not say
    over which data. No frame reaches beyond the signal: there are
    ``1 + (n_samples - window) // hop``, 898 in 9 s. A recording shorter than one window
    is faulty.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under Siamese networks", ASMMC-MMAC, 2018.
    .. [2] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import LogMel
    >>> tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
    >>> LogMel().fit_transform([tone])[0].shape
    (898, 26)
    >>> LogMel.from_preset("li2020").fit_transform([tone])[0].shape
    (97, 40)
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "lian2018": {
            "n_mels": 26,
            "window": 0.025,
            "hop": 0.010,
            "f_max": 6500.0,
            "duration": 9.0,
        },
        "li2020": {
            "n_mels": 40,
            "window": 0.040,
            "hop": 0.010,
            "f_max": None,
            "duration": None,
        },
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MelTransformer._parameter_constraints,
        "duration": [POSITIVE, None],
        "top_db": [POSITIVE, None],
    }

    def __init__(
        self,
        n_mels: int = 26,
        *,
        window: float = 0.025,
        hop: float = 0.010,
        f_min: float = 0.0,
        f_max: float | None = 6500.0,
        n_fft: int | None = None,
        window_type: str = "hamming",
        duration: float | None = 9.0,
        top_db: float | None = None,
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
        self.duration = duration
        self.top_db = top_db

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the bands, from the lowest one.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_mels,) and dtype object
            ``logmel00`` and so on.
        """
        self._check_params()
        return np.array(numbered("logmel", self.n_mels), dtype=object)

    def _check_settings(self, rate: int | None) -> None:
        """Check that there are such windows and bands, and a frame in the duration."""
        super()._check_settings(rate)
        if self.duration is not None and self.duration < self.window:
            raise ValueError(
                f"duration={self.duration:g} s holds no frame of window="
                f"{self.window:g} s: raise it, or take duration=None."
            )

    def _compute_frames(self, signal: Features, rate: int) -> Features:
        """Compute the log-mel energies of a signal, cut or padded."""
        if self.duration is None:
            energies = self._log_mel(signal, rate)
        else:
            energies = self._cut_or_padded(signal, n_samples(self.duration, rate), rate)
        if self.top_db is not None:
            np.maximum(energies, energies.max() - self.top_db, out=energies)
        return energies

    def _cut_or_padded(self, signal: Features, length: int, rate: int) -> Features:
        """Compute the energies of a signal as if it had a length in samples."""
        window, hop = n_samples(self.window, rate), n_samples(self.hop, rate)
        n_frames = 1 + (length - window) // hop
        energies = np.full((n_frames, self.n_mels), SILENCE_DB, np.float32)
        # The values after the last frame that reaches into the signal are known.
        count = min(n_frames, -(-signal.size // hop))
        end = window + (count - 1) * hop
        signal = np.pad(signal[:end], (0, max(0, end - signal.size)))
        self._log_mel(signal, rate, energies[:count])
        return energies
