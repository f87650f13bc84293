"""The folds of an evaluation, one after the other or side by side in processes."""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeVar

import joblib
from sklearn.utils.parallel import Parallel, delayed

R = TypeVar("R")

# Processes that import torch are some ten seconds late where all processors are busy:
# for folds that take less than this together they gain nothing.
_WORTH_PROCESSES = 30.0

_Said = list[tuple[str, type[Warning]]]


def run_folds(
    folds: Sequence[Callable[[], R]],
    n_jobs: int | Literal["auto"] | None,
    *,
    are_long: bool,
) -> Iterator[R]:
    """Run folds and yield their results in order.

    Parameters
    ----------
    folds : sequence of callable
        Each fits and predicts a fold; they can be pickled.
    n_jobs : int, "auto" or None
        Folds at once; ``"auto"`` runs fold after fold here until one shows that it
        takes long, and the others on all processors.
    are_long : bool
        Whether it is known before the first fold that they take long.

    Yields
    ------
    object
        What a fold has returned.
    """
    ahead = deque(folds)
    if n_jobs == "auto":
        n_jobs = min(joblib.effective_n_jobs(-1), len(ahead))
        while ahead and not are_long:
            start = time.perf_counter()
            yield ahead.popleft()()
            are_long = (time.perf_counter() - start) * len(ahead) > _WORTH_PROCESSES
    here = os.getpid()
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_with_warnings)(fold, here) for fold in ahead
    )
    for result, said in results:
        for text, category in said:
            warnings.warn(text, category, stacklevel=2)
        yield result


def _with_warnings(fold: Callable[[], R], caller: int) -> tuple[R, _Said]:
    """Run a fold; hand on what it has warned of, if the caller is another process.

    Each process would show the same warning once more, and in a form of its own.
    """
    if os.getpid() == caller:
        return fold(), []
    with warnings.catch_warnings(record=True) as said:
        result = fold()
    return result, [(str(one.message), one.category) for one in said]


def asks_for_gpu(learner: Any) -> bool:
    """Tell whether a part of an estimator computes on CUDA.

    Parameters
    ----------
    learner : estimator
        With its parts among its parameters.

    Returns
    -------
    bool
        False without an import of torch where no part has a device.
    """
    params = learner.get_params()
    devices = {str(params[p]) for p in params if p.rpartition("__")[2] == "device"}
    if not any(device == "auto" or "cuda" in device for device in devices):
        return False
    import torch

    return torch.cuda.is_available()
