"""The comparison of two confusion matrices: values, texts, colours, refusals."""

import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser.metrics import ua_score, wa_score
from sklearn_ser.plotting import ConfusionComparisonDisplay, plot_confusion

EMOTIONS = np.array(["anger", "boredom", "fear", "sadness"])
TRUE = ["anger"] * 4 + ["sadness"] * 2
FIRST = ["anger", "anger", "sadness", "sadness", "sadness", "sadness"]
SECOND = ["anger", "anger", "anger", "sadness", "anger", "sadness"]


def compare(true=TRUE, first=FIRST, second=SECOND, **kwargs):
    return ConfusionComparisonDisplay.from_predictions(true, first, second, **kwargs)


def texts(panel):
    return [[cell.get_text() for cell in row] for row in panel.text_]


def titles(display):
    return [ax.get_title() for ax in display.axes_]


@pytest.mark.slow
def test_matplotlib_is_imported_only_to_draw():
    code = (
        "import sys; from sklearn_ser.plotting import *; "
        "ConfusionComparisonDisplay([[[1]], [[1]]]).difference; "
        "TSNEDisplay([[0, 1]], ['a']); "
        "print({'matplotlib', 'torch', 'opensmile'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr


def test_constructor_only_stores():
    counts, labels, names = [[[2]], [[1]]], ["a", "b"], ["only one"]
    display = ConfusionComparisonDisplay(counts, labels=labels, names=names)
    assert display.counts is counts
    assert display.labels is labels
    assert display.names is names
    assert not hasattr(display, "axes_")


def test_three_panels():
    display = compare(names=("PT_G", "PSN_G"))
    first, second, difference = display.displays_
    assert texts(first) == [["0.50\n(2)", "0.50\n(2)"], ["0.00\n(0)", "1.00\n(2)"]]
    assert texts(second) == [["0.75\n(3)", "0.25\n(1)"], ["0.50\n(1)", "0.50\n(1)"]]
    assert texts(difference) == [
        ["+25.0\n(+1)", "−25.0\n(−1)"],
        ["+50.0\n(+1)", "−50.0\n(−1)"],
    ]
    assert titles(display) == [
        "PT_G\npooled WA 0.667, UA 0.750",
        "PSN_G\npooled WA 0.667, UA 0.625",
        "PSN_G − PT_G\npercentage points: WA 0.0, UA −12.5",
    ]
    assert_allclose(display.wa, (4 / 6, 4 / 6))
    assert_allclose(display.ua, (0.75, 0.625))
    assert_allclose(display.shares[1], [[0.75, 0.25], [0.5, 0.5]])
    assert_allclose(display.difference, [[25, -25], [50, -50]])
    assert_array_equal(display.labels, ["anger", "sadness"])
    assert [panel.ax_ for panel in display.displays_] == list(display.axes_)
    assert {ax.figure for ax in display.axes_} == {display.figure_}


def test_colours():
    display = compare()
    first, second, difference = display.displays_
    assert first.im_.get_clim() == second.im_.get_clim() == (0, 1)
    assert first.im_.get_cmap().name == second.im_.get_cmap().name == "Blues"
    assert difference.im_.get_clim() == (-50, 50)  # the largest difference
    assert difference.im_.get_cmap().name == "PuOr"
    assert_allclose(difference.im_.get_array(), [[25, -25], [50, -50]])


def test_text_of_the_difference_can_be_read_on_its_colour():
    rng = np.random.RandomState(0)
    true = np.repeat([*"abcdef"], 20)
    (panel,) = compare(true, rng.permutation(true), true).displays_[2:]
    for cell, color in zip(
        panel.text_.ravel(),
        panel.im_.to_rgba(panel.im_.get_array()).reshape(-1, 4),
        strict=True,
    ):
        linear = np.where(
            color[:3] <= 0.04045,
            color[:3] / 12.92,
            ((color[:3] + 0.055) / 1.055) ** 2.4,
        )
        light = linear @ [0.2126, 0.7152, 0.0722] + 0.05  # WCAG's relative luminance
        contrast = 1.05 / light if cell.get_color() == "white" else light / 0.05
        assert contrast > 4  # of 4.5 that are advised


def test_small_differences_look_small():
    true = np.repeat(["a", "b"], 100)
    first = true.copy()
    first[:2] = "b"
    display = compare(true, first, true)
    assert display.displays_[2].im_.get_clim() == (-10, 10)
    assert texts(display.displays_[2])[0] == ["+2.0\n(+2)", "−2.0\n(−2)"]
    # Nothing rounds to a zero with a sign.
    true = np.repeat(["a", "b"], 5000)
    first = true.copy()
    first[:2] = "b"
    display = compare(true, first, true)
    assert texts(display.displays_[2])[0] == ["0.0\n(+2)", "0.0\n(−2)"]
    assert titles(display)[2].endswith("WA 0.0, UA 0.0")


def drawn_at_random(seed):
    """Return true classes and two predictions."""
    rng = np.random.RandomState(seed)
    return rng.choice(EMOTIONS, (3, rng.randint(1, 60)))


@given(st.integers(0, 2**32 - 1))
def test_values_agree_with_scikit_learn_and_the_scores(seed):
    true, *predictions = drawn_at_random(seed)
    counts = [confusion_matrix(true, y, labels=EMOTIONS) for y in predictions]
    display = ConfusionComparisonDisplay(counts)
    assert_allclose(display.wa, [wa_score(true, y) for y in predictions])
    assert_allclose(display.ua, [ua_score(true, y) for y in predictions])
    shares = [
        confusion_matrix(true, y, labels=EMOTIONS, normalize="true")
        for y in predictions
    ]
    assert_allclose(display.shares, shares)
    # What a model gains in a row of shares, it loses in the same row.
    assert_allclose(display.difference.sum(axis=1), 0, atol=1e-9)
    swapped = ConfusionComparisonDisplay(counts[::-1])
    assert_allclose(swapped.difference, -display.difference)


@pytest.mark.parametrize("seed", range(3))
def test_panels_are_those_of_plot_confusion(seed):
    true, first, second = drawn_at_random(seed)
    display = compare(pd.Series(true), list(first), second.astype(object))
    labels = np.unique([true, first, second])
    for i, predicted in enumerate((first, second)):
        single = plot_confusion(true, predicted, labels=labels)
        assert texts(display.displays_[i]) == texts(single)
        assert titles(display)[i].endswith(f"\n{single.ax_.get_title()}")
        assert_array_equal(
            display.counts[i], confusion_matrix(true, predicted, labels=labels)
        )


def test_a_class_that_is_never_true_has_no_share():
    display = compare(["a", "b"], ["a", "c"], ["a", "b"])
    for panel in display.displays_:
        assert texts(panel)[2] == ["–\n(0)"] * 3
    assert display.ua == (0.5, 1.0)  # of the two classes that occur
    assert np.isfinite(display.difference).all()


def test_given_order_and_names_of_the_axes():
    true, first, second = ["low", "mid"], ["low", "high"], ["low", "mid"]
    levels = ["low", "mid", "high"]
    display = compare(true, first, second, labels=levels, label_name="valence")
    assert_array_equal(display.labels, levels)
    for ax in display.axes_:
        assert [t.get_text() for t in ax.get_xticklabels()] == levels
        assert ax.get_xlabel() == "predicted valence"
    assert display.axes_[0].get_ylabel() == "true valence"
    # The rows are the same: named once.
    assert [ax.get_ylabel() for ax in display.axes_[1:]] == ["", ""]
    with pytest.raises(ValueError, match="labels leaves out high"):
        compare(true, first, second, labels=["low", "mid"])


@pytest.mark.parametrize(("rows", "columns"), [(1, 3), (3, 1)])
def test_plot_on_given_axes(rows, columns):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(rows, columns)
    display = compare(axes=axes)
    assert list(display.axes_) == list(axes)
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    # On axes of one's own, each panel is whole.
    assert {ax.get_ylabel() for ax in axes} == {"true emotion"}
    assert display.plot(list(axes)) is display
    assert display.plot().figure_ is not figure


@pytest.mark.parametrize(
    ("n_classes", "names"),
    [
        (2, ("LogisticRegression", "GradientBoosting")),
        (
            7,
            (
                "CNN-BLSTM with a pre-trained autoencoder and gated fusion",
                "pseudo-siamese network with triplet loss and gated fusion",
            ),
        ),
    ],
)
def test_titles_neither_meet_nor_are_cut_off(n_classes, names):
    classes = np.array([f"a rather long class {i}" for i in range(n_classes)])
    display = compare(classes, classes, np.roll(classes, 1), names=names)
    display.figure_.canvas.draw()
    boxes = [ax.title.get_window_extent() for ax in display.axes_]
    for left, right in pairwise(boxes):
        assert left.x1 < right.x0
    whole = display.figure_.bbox
    assert boxes[0].x0 >= 0
    assert boxes[-1].x1 <= whole.x1
    assert max(box.y1 for box in boxes) <= whole.y1
    name = " ".join(display.axes_[0].get_title().split("\n")[:-1])
    assert name == names[0]  # broken into lines, not shortened


# --- what is refused ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"second": SECOND[1:]}, "Predictions of model 2: .*inconsistent.*6, 5"),
        ({"first": [None, *FIRST[1:]]}, "Predictions of model 1: .*at index 0"),
        ({"true": [*TRUE[:-1], None]}, "^y_true has 1 missing labels.*at index 5"),
        ({"second": np.linspace(0, 1, 6)}, "Predictions of model 2: "),
        ({"names": ("a", "b", "c")}, "names must name the two models"),
        ({"names": "ab"}, "names must name the two models, got 'ab'"),
    ],
)
def test_predictions_that_are_refused(kwargs, message):
    import matplotlib.pyplot as plt

    with pytest.raises(ValueError, match=message):
        compare(**kwargs)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("counts", "kwargs", "message"),
    [
        (
            np.eye(2, dtype=int),
            {},
            r"shape \(2, n_classes, n_classes\), got .*\(2, 2\)",
        ),
        (np.ones((2, 2, 3), dtype=int), {}, "two square matrices"),
        (np.ones((3, 2, 2), dtype=int), {}, "two square matrices"),
        (np.ones((2, 2, 2)), {}, "whole numbers of at least 0, no shares"),
        (-np.ones((2, 2, 2), dtype=int), {}, "whole numbers of at least 0"),
        (np.zeros((2, 2, 2), dtype=int), {}, "no utterances"),
        ([[[1, 0], [0, 1]], [[1, 1], [0, 1]]], {}, "the same utterances"),
        ([[[1]], [[1]]], {"labels": ["a", "b"]}, "of 1 classes, but labels names 2"),
        ([[[1]], [[1]]], {"names": ["a"]}, "names must name the two models"),
    ],
)
def test_counts_that_are_refused(counts, kwargs, message):
    import matplotlib.pyplot as plt

    with pytest.raises(ValueError, match=message):
        ConfusionComparisonDisplay(counts, **kwargs).plot()
    assert plt.get_fignums() == []


