"""The emotional dimensions and their names. This module imports no torch."""

from __future__ import annotations

#: The dimensions of emotion in the order in which they are listed.
DIMENSIONS = ("activation", "valence", "dominance")

#: The short names of published tables, each with the long name used here.
SHORT_DIMENSIONS = {"act": "activation", "val": "valence", "dom": "dominance"}


def dimension_name(name: str) -> str:
    """Return the long name of a dimension, given its long or its short name.

    Parameters
    ----------
    name : str
        "activation", "valence" or "dominance", or "act", "val" or "dom".

    Returns
    -------
    str
        "activation", "valence" or "dominance".

    Raises
    ------
    ValueError
        If ``name`` is neither the long nor the short name of a dimension.
    """
    if isinstance(name, str):
        if name in DIMENSIONS:
            return name
        if name in SHORT_DIMENSIONS:
            return SHORT_DIMENSIONS[name]
    pairs = SHORT_DIMENSIONS.items()
    known = ", ".join(f"{full!r} or {short!r}" for short, full in pairs)
    raise ValueError(f"{name!r} is not a dimension. The dimensions are {known}.")
