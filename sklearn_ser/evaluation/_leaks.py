"""The report on leaks, from recordings or features to what each leak is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length

from .._warnings import warn_user
from ..audio import as_recordings, describe
from ..datasets import Corpus
from ..features import has_features
from ._folds import metadata_of
from ._front_end import split_front_end
from ._leak_checks import evidence_of, find_leaks
from ._leak_folds import Evidence, copies_of_audio, copies_of_rows, sources_of
from ._leak_models import leaks_of_table
from ._leak_prices import Prices
from ._leak_report import KINDS, LeakageReport
from ._splits import make_splits


def leakage_report(
    corpus_or_audio: Any,
    y: Any = None,
    groups: Any = None,
    cv: Any = None,
    estimator: Any = None,
    *,
    sentences: Any = None,
) -> LeakageReport:
    """Look for all that lets a training know the test, and measure what it is worth.

    Recordings are compared by what is heard: under another name, in another container,
    at another rate, level or depth, shifted, cut, coded with losses, with noise, or at
    another speed. With an estimator, its parts are looked at, too, and each kind of
    leak that can be undone gets a price: the score as it is, and the score of a second
    evaluation without the leak.

    Parameters
    ----------
    corpus_or_audio : Corpus, collection of n recordings, or array-like of shape \
(n, n_features)
        What is split. A 2-D array or data frame of numbers is a table of features;
        waveforms are given as a list.
    y : array-like of shape (n,), default=None
        Classes, or ratings as floats; None takes the emotions of a corpus.
    groups : array-like of shape (n,), default=None
        Speakers; None takes those of a corpus.
    cv : int, splitter, iterable of splits, "speaker_sentence" or None, default=None
        The folds, as of `evaluate_by_speaker`: None holds out one speaker in each where
        speakers are known. Without speakers as of scikit-learn.
    estimator : estimator, default=None
        The one that is evaluated, from recordings or, for a table, from features. It is
        cloned, not changed.
    sentences : array-like of shape (n,), default=None
        What was said, None where unknown; None as a whole takes the sentences of a
        corpus.

    Returns
    -------
    LeakageReport
        True if there is a leak, and false if there is none or if there are notes alone.

    Raises
    ------
    ValueError
        If the lengths differ, or if `cv` cannot split what is given.

    Warns
    -----
    UserWarning
        If the estimator cannot be fitted, so that there are no prices.

    See Also
    --------
    evaluate_by_speaker : Runs these checks by itself, without the prices.
    SpeakerSentenceKFold : Folds that share neither speakers nor sentences.

    Notes
    -----
    A leak is undone by another fit, so that the tested utterances stay what they are as
    far as possible. Copies and segments of tested recordings are left out of the
    training; where a class would be lost, all of one group go to one side. For shared
    speakers, as many folds are dealt by speaker. For shared sentences, speakers and
    sentences are dealt, the latter into five parts; where speakers are shared, too, the
    score with shared sentences is that of folds by speaker. Searches get folds by
    speaker, frozen steps are fitted in each fold, and a `SpeakerScaler` takes the
    statistics of the corpus. What was fitted before, such as a table that is
    standardised already, has no price; nor has a pre-training, which would have to be
    done again without the corpus.

    Sentences, or files of which utterances are segments, are a note where speakers
    share them by design: where that holds for half of the utterances or more.

    Two recordings share audio if half of the shorter one, and half a second at least,
    is the same. The 1,584 utterances of EMO-DB, URDU and eight speakers of CREMA-D hold
    five such pairs, all of them real, of which one lies across two speakers of URDU.
    Copies of less than a third of a second are found only where all samples are equal.

    Examples
    --------
    >>> from sklearn.model_selection import StratifiedKFold
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import leakage_report
    >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=2)
    >>> bool(leakage_report(corpus))
    False
    >>> random = StratifiedKFold(3, shuffle=True, random_state=0)
    >>> report = leakage_report(corpus, cv=random, estimator=recipes.egemaps_svc())
    >>> report
    <LeakageReport: leaks speakers; notes sentences>
    >>> report.table["n_utterances"].tolist()
    [8, 8, 8, 8, 8, 8]
    """
    front_end, learner = ([], None) if estimator is None else split_front_end(estimator)
    known, X, name = _known(corpus_or_audio, front_end)
    labels = _column(y)
    if labels is None and isinstance(corpus_or_audio, Corpus):
        labels = corpus_or_audio.emotion
    if groups is not None:
        known = replace(known, speakers=_column(groups))
    if sentences is not None:
        known = replace(known, sentences=_column(sentences))
    check_consistent_length(known.names, labels, known.speakers, known.sentences)
    _, splits = make_splits(cv, X, labels, known.speakers, known.sentences)

    features, splits = _features(front_end, X, splits)
    report = find_leaks(estimator, learner, known, features, splits, name)
    findings = list(report.findings)
    table = _table(X)
    if table is not None:
        findings += leaks_of_table(table, known.speakers, splits)
    report = replace(report, findings=tuple(findings))
    if learner is None or labels is None or not findings:
        return report
    metadata = _metadata(corpus_or_audio, labels, known)
    prices = Prices(learner, features, labels, metadata, splits, known)
    found = {finding.kind for finding in findings}
    kinds = [kind for kind in KINDS if kind in found]
    try:
        return replace(report, prices=prices.of(kinds), metric=prices.metric)
    except ValueError as error:  # such as where it refuses what it is pre-trained on
        warn_user(f"No leak has a price, as the estimator cannot be fitted: {error}")
    return report


def _known(X: Any, front_end: list[Any]) -> tuple[Evidence, Any, str | None]:
    """Return what is known of what is split, that itself, and its name."""
    if isinstance(X, Corpus):
        return evidence_of(X, front_end), X.audio, X.name
    table = _table(X)
    if table is not None:
        names = [f"row {index}" for index in range(len(table))]
        return Evidence(names, copies=copies_of_rows(table)), X, None
    audio = as_recordings(X)
    names = [
        f"{described} {index}" if described == "waveform" else described
        for index, described in enumerate(map(describe, audio))
    ]
    copies, unheard = copies_of_audio(audio)
    found = Evidence(names, None, None, sources_of(audio), copies, unheard)
    return found, audio, None


def _table(X: Any) -> NDArray[Any] | None:
    """Return a table of features as an array, None for recordings."""
    if isinstance(X, Corpus | list | tuple) or getattr(X, "ndim", 0) != 2:
        return None
    table = np.asarray(X)
    return table.astype(np.float64) if table.dtype.kind in "fiu" else None


def _column(values: Any) -> NDArray[Any] | None:
    """Return labels as an array."""
    return None if values is None else np.asarray(values)


def _features(front_end: list[Any], X: Any, splits: list[Any]) -> tuple[Any, list[Any]]:
    """Return what the learner is given, and the splits of what has features."""
    features = X
    for step in front_end:
        features = step.transform(features)
    if not front_end:
        return features, splits
    usable = has_features(features)
    kept = [(train[usable[train]], test[usable[test]]) for train, test in splits]
    return features, [split for split in kept if len(split[0]) and len(split[1])]


def _metadata(X: Any, labels: NDArray[Any], known: Evidence) -> dict[str, NDArray[Any]]:
    """Return what the steps of an estimator may ask for."""
    metadata = metadata_of(X) if isinstance(X, Corpus) else {}
    if known.speakers is not None:
        metadata["groups"] = known.speakers
    if "neutral" not in metadata and labels.dtype.kind in "OU":
        metadata["neutral"] = labels == "neutral"
    return metadata
