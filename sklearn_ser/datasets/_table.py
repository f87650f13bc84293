"""A corpus from a table of one's own, in which rows may be wrong."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from .._dimensions import DIMENSIONS
from .._warnings import warn_user
from ._corpus import Corpus, counted
from ._levels import check_rating_scale, outside_scale
from ._table_faults import Faults, find_faults_of_audio
from ._table_formats import Table, read_table

OnError = Literal["raise", "warn"]
_TIMES = ("start", "end")
# What others call the columns, in small letters without blanks and signs.
_NAMES = {
    "file": "file path filename filepath audio audiopath wav wavpath recording "
    "audiofile wavfile name",
    "speaker": "speaker speakerid spk spkid spkrid subject subjectid participant "
    "participantid patient patientid actor actorid talker clientid",
    "emotion": "emotion label emotionlabel class category emoclass emo target",
    "start": "start starttime begin onset from startseconds starts",
    "end": "end endtime offset stop to endseconds ends",
    "activation": "activation arousal act emoact aro",
    "valence": "valence val emoval",
    "dominance": "dominance dom emodom",
    "gender": "gender sex speakergender",
    "sentence": "sentence text transcript transcription utterancetext",
    "waveform": "waveform",
    "sampling_rate": "samplingrate samplerate",
}
_GENDERS = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}


def corpus_from_table(
    source: Any,
    *,
    root: str | os.PathLike[str] | None,
    columns: Mapping[str, str] | None,
    emotions: Mapping[str, str | None] | None,
    rating_scale: tuple[float, float],
    encoding: str | None,
    on_error: OnError,
    **about: str,
) -> Corpus:
    """Make the corpus of a table; see `Corpus.from_table`."""
    return make_corpus(
        read_table(source, encoding),
        root=root,
        columns=columns,
        emotions=emotions,
        rating_scale=rating_scale,
        on_error=on_error,
        **about,
    )


def make_corpus(
    table: Table,
    *,
    root: str | os.PathLike[str] | None,
    columns: Mapping[str, str] | None,
    emotions: Mapping[str, str | None] | None,
    rating_scale: tuple[float, float],
    on_error: OnError,
    **about: str,
) -> Corpus:
    """Understand the columns of a table, and check all of its rows.

    Parameters
    ----------
    table : Table
        What was read.
    root, columns, emotions, rating_scale, on_error, **about
        See `Corpus.from_table`.

    Returns
    -------
    Corpus
        Of the rows without a fault.

    Raises
    ------
    ValueError
        If a column is missing, or rows have faults, all of which it lists.

    Warns
    -----
    UserWarning
        If rows are left out, or names of speakers look alike.
    """
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error must be 'raise' or 'warn', got {on_error!r}.")
    scale = check_rating_scale(rating_scale)
    ours = _understood(table.frame, columns or {})
    frame = table.frame.rename(columns={theirs: name for name, theirs in ours.items()})
    faults = Faults(table.rows)
    frame["emotion"] = _emotions(frame["emotion"], emotions, faults)
    frame["speaker"] = _speakers(frame["speaker"], faults)
    if "waveform" not in frame or frame["waveform"].isna().all():
        frame = frame.drop(columns=["waveform", "sampling_rate"], errors="ignore")
        frame["file"] = _files(frame["file"], root, table.folder, faults)
    for name in (*_TIMES, *DIMENSIONS):
        if name in frame:
            frame[name] = _numbers(frame[name], name, faults)
    for name in DIMENSIONS:
        if name in frame:
            _check_scale(frame[name], name, scale, faults)
    if "gender" in frame:
        frame["gender"] = frame["gender"].map(_gender)
    wanted = frame["emotion"].notna() | faults.mask("emotion")
    find_faults_of_audio(frame, wanted.to_numpy(), faults)
    kept = frame[wanted.to_numpy() & ~faults.mask()]
    faults.report(table.name, on_error, n_kept=len(kept))
    told = ", ".join(f"{name} from {theirs}" for name, theirs in ours.items())
    defaults = {"name": table.name, "description": f"A table of {told}."}
    given = {name: text for name, text in about.items() if text}
    return Corpus(kept, rating_scale=scale, **{**defaults, **given})


def _understood(frame: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, str]:
    """Return which column of a table is which of ours."""
    present = {str(name): name for name in frame.columns}
    for ours, theirs in columns.items():
        if theirs not in present:
            close = get_close_matches(theirs, present, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"columns names {theirs!r} for {ours}, which the table has not.{meant} "
                f"It has {', '.join(present)}."
            )
    by_key = {re.sub(r"[\W_]", "", name.lower()): name for name in reversed(present)}
    taken = {*columns.values()}
    found = dict(columns)
    for ours, names in _NAMES.items():
        usual = (by_key[key] for key in names.split() if key in by_key)
        new = next((name for name in usual if name not in taken), None)
        if ours not in found and new is not None:
            found[ours] = new
            taken.add(new)
    has_audio = "file" in found or "waveform" in found
    absent = [name for name in ("emotion", "speaker") if name not in found]
    absent += [] if has_audio else ["file"]
    if absent:
        example = ", ".join(f"{name!r}: ..." for name in absent)
        raise ValueError(
            f"No column of the table is known as {', '.join(absent)}: say which is by "
            f"columns={{{example}}}. It has {', '.join(present)}."
        )
    return found


def _text(values: pd.Series) -> pd.Series:
    """Return values as text without blanks around it, None where there is none."""

    def spelled(value: Any) -> str | None:
        if pd.isna(value):
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # where a cell is empty, a column of numbers is floats
        return " ".join(str(value).split()) or None

    return pd.Series([*map(spelled, values)], dtype=object)


def _emotions(
    values: pd.Series, emotions: Mapping[str, str | None] | None, faults: Faults
) -> pd.Series:
    """Return the emotions; None where there is none, or where it is not wanted."""
    found = _text(values)
    faults.add(found.isna(), "it has no emotion", "emotion")
    if emotions is None:
        return found
    renamed: dict[Any, str | None] = {
        " ".join(str(key).split()): name for key, name in emotions.items()
    }
    absent = {*renamed} - {*found}
    if absent:
        raise ValueError(
            f"emotions names {', '.join(sorted(absent))}, which the table has not: it "
            f"has {', '.join(sorted({*found.dropna()}))}."
        )
    return found.map(lambda name: renamed.get(name, name))


def _speakers(values: pd.Series, faults: Faults) -> pd.Series:
    """Return the speakers, by one name each where it was written as 3 and as 3.0."""
    found = _text(values)
    faults.add(found.isna(), "it has no speaker", "speaker")
    whole = found.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    joined = sorted({*whole[whole.ne(found) & whole.isin({*found})].dropna()})
    if joined:
        warn_user(
            f"Speakers were joined that are written as {joined[0]} and {joined[0]}.0 "
            f"({counted(len(joined), 'speaker')}): a column of mixed types. Correct "
            "the table if they are others."
        )
    alike = defaultdict(set)
    for name in {*whole.dropna()}:
        alike[name.casefold().lstrip("0")].add(name)
    others = [", ".join(sorted(names)) for names in alike.values() if len(names) > 1]
    if others:
        warn_user(
            f"Names of speakers look alike, and count as several: {others[0]} "
            f"({counted(len(others), 'case')}). Write them alike if they are one."
        )
    return whole


def _files(
    values: pd.Series,
    root: str | os.PathLike[str] | None,
    folder: Path | None,
    faults: Faults,
) -> pd.Series:
    """Return the paths of the recordings, where they lie."""
    home = Path(root).expanduser() if root is not None else folder
    found = _text(values)
    faults.add(found.isna(), "it has no file", "file")

    def at(name: str) -> str:
        path = Path(name.replace("\\", "/") if os.sep == "/" else name).expanduser()
        return str(path if home is None or path.is_absolute() else home / path)

    return found.map(at, na_action="ignore")


def _numbers(values: pd.Series, name: str, faults: Faults) -> pd.Series:
    """Return numbers, NaN where there is none; times also as 0 days 00:00:01."""
    if values.dtype.kind == "m":
        seconds: pd.Series = values.dt.total_seconds().reset_index(drop=True)
        return seconds
    text = _text(values)
    numbers = pd.to_numeric(text, errors="coerce")
    if name in _TIMES:
        times = pd.to_timedelta(text.where(numbers.isna()), errors="coerce")
        numbers = numbers.fillna(times.dt.total_seconds())
    odd = (
        text.notna() & numbers.isna() & ~text.str.casefold().isin(["nan", "nat", "na"])
    )
    faults.add_each(odd, lambda row: f"its {name} is no number: {text[row]!r}", name)
    return numbers.astype(np.float64)


def _check_scale(
    values: pd.Series, name: str, scale: tuple[float, float], faults: Faults
) -> None:
    """Note the ratings that are outside the scale."""
    outside = pd.Series(outside_scale(values.to_numpy(), scale))
    lowest, highest = scale
    faults.add_each(
        outside,
        lambda row: (
            f"its {name} {values[row]:.10g} is outside the scale from {lowest:g} to "
            f"{highest:g}"
        ),
        name,
    )


def _gender(value: Any) -> Any:
    """Return female, male, or None where it is neither."""
    if pd.isna(value):
        return None
    name = str(value).strip().casefold()
    name = _GENDERS.get(name, name)
    return name if name in _GENDERS.values() else None
