"""What a recipe needs beyond recordings and emotions. This module imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from .datasets import Corpus

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Encoder = Literal["model", "mean_std", "frames"]


@dataclass(frozen=True)
class Needs:
    """What a recipe needs, and what has to be done after its parameters are changed.

    Each recipe has one, as its attribute ``needs``. The command line reads it, so that
    it knows no recipe by name. All recipes take ``memory``, ``n_jobs``, ``on_error``
    and ``verbose``; these are not listed here.

    Attributes
    ----------
    seed : bool
        Whether the result depends on chance, so that the recipe takes
        ``random_state``.
    schedule : bool
        Whether it trains networks, by the schedule that its parameter ``schedule``
        names, on the features that its parameter ``front_end`` makes.
    encoder : {"model", "mean_std", "frames"} or None
        How the recipe takes a speech encoder: by its parameter ``model``; or as its
        ``front_end``, a `sklearn_ser.SpeechEmbedding`, whose means and deviations over
        time, or whose frames, it learns from. None where it takes none as it is.
    label : tuple of {"activation", "valence", "dominance"}
        The dimensions from which the recipe can learn beside the target, by its
        parameter ``label``: the name of one, a tuple of several, or None for none of
        them. Empty where the recipe has no such parameter.
    auxiliary_corpora : bool
        Whether the recipe can be pre-trained on other corpora.
    condition : tuple of str
        What the recipe can be conditioned on beside the target, by its parameter
        ``condition``: names of what `fit` is then given, and None for the target
        itself. Empty where the recipe has no such parameter.
    settle : callable or None
        What has to be done after parameters were changed by hand:
        ``settle(model, corpora, changed)`` is given what the recipe has returned, a
        list of `Corpus` for the pre-training, and a mapping from the names of the
        parameters that were changed to their values. It changes the model, and returns
        what it has made of the corpora, or None. It raises a `ValueError` if the
        corpora would have no effect. None where nothing has to be done.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.metric_dae.needs.label
    ('activation', 'valence')
    >>> [name for name in recipes.__all__ if not getattr(recipes, name).needs.seed]
    ['compare16_svc', 'egemaps_svc', 'embedding_svc', 'logmel_baseline']
    """

    seed: bool = False
    schedule: bool = False
    encoder: Encoder | None = None
    label: tuple[str, ...] = ()
    auxiliary_corpora: bool = False
    condition: tuple[str, ...] = ()
    settle: Callable[[Any, Sequence[Corpus], Mapping[str, Any]], object] | None = field(
        default=None, repr=False
    )


class Recipe(Protocol[P, R_co]):
    """A function that returns a model, and declares what it needs."""

    needs: Needs

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return a new model."""
        ...


def needs(
    *,
    seed: bool = False,
    schedule: bool = False,
    encoder: Encoder | None = None,
    label: tuple[str, ...] = (),
    auxiliary_corpora: bool = False,
    condition: tuple[str, ...] = (),
    settle: Callable[[Any, Sequence[Corpus], Mapping[str, Any]], object] | None = None,
) -> Callable[[Callable[P, R]], Recipe[P, R]]:
    """Declare what a recipe needs.

    Parameters
    ----------
    seed, schedule, encoder, label, auxiliary_corpora, condition, settle
        See `Needs`.

    Returns
    -------
    callable
        A decorator that gives a function the attribute ``needs``.
    """
    declared = Needs(
        seed, schedule, encoder, label, auxiliary_corpora, condition, settle
    )

    def declare(function: Callable[P, R]) -> Recipe[P, R]:
        recipe = cast(Recipe[P, R], function)
        recipe.needs = declared
        return recipe

    return declare
