"""The same estimator with one seed after the other."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from sklearn.base import clone

from .._seeds import names_of_seeds

# The largest seed that numpy takes.
_LARGEST = 2**32 - 1


def check_seeds(seeds: Any, learner: Any) -> list[int] | None:
    """Return the seeds as a list; refuse those that are none, or change nothing.

    Parameters
    ----------
    seeds : iterable of int or None
        As they were given.
    learner : estimator
        What is fitted with each.

    Returns
    -------
    list of int or None
        None where the estimator keeps the seeds that it has.

    Raises
    ------
    ValueError
        If there is no seed, or one twice, or if no parameter is a seed.
    TypeError
        If they are not integers.
    """
    if seeds is None:
        return None
    if not isinstance(seeds, Iterable):
        raise TypeError(
            f"seeds must be several integers, such as range({seeds}), got {seeds!r}."
        )
    given: list[Any] = list(seeds)
    for seed in given:
        is_integer = isinstance(seed, Integral) and not isinstance(seed, bool)
        if not is_integer:
            raise TypeError(f"seeds must be integers, got {seed!r} among them.")
        if not 0 <= seed <= _LARGEST:
            raise ValueError(f"seeds must be from 0 to {_LARGEST}, got {seed}.")
    checked = [int(seed) for seed in given]
    if not checked or len(set(checked)) < len(checked):
        raise ValueError(f"seeds must be different, and at least one, got {checked}.")
    if not names_of_seeds(learner):
        raise ValueError(
            f"seeds={checked} would give the same run each time: no parameter of "
            f"{_name(learner)} is random_state. Leave seeds out."
        )
    return checked


def seeded(learner: Any, seed: int | None) -> Any:
    """Return a clone whose parameters ``random_state`` all have one value.

    Splitters are no estimators: the folds of a search stay as they are.

    Parameters
    ----------
    learner : estimator
        With its parts among its parameters.
    seed : int or None
        None keeps those that are set.

    Returns
    -------
    estimator
        Unfitted.
    """
    if seed is None:
        return learner
    return clone(learner).set_params(**dict.fromkeys(names_of_seeds(learner), seed))


def _name(learner: Any) -> str:
    """Name an estimator, or the steps of a pipeline."""
    steps = getattr(learner, "steps", [("", learner)])
    return ", ".join(type(step).__name__ for _, step in steps)
