"""Recordings in: reading, cutting, mixing down, resampling and fault checks.

A *recording* is one of

- a path (``str`` or :class:`os.PathLike`) to a WAV, FLAC, OGG or MP3 file, or to
  any other file that libsndfile reads; M4A, AAC, WMA and videos are decoded by ffmpeg
  where it is installed;
- a segment ``(path, start, end)``, in seconds (numbers or :class:`pandas.Timedelta`);
  None, NaN or NaT as the start means the beginning of the file, and as the end its end;
- a 1-D float waveform, which must have the sampling rate that is asked for;
- a ``(waveform, sampling_rate)`` tuple, or a dict with ``"array"`` and
  ``"sampling_rate"``.

Waveforms may be tensors of torch, and have one more dimension of length one. In a path,
``~`` is the home directory.

Whatever is wrong with a recording raises :class:`AudioError`, whose message names
the recording and the remedy; so does a file that cannot be read to its end.
Truncation is found where the format tells the length: in WAV, RF64, Wave64, AIFF, AU,
CAF and NIST SPHERE (the size of the audio), FLAC, OGG (all pages with their checksums)
and MP3 (the frames, which are counted, and what the encoder's header promises). It
cannot be found in an MP3 without such a header that ends between two frames, in the
rarer formats, or in a WAV that was written to a pipe and does not know its own length.
A segment of a FLAC file is not refused for a fault outside it.
"""

from __future__ import annotations

import hashlib
import math
import numbers
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache, partial
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import soundfile as sf
import soxr
from numpy.typing import NDArray

from . import _ffmpeg
from ._collections import column_names, is_text, to_list, to_numpy
from ._containers import missing_audio
from ._mpeg import scan
from ._warnings import warn_user

__all__ = ["AudioError", "AudioFileNotFoundError", "as_recordings", "load_audio"]

Recording: TypeAlias = str | os.PathLike[str] | tuple[Any, ...] | NDArray[Any]

# Float audio lies in [-1, 1]; decoders and mixes overshoot a little, integers that
# were converted to float without scaling overshoot by thousands.
MAX_AMPLITUDE = 4.0
# Files that are recordings, by their names.
SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc"),
    *(".au", ".snd", ".caf", ".w64", ".rf64", ".sph"),
    *_ffmpeg.SUFFIXES,
)
# How a text file begins that stands for a recording where Git LFS has not fetched it.
POINTER = b"version https://git-lfs"
# Annotations are rounded: a segment may end this much (in seconds) after its file.
END_TOLERANCE = 0.01
# Encoders and decoders may disagree by the last MPEG frame (in samples).
MPEG_FRAME = 1152
# Rates of recordings in Hz, wide: resampling from 1 Hz, or to 10^15, takes for ever,
# and openSMILE crashes the process at either end.
RATES = 1_000, 768_000
# Channels of one sound in two microphones never cancel to this share of their power;
# an inverted channel leaves nothing.
CANCELLED = 0.01


class AudioError(ValueError):
    """A recording cannot be used; the message names it and the remedy.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import load_audio
    >>> load_audio(np.zeros(0))
    Traceback (most recent call last):
    ...
    sklearn_ser.audio.AudioError: waveform: it holds no samples; leave it out.
    """


class AudioFileNotFoundError(AudioError, FileNotFoundError):
    """The file of a recording does not exist."""

    # That of ValueError, which comes first, refuses what is an OSError, too: Dask asks
    # it where an error comes from another process.
    __new__ = FileNotFoundError.__new__  # type: ignore[assignment]


