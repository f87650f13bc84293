"""Corpora of emotional speech, and a synthetic one.

The loaders read a corpus in the layout in which its owners distribute it, and
download nothing. Each gives a :class:`Corpus`, whose attributes are arrays ready for
scikit-learn.
"""

from __future__ import annotations

from ._aesdd import load_aesdd
from ._auxiliary import AuxiliaryCorpora
from ._cafe import load_cafe
from ._cmu_mosei import load_cmu_mosei
from ._corpus import Corpus
from ._crema_d import load_crema_d
from ._dimension_tables import add_dimensions
from ._emodb import load_emodb
from ._emotions import canonical_emotion, emotion_dimensions, emotion_quadrant
from ._emovdb import load_emovdb
from ._emovo import load_emovo
from ._iemocap import load_iemocap
from ._join import join_corpora
from ._levels import dimension_levels
from ._msp_podcast import load_msp_podcast, partition_split
from ._ravdess import load_ravdess
from ._savee import load_savee
from ._synthetic import make_emotional_speech
from ._tess import load_tess
from ._urdu import load_urdu
from ._votes import emotion_votes

__all__ = [
    "AuxiliaryCorpora",
    "Corpus",
    "add_dimensions",
    "canonical_emotion",
    "dimension_levels",
    "emotion_dimensions",
    "emotion_quadrant",
    "emotion_votes",
    "join_corpora",
    "load_aesdd",
    "load_cafe",
    "load_cmu_mosei",
    "load_crema_d",
    "load_emodb",
    "load_emovdb",
    "load_emovo",
    "load_iemocap",
    "load_msp_podcast",
    "load_ravdess",
    "load_savee",
    "load_tess",
    "load_urdu",
    "make_emotional_speech",
    "partition_split",
]
