"""Scores, correlation analyses and the outlier rule."""

import itertools
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist, squareform
from scipy.stats import f as f_distribution
from scipy.stats import linregress, pearsonr
from sklearn.datasets import make_blobs, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    r2_score,
)
from sklearn.model_selection import GridSearchCV

from sklearn_ser.metrics import (
    adjusted_r2_score,
    ccc_scorer,
    concordance_correlation,
    latent_correlation,
    macro_f1_score,
    macro_f1_scorer,
    mantel_test,
    pairwise_correlation,
    ua_score,
    ua_scorer,
    wa_score,
    wa_scorer,
    zscore_outliers,
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


# --- the two correlation analyses --------------------------------------------------


def embedding_and_label(n=40, n_dimensions=2, seed=0):
    """Return an embedding whose first dimension carries the label, with noise."""
    rng = np.random.RandomState(seed)
    label = rng.randint(2, 11, size=n) / 2
    embedding = rng.normal(size=(n, n_dimensions))
    embedding[:, 0] += label
    return embedding, label


def naive_regression(predictors, response):
    """Return R², adjusted R², F and p by least squares with an intercept."""
    n, p = predictors.shape
    design = np.column_stack([np.ones(n), predictors])
    fitted = design @ np.linalg.lstsq(design, response, rcond=None)[0]
    r2 = 1 - np.sum((response - fitted) ** 2) / np.sum(
        (response - response.mean()) ** 2
    )
    f = (r2 / p) / ((1 - r2) / (n - p - 1))
    adjusted = 1 - (1 - r2) * (n - 1) / (n - p - 1)
    return r2, adjusted, f, f_distribution.sf(f, p, n - p - 1)


def numbers(result):
    return result.r2, result.adjusted_r2, result.f_statistic, result.p_value


@pytest.mark.parametrize("n_dimensions", [1, 2, 8])
def test_latent_correlation_is_least_squares(n_dimensions):
    z, label = embedding_and_label(n_dimensions=n_dimensions)
    result = latent_correlation(z, label)
    assert_allclose(numbers(result), naive_regression(z, label))
    assert (result.n_observations, result.n_predictors) == (40, n_dimensions)
    assert result.permutation_p_value is None


def test_latent_correlation_agrees_with_linregress_in_one_dimension():
    z, label = embedding_and_label(n_dimensions=1)
    oracle = linregress(z[:, 0], label)
    result = latent_correlation(z, label)
    assert_allclose(
        [result.r2, result.p_value], [oracle.rvalue**2, oracle.pvalue], rtol=1e-9
    )


def test_pairwise_correlation_agrees_with_linregress():
    z, label = embedding_and_label()
    pairs = list(itertools.combinations(range(40), 2))
    n = [np.sqrt(np.sum((z[i] - z[j]) ** 2)) for i, j in pairs]
    differences = [abs(label[i] - label[j]) for i, j in pairs]
    oracle = linregress(differences, n)
    result = pairwise_correlation(z, label)
    assert_allclose(result.r2, oracle.rvalue**2)
    assert_allclose(result.p_value, oracle.pvalue, rtol=1e-6)
    assert_allclose(
        numbers(result)[:3], naive_regression(np.c_[differences], np.array(n))[:3]
    )
    assert (result.n_observations, result.n_predictors) == (780, 1)
    assert result.permutation_p_value is None


def test_correlation_of_a_perfect_embedding():
    label = np.arange(1.0, 9.0)
    z = np.column_stack([3 * label + 1, np.zeros(8)])
    for correlation in (pairwise_correlation, latent_correlation):
        result = correlation(z, label, n_permutations=99, random_state=0)
        assert_allclose([result.r2, result.adjusted_r2], 1)
        assert result.f_statistic > 1e12
        assert result.p_value < 1e-12
        assert result.n_predictors == 1  # the constant dimension is not counted
        assert result.permutation_p_value <= 0.02


@pytest.mark.parametrize("correlation", [pairwise_correlation, latent_correlation])
def test_unlabelled_rows_are_dropped(correlation):
    z, label = embedding_and_label()
    label[::7] = np.nan
    labelled = ~np.isnan(label)
    kwargs = {"n_permutations": 19, "random_state": 0}
    expected = correlation(z[labelled], label[labelled], **kwargs)
    assert correlation(z, label, **kwargs) == expected
    assert correlation(pd.DataFrame(z), pd.Series(label), **kwargs) == expected


@pytest.mark.parametrize("correlation", [pairwise_correlation, latent_correlation])
def test_correlation_refuses(correlation):
    z, label = embedding_and_label(n=10)
    with pytest.raises(ValueError, match="labels are all equal"):
        correlation(z, np.full(10, 0.1))
    with pytest.raises(ValueError, match=r"labelled rows, got 2 of 10 \(NaN means"):
        correlation(z, np.r_[label[:2], np.full(8, np.nan)])
    with pytest.raises(ValueError, match=r"embedding .*(constant|all equal)"):
        correlation(np.full((10, 2), 0.1), label)
    with pytest.raises(ValueError, match="inconsistent"):
        correlation(z, label[:9])
    with pytest.raises(ValueError, match="embedding contains NaN"):
        correlation(np.where(z == z[3], np.nan, z), label)
    with pytest.raises(ValueError, match="label contains infinity"):
        correlation(z, np.r_[label[:9], np.inf])
    with pytest.raises(ValueError, match="n_permutations"):
        correlation(z, label, n_permutations=-1)
    with pytest.raises(TypeError, match="n_permutations"):
        correlation(z, label, n_permutations=9.5)


def test_fewest_rows():
    z, label = embedding_and_label(n=10)
    assert pairwise_correlation(z[:3], [1, 2, 4]).n_observations == 3
    assert latent_correlation(z[:4], label[:4]).n_observations == 4
    with pytest.raises(ValueError, match="at least 4 labelled rows, got 3 of 3"):
        latent_correlation(z[:3], label[:3])


def test_equidistant_points_have_no_pairwise_correlation():
    # The corners of a simplex: equal distances up to rounding.
    with pytest.raises(ValueError, match="distances in the embedding are all equal"):
        pairwise_correlation(np.eye(5) * np.pi, [1, 2, 3, 4, 5])


def test_collinear_dimensions_are_not_counted():
    z, label = embedding_and_label()
    doubled = np.column_stack([z, z @ [1.0, 2.0], np.full(40, 0.3)])
    assert_allclose(
        numbers(latent_correlation(doubled, label)),
        numbers(latent_correlation(z, label)),
    )
    assert latent_correlation(doubled, label).n_predictors == 2


@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
def test_correlations_are_invariant(seed, scale, shift):
    z, label = embedding_and_label(n=12, seed=seed)
    assume(np.ptp(label) > 0)
    rotation = np.linalg.qr(np.random.RandomState(seed).normal(size=(2, 2)))[0]
    order = np.random.RandomState(seed).permutation(12)
    moved = scale * (z @ rotation)[order] + shift
    for correlation in (pairwise_correlation, latent_correlation):
        plain = correlation(z, label)
        assert 0 <= plain.r2 <= 1
        assert plain.adjusted_r2 <= plain.r2
        assert 0 <= plain.p_value <= 1
        again = correlation(moved, -scale * label[order] + shift)
        assert_allclose(again.r2, plain.r2, rtol=1e-8, atol=1e-10)
    skewed = z @ [[1.0, 2.0], [0.0, 0.5]]  # any invertible map, for this one
    assert_allclose(
        latent_correlation(skewed, label).r2, latent_correlation(z, label).r2
    )


def test_result_is_frozen():
    result = latent_correlation(*embedding_and_label())
    with pytest.raises(FrozenInstanceError):
        result.r2 = 1.0


# --- permutation tests -------------------------------------------------------------


def exact_p_value(statistic, n):
    """Return the share of all n! orders that give at least the statistic observed."""
    values = [statistic(list(order)) for order in itertools.permutations(range(n))]
    return np.mean(np.array(values) >= values[0] - 1e-9)


def test_mantel_approaches_the_exact_test():
    z, label = embedding_and_label(n=6, seed=3)
    label[1] = label[0]  # ties must count
    x, y = squareform(pdist(z)), squareform(pdist(label[:, None]))
    upper = np.triu_indices(6, 1)

    def r(order):
        return pearsonr(x[upper], y[np.ix_(order, order)][upper]).statistic

    exact = exact_p_value(r, 6)
    result = mantel_test(x, y, n_permutations=4000, random_state=0)
    assert_allclose(result.statistic, r(range(6)))
    assert result.n_permutations == 4000
    # Four standard errors of a binomial share.
    assert (
        abs(result.p_value - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000) + 1 / 4000
    )
    same = pairwise_correlation(z, label, n_permutations=4000, random_state=0)
    assert same.permutation_p_value == result.p_value
    assert_allclose(same.r2, result.statistic**2)


def test_latent_permutation_approaches_the_exact_test():
    z, label = embedding_and_label(n=6, n_dimensions=2, seed=3)
    exact = exact_p_value(lambda order: naive_regression(z, label[order])[0], 6)
    p = latent_correlation(
        z, label, n_permutations=4000, random_state=0
    ).permutation_p_value
    assert abs(p - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000) + 1 / 4000


def test_permutation_p_values_are_never_zero_and_count_ties():
    # Every order of equal groups of two labels is a tie or smaller.
    label = np.array([1.0, 1, 5, 5])
    result = mantel_test(
        pdist(label[:, None]),
        pdist(label[:, None]),
        n_permutations=3000,
        random_state=0,
    )
    assert_allclose(result.statistic, 1)
    assert abs(result.p_value - 1 / 3) < 0.04  # 8 of 24 orders leave the groups
    z, label = embedding_and_label(n=30)
    for correlation in (pairwise_correlation, latent_correlation):
        p = correlation(z, label, n_permutations=9, random_state=0).permutation_p_value
        assert p == 0.1


def test_ties_up_to_rounding_count():
    # Only the order and its reverse give r = 1; their distances differ by rounding.
    distances = pdist(np.array([[0.1], [7.1], [15.1], [22.1]]))
    assert distances[0] != distances[-1]
    p = mantel_test(distances, distances, n_permutations=3000, random_state=0).p_value
    assert abs(p - 2 / 24) < 0.02


def test_mantel_is_one_sided():
    points = np.arange(10.0)[:, None]
    opposite = 9 - pdist(points)
    assert mantel_test(pdist(points), opposite, random_state=0).p_value > 0.99
    assert mantel_test(pdist(points), -opposite, random_state=0).p_value == 0.001


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_mantel_properties(seed, scale):
    rng = np.random.RandomState(seed)
    x, y = (squareform(pdist(rng.normal(size=(8, 2)))) for _ in range(2))
    kwargs = {"n_permutations": 19, "random_state": 0}
    result = mantel_test(x, y, **kwargs)
    assert -1 <= result.statistic <= 1
    assert 0.05 <= result.p_value <= 1
    assert_allclose(mantel_test(y, x, **kwargs).statistic, result.statistic)
    scaled = mantel_test(scale * x, y, **kwargs)
    assert_allclose(scaled.statistic, result.statistic, atol=1e-12)
    assert scaled.p_value == result.p_value
    order = rng.permutation(8)
    relabelled = mantel_test(x[order][:, order], y[order][:, order], **kwargs)
    assert_allclose(relabelled.statistic, result.statistic, atol=1e-12)
    condensed = mantel_test(squareform(x), squareform(y), **kwargs)
    assert condensed == result


def test_mantel_symmetric_in_its_p_value():
    rng = np.random.RandomState(1)
    z = rng.normal(size=(20, 1))
    x, y = pdist(z), pdist(z + rng.normal(size=(20, 1)))
    p, q = (
        mantel_test(*pair, n_permutations=2000, random_state=0).p_value
        for pair in ((x, y), (y, x))
    )
    assert abs(p - q) < 4 * np.sqrt(2 * max(p, q) / 2000)


def test_mantel_allows_rounding_in_a_square_matrix():
    x = squareform(pdist(np.random.RandomState(0).normal(size=(6, 2))))
    uneven = x + 1e-12 * np.triu(np.ones((6, 6)))
    result = mantel_test(uneven, x, n_permutations=9, random_state=0)
    assert_allclose(result.statistic, 1)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.arange(4), np.arange(4), "condensed|Incompatible"),
        (np.arange(3), np.arange(6), "3 and 4 objects"),
        (np.ones(3), np.arange(3), "x_distances are all equal"),
        (np.arange(3), np.ones(3), "y_distances are all equal"),
        ([1.0], [1.0], "at least 3 objects"),
        ([[0, 1, 2], [3, 0, 4], [2, 4, 0]], np.arange(3), "x_distances.*symmetric"),
        (np.ones((3, 3)), np.arange(3), "x_distances.*diagonal"),
        (np.arange(3), [1, np.nan, 2], "y_distances contains NaN"),
    ],
)
def test_mantel_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        mantel_test(x, y)


