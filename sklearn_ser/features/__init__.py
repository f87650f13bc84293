"""Feature extractors: transformers from recordings to tables or sequences."""

from ._base import RecordingTransformer, has_features
from ._egemaps import EGeMAPS

__all__ = ["EGeMAPS", "RecordingTransformer", "has_features"]