def as_recordings(X: Any) -> NDArray[np.object_]:
    """Turn a collection of recordings into a 1-D object array.

    NumPy would turn a list of tuples or of waveforms of equal length into a 2-D
    array; this function never does. Here the elements are only collected:
    :func:`load_audio` checks them.

    Parameters
    ----------
    X : collection of n recordings
        One of

        - a list, a tuple, a 1-D array or a pandas Series of recordings (see
          :mod:`sklearn_ser.audio`);
        - a DataFrame with the column ``file`` and optionally ``start`` and
          ``end`` in seconds, or with one column alone, of any name;
        - an audformat index, filewise (a pandas Index) or segmented (a MultiIndex
          with the levels ``file``, ``start`` and ``end``), or a Series or
          DataFrame of labels with such an index: one whose values are recordings
          is read by its values;
        - a polars Series or DataFrame, a pyarrow array or table, a Hugging Face
          dataset with the column ``audio``, or such a column;
        - a 2-D array or tensor of numbers, one waveform in each row, or an array of
          shape (n, 1) of recordings.

    Returns
    -------
    ndarray of shape (n,) and dtype object
        The recordings.

    Raises
    ------
    ValueError
        If ``X`` is a single recording, or not a collection of recordings.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.audio import as_recordings
    >>> table = pd.DataFrame({"file": ["a.wav", "a.wav"], "start": [0, 1.5],
    ...                       "end": [1.5, None]})
    >>> as_recordings(table)
    array([('a.wav', 0.0, 1.5), ('a.wav', 1.5, nan)], dtype=object)
    """
    X = to_numpy(X)
    if _is_single(X):
        raise ValueError(
            f"X is one recording ({describe(X)}), not a collection: wrap it in a list."
        )
    items = _items(X)
    return np.fromiter(map(as_recording, items), dtype=object, count=len(items))


def as_recording(item: Any) -> Any:
    """Bring a recording into one of the forms that are read.

    Parameters
    ----------
    item : Any
        A recording as it may come from elsewhere: with a tensor, with an array of shape
        (1, n_samples), as a dict with ``"array"`` and ``"sampling_rate"``, or as a path
        that begins with ``~``.

    Returns
    -------
    Any
        A recording, see :mod:`sklearn_ser.audio`; what is none is returned as it is.
    """
    if hasattr(item, "get_all_samples"):  # decodes what it is asked for
        item = {name: item[name] for name in ("array", "sampling_rate")}
    if isinstance(item, Mapping):
        if item.get("array") is None:
            return as_recording(item["path"]) if "path" in item else item
        return as_recording((item["array"], item.get("sampling_rate")))
    if isinstance(item, tuple) and item:
        first = as_recording(item[0])
        return item if first is item[0] else (first, *item[1:])
    if isinstance(item, str | os.PathLike):
        path = os.fspath(item)
        return os.path.expanduser(path) if str(path).startswith("~") else item
    item = to_numpy(item)
    if isinstance(item, np.ndarray) and item.ndim == 2 and 1 in item.shape:
        return item.reshape(-1)
    return item


def _is_single(X: Any) -> bool:
    """Tell whether X is one recording where a collection is wanted."""
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind in "fiu"
    if isinstance(X, tuple):  # (path, start, end) or (waveform, rate)
        return any(
            item is None or isinstance(item, numbers.Real | timedelta) for item in X
        )
    if isinstance(X, Mapping):
        return "array" in X or "path" in X
    return isinstance(X, str | os.PathLike)


def _items(X: Any) -> list[Any]:
    """List the recordings in a collection."""
    if isinstance(X, pd.DataFrame | pd.Series | pd.Index):
        return _from_pandas(X)
    if isinstance(X, np.ndarray):
        return _from_array(X)
    names = column_names(X)
    if names is not None:
        return _from_columns(names, lambda name: to_list(X[name]))
    items = to_list(X)
    if items is None:
        raise ValueError(
            "X must be a list, array, Series or Index of recordings, or a table with "
            f"the column 'file'; got {type(X).__name__}."
        )
    return items