def test_mantel_needs_a_permutation():
    with pytest.raises(ValueError, match="n_permutations"):
        mantel_test(np.arange(3), np.arange(3), n_permutations=0)


def test_permutation_tests_are_reproducible():
    z, label = embedding_and_label(n=12, seed=5)
    z[:, 0] -= 0.9 * label
    for correlation in (pairwise_correlation, latent_correlation):
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        first, second, other = (
            correlation(z, label, n_permutations=199, random_state=seed)
            for seed in (0, np.random.RandomState(0), 1)
        )
        assert first == second
        assert first.permutation_p_value != other.permutation_p_value
        assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_f_test_on_pairs_is_pseudo_replicated():
    # Noise, 200 times: the level is 0.05, and only the Mantel test keeps it.
    f_rejects = mantel_rejects = 0
    for seed in range(200):
        rng = np.random.RandomState(seed)
        result = pairwise_correlation(
            rng.normal(size=(40, 2)),
            rng.normal(size=40),
            n_permutations=39,
            random_state=rng,
        )
        f_rejects += result.p_value <= 0.05
        mantel_rejects += result.permutation_p_value <= 0.05
    assert mantel_rejects <= 20  # 10, and three standard errors of 3.1
    assert f_rejects >= 30


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


# --- outliers ----------------------------------------------------------------------


