"""Evaluation by speaker and across corpora; results say what they depend on."""

from __future__ import annotations

from ._cross_corpus import CrossCorpusMatrix, cross_corpus_matrix
from ._presence import PresenceEvaluation, evaluate_presence
from ._protocol import (
    ChecksRecordings,
    DropsPretrainingData,
    NamesPretrainingCorpora,
    NamesSpeakerStatistics,
)
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker
from ._transfer import evaluate_transfer
from ._transfer_result import TransferEvaluation, TransferRun

__all__ = [
    "ChecksRecordings",
    "CrossCorpusMatrix",
    "DropsPretrainingData",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "PresenceEvaluation",
    "SpeakerEvaluation",
    "TransferEvaluation",
    "TransferRun",
    "cross_corpus_matrix",
    "evaluate_by_speaker",
    "evaluate_presence",
    "evaluate_transfer",
]
