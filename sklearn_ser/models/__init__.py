"""Fitted models as files: to save, to load, to describe.

A model is one file: the fitted pipeline from recordings to emotions, the card of its
evaluation, a description in Markdown, and the versions of the libraries. What loads it
constructs types of a fixed list alone, so that a file of others runs no code.
"""

from __future__ import annotations

from ._file import ModelFileError, describe, load, save
from ._model_card import model_card
from ._predictions import predict_table
from ._timeline import Timeline, TimelineStream, predict_timeline

__all__ = [
    "ModelFileError",
    "Timeline",
    "TimelineStream",
    "describe",
    "load",
    "model_card",
    "predict_table",
    "predict_timeline",
    "save",
]
