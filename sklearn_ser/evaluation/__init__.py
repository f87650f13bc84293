"""Evaluation by speaker, with scores that say what they depend on."""

from __future__ import annotations

from ._leak_report import LeakageReport
from ._leaks import leakage_report
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

__all__ = [
    "AugmentsTraining",
    "ChecksRecordings",
    "DropsPretrainingData",
    "LeakageReport",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "SpeakerEvaluation",
    "SpeakerSentenceKFold",
    "evaluate_by_speaker",
    "leakage_report",
]
