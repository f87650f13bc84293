"""``sklearn-ser model``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_model(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``model``."""
    parser = commands.add_parser(
        "model",
        parents=[common],
        help="tell what the file of a model holds",
        description="Print the description of a model: what it gives, its corpus, its "
        "scores by speaker, licences and limits. Nothing of the file is run.",
    )
    parser.add_argument("model", type=Path, help="a file that `train` has written")
    parser.add_argument(
        "--json", action="store_true", help="all that is known, with the card, as JSON"
    )
    parser.set_defaults(run=_model)


def _model(options: argparse.Namespace) -> int:
    """Run ``model``."""
    from ..models import describe

    told = describe(options.model)
    print(json.dumps(told, indent=1) if options.json else told["description"])
    return 0
