"""Comparisons of evaluations: the test over speakers, and what may be compared."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sklearn_ser.evaluation import compare_evaluations
from sklearn_ser.evaluation._comparison import _draw_swaps, _holm, _swap_speakers
from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score
from sklearn_ser.plotting import EvaluationComparisonDisplay
from tests.evaluation.helpers import drawn, evaluation_of

SCORES = {"wa": wa_score, "ua": ua_score, "f1": macro_f1_score}


@pytest.fixture
def three():
    random = np.random.default_rng(0)
    truth, first, speaker = drawn(random)
    second, third = first.copy(), first.copy()
    second[::3] = truth[::3]
    third[::5] = "anger"
    return [evaluation_of(truth, p, speaker) for p in (first, second, third)]


@pytest.mark.parametrize("metric", SCORES)
def test_p_values_by_swaps_of_predictions(three, metric):
    first, second = three[:2]
    truth, score = first.truth, SCORES[metric]
    speakers = np.unique(first.corpus.speaker)

    def gained(swapped):
        swap = np.isin(first.corpus.speaker, speakers[np.array(swapped, dtype=bool)])
        a = np.where(swap, second.predicted, first.predicted)
        b = np.where(swap, first.predicted, second.predicted)
        return score(truth, b) - score(truth, a)

    all_swaps = np.indices((2,) * 6).reshape(6, -1).T
    differences = np.array([gained(swapped) for swapped in all_swaps])
    (pair,) = compare_evaluations([first, second], metric=metric).pairs.itertuples()
    assert_allclose(pair.difference, differences[0])
    assert_allclose(pair.p, np.mean(np.abs(differences) >= differences[0] - 1e-12))
    assert pair.low < pair.difference < pair.high


def test_p_value_of_accuracies_is_that_of_sign_flips():
    random = np.random.default_rng(1)
    truth, first, speaker = drawn(random, n_speakers=8, n_utterances=80)
    second = np.where(random.random(80) < 0.2, truth, first)
    pair = compare_evaluations(
        [evaluation_of(truth, p, speaker) for p in (first, second)], metric="wa"
    ).pairs.iloc[0]
    gains = [
        np.sum((second == truth)[speaker == s]) - np.sum((first == truth)[speaker == s])
        for s in np.unique(speaker)
    ]
    expected = stats.permutation_test(
        (np.array(gains, float),), np.sum, permutation_type="samples", n_resamples=999
    )
    assert_allclose(pair["p"], expected.pvalue)


def test_p_values_hold_their_level():
    # Two systems that are equal, and speakers who are not.
    random = np.random.default_rng(2)
    swaps = _draw_swaps(7, 9999, 0)
    p = []
    for _ in range(400):
        able = random.beta(4, 2, size=(1, 7, 1))
        sizes = random.integers(2, 30, size=(1, 7, 2))
        counts = []
        for _ in range(2):
            more = np.clip(able + random.normal(0, 0.1, size=(1, 7, 2)), 0, 1)
            right = random.binomial(sizes, more)
            wrong = sizes - right
            rows = [(right[..., 0], wrong[..., 0]), (wrong[..., 1], right[..., 1])]
            counts.append(np.moveaxis(np.array(rows), (0, 1), (-2, -1)))
        p.append(_swap_speakers(*counts, "ua", swaps)[1])
    p = np.array(p)
    assert p.min() >= 2 / 2**7
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) < level + 3 * np.sqrt(level * (1 - level) / 400)
    assert np.mean(p <= 0.5) > 0.4


def test_many_speakers_are_swapped_at_random():
    random = np.random.default_rng(3)
    truth, first, speaker = drawn(random, n_speakers=30, n_utterances=90)
    second = np.where(random.random(90) < 0.1, truth, first)
    pair = [evaluation_of(truth, p, speaker) for p in (first, second)]
    found = [
        compare_evaluations(pair, n_permutations=500, random_state=seed).pairs["p"][0]
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1]
    assert found[0] == pytest.approx(found[2], abs=0.1)
    assert min(found) >= 1 / 501
    assert _draw_swaps(9, 512, 0).shape == (512, 9)
    assert not _draw_swaps(10, 512, 0)[0].any()


def test_holm():
    # By hand: 3 × 0.01, 2 × 0.03, and 0.04, which must not be below the one before.
    assert_allclose(_holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert_allclose(_holm(np.array([0.9, 0.6])), [1, 1])


def test_tables(three):
    comparison = compare_evaluations(three, names=["a_b", "b|c", "c & d"])
    assert comparison.scores["name"].tolist() == ["a_b", "b|c", "c & d"]
    for row, evaluation in zip(comparison.scores.itertuples(), three, strict=True):
        assert_allclose(row.score, evaluation.ua)
        assert_allclose((row.low, row.high), evaluation.interval("ua"))
    assert comparison.pairs["p_holm"].ge(comparison.pairs["p"]).all()
    assert list(comparison.pairs["second"]) == ["b|c", "c & d", "c & d"]
    by_speaker = three[1].per_speaker
    assert_allclose(comparison.speakers["b|c"], by_speaker["ua"])
    assert comparison.speakers.index.tolist() == by_speaker["speaker"].tolist()
    assert repr(comparison) == (
        "<EvaluationComparison of a_b, b|c, c & d: UA over 6 speakers>"
    )
    lines = comparison.to_markdown().splitlines()
    assert len(lines) == 5
    assert lines[2].startswith("| b\\|c | a_b | +")
    latex = comparison.to_latex("scores")
    assert r"a\_b & " in latex
    assert r"c \& d & " in latex
    assert latex.count(r"\\") == 4
    assert "<0.001" not in str(comparison)
    assert "c &amp; d" in comparison._repr_html_()
    with pytest.raises(ValueError, match="table must be 'pairs' or 'scores'"):
        comparison.to_latex("all")


def test_plot(three):
    import matplotlib as mpl

    mpl.use("Agg")
    display = compare_evaluations(three).plot()
    assert isinstance(display, EvaluationComparisonDisplay)
    mpl.pyplot.close(display.figure_)


def test_order_folder_and_numbers_of_folds_do_not_matter(three):
    first, second = three[:2]
    order = np.random.default_rng(4).permutation(len(first.truth))
    elsewhere = evaluation_of(
        first.truth, second.predicted, first.corpus.speaker, folder="/data/emodb/wav"
    )
    moved = evaluation_of(
        first.truth,
        second.predicted,
        first.corpus.speaker,
        fold=(second.fold + 1) % 6,
    )
    object.__setattr__(moved, "corpus", moved.corpus.select(order))
    object.__setattr__(moved, "predicted", moved.predicted[order])
    object.__setattr__(moved, "fold", moved.fold[order])
    expected = compare_evaluations([first, second]).pairs
    for other in (elsewhere, moved):
        pd.testing.assert_frame_equal(
            compare_evaluations([first, other]).pairs, expected
        )


def test_what_differs_is_named(three):
    first = three[0]
    truth, predicted, speaker = first.truth, first.predicted, first.corpus.speaker

    def refuse(other, match):
        with pytest.raises(ValueError, match=match) as error:
            compare_evaluations([first, other], names=["A", "B"])
        assert str(error.value).startswith("The evaluations A and B cannot be compared")

    fewer = evaluation_of(truth[:-12], predicted[:-12], speaker[:-12])
    refuse(fewer, r"only A has wav/048.wav, .*, 2 more utterances\. Evaluate both")
    relabelled = np.where(np.arange(60) == 7, "joy", truth)
    refuse(
        evaluation_of(relabelled, predicted, speaker),
        rf"class of wav/007.wav is {truth[7]} in A and joy in B \(1 such utt",
    )
    refuse(
        evaluation_of(truth, predicted, np.where(speaker == "s1", "t", speaker)),
        "speaker of wav/001.wav is s1 in A and t in B",
    )
    refuse(
        evaluation_of(truth, predicted, speaker, fold=first.fold // 2),
        r"folds differ, first for wav/001.wav \(A has 6 folds, B has 3\)",
    )
    other = evaluation_of(truth[:6], predicted[:6], speaker[:6], folder="a/b")
    object.__setattr__(other.corpus, "name", "Other")
    object.__setattr__(
        other.corpus, "frame", other.corpus.frame.replace(r"\.wav", "x", regex=True)
    )
    refuse(other, "the corpora are Mine and Other")


def test_statistics_of_the_tested_speakers_are_warned_of(three):
    scaled = evaluation_of(
        three[0].truth,
        three[1].predicted,
        three[0].corpus.speaker,
        speaker_statistics="mean of each speaker",
    )
    with pytest.warns(UserWarning, match=r"system 2: mean of each speaker\)"):
        compare_evaluations([three[0], scaled])


def test_faults_of_the_call(three):
    with pytest.raises(ValueError, match="at least two evaluations, got 1"):
        compare_evaluations(three[:1])
    for names in ("ab", ["a", "a"], ["a"]):
        with pytest.raises(ValueError, match="names must name each of the 2"):
            compare_evaluations(three[:2], names=names)
    with pytest.raises(ValueError, match="metric must be"):
        compare_evaluations(three, metric="accuracy")
    with pytest.raises(ValueError, match="n_permutations"):
        compare_evaluations(three, n_permutations=0)


def test_runs_are_compared_by_their_mean(three):
    class Runs(type(three[0])):
        def _predictions(self):
            return [three[0].predicted, three[2].predicted]

    first = Runs(**vars(three[0]))
    assert first.ua == pytest.approx((three[0].ua + three[2].ua) / 2)
    pair = compare_evaluations([first, three[1]]).pairs.iloc[0]
    assert pair["difference"] == pytest.approx(three[1].ua - first.ua)
