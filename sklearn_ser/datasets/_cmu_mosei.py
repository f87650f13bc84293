"""The CMU multimodal opinion sentiment and emotion intensity corpus, CMU-MOSEI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._warnings import warn_user
from ._corpus import Corpus
from ._files import Layout, files_below, find_recordings
from ._labels import check_columns, join_labels

__all__ = ["load_cmu_mosei"]

_LAYOUT = Layout(
    name="CMU-MOSEI",
    source="http://multicomp.cs.cmu.edu/resources/cmu-mosei-dataset/",
    example="Audio/Full/WAV_16000/--qXJuDtHPw.wav",
    folders=("Audio/Full/WAV_16000",),
    pattern=r"(?P<video>[^.].*)",
    spell=str,  # names of videos tell upper from lower case
)

# As the owners call and order them, without the sentiment before them.
_EMOTIONS = {
    "happy": "happiness",
    "sad": "sadness",
    "anger": "anger",
    "surprise": "surprise",
    "disgust": "disgust",
    "fear": "fear",
}
_VALUES = ("sentiment", *_EMOTIONS)
_TIMES = ("start", "end")
_LABELS = "CMU_MOSEI_Labels"

_DESCRIPTION = """\
Some 23,000 segments of 3,228 videos in which people speak to a camera, about 1,000
speakers, labelled by three raters each: sentiment from -3 to 3, and how strong each of
six emotions is, from 0 to 3. Several may be present, or none. 16 kHz, mono."""

_CITATION = """\
A. Zadeh, P. P. Liang, S. Poria, E. Cambria, L.-P. Morency, "Multimodal Language
Analysis in the Wild: CMU-MOSEI Dataset and Interpretable Dynamic Fusion Graph", ACL
2018."""


def load_cmu_mosei(
    data_home: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Load the CMU multimodal opinion sentiment and emotion intensity corpus.

    English, spontaneous: CMU-MOSEI, some 23,000 segments of videos in which one person
    speaks, with the intensity of six emotions (anger, disgust, fear, happiness,
    sadness, surprise), several of which may be present. Nothing is downloaded and no
    recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the sound of whole videos
        in ``Audio/Full/WAV_16000``, such as ``Audio/Full/WAV_16000/--qXJuDtHPw.wav``,
        and with ``CMU_MOSEI_Labels.csd``.
    labels : str, os.PathLike or None, default=None
        File of labels: the owners' ``.csd``, which is HDF5 and needs
        ``pip install "sklearn-ser[mosei]"``, or a CSV file with a row for each segment
        and the columns ``video``, ``start``, ``end``, ``sentiment``, ``happy``,
        ``sad``, ``anger``, ``surprise``, ``disgust`` and ``fear``. None means
        ``CMU_MOSEI_Labels`` in the folder or below, in CSV or else ``.csd``.

    Returns
    -------
    Corpus
        Segments, sorted by video and time. The `emotion` is the strongest one, of
        several that are equally strong the first in the order above of the columns of
        labels, and ``"neutral"`` where none is present. The `speaker` is the video. The
        `frame` has also

        - ``intensity_anger`` and so on: how strong each emotion is, from 0 to 3;
        - ``presence_anger`` and so on, bool: whether it is above 0;
        - ``sentiment``: from -3, very negative, to 3, very positive.

    Raises
    ------
    FileNotFoundError
        If the folder, any recording in it, or the file of labels is missing.
    ImportError
        If the labels are HDF5 and h5py is not installed.
    ValueError
        If the file of labels lacks a column, holds text for a number, or labels no
        recording.

    Warns
    -----
    UserWarning
        If recordings have no label or hold no sound, or if labelled segments have no
        duration (these are left out); if labelled recordings are missing, or lie
        elsewhere than in ``Audio/Full/WAV_16000``.

    Notes
    -----
    The owners don't say who speaks in a video, and some people speak in several: folds
    by video are not quite speaker-independent.

    ``corpus.frame.filter(like="presence_")`` is a multi-label target, and
    ``corpus.frame.filter(like="intensity_")`` one of several outputs, in the same
    order.

    References
    ----------
    .. [1] A. Zadeh, P. P. Liang, S. Poria, E. Cambria, L.-P. Morency, "Multimodal
       Language Analysis in the Wild: CMU-MOSEI Dataset and Interpretable Dynamic Fusion
       Graph", ACL 2018.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_cmu_mosei
    >>> corpus = load_cmu_mosei("corpora/cmu-mosei")  # doctest: +SKIP
    >>> corpus.audio[0]  # doctest: +SKIP
    ('corpora/cmu-mosei/Audio/Full/WAV_16000/--qXJuDtHPw.wav', 23.2, 30.3)
    """
    frame = find_recordings(data_home, _LAYOUT)
    path = _label_file(Path(data_home).expanduser(), labels)
    table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_hdf5(path)
    frame = join_labels(frame, _with_duration(table), _LAYOUT, key=str)
    intensity = frame[list(_EMOTIONS)].rename(columns=_EMOTIONS)
    strongest = intensity.idxmax(axis=1)
    none = intensity.max(axis=1) <= 0
    parts = [
        frame[["file", *_TIMES, "sentiment"]],
        (intensity > 0).add_prefix("presence_"),
        intensity.add_prefix("intensity_"),
    ]
    return Corpus(
        pd.concat(parts, axis=1).assign(
            speaker=frame["video"], emotion=strongest.mask(none, "neutral")
        ),
        name=_LAYOUT.name,
        description=_DESCRIPTION,
        license="see the owners' page",
        citation=_CITATION,
        language="English",
    )


