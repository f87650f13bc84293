"""The correlation analyses and their permutation tests."""

import itertools
import tracemalloc
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist, squareform
from scipy.stats import f as f_distribution
from scipy.stats import linregress, pearsonr

from sklearn_ser.metrics import (
    _correlation,
    latent_correlation,
    mantel_test,
    pairwise_correlation,
)

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
    labeled = ~np.isnan(label)
    kwargs = {"n_permutations": 19, "random_state": 0}
    expected = correlation(z[labeled], label[labeled], **kwargs)
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


# --- blocks ------------------------------------------------------------------------


@pytest.mark.parametrize("n_distances", [1, 100, 700])
def test_blocks_give_what_all_pairs_at_once_give(monkeypatch, n_distances):
    z, label = embedding_and_label(n=41)
    kwargs = {"n_permutations": 150, "random_state": 0}
    x, y = pdist(z), pdist(label[:, None])
    monkeypatch.setattr(_correlation, "_N_DISTANCES", n_distances)
    pairs = pairwise_correlation(z, label, **kwargs)
    mantel = mantel_test(x, y, **kwargs)
    r = np.corrcoef(x, y)[0, 1]
    assert_allclose([pairs.r2, mantel.statistic], [r**2, r], rtol=1e-12)
    random, square = np.random.RandomState(0), squareform(y)
    orders = [random.permutation(41) for _ in range(150)]
    permuted = [
        np.corrcoef(x, squareform(square[np.ix_(order, order)]))[0, 1]
        for order in orders
    ]
    expected = (1 + np.sum(np.array(permuted) >= r - 1e-12)) / 151
    assert pairs.permutation_p_value == mantel.p_value == expected
    with pytest.raises(ValueError, match="distances in the embedding are all equal"):
        pairwise_correlation(np.eye(5) * np.pi, [1, 2, 3, 4, 5])


def test_memory_does_not_grow_with_the_number_of_pairs():
    peaks = []
    for n in (1500, 4500):
        z, label = embedding_and_label(n=n)
        tracemalloc.start()
        pairwise_correlation(z, label, n_permutations=2, random_state=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 4500 * 4499 / 2 * 8 / 3  # a third of one array of all distances


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
    relabeled = mantel_test(x[order][:, order], y[order][:, order], **kwargs)
    assert_allclose(relabeled.statistic, result.statistic, atol=1e-12)
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


@pytest.mark.parametrize(("apart", "tie"), [(3e-12, True), (2e-11, False)])
def test_correlations_that_differ_by_rounding_alone_are_a_tie(apart, tie):
    # Of six orders, that which exchanges two distances alone gives a correlation
    # that is less by a fifth of what these are apart.
    x, y = np.array([3, 1, 1 + apart]), np.array([5, 1, 2])
    p = mantel_test(x, y, n_permutations=3000, random_state=0).p_value
    assert abs(p - (2 if tie else 1) / 6) < 0.03


@pytest.mark.parametrize(("uneven", "allowed"), [(5e-9, True), (2e-8, False)])
@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_mantel_allows_little_unevenness_for_the_size_of_the_distances(
    uneven, allowed, scale
):
    x = scale * np.array([[0, 1, 0.5], [1, 0, 0.25], [0.5, 0.25, 0]])
    x[0, 2] += uneven * scale
    if allowed:
        assert mantel_test(x, x, n_permutations=9, random_state=0).p_value < 0.7
    else:
        with pytest.raises(ValueError, match=r"x_distances.*symmetric"):
            mantel_test(x, x)


def test_mantel_of_the_fewest_objects():
    distances = np.array([1.0, 2.0, 4.0])
    result = mantel_test(distances, distances, random_state=0)
    assert result.n_permutations == 999
    assert abs(result.p_value - 1 / 6) < 0.05


def test_r_is_of_pearson_and_has_a_sign():
    z, label = embedding_and_label()
    result = pairwise_correlation(z, label)
    r = pearsonr(pdist(z), pdist(label[:, None])).statistic
    assert_allclose((result.r, result.r2), (r, r**2))
    far = pairwise_correlation([[0.0], [10.0], [5.0], [5.0]], [1.0, 1.0, 0.0, 2.0])
    assert far.r < 0 < far.r2
    assert latent_correlation(z, label).r is None
