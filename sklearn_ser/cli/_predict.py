"""``sklearn-ser predict``."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ._recordings import listed

if TYPE_CHECKING:
    import pandas as pd

_PLACE = ["file", "start", "end"]
_HERE = Path("-")
_BATCH = 16


def add_predict(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``predict``."""
    parser = commands.add_parser(
        "predict",
        parents=[common],
        help="let a model predict recordings",
        description="Predict recordings with a model that `train` has written. Rows "
        "are written as they come: the same command goes on where it was stopped. A "
        "recording that cannot be read gets a row with the reason in the column error, "
        "and the exit status is 1.",
    )
    parser.add_argument("model", type=Path, help="a file that `train` has written")
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="recordings, folders of recordings, or CSV tables with the column file "
        "(paths as seen from here) and, in seconds, start and end; - reads paths, one "
        "a line, or one WAV file, from standard input",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=_HERE,
        metavar="FILE",
        help="a file that ends in .csv or .jsonl, or - for CSV on standard output "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="begin anew, in the place of going on with --output",
    )
    parser.add_argument(
        "--window",
        type=float,
        metavar="S",
        help="predict windows of so many seconds along each recording, and not the "
        "recording as a whole; pauses get no emotion",
    )
    parser.add_argument(
        "--hop",
        type=float,
        metavar="S",
        help="seconds from one window to the next (default: a third of --window)",
    )
    parser.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    """Run ``predict``."""
    import pandas as pd

    from ..models import load

    _check_output(options)
    model, digest = load(options.model), _digest(options.model)
    name = getattr(model, "card_", None) or {"target": "emotion"}
    asked = pd.concat([_given(path) for path in options.inputs], ignore_index=True)
    asked = asked.drop_duplicates(_places(asked)).reset_index(drop=True)
    if options.output == _HERE:
        rows = _rows(model, asked, name["target"], digest, options)
        n_faults = _write(rows, sys.stdout, "csv", is_new=True)
    else:
        kept = _kept(options, digest)
        left = asked if kept is None else asked[_is_new(asked, kept)]
        rows = _rows(model, left, name["target"], digest, options)
        kind = options.output.suffix.lower().removeprefix(".")
        with options.output.open("a", encoding="utf-8", newline="") as file:
            n_faults = _write(rows, file, kind, is_new=kept is None)
        before = len(asked) - len(left)
        n_faults += 0 if kept is None else int(kept["error"].fillna("").ne("").sum())
        print(
            f"{len(asked)} recordings, {before} of them from before: {options.output}",
            file=sys.stderr,
        )
    if n_faults:
        print(f"{n_faults} without a prediction: see error", file=sys.stderr)
    return 1 if n_faults else 0


def _check_output(options: argparse.Namespace) -> None:
    """Find out before the work whether the result can be written."""
    output = options.output
    if options.hop is not None and options.window is None:
        raise ValueError("--hop goes with --window.")
    if output == _HERE:
        return
    if output.suffix.lower() not in (".csv", ".jsonl"):
        raise ValueError(f"--output must end in .csv or .jsonl, got {output}.")
    if output in options.inputs:
        raise ValueError(f"--output {output} is one of the inputs.")
    if options.overwrite:
        output.unlink(missing_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)


