"""WA, UA, concordance correlation and adjusted R², with their scorers."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    r2_score,
    recall_score,
)
from sklearn.utils import check_array, check_scalar
from sklearn.utils.validation import check_consistent_length, column_or_1d

from .._typing import FloatArray
from ._centering import center
from ._scorer import SpeakerScorer


def wa_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Weighted accuracy (WA): the share of utterances recognised.

    "Weighted" is the field's word: every class counts by its number of
    utterances, which is plain accuracy over all of them.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True classes.
    y_pred : array-like of shape (n_utterances,)
        Predicted classes.
    sample_weight : array-like of shape (n_utterances,), default=None
        Weights of the utterances; None weights them equally.

    Returns
    -------
    float
        Between 0 and 1 (best).

    Raises
    ------
    ValueError
        When the lengths differ, a label is missing, or the labels are not
        classes.

    See Also
    --------
    ua_score : The mean recall, in which every class counts the same.

    Examples
    --------
    >>> from sklearn_ser.metrics import wa_score
    >>> wa_score(["anger", "anger", "anger", "sadness"], ["anger"] * 4)
    0.75
    """
    true, pred = _check_classes(y_true, y_pred)
    return float(accuracy_score(true, pred, sample_weight=sample_weight))


def ua_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Unweighted accuracy (UA): the mean recall of the classes in ``y_true``.

    Also called unweighted average recall (UAR). A class that is predicted but
    absent from ``y_true`` has no recall: it is left out, without a warning. With
    balanced classes UA equals WA.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True classes.
    y_pred : array-like of shape (n_utterances,)
        Predicted classes.
    sample_weight : array-like of shape (n_utterances,), default=None
        Weights of the utterances within their class; None weights them equally.
        A class whose weights are all 0 counts as absent.

    Returns
    -------
    float
        Between 0 and 1 (best).

    Raises
    ------
    ValueError
        When the lengths differ, a label is missing, or the labels are not
        classes.

    See Also
    --------
    wa_score : The share of utterances recognised.

    References
    ----------
    .. [1] B. Schuller, S. Steidl and A. Batliner, "The INTERSPEECH 2009 Emotion
       Challenge", Proc. Interspeech, 2009, pp. 312-315.

    Examples
    --------
    >>> from sklearn_ser.metrics import ua_score
    >>> ua_score(["anger", "anger", "anger", "sadness"], ["anger"] * 4)
    0.5
    """
    true, pred = _check_classes(y_true, y_pred)
    recall = recall_score(
        true,
        pred,
        labels=np.unique(true),
        average="macro",
        sample_weight=sample_weight,
        zero_division=np.nan,  # classes without weight drop out of the mean
    )
    return float(recall)


def macro_f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Macro F1: the mean F-measure of the classes in ``y_true``.

    The F-measure of a class is the harmonic mean of its precision and its recall. A
    class that is predicted but never true is left out of the mean, as in
    :func:`ua_score`; scikit-learn's ``f1_score(average="macro")`` counts it as 0, which
    lowers the score of a fold whose speakers lack a class.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True classes.
    y_pred : array-like of shape (n_utterances,)
        Predicted classes.
    sample_weight : array-like of shape (n_utterances,), default=None
        Weights of the utterances; None weights them equally.

    Returns
    -------
    float
        Between 0 and 1 (best).

    Raises
    ------
    ValueError
        When the lengths differ, a label is missing, or the labels are not
        classes.

    See Also
    --------
    ua_score : The mean recall, which leaves precision out.

    Examples
    --------
    >>> from sklearn_ser.metrics import macro_f1_score
    >>> macro_f1_score(["a", "a", "b", "b"], ["a", "c", "b", "b"])
    0.833...
    """
    true, pred = _check_classes(y_true, y_pred)
    f1 = f1_score(
        true,
        pred,
        labels=np.unique(true),
        average="macro",
        sample_weight=sample_weight,
        zero_division=np.nan,  # classes without weight drop out of the mean
    )
    return float(f1)


