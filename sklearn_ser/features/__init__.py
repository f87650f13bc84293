"""Feature extractors: transformers from recordings to tables or sequences."""

from __future__ import annotations

from ._base import RecordingTransformer, has_features
from ._egemaps import EGeMAPS
from ._embedding import SpeechEmbedding, take_layer
from ._log_mel import LogMel
from ._log_mel_segmenter import LogMelSegmenter
from ._mfcc import MFCC
from ._pooling import SequencePooling
from ._prosody import LogMelProsody
from ._spectrogram import SpectrogramSegmenter

__all__ = [
    "MFCC",
    "EGeMAPS",
    "LogMel",
    "LogMelProsody",
    "LogMelSegmenter",
    "RecordingTransformer",
    "SequencePooling",
    "SpectrogramSegmenter",
    "SpeechEmbedding",
    "has_features",
    "take_layer",
]
