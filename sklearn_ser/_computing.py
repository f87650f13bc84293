"""What torch is set to elsewhere, which must not change what is computed here."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from ._warnings import warn_user


class _Float32:
    """Makes float32 torch's default, which all threads share, while any is inside."""

    def __init__(self) -> None:
        self.renew_lock()
        self._n_inside = 0
        self._before = torch.float32

    def renew_lock(self) -> None:
        """Free the lock."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_inside:
                self._before = torch.get_default_dtype()
                _set_dtype(torch.float32)
            self._n_inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                _set_dtype(self._before)


def _set_dtype(dtype: torch.dtype) -> None:
    """Set torch's default dtype, if it is another."""
    if torch.get_default_dtype() != dtype:
        torch.set_default_dtype(dtype)


# Modules draw their first weights from torch's global generator, which threads
# share: one net at a time, with the generator's state put back afterwards.
_INITIALIZATION = threading.Lock()
_FLOAT32 = _Float32()


def _renew_locks() -> None:
    """Free the locks in a forked process: their holders do not exist there."""
    global _INITIALIZATION
    _INITIALIZATION = threading.Lock()
    _FLOAT32.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


@contextlib.contextmanager
def first_weights(seed: int) -> Iterator[None]:
    """Let modules draw their first weights in a block, by a seed of their own.

    Parameters
    ----------
    seed : int
        For torch's global generator, whose state is put back afterwards.

    Yields
    ------
    None
    """
    with _INITIALIZATION:
        state = torch.default_generator.get_state()
        try:
            torch.default_generator.manual_seed(seed)
            yield
        finally:
            torch.default_generator.set_state(state)


def on_threads(n_threads: int = 1) -> Any:
    """Let torch have so many threads in a block, for the calling thread only.

    More than one make small networks slower. Their sums round differently from those
    of a worker process, which has one thread. And a forked process waits for ever for
    the threads of its parent.

    Parameters
    ----------
    n_threads : int, default=1
        How many.

    Returns
    -------
    context manager
    """
    return threadpool_limits(limits=n_threads, user_api="openmp")


@contextlib.contextmanager
def computing(n_threads: int = 1) -> Iterator[None]:
    """Compute a block as it is anywhere, whatever torch is set to around it.

    Default dtype and device, modes without gradients and reduced precision are those
    of a fresh torch. On a GPU, the algorithms of cuDNN are those that give the same
    numbers each time.

    Parameters
    ----------
    n_threads : int, default=1
        How many threads torch has.

    Yields
    ------
    None
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(on_threads(n_threads))
        stack.enter_context(_FLOAT32)
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda"):
            stack.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":
            # Only then, as it slows down each operation.
            stack.enter_context(torch.device("cpu"))
        if torch.cuda.is_available():
            exact = {"benchmark": False, "deterministic": True, "allow_tf32": False}
            flags: Any = torch.backends.cudnn.flags
            stack.enter_context(flags(torch.backends.cudnn.enabled, **exact))
        yield


def resolve_device(device: str | torch.device) -> str:
    """Return the device to compute on.

    Parameters
    ----------
    device : str or torch.device
        A torch device, or ``"auto"``: CUDA where there is one, else the CPU.

    Returns
    -------
    str
        A torch device. The CPU, with a warning, where CUDA is asked for and
        there is none: what was trained on a GPU predicts everywhere.

    Raises
    ------
    ValueError
        If torch does not know the device.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        known = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device must be 'auto' or a torch device such as 'cpu' or 'cuda:0', "
            f"got {device!r}."
        ) from error
    if known.type == "cuda" and not torch.cuda.is_available():
        warn_user(
            f"device={str(device)!r}, but torch finds no CUDA device here: computing "
            "on the CPU."
        )
        return "cpu"
    return str(known)
