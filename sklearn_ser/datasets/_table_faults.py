"""What is wrong with the rows of a table, all of it at once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
import soundfile as sf
from numpy.typing import NDArray

from .. import _ffmpeg
from .._warnings import warn_user
from ..audio import AudioError, fingerprint
from ._corpus import counted

__all__ = ["Faults", "find_faults_of_audio"]

_SHOWN = 20
# Times in tables are rounded.
_TOLERANCE = 0.01


class Faults:
    """What is wrong, row by row.

    Parameters
    ----------
    rows : list of str
        What a user calls each row.
    """

    def __init__(self, rows: list[str]) -> None:
        self.rows = rows
        self._found: dict[int, list[str]] = defaultdict(list)
        self._of: dict[str, set[int]] = defaultdict(set)

    def add(self, where: pd.Series, text: str, column: str) -> None:
        """Note one fault of some rows.

        Parameters
        ----------
        where : Series of bool
            Which rows.
        text : str
            What is wrong.
        column : str
            In which column.
        """
        self.add_each(where, lambda row: text, column)

    def add_each(
        self, where: pd.Series, text: Callable[[int], str], column: str
    ) -> None:
        """Note a fault of some rows, in words of its own for each.

        Parameters
        ----------
        where : Series of bool
            Which rows.
        text : callable
            Gets the number of a row.
        column : str
            In which column.
        """
        for row in np.flatnonzero(np.asarray(where, dtype=bool)).tolist():
            self._found[row].append(text(row))
            self._of[column].add(row)

    def mask(self, column: str | None = None) -> NDArray[np.bool_]:
        """Tell which rows have a fault.

        Parameters
        ----------
        column : str or None, default=None
            Only those of one column.

        Returns
        -------
        ndarray of bool
        """
        rows = self._found.keys() if column is None else self._of[column]
        mask = np.zeros(len(self.rows), dtype=bool)
        mask[[*rows]] = True
        return mask

    def report(
        self, name: str, on_error: Literal["raise", "warn"], *, n_kept: int
    ) -> None:
        """Raise an error that lists all faults, or warn.

        Parameters
        ----------
        name : str
            Of the table.
        on_error : {"raise", "warn"}
            Which of both.
        n_kept : int
            How many rows are without a fault.

        Raises
        ------
        ValueError
            If it is asked for, or no row is left.
        """
        if not self._found and n_kept:
            return
        lines = [
            f"  {self.rows[row]}: {'; '.join(texts)}"
            for row, texts in sorted(self._found.items())
        ]
        more = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        said = f"{len(lines)} of {counted(len(self.rows), 'row')} of {name}"
        listed = "\n".join([*lines[:_SHOWN], *more])
        if not n_kept:
            raise ValueError(f"No row of {name} can be used:\n{listed}\nCorrect them.")
        if on_error == "raise":
            raise ValueError(
                f"{said} cannot be used:\n{listed}\nCorrect them, or leave them out by "
                "on_error='warn'."
            )
        warn_user(f"Left out {said}:\n{listed}\nCorrect them to have them in.")


def find_faults_of_audio(
    frame: pd.DataFrame, wanted: NDArray[np.bool_], faults: Faults
) -> None:
    """Look at each file once: whether it is there, is audio, and is long enough.

    Parameters
    ----------
    frame : DataFrame
        With ``file``, and ``start`` and ``end`` in seconds where there are segments;
        or with waveforms.
    wanted : ndarray of bool
        Which rows matter.
    faults : Faults
        Where they are noted.
    """
    is_heard = pd.Series(wanted & ~faults.mask("file"))
    if "waveform" in frame:
        empty = is_heard & frame["waveform"].isna()
        faults.add(empty, "its audio cannot be decoded", "file")
        return
    about = {file: _about(file) for file in {*frame["file"][is_heard]}}
    texts = frame["file"].map(lambda file: about.get(file, ("", None))[0])
    bad = is_heard & texts.fillna("").ne("")
    faults.add_each(bad, lambda row: str(texts[row]), "file")
    _check_segments(frame, is_heard & ~bad, about, faults)
    _check_speakers(frame, (is_heard & ~bad).to_numpy(), faults)


def _about(file: str) -> tuple[str, float | None]:
    """Return what is wrong with a file, and how many seconds it holds, if known."""
    if not os.path.isfile(file):
        return f"there is no file {file}", None
    if os.path.splitext(file)[1].lower() in _ffmpeg.SUFFIXES:
        return "", None
    try:
        info = sf.info(file)
    except sf.SoundFileError:
        return f"{file} is no audio that can be read", None
    if info.frames == 0:
        return f"{file} holds no sound", None
    return "", info.frames / info.samplerate


def _check_segments(
    frame: pd.DataFrame,
    is_heard: pd.Series,
    about: dict[str, tuple[str, float | None]],
    faults: Faults,
) -> None:
    """Note segments that are not in their files."""
    nothing = pd.Series(np.nan, index=frame.index)
    start = frame.get("start", nothing).fillna(0.0)
    end = frame.get("end", nothing)
    faults.add(is_heard & (start < 0), "it starts before 0 s", "start")
    faults.add_each(
        is_heard & (end <= start),
        lambda row: f"it ends at {end[row]:g} s, and starts at {start[row]:g} s",
        "end",
    )
    duration = frame["file"].map(lambda file: about.get(file, ("", None))[1])
    duration = duration.astype(np.float64)
    last = end.where(end.notna(), start)
    faults.add_each(
        is_heard & (last > duration + _TOLERANCE),
        lambda row: (
            f"it goes to {last[row]:g} s, but {frame['file'][row]} has "
            f"{duration[row]:.2f} s"
        ),
        "end",
    )


def _check_speakers(
    frame: pd.DataFrame, is_heard: NDArray[np.bool_], faults: Faults
) -> None:
    """Note the same audio under two speakers: one of the names is wrong."""
    groups: dict[Any, list[int]] = defaultdict(list)
    same_size = _same_size(frame["file"][is_heard])
    times = [name for name in ("start", "end") if name in frame]
    for row in np.flatnonzero(is_heard).tolist():
        file = frame["file"][row]
        content = file
        if file in same_size:
            try:
                content = fingerprint(file)
            except AudioError:
                continue
        groups[(content, *(str(frame[name][row]) for name in times))].append(row)
    for rows in groups.values():
        speakers = sorted({str(frame["speaker"][row]) for row in rows})
        if len(speakers) > 1:
            names = ", ".join(faults.rows[row] for row in rows)
            where = pd.Series(np.isin(np.arange(len(frame)), rows))
            faults.add(
                where,
                f"the same audio under speakers {' and '.join(speakers)} ({names})",
                "speaker",
            )


def _same_size(files: pd.Series) -> set[str]:
    """Return the files that are as large as another: no others can be the same."""
    by_size: dict[int, set[str]] = defaultdict(set)
    for file in {*files}:
        by_size[os.path.getsize(file)].add(file)
    return {file for same in by_size.values() if len(same) > 1 for file in same}
