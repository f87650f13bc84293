"""The score of utterances in which several emotions may be present."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, column_or_1d

from .._typing import BoolArray
from ._scores import wa_score


def emotion_presence(
    ratings: ArrayLike,
    emotions: Sequence[str],
    *,
    classes: Sequence[str],
    neutral: str = "neutral",
) -> BoolArray:
    """Tell which emotions are present in utterances that are rated for several.

    The rule of [1]_ for CMU-MOSEI, whose utterances are rated from 0 to 3 for each of
    six emotions: an emotion is present where its rating is above 0, and an utterance is
    neutral where all ratings are 0.

    Parameters
    ----------
    ratings : array-like of shape (n_utterances, n_emotions)
        Ratings, at least 0. Give all emotions that were rated, also those which a
        classifier does not know: an utterance of disgust alone is not neutral.
    emotions : sequence of str of length n_emotions
        The emotions of the columns.
    classes : sequence of str
        The classes that are asked about: some of the emotions, and `neutral`.
    neutral : str, default="neutral"
        The class of utterances in which nothing is present.

    Returns
    -------
    ndarray of shape (n_utterances, n_classes) and dtype bool
        Whether each class is present. A row without any is of an utterance that shows
        other emotions only; [1]_ leaves these out.

    Raises
    ------
    ValueError
        If a rating is missing or negative, the columns are not named one by one, or a
        class is neither an emotion nor `neutral`.

    See Also
    --------
    presence_score : How often a prediction is present.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> from sklearn_ser.metrics import emotion_presence
    >>> ratings = [[2, 1, 0], [0, 0, 0], [0, 0, 3]]
    >>> rated = ["anger", "sadness", "fear"]
    >>> emotion_presence(ratings, rated, classes=["anger", "neutral", "sadness"])
    array([[ True, False,  True],
           [False,  True, False],
           [False, False, False]])
    """
    values = check_array(ratings, dtype=np.float64, input_name="ratings")
    if (values < 0).any():
        row = np.flatnonzero((values < 0).any(axis=1))[0]
        raise ValueError(f"ratings has a negative rating in row {row}; 0 is the least.")
    columns = _check_names("emotions", emotions, values.shape[1])
    present = pd.DataFrame(values > 0, columns=columns)
    if neutral not in present:
        present[neutral] = ~present.any(axis=1)
    unknown = [name for name in classes if name not in present]
    if unknown:
        raise ValueError(
            f"classes names {', '.join(unknown)}, which is not among the emotions: "
            f"{', '.join(columns)}."
        )
    found: BoolArray = present[list(classes)].to_numpy()
    return found


def presence_score(
    present: ArrayLike,
    y_pred: ArrayLike,
    *,
    classes: Sequence[Any],
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of the utterances in which the predicted emotion is present.

    The accuracy of Table 3 of [1]_: a prediction is right if its class is among those
    that are present, of which there may be several. Where exactly one is present in
    each utterance, it equals :func:`wa_score`.

    Parameters
    ----------
    present : array-like of shape (n_utterances, n_classes), dtype bool
        Which classes are present; at least one in each utterance.
    y_pred : array-like of shape (n_utterances,)
        Predicted classes.
    classes : sequence of length n_classes
        The classes of the columns. A prediction that is none of them is wrong.
    sample_weight : array-like of shape (n_utterances,), default=None
        Weights of the utterances; None weights them equally.

    Returns
    -------
    float
        Between 0 and 1 (best). Guessing has the mean share of the classes that are
        present, which is above 1 / n_classes where several are.

    Raises
    ------
    ValueError
        If the shapes do not fit together, `present` is not of truth values, or nothing
        is present in an utterance.

    See Also
    --------
    emotion_presence : From ratings to the classes that are present.
    sklearn_ser.evaluation.evaluate_presence : The score of each fold's model.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> from sklearn_ser.metrics import presence_score
    >>> present = [[True, True], [False, True], [True, False]]
    >>> presence_score(present, ["anger", "anger", "anger"], classes=["anger", "fear"])
    0.666...
    """
    found = check_presence(present, classes)
    predicted = column_or_1d(y_pred)
    check_consistent_length(found, predicted)
    nothing = np.flatnonzero(~found.any(axis=1))
    if nothing.size:
        raise ValueError(
            f"present has no class in {nothing.size} utterances, the first at index "
            f"{nothing[0]}; leave them out by present.any(axis=1)."
        )
    is_predicted = predicted[:, None] == np.asarray(classes)
    right = (found & is_predicted).any(axis=1)
    return wa_score(np.ones_like(right), right, sample_weight=sample_weight)


def check_presence(present: ArrayLike, classes: Sequence[Any]) -> BoolArray:
    """Return which classes are present as an array of truth values.

    Parameters
    ----------
    present : array-like of shape (n_utterances, n_classes)
        Truth values, or 0 and 1.
    classes : sequence of length n_classes
        The classes of the columns.

    Returns
    -------
    ndarray of shape (n_utterances, n_classes) and dtype bool
        The same.

    Raises
    ------
    ValueError
        If other values are among them, or the columns are not named one by one.
    """
    values: NDArray[Any] = check_array(present, dtype=None, input_name="present")
    if not np.isin(values, (False, True)).all():
        raise ValueError(
            "present must be True or False for each utterance and class; make it of "
            "ratings by sklearn_ser.metrics.emotion_presence."
        )
    _check_names("classes", classes, values.shape[1])
    return values.astype(bool)


def _check_names(parameter: str, names: Sequence[Any], n_columns: int) -> list[Any]:
    """Return the names of columns; refuse two of one name, or another number."""
    found = list(names)
    if len(found) != n_columns or len(set(found)) < n_columns:
        raise ValueError(
            f"{parameter} must name each of the {n_columns} columns once, got "
            f"{', '.join(map(str, found))}."
        )
    return found
