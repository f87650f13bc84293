"""Evaluation by speaker: what a score means is written down beside it."""

from __future__ import annotations

from ._protocol import ChecksRecordings, DropsPretrainingData, NamesPretrainingCorpora
from ._result import SpeakerEvaluation
from ._run import evaluate_by_speaker

__all__ = [
    "ChecksRecordings",
    "DropsPretrainingData",
    "NamesPretrainingCorpora",
    "SpeakerEvaluation",
    "evaluate_by_speaker",
]
