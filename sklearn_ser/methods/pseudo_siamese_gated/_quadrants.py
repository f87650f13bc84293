"""Checks of the auxiliary corpora and the quadrants of `PseudoSiameseGated`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._constants import UNKNOWN
from ..._warnings import warn_user
from ...datasets import AuxiliaryCorpora, emotion_quadrant
from ...datasets._auxiliary import check_quadrants
from ...sequences import Sequences


def check_auxiliary(auxiliary: AuxiliaryCorpora | None, sequences: Sequences) -> None:
    """Refuse auxiliary corpora that do not fit the target, or that hold some of it.

    Parameters
    ----------
    auxiliary : AuxiliaryCorpora or None
        The corpora of the pre-training; the function warns if there are none.
    sequences : Sequences
        Utterances of the target.

    Raises
    ------
    ValueError
        If the segments are of another size, or utterances stand in both.
    """
    if auxiliary is None:
        warn_user(
            "PseudoSiameseGated has no auxiliary corpora: it skips the pre-training "
            "and learns from the target alone. Give them as PseudoSiameseGated("
            "auxiliary_corpora=sklearn_ser.datasets.AuxiliaryCorpora.from_corpora(…)), "
            "or leave out the autoencoder with fusion=None."
        )
        return
    if auxiliary.n_features != sequences.n_features:
        raise ValueError(
            f"The auxiliary corpora have segments of {auxiliary.n_features} values, X "
            f"of {sequences.n_features}: make both with the same front end."
        )
    shared = np.flatnonzero(auxiliary.holds(sequences.arrays))
    if shared.size:
        raise ValueError(
            f"utterance {shared[0]} of X is also in the auxiliary corpora "
            f"({shared.size} of {len(sequences)} are): what is held out for the test "
            "may then be in them as well. Leave the target out of them."
        )


def warn_of_learned(auxiliary: AuxiliaryCorpora, sequences: Sequences) -> None:
    """Warn of utterances that the network has learned from.

    Parameters
    ----------
    auxiliary : AuxiliaryCorpora
        The corpora of the pre-training.
    sequences : Sequences
        Utterances that are predicted.
    """
    if auxiliary.n_features != sequences.n_features:
        return
    shared = np.flatnonzero(auxiliary.holds(sequences.arrays))
    if shared.size:
        warn_user(
            f"utterance {shared[0]} of X is also in the auxiliary corpora "
            f"({shared.size} of {len(sequences)} are), from which the network has "
            "learned: what it makes of it is no test."
        )


def utterance_quadrants(
    estimator: Any, codes: NDArray[np.int64], quadrant: Any
) -> NDArray[np.int64]:
    """Return the quadrant of valence and activation of each utterance.

    Parameters
    ----------
    estimator : PseudoSiameseGated
        Its ``classes_``, `quadrants` and `auxiliary_corpora` are read.
    codes : ndarray of shape (n,), int64
        Number of the class of each utterance.
    quadrant : array-like of shape (n,) or None
        Quadrant of each utterance, where `fit` was given them.

    Returns
    -------
    ndarray of shape (n,), int64
        -1 where it is unknown.

    Raises
    ------
    ValueError
        If both the utterances and the classes are given quadrants, if one is no
        quadrant, or if that of a class is not known.
    """
    if quadrant is None:
        return _class_quadrants(estimator)[codes]
    if estimator.quadrants is not None:
        raise ValueError(
            "quadrant gives each utterance its quadrant, and quadrants each class: "
            "leave one of them out."
        )
    return check_quadrants(quadrant, len(codes))


def _class_quadrants(estimator: Any) -> NDArray[np.int64]:
    """Return the quadrant of each class.

    Without auxiliary corpora, whose quadrants must mean the same, classes with unknown
    names only need to be told apart.
    """
    labels, quadrants = estimator.classes_.tolist(), estimator.quadrants
    if quadrants is not None:
        missing = [label for label in labels if label not in quadrants]
        if missing or not all(map(_is_quadrant, quadrants.values())):
            raise ValueError(
                f"The classes are {labels}.{_why_numbers(labels)} quadrants must give "
                f"a number from 1 to 4 for each class, got {quadrants!r}."
            )
        return np.array([quadrants[label] for label in labels], np.int64)
    of_class = np.array([_known_quadrant(label) for label in labels], np.int64)
    unknown = [label for label in labels if _known_quadrant(label) == UNKNOWN]
    if not unknown:
        return of_class
    if estimator.auxiliary_corpora is None:
        return np.arange(len(labels))
    raise ValueError(
        "Triplets need the valence and activation of all classes, and those of "
        f"{unknown} are not known.{_why_numbers(labels)} Give the quadrant of each "
        "class, from 1 to 4 as in sklearn_ser.datasets.emotion_quadrant: "
        f"quadrants={{{unknown[0]!r}: 1, …}}; or leave triplets out with triplets=None."
    )


def _why_numbers(labels: list[Any]) -> str:
    """Say why classes may be numbers though emotions were given, where they are."""
    if labels != list(range(len(labels))):
        return ""
    return (
        " If y had names, what is around this estimator has numbered them, as "
        'VotingClassifier, OneVsRestClassifier and cross_val_predict(method="'
        'predict_proba") do. Then give each utterance its quadrant, with sklearn.'
        "set_config(enable_metadata_routing=True): fit(X, y, quadrant=…), or "
        'params={"quadrant": …} of cross_val_predict. StackingClassifier would hand it '
        "to its final estimator, too: there, give the quadrants of the numbers."
    )


def warn_of_no_triplets(
    quadrant: NDArray[np.int64], auxiliary: AuxiliaryCorpora | None
) -> None:
    """Warn where quadrants leave a triplet loss without any triplet.

    Parameters
    ----------
    quadrant : ndarray of shape (n,), int64
        The quadrant of each utterance of the target, -1 where it is unknown.
    auxiliary : AuxiliaryCorpora or None
        The corpora of the pre-training.
    """
    own = {*quadrant.tolist()} - {UNKNOWN}
    where = [] if len(own) > 1 else ["the target"]
    if auxiliary is not None:
        others = {*auxiliary.segment_quadrant.tolist()} - {UNKNOWN}
        if not own & others or len(others) < 2:
            where.append("the pre-training")
    if where:
        warn_user(
            "Valence and activation make no triplet (two segments of one quadrant and "
            f"one of another) in {' and '.join(where)}: the triplet loss has no effect "
            "there."
        )


def _known_quadrant(label: Any) -> int:
    """Return the quadrant of a class that is named as an emotion, if it is known."""
    try:
        return int(emotion_quadrant(str(label)))
    except ValueError:
        return UNKNOWN


def _is_quadrant(value: Any) -> bool:
    """Tell whether a value is one of the numbers of the quadrants."""
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return number and 1 <= value <= 4
