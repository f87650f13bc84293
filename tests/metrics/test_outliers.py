"""The outlier rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_ser.metrics import zscore_outliers


def test_outliers_by_hand():
    # 1 among n - 1 zeros has a z-score of sqrt(n - 1) exactly: Samuelson's bound.
    for n, expected in ((101, False), (102, True)):
        X = np.zeros((n, 2))
        X[7, 1] = -1
        mask = zscore_outliers(X)
        assert mask.dtype == bool
        assert_array_equal(np.flatnonzero(mask), [7] if expected else [])


def test_outliers_match_the_rule():
    X = np.random.RandomState(0).standard_t(2, size=(1000, 5))
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    for threshold in (2, 5.5, 10.0):
        expected = (np.abs(z) > threshold).any(axis=1)
        assert expected.any()
        assert_array_equal(zscore_outliers(X, threshold), expected)
    assert_array_equal(zscore_outliers(pd.DataFrame(X)), zscore_outliers(X))


def test_outliers_ignore_nan_and_constants():
    X = np.random.RandomState(0).normal(size=(200, 4))
    X[5, 0] = 1e9
    X[::3, 1] = np.nan
    X[:, 2] = np.nan
    X[:, 3] = 0.1
    assert_array_equal(np.flatnonzero(zscore_outliers(X)), [5])
    # 100 values of the second feature are too few, 200 rows or not.
    X[100:, 1] = np.nan
    X[1, 1] = 1e9
    assert_array_equal(np.flatnonzero(zscore_outliers(X)), [5])


@settings(deadline=None)
@given(st.integers(1, 101), st.integers(0, 10_000), st.floats(-300, 300))
def test_no_outlier_among_101_samples(n, seed, exponent):
    rng = np.random.RandomState(seed)
    wild = rng.standard_cauchy(size=(n, 3)) * 10.0 ** (exponent / 3)
    wild[0, 0] = 1e12
    assert not zscore_outliers(wild).any()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 9), st.floats(1, 3))
def test_outlier_properties(seed, threshold, factor):
    rng = np.random.RandomState(seed)
    X = rng.standard_cauchy(size=(150, 3))
    mask = zscore_outliers(X, threshold)
    assert mask.shape == (150,)
    # A higher threshold never adds an outlier; nor does dropping change order.
    assert not (zscore_outliers(X, factor * threshold) & ~mask).any()
    order = rng.permutation(150)
    assert_array_equal(zscore_outliers(X[order], threshold), mask[order])
    assert_array_equal(zscore_outliers(2 * X, threshold), mask)
    wider = np.column_stack([X, rng.normal(size=150)])
    assert (zscore_outliers(wider, threshold) >= mask).all()


def test_outliers_refuse():
    X = np.zeros((3, 2))
    for threshold in (0, -1.0):
        with pytest.raises(ValueError, match="threshold"):
            zscore_outliers(X, threshold)
    with pytest.raises(TypeError, match="threshold"):
        zscore_outliers(X, "10")
    with pytest.raises(ValueError, match="infinity"):
        zscore_outliers(X + np.inf)
    with pytest.raises(ValueError, match="2D"):
        zscore_outliers([1.0, 2.0])