def test_counts_without_labels_are_numbered():
    display = ConfusionComparisonDisplay([[[1, 1], [0, 2]], [[2, 0], [1, 1]]]).plot()
    assert [t.get_text() for t in display.axes_[0].get_yticklabels()] == ["0", "1"]
    assert display.wa == (0.75, 0.75)


def test_axes_must_be_three():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    for axes, n in ((ax, 1), ([ax, ax], 2)):
        with pytest.raises(ValueError, match=f"three matplotlib Axes, got {n}"):
            compare(axes=axes)
    assert not ax.images


# --- of estimators -----------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    """Return features of four emotions, and the emotions."""
    rng = np.random.RandomState(0)
    emotion = np.tile(EMOTIONS, 15)
    return rng.normal(size=(60, 5)) + 2 * np.eye(4, 5)[np.tile(range(4), 15)], emotion


def test_from_estimator_is_from_predictions(data):
    X, y = data
    svc = make_pipeline(StandardScaler(), SVC()).fit(X[:30], y[:30])
    dummy = DummyClassifier().fit(X[:30], y[:30])
    display = ConfusionComparisonDisplay.from_estimator(
        dummy, svc, X[30:], y[30:], labels=EMOTIONS[::-1], label_name="class"
    )
    expected = compare(
        y[30:], dummy.predict(X[30:]), svc.predict(X[30:]), labels=EMOTIONS[::-1]
    )
    assert_array_equal(display.counts, expected.counts)
    assert_array_equal(display.labels, EMOTIONS[::-1])
    assert display.names == ("DummyClassifier", "SVC")
    assert display.axes_[0].get_xlabel() == "predicted class"
    assert display.ua[1] > display.ua[0] == 0.25


