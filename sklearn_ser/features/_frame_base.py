"""What the front ends over frames share: presets, checks and the key of the cache."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from importlib.metadata import version
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from .._sklearn import Interval, StrOptions
from ..audio import AudioError
from ._base import Features, RecordingTransformer
from ._frames import (
    fft_length,
    log_mel,
    mel_filters,
    n_samples,
)

POSITIVE = Interval(Real, 0, None, closed="neither")


class FrameTransformer(RecordingTransformer):
    """Base class of the front ends that give frames, or segments of frames.

    A front end computes them in ``_compute_frames`` and says in
    ``_check_settings`` whether its parameters fit together.

    Parameters
    ----------
    window, hop : float
        Length of a frame, and time from one frame to the next, in seconds.
    f_max : float or None
        The highest frequency in Hz; None is half the sampling rate.
    n_fft : int or None
        Length of the Fourier transform in samples.
    window_type : {"boxcar", "hamming", "hann"}
        Shape of the window.
    **options
        The parameters of ``RecordingTransformer``.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecordingTransformer._parameter_constraints,
        "window": [POSITIVE],
        "hop": [POSITIVE],
        "f_max": [POSITIVE, None],
        "n_fft": [Interval(Integral, 1, None, closed="left"), None],
        "window_type": [StrOptions({"boxcar", "hamming", "hann"})],
    }

    def __init__(
        self,
        *,
        window: float,
        hop: float,
        f_max: float | None,
        n_fft: int | None,
        window_type: str,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.window = window
        self.hop = hop
        self.f_max = f_max
        self.n_fft = n_fft
        self.window_type = window_type

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> Self:
        """Make a transformer with the settings of a paper.

        Parameters
        ----------
        name : str
            One of the keys of ``presets``, which holds the settings.
        **changes
            Parameters that differ from the preset, or that it does not name.

        Returns
        -------
        transformer
            A new transformer; its parameters tell all that was set.

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        if name not in cls.presets:
            known = ", ".join(repr(preset) for preset in sorted(cls.presets))
            raise ValueError(f"{cls.__name__} has no preset {name!r}: choose {known}.")
        return cls(**{**cls.presets[name], **changes})

    @abstractmethod
    def _check_settings(self, rate: int | None) -> None:
        """Raise ValueError where parameters do not fit together, or not at a rate."""

    @abstractmethod
    def _compute_frames(self, signal: Features, rate: int) -> Features:
        """Compute (n_frames, n_features) of a signal of at least one window."""

    def _check_params(self) -> None:
        """Check each parameter, and then whether they fit together."""
        super()._check_params()
        self._check_settings(self.sampling_rate)

    def _extract(self, signal: Features, rate: int) -> Features:
        """Compute the frames of one signal, if it has any."""
        if self.sampling_rate is None:
            try:
                self._check_settings(rate)
            except ValueError as error:
                raise AudioError(
                    f"its sampling rate of {rate} Hz does not fit the settings: {error}"
                ) from error
        if signal.size < n_samples(self.window, rate):
            raise AudioError(
                f"its {signal.size / rate:.4g} s are too short: a frame needs "
                f"{self.window:g} s; leave it out."
            )
        return self._compute_frames(signal, rate)

    def _is_ragged(self) -> bool:
        """Tell that the features come in frames."""
        return True


class MelTransformer(FrameTransformer):
    """Base class of the front ends that begin with log-mel energies.

    Parameters
    ----------
    n_mels : int
        Number of mel bands.
    f_min : float
        Lower edge of the first band in Hz.
    **options
        The parameters of ``FrameTransformer``.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **FrameTransformer._parameter_constraints,
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "f_min": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, n_mels: int, f_min: float, **options: Any) -> None:
        super().__init__(**options)
        self.n_mels = n_mels
        self.f_min = f_min

    def _check_settings(self, rate: int | None) -> None:
        """Check that there are such windows and mel bands."""
        if rate is None:
            return
        n_samples(self.hop, rate)
        n_fft = fft_length(n_samples(self.window, rate), self.n_fft)
        mel_filters(rate, n_fft, self.n_mels, self.f_min, self.f_max)

    def _log_mel(
        self, signal: Features, rate: int, out: Features | None = None
    ) -> Features:
        """Compute the (n_frames, n_mels) log-mel energies of a signal in dB."""
        return log_mel(
            signal,
            rate,
            window=self.window,
            hop=self.hop,
            n_mels=self.n_mels,
            f_min=self.f_min,
            f_max=self.f_max,
            n_fft=self.n_fft,
            window_type=self.window_type,
            out=out,
        )

    def _settings(self) -> tuple[object, ...]:
        """Return all, save the sampling rate, that the features depend on."""
        return *super()._settings(), version("librosa")


def numbered(name: str, count: int) -> list[str]:
    """Append numbers to a name, from 0 and with as many digits as the last needs."""
    digits = len(str(count - 1))
    return [f"{name}{index:0{digits}}" for index in range(count)]
