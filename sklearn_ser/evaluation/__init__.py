"""Evaluation by speaker: scores that say what they depend on, and how sure they are."""

from __future__ import annotations

from ._comparison import EvaluationComparison, compare_evaluations
from ._intervals import ConfidenceInterval
from ._protocol import (
    ChecksRecordings,
    DropsPretrainingData,
    NamesPretrainingCorpora,
    NamesSpeakerStatistics,
)
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker
from ._saved import SavedEvaluation, read_evaluation

__all__ = [
    "ChecksRecordings",
    "ConfidenceInterval",
    "DropsPretrainingData",
    "EvaluationComparison",
    "NamesPretrainingCorpora",
    "NamesSpeakerStatistics",
    "SavedEvaluation",
    "SpeakerEvaluation",
    "compare_evaluations",
    "evaluate_by_speaker",
    "read_evaluation",
]
