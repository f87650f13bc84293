"""Distributions, speech and small models, for the tests of this room."""

import hypothesis.extra.numpy as hnp
import numpy as np
import torch
from hypothesis import strategies as st

from sklearn_ser import CVAE


@st.composite
def distributions(draw, max_dim=5):
    """Draw means and logarithms of variances of a batch."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, max_dim)))
    means = st.floats(-20, 20, allow_subnormal=False)
    logvars = st.floats(-15, 8, allow_subnormal=False)
    return tuple(
        torch.from_numpy(draw(hnp.arrays(np.float64, shape, elements=values)))
        for values in (means, logvars)
    )


def speech(n=40, n_features=6, seed=0, spread=1.0):
    """Make ragged segments of two emotions, apart by `spread`."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 2, "anger", "sadness")
    X = [
        rng.normal((label == "anger") * spread, size=(rng.integers(2, 9), n_features))
        for label in y
    ]
    return [x.astype(np.float32) for x in X], y


def small(variant="cvae", **settings):
    defaults = {"hidden_sizes": (16,), "latent_dim": 3, "random_state": 0}
    return CVAE(variant, **(defaults | settings))
