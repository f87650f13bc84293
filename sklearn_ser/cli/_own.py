"""Recordings of one's own on the command line: a table, or a folder."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..datasets import Corpus

# The options, which stand in the place of a corpus's name elsewhere.
OWN = ("table", "folder")
# With which of them other options go.
_GOES_WITH = {
    "audio_root": ("table",),
    "columns": ("table",),
    "rating_scale": ("table",),
    "pattern": ("folder",),
    "rename": OWN,
    "skip_faults": OWN,
}


def add_own(parser: argparse.ArgumentParser) -> None:
    """Describe recordings of one's own in the place of a corpus."""
    parser.add_argument(
        "--table",
        metavar="FILE",
        help="your own recordings in the place of --corpus: a table (CSV, Excel, "
        "Parquet) that lists files, speakers, emotions, and start and end of segments "
        "in seconds",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="your own recordings in the place of --corpus: a folder whose folders or "
        "file names tell speakers and emotions",
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Describe how tables and folders are read."""
    parser.add_argument(
        "--audio-root",
        metavar="DIR",
        help="where paths in a table begin (default: the folder of the table)",
    )
    parser.add_argument(
        "--columns",
        type=_pairs,
        default={},
        metavar="file=path,speaker=patient",
        help="which column of a table is which, where its name does not tell",
    )
    parser.add_argument(
        "--pattern",
        metavar="{speaker}_{emotion}_*",
        help="how names in a folder are made (default: folders by emotion and speaker)",
    )
    parser.add_argument(
        "--rename",
        type=_pairs,
        default={},
        metavar="ang=anger,xxx=",
        help="other names for emotions of a table or folder; nothing after = leaves "
        "them out",
    )
    parser.add_argument(
        "--rating-scale",
        type=_scale,
        metavar="1-9",
        help="lowest and highest possible rating in a table (default: 1-5)",
    )
    parser.add_argument(
        "--skip-faults",
        action="store_true",
        help="leave out what cannot be used of a table or folder, with a warning",
    )


def _pairs(text: str) -> dict[str, str | None]:
    """Read ``a=b,c=d``."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise argparse.ArgumentTypeError(f"takes name=name,name=name, got {text!r}.")
    return {name.strip(): value.strip() or None for name, _, value in pairs}


def _scale(text: str) -> tuple[float, float]:
    """Read ``1-9`` or ``-1,1``."""
    first, _, last = text.partition("," if "," in text else "-")
    try:
        return float(first), float(last)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"takes such as 1-9, got {text!r}.") from error


def own_loaders(options: argparse.Namespace) -> dict[str, Callable[..., Corpus]]:
    """Return what loads a table and a folder, as the options say.

    Parameters
    ----------
    options : argparse.Namespace
        Of a command; options that it has not are as if not given.

    Returns
    -------
    dict of str to callable
        By the names of `OWN`.
    """
    from ..datasets import Corpus

    def given(**names: str) -> dict[str, Any]:
        values = {ours: getattr(options, name, None) for ours, name in names.items()}
        return {name: value for name, value in values.items() if value}

    common = given(emotions="rename", rating_scale="rating_scale")
    if getattr(options, "skip_faults", False):
        common["on_error"] = "warn"
    pattern = getattr(options, "pattern", None) or ""
    places: dict[str, Any] = {
        name: pattern
        for name in ("emotion", "speaker")
        if f"{{{name}}}" in pattern or f"(?P<{name}>" in pattern
    }
    if pattern and not places:
        raise ValueError("--pattern needs {emotion} or {speaker}, or both.")
    of_table = given(root="audio_root", columns="columns")
    return {
        "table": partial(Corpus.from_table, **of_table, **common),
        "folder": partial(Corpus.from_folder, **places, **common),
    }


def take_own(options: argparse.Namespace) -> None:
    """Put a table or a folder in the place of the corpus; refuse what does not go.

    Parameters
    ----------
    options : argparse.Namespace
        Its ``corpus`` and ``data_home`` are set.

    Raises
    ------
    ValueError
        If there are two of these, or options that go with none of them.
    """
    own = [name for name in OWN if getattr(options, name)]
    if len(own) == 2 or (own and (options.corpus != "synthetic" or options.data_home)):
        raise ValueError("Give one of --corpus, --table and --folder.")
    for name, places in _GOES_WITH.items():
        if getattr(options, name) and not {*places} & {*own}:
            option, wanted = (
                name.replace("_", "-"),
                " or ".join(f"--{p}" for p in places),
            )
            raise ValueError(f"--{option} goes with {wanted}.")
    if own:
        options.corpus, options.data_home = own[0], getattr(options, own[0])
