"""Cross-validation by speaker, from a corpus to scores and settings."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from tqdm.auto import tqdm

from ..datasets import Corpus
from ._checkpoint import Checkpoint
from ._checks import check_splits
from ._folds import FoldResult, Split, fold_tasks, joined
from ._front_end import join_front_end, split_front_end
from ._leak_checks import OnLeak, check_before, check_leaks
from ._leak_report import LeakageReport
from ._origin import machine, now, settings_of
from ._outcome import in_order
from ._prepare import Prepared, long_name, prepare
from ._protocol import find_speaker_statistics
from ._result import SpeakerEvaluation, Target
from ._seeds import check_seeds, seeded
from ._side_by_side import asks_for_gpu, run_folds
from ._splits import make_splits
from ._typed import encode


def evaluate_by_speaker(
    estimator: Any,
    corpus: Corpus,
    *,
    target: Target | Literal["act", "val", "dom"] = "emotion",
    cv: Any = None,
    features: Any = None,
    seeds: Iterable[int] | None = None,
    refit: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    n_jobs: int | Literal["auto"] | None = None,
    verbose: bool = False,
    on_leak: OnLeak = None,
) -> SpeakerEvaluation:
    """Cross-validate a classifier by speaker.

    A feature extractor of this library at the head of a pipeline treats each recording
    by itself, and so does a `SequencePooling` behind it: they run once, before the
    folds are made, also in the pipeline of a search that leaves their parameters alone.
    All other steps are fitted anew in each fold, on its training speakers alone.
    Emotion, activation, valence,
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
    features : array-like, data frame, sequences or None, default=None
        Features that are known already, one row or sequence for each utterance of
        `corpus`, in its order. The estimator is given these in the place of
        recordings, and begins behind a front end. Rows of NaN are left out. None
        gives it the recordings.
    seeds : iterable of int or None, default=None
        Seeds, such as ``range(5)``: each is a run over all folds, in which every
        parameter ``random_state`` of the estimator, its steps and the estimators
        inside has this value. The splitter of a search is no estimator, and keeps its
        own, as do estimators among the values that it tries. The front end runs once.
        None is one run with the seeds that are set.
    refit : bool, default=False
        Whether to fit on all speakers, too, after the folds, with the first of the
        seeds: the result has it as `refitted`.
    checkpoint : str, os.PathLike or None, default=None
        A folder for finished folds. The same call goes on where an earlier one was
        interrupted, also by a loss of power: no finished fold is fitted twice. A fold
        is found again by its data, the estimator with its parameters, seed and code,
        and the versions of the libraries. Of a search that is the estimator, or a step
        of a pipeline, no candidate is fitted twice. Features are kept there too, where
        the front end has no `memory`. The files are pickles: use a folder that you
        alone write.
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
        features, if the corpus has no ratings of the target, if the features are not
        one for each utterance or there is a front end, too, if there are seeds and no
        ``random_state``, if there is a checkpoint and the estimator cannot be pickled,
        or by `on_leak`: if a speaker is on both sides of a fold, or if the estimator is
        pre-trained on a corpus of its name, as it would know the held-out speakers.
    TypeError
        If the seeds are not integers.

    Warns
    -----
    UserWarning
        By `on_leak`: if the same audio is on both sides of a fold, whatever it is
        named; if a search inside has folds that share speakers: it then selects
        parameters for speakers that it knows; and so on.

    See Also
    --------
    ChecksRecordings, NamesPretrainingCorpora, DropsPretrainingData : Methods that
        estimators of your own may have, for the evaluation to call.
    leakage_report : The same checks alone, with what each leak is worth.
    SpeakerSentenceKFold : Folds by speaker and sentence.
    verify_card : Runs an evaluation again, from its card.
    sklearn_ser.SeedEnsemble : The mean of several seeds, as one estimator.

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

    Features that are known, three seeds, and a model of all speakers:

    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> evaluation = evaluate_by_speaker(
    ...     ExtraTreesClassifier(10), corpus, features=evaluation.features,
    ...     seeds=range(3), refit=True,
    ... )
    >>> [run.seed for run in evaluation.runs], sorted(evaluation.spread)
    ([0, 1, 2], ['f1', 'ua', 'wa'])
    >>> evaluation.refitted.predict(evaluation.features).shape
    (24,)
    """
    began, start = now(), time.perf_counter()
    target = long_name(target)
    kept = None if checkpoint is None else Checkpoint(checkpoint)
    memory = None if kept is None else kept.features
    check_before(estimator, corpus, on_leak)
    data = prepare(estimator, corpus, target, features, memory)
    numbers = check_seeds(seeds, data.learner)
    folds = _make_folds(estimator, data, cv, on_leak)
    seed_of_runs: list[int | None] = [None] if numbers is None else [*numbers]
    learners = [seeded(data.learner, seed) for seed in seed_of_runs]
    how: dict[str, Any] = {"refit": refit, "n_jobs": n_jobs, "verbose": verbose}
    results = _fit_all(learners, data, folds.splits, kept=kept, **how)
    common = _common(estimator, data, folds, target)
    common["origin"] |= {
        "given": corpus,
        "features_given": features is not None,
        "start": began,
        "seconds": time.perf_counter() - start,
    }
    runs = [
        _result_of(of_run, estimator, folds.splits, data, {**common, "seed": seed})
        for of_run, seed in zip(results, seed_of_runs, strict=True)
    ]
    evaluation = runs[0]
    if numbers is not None:
        evaluation = replace(evaluation, _runs=tuple(runs))
    if evaluation.refitted is not None:
        evaluation.refitted.card_ = evaluation.card
    return evaluation


def fit_on_all(estimator: Any, corpus: Corpus, target: Target = "emotion") -> Any:
    """Fit an estimator on all utterances of a corpus, as the folds are fitted.

    Parameters
    ----------
    estimator : estimator
        As of `evaluate_by_speaker`. It is cloned, not changed.
    corpus : Corpus
        Recordings with emotions and speakers.
    target : {"emotion", "activation", "valence", "dominance"}, default="emotion"
        What is learned.

    Returns
    -------
    estimator
        The whole pipeline, fitted.
    """
    data = prepare(estimator, corpus, target, None, None)
    (fit,) = fold_tasks(data.learner, data, [], refit=True)
    with config_context(enable_metadata_routing=True):
        return join_front_end(estimator, fit().fitted)


class _Folds(NamedTuple):
    """The folds, and what is wrong with them.

    Attributes
    ----------
    splitter : cross-validator
        What made them.
    splits : list of tuple of ndarray
        Training and test rows of each.
    fold : ndarray of shape (n_utterances,)
        The one that holds out each utterance.
    leaks : LeakageReport or None
        None if none were looked for.
    """

    splitter: Any
    splits: list[Split]
    fold: NDArray[np.intp]
    leaks: LeakageReport | None


def _make_folds(estimator: Any, data: Prepared, cv: Any, on_leak: OnLeak) -> _Folds:
    """Split the utterances, and look for what leaks between the sides."""
    corpus = data.corpus
    splitter, splits = make_splits(
        cv, data.features, data.classes, corpus.speaker, corpus.sentence
    )
    fold = check_splits(splits, corpus, on_leak)
    front_end, _ = split_front_end(estimator)
    leaks = check_leaks(
        estimator, front_end, data.learner, corpus, data.features, splits, on_leak
    )
    return _Folds(splitter, splits, fold, leaks)


def _common(
    estimator: Any, data: Prepared, folds: _Folds, target: Target
) -> dict[str, Any]:
    """Return what all runs have in common."""
    return {
        "corpus": data.corpus,
        "fold": folds.fold,
        "features": data.features,
        "left_out": data.left_out,
        "unrated": data.unrated,
        "target": target,
        "settings": settings_of(estimator, folds.splitter, data.corpus, target),
        "speaker_statistics": find_speaker_statistics(data.learner),
        "leaks": folds.leaks,
        "origin": {
            "estimator": encode(estimator),
            "splitter": folds.splitter,
            "splits": folds.splits,
            "machine": machine(),
        },
    }


def _fit_all(
    learners: list[Any],
    data: Prepared,
    splits: list[Split],
    *,
    refit: bool,
    kept: Checkpoint | None,
    n_jobs: int | Literal["auto"] | None,
    verbose: bool,
) -> list[list[FoldResult]]:
    """Fit and predict each fold with each learner; with the first one, also all."""
    if n_jobs == "auto" and asks_for_gpu(learners[0]):
        n_jobs = 1  # or the folds would share its memory
    with config_context(enable_metadata_routing=True):
        tasks = [
            fold_tasks(learner, data, splits, refit=refit and learner is learners[0])
            for learner in learners
        ]
        every = [task for of_learner in tasks for task in of_learner]
        if kept is not None:
            every = kept.keeping(every)
        # Tables are quick; what is no array is a list of sequences or of objects.
        are_long = getattr(data.features, "ndim", 1) == 1
        runs = run_folds(every, n_jobs, are_long=are_long)
        bar = tqdm(
            runs, total=len(every), desc="folds", unit="fold", disable=not verbose
        )
        results = iter(list(bar))
    return [[next(results) for _ in of_learner] for of_learner in tasks]


def _result_of(
    results: list[FoldResult],
    estimator: Any,
    splits: list[Split],
    data: Prepared,
    common: dict[str, Any],
) -> SpeakerEvaluation:
    """Bring the folds of a run together."""
    folds = results[: len(splits)]
    whole = [join_front_end(estimator, result.fitted) for result in results]
    ordered = in_order({*data.classes.tolist()}, common["target"])
    predicted, probabilities, columns = joined(folds, splits, ordered)
    return SpeakerEvaluation(
        predicted=predicted,
        probabilities=probabilities,
        probability_classes=columns,
        estimators=whole[: len(splits)],
        refitted=whole[-1] if len(whole) > len(splits) else None,
        **common,
    )
