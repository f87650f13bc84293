"""Corpora of emotional speech, and a synthetic one.

The loaders read a corpus in the layout in which its owners distribute it, and
download nothing. Each gives a :class:`Corpus`, whose attributes are arrays ready for
scikit-learn.
"""

from ._auxiliary import AuxiliaryCorpora
from ._corpus import Corpus
from ._crema_d import load_crema_d
from ._emodb import load_emodb
from ._emotions import (
    canonical_emotion,
    emotion_dimensions,
    emotion_quadrant,
)
from ._levels import dimension_levels
from ._synthetic import make_emotional_speech
from ._urdu import load_urdu

__all__ = [
    "AuxiliaryCorpora",
    "Corpus",
    "canonical_emotion",
    "dimension_levels",
    "emotion_dimensions",
    "emotion_quadrant",
    "load_crema_d",
    "load_emodb",
    "load_urdu",
    "make_emotional_speech",
]
