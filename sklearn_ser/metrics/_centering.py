"""Centring and scaling that keep constants exactly constant."""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray

# Values whose deviation is less, relative to their norm, are equal up to rounding.
ROUNDING = 8 * np.finfo(np.float64).eps


def center(values: FloatArray) -> FloatArray:
    """Subtract the mean along the first axis; constants become exact zeros."""
    shifted = values - values[0]
    centered: FloatArray = shifted - shifted.mean(axis=0)
    return centered


def unit_columns(values: FloatArray) -> FloatArray:
    """Centre each column and scale it to norm 1; leave constant columns out."""
    centered = center(values)
    norms = np.linalg.norm(centered, axis=0)
    varies = norms > ROUNDING * np.linalg.norm(values, axis=0)
    unit: FloatArray = centered[:, varies] / norms[varies]
    return unit


def unit_vector(values: FloatArray, name: str) -> FloatArray:
    """Centre the values and scale them to norm 1; refuse equal ones."""
    unit = unit_columns(values[:, None])
    if unit.shape[1] == 0:
        raise ValueError(f"{name} are all equal: a correlation is not defined.")
    return unit[:, 0]