def test_default_names_tell_the_models_apart(data):
    X, y = data
    svc = make_pipeline(StandardScaler(), SVC())
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(svc, {"svc__C": [0.1, 1.0]}, cv=2)
    for first, second, names in [
        (svc, logistic, ("SVC", "LogisticRegression")),
        (svc, SVC(C=0.1), ("Pipeline", "SVC")),
        (svc, search, ("Pipeline", "GridSearchCV")),
        (search, logistic, ("SVC", "LogisticRegression")),
        (SVC(C=0.1), SVC(), ("SVC 1", "SVC 2")),
    ]:
        display = ConfusionComparisonDisplay.from_estimator(
            first.fit(X, y), second.fit(X, y), X, y
        )
        assert display.names == names
    display = ConfusionComparisonDisplay.from_estimator(
        svc, logistic, X, y, names=["PT_G", "PSN_G"]
    )
    assert display.names == ("PT_G", "PSN_G")


def test_only_fitted_classifiers_are_compared(data):
    X, y = data
    svc = SVC().fit(X, y)
    with pytest.raises(ValueError, match="compares classifiers, got StandardScaler"):
        ConfusionComparisonDisplay.from_estimator(svc, StandardScaler(), X, y)
    with pytest.raises(NotFittedError, match=re.escape("SVC")):
        ConfusionComparisonDisplay.from_estimator(svc, SVC(), X, y)
