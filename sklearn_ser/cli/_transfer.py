"""``sklearn-ser transfer``."""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._corpora import (
    loader,
    loaders,
    named_folder,
    rated_corpora,
    read_seeds,
    with_labels,
)
from ._files import add_output, check_output, write_json
from ._own import add_reading
from ._recipes import (
    add_recipe,
    add_settings,
    build_recipe,
    check_recipe,
    labels_of,
    settle_recipe,
)

if TYPE_CHECKING:
    from ..datasets import Corpus

TRANSFER = "transfer.json"
_SIDES = ("source", "target")


def add_transfer(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``transfer``."""
    parser = commands.add_parser(
        "transfer",
        parents=[common],
        help="train a recipe on one corpus and test it on another",
        description="Train a recipe on one corpus and test it on another, by the "
        "emotions that both have; print the scores and write transfer.json. A share of "
        "the target gives the statistics of scalers, without its labels, and is not "
        "scored.",
    )
    add_recipe(parser)
    for side, what in zip(_SIDES, ("trained", "tested"), strict=True):
        parser.add_argument(
            f"--{side}",
            dest=f"{side}_corpus",
            required=True,
            metavar="CORPUS=DIR",
            help=f"on what it is {what}: one of {', '.join(loaders())}, and its "
            "folder; or table=FILE or folder=DIR for your own recordings",
        )
        parser.add_argument(
            f"--{side}-dimensions",
            metavar="CSV",
            help=f"table of ratings of the {side}, for {', '.join(rated_corpora())}",
        )
    parser.add_argument(
        "--statistics",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of the target that gives the statistics of scalers; 0 for none "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--outliers",
        type=float,
        default=10.0,
        metavar="Z",
        help="utterances with a feature further from the mean than so many standard "
        "deviations are dropped; 0 drops none (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=read_seeds,
        default=[0, 1, 2, 3, 4],
        metavar="0-4",
        help="one run for each: it draws the share, and what is random in the recipe "
        "(default: 0-4)",
    )
    parser.add_argument(
        "--upper-bound",
        action="store_true",
        help="also train and test on the target itself, by speaker",
    )
    add_reading(parser)
    add_settings(parser)
    add_output(parser)
    parser.set_defaults(run=_transfer, target="emotion", seed=0)


def _transfer(options: argparse.Namespace) -> int:
    """Run ``transfer``."""
    from ..evaluation import evaluate_transfer

    named = {
        side: named_folder(getattr(options, f"{side}_corpus"), f"--{side}")
        for side in _SIDES
    }
    options.corpus = named["target"][0]
    check_recipe(options)
    path = check_output(options, TRANSFER)
    recipe = build_recipe(options)
    source, target = (_load(side, *named[side], options) for side in _SIDES)
    print(f"source: {source}\ntarget: {target}")
    settle_recipe(recipe, options)
    result = evaluate_transfer(
        recipe,
        source,
        target,
        statistics=options.statistics,
        outliers=options.outliers or None,
        seeds=options.seeds,
        upper_bound=options.upper_bound,
        n_jobs="auto" if options.n_jobs is None else options.n_jobs,
        verbose=not options.quiet,
    )
    write_json(result.to_dict(), path, options)
    print(f"\n{options.recipe}\n\n{result}\n\nwritten: {path}")
    return 0


def _load(side: str, name: str, folder: Path, options: argparse.Namespace) -> Corpus:
    """Load one of the two corpora, with what the recipe learns from."""
    load = loader(name, options)
    table = getattr(options, f"{side}_dimensions")
    if table and "dimensions" not in inspect.signature(load).parameters:
        raise ValueError(
            f"--{side}-dimensions goes with {', '.join(rated_corpora())}, not {name}."
        )
    corpus = load(folder, dimensions=table) if table else load(folder)
    return with_labels(corpus, options, labels_of(options))
