"""Torch modules of the papers, usable alone."""

from ._dae import DenoisingAutoencoder
from ._menan import EmotionAndSpeaker, SpeakerInvariantNet
from ._pseudo_siamese import (
    FusionClassifier,
    GatedFusion,
    PseudoSiameseGatedNet,
    PseudoSiameseNet,
    PseudoSiameseOutput,
)
from ._recurrent import RecurrentClassifier
from ._segments import SegmentDecoder, SegmentEncoder, UpsampledConv2d
from ._siamese import SiameseCNN, SiameseOutput
from ._vae import VariationalAutoencoder

__all__ = [
    "DenoisingAutoencoder",
    "EmotionAndSpeaker",
    "FusionClassifier",
    "GatedFusion",
    "PseudoSiameseGatedNet",
    "PseudoSiameseNet",
    "PseudoSiameseOutput",
    "RecurrentClassifier",
    "SegmentDecoder",
    "SegmentEncoder",
    "SiameseCNN",
    "SiameseOutput",
    "SpeakerInvariantNet",
    "UpsampledConv2d",
    "VariationalAutoencoder",
]
