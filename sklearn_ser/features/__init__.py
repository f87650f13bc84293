"""Feature extractors: transformers from recordings to tables or sequences."""

from ._base import has_features
from ._egemaps import EGeMAPS

__all__ = ["EGeMAPS", "has_features"]
