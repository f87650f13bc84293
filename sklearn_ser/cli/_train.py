"""``sklearn-ser train``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ._corpora import add_corpus, check_corpus, load_corpus
from ._files import check_file
from ._recipes import (
    add_recipe,
    add_settings,
    add_target,
    build_recipe,
    check_recipe,
    labels_of,
    settle_recipe,
)


def add_train(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``train``."""
    parser = commands.add_parser(
        "train",
        parents=[common],
        help="fit a recipe on a corpus and write it to a file, with its scores",
        description="Evaluate a recipe by speaker, fit it on all speakers, and write "
        "one file with the model and the card of its evaluation, for `predict`.",
    )
    add_recipe(parser)
    add_target(parser)
    add_settings(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the file of the model, such as model.skops",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write over files that are there"
    )
    parser.add_argument(
        "--model-card",
        type=Path,
        metavar="FILE",
        help="also write a description of the model in Markdown, which is in the "
        "model's file in any case",
    )
    parser.add_argument(
        "--no-evaluation",
        action="store_true",
        help="fit alone: the model then has no scores and no card",
    )
    add_corpus(parser)
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    """Run ``train``."""
    from .. import models
    from ..evaluation import evaluate_by_speaker
    from ..evaluation._run import fit_on_all

    check_corpus(options)
    check_recipe(options)
    check_file(options.output, "--output", overwrite=options.overwrite)
    if options.model_card is not None:
        check_file(options.model_card, "--model-card", overwrite=options.overwrite)
    recipe = build_recipe(options)
    corpus = load_corpus(options, labels_of(options))
    print(corpus)
    settle_recipe(recipe, options)
    if options.no_evaluation:
        model = fit_on_all(recipe, corpus, options.target)
    else:
        evaluation = evaluate_by_speaker(
            recipe,
            corpus,
            target=options.target,
            cv=options.folds,
            n_jobs="auto" if options.n_jobs is None else options.n_jobs,
            refit=True,
            verbose=not options.quiet,
        )
        print(f"\n{options.recipe}: {options.target}, held out by speaker\n")
        print(evaluation)
        model = evaluation.refitted
    models.save(model, options.output, overwrite=options.overwrite)
    written = [options.output]
    if options.model_card is not None:
        options.model_card.write_text(models.model_card(model), encoding="utf-8")
        written.append(options.model_card)
    print("\nwritten: " + ", ".join(str(path) for path in written))
    return 0
