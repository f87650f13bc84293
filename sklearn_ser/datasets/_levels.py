"""From ratings of a dimension to three levels. This module imports no torch."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._constants import UNKNOWN

__all__ = ["dimension_levels"]

# In their order on the dimension.
LEVELS = ("low", "medium", "high")

# Ratings from one to five, as in most corpora.
RATING_SCALE = (1.0, 5.0)

# Rounding of ratings to float32 moves them by less than this share of the largest
# number of the scale, and no listener rates so finely.
_TOLERANCE = float(np.finfo(np.float32).eps)


class _Thresholds(NamedTuple):
    """Where the low level ends and the high one begins, in ratings from 1 to 5."""

    low: float
    high: float
    inclusive: bool  # whether a rating on a threshold is low or high, or else medium


_PUBLISHED = {
    "latif2018": _Thresholds(3.0, 3.0, inclusive=False),
    "lian2018": _Thresholds(2.0, 4.0, inclusive=True),
}


def dimension_levels(
    values: ArrayLike,
    thresholds: str | tuple[float, float] = "latif2018",
    *,
    rating_scale: tuple[float, float] = RATING_SCALE,
) -> NDArray[np.str_]:
    """Turn ratings of a dimension into three classes: low, medium and high.

    Parameters
    ----------
    values : float or array-like of float
        Ratings of activation, valence or dominance, such as those of a `Corpus`.
    thresholds : {"latif2018", "lian2018"} or tuple of two floats, \
default="latif2018"
        - ``"latif2018"``: low below the middle of the scale, high above it, and
          medium exactly on it, as in [1]_;
        - ``"lian2018"``: low up to 2, high from 4 on, and medium between them, on a
          scale from 1 to 5, as in [2]_;
        - two numbers in the unit of the ratings, the lower one first: low up to the
          first, high from the second on, and medium between them. A rating that is on
          both, because they are equal, is low.

        The published thresholds are carried linearly to other scales: 2 on a scale
        from 1 to 5 is 3 on a scale from 1 to 9.
    rating_scale : tuple of two floats, default=(1.0, 5.0)
        The lowest and the highest rating that was possible; that of a corpus is its
        `rating_scale`.

    Returns
    -------
    ndarray of str
        ``"low"``, ``"medium"`` or ``"high"``, of the same shape as `values`.

    Raises
    ------
    ValueError
        If a value is NaN, because an utterance that nobody has rated has no level; if
        a value or a threshold is outside the scale; if the thresholds are unknown; or
        if the scale is not two finite numbers, the lower one first.

    Notes
    -----
    A rating counts as on a threshold if it differs from it by no more than rounding,
    also in float32.

    With ``"latif2018"``, few utterances are medium where the ratings of several
    listeners were averaged. The same rating can be at two levels under two names: on
    a scale from 1 to 5, 2.5 is low by ``"latif2018"`` and medium by ``"lian2018"``.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.
    .. [2] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under siamese networks", ASMMC-MMAC, 2018,
       doi:10.1145/3267935.3267946.

    Examples
    --------
    >>> from sklearn_ser.datasets import dimension_levels
    >>> dimension_levels([1.5, 2.5, 3.0, 4.0])
    array(['low', 'low', 'medium', 'high'], dtype='<U6')
    >>> dimension_levels([1.5, 2.5, 3.0, 4.0], "lian2018")
    array(['low', 'medium', 'medium', 'high'], dtype='<U6')
    >>> dimension_levels([-0.2, 0.0, 0.7], rating_scale=(-1, 1))
    array(['low', 'medium', 'high'], dtype='<U6')
    """
    numbers = level_numbers(values, thresholds, rating_scale)
    missing = np.flatnonzero(numbers == UNKNOWN)
    if missing.size:
        raise ValueError(
            f"There is no level for NaN at index {missing[0]} ({missing.size} of "
            f"{numbers.size} values in all): leave out the utterances that nobody has "
            "rated."
        )
    return np.asarray(np.array(LEVELS)[numbers])


def level_numbers(
    values: ArrayLike,
    thresholds: str | tuple[float, float] = "latif2018",
    rating_scale: tuple[float, float] = RATING_SCALE,
) -> NDArray[np.int64]:
    """Return the places in `LEVELS` of ratings, and -1 for NaN.

    Parameters
    ----------
    values : float or array-like of float
        Ratings, NaN where unknown.
    thresholds : {"latif2018", "lian2018"} or tuple of two floats, \
