"""What the loaders share: finding recordings, and reading their names."""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import soundfile as sf

from .._constants import N_LISTED
from .._warnings import warn_user
from ..audio import POINTER

__all__ = ["Layout", "files_below", "find_recordings", "home_of", "shortened"]


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
    pattern : str
        Regular expression with named groups that the name of a recording, without its
        suffix, matches as a whole. The groups tell recordings apart.
    n_recordings : int or None, default=None
        How many there are; None where that depends on the release.
    folders : tuple of str, default=()
        Folders below the corpus's folder that hold the recordings; none where the
        owners have them in several arrangements, or in very many folders.
    spell : callable, default=str.upper
        Gives a name of any case the case of the pattern.
    folder_of : mapping of str to str or None, default=None
        The folder by the group ``"emotion"``, where there is one for each.
    n_parents : int, default=0
        How many folders above the recording are part of its name, with slashes between
        them: where names repeat from one folder to the next.
    passed_over : str, default=""
        Regular expression of names that are of the corpus, but are not wanted.
    """

    name: str
    source: str
    example: str
    pattern: str
    n_recordings: int | None = None
    folders: tuple[str, ...] = ()
    spell: Callable[[str], str] = str.upper
    folder_of: Mapping[str, str] | None = None
    n_parents: int = 0
    passed_over: str = ""

    def expectation(self) -> str:
        """Return the part of a message that says how to get it right."""
        where = shortened(self.folders) + ", with" if self.folders else "the"
        return (
            f"Give as data_home the folder that holds {where} recordings such as "
            f"{self.example}. You get the corpus {self.name} from {self.source}; this "
            "library downloads nothing."
        )

    def read(self, path: Path) -> dict[str, str] | None:
        """Return what a file's name says, None if it is not one of the corpus."""
        match = re.fullmatch(self.pattern, self._named(path))
        if match is None:
            return None
        if self.folder_of is not None:
            ours = self.folder_of[match["emotion"]].casefold()
            folder = path.parent.name.casefold()
            others = map(str.casefold, self.folder_of.values())
            if folder != ours and folder in others:
                return None  # its folder says another emotion
        return {"file": str(path), **match.groupdict(default="")}

    def passes_over(self, path: Path) -> bool:
        """Tell whether a file is of the corpus, but not wanted."""
        return bool(
            self.passed_over and re.fullmatch(self.passed_over, self._named(path))
        )

    def _named(self, path: Path) -> str:
        """Return what the pattern has to match."""
        above = path.parts[-1 - self.n_parents : -1]
        return self.spell("/".join((*above, path.stem)))


# How many folders below the one that is given are entered to look for recordings:
# IEMOCAP has them in the fourth, and copies are packed into one or two more.
_DEPTH = 7
# Copies in the second are taken where there is nothing in the first.
_SUFFIXES = ((".wav", ".flac"), (".mp3",))
# An empty recording is a header: no file of more bytes is opened to find out.
_LARGEST_EMPTY = 4096


