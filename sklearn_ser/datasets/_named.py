"""Corpora whose file names say all about a recording: one description, one way."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ._corpus import Corpus
from ._dimension_tables import join_dimensions
from ._files import Layout, find_recordings

__all__ = ["RATINGS_CITATION", "NamedCorpus"]

# Of a table of activation and valence, after the citation of the corpus.
RATINGS_CITATION = """
Activation and valence: S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg,
L. H. Clemmensen, "Continuous Metric Learning For Transferable Speech Emotion
Recognition and Embedding Across Low-resource Languages", NLDL 2022,
arXiv:2203.14867."""


@dataclass(frozen=True)
class NamedCorpus:
    """What the names of recordings mean, and what else is known about a corpus.

    Parameters
    ----------
    layout : Layout
        Where the recordings are and how they're named.
    emotions : mapping of str to str
        From the group ``"emotion"`` of a name to the emotion.
    description, license, citation, language : str
        As in `Corpus`.
    columns : mapping of str to mapping or callable, default={}
        From another group to its value in the table of the corpus.
    gender : callable or None, default=None
        From the name of a speaker to ``"female"`` or ``"male"``.
    """

    layout: Layout
    emotions: Mapping[str, str]
    description: str
    license: str
    citation: str
    language: str
    columns: Mapping[str, Mapping[str, Any] | Callable[[str], Any]] = field(
        default_factory=dict
    )
    gender: Callable[[str], str] | None = None

    def read(self, data_home: str | os.PathLike[str]) -> pd.DataFrame:
        """Return the table of the recordings that are in a folder."""
        frame = find_recordings(data_home, self.layout)
        for column, values in {"emotion": self.emotions, **self.columns}.items():
            frame[column] = frame[column].map(values)
        if self.gender is not None:
            frame["gender"] = frame["speaker"].map(self.gender)
        return frame

    def corpus(
        self, frame: pd.DataFrame, dimensions: str | os.PathLike[str] | None = None
    ) -> Corpus:
        """Return the corpus of a table, with the ratings of a CSV file."""
        return Corpus(
            join_dimensions(frame, dimensions),
            name=self.layout.name,
            description=self.description,
            license=self.license,
            citation=self.citation,
            language=self.language,
        )

    def load(
        self,
        data_home: str | os.PathLike[str],
        dimensions: str | os.PathLike[str] | None = None,
    ) -> Corpus:
        """Return the corpus that is in a folder, with the ratings of a CSV file."""
        return self.corpus(self.read(data_home), dimensions)
