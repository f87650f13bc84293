"""``sklearn-ser compare`` and ``sklearn-ser verify``: what is done with results."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ._corpora import add_corpus, check_corpus, load_corpus


def add_compare(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``compare``."""
    parser = commands.add_parser(
        "compare",
        parents=[common],
        help="tell whether one result is better than another",
        description="Compare results of `evaluate` on the same utterances and folds, "
        "pair by pair: differences with confidence intervals over speakers, and "
        "p-values of permutations of speakers, corrected by Holm's method.",
    )
    parser.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="RESULT",
        help="two or more scores.json, or the folders that hold them",
    )
    parser.add_argument(
        "--metric",
        choices=["ua", "wa", "f1"],
        default="ua",
        help="what is compared (default: %(default)s)",
    )
    parser.add_argument(
        "--names", nargs="+", help="how to call them (default: their files)"
    )
    parser.add_argument(
        "--format",
        choices=["text", "markdown", "latex"],
        default="text",
        help="how the tables are printed (default: %(default)s)",
    )
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    """Run ``compare``."""
    from ..evaluation import compare_evaluations, read_evaluation

    paths = [p / "scores.json" if p.is_dir() else p for p in options.results]
    if len(paths) < 2:
        raise ValueError("Give two results or more to compare.")
    names = options.names or list(map(str, options.results))
    found = compare_evaluations(
        [read_evaluation(path) for path in paths], names, metric=options.metric
    )
    if options.format == "text":
        print(found)
    else:
        write = found.to_latex if options.format == "latex" else found.to_markdown
        print(f"{write('scores')}\n\n{write('pairs')}")
    return 0


def add_verify(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``verify``."""
    parser = commands.add_parser(
        "verify",
        parents=[common],
        help="run an evaluation again from its card",
        description="Run an evaluation again from the card.json of `evaluate`, and "
        "tell whether the numbers come out. The exit status is 1 if they do not. The "
        "folds and emotions are those of the card.",
    )
    parser.add_argument("card", type=Path, help="the card of the evaluation")
    add_corpus(parser)
    parser.set_defaults(run=_verify, target="emotion")


def _read_card(path: Path) -> dict[str, Any]:
    """Read a card; name the file if it is none."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}.") from error
    if not isinstance(card, dict) or "estimator" not in card:
        raise ValueError(f"{path} is no card: give the card.json of `evaluate`.")
    return card


def _verify(options: argparse.Namespace) -> int:
    """Run ``verify``."""
    from ..evaluation import verify_card

    check_corpus(options)
    card = _read_card(options.card)
    command = card.get("settings", {}).get("command", {})
    for name in ("emotions", "seed"):
        if getattr(options, name) in (None, 0):
            setattr(options, name, command.get(name, getattr(options, name)))
    derived = str(command.get("labels_from", "")).startswith("the emotions")
    corpus = load_corpus(options, ["activation"] if derived else [])
    print(corpus)
    found = verify_card(
        card, corpus, n_jobs="auto" if options.n_jobs is None else options.n_jobs
    )
    print(f"\n{found}")
    return 0 if found else 1