def _from_array(X: NDArray[Any]) -> list[Any]:
    """List the recordings in an array."""
    is_column = X.ndim == 2 and X.shape[1] == 1 and X.dtype.kind not in "fiu"
    if is_column:
        X = X[:, 0]
    # In three dimensions each waveform has one channel.
    waveforms = X.dtype.kind in "fiu" and (X.ndim == 2 or X.shape[1:2] == (1,))
    if X.ndim != 1 and not waveforms:
        raise ValueError(
            f"An array of shape {X.shape} and dtype {X.dtype} is not a collection "
            "of recordings: give a list, a 1-D array of recordings, or a 2-D array "
            "of numbers with one waveform in each row."
        )
    return list(X)


def _from_columns(names: list[str], column: Callable[[str], Any]) -> list[Any]:
    """List the recordings in a table."""
    bounds = [name for name in ("start", "end") if name in names]
    if "file" in names and bounds:
        files = column("file")
        limits = (
            column(name) if name in names else [None] * len(files)
            for name in ("start", "end")
        )
        return list(zip(files, *limits, strict=True))
    of_recordings = [name for name in names if name in ("file", "audio")]
    if len(names) == 1 and is_text(column(names[0])):
        of_recordings = names
    if not of_recordings:
        raise ValueError(
            "A table of recordings needs a column 'file', and optionally 'start' and "
            "'end', or one column alone, of paths or recordings; this one has "
            f"{', '.join(map(repr, names))}."
        )
    return list(column("file" if "file" in of_recordings else of_recordings[0]))


def _from_pandas(X: pd.DataFrame | pd.Series | pd.Index) -> list[Any]:
    """List the recordings in a pandas object."""
    index = X if isinstance(X, pd.Index) else X.index
    names = {*index.names}
    if not _has_recordings(X):
        if isinstance(index, pd.MultiIndex) and names == {"file", "start", "end"}:
            levels = [index.get_level_values(n) for n in ("file", "start", "end")]
            return list(zip(*levels, strict=True))
        if names == {"file"}:
            return list(index)
    if isinstance(X, pd.DataFrame):
        return _from_columns([str(name) for name in X], lambda name: _column(X, name))
    if isinstance(X, pd.MultiIndex):
        raise ValueError(
            "A MultiIndex of recordings needs the levels 'file', 'start' and 'end'; "
            f"this one has {', '.join(map(repr, X.names))}."
        )
    return list(X)


def _column(X: pd.DataFrame, name: str) -> pd.Series:
    """Return a column by its name as a text."""
    return X.iloc[:, [str(one) for one in X].index(name)]


def _has_recordings(X: pd.DataFrame | pd.Series | pd.Index) -> bool:
    """Tell whether the values are recordings, and not labels of what the index names.

    Texts are recordings where they look like paths: emotions don't.
    """
    if isinstance(X, pd.Index):
        return False
    if isinstance(X, pd.DataFrame):
        return "file" in X or (X.shape[1] == 1 and _has_recordings(X.iloc[:, 0]))
    first = next((value for value in X if value is not None and value is not pd.NA), 0)
    if isinstance(first, str):
        return bool(os.path.splitext(first)[1]) or os.path.basename(first) != first
    return not isinstance(first, numbers.Number | date | timedelta)


