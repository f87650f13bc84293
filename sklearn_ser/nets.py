"""Torch modules of the papers, usable alone."""

from .methods.contrastive_siamese._net import SiameseCNN, SiameseOutput
from .methods.cvae._net import VariationalAutoencoder
from .methods.menan._net import EmotionAndSpeaker, SpeakerInvariantNet
from .methods.metric_dae._net import DenoisingAutoencoder
from .methods.pseudo_siamese_gated._net import (
    FusionClassifier,
    GatedFusion,
    PseudoSiameseGatedNet,
    PseudoSiameseNet,
    PseudoSiameseOutput,
)
from .methods.pseudo_siamese_gated._segments import (
    SegmentDecoder,
    SegmentEncoder,
    UpsampledConv2d,
)
from .methods.sequence_classifier._net import RecurrentClassifier

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
