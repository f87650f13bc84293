"""Feature extractors: transformers from recordings to tables or sequences."""

from ._egemaps import EGeMAPS

__all__ = ["EGeMAPS"]
