"""The two correlation analyses of an embedding, and the Mantel test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import orth
from scipy.spatial.distance import cdist, is_valid_dm, num_obs_y, squareform
from scipy.stats import f as f_distribution
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.validation import check_consistent_length, column_or_1d

from .._typing import FloatArray
from ._centering import ROUNDING, unit_columns, unit_vector
from ._scores import adjust

RandomState: TypeAlias = int | np.random.RandomState | None
Order: TypeAlias = NDArray[np.intp]

# Two correlations closer than this are a tie: permutations that leave the data
# as they were must not count as "smaller" because of rounding.
_TIE = 1e-12

# Distances and permutations that are held at a time: memory does not grow with the
# number of pairs, and what is computed once is used for all these permutations.
_N_DISTANCES = 2**19
_N_ORDERS = 64


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
    r : float or None
        Pearson's correlation, with its sign, of distances with distances; None where
        the predictors are dimensions, which have several.
    """

    r2: float
    adjusted_r2: float
    f_statistic: float
    p_value: float
    n_observations: int
    n_predictors: int
    permutation_p_value: float | None = None
    r: float | None = None


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
    section 3.2 and Table 1 of [1]_. The distances are computed block by block, so that
    memory does not grow with the number of pairs.

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
    x = _Distances(_between(z), len(z), "the distances in the embedding")
    y = _Distances(_between(values[:, None]), len(z), "the label distances")
    permutation_p = None
    if n_permutations != 0:
        permutation_p = _mantel_p_value(x, y, n_permutations, random_state)
    r = _correlation(x, y)
    result = _correlation_result(r**2, x.n_pairs, 1, permutation_p)
    return replace(result, r=r)


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

    def r2_of(orders: Sequence[Order]) -> list[float]:
        return [float(np.sum((target[order] @ basis) ** 2)) for order in orders]

    n = len(target)
    permutation_p = None
    if n_permutations != 0:
        permutation_p = _permutation_p_value(r2_of, n, n_permutations, random_state)
    (r2,) = r2_of([np.arange(n)])
    return _correlation_result(r2, n, basis.shape[1], permutation_p)


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
    x_square = _square(x_distances, "x_distances")
    y_square = _square(y_distances, "y_distances")
    n = len(x_square)
    if n != len(y_square):
        raise ValueError(
            "Both sets of distances must be of the same objects, got "
            f"{n} and {len(y_square)} objects."
        )
    x = _Distances(_looked_up(x_square), n, "x_distances")
    y = _Distances(_looked_up(y_square), n, "y_distances")
    p_value = _mantel_p_value(x, y, n_permutations, random_state)
    return MantelResult(_correlation(x, y), p_value, n_permutations)


def _square(distances: ArrayLike, name: str) -> FloatArray:
    """Return the distances of 3 objects or more as a symmetric matrix."""
    values = check_array(distances, dtype=np.float64, ensure_2d=False, input_name=name)
    if values.ndim == 2:
        # Rounding may leave 1 - similarity a little asymmetric: allow for it.
        is_valid_dm(values, tol=1e-8 * np.abs(values).max(), throw=True, name=name)
        values = squareform(values, checks=False)
    if values.size < 3:
        raise ValueError(f"{name} must be distances of at least 3 objects.")
    num_obs_y(values)  # refuses a length that no number of objects gives
    square: FloatArray = squareform(values, checks=False)
    return square


# Gives the distances of some rows of objects, in some order, to those from the first
# of these rows on.
Block: TypeAlias = Callable[[slice, Order], FloatArray]


def _between(points: FloatArray) -> Block:
    """Compute Euclidean distances."""

    def block(rows: slice, order: Order) -> FloatArray:
        distances: FloatArray = cdist(points[order[rows]], points[order[rows.start :]])
        return distances

    return block


def _looked_up(square: FloatArray) -> Block:
    """Look distances up in a matrix."""

    def block(rows: slice, order: Order) -> FloatArray:
        # Rows and columns at once would gather at random over the whole matrix.
        return square[order[rows]].take(order[rows.start :], axis=1)

    return block


class _Distances:
    """The distances of all pairs i < j of objects, centred, as blocks of a matrix."""

    def __init__(self, block: Block, n: int, name: str) -> None:
        self.n = n
        self.n_pairs = n * (n - 1) // 2
        self._block = block
        # Of one of them, so that equal distances become exact zeros.
        self._mean = float(block(slice(0, 1), np.arange(n))[0, 1])
        self._mean += sum(np.sum(part) for _, part in self.parts()) / self.n_pairs
        squares = sum(np.einsum("ij,ij", part, part) for _, part in self.parts())
        self.norm = float(np.sqrt(squares))
        if self.norm <= ROUNDING * np.hypot(
            self.norm, self._mean * np.sqrt(self.n_pairs)
        ):
            raise ValueError(f"{name} are all equal: a correlation is not defined.")

    def parts(self) -> Iterator[tuple[slice, FloatArray]]:
        """Give the rows of each block and its distances, zero except for i < j."""
        step = max(1, _N_DISTANCES // self.n)
        for start in range(0, self.n, step):
            rows = slice(start, min(start + step, self.n))
            yield rows, np.triu(self.permuted(rows, np.arange(self.n)), 1)

    def permuted(self, rows: slice, order: Order) -> FloatArray:
        """Return the distances of a block of the objects in another order."""
        distances = self._block(rows, order)
        distances -= self._mean
        return distances


def _correlations(
    x: _Distances, y: _Distances, orders: Sequence[Order]
) -> NDArray[np.float64]:
    """Return the correlation for each order of the objects of y."""
    sums = np.zeros(len(orders))
    for rows, of_x in x.parts():
        # BLAS would wake a thread for each of these short sums.
        sums += [np.einsum("ij,ij", of_x, y.permuted(rows, order)) for order in orders]
    return sums / (x.norm * y.norm)


def _correlation(x: _Distances, y: _Distances) -> float:
    """Return the correlation of distances of the same objects."""
    return float(_correlations(x, y, [np.arange(x.n)])[0])


def _mantel_p_value(
    x: _Distances, y: _Distances, n_permutations: int, random_state: RandomState
) -> float:
    """Return the Mantel p-value of distances."""
    return _permutation_p_value(
        partial(_correlations, x, y), x.n, n_permutations, random_state
    )


def _permutation_p_value(
    statistics: Callable[[Sequence[Order]], ArrayLike],
    n: int,
    n_permutations: int,
    random_state: RandomState,
) -> float:
    """Return how often a permuted order gives at least the statistic observed."""
    check_scalar(n_permutations, "n_permutations", Integral, min_val=1)
    random = check_random_state(random_state)
    threshold = np.asarray(statistics([np.arange(n)])) - _TIE
    reached = 0
    for done in range(0, n_permutations, _N_ORDERS):
        some = range(min(_N_ORDERS, n_permutations - done))
        permuted = statistics([random.permutation(n) for _ in some])
        reached += int(np.sum(np.asarray(permuted) >= threshold))
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
