"""Utterances to learn from, for the tests of the estimator and of its batches."""

import numpy as np

EMOTIONS = np.array(["anger", "neutral", "sadness"])


def utterances(n=60, n_features=4, noise=1.0, seed=0, shortest=10, longest=80):
    """Make utterances with a burst somewhere that tells the emotion."""
    rng = np.random.default_rng(seed)
    y = EMOTIONS[np.arange(n) % 3]
    X = []
    for label in y:
        x = noise * rng.normal(size=(rng.integers(shortest, longest), n_features))
        place = rng.integers(len(x) - 7)
        x[place : place + 8, EMOTIONS.tolist().index(label)] += 3
        X.append(x.astype(np.float32))
    return X, y
