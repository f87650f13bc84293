"""Cross-validation by speaker, from a corpus to scores that say how they came."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, check_cv
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from .._representation import representation, split_last_step
from .._sklearn import BaseSearchCV, take_rows
from .._warnings import warn_user
from ..audio import describe
from ..augmentation import SpeedPerturbation, perturb_speed
from ..datasets import AuxiliaryCorpora, Corpus, dimension_levels
from ..datasets._levels import LEVELS
from ..features import has_features
from ..features._base import RecordingTransformer
from ..metrics import macro_f1_score, ua_score, wa_score

Target = Literal["emotion", "activation", "valence"]

_PACKAGES = (
    *("sklearn-ser", "scikit-learn", "numpy", "scipy", "pandas", "soundfile", "soxr"),
    *("opensmile", "torch", "skorch"),
)

_N_LISTED = 10  # recordings that the printed result names
_SCORES = {"wa": wa_score, "ua": ua_score, "f1": macro_f1_score}


@dataclass(frozen=True, eq=False)
class SpeakerEvaluation:
    """What an evaluation by speaker gives.

    Attributes
    ----------
    corpus : Corpus
        The utterances that were evaluated: those that have features and a class.
    predicted : ndarray of shape (n_utterances,)
        The class that each utterance was taken for while its speaker was held out.
    fold : ndarray of shape (n_utterances,)
        The fold, from zero, in which that was.
    estimators : list
        The fitted estimator of each fold, without its stateless front end, and without
        auxiliary corpora, which predict nothing: each would have a copy of its own. A
        search that tries several keeps them.
    features : ndarray or data frame of n_utterances rows
        What the front end gave.
    left_out : list of str
        The recordings without features.
    unrated : list of str
        The recordings without a rating of activation or valence, where that was the
        target.
    target : {"emotion", "activation", "valence"}
        What was predicted.
    settings : dict
        Estimator, splitter, corpus, target and versions.
    """

    corpus: Corpus
    predicted: NDArray[Any]
    fold: NDArray[np.intp]
    estimators: list[Any]
    features: Any
    left_out: list[str] = field(default_factory=list)
    unrated: list[str] = field(default_factory=list)
    target: Target = "emotion"
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def truth(self) -> NDArray[np.str_]:
        """The true class of each utterance: its emotion, or the level of its rating."""
        return _classes(self.corpus, self.target)

    @property
    def classes(self) -> list[str]:
        """The classes, true or predicted: levels by height, emotions by name."""
        found = {*self.truth.tolist(), *self.predicted.tolist()}
        order = LEVELS if self.target != "emotion" else ()
        return [
            *(level for level in order if level in found),
            *sorted(found - {*order}),
        ]

    @property
    def wa(self) -> float:
        """Weighted accuracy, pooled: over all utterances at once."""
        return wa_score(self.truth, self.predicted)

    @property
    def ua(self) -> float:
        """Unweighted accuracy, pooled: over all utterances at once."""
        return ua_score(self.truth, self.predicted)

    @property
    def f1(self) -> float:
        """Mean F-measure of the classes, pooled: over all utterances at once."""
        return macro_f1_score(self.truth, self.predicted)

    @property
    def folds(self) -> pd.DataFrame:
        """One row per fold: ``speakers`` held out, ``utterances``, and the scores.

        These are ``wa``, ``ua`` and ``f1``, over the classes that the speakers have.
        """
        rows, truth = [], self.truth
        for number in range(len(self.estimators)):
            held_out = self.fold == number
            scores = {
                name: score(truth[held_out], self.predicted[held_out])
                for name, score in _SCORES.items()
            }
            rows.append(
                {
                    "speakers": " ".join(np.unique(self.corpus.speaker[held_out])),
                    "utterances": int(held_out.sum()),
                    **scores,
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
            What comes out before the last step, or of that step, where it classifies
            by a representation that it has learned itself; of a search, that of its
            best estimator. Of sequences, the mean over time.
        """
        return representation(self.estimators[fold], self.features)

    def to_dict(self) -> dict[str, Any]:
        """Return scores and settings as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"wa"``, ``"ua"`` and ``"f1"``, pooled; ``"wa_over_folds"`` and so on,
            each with ``"mean"`` and ``"std"`` (divided by the number of folds);
            ``"folds"``; ``"utterances"``, each with its speaker, emotion, truth,
            prediction and fold; ``"left_out"``; ``"unrated"``; ``"target"``;
            ``"settings"``.
        """
        folds = self.folds
        over_folds = {
            f"{name}_over_folds": {
                "mean": float(folds[name].mean()),
                "std": float(folds[name].std(ddof=0)),
            }
            for name in _SCORES
        }
        utterances = pd.DataFrame(
            {
                "speaker": self.corpus.speaker,
                "emotion": self.corpus.emotion,
                "truth": self.truth,
                "predicted": self.predicted,
                "fold": self.fold,
            }
        )
        if "file" in self.corpus.frame:
            utterances.insert(0, "recording", _names(self.corpus))
        return {
            "target": self.target,
            **self._pooled(),
            **over_folds,
            "folds": folds.to_dict("records"),
            "left_out": self.left_out,
            "unrated": self.unrated,
            "settings": self.settings,
            "utterances": utterances.to_dict("records"),
        }

    def __str__(self) -> str:
        """Return the table of folds and the scores, as the command line prints it."""
        folds = self.folds
        scores = folds[[*_SCORES]]
        rows = [
            ("held out", "utterances", *map(str.upper, _SCORES)),
            *folds.astype({"utterances": str}).itertuples(index=False, name=None),
            ("mean of folds", "", *scores.mean()),
            ("sd of folds", "", *scores.std(ddof=0)),
            ("pooled", str(len(self.corpus)), *self._pooled().values()),
        ]
        lines = [_table_row(*row) for row in rows]
        lines.insert(len(folds) + 1, "-" * len(lines[0]))
        lines += _listed("features", self.left_out)
        lines += _listed(f"a rating of {self.target}", self.unrated)
        return "\n".join(lines)

    def _pooled(self) -> dict[str, float]:
        """Return the scores over all utterances at once."""
        return {name: getattr(self, name) for name in _SCORES}


