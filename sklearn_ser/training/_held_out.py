"""The speakers that early stopping holds out: drawn, or named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit

from ._labels import check_labels

_SHOWN = 10


def draw_held_out(
    groups: NDArray[Any], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Draw the speakers to hold out.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        Speaker of each sample.
    fraction : float
        Share of the speakers to hold out.
    seed : int
        By which they are drawn.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        Whether the speaker of a sample is held out.
    """
    splitter = GroupShuffleSplit(n_splits=1, test_size=fraction, random_state=seed)
    _, held_out = next(splitter.split(np.zeros(len(groups)), groups=groups))
    mask = np.zeros(len(groups), dtype=bool)
    mask[held_out] = True
    return mask


def find_held_out(groups: NDArray[Any], named: Any) -> NDArray[np.bool_]:
    """Find the speakers who are named to be held out.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        Speaker of each sample.
    named : array-like or dict
        Their names, or whose partners they are: the partner of each speaker who is
        not in `groups`.

    Returns
    -------
    ndarray of shape (n_samples,), bool
        Whether the speaker of a sample is held out.

    Raises
    ------
    ValueError
        If none of the speakers is held out, or all are.
    """
    speakers = groups.tolist()
    known = set(speakers)
    watched = _names(named, known) & known
    if not watched:
        raise ValueError(f"{_why_none(named, known)} groups has {_listed(known)}.")
    if watched == known:
        raise ValueError(
            f"validation_groups names all the speakers in groups, {_listed(known)}: "
            "leave some of them to train on."
        )
    return np.array([speaker in watched for speaker in speakers])


def _names(named: Any, known: set[Any]) -> set[Any]:
    """Return whom to hold out; for a mapping it depends on who is not there."""
    if isinstance(named, Mapping):
        named = [partner for name, partner in named.items() if name not in known]
    elif isinstance(named, set | frozenset):
        named = list(named)
    return set(check_labels("validation_groups", named).tolist())


def _why_none(named: Any, known: set[Any]) -> str:
    """Say why no speaker is held out, and what to do."""
    if not isinstance(named, Mapping):
        return "validation_groups names none of the speakers in groups."
    if known.issuperset(named):
        return (
            "validation_groups maps speakers to those that are held out in their "
            "absence, but none is absent from groups: leave one out, as each fold of "
            "LeaveOneGroupOut does, or give a list of those to hold out."
        )
    return (
        "validation_groups maps none of the speakers who are absent from groups to "
        "one who is there."
    )


def _listed(speakers: set[Any]) -> str:
    """Return some of the speakers, and how many there are, as text."""
    names = sorted(map(repr, speakers))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
