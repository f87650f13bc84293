"""A small corpus to evaluate on."""

import pytest

from sklearn_ser.datasets import make_emotional_speech


@pytest.fixture(scope="session")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=2)
