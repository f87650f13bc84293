"""Collections and arrays of other libraries, told by what they can do.

None of these libraries is imported: polars, pyarrow, torch and the datasets of Hugging
Face.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def to_numpy(values: Any) -> Any:
    """Return a tensor of torch as an array of numpy, anything else as it is.

    Parameters
    ----------
    values : Any
        Perhaps a tensor, which may be on a GPU or part of a graph.

    Returns
    -------
    Any
    """
    if hasattr(values, "detach") and hasattr(values, "numpy"):
        return values.detach().cpu().numpy()
    return values


def to_list(values: Any) -> list[Any] | None:
    """Return the elements of a collection, None if it is none.

    Parameters
    ----------
    values : Any
        A list, a tuple, a polars Series, a pyarrow array, or a column of a dataset.

    Returns
    -------
    list or None
    """
    for name in ("to_pylist", "to_list"):
        if hasattr(values, name):
            return list(getattr(values, name)())
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return list(values)
    return None


def column_names(table: Any) -> list[str] | None:
    """Return the names of the columns of a table, None if it is none.

    Parameters
    ----------
    table : Any
        A data frame of polars, a table of pyarrow, or a dataset, whose columns are
        ``table[name]``.

    Returns
    -------
    list of str or None
    """
    for attribute in ("column_names", "columns"):
        names = getattr(table, attribute, None)
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
    return None


def is_text(values: Any) -> bool:
    """Tell whether the elements of a collection are not numbers.

    Parameters
    ----------
    values : array-like
        A column.

    Returns
    -------
    bool
    """
    return np.asarray(values, dtype=object).size > 0 and not all(
        isinstance(value, int | float | np.number) or value is None for value in values
    )
