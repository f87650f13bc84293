"""Shared fixtures: one torch thread, and where the real recordings are."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# Their assertions say as much as those of the tests.
pytest.register_assert_rewrite(
    "tests.datasets.helpers", "tests.methods.pseudo_siamese_gated.helpers"
)

# A busy machine is not a failing test; CI draws the same examples in every run, and
# others others: 40 a time, as a hundred each take half a minute more in all.
settings.register_profile("here", deadline=None, max_examples=40)
settings.register_profile("ci", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Two threads on a small machine can make tiny networks many times slower.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def feature_cache(tmp_path_factory):
    """Return a folder that keeps features: the synthetic corpus is the same for all."""
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="session")
def data_home() -> Path:
    """Return the folder of the real corpora, or skip."""
    named = os.environ.get("SKLEARN_SER_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpora"
    home = Path(named) if named else beside
    if not home.is_dir():
        pytest.skip(
            f"no real recordings: {home} does not exist; "
            "set SKLEARN_SER_DATA to the folder of the corpora"
        )
    return home
