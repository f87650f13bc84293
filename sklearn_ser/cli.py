"""Command line: ``sklearn-ser evaluate`` and ``sklearn-ser extract``."""

from __future__ import annotations

import argparse
import ast
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from .datasets import Corpus
    from .evaluation import SpeakerEvaluation

__all__ = ["main"]

_LABELS = {"act": "act", "val": "val", "act+val": ("act", "val"), "none": None}
_RECIPES = (
    "metric_dae",
    "egemaps_svc",
    "cvae_lstm",
    "vae_lstm",
    "ae_lstm",
    "contrastive_siamese",
    "menan",
    "dat",
    "pseudo_siamese_gated",
    "psn",
    "pt_g",
    "pt",
    "cnn_blstm",
)
# Those that are pre-trained on other corpora, and the step that is given them.
_PRETRAINED = ("pseudo_siamese_gated", "psn", "pt_g", "pt")
_PRETRAINED_STEP = "pseudosiamesegated"
_CORPORA = ("emodb", "urdu", "crema-d")
# The corpora that --dimensions rates.
_RATED = ("emodb", "urdu")
_AUDIO = (".wav", ".flac", ".ogg", ".mp3")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        What stands after the program's name; None takes it from the shell.

    Returns
    -------
    int
        Exit status: 0, or 2 after a fault, which is said in one line.
    """
    options = _parser().parse_args(arguments)
    with _plain_warnings():
        try:
            options.run(options)
        except Exception as error:
            if options.debug:
                raise
            print(f"sklearn-ser: {error}", file=sys.stderr)
            return 2
    return 0


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
    """Describe the command line."""
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
        "processors, and one)",
    )
    common.add_argument(
        "--cache",
        metavar="DIR",
        help="folder in which to keep what takes long to compute, so that the next "
        "run finds it: features, and the trained branches of pseudo_siamese_gated, "
        "psn, pt_g, pt and cnn_blstm",
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
    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="cross-validate a recipe by speaker",
        description="Cross-validate a recipe with one speaker held out in turn; print "
        "the folds, and write confusion.png, embedding.png and scores.json.",
    )
    parser.add_argument(
        "--recipe",
        choices=_RECIPES,
        default="metric_dae",
    )
    parser.add_argument(
        "--target",
        choices=["emotion", "activation", "valence"],
        default="emotion",
        help="what is classified: emotions, or the three levels of a rated dimension "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--label",
        choices=list(_LABELS),
        help="what metric_dae learns from (default: act, or val with --target valence)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP__PARAMETER=VALUE",
        help="change a parameter of the recipe, such as metricdae__max_epochs=200, or "
        "of menan and dat estimator__menan__max_epochs=40 and factors=()",
    )
    parser.add_argument(
        "--auxiliary",
        action="extend",
        nargs="+",
        default=[],
        metavar="CORPUS=DIR",
        help=f"corpora ({', '.join(_CORPORA)}) and their folders, on which "
        f"{', '.join(_PRETRAINED)} are pre-trained: all their emotions, whatever "
        "--emotions says",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("sklearn-ser-output"),
        metavar="DIR",
        help="where the files are written (default: %(default)s)",
    )
    _add_corpus(parser)
    parser.set_defaults(run=_evaluate)


def _add_corpus(parser: argparse.ArgumentParser) -> None:
    """Describe what ``evaluate`` is run on."""
    parser.add_argument(
        "--corpus",
        choices=["synthetic", *_CORPORA],
        default="synthetic",
    )
    parser.add_argument("--data-home", metavar="DIR", help="folder of the corpus")
    parser.add_argument(
        "--dimensions",
        metavar="CSV",
        help="table of activation and valence, for emodb and urdu; without, what "
        "metric_dae learns from is derived from the emotions",
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
    parser = commands.add_parser(
        "extract",
        parents=[common],
        help="write acoustic features of recordings to a table",
        description="Write openSMILE functionals to a CSV or Parquet file, one row per "
        "recording. A faulty recording gives an empty row and is named at the end.",
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
        default="eGeMAPSv02",
        choices=["eGeMAPSv02", "eGeMAPSv01b", "GeMAPSv01b", "ComParE_2016", "emobase"],
    )
    parser.add_argument("--sampling-rate", type=int, default=16000, metavar="HZ")
    parser.set_defaults(run=_extract)


def _evaluate(options: argparse.Namespace) -> None:
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
        n_jobs=options.n_jobs,
        verbose=not options.quiet,
    )
    written = _write(evaluation, options)
    label = f", label {options.label}" if options.label else ""
    print(f"\n{options.recipe}{label}, seed {options.seed}")
    print(f"{options.target}, held out by speaker\n")
    print(evaluation)
    print("\nwritten: " + ", ".join(str(path) for path in written))


def _folds(text: str) -> int:
    """Read the number of folds."""
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"at least 2 are needed, got {number}")
    return number


def _check(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect, and fill in the label."""
    name = options.corpus
    if name == "synthetic" and options.data_home:
        raise ValueError("--data-home goes with a real corpus (--corpus)")
    if name != "synthetic" and not options.data_home:
        raise ValueError(f"--corpus {name} needs --data-home, the folder that holds it")
    if options.dimensions and name not in _RATED:
        raise ValueError("--dimensions goes with --corpus emodb and urdu")
    if options.recipe == "metric_dae":
        default = "val" if options.target == "valence" else "act"
        options.label = options.label or default
    elif options.label:
        raise ValueError(f"--label goes with --recipe metric_dae, not {options.recipe}")
    if options.auxiliary and options.recipe not in _PRETRAINED:
        raise ValueError(
            f"--auxiliary goes with --recipe {', '.join(_PRETRAINED)}, not "
            f"{options.recipe}"
        )
    changes = dict(map(_assignment, options.set))
    for name in ("auxiliary_corpora", "fusion"):
        if options.auxiliary and changes.get(f"{_PRETRAINED_STEP}__{name}", "") is None:
            raise ValueError(f"--auxiliary has no effect with --set {name}=None")
    _auxiliary_folders(options)