default="latif2018"
        See `dimension_levels`.
    rating_scale : tuple of two floats, default=(1.0, 5.0)
        The lowest and the highest rating that was possible.

    Returns
    -------
    ndarray of int64
        0 for low, 1 for medium, 2 for high and -1 for NaN, of the same shape as
        `values`.

    Raises
    ------
    ValueError
        If a value or a threshold is outside the scale, if the thresholds are unknown,
        or if the scale is not two finite numbers, the lower one first.
    """
    scale = check_rating_scale(rating_scale)
    low, high, inclusive = _thresholds_on(thresholds, scale)
    ratings = np.asarray(values, dtype=np.float64)
    outside = np.flatnonzero(outside_scale(ratings, scale))
    if outside.size:
        index = outside[0]
        raise ValueError(
            f"The rating {ratings.flat[index]:.10g} at index {index} is outside the "
            f"scale from {scale[0]:g} to {scale[1]:g}. Give the scale of the ratings "
            "as rating_scale=(lowest, highest)."
        )
    # A rating on a threshold belongs to the outer level, or else to the middle one.
    reach = _tolerance(scale) if inclusive else -_tolerance(scale)
    levels = np.select([ratings <= low + reach, ratings >= high - reach], [0, 2], 1)
    return np.where(np.isnan(ratings), UNKNOWN, levels).astype(np.int64)


def check_rating_scale(rating_scale: Any) -> tuple[float, float]:
    """Return the lowest and the highest possible rating as floats.

    Parameters
    ----------
    rating_scale : object
        What was given as the scale.

    Returns
    -------
    lowest, highest : float

    Raises
    ------
    ValueError
        If it is not two finite numbers, the lower one first.
    """
    pair = _two_numbers(rating_scale)
    if pair is None or not pair[0] < pair[1]:
        raise ValueError(
            "rating_scale must be two finite numbers, the lower one first, such as "
            f"(1, 5), got {rating_scale!r}."
        )
    return pair


def outside_scale(
    values: ArrayLike, rating_scale: tuple[float, float]
) -> NDArray[np.bool_]:
    """Tell which ratings are outside their scale by more than rounding.

    Parameters
    ----------
    values : float or array-like of float
        Ratings; NaN is not outside.
    rating_scale : tuple of two floats
        A scale that was checked.

    Returns
    -------
    ndarray of bool
        Of the same shape as `values`.
    """
    ratings = np.asarray(values, dtype=np.float64)
    tolerance = _tolerance(rating_scale)
    lowest, highest = rating_scale
    outside = (ratings < lowest - tolerance) | (ratings > highest + tolerance)
    return np.asarray(outside)


def carry_ratings(
    values: ArrayLike,
    old_scale: tuple[float, float],
    new_scale: tuple[float, float],
) -> NDArray[np.float64]:
    """Carry ratings linearly from one scale to another.

    Parameters
    ----------
    values : float or array-like of float
        Ratings on the old scale.
    old_scale, new_scale : tuple of two floats
        Scales that were checked.

    Returns
    -------
    ndarray of float64
        Ratings on the new scale, of the same shape as `values`.
    """
    (old_low, old_high), (low, high) = old_scale, new_scale
    ratings = np.asarray(values, dtype=np.float64)
    share = (ratings - old_low) / (old_high - old_low)
    return np.asarray(low + share * (high - low))


def _thresholds_on(thresholds: Any, scale: tuple[float, float]) -> _Thresholds:
    """Return thresholds in the unit of a scale."""
    if isinstance(thresholds, str) and thresholds in _PUBLISHED:
        low, high, inclusive = _PUBLISHED[thresholds]
        low, high = carry_ratings([low, high], RATING_SCALE, scale).tolist()
        return _Thresholds(low, high, inclusive)
    pair = None if isinstance(thresholds, str) else _two_numbers(thresholds)
    if pair is None or not pair[0] <= pair[1]:
        raise ValueError(
            f"thresholds must be {' or '.join(map(repr, _PUBLISHED))}, or two finite "
            f"numbers, the lower one first, got {thresholds!r}."
        )
    if outside_scale(pair, scale).any():
        raise ValueError(
            f"thresholds={thresholds!r} are outside the scale from {scale[0]:g} to "
            f"{scale[1]:g}. Give them in the unit of the ratings, and the scale of the "
            "ratings as rating_scale=(lowest, highest)."
        )
    return _Thresholds(*pair, inclusive=True)


def _two_numbers(given: Any) -> tuple[float, float] | None:
    """Return two finite numbers as floats, None for anything else."""
    try:
        low, high = given
    except (TypeError, ValueError):
        return None
    for number in (low, high):
        if isinstance(number, bool) or not isinstance(number, Real):
            return None
    pair = float(low), float(high)
    return pair if np.isfinite(pair).all() else None


def _tolerance(scale: tuple[float, float]) -> float:
    """Return how far rounding may move a rating or a threshold."""
    return _TOLERANCE * max(map(abs, scale))
