"""``sklearn-ser evaluate``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._dimensions import DIMENSIONS, SHORT_DIMENSIONS
from ._corpora import add_corpus, check_corpus, load_corpus
from ._files import add_output, check_output, write_json
from ._recipes import (
    add_recipe,
    add_settings,
    build_recipe,
    check_recipe,
    labels_of,
    settle_recipe,
)

if TYPE_CHECKING:
    from ..evaluation import SpeakerEvaluation

SCORES = "scores.json"


def add_evaluate(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``evaluate``."""
    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="cross-validate a recipe by speaker",
        description="Cross-validate a recipe with one speaker held out in turn; print "
        "the folds, and write confusion.png, embedding.png and scores.json.",
    )
    add_recipe(parser)
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
        "--on-leak",
        choices=["raise", "warn", "ignore"],
        help="what to do where the training knows of the test (default: raise for "
        "speakers that are shared, warn of all else)",
    )
    parser.add_argument(
        "--new-sentences",
        action="store_true",
        help="hold out sentences, too: the training has neither the speaker nor the "
        "sentence of what is tested",
    )
    add_output(parser)
    add_corpus(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    """Run ``evaluate``."""
    from ..evaluation import evaluate_by_speaker

    check_corpus(options)
    check_recipe(options)
    if options.new_sentences and options.folds:
        raise ValueError("--new-sentences makes its own folds: leave --folds out.")
    check_output(options, SCORES)
    recipe = build_recipe(options)
    options.output.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(options, labels_of(options))
    print(corpus)
    settle_recipe(recipe, options)
    evaluation = evaluate_by_speaker(
        recipe,
        corpus,
        target=options.target,
        cv="speaker_sentence" if options.new_sentences else options.folds,
        on_leak=options.on_leak,
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


def _write(evaluation: SpeakerEvaluation, options: argparse.Namespace) -> list[Path]:
    """Write the pictures and the scores."""
    scores = evaluation.to_dict()
    scores["settings"]["seed"] = options.seed
    path = options.output / SCORES
    write_json(scores, path, options)
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
