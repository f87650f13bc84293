"""Evaluation by speaker and across corpora; results say how sure they are."""

from __future__ import annotations

from ._comparison import EvaluationComparison, compare_evaluations
from ._cross_corpus import CrossCorpusMatrix, cross_corpus_matrix
from ._intervals import ConfidenceInterval
from ._presence import PresenceEvaluation, evaluate_presence
from ._protocol import (
    ChecksRecordings,
    DropsPretrainingData,
    NamesPretrainingCorpora,
    NamesSpeakerStatistics,
)
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker
from ._saved import SavedEvaluation, read_evaluation
from ._transfer import evaluate_transfer
from ._transfer_result import TransferEvaluation, TransferRun

__all__ = [
    "ChecksRecordings",
    "ConfidenceInterval",
    "CrossCorpusMatrix",
    "DropsPretrainingData",
    "EvaluationComparison",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "PresenceEvaluation",
    "SavedEvaluation",
    "SpeakerEvaluation",
    "TransferEvaluation",
    "TransferRun",
    "compare_evaluations",
    "cross_corpus_matrix",
    "evaluate_by_speaker",
    "evaluate_presence",
    "evaluate_transfer",
    "read_evaluation",
]
