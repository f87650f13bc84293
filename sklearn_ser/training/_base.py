"""What the deep estimators share: parameters, building a net, device, state."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping
from copy import deepcopy
from numbers import Integral, Number, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
)
from skorch.callbacks import EarlyStopping
from skorch.history import History

from .._constants import UNKNOWN
from .._sklearn import Interval
from .._warnings import warn_user
from ._net import (
    Batches,
    Corruption,
    EpochProgress,
    TableBatches,
    TrainingNet,
)
from ._state import plain_history, to_numpy, to_torch

Data = Mapping[str, Any]


class NetEstimator(BaseEstimator, metaclass=ABCMeta):
    """Base of the estimators that train a torch module.

    A child class names its module and criterion, and stores what its
    constructor is given. It is a plain scikit-learn estimator that holds a
    skorch net in ``net_``: it is not itself a net.
    """

    _module_class: ClassVar[type[torch.nn.Module]]
    _criterion_class: ClassVar[type[torch.nn.Module]]
    _net_class: ClassVar[type[TrainingNet]] = TrainingNet
    _batches: ClassVar[type[Batches]] = TableBatches
    _optimizer_class: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adam

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "net_params": [dict, None],
    }

    @abstractmethod
    def _module_params(self) -> dict[str, Any]:
        """Return what the module is built with, from parameters and data."""

    def _criterion_params(self) -> dict[str, Any]:
        """Return the criterion's parameters; a child class may have some."""
        return {}

    def _inputs(self) -> dict[str, str]:
        """Return the module's arguments, and what they get from a batch."""
        return {"x": "X"}

    def _batch_maker(self) -> Callable[..., Batches]:
        """Return what makes batches of data; a child class may give it parameters."""
        return self._batches

    def _corruption(self) -> Corruption | None:
        """Return how batches are changed before the network sees them, if at all."""
        return None

    def _prepare(self, data: Data, valid: Data | None) -> tuple[Data, Data | None]:
        """Learn from the data to train on what is applied to both; check them."""
        return data, valid

    def _fit_net(self, data: Data, groups: Any) -> None:
        """Train a new net, with early stopping where it is asked for."""
        self._draw()
        valid: Data | None = None
        if self.early_stopping:
            kept, held_out = self._split_by_group(len(data["X"]), groups)
            valid = {name: values[held_out] for name, values in data.items()}
            data = {name: values[kept] for name, values in data.items()}
        data, valid = self._prepare(data, valid)
        self._architecture = self._module_params()
        net = self._build_net()
        self._begin(net)
        net.train_on(data, valid)
        self._keep(net)

    def _begin(self, net: TrainingNet) -> None:
        """Change a new net before it is trained; a child class may."""

    def _continue_net(self, data: Data) -> None:
        """Train for one more epoch; begin with a new net where there is none."""
        if not hasattr(self, "net_"):
            self._draw()
            self._architecture = self._module_params()
        net = self.net_ if hasattr(self, "net_") else self._build_net()
        net.train_on(data, epochs=1)
        self._keep(net)

    def _draw(self) -> None:
        """Fix seed and parameters, so that a net can be rebuilt later."""
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._params_at_fit = self.get_params(deep=False)

    def _build_net(self) -> TrainingNet:
        """Build and initialise the net."""
        settings: dict[str, Any] = {
            "batches": self._batch_maker(),
            "inputs": self._inputs(),
            "max_epochs": self.max_epochs,
            "seed": self._seed,
        }
        settings |= {f"module__{k}": v for k, v in self._architecture.items()}
        settings |= {f"criterion__{k}": v for k, v in self._criterion_params().items()}
        return self._net(self._net_class, self._callbacks(), **settings)

    def _net(
        self, net_class: type[TrainingNet], callbacks: list[Any], **settings: Any
    ) -> TrainingNet:
        """Build and initialise a net by the parameters, changed by some settings."""
        settings = {
            "module": self._module_class,
            "criterion": self._criterion_class,
            "optimizer": self._optimizer_class,
            "lr": self.lr,
            "batch_size": self.batch_size,
            "device": resolve_device(self.device),
            "corrupt": self._corruption(),
            "train_split": None,
            "verbose": 0,
            **settings,
        }
        given = check_net_params(self.net_params)
        optimizer = given.get("optimizer", settings["optimizer"])
        if optimizer is torch.optim.Adam and settings["device"].startswith(
            ("cpu", "cuda")
        ):
            settings["optimizer__fused"] = True
        # skorch changes the callbacks that it is given: never the user's own.
        of_user = clone(given.pop("callbacks", None) or [], safe=False)
        settings["callbacks"] = [*callbacks, *of_user]
        return net_class(**(settings | given)).initialize()

    def _inference_module(self) -> tuple[torch.nn.Module, str]:
        """Return a copy of the module in float64 and evaluation mode, and its device.

        In float32 the last digits of a row would depend on the rows beside it:
        matrix products round by the shape of the whole.
        """
        device = self.net_.device if "cuda" in self.net_.device else "cpu"
        return deepcopy(self.net_.module_).to(device).double().eval(), device

    def _callbacks(self) -> list[Any]:
        """Return the callbacks that the parameters ask for."""
        callbacks = self._stopping()
        if self.verbose:
            callbacks.append(("progress", EpochProgress(type(self).__name__)))
        return callbacks

    def _stopping(self) -> list[Any]:
        """Return what stops the training early, where that is asked for."""
        if not self.early_stopping:
            return []
        stopping = EarlyStopping(
            monitor="valid_loss",
            patience=self.n_iter_no_change,
            threshold=self.tol,
            threshold_mode="abs",
            load_best=True,
            sink=_silent,
        )
        return [("early_stopping", stopping)]

    def _split_by_group(
        self, n_samples: int, groups: Any
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Split off whole groups (speakers) for early stopping."""
        name = type(self).__name__
        if groups is None:
            raise ValueError(
                f"{name}(early_stopping=True) holds out whole speakers: pass them "
                f"as groups. {how_to_pass(name, 'groups')}"
            )
        groups = check_groups(groups)
        if len(np.unique(groups)) < 2:
            raise ValueError(
                f"{name}(early_stopping=True) holds out whole speakers, but groups "
                "names only one."
            )
        splitter = GroupShuffleSplit(
            n_splits=1, test_size=self.validation_fraction, random_state=self._seed
        )
        kept, held_out = next(splitter.split(np.zeros(n_samples), groups=groups))
        self.validation_groups_ = np.unique(groups[held_out])
        return kept, held_out

    def _keep(self, net: TrainingNet) -> None:
        """Keep a trained net, and its history as plain dicts."""
        self.net_ = net
        self.history_ = plain_history(net)

    def _forget(self, *names: str) -> None:
        """Delete what an earlier fit has left, so that a new one cannot mix with it."""
        for name in ("net_", "history_", "validation_groups_", *names):
            if hasattr(self, name):
                delattr(self, name)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is a trained net."""
        return hasattr(self, "net_")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the net as plain numpy arrays.

        A live net would carry pickle bytes into formats that exist to avoid
        them, and weights on a GPU could not be read without one.
        """
        state: dict[str, Any] = dict(super().__getstate__())
        net = state.pop("net_", None)
        if net is not None:
            state["_net_state"] = {
                "module": to_numpy(net.module_.state_dict()),
                "optimizer": to_numpy(net.optimizer_.state_dict()),
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state and build the net anew."""
        state = dict(state)
        weights = state.pop("_net_state", None)
        super().__setstate__(state)
        if weights is not None:
            # As it was built, whatever set_params has changed since.
            builder = type(self)(**self._params_at_fit)
            builder._seed, builder._architecture = self._seed, self._architecture
            net = builder._build_net()
            net.module_.load_state_dict(to_torch(weights["module"]))
            net.optimizer_.load_state_dict(to_torch(weights["optimizer"]))
            net.history = History({"batches": [], **row} for row in self.history_)
            self.net_ = net


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


def per_sample(name: str, values: Any, X: Any) -> NDArray[np.float32]:
    """Validate a target with one number per sample, NaN where it is unknown.

    Parameters
    ----------
    name : str
        What the values are, for messages.
    values : array-like of shape (n_samples,)
        Numbers.
    X : array-like of shape (n_samples, ...)
        What they must be as long as: scikit-learn hands metadata of another
        length whole to each fold.

    Returns
    -------
    ndarray of shape (n_samples,), float32

    Raises
    ------
    ValueError
        If the values are not numbers, infinite, or of another length than `X`.
    """
    try:
        array: NDArray[np.float64] = check_array(
            column_or_1d(values),
            dtype=np.float64,
            ensure_2d=False,
            ensure_all_finite=False,
            input_name=name,
        )
        check_consistent_length(X, array)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be one number per sample, NaN where it is unknown: {error}"
        ) from error
    too_large = np.flatnonzero(np.abs(array) > np.finfo(np.float32).max)
    if too_large.size:
        raise ValueError(
            f"{name} is infinite or too large for float32 at index {too_large[0]}; use "
            "NaN for unknown."
        )
    return array.astype(np.float32)


