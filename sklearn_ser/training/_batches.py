"""Batches of tables, of frames and of utterances, drawn anew in each epoch."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# With one row per sample: arrays, or sequences.
Data = Mapping[str, Any]
# Tensors, and under "generator" the generator of the epoch.
Batch = dict[str, Any]
# Changes a batch before the network sees it.
BatchTransform = Callable[[Batch, torch.Generator], Batch]


class Batches(metaclass=ABCMeta):
    """Batches of an epoch, in an order drawn anew each time they are asked for.

    Each batch is a dict of tensors, with the generator for whatever the module
    draws at random under ``"generator"``. All is drawn on the CPU, so that a seed
    means the same on every device.

    Parameters
    ----------
    data : mapping of str to ndarray or Sequences
        With one row per sample.
    batch_size : int
        Samples in a batch; one may be smaller.
    transforms : sequence of BatchTransform or None
        Change a batch, one after the other, before the network sees it.
    seed : callable
        Gives the seed of the epoch that begins.
    device : str
        Where the tensors go.
    training : bool, default=True
        Whether the batches are trained on, and not held out for validation.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        batch_size: int,
        transforms: Sequence[BatchTransform | None] = (),
        seed: Callable[[], int],
        device: str,
        training: bool = True,
    ) -> None:
        self.data = dict(data)
        self.batch_size = batch_size
        self.transforms = [one for one in transforms if one]
        self.seed = seed
        self.device = device
        self.training = training

    @abstractmethod
    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        generator : torch.Generator
            Where all is drawn that is random.

        Yields
        ------
        dict of str to Tensor
        """

    def __iter__(self) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.seed())
        for batch in self.iter_batches(generator):
            yield {**batch, "generator": generator}

    def _transformed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return what the network sees of a batch."""
        for transform in self.transforms:
            batch = transform(batch, generator)
        return batch

    def _to_device(self, data: Mapping[str, NDArray[Any]]) -> Batch:
        """Copy arrays to the device."""
        return {
            name: torch.tensor(np.ascontiguousarray(values), device=self.device)
            for name, values in data.items()
        }


class TableBatches(Batches):
    """Rows of tables, copied to the device once, permuted, then split."""

    def __init__(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.data = self._to_device(data)

    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        dealt = self.deal(generator)
        order = torch.cat(list(dealt)).to(self.device)
        data = {name: values[order] for name, values in self.data.items()}
        data = self._transformed(data, generator)
        sizes = [len(rows) for rows in dealt]
        splits = [torch.split(values, sizes) for values in data.values()]
        for parts in zip(*splits, strict=True):
            yield dict(zip(data, parts, strict=True))

    def deal(self, generator: torch.Generator) -> Sequence[torch.Tensor]:
        """Return the rows of each batch.

        Parameters
        ----------
        generator : torch.Generator
            Where the order is drawn.

        Returns
        -------
        sequence of Tensor of shape (n_rows,), int64
        """
        n = len(next(iter(self.data.values())))
        return torch.split(torch.randperm(n, generator=generator), self.batch_size)


class FrameBatches(Batches):
    """Frames of sequences as samples, with what is known of their utterances."""

    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        data = dict(self.data)
        sequences = data.pop("X")
        order = torch.randperm(sequences.n_frames, generator=generator).numpy()
        for first in range(0, len(order), self.batch_size):
            frames = order[first : first + self.batch_size]
            utterances = sequences.utterance[frames]
            batch = {name: values[utterances] for name, values in data.items()}
            batch["X"] = sequences.frames(frames)
            yield self._transformed(self._to_device(batch), generator)


class UtteranceBatches(Batches):
    """Utterances of similar length, padded; their lengths are ``"lengths"``."""

    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        data = dict(self.data)
        sequences = data.pop("X")
        drawn = int(torch.randint(2**31 - 1, (), generator=generator))
        for utterances in sequences.buckets(
            self.batch_size, np.random.default_rng(drawn)
        ):
            batch = {name: values[utterances] for name, values in data.items()}
            batch["X"], batch["lengths"] = sequences.padded(utterances)
            yield self._transformed(self._to_device(batch), generator)
