"""Scores by speaker and by system, drawn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklearn_ser.evaluation import compare_evaluations
from sklearn_ser.plotting import EvaluationComparisonDisplay, SpeakerScoresDisplay
from tests.evaluation.helpers import drawn, evaluation_of


@pytest.fixture
def evaluation():
    return evaluation_of(*drawn(np.random.default_rng(0)))


def test_speakers_are_sorted_by_their_scores(evaluation):
    display = SpeakerScoresDisplay.from_evaluation(evaluation, metric="wa", level=0.9)
    table = evaluation.per_speaker.sort_values("wa", ascending=False, kind="stable")
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == table["speaker"].tolist()
    assert_allclose(display.scatter_.get_offsets()[:, 0], table["wa"])
    band = display.band_.get_extents().transformed(display.ax_.transData.inverted())
    assert_allclose((band.x0, band.x1), evaluation.interval("wa", level=0.9))
    assert display.ax_.get_xlabel() == "WA"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "90 % interval over speakers" in texts
    assert f"pooled WA {evaluation.wa:.3f}" in texts


def test_areas_are_numbers_of_utterances():
    display = SpeakerScoresDisplay(
        *(["a", "b"], [0.9, 0.5], [10, 30], 0.6, (0.4, 0.8))
    ).plot()
    first, second = display.scatter_.get_sizes()
    assert second == 3 * first


def test_many_speakers_are_not_named():
    n = 90
    display = SpeakerScoresDisplay(
        [f"s{i}" for i in range(n)], np.linspace(0, 1, n), np.ones(n), 0.5, (0.4, 0.6)
    ).plot()
    assert not display.ax_.get_yticks().size
    assert display.figure_.get_figheight() < 12


def test_speakers_on_given_axes(evaluation):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert SpeakerScoresDisplay.from_evaluation(evaluation, ax=ax).figure_ is figure


def test_lengths_that_differ():
    with pytest.raises(ValueError, match="same length, got 2, 1 and 2"):
        SpeakerScoresDisplay(["a", "b"], [0.5], [1, 1], 0.5, (0.4, 0.6)).plot()


def test_systems(evaluation):
    other = evaluation_of(evaluation.truth, evaluation.truth, evaluation.corpus.speaker)
    comparison = compare_evaluations([evaluation, other], names=["SVC", "oracle"])
    display = comparison.plot()
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["SVC", "oracle"]
    assert len(display.lines_) == 6
    assert_allclose(display.lines_[0].get_xdata(), comparison.speakers.iloc[0])
    points, _, (bars,) = display.errorbar_
    assert_allclose(points.get_xdata(), comparison.scores["score"])
    ends = [segment[:, 0] for segment in bars.get_segments()]
    assert_allclose(ends, comparison.scores[["low", "high"]], atol=1e-12)
    assert display.ax_.get_xlim()[1] <= 1.02


def test_systems_on_given_axes():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    scores = pd.DataFrame({"name": ["a"], "score": 0.5, "low": 0.4, "high": 0.6})
    display = EvaluationComparisonDisplay(scores, pd.DataFrame({"a": [0.4, 0.6]}))
    assert display.plot(ax).ax_ is ax
