"""The z-score rule for outliers."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_scalar


def zscore_outliers(X: ArrayLike, threshold: float = 10.0) -> NDArray[np.bool_]:
    r"""Find samples with a feature far from that feature's mean.

    A sample is an outlier when ``|x - mean| > threshold * sd`` for any feature,
    with mean and population standard deviation of that feature over ``X``: one
    corpus at a time. [1]_ drops such samples and chooses 10, not the usual 3, to
    keep atypical renditions of emotion.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Features. NaN is ignored: it neither counts nor makes an outlier.
    threshold : float, default=10.0
        z-score beyond which a value is an outlier.

    Returns
    -------
    ndarray of shape (n_samples,), dtype bool
        True for outliers. Keep the others with ``X[~zscore_outliers(X)]``.

    Raises
    ------
    TypeError
        When ``threshold`` is not a number.
    ValueError
        When ``threshold`` is not positive, or ``X`` is infinite somewhere.

    Notes
    -----
    By Samuelson's inequality no z-score of n values exceeds :math:`\sqrt{n - 1}` [2]_:
    with ``threshold=10`` a corpus of 101 samples or fewer never has an outlier by this
    rule. A constant feature has none either. Applied again to the remaining samples,
    the rule may find more.

    References
    ----------
    .. [1] S. Das et al., "Continuous Metric Learning For Transferable Speech
       Emotion Recognition and Embedding Across Low-resource Languages", Proc.
       Northern Lights Deep Learning Workshop, 2022, arXiv:2203.14867.
    .. [2] P. A. Samuelson, "How deviant can you be?", Journal of the American
       Statistical Association 63(324), 1968, pp. 1522-1525.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.metrics import zscore_outliers
    >>> X = np.r_[np.arange(200.0), 1e6][:, None]
    >>> np.flatnonzero(zscore_outliers(X))
    array([200])
    """
    check_scalar(threshold, "threshold", Real, min_val=0, include_boundaries="neither")
    values = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
    # Not nanmean and nanstd: those warn about a feature that is NaN throughout.
    count = (~np.isnan(values)).sum(axis=0)
    at_least_one = np.maximum(count, 1)
    deviation = np.abs(values - np.nansum(values, axis=0) / at_least_one)
    sd = np.sqrt(np.nansum(deviation**2, axis=0) / at_least_one)
    # Samuelson's bound, stated, so that rounding cannot break it.
    possible = count - 1 > threshold**2
    mask: NDArray[np.bool_] = ((deviation > threshold * sd) & possible).any(axis=1)
    return mask
