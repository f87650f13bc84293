"""What a leak is worth: the score with it, and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, check_cv

from .._folds import SpeakerFolds
from .._sklearn import BaseSearchCV
from ..metrics import concordance_correlation, ua_score
from ..preprocessing import SpeakerScaler
from ._folds import fit_and_predict
from ._leak_folds import Evidence, shares
from ._speaker_sentence import SpeakerSentenceKFold, Split
from ._splits import takes

# Sentences are dealt into so many parts for the score without those of the test.
_SENTENCE_FOLDS = 5


@dataclass(frozen=True)
class Prices:
    """Scores an estimator with and without each leak.

    Parameters
    ----------
    learner : estimator
        What is fitted in the folds.
    features : array-like of n rows or sequences
        What it is given.
    y : ndarray of shape (n,)
        Classes, or ratings as floats.
    metadata : mapping of str to ndarray
        What its steps may ask for.
    splits : sequence of tuple of ndarray
        Training and test rows of each fold.
    evidence : Evidence
        What is known of the utterances.
    """

    learner: Any
    features: Any
    y: NDArray[Any]
    metadata: Mapping[str, NDArray[Any]]
    splits: Sequence[Split]
    evidence: Evidence

    @property
    def metric(self) -> str:
        """What the scores are."""
        return "CCC" if self.y.dtype.kind == "f" else "UA"

    def of(self, kinds: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return the scores with and without each kind, where that can be made.

        Parameters
        ----------
        kinds : sequence of str
            Those that were found.

        Returns
        -------
        dict of tuple of two floats
        """
        found: dict[str, tuple[float, float]] = {}
        for kind in kinds:
            repaired = self._repaired(kind)
            if repaired is None or not len(repaired[1]):
                continue
            if kind == "sentences" and "speakers" in kinds:
                # What shared sentences add to folds by speaker.
                score = self._score(self.learner, self._by_group("speakers"))
            else:
                score = self._given
            found[kind] = score, self._score(*repaired)
        return found

    @cached_property
    def _given(self) -> float:
        """The score as it is, which many kinds are compared with."""
        return self._score(self.learner, self.splits)

    def _repaired(self, kind: str) -> tuple[Any, Sequence[Split]] | None:
        """Return estimator and splits without a leak, None if there is no way."""
        if kind == "speakers":
            return self.learner, self._by_group(kind)
        if kind == "sentences":
            return self.learner, self._by_sentence()
        if kind in ("recordings", "duplicates", "augmentation"):
            return self.learner, self._without_partners(kind)
        changed = clone(self.learner)
        changes = _changes(changed, kind)
        return (changed.set_params(**changes), self.splits) if changes else None

    def _score(self, learner: Any, splits: Sequence[Split]) -> float:
        """Return the score over all tested utterances at once."""
        truth, predicted = [], []
        with config_context(enable_metadata_routing=True):
            for train, test in splits:
                given = learner, self.features, self.y, dict(self.metadata)
                result = fit_and_predict(*given, train, test)
                predicted.append(np.asarray(result.predicted))
                truth.append(self.y[test])
        score = concordance_correlation if self.metric == "CCC" else ua_score
        return float(score(np.concatenate(truth), np.concatenate(predicted)))

    def _by_group(self, kind: str) -> list[Split]:
        """Deal what utterances share into as many folds as there are."""
        groups = self.evidence.groups(kind)
        if groups is None:
            raise ValueError(f"Nothing is known of {kind}.")
        own = np.where(groups < 0, groups.max() + 1 + np.arange(len(groups)), groups)
        n_folds = max(2, min(len(self.splits), len(np.unique(own))))
        return list(GroupKFold(n_folds).split(own, groups=own))

    def _by_sentence(self) -> list[Split]:
        """Deal speakers into as many folds as there are, and sentences beside them."""
        speakers, sentences = map(self.evidence.groups, ("speakers", "sentences"))
        if sentences is None:
            return []
        known = np.flatnonzero(sentences >= 0)
        of_known = sentences[known]
        n_sentences = min(_SENTENCE_FOLDS, len(np.unique(of_known)))
        if n_sentences < 2:
            return []
        if speakers is None:
            folds = GroupKFold(n_sentences).split(known, groups=of_known)
            return [(known[train], known[test]) for train, test in folds]
        n_speakers = min(len(self.splits), len(np.unique(speakers[known])))
        if n_speakers < 2:
            return []
        dealt = SpeakerSentenceKFold(n_speakers, n_sentences)
        splits = dealt.split(known, groups=speakers[known], sentences=of_known)
        return [(known[train], known[test]) for train, test in splits]

    def _without_partners(self, kind: str) -> list[Split]:
        """Leave out of each training what it has in common with the test."""
        groups = self.evidence.groups(kind)
        if groups is None:
            return list(self.splits)
        kept = [
            (train[~shares(groups, test, train)], test) for train, test in self.splits
        ]
        before, after = (
            [self._n_classes(train) for train, _ in splits]
            for splits in (self.splits, kept)
        )
        return kept if before == after else self._by_group(kind)

    def _n_classes(self, rows: NDArray[np.intp]) -> int:
        """Return how many classes some utterances have; one for ratings."""
        if self.metric == "CCC":
            return min(1, len(rows))
        return len(np.unique(self.y[rows]))


def _changes(learner: Any, kind: str) -> dict[str, Any]:
    """Return the parameters that take a leak out of an estimator."""
    params = learner.get_params()
    if kind == "statistics":
        return {
            name: clone(value.estimator)
            for name, value in params.items()
            if isinstance(value, FrozenEstimator)
        }
    if kind == "early stopping":
        return {
            name: None
            for name, value in params.items()
            if name.rpartition("__")[2] == "validation_groups" and value is not None
        }
    if kind == "search":
        searches = {"": learner, **params}
        return {
            f"{name}__cv".lstrip("_"): SpeakerFolds(_n_folds(value.cv))
            for name, value in searches.items()
            if isinstance(value, BaseSearchCV)
            and not takes(check_cv(value.cv), "groups")
        }
    if kind == "speaker statistics":
        return {
            f"{name}__by": "corpus"
            for name, value in params.items()
            if isinstance(value, SpeakerScaler)
        }
    return {}


def _n_folds(cv: Any) -> int:
    """Return the number of the folds of a search, which may be given or not."""
    return int(cv) if isinstance(cv, int) else 5
