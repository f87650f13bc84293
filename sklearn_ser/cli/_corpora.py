"""The corpora of the command line: their options, and loading them."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._dimensions import DIMENSIONS
from ._own import OWN, add_own, add_reading, own_loaders, take_own

if TYPE_CHECKING:
    from ..datasets import Corpus


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """Describe the data that ``evaluate`` runs on."""
    parser.add_argument(
        "--corpus",
        choices=["synthetic", *loaders()],
        default="synthetic",
        help="on what it is evaluated (default: %(default)s)",
    )
    parser.add_argument("--data-home", metavar="DIR", help="folder of the corpus")
    add_own(parser)
    add_reading(parser)
    parser.add_argument(
        "--dimensions",
        metavar="CSV",
        help=f"table of ratings, for {', '.join(rated_corpora())}; without one, "
        "activation and valence are derived from the emotions for recipes that learn "
        "from them",
    )
    parser.add_argument(
        "--emotions", metavar="A,B,…", help="only these emotions (default: all)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="makes a result that depends on chance the same again (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--folds",
        type=_folds,
        metavar="K",
        help="K folds of several speakers instead of one speaker per fold",
    )


def check_corpus(options: argparse.Namespace) -> None:
    """Refuse options of the corpus that do not go together."""
    take_own(options)
    name = options.corpus
    if name == "synthetic" and options.data_home:
        raise ValueError("--data-home goes with a real corpus (--corpus).")
    if name != "synthetic" and not options.data_home:
        raise ValueError(
            f"--corpus {name} needs --data-home, the folder that holds it."
        )
    if options.dimensions and name not in rated_corpora():
        raise ValueError(
            f"--dimensions goes with --corpus {', '.join(rated_corpora())}."
        )


def named_folder(text: str, option: str) -> tuple[str, Path]:
    """Read ``CORPUS=DIR``.

    Parameters
    ----------
    text : str
        What was given.
    option : str
        The option that took it, for the error.

    Returns
    -------
    name : str
        One of `loaders`.
    folder : pathlib.Path
        Where it lies.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    name, _, folder = text.partition("=")
    if name not in (*loaders(), *OWN) or not folder:
        raise ValueError(
            f"{option} takes CORPUS=DIR, with {', '.join(loaders())} as the corpus, or "
            f"table=FILE or folder=DIR for your own recordings; got {text!r}."
        )
    # A shell expands ~ only at the beginning of a word.
    return name, Path(folder).expanduser()


def read_seeds(text: str) -> list[int]:
    """Read seeds: ``3``, ``0,1,5`` or ``0-4``, the last one included."""
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            seeds += range(int(first), int(last if dash else first) + 1)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"takes seeds such as 0-4 or 0,1,5, got {text!r}."
        ) from error
    if not seeds or len(set(seeds)) < len(seeds):
        raise argparse.ArgumentTypeError(f"{text!r} names no seed, or one twice.")
    return seeds


def _folds(text: str) -> int:
    """Read the number of folds."""
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"at least 2 are needed, got {number}.")
    return number


def load_corpus(options: argparse.Namespace, labels: Sequence[str]) -> Corpus:
    """Load or make the corpus, with the dimensions that a recipe learns from."""
    from ..datasets import make_emotional_speech

    if options.corpus == "synthetic":
        corpus = make_emotional_speech(random_state=options.seed)
    else:
        rated = options.corpus in rated_corpora()
        settings = {"dimensions": options.dimensions} if rated else {}
        corpus = loader(options.corpus, options)(options.data_home, **settings)
        if options.corpus in OWN and getattr(options, "say_how", True):
            print(corpus.description)
    if options.emotions:
        names = [name.strip() for name in options.emotions.split(",")]
        corpus = corpus.keep_emotions(names)
    if options.target != "emotion" and getattr(corpus, options.target) is None:
        # Levels derived from the emotions would only be the emotions under other names.
        raise ValueError(
            f"--target {options.target} needs ratings, and {corpus.name} comes "
            f"without: {_how_to_rate(options)}."
        )
    return with_labels(corpus, options, labels)


def with_labels(
    corpus: Corpus, options: argparse.Namespace, labels: Sequence[str]
) -> Corpus:
    """Return the corpus with the dimensions that a recipe learns from."""
    options.labels_from = "the corpus" if labels else "not used"
    if labels and all(getattr(corpus, name) is None for name in DIMENSIONS):
        options.labels_from = "the emotions (circumplex)"
        print(
            f"{corpus.name} is given no activation and valence: they are derived from "
            "the emotions (circumplex)."
        )
        corpus = corpus.derive_dimensions()
    return corpus


def _how_to_rate(options: argparse.Namespace) -> str:
    """Say what to do where the corpus has no ratings of the target."""
    if options.corpus in OWN:
        return f"they need a column, or a place in the names, of {options.target}"
    if options.dimensions:
        return f"the table of --dimensions needs a column of {options.target}"
    if options.corpus in rated_corpora():
        return "give them by --dimensions"
    rated = ", ".join(rated_corpora())
    if options.corpus == "synthetic":
        return f"choose --corpus {rated}, with a table of them in --dimensions"
    return f"choose --corpus {rated} or synthetic"


def loader(name: str, options: argparse.Namespace) -> Callable[..., Corpus]:
    """Return what loads a corpus, or recordings of one's own."""
    return (loaders() | own_loaders(options))[name]


def loaders() -> dict[str, Callable[..., Corpus]]:
    """Return the loaders of real corpora, by the names that ``--corpus`` takes."""
    from .. import datasets

    return {
        name.removeprefix("load_").replace("_", "-"): getattr(datasets, name)
        for name in datasets.__all__
        if name.startswith("load_")
    }


def rated_corpora() -> list[str]:
    """Name the corpora whose loaders take a table of ratings."""
    return [
        name
        for name, load in loaders().items()
        if "dimensions" in inspect.signature(load).parameters
    ]
