"""Distributions to draw, for the tests of the network and of the losses."""

import hypothesis.extra.numpy as hnp
import numpy as np
import torch
from hypothesis import strategies as st


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