def load_audio(
    recording: Recording,
    sampling_rate: int | None = 16000,
    *,
    channel: str | int = "mean",
) -> tuple[NDArray[np.float32], int]:
    """Read one recording as a mono signal.

    Another rate is converted with soxr in its high quality. Only the wanted part of a
    file is read where seeking is exact to the sample (not in OGG and MP3, which are
    decoded whole and then cut, and not in telephone codecs within WAV, which are
    decoded up to the end of the segment). A silent channel beside others is warned of.

    Parameters
    ----------
    recording : str, os.PathLike, tuple or ndarray of shape (n_samples,)
        A path, ``(path, start, end)`` in seconds, a float waveform in [-1, 1] at
        ``sampling_rate``, or ``(waveform, sampling_rate)``; see
        :mod:`sklearn_ser.audio`. A segment may end up to 10 ms after its file, because
        annotations are rounded; it is then cut there.
    sampling_rate : int or None, default=16000
        The rate of the signal in Hz. None keeps the rate of the recording.
    channel : "mean" or int, default="mean"
        Which channel of a file is taken, counted from 0, or the mean of all.

    Returns
    -------
    signal : ndarray of shape (n_samples,) and dtype float32
        The mono signal; it may share memory with a waveform that was given.
    rate : int
        Its sampling rate in Hz.

    Raises
    ------
    AudioFileNotFoundError
        If the file does not exist.
    AudioError
        If the recording is empty, truncated or not audio, holds NaN, infinity or
        amplitudes far beyond 1 (integers that were never scaled), if its segment, its
        sampling rate or the channel makes no sense, or if its channels cancel each
        other in their mean.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import load_audio
    >>> tone = np.sin(2 * np.pi * 220 * np.arange(8000) / 8000)
    >>> signal, rate = load_audio((tone, 8000))
    >>> signal.shape, signal.dtype, rate
    ((16000,), dtype('float32'), 16000)
    """
    recording = as_recording(recording)
    signal, rate, note = read_signal(recording, sampling_rate, channel)
    if note:
        warn_user(f"{describe(recording)}: {note}")
    return signal, rate


def read_signal(
    recording: Recording, sampling_rate: int | None, channel: str | int
) -> tuple[NDArray[np.float32], int, str | None]:
    """Read one recording as a mono signal, with what may be wrong with it.

    Parameters
    ----------
    recording, sampling_rate, channel
        As in `load_audio`.

    Returns
    -------
    signal : ndarray of shape (n_samples,) and dtype float32
        The mono signal.
    rate : int
        Its sampling rate in Hz.
    note : str or None
        What a warning should say.
    """
    with naming(describe(recording)), _faults_of_reading():
        wanted = None if sampling_rate is None else _check_rate(sampling_rate)
        samples, rate = _read(recording, wanted)
        _check_samples(samples, rate)
        signal, note = _one_channel(samples, channel)
        signal = np.ascontiguousarray(signal, dtype=np.float32)
        if wanted in (None, rate):
            return signal, rate, note
        signal = soxr.resample(signal, rate, wanted, quality="HQ")
        if not signal.size:
            raise AudioError(f"nothing is left of it at {wanted} Hz; leave it out.")
        return signal, wanted, note


def _one_channel(
    samples: NDArray[np.floating[Any]], channel: str | int
) -> tuple[NDArray[np.floating[Any]], str | None]:
    """Take a channel, or the mean, with a note on a channel that is silent."""
    channels = samples.reshape(len(samples), -1)
    n_channels = channels.shape[1]
    if channel != "mean":
        # Of a waveform the channel is chosen already, whichever is taken of files.
        known = n_channels if samples.ndim == 2 else math.inf
        if isinstance(channel, str) or not 0 <= channel < known:
            raise AudioError(
                f"it has no channel {channel!r}, but {n_channels}, counted from 0: "
                "choose one of them, or channel='mean'."
            )
        return channels[:, min(int(channel), n_channels - 1)], None
    if n_channels == 1:
        return channels[:, 0], None
    mean = channels.mean(axis=1)
    power = np.einsum("ij,ij->j", channels, channels, dtype=np.float64)
    if np.square(mean).sum(dtype=np.float64) < CANCELLED * power.mean():
        raise AudioError(
            f"its {n_channels} channels cancel each other in their mean (one is "
            "inverted): take one of them with channel=0."
        )
    silent = np.flatnonzero(power == 0)
    if not 0 < len(silent) < n_channels:
        return mean, None
    sound = int(np.flatnonzero(power)[0])
    return mean, (
        f"channel {silent[0]} of {n_channels} is silent, which makes their mean "
        f"quieter: take another with channel={sound}."
    )


