"""Layers of pre-trained speech encoders, as rows or as frames."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import joblib
import numpy as np
from numpy.typing import NDArray

from .._sklearn import HasMethods, Interval, StrOptions, take_rows
from ..audio import AudioError, Recording, describe, naming, read_signal
from ._base import Features, KnownFeatures, Notes, RecordingTransformer
from ._frame_base import POSITIVE, numbered
from ._store import FeatureStore

if TYPE_CHECKING:
    from torch import Tensor

    from ._encoders import Description, Encoder

# What is kept of each layer of a recording, in this order, so that another layer or
# pooling costs no second pass.
STATISTICS = ("mean", "std", "min", "max")
# The window in seconds of models that take any length: their time and memory grow with
# its square.
WINDOW = 30.0
# Batches that are filled at once, so that recordings of similar length meet.
N_POOLED = 8
# The longest batch in seconds, padding included: memory is bounded by it.
LONGEST_BATCH = 120.0
# Inputs of a batch may be so much longer than its shortest.
SIMILAR = 1.25

Selection = tuple[tuple[int, ...], tuple[float, ...] | None]


class SpeechEmbedding(RecordingTransformer):
    """Layers of a pre-trained speech encoder, pooled over time or frame by frame.

    Encoders that have heard thousands of hours of speech tell emotions apart better
    than any set of functionals, without being trained for it. Their middle layers tell
    most, and which one is best differs between corpora: search over `layer` on the
    training speakers. With `memory`, all layers of a recording come from one pass.

    It needs ``pip install "sklearn-ser[embeddings]"``. Models have licences of their
    own; that of Whisper [1]_ is MIT.

    Parameters
    ----------
    model : str, default="openai/whisper-tiny"
        A model by its name on the hub of Hugging Face, or a folder that holds one:
        Whisper (of which the encoder is taken), wav2vec 2.0, HuBERT, WavLM, or another
        of `transformers` that takes waveforms or spectra and gives layers. A copy that
        is here is taken as it is; otherwise it is fetched once.
    layer : int, "middle", list of int or dict of int to float, default="middle"
        Which layer, from 0, the input of the first one, to the number of layers;
        negative ones count from the end. Several stand side by side. A dictionary
        gives each layer a weight, and what the layers give is summed: the frames, or
        their statistics. "middle" is half of the number of layers.
    pooling : str or None, default="mean_std"
        Statistics over the frames of a recording: any of "mean", "std" (of the
        population), "min" and "max", joined by "_". None gives the frames, for
        estimators of sequences.
    window : float or None, default=None
        Longer recordings are cut into overlapping windows of so many seconds, whose
        frames are joined. None is the length that the model was made for (30 s for
        Whisper), and 30 s for those that take any.
    overlap : float, default=2.0
        How much windows overlap in seconds; half of it is dropped at each side of a
        joint, where a frame lacks what is beside it.
    pad_to_window : bool, default=False
        Whether to append silence to the input of Whisper up to its window, as in its
        training. Without, embeddings differ by little (on EMO-DB by 0.03 in the mean,
        of values around 0.4) and take a sixteenth of the time. The frames of the
        silence are not returned.
    device : str or torch.device, default="auto"
        Where to compute: "auto" takes CUDA if there is any, else the CPU.
    dtype : {"auto", "float32", "float16", "bfloat16"}, default="auto"
        In which precision: "auto" is float16 on a GPU and float32 elsewhere.
    batch_size : int, default=16
        How many windows are computed at once, at most. Those of a batch have similar
        lengths, and none changes the others.
    channel : "mean" or int, default="mean"
        Which channel of a recording is taken, counted from 0, or the mean of all.
        A silent channel beside others is warned of; channels that cancel each other
        in their mean are a fault.
    n_jobs : int or None, default=None
        Number of threads; None means 1 unless in a :obj:`joblib.parallel_config`
        context, -1 means all processors.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the features of each recording are cached, by default nowhere. The
        content of a recording and the settings are the key: a renamed file is found
        again, a changed one is not, and faulty recordings are never cached. With
        `pooling`, the statistics of all layers are kept, so that a search over `layer`
        and `pooling` reads each recording once.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does. "raise" raises an error at once; "nan" gives a row
        of NaN, or a sequence without frames; "warn" does the same, and lists all such
        recordings in one warning at the end.
    verbose : bool, default=False
        Whether to show a progress bar over the recordings.

    See Also
    --------
    EGeMAPS : Functionals made by hand, which need no weights.
    SequencePooling : Pools the frames of ``pooling=None``.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``. Recordings are
    resampled to the rate of the model, in most of them 16 kHz.

    Whisper's encoder is run on as many frames as a recording has; models that take
    waveforms are run as they are. Two encoders stay in the memory of the process.

    The numbers of a recording do not depend on the others, save for the rounding of
    float32.

    References
    ----------
    .. [1] A. Radford et al., "Robust speech recognition via large-scale weak
       supervision", International Conference on Machine Learning, 2023.
    .. [2] A. Baevski, H. Zhou, A. Mohamed and M. Auli, "wav2vec 2.0: a framework for
       self-supervised learning of speech representations", NeurIPS, 2020.

    Examples
    --------
    A model of random weights, because there is no network here:

    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel
    >>> from sklearn_ser import SpeechEmbedding
    >>> config = WhisperConfig(
    ...     d_model=8, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=8,
    ...     decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=8,
    ... )
    >>> voices = [np.sin(np.arange(16000) / period) for period in (20, 30)]
    >>> with TemporaryDirectory() as folder:
    ...     WhisperModel(config).save_pretrained(folder)
    ...     _ = WhisperFeatureExtractor().save_pretrained(folder)
    ...     rows = SpeechEmbedding(folder).fit_transform(voices)
    ...     two_layers = SpeechEmbedding(folder, layer=[0, 2], pooling=None)
    ...     frames = two_layers.fit_transform(voices)
    >>> rows.shape
    (2, 16)
    >>> frames[0].shape
    (50, 16)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecordingTransformer._parameter_constraints,
        "model": [str, os.PathLike],
        "layer": [Integral, StrOptions({"middle"}), list, tuple, np.ndarray, dict],
        "pooling": [str, None],
        "window": [POSITIVE, None],
        "overlap": [Interval(Real, 0, None, closed="left")],
        "pad_to_window": ["boolean"],
        # A torch.device is a context manager; torch is not imported for its class.
        "device": [str, HasMethods("__enter__")],
        "dtype": [StrOptions({"auto", "float32", "float16", "bfloat16"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }
    _parameter_constraints.pop("sampling_rate")

    def __init__(
        self,
        model: str = "openai/whisper-tiny",
        *,
        layer: int | str | Sequence[int] | Mapping[int, float] = "middle",
        pooling: str | None = "mean_std",
        window: float | None = None,
        overlap: float = 2.0,
        pad_to_window: bool = False,
        device: Any = "auto",
        dtype: str = "auto",
        batch_size: int = 16,
        channel: str | int = "mean",
        n_jobs: int | None = None,
        memory: Any = None,
        on_error: str = "raise",
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.layer = layer
        self.pooling = pooling
        self.window = window
        self.overlap = overlap
        self.pad_to_window = pad_to_window
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self.channel = channel
        self.n_jobs = n_jobs
        self.memory = memory
        self.on_error = on_error
        self.verbose = verbose

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the features, such as ``mean_layer2_000``.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_features,) and dtype object
            The names: the statistic, the layer, and the number of its unit.
        """
        self._check_params()
        described = self._described()
        layers, weights = select_layers(self.layer, described.n_layers)
        of_layers = ["layers"] if weights else [f"layer{k}" for k in layers]
        statistics = [f"{name}_" for name in self._statistics()] or [""]
        return np.array(
            [
                name
                for layer in of_layers
                for statistic in statistics
                for name in numbered(f"{statistic}{layer}_", described.n_features)
            ],
            dtype=object,
        )

    def _described(self) -> Description:
        """Return what is known of the model."""
        from ._encoders import describe_encoder

        return describe_encoder(os.fspath(self.model))

    def _statistics(self) -> list[str]:
        """Return the names of the statistics over time."""
        names = [] if self.pooling is None else self.pooling.split("_")
        if not set(names) <= set(STATISTICS) or len(set(names)) < len(names):
            raise ValueError(
                "pooling must be None, or name each of mean, std, min and max once at "
                f"most, joined by '_', got {self.pooling!r}."
            )
        return names

    def _check_params(self) -> None:
        """Check each parameter, and the names of the statistics."""
        super()._check_params()
        self._statistics()

    def _is_ragged(self) -> bool:
        """Tell whether the features come in frames."""
        return self.pooling is None

    def _precision(self, device: str) -> str:
        """Return the dtype to compute in."""
        if self.dtype != "auto":
            return self.dtype
        return "float16" if device.startswith("cuda") else "float32"

    def _settings(self) -> tuple[object, ...]:
        """Return all that what is kept of a recording depends on."""
        import torch
        import transformers

        from .._computing import resolve_device

        kept = "statistics" if self.pooling is not None else self._selected()
        return (
            *("SpeechEmbedding", torch.__version__, transformers.__version__),
            *(self._described().identity, self._precision(resolve_device(self.device))),
            *(self.window, self.overlap, self.pad_to_window, kept),
        )

    def _selected(self) -> Selection:
        """Return the numbers of the layers, and their weights if they are summed."""
        return select_layers(self.layer, self._described().n_layers)

    def _new_store(self, folder: str | os.PathLike[str]) -> FeatureStore:
        """Return a store of the statistics of all layers, or of frames."""
        if self.pooling is None:
            return super()._new_store(folder)
        return FeatureStore(folder, self._described().n_features, is_ragged=True)

    def _attempts(
        self,
        recordings: NDArray[np.object_],
        order: list[int],
        notes: Notes,
        heard: list[AudioError],
    ) -> Iterator[Features | AudioError]:
        """Compute the features of recordings, or their faults, in batches."""
        from .._computing import resolve_device
        from ._encoders import load_encoder

        device = resolve_device(self.device)
        run = _Run(self, self._described(), self._known(notes), notes)
        pool: list[_Speech | Features | AudioError] = []
        parallel = joblib.Parallel(
            n_jobs=self.n_jobs, prefer="threads", return_as="generator"
        )

        def flush() -> Iterator[Features | AudioError]:
            if any(isinstance(one, _Speech) for one in pool):
                encoder = load_encoder(run.described, device, self._precision(device))
                self._compute_pool(run, encoder, pool)
            for one in pool:
                yield run.attempt(one) if isinstance(one, _Speech) else one
            pool.clear()

        for one in parallel(self._tasks(run.begin, recordings, order, heard)):
            pool.append(one)
            waiting = sum(len(s.windows) for s in pool if isinstance(s, _Speech))
            if waiting == 0 or waiting >= N_POOLED * self.batch_size:
                yield from flush()
        yield from flush()

    def _compute_pool(
        self, run: _Run, encoder: Encoder, pool: list[_Speech | Features | AudioError]
    ) -> None:
        """Compute all windows that wait, in batches of similar length."""
        windows = [
            window for one in pool if isinstance(one, _Speech) for window in one.windows
        ]
        parallel = joblib.Parallel(n_jobs=self.n_jobs, prefer="threads")
        parallel(
            joblib.delayed(run.compute)(encoder, batch)
            for batch in batches_of(
                windows,
                self.batch_size,
                similar=SIMILAR if run.described.takes_padding else 1.0,
                longest=int(LONGEST_BATCH * run.described.sampling_rate),
            )
        )

    def _extract(self, signal: Features, rate: int) -> Features:
        """Compute the features of one signal, which is at the rate of the model."""
        from .._computing import resolve_device
        from ._encoders import load_encoder

        device = resolve_device(self.device)
        run = _Run(self, self._described(), None, {})
        speech = run.cut(signal)
        encoder = load_encoder(run.described, device, self._precision(device))
        self._compute_pool(run, encoder, [speech])
        return run.finish(speech)


@dataclass(eq=False)
class _Window:
    """A part of a recording: its input, and later what the encoder gives for it.

    Attributes
    ----------
    input : ndarray
        What the encoder is given.
    n_samples : int
        Its length.
    kept : slice
        The frames that are taken, of which the others overlap with other windows.
    output : ndarray
        Frames, or statistics of shape (n_layers + 1, 4, n_features).
    n_frames : int
        How many were taken.
    """

    input: Features
    n_samples: int
    kept: slice
    output: Any = None
    n_frames: int = 0


@dataclass(eq=False)
class _Speech:
    """A recording whose features are not known yet."""

    name: str
    key: str
    windows: list[_Window] = field(default_factory=list)


class _Run:
    """The way of each recording through one call of ``transform``.

    Parameters
    ----------
    front_end : SpeechEmbedding
        Its parameters.
    described : Description
        Its model.
    known : KnownFeatures or None
        The cache.
    notes : dict
        What a warning should say.
    """

    def __init__(
        self,
        front_end: SpeechEmbedding,
        described: Description,
        known: KnownFeatures | None,
        notes: Notes,
    ) -> None:
        self.front_end = front_end
        self.described = described
        self.known = known
        self.notes = notes
        self.layers, self.weights = select_layers(front_end.layer, described.n_layers)
        self.statistics = [STATISTICS.index(n) for n in front_end._statistics()]
        self.n_window, self.n_overlap = self._lengths()

    def _lengths(self) -> tuple[int, int]:
        """Return the samples of a window and of the overlap, in whole frames."""
        rate, longest = self.described.sampling_rate, self.described.longest
        window, overlap = self.front_end.window, self.front_end.overlap
        most = WINDOW if longest is None else longest / rate
        if window is None:
            window = most
        elif longest is not None and window > most:
            raise ValueError(
                f"window={window:g} is longer than the {most:g} s that "
                f"model={self.described.name!r} was made for."
            )
        frame = self.described.stride or rate // 50
        n_window = max(round(window * rate) // frame * frame, frame)
        # A whole number of frames is dropped on each side of a joint.
        n_overlap = round(overlap * rate) // (2 * frame) * 2 * frame
        if n_overlap >= n_window:
            raise ValueError(
                f"overlap={overlap:g} must be less than the window of {window:g} s."
            )
        return n_window, n_overlap

    def begin(self, recording: Recording) -> _Speech | Features:
        """Look a recording up, or read it and make the inputs of its windows."""
        name, key = describe(recording), ""
        if self.known is not None:
            key = self.known.key(recording)
            kept = self.known.load(key, name)
            if kept is not None:
                return self._selected(kept)
        rate = self.described.sampling_rate
        signal, _, note = read_signal(recording, rate, self.front_end.channel)
        if note:
            self.notes[note].append(name)
        with naming(name):
            return self.cut(signal, name, key)

    def cut(self, signal: Features, name: str = "", key: str = "") -> _Speech:
        """Make the inputs of the windows of a signal; refuse one that is too short."""
        rate = self.described.sampling_rate
        if signal.size < self.described.least:
            raise AudioError(
                f"its {signal.size / rate:.4g} s are too short: the model needs "
                f"{self.described.least / rate:g} s; leave it out."
            )
        return _Speech(name, key, list(self._windows(signal)))

    def _windows(self, signal: Features) -> Iterator[_Window]:
        """Cut a signal into windows; each takes over in the middle of an overlap."""
        from .._computing import computing
        from ._encoders import prepare

        described = self.described
        pad = self.front_end.pad_to_window and described.longest is not None
        frame = described.stride or described.sampling_rate // 50
        step, half = self.n_window - self.n_overlap, self.n_overlap // 2 // frame
        # What is shorter than the least behind the last window is less than a frame.
        rest = signal.size - self.n_overlap - described.least
        starts = range(0, max(rest, 1), step)
        for start in starts:
            part = signal[start : start + self.n_window]
            stop = described.n_frames(part.size)
            if start != starts[-1]:
                stop = self.n_window // frame - half
            with computing():
                given = prepare(described, part, pad)
            n_samples = self.n_window if pad else part.size
            yield _Window(given, n_samples, slice(half if start else 0, stop))

    def compute(self, encoder: Encoder, batch: list[_Window]) -> None:
        """Run the encoder on a batch of windows, and keep what is needed of it."""
        import torch

        from .._computing import computing

        with computing(), torch.inference_mode():
            layers = encoder.layers([window.input for window in batch])
            outputs: list[list[Any]] = [[] for _ in batch]
            every = range(self.described.n_layers + 1)
            wanted = set(every if self.statistics else self.layers)
            for index, states in enumerate(layers):
                if index not in wanted:
                    continue
                for output, window, frames in zip(outputs, batch, states, strict=True):
                    kept = frames[window.kept]
                    window.n_frames = len(kept)
                    output.append(_pooled(kept) if self.statistics else kept)
            for output, window in zip(outputs, batch, strict=True):
                window.output = self._gathered(output)
        for window in batch:
            window.input = np.empty(0, dtype=np.float32)  # it is not needed any more

    def _gathered(self, output: list[Tensor]) -> NDArray[np.float32]:
        """Bring what was kept of the layers of a window together."""
        import torch

        if self.statistics:
            return torch.stack(output).cpu().numpy()
        at = {layer: output[i] for i, layer in enumerate(sorted(set(self.layers)))}
        frames = [at[layer] for layer in self.layers]
        if self.weights is not None:
            weighted = [w * f for w, f in zip(self.weights, frames, strict=True)]
            frames = [torch.stack(weighted).sum(dim=0)]
        joined: NDArray[np.float32] = torch.cat(frames, dim=1).cpu().numpy()
        return joined

    def attempt(self, speech: _Speech) -> Features | AudioError:
        """Return the features of a recording, or its fault."""
        try:
            with naming(speech.name):
                return self.finish(speech)
        except AudioError as error:
            return error

    def finish(self, speech: _Speech) -> Features:
        """Join the windows of a recording, and keep the result."""
        outputs = [window.output for window in speech.windows]
        if self.statistics:
            counts = [window.n_frames for window in speech.windows]
            features = joined_statistics(np.stack(outputs), np.array(counts))
        else:
            features = np.concatenate(outputs)
        if not np.isfinite(features).all():
            raise AudioError(
                "the model gives NaN or infinity for it in this precision: try "
                "dtype='float32'."
            )
        if self.known is not None:
            self.known.save(speech.key, speech.name, features)
        return self._selected(features)

    def _selected(self, kept: Features) -> Features:
        """Select layers and statistics of what is kept of a recording."""
        if not self.statistics:
            return kept
        every = kept.reshape(-1, len(STATISTICS), kept.shape[1])[:, self.statistics]
        rows = every[list(self.layers)]
        if self.weights is not None:
            rows = np.tensordot(np.array(self.weights, np.float32), rows, axes=1)
        row: Features = rows.ravel()
        return row


def select_layers(layer: Any, n_layers: int) -> Selection:
    """Return the numbers of layers from 0, and weights where they are summed.

    Parameters
    ----------
    layer : int, "middle", sequence of int or dict of int to float
        As in `SpeechEmbedding`.
    n_layers : int
        The last layer.

    Returns
    -------
    layers : tuple of int
        From 0 to `n_layers`.
    weights : tuple of float or None
        One for each layer, or None if they stand side by side.

    Raises
    ------
    ValueError
        If there is no such layer, or no layer.
    """
    if isinstance(layer, str):
        return (n_layers // 2,), None
    given = [layer] if isinstance(layer, Integral) else list(layer)
    known = range(-n_layers - 1, n_layers + 1)
    if not given or not all(isinstance(k, Integral) and k in known for k in given):
        raise ValueError(
            f"layer must be one or several of 0 to {n_layers}, the layers of this "
            f"model, or negative ones from its end, got {layer!r}."
        )
    numbers = tuple(int(k) % (n_layers + 1) for k in given)
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"layer names a layer twice: {layer!r}.")
    if not isinstance(layer, Mapping):
        return numbers, None
    weights = tuple(float(weight) for weight in layer.values())
    if not np.isfinite(weights).all():
        raise ValueError(f"The weights of layer must be finite, got {layer!r}.")
    return numbers, weights


def take_layer(
    features: Any,
    layer: int | None = None,
    statistic: int | None = None,
    *,
    n_layers: int = 1,
    n_statistics: int = 1,
) -> Any:
    """Take one of several layers that stand side by side, or one statistic of all.

    A search can so choose among features that were computed once.

    Parameters
    ----------
    features : ndarray or data frame of shape (n, n_layers * n_statistics * n_units)
        Rows of `SpeechEmbedding` with several layers.
    layer : int or None, default=None
        Which layer, from 0, in the order of `SpeechEmbedding`'s; None takes all.
    statistic : int or None, default=None
        Which statistic over time, from 0, in the order of its `pooling`; None takes
        all.
    n_layers, n_statistics : int, default=1
        How many there are.

    Returns
    -------
    ndarray or data frame of n rows
        Some of the columns, in the container of all.

    Raises
    ------
    ValueError
        If there are not so many layers or statistics.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import take_layer
    >>> take_layer(np.arange(6)[None], 1, n_layers=3)
    array([[2, 3]])
    >>> take_layer(np.arange(6)[None], None, 0, n_layers=3, n_statistics=2)
    array([[0, 2, 4]])
    """
    shape = np.shape(features)
    if len(shape) != 2 or shape[1] % (n_layers * n_statistics):
        raise ValueError(
            f"features of shape {shape} are not those of {n_layers} layers with "
            f"{n_statistics} statistics side by side."
        )
    for name, chosen, n in [
        ("layer", layer, n_layers),
        ("statistic", statistic, n_statistics),
    ]:
        if chosen is not None and not 0 <= chosen < n:
            raise ValueError(f"{name} must be from 0 to {n - 1}, got {chosen!r}.")
    columns = np.arange(shape[1]).reshape(n_layers, n_statistics, -1)
    columns = columns[slice(None) if layer is None else [layer]]
    columns = columns[:, slice(None) if statistic is None else [statistic]]
    return take_rows(features, columns.ravel(), axis=1)


def batches_of(
    windows: list[_Window], batch_size: int, *, similar: float, longest: int
) -> Iterator[list[_Window]]:
    """Deal windows into batches of similar length, the shortest first.

    Parameters
    ----------
    windows : list
        What has ``n_samples``.
    batch_size : int
        The most windows of a batch.
    similar : float
        The longest of a batch is no longer than the shortest times this.
    longest : int
        The most samples of a batch, padding included.

    Yields
    ------
    list
        A batch.
    """
    batch: list[_Window] = []
    for window in sorted(windows, key=lambda one: one.n_samples):
        if batch and (
            len(batch) == batch_size
            or window.n_samples > similar * batch[0].n_samples
            or (len(batch) + 1) * window.n_samples > longest
        ):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _pooled(frames: Tensor) -> Tensor:
    """Return the four statistics of frames, of shape (4, n_features)."""
    import torch

    std, mean = torch.std_mean(frames, dim=0, correction=0)
    return torch.stack([mean, std, frames.amin(dim=0), frames.amax(dim=0)])


def joined_statistics(
    parts: NDArray[np.float32], counts: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the statistics over all frames from those of parts of them.

    Parameters
    ----------
    parts : ndarray of shape (n_parts, n_layers, 4, n_features)
        Mean, standard deviation, minimum and maximum.
    counts : ndarray of shape (n_parts,)
        The frames of each part.

    Returns
    -------
    ndarray of shape (n_layers * 4, n_features) and dtype float32
        The same of all.
    """
    means, stds, lows, highs = np.moveaxis(parts.astype(np.float64), 2, 0)
    share = (counts / counts.sum())[:, None, None]
    mean = (share * means).sum(axis=0)
    variance = (share * (stds**2 + (means - mean) ** 2)).sum(axis=0)
    joined = np.stack(
        [mean, np.sqrt(variance), lows.min(axis=0), highs.max(axis=0)], axis=1
    )
    return joined.reshape(-1, parts.shape[-1]).astype(np.float32)
