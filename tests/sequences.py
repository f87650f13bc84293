"""Utterances for the tests of sequences."""

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_ser.sequences import check_sequences

LENGTHS = (3, 1, 5, 4)


def utterances(lengths=LENGTHS, n_features=2, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(5, 3, (n, n_features)).astype(dtype) for n in lengths]


def equal_ones():
    return utterances((4, 4, 4))


def check(X, estimator=None, *, reset=True, **keywords):
    return check_sequences(estimator or BaseEstimator(), X, reset=reset, **keywords)


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
