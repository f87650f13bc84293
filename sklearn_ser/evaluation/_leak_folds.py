"""What both sides of a fold have in common."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..audio import AudioError, fingerprint, read_signal
from ._copies import Copy, find_copies
from ._fingerprints import RATE, Fingerprint
from ._leak_report import Leak, Severity
from ._speaker_sentence import Split

# From this share of the utterances on, what speakers share is how the corpus was made.
BY_DESIGN = 0.5
# Rows of fewer numbers may be equal by chance.
LEAST_WIDTH = 5
# Copies of the last corpora, so that several evaluations of one compare once.
_N_KEPT = 4
_KEPT: dict[str, tuple[list[Copy], list[int]]] = {}


@dataclass(frozen=True)
class Evidence:
    """What is known of n utterances."""

    names: list[str]
    speakers: NDArray[Any] | None = None
    sentences: NDArray[Any] | None = None
    sources: NDArray[Any] | None = None  # the files of segments, None for others
    copies: list[Copy] = field(default_factory=list)
    unheard: list[int] = field(default_factory=list)

    def groups(self, kind: str) -> NDArray[np.int64] | None:
        """Return what utterances share of a kind as numbers, -1 for nothing."""
        if kind in ("duplicates", "augmentation"):
            return self._copied(kind == "augmentation")
        values = {
            "speakers": self.speakers,
            "sentences": self.sentences,
            "recordings": self.sources,
        }[kind]
        if values is None:
            return None
        column = np.asarray(values, dtype=object)
        codes, _ = pd.factorize(column)
        return np.asarray(codes, dtype=np.int64)

    def _copied(self, is_altered: bool) -> NDArray[np.int64] | None:
        """Return a number for those that share audio, -1 for all others."""
        n = len(self.names)
        if not self.copies:
            return None
        first, second = np.array([copy[:2] for copy in self.copies]).T
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
        number = connected_components(graph, directed=False)[1]
        altered = {number[copy.first] for copy in self.copies if copy.is_altered}
        copied = np.isin(np.arange(n), [first, second])
        of_kind = np.isin(number, [*altered]) == is_altered
        return np.where(copied & of_kind, number, -1)

    def severity(self, kind: str) -> Severity:
        """Tell a leak from what a corpus shares between speakers by design."""
        groups = self.groups(kind)
        if kind not in ("sentences", "recordings") or groups is None:
            return "leak"
        if self.speakers is None:
            return "note" if kind == "sentences" else "leak"
        table = pd.DataFrame({"group": groups, "speaker": self.speakers})
        table = table[table["group"] >= 0]
        n_speakers = table.groupby("group")["speaker"].transform("nunique")
        return "note" if (n_speakers > 1).mean() >= BY_DESIGN else "leak"


KINDS_OF_FOLDS = ("speakers", "sentences", "recordings", "duplicates", "augmentation")


def leaks_of_folds(evidence: Evidence, splits: Sequence[Split]) -> Iterator[Leak]:
    """Give what the two sides of each fold have in common.

    Parameters
    ----------
    evidence : Evidence
        What is known of the utterances.
    splits : sequence of tuple of ndarray
        Training and test rows of each fold.

    Yields
    ------
    Leak
        One for each kind and fold.
    """
    for kind in KINDS_OF_FOLDS:
        groups = evidence.groups(kind)
        if groups is None:
            continue
        severity = evidence.severity(kind)
        by_design = "shared between speakers by design" if severity == "note" else ""
        for fold, (train, test) in enumerate(splits):
            touched = test[shares(groups, train, test)]
            if touched.size:
                names = _names(kind, evidence, groups, train, touched)
                yield Leak(kind, severity, len(touched), names, fold, by_design)


def shares(
    groups: NDArray[np.int64], rows: NDArray[np.intp], of: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Tell which utterances of some have something in common with any of others.

    Parameters
    ----------
    groups : ndarray of shape (n,)
        As `Evidence.groups` gives them.
    rows, of : ndarray of int
        The others, and those that are asked about.

    Returns
    -------
    ndarray of bool, of the shape of `of`
    """
    return np.isin(groups[of], groups[rows]) & (groups[of] >= 0)


def _names(
    kind: str,
    evidence: Evidence,
    groups: NDArray[np.int64],
    train: NDArray[np.intp],
    touched: NDArray[np.intp],
) -> tuple[str, ...]:
    """Name what is shared: once each, or the pairs of recordings."""
    values = {
        "speakers": evidence.speakers,
        "sentences": evidence.sentences,
        "recordings": evidence.sources,
    }.get(kind)
    if values is not None:
        return tuple(dict.fromkeys(str(values[row]) for row in touched))
    pairs = []
    for row in touched:
        partner = train[groups[train] == groups[row]][0]
        pairs.append(f"{evidence.names[row]} = {evidence.names[partner]}")
    return tuple(pairs)


def sources_of(audio: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the file of each segment, None for what is no segment."""
    found: list[str | None] = []
    for recording in audio:
        match recording:
            case (str() | os.PathLike() as path, _, _):
                found.append(os.path.realpath(path))
            case _:
                found.append(None)
    return np.array([*found, ""], dtype=object)[:-1]


def copies_of_audio(
    audio: NDArray[np.object_], *, n_jobs: int | None = None, memory: Any = None
) -> tuple[list[Copy], list[int]]:
    """Find the recordings that share audio, and those that cannot be read.

    Parameters
    ----------
    audio : ndarray of shape (n,) and dtype object
        Recordings.
    n_jobs, memory
        As of `Fingerprint`.

    Returns
    -------
    copies : list of Copy
    unheard : list of int
    """
    contents = [_content(recording) for recording in audio]
    key = hashlib.blake2b(repr(contents).encode()).hexdigest()
    if key not in _KEPT:
        while len(_KEPT) >= _N_KEPT:
            del _KEPT[next(iter(_KEPT))]
        prints, faults = Fingerprint(n_jobs=n_jobs, memory=memory).attempt(audio)
        copies = find_copies(
            prints, contents, lambda index: read_signal(audio[index], RATE, "mean")[0]
        )
        _KEPT[key] = copies, faults
    return _KEPT[key]


def _content(recording: Any) -> str | None:
    """Identify a recording by its samples; None where it is faulty."""
    try:
        return fingerprint(recording)
    except AudioError:
        return None


def copies_of_rows(table: NDArray[Any]) -> list[Copy]:
    """Find the rows of a table of features that are equal."""
    if table.shape[1] < LEAST_WIDTH:
        return []
    _, first, group = np.unique(
        table, axis=0, return_index=True, return_inverse=True, equal_nan=False
    )
    originals = first[group.reshape(-1)]
    return [
        Copy(int(original), row, 1.0, 1.0, False)
        for row, original in enumerate(originals)
        if row != original and table[row].min() < table[row].max()
    ]
