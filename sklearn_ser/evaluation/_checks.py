"""Checks of an evaluation by speaker, before anything is fitted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn_user
from ..datasets import Corpus
from ._leak_models import blind_searches
from ._protocol import find_pretraining
from ._result import short


def check_splits(
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    corpus: Corpus,
    on_leak: str | None = None,
) -> NDArray[np.intp]:
    """Return the fold that holds out each utterance; refuse shared speakers."""
    fold = np.full(len(corpus), -1)
    for number, (train, test) in enumerate(splits):
        shared = np.intersect1d(corpus.speaker[train], corpus.speaker[test])
        if shared.size and on_leak in (None, "raise"):
            raise ValueError(
                f"fold {number} has {short(' '.join(shared))} both in training and in "
                "test; use a splitter by group, such as GroupKFold or "
                "LeaveOneGroupOut."
            )
        if (fold[test] >= 0).any():
            raise ValueError(
                f"fold {number} holds out utterances of an earlier one; use a splitter "
                "that holds out each of them once, such as GroupKFold or "
                "LeaveOneGroupOut."
            )
        fold[test] = number
    if (fold < 0).any():
        raise ValueError(
            f"The folds leave {(fold < 0).sum()} utterances untested; use a splitter "
            "that holds out each of them once, such as GroupKFold or LeaveOneGroupOut."
        )
    return fold


def check_searches(estimator: Any) -> None:
    """Warn of a search inside that selects parameters on shared speakers."""
    for _, remark in blind_searches(estimator):
        warn_user(f"{remark} Give it a splitter by group, such as cv=GroupKFold(5).")


def check_pretraining(estimator: Any, corpus: Corpus) -> None:
    """Refuse a pre-training on the corpus that is evaluated, by its name."""
    for place, names in find_pretraining(estimator):
        if corpus.name in names:
            raise ValueError(
                f"The corpus {corpus.name} is evaluated, and {place} holds auxiliary "
                f"corpora with one of the name {corpus.name}: the held-out speakers "
                "would be in the pre-training. Leave it out of them; if it is another "
                "one, give it another name, by dataclasses.replace(corpus, name=...)."
            )


@contextlib.contextmanager
def naming_ragged(features: Any) -> Iterator[None]:
    """Say in an error about sequences, which a step took for a table, what is missing.

    numpy refuses them with "setting an array element with a sequence" before any code
    of this library is asked.

    Parameters
    ----------
    features : ndarray or data frame
        What the first step of the block is given.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If numpy refuses the sequences in the block.
    """
    try:
        yield
    except ValueError as error:
        is_ragged = getattr(features, "ndim", 0) == 1
        if is_ragged and "array element with a sequence" in str(error):
            raise ValueError(
                "The front end gives a sequence of frames for each recording, and the "
                "step behind it takes a table: put SequencePooling() between them, or "
                "an estimator of sequences in its place."
            ) from error
        raise