def _label_file(home: Path, labels: str | os.PathLike[str] | None) -> Path:
    """Return the file of labels that is given, or that is in the folder."""
    if labels is not None:
        path = Path(labels).expanduser()
        if path.is_file():
            return path
        raise FileNotFoundError(
            f"There is no file {path}: give as labels {_LABELS}.csd of the owners, or "
            "a CSV file of the same, or None to look for it."
        )
    for suffix in (".csv", ".csd"):
        for path in sorted(files_below(home, (suffix,))):
            if path.stem.casefold() == _LABELS.casefold():
                return path
    raise FileNotFoundError(
        f"No labels of CMU-MOSEI in {home}: the owners have them in {_LABELS}.csd. "
        "Give the file as labels if it is elsewhere."
    )


def _read_csv(path: Path) -> pd.DataFrame:
    """Return the segments of a CSV file by the name of the video."""
    # A video may be called NA.
    table = pd.read_csv(path, dtype={"video": str}, keep_default_na=False)
    check_columns(table, ("video", *_TIMES, *_VALUES), path)
    try:
        numbers = table[[*_TIMES, *_VALUES]].astype(np.float64)
    except ValueError as error:
        raise ValueError(
            f"{path} holds a label that is not a number ({error}): correct it."
        ) from error
    return numbers.set_index(table["video"])


def _read_hdf5(path: Path) -> pd.DataFrame:
    """Return the segments of the owners' file by the name of the video."""
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{path} is HDF5, and h5py is needed to read it: run "
            '`pip install "sklearn-ser[mosei]"`, or give as labels a CSV file with the '
            f"columns {', '.join(('video', *_TIMES, *_VALUES))}."
        ) from error
    with h5py.File(path, "r") as file:
        tables = list(_tables(file))
    if not tables:
        raise ValueError(
            f"{path} has no group data with features and intervals of segments: give "
            f"{_LABELS}.csd of the owners."
        )
    return pd.concat(tables)


def _tables(file: Any) -> Iterator[pd.DataFrame]:
    """Give the segments of each video."""
    for top in file.values():  # one, All Labels
        for video, group in top.get("data", {}).items():
            numbers = np.hstack([group["intervals"][:], group["features"][:]])
            index = pd.Index([video] * len(numbers))
            yield pd.DataFrame(
                numbers.astype(np.float64), index=index, columns=[*_TIMES, *_VALUES]
            )


def _with_duration(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out segments without a duration or a label; order the others by time."""
    good = (table["end"] > table["start"]) & table.notna().all(axis=1)
    if not good.all():
        warn_user(
            f"Left out {(~good).sum()} of {len(table)} segments of CMU-MOSEI, which "
            "have no duration or lack a label."
        )
    return table[good].sort_values("start", kind="stable")
