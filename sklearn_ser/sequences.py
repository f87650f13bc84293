"""Ragged sequences: utterances of different lengths, each time first.

The public format is a list or 1-D object array of arrays of shape (n_frames_i,
n_features); an estimator of sequences also takes a 3-D array, and a 2-D array as one
frame per utterance. Inside, `Sequences` refers to those arrays and copies only what a
batch needs: the corpus is in memory once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from ._collections import column_names, to_list, to_numpy
from ._constants import LARGEST

__all__ = ["as_sequences", "join_frames"]

Kind = Literal["ragged", "cube", "table"]

# Rows at once where something is computed over all frames: a few megabytes.
_CHUNK = 4096

# The most values in a padded batch: one very long utterance would make all others of
# its batch as long.
_LARGEST_BATCH = 2**24

# Batches hold utterances of similar length. Their lengths may differ by this share:
# each length is blurred by it before the utterances are sorted.
_BLUR = 0.1

# Frames that padding may add, as a share of the real ones.
_PADDING = 0.1


def as_sequences(X: Any) -> NDArray[np.object_]:
    """Turn a collection of sequences into a 1-D object array.

    numpy makes a 3-D array of sequences whose lengths happen to agree, and fails on
    others; this function returns the same kind of array for both. An object array,
    unlike a list, can be indexed by an array of indices or a mask.

    Parameters
    ----------
    X : list, tuple, Series or 1-D object array of n array-likes of shape (n_frames_i, \
n_features); ndarray of shape (n, n_frames, n_features) or (n, n_features)
        Utterances. Each row of a 2-D array is an utterance of one frame.

    Returns
    -------
    ndarray of shape (n,) and dtype object
        Numeric arrays of shape (n_frames_i, n_features); those that were given,
        where they were arrays, or views on them.

    Raises
    ------
    ValueError
        If an utterance is not 2-D or not numeric, or if the widths differ; the
        message names the first such utterance.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.sequences import as_sequences
    >>> sequences = as_sequences([np.zeros((5, 2)), np.ones((5, 2))])
    >>> sequences.shape, sequences[1].shape
    ((2,), (5, 2))
    """
    utterances = _utterances(X)
    if utterances is None:
        table = np.asarray(X)
        if table.ndim != 2:
            raise ValueError(
                "Sequences must be arrays of shape (n_frames_i, n_features), one for "
                f"each utterance, got an array of shape {table.shape}."
            )
        utterances = list(_numeric(table, "X")[:, None, :])
    arrays = _same_width(utterances)
    return np.fromiter(arrays, dtype=object, count=len(arrays))


def join_frames(X: Any, n_frames: int) -> NDArray[np.object_]:
    """Join the frames of sequences to segments, one after the other.

    For networks of segments, on features that come as frames: as a step of a pipeline,
    ``FunctionTransformer(join_frames, kw_args={"n_frames": 16})``.

    Parameters
    ----------
    X : list or 1-D object array of n arrays of shape (n_frames_i, n_features)
        Sequences, as `as_sequences` takes them.
    n_frames : int
        Frames of a segment. The last segment is filled up with zeros.

    Returns
    -------
    ndarray of shape (n,) and dtype object
        Arrays of shape (ceil(n_frames_i / n_frames), n_frames * n_features), in which
        the frames of a segment follow each other.

    Raises
    ------
    ValueError
        If `n_frames` is not a positive integer, or as `as_sequences`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.sequences import join_frames
    >>> join_frames([np.arange(6).reshape(3, 2)], n_frames=2)[0]
    array([[0, 1, 2, 3],
           [4, 5, 0, 0]])
    """
    if not isinstance(n_frames, int | np.integer) or n_frames < 1:
        raise ValueError(f"n_frames must be a positive integer, got {n_frames!r}.")
    sequences = as_sequences(X)
    joined = np.empty(len(sequences), dtype=object)
    for index, frames in enumerate(sequences):
        filled = np.pad(frames, [(0, -len(frames) % n_frames), (0, 0)])
        joined[index] = filled.reshape(-1, n_frames * frames.shape[1])
    return joined


class Sequences:
    """Validated utterances: references to the arrays they came in.

    Parameters
    ----------
    arrays : sequence of ndarrays of shape (n_frames_i, n_features)
        Finite numbers, at least one frame each.
    kind : {"ragged", "cube", "table"}, default="ragged"
        The container they came in, so that results can have the same.
    mean : ndarray of shape (n_features,) or None, default=None
        Subtracted from each frame where a batch is made.
    scale : ndarray of shape (n_features,) or None, default=None
        Each frame is divided by it.

    Attributes
    ----------
    lengths : ndarray of shape (n_utterances,), int64
        Frames of each utterance.
    n_features : int
        Width of a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.sequences import Sequences
    >>> sequences = Sequences([np.ones((2, 3)), np.ones((4, 3))])
    >>> frames, lengths = sequences.padded(np.array([1, 0]))
    >>> frames.shape, lengths
    ((2, 4, 3), array([4, 2]))
    """

    def __init__(
        self,
        arrays: Iterable[NDArray[Any]],
        kind: Kind = "ragged",
        *,
        mean: NDArray[np.floating[Any]] | None = None,
        scale: NDArray[np.floating[Any]] | None = None,
    ) -> None:
        self.arrays = list(arrays)
        self.kind: Kind = kind
        self.mean = mean
        self.scale = scale
        self.lengths = np.array([len(array) for array in self.arrays], dtype=np.int64)
        self.n_features = self.arrays[0].shape[1] if self.arrays else 0

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, which: NDArray[np.intp]) -> Sequences:
        """Return some of the utterances, still without a copy."""
        chosen = np.arange(len(self))[which]
        arrays = [self.arrays[index] for index in chosen]
        return Sequences(arrays, self.kind, mean=self.mean, scale=self.scale)

    @property
    def n_frames(self) -> int:
        """Frames of all utterances together."""
        return int(self.lengths.sum())

    @cached_property
    def utterance(self) -> NDArray[np.int32]:
        """The utterance of each frame, in order: shape (n_frames,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The number of the first frame of each utterance."""
        return np.cumsum(self.lengths) - self.lengths

    def frames(self, which: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Copy some frames.

        Parameters
        ----------
        which : ndarray of shape (n,), int
            Numbers of frames, counted through all utterances.

        Returns
        -------
        ndarray of shape (n, n_features), float32
        """
        utterance = self.utterance[which]
        within = which - self._starts[utterance]
        wide = self.mean is not None or self.scale is not None
        shape = (len(which), self.n_features)
        result = np.empty(shape, np.float64 if wide else np.float32)
        for row, (index, frame) in enumerate(
            zip(utterance.tolist(), within.tolist(), strict=True)
        ):
            result[row] = self.arrays[index][frame]
        return self._standardize(result).astype(np.float32, copy=False)

    def chunks(self, size: int = _CHUNK) -> Iterator[NDArray[np.float32]]:
        """Copy all frames in order, some at a time.

        Parameters
        ----------
        size : int, default=4096
            Frames at a time.

        Yields
        ------
        ndarray of shape (n, n_features), float32
        """
        bounds = range(0, self.n_frames, size)
        for first in bounds:
            yield self.frames(np.arange(first, min(first + size, self.n_frames)))

    def padded(
        self, which: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Copy some utterances into one array, zeros after their ends.

        Parameters
        ----------
        which : ndarray of shape (n,), int
            Numbers of utterances.

        Returns
        -------
        frames : ndarray of shape (n, max(lengths), n_features), float32
        lengths : ndarray of shape (n,), int64
        """
        lengths = self.lengths[which]
        longest = int(lengths.max(initial=0))
        return self.windows(which, np.zeros(len(which), np.int64), longest), lengths

    def windows(
        self,
        which: NDArray[np.integer[Any]],
        starts: NDArray[np.integer[Any]],
        length: int,
    ) -> NDArray[np.float32]:
        """Copy windows of one length into one array, zeros after the utterances' ends.

        Parameters
        ----------
        which : ndarray of shape (n,), int
            Numbers of the utterances.
        starts : ndarray of shape (n,), int
            The frames at which the windows begin.
        length : int
            Frames of each window.

        Returns
        -------
        ndarray of shape (n, length, n_features), float32
            Standardised; zeros are appended after that, so they stand for the mean.
        """
        result = np.zeros((len(which), length, self.n_features), np.float32)
        chosen = zip(which.tolist(), starts.tolist(), strict=True)
        for row, (index, start) in enumerate(chosen):
            frames = self.arrays[index][start : start + length]
            result[row, : len(frames)] = self._standardize(frames)
        return result

    def _standardize(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Return frames standardised, before they are rounded to float32."""
        if self.mean is not None:
            frames = frames - self.mean
        return frames if self.scale is None else frames / self.scale

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute mean and standard deviation of each feature over all frames.

        Returns
        -------
        mean : ndarray of shape (n_features,), float64
        scale : ndarray of shape (n_features,), float64
            One where a feature is constant, by the rule of scikit-learn's
            `StandardScaler`.
        """
        total = np.zeros(self.n_features)
        for array in self.arrays:
            total += array.sum(axis=0, dtype=np.float64)
        mean = total / self.n_frames
        squares = np.zeros(self.n_features)
        for array in self.arrays:
            deviation = array - mean
            squares += np.einsum("ij,ij->j", deviation, deviation)
        variance = squares / self.n_frames
        # The spread that rounding gives to a constant does not count.
        rounding = self.n_frames * np.finfo(np.float64).eps
        is_constant = variance <= rounding * variance + (rounding * mean) ** 2
        return mean, np.where(is_constant, 1.0, np.sqrt(variance))

    def standardized(
        self, mean: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> Sequences:
        """Return the same utterances, to be standardised batch by batch.

        Parameters
        ----------
        mean : ndarray of shape (n_features,)
            Subtracted from each frame.
        scale : ndarray of shape (n_features,)
            Each frame is divided by it.

        Returns
        -------
        Sequences
        """
        return Sequences(self.arrays, self.kind, mean=mean, scale=scale)

    def like_input(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Give new values per frame the form in which the utterances came.

        Parameters
        ----------
        frames : ndarray of shape (n_frames, n_outputs)
            One row for each frame, in order.

        Returns
        -------
        ndarray of shape (n_utterances,) and dtype object, (n_utterances, n_frames, \
n_outputs) or (n_utterances, n_outputs)
            Views on the frames.
        """
        if self.kind == "table":
            return frames
        if self.kind == "cube":
            return frames.reshape(len(self), self.lengths[0], frames.shape[1])
        parts = np.split(frames, np.cumsum(self.lengths)[:-1])
        return np.fromiter(parts, dtype=object, count=len(parts))

    def buckets(
        self, batch_size: int, generator: np.random.Generator | None = None
    ) -> list[NDArray[np.intp]]:
        """Deal the utterances into batches of similar length.

        Parameters
        ----------
        batch_size : int
            Utterances in a batch; the batch of the longest may be smaller, and so is
            one that would have more than 2**24 values after padding. Where padding
            would still add more than a tenth of the frames, as in a small corpus
            with few very long utterances, the batches that it lengthens most are cut.
        generator : numpy.random.Generator or None, default=None
            Blurs the lengths by a tenth before the utterances are sorted by them, so
            that each epoch has other batches, and shuffles the batches. Without one,
            the utterances are sorted by length.

        Returns
        -------
        list of ndarrays of int
            Numbers of utterances, each in one batch.
        """
        keys = np.log(self.lengths.astype(float))
        if generator is not None:
            keys += generator.uniform(-_BLUR / 2, _BLUR / 2, len(self))
        order = np.argsort(keys, kind="stable")
        bounds = [*range(0, len(self), batch_size), len(self)]
        batches = [
            part
            for first, last in pairwise(bounds)
            for part in self._bearable(order[first:last])
        ]
        batches = self._cut(batches)
        if generator is not None:
            batches = [batches[i] for i in generator.permutation(len(batches))]
        return batches

    def _bearable(self, batch: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Cut a batch that padding would make too large, down to single utterances."""
        values = int(self.lengths[batch].max()) * self.n_features
        size = max(1, _LARGEST_BATCH // max(1, values))
        return np.split(batch, range(size, len(batch), size))

    def _cut(self, batches: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
        """Cut the batches that padding lengthens most, until it adds a tenth."""
        batches = list(batches)
        added = [self._added(batch) for batch in batches]
        while sum(added) > _PADDING * self.n_frames:
            worst = added.index(max(added))
            batch = batches[worst]
            batch = batch[np.argsort(self.lengths[batch], kind="stable")]
            lengths = self.lengths[batch]
            # The frames that a cut would save, for each place.
            saved = np.arange(1, len(batch)) * (lengths[-1] - lengths[:-1])
            parts = np.split(batch, [int(saved.argmax()) + 1])
            batches[worst : worst + 1] = parts
            added[worst : worst + 1] = map(self._added, parts)
        return batches

    def _added(self, batch: NDArray[np.intp]) -> int:
        """Count the frames that padding adds to a batch."""
        lengths = self.lengths[batch]
        return int(len(batch) * lengths.max() - lengths.sum())


def window_starts(n_frames: int, length: int) -> NDArray[np.int64]:
    """Cover an utterance by the fewest windows, evenly spaced.

    Parameters
    ----------
    n_frames : int
        Frames of the utterance.
    length : int
        Frames of a window.

    Returns
    -------
    ndarray of int
        The frames at which the windows begin; only zero if one window holds all.
    """
    n_windows = max(1, -(-n_frames // length))
    return np.rint(np.linspace(0, n_frames - length, n_windows)).astype(np.int64)


def check_sequences(
    estimator: Any, X: Any, *, reset: bool, allow_empty: bool = False
) -> Sequences:
    """Validate the input of an estimator of sequences.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_``, and ``feature_names_in_`` where a table has names,
        or is compared with them.
    X : list, Series or 1-D object array of n array-likes of shape (n_frames_i, \
n_features), or array-like of shape (n, n_frames, n_features) or (n, n_features)
        Utterances; each row of a table is an utterance of one frame.
    reset : bool
        Whether this is a fit.
    allow_empty : bool, default=False
        Whether utterances without frames pass.

    Returns
    -------
    Sequences

    Raises
    ------
    ValueError
        If there is no utterance, or if one is not 2-D, has no frames, another width, or
        values that are NaN, infinite or too large for float32; the message names the
        utterance.
    """
    utterances = _utterances(X)
    if utterances is None:
        table = validate_data(estimator, X, dtype=np.float32, reset=reset)
        return Sequences(table[:, None, :], "table")
    arrays = _same_width(utterances)
    if arrays[0].shape[1] == 0:
        raise ValueError("Found array with 0 feature(s): the frames have no width.")
    # Also resets or compares the names of the features, which sequences do not have.
    validate_data(estimator, arrays[0], reset=reset, skip_check_array=True)
    for index, array in enumerate(arrays):
        if len(array) or not allow_empty:
            _check_frames(array, f"utterance {index} of {len(arrays)}")
    return Sequences(arrays, "cube" if getattr(X, "ndim", 1) == 3 else "ragged")


def is_table(X: Any) -> bool:
    """Tell a table from utterances of several frames.

    Parameters
    ----------
    X : object
        What an estimator is given.

    Returns
    -------
    bool
        Also True of what is neither, such as a scalar: for scikit-learn to refuse.

    Raises
    ------
    ValueError
        If X holds no utterances, or paths.
    """
    return _utterances(X) is None


def _utterances(X: Any) -> list[Any] | None:
    """Return the utterances of a ragged or 3-D collection, None for a table."""
    X = to_numpy(X)
    ndim = getattr(X, "ndim", None)
    if ndim is None:
        if column_names(X) is not None or (listed := to_list(X)) is None:
            return None
        utterances = [to_numpy(one) for one in listed]
    elif ndim == 1 and getattr(getattr(X, "dtype", None), "kind", "") == "O":
        utterances = [to_numpy(one) for one in np.asarray(X, dtype=object)]
    elif ndim == 3:
        utterances = list(np.asarray(X))
    elif ndim > 3:
        raise ValueError(
            f"X has {ndim} dimensions: give one array of shape (n_frames_i, "
            "n_features) for each utterance."
        )
    else:
        return None
    if not utterances:
        raise ValueError("X holds no utterances: found array with 0 sample(s).")
    if isinstance(utterances[0], str | os.PathLike):
        raise ValueError(
            "X holds paths, not sequences: put a front end before this step, such as "
            "LogMelSegmenter."
        )
    dims = [_ndim(utterance) for utterance in utterances]
    if ndim is None and max(dims) < 2 and _is_rectangular(utterances):
        return None  # a list of rows is a table
    for index, n in enumerate(dims):
        if n != 2:
            raise ValueError(
                f"utterance {index} of {len(dims)} has {n} dimension(s), not 2: each "
                "must be an array of shape (n_frames_i, n_features)."
            )
    return utterances


def _ndim(utterance: Any) -> int:
    """Return the number of dimensions; 1 for lists of different lengths."""
    try:
        return int(np.ndim(utterance))
    except ValueError:
        return 1


def _is_rectangular(rows: list[Any]) -> bool:
    """Tell whether rows of numbers, or numbers, have the same shape."""
    try:
        return len({np.shape(row) for row in rows}) == 1
    except ValueError:
        return False


def _same_width(utterances: list[Any]) -> list[NDArray[Any]]:
    """Return numeric arrays of one width."""
    n = len(utterances)
    arrays = [
        _numeric(utterance, f"utterance {index} of {n}")
        for index, utterance in enumerate(utterances)
    ]
    for index, array in enumerate(arrays):
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"utterance {index} of {n} has frames of {array.shape[1]} features, "
                f"but utterance 0 has {arrays[0].shape[1]}: all must come from the "
                "same features."
            )
    return arrays


def _numeric(values: Any, name: str) -> NDArray[Any]:
    """Return an array of real numbers; one that is given is returned itself."""
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind != "O":
        raise ValueError(
            f"{name} does not hold real numbers: its dtype is {array.dtype}."
        )
    try:
        # Wide enough that a value too large for float32 can still be named.
        return array.astype(np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{name} does not hold real numbers: {error}.") from error


def _check_frames(array: NDArray[Any], name: str) -> None:
    """Refuse an utterance without frames, or with values that float32 cannot hold."""
    if not len(array):
        raise ValueError(
            f"{name} has no frames: its recording was faulty or too short. Leave such "
            "utterances out, with sklearn_ser.features.has_features."
        )
    # One pass: NaN wins both, and no comparison with it holds.
    if max(float(array.max()), -float(array.min())) <= LARGEST:
        return
    bad = ~np.isfinite(array)
    what = "NaN" if np.isnan(array).any() else "infinity"
    if not bad.any():
        bad, what = np.abs(array) > LARGEST, "a value too large for float32"
    frame, feature = np.argwhere(bad)[0]
    raise ValueError(
        f"Input X contains {what}: {name}, frame {frame}, feature {feature}. Repair "
        "the utterance or leave it out."
    )