def describe(recording: Any) -> str:
    """Name a recording in a message.

    Parameters
    ----------
    recording : object
        A recording, or any other value that was given as one.

    Returns
    -------
    str
        The path with the bounds of the segment, ``"waveform"``, or the type.
    """
    match recording:
        case str() | os.PathLike():
            return os.fspath(recording)
        case (str() | os.PathLike() as path, start, end):
            return f"{os.fspath(path)} from {start} to {end}"
        case np.ndarray() | (np.ndarray(), _):
            return "waveform"
    return type(recording).__name__


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put a name before the message of any AudioError that is raised inside.

    Parameters
    ----------
    name : str
        What the message is about.
    """
    try:
        yield
    except AudioError as error:
        raise type(error)(f"{name}: {error}") from error.__cause__


@contextmanager
def _faults_of_reading() -> Iterator[None]:
    """Make a fault of the recording of what the operating system cannot read."""
    try:
        yield
    except AudioError:
        raise
    except OSError as error:
        raise AudioError(
            f"it cannot be read ({error.strerror or error}): copy it again from its "
            "source, or leave it out."
        ) from error


def fingerprint(recording: Recording) -> str:
    """Identify the content of a recording, wherever it lies.

    A file is read once and then recognised by its path, size and times, so that the
    next call costs microseconds.

    Parameters
    ----------
    recording : str, os.PathLike, tuple or ndarray
        A recording, see :mod:`sklearn_ser.audio`.

    Returns
    -------
    str
        The same text only for the same bytes and bounds.

    Raises
    ------
    AudioError
        If the recording is not one, or if its file cannot be opened.
    """
    with naming(describe(recording)), _faults_of_reading():
        match recording:
            case str() | os.PathLike():
                return _file_fingerprint(recording)
            case (str() | os.PathLike() as path, start, end):
                return f"{_file_fingerprint(path)} {_check_bounds(start, end)}"
            case (np.ndarray() as waveform, rate):
                return f"{_digest(waveform)} {_check_rate(rate)}"
            case np.ndarray():
                return _digest(recording)
        raise _not_a_recording()


def _file_fingerprint(path: str | os.PathLike[str]) -> str:
    """Identify the bytes of a file."""
    state = _state(path)
    return _hash_file(
        os.fspath(path),
        state.st_ino,
        state.st_size,
        state.st_mtime_ns,
        state.st_ctime_ns,
    )


@lru_cache(maxsize=2**17)
def _hash_file(path: str, *state: int) -> str:
    """Hash a file; the state is an argument so that a change of the file is noticed."""
    with _open(path) as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _digest(waveform: NDArray[Any]) -> str:
    """Hash a waveform with its dtype and shape."""
    kind = f"{waveform.dtype.str} {waveform.shape}"
    samples = np.ascontiguousarray(_check_waveform(waveform))
    return hashlib.blake2b(kind.encode() + samples.tobytes()).hexdigest()


def _read(
    recording: Recording, sampling_rate: int | None
) -> tuple[NDArray[np.floating[Any]], int]:
    """Read the samples of a recording, with all their channels, and their rate."""
    match recording:
        case str() | os.PathLike():
            return _read_file(recording, 0.0, None)
        case (str() | os.PathLike() as path, start, end):
            return _read_file(path, *_check_bounds(start, end))
        case (np.ndarray() as waveform, rate):
            return _check_waveform(waveform), _check_rate(rate)
        case np.ndarray():
            if sampling_rate is None:
                raise AudioError(
                    "with sampling_rate=None its own rate must be known: give "
                    "(waveform, rate)."
                )
            return _check_waveform(recording), sampling_rate
    raise _not_a_recording()


def _not_a_recording() -> AudioError:
    """Say what a recording is."""
    return AudioError(
        "it is not a recording: give a path, (path, start, end), a 1-D float array, or "
        "(waveform, sampling_rate)."
    )


def _read_file(
    path: str | os.PathLike[str], start: float, end: float | None
) -> tuple[NDArray[np.float32], int]:
    """Read a file, or a part of it, as (n_samples, n_channels)."""
    with _open(path) as file:
        _check_complete(file)
    take = _LAST_DECODED.take if start > 0 or end is not None else _take
    if Path(path).suffix.lower() in _ffmpeg.SUFFIXES:
        whole = take(path, partial(_decode_by_ffmpeg, path))
    else:
        # By its name, which libsndfile consults where the first bytes say nothing.
        with _sound(os.fspath(path)) as sound:
            _check_header(sound)
            if sound.format not in ("OGG", "MP3"):
                return _decode(sound, start, end), sound.samplerate
            whole = take(path, partial(_decode_whole, path, sound))
    first, last = _cut(whole.total, whole.rate, start, end)
    return whole.samples[first:last], whole.rate


class Whole(NamedTuple):
    """A decoded file."""

    samples: NDArray[np.float32]
    total: int  # samples as its header promises, or as they were counted
    rate: int


def _take(path: str | os.PathLike[str], decode: Callable[[], Whole]) -> Whole:
    """Decode a file of which nothing else will be asked."""
    return decode()


class _LastDecoded:
    """Keeps the last files whose segments are asked for, while any block needs them.

    Two: where threads pass on to the next file, one of them may still need the other.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._n_inside = 0
        self._known: dict[Any, Whole] = {}

    def __enter__(self) -> None:
        with self._lock:
            self._n_inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                self._known.clear()

    def take(self, path: str | os.PathLike[str], decode: Callable[[], Whole]) -> Whole:
        """Return a decoded file; other threads wait for it, as they want it, too."""
        if not self._n_inside:
            return decode()
        state = os.stat(path)
        key = os.fspath(path), state.st_ino, state.st_size, state.st_mtime_ns
        with self._lock:
            if key not in self._known:
                while len(self._known) > 1:
                    del self._known[next(iter(self._known))]
                self._known[key] = decode()
            return self._known[key]


