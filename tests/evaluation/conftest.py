"""A small corpus to evaluate on."""

import numpy as np
import pytest

from sklearn_ser.datasets import make_emotional_speech


@pytest.fixture(scope="session")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=2)


@pytest.fixture(scope="session")
def table(corpus):
    """Return three features of each utterance, which cost nothing."""
    rows = [[x.std(), np.abs(x).max(), len(x) / rate] for x, rate in corpus.audio]
    return np.array(rows, dtype=np.float32)
