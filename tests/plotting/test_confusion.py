"""The confusion matrix: values, order, colours of its text."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import confusion_matrix

from sklearn_ser.plotting import plot_confusion

EMOTIONS = np.array(["anger", "boredom", "fear", "sadness"])


def test_confusion_shows_recall_and_counts():
    true = np.array(["anger"] * 4 + ["sadness"] * 2, dtype=object)
    pred = np.array(["anger"] * 3 + ["sadness"] * 3, dtype=object)
    display = plot_confusion(true, pred)
    texts = [[cell.get_text() for cell in row] for row in display.text_]
    assert texts == [["0.75\n(3)", "0.25\n(1)"], ["0.00\n(0)", "1.00\n(2)"]]
    assert display.ax_.get_title() == "pooled WA 0.833, UA 0.875"
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["anger", "sadness"]
    assert_allclose(display.confusion_matrix, [[0.75, 0.25], [0, 1]])
    assert display.figure_ is display.ax_.figure


def test_confusion_agrees_with_scikit_learn():
    rng = np.random.RandomState(0)
    true, pred = rng.choice(EMOTIONS, 200), rng.choice(EMOTIONS, 200)
    display = plot_confusion(pd.Series(true), pd.Series(pred))
    counts = confusion_matrix(true, pred)
    drawn = [[int(c.get_text().split("(")[1][:-1]) for c in r] for r in display.text_]
    assert_array_equal(drawn, counts)
    assert_allclose(
        display.confusion_matrix, confusion_matrix(true, pred, normalize="true")
    )


def test_text_can_be_read_on_its_colour():
    # All shares are small: dark text on light cells throughout.
    true = np.repeat(EMOTIONS, 4)
    display = plot_confusion(true, np.tile(EMOTIONS, 4))
    assert {cell.get_color() for cell in display.text_.ravel()} == {"black"}
    display = plot_confusion(EMOTIONS, EMOTIONS)
    assert {cell.get_color() for cell in display.text_.diagonal()} == {"white"}
    assert display.im_.get_clim() == (0, 1)


def test_confusion_with_a_class_that_is_never_true():
    display = plot_confusion(["a", "b"], ["a", "c"])
    assert [cell.get_text() for cell in display.text_[2]] == ["–\n(0)"] * 3
    assert display.ax_.get_title() == "pooled WA 0.500, UA 0.500"


def test_confusion_on_given_axes():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    display = plot_confusion([0, 1, 1], [0, 1, 0], ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_confusion_in_a_given_order():
    true, pred = ["low", "mid", "high", "high"], ["low", "high", "high", "high"]
    levels = ["low", "mid", "high"]
    display = plot_confusion(true, pred, labels=levels, label_name="valence")
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == levels
    assert_allclose(display.confusion_matrix, [[1, 0, 0], [0, 0, 1], [0, 0, 1]])
    assert display.ax_.get_xlabel() == "predicted valence"
    assert display.ax_.get_ylabel() == "true valence"
    assert display.ax_.get_title() == "pooled WA 0.750, UA 0.667"
    # A class that does not occur has a row and a column.
    display = plot_confusion(["low"], ["low"], labels=levels)
    assert display.confusion_matrix.shape == (3, 3)
    assert display.ax_.get_xlabel() == "predicted emotion"
    with pytest.raises(ValueError, match="labels leaves out high, mid"):
        plot_confusion(true, pred, labels=["low"])
    with pytest.raises(ValueError, match="labels names a class twice: low, mid, mid"):
        plot_confusion(true, pred, labels=["low", "mid", "mid", "high"])


def test_confusion_refuses_missing_labels():
    with pytest.raises(ValueError, match="missing labels"):
        plot_confusion(["a", None], ["a", "b"])
