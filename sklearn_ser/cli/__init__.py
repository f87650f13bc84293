"""Command line: ``sklearn-ser`` with a module for each command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from ._compare import add_compare, add_verify
from ._describe import add_describe
from ._evaluate import add_evaluate
from ._extract import add_extract
from ._leaks import add_leaks
from ._model import add_model
from ._predict import add_predict
from ._synthesize import add_synthesize
from ._terminal import plain_warnings, readable_progress
from ._train import add_train
from ._transfer import add_transfer

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
        Exit status: 0; 1 if some recordings gave nothing, or a check found something; 2
        after a fault, which one line describes; or 130 after an interruption.
    """
    options = _parser().parse_args(arguments)
    with plain_warnings(), readable_progress():
        try:
            status: int = options.run(options)
        except KeyboardInterrupt:
            print(f"\nsklearn-ser: interrupted; {_kept(options)}", file=sys.stderr)
            return 130
        except Exception as error:
            if options.debug:
                raise
            print(f"sklearn-ser: {error}", file=sys.stderr)
            return 2
    return status


def _kept(options: argparse.Namespace) -> str:
    """Say what a next run finds of one that was interrupted."""
    folders = {
        "finished folds are in": getattr(options, "checkpoint", None),
        "features are in": getattr(options, "cache", None),
    }
    kept = [f"{what} {folder}" for what, folder in folders.items() if folder]
    return " and ".join(kept) or "nothing was kept"


def _parser() -> argparse.ArgumentParser:
    """Describe the command line: recipes, corpora and features name themselves."""
    parser = argparse.ArgumentParser(
        prog="sklearn-ser",
        description="Speech emotion recognition with scikit-learn.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"sklearn-ser {version('sklearn-ser')}",
        help="show the version of this program and exit",
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
    add_compare(commands, common)
    add_verify(commands, common)
    add_transfer(commands, common)
    add_leaks(commands, common)
    add_extract(commands, common)
    add_describe(commands, common)
    add_train(commands, common)
    add_predict(commands, common)
    add_model(commands, common)
    add_synthesize(commands, common)
    return parser
