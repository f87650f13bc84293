"""Command line: ``sklearn-ser evaluate`` and ``sklearn-ser extract``."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ._evaluate import add_evaluate
from ._extract import add_extract

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        The arguments after the program's name; None takes those of the shell.

    Returns
    -------
    int
        Exit status: 0; 1 if some recordings gave nothing; or 2 after a fault, which one
        line describes.
    """
    options = _parser().parse_args(arguments)
    with _plain_warnings():
        try:
            status: int = options.run(options)
        except Exception as error:
            if options.debug:
                raise
            print(f"sklearn-ser: {error}", file=sys.stderr)
            return 2
    return status


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as text, without the line of code that they come from."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *args, **kwargs: (
        f"sklearn-ser: warning: {message}\n"
    )
    try:
        yield
    finally:
        warnings.formatwarning = before


def _parser() -> argparse.ArgumentParser:
    """Describe the command line: recipes, corpora and features name themselves."""
    parser = argparse.ArgumentParser(
        prog="sklearn-ser",
        description="Speech emotion recognition with scikit-learn.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--n-jobs",
        type=int,
        help="threads for feature extraction, and folds to fit at once (default: all "
        "processors; but one fold at once where folds are short, or computed on a GPU)",
    )
    common.add_argument(
        "--cache",
        metavar="DIR",
        help="folder in which to keep what takes long to compute, so that the next "
        "run finds it: features, and parts of a network if the recipe keeps such",
    )
    common.add_argument("--quiet", action="store_true", help="show no progress bars")
    common.add_argument(
        "--debug", action="store_true", help="show where in the code a fault arose"
    )
    add_evaluate(commands, common)
    add_extract(commands, common)
    return parser