def one_per_sample(name: str, values: Any) -> NDArray[Any]:
    """Return labels as they are, missing ones among them, as a 1-D array.

    Parameters
    ----------
    name : str
        What the labels are, for messages.
    values : array-like of shape (n_samples,)
        Labels; None, NaN or NA where there is none.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If it is not one label per sample.
    """
    # Of a list of names with a NaN in it, numpy would make the name "nan".
    if isinstance(values, list | tuple) and any(isinstance(v, str) for v in values):
        values = np.array(list(values), dtype=object)
    try:
        array: NDArray[Any] = column_or_1d(values, warn=name == "y")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be one label per sample: {error}") from error
    if array.dtype == object and all(isinstance(v, str) for v in array.tolist()):
        return array.astype(str)
    return array


def numbered_labels(
    name: str, values: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the different labels, and the number of each, -1 for missing ones.

    Parameters
    ----------
    name : str
        What the labels are, for messages.
    values : ndarray of shape (n_samples,)
        Labels; None, NaN or NA where there is none.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        In order.
    numbers : ndarray of shape (n_samples,), int64

    Raises
    ------
    ValueError
        If the labels are of several types, so that they have no order.
    """
    known: NDArray[np.bool_] = ~pd.isna(values)
    kept = values[known]
    if kept.dtype == object:
        types = sorted({_kind(value) for value in kept.tolist()})
        if len(types) > 1:
            raise ValueError(
                f"{name} has labels of several types ({', '.join(types)}): make all "
                "of them strings, or all numbers."
            )
        kept = np.array(kept.tolist())
    labels, of_known = np.unique(kept, return_inverse=True)
    numbers = np.full(len(values), UNKNOWN, np.int64)
    numbers[known] = of_known
    return labels, numbers


def _kind(value: Any) -> str:
    """Return the name of the type of a label, the same for all that can be compared."""
    if isinstance(value, str):
        return "str"
    return "number" if isinstance(value, Number | np.number) else type(value).__name__


def check_groups(groups: Any) -> NDArray[Any]:
    """Validate the speakers.

    Parameters
    ----------
    groups : array-like of shape (n_samples,)
        Speaker of each sample.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If a sample has no speaker.
    """
    array = one_per_sample("groups", groups)
    missing = np.flatnonzero(pd.isna(array))
    if missing.size:
        raise ValueError(
            f"groups has no speaker at index {missing[0]} ({missing.size} in all): "
            "name the speakers of all samples, or leave those samples out."
        )
    numbered_labels("groups", array)  # for its error
    return array


# What is not skorch's business here, and what to use instead.
_NOT_IN_NET_PARAMS = {
    "module": "the estimator's own parameters",
    "criterion": "the estimator's own parameters",
    "device": "the parameter device",
    "lr": "the parameter lr",
    "max_epochs": "the parameter max_epochs",
    "batch_size": "the parameter batch_size",
    "verbose": "the parameter verbose",
    "seed": "random_state",
    "batches": "the estimator's own parameters",
    "inputs": "the estimator's own parameters",
    "corrupt": "the estimator's own parameters",
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


def check_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Validate the widths of layers.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    sizes : sequence of int
        The widths.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If one is not a positive integer.
    """
    listed: list[Any] = list(sizes)
    # True is an int, and no width.
    if not all(
        isinstance(size, int | np.integer) and size > 0 and size is not True
        for size in listed
    ):
        raise ValueError(f"{name} must be positive integers, got {listed}.")
    return tuple(int(size) for size in listed)


def how_to_pass(estimator: str, target: str) -> str:
    """Say how a per-sample target reaches a step, in both routing modes.

    Parameters
    ----------
    estimator : str
        Name of the estimator's class.
    target : str
        Name of the target.

    Returns
    -------
    str
        One sentence for an error message.
    """
    step = estimator.lower()
    return (
        f"Alone: fit(…, {target}=…). In a pipeline or a search, with "
        f"sklearn.set_config(enable_metadata_routing=True): fit(X, y, {target}=…); "
        f"without it, after the name of the step: fit(X, y, {step}__{target}=…)."
    )


def _silent(text: str) -> None:
    """Swallow what a callback would print."""
