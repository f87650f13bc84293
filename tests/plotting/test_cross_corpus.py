"""The table of corpora: texts, colours, the framed diagonal, refusals."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklearn_ser.evaluation import CrossCorpusMatrix
from sklearn_ser.plotting import CrossCorpusDisplay

NAMES = ["EMO-DB", "URDU", "CREMA-D"]


def square(values):
    return pd.DataFrame(values, index=NAMES, columns=NAMES)


SCORES = square([[0.81, 0.4, 0.3], [0.45, 0.6, 0.35], [0.5, 0.45, 0.55]])
STD = square(np.where(np.eye(3), np.nan, 0.02))


def texts(display):
    return [[cell.get_text() for cell in row] for row in display.text_]


def test_cells():
    display = CrossCorpusDisplay(SCORES, std=STD, score_name="WA").plot()
    assert texts(display)[0] == ["0.81", "0.40\n± 0.02", "0.30\n± 0.02"]
    assert_allclose(display.im_.get_array(), SCORES)
    assert display.im_.get_clim() == (0, 1)
    assert display.ax_.get_title() == "WA"
    assert display.ax_.get_ylabel() == "trained on"
    assert display.ax_.get_xlabel().startswith("tested on")
    for axis in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert [name.get_text() for name in axis] == NAMES
    assert display.text_[0, 0].get_color() == "white"
    assert display.text_[0, 1].get_color() == "black"
    assert len(display.ax_.patches) == 3


def test_number_of_emotions():
    display = CrossCorpusDisplay(SCORES, n_classes=square(4)).plot()
    assert display.ax_.get_title() == "UA, 4 emotions"
    assert texts(display)[0][0] == "0.81"
    some = square([[7, 4, 4], [4, 4, 4], [4, 4, 6]])
    display = CrossCorpusDisplay(SCORES, n_classes=some).plot()
    assert display.ax_.get_title() == "UA"
    assert texts(display)[0][:2] == ["0.81\n7 emotions", "0.40\n4 emotions"]


def test_axes_of_ones_own_and_constructor_that_stores():
    _, ax = plt.subplots()
    display = CrossCorpusDisplay(SCORES)
    assert display.table is SCORES
    assert not hasattr(display, "ax_")
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


class Scores:
    """Stands for an evaluation."""

    def __init__(self, ua):
        self.ua, self.f1 = ua, ua / 2


def test_from_matrix():
    pairs = {(a, b): Scores(SCORES.loc[a, b]) for a in NAMES for b in NAMES}
    classes = {pair: ["anger", "sadness"] for pair in pairs}
    matrix = CrossCorpusMatrix(NAMES, pairs, classes)
    display = CrossCorpusDisplay.from_matrix(matrix)
    assert_allclose(display.table, SCORES)
    assert display.ax_.get_title() == "UA, 2 emotions"
    display = CrossCorpusDisplay.from_matrix(matrix, "f1")
    assert_allclose(display.im_.get_array(), SCORES / 2)
    with pytest.raises(ValueError, match="score must be 'wa', 'ua' or 'f1'"):
        CrossCorpusDisplay.from_matrix(matrix, "r2")


@pytest.mark.parametrize("name", ["table", "std", "n_classes"])
def test_tables_that_do_not_fit(name):
    given = {"table": SCORES, "std": STD, "n_classes": square(4)}
    given[name] = given[name][["URDU", "EMO-DB", "CREMA-D"]]
    with pytest.raises(ValueError, match=f"{name} must have the same corpora"):
        CrossCorpusDisplay(**given).plot()
