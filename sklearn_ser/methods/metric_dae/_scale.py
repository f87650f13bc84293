"""Labels in any unit, brought to the spread of the ratings that the paper used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The mean standard deviation of activation and valence on EMO-DB and URDU, as the
# authors rated them from 1 to 5. The loss as written depends on the unit: it weighs
# the distances of the labels against a reconstruction error of about one.
SPREAD = 0.92

# Labels whose standard deviation is less, relative to the largest of them, differ by
# rounding alone.
_ROUNDING = 8 * np.finfo(np.float64).eps

# Beyond so many units of the scaled labels their squares leave float32.
_FARTHEST = 1e15


def label_scale(
    labels: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of each label, and the difference that becomes one.

    Parameters
    ----------
    labels : ndarray of shape (n_samples, n_labels)
        In the user's unit; NaN where one is not known.

    Returns
    -------
    mean, scale : ndarray of shape (n_labels,)
        NaN for a label of which no two known values differ.
    """
    statistics = [_mean_and_deviation(column[~np.isnan(column)]) for column in labels.T]
    mean, deviation = np.array(statistics).T
    return mean, deviation / SPREAD


def _mean_and_deviation(known: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation, NaN where there is no deviation."""
    if not len(known):
        return np.nan, np.nan
    # Divided first, the squares neither overflow nor vanish.
    largest = np.abs(known).max() or 1.0
    values = known / largest
    deviation = values.std()
    if deviation <= _ROUNDING:
        return np.nan, np.nan
    return largest * values.mean(), largest * deviation


def scaled(
    labels: NDArray[np.float64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    names: Sequence[str],
) -> NDArray[np.float32]:
    """Return the labels as the net is trained on them.

    Parameters
    ----------
    labels : ndarray of shape (n_samples, n_labels)
        In the user's unit; NaN where one is not known.
    mean, scale : ndarray of shape (n_labels,)
        What `label_scale` returned for the labels that set the scale.
    names : sequence of str
        What the labels are, for messages.

    Returns
    -------
    ndarray of shape (n_samples, n_labels), float32
        NaN where one is not known, or has no scale.

    Raises
    ------
    ValueError
        If a label is too far from those that set the scale.
    """
    centered = (labels - mean) / scale
    far = np.argwhere(np.abs(centered) > _FARTHEST)
    if len(far):
        row, k = far[0]
        raise ValueError(
            f"{names[k]} has the value {labels[row, k]:g}, too far from the labels "
            f"that set the scale (their mean is {mean[k]:g}): check it, or use NaN "
            "for unknown."
        )
    return centered.astype(np.float32)