def _check_classes(
    y_true: ArrayLike, y_pred: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both label arrays as 1-D; refuse missing labels by their index."""
    check_consistent_length(y_true, y_pred)
    true, pred = column_or_1d(y_true), column_or_1d(y_pred)
    for name, labels in (("y_true", true), ("y_pred", pred)):
        missing = np.flatnonzero(pd.isna(labels))
        if missing.size:
            raise ValueError(
                f"{name} has {missing.size} missing labels, the first at index "
                f"{missing[0]}; leave the unlabelled utterances out."
            )
    return true, pred


def concordance_correlation(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    multioutput: Literal["uniform_average", "raw_values"] = "uniform_average",
) -> float | FloatArray:
    r"""Lin's concordance correlation coefficient (CCC).

    .. math:: \rho_c = \frac{2\,s_{xy}}{s_x^2 + s_y^2 + (\bar x - \bar y)^2}

    with population moments (divided by n), as in [1]_. Unlike Pearson's
    correlation, it falls when the prediction is shifted or scaled.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Predicted values.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        The mean over the outputs, or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        Between -1 and 1; 1 means identity. A constant input explains nothing:
        0. Where both are constant and equal, the 0/0 is taken as the identity:
        1.

    Raises
    ------
    ValueError
        When the shapes differ, a value is not finite, or there are fewer than
        two samples.

    References
    ----------
    .. [1] L. I-K. Lin, "A concordance correlation coefficient to evaluate
       reproducibility", Biometrics 45(1), 1989, pp. 255-268.

    Examples
    --------
    >>> from sklearn_ser.metrics import concordance_correlation
    >>> concordance_correlation([1, 2, 3], [1, 2, 3])
    1.0
    >>> concordance_correlation([1, 2, 3], [2, 3, 4])  # Pearson: 1
    0.571...
    """
    if multioutput not in ("uniform_average", "raw_values"):
        raise ValueError(
            "multioutput must be 'uniform_average' or 'raw_values', got "
            f"{multioutput!r}."
        )
    true, pred = _check_columns(y_true, "y_true"), _check_columns(y_pred, "y_pred")
    if true.shape != pred.shape:
        raise ValueError(
            f"y_true and y_pred must have the same shape, got {true.shape} "
            f"and {pred.shape}."
        )
    x, y = center(true), center(pred)
    agreement = 2 * (x * y).mean(axis=0)
    spread = (x**2).mean(axis=0) + (y**2).mean(axis=0) + (true - pred).mean(axis=0) ** 2
    identical = (true == pred).all(axis=0)
    ccc = np.divide(agreement, spread, out=np.zeros_like(spread), where=spread > 0)
    ccc[identical] = 1.0
    return float(ccc.mean()) if multioutput == "uniform_average" else ccc


def _check_columns(values: ArrayLike, name: str) -> FloatArray:
    """Return finite values of two samples or more as float64, one column each."""
    checked: FloatArray = check_array(
        values,
        dtype=np.float64,
        ensure_2d=False,
        ensure_min_samples=2,
        input_name=name,
    )
    return checked.reshape(len(checked), -1)


def adjusted_r2_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, n_predictors: int
) -> float:
    r"""R² adjusted for the number of predictors.

    .. math:: R^2_{adj} = 1 - (1 - R^2)\frac{n - 1}{n - p - 1}

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Values fitted by a linear model with an intercept.
    n_predictors : int
        Number p of predictors of that model, the intercept not counted.

    Returns
    -------
    float
        At most R², hence at most 1; may be negative. The mean over the outputs,
        as in :func:`~sklearn.metrics.r2_score`.

    Raises
    ------
    TypeError
        When ``n_predictors`` is not an integer.
    ValueError
        When ``n_predictors`` is negative, there are fewer than
        ``n_predictors + 2`` samples, or the lengths differ.

    Examples
    --------
    >>> from sklearn_ser.metrics import adjusted_r2_score
    >>> adjusted_r2_score([1, 2, 3, 4, 5], [1, 2, 3, 4, 4], n_predictors=1)
    0.866...
    """
    check_scalar(n_predictors, "n_predictors", Integral, min_val=0)
    n_samples = len(np.asarray(y_true))
    if n_samples < n_predictors + 2:
        raise ValueError(
            f"Adjusted R² with {n_predictors} predictors needs at least "
            f"{n_predictors + 2} samples, got {n_samples}."
        )
    return adjust(float(r2_score(y_true, y_pred)), n_samples, n_predictors)


def adjust(r2: float, n: int, p: int) -> float:
    """Return R² adjusted for p predictors and n observations."""
    return 1 - (1 - r2) * (n - 1) / (n - p - 1)


wa_scorer = SpeakerScorer(wa_score)
ua_scorer = SpeakerScorer(ua_score)
macro_f1_scorer = SpeakerScorer(macro_f1_score)
ccc_scorer = SpeakerScorer(concordance_correlation)
