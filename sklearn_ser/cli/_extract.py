"""``sklearn-ser extract``."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from ._recordings import listed

if TYPE_CHECKING:
    import pandas as pd


def add_extract(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``extract``."""
    parser = commands.add_parser(
        "extract",
        parents=[common],
        help="write acoustic features of recordings to a table",
        description="Write openSMILE functionals, or the layers of a speech encoder, "
        "to a CSV or Parquet file, one row per recording, beside the columns of a "
        "table that lists them. A faulty recording gives an empty row, is named "
        "at the end, and makes the exit status 1.",
    )
    _add_files(parser)
    _add_features(parser)
    parser.set_defaults(run=_extract)


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Describe what is read and written."""
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="recordings, folders of recordings, or CSV tables with the column file "
        "(paths as seen from here) and, in seconds, start and end",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="a file that ends in .csv or .parquet",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write over the file of --output"
    )


def _add_features(parser: argparse.ArgumentParser) -> None:
    """Describe what is computed."""
    from ..features._egemaps import FEATURE_SETS

    parser.add_argument(
        "--feature-set",
        default=next(iter(FEATURE_SETS)),
        choices=list(FEATURE_SETS),
        help="the functionals of openSMILE that are computed (default: %(default)s)",
    )
    parser.add_argument(
        "--embedding",
        metavar="MODEL",
        help="layers of a speech encoder in the place of functionals: a name of the "
        "hub of Hugging Face, such as openai/whisper-tiny, or a folder",
    )
    parser.add_argument(
        "--layer",
        type=int,
        metavar="K",
        help="the layer of the encoder, from 0 (default: the middle one)",
    )
    parser.add_argument(
        "--sampling-rate",
        type=int,
        metavar="HZ",
        help="the rate of the functionals (default: 16000)",
    )
    parser.add_argument(
        "--channel",
        type=_channel,
        default="mean",
        metavar="N",
        help="the channel to take, counted from 0, or mean (default: %(default)s)",
    )


def _extract(options: argparse.Namespace) -> int:
    """Run ``extract``."""
    import pandas as pd

    from ..features import has_features

    front_end = _front_end(options).set_output(transform="pandas")
    _check_output(options.output, options.inputs, overwrite=options.overwrite)
    recordings = pd.concat([listed(path) for path in options.inputs])
    recordings = recordings.dropna(axis="columns", how="all").reset_index(drop=True)
    twice = recordings.columns.intersection(front_end.get_feature_names_out())
    if len(twice):
        raise ValueError(
            f"The table has the column {twice[0]!r}, also a feature: rename it."
        )
    features = front_end.transform(
        recordings[[name for name in ("file", "start", "end") if name in recordings]]
    )
    usable = has_features(features)
    if not usable.any():
        raise ValueError("No recording gave features: nothing is written.")
    table = recordings.join(features)
    _write_table(table, options.output)
    print(f"{len(table)} recordings, {table.shape[1]} columns: {options.output}")
    for file in recordings["file"][~usable]:
        print(f"no features: {file}", file=sys.stderr)
    return 0 if usable.all() else 1


def _front_end(options: argparse.Namespace) -> Any:
    """Return what computes the features that are written."""
    from ..features import EGeMAPS, SpeechEmbedding

    common = {
        "channel": options.channel,
        "n_jobs": -1 if options.n_jobs is None else options.n_jobs,
        "memory": options.cache,
        "on_error": "warn",
        "verbose": not options.quiet,
    }
    if options.embedding is None:
        if options.layer is not None:
            raise ValueError("--layer goes with --embedding.")
        rate = 16000 if options.sampling_rate is None else options.sampling_rate
        return EGeMAPS(options.feature_set, sampling_rate=rate, **common)
    if options.sampling_rate is not None:
        raise ValueError("--sampling-rate goes without --embedding, which has its own.")
    layer = "middle" if options.layer is None else options.layer
    return SpeechEmbedding(options.embedding, layer=layer, **common)


def _check_output(output: Path, inputs: list[Path], *, overwrite: bool) -> None:
    """Find out before the work whether its result can be written."""
    suffix = output.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"--output must end in .csv or .parquet, got {output}.")
    if output.resolve() in [path.resolve() for path in inputs]:
        raise ValueError(f"--output {output} is one of the inputs.")
    if output.is_file() and not overwrite:
        raise ValueError(
            f"--output {output} is there already: give another name, or --overwrite."
        )
    if output.is_dir():
        raise ValueError(f"--output {output} is a folder: give a file in it.")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise ValueError(
            "--output in Parquet needs pyarrow: run `pip install pyarrow`, or write a "
            ".csv file."
        )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise ValueError(f"--output {output} cannot be written: {error}.") from error


def _write_table(table: pd.DataFrame, output: Path) -> None:
    """Write a table, whole or not at all."""
    own = output.with_name(f".{output.stem}-{os.getpid()}{output.suffix}")
    try:
        if output.suffix.lower() == ".csv":
            table.to_csv(own, index=False)
        else:
            table.to_parquet(own, index=False)
        os.replace(own, output)
    finally:
        own.unlink(missing_ok=True)


def _channel(text: str) -> str | int:
    """Read a channel: its number, or their mean."""
    return text if text == "mean" else int(text)
