"""A small corpus to evaluate on."""

from dataclasses import replace

import pytest

from sklearn_ser.datasets import make_emotional_speech


@pytest.fixture(scope="session")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=2)


@pytest.fixture(scope="session")
def other():
    """Return another corpus, whose speakers have the same names."""
    made = make_emotional_speech(n_speakers=3, n_repetitions=2, random_state=1)
    return replace(made, name="other")
