"""Callbacks: our own, the user's, and how training goes on from a checkpoint."""

from __future__ import annotations

import contextlib
import signal
import threading
import warnings
from collections.abc import Iterator
from copy import copy
from typing import Any

from sklearn.base import clone
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LoadInitState,
    LRScheduler,
    PassthroughScoring,
    TrainEndCheckpoint,
)
from skorch.history import History
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm


class StopTraining(Exception):  # noqa: N818 - a signal, not an error
    """Raised where a callback ends the training, by skorch's convention."""


class StopBelow(Callback):
    """Ends the training after the first epoch whose loss is below a threshold.

    Parameters
    ----------
    monitor : str
        Name of the loss in the history.
    threshold : float
        The loss has to fall below it.
    """

    def __init__(self, monitor: str, threshold: float) -> None:
        self.monitor = monitor
        self.threshold = threshold

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Stop where the loss is low enough."""
        if net.history[-1, self.monitor] < self.threshold:
            raise KeyboardInterrupt  # skorch's convention


class AverageWeights(Callback):
    """Ends the training with the mean of the weights after each of its last epochs.

    Parameters
    ----------
    start : float
        The share of the epochs before the first one that counts.
    """

    def __init__(self, start: float) -> None:
        self.start = start

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget what an earlier training has averaged."""
        self.n_before_ = len(net.history)
        self.average_ = AveragedModel(net.module_, use_buffers=True)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the weights of an epoch."""
        if len(net.history) - self.n_before_ > self.start * net.n_epochs:
            self.average_.update_parameters(net.module_)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Take the mean."""
        if self.average_.n_averaged:
            net.module_.load_state_dict(self.average_.module.state_dict())
        del self.average_


class EpochProgress(Callback):
    """A progress bar over the epochs, with the latest losses beside it.

    Parameters
    ----------
    description : str
        What stands before the bar.
    """

    def __init__(self, description: str = "") -> None:
        self.description = description

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Open the bar."""
        self.bar_ = tqdm(total=net.n_epochs, desc=self.description, unit="epoch")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Advance the bar by an epoch."""
        last = net.history[-1]
        self.bar_.set_postfix(
            {k: f"{last[k]:.3g}" for k in ("train_loss", "valid_loss") if k in last},
            refresh=False,
        )
        self.bar_.update()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar_.close()


# Those that ask the net for predictions of X and y, which it does not know.
_SCORING = (EpochScoring, BatchScoring, PassthroughScoring)


def own_callbacks(given: Any, *, validates: bool) -> tuple[list[Any], list[Any]]:
    """Copy the user's callbacks, which skorch changes.

    Parameters
    ----------
    given : list of Callback or (str, Callback), or None
        As skorch takes them.
    validates : bool
        Whether some of the data are held out for validation.

    Returns
    -------
    first, others : list
        Those that load a checkpoint, which have to be called before all others.

    Raises
    ------
    ValueError
        If one cannot work here.
    """
    listed = [_own(one) for one in given or []]
    for one in listed:
        if isinstance(_bare(one), _SCORING):
            name = type(_bare(one)).__name__
            raise ValueError(
                f"net_params has the callback {name}, which cannot score here: the net "
                "itself predicts nothing. history_ has the losses of each epoch. For "
                "another score, give a skorch.callbacks.Callback whose "
                "on_epoch_end(net, **kwargs) computes it from net.module_, or "
                "cross-validate the estimator."
            )
        monitor = str(getattr(_bare(one), "monitor", None))
        if monitor.startswith("valid_") and not validates:
            name = type(_bare(one)).__name__
            raise ValueError(
                f"net_params has the callback {name}(monitor={monitor!r}), but nothing "
                "is held out for validation: set early_stopping=True, or another "
                "monitor, None or 'train_loss_best' for a Checkpoint."
            )
    first = [one for one in listed if isinstance(_bare(one), LoadInitState)]
    return first, [one for one in listed if one not in first]


