"""What the commands write: where, and not over older results in silence."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_output(parser: argparse.ArgumentParser) -> None:
    """Describe the folder of the results."""
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("sklearn-ser-output"),
        metavar="DIR",
        help="where the files are written (default: %(default)s)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="write over the results of an earlier run in --output",
    )


def check_output(options: argparse.Namespace, name: str) -> Path:
    """Return the path of a result; refuse to write over it, unless asked to."""
    path: Path = options.output / name
    if path.exists() and not options.overwrite:
        raise ValueError(
            f"{path} holds the result of an earlier run: give another folder by "
            "--output, or --overwrite."
        )
    return path


def check_file(path: Path, option: str, *, overwrite: bool) -> None:
    """Refuse to write over a file, unless asked to."""
    if path.is_dir():
        raise ValueError(f"{option} {path} is a folder: give a file in it.")
    if path.exists() and not overwrite:
        raise ValueError(
            f"{option} {path} is there already: give another name, or --overwrite."
        )


def write_json(result: dict[str, Any], path: Path, options: argparse.Namespace) -> None:
    """Write a result, and by which options it was made."""
    command = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name != "run"
    }
    result.setdefault("settings", {})["command"] = command
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