def home_of(data_home: str | os.PathLike[str], layout: Layout) -> Path:
    """Return the folder of a corpus, or raise if there is none.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus.
    layout : Layout
        What should be there.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    home = Path(data_home).expanduser()
    if not home.is_dir():
        raise FileNotFoundError(f"There is no folder {home}. {layout.expectation()}")
    return home


def find_recordings(data_home: str | os.PathLike[str], layout: Layout) -> pd.DataFrame:
    """Find the recordings of a corpus and read their names.

    Where the folders of the owners hold none, they are looked for below: in WAV, FLAC
    or MP3, under names of any case.

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
        LFS, or files without sound, in the place of recordings.
    ValueError
        If a recording is there twice, in files that differ.

    Warns
    -----
    UserWarning
        If audio files have other names than the corpus's, hold no sound or are second
        copies (all these are left out), if the recordings lie elsewhere than the owners
        have them, or if some are missing.
    """
    home = home_of(data_home, layout)
    rows, odd = _search(home, layout)
    if not rows:
        named = [path.relative_to(home).as_posix() for path in odd]
        found = f", only {shortened(named)}" if odd else ""
        raise FileNotFoundError(
            f"No recording of {layout.name} in {home}{found}. {layout.expectation()}"
        )
    rows = _without_pointers(rows, home, layout)
    rows = _without_copies(rows, home, layout)
    rows = _without_silent_files(rows, home, layout)
    _warn_of_finds(rows, odd, home, layout)
    return pd.DataFrame(rows)


def _search(home: Path, layout: Layout) -> tuple[list[dict[str, str]], list[Path]]:
    """Return what names of recordings say, and the files whose names say nothing."""
    rows: list[dict[str, str]] = []
    odd: list[Path] = []
    for suffixes in _SUFFIXES:
        usual = [home / name for name in layout.folders]
        paths = [path for at in usual for path in files_below(at, suffixes, depth=0)]
        rows, unread = _read_names(paths, layout)
        if not rows or not all(at.is_dir() for at in usual):
            rows, unread = _read_names(files_below(home, suffixes), layout)
        odd += unread
        if rows:
            break
    return rows, odd


def files_below(
    folder: Path, suffixes: tuple[str, ...], depth: int = _DEPTH
) -> list[Path]:
    """Find the files of some types in a folder and those below it.

    Parameters
    ----------
    folder : pathlib.Path
        Where to begin. No such folder has no files.
    suffixes : tuple of str
        Ends of their names in lower case.
    depth : int
        How many folders below to enter.

    Returns
    -------
    list of pathlib.Path
        In no order.
    """
    found = []
    # Links are followed: corpora are often linked to. The depth ends circles of them.
    for above, below, names in os.walk(folder, followlinks=True):
        if len(Path(above).relative_to(folder).parts) >= depth:
            below.clear()
        found += [
            Path(above, name) for name in names if name.lower().endswith(suffixes)
        ]
    return found


def _read_names(
    paths: Iterable[Path], layout: Layout
) -> tuple[list[dict[str, str]], list[Path]]:
    """Return what the names say, in their order, and the files that say nothing."""
    ordered = sorted(paths, key=lambda path: (path.name, path))
    read = [(path, layout.read(path)) for path in ordered]
    odd = [path for path, row in read if row is None and not layout.passes_over(path)]
    return [row for _, row in read if row is not None], odd


def _without_pointers(
    rows: list[dict[str, str]], home: Path, layout: Layout
) -> list[dict[str, str]]:
    """Refuse recordings that Git LFS has not fetched; leave out some of them."""
    pointers = {row["file"] for row in rows if _is_pointer(row["file"])}
    if not pointers:
        return rows
    said = (
        f"{len(pointers)} of {len(rows)} recordings of {layout.name} are pointers of "
        f"Git LFS, not audio: run `git lfs pull` in {home}"
    )
    if len(pointers) == len(rows):
        raise FileNotFoundError(f"{said}.")
    warn_user(f"{said}; they are left out.")
    return [row for row in rows if row["file"] not in pointers]


def _is_pointer(path: str) -> bool:
    """Tell whether a file is a pointer of Git LFS, a small text file."""
    if os.path.getsize(path) > 1024:
        return False
    with open(path, "rb") as file:
        return file.read(len(POINTER)) == POINTER


def _without_copies(
    rows: list[dict[str, str]], home: Path, layout: Layout
) -> list[dict[str, str]]:
    """Leave out second copies; refuse two files of one recording that differ."""
    kept: dict[tuple[str, ...], dict[str, str]] = {}
    copies = []
    for row in sorted(rows, key=lambda row: row["file"].count(os.sep)):
        groups = tuple(value for key, value in row.items() if key != "file")
        first = kept.setdefault(groups, row)["file"]
        if first == row["file"]:
            continue
        if not filecmp.cmp(first, row["file"], shallow=False):
            name = layout.spell(Path(row["file"]).stem)
            raise ValueError(
                f"{name} of {layout.name} is there twice, {first} and {row['file']}: "
                "give as data_home a folder with one of them."
            )
        copies.append(row["file"])
    if copies:
        named = [Path(path).relative_to(home).as_posix() for path in copies]
        warn_user(
            f"Left out {len(copies)} of {len(rows)} audio files of {layout.name}, "
            f"which are second copies: {shortened(named)}."
        )
    left_out = set(copies)
    return [row for row in rows if row["file"] not in left_out]


def _without_silent_files(
    rows: list[dict[str, str]], home: Path, layout: Layout
) -> list[dict[str, str]]:
    """Leave out files without a sample."""
    empty = {row["file"] for row in rows if _is_empty(row["file"])}
    if not empty:
        return rows
    named = [Path(path).relative_to(home).as_posix() for path in sorted(empty)]
    said = (
        f"{len(empty)} of {len(rows)} recordings of {layout.name} hold no sound: "
        f"{shortened(named)}"
    )
    if len(empty) == len(rows):
        raise FileNotFoundError(f"{said}. {layout.expectation()}")
    warn_user(f"{said}. They are left out.")
    return [row for row in rows if row["file"] not in empty]


def _is_empty(path: str) -> bool:
    """Tell whether a file is too small to hold sound, and holds none."""
    if os.path.getsize(path) > _LARGEST_EMPTY:
        return False
    try:
        return bool(sf.info(path).frames == 0)
    except sf.SoundFileError:
        return True


def _warn_of_finds(
    rows: list[dict[str, str]], odd: list[Path], home: Path, layout: Layout
) -> None:
    """Say what was found where, if it is not the corpus as its owners have it."""
    if odd:
        named = [path.relative_to(home).as_posix() for path in odd]
        warn_user(
            f"Left out {len(odd)} of {len(odd) + len(rows)} audio files, whose names "
            f"are not {layout.name}'s (such as {layout.example}): {shortened(named)}."
        )
    folders = sorted({os.path.dirname(row["file"]) for row in rows})
    usual = {str(home / name) for name in layout.folders}
    if usual and not usual.issuperset(folders):
        warn_user(
            f"Found {len(rows)} recordings of {layout.name} in {shortened(folders)}, "
            f"not in {shortened(layout.folders)} of {home}, where its owners have them."
        )
    if layout.n_recordings is not None and len(rows) < layout.n_recordings:
        warn_user(
            f"Only {len(rows)} of the {layout.n_recordings} recordings of "
            f"{layout.name} are in {home}."
        )


def shortened(names: Sequence[str]) -> str:
    """Return a list of names as text, cut where it is long.

    Parameters
    ----------
    names : sequence of str
        What is listed.

    Returns
    -------
    str
        ``"a, b"``, or the first ten ``"and 3 more"``.
    """
    more = len(names) - N_LISTED
    return ", ".join(names[:N_LISTED]) + (f" and {more} more" if more > 0 else "")
