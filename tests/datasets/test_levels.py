"""Levels of ratings: thresholds by name, on every scale, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser.datasets import dimension_levels
from sklearn_ser.datasets._levels import LEVELS, level_numbers

SCALES = [(1, 5), (1, 9), (1, 7), (0, 1), (-1, 1), (0, 100), (0.1, 0.7), (-3, 0.3)]


def on_scale(scale, shares):
    """The ratings that lie at some shares of a scale, counted otherwise."""
    return [scale[0] * (1 - share) + scale[1] * share for share in shares]


def test_levels_have_an_order():
    assert LEVELS == ("low", "medium", "high")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_latif_is_medium_on_the_middle_of_the_scale_alone(scale, dtype):
    ratings = np.array(on_scale(scale, [0, 0.49, 0.5, 0.51, 1]), dtype=dtype)
    expected = ["low", "low", "medium", "high", "high"]
    assert dimension_levels(ratings, rating_scale=scale).tolist() == expected
    by_name = dimension_levels(ratings, "latif2018", rating_scale=scale)
    assert by_name.tolist() == expected


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lian_is_low_up_to_two_and_high_from_four_on(scale, dtype):
    shares = [0, 0.25, 0.26, 0.5, 0.74, 0.75, 1]
    ratings = np.array(on_scale(scale, shares), dtype=dtype)
    levels = dimension_levels(ratings, "lian2018", rating_scale=scale)
    assert levels.tolist() == [*["low"] * 2, *["medium"] * 3, *["high"] * 2]


def test_published_thresholds_on_known_scales():
    lian = {(1, 5): (2, 4), (1, 9): (3, 7), (1, 7): (2.5, 5.5), (-1, 1): (-0.5, 0.5)}
    for scale, bounds in lian.items():
        levels = dimension_levels(bounds, "lian2018", rating_scale=scale)
        assert levels.tolist() == ["low", "high"]
        inner = np.add(bounds, (0.01, -0.01))
        levels = dimension_levels(inner, "lian2018", rating_scale=scale)
        assert levels.tolist() == ["medium", "medium"]


def test_a_rating_differs_between_papers_by_name():
    assert dimension_levels(2.5, "latif2018") == "low"
    assert dimension_levels(2.5, "lian2018") == "medium"


def test_own_thresholds_are_in_the_unit_of_the_ratings_and_inclusive():
    levels = dimension_levels([2, 3, 3.5, 6, 6.5], (3, 6), rating_scale=(1, 9))
    assert levels.tolist() == ["low", "low", "medium", "high", "high"]
    levels = dimension_levels(np.float32([2.2, 2.3, 4.0, 4.1]), (2.2, 4.1))
    assert levels.tolist() == ["low", "medium", "medium", "high"]
    as_array = dimension_levels([2.2, 3, 4.1], np.array([2.2, 4.1]))
    assert as_array.tolist() == ["low", "medium", "high"]


def test_equal_thresholds_make_two_levels():
    assert dimension_levels([2, 3, 4], (3, 3)).tolist() == ["low", "low", "high"]


@given(
    st.lists(st.floats(0, 1, width=16), min_size=1),
    st.sampled_from(SCALES[:5]),
    st.sampled_from(["latif2018", "lian2018"]),
)
def test_levels_rise_with_the_rating_and_do_not_depend_on_the_scale(
    shares, scale, thresholds
):
    ratings = np.array(on_scale(scale, sorted(shares)))
    numbers = level_numbers(ratings, thresholds, scale)
    assert (np.diff(numbers) >= 0).all()
    standard = np.array(on_scale((1, 5), sorted(shares)))
    tie = np.abs(standard[:, None] - [2, 3, 4]).min(axis=1) < 1e-4
    expected = level_numbers(standard, thresholds, (1, 5))
    np.testing.assert_array_equal(numbers[~tie], expected[~tie])


def test_numbers_are_the_places_of_the_levels_and_nan_is_unknown():
    numbers = level_numbers([4.5, np.nan, 3, 1], "latif2018", (1, 5))
    assert numbers.tolist() == [2, -1, 1, 0]
    assert numbers.dtype == np.int64
    assert level_numbers([[np.nan]]).tolist() == [[-1]]


@pytest.mark.parametrize(
    ("values", "scale", "message"),
    [
        ([3, 7.5], (1, 5), r"rating 7\.5 at index 1 .* scale from 1 to 5\. Give .*"),
        ([0.5, -0.2], (1, 5), r"rating 0\.5 at index 0 .*rating_scale=\("),
        ([0, np.inf], (-1, 1), "rating inf at index 1 .* from -1 to 1"),
        ([np.nan, -np.inf], (-1, 1), "rating -inf at index 1"),
        ([5.00001], (1, 5), r"rating 5\.00001 at index 0"),
    ],
)
@pytest.mark.parametrize("levels", [dimension_levels, level_numbers])
def test_ratings_outside_the_scale_are_refused(levels, values, scale, message):
    with pytest.raises(ValueError, match=message):
        levels(values, rating_scale=scale)


def test_rounding_is_not_outside_of_the_scale():
    scale = (0.1, 0.7)
    ends = np.float32(scale)
    assert not (ends.astype(float) == scale).any()
    assert dimension_levels(ends, rating_scale=scale).tolist() == ["low", "high"]


@pytest.mark.parametrize(
    "scale", [(5, 1), (3, 3), (1, np.inf), (np.nan, 5), (1, 2, 3), 5, None, "15"]
)
def test_a_scale_is_two_finite_numbers(scale):
    with pytest.raises(ValueError, match="rating_scale must be two finite numbers"):
        dimension_levels([3], rating_scale=scale)


@pytest.mark.parametrize(
    "thresholds",
    ["latif", "24", (4, 2), (2,), 3, None, (2, np.nan), (2, "4"), (False, True)],
)
def test_unknown_thresholds_are_refused_with_those_known(thresholds):
    with pytest.raises(ValueError, match="'latif2018' or 'lian2018', or two finite"):
        dimension_levels([3], thresholds)


@pytest.mark.parametrize("thresholds", [(2, 4), (-2, 0), (0, 1.5)])
def test_thresholds_outside_the_scale_are_refused(thresholds):
    with pytest.raises(ValueError, match="are outside the scale from -1 to 1"):
        dimension_levels([0.5], thresholds, rating_scale=(-1, 1))


@pytest.mark.slow
def test_levels_need_no_torch():
    code = "import sys, sklearn_ser.datasets._levels; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
