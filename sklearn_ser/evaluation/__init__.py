"""Evaluation by speaker and across corpora; results say how sure they are."""

from __future__ import annotations

from ._comparison import EvaluationComparison, compare_evaluations
from ._cross_corpus import CrossCorpusMatrix, cross_corpus_matrix
from ._intervals import ConfidenceInterval
from ._leak_report import LeakageReport
from ._leaks import leakage_report
from ._presence import PresenceEvaluation, evaluate_presence
from ._protocol import (
    AugmentsTraining,
    ChecksRecordings,
    DropsPretrainingData,
    NamesPretrainingCorpora,
    NamesSpeakerStatistics,
)
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker
from ._saved import SavedEvaluation, read_evaluation
from ._speaker_sentence import SpeakerSentenceKFold
from ._transfer import evaluate_transfer
from ._transfer_result import TransferEvaluation, TransferRun
from ._verify import CardVerification, verify_card

__all__ = [
    "AugmentsTraining",
    "CardVerification",
    "ChecksRecordings",
    "ConfidenceInterval",
    "CrossCorpusMatrix",
    "DropsPretrainingData",
    "EvaluationComparison",
    "LeakageReport",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "PresenceEvaluation",
    "SavedEvaluation",
    "SpeakerEvaluation",
    "SpeakerSentenceKFold",
    "TransferEvaluation",
    "TransferRun",
    "compare_evaluations",
    "cross_corpus_matrix",
    "evaluate_by_speaker",
    "evaluate_presence",
    "evaluate_transfer",
    "leakage_report",
    "read_evaluation",
    "verify_card",
]
