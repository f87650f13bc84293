"""``sklearn-ser evaluate``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._dimensions import DIMENSIONS, SHORT_DIMENSIONS
from ._corpora import add_corpus, load_corpus
from ._recipes import (
    add_settings,
    build_recipe,
    check_options,
    labels_of,
    settle_recipe,
)

if TYPE_CHECKING:
    from ..evaluation import SpeakerEvaluation

SCORES = "scores.json"


def add_evaluate(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``evaluate``."""
    from .. import recipes

    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="cross-validate a recipe by speaker",
        description="Cross-validate a recipe with one speaker held out in turn; print "
        "the folds, and write confusion.png, embedding.png and scores.json.",
    )
    parser.add_argument(
        "--recipe",
        choices=recipes.__all__,
        default=recipes.DEFAULT,
        help="what is evaluated (default: %(default)s)",
    )
    parser.add_argument(
        "--target",
        type=lambda name: SHORT_DIMENSIONS.get(name, name),
        choices=["emotion", *DIMENSIONS],
        default="emotion",
        help="what is classified: emotions, or the three levels of a rated dimension, "
        f"also by its short name, {', '.join(SHORT_DIMENSIONS)} (default: %(default)s)",
    )
    add_settings(parser)
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
    add_corpus(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    """Run ``evaluate``."""
    from ..evaluation import evaluate_by_speaker

    check_options(options)
    _check_output(options)
    recipe = build_recipe(options)
    options.output.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(options, labels_of(options))
    print(corpus)
    settle_recipe(recipe, options)
    evaluation = evaluate_by_speaker(
        recipe,
        corpus,
        target=options.target,
        cv=options.folds,
        n_jobs="auto" if options.n_jobs is None else options.n_jobs,
        verbose=not options.quiet,
    )
    written = _write(evaluation, options)
    label = f", label {options.label}" if options.label else ""
    print(f"\n{options.recipe}{label}, seed {options.seed}")
    print(f"{options.target}, held out by speaker\n")
    print(evaluation)
    print("\nwritten: " + ", ".join(str(path) for path in written))
    return 0


def _check_output(options: argparse.Namespace) -> None:
    """Refuse to write over results, unless that is asked for."""
    path = options.output / SCORES
    if path.exists() and not options.overwrite:
        raise ValueError(
            f"{path} holds the result of an earlier run: give another folder by "
            "--output, or --overwrite."
        )


def _write(evaluation: SpeakerEvaluation, options: argparse.Namespace) -> list[Path]:
    """Write the pictures and the scores."""
    scores = evaluation.to_dict()
    scores["settings"]["command"] = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name != "run"
    }
    scores["settings"]["seed"] = options.seed
    path = options.output / SCORES
    path.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    return [*_draw(evaluation, options.output), path]


def _draw(evaluation: SpeakerEvaluation, folder: Path) -> list[Path]:
    """Draw the confusion of the classes and an embedding."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from ..plotting import EmbeddingDisplay, plot_confusion

    confusion = plot_confusion(
        evaluation.truth,
        evaluation.predicted,
        labels=evaluation.classes,
        label_name=evaluation.target,
    )
    embedding = EmbeddingDisplay.from_embedding(
        evaluation.embedding(0),
        evaluation.truth,
        held_out=evaluation.fold == 0,
        label_name=evaluation.target,
    )
    speakers = evaluation.folds["speakers"][0]
    embedding.ax_.set_title(f"{evaluation.corpus.name}: embedding, {speakers} held out")
    pictures = {"confusion.png": confusion, "embedding.png": embedding}
    for name, display in pictures.items():
        display.figure_.savefig(folder / name, dpi=150, bbox_inches="tight")
        plt.close(display.figure_)
    return [folder / name for name in pictures]
