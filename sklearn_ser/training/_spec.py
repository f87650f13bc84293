"""What a net is built from, as plain values: the same net again, anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from skorch.callbacks import EarlyStopping, LRScheduler
from skorch.history import History
from torch import nn, optim

from .._computing import computing, resolve_device
from ._batches import Batches, BatchTransform, TableBatches
from ._callbacks import (
    AverageWeights,
    EpochProgress,
    StopBelow,
    check_resumable,
    own_callbacks,
)
from ._net import TrainingNet
from ._schedule import LearningRate
from ._state import to_numpy, to_torch


@dataclass(frozen=True, kw_only=True)
class NetSpec:
    """All that a net depends on, beside the data.

    It holds classes and plain values alone, can be pickled and compared, and builds
    the same net each time: `fit` trains the first, a fitted estimator that is loaded
    builds another and gives it the trained weights.

    Parameters
    ----------
    module, criterion : type
        Classes of the network and of its loss.
    module_params, criterion_params : dict
        What they are built with.
    inputs : dict of str to str
        The arguments of the module, and the names in the batch of what they get.
    batches : type
        The kind of batches.
    batch_params : dict
        What they are made with, beside the data.
    batch_transform : BatchTransform or None
        Changes a batch before the network sees it.
    net : type
        The kind of net.
    part : str
        The part of the module that is trained; all of it for ``""``.
    optimizer : str
        Its name in `torch.optim`.
    lr, weight_decay, max_epochs, batch_size, device, net_params
        As of the estimators.
    seed : int
        Root of all that is random.
    early_stopping : dict or None
        Parameters of `skorch.callbacks.EarlyStopping`.
    stop_below : dict or None
        Parameters of `StopBelow`.
    lr_schedule : dict or None
        ``"policy"``, its name in `torch.optim.lr_scheduler`, and its parameters.
    lr_policy : {"one_cycle", "cosine"} or None
        What is done in its place, if not None: see `Schedule`.
    average_from : float or None
        See `Schedule`.
    augmentation : BatchTransform or None
        Changes a batch that is trained on, after `batch_transform`.
    progress : str or None
        What stands before the progress bar; None shows none.
    """

    module: type[nn.Module]
    criterion: type[nn.Module]
    module_params: dict[str, Any]
    criterion_params: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str]
    batches: type[Batches] = TableBatches
    batch_params: dict[str, Any] = field(default_factory=dict)
    batch_transform: BatchTransform | None = None
    net: type[TrainingNet] = TrainingNet
    part: str = ""
    optimizer: str = "Adam"
    lr: float
    weight_decay: float = 0.0
    max_epochs: int
    batch_size: int
    device: str
    n_threads: int = 1
    seed: int
    early_stopping: dict[str, Any] | None = None
    stop_below: dict[str, Any] | None = None
    lr_schedule: dict[str, Any] | None = None
    lr_policy: str | None = None
    average_from: float | None = None
    augmentation: BatchTransform | None = None
    progress: str | None = None
    net_params: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Replace the numbers of numpy, which torch takes in some places only."""
        for name, value in vars(self).items():
            object.__setattr__(self, name, plain(value))

    def build(self) -> TrainingNet:
        """Build and initialise the net.

        Returns
        -------
        TrainingNet
            Untrained.

        Raises
        ------
        ValueError
            If `net_params` or `device` are not possible.
        """
        of_user = check_net_params(self.net_params)
        optimizer = of_user.pop("optimizer", getattr(optim, self.optimizer))
        device = resolve_device(self.device)
        settings: dict[str, Any] = {
            "module": self.module,
            "criterion": self.criterion,
            **{f"module__{name}": value for name, value in self.module_params.items()},
            **{f"criterion__{k}": value for k, value in self.criterion_params.items()},
            "inputs": self.inputs,
            "batches": partial(self.batches, **self.batch_params),
            "batch_transform": self.batch_transform,
            "augmentation": self.augmentation,
            "part": self.part,
            "optimizer": optimizer,
            "lr": self.lr,
            "max_epochs": self.max_epochs,
            "batch_size": self.batch_size,
            "device": device,
            "seed": self.seed,
            "n_threads": self.n_threads,
            "train_split": None,
            "verbose": 0,
        }
        if optimizer is optim.Adam and device.startswith(("cpu", "cuda")):
            settings["optimizer__fused"] = True
        if self.weight_decay:  # a user's own optimiser may not have it
            settings["optimizer__weight_decay"] = self.weight_decay
        loading, others = own_callbacks(
            of_user.pop("callbacks", None), validates=self.early_stopping is not None
        )
        ours = self._callbacks()
        if loading:
            check_resumable(ours, others)
        settings["callbacks"] = [*loading, *ours, *others]
        with computing():
            return self.net(**(settings | of_user)).initialize()

    def restore(
        self, state: dict[str, Any], history: list[dict[str, Any]]
    ) -> TrainingNet:
        """Build the net and give it what was trained.

        Parameters
        ----------
        state : dict
            What `trained_state` returns.
        history : list of dict
            One entry per epoch.

        Returns
        -------
        TrainingNet
        """
        net = self.build()
        with computing():
            net.module_.load_state_dict(to_torch(state["module"]))
            net.optimizer_.load_state_dict(to_torch(state["optimizer"]))
        net.history = History({"batches": [], **row} for row in history)
        return net

    def _callbacks(self) -> list[tuple[str, Any]]:
        """Return our callbacks: schedule, what stops early, progress bar."""
        callbacks: list[tuple[str, Any]] = []
        # Before early stopping, which would leave it out of the last epoch.
        if self.lr_policy is not None:
            rate = LearningRate(self.lr_policy, self.max_epochs)
            schedule = LRScheduler("LambdaLR", event_name="lr", lr_lambda=rate)
            callbacks.append(("lr_schedule", schedule))
        elif self.lr_schedule is not None:
            params = dict(self.lr_schedule)
            policy = getattr(optim.lr_scheduler, params.pop("policy"))
            schedule = LRScheduler(policy, event_name="lr", **params)
            callbacks.append(("lr_schedule", schedule))
        if self.early_stopping is not None:
            stopping = EarlyStopping(
                monitor="valid_loss",
                threshold_mode="abs",
                load_best=True,
                sink=_silent,
                **self.early_stopping,
            )
            callbacks.append(("early_stopping", stopping))
        # After early stopping, which has to see the last epoch, too.
        if self.stop_below is not None:
            callbacks.append(("stop_below", StopBelow(**self.stop_below)))
        if self.average_from is not None:
            callbacks.append(("average", AverageWeights(self.average_from)))
        if self.progress is not None:
            callbacks.append(("progress", EpochProgress(self.progress)))
        return callbacks


