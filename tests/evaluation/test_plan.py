"""The share of the target, and what is refused before anything is computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ser.evaluation._plan import draw_share, find_classes, make_plan


class FakeCorpus:
    name = "fake"

    def __init__(self, speaker):
        self.speaker = np.array(speaker)

    def __len__(self):
        return len(self.speaker)


class FakeSide:
    def __init__(self, n, n_speakers):
        self.corpus = FakeCorpus([f"s{i % n_speakers}" for i in range(n)])
        self.emotion = np.resize(["anger", "sadness"], n)


def plan(**change):
    known = {
        "classes": ["anger", "sadness"], "statistics": 0.2, "outliers": None,
        "statistics_by": "utterance", "adapt": "scalers", "seeds": [0], "n_jobs": None,
        "verbose": False,
    }  # fmt: skip
    return make_plan(**(known | change))


@settings(max_examples=60, deadline=None)
@given(st.integers(18, 400), st.integers(2, 9), st.integers(0, 5), st.booleans())
def test_shares_are_disjoint_and_all(n, n_speakers, seed, by_speaker):
    side = FakeSide(n, n_speakers)
    by = "speaker" if by_speaker else "utterance"
    statistics, rest = draw_share(side, plan(statistics_by=by), seed)
    assert sorted([*statistics, *rest]) == list(range(n))
    if by_speaker:
        speaker = side.corpus.speaker
        assert not set(speaker[statistics]) & set(speaker[rest])
        assert len(set(speaker[statistics])) == max(1, round(0.2 * n_speakers))
    else:
        assert len(statistics) == n // 5


def test_a_share_is_of_all_emotions():
    side = FakeSide(20, 2)
    statistics, _ = draw_share(side, plan(), 0)
    side.emotion = np.roll(side.emotion, 1)
    assert np.array_equal(statistics, draw_share(side, plan(), 0)[0])


def test_seeds_may_be_of_numpy():
    assert plan(seeds=np.arange(3)).seeds == [0, 1, 2]
    assert plan(seeds=range(2), statistics=None).statistics == 0
    with pytest.raises(TypeError, match="statistics must be an instance of"):
        plan(statistics="all")


def test_classes_in_common(corpus, other):
    some = other.keep_emotions(["neutral", "sadness"])
    assert find_classes("shared", [corpus, some]) == ["neutral", "sadness"]
    with pytest.raises(ValueError, match="The corpus other has no anger; it has neu"):
        find_classes(["angry", "sad"], [corpus, some])
