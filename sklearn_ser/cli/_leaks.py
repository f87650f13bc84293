"""``sklearn-ser leaks``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ._corpora import add_corpus, check_corpus, load_corpus


def add_leaks(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``leaks``."""
    parser = commands.add_parser(
        "leaks",
        parents=[common],
        help="look for what training and test share",
        description="Look for what the folds of a corpus share: speakers, sentences, "
        "source recordings, and the same audio under other names. The exit status is 1 "
        "if a leak was found; notes alone are none.",
    )
    add_corpus(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the findings to a file"
    )
    parser.set_defaults(run=_leaks, target="emotion")


def _leaks(options: argparse.Namespace) -> int:
    """Run ``leaks``."""
    from ..evaluation import leakage_report

    check_corpus(options)
    if options.json is not None and options.json.exists():
        raise ValueError(f"--json {options.json} is there already: give another name.")
    corpus = load_corpus(options, ())
    print(corpus)
    report = leakage_report(corpus, cv=options.folds)
    print(f"\n{report}")
    if options.json is not None:
        text = json.dumps(report.to_dict(), indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
        print(f"\nwritten: {options.json}")
    return 1 if report else 0
