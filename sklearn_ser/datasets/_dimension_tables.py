"""Tables of activation and valence, such as those of Das et al. (2022)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from .._dimensions import DIMENSIONS
from ._corpus import Corpus
from ._levels import RATING_SCALE, carry_ratings, check_rating_scale

__all__ = ["add_dimensions", "join_dimensions"]

# The second spelling is found in the authors' file for CaFE.
_FILE_COLUMNS = ("filename", "filname", "file")


def add_dimensions(
    corpus: Corpus,
    dimensions: str | os.PathLike[str],
    *,
    rating_scale: tuple[float, float] = RATING_SCALE,
) -> Corpus:
    r"""Join a table of activation and valence to a corpus, by file name.

    What the parameter `dimensions` of the loaders does, for any corpus of files.

    Parameters
    ----------
    corpus : Corpus
        A corpus whose utterances are files.
    dimensions : str or os.PathLike
        CSV file with the columns ``filename``, ``activation`` and ``valence``, and
        ``dominance`` where it is rated: such as those that the authors of [1]_ publish
        for EMO-DB, CaFE, URDU and AESDD. Case and suffix of a file name do not matter,
        nor do blanks in the header, empty columns before and empty rows.
    rating_scale : tuple of two floats, default=(1.0, 5.0)
        The lowest and the highest rating that was possible; by default as in [1]_.

    Returns
    -------
    Corpus
        A new corpus on that scale, NaN where the table has no rating. Activation and
        valence that were given are replaced, as is dominance if the table has it;
        else dominance is carried linearly to the new scale.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the corpus has no files, but waveforms; if the table lacks a column, holds
        text for a rating, rates a recording twice, rates none of the recordings, or
        has a rating outside the scale.

    See Also
    --------
    Corpus.derive_dimensions : Activation and valence from the emotions.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import Corpus, add_dimensions
    >>> frame = pd.DataFrame(
    ...     {"file": ["a.wav", "b.wav"], "emotion": "anger", "speaker": ["1", "2"]}
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder) / "table.csv"
    ...     _ = table.write_text("filename,activation,valence\nA.wav,4.5,1\n")
    ...     rated = add_dimensions(Corpus(frame, name="Mine"), table)
    >>> rated.activation
    array([4.5, nan])
    """
    if "file" not in corpus.frame:
        raise ValueError(
            f"The corpus {corpus.name} has no column 'file', by which a table of "
            "ratings is joined: give it one, or put the ratings into its table."
        )
    scale = check_rating_scale(rating_scale)
    frame = corpus.frame.copy()
    if corpus.dominance is not None and scale != corpus.rating_scale:
        frame["dominance"] = carry_ratings(corpus.dominance, corpus.rating_scale, scale)
    return replace(corpus, frame=join_dimensions(frame, dimensions), rating_scale=scale)


def join_dimensions(
    frame: pd.DataFrame, dimensions: str | os.PathLike[str] | None
) -> pd.DataFrame:
    """Join the ratings of dimensions to the recordings by file name.

    Parameters
    ----------
    frame : pandas.DataFrame
        Recordings with a column ``file``.
    dimensions : str, os.PathLike or None
        CSV file with the columns ``filename``, ``activation`` and ``valence``, and
        ``dominance`` where it is rated. None leaves the table as it is.

    Returns
    -------
    pandas.DataFrame
        With the columns ``activation`` and ``valence``, and ``dominance`` where the
        file has it; NaN where the file has no label. Labels without a recording are
        left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file lacks a column, holds text for a label, labels a recording twice,
        or labels none of the recordings.
    """
    if dimensions is None:
        return frame
    labels = _read_dimensions(Path(dimensions).expanduser())
    names = [_label_key(file) for file in frame["file"]]
    if not labels.index.isin(names).any():
        raise ValueError(
            f"{dimensions} labels none of the {len(frame)} recordings: it begins with "
            f"{labels.index[:1].tolist()}, they with {names[:1]}. Give the table of "
            "this corpus."
        )
    kept = frame.drop(columns=[name for name in labels if name in frame])
    return kept.join(labels.reindex(names).reset_index(drop=True))


def _label_key(file: str) -> str:
    """Return a file's name without suffix and case, which copies change."""
    return Path(file).stem.casefold()


def _read_dimensions(path: Path) -> pd.DataFrame:
    """Return activation, valence and any dominance by file name."""
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}: give as dimensions the CSV file of the corpus "
            "with the columns filename, activation and valence, as published by the "
            "authors of Das et al. (2022), or None."
        )
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
    except ValueError as error:  # pandas raises it for anything that is not a table
        raise ValueError(
            f"{path} is not a CSV table ({error}): save it as comma-separated text."
        ) from error
    # Some of the authors' files have blanks in the header, or empty columns before.
    table.columns = table.columns.str.strip().str.lower()
    file = next((name for name in _FILE_COLUMNS if name in table), "filename")
    absent = [name for name in (file, "activation", "valence") if name not in table]
    if absent:
        raise ValueError(
            f"{path} has no column {', '.join(absent)}; "
            f"its columns are {', '.join(table.columns)}."
        )
    table = table[table[file].notna()]
    names = table[file].str.strip().map(_label_key)
    twice = names[names.duplicated()]
    if len(twice):
        name = table[file].loc[twice.index[0]].strip()
        raise ValueError(f"{path} labels {name} twice: leave one of them out.")
    try:
        labels = table[[d for d in DIMENSIONS if d in table]].astype(np.float64)
    except ValueError as error:
        raise ValueError(
            f"A label in {path} is not a number ({error}): correct it, or leave it "
            "empty."
        ) from error
    return labels.set_index(names)
