"""Command line: ``sklearn-ser evaluate`` and ``sklearn-ser extract``."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from ._dimensions import DIMENSIONS, SHORT_DIMENSIONS, dimension_name

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from ._needs import Needs
    from .datasets import Corpus
    from .evaluation import SpeakerEvaluation

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
        Exit status: 0; 1 if some recordings gave nothing; or 2 after a fault, which one
        line describes.
    """
    options = _parser().parse_args(arguments)
    with _plain_warnings():
        try:
            status: int = options.run(options)
        except Exception as error:
            if options.debug:
                raise
            print(f"sklearn-ser: {error}", file=sys.stderr)
            return 2
    return status


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as text, without the line of code that they come from."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *args, **kwargs: (
        f"sklearn-ser: warning: {message}\n"
    )
    try:
        yield
    finally:
        warnings.formatwarning = before


def _parser() -> argparse.ArgumentParser:
    """Describe the command line: recipes, corpora and features name themselves."""
    parser = argparse.ArgumentParser(
        prog="sklearn-ser",
        description="Speech emotion recognition with scikit-learn.",
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
    _add_evaluate(commands, common)
    _add_extract(commands, common)
    return parser


def _add_evaluate(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``evaluate``."""
    from . import recipes

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
    _add_settings(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("sklearn-ser-output"),
        metavar="DIR",
        help="where the files are written (default: %(default)s)",
    )
    _add_corpus(parser)
    parser.set_defaults(run=_evaluate)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Describe the settings of the recipe that ``evaluate`` takes."""
    parser.add_argument(
        "--label",
        type=_label,
        metavar="DIMENSION[+DIMENSION…]",
        help="the dimensions from which a recipe learns beside the target, by their "
        f"long or short names, or none; for {', '.join(_recipes_that('label'))} "
        "(default: the target, if it is such a dimension, or the first one)",
    )
    parser.add_argument(
        "--condition",
        metavar="NAME",
        help="what a recipe is conditioned on beside the target; for "
        f"{', '.join(_recipes_that('condition'))} (default: the target itself)",
    )
    parser.add_argument(
        "--schedule",
        choices=["paper", "small_corpus"],
        default="paper",
        help="how networks are trained: as published, or as was chosen for few "
        "speakers (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="makes a result that depends on chance the same again (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP__PARAMETER=VALUE",
        help="change a parameter of a step of the recipe, by the names of its "
        "get_params(); an unknown one is answered with those that there are",
    )
    parser.add_argument(
        "--auxiliary",
        action="extend",
        nargs="+",
        default=[],
        metavar="CORPUS=DIR",
        help=f"corpora ({', '.join(_loaders())}) and their folders, on which "
        f"{', '.join(_recipes_that('auxiliary_corpora'))} are pre-trained: all their "
        "emotions, whatever --emotions says",
    )


def _add_corpus(parser: argparse.ArgumentParser) -> None:
    """Describe the data that ``evaluate`` runs on."""
    parser.add_argument(
        "--corpus",
        choices=["synthetic", *_loaders()],
        default="synthetic",
        help="on what it is evaluated (default: %(default)s)",
    )
    parser.add_argument("--data-home", metavar="DIR", help="folder of the corpus")
    parser.add_argument(
        "--dimensions",
        metavar="CSV",
        help=f"table of ratings, for {', '.join(_rated())}; without one, activation "
        "and valence are derived from the emotions for recipes that learn from them",
    )
    parser.add_argument(
        "--emotions", metavar="A,B,…", help="only these emotions (default: all)"
    )
    parser.add_argument(
        "--folds",
        type=_folds,
        metavar="K",
        help="K folds of several speakers instead of one speaker per fold",
    )


def _add_extract(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``extract``."""
    from .features._egemaps import FEATURE_SETS

    parser = commands.add_parser(
        "extract",
        parents=[common],
        help="write acoustic features of recordings to a table",
        description="Write openSMILE functionals, or the layers of a speech encoder, "
        "to a CSV or Parquet file, one row per recording, beside the columns of a "
        "table that lists them. A faulty recording gives an empty row, is named "
        "at the end, and makes the exit status 1.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="recordings, folders of recordings, or CSV tables with the column file "
        "(paths as seen from here) and, in seconds, start and end",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="a file that ends in .csv or .parquet",
    )
    parser.add_argument(
        "--feature-set",
        default=next(iter(FEATURE_SETS)),
        choices=list(FEATURE_SETS),
        help="the functionals of openSMILE that are computed (default: %(default)s)",
    )
    parser.add_argument(
        "--embedding",
        metavar="MODEL",
        help="layers of a speech encoder in the place of functionals: a name of the "
        "hub of Hugging Face, such as openai/whisper-tiny, or a folder",
    )
    parser.add_argument(
        "--layer",
        type=int,
        metavar="K",
        help="the layer of the encoder, from 0 (default: the middle one)",
    )
    parser.add_argument(
        "--sampling-rate",
        type=int,
        metavar="HZ",
        help="the rate of the functionals (default: 16000)",
    )
    parser.add_argument(
        "--channel",
        type=_channel,
        default="mean",
        metavar="N",
        help="the channel to take, counted from 0, or mean (default: %(default)s)",
    )
    parser.set_defaults(run=_extract)


def _evaluate(options: argparse.Namespace) -> int:
    """Run ``evaluate``."""
    from .evaluation import evaluate_by_speaker

    _check(options)
    options.output.mkdir(parents=True, exist_ok=True)
    corpus = _corpus(options)
    print(corpus)
    evaluation = evaluate_by_speaker(
        _build(options),
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


def _folds(text: str) -> int:
    """Read the number of folds."""
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"at least 2 are needed, got {number}.")
    return number


def _label(text: str) -> str:
    """Read the dimensions of ``--label``; return their short names in one order."""
    if text == "none":
        return text
    try:
        names = {dimension_name(name) for name in text.split("+")}
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error} Give one, several with + between them, or none."
        ) from error
    return "+".join(short for short, name in SHORT_DIMENSIONS.items() if name in names)


def _labels(options: argparse.Namespace) -> list[str]:
    """Return the dimensions from which the recipe learns beside the target."""
    if options.label in (None, "none"):
        return []
    return [dimension_name(name) for name in options.label.split("+")]


def _needs(recipe: str) -> Needs:
    """Return what a recipe has declared."""
    from . import recipes

    declared: Needs = getattr(recipes, recipe).needs
    return declared


def _recipes_that(need: str) -> list[str]:
    """Name the recipes that have declared one need."""
    from . import recipes

    return [name for name in recipes.__all__ if getattr(_needs(name), need)]


def _loaders() -> dict[str, Callable[..., Corpus]]:
    """Return the loaders of real corpora, by the names that ``--corpus`` takes."""
    from . import datasets

    return {
        name.removeprefix("load_").replace("_", "-"): getattr(datasets, name)
        for name in datasets.__all__
        if name.startswith("load_")
    }


def _rated() -> list[str]:
    """Name the corpora whose loaders take a table of ratings."""
    return [
        name
        for name, load in _loaders().items()
        if "dimensions" in inspect.signature(load).parameters
    ]


def _check(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect, and fill in the label."""
    name = options.corpus
    if name == "synthetic" and options.data_home:
        raise ValueError("--data-home goes with a real corpus (--corpus).")
    if name != "synthetic" and not options.data_home:
        raise ValueError(
            f"--corpus {name} needs --data-home, the folder that holds it."
        )
    if options.dimensions and name not in _rated():
        raise ValueError(f"--dimensions goes with --corpus {', '.join(_rated())}.")
    needs = _needs(options.recipe)
    if options.label and not needs.label:
        raise ValueError(_goes_with("--label", "label", options.recipe))
    if needs.label and not options.label:
        is_label = options.target in needs.label
        options.label = _label(options.target if is_label else needs.label[0])
    for dimension in _labels(options):
        if dimension not in needs.label:
            raise ValueError(
                f"--recipe {options.recipe} learns from {' and '.join(needs.label)}, "
                f"not from {dimension}: leave it out of --label."
            )
    if options.condition and not needs.condition:
        raise ValueError(_goes_with("--condition", "condition", options.recipe))
    if options.condition and options.condition not in needs.condition:
        raise ValueError(
            f"--condition takes {', '.join(needs.condition)}, got "
            f"{options.condition!r}."
        )
    if options.auxiliary and not needs.auxiliary_corpora:
        raise ValueError(_goes_with("--auxiliary", "auxiliary_corpora", options.recipe))
    if options.schedule != "paper" and not needs.schedule:
        raise ValueError(_goes_with("--schedule", "schedule", options.recipe))
    for text in options.set:
        _assignment(text)
    _auxiliary_folders(options)


def _goes_with(option: str, need: str, recipe: str) -> str:
    """Say with which recipes an option goes."""
    return (
        f"{option} goes with --recipe {', '.join(_recipes_that(need))}, not {recipe}."
    )


def _auxiliary_folders(options: argparse.Namespace) -> dict[str, Path]:
    """Return the folder of each auxiliary corpus; refuse other texts."""
    known = _loaders()
    folders: dict[str, Path] = {}
    for text in options.auxiliary:
        name, _, folder = text.partition("=")
        if name not in known or not folder:
            raise ValueError(
                f"--auxiliary takes CORPUS=DIR, with {', '.join(known)} as the "
                f"corpus, got {text!r}."
            )
        if name in folders:
            raise ValueError(f"--auxiliary names {name} twice.")
        if name == options.corpus:
            raise ValueError(
                f"--auxiliary {name} is what is evaluated: the speakers that are held "
                "out would be in the pre-training."
            )
        # A shell expands ~ only at the beginning of a word.
        folders[name] = Path(folder).expanduser()
    return folders


def _corpus(options: argparse.Namespace) -> Corpus:
    """Load or make the corpus."""
    from .datasets import make_emotional_speech

    if options.corpus == "synthetic":
        corpus = make_emotional_speech(random_state=options.seed)
    else:
        rated = options.corpus in _rated()
        settings = {"dimensions": options.dimensions} if rated else {}
        corpus = _loaders()[options.corpus](options.data_home, **settings)
    if options.emotions:
        names = [name.strip() for name in options.emotions.split(",")]
        corpus = corpus.keep_emotions(names)
    if options.target != "emotion" and getattr(corpus, options.target) is None:
        # Levels derived from the emotions would only be the emotions under other names.
        raise ValueError(
            f"--target {options.target} needs ratings, and {corpus.name} comes "
            f"without: {_how_to_rate(options)}."
        )
    labels = _labels(options)
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
    if options.dimensions:
        return f"the table of --dimensions needs a column of {options.target}"
    if options.corpus in _rated():
        return "give them by --dimensions"
    rated = ", ".join(_rated())
    if options.corpus == "synthetic":
        return f"choose --corpus {rated}, with a table of them in --dimensions"
    return f"choose --corpus {rated} or synthetic"


def _build(options: argparse.Namespace) -> Any:
    """Build the recipe."""
    from . import recipes

    settings: dict[str, Any] = {
        "memory": options.cache,
        "n_jobs": -1 if options.n_jobs is None else options.n_jobs,
        "on_error": "warn",
    }
    needs = _needs(options.recipe)
    if needs.seed:
        settings["random_state"] = options.seed
    if needs.schedule:
        settings["schedule"] = options.schedule
    if needs.label:
        names = () if options.label == "none" else tuple(options.label.split("+"))
        settings["label"] = names if len(names) > 1 else next(iter(names), None)
    if options.condition:
        settings["condition"] = options.condition
    recipe = getattr(recipes, options.recipe)(**settings)
    pipeline: Pipeline = getattr(recipe, "estimator", recipe)
    # The folds have a bar of their own: one for each fit would be too many.
    pipeline[0].set_params(verbose=not options.quiet)
    changes = dict(map(_assignment, options.set))
    recipe.set_params(**changes)
    loaders, folders = _loaders(), _auxiliary_folders(options)
    corpora = [loaders[name](folder) for name, folder in folders.items()]
    if needs.settle is not None:
        made = needs.settle(recipe, corpora, changes)
        if made is not None:
            print(made)
    return recipe


def _assignment(text: str) -> tuple[str, Any]:
    """Read ``name=value``, where the value is a Python literal or plain text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes STEP__PARAMETER=VALUE, got {text!r}.")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def _write(evaluation: SpeakerEvaluation, options: argparse.Namespace) -> list[Path]:
    """Write the pictures and the scores."""
    scores = evaluation.to_dict()
    scores["settings"]["command"] = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name != "run"
    }
    scores["settings"]["seed"] = options.seed
    path = options.output / "scores.json"
    path.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    return [*_draw(evaluation, options.output), path]


def _draw(evaluation: SpeakerEvaluation, folder: Path) -> list[Path]:
    """Draw the confusion of the classes and an embedding."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from .plotting import EmbeddingDisplay, plot_confusion

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


def _extract(options: argparse.Namespace) -> int:
    """Run ``extract``."""
    import pandas as pd

    from .features import has_features

    front_end = _front_end(options).set_output(transform="pandas")
    _check_output(options.output, options.inputs)
    recordings = pd.concat([_listed(path) for path in options.inputs])
    recordings = recordings.dropna(axis="columns", how="all").reset_index(drop=True)
    twice = recordings.columns.intersection(front_end.get_feature_names_out())
    if len(twice):
        raise ValueError(
            f"The table has the column {twice[0]!r}, also a feature: rename it."
        )
    features = front_end.transform(
        recordings[[name for name in ("file", "start", "end") if name in recordings]]
    )
    usable = has_features(features)
    if not usable.any():
        raise ValueError("No recording gave features: nothing is written.")
    table = recordings.join(features)
    _write_table(table, options.output)
    print(f"{len(table)} recordings, {table.shape[1]} columns: {options.output}")
    for file in recordings["file"][~usable]:
        print(f"no features: {file}", file=sys.stderr)
    return 0 if usable.all() else 1


def _front_end(options: argparse.Namespace) -> Any:
    """Return what computes the features that are written."""
    from .features import EGeMAPS, SpeechEmbedding

    common = {
        "channel": options.channel,
        "n_jobs": -1 if options.n_jobs is None else options.n_jobs,
        "memory": options.cache,
        "on_error": "warn",
        "verbose": not options.quiet,
    }
    if options.embedding is None:
        if options.layer is not None:
            raise ValueError("--layer goes with --embedding.")
        rate = 16000 if options.sampling_rate is None else options.sampling_rate
        return EGeMAPS(options.feature_set, sampling_rate=rate, **common)
    if options.sampling_rate is not None:
        raise ValueError("--sampling-rate goes without --embedding, which has its own.")
    layer = "middle" if options.layer is None else options.layer
    return SpeechEmbedding(options.embedding, layer=layer, **common)


def _check_output(output: Path, inputs: list[Path]) -> None:
    """Find out before the work whether its result can be written."""
    suffix = output.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"--output must end in .csv or .parquet, got {output}.")
    if output.resolve() in [path.resolve() for path in inputs]:
        raise ValueError(f"--output {output} is one of the inputs.")
    if output.is_dir():
        raise ValueError(f"--output {output} is a folder: give a file in it.")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise ValueError(
            "--output in Parquet needs pyarrow: run `pip install pyarrow`, or write a "
            ".csv file."
        )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise ValueError(f"--output {output} cannot be written: {error}.") from error


def _write_table(table: pd.DataFrame, output: Path) -> None:
    """Write a table, whole or not at all."""
    own = output.with_name(f".{output.stem}-{os.getpid()}{output.suffix}")
    try:
        if output.suffix.lower() == ".csv":
            table.to_csv(own, index=False)
        else:
            table.to_parquet(own, index=False)
        os.replace(own, output)
    finally:
        own.unlink(missing_ok=True)


def _listed(path: Path) -> pd.DataFrame:
    """Return the recordings that an input stands for, and what a table says of them."""
    import pandas as pd

    from .audio import SUFFIXES

    if path.is_dir():
        found = sorted(
            p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()
        )
        if not found:
            raise ValueError(f"{path} holds no recording ({', '.join(SUFFIXES)}).")
        return pd.DataFrame({"file": [str(p) for p in found]})
    if not path.is_file():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    if path.suffix.lower() == ".csv":
        table = pd.read_csv(path)
        if "file" not in table or table["file"].isna().any() or table.empty:
            raise ValueError(f"{path} needs a column 'file' with a path in each row.")
        return table
    return pd.DataFrame({"file": [str(path)]})


def _channel(text: str) -> str | int:
    """Read a channel: its number, or their mean."""
    return text if text == "mean" else int(text)


if __name__ == "__main__":
    sys.exit(main())
