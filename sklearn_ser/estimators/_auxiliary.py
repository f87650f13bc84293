"""What auxiliary corpora and quadrants have to be for `PseudoSiameseGated`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets import AuxiliaryCorpora, emotion_quadrant
from ..losses._known import UNKNOWN
from ..sequences import Sequences


def check_auxiliary(
    auxiliary: AuxiliaryCorpora | None, sequences: Sequences, *, stacklevel: int
) -> None:
    """Refuse auxiliary corpora that do not fit the target, or that hold some of it.

    Parameters
    ----------
    auxiliary : AuxiliaryCorpora or None
        The corpora of the pre-training; where there are none, it warns.
    sequences : Sequences
        Utterances of the target.
    stacklevel : int
        As for `warnings.warn`, from the caller on.

    Raises
    ------
    ValueError
        If the segments are of another size, or utterances stand in both.
    """
    if auxiliary is None:
        warnings.warn(
            "PseudoSiameseGated has no auxiliary corpora: it skips the pre-training "
            "and learns from the target alone. Give them as PseudoSiameseGated("
            "auxiliary_corpora=sklearn_ser.datasets.AuxiliaryCorpora.from_corpora(…)), "
            "or leave out the autoencoder with fusion=None.",
            stacklevel=stacklevel + 1,
        )
        return
    if auxiliary.n_features != sequences.n_features:
        raise ValueError(
            f"the auxiliary corpora have segments of {auxiliary.n_features} values, X "
            f"of {sequences.n_features}: make both with the same front end."
        )
    shared = np.flatnonzero(auxiliary.holds(sequences.arrays))
    if shared.size:
        raise ValueError(
            f"utterance {shared[0]} of X is also in the auxiliary corpora "
            f"({shared.size} of {len(sequences)} are): what is held out for the test "
            "may then be in them as well. Leave the target out of them."
        )


def warn_of_learned(
    auxiliary: AuxiliaryCorpora, sequences: Sequences, *, stacklevel: int
) -> None:
    """Warn of utterances that the network has learned from.

    Parameters
    ----------
    auxiliary : AuxiliaryCorpora
        The corpora of the pre-training.
    sequences : Sequences
        Utterances that are predicted.
    stacklevel : int
        As for `warnings.warn`, from the caller on.
    """
    if auxiliary.n_features != sequences.n_features:
        return
    shared = np.flatnonzero(auxiliary.holds(sequences.arrays))
    if shared.size:
        warnings.warn(
            f"utterance {shared[0]} of X is also in the auxiliary corpora "
            f"({shared.size} of {len(sequences)} are), from which the network has "
            "learned: what it makes of it is no test.",
            stacklevel=stacklevel + 1,
        )


def class_quadrants(
    classes: NDArray[Any], quadrants: Any, auxiliary: AuxiliaryCorpora | None
) -> NDArray[np.int64]:
    """Return the quadrant of valence and activation of each class.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes.
    quadrants : dict or None
        From class to quadrant; None looks up the names of emotions.
    auxiliary : AuxiliaryCorpora or None
        The corpora whose quadrants have to mean the same. Without them it is enough
        to tell the classes apart, where their names are not known.

    Returns
    -------
    ndarray of shape (n_classes,), int64

    Raises
    ------
    ValueError
        If the quadrant of a class is not known.
    """
    labels = classes.tolist()
    if quadrants is not None:
        missing = [label for label in labels if label not in quadrants]
        if missing or not all(map(_is_quadrant, quadrants.values())):
            raise ValueError(
                "quadrants must give a number from 1 to 4 for each class, got "
                f"{quadrants!r} for the classes {labels}."
            )
        return np.array([quadrants[label] for label in labels], np.int64)
    try:
        return emotion_quadrant([str(label) for label in labels])
    except ValueError as error:
        if auxiliary is None:
            return np.arange(len(labels))
        raise ValueError(
            f"triplets need the valence and activation of all classes: {error}. Give "
            "the quadrant of each class, such as quadrants={'a': 1, …}, or leave "
            "triplets out with triplets=None."
        ) from error


def warn_of_no_triplets(
    of_class: NDArray[np.int64], auxiliary: AuxiliaryCorpora | None, *, stacklevel: int
) -> None:
    """Warn where quadrants leave a triplet loss without any triplet.

    Parameters
    ----------
    of_class : ndarray of shape (n_classes,), int64
        The quadrant of each class of the target.
    auxiliary : AuxiliaryCorpora or None
        The corpora of the pre-training.
    stacklevel : int
        As for `warnings.warn`, from the caller on.
    """
    own = set(of_class.tolist())
    where = [] if len(own) > 1 else ["the target"]
    if auxiliary is not None:
        others = {*auxiliary.segment_quadrant.tolist()} - {UNKNOWN}
        if not own & others or len(others) < 2:
            where.append("the pre-training")
    if where:
        warnings.warn(
            "valence and activation make no triplet, of a segment with one of the same "
            f"quadrant and one of another, in {' and '.join(where)}: the triplet loss "
            "has no effect there.",
            stacklevel=stacklevel + 1,
        )


def _is_quadrant(value: Any) -> bool:
    """Tell whether a value is one of the numbers of the quadrants."""
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return number and 1 <= value <= 4
