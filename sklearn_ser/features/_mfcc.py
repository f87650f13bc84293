"""Mel-frequency cepstral coefficients, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from .._sklearn import Interval
from ._base import Features
from ._frame_base import numbered
from ._log_mel import LogMel


class MFCC(LogMel):
    """Mel-frequency cepstral coefficients, by default the 13 of Lian et al. (2018).

    Each recording becomes a sequence of frames. A frame holds the first coefficients of
    the orthonormal discrete cosine transform (DCT-II) of the log-mel energies that
    :class:`LogMel` gives. The values equal those of ``librosa.feature.mfcc``, except
    that by default it keeps a range of 80 dB (``top_db=80``) and takes 128 bands.

    Parameters
    ----------
    n_mfcc : int, default=13
        Number of coefficients, from the zeroth; at most ``n_mels``.
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
        Upper edge of the last band in Hz; None is half the sampling rate, with which
        the bands then change.
    n_fft : int or None, default=None
        Length in samples to which a frame is padded with zeros for its Fourier
        transform; None is the smallest power of two that holds it, at 16 kHz the 512
        of the paper.
    window_type : {"boxcar", "hamming", "hann"}, default="hamming"
        Shape of the window.
    duration : float or None, default=9.0
        Length in seconds to which a recording is cut or padded at its end; None keeps
        its length. Frames of zeros have ``-100 * sqrt(n_mels)`` in the zeroth
        coefficient and 0 in the others.
    top_db : float or None, default=None
        The range in dB that is kept: values further below the highest one of the
        recording are raised before the transform. ``librosa.feature.mfcc`` does so with
        80; the paper does not say. Frames then depend on their recording.
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
        Of the class: the settings of papers, for ``from_preset``; ``"lian2018"`` [1]_
        are the defaults.

    See Also
    --------
    LogMel : The energies themselves.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``. The frames are not
    normalised; Lian et al. standardise all features before training, and do not say
    over which data. No frame reaches beyond the signal: there are
    ``1 + (n_samples - window) // hop``, 898 in 9 s. A recording shorter than one window
    is faulty.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under Siamese networks", ASMMC-MMAC, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import MFCC
    >>> tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
    >>> MFCC().fit_transform([tone])[0].shape
    (898, 13)
    >>> MFCC(duration=None).fit_transform([tone])[0].shape
    (98, 13)
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "lian2018": {"n_mfcc": 13, **LogMel.presets["lian2018"]},
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LogMel._parameter_constraints,
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_mfcc: int = 13,
        *,
        n_mels: int = 26,
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
            n_mels,
            window=window,
            hop=hop,
            f_min=f_min,
            f_max=f_max,
            n_fft=n_fft,
            window_type=window_type,
            duration=duration,
            top_db=top_db,
            sampling_rate=sampling_rate,
            channel=channel,
            n_jobs=n_jobs,
            memory=memory,
            on_error=on_error,
            verbose=verbose,
        )
        self.n_mfcc = n_mfcc

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the coefficients, from the zeroth one.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_mfcc,) and dtype object
            ``mfcc00`` and so on.
        """
        self._check_params()
        return np.array(numbered("mfcc", self.n_mfcc), dtype=object)

    def _check_settings(self, rate: int | None) -> None:
        """Check what LogMel checks, and that there are as many coefficients."""
        super()._check_settings(rate)
        if self.n_mfcc > self.n_mels:
            raise ValueError(
                f"n_mfcc={self.n_mfcc} coefficients cannot come from n_mels="
                f"{self.n_mels} bands: lower n_mfcc or raise n_mels."
            )

    def _compute_frames(self, signal: Features, rate: int) -> Features:
        """Compute the cepstral coefficients of a signal, cut or padded."""
        energies = super()._compute_frames(signal, rate)
        cepstra = dct(energies, norm="ortho", overwrite_x=True)
        return np.ascontiguousarray(cepstra[:, : self.n_mfcc])
