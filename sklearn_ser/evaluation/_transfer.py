"""Transfer: trained on one corpus, tested on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from tqdm.auto import tqdm

from .._adapt import SCALERS, Adapter
from .._representation import transform_asked
from .._sklearn import take_rows
from ..datasets import Corpus
from ._checks import check_pretraining, check_searches, naming_ragged
from ._front_end import split_front_end
from ._origin import settings_of
from ._plan import (
    Plan,
    Share,
    check_subsets,
    draw_share,
    find_classes,
    make_plan,
)
from ._protocol import drop_pretraining, find_speaker_statistics
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker
from ._side import Side, predict_asked, prepare_side, voices_of
from ._side_by_side import asks_for_gpu, run_folds
from ._transfer_result import TransferEvaluation, TransferRun


def evaluate_transfer(
    estimator: Any,
    source: Corpus,
    target: Corpus,
    *,
    statistics: float | None = 0.2,
    statistics_by: Literal["utterance", "speaker"] = "utterance",
    adapt: str | Sequence[str] = SCALERS,
    outliers: float | None = 10.0,
    classes: Literal["shared"] | Sequence[str] = "shared",
    subsets: Sequence[Sequence[str]] = (),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    upper_bound: bool = False,
    cv: Any = None,
    n_jobs: int | Literal["auto"] | None = None,
    verbose: bool = False,
) -> TransferEvaluation:
    """Train a classifier on one corpus and test it on another.

    The protocol of [1]_: outliers of each corpus are dropped, the estimator is fitted
    on the source, the scalers at its head are fitted anew on a random share of the
    target, without labels, and the rest of the target is scored. No label of the target
    reaches a fit.

    Parameters
    ----------
    estimator : estimator
        A pipeline from recordings to emotions, such as those of `sklearn_ser.recipes`.
        It is cloned, not changed.
    source : Corpus
        What is trained on.
    target : Corpus
        What is tested on; under another name.
    statistics : float or None, default=0.2
        Share of the target that gives statistics and is not scored; 20 % in the paper.
        0 or None takes none of the target: it is all scored, with the statistics of the
        source. 1 takes them from all of the target, which is all scored, too
        (transductive).
    statistics_by : {"utterance", "speaker"}, default="utterance"
        Whether the share is of utterances, as in the paper, so that speakers may stand
        on both sides; or of speakers, so that those who are scored gave no statistics.
    adapt : "scalers" or sequence of str, default="scalers"
        Which steps take the statistics of the target: the scalers at the head, up to
        the first step that learns anything else, or those of these names. A scaler
        gives a feature for each feature and learns without labels, such as
        `StandardScaler` and `SpeakerScaler`. What a network standardises inside
        (``standardize=True``) keeps the statistics of the source.
    outliers : float or None, default=10.0
        z-score of a feature beyond which an utterance is dropped, by mean and deviation
        of its own corpus, see `sklearn_ser.metrics.zscore_outliers`; of sequences, the
        mean over time is looked at. None drops none. It needs features: without a
        feature extractor of this library at the head nothing is dropped.
    classes : "shared" or sequence of str, default="shared"
        The emotions to tell apart. The source is trained on, and the target scored on,
        utterances of these alone. "shared" are all that both corpora have, under any
        spelling.
    subsets : sequence of sequences of str, default=()
        Fewer emotions, each list within `classes`, to be told apart as well. The steps
        before the last stay as they are, and the last one is fitted anew on utterances
        of these alone. In [1]_ anger, neutral and sadness, beside the four.
    seeds : sequence of int, default=(0, 1, 2, 3, 4)
        For each a run: it draws the share, and takes the place of each `random_state`
        of the estimator.
    upper_bound : bool, default=False
        Whether to train and test the same estimator on the target itself, too, by
        speaker, with the first seed.
    cv : int, splitter, iterable of splits or None, default=None
        Folds of the upper bound, as of `evaluate_by_speaker`.
    n_jobs : int, "auto" or None, default=None
        Runs at once, as the folds of `evaluate_by_speaker`.
    verbose : bool, default=False
        Whether to show a progress bar over the runs.

    Returns
    -------
    TransferEvaluation
        Predictions, scores over the seeds, and what they depend on.

    Raises
    ------
    ValueError
        If the corpora have the same name or fewer than two emotions in common, if an
        emotion is in one of them only, if a parameter is out of range, if the share
        leaves too little on one side, or if the estimator is pre-trained on a corpus of
        the target's name.

    Warns
    -----
    UserWarning
        If the estimator holds a search whose own folds share speakers.

    See Also
    --------
    cross_corpus_matrix : Each corpus against each other.
    evaluate_by_speaker : Within one corpus.

    Notes
    -----
    The share is drawn from all of the target, also from emotions that are not scored,
    as nobody would know them. To draw it from some emotions, as the paper does, give
    ``target.keep_emotions(...)``. The outlier rule knows all features of the target,
    those that are scored among them, and no labels; it changes no prediction.

    Speakers reach the steps that ask for them at the prediction, as in
    `evaluate_by_speaker`, named with the target: none of them is one of the source.

    References
    ----------
    .. [1] S. Das et al., "Continuous Metric Learning For Transferable Speech
       Emotion Recognition and Embedding Across Low-resource Languages", Proc.
       Northern Lights Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import evaluate_transfer
    >>> first = make_emotional_speech(3, 2, random_state=0)
    >>> second = make_emotional_speech(3, 2, random_state=1)
    >>> transfer = evaluate_transfer(
    ...     recipes.egemaps_svc(),
    ...     replace(first, name="first"),
    ...     replace(second, name="second"),
    ...     seeds=[0, 1],
    ... )
    >>> transfer.adapted, transfer.scores["utterances"].tolist()
    (['standardscaler'], [20, 20])
    >>> bool(transfer.ua > 0.25)
    True
    """
    sides = _check_corpora(source, target)
    front_end, learner = split_front_end(estimator)
    check_searches(learner)
    check_pretraining(estimator, target)
    plan = make_plan(
        classes=find_classes(classes, sides),
        statistics=statistics,
        statistics_by=statistics_by,
        adapt=adapt,
        outliers=outliers,
        seeds=seeds,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    subsets = check_subsets(subsets, plan.classes)
    trained, tested = (prepare_side(estimator, front_end, x, outliers) for x in sides)
    result = transfer(estimator, learner, trained, tested, plan, subsets)
    if not upper_bound:
        return result
    return replace(result, upper_bound=by_speaker(estimator, tested, plan, cv))


def transfer(
    estimator: Any,
    learner: Any,
    source: Side,
    target: Side,
    plan: Plan,
    subsets: Sequence[list[str]] = (),
) -> TransferEvaluation:
    """Train on one side and test on the other, for each seed.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated, for the settings.
    learner : estimator
        What is behind its front end.
    source, target : Side
        The corpora with their features.
    plan : Plan
        What is to be done.
    subsets : sequence of lists of str
        Fewer classes, checked.

    Returns
    -------
    TransferEvaluation
        Without an upper bound.
    """
    sets = [plan.classes, *subsets]
    shares = [draw_share(target, plan, seed) for seed in plan.seeds]
    tasks = [
        partial(_run, learner, source, target, plan, seed, share, sets)
        for seed, share in zip(plan.seeds, shares, strict=True)
    ]
    n_jobs = plan.n_jobs
    if n_jobs == "auto" and asks_for_gpu(learner):
        n_jobs = 1  # or the runs would share its memory
    runs = run_folds(tasks, n_jobs, are_long=np.ndim(source.features) == 1)
    bar = tqdm(
        runs, total=len(tasks), desc="runs", unit="run", disable=not plan.verbose
    )
    by_seed = list(bar)
    adapted = by_seed[0][1]
    found = [
        TransferEvaluation(
            source=source.corpus.select(np.isin(source.emotion, some)),
            target=target.corpus,
            classes=some,
            runs=[of_sets[number] for of_sets, _ in by_seed],
            features=target.features,
            adapted=adapted,
            left_out={"source": source.left_out, "target": target.left_out},
            outliers={"source": source.outliers, "target": target.outliers},
            settings=_settings(estimator, source, target, replace(plan, classes=some)),
            speaker_statistics=find_speaker_statistics(learner),
        )
        for number, some in enumerate(sets)
    ]
    return replace(found[0], subsets=found[1:])


def by_speaker(estimator: Any, side: Side, plan: Plan, cv: Any) -> SpeakerEvaluation:
    """Evaluate the same estimator within a corpus, by speaker.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.
    side : Side
        The corpus, of which the utterances that a transfer uses are taken.
    plan : Plan
        Classes, seeds and the rest.
    cv : int, splitter, iterable of splits or None
        The folds.

    Returns
    -------
    SpeakerEvaluation
        The result with the first seed.
    """
    return evaluate_by_speaker(
        seeded(clone(estimator), plan.seeds[0]),
        side.corpus.select(np.isin(side.emotion, plan.classes)),
        cv=cv,
        n_jobs=plan.n_jobs,
        verbose=plan.verbose,
    )


def seeded(estimator: Any, seed: int) -> Any:
    """Put a seed in the place of each random state of an estimator.

    Parameters
    ----------
    estimator : estimator
        It is changed.
    seed : int
        The seed.

    Returns
    -------
    estimator
        The same.
    """
    names = estimator.get_params()
    states = [name for name in names if name.rpartition("__")[2] == "random_state"]
    return estimator.set_params(**dict.fromkeys(states, seed))


def _run(
    learner: Any,
    source: Side,
    target: Side,
    plan: Plan,
    seed: int,
    share: Share,
    sets: list[list[str]],
) -> tuple[list[TransferRun], list[str]]:
    """Train with a seed; return a run for each set of classes, and what was adapted."""
    statistics, rest = share
    metadata, emotion = source.metadata(), target.emotion
    given, tested = _part(target, statistics), np.sort(rest)
    runs = []
    with config_context(enable_metadata_routing=True):
        unfitted, fitted = seeded(clone(learner), seed), None
        for some in sets:
            rows = np.flatnonzero(np.isin(source.emotion, some))
            X = take_rows(source.features, rows)
            fitted = _fit(unfitted, fitted, X, _taken(metadata, rows))
            adapter = Adapter(plan.adapt, given[1])
            adapted = fitted
            if statistics.size:
                adapted = adapter.adapt(fitted, given[0])
                _check_adapted(adapter, plan)
            # Of all emotions: what is predicted must not depend on which are scored.
            predicted = predict_asked(adapted, *_part(target, tested))
            drop_pretraining(adapted)
            scored = rest[np.isin(emotion[rest], some)]
            predicted = predicted[np.searchsorted(tested, scored)]
            runs.append(
                TransferRun(
                    *(seed, statistics, tested, scored, emotion[scored], predicted),
                    estimator=adapted,
                )
            )
    return runs, adapter.found


def _part(side: Side, rows: NDArray[np.intp]) -> tuple[Any, dict[str, Any]]:
    """Return the features of some utterances, and what is known of their voices."""
    return take_rows(side.features, rows), _taken(voices_of(side.corpus), rows)


def _fit(unfitted: Any, before: Any, X: Any, metadata: dict[str, Any]) -> Any:
    """Fit all steps; or, behind the steps of a pipeline fitted before, the last one."""
    if before is not None and isinstance(unfitted, Pipeline) and len(unfitted) > 1:
        name, last = unfitted.steps[-1]
        head = before[:-1]
        last = _fit(last, None, transform_asked(head, X, metadata), metadata)
        return Pipeline([*head.steps, (name, last)])
    asked = get_routing_for_object(unfitted).consumes("fit", metadata.keys())
    with naming_ragged(X):
        return clone(unfitted).fit(
            X, metadata["emotion"], **{name: metadata[name] for name in asked}
        )


def _taken(values: dict[str, Any], rows: NDArray[np.intp]) -> dict[str, Any]:
    """Return some rows of arrays."""
    return {name: array[rows] for name, array in values.items()}


def _check_corpora(source: Corpus, target: Corpus) -> tuple[Corpus, Corpus]:
    """Return both corpora; refuse one with itself."""
    if source.name == target.name:
        raise ValueError(
            f"Source and target are both named {source.name}. Evaluate one corpus by "
            "evaluate_by_speaker; if they are two, give one another name, by "
            "dataclasses.replace(corpus, name=...)."
        )
    return source, target


def _check_adapted(adapter: Adapter, plan: Plan) -> None:
    """Refuse names of steps that there are not."""
    if isinstance(plan.adapt, str):
        return
    missing = [name for name in plan.adapt if name not in adapter.found]
    if missing:
        raise ValueError(
            f"adapt names {', '.join(missing)}, which is no step behind the front end; "
            f"there are {', '.join(adapter.passed) or 'none'}."
        )


def _settings(estimator: Any, source: Side, target: Side, plan: Plan) -> dict[str, Any]:
    """Return what the scores depend on."""
    of_source, of_target = (
        settings_of(estimator, None, side.corpus, "emotion")
        for side in (source, target)
    )
    return {
        "estimator": of_source["estimator"],
        "source": of_source["corpus"],
        "target": of_target["corpus"],
        "classes": plan.classes,
        "statistics": plan.statistics,
        "statistics_by": plan.statistics_by,
        "adapt": plan.adapt if isinstance(plan.adapt, str) else list(plan.adapt),
        "outliers": plan.outliers if source.is_judged else None,
        "seeds": plan.seeds,
        "versions": of_source["versions"],
    }
