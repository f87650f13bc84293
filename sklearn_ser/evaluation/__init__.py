"""Evaluation by speaker and across corpora; results say what they depend on."""

from __future__ import annotations

from ._cross_corpus import CrossCorpusMatrix, cross_corpus_matrix
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
from ._speaker_sentence import SpeakerSentenceKFold
from ._transfer import evaluate_transfer
from ._transfer_result import TransferEvaluation, TransferRun

__all__ = [
    "AugmentsTraining",
    "ChecksRecordings",
    "CrossCorpusMatrix",
    "DropsPretrainingData",
    "LeakageReport",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "PresenceEvaluation",
    "SpeakerEvaluation",
    "SpeakerSentenceKFold",
    "TransferEvaluation",
    "TransferRun",
    "cross_corpus_matrix",
    "evaluate_by_speaker",
    "evaluate_presence",
    "evaluate_transfer",
    "leakage_report",
]
