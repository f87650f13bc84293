"""Batches of utterances: of similar lengths, padded behind."""

import numpy as np

from sklearn_ser.sequences import Sequences
from sklearn_ser.training._batches import UtteranceBatches


def contours(n=60, seed=0, noise=0.3):
    """Make ragged contours that rise or fall: only their order in time tells."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 2, "rising", "falling")
    X = []
    for label in y:
        length = rng.integers(4, 30)
        line = np.linspace(-1, 1, length) * (1 if label == "rising" else -1)
        X.append(np.c_[line, line**2] + noise * rng.normal(size=(length, 2)))
    return X, y


def test_batches_of_similar_length_with_zeros_behind():
    X, _ = contours(n=50)
    data = {"X": Sequences(X), "y": np.arange(50)}
    batches = UtteranceBatches(data, batch_size=8, seed=lambda: 3, device="cpu")
    seen = []
    for batch in batches:
        assert batch["X"].shape[1] == batch["lengths"].max()
        for frames, length, number in zip(
            batch["X"], batch["lengths"], batch["y"], strict=True
        ):
            np.testing.assert_allclose(frames[:length], X[number], rtol=1e-6)
            assert (frames[length:] == 0).all()
        seen += batch["y"].tolist()
    assert sorted(seen) == list(range(50))
    again = [n for batch in batches for n in batch["y"].tolist()]
    assert again == seen  # the seed is that of the epoch