def test_outliers_by_hand():
    # 1 among n - 1 zeros has a z-score of sqrt(n - 1) exactly: Samuelson's bound.
    for n, expected in ((101, False), (102, True)):
        X = np.zeros((n, 2))
        X[7, 1] = -1
        mask = zscore_outliers(X)
        assert mask.dtype == bool
        assert_array_equal(np.flatnonzero(mask), [7] if expected else [])


def test_outliers_match_the_rule():
    X = np.random.RandomState(0).standard_t(2, size=(1000, 5))
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    for threshold in (2, 5.5, 10.0):
        expected = (np.abs(z) > threshold).any(axis=1)
        assert expected.any()
        assert_array_equal(zscore_outliers(X, threshold), expected)
    assert_array_equal(zscore_outliers(pd.DataFrame(X)), zscore_outliers(X))


def test_outliers_ignore_nan_and_constants():
    X = np.random.RandomState(0).normal(size=(200, 4))
    X[5, 0] = 1e9
    X[::3, 1] = np.nan
    X[:, 2] = np.nan
    X[:, 3] = 0.1
    assert_array_equal(np.flatnonzero(zscore_outliers(X)), [5])
    # 100 values of the second feature are too few, 200 rows or not.
    X[100:, 1] = np.nan
    X[1, 1] = 1e9
    assert_array_equal(np.flatnonzero(zscore_outliers(X)), [5])


