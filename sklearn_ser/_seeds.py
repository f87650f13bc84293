"""The seeds among the parameters of an estimator."""

from __future__ import annotations

from typing import Any

_SEED = "random_state"


def names_of_seeds(estimator: Any) -> list[str]:
    """Return the names of all parameters that are seeds, those of steps included.

    Parameters
    ----------
    estimator : estimator
        With its parts among its parameters.

    Returns
    -------
    list of str
        Such as ``"svc__random_state"``, sorted.
    """
    return sorted(
        name
        for name in estimator.get_params(deep=True)
        if name == _SEED or name.endswith(f"__{_SEED}")
    )
