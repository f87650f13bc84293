"""Labels that stand in files beside the recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from .._warnings import warn_user
from ._files import Layout, shortened

__all__ = ["OTHERS", "check_columns", "join_labels"]

# What is no emotion that has a name: left out unless it is asked for.
OTHERS = ("other", "no agreement")


def join_labels(
    frame: pd.DataFrame,
    labels: pd.DataFrame,
    layout: Layout,
    key: Callable[[str], str] = str.upper,
) -> pd.DataFrame:
    """Join labels to recordings by name, and leave out recordings without any.

    Parameters
    ----------
    frame : pandas.DataFrame
        Recordings, with a column ``file``.
    labels : pandas.DataFrame
        Labels, with the keys of names as index; several rows for a name if several
        utterances are in one recording.
    layout : Layout
        Of which corpus.
    key : callable, default=str.upper
        From the name of a recording without its suffix to its key.

    Returns
    -------
    pandas.DataFrame
        The recordings with labels, in their order.

    Raises
    ------
    ValueError
        If no recording has a label.

    Warns
    -----
    UserWarning
        If recordings have no label, or labels no recording.
    """
    names = frame["file"].map(lambda file: key(Path(file).stem))
    known = names.isin(labels.index)
    if not known.any():
        raise ValueError(
            f"The labels of {layout.name} are of none of the {len(frame)} recordings: "
            f"they begin with {labels.index[0]}, the recordings with {names.iloc[0]}. "
            "Give recordings and labels of one release."
        )
    if not known.all():
        stems = [Path(file).stem for file in frame["file"][~known]]
        warn_user(
            f"Left out {len(stems)} of {len(frame)} recordings of {layout.name}, which "
            f"have no label: {shortened(stems)}."
        )
    n_labels = labels.index.nunique()
    if known.sum() < n_labels and layout.n_recordings is None:
        warn_user(
            f"Only {known.sum()} of the {n_labels} labelled recordings of "
            f"{layout.name} are in the folder."
        )
    keyed = frame[known].assign(key=names[known])
    joined = keyed.merge(labels, left_on="key", right_index=True, how="left")
    return joined.drop(columns="key").reset_index(drop=True)


def check_columns(table: pd.DataFrame, columns: tuple[str, ...], path: Path) -> None:
    """Refuse a table of labels that lacks columns.

    Parameters
    ----------
    table : pandas.DataFrame
        What was read.
    columns : tuple of str
        What it needs.
    path : pathlib.Path
        From where, for the message.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    absent = [name for name in columns if name not in table]
    if absent:
        raise ValueError(
            f"{path} has no column {', '.join(absent)}; "
            f"its columns are {', '.join(map(str, table.columns))}."
        )
