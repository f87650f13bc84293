"""Cross-validation by speaker, from a corpus to scores that say how they came."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from ..datasets import Corpus
from ..features import has_features
from ..metrics import ua_score, wa_score

_PACKAGES = (
    *("sklearn-ser", "scikit-learn", "numpy", "scipy", "pandas", "soundfile", "soxr"),
    *("opensmile", "torch", "skorch"),
)


@dataclass(frozen=True, eq=False)
class SpeakerEvaluation:
    """What an evaluation by speaker gives.

    Attributes
    ----------
    corpus : Corpus
        The utterances that were evaluated: those that have features.
    predicted : ndarray of shape (n_utterances,)
        The emotion that each utterance was taken for while its speaker was held
        out.
    fold : ndarray of shape (n_utterances,)
        The fold, from zero, in which that was.
    estimators : list
        The fitted estimator of each fold, without its stateless front end.
    features : ndarray of shape (n_utterances, ...)
        What the front end gave.
    left_out : list of str
        The recordings without features.
    settings : dict
        Estimator, splitter, corpus and versions.
    """

    corpus: Corpus
    predicted: NDArray[Any]
    fold: NDArray[np.intp]
    estimators: list[Any]
    features: NDArray[Any]
    left_out: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def wa(self) -> float:
        """Weighted accuracy, pooled: over all utterances at once."""
        return wa_score(self.corpus.emotion, self.predicted)

    @property
    def ua(self) -> float:
        """Unweighted accuracy, pooled: over all utterances at once."""
        return ua_score(self.corpus.emotion, self.predicted)

    @property
    def folds(self) -> pd.DataFrame:
        """One row per fold: ``speakers`` held out, ``utterances``, ``wa``, ``ua``."""
        rows = []
        for number in range(len(self.estimators)):
            held_out = self.fold == number
            truth, predicted = self.corpus.emotion[held_out], self.predicted[held_out]
            rows.append(
                {
                    "speakers": " ".join(np.unique(self.corpus.speaker[held_out])),
                    "utterances": int(held_out.sum()),
                    "wa": wa_score(truth, predicted),
                    "ua": ua_score(truth, predicted),
                }
            )
        return pd.DataFrame(rows)

    def embedding(self, fold: int = 0) -> NDArray[Any]:
        """Return the representation that the classifier of a fold was given.

        Parameters
        ----------
        fold : int, default=0
            The fold whose estimator embeds all utterances, its own training
            utterances and those of the held-out speakers.

        Returns
        -------
        ndarray of shape (n_utterances, n_dimensions)
            The output of the last step but one.
        """
        estimator = self.estimators[fold]
        embedded: NDArray[Any] = estimator[:-1].transform(self.features)
        return np.asarray(embedded)

    def to_dict(self) -> dict[str, Any]:
        """Return scores and settings as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"wa"`` and ``"ua"``, pooled; ``"wa_over_folds"`` and
            ``"ua_over_folds"``, each with ``"mean"`` and ``"std"`` (divided by the
            number of folds); ``"folds"``; ``"utterances"``, each with its truth,
            prediction, speaker and fold; ``"left_out"``; ``"settings"``.
        """
        folds = self.folds
        over_folds = {
            f"{name}_over_folds": {
                "mean": float(folds[name].mean()),
                "std": float(folds[name].std(ddof=0)),
            }
            for name in ("wa", "ua")
        }
        utterances = pd.DataFrame(
            {
                "speaker": self.corpus.speaker,
                "emotion": self.corpus.emotion,
                "predicted": self.predicted,
                "fold": self.fold,
            }
        )
        if "file" in self.corpus.frame:
            utterances.insert(0, "file", self.corpus.frame["file"].astype(str))
        return {
            "wa": self.wa,
            "ua": self.ua,
            **over_folds,
            "folds": folds.to_dict("records"),
            "left_out": self.left_out,
            "settings": self.settings,
            "utterances": utterances.to_dict("records"),
        }

    def __str__(self) -> str:
        """Return the table of folds and the scores, as the command line prints it."""
        folds = self.folds
        rows = [
            ("held out", "utterances", "WA", "UA"),
            *folds.astype({"utterances": str}).itertuples(index=False, name=None),
            ("mean of folds", "", folds["wa"].mean(), folds["ua"].mean()),
            ("sd of folds", "", folds["wa"].std(ddof=0), folds["ua"].std(ddof=0)),
            ("pooled", str(len(self.corpus)), self.wa, self.ua),
        ]
        lines = [_table_row(*row) for row in rows]
        lines.insert(len(folds) + 1, "-" * len(lines[0]))
        if self.left_out:
            lines.append(f"left out, without features: {', '.join(self.left_out)}")
        return "\n".join(lines)


def evaluate_by_speaker(
    estimator: Any,
    corpus: Corpus,
    *,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> SpeakerEvaluation:
    """Cross-validate a classifier of emotions by speaker.

    Leading steps of a pipeline that learn nothing (feature extractors) run once,
    before the folds are made; all others are fitted anew in each fold, on its
    training speakers alone. Activation, valence and speakers reach the steps that
    ask for them, in training only.

    Parameters
    ----------
    estimator : estimator
        A pipeline from recordings to emotions, such as those of
        `sklearn_ser.recipes`. It is cloned, not changed.
    corpus : Corpus
        Recordings with emotions and speakers.
    cv : splitter, default=None
        A scikit-learn splitter that takes groups, which are the speakers. None
        stands for `LeaveOneGroupOut`: one speaker held out in each fold.
    n_jobs : int or None, default=None
        Folds to fit at once.
    verbose : bool, default=False
        Whether to show a progress bar over the folds.

    Returns
    -------
    SpeakerEvaluation
        Predictions, scores, and what they depend on.

    Raises
    ------
    ValueError
        If a speaker stands on both sides of a fold, or if the folds do not hold out
        each utterance exactly once.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import evaluate_by_speaker
    >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=2)
    >>> evaluation = evaluate_by_speaker(recipes.egemaps_svc(), corpus)
    >>> evaluation.folds["speakers"].tolist()
    ['speaker01', 'speaker02', 'speaker03']
    >>> bool(evaluation.ua > 0.25)
    True
    """
    front_end, learner = split_front_end(estimator)
    features = corpus.audio if front_end is None else front_end.transform(corpus.audio)
    usable = has_features(features)
    left_out = [_name(corpus, int(i)) for i in np.flatnonzero(~usable)]
    if left_out:
        corpus, features = corpus.select(usable), features[usable]

    splitter = LeaveOneGroupOut() if cv is None else cv
    splits = list(splitter.split(features, corpus.emotion, groups=corpus.speaker))
    fold = _check_splits(splits, corpus)
    metadata = {
        "activation": corpus.activation,
        "valence": corpus.valence,
        "groups": corpus.speaker,
    }
    known = {name: values for name, values in metadata.items() if values is not None}
    with config_context(enable_metadata_routing=True):
        asked = get_routing_for_object(learner).consumes("fit", known.keys())
        given = {name: known[name] for name in asked}
        runs = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_fit_and_predict)(
                learner, features, corpus.emotion, given, train, test
            )
            for train, test in splits
        )
        bar = tqdm(
            runs, total=len(splits), desc="folds", unit="fold", disable=not verbose
        )
        results = list(bar)
    predicted = np.empty_like(corpus.emotion)
    for (_, test), (_, of_fold) in zip(splits, results, strict=True):
        predicted[test] = of_fold
    return SpeakerEvaluation(
        corpus=corpus,
        predicted=predicted,
        fold=fold,
        estimators=[fitted for fitted, _ in results],
        features=features,
        left_out=left_out,
        settings=_settings(estimator, splitter, corpus),
    )


def split_front_end(estimator: Any) -> tuple[Any | None, Any]:
    """Split a pipeline after its leading steps that learn nothing.

    Parameters
    ----------
    estimator : estimator
        A pipeline or any other estimator.

    Returns
    -------
    front_end : Pipeline or None
        The stateless steps; None where there are none.
    learner : estimator
        The rest, unfitted.
    """
    if not isinstance(estimator, Pipeline):
        return None, make_pipeline(clone(estimator))
    stateless = 0
    while (
        stateless < len(estimator) - 1
        and not get_tags(estimator[stateless]).requires_fit
    ):
        stateless += 1
    learner = Pipeline(clone(estimator).steps[stateless:], memory=estimator.memory)
    return (estimator[:stateless] if stateless else None), learner


def _fit_and_predict(
    estimator: Any,
    features: NDArray[Any],
    emotion: NDArray[Any],
    metadata: dict[str, NDArray[Any]],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[Any, NDArray[Any]]:
    """Fit on one part of the utterances and predict the other."""
    of_training = {name: values[train] for name, values in metadata.items()}
    fitted = clone(estimator).fit(features[train], emotion[train], **of_training)
    return fitted, fitted.predict(features[test])


def _check_splits(
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]], corpus: Corpus
) -> NDArray[np.intp]:
    """Return the fold that holds out each utterance; refuse shared speakers."""
    fold = np.full(len(corpus), -1)
    for number, (train, test) in enumerate(splits):
        shared = np.intersect1d(corpus.speaker[train], corpus.speaker[test])
        if shared.size:
            raise ValueError(
                f"fold {number} has {_short(' '.join(shared))} both in training and in "
                "test; use a splitter by group, such as GroupKFold or "
                "LeaveOneGroupOut."
            )
        if (fold[test] >= 0).any():
            raise ValueError(f"fold {number} holds out utterances of an earlier one.")
        fold[test] = number
    if (fold < 0).any():
        raise ValueError(
            f"the folds leave {(fold < 0).sum()} utterances untested; use a splitter "
            "that holds out each of them once, such as GroupKFold or LeaveOneGroupOut."
        )
    return fold


def _settings(estimator: Any, splitter: Any, corpus: Corpus) -> dict[str, Any]:
    """Write down what the scores depend on."""
    emotions, counts = np.unique(corpus.emotion, return_counts=True)
    return {
        "estimator": {
            name: repr(value) for name, value in estimator.get_params().items()
        },
        "splitter": repr(splitter),
        "corpus": {
            "name": corpus.name,
            "utterances": len(corpus),
            "speakers": len(np.unique(corpus.speaker)),
            "emotions": dict(zip(emotions.tolist(), counts.tolist(), strict=True)),
        },
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    """Return the version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _name(corpus: Corpus, index: int) -> str:
    """Name an utterance: its file, or its number."""
    if "file" in corpus.frame:
        return str(corpus.frame["file"][index])
    return f"utterance {index}"


def _table_row(held_out: str, utterances: str, wa: Any, ua: Any) -> str:
    """Lay out one row of the table of folds."""
    scores = (f"{x:.3f}" if isinstance(x, float) else x for x in (wa, ua))
    return f"{_short(held_out):<18}{utterances:>10}" + "".join(
        f"{score:>8}" for score in scores
    )


def _short(speakers: str, width: int = 17) -> str:
    """Cut a list of speakers to the width of a column."""
    return speakers if len(speakers) <= width else speakers[: width - 1] + "…"