def evaluate_by_speaker(
    estimator: Any,
    corpus: Corpus,
    *,
    target: Target = "emotion",
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> SpeakerEvaluation:
    """Cross-validate a classifier by speaker.

    A feature extractor of this library at the head of a pipeline, which treats each
    recording by itself, runs once, before the folds are made. All other steps are
    fitted anew in each fold, on its training speakers alone. Activation, valence,
    gender and speakers reach the steps that ask for them, in training only.

    Parameters
    ----------
    estimator : estimator
        A pipeline from recordings to classes, such as those of
        `sklearn_ser.recipes`. It is cloned, not changed.
    corpus : Corpus
        Recordings with emotions and speakers.
    target : {"emotion", "activation", "valence"}, default="emotion"
        What is classified: emotions, or the three levels of activation or valence
        (low, medium and high), which `sklearn_ser.datasets.dimension_levels` makes of
        ratings from 1 to 5, as in [1]_. Utterances without a rating are left out.
    cv : int, splitter, iterable of splits or None, default=None
        An integer stands for `GroupKFold` with so many folds, None for
        `LeaveOneGroupOut`: one speaker held out in each fold. Otherwise as in
        scikit-learn; the groups are the speakers.
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
        If a speaker stands on both sides of a fold, if the folds do not hold out
        each utterance exactly once, if no recording has features, if the corpus has
        no ratings of the target, or if auxiliary corpora within the estimator hold a
        corpus of its name: a network would be pre-trained on held-out speakers.

    Warns
    -----
    UserWarning
        If the estimator holds a search whose own folds share speakers: it then
        selects parameters for speakers that it knows.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

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
    _check_auxiliary(estimator, corpus)
    front_end, learner = split_front_end(estimator)
    names, rated = np.array(_names(corpus)), _is_rated(corpus, target)
    corpus, names, unrated = corpus.select(rated), names[rated], names[~rated].tolist()
    features = corpus.audio if front_end is None else front_end.transform(corpus.audio)
    usable = has_features(features)
    if isinstance(estimator, SpeedPerturbation):
        usable = _usable_at_all_speeds(corpus.audio, estimator)
    if not usable.any():
        raise ValueError(f"none of the {len(corpus)} recordings has features")
    left_out = names[~usable].tolist()
    if left_out:
        corpus = corpus.select(usable)
        features = take_rows(features, np.flatnonzero(usable))

    splitter = _splitter(cv)
    _check_searches(learner)
    groups = {"groups": corpus.speaker} if _takes_groups(splitter) else {}
    classes = _classes(corpus, target)
    splits = list(splitter.split(features, classes, **groups))
    fold = _check_splits(splits, corpus)
    results = _fit_folds(
        learner, features, classes, corpus, splits, n_jobs=n_jobs, verbose=verbose
    )
    tested = np.concatenate([test for _, test in splits])
    predicted = np.concatenate([of_fold for _, of_fold in results])
    return SpeakerEvaluation(
        corpus=corpus,
        predicted=predicted[np.argsort(tested)],
        fold=fold,
        estimators=[fitted for fitted, _ in results],
        features=features,
        left_out=left_out,
        unrated=unrated,
        target=target,
        settings=_settings(estimator, splitter, corpus, target),
    )


def split_front_end(estimator: Any) -> tuple[Any | None, Any]:
    """Split a pipeline after its front end.

    Only the extractors of this library are known to treat each recording by itself;
    another step, even one that learns nothing, may mix the rows it is given.

    Parameters
    ----------
    estimator : estimator
        A pipeline or any other estimator.

    Returns
    -------
    front_end : transformer or None
        The extractor at the head of the pipeline; None where there is none.
    learner : estimator
        The rest, unfitted.
    """
    if not isinstance(estimator, Pipeline):
        return None, make_pipeline(clone(estimator))
    if len(estimator) == 1 or not isinstance(estimator[0], RecordingTransformer):
        return None, clone(estimator)
    return estimator[0], clone(estimator[1:])


def _usable_at_all_speeds(
    audio: NDArray[np.object_], estimator: SpeedPerturbation
) -> NDArray[np.bool_]:
    """Tell which recordings, and their fastest copies, have features.

    Where the training data are augmented, the front end has to run inside the folds:
    here it runs once more, to know beforehand what would fail there.
    """
    front_end, _ = split_front_end(estimator.estimator)
    if front_end is None:
        return has_features(audio)
    usable = has_features(front_end.transform(audio))
    fastest = max(estimator.factors, default=1)
    if fastest > 1:
        heard = np.flatnonzero(usable)
        copies, originals = perturb_speed(
            audio[heard], heard, factors=[fastest], include_original=False
        )
        front_end = clone(front_end).set_params(on_error="nan")
        usable[originals] = has_features(front_end.transform(copies))
    return usable


def _is_rated(corpus: Corpus, target: str) -> NDArray[np.bool_]:
    """Tell which utterances have a class."""
    if target == "emotion":
        return np.ones(len(corpus), dtype=bool)
    if target not in ("activation", "valence"):
        raise ValueError(
            f"target must be 'emotion', 'activation' or 'valence', got {target!r}"
        )
    ratings = getattr(corpus, target)
    if ratings is None or np.isnan(ratings).all():
        raise ValueError(
            f"the corpus {corpus.name} has no ratings of {target}: load it with its "
            "table of them, where there is one"
        )
    rated: NDArray[np.bool_] = ~np.isnan(ratings)
    return rated


def _classes(corpus: Corpus, target: str) -> NDArray[np.str_]:
    """Return the class of each utterance."""
    if target == "emotion":
        return corpus.emotion
    return dimension_levels(getattr(corpus, target), rating_scale=corpus.rating_scale)


def _splitter(cv: Any) -> Any:
    """Return a splitter; by speaker where nothing else is given."""
    if cv is None:
        return LeaveOneGroupOut()
    return GroupKFold(cv) if isinstance(cv, Integral) else check_cv(cv)


def _takes_groups(splitter: Any) -> bool:
    """Tell whether a splitter looks at the groups; of a foreign one, believe it."""
    if not hasattr(splitter, "get_metadata_routing"):
        return True
    routing = get_routing_for_object(splitter)
    return "groups" in routing.consumes("split", ["groups"])


def _check_searches(estimator: Any) -> None:
    """Warn of a search inside that selects parameters on shared speakers."""
    for inner in (estimator, *estimator.get_params().values()):
        is_search = isinstance(inner, BaseSearchCV)
        if is_search and not _takes_groups(check_cv(inner.cv)):
            warn_user(
                f"{type(inner).__name__} splits by cv={inner.cv!r}, which does not "
                "look at speakers: it selects parameters for speakers that it knows. "
                "Give it a splitter by group, such as cv=GroupKFold(5)."
            )


def _check_auxiliary(estimator: Any, corpus: Corpus) -> None:
    """Refuse auxiliary corpora of which the corpus is one, by its name."""
    for name, value in estimator.get_params().items():
        if any(corpus.name in auxiliary.names for auxiliary in _auxiliary_in(value)):
            raise ValueError(
                f"the corpus {corpus.name} is evaluated, and {name} holds auxiliary "
                f"corpora with one of the name {corpus.name}: the held-out speakers "
                "would be in the pre-training. Leave it out of them; if it is another "
                "one, give it another name, by dataclasses.replace(corpus, name=...)."
            )


def _auxiliary_in(value: Any) -> Iterator[AuxiliaryCorpora]:
    """Find auxiliary corpora in a parameter: of a search, in the values it tries."""
    if isinstance(value, AuxiliaryCorpora):
        yield value
    elif isinstance(value, Mapping):
        yield from _auxiliary_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _auxiliary_in(part)


def _fit_folds(
    learner: Any,
    features: Any,
    classes: NDArray[Any],
    corpus: Corpus,
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    *,
    n_jobs: int | None,
    verbose: bool,
) -> list[tuple[Any, NDArray[Any]]]:
    """Fit and predict each fold, with what the learner asks for of the corpus."""
    metadata = {
        "activation": corpus.activation,
        "valence": corpus.valence,
        "gender": corpus.gender,
        "groups": corpus.speaker,
    }
    known = {name: values for name, values in metadata.items() if values is not None}
    with config_context(enable_metadata_routing=True):
        asked = get_routing_for_object(learner).consumes("fit", known.keys())
        given = {name: known[name] for name in asked}
        runs = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_fit_and_predict)(learner, features, classes, given, train, test)
            for train, test in splits
        )
        bar = tqdm(
            runs, total=len(splits), desc="folds", unit="fold", disable=not verbose
        )
        return list(bar)


def _fit_and_predict(
    estimator: Any,
    features: Any,
    classes: NDArray[Any],
    metadata: dict[str, NDArray[Any]],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[Any, NDArray[Any]]:
    """Fit on one part of the utterances and predict the other."""
    of_training = {name: values[train] for name, values in metadata.items()}
    fitted = clone(estimator).fit(
        take_rows(features, train), classes[train], **of_training
    )
    predicted = fitted.predict(take_rows(features, test))
    for part in (fitted, split_last_step(fitted)[1]):
        _take_out_auxiliary(part)
    return fitted, predicted


def _take_out_auxiliary(estimator: Any) -> None:
    """Take the auxiliary corpora out of an estimator.

    A worker process would send them back whole with each fitted estimator, where all
    of them have come as one map of memory.
    """
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    held = [name for name, x in params.items() if isinstance(x, AuxiliaryCorpora)]
    if held:
        estimator.set_params(**dict.fromkeys(held))


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
            raise ValueError(
                f"fold {number} holds out utterances of an earlier one; use a splitter "
                "that holds out each of them once, such as GroupKFold or "
                "LeaveOneGroupOut."
            )
        fold[test] = number
    if (fold < 0).any():
        raise ValueError(
            f"the folds leave {(fold < 0).sum()} utterances untested; use a splitter "
            "that holds out each of them once, such as GroupKFold or LeaveOneGroupOut."
        )
    return fold


def _settings(
    estimator: Any, splitter: Any, corpus: Corpus, target: str
) -> dict[str, Any]:
    """Write down what the scores depend on."""
    return {
        "estimator": {
            name: repr(value) for name, value in estimator.get_params().items()
        },
        "splitter": repr(splitter),
        "target": target,
        "corpus": {
            "name": corpus.name,
            "utterances": len(corpus),
            "speakers": len(np.unique(corpus.speaker)),
            "emotions": dict(Counter(sorted(corpus.emotion.tolist()))),
            "classes": dict(Counter(sorted(_classes(corpus, target).tolist()))),
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


def _names(corpus: Corpus) -> list[str]:
    """Name the utterances: by file or segment, or by number."""
    if "file" in corpus.frame:
        return [describe(recording) for recording in corpus.audio]
    return [f"utterance {index}" for index in range(len(corpus))]


def _table_row(held_out: str, utterances: str, *scores: Any) -> str:
    """Lay out one row of the table of folds."""
    texts = (f"{x:.3f}" if isinstance(x, float) else x for x in scores)
    return f"{_short(held_out):<18}{utterances:>10}" + "".join(
        f"{text:>8}" for text in texts
    )


def _listed(missing: str, names: list[str]) -> list[str]:
    """Name, in one line, the recordings that were left out, if any."""
    if not names:
        return []
    more = len(names) - _N_LISTED
    shown = [*names[:_N_LISTED], *([f"{more} more"] if more > 0 else [])]
    return [f"left out, without {missing}: {', '.join(shown)}"]


def _short(speakers: str, width: int = 17) -> str:
    """Cut a list of speakers to the width of a column."""
    return speakers if len(speakers) <= width else speakers[: width - 1] + "…"
