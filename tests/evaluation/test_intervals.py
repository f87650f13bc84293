"""Intervals over speakers: their counts, their limits, their coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.metrics import confusion_matrix

from sklearn_ser.evaluation._intervals import (
    METRICS,
    count_by_speaker,
    difference_interval,
    score_counts,
    score_interval,
)
from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score
from tests.evaluation.helpers import drawn, evaluation_of

SCORES = {"wa": wa_score, "ua": ua_score, "f1": macro_f1_score}


def of_speakers(random, n_speakers=8, n_classes=3):
    """Return confusion matrices of speakers who differ."""
    able = random.beta(6, 3, size=(n_speakers, n_classes))
    right = np.eye(n_classes) * able[..., None]
    wrong = (1 - np.eye(n_classes)) * (1 - able[..., None]) / (n_classes - 1)
    true = random.poisson(8, size=(n_speakers, n_classes)) + 1
    return random.multinomial(true, right + wrong)[None]


def test_counts_are_confusion_matrices_by_run_and_speaker():
    random = np.random.default_rng(0)
    truth, predicted, speaker = drawn(random)
    other = random.permutation(predicted)
    counts = count_by_speaker(truth, [predicted, other], speaker)
    assert counts.shape == (2, 6, 3, 3)
    for run, labels in enumerate((predicted, other)):
        for number, name in enumerate(np.unique(speaker)):
            rows = speaker == name
            expected = confusion_matrix(
                truth[rows], labels[rows], labels=["anger", "fear", "neutral"]
            )
            assert_array_equal(counts[run, number], expected)


@given(st.lists(st.tuples(*[st.sampled_from("abcd")] * 2), min_size=1, max_size=30))
def test_scores_of_counts_are_those_of_utterances(pairs):
    truth, predicted = map(np.array, zip(*pairs, strict=True))
    (counts,) = count_by_speaker(truth, [predicted], np.zeros(len(truth)))[0]
    for metric, score in SCORES.items():
        assert_allclose(score_counts(counts, metric), score(truth, predicted))


@pytest.mark.parametrize("metric", METRICS)
def test_interval_by_hand(metric):
    truth, predicted, speaker = drawn(np.random.default_rng(1), n_speakers=5)
    evaluation = evaluation_of(truth, predicted, speaker)
    names, score = np.unique(speaker), SCORES[metric]
    without = [
        score(truth[speaker != name], predicted[speaker != name]) for name in names
    ]
    pooled = score(truth, predicted)
    error = np.sqrt(4 / 5 * sum((one - pooled) ** 2 for one in without))
    if metric == "wa":
        weights = [np.mean(speaker == name) for name in names]
    else:
        weights = [
            np.mean([np.mean(speaker[truth == c] == name) for c in np.unique(truth)])
            for name in names
        ]
    effective = 1 / np.sum(np.square(weights))
    t = stats.t.ppf(0.95, np.sqrt(5 * effective) - 1)
    odds = pooled / (1 - pooled) * np.exp(t * error / (pooled * (1 - pooled)))
    assert_allclose(evaluation.interval(metric, level=0.9).high, odds / (1 + odds))


@pytest.mark.parametrize("metric", METRICS)
def test_more_utterances_of_the_same_speakers_tell_nothing_more(metric):
    counts = of_speakers(np.random.default_rng(2))
    assert_allclose(score_interval(7 * counts, metric), score_interval(counts, metric))


def test_interval_contains_the_score_and_grows_with_the_level():
    random = np.random.default_rng(3)
    counts = of_speakers(random)
    score = score_counts(counts.sum(axis=1), "ua").item()
    narrow, wide = (score_interval(counts, "ua", level) for level in (0.8, 0.99))
    assert 0 < wide.low < narrow.low < score < narrow.high < wide.high < 1
    shuffled = counts[:, random.permutation(8)]
    assert_allclose(score_interval(shuffled, "ua", 0.8), narrow)


def test_interval_of_runs():
    counts = of_speakers(np.random.default_rng(4))
    same = np.concatenate([counts, counts])
    assert_allclose(score_interval(same, "f1"), score_interval(counts, "f1"))
    # UA is linear where the utterances are the same: it is that of all runs together.
    other = counts[..., [1, 0, 2]]
    assert_allclose(
        score_interval(np.concatenate([counts, other]), "ua"),
        score_interval(counts + other, "ua"),
    )


def test_no_spread_at_the_ends():
    right = evaluation_of(["anger", "fear"] * 5, ["anger", "fear"] * 5, [*"aabbccddee"])
    low, high = right.interval("ua")
    assert high == 1
    assert_allclose(low, 0.025 ** (1 / 5))  # all of 5 speakers
    wrong = evaluation_of(["anger", "fear"] * 5, ["fear", "anger"] * 5, [*"aabbccddee"])
    assert_allclose(wrong.interval("ua"), (0, 1 - low))
    alike = evaluation_of(["anger", "fear"] * 5, ["anger"] * 10, [*"aabbccddee"])
    assert_allclose(alike.interval("ua"), (0.5, 0.5))


def test_no_spread_elsewhere_leaves_that_of_utterances():
    alike = np.array([[[[3, 1], [1, 3]]] * 4])
    low, high = score_interval(alike, "wa")
    assert low < 0.75 < high
    assert high - low > 2 * 2 * np.sqrt(0.75 * 0.25 / 32)


def test_faults():
    one = evaluation_of(["anger", "fear"], ["anger", "fear"], ["a", "a"])
    with pytest.raises(ValueError, match="at least 2 speakers, got 1"):
        one.interval("ua")
    assert "95 %" not in str(one)
    two = evaluation_of(["anger", "fear"], ["anger", "anger"], ["a", "b"])
    with pytest.raises(ValueError, match="metric must be 'wa', 'ua' or 'f1', got 'x'"):
        two.interval("x")
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        two.interval("ua", level=95)
    assert 0 <= two.interval("ua").low < two.interval("ua").high <= 1


def test_difference_is_that_of_the_same_speakers():
    counts = of_speakers(np.random.default_rng(5))
    assert difference_interval(counts, counts, "ua") == (0, 0)
    other = of_speakers(np.random.default_rng(6))
    low, high = difference_interval(counts, counts[..., ::-1], "ua")
    assert low < 0
    assert_allclose(difference_interval(counts[..., ::-1], counts, "ua"), (-high, -low))
    assert other.shape == counts.shape


def test_coverage():
    # Expected recall 2/3. Wide margins: 300 intervals give 95 % to about 1.3 %.
    random = np.random.default_rng(7)
    found = {"ua": 0, "utterances": 0}
    for _ in range(300):
        counts = of_speakers(random, n_speakers=6)
        low, high = score_interval(counts, "ua")
        found["ua"] += low <= 2 / 3 <= high
        share = score_counts(counts.sum(axis=1), "wa").item()
        half = 1.96 * np.sqrt(share * (1 - share) / counts.sum())
        found["utterances"] += abs(share - 2 / 3) <= half
    assert 0.92 < found["ua"] / 300 < 0.98
    assert found["utterances"] / 300 < 0.9
