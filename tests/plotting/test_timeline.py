"""Emotions along a recording, drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklearn_ser.models import Timeline
from sklearn_ser.plotting import TimelineDisplay


@pytest.fixture
def timeline():
    columns = {
        "start": [0.0, 1.0, 2.0],
        "end": [3.0, 4.0, 4.5],
        "emotion": pd.Series(["anger", None, "fear"], dtype=object),
        "anger": [0.7, np.nan, 0.2],
        "fear": [0.3, np.nan, 0.8],
        "speech": [1.0, 0.0, 1.0],
        "error": None,
    }
    return Timeline(pd.DataFrame(columns))


@pytest.fixture(autouse=True)
def closing():
    yield
    plt.close("all")


def test_areas_are_stacked_up_to_the_next_window(timeline):
    display = TimelineDisplay.from_predictions(timeline, title="A visit")
    bars = display.ax_.containers
    assert [bar.get_label() for bar in bars] == ["anger", "fear"]
    assert [patch.get_width() for patch in bars[0]] == [1.0, 1.0, 2.5]
    assert [p.get_height() for p in bars[1]] == pytest.approx([0.3, 0.0, 0.8])
    assert [patch.get_y() for patch in bars[1]] == [0.7, 0.0, 0.2]
    assert display.ax_.get_title() == "A visit"
    assert display.ax_.get_xlim() == (0.0, 4.5)


def test_bars_where_there_are_no_probabilities(timeline):
    bare = Timeline(timeline.frame.drop(columns=["anger", "fear"]))
    _, ax = plt.subplots()
    display = TimelineDisplay.from_predictions(bare, ax=ax)
    assert display.ax_ is ax
    assert [text.get_text() for text in ax.get_yticklabels()] == ["anger", "fear"]
    assert len(ax.collections) == 2


def test_from_estimator(monkeypatch, timeline):
    asked = {}

    def predict(model, recording, **settings):
        asked.update(settings, model=model, recording=recording)
        return timeline

    monkeypatch.setattr("sklearn_ser.models.predict_timeline", predict)
    display = TimelineDisplay.from_estimator("model", "a.wav", hop=2.0)
    assert display.timeline is timeline
    assert asked == {"model": "model", "recording": "a.wav", "hop": 2.0}
