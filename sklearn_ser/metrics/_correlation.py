"""The two correlation analyses of an embedding, and the Mantel test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import orth
from scipy.spatial.distance import is_valid_dm, num_obs_y, pdist, squareform
from scipy.stats import f as f_distribution
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.validation import check_consistent_length, column_or_1d

from .._typing import FloatArray
from ._centering import unit_columns, unit_vector
from ._scores import adjust

RandomState: TypeAlias = int | np.random.RandomState | None

# Two correlations closer than this are a tie: permutations that leave the data
# as they were must not count as "smaller" because of rounding.
_TIE = 1e-12


@dataclass(frozen=True)
class CorrelationResult:
    """What a linear regression explains.

    Attributes
    ----------
    r2 : float
        Share of the variance explained, between 0 and 1.
    adjusted_r2 : float
        The same, adjusted for the number of predictors.
    f_statistic : float
        F-statistic of the regression; infinite where ``r2`` is 1.
    p_value : float
        p-value of the F-test, which assumes independent observations.
    n_observations : int
        Number of observations: pairs or utterances.
    n_predictors : int
        Number of linearly independent predictors, the intercept not counted.
    permutation_p_value : float or None
        p-value of the permutation test; None where none was asked for.
    """

    r2: float
    adjusted_r2: float
    f_statistic: float
    p_value: float
    n_observations: int
    n_predictors: int
    permutation_p_value: float | None = None


@dataclass(frozen=True)
class MantelResult:
    """Result of a Mantel test.

    Attributes
    ----------
    statistic : float
        Pearson's correlation of the two sets of distances.
    p_value : float
        One-sided p-value: the probability of a correlation at least as large by chance.
    n_permutations : int
        Number of permutations drawn.
    """

    statistic: float
    p_value: float
    n_permutations: int


def pairwise_correlation(
    embedding: ArrayLike,
    label: ArrayLike,
    *,
    n_permutations: int = 0,
    random_state: RandomState = None,
) -> CorrelationResult:
    """Regress the distances in an embedding on the distances of a label.

    Ordinary least squares with an intercept of the Euclidean distances
    ``||z_i - z_j||`` on ``|l_i - l_j|`` over all pairs i < j: the analysis of
    section 3.2 and Table 1 of [1]_. Memory grows with the square of the number of
    utterances.

    Parameters
    ----------
    embedding : array-like of shape (n_utterances, n_dimensions)
        Embedded utterances.
    label : array-like of shape (n_utterances,)
        Continuous label such as activation or valence. Rows with NaN are
        unlabelled and dropped.
    n_permutations : int, default=0
        Number of permutations of the Mantel test; 0 leaves it out.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    CorrelationResult
        With one predictor; ``n_observations`` counts the pairs.

    Raises
    ------
    ValueError
        When fewer than 3 rows are labelled, the labels are all equal, or the
        distances in the embedding are all equal.

    See Also
    --------
    latent_correlation : How well the dimensions of the embedding give the label.
    mantel_test : The permutation test alone.

    Notes
    -----
    Do not trust ``p_value`` here. N utterances give N(N-1)/2 pairs that depend on each
    other; the F-test takes them as independent (pseudo-replication). On noise, with 40
    utterances, it rejects at the level 0.05 in a third of the cases. The permutation
    p-value is the Mantel test's, which permutes utterances, not pairs, and keeps the
    level. It is one-sided: it asks whether large distances in the embedding go with
    large distances of the label. R² itself has no such direction.

    References
    ----------
    .. [1] S. Das et al., "Continuous Metric Learning For Transferable Speech
       Emotion Recognition and Embedding Across Low-resource Languages", Proc.
       Northern Lights Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.metrics import pairwise_correlation
    >>> activation = np.array([1.0, 2.0, 2.5, 4.0, 5.0])
    >>> embedding = np.column_stack([activation, np.zeros(5)])
    >>> result = pairwise_correlation(
    ...     embedding, activation, n_permutations=99, random_state=0
    ... )
    >>> round(result.r2, 6), result.n_observations
    (1.0, 10)
    """
    z, values = _labeled_rows(embedding, label, n_predictors=1)
    unit_vector(values, "the labels")  # names the cause before it shows in pairs
    distances = unit_vector(pdist(z), "the distances in the embedding")
    differences = unit_vector(pdist(values[:, None]), "the label distances")
    permutation_p = None
    if n_permutations != 0:
        permutation_p = _mantel_p_value(
            distances, differences, n_permutations, random_state
        )
    r2 = float(distances @ differences) ** 2
    return _correlation_result(r2, len(distances), 1, permutation_p)


def latent_correlation(
    embedding: ArrayLike,
    label: ArrayLike,
    *,
    n_permutations: int = 0,
    random_state: RandomState = None,
) -> CorrelationResult:
    """Regress a label on the dimensions of an embedding.

    Ordinary least squares with an intercept: how much of the label's variation a linear
    combination of the latent dimensions explains. The conclusion of [1]_ describes its
    Table 3 so.

    Parameters
    ----------
    embedding : array-like of shape (n_utterances, n_dimensions)
        Embedded utterances.
    label : array-like of shape (n_utterances,)
        Continuous label such as activation or valence. Rows with NaN are
        unlabelled and dropped.
    n_permutations : int, default=0
        Number of permutations of the labels in a test of R²; 0 leaves it out.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    CorrelationResult
        ``n_observations`` counts the labelled utterances. A dimension that is
        constant or a linear combination of the others is not counted in
        ``n_predictors``.

    Raises
    ------
    ValueError
        When fewer than ``n_dimensions + 2`` rows are labelled, the labels are all
        equal, or the embedding is constant.

    See Also
    --------
    pairwise_correlation : The same question for distances between utterances.

    Notes
    -----
    R² is computed on the rows that the regression was fitted on. Both tests take
    utterances as independent. Those of one speaker are alike, so be wary of a p-value
    from few speakers.

    References
    ----------
    .. [1] S. Das et al., "Continuous Metric Learning For Transferable Speech
       Emotion Recognition and Embedding Across Low-resource Languages", Proc.
       Northern Lights Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.metrics import latent_correlation
    >>> embedding = [[0, 0], [1, 0], [0, 1], [1, 1], [2, 1], [1, 2]]
    >>> result = latent_correlation(embedding, [1, 2, 3, 4, 5, 4])
    >>> round(result.r2, 3), result.n_predictors
    (0.874, 2)
    """
    z, values = _labeled_rows(embedding, label, n_predictors=None)
    target = unit_vector(values, "the labels")
    basis = orth(unit_columns(z))
    if basis.shape[1] == 0:
        raise ValueError(
            "The embedding is constant over the labelled rows (collapsed): "
            "no correlation is defined."
        )

    def r2_of(order: NDArray[np.intp]) -> float:
        return float(np.sum((target[order] @ basis) ** 2))

    n = len(target)
    permutation_p = None
    if n_permutations != 0:
        permutation_p = _permutation_p_value(r2_of, n, n_permutations, random_state)
    return _correlation_result(r2_of(np.arange(n)), n, basis.shape[1], permutation_p)


def mantel_test(
    x_distances: ArrayLike,
    y_distances: ArrayLike,
    *,
    n_permutations: int = 999,
    random_state: RandomState = None,
) -> MantelResult:
    """Mantel's permutation test of the correlation of two sets of distances.

    The objects behind one of the two matrices are permuted, rows and columns
    together, which keeps the dependence among the distances of one object [1]_.

    Parameters
    ----------
    x_distances : array-like of shape (n_pairs,) or (n_objects, n_objects)
        Distances between the objects: condensed, as of
        :func:`scipy.spatial.distance.pdist`, or a square symmetric matrix with
        zeros on the diagonal.
    y_distances : array-like of shape (n_pairs,) or (n_objects, n_objects)
        Other distances between the same objects, in the same order.
    n_permutations : int, default=999
        Number of random permutations, at least 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    MantelResult
        Pearson's correlation r and the one-sided p-value
        ``(1 + #{r_permuted >= r}) / (1 + n_permutations)``, which is never 0
        [2]_.

    Raises
    ------
    ValueError
        When the distances are not valid, belong to different numbers of objects
        or to fewer than 3, or are all equal.

    References
    ----------
    .. [1] N. Mantel, "The detection of disease clustering and a generalized
       regression approach", Cancer Research 27(2), 1967, pp. 209-220.
    .. [2] B. Phipson and G. K. Smyth, "Permutation P-values should never be
       zero", Statistical Applications in Genetics and Molecular Biology 9(1),
       2010.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.spatial.distance import pdist
    >>> from sklearn_ser.metrics import mantel_test
    >>> points = np.arange(20.0)[:, None]
    >>> result = mantel_test(pdist(points), pdist(points**2), random_state=0)
    >>> round(result.statistic, 2), result.p_value
    (0.9, 0.001)
    """
    x = _condensed(x_distances, "x_distances")
    y = _condensed(y_distances, "y_distances")
    if len(x) != len(y):
        raise ValueError(
            "Both sets of distances must be of the same objects, got "
            f"{num_obs_y(x)} and {num_obs_y(y)} objects."
        )
    x, y = unit_vector(x, "x_distances"), unit_vector(y, "y_distances")
    p_value = _mantel_p_value(x, y, n_permutations, random_state)
    return MantelResult(float(x @ y), p_value, n_permutations)


def _condensed(distances: ArrayLike, name: str) -> FloatArray:
    """Return the distances of 3 objects or more in condensed form."""
    values = check_array(distances, dtype=np.float64, ensure_2d=False, input_name=name)
    if values.ndim == 2:
        # Rounding may leave 1 - similarity a little asymmetric: allow for it.
        is_valid_dm(values, tol=1e-8 * np.abs(values).max(), throw=True, name=name)
        values = squareform(values, checks=False)
    if values.size < 3:
        raise ValueError(f"{name} must be distances of at least 3 objects.")
    num_obs_y(values)  # refuses a length that no number of objects gives
    condensed: FloatArray = values
    return condensed


def _mantel_p_value(
    x: FloatArray, y: FloatArray, n_permutations: int, random_state: RandomState
) -> float:
    """Return the Mantel p-value of condensed distances, centred and of unit norm."""
    x_square, y_square = squareform(x, checks=False), squareform(y, checks=False)

    def correlation(order: NDArray[np.intp]) -> float:
        # Rows and columns at once would gather at random over the whole matrix,
        # and BLAS would wake a thread for each of these short sums.
        permuted = y_square[order].take(order, axis=1)
        return float(np.einsum("ij,ij", x_square, permuted)) / 2  # each pair twice

    return _permutation_p_value(
        correlation, len(x_square), n_permutations, random_state
    )


def _permutation_p_value(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    n_permutations: int,
    random_state: RandomState,
) -> float:
    """Return how often a permuted order gives at least the statistic observed."""
    check_scalar(n_permutations, "n_permutations", Integral, min_val=1)
    random = check_random_state(random_state)
    threshold = statistic(np.arange(n)) - _TIE
    reached = sum(
        statistic(random.permutation(n)) >= threshold for _ in range(n_permutations)
    )
    return (1 + reached) / (1 + n_permutations)


def _labeled_rows(
    embedding: ArrayLike, label: ArrayLike, *, n_predictors: int | None
) -> tuple[FloatArray, FloatArray]:
    """Return the rows whose label isn't NaN, enough of them for a regression.

    ``n_predictors=None`` stands for the dimensions of the embedding.
    """
    z = check_array(embedding, dtype=np.float64, input_name="embedding")
    values = check_array(
        column_or_1d(label),
        dtype=np.float64,
        ensure_2d=False,
        ensure_all_finite="allow-nan",
        input_name="label",
    )
    check_consistent_length(z, values)
    needed = (z.shape[1] if n_predictors is None else n_predictors) + 2
    labeled = ~np.isnan(values)
    if labeled.sum() < needed:
        raise ValueError(
            f"The regression needs at least {needed} labelled rows, got "
            f"{labeled.sum()} of {len(values)} (NaN means unlabelled)."
        )
    return z[labeled], values[labeled]


def _correlation_result(
    r2: float, n: int, p: int, permutation_p_value: float | None
) -> CorrelationResult:
    """Add the adjusted R² and the F-test to R²."""
    r2 = min(r2, 1.0)
    residual = (1 - r2) / (n - p - 1)
    f_statistic = r2 / p / residual if residual > 0 else float("inf")
    return CorrelationResult(
        r2=r2,
        adjusted_r2=adjust(r2, n, p),
        f_statistic=f_statistic,
        p_value=float(f_distribution.sf(f_statistic, p, n - p - 1)),
        n_observations=n,
        n_predictors=p,
        permutation_p_value=permutation_p_value,
    )
