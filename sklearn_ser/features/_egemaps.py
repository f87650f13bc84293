"""openSMILE's acoustic feature sets, eGeMAPS above all."""

from __future__ import annotations

import os
import threading
import weakref
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._foreign import forget_callbacks
from .._sklearn import StrOptions
from ..audio import AudioError
from ._base import Features, RecordingTransformer

# The configuration files of openSMILE, and the least length in seconds from which a
# set gives features: that of its longest frame, on which the pitch is computed.
FEATURE_SETS = {
    "eGeMAPSv02": ("egemaps/v02/eGeMAPSv02", 0.06),
    "eGeMAPSv01b": ("egemaps/v01b/eGeMAPSv01b", 0.06),
    "GeMAPSv01b": ("gemaps/v01b/GeMAPSv01b", 0.06),
    "ComParE_2016": ("compare/ComParE_2016", 0.06),
    "emobase": ("emobase/emobase", 0.04),
}
LEVELS = {"functionals": "func", "low_level_descriptors": "lld"}
# The largest sample of 16 bits; +1.0 would wrap round to -1.0.
LARGEST_SAMPLE = np.float32(32767 / 32768)
# Decoders and resampling overshoot by a little, which nobody hears.
OVERSHOOT = 1.05
# Engines that a thread keeps: recordings rarely have more different rates.
N_ENGINES = 8


class EGeMAPS(RecordingTransformer):
    """Acoustic features of recordings by openSMILE, by default the 88 of eGeMAPSv02.

    The extended Geneva minimalistic acoustic parameter set [1]_ describes a
    recording by functionals (means, variations, percentiles, slopes) of pitch,
    loudness, spectrum, formants and voice quality. The features equal those of
    openSMILE's Python package bit for bit, except where that package is wrong:
    samples at full scale are clipped here and do not wrap round from +1 to -1, and
    recordings with NaN, unscaled integers or too few samples raise an error.

    openSMILE [2]_ is free for research and not for commercial use; it is installed
    with ``pip install "sklearn-ser[egemaps]"``.

    Parameters
    ----------
    feature_set : {"eGeMAPSv02", "eGeMAPSv01b", "GeMAPSv01b", "ComParE_2016", \
"emobase"}, default="eGeMAPSv02"
        The set of features: 88, 88, 62, 6373 and 988 functionals, or 25, 23, 18, 65
        and 26 low-level descriptors.
    level : {"functionals", "low_level_descriptors"}, default="functionals"
        Whether each recording gives one row of functionals, or a sequence of
        descriptors, one frame every 10 ms.
    sampling_rate : int or None, default=16000
        The rate in Hz, at least 1000, to which recordings are resampled. None keeps
        the rate of each recording. The features depend on it.
    channel : "mean" or int, default="mean"
        Which channel of a recording is taken, counted from 0, or the mean of all.
        A silent channel beside others is warned of; channels that cancel each other
        in their mean are a fault.
    n_jobs : int or None, default=None
        Number of threads; None means 1 unless in a :obj:`joblib.parallel_config`
        context, -1 means all processors. openSMILE lets them run side by side.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the features of each recording are cached, by default nowhere. The
        content of a recording and the settings are the key: a renamed file is found
        again, a changed one is not, and faulty recordings are never cached.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does. "raise" raises an error at once; "nan" gives a row
        of NaN, or a sequence without frames; "warn" does the same, and lists all such
        recordings in one warning at the end.
    verbose : bool, default=False
        Whether to show a progress bar over the recordings.

    See Also
    --------
    sklearn_ser.audio.load_audio : Reads one recording and says what is wrong with it.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``.

    The shortest recording that gives features is 0.06 s long (emobase: 0.04 s).

    References
    ----------
    .. [1] F. Eyben et al., "The Geneva minimalistic acoustic parameter set (GeMAPS)
       for voice research and affective computing", IEEE Transactions on Affective
       Computing 7(2), 2016.
    .. [2] F. Eyben, M. Wöllmer and B. Schuller, "openSMILE: the Munich versatile and
       fast open-source audio feature extractor", ACM Multimedia, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import EGeMAPS
    >>> times = np.arange(16000) / 16000
    >>> voices = [0.5 * np.sin(2 * np.pi * pitch * times) for pitch in (110, 220)]
    >>> features = EGeMAPS().fit_transform(voices)
    >>> features.shape
    (2, 88)
    >>> frames = EGeMAPS(level="low_level_descriptors").fit_transform(voices)
    >>> frames[0].shape
    (96, 25)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecordingTransformer._parameter_constraints,
        "feature_set": [StrOptions(set(FEATURE_SETS))],
        "level": [StrOptions(set(LEVELS))],
    }

    def __init__(
        self,
        feature_set: str = "eGeMAPSv02",
        level: str = "functionals",
        *,
        sampling_rate: int | None = 16000,
        channel: str | int = "mean",
        n_jobs: int | None = None,
        memory: Any = None,
        on_error: str = "raise",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            sampling_rate=sampling_rate,
            channel=channel,
            n_jobs=n_jobs,
            memory=memory,
            on_error=on_error,
            verbose=verbose,
        )
        self.feature_set = feature_set
        self.level = level

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return openSMILE's names of the features.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_features,) and dtype object
            The names.
        """
        self._check_params()
        return np.array(_feature_names(self.feature_set, self.level), dtype=object)

    def _note(self, signal: Features) -> str | None:
        """Return what a warning should say of a signal that has features."""
        if np.abs(signal).max() <= OVERSHOOT:
            return None
        return (
            "openSMILE clips the samples, which pass 1: scale them to [-1, 1], for "
            "instance by the largest."
        )

    def _extract(self, signal: Features, rate: int) -> Features:
        """Run openSMILE on one signal."""
        samples = (np.clip(signal, -1, LARGEST_SAMPLE) * 32768).astype(np.int16)
        features = _run(self.feature_set, self.level, rate, samples)
        if np.isnan(features).any():
            raise AudioError("openSMILE computes NaN from it; leave it out.")
        if not len(features):
            least = FEATURE_SETS[self.feature_set][1]
            raise AudioError(
                f"its {signal.size / rate:.3f} s are too short: {self.feature_set} "
                f"needs at least {least:g} s; leave it out."
            )
        return features if self._is_ragged() else features[0]

    def _settings(self) -> tuple[object, ...]:
        """Return all, save the sampling rate, that the features depend on."""
        return "openSMILE", _opensmile().__version__, self.feature_set, self.level

    def _is_ragged(self) -> bool:
        """Tell whether the features come in frames."""
        return self.level == "low_level_descriptors"


