"""Plots of embeddings, of recognised emotions, and of scores.

matplotlib is imported when something is drawn, not before. The classes follow
scikit-learn's displays: they store what they draw, and ``plot`` draws it.
"""

from __future__ import annotations

from ._comparison import ConfusionComparisonDisplay
from ._confusion import plot_confusion
from ._cross_corpus import CrossCorpusDisplay
from ._embedding import EmbeddingDisplay
from ._speakers import EvaluationComparisonDisplay, SpeakerScoresDisplay
from ._timeline import TimelineDisplay
from ._tsne import TSNEDisplay

__all__ = [
    "ConfusionComparisonDisplay",
    "CrossCorpusDisplay",
    "EmbeddingDisplay",
    "EvaluationComparisonDisplay",
    "SpeakerScoresDisplay",
    "TSNEDisplay",
    "TimelineDisplay",
    "plot_confusion",
]
