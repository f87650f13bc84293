"""The recipes of the command line: their options, and building them."""

from __future__ import annotations

import argparse
import ast
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._dimensions import DIMENSIONS, SHORT_DIMENSIONS, dimension_name
from ._corpora import loader, loaders, named_folder
from ._own import OWN

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from .._needs import Needs


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Describe which recipe a command takes."""
    from .. import recipes

    parser.add_argument(
        "--recipe",
        choices=recipes.__all__,
        default=recipes.DEFAULT,
        help="what is evaluated (default: %(default)s)",
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    """Describe what a recipe learns to predict."""
    parser.add_argument(
        "--target",
        type=lambda name: SHORT_DIMENSIONS.get(name, name),
        choices=["emotion", *DIMENSIONS],
        default="emotion",
        help="what is classified: emotions, or the three levels of a rated dimension, "
        f"also by its short name, {', '.join(SHORT_DIMENSIONS)} (default: %(default)s)",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
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
        "--embedding",
        metavar="MODEL",
        help="a speech encoder in the place of the recipe's features: a name of the "
        "hub of Hugging Face, such as openai/whisper-tiny, or a folder; for "
        f"{', '.join(_recipes_that('encoder'))}",
    )
    parser.add_argument(
        "--layer",
        type=int,
        metavar="K",
        help="the layer of the encoder, from 0 (default: the middle one, or the one "
        "that a recipe finds best on its training speakers)",
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
        help=f"corpora ({', '.join(loaders())}) and their folders, or table=FILE or "
        "folder=DIR of your own, on which "
        f"{', '.join(_recipes_that('auxiliary_corpora'))} are pre-trained: all their "
        "emotions, whatever --emotions says",
    )


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


def labels_of(options: argparse.Namespace) -> list[str]:
    """Return the dimensions from which the recipe learns beside the target."""
    if options.label in (None, "none"):
        return []
    return [dimension_name(name) for name in options.label.split("+")]


def _needs(recipe: str) -> Needs:
    """Return what a recipe has declared."""
    from .. import recipes

    declared: Needs = getattr(recipes, recipe).needs
    return declared


def takes_seed(recipe: str) -> bool:
    """Tell whether the result of a recipe depends on chance."""
    return _needs(recipe).seed


def _recipes_that(need: str) -> list[str]:
    """Name the recipes that have declared one need."""
    from .. import recipes

    return [name for name in recipes.__all__ if getattr(_needs(name), need)]


def check_recipe(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect, and fill in the label."""
    needs = _needs(options.recipe)
    if options.label and not needs.label:
        raise ValueError(_goes_with("--label", "label", options.recipe))
    if needs.label and not options.label:
        is_label = options.target in needs.label
        options.label = _label(options.target if is_label else needs.label[0])
    for dimension in labels_of(options):
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
    if options.embedding and not needs.encoder:
        raise ValueError(_goes_with("--embedding", "encoder", options.recipe))
    if options.layer is not None and not options.embedding:
        raise ValueError("--layer goes with --embedding.")
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
    folders: dict[str, Path] = {}
    for text in options.auxiliary:
        name, folder = named_folder(text, "--auxiliary")
        if name in folders:
            raise ValueError(f"--auxiliary names {name} twice.")
        if name == options.corpus and name not in OWN:
            raise ValueError(
                f"--auxiliary {name} is what is evaluated: the speakers that are held "
                "out would be in the pre-training."
            )
        folders[name] = folder
    return folders


def build_recipe(options: argparse.Namespace) -> Any:
    """Build the recipe, without what comes from auxiliary corpora."""
    from .. import recipes

    settings: dict[str, Any] = {
        "memory": options.cache,
        "n_jobs": -1 if options.n_jobs is None else options.n_jobs,
        "on_error": "warn",
    }
    needs = _needs(options.recipe)
    settings |= _encoder(options, needs, settings)
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
    _check_names(changes, recipe.get_params())
    return recipe.set_params(**changes)


def settle_recipe(recipe: Any, options: argparse.Namespace) -> None:
    """Load the auxiliary corpora and give them to the recipe."""
    settle = _needs(options.recipe).settle
    if settle is None:
        return
    folders = _auxiliary_folders(options)
    corpora = [loader(name, options)(folder) for name, folder in folders.items()]
    made = settle(recipe, corpora, dict(map(_assignment, options.set)))
    if made is not None:
        print(made)


def _check_names(changes: dict[str, Any], known: dict[str, Any]) -> None:
    """Refuse parameters that the recipe lacks, and tell which it has."""
    for name in changes:
        if name in known:
            continue
        lower = {other.lower(): other for other in known}
        close = get_close_matches(name.lower(), lower, n=1)
        meant = f"Did you mean {lower[close[0]]}? " if close else ""
        step, nested, _ = name.rpartition("__")
        of_step = [x for x in known if x.rpartition("__")[0] == step and nested]
        raise ValueError(
            f"--set {name}: the recipe has no such parameter. {meant}"
            f"It has {', '.join(of_step or known)}."
        )


def _encoder(
    options: argparse.Namespace, needs: Needs, common: dict[str, Any]
) -> dict[str, Any]:
    """Return the parameters by which a recipe takes a speech encoder."""
    if not options.embedding:
        return {}
    if needs.encoder == "model":
        layers = {} if options.layer is None else {"layers": (options.layer,)}
        return {"model": options.embedding, **layers}
    from ..features import SpeechEmbedding

    pooling = None if needs.encoder == "frames" else "mean_std"
    layer = "middle" if options.layer is None else options.layer
    return {
        "front_end": SpeechEmbedding(
            options.embedding, layer=layer, pooling=pooling, **common
        )
    }


def _assignment(text: str) -> tuple[str, Any]:
    """Read ``name=value``, where the value is a Python literal or plain text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes STEP__PARAMETER=VALUE, got {text!r}.")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value
