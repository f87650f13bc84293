"""Features of recordings in a folder: no pickles, and a checksum in each file."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._code import code_in_memory

_DIGEST = 32
_PACKAGE = Path(__file__).parent.parent


class DamagedError(Exception):
    """A file of the store is not what was written into it."""


class FeatureStore:
    """Arrays in a folder, one file for each, found by a key.

    A file is one of numpy's, ``.npy``, with a checksum behind it. It is written under
    another name first, so that no reader ever sees half of it.

    Parameters
    ----------
    folder : str or os.PathLike
        Where they lie; made if it is not there.
    n_features : int
        Width of the arrays.
    is_ragged : bool
        Whether they have a row for each frame, or one dimension.

    Raises
    ------
    ValueError
        If the folder cannot be made.
    """

    def __init__(
        self, folder: str | os.PathLike[str], n_features: int, is_ragged: bool
    ) -> None:
        # Absolute: a program may change its folder while threads are at work.
        self.folder = Path(folder).expanduser().absolute()
        self._root = os.fspath(self.folder)
        self.n_features = n_features
        self.n_dimensions = 2 if is_ragged else 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"memory={str(folder)!r} cannot be a folder ({error.strerror}): give "
                "another, or None."
            ) from error

    def path(self, key: str) -> Path:
        """Return the file of a key."""
        return Path(self._name(key))

    def _name(self, key: str) -> str:
        """Return the name of its file, at a tenth of the cost of a path."""
        name = hashlib.blake2b(key.encode(), digest_size=20).hexdigest()
        return os.path.join(self._root, name[:2], f"{name[2:]}.npy")

    def load(self, key: str) -> NDArray[np.float32] | None:
        """Return what was saved for a key, None if nothing was.

        Raises
        ------
        DamagedError
            If the file is not what was written, or can be no features.
        """
        try:
            with open(self._name(key), "rb", buffering=0) as file:
                content = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedError from error
        body, digest = content[:-_DIGEST], content[-_DIGEST:]
        if _checksum(key, body) != digest:
            raise DamagedError
        try:
            features = _array(body)
        except (ValueError, EOFError) as error:
            raise DamagedError from error
        if not self._may_be(features):
            raise DamagedError
        result: NDArray[np.float32] = features
        return result

    def save(self, key: str, features: NDArray[np.float32]) -> None:
        """Save an array, in the place of what was there.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if not self._may_be(features):
            return
        buffer = BytesIO()
        np.save(buffer, features, allow_pickle=False)
        body = buffer.getvalue()
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            own.write_bytes(body + _checksum(key, body))
            os.replace(own, path)
        finally:
            own.unlink(missing_ok=True)

    def _may_be(self, features: NDArray[np.generic]) -> bool:
        """Tell whether an array can be the features of a recording."""
        return (
            features.dtype == np.float32
            and features.ndim == self.n_dimensions
            and features.shape[-1] == self.n_features
            and bool(np.isfinite(features).all())
        )


def _array(body: bytes) -> NDArray[Any]:
    """Return the array of a ``.npy`` file, as `numpy.load` does."""
    start = 10 + int.from_bytes(body[8:10], "little")
    shape, dtype = _layout(body[:start])
    return np.frombuffer(body, dtype, offset=start).reshape(shape).copy()


@lru_cache
def _layout(header: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header of a ``.npy`` file, which takes longer than its numbers.

    The rows of a table all have the same one.
    """
    file = BytesIO(header)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("It is of another version of the format.")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if is_fortran or dtype.hasobject:
        raise ValueError("The array is not one that is written here.")
    return shape, dtype


def _checksum(key: str, body: bytes) -> bytes:
    """Return a checksum of a file, which is another under another key."""
    return hashlib.blake2b(key.encode() + body, digest_size=_DIGEST).digest()


def code_of(kind: type) -> str:
    """Return a checksum of the code that computes the features of a front end.

    Parameters
    ----------
    kind : type
        Class of the front end, which may be a user's own.

    Returns
    -------
    str
        Another one after each change of the code.
    """
    digest = hashlib.blake2b(_code_in_files(kind).encode(), digest_size=16)
    for text in code_in_memory(kind):
        digest.update(text.encode())
    return digest.hexdigest()


@lru_cache
def _code_in_files(kind: type) -> str:
    """Return a checksum of the files of a class, its bases and the front ends."""
    modules = (sys.modules.get(cls.__module__) for cls in kind.__mro__)
    named = {getattr(module, "__file__", None) or "" for module in modules}
    users = {Path(name) for name in named if name.endswith(".py")}
    own = {*_PACKAGE.glob("*.py"), *(_PACKAGE / "features").glob("*.py")}
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(users | own):
        if path.exists():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