_LAST_DECODED = _LastDecoded()


@contextmanager
def decoding_once(
    recordings: Sequence[Any] | NDArray[np.object_],
) -> Iterator[list[int]]:
    """Decode a file once for all its segments, where parts of it cannot be read.

    Parameters
    ----------
    recordings : sequence of n recordings
        What will be read in the block.

    Yields
    ------
    list of n int
        The order in which to read them: segments of one file one after the other.
    """
    place: dict[Any, int] = {}
    for k, recording in enumerate(recordings):
        match recording:
            case (str() | os.PathLike() as path, _, _):
                place.setdefault(os.fspath(path), k)
    with _LAST_DECODED:
        yield sorted(
            range(len(recordings)), key=lambda k: _place(recordings[k], k, place)
        )


def _place(recording: Any, k: int, place: dict[Any, int]) -> int:
    """Return where a recording comes: where the first segment of its file does."""
    match recording:
        case (str() | os.PathLike() as path, _, _):
            return place[os.fspath(path)]
    return k


@contextmanager
def _sound(source: str | bytes | BinaryIO) -> Iterator[sf.SoundFile]:
    """Open audio with libsndfile, and say what is wrong with it."""
    try:
        sound = sf.SoundFile(source)
    except (sf.LibsndfileError, TypeError) as error:  # TypeError: named *.raw
        raise AudioError(
            "it is not audio that libsndfile reads, or its header is damaged; convert "
            "it to WAV or FLAC, or leave it out."
        ) from error
    with sound:
        try:
            yield sound
        except sf.LibsndfileError as error:
            raise _truncated(error.error_string.strip(" .")) from error


def _decode_whole(path: str | os.PathLike[str], sound: sf.SoundFile) -> Whole:
    """Decode a file in which seeking is not exact to the sample."""
    if sound.format == "OGG":
        return _all_samples(sound, sound.frames)
    # libsndfile knows the length of an MP3 from a header alone.
    with _open(path) as file:
        stream = scan(file.read())
    if stream.fault:
        raise _truncated(stream.fault)
    if stream.tells_its_length or not stream.runs:
        return _all_samples(sound, sound.frames)
    with _sound(BytesIO(stream.frames())) as bare:
        # A guess that is too long does no harm: it is known where the end is.
        if bare.frames >= stream.n_samples:
            return _all_samples(bare, stream.n_samples)
    with _sound(BytesIO(stream.with_header())) as counted:
        return _all_samples(counted, counted.frames)