def _auxiliary_folders(options: argparse.Namespace) -> dict[str, Path]:
    """Return the folder of each auxiliary corpus; refuse what is none."""
    folders: dict[str, Path] = {}
    for text in options.auxiliary:
        name, _, folder = text.partition("=")
        if name not in _CORPORA or not folder:
            raise ValueError(
                f"--auxiliary takes CORPUS=DIR, with {', '.join(_CORPORA)} as the "
                f"corpus, got {text!r}"
            )
        if name in folders:
            raise ValueError(f"--auxiliary names {name} twice")
        if name == options.corpus:
            raise ValueError(
                f"--auxiliary {name} is what is evaluated: the speakers that are held "
                "out would be in the pre-training"
            )
        # A shell expands ~ at the beginning of a word alone.
        folders[name] = Path(folder).expanduser()
    return folders


def _load(name: str, folder: str | Path, **settings: Any) -> Corpus:
    """Load a real corpus."""
    from . import datasets

    corpus: Corpus = getattr(datasets, f"load_{name.replace('-', '_')}")(
        folder, **settings
    )
    return corpus


def _corpus(options: argparse.Namespace) -> Corpus:
    """Load or make the corpus."""
    from .datasets import make_emotional_speech

    if options.corpus == "synthetic":
        corpus = make_emotional_speech(random_state=options.seed)
    else:
        rated = options.corpus in _RATED
        settings = {"dimensions": options.dimensions} if rated else {}
        corpus = _load(options.corpus, options.data_home, **settings)
    if options.emotions:
        names = [name.strip() for name in options.emotions.split(",")]
        corpus = corpus.keep_emotions(names)
    if options.target != "emotion" and getattr(corpus, options.target) is None:
        # Levels derived from the emotions would only be these under other names.
        remedy = "give them by --dimensions"
        if options.corpus not in _RATED:
            remedy = f"choose --corpus {', '.join(_RATED)} or synthetic"
        raise ValueError(
            f"--target {options.target} needs ratings, and {corpus.name} comes "
            f"without: {remedy}"
        )
    options.labels_from = "not used"
    if _LABELS.get(options.label):
        options.labels_from = "the corpus"
    if _LABELS.get(options.label) and corpus.activation is None:
        options.labels_from = "the emotions (circumplex)"
        print(
            f"{corpus.name} is given no activation and valence: they are derived from "
            "the emotions (circumplex)"
        )
        corpus = corpus.derive_dimensions()
    return corpus


