"""What an evaluation is made on: utterances with a class, and their features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from .._dimensions import DIMENSIONS, SHORT_DIMENSIONS
from .._sklearn import num_samples, take_rows
from ..datasets import Corpus
from ..features import has_features
from ._front_end import extractor_inside, split_front_end, usable_inside
from ._result import Target, classes_of, recording_names


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is learned from, and by what.

    Attributes
    ----------
    corpus : Corpus
        The utterances that have features and a class.
    features : ndarray, data frame or sequence of n_utterances rows
        What the learner is given.
    classes : ndarray of shape (n_utterances,)
        What it is to predict.
    learner : estimator
        The part of the estimator behind its stateless front end, unfitted.
    left_out, unrated : list of str
        The recordings without features, and without a rating.
    """

    corpus: Corpus
    features: Any
    classes: NDArray[np.str_]
    learner: Any
    left_out: list[str]
    unrated: list[str]


def prepare(
    estimator: Any,
    corpus: Corpus,
    target: Target,
    features: Any = None,
    memory: Any = None,
) -> Prepared:
    """Run the front end, and leave out what has no features or no class.

    Parameters
    ----------
    estimator : estimator
        What is evaluated.
    corpus : Corpus
        All utterances.
    target : {"emotion", "activation", "valence", "dominance"}
        What is predicted.
    features : table, sequence or None
        One row for each utterance; None has the front end compute them.
    memory : str, os.PathLike or None
        Where a front end without a memory of its own keeps them.

    Returns
    -------
    Prepared
        The utterances, and what is known of them.

    Raises
    ------
    ValueError
        If no utterance has features, if the features are not one for each utterance,
        or if there is a front end that would compute them once more.
    """
    if features is not None:
        _check_features(features, estimator, corpus)
    names, rated = np.array(recording_names(corpus)), _is_rated(corpus, target)
    unrated, n_utterances = names[~rated].tolist(), len(corpus)
    corpus, names = corpus.select(rated), names[rated]
    front_end, learner = split_front_end(estimator)
    if features is None:
        features, usable = _computed(estimator, front_end, corpus, memory)
    else:
        if n_utterances > len(corpus):
            features = take_rows(features, np.flatnonzero(rated))
        usable = _is_given(features)
    if not usable.any():
        raise ValueError(f"None of the {len(corpus)} recordings has features.")
    left_out = names[~usable].tolist()
    if left_out:
        corpus = corpus.select(usable)
        features = take_rows(features, np.flatnonzero(usable))
    return Prepared(
        corpus, features, classes_of(corpus, target), learner, left_out, unrated
    )


def long_name(target: str) -> Target:
    """Return the target by its long name; refuse other names.

    Parameters
    ----------
    target : str
        ``"emotion"``, or a dimension by its long or short name.

    Returns
    -------
    {"emotion", "activation", "valence", "dominance"}

    Raises
    ------
    ValueError
        If it is another.
    """
    name: Any = SHORT_DIMENSIONS.get(str(target), target)
    if name not in ("emotion", *DIMENSIONS):
        raise ValueError(
            f"target must be 'emotion', {', '.join(map(repr, DIMENSIONS[:-1]))} or "
            f"{DIMENSIONS[-1]!r}, got {target!r}."
        )
    target_name: Target = name
    return target_name


def _check_features(features: Any, estimator: Any, corpus: Corpus) -> None:
    """Refuse features that do not fit the corpus, or that nothing would take."""
    if extractor_inside(estimator) is not None:
        raise ValueError(
            "features= are given, but the estimator begins with a front end, which "
            "takes recordings: leave out one of the two."
        )
    count = num_samples(features)
    if count != len(corpus):
        raise ValueError(
            f"features has {count} rows, but the corpus {corpus.name} has "
            f"{len(corpus)} utterances: give one row for each, in its order; NaN where "
            "there are none."
        )


def _computed(
    estimator: Any, front_end: list[Any], corpus: Corpus, memory: Any
) -> tuple[Any, NDArray[np.bool_]]:
    """Return what the front end gives, and for which recordings there is something."""
    audio = corpus.audio
    features: Any = audio
    for step in front_end:
        if memory is not None and getattr(step, "memory", memory) is None:
            step = _with_memory(step, memory)
        features = step.transform(features)
    usable = has_features(features)
    asked = usable_inside(estimator, front_end, audio)
    return features, usable if asked is None else usable & asked


def _with_memory(step: Any, memory: Any) -> Any:
    """Return a copy of a front end that keeps its features, if it can."""
    if "memory" not in step.get_params(deep=False):
        return step
    return clone(step).set_params(memory=memory)


def _is_given(features: Any) -> NDArray[np.bool_]:
    """Tell which rows of given features are there."""
    count = num_samples(features)
    is_array = hasattr(features, "__array__")
    if not isinstance(features, list | tuple) and not is_array:
        return np.ones(count, dtype=bool)  # of a kind of its own: nothing is known
    values = np.asarray(features) if is_array else _entries(features)
    if values.ndim == 1 and values.dtype == object:
        is_there = np.array([not _is_missing(entry) for entry in values], dtype=bool)
        return is_there & has_features(values)
    by_row = np.asarray(pd.isna(values)).reshape(count, -1)
    return np.asarray(~by_row.all(axis=1))


def _entries(features: Sequence[Any]) -> NDArray[np.object_]:
    """Return the entries of a list, whatever they are."""
    return np.fromiter(features, dtype=object, count=len(features))


def _is_missing(entry: Any) -> bool:
    """Tell whether an entry is None or NaN, or a row of NaN."""
    if isinstance(entry, list | np.ndarray) and len(entry):
        return all(np.ndim(x) == 0 and _is_missing(x) for x in entry)
    is_number = isinstance(entry, float | np.floating)
    return entry is None or entry is pd.NA or bool(is_number and np.isnan(entry))


def _is_rated(corpus: Corpus, target: Target) -> NDArray[np.bool_]:
    """Tell which utterances have a class."""
    if target == "emotion":
        return np.ones(len(corpus), dtype=bool)
    ratings = getattr(corpus, target)
    if ratings is None or np.isnan(ratings).all():
        raise ValueError(
            f"The corpus {corpus.name} has no ratings of {target}: load it with its "
            "table of them, where there is one."
        )
    rated: NDArray[np.bool_] = ~np.isnan(ratings)
    return rated
