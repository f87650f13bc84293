"""Emotions along a long recording, of a file or as it comes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf
from numpy.typing import ArrayLike, NDArray

from .. import _ffmpeg
from ..audio import AudioError, as_recording, read_signal
from ..evaluation._protocol import parts
from ..features import RecordingTransformer
from ._predictions import for_prediction, predict_batches
from ._speech import SpeechRule

__all__ = ["Timeline", "TimelineStream", "predict_timeline"]

_BLOCK = 10.0  # s that are read at a time
_BATCH = 32


@dataclass(frozen=True, eq=False, repr=False)
class Timeline:
    """What a model says of each window of a recording.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row for each window: ``start`` and ``end`` (s), ``emotion`` (None in a
        pause), a column for each class with its probability where the model has
        probabilities, ``speech``, the share of the window that is speech, and
        ``error``, why a window has no prediction.

    Attributes
    ----------
    start, end : ndarray of shape (n_windows,)
        In seconds.
    predicted : ndarray of shape (n_windows,), dtype object
        Emotions, or values; None where there is no speech.
    classes : list of str
        Whose probabilities there are; empty without.
    probabilities : ndarray of shape (n_windows, n_classes), or None
        NaN where there is no speech.
    """

    frame: pd.DataFrame

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        seconds = self.end.max() if len(self) else 0.0
        n_heard = sum(value is not None for value in self.predicted)
        return (
            f"<Timeline of {seconds:.1f} s: {len(self)} windows, {n_heard} of speech>"
        )

    @property
    def start(self) -> NDArray[np.float64]:
        """Where windows start."""
        return self.frame["start"].to_numpy(np.float64)

    @property
    def end(self) -> NDArray[np.float64]:
        """Where windows end."""
        return self.frame["end"].to_numpy(np.float64)

    @property
    def predicted(self) -> NDArray[np.object_]:
        """What is predicted of each."""
        return self.frame["emotion"].to_numpy(object)

    @property
    def classes(self) -> list[str]:
        """Whose probabilities there are."""
        others = {"start", "end", "emotion", "speech", "error"}
        return [str(name) for name in self.frame if name not in others]

    @property
    def probabilities(self) -> NDArray[np.float64] | None:
        """Those of each class."""
        classes = self.classes
        return self.frame[classes].to_numpy(np.float64) if classes else None

    def to_frame(self) -> pd.DataFrame:
        """Return the windows as a table.

        Returns
        -------
        pandas.DataFrame
            A copy of `frame`.
        """
        return self.frame.copy()

    def merge(self) -> pd.DataFrame:
        """Join what follows on each other and has the same emotion.

        Where windows overlap, each counts up to the start of the next one.

        Returns
        -------
        pandas.DataFrame
            Columns ``start`` and ``end`` (s) and ``emotion``; no rows for pauses.
        """
        start = self.start
        end = np.minimum(self.end, np.append(start[1:], np.inf))
        names = pd.Series(self.predicted, dtype=object)
        shown = names.where(names.notna(), "")
        follows = np.append(False, np.isclose(start[1:], end[:-1]))
        run = (shown.ne(shown.shift()) | ~follows).cumsum()
        table = pd.DataFrame({"start": start, "end": end, "emotion": names})
        joined = table.groupby(run.to_numpy()).agg(
            start=("start", "first"), end=("end", "last"), emotion=("emotion", "first")
        )
        return joined.dropna(subset=["emotion"]).reset_index(drop=True)


class TimelineStream:
    """Predict a recording as it comes.

    Parameters
    ----------
    model : estimator
        Fitted, from recordings to emotions, such as `load` gives.
    sampling_rate : int
        Of what is pushed, in Hz.
    window : float, default=3.0
        Seconds that are heard at once. Models are trained on utterances: about as long
        as these is best.
    hop : float, default=1.0
        Seconds from one window to the next.
    min_speech : float or None, default=0.2
        Windows with a lower share of speech get no emotion; None predicts all.

    See Also
    --------
    predict_timeline : The same for a file.

    Notes
    -----
    Speech is what is louder than the pauses so far: a frame of 20 ms that is 10 dB
    above the quietest tenth of the frames up to the end of its window, and above
    -60 dB of full scale, in the manner of the energy thresholds of [1]_. The rule hears
    no future, so that chunks of any size give the same windows as a whole file.

    References
    ----------
    .. [1] L. R. Rabiner and M. R. Sambur, "An algorithm for determining the endpoints
       of isolated utterances", Bell System Technical Journal 54(2), 1975.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import models, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.logmel_baseline().fit(corpus.audio, corpus.emotion)
    >>> stream = models.TimelineStream(model, 16000, window=0.5, hop=0.25)
    >>> signal = np.concatenate([waveform for waveform, _ in corpus.audio])
    >>> timelines = [stream.push(chunk) for chunk in np.array_split(signal, 3)]
    >>> sum(map(len, [*timelines, stream.close()])) > 10
    True
    """

    def __init__(
        self,
        model: Any,
        sampling_rate: int,
        *,
        window: float = 3.0,
        hop: float = 1.0,
        min_speech: float | None = 0.2,
    ) -> None:
        if window <= 0 or hop <= 0:
            raise ValueError(
                f"window and hop are seconds above 0, got {window} and {hop}."
            )
        if min_speech is not None and not 0 <= min_speech <= 1:
            raise ValueError(f"min_speech is a share from 0 to 1, got {min_speech}.")
        self.model = for_prediction(model, memory=None)  # windows are heard once
        self.sampling_rate = sampling_rate
        self.min_speech = min_speech
        self._n_window = max(1, round(window * sampling_rate))
        self._n_hop = max(1, round(hop * sampling_rate))
        self._rule = SpeechRule(sampling_rate)
        self._signal = np.empty(0, dtype=np.float32)
        self._levels = np.empty(0, dtype=np.float32)
        # Samples before the signal that is kept, frames before the levels, frames that
        # have counted, and the sample where the next window starts.
        self._n_gone = self._n_frames_gone = self._n_counted = self._next = 0
        self._last_end = 0

    def push(self, chunk: ArrayLike) -> Timeline:
        """Take the next samples.

        Parameters
        ----------
        chunk : array-like of shape (n_samples,)
            In [-1, 1]; of any length.

        Returns
        -------
        Timeline
            Of the windows that are now whole; often of none.
        """
        samples = np.asarray(chunk, dtype=np.float32)
        if samples.ndim != 1:
            raise ValueError(
                f"A chunk is one channel, got an array of shape {samples.shape}."
            )
        self._signal = np.concatenate([self._signal, samples])
        self._levels = np.concatenate([self._levels, self._rule.hear(samples)])
        windows = []
        while self._next + self._n_window <= self._n_gone + len(self._signal):
            windows.append(self._cut(self._next + self._n_window))
        return self._predict(windows)

    def close(self) -> Timeline:
        """End the recording.

        Returns
        -------
        Timeline
            Of what is left behind the last whole window, if anything is.
        """
        total = self._n_gone + len(self._signal)
        is_left = total > self._last_end and self._next < total
        windows = [self._cut(total)] if is_left else []
        return self._predict(windows)

    def _cut(self, end: int) -> tuple[int, int, NDArray[np.float32], float]:
        """Take the next window off, up to a sample; forget what no other needs."""
        start = self._next
        signal = self._signal[start - self._n_gone : end - self._n_gone]
        n_frame, gone = self._rule.n_frame, self._n_frames_gone
        last = end // n_frame
        self._rule.count(self._levels[self._n_counted - gone : max(last - gone, 0)])
        self._n_counted = max(last, self._n_counted)
        first = -(-start // n_frame)
        share = self._rule.share(self._levels[first - gone : last - gone])
        self._next, self._last_end = start + self._n_hop, end
        n_known = self._n_gone + len(self._signal)
        n_drop = min(self._next, n_known) - self._n_gone
        self._signal, self._n_gone = self._signal[n_drop:], self._n_gone + n_drop
        needed = min(self._n_gone // n_frame, self._n_counted)
        self._levels = self._levels[needed - gone :]
        self._n_frames_gone = needed
        return start, end, signal, share

    def _predict(
        self, windows: list[tuple[int, int, NDArray[np.float32], float]]
    ) -> Timeline:
        """Predict the windows that hold speech."""
        rate = self.sampling_rate
        places = [(start / rate, end / rate) for start, end, *_ in windows]
        shares = [share for *_, share in windows]
        frame = pd.DataFrame(places, columns=["start", "end"], dtype=np.float64)
        least = -1.0 if self.min_speech is None else self.min_speech
        heard = [i for i, share in enumerate(shares) if share >= max(least, 1e-9)]
        heard = [*range(len(shares))] if self.min_speech is None else heard
        recordings = np.empty(len(heard), dtype=object)
        recordings[:] = [(windows[i][2], rate) for i in heard]
        found = [*predict_batches(self.model, recordings, _BATCH, "emotion")]
        if found:
            rows = pd.concat(found, ignore_index=True).set_index(np.array(heard))
            frame = frame.join(rows)
        for name in ("emotion", "error"):
            values = frame[name] if name in frame else pd.Series(index=frame.index)
            frame[name] = values.astype(object).where(values.notna(), None)
        frame.insert(len(frame.columns) - 1, "speech", shares)
        return Timeline(frame)


def predict_timeline(
    model: Any,
    recording: Any,
    *,
    window: float = 3.0,
    hop: float = 1.0,
    min_speech: float | None = 0.2,
) -> Timeline:
    """Predict emotions along a long recording.

    Parameters
    ----------
    model : estimator
        Fitted, from recordings to emotions, such as `load` gives.
    recording : str, os.PathLike or tuple
        A recording, see :mod:`sklearn_ser.audio`. A file is read in blocks, so that the
        memory does not grow with its length; what only ffmpeg reads is read whole.
    window, hop, min_speech
        As of `TimelineStream`. The last window ends with the recording, and is shorter
        where the windows do not fit.

    Returns
    -------
    Timeline
        Of all windows.

    Raises
    ------
    AudioError
        If the recording cannot be read.
    ValueError
        If `window`, `hop` or `min_speech` make no sense.

    See Also
    --------
    TimelineStream : The same as the recording comes.
    sklearn_ser.plotting.TimelineDisplay : Draws it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import models, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.logmel_baseline().fit(corpus.audio, corpus.emotion)
    >>> signal = np.concatenate([waveform for waveform, _ in corpus.audio])
    >>> timeline = models.predict_timeline(model, (signal, 16000), window=0.5, hop=0.5)
    >>> timeline.to_frame().columns.tolist()
    ['start', 'end', 'emotion', 'speech', 'error']
    """
    channel = _channel(model)
    blocks = _blocks(as_recording(recording), channel)
    stream = None
    found = []
    for rate, block in blocks:
        if stream is None:
            stream = TimelineStream(
                model, rate, window=window, hop=hop, min_speech=min_speech
            )
        found.append(stream.push(block).frame)
    assert stream is not None
    found.append(stream.close().frame)
    there = [frame for frame in found if len(frame)]
    return Timeline(pd.concat(there or found[:1], ignore_index=True))


def _blocks(
    recording: Any, channel: str | int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the sampling rate and the samples of one channel, block by block."""
    is_path = isinstance(recording, str | os.PathLike)
    if not is_path or Path(recording).suffix.lower() in _ffmpeg.SUFFIXES:
        signal, rate, _ = read_signal(recording, None, channel)
        n_block = max(1, round(_BLOCK * rate))
        for start in range(0, len(signal), n_block):
            yield rate, signal[start : start + n_block]
        return
    try:
        with sf.SoundFile(recording) as file:
            n_block, is_empty = round(_BLOCK * file.samplerate), True
            for block in file.blocks(n_block, dtype="float32", always_2d=True):
                is_empty = False
                one = (
                    block.mean(axis=1) if channel == "mean" else block[:, int(channel)]
                )
                yield file.samplerate, np.nan_to_num(one)
    except (sf.SoundFileError, OSError) as error:
        raise AudioError(f"{recording}: it cannot be read ({error}).") from error
    except IndexError as error:
        raise AudioError(f"{recording}: it has no channel {channel}.") from error
    if is_empty:
        raise AudioError(f"{recording}: it holds no sound.")


def _channel(model: Any) -> str | int:
    """Return the channel that the front end of a model takes."""
    for part in parts(model):
        if isinstance(part, RecordingTransformer):
            channel: str | int = getattr(part, "channel", "mean")
            return channel
    return "mean"
