"""Cross-validation by speaker, from a corpus to scores and settings."""

from __future__ import annotations

import platform
from collections import Counter
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from tqdm.auto import tqdm

from .._dimensions import DIMENSIONS, SHORT_DIMENSIONS
from .._sklearn import take_rows
from ..datasets import Corpus
from ..features import SequencePooling, has_features
from ..features._base import RecordingTransformer
from ..metrics._scorer import asked_at_prediction
from ._checks import check_splits, naming_ragged
from ._leak_checks import OnLeak, check_before, check_leaks
from ._protocol import (
    drop_pretraining,
    find_speaker_statistics,
    find_usable,
    predicting,
)
from ._result import SpeakerEvaluation, Target, classes_of, recording_names
from ._side_by_side import asks_for_gpu, run_folds
from ._splits import make_splits

# What a prediction may be given of the speakers that are held out.
AT_PREDICTION = ("groups", "neutral")
NEUTRAL = "neutral"

_PACKAGES = (
    *("sklearn-ser", "scikit-learn", "numpy", "scipy", "pandas", "soundfile", "soxr"),
    *("opensmile", "torch", "skorch"),
)


def evaluate_by_speaker(
    estimator: Any,
    corpus: Corpus,
    *,
    target: Target | Literal["act", "val", "dom"] = "emotion",
    cv: Any = None,
    n_jobs: int | Literal["auto"] | None = None,
    verbose: bool = False,
    on_leak: OnLeak = None,
) -> SpeakerEvaluation:
    """Cross-validate a classifier by speaker.

    A feature extractor of this library at the head of a pipeline treats each recording
    by itself, and so does a `SequencePooling` behind it: they run once, before the
    folds are made. All other steps are fitted
    anew in each fold, on its training speakers alone. Emotion, activation, valence,
    dominance, gender and speakers reach the steps that ask for them, in training only;
    the speakers, and which utterances are neutral, also at the prediction: the result
    then says that statistics of the held-out speakers themselves were used.

    Parameters
    ----------
    estimator : estimator
        A pipeline from recordings to classes, such as those of
        `sklearn_ser.recipes`. It is cloned, not changed.
    corpus : Corpus
        Recordings with emotions and speakers.
    target : {"emotion", "activation", "valence", "dominance"}, default="emotion"
        What is classified: emotions, or the three levels of a dimension, which
        `sklearn_ser.datasets.dimension_levels` makes of the ratings: low, medium and
        high. The short names ``"act"``, ``"val"`` and ``"dom"`` work as well.
        Utterances without a rating are left out.
    cv : int, splitter, iterable of splits, "speaker_sentence" or None, default=None
        An integer stands for `GroupKFold` with so many folds, None for
        `LeaveOneGroupOut`: one speaker held out in each fold. ``"speaker_sentence"``
        stands for `SpeakerSentenceKFold`: the training has neither the speaker nor the
        sentence of a tested utterance. Otherwise as in scikit-learn; the groups are the
        speakers.
    n_jobs : int, "auto" or None, default=None
        Folds to fit at once. ``"auto"`` is all processors where the folds take long: at
        once where sequences or recordings are learned from, and for tables as soon as
        a fold has taken so long that those ahead would take half a minute. On a GPU it
        is one. The numbers do not depend on it. Each process holds the features.
    verbose : bool, default=False
        Whether to show a progress bar over the folds.
    on_leak : {"raise", "warn", "ignore"} or None, default=None
        What is done where the training knows of the test, see `leakage_report`, whose
        checks run here without the prices. None raises where a speaker is on both
        sides of a fold, and where a pre-training is on the corpus; warns of all other
        leaks; and leaves statistics of tested speakers to the result, which names them.
        "raise" and "warn" do so for every leak, and "ignore" looks for none.

    Returns
    -------
    SpeakerEvaluation
        Predictions, scores, and what they depend on.

    Raises
    ------
    ValueError
        If the folds do not hold out each utterance exactly once, if no recording has
        features, if the corpus has no ratings of the target, or by `on_leak`: if a
        speaker is on both sides of a fold, or if the estimator is pre-trained on a
        corpus of its name, as it would know the held-out speakers.

    Warns
    -----
    UserWarning
        By `on_leak`: if the same audio is on both sides of a fold, whatever it is
        named; if a search inside has folds that share speakers: it then selects
        parameters for speakers that it knows; and so on.

    See Also
    --------
    leakage_report : The same checks alone, with what each leak is worth.
    SpeakerSentenceKFold : Folds by speaker and sentence.
    ChecksRecordings, NamesPretrainingCorpora, DropsPretrainingData : Methods that
        estimators of your own may have, for the evaluation to call.

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
    check_before(estimator, corpus, on_leak)
    target = _long_name(target)
    front_end, learner = split_front_end(estimator)
    names, rated = np.array(recording_names(corpus)), _is_rated(corpus, target)
    corpus, names, unrated = corpus.select(rated), names[rated], names[~rated].tolist()
    audio = corpus.audio
    features = audio
    for step in front_end:
        features = step.transform(features)
    usable = has_features(features)
    asked = find_usable(estimator, audio)
    if asked is not None:
        usable &= asked
    if not usable.any():
        raise ValueError(f"None of the {len(corpus)} recordings has features.")
    left_out = names[~usable].tolist()
    if left_out:
        corpus = corpus.select(usable)
        features = take_rows(features, np.flatnonzero(usable))

    classes = classes_of(corpus, target)
    splitter, splits = make_splits(
        cv, features, classes, corpus.speaker, corpus.sentence
    )
    fold = check_splits(splits, corpus, on_leak)
    leaks = check_leaks(
        estimator, front_end, learner, corpus, features, splits, on_leak
    )
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
        speaker_statistics=find_speaker_statistics(learner),
        leaks=leaks,
    )


def split_front_end(estimator: Any) -> tuple[list[Any], Any]:
    """Split a pipeline after what treats each recording by itself.

    Only the extractors and the pooling of this library are known to do so; another
    step, even one that learns nothing, may mix the rows it is given.

    Parameters
    ----------
    estimator : estimator
        A pipeline or any other estimator.

    Returns
    -------
    front_end : list of transformer
        The extractor at the head of the pipeline, and the pooling behind it; empty
        where there is none.
    learner : estimator
        The rest, unfitted.
    """
    if not isinstance(estimator, Pipeline):
        return [], make_pipeline(clone(estimator))
    if len(estimator) == 1 or not isinstance(estimator[0], RecordingTransformer):
        return [], clone(estimator)
    pools = len(estimator) > 2 and isinstance(estimator[1], SequencePooling)
    n_steps = 2 if pools else 1
    return [estimator[i] for i in range(n_steps)], clone(estimator[n_steps:])


def _long_name(target: str) -> Target:
    """Return the target by its long name; refuse other names."""
    name: Any = SHORT_DIMENSIONS.get(str(target), target)
    if name not in ("emotion", *DIMENSIONS):
        raise ValueError(
            f"target must be 'emotion', {', '.join(map(repr, DIMENSIONS[:-1]))} or "
            f"{DIMENSIONS[-1]!r}, got {target!r}."
        )
    target_name: Target = name
    return target_name


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


def _fit_folds(
    learner: Any,
    features: Any,
    classes: NDArray[Any],
    corpus: Corpus,
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    *,
    n_jobs: int | Literal["auto"] | None,
    verbose: bool,
) -> list[tuple[Any, NDArray[Any]]]:
    """Fit and predict each fold, with what the learner asks for of the corpus."""
    known = metadata_of(corpus)
    with config_context(enable_metadata_routing=True):
        routing = get_routing_for_object(learner)
        asked = routing.consumes("fit", known.keys())
        routing = get_routing_for_object(predicting(learner))
        asked |= routing.consumes("predict", AT_PREDICTION)
        given = {name: known[name] for name in asked}
        if n_jobs == "auto" and asks_for_gpu(learner):
            n_jobs = 1  # or the folds would share its memory
        folds = [
            partial(fit_and_predict, learner, features, classes, given, train, test)
            for train, test in splits
        ]
        runs = run_folds(folds, n_jobs, are_long=np.ndim(features) == 1)
        bar = tqdm(
            runs, total=len(splits), desc="folds", unit="fold", disable=not verbose
        )
        return list(bar)


def metadata_of(corpus: Corpus) -> dict[str, NDArray[Any]]:
    """Return what steps may ask for of a corpus, by its names.

    Parameters
    ----------
    corpus : Corpus
        Utterances.

    Returns
    -------
    dict
        Without what the corpus does not tell.
    """
    metadata = {
        **{name: getattr(corpus, name) for name in DIMENSIONS},
        "emotion": corpus.emotion,
        "gender": corpus.gender,
        "groups": corpus.speaker,
        "neutral": corpus.emotion == NEUTRAL,
    }
    return {name: values for name, values in metadata.items() if values is not None}


def fit_and_predict(
    estimator: Any,
    features: Any,
    classes: NDArray[Any],
    metadata: dict[str, NDArray[Any]],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[Any, NDArray[Any]]:
    """Fit on one part of the utterances and predict the other.

    Parameters
    ----------
    estimator : estimator
        Is cloned.
    features : array-like of n rows or sequences
        What it is given.
    classes : ndarray of shape (n,)
        What it learns.
    metadata : dict of ndarray
        What it may ask for.
    train, test : ndarray of int
        The rows of both sides.

    Returns
    -------
    fitted : estimator
    predicted : ndarray
        For the tested rows.
    """
    of_training = {name: values[train] for name, values in metadata.items()}
    asked = get_routing_for_object(estimator).consumes("fit", of_training.keys())
    of_training = {name: of_training[name] for name in asked}
    with naming_ragged(features):
        fitted = clone(estimator).fit(
            take_rows(features, train), classes[train], **of_training
        )
    # Labels are never among these: only who speaks, and which speech is neutral.
    of_test = {
        name: values[test] for name, values in metadata.items() if name in AT_PREDICTION
    }
    of_test = asked_at_prediction(predicting(fitted), **of_test)
    predictor = predicting(fitted) if of_test else fitted
    predicted = predictor.predict(take_rows(features, test), **of_test)
    drop_pretraining(fitted)
    return fitted, predicted


def _settings(
    estimator: Any, splitter: Any, corpus: Corpus, target: Target
) -> dict[str, Any]:
    """Return what the scores depend on."""
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
            "classes": dict(Counter(sorted(classes_of(corpus, target).tolist()))),
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