def _own(callback: Any) -> Any:
    """Return a copy of a callback or of its pair with a name."""
    if isinstance(callback, tuple):
        return tuple(_own(one) for one in callback)
    try:
        own = clone(callback, safe=False)
    except TypeError:
        # It holds what cannot be copied, such as the open file of a writer.
        own = copy(callback)
    if isinstance(own, LoadInitState):
        own.checkpoint.initialize()  # a copy, which is in no list of callbacks
    return own


def _bare(callback: Any) -> Any:
    """Return a callback without its name."""
    return callback[1] if isinstance(callback, tuple) else callback


def without_checkpoints(net_params: dict[str, Any] | None) -> dict[str, Any] | None:
    """Leave out the callbacks that save to files or load from them.

    Parameters
    ----------
    net_params : dict or None
        As of the estimators.

    Returns
    -------
    dict or None
        For a net whose checkpoints would overwrite those of another.
    """
    if not (net_params and net_params.get("callbacks")):
        return net_params
    kinds = (Checkpoint, TrainEndCheckpoint, LoadInitState)
    kept = [c for c in net_params["callbacks"] if not isinstance(_bare(c), kinds)]
    return {**net_params, "callbacks": kept}


def check_resumable(callbacks: list[tuple[str, Any]], of_user: list[Any]) -> None:
    """Refuse to go on from a checkpoint where it does not hold all that matters.

    Parameters
    ----------
    callbacks : list of (str, Callback)
        Our own.
    of_user : list of Callback or (str, Callback)
        The others.

    Raises
    ------
    ValueError
        If the best weights so far would be needed.
    """
    for one in [*callbacks, *of_user]:
        if isinstance(_bare(one), AverageWeights):
            raise ValueError(
                "net_params has the callback LoadInitState, but no checkpoint holds "
                "the weights of the epochs before it, whose mean training ends with: "
                "set schedule's average_from to None, or leave LoadInitState out."
            )
        if isinstance(_bare(one), EarlyStopping) and _bare(one).load_best:
            raise ValueError(
                "net_params has the callback LoadInitState, but no checkpoint holds "
                "the best weights so far, which early stopping ends with: set "
                "early_stopping=False, or leave LoadInitState out."
            )


def catch_up(net: Any) -> None:
    """Bring schedules and stops to where they were when a checkpoint was written.

    Parameters
    ----------
    net : TrainingNet
        With the loaded history and weights.

    Raises
    ------
    StopTraining
        If training had ended there.
    """
    loaded = net.history
    groups = net.optimizer_.param_groups
    schedules = [c for _, c in net.callbacks_ if isinstance(c, LRScheduler)]
    if schedules:
        for group in groups:
            group["lr"] = group.get("initial_lr", net.lr)
    stops = [c for _, c in net.callbacks_ if isinstance(c, EarlyStopping | StopBelow)]
    net.history = History()
    for callback in [*schedules, *stops]:
        callback.initialize()
        callback.on_train_begin(net)
    try:
        # torch misses the steps of the optimiser, which the checkpoint has made.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for row in loaded:
                net.history.append({**row, "batches": [{}]})
                for callback in schedules:
                    for _ in range(row.get("train_batch_count", 0)):
                        callback.on_batch_end(net, training=True)
                for callback in [*schedules, *stops]:
                    callback.on_epoch_end(net)
    except KeyboardInterrupt as wish:
        raise StopTraining from wish
    finally:
        net.history = loaded


@contextlib.contextmanager
def interrupts() -> Iterator[list[int]]:
    """Notice the user's Ctrl-C, which callbacks end the training with, too.

    Yields
    ------
    list of int
        Gets the number of each interrupt signal. Only the main thread receives them.
    """
    seen: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if (
        not callable(before)
        or threading.current_thread() is not threading.main_thread()
    ):
        yield seen
        return

    def notice(number: int, frame: Any) -> Any:
        seen.append(number)
        return before(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