def _opensmile() -> ModuleType:
    """Import openSMILE, or say how to get it."""
    try:
        import opensmile
    except ModuleNotFoundError as error:
        if error.name != "opensmile":  # it is there, but a package that it needs is not
            raise
        raise ImportError(
            "EGeMAPS needs openSMILE, which is free for research and not for "
            "commercial use (see its licence): install it with "
            '`pip install "sklearn-ser[egemaps]"`.'
        ) from error
    module: ModuleType = opensmile
    return module


class _Engine:
    """openSMILE set up for one feature set, level and rate; for one thread only.

    Setting it up takes as long as a good part of a second of speech, so it is reused:
    after a reset it gives the same bits as a new one.
    """

    def __init__(self, feature_set: str, level: str, rate: int) -> None:
        package = _opensmile()
        from opensmile.core.config import config
        from opensmile.core.lib import OpenSMILE

        root = Path(package.__file__ or "").parent / "core" / config.CONFIG_ROOT
        self._source = config.EXTERNAL_SOURCE_COMPONENT
        self._sink = config.EXTERNAL_OUTPUT_COMPONENT
        self._smile = OpenSMILE()
        # Bound to the openSMILE object and to this process: a fork has a copy of the
        # memory, but not of the threads that were at work in it.
        finalizer = weakref.finalize(self, _free, self._smile, os.getpid())
        finalizer.atexit = False
        self._smile.initialize(
            str(root / (FEATURE_SETS[feature_set][0] + config.CONFIG_EXT)),
            {
                "source": root / config.EXTERNAL_INPUT_CONFIG,
                "sink": root / config.EXTERNAL_OUTPUT_SINGLE_CONFIG,
                "sinkLevel": LEVELS[level],
                "bufferModeRbConf": root / "shared/BufferModeRb.conf.inc",
                "frameModeFunctionalsConf": (
                    root / "shared/FrameModeFunctionals.conf.inc"
                ),
                "sampleRate": rate,
                "nBits": 16,
            },
        )
        self._is_new = True

    def __call__(self, samples: NDArray[np.int16]) -> Features:
        """Return the (n_frames, n_features) that openSMILE gives for 16-bit samples."""
        smile = self._smile
        frames: list[Features] = []
        if not self._is_new:
            smile.reset()
        self._is_new = False
        # A reset forgets the callback; openSMILE's package would keep them all.
        forget_callbacks(smile)
        smile.external_sink_set_callback_ex(
            self._sink, lambda data, meta: frames.append(data.copy())
        )
        if not smile.external_audio_source_write_data(self._source, samples.tobytes()):
            raise AudioError("it is too long for openSMILE: cut it into segments.")
        smile.external_audio_source_set_eoi(self._source)
        smile.run()
        features = np.concatenate(frames or [np.empty((0, 0), np.float32)])
        frames.clear()  # the callback lives until the next run
        return features

    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        count = self._smile.external_sink_get_num_elements(self._sink)
        return tuple(
            self._smile.external_sink_get_element_name(self._sink, index)
            for index in range(count)
        )


def _free(smile: Any, process: int) -> None:
    """Free what openSMILE holds, in the process that made it."""
    if os.getpid() == process:
        smile.free()


class _Engines(threading.local):
    """The engines of a thread, freed with it."""

    def __init__(self) -> None:
        self.get = lru_cache(N_ENGINES)(_new_engine)


def _new_engine(feature_set: str, level: str, rate: int, process: int) -> _Engine:
    """Set up an engine for this thread and process."""
    return _Engine(feature_set, level, rate)


_engines = _Engines()


def _run(
    feature_set: str, level: str, rate: int, samples: NDArray[np.int16]
) -> Features:
    """Run the engine of this thread."""
    _opensmile()
    from opensmile.core.lib import OpenSmileException

    try:
        return _engines.get(feature_set, level, rate, os.getpid())(samples)
    except BaseException as error:
        # The state of an engine that was interrupted is unknown: take new ones.
        _engines.get.cache_clear()
        if isinstance(error, OpenSmileException):
            raise AudioError(
                f"openSMILE fails on it ({error}); leave it out."
            ) from error
        raise


@lru_cache
def _feature_names(feature_set: str, level: str) -> tuple[str, ...]:
    """Ask openSMILE for the names of its features."""
    return _Engine(feature_set, level, 16000).names()
