"""The base of the deep estimators: what they store, split off, keep and save."""

from __future__ import annotations

from abc import ABCMeta
from copy import deepcopy
from importlib.metadata import version
from numbers import Integral, Real
from typing import Any, ClassVar

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags, check_random_state

from .. import _moved  # noqa: F401 - old models then say why they don't load
from .._sklearn import Interval, StrOptions
from .._warnings import warn_user
from ._batches import Data
from ._held_out import draw_held_out, find_held_out
from ._net import TrainingNet
from ._schedule import (
    OF_ALL,
    SCHEDULES,
    Schedule,
    augmentation_of,
    resolve_schedule,
)
from ._spec import NetSpec, trained_state
from ._state import plain_history

_VERSION = version("sklearn-ser")


class NetEstimator(BaseEstimator, metaclass=ABCMeta):
    """Base of the estimators that train a torch module.

    A child class stores what its constructor is given. Its `fit` validates, splits
    off speakers, prepares the data, writes a `NetSpec`, trains the net that this
    builds, and keeps it in ``net_``: the estimator is not itself a net.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "validation_groups": ["array-like", dict, None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "device": [str, torch.device],
        "n_jobs": [Integral, None],
        "schedule": [StrOptions(set(SCHEDULES)), Schedule],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "net_params": [dict, None],
    }

    # The parameters of `Schedule` that the training has.
    _schedule_parts: ClassVar[frozenset[str]] = OF_ALL
    net_: TrainingNet
    history_: list[dict[str, Any]]
    _spec: NetSpec

    def _reset(self) -> None:
        """Delete what an earlier fit has left, so that a new one cannot mix with it."""
        for name in list(vars(self)):
            fitted = name.endswith("_") and not name.startswith("_")
            if fitted or name == "_spec":
                delattr(self, name)

    def _split_off_speakers(
        self, data: Data, groups: NDArray[Any] | None, seed: int
    ) -> tuple[Data, Data | None]:
        """Return what to train on, and what early stopping watches, if anything."""
        if not self.early_stopping:
            return data, None
        assert groups is not None  # checked by check_groups
        if self.validation_groups is None:
            held_out = draw_held_out(groups, self.validation_fraction, seed)
        else:
            held_out = find_held_out(groups, self.validation_groups)
        self.validation_groups_ = np.unique(groups[held_out])
        parts = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        train, valid = ({n: v[part] for n, v in data.items()} for part in parts)
        return train, valid

    def _shared_settings(self, seed: int) -> dict[str, Any]:
        """Return what a `NetSpec` takes from the parameters that all have."""
        schedule = self._resolve_schedule()
        stopping = {"patience": self.n_iter_no_change, "threshold": self.tol}
        return {
            "lr": self.lr,
            "weight_decay": float(self.weight_decay),
            "max_epochs": self.max_epochs,
            "batch_size": self.batch_size,
            "device": str(self.device),
            "n_threads": self._n_threads(),
            "seed": seed,
            "early_stopping": stopping if self.early_stopping else None,
            "lr_policy": schedule.lr_policy,
            "average_from": schedule.average_from,
            "augmentation": augmentation_of(schedule),
            "progress": type(self).__name__ if self.verbose else None,
            "net_params": self.net_params,
        }

    def _resolve_schedule(self) -> Schedule:
        """Return what is done in training beside what the paper publishes."""
        return resolve_schedule(self, self._schedule_parts)

    def _n_threads(self) -> int:
        """Return the threads that `n_jobs` means here; one inside a worker."""
        return int(joblib.effective_n_jobs(self.n_jobs))

    def _train(self, spec: NetSpec, train: Data, valid: Data | None) -> None:
        """Build a net, train it and keep it."""
        net = spec.build()
        net.train_on(train, valid)
        self._set_fitted(spec, net)

    def _set_fitted(self, spec: NetSpec, net: TrainingNet) -> None:
        """Keep a trained net, what it was built from, and its history."""
        self._spec = spec
        self.net_ = net
        self.history_ = plain_history(net)

    def _inference_module(self) -> tuple[torch.nn.Module, str]:
        """Return a copy of the module in float64 and evaluation mode, and its device.

        In float32 the last digits of a row would depend on the rows beside it:
        matrix products round by the shape of the whole.
        """
        device = self.net_.device if "cuda" in self.net_.device else "cpu"
        return deepcopy(self.net_.module_).to(device).double().eval(), device

    def __sklearn_clone__(self) -> Any:
        """Return an unfitted copy, or say why a callback cannot be copied."""
        try:
            return super().__sklearn_clone__()
        except TypeError as error:
            if not self.net_params:
                raise
            raise TypeError(
                f"This {type(self).__name__} cannot be cloned, as searches and "
                f"cross-validation do, because of its net_params ({error}): a callback "
                "that writes to an open file, such as TensorBoard, should open it in "
                "its own on_train_begin."
            ) from error

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is a trained net."""
        return hasattr(self, "net_")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state, with what the net has learned as plain numpy arrays."""
        state: dict[str, Any] = dict(super().__getstate__())
        net = state.pop("net_", None)
        if net is not None:
            state["_trained"] = trained_state(net)
            state["_version"] = _VERSION
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state, and build the net anew as it was built for `fit`."""
        state = dict(state)
        trained = state.pop("_trained", None)
        saved_by = state.pop("_version", "of unknown version")
        name = type(self).__name__
        super().__setstate__(state)
        if trained is None:
            return
        differ = (
            f"This {name} was saved by sklearn-ser {saved_by} and is loaded by "
            f"sklearn-ser {_VERSION}"
        )
        if saved_by != _VERSION:
            warn_user(f"{differ}: its predictions may differ. Fit it anew to be sure.")
        try:
            self.net_ = self._spec.restore(trained, self.history_)
        except Exception as error:
            if saved_by == _VERSION:
                raise
            raise ValueError(f"{differ}, which cannot load it: {error}") from error


class NetTransformerMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Mixin of the estimators whose `transform` gives a float32 representation."""

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that what comes out is float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def draw_seed(random_state: Any) -> int:
    """Draw the seed from which all random numbers of a fit derive.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Of the estimator.

    Returns
    -------
    int
    """
    return int(check_random_state(random_state).randint(2**31 - 1))


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
