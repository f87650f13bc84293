"""Pairs of utterances for siamese networks."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from math import gcd
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...sequences import Sequences, window_starts
from ...training._batches import Batch, Batches

Pairing = Literal["random", "balanced"]
Pairs = NDArray[np.intp]


class PairBatches(Batches):
    """Pairs of utterances, cut or padded to one length.

    A batch holds the first members of its pairs, then the second, so that both pass
    the module together. Held-out utterances are always paired at random.

    Parameters
    ----------
    data : mapping of str to ndarray or Sequences
        With one row per utterance: ``"X"``, ``"y"`` and others.
    n_frames : int
        Frames of each utterance in a batch.
    pairs : {"random", "balanced"}, default="random"
        See `random_pairs` and `balanced_pairs`.
    **kwargs
        As for `Batches`; `batch_size` counts utterances, and a batch has at least
        one pair.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        n_frames: int,
        pairs: Pairing = "random",
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.n_frames = n_frames
        self.pairs = pairs

    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        data = dict(self.data)
        sequences = data.pop("X")
        drawn = int(torch.randint(2**31 - 1, (), generator=generator))
        pairs = self._pairs(np.random.default_rng(drawn))
        n_pairs = max(1, self.batch_size // 2)
        for first in range(0, len(pairs), n_pairs):
            utterances = pairs[first : first + n_pairs].T.ravel()
            batch = {name: values[utterances] for name, values in data.items()}
            starts = np.zeros(len(utterances), np.int64)
            batch["X"] = sequences.windows(utterances, starts, self.n_frames)
            batch["lengths"] = sequences.lengths[utterances].clip(max=self.n_frames)
            yield self._transformed(self._to_device(batch), generator)

    def _pairs(self, rng: np.random.Generator) -> Pairs:
        """Return the pairs of an epoch."""
        if self.pairs == "balanced" and self.training:
            return balanced_pairs(self.data["y"], rng)
        return random_pairs(len(self.data["y"]), rng)


def random_pairs(n: int, rng: np.random.Generator) -> Pairs:
    """Pair utterances at random, each once.

    Parameters
    ----------
    n : int
        Number of utterances; if it is odd, one is left out.
    rng : numpy.random.Generator
        Where the pairs are drawn.

    Returns
    -------
    ndarray of shape (n // 2, 2), int
        Numbers of utterances.
    """
    return rng.permutation(n)[: n // 2 * 2].reshape(-1, 2)


def balanced_pairs(y: NDArray[np.int64], rng: np.random.Generator) -> Pairs:
    """Pair as many utterances of each class, in as many pairs of one class as of two.

    From each class as many utterances are drawn as `balanced_size` tells. Half of all
    utterances go into pairs of one class. The number of such pairs is a quarter of the
    utterances of a class; where that is not a whole number, it is rounded up for some
    classes, drawn at random, and down for the others. The rest is paired across
    classes, one pair after the other. Both members are drawn at random from all
    utterances that are left, from two classes. As soon as one class has half of those,
    one member comes from it. So no class is ever left to pair with itself.

    Parameters
    ----------
    y : ndarray of shape (n,), int
        Class of each utterance.
    rng : numpy.random.Generator
        Where the pairs are drawn.

    Returns
    -------
    ndarray of shape (n_pairs, 2), int
        Numbers of utterances, each at most once.

    Raises
    ------
    ValueError
        As `balanced_size`.
    """
    size = balanced_size(y)
    classes = np.unique(y)
    n_alike = np.full(len(classes), size // 4)
    rounded_up = len(classes) * (size % 4) // 4
    n_alike[rng.permutation(len(classes))[:rounded_up]] += 1
    alike, left = [], []
    for label, n_pairs in zip(classes, n_alike.tolist(), strict=True):
        drawn = rng.permutation(np.flatnonzero(y == label))[:size]
        alike.append(drawn[: 2 * n_pairs].reshape(-1, 2))
        left.append(drawn[2 * n_pairs :].tolist())
    pairs = np.concatenate([*alike, _across(left, rng)])
    return rng.permutation(pairs, axis=0)


def balanced_size(y: NDArray[Any]) -> int:
    """Return how many utterances of each class can be paired in balance.

    With as many pairs of one class as of two, the utterances of all K classes together
    are a multiple of four. The number is the largest that the rarest class allows. With
    two classes it is a multiple of four, as a pair across them takes one utterance of
    each.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Class of each utterance.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If there is one class only, or too few utterances of one.
    """
    classes, counts = np.unique(y, return_counts=True)
    n_classes = len(classes)
    if n_classes < 2:
        raise ValueError(
            "pairs='balanced' makes pairs of two classes, but there is only one class "
            "to train on: use pairs='random'."
        )
    step = 4 if n_classes == 2 else 4 // gcd(4, n_classes)
    size = int(counts.min()) // step * step
    if size < 2:
        raise ValueError(
            f"pairs='balanced' needs at least {max(2, step)} utterances of each of "
            f"{n_classes} classes to train on, but class "
            f"{str(classes[counts.argmin()])!r} has only {counts.min()}: use "
            "pairs='random'."
        )
    return size


def _across(of_class: list[list[int]], rng: np.random.Generator) -> Pairs:
    """Pair all utterances with those of other classes; none has more than half."""
    counts = np.array([len(members) for members in of_class])
    pairs: list[list[int]] = []
    while left := int(counts.sum()):
        first = int(counts.argmax())
        if 2 * counts[first] < left:
            first = int(rng.choice(len(counts), p=counts / left))
        others = np.where(np.arange(len(counts)) == first, 0, counts)
        second = int(rng.choice(len(counts), p=others / others.sum()))
        pairs.append([of_class[first].pop(), of_class[second].pop()])
        counts[[first, second]] -= 1
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def places_to_test(
    utterance: NDArray[Any], n_frames: int, testing: str, seed: int
) -> NDArray[np.int64]:
    """Return the frames at which the windows of an utterance begin.

    Parameters
    ----------
    utterance : ndarray of shape (n_frames_i, n_features)
        What is tested.
    n_frames : int
        Frames of a window.
    testing : {"average", "crop"}
        Whether windows cover the utterance, or one is drawn at random.
    seed : int
        The seed and the content of the utterance determine the place that is drawn.

    Returns
    -------
    ndarray of int
    """
    last = len(utterance) - n_frames
    if testing == "average" or last <= 0:
        return window_starts(len(utterance), n_frames)
    # Adding zero turns -0.0, whose bytes differ, into 0.0.
    content = zlib.crc32((np.asarray(utterance, np.float32) + 0.0).tobytes())
    return np.random.default_rng((seed, content)).integers(last + 1, size=1)


def windows_to_test(
    sequences: Sequences, length: int, testing: str, seed: int, size: int
) -> Iterator[
    tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]]
]:
    """Yield the windows of utterances, some at a time.

    Parameters
    ----------
    sequences : Sequences
        The utterances that are tested.
    length : int
        Frames of a window.
    testing, seed
        As for `places_to_test`.
    size : int
        Windows at a time.

    Yields
    ------
    utterances : ndarray of shape (n,), int
        The number of the utterance of each window.
    shares : ndarray of shape (n,), float64
        The share of each window in its utterance.
    windows : ndarray of shape (n, length, n_features), float32
    lengths : ndarray of shape (n,), int64
        The frames of each window that are not padding.
    """
    starts = [
        places_to_test(array, length, testing, seed) for array in sequences.arrays
    ]
    n_windows = np.array([len(of_utterance) for of_utterance in starts])
    utterances = np.repeat(np.arange(len(sequences)), n_windows)
    places = np.concatenate(starts)
    for first in range(0, len(places), size):
        chunk = slice(first, first + size)
        which = utterances[chunk]
        yield (
            which,
            1 / n_windows[which],
            sequences.windows(which, places[chunk], length),
            (sequences.lengths[which] - places[chunk]).clip(max=length),
        )
