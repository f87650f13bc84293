"""What a transfer is to do, and the share of the target that gives statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_scalar

from .._adapt import SCALERS
from ..datasets import Corpus
from ..datasets._emotions import spelled
from ._side import Side

# The rows of the utterances that give statistics, and of those that may be scored.
Share = tuple[NDArray[np.intp], NDArray[np.intp]]

_ROUNDING = 1e-9  # 0.2 of 35 utterances are 7, though 0.2 * 35 may be below


@dataclass(frozen=True)
class Plan:
    """What a transfer is to do, checked.

    Attributes
    ----------
    statistics, statistics_by, adapt, outliers, n_jobs, verbose
        As of `evaluate_transfer`.
    seeds, classes : list
        Likewise.
    """

    statistics: float
    statistics_by: Literal["utterance", "speaker"]
    adapt: str | Sequence[str]
    outliers: float | None
    seeds: list[int]
    classes: list[str]
    n_jobs: int | Literal["auto"] | None
    verbose: bool


def make_plan(
    *,
    classes: list[str],
    statistics: float | None,
    statistics_by: Literal["utterance", "speaker"],
    adapt: str | Sequence[str],
    outliers: float | None,
    seeds: Sequence[int],
    n_jobs: int | Literal["auto"] | None,
    verbose: bool,
) -> Plan:
    """Check what a transfer is to do.

    Parameters
    ----------
    classes : list of str
        The emotions to tell apart, checked.
    statistics, statistics_by, adapt, outliers, seeds, n_jobs, verbose
        As of `evaluate_transfer`.

    Returns
    -------
    Plan
        The same.

    Raises
    ------
    TypeError
        If `statistics` is no number.
    ValueError
        If a parameter is out of range.
    """
    share = 0.0 if statistics is None else statistics
    check_scalar(share, "statistics", Real, min_val=0, max_val=1)
    if statistics_by not in ("utterance", "speaker"):
        raise ValueError(
            f"statistics_by must be 'utterance' or 'speaker', got {statistics_by!r}."
        )
    if isinstance(adapt, str) and adapt != SCALERS:
        raise ValueError(
            f"adapt must be {SCALERS!r} or a list of names of steps, got {adapt!r}."
        )
    numbers = list(seeds) if np.iterable(seeds) else []
    if not numbers or not all(isinstance(seed, Integral) for seed in numbers):
        raise ValueError(f"seeds must be a list of integers, got {seeds!r}.")
    return Plan(
        statistics=float(share),
        statistics_by=statistics_by,
        adapt=adapt,
        outliers=outliers,
        seeds=[int(seed) for seed in numbers],
        classes=classes,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def find_classes(classes: str | Sequence[str], corpora: Sequence[Corpus]) -> list[str]:
    """Return the emotions to tell apart, spelled alike, in order.

    Parameters
    ----------
    classes : "shared" or sequence of str
        All that the corpora share, or some.
    corpora : sequence of Corpus
        Each of which has to have them.

    Returns
    -------
    list of str
        Two emotions or more.

    Raises
    ------
    ValueError
        If there are fewer, or a corpus has none of them.
    """
    emotions = [{spelled(name) for name in corpus.emotion} for corpus in corpora]
    shared = set.intersection(*emotions)
    if isinstance(classes, str) and classes != "shared":
        raise ValueError(f"classes must be 'shared' or a list, got {classes!r}.")
    wanted = shared if isinstance(classes, str) else {spelled(x) for x in classes}
    for corpus, has in zip(corpora, emotions, strict=True):
        if wanted - has:
            raise ValueError(
                f"The corpus {corpus.name} has no {', '.join(sorted(wanted - has))}; "
                f"it has {', '.join(sorted(has))}."
            )
    if len(wanted) < 2:
        names = " and ".join(corpus.name for corpus in corpora)
        raise ValueError(
            f"A transfer needs two emotions at least; {names} have in common: "
            f"{', '.join(sorted(wanted)) or 'none'}."
        )
    return sorted(wanted)


def check_subsets(
    subsets: Sequence[Sequence[str]], classes: list[str]
) -> list[list[str]]:
    """Return sets of fewer emotions, spelled alike.

    Parameters
    ----------
    subsets : sequence of sequences of str
        The sets.
    classes : list of str
        The emotions that they are of.

    Returns
    -------
    list of lists of str
        The same, in order.

    Raises
    ------
    ValueError
        If one has another emotion, or fewer than two.
    """
    found = []
    for subset in subsets:
        some = [] if isinstance(subset, str) else sorted({spelled(x) for x in subset})
        if len(some) < 2 or not {*some} <= {*classes}:
            raise ValueError(
                f"subsets must be lists of two or more of {', '.join(classes)}, got "
                f"{subset!r}."
            )
        found.append(some)
    return found


def draw_share(target: Side, plan: Plan, seed: int) -> Share:
    """Draw the utterances that give statistics, and those that may be scored.

    Parameters
    ----------
    target : Side
        The corpus.
    plan : Plan
        The share, and what it is of.
    seed : int
        The seed.

    Returns
    -------
    tuple of two ndarrays of int
        Rows of the target.

    Raises
    ------
    ValueError
        If too few are on one side.
    """
    share, everything = plan.statistics, np.arange(len(target.corpus))
    if share == 0:
        drawn = everything[:0], everything
    elif share == 1:
        drawn = everything, everything
    elif plan.statistics_by == "speaker":
        drawn = _draw_speakers(target.corpus.speaker, share, seed)
    else:
        order = np.random.default_rng(seed).permutation(len(everything))
        n_statistics = int(share * len(everything) + _ROUNDING)
        drawn = order[:n_statistics], order[n_statistics:]
    statistics, rest = drawn
    if share > 0 and len(statistics) < 2:
        raise ValueError(
            f"statistics={share:g} of the {len(everything)} utterances of "
            f"{target.corpus.name} are {len(statistics)}: too few for statistics. Give "
            "a larger share, or 0."
        )
    if not np.isin(target.emotion[rest], plan.classes).any():
        raise ValueError(
            f"statistics={share:g} leaves no utterance of {target.corpus.name} to "
            "score: give a smaller share."
        )
    return drawn


def _draw_speakers(speaker: NDArray[np.str_], share: float, seed: int) -> Share:
    """Return the utterances of some speakers, one at least, and those of others."""
    names = np.unique(speaker)
    n_speakers = max(1, round(share * len(names)))
    drawn = np.random.default_rng(seed).permutation(names)[:n_speakers]
    gives = np.isin(speaker, drawn)
    return np.flatnonzero(gives), np.flatnonzero(~gives)
