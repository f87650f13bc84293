"""Whether evaluations are of the same utterances, classes and folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

import numpy as np
import pandas as pd

from .._constants import N_LISTED
from ._outcome import Outcome


def check_comparable(names: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """Refuse evaluations of different things, and say what differs.

    Parameters
    ----------
    names : sequence of str
        What the evaluations are called.
    outcomes : sequence of Outcome
        Each is compared with the first. The order of utterances, the numbers of folds
        and the folder of the corpus may differ.

    Raises
    ------
    ValueError
        If the target, the utterances, their speakers or classes, or the folds differ.
    """
    for name, outcome in zip(names[1:], outcomes[1:], strict=True):
        found = _first_difference((names[0], name), (outcomes[0], outcome))
        if found is not None:
            raise ValueError(
                f"The evaluations {names[0]} and {name} cannot be compared: {found}. "
                "Evaluate both on the same utterances, with the same splitter."
            )


def _first_difference(
    names: tuple[str, str], outcomes: tuple[Outcome, Outcome]
) -> str | None:
    """Say what differs, or nothing."""
    first, second = outcomes
    if first.target != second.target:
        return f"the targets are {first.target} and {second.target}"
    tables = [_by_utterance(outcome) for outcome in outcomes]
    if not set(tables[0].index) & set(tables[1].index):
        # The corpus may lie elsewhere.
        tables = [table.set_axis(_without_folder(table.index)) for table in tables]
    if first.corpus != second.corpus and not set(tables[0].index) & set(
        tables[1].index
    ):
        return f"the corpora are {first.corpus} and {second.corpus}"
    a, b = (table.sort_index(kind="stable") for table in tables)
    for name, more in (
        (names[0], a.index.difference(b.index)),
        (names[1], b.index.difference(a.index)),
    ):
        if len(more):
            return f"only {name} has {_listed(more)}"
    if len(a) != len(b):
        return f"they have {len(a)} and {len(b)} utterances"
    for column in ("speaker", "truth"):
        differs = np.flatnonzero((a[column] != b[column]).to_numpy())
        if differs.size:
            one, other = (table[column].iloc[differs[0]] for table in (a, b))
            return (
                f"the {'class' if column == 'truth' else column} of "
                f"{a.index[differs[0]]} is {one} in {names[0]} and {other} in "
                f"{names[1]} ({differs.size} such utterances)"
            )
    # Folds that hold out the same utterances are the same, whatever their numbers.
    folds = [pd.factorize(table["fold"])[0] for table in (a, b)]
    differs = np.flatnonzero(folds[0] != folds[1])
    if differs.size:
        n_folds = [of_one.max() + 1 for of_one in folds]
        return (
            f"the folds differ, first for {a.index[differs[0]]} ({names[0]} has "
            f"{n_folds[0]} folds, {names[1]} has {n_folds[1]})"
        )
    return None


def _by_utterance(outcome: Outcome) -> pd.DataFrame:
    """Return what must be the same, in rows named by the recordings."""
    return pd.DataFrame(
        {
            "speaker": outcome.speaker,
            "truth": outcome.truth,
            "fold": outcome.fold,
        },
        index=pd.Index(outcome.recordings, dtype=object),
    )


def _without_folder(recordings: Iterable[str]) -> list[str]:
    """Return the names of recordings from the folder on that has all of them."""
    paths = [name.replace("\\", "/").split("/") for name in recordings]
    folders = zip(*(path[:-1] for path in paths), strict=False)  # as deep as all are
    shared = list(takewhile(lambda of_all: len(set(of_all)) == 1, folders))
    return ["/".join(path[len(shared) :]) for path in paths]


def _listed(recordings: pd.Index) -> str:
    """Name the first recordings."""
    more = len(recordings) - N_LISTED
    return ", ".join(
        [*recordings[:N_LISTED], *([f"{more} more utterances"] if more > 0 else [])]
    )
