"""What an estimator, or a table of features, brings into a fold from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv

from .._sklearn import BaseSearchCV
from ..features._base import RecordingTransformer
from ._leak_report import Leak
from ._protocol import (
    AugmentsTraining,
    NamesPretrainingCorpora,
    find_pretraining,
    find_speaker_statistics,
    parts,
)
from ._speaker_sentence import Split
from ._splits import takes

# A table that was standardised as a whole is so to this precision, which is that of
# float32; one that was not is off by about one divided by the root of its rows.
EXACT = 1e-5
# Rows from which on that can be told.
LEAST_ROWS = 10
# What scikit-learn's HistGradientBoosting takes as many with early_stopping="auto".
MANY = 10_000


def leaks_of_estimator(
    learner: Any, splits: Sequence[Split], speakers: Any
) -> Iterator[Leak]:
    """Give what can be told from an estimator, its folds and its speakers.

    Parameters
    ----------
    learner : estimator
        Without what treats each recording by itself.
    splits : sequence of tuple of ndarray
        Training and test rows of each fold.
    speakers : ndarray of shape (n,) or None
        The speakers.

    Yields
    ------
    Leak
    """
    n_tested = sum(len(test) for _, test in splits)
    if speakers is not None:
        yield from _searches(learner, n_tested)
        yield from _stopping_by_name(learner, splits, speakers)
    yield from _stopping_by_utterance(learner, n_tested)
    statistics = find_speaker_statistics(learner)
    if statistics is not None:
        yield Leak("speaker statistics", "leak", n_tested, (statistics,))


def blind_searches(estimator: Any) -> Iterator[tuple[str, str]]:
    """Give the searches inside whose splitters do not look at speakers.

    Parameters
    ----------
    estimator : estimator
        With its parts among its parameters.

    Yields
    ------
    name : str
        Of the class of the search.
    remark : str
        What is wrong.
    """
    for part in parts(estimator):
        if isinstance(part, BaseSearchCV) and not takes(check_cv(part.cv), "groups"):
            name = type(part).__name__
            yield (
                name,
                f"{name} splits by cv={part.cv!r}, which does not look at speakers: it "
                "selects parameters for speakers that it knows.",
            )


def _searches(learner: Any, n_tested: int) -> Iterator[Leak]:
    """Give the searches that select parameters on shared speakers, or on copies."""
    for name, remark in blind_searches(learner):
        yield Leak("search", "leak", n_tested, (name,), None, remark)
    for part in parts(learner):
        if isinstance(part, AugmentsTraining) and part.augments_training():
            own = type(part).__name__
            for name, _ in blind_searches(part):
                remark = (
                    f"{own} stands before the folds of {name}, which selects "
                    f"parameters on copies of what it trains on. Put {own} inside."
                )
                names = (f"{own} before {name}",)
                yield Leak("augmentation", "leak", n_tested, names, None, remark)


def _stopping_by_name(
    learner: Any, splits: Sequence[Split], speakers: NDArray[Any]
) -> Iterator[Leak]:
    """Give the folds whose tested speakers are named for early stopping."""
    for part in parts(learner):
        named = getattr(part, "validation_groups", None)
        if named is None or not getattr(part, "early_stopping", True):
            continue
        for fold, (train, test) in enumerate(splits):
            tested = np.isin(speakers[test], _watched(named, speakers[train]))
            if not tested.any():
                continue
            names = tuple(np.unique(speakers[test][tested]).tolist())
            # Whom the training lacks, estimators of this library pass over.
            in_training = np.isin(speakers[train], names).any()
            remark = "" if in_training else "passed over in folds that test them"
            severity: Any = "leak" if in_training else "note"
            n_touched = int(tested.sum())
            yield Leak("early stopping", severity, n_touched, names, fold, remark)


def _watched(named: Any, training: NDArray[Any]) -> list[Any]:
    """Return whom early stopping watches; a mapping names those of absent speakers."""
    if isinstance(named, Mapping):
        return [partner for who, partner in named.items() if who not in training]
    return [*named]


def _stopping_by_utterance(learner: Any, n_tested: int) -> Iterator[Leak]:
    """Give the estimators that stop early by utterances of speakers they train on."""
    for part in parts(learner):
        draws = hasattr(part, "validation_fraction") and hasattr(part, "get_params")
        if not draws or hasattr(part, "validation_groups"):
            continue
        stops = getattr(part, "early_stopping", None)
        if stops is None:  # GradientBoosting, which has no such parameter
            stops = getattr(part, "n_iter_no_change", None) is not None
        if stops is True or (stops == "auto" and n_tested > MANY):
            name = type(part).__name__
            remark = (
                f"{name} draws utterances for its validation, of speakers that it is "
                "trained on: it stops late. No tested speaker is among them."
            )
            yield Leak("early stopping", "note", n_tested, (name,), None, remark)


def leaks_of_pretraining(
    estimator: Any, corpus_name: str | None, features: Any, n_tested: int
) -> Iterator[Leak]:
    """Give auxiliary corpora with the name, or with utterances, of the tested one.

    Parameters
    ----------
    estimator : estimator
        As it is given.
    corpus_name : str or None
        The name of the corpus that is evaluated.
    features : array-like of n rows or sequences, or None
        What its front end gives.
    n_tested : int
        How many utterances are tested.

    Yields
    ------
    Leak
    """
    for place, names in find_pretraining(estimator):
        if corpus_name in names:
            remark = f"{place} holds a corpus of the name {corpus_name}"
            yield Leak(
                "pretraining", "leak", n_tested, (str(corpus_name),), None, remark
            )
            return
    for part in parts(estimator):
        holds = getattr(part, "holds", None)
        if features is None or not (
            callable(holds) and isinstance(part, NamesPretrainingCorpora)
        ):
            continue
        try:
            held = np.asarray(holds(features))
        except ValueError:  # of another front end
            continue
        if held.any():
            others = tuple(part.pretraining_corpora())
            remark = f"{', '.join(others)} holds tested utterances under another name"
            yield Leak("pretraining", "leak", int(held.sum()), others, None, remark)


def leaks_of_frozen(learner: Any, features: Any, n_tested: int) -> Iterator[Leak]:
    """Give frozen steps that were fitted to what is tested.

    Parameters
    ----------
    learner : estimator
        Without what treats each recording by itself.
    features : array-like of n rows or sequences
        What it is given.
    n_tested : int
        How many utterances are tested.

    Yields
    ------
    Leak
    """
    for part in parts(learner):
        if not isinstance(part, FrozenEstimator):
            continue
        fitted = part.estimator
        learned = [name for name in vars(fitted) if name.endswith("_")]
        if not learned or isinstance(fitted, RecordingTransformer):
            continue
        name = f"FrozenEstimator({type(fitted).__name__})"
        if _is_of(fitted, features):
            remark = "it was fitted to all utterances, those that are tested among them"
            yield Leak("statistics", "leak", n_tested, (name,), None, remark)
        else:
            remark = "what it was fitted to cannot be seen"
            yield Leak("statistics", "note", n_tested, (name,), None, remark)


def _is_of(fitted: Any, features: Any) -> bool:
    """Tell whether a step was fitted to all rows, by what it says of them."""
    n_seen = getattr(fitted, "n_samples_seen_", getattr(fitted, "n_samples_", None))
    if n_seen is not None and np.all(np.asarray(n_seen) == len(features)):
        return True
    table = np.asarray(features)
    if table.ndim != 2 or table.dtype.kind != "f":
        return False
    for name, statistic in (("mean_", np.nanmean), ("center_", np.nanmedian)):
        learned = getattr(fitted, name, None)
        if learned is not None and np.shape(learned) == table.shape[1:]:
            return bool(np.allclose(learned, statistic(table, axis=0), rtol=1e-4))
    return False


def leaks_of_table(
    table: NDArray[Any], speakers: Any, splits: Sequence[Split]
) -> Iterator[Leak]:
    """Give what a table of features shows of scalers that were fitted to all of it.

    Parameters
    ----------
    table : ndarray of shape (n, n_features)
        Features.
    speakers : ndarray of shape (n,) or None
        The speakers.
    splits : sequence of tuple of ndarray
        Training and test rows of each fold.

    Yields
    ------
    Leak
    """
    n_tested = sum(len(test) for _, test in splits)
    if len(table) < LEAST_ROWS:
        return
    if _is_standard(table):
        names = ("each column has mean 0 and standard deviation 1 over all rows",)
        yield Leak("statistics", "leak", n_tested, names)
    elif _is_min_max(table):
        names = ("each column has the same least and greatest value over all rows",)
        yield Leak("statistics", "leak", n_tested, names)
    elif speakers is not None:
        own = [table[speakers == speaker] for speaker in np.unique(speakers)]
        if min(map(len, own)) > 1 and all(_is_centered(rows) for rows in own):
            names = ("each column has mean 0 over the rows of each speaker",)
            yield Leak("speaker statistics", "leak", n_tested, names)


def _is_centered(table: NDArray[Any]) -> bool:
    """Tell whether all columns have the mean 0, and some vary."""
    spread = np.nanstd(table, axis=0)
    varies = spread > 0
    off = np.abs(np.nanmean(table, axis=0))[varies]
    return bool(varies.any() and (off <= EXACT * spread[varies]).all())


def _is_standard(table: NDArray[Any]) -> bool:
    """Tell whether all columns that vary have the mean 0 and the deviation 1."""
    spread = np.nanstd(table, axis=0)
    varies = spread > 0
    # The sample deviation, too, which pandas takes.
    sample = spread * np.sqrt(len(table) / (len(table) - 1))
    is_one = (np.abs(spread - 1) < EXACT) | (np.abs(sample - 1) < EXACT)
    return bool(varies.any() and is_one[varies].all() and _is_centered(table))


def _is_min_max(table: NDArray[Any]) -> bool:
    """Tell whether all columns that vary have the ends 0 and 1, or -1 and 1."""
    lowest, highest = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    varies = np.flatnonzero(highest > lowest)
    if len(varies) < 2 or any(len(np.unique(table[:, i])) < 4 for i in varies):
        return False
    at_ends = np.abs(highest[varies] - 1) < EXACT
    low = lowest[varies]
    same = (np.abs(low) < EXACT).all() or (np.abs(low + 1) < EXACT).all()
    return bool(at_ends.all() and same)
