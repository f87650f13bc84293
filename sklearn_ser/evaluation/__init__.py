"""Evaluation by speaker: what a score means is written down beside it."""

from ._by_speaker import SpeakerEvaluation, evaluate_by_speaker

__all__ = ["SpeakerEvaluation", "evaluate_by_speaker"]