def _build(options: argparse.Namespace) -> Any:
    """Build the recipe."""
    from . import recipes

    settings: dict[str, Any] = {
        "memory": options.cache,
        "n_jobs": -1 if options.n_jobs is None else options.n_jobs,
        "on_error": "warn",
    }
    if options.recipe != "egemaps_svc":
        settings["random_state"] = options.seed
    if options.recipe == "metric_dae":
        settings["label"] = _LABELS[options.label]
    recipe = getattr(recipes, options.recipe)(**settings)
    pipeline: Pipeline = getattr(recipe, "estimator", recipe)
    # The folds have a bar of their own: one for each fit would be too many.
    pipeline[0].set_params(verbose=not options.quiet)
    changes = dict(map(_assignment, options.set))
    recipe.set_params(**changes)
    shape = f"{_PRETRAINED_STEP}__segment_shape"
    if shape in recipe.get_params() and shape not in changes:
        # Of the front end as --set has left it, as are the auxiliary corpora below.
        recipe.set_params(**{shape: pipeline[0].segment_shape})
    corpora = [_load(*named) for named in _auxiliary_folders(options).items()]
    if corpora:
        from .datasets import AuxiliaryCorpora

        auxiliary = AuxiliaryCorpora.from_corpora(corpora, pipeline[0])
        print(auxiliary)
        recipe.set_params(**{f"{_PRETRAINED_STEP}__auxiliary_corpora": auxiliary})
    return recipe


def _assignment(text: str) -> tuple[str, Any]:
    """Read ``name=value``, where the value is a Python literal or plain text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes STEP__PARAMETER=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def _write(evaluation: SpeakerEvaluation, options: argparse.Namespace) -> list[Path]:
    """Write the plots and the scores."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from .plotting import EmbeddingDisplay, plot_confusion

    paths = [
        options.output / name
        for name in ("confusion.png", "embedding.png", "scores.json")
    ]
    corpus = evaluation.corpus
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
    embedding.ax_.set_title(f"{corpus.name}: embedding, {speakers} held out")
    for display, path in zip((confusion, embedding), paths, strict=False):
        display.figure_.savefig(path, dpi=150, bbox_inches="tight")
        plt.close(display.figure_)
    scores = evaluation.to_dict()
    scores["settings"]["command"] = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name != "run"
    }
    scores["settings"]["seed"] = options.seed
    paths[-1].write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    return paths


def _extract(options: argparse.Namespace) -> None:
    """Run ``extract``."""
    import pandas as pd

    from .features import EGeMAPS, has_features

    suffix = options.output.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"--output must end in .csv or .parquet, got {options.output}")
    if options.output.resolve() in [path.resolve() for path in options.inputs]:
        raise ValueError(f"--output {options.output} is one of the inputs")
    recordings = pd.concat([_listed(path) for path in options.inputs])
    recordings = recordings.dropna(axis="columns", how="all").reset_index(drop=True)
    front_end = EGeMAPS(
        options.feature_set,
        sampling_rate=options.sampling_rate,
        n_jobs=-1 if options.n_jobs is None else options.n_jobs,
        memory=options.cache,
        on_error="warn",
        verbose=not options.quiet,
    ).set_output(transform="pandas")
    features = front_end.transform(recordings)
    if not has_features(features).any():
        raise ValueError("no recording gave features: nothing is written")
    table = recordings.join(features)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write = table.to_csv if suffix == ".csv" else table.to_parquet
    write(options.output, index=False)
    print(f"{len(table)} recordings, {table.shape[1]} columns: {options.output}")


def _listed(path: Path) -> pd.DataFrame:
    """Return the recordings that an input stands for: file, start and end."""
    import pandas as pd

    if path.is_dir():
        found = sorted(
            p for p in path.rglob("*") if p.suffix.lower() in _AUDIO and p.is_file()
        )
        if not found:
            raise ValueError(f"{path} holds no recording ({', '.join(_AUDIO)})")
        return pd.DataFrame({"file": [str(p) for p in found]})
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if path.suffix.lower() == ".csv":
        table = pd.read_csv(path)
        if "file" not in table or table["file"].isna().any() or table.empty:
            raise ValueError(f"{path} needs a column 'file' with a path in each row")
        return table[[name for name in ("file", "start", "end") if name in table]]
    return pd.DataFrame({"file": [str(path)]})


if __name__ == "__main__":
    sys.exit(main())