@settings(deadline=None)
@given(st.integers(1, 101), st.integers(0, 10_000), st.floats(-300, 300))
def test_no_outlier_among_101_samples(n, seed, exponent):
    rng = np.random.RandomState(seed)
    wild = rng.standard_cauchy(size=(n, 3)) * 10.0 ** (exponent / 3)
    wild[0, 0] = 1e12
    assert not zscore_outliers(wild).any()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 9), st.floats(1, 3))
def test_outlier_properties(seed, threshold, factor):
    rng = np.random.RandomState(seed)
    X = rng.standard_cauchy(size=(150, 3))
    mask = zscore_outliers(X, threshold)
    assert mask.shape == (150,)
    # A higher threshold never adds an outlier; nor does dropping change order.
    assert not (zscore_outliers(X, factor * threshold) & ~mask).any()
    order = rng.permutation(150)
    assert_array_equal(zscore_outliers(X[order], threshold), mask[order])
    assert_array_equal(zscore_outliers(2 * X, threshold), mask)
    wider = np.column_stack([X, rng.normal(size=150)])
    assert (zscore_outliers(wider, threshold) >= mask).all()


def test_outliers_refuse():
    X = np.zeros((3, 2))
    for threshold in (0, -1.0):
        with pytest.raises(ValueError, match="threshold"):
            zscore_outliers(X, threshold)
    with pytest.raises(TypeError, match="threshold"):
        zscore_outliers(X, "10")
    with pytest.raises(ValueError, match="infinity"):
        zscore_outliers(X + np.inf)
    with pytest.raises(ValueError, match="2D"):
        zscore_outliers([1.0, 2.0])
