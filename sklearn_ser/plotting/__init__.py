"""Plots of embeddings and of recognised emotions.

matplotlib is imported when something is drawn, not before. The classes follow
scikit-learn's displays: they store what they draw, and ``plot`` draws it.
"""

from __future__ import annotations

from ._comparison import ConfusionComparisonDisplay
from ._confusion import plot_confusion
from ._embedding import EmbeddingDisplay
from ._tsne import TSNEDisplay

__all__ = [
    "ConfusionComparisonDisplay",
    "EmbeddingDisplay",
    "TSNEDisplay",
    "plot_confusion",
]
