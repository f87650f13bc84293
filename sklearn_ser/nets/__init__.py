"""Torch modules of the papers, usable alone."""

from ._dae import DenoisingAutoencoder
from ._menan import EmotionAndSpeaker, SpeakerInvariantNet
from ._recurrent import RecurrentClassifier
from ._siamese import SiameseCNN, SiameseOutput
from ._vae import VariationalAutoencoder

__all__ = [
    "DenoisingAutoencoder",
    "EmotionAndSpeaker",
    "RecurrentClassifier",
    "SiameseCNN",
    "SiameseOutput",
    "SpeakerInvariantNet",
    "VariationalAutoencoder",
]
