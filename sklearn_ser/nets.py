"""Torch modules of the papers, usable alone."""

from __future__ import annotations

from .methods.contrastive_siamese._net import SiameseCNN, SiameseOutput
from .methods.cvae._net import (
    LatentDistribution,
    VariationalAutoencoder,
    VariationalOutput,
)
from .methods.menan._net import EmotionAndSpeaker, SpeakerInvariantNet
from .methods.metric_dae._net import DenoisingAutoencoder, DenoisingOutput
from .methods.pseudo_siamese_gated._net import (
    FusionClassifier,
    GatedFusion,
    GateOutput,
    PseudoSiameseGatedNet,
    PseudoSiameseNet,
    PseudoSiameseOutput,
)
from .methods.pseudo_siamese_gated._segments import (
    SegmentDecoder,
    SegmentEncoder,
    UpsampledConv2d,
)
from .methods.sequence_classifier._net import RecurrentClassifier, SequenceOutput
from .training._layers import AttentionPooling, AttentiveStatistics

__all__ = [
    "AttentionPooling",
    "AttentiveStatistics",
    "DenoisingAutoencoder",
    "DenoisingOutput",
    "EmotionAndSpeaker",
    "FusionClassifier",
    "GateOutput",
    "GatedFusion",
    "LatentDistribution",
    "PseudoSiameseGatedNet",
    "PseudoSiameseNet",
    "PseudoSiameseOutput",
    "RecurrentClassifier",
    "SegmentDecoder",
    "SegmentEncoder",
    "SequenceOutput",
    "SiameseCNN",
    "SiameseOutput",
    "SpeakerInvariantNet",
    "UpsampledConv2d",
    "VariationalAutoencoder",
    "VariationalOutput",
]
