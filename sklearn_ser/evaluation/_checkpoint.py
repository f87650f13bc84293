"""Finished folds in a folder, from which an interrupted evaluation goes on."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from .._code import code_in_memory
from .._warnings import warn_user
from ..audio import AudioError, fingerprint
from ._candidates import keep_candidates
from ._folds import FoldResult
from ._origin import versions
from ._protocol import parts
from ._typed import digest_of, encode

_DIGEST = 32
_PACKAGE = Path(__file__).parent.parent

Task = Callable[[], FoldResult]


class Checkpoint:
    """A folder of finished folds.

    Parameters
    ----------
    folder : str or os.PathLike
        Made if it is not there.

    Attributes
    ----------
    folder : Path
        Absolute, as worker processes may run elsewhere.
    features : Path
        Where front ends may keep features.

    Raises
    ------
    ValueError
        If the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.features = self.folder / "features"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"checkpoint={str(folder)!r} cannot be a folder ({error.strerror}): "
                "give another, or None."
            ) from error

    def keeping(self, tasks: list[Any]) -> list[Task]:
        """Let tasks look their result up, and keep it.

        Parameters
        ----------
        tasks : list of functools.partial
            As `fold_tasks` makes them.

        Returns
        -------
        list of callable
            They give the same results.

        Raises
        ------
        ValueError
            If a learner cannot be pickled.
        """
        learners: dict[int, str] = {}
        data = data_digest(*tasks[0].args[1:4])
        kept: list[Task] = []
        for task in tasks:
            learner, *_, train, test = task.args
            if id(learner) not in learners:
                learners[id(learner)] = _learner_digest(learner)
            key = digest_of([data, learners[id(learner)], encode_rows(train, test)])
            kept.append(partial(_keep_fold, self.folder / f"{key}.joblib", task))
        return kept


def _keep_fold(path: Path, task: Any) -> FoldResult:
    """Look a fold up, or run it: until it is finished, its candidates are kept, too."""
    candidates = path.with_suffix(".candidates")
    run = partial(keep_candidates, task, candidates, (look_up, data_digest))
    result: FoldResult = look_up(path, run)
    shutil.rmtree(candidates, ignore_errors=True)
    return result


def look_up(path: Path, task: Callable[[], Any]) -> Any:
    """Return what a file holds of a task; run the task and write it, if nothing.

    Parameters
    ----------
    path : Path
        The file.
    task : callable
        A fold, or the fit of a candidate in it.

    Returns
    -------
    object
        What the task returns.

    Warns
    -----
    UserWarning
        If it cannot be pickled, and is not kept.
    """
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    # Checked before anything is unpickled: a file that was cut is as none.
    if content and _checksum(path, body) == digest:
        return joblib.load(io.BytesIO(body))
    result = task()
    buffer = io.BytesIO()
    try:
        joblib.dump(result, buffer)
    except Exception as error:  # whatever its objects raise
        warn_user(
            f"A fitted estimator cannot be kept in the checkpoint ({error}): it is "
            "fitted again where an interrupted evaluation goes on."
        )
        return result
    body = buffer.getvalue()
    own = path.with_suffix(f".{os.getpid()}")
    try:
        with own.open("wb") as file:
            file.write(body + _checksum(path, body))
            file.flush()
            os.fsync(file.fileno())
        os.replace(own, path)
    finally:
        own.unlink(missing_ok=True)
    return result


def encode_rows(*rows: NDArray[np.intp] | None) -> list[Any]:
    """Return checksums of rows.

    Parameters
    ----------
    *rows : ndarray of int, or None

    Returns
    -------
    list of str or None
    """
    return [None if one is None else data_digest(np.asarray(one)) for one in rows]


def data_digest(*values: Any) -> str:
    """Return a checksum of the content of arrays, tables, sequences and recordings.

    Parameters
    ----------
    *values : object
        Arrays of numbers and text; data frames; arrays of sequences or of recordings;
        dicts of arrays of numbers and text.

    Returns
    -------
    str
        The same for the same content, in any process and wherever recordings lie.
    """
    digest = hashlib.sha256()
    for value in values:
        for piece in _pieces(value):
            digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def _pieces(value: Any) -> Any:
    """Give the bytes that tell a value apart."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield name.encode()
            # Objects are texts here, such as genders, and no recordings.
            entries = np.asarray(value[name])
            yield from _pieces(
                entries.astype(str) if entries.dtype == object else entries
            )
    elif hasattr(value, "columns") and hasattr(value, "__array__"):
        yield repr(list(value.columns)).encode()
        yield from _pieces(np.asarray(value))
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1:
        yield f"{len(value)} entries".encode()
        for entry in value:
            yield from _pieces_of_entry(entry)
    else:
        yield str(joblib.hash(value)).encode()


def _pieces_of_entry(entry: Any) -> Any:
    """Give the bytes that tell a sequence, a recording or a text apart."""
    if isinstance(entry, np.ndarray):
        yield from _pieces(entry)
    elif isinstance(entry, tuple | str | os.PathLike):
        try:
            yield fingerprint(entry).encode()
        except AudioError:  # a text, or nothing that can be read
            yield repr(entry).encode()
    else:
        yield str(joblib.hash(entry)).encode()


def _learner_digest(learner: Any) -> str:
    """Return a checksum of an estimator, its code and the versions of libraries."""
    try:
        pickle.dumps(learner)
    except Exception as error:  # whatever its objects raise
        raise ValueError(
            "With a checkpoint, fitted estimators are kept in files, and this one "
            f"cannot be pickled ({error}): define its functions and classes in a "
            "module."
        ) from error
    return digest_of([encode(learner), _code(learner), versions()])


def _code(learner: Any) -> list[str]:
    """Describe the code of the classes and functions of an estimator."""
    files, texts = {*_PACKAGE.rglob("*.py")}, []
    for part in parts(learner):
        kind = type(part) if hasattr(part, "get_params") else part
        for cls in getattr(kind, "__mro__", [kind]):
            module = sys.modules.get(getattr(cls, "__module__", None) or "")
            name = getattr(module, "__file__", None) or ""
            files |= {Path(name)} if name.endswith(".py") else set()
        texts += code_in_memory(kind)
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.exists():
            digest.update(path.name.encode() + path.read_bytes())
    return [digest.hexdigest(), *texts]


def _checksum(path: Path, body: bytes) -> bytes:
    """Return a checksum of a file, which is another under another name."""
    return hashlib.blake2b(path.name.encode() + body, digest_size=_DIGEST).digest()
