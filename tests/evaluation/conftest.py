"""A small corpus to evaluate on."""

from dataclasses import replace

import numpy as np
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


@pytest.fixture(scope="session")
def table(corpus):
    """Return three features of each utterance, which cost nothing."""
    rows = [[x.std(), np.abs(x).max(), len(x) / rate] for x, rate in corpus.audio]
    return np.array(rows, dtype=np.float32)