def _decode_by_ffmpeg(path: str | os.PathLike[str]) -> Whole:
    """Decode a file that libsndfile does not read."""
    try:
        with _ffmpeg.as_wav(path) as decoded, _sound(decoded) as sound:
            _check_header(sound)
            return _all_samples(sound, sound.frames)
    except _ffmpeg.FfmpegError as error:
        raise AudioError(str(error)) from error


def _all_samples(sound: sf.SoundFile, total: int) -> Whole:
    """Decode all of a file, whose end encoders and decoders place a little apart."""
    return Whole(_samples(sound, total, tolerance=MPEG_FRAME), total, sound.samplerate)


def _open(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file, or say why that cannot be."""
    _state(path)
    with _faults_of_opening(path):
        return open(path, "rb")


def _state(path: str | os.PathLike[str]) -> os.stat_result:
    """Ask for size and times of a file, or say why there is none."""
    with _faults_of_opening(path):
        state = os.stat(path)
    if stat.S_ISDIR(state.st_mode):
        raise AudioError("it is a directory: give the paths of the files in it.")
    if not stat.S_ISREG(state.st_mode):  # reading might never end, or never begin
        raise AudioError(
            "it is a pipe, a socket or a device, not a file: write the audio to a "
            "file first."
        )
    return state


@contextmanager
def _faults_of_opening(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make a fault of the recording of a path that leads to no file."""
    try:
        yield
    except FileNotFoundError:
        where = "" if os.path.isabs(path) else f" (seen from {os.getcwd()})"
        raise AudioFileNotFoundError(
            f"the file does not exist{where}: check the path."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in a path
        raise AudioError(
            f"it cannot be opened ({error}): check the path and its permissions."
        ) from error


def _truncated(detail: str) -> AudioError:
    """Say that a file is not whole."""
    return AudioError(
        f"it is truncated or damaged ({detail}): copy it again from its source, or "
        "leave it out."
    )


def _check_complete(file: BinaryIO) -> None:
    """Refuse an empty file, and one whose container promises more than there is."""
    if not file.read(1):
        raise AudioError(
            "it is empty (0 bytes): copy it again from its source, or leave it out."
        )
    file.seek(0)
    if file.read(len(POINTER)) == POINTER:
        raise AudioError(
            "it is a pointer of Git LFS, not audio: run `git lfs pull` in its "
            "repository."
        )
    file.seek(0)
    missing = missing_audio(file)
    if missing:
        raise _truncated(missing)
    file.seek(0)


def _check_header(sound: sf.SoundFile) -> None:
    """Refuse a file whose header tells no length, or a rate that is not possible."""
    total = sound.frames
    if total > sys.maxsize // 2:
        raise AudioError(
            "its header does not tell its length (it was written to a pipe): convert "
            "it to WAV, or encode it anew."
        )
    if total <= 0:
        raise AudioError(
            "it holds no audio, or its header says so: convert it anew from its "
            "source, or leave it out."
        )
    _check_rate(sound.samplerate)


def _decode(
    sound: sf.SoundFile, start: float, end: float | None
) -> NDArray[np.float32]:
    """Decode the wanted part of a file as (n_samples, n_channels)."""
    first, last = _cut(sound.frames, sound.samplerate, start, end)
    if not sound.seekable():  # telephone codecs: GSM, G.721, NMS
        return _samples(sound, last)[first:]
    sound.seek(first)
    return _samples(sound, last - first)


def _samples(
    sound: sf.SoundFile, count: int, tolerance: int = 0
) -> NDArray[np.float32]:
    """Read the next samples as (n_samples, n_channels)."""
    samples: NDArray[np.float32] = sound.read(count, dtype="float32", always_2d=True)
    missing = count - len(samples)
    if missing > tolerance:
        raise _truncated(f"{missing:,} of {count:,} samples are missing")
    return samples


def _cut(total: int, rate: int, start: float, end: float | None) -> tuple[int, int]:
    """Turn the bounds of a segment into the first sample and the one after the last."""
    duration = total / rate
    if start >= duration or (end is not None and end > duration + END_TOLERANCE):
        raise AudioError(
            f"the segment lies beyond the end of the file, which lasts {duration:g} s: "
            "correct its bounds (in seconds)."
        )
    first = round(start * rate)
    last = total if end is None else min(round(end * rate), total)
    if first >= last:
        raise AudioError(
            "the segment holds no sample: correct its bounds (in seconds)."
        )
    return first, last


def _check_bounds(start: Any, end: Any) -> tuple[float, float | None]:
    """Return the bounds of a segment in seconds; no end is the end of the file."""
    first, last = _seconds(start) or 0.0, _seconds(end)
    if first < 0 or (last is not None and last <= first):
        raise AudioError(
            "the segment is not possible: it must start at 0 s or later and end after "
            "its start."
        )
    return first, last


def _seconds(value: Any) -> float | None:
    """Convert a bound to seconds; None, NaN and NaT are no bound."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.timedelta64):
        return _seconds(pd.Timedelta(value))
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, numbers.Real) and not math.isinf(value):
        return None if math.isnan(value) else float(value)
    raise AudioError(
        f"the bound {value!r} of the segment is not a time: give seconds or a "
        "pandas.Timedelta."
    )


def _check_rate(rate: Any) -> int:
    """Return a sampling rate as an int."""
    lowest, highest = RATES
    possible = isinstance(rate, numbers.Real) and not isinstance(rate, bool | np.bool_)
    if possible and float(rate).is_integer() and lowest <= rate <= highest:
        return int(rate)
    in_khz = possible and lowest <= 1000 * float(rate) <= highest
    meant = f" ({rate} kHz are {1000 * float(rate):.0f} Hz)" if in_khz else ""
    raise AudioError(
        f"the sampling rate {rate!r} is not possible{meant}: give a whole number of "
        f"samples per second (Hz), from {lowest} to {highest}."
    )


def _check_waveform(waveform: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return a waveform that is 1-D and of floats."""
    if isinstance(waveform, np.ma.MaskedArray):
        raise AudioError(
            "it is a masked array, and audio has no gaps: cut the masked samples out, "
            "or fill them with waveform.filled(0)."
        )
    if waveform.ndim != 1:
        raise AudioError(
            f"its shape is {waveform.shape}, but a waveform has one dimension: take "
            "the mean of its channels, or one of them."
        )
    if waveform.dtype.kind != "f":
        raise AudioError(
            f"its samples are {waveform.dtype}, not floats: scale them to [-1, 1], for "
            "int16 with waveform / 32768."
        )
    if not waveform.size:
        raise AudioError("it holds no samples; leave it out.")
    return waveform


def _check_samples(samples: NDArray[np.floating[Any]], rate: int) -> None:
    """Refuse NaN, infinity and amplitudes that cannot be scaled audio."""
    peak = float(np.maximum(samples.max(), -samples.min()))
    if not math.isfinite(peak):
        bad = ~np.isfinite(samples.reshape(len(samples), -1)).all(axis=1)
        raise AudioError(
            f"{bad.sum():,} of its {len(samples):,} samples are NaN or infinite, the "
            f"first at {bad.argmax() / rate:g} s: repair the recording or leave it out."
        )
    if peak > MAX_AMPLITUDE:
        raise AudioError(
            f"its samples reach {peak:g}, but audio lies in [-1, 1]: these look like "
            "integers that were never scaled, so divide them (int16: by 32768)."
        )
