"""Pre-trained speech encoders of `transformers`: found, loaded and run."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import gelu

from .._computing import computing
from ..audio import AudioError

# Encoders that are kept in memory: that of one search, and one more.
N_KEPT = 2
# Whisper halves the rate of its mel frames.
_WHISPER_STRIDE = 2

_LOADING = threading.Lock()


@dataclass(frozen=True, eq=False)
class Description:
    """What is known of an encoder before its weights are loaded.

    Attributes
    ----------
    name : str
        The name or the folder that was given.
    identity : str
        Other weights have another.
    config : Any
        The configuration, as `transformers` has it.
    extractor : Any
        What makes the input of a signal, as `transformers` has it.
    """

    name: str
    identity: str
    config: Any
    extractor: Any

    @property
    def sampling_rate(self) -> int:
        """The rate in Hz that the encoder is trained for."""
        return int(self.extractor.sampling_rate)

    @property
    def n_layers(self) -> int:
        """The number of its layers, without the input of the first."""
        return int(self.config.num_hidden_layers)

    @property
    def n_features(self) -> int:
        """The width of a layer."""
        return int(self.config.hidden_size)

    @property
    def is_whisper(self) -> bool:
        """Whether it takes 30 s of mel frames, or what its configuration says."""
        return bool(self.config.model_type == "whisper")

    @property
    def stride(self) -> int | None:
        """Samples from one frame to the next; None where the model must be asked."""
        if self.is_whisper:
            return int(self.extractor.hop_length) * _WHISPER_STRIDE
        strides = getattr(self.config, "conv_stride", None)
        return None if strides is None else prod(strides)

    @property
    def least(self) -> int:
        """The samples of its shortest input."""
        if self.is_whisper:
            return int(self.extractor.n_fft)
        kernels = getattr(self.config, "conv_kernel", ())
        length = 1
        for kernel, stride in reversed(
            [*zip(kernels, getattr(self.config, "conv_stride", ()), strict=False)]
        ):
            length = (length - 1) * stride + kernel
        return max(length, 400)

    @property
    def longest(self) -> int | None:
        """The samples of its longest input, None where there is no bound."""
        if not self.is_whisper:
            return None
        return int(self.config.max_source_positions) * int(self.stride or 1)

    def n_frames(self, n_samples: int) -> int | None:
        """Return the frames that Whisper has of a signal; None for other models."""
        if not self.is_whisper:
            return None
        return -(-(n_samples // int(self.extractor.hop_length)) // _WHISPER_STRIDE)

    @property
    def takes_padding(self) -> bool:
        """Whether a batch may hold inputs of different lengths.

        Models that normalise their first layer over time (wav2vec 2.0 base and its
        like) give other values where zeros are appended, mask or not. WavLM's masks
        are of a kind that torch warns of.
        """
        return self.is_whisper or (
            self.config.model_type in ("wav2vec2", "hubert")
            and bool(self.extractor.return_attention_mask)
            and self.config.feat_extract_norm == "layer"
        )

    @property
    def input_name(self) -> str:
        """The name of what it takes: ``input_features`` or ``input_values``."""
        return str(self.extractor.model_input_names[0])


def describe_encoder(model: str) -> Description:
    """Read what is known of an encoder, but not its weights.

    Parameters
    ----------
    model : str
        A name of the hub, or a folder.

    Returns
    -------
    Description
        Configuration and the like.

    Raises
    ------
    ImportError
        If `transformers` is not installed.
    OSError
        If there is no such model here, and none can be had.
    ValueError
        If it is not a model of speech.
    """
    _transformers()
    folder = Path(model).expanduser()
    with _LOADING:
        if folder.is_dir():
            files = sorted(path for path in folder.iterdir() if path.is_file())
            state = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
            return _describe(model, str(folder), _content(tuple(state)))
        if folder.exists() or model.startswith((".", "/", "~")) or "\\" in model:
            raise OSError(
                f"model={model!r} is no folder: give one, or a name of the hub."
            )
        from transformers.utils.hub import cached_file

        path = _found(model, lambda **how: cached_file(model, "config.json", **how))
        return _describe(model, model, Path(path).parent.name)


@lru_cache(maxsize=8)
def _describe(name: str, place: str, identity: str) -> Description:
    """Read configuration and extractor."""
    package = _transformers()

    def read(**how: Any) -> Description:
        config = package.AutoConfig.from_pretrained(place, **how)
        extractor = package.AutoFeatureExtractor.from_pretrained(place, **how)
        return Description(name, identity, config, extractor)

    described: Description = _found(name, read)
    wanted = [
        (described.config, "num_hidden_layers"),
        (described.config, "hidden_size"),
        (described.extractor, "sampling_rate"),
    ]
    if not all(hasattr(thing, attribute) for thing, attribute in wanted):
        raise ValueError(
            f"model={name!r} is no encoder of speech with layers, but a "
            f"{described.config.model_type}: choose one such as whisper, wav2vec2, "
            "hubert or wavlm."
        )
    return described


@lru_cache(maxsize=8)
def _content(files: tuple[tuple[str, int, int], ...]) -> str:
    """Return a checksum of files, which are read again when they have changed."""
    digest = hashlib.blake2b(digest_size=16)
    for path, size, _ in files:
        digest.update(f"{Path(path).name} {size} ".encode())
        with open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def load_encoder(described: Description, device: str, dtype: str) -> Encoder:
    """Load an encoder, or take it from those that are kept.

    Parameters
    ----------
    described : Description
        What is known of it.
    device : str
        Where it computes.
    dtype : str
        The name of a dtype of torch.

    Returns
    -------
    Encoder
        The encoder, without the decoder that it may have.
    """
    with _LOADING, computing():
        return _load(described.name, described.identity, device, dtype)


@lru_cache(maxsize=N_KEPT)
def _load(name: str, identity: str, device: str, dtype: str) -> Encoder:
    """Load an encoder."""
    package = _transformers()
    folder = Path(name).expanduser()
    place = str(folder) if folder.is_dir() else name
    described = _describe(name, place, identity)

    def read(**how: Any) -> tuple[Any, dict[str, Any]]:
        loaded: tuple[Any, dict[str, Any]] = package.AutoModel.from_pretrained(
            place, dtype=getattr(torch, dtype), output_loading_info=True, **how
        )
        return loaded

    bar = package.utils.logging
    shows, level = bar.is_progress_bar_enabled(), bar.get_verbosity()
    bar.disable_progress_bar()
    bar.set_verbosity_error()  # of the weights of a decoder that are not there
    try:
        model, info = _found(name, read)
    finally:
        bar.set_verbosity(level)
        if shows:
            bar.enable_progress_bar()
    missing = {key for key in info["missing_keys"] if not key.startswith("decoder.")}
    # Of a parametrised weight, transformers lists the names of before.
    missing = {key for key in missing if "parametrizations" not in key}
    missing.discard("masked_spec_embed")  # of training alone
    if missing:
        raise ValueError(
            f"model={name!r} lacks {len(missing)} of its weights, such as "
            f"{min(missing)}: get it again."
        )
    if getattr(described.config, "is_encoder_decoder", False):
        model = model.get_encoder()
    return Encoder(described, model.eval().requires_grad_(False).to(device))


def _found(name: str, read: Callable[..., Any]) -> Any:
    """Read from a copy if there is one, else from the hub, or say how to get it."""
    try:
        return read(local_files_only=True)
    except OSError:
        if Path(name).expanduser().is_dir():
            raise
    try:
        return read()
    except OSError as error:
        raise OSError(
            f"model={name!r} is not among the copies here, and the hub of Hugging Face "
            "cannot be reached or has no such model. With a network, get a copy by "
            f"`hf download {name} --local-dir FOLDER`, bring that folder here, and "
            "give it as model."
        ) from error


def _transformers() -> ModuleType:
    """Import transformers, or say how to get it."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        if error.name != "transformers":
            raise
        raise ImportError(
            "SpeechEmbedding needs transformers: install it with "
            '`pip install "sklearn-ser[embeddings]"`.'
        ) from error
    module: ModuleType = transformers
    return module


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder that is ready to compute.

    Parameters
    ----------
    described : Description
        What is known of it.
    module : torch.nn.Module
        The encoder itself.
    """

    described: Description
    module: Any

    def layers(self, inputs: list[NDArray[np.float32]]) -> Iterator[list[Tensor]]:
        """Compute the layers of a batch, from the input of the first on.

        Parameters
        ----------
        inputs : list of ndarray
            Of about the same length; of the same where the model takes no padding.

        Yields
        ------
        list of Tensor of shape (n_frames_i, n_features)
            A layer of each input, in float32.
        """
        whisper = self.described.is_whisper
        states = self._whisper(inputs) if whisper else self._waveform(inputs)
        for state, lengths in states:
            yield [one[:n].float() for one, n in zip(state, lengths, strict=True)]

    def _batch(self, inputs: list[NDArray[np.float32]], axis: int) -> Tensor:
        """Put zeros at the end of the shorter inputs."""
        longest = max(one.shape[axis] for one in inputs)
        shape = list(inputs[0].shape)
        shape[axis] = longest
        padded = np.zeros((len(inputs), *shape), dtype=np.float32)
        for row, one in zip(padded, inputs, strict=True):
            row[tuple(slice(n) for n in one.shape)] = one
        parameter = next(self.module.parameters())
        return torch.from_numpy(padded).to(parameter)

    def _whisper(
        self, inputs: list[NDArray[np.float32]]
    ) -> Iterator[tuple[Tensor, list[int]]]:
        """Run Whisper's encoder on as many frames as there are.

        Its own ``forward`` takes 30 s and nothing else.
        """
        encoder = self.module
        steps = [one.shape[1] for one in inputs]
        lengths = [-(-n // _WHISPER_STRIDE) for n in steps]
        batch = self._batch(inputs, axis=1)
        hidden = gelu(encoder.conv1(batch))
        mask = None
        if min(steps) < max(steps):
            # Behind its end, an input is as it would be alone: nothing.
            ends = torch.tensor(steps, device=batch.device)
            hidden = hidden * (_positions(hidden, 2) < ends[:, None])[:, None]
            ends = torch.tensor(lengths, device=batch.device)
        hidden = gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        if min(lengths) < max(lengths):
            outside = _positions(hidden, 1) >= ends[:, None]
            mask = torch.zeros_like(outside, dtype=hidden.dtype)
            mask = mask.masked_fill(outside, torch.finfo(hidden.dtype).min)
            mask = mask[:, None, None].expand(-1, 1, hidden.shape[1], -1)
        last = len(encoder.layers) - 1
        yield hidden, lengths
        for index, layer in enumerate(encoder.layers):
            given = layer(hidden, mask)
            hidden = given[0] if isinstance(given, tuple) else given
            yield encoder.layer_norm(hidden) if index == last else hidden, lengths

    def _waveform(
        self, inputs: list[NDArray[np.float32]]
    ) -> Iterator[tuple[Tensor, list[int]]]:
        """Run a model that takes any length."""
        given = {self.described.input_name: self._batch(inputs, axis=0)}
        sizes = [len(one) for one in inputs]
        if min(sizes) < max(sizes):
            batch = given[self.described.input_name]
            ends = torch.tensor(sizes, device=batch.device)
            given["attention_mask"] = (_positions(batch, 1) < ends[:, None]).long()
        states = self.module(**given, output_hidden_states=True).hidden_states
        lengths = [self._n_frames(n, states[0].shape[1], max(sizes)) for n in sizes]
        for state in states:
            yield state, lengths

    def _n_frames(self, n_samples: int, n_frames: int, longest: int) -> int:
        """Return the frames of an input of a batch, whose longest has ``n_frames``."""
        if n_samples == longest:
            return n_frames
        config = self.described.config
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            n_samples = (n_samples - kernel) // stride + 1
        return n_samples


def prepare(
    described: Description, signal: NDArray[np.float32], pad: bool
) -> NDArray[np.float32]:
    """Make the input of a signal that is no longer than the longest.

    Parameters
    ----------
    described : Description
        The encoder that will be given it.
    signal : ndarray of shape (n_samples,)
        At the rate of the encoder.
    pad : bool
        Whether to append silence up to the longest, where there is one.

    Returns
    -------
    ndarray of shape (n_samples,), (n_mels, n_steps) or (n_steps, n_features)
        The input.
    """
    options: dict[str, Any] = {}
    if described.is_whisper:
        options = {"padding": "do_not_pad", "truncation": False}
        if pad:
            options |= {"padding": "max_length", "max_length": described.longest}
    made = described.extractor(
        signal,
        sampling_rate=described.sampling_rate,
        return_tensors="np",
        **options,
    )
    given = np.asarray(made[described.input_name][0], dtype=np.float32)
    if not given.size:
        raise AudioError("the model makes no frame of it; leave it out.")
    return given


def _positions(tensor: Tensor, axis: int) -> Tensor:
    """Return the positions along an axis, as a row."""
    return torch.arange(tensor.shape[axis], device=tensor.device)[None]
