"""Embeddings with quadrants to mine, for the tests of triplets and of the loss."""

from typing import NamedTuple

import hypothesis.extra.numpy as hnp
import numpy as np
import torch
from hypothesis import strategies as st

from sklearn_ser.losses import mine_triplets

QUADRANTS = [1, 2, 3, 4]
coordinates = st.floats(-20, 20).map(lambda value: round(value, 3))


def vectors(*shape):
    return hnp.arrays(np.float64, shape, elements=coordinates).map(torch.from_numpy)


def numbers(n, elements, dtype=np.int64):
    return hnp.arrays(dtype, n, elements=elements).map(torch.from_numpy)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, generator=seeded(seed))


class Scene(NamedTuple):
    """What triplets are mined of."""

    anchors: torch.Tensor
    candidates: torch.Tensor
    anchor_quadrant: torch.Tensor
    candidate_quadrant: torch.Tensor


@st.composite
def scenes(draw, square=False):
    """Draw embeddings and quadrants of anchors and candidates."""
    n = draw(st.integers(0, 7))
    m = n if square else draw(st.integers(0, 7))
    codes = st.sampled_from([-1, *QUADRANTS])
    parts = vectors(n, 2), vectors(m, 2), numbers(n, codes), numbers(m, codes)
    return Scene(*map(draw, parts))


def example(n=40, m=50, dtype=torch.float32):
    """Return a scene with all quadrants and some unknown ones."""
    first = torch.tensor([-1, 1, 2, 3, 4]).repeat(n)[:n]
    second = torch.tensor([4, 3, -1, 2, 1, 1]).repeat(m)[:m]
    embeddings = normal(n, 3, seed=7, dtype=dtype), normal(m, 3, seed=8, dtype=dtype)
    return Scene(*embeddings, first, second)


def mined(scene, seed=0, **settings):
    return mine_triplets(*scene, generator=seeded(seed), **settings)


def same(found, expected):
    return all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
