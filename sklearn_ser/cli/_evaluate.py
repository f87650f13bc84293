"""``sklearn-ser evaluate``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._corpora import add_corpus, check_corpus, load_corpus, read_seeds
from ._files import add_output, check_file, check_output, write_json
from ._recipes import (
    add_recipe,
    add_settings,
    add_target,
    build_recipe,
    check_recipe,
    labels_of,
    settle_recipe,
    takes_seed,
)

if TYPE_CHECKING:
    from ..evaluation import SpeakerEvaluation

SCORES, CARD = "scores.json", "card.json"


def add_evaluate(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``evaluate``."""
    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="cross-validate a recipe by speaker",
        description="Cross-validate a recipe with one speaker held out in turn; print "
        "the folds, and write confusion.png, embedding.png, scores.json, and card.json "
        "with all that `verify` needs to run it again.",
    )
    add_recipe(parser)
    add_target(parser)
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
    parser.add_argument(
        "--seeds",
        type=read_seeds,
        metavar="0-4",
        help="several seeds, in the place of --seed: the scores are their means",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="DIR",
        help="folder for finished folds: the same command goes on where it was stopped",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="also write a page with tables, pictures and settings: report.html",
    )
    add_output(parser)
    add_corpus(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    """Run ``evaluate``."""
    from ..evaluation import evaluate_by_speaker

    check_corpus(options)
    check_recipe(options)
    _check(options)
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
        seeds=options.seeds,
        checkpoint=options.checkpoint,
        n_jobs="auto" if options.n_jobs is None else options.n_jobs,
        verbose=not options.quiet,
    )
    written = _write(evaluation, options)
    label = f", label {options.label}" if options.label else ""
    seeds = options.seeds or [options.seed]
    print(f"\n{options.recipe}{label}, seed {', '.join(map(str, seeds))}")
    print(f"{options.target}, held out by speaker\n")
    print(evaluation)
    print("\nwritten: " + ", ".join(str(path) for path in written))
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together, or would write over a file."""
    if options.new_sentences and options.folds:
        raise ValueError("--new-sentences makes its own folds: leave --folds out.")
    if options.seeds and not takes_seed(options.recipe):
        raise ValueError(
            f"--seeds goes with recipes that depend on chance; {options.recipe} gives "
            "the same result each time."
        )
    if options.report is not None:
        check_file(options.report, "--report", overwrite=options.overwrite)


def _write(evaluation: SpeakerEvaluation, options: argparse.Namespace) -> list[Path]:
    """Write the pictures, the scores, the card and the report."""
    scores = evaluation.to_dict()
    scores["settings"]["seed"] = options.seeds or options.seed
    written = _draw(evaluation, options.output)
    for result, name in ((scores, SCORES), ({**evaluation.card}, CARD)):
        path = options.output / name
        write_json(result, path, options)
        written.append(path)
    if options.report is not None:
        written.append(evaluation.report(options.report))
    return written


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
