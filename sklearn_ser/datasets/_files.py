"""What the loaders share: finding recordings, and joining the dimensional labels."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .._constants import N_LISTED
from .._dimensions import DIMENSIONS
from .._warnings import warn_user

__all__ = ["Layout", "add_dimensions", "find_recordings"]

# The second spelling is found in the authors' file for CaFE.
_FILE_COLUMNS = ("filename", "filname", "file")


@dataclass(frozen=True)
class Layout:
    """How the owners of a corpus distribute it.

    Parameters
    ----------
    name : str
        Name of the corpus, for messages.
    source : str
        Where to get the corpus.
    example : str
        One recording's path below the corpus's folder.
    folders : tuple of str
        Folders below the corpus's folder that hold the recordings.
    pattern : str
        Regular expression with named groups that a recording's path below the
        corpus's folder, without its suffix, matches as a whole.
    """

    name: str
    source: str
    example: str
    folders: tuple[str, ...]
    pattern: str

    def expectation(self) -> str:
        """Return the part of a message that says how to get it right."""
        return (
            f"Give as data_home the folder that holds {', '.join(self.folders)}, with "
            f"recordings such as {self.example}. You get the corpus {self.name} from "
            f"{self.source}; this library downloads nothing."
        )


def find_recordings(data_home: str | os.PathLike[str], layout: Layout) -> pd.DataFrame:
    """Find the recordings of a corpus and read their names.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus.
    layout : Layout
        Where the recordings are and how they're named.

    Returns
    -------
    pandas.DataFrame
        One row per recording, sorted by file name: ``file``, its path, and the groups
        of the pattern.

    Raises
    ------
    FileNotFoundError
        If the folder, a folder in it, or any recording in these is missing.

    Warns
    -----
    UserWarning
        If WAV files have other names than the corpus's: these are left out.
    """
    home = Path(data_home).expanduser()
    paths = [path for name in layout.folders for path in _wav_files(home, name, layout)]
    rows: list[dict[str, str]] = []
    odd: list[str] = []
    for path in sorted(paths, key=lambda path: (path.name, path)):
        name = path.relative_to(home)
        match = re.fullmatch(layout.pattern, name.with_suffix("").as_posix())
        if match:
            rows.append({"file": str(path), **match.groupdict()})
        else:
            odd.append(name.as_posix())
    if not rows:
        found = f", only {_shortened(odd)}" if odd else ""
        raise FileNotFoundError(
            f"No recording of {layout.name} in {home}{found}. {layout.expectation()}"
        )
    if odd:
        warn_user(
            f"Left out {len(odd)} of {len(paths)} WAV files, whose names are not "
            f"{layout.name}'s (such as {layout.example}): {_shortened(odd)}."
        )
    return pd.DataFrame(rows)


def _wav_files(home: Path, name: str, layout: Layout) -> list[Path]:
    """Return the WAV files of a folder of the corpus."""
    folder = home / name
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. {layout.expectation()}")
    return [path for path in folder.iterdir() if path.suffix.lower() == ".wav"]


def _shortened(names: list[str]) -> str:
    """Return a list of names, cut where it is long."""
    more = len(names) - N_LISTED
    return ", ".join(names[:N_LISTED]) + (f" and {more} more" if more > 0 else "")


def add_dimensions(
    frame: pd.DataFrame, dimensions: str | os.PathLike[str] | None
) -> pd.DataFrame:
    """Join the ratings of dimensions to the recordings by file name.

    Parameters
    ----------
    frame : pandas.DataFrame
        Recordings with a column ``file``.
    dimensions : str, os.PathLike or None
        CSV file with the columns ``filename``, ``activation`` and ``valence``, and
        ``dominance`` where it is rated. None leaves the table as it is.

    Returns
    -------
    pandas.DataFrame
        With the columns ``activation`` and ``valence``, and ``dominance`` where the
        file has it; NaN where the file has no label. Labels without a recording are
        left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file lacks a column, holds text for a label, labels a recording twice,
        or labels none of the recordings.
    """
    if dimensions is None:
        return frame
    labels = _read_dimensions(Path(dimensions).expanduser())
    names = [Path(file).name for file in frame["file"]]
    if not labels.index.isin(names).any():
        raise ValueError(
            f"{dimensions} labels none of the {len(frame)} recordings: it begins with "
            f"{labels.index[:1].tolist()}, they with {names[0]!r}. Give the table of "
            "this corpus."
        )
    return frame.join(labels.reindex(names).reset_index(drop=True))


def _read_dimensions(path: Path) -> pd.DataFrame:
    """Return activation, valence and any dominance by file name."""
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}: give as dimensions the CSV file of the corpus "
            "with the columns filename, activation and valence, as published by the "
            "authors of Das et al. (2022), or None."
        )
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
    except ValueError as error:  # pandas raises it for anything that is not a table
        raise ValueError(
            f"{path} is not a CSV table ({error}): save it as comma-separated text."
        ) from error
    # Some of the authors' files have blanks in the header, or empty columns before.
    table.columns = table.columns.str.strip().str.lower()
    file = next((name for name in _FILE_COLUMNS if name in table), "filename")
    absent = [name for name in (file, "activation", "valence") if name not in table]
    if absent:
        raise ValueError(
            f"{path} has no column {', '.join(absent)}; "
            f"its columns are {', '.join(table.columns)}."
        )
    table = table[table[file].notna()]
    names = table[file].str.strip()
    twice = names[names.duplicated()]
    if len(twice):
        raise ValueError(f"{path} labels {twice.iloc[0]} twice: leave one of them out.")
    try:
        labels = table[[d for d in DIMENSIONS if d in table]].astype(np.float64)
    except ValueError as error:
        raise ValueError(
            f"A label in {path} is not a number ({error}): correct it, or leave it "
            "empty."
        ) from error
    return labels.set_index(names)
