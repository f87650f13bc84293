"""Torch modules of the papers, usable alone."""

from ._dae import DenoisingAutoencoder
from ._recurrent import RecurrentClassifier
from ._siamese import SiameseCNN, SiameseOutput
from ._vae import VariationalAutoencoder

__all__ = [
    "DenoisingAutoencoder",
    "RecurrentClassifier",
    "SiameseCNN",
    "SiameseOutput",
    "VariationalAutoencoder",
]
