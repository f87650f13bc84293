"""Labels of all kinds: what is missing stays missing, what is mixed is named."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import (
    ContrastiveSiamese,
    MEnAN,
    PseudoSiameseGated,
    SequenceClassifier,
)

N = 12
rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 3)).astype(np.float32) for n in rng.integers(18, 30, N)]
Y = ["a", "b", "c"] * 4
SPEAKER = ["p", "q"] * 6


def menan(**settings):
    return MEnAN(hidden_size=4, max_epochs=1, random_state=0, **settings)


def siamese(**settings):
    return ContrastiveSiamese(n_filters=4, max_epochs=1, random_state=0, **settings)


def lstm(**settings):
    return SequenceClassifier(hidden_size=4, max_epochs=1, random_state=0, **settings)


def gated(**settings):
    sizes = {"embedding_size": 2, "hidden_size": 2}
    epochs = {"feature_epochs": 1, "max_epochs": 1}
    return PseudoSiameseGated(
        fusion=None, random_state=0, **sizes, **epochs, **settings
    )


def missing_in(labels):
    """Return labels of which the fourth is missing, in all the forms there are."""
    forms = [[*labels[:3], gap, *labels[4:]] for gap in (None, np.nan, pd.NA)]
    return [
        *forms,
        tuple(forms[1]),
        np.array(forms[0], dtype=object),
        pd.Series(forms[0], index=range(7, 7 + N)),
        pd.Series(forms[0], dtype="string"),
        pd.Categorical(forms[0]),
    ]


@pytest.mark.parametrize("y", missing_in(Y), ids=lambda y: type(y).__name__)
def test_unknown_emotions(y):
    model = menan().fit(X, y, groups=SPEAKER)
    np.testing.assert_array_equal(model.classes_, ["a", "b", "c"])
    for needs_all in (siamese(), siamese(pairs="balanced"), lstm(), gated()):
        with pytest.raises(
            ValueError, match=r"y contains NaN: utterance 3 has no class \(1 of 12"
        ):
            needs_all.fit(X, y)


@pytest.mark.parametrize("groups", missing_in(SPEAKER), ids=lambda g: type(g).__name__)
def test_unknown_speakers(groups):
    model = menan().fit(X, Y, groups=groups)
    np.testing.assert_array_equal(model.speakers_, ["p", "q"])
    for stopping in (menan, siamese, lstm, gated):
        with pytest.raises(ValueError, match="no speaker at index 3"):
            stopping(early_stopping=True).fit(X, Y, groups=groups)


@pytest.mark.parametrize(
    "gender", missing_in(["f", "m"] * 6), ids=lambda g: type(g).__name__
)
def test_unknown_genders(gender):
    model = siamese(auxiliary="gender").fit(X, Y, gender=gender)
    np.testing.assert_array_equal(model.auxiliary_classes_, ["f", "m"])


def mixed(as_array):
    labels = ["p", 1] * 6
    return np.array(labels, dtype=object) if as_array else labels


@pytest.mark.parametrize("as_array", [True, False])
def test_labels_of_several_types_are_named(as_array):
    message = r"{} has labels of several types \(number, str\): make all of them"
    with pytest.raises(ValueError, match=message.format("groups")):
        menan().fit(X, Y, groups=mixed(as_array))
    with pytest.raises(ValueError, match=message.format("groups")):
        lstm(early_stopping=True).fit(X, Y, groups=mixed(as_array))
    with pytest.raises(ValueError, match=message.format("gender")):
        siamese(auxiliary="gender").fit(X, Y, gender=mixed(as_array))


def test_labels_of_wrong_shape_are_named():
    table = np.ones((N, 2))
    with pytest.raises(ValueError, match="groups must be one label per sample"):
        menan().fit(X, Y, groups=table)
    with pytest.raises(ValueError, match="gender must be one label per sample"):
        siamese(auxiliary="gender").fit(X, Y, gender=table)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 2, 3] * 4, [1, 2, 3]),
        ([True, False] * 6, [False, True]),
        (pd.Series([1, 2] * 6, dtype="Int64"), [1, 2]),
        (np.array(["b", "a"] * 6, dtype=object), ["a", "b"]),
        ([np.str_("b"), "a"] * 6, ["a", "b"]),
    ],
)
def test_labels_of_one_kind(labels, expected):
    for make in (menan, siamese, lstm, gated):
        extra = {"groups": SPEAKER} if make is menan else {}
        np.testing.assert_array_equal(make().fit(X, labels, **extra).classes_, expected)
    np.testing.assert_array_equal(menan().fit(X, Y, groups=labels).speakers_, expected)
