"""What the loaders share: finding recordings, and joining the dimensional labels."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .._constants import N_LISTED
from .._dimensions import DIMENSIONS
from .._warnings import warn_user
from ..audio import POINTER

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
        Regular expression with named groups that the name of a recording, without its
        suffix, matches as a whole.
    n_recordings : int
        How many there are.
    spell : callable
        Gives a name of any case the case that the owners use.
    folder_of : mapping of str to str or None
        The folder by the group ``"emotion"``, where there is one for each.
    """

    name: str
    source: str
    example: str
    folders: tuple[str, ...]
    pattern: str
    n_recordings: int
    spell: Callable[[str], str] = str.upper
    folder_of: Mapping[str, str] | None = None

    def expectation(self) -> str:
        """Return the part of a message that says how to get it right."""
        return (
            f"Give as data_home the folder that holds {', '.join(self.folders)}, with "
            f"recordings such as {self.example}. You get the corpus {self.name} from "
            f"{self.source}; this library downloads nothing."
        )

    def read(self, path: Path) -> dict[str, str] | None:
        """Return what a file's name says, None if it is not one of the corpus."""
        match = re.fullmatch(self.pattern, self.spell(path.stem))
        if match is None:
            return None
        if self.folder_of is not None:
            ours = self.folder_of[match["emotion"]].casefold()
            folder = path.parent.name.casefold()
            if folder != ours and folder in map(str.casefold, self.folders):
                return None  # its folder says another emotion
        return {"file": str(path), **match.groupdict()}


# Where recordings may lie below the folder that is given.
_DEPTHS = ("*", "*/*", "*/*/*", "*/*/*/*")
_SUFFIXES = (".wav", ".flac")


def find_recordings(data_home: str | os.PathLike[str], layout: Layout) -> pd.DataFrame:
    """Find the recordings of a corpus and read their names.

    Where the folders of the owners hold none, they are looked for below: in WAV or
    FLAC, under names of any case.

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
        If the folder or any recording in it is missing, or if there are pointers of Git
        LFS in the place of recordings.
    ValueError
        If a recording is there twice.

    Warns
    -----
    UserWarning
        If audio files have other names than the corpus's (these are left out), if the
        recordings lie elsewhere than the owners have them, or if some are missing.
    """
    home = Path(data_home).expanduser()
    if not home.is_dir():
        raise FileNotFoundError(f"There is no folder {home}. {layout.expectation()}")
    paths = [path for name in layout.folders for path in _audio_files(home / name)]
    rows, odd = _read_names(paths, layout)
    complete = all((home / name).is_dir() for name in layout.folders)
    if not rows or not complete:
        paths = [path for depth in _DEPTHS for path in _audio_files(home, depth)]
        rows, odd = _read_names(paths, layout)
    if not rows:
        named = [path.relative_to(home).as_posix() for path in odd]
        found = f", only {_shortened(named)}" if odd else ""
        raise FileNotFoundError(
            f"No recording of {layout.name} in {home}{found}. {layout.expectation()}"
        )
    rows = _without_pointers(rows, home, layout)
    _check_twice(rows, layout)
    _warn_of_finds(rows, odd, home, layout)
    return pd.DataFrame(rows)


def _audio_files(folder: Path, depth: str = "*") -> list[Path]:
    """Return the audio files of a folder, as deep below it as the pattern."""
    return [path for path in folder.glob(depth) if path.suffix.lower() in _SUFFIXES]


def _read_names(
    paths: list[Path], layout: Layout
) -> tuple[list[dict[str, str]], list[Path]]:
    """Return what the names say, in their order, and the files that say nothing."""
    ordered = sorted(paths, key=lambda path: (path.name, path))
    read = [(path, layout.read(path)) for path in ordered]
    odd = [path for path, row in read if row is None]
    return [row for _, row in read if row is not None], odd


def _without_pointers(
    rows: list[dict[str, str]], home: Path, layout: Layout
) -> list[dict[str, str]]:
    """Refuse recordings that Git LFS has not fetched; leave out some of them."""
    pointers = [row for row in rows if _is_pointer(row["file"])]
    if not pointers:
        return rows
    said = (
        f"{len(pointers)} of {len(rows)} recordings of {layout.name} are pointers of "
        f"Git LFS, not audio: run `git lfs pull` in {home}"
    )
    if len(pointers) == len(rows):
        raise FileNotFoundError(f"{said}.")
    warn_user(f"{said}; they are left out.")
    missing = {row["file"] for row in pointers}
    return [row for row in rows if row["file"] not in missing]


def _is_pointer(path: str) -> bool:
    """Tell whether a file is a pointer of Git LFS, a small text file."""
    if os.path.getsize(path) > 1024:
        return False
    with open(path, "rb") as file:
        return file.read(len(POINTER)) == POINTER


def _check_twice(rows: list[dict[str, str]], layout: Layout) -> None:
    """Refuse two files of one recording."""
    seen: dict[str, str] = {}
    for row in rows:
        name = layout.spell(Path(row["file"]).stem)
        other = seen.setdefault(name, row["file"])
        if other != row["file"]:
            raise ValueError(
                f"{name} of {layout.name} is there twice, {other} and {row['file']}: "
                "give as data_home a folder with one of them."
            )


def _warn_of_finds(
    rows: list[dict[str, str]], odd: list[Path], home: Path, layout: Layout
) -> None:
    """Say what was found where, if it is not the corpus as its owners have it."""
    if odd:
        named = [path.relative_to(home).as_posix() for path in odd]
        warn_user(
            f"Left out {len(odd)} of {len(odd) + len(rows)} audio files, whose names "
            f"are not {layout.name}'s (such as {layout.example}): {_shortened(named)}."
        )
    folders = sorted({str(Path(row["file"]).parent) for row in rows})
    usual = {str(home / name) for name in layout.folders}
    if not usual.issuperset(folders):
        warn_user(
            f"Found {len(rows)} recordings of {layout.name} in {_shortened(folders)}, "
            f"not in {', '.join(layout.folders)} of {home}, where its owners have them."
        )
    if len(rows) < layout.n_recordings:
        warn_user(
            f"Only {len(rows)} of the {layout.n_recordings} recordings of "
            f"{layout.name} are in {home}."
        )


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
    names = [_label_key(file) for file in frame["file"]]
    if not labels.index.isin(names).any():
        raise ValueError(
            f"{dimensions} labels none of the {len(frame)} recordings: it begins with "
            f"{labels.index[:1].tolist()}, they with {names[:1]}. Give the table of "
            "this corpus."
        )
    return frame.join(labels.reindex(names).reset_index(drop=True))


def _label_key(file: str) -> str:
    """Return a file's name without suffix and case, which copies change."""
    return Path(file).stem.casefold()


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
    names = table[file].str.strip().map(_label_key)
    twice = names[names.duplicated()]
    if len(twice):
        name = table[file].loc[twice.index[0]].strip()
        raise ValueError(f"{path} labels {name} twice: leave one of them out.")
    try:
        labels = table[[d for d in DIMENSIONS if d in table]].astype(np.float64)
    except ValueError as error:
        raise ValueError(
            f"A label in {path} is not a number ({error}): correct it, or leave it "
            "empty."
        ) from error
    return labels.set_index(names)
