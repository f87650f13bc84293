"""What the tests of all methods share: seeded weights, recordings to learn from."""

import pytest
import torch

from sklearn_ser.datasets import make_emotional_speech


@pytest.fixture(scope="session")
def corpus():
    return make_emotional_speech(n_speakers=4, n_repetitions=3)


@pytest.fixture(autouse=True)
def _seeded():
    """Draw the weights of nets from a seed, and leave torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