def plain(value: Any) -> Any:
    """Return a parameter with Python's numbers for those of numpy.

    Parameters
    ----------
    value : Any
        What a user may give, such as the values of a grid, which are numpy's.

    Returns
    -------
    Any
        Arrays of numbers and strings become tuples; dicts, lists and tuples stay.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(one) for one in value)
    return value


def trained_state(net: TrainingNet) -> dict[str, Any]:
    """Return what a net has learned, as numpy arrays.

    A live net would carry pickle bytes into formats that exist to avoid them, and
    weights on a GPU could not be read without one.

    Parameters
    ----------
    net : TrainingNet
        A trained net.

    Returns
    -------
    dict of str to dict
        Of ``"module"`` and ``"optimizer"``.
    """
    return {
        "module": to_numpy(net.module_.state_dict()),
        "optimizer": to_numpy(net.optimizer_.state_dict()),
    }


# Parameters of skorch that cannot be set here, and what to use instead.
_NOT_IN_NET_PARAMS = {
    "module": "the estimator's own parameters",
    "criterion": "the estimator's own parameters",
    "device": "the parameter device",
    "lr": "the parameter lr",
    "max_epochs": "the parameter max_epochs",
    "batch_size": "the parameter batch_size",
    "verbose": "the parameter verbose",
    "seed": "random_state",
    "n_threads": "the parameter n_jobs",
    "batches": "the estimator's own parameters",
    "inputs": "the estimator's own parameters",
    "batch_transform": "the estimator's own parameters",
    "augmentation": "the parameter schedule",
    "part": "the estimator's own parameters",
    "warm_start": "partial_fit",
    "train_split": "early_stopping",
    "dataset": "the data given to fit",
    "iterator_train": "batch_size",
    "iterator_valid": "batch_size",
}


def check_net_params(net_params: dict[str, Any] | None) -> dict[str, Any]:
    """Copy the further parameters of the net; refuse those without effect.

    Parameters
    ----------
    net_params : dict or None
        Names and values of skorch parameters.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a parameter cannot be set there.
    """
    given = dict(net_params or {})
    for name in given:
        instead = _NOT_IN_NET_PARAMS.get(str(name).partition("__")[0])
        if instead:
            raise ValueError(f"net_params cannot set {name!r}: use {instead}.")
    return given


def _silent(text: str) -> None:
    """Swallow what a callback would print."""