def _digest(path: Path) -> str:
    """Return what tells a model from others, short enough to read."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _given(path: Path) -> pd.DataFrame:
    """Return the recordings of an input; ``-`` is standard input."""
    import pandas as pd
    import soundfile as sf

    if path != _HERE:
        return listed(path)
    content = sys.stdin.buffer.read()
    if content.startswith(b"RIFF"):
        waveform, rate = sf.read(io.BytesIO(content), dtype="float32")
        return pd.DataFrame({"file": ["-"], "recording": [(waveform, rate)]})
    names = [line.strip() for line in content.decode().splitlines()]
    return pd.DataFrame({"file": [name for name in names if name]})


def _places(table: pd.DataFrame) -> list[str]:
    """Name the columns that tell recordings apart."""
    return [name for name in _PLACE if name in table]


def _rows(
    model: Any,
    asked: pd.DataFrame,
    name: str,
    digest: str,
    options: argparse.Namespace,
) -> Iterator[pd.DataFrame]:
    """Yield the rows of some recordings at a time."""
    from tqdm import tqdm

    from ..models import predict_table

    if options.window is not None:
        yield from _windows(model, asked, digest, options)
        return
    places = _places(asked)
    starts = range(0, len(asked), _BATCH)
    bar = tqdm(starts, desc="recordings", unit=f"×{_BATCH}", disable=options.quiet)
    for start in bar:
        of_batch = asked.iloc[start : start + _BATCH].reset_index(drop=True)
        given: Any = of_batch[places]
        if "recording" in of_batch:  # one that is no file
            is_there = of_batch["recording"].notna()
            given = of_batch["file"].where(~is_there, of_batch["recording"])
        found = predict_table(model, given, batch_size=_BATCH, name=name)
        found["error"] = found["error"].map(_in_a_line, na_action="ignore")
        yield of_batch[places].join(found).assign(model=digest)


def _windows(
    model: Any, asked: pd.DataFrame, digest: str, options: argparse.Namespace
) -> Iterator[pd.DataFrame]:
    """Yield the windows of one recording at a time."""
    import pandas as pd
    from tqdm import tqdm

    from ..models import predict_timeline

    settings = {"window": options.window, "hop": options.hop or options.window / 3}
    for file in tqdm(asked["file"], unit="recording", disable=options.quiet):
        try:
            found = predict_timeline(model, file, **settings).frame
            found["error"] = found["error"].map(_in_a_line, na_action="ignore")
        except (ValueError, OSError) as error:
            text = _in_a_line(str(error))
            columns = ["start", "end", "emotion", *_classes(model), "speech"]
            found = pd.DataFrame([{**dict.fromkeys(columns), "error": text}])
        found.insert(0, "file", file)
        yield found.assign(model=digest)


def _classes(model: Any) -> list[str]:
    """Name the classes whose probabilities are written."""
    return [*map(str, model.classes_)] if hasattr(model, "predict_proba") else []


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def _write(
    rows: Iterator[pd.DataFrame], file: TextIO, kind: str, *, is_new: bool
) -> int:
    """Write rows as they come, and count those without a prediction."""
    n_faults = 0
    for table in rows:
        n_faults += int(table["error"].notna().sum())
        if kind == "csv":
            table.to_csv(file, index=False, header=is_new, float_format="%.6f")
        else:
            table.to_json(file, orient="records", lines=True)
        is_new = False
        file.flush()
    return n_faults


def _kept(options: argparse.Namespace, digest: str) -> pd.DataFrame | None:
    """Return the rows of an earlier run, whose last line is cut if it is not whole."""
    import pandas as pd

    output: Path = options.output
    if not output.exists():
        return None
    content = output.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if options.window is not None:
        whole = _without_last(whole)
    if whole != content:
        output.write_bytes(whole)
    lines = whole.decode().splitlines()
    if output.suffix.lower() == ".csv":
        rows = [*csv.DictReader(lines)]
    else:
        rows = [json.loads(line) for line in lines]
    if not rows:
        output.unlink()
        return None
    kept = pd.DataFrame(rows)
    if {*kept.get("model", [None])} != {digest} or "file" not in kept:
        raise ValueError(
            f"--output {output} has rows of another model, or is none of `predict`: "
            "give another name, or --overwrite."
        )
    return kept


def _without_last(content: bytes) -> bytes:
    """Leave out the rows of the last recording: some of its windows may be missing."""
    lines = content.splitlines(keepends=True)

    def file_of(line: bytes) -> str:
        text = line.decode()
        is_json = text.startswith("{")
        return str(json.loads(text)["file"] if is_json else next(csv.reader([text]))[0])

    n_header = int(not content.startswith(b"{"))
    last = file_of(lines[-1]) if lines else ""
    while len(lines) > n_header and file_of(lines[-1]) == last:
        lines.pop()
    return b"".join(lines)


def _is_new(asked: pd.DataFrame, kept: pd.DataFrame) -> list[bool]:
    """Tell which recordings have no row yet."""
    places = [name for name in _places(asked) if name in kept]

    def keys(table: pd.DataFrame) -> list[tuple[str, ...]]:
        columns = [
            table[name] if name == "file" else table[name].astype(float).round(6)
            for name in places
        ]
        return [tuple(map(str, row)) for row in zip(*columns, strict=True)]

    before = {*keys(kept)}
    return [key not in before for key in keys(asked)]
