"""The checks for leaks that an evaluation by speaker makes on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from .._warnings import warn_user
from ..datasets import Corpus
from ._checks import check_pretraining
from ._leak_folds import Evidence, copies_of_audio, leaks_of_folds, sources_of
from ._leak_models import leaks_of_estimator, leaks_of_frozen, leaks_of_pretraining
from ._leak_report import KINDS, LeakageReport
from ._result import recording_names
from ._speaker_sentence import Split

OnLeak: TypeAlias = Literal["raise", "warn", "ignore"] | None

# How errors and warnings begin.
LEAKS = "The test leaks into the training"
# What the result names by itself.
_NAMED_ELSEWHERE = "speaker statistics"


def check_before(estimator: Any, corpus: Corpus, on_leak: OnLeak) -> None:
    """Refuse, before anything is computed, a pre-training on the corpus by its name."""
    if on_leak not in (None, "raise", "warn", "ignore"):
        raise ValueError(
            f"on_leak must be 'raise', 'warn', 'ignore' or None, got {on_leak!r}."
        )
    if on_leak in (None, "raise"):
        check_pretraining(estimator, corpus)


def check_leaks(
    estimator: Any,
    front_end: Sequence[Any],
    learner: Any,
    corpus: Corpus,
    features: Any,
    splits: Sequence[Split],
    on_leak: OnLeak,
) -> LeakageReport | None:
    """Look for leaks, and do about them what is asked for.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.
    front_end : sequence of transformer
        What treats each recording by itself.
    learner : estimator
        The rest.
    corpus : Corpus
        The utterances that are evaluated.
    features : array-like of n rows or sequences
        What the learner is given.
    splits : sequence of tuple of ndarray
        Training and test rows of each fold.
    on_leak : {"raise", "warn", "ignore"} or None
        As of `evaluate_by_speaker`.

    Returns
    -------
    LeakageReport or None
        None if none are looked for.

    Raises
    ------
    ValueError
        If there is a leak, and it is to raise.
    """
    if on_leak == "ignore":
        return None
    evidence = evidence_of(corpus, front_end)
    report = find_leaks(estimator, learner, evidence, features, splits, corpus.name)
    kinds = {finding.kind for finding in report.findings if finding.severity == "leak"}
    if on_leak is None:
        kinds.discard(_NAMED_ELSEWHERE)
    if not kinds:
        return report
    lines = "\n".join(
        line for kind in KINDS if kind in kinds for line in report.of(kind)
    )
    if on_leak == "raise":
        raise ValueError(f"{LEAKS}:\n{lines}")
    warn_user(f"{LEAKS}:\n{lines}")
    return report


def evidence_of(corpus: Corpus, front_end: Sequence[Any] = ()) -> Evidence:
    """Return what is known of the utterances of a corpus.

    Parameters
    ----------
    corpus : Corpus
        Utterances.
    front_end : sequence of transformer, default=()
        Its first step says where to cache, and in how many threads to work.

    Returns
    -------
    Evidence
    """
    audio = corpus.audio
    settings = {
        name: getattr(step, name, None)
        for step in front_end[:1]
        for name in ("n_jobs", "memory")
    }
    copies, unheard = copies_of_audio(audio, **settings)
    return Evidence(
        recording_names(corpus),
        corpus.speaker,
        corpus.sentence,
        sources_of(audio),
        copies,
        unheard,
    )


def find_leaks(
    estimator: Any,
    learner: Any,
    evidence: Evidence,
    features: Any,
    splits: Sequence[Split],
    corpus_name: str | None,
) -> LeakageReport:
    """Look for leaks without a fit.

    Parameters
    ----------
    estimator, learner : estimator or None
        As it is given, and without what treats each recording by itself; None for none.
    evidence : Evidence
        What is known of the utterances.
    features : array-like of n rows or sequences, or None
        What the learner is given.
    splits : sequence of tuple of ndarray
        Training and test rows of each fold.
    corpus_name : str or None
        Name of the corpus.

    Returns
    -------
    LeakageReport
        Without prices.
    """
    n_tested = sum(len(test) for _, test in splits)
    findings = [*leaks_of_folds(evidence, splits)]
    if estimator is not None:
        findings += leaks_of_frozen(learner, features, n_tested)
        findings += leaks_of_estimator(learner, splits, evidence.speakers)
        findings += leaks_of_pretraining(estimator, corpus_name, features, n_tested)
    unheard = tuple(evidence.names[i] for i in evidence.unheard)
    return LeakageReport(tuple(findings), {}, "UA", n_tested, unheard)
