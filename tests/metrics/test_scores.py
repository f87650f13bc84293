"""Scores: by hand, by scikit-learn, and in searches."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.stats import pearsonr
from sklearn.datasets import make_blobs, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, r2_score
from sklearn.model_selection import GridSearchCV

from sklearn_ser.metrics import (
    adjusted_r2_score,
    ccc_scorer,
    concordance_correlation,
    macro_f1_score,
    macro_f1_scorer,
    ua_score,
    ua_scorer,
    wa_score,
    wa_scorer,
)

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]
emotions = st.sampled_from(EMOTIONS)
predictions = st.lists(st.tuples(emotions, emotions), min_size=1, max_size=40)
# Steps of 0.5 as in the annotations: ties are common.
steps = st.integers(-20, 20).map(lambda i: i / 2)


def vectors(min_size=3, max_size=30):
    return st.integers(min_size, max_size).flatmap(
        lambda n: st.tuples(
            arrays(float, n, elements=steps), arrays(float, n, elements=steps)
        )
    )


# --- WA, UA and macro F1 -----------------------------------------------------------


def test_wa_and_ua_by_hand():
    true = ["anger"] * 3 + ["sadness"]
    assert wa_score(true, ["anger"] * 4) == 0.75
    assert ua_score(true, ["anger"] * 4) == 0.5
    # Recalls 2/3 and 1; weights make the recall of anger (1 + 4) / 6.
    pred = ["anger", "sadness", "anger", "sadness"]
    assert_allclose(ua_score(true, pred), 5 / 6)
    assert_allclose(ua_score(true, pred, sample_weight=[1, 1, 4, 7]), (5 / 6 + 1) / 2)
    assert_allclose(wa_score(true, pred, sample_weight=[1, 1, 4, 7]), 12 / 13)


def test_ua_leaves_out_predicted_classes_without_warning():
    assert ua_score(["anger", "anger", "sadness"], ["anger", "fear", "sadness"]) == 0.75


def test_ua_leaves_out_a_class_without_weight():
    true, pred = ["anger", "anger", "sadness"], ["anger", "fear", "anger"]
    assert ua_score(true, pred, sample_weight=[1, 1, 0]) == 0.5


def test_macro_f1_by_hand():
    # Anger: precision 1, recall 2/3; sadness: precision 1/2, recall 1.
    true, pred = ["anger"] * 3 + ["sadness"], ["anger", "sadness", "anger", "sadness"]
    assert_allclose(macro_f1_score(true, pred), (4 / 5 + 2 / 3) / 2)
    # A class that is never predicted counts as 0, without a warning.
    assert_allclose(macro_f1_score(true, ["anger"] * 4), (6 / 7 + 0) / 2)
    weighted = macro_f1_score(true, pred, sample_weight=[1, 1, 4, 7])
    assert_allclose(weighted, (10 / 11 + 14 / 15) / 2)


def test_macro_f1_leaves_out_what_is_never_true():
    true, pred = ["anger", "anger", "sadness"], ["anger", "fear", "sadness"]
    assert_allclose(macro_f1_score(true, pred), (2 / 3 + 1) / 2)
    assert_allclose(f1_score(true, pred, average="macro"), (2 / 3 + 1 + 0) / 3)
    assert macro_f1_score(true[:2], ["anger"] * 2, sample_weight=[1, 0]) == 1


def test_macro_f1_leaves_out_a_class_without_weight():
    true, pred = ["anger", "anger", "sadness"], ["anger", "fear", "fear"]
    assert_allclose(macro_f1_score(true, pred, sample_weight=[1, 1, 0]), 2 / 3)


@given(predictions)
def test_macro_f1_matches_scikit_learn(pairs):
    true, pred = map(list, zip(*pairs, strict=True))
    value = macro_f1_score(true, pred)
    assume(set(pred) <= set(true))
    assert_allclose(value, f1_score(true, pred, average="macro"))


@pytest.mark.parametrize(
    "container", [list, np.array, pd.Series, lambda v: np.array(v, dtype=object)]
)
def test_class_scores_take_any_container(container):
    true, pred = container(["a", "a", "b"]), container(["a", "b", "b"])
    assert_allclose([wa_score(true, pred), ua_score(true, pred)], [2 / 3, 0.75])
    assert_allclose(macro_f1_score(true, pred), 2 / 3)


@pytest.mark.parametrize("score", [wa_score, ua_score, macro_f1_score])
def test_missing_labels_are_named(score):
    with pytest.raises(ValueError, match=r"y_true has 1 missing labels.*index 1"):
        score(np.array(["a", None], dtype=object), ["a", "a"])
    with pytest.raises(ValueError, match=r"y_pred has 2 missing labels.*index 0"):
        score([1, 2], [np.nan, np.nan])
    with pytest.raises(ValueError, match="inconsistent"):
        score(["a", "b"], ["a"])


@given(predictions)
def test_wa_and_ua_match_scikit_learn(pairs):
    true, pred = map(list, zip(*pairs, strict=True))
    assert wa_score(true, pred) == accuracy_score(true, pred)
    assume(set(pred) <= set(true) and len(set(true)) > 1)  # else scikit-learn warns
    assert_allclose(ua_score(true, pred), balanced_accuracy_score(true, pred))


@given(predictions, st.randoms(use_true_random=False))
def test_class_scores_ignore_order_and_names(pairs, random):
    true, pred = map(np.array, zip(*pairs, strict=True))
    order = random.sample(range(len(true)), len(true))
    names = dict(zip(EMOTIONS, random.sample(EMOTIONS, 4), strict=True))
    for score in (wa_score, ua_score, macro_f1_score):
        value = score(true, pred)
        assert 0 <= value <= 1
        assert_allclose(score(true[order], pred[order]), value)
        renamed = [[names[str(e)] for e in labels] for labels in (true, pred)]
        assert_allclose(score(*renamed), value)


@given(st.integers(1, 4), st.integers(1, 8), st.data())
def test_ua_equals_wa_when_balanced(n_classes, per_class, data):
    true = EMOTIONS[:n_classes] * per_class
    pred = data.draw(st.lists(emotions, min_size=len(true), max_size=len(true)))
    assert_allclose(ua_score(true, pred), wa_score(true, pred))


# --- concordance correlation -------------------------------------------------------


def test_ccc_by_hand():
    assert concordance_correlation([1, 2, 3], [1, 2, 3]) == 1
    assert_allclose(concordance_correlation([1, 2, 3], [3, 2, 1]), -1)
    # s_xy = s_x² = s_y² = 2/3, the means differ by 1: (4/3) / (4/3 + 1).
    assert_allclose(concordance_correlation([1, 2, 3], [2, 3, 4]), 4 / 7)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([0.1, 0.1, 0.1], [0.1, 0.1, 0.1], 1),  # 0/0
        ([0.1, 0.1, 0.1], [0.3, 0.3, 0.3], 0),
        ([0.1, 0.1, 0.1], [0.1, 0.1, np.nextafter(0.1, 1)], 0),
        ([1.0, 2.0, 4.0], [2.1, 2.1, 2.1], 0),
        ([0.0, 0.0], [1e-200, 1e-200], 0),  # the denominator underflows
    ],
)
def test_ccc_of_constants(x, y, expected):
    assert concordance_correlation(x, y) == expected
    assert concordance_correlation(y, x) == expected


def test_ccc_of_several_outputs():
    rng = np.random.RandomState(0)
    x, y = rng.normal(size=(2, 20, 3))
    x[:, 2] = y[:, 2]
    raw = concordance_correlation(x, y, multioutput="raw_values")
    assert_allclose(raw, [concordance_correlation(x[:, k], y[:, k]) for k in range(3)])
    assert raw[2] == 1
    assert_allclose(concordance_correlation(x, y), raw.mean())


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2], [1, 2, 3], "same shape"),
        ([[1, 2], [3, 4]], [1, 2], "same shape"),
        ([1], [1], "minimum of 2"),
        ([1, np.nan], [1, 2], "y_true contains NaN"),
        ([1, 2], [1, np.inf], "y_pred contains infinity"),
    ],
)
def test_ccc_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        concordance_correlation(x, y)


def test_ccc_refuses_unknown_multioutput():
    with pytest.raises(ValueError, match="multioutput must be"):
        concordance_correlation([1, 2], [1, 2], multioutput="mean")


@given(vectors(2))
def test_ccc_properties(pair):
    x, y = pair
    ccc = concordance_correlation(x, y)
    assert concordance_correlation(y, x) == ccc
    assert concordance_correlation(x, x) == 1
    assert_allclose(concordance_correlation(-x, -y), ccc)
    assert_allclose(concordance_correlation(x[::-1] + 3, y[::-1] + 3), ccc, atol=1e-12)
    spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    if spread:
        # Hence 1 for the identity only.
        assert_allclose(1 - ccc, ((x - y) ** 2).mean() / spread, atol=1e-12)
    if x.var() and y.var():
        assert abs(ccc) <= abs(pearsonr(x, y).statistic) + 1e-12


# --- adjusted R² -------------------------------------------------------------------


def test_adjusted_r2_by_hand():
    # R² = 1 - 1/10; 1 - 0.1 * 4 / 3.
    adjusted = adjusted_r2_score([1, 2, 3, 4, 5], [1, 2, 3, 4, 4], n_predictors=1)
    assert_allclose(adjusted, 1 - 0.4 / 3)


@given(vectors(3), st.integers(0, 4))
def test_adjusted_r2_is_at_most_r2(pair, n_predictors):
    x, y = pair
    assume(len(x) >= n_predictors + 2)
    plain = r2_score(x, y)
    adjusted = adjusted_r2_score(x, y, n_predictors=n_predictors)
    assert adjusted <= plain + 1e-12 * abs(plain)
    if n_predictors == 0:
        assert_allclose(adjusted, plain)


def test_adjusted_r2_refuses():
    with pytest.raises(ValueError, match="at least 4 samples, got 3"):
        adjusted_r2_score([1, 2, 3], [1, 2, 3], n_predictors=2)
    with pytest.raises(ValueError, match="n_predictors"):
        adjusted_r2_score([1, 2, 3], [1, 2, 3], n_predictors=-1)
    with pytest.raises(TypeError, match="n_predictors"):
        adjusted_r2_score([1, 2, 3], [1, 2, 3], n_predictors=1.5)


# --- scorers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scorer", "score"),
    [
        (wa_scorer, wa_score),
        (ua_scorer, ua_score),
        (macro_f1_scorer, macro_f1_score),
    ],
)
def test_class_scorers_in_grid_search(scorer, score):
    X, y = make_blobs(60, centers=3, cluster_std=6, random_state=0)
    y = np.array(EMOTIONS)[y]
    grid = GridSearchCV(LogisticRegression(), {"C": [0.01, 1]}, scoring=scorer, cv=3)
    grid.fit(X, y)
    assert grid.score(X, y) == score(y, grid.predict(X))
    assert pickle.loads(pickle.dumps(scorer))(grid, X, y) == grid.score(X, y)


def test_ccc_scorer_in_grid_search():
    X, y = make_regression(60, 3, noise=20, random_state=0)
    grid = GridSearchCV(Ridge(), {"alpha": [0.1, 1000]}, scoring=ccc_scorer, cv=3)
    grid.fit(X, y)
    assert grid.best_params_ == {"alpha": 0.1}
    assert grid.score(X, y) == concordance_correlation(y, grid.predict(X))
    assert pickle.loads(pickle.dumps(ccc_scorer))(grid, X, y) == grid.score(X, y)
