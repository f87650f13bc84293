"""Torch modules of the papers, usable alone."""

from ._dae import DenoisingAutoencoder

__all__ = ["DenoisingAutoencoder"]
