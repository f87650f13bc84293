"""Votes as distributions of emotions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_ser.datasets import Corpus, emotion_votes


def corpus_of(**columns):
    n = len(next(iter(columns.values())))
    frame = pd.DataFrame(
        {"file": [f"{i}.wav" for i in range(n)], "emotion": "anger", "speaker": "1"}
    )
    return Corpus(frame.assign(**columns), name="Mine")


def test_shares_sum_to_one_or_are_missing():
    corpus = corpus_of(votes_sadness=[3, 0, np.nan], votes_anger=[1, 0, 2])
    shares = emotion_votes(corpus)
    assert shares.columns.tolist() == ["anger", "sadness"]
    assert shares.dtypes.tolist() == [np.float64] * 2
    np.testing.assert_array_equal(shares, [[0.25, 0.75], [np.nan, np.nan], [1, 0]])


def test_without_votes():
    with pytest.raises(ValueError, match="Mine has no column of votes, such as votes_"):
        emotion_votes(corpus_of(other=[1]))
    with pytest.raises(ValueError, match="Mine has negative votes in votes_anger"):
        emotion_votes(corpus_of(votes_anger=[1, -1], votes_fear=[1, 1]))


def test_a_classifier_learns_from_repeated_utterances_with_weights():
    """The way that the documentation names gives back the shares, without features."""
    rng = np.random.default_rng(0)
    votes = rng.integers(0, 9, size=(40, 3)) + np.array([0, 1, 3])
    names = ("votes_anger", "votes_fear", "votes_sadness")
    columns = dict(zip(names, votes.T, strict=True))
    shares = emotion_votes(corpus_of(**columns))
    X = np.zeros((40, 1))
    n = shares.shape[1]
    model = LogisticRegression(C=1e6).fit(
        np.repeat(X, n, axis=0),
        np.tile(shares.columns, len(X)),
        sample_weight=shares.to_numpy().ravel(),
    )
    np.testing.assert_allclose(model.predict_proba(X[:1])[0], shares.mean(), atol=1e-4)
