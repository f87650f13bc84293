"""Evaluation by speaker, with scores that say what they depend on."""

from __future__ import annotations

from ._protocol import (
    ChecksRecordings,
    DropsPretrainingData,
    NamesPretrainingCorpora,
    NamesSpeakerStatistics,
)
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker
from ._verify import CardVerification, verify_card

__all__ = [
    "CardVerification",
    "ChecksRecordings",
    "DropsPretrainingData",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "SpeakerEvaluation",
    "evaluate_by_speaker",
    "verify_card",
]
