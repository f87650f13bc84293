"""A corpus from folders and file names of one's own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .._warnings import warn_user
from ..audio import SUFFIXES
from ._corpus import Corpus, counted
from ._emotions import SPELLINGS, spelled
from ._files import files_below, shortened
from ._table import OnError, make_corpus
from ._table_formats import Table

FOLDER = "folder"
_GROUP = re.compile(r"\\?\{(\w+)\\?\}|\\\*")


def corpus_from_folder(
    root: str | os.PathLike[str],
    *,
    emotion: str,
    speaker: str,
    emotions: Mapping[str, str | None] | None,
    rating_scale: tuple[float, float],
    on_error: OnError,
    **about: str,
) -> Corpus:
    """Make the corpus of a folder; see `Corpus.from_folder`."""
    home = Path(root).expanduser()
    if not home.is_dir():
        raise FileNotFoundError(f"There is no folder {home}.")
    paths = sorted(
        path.relative_to(home)
        for path in files_below(home, SUFFIXES)
        if not any(part.startswith(".") for part in path.relative_to(home).parts)
    )
    if not paths:
        raise FileNotFoundError(
            f"{home} holds no recording ({', '.join(SUFFIXES)}), nor do its folders."
        )
    frame, told = _read(paths, {"emotion": emotion, "speaker": speaker})
    odd = frame["emotion"].isna() | frame["speaker"].isna()
    names = [path.as_posix() for path in paths]
    if odd.all():
        raise ValueError(
            f"No recording in {home} matches {told}: they are named {names[0]} and so "
            "on. Give a pattern that matches this, such as '{speaker}/{emotion}_*' "
            "or '{emotion}/*'."
        )
    if odd.any():
        unread = [name for name, is_odd in zip(names, odd, strict=True) if is_odd]
        warn_user(
            f"Left out {len(unread)} of {counted(len(names), 'recording')} of {home}, "
            f"whose names do not match {told}: {shortened(unread)}."
        )
    kept = frame[~odd].reset_index(drop=True)
    table = Table(kept, kept["file"].tolist(), home.resolve().name, home)
    examples = "; ".join(
        f"{row['file']} is {row['emotion']} of {row['speaker']}"
        for _, row in kept.iloc[:: max(1, len(kept) // 3)][:3].iterrows()
    )
    return make_corpus(
        table,
        root=home,
        columns=None,
        emotions=emotions,
        rating_scale=rating_scale,
        on_error=on_error,
        **{"description": f"A folder read by {told}: {examples}.", **about},
    )


def _read(
    paths: Sequence[Path], patterns: Mapping[str, str]
) -> tuple[pd.DataFrame, str]:
    """Return what the names say, and how they were read."""
    frame = pd.DataFrame({"file": [path.as_posix() for path in paths]}, dtype=object)
    told = []
    for pattern in dict.fromkeys(patterns.values()):
        if pattern != FOLDER:
            for name, values in _matched(paths, pattern).items():
                frame[name] = values
            told.append(repr(pattern))
    by_folder = [name for name in patterns if patterns[name] == FOLDER]
    by_folder = [name for name in by_folder if name not in frame]
    if by_folder:
        frame = frame.assign(**_from_folders(paths, by_folder))
        told.append(f"{' and '.join(by_folder)} by folder")
    absent = [name for name in patterns if name not in frame]
    if absent:
        raise ValueError(
            f"The pattern {patterns[absent[0]]!r} has no {{{absent[0]}}}: say where it "
            "stands in the name."
        )
    return frame, " and ".join(told)


def _matched(paths: Sequence[Path], pattern: str) -> dict[str, list[Any]]:
    """Return the groups of a pattern for each path, None where it does not match."""
    expression = _expression(pattern)
    n_parts = pattern.count("/") + 1
    matches = []
    for path in paths:
        parts = path.with_suffix("").parts
        matches.append(expression.fullmatch("/".join(parts[-n_parts:])))
    return {
        name: [None if match is None else match[name] for match in matches]
        for name in expression.groupindex
    }


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern such as ``{speaker}_{emotion}_*``."""
    if "(?P<" in pattern:
        text = pattern
    else:
        for suffix in SUFFIXES:
            pattern = pattern.removesuffix(suffix)
        text = _GROUP.sub(
            lambda found: f"(?P<{found[1]}>[^/]+?)" if found[1] else "[^/]*",
            re.escape(pattern),
        )
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(
            f"The pattern {pattern!r} cannot be read ({error}): write names in braces, "
            "'{speaker}_{emotion}', each once, * for anything, or a regular expression "
            "with groups such as (?P<speaker>...)."
        ) from error


def _from_folders(paths: Sequence[Path], names: Sequence[str]) -> dict[str, list[Any]]:
    """Read emotion or speaker, or both, from the folders right above the recordings.

    Where both are wanted, emotions are the level that has more names of emotions.
    """
    parents = [[None, None, *path.parts[:-1]] for path in paths]
    levels: list[list[Any]] = [[of[-1 - above] for of in parents] for above in range(2)]
    known = [_share_of_emotions(level) for level in levels]
    level_of_emotion = int(known[1] > known[0])
    found = {"emotion": levels[level_of_emotion]}
    if len(names) == 2:
        if not any(known):
            raise ValueError(
                "The folders above the recordings have no names of emotions that are "
                "known: say which is which by emotion='{emotion}/*/*' and "
                "speaker='{speaker}/*', or as they are nested."
            )
        found["speaker"] = levels[1 - level_of_emotion]
    elif names[0] == "speaker":
        found["speaker"] = levels[1 if known[0] > known[1] else 0]
    return {name: found[name] for name in names}


def _share_of_emotions(names: Sequence[str | None]) -> float:
    """Return the share of names that are known as emotions."""
    known = {*SPELLINGS.values()}
    return sum(name is not None and spelled(name) in known for name in names) / len(
        names
    )
