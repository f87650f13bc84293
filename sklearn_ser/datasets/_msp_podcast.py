"""The MSP-Podcast corpus, and the partitions of a corpus by its owners."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn_user
from ._corpus import Corpus, counted
from ._files import Layout, files_below, find_recordings
from ._labels import OTHERS, check_columns, join_labels

__all__ = ["load_msp_podcast", "partition_split"]

_LAYOUT = Layout(
    name="MSP-Podcast",
    source="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html "
    "(by a licence agreement)",
    example="Audios/MSP-PODCAST_0001_0008.wav",
    folders=("Audios",),
    pattern=r"(?P<name>MSP-PODCAST_\d+_\d+\w*)",
)

_EMOTIONS = {
    "A": "anger",
    "S": "sadness",
    "H": "happiness",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": "other",
    "X": "no agreement",
}
# The columns of the owners, by those of the corpus.
_COLUMNS = {
    "emotion": "EmoClass",
    "activation": "EmoAct",
    "valence": "EmoVal",
    "dominance": "EmoDom",
    "speaker": "SpkrID",
    "gender": "Gender",
    "partition": "Split_Set",
}
# Some releases misspell the name.
_LABEL_FILES = ("labels_consensus", "labels_concensus")
_UNKNOWN = "Unknown"

_DESCRIPTION = """\
Utterances of 2.75 to 11 s from podcasts, chosen by machine to be emotional and labelled
by five raters or more of a crowd: the emotion of their plurality, and mean ratings from
1 to 7. Their number grows from release to release. 16 kHz, mono."""

_CITATION = """\
R. Lotfian, C. Busso, "Building Naturalistic Emotionally Balanced Speech Corpus by
Retrieving Emotional Speech From Existing Podcast Recordings", IEEE Transactions on
Affective Computing 10(4), 2019, doi:10.1109/TAFFC.2017.2736999."""


def load_msp_podcast(
    data_home: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    partition: str | Iterable[str] | None = None,
    unknown_speakers: str = "drop",
    keep_others: bool = False,
) -> Corpus:
    """Load the MSP-Podcast corpus.

    English, spontaneous: utterances from podcasts with the emotion of the raters'
    plurality, and mean ratings of activation, valence and dominance. Nothing is
    downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in
        ``Audios``, such as ``Audios/MSP-PODCAST_0001_0008.wav``, and the labels in
        ``Labels``.
    labels : str, os.PathLike or None, default=None
        File of labels, CSV or JSON. None means ``labels_consensus.csv`` in the folder
        or below, also under the spelling ``labels_concensus``, or else the same in
        JSON.
    partition : str, iterable of str or None, default=None
        Names of partitions to load, such as ``"Train"``; None loads all.
    unknown_speakers : {"drop", "keep"}, default="drop"
        What becomes of utterances whose speaker is unknown. They may be of anybody,
        also of a speaker who is held out, and so belong in no speaker-independent fold:
        by default they are left out. ``"keep"`` names their speaker ``"Unknown"``, for
        the partitions of the owners.
    keep_others : bool, default=False
        Whether to keep the utterances without a plurality (class ``X``, here
        ``"no agreement"``) and of another emotion than those listed (``O``, here
        ``"other"``). They are left out by default.

    Returns
    -------
    Corpus
        Sorted by file name, with activation, valence and dominance from 1 to 7. Its
        `sentence` is None; the `frame` has also ``partition``, the ``Split_Set`` of the
        owners: ``"Train"``, ``"Development"``, ``"Test1"``, ``"Test2"``, ``"Test3"``.

    Raises
    ------
    FileNotFoundError
        If the folder, any recording in it, or the file of labels is missing.
    ValueError
        If the file of labels lacks a column, names a recording twice or has an unknown
        class; if it labels no recording; if a partition or the value of
        `unknown_speakers` is unknown; if no utterance is left.

    Warns
    -----
    UserWarning
        If speakers are unknown and their utterances therefore left out, with their
        number; if audio files don't bear names of MSP-Podcast, hold no sound or have no
        label, as in a test set whose labels the owners keep (these are left out, too);
        if labelled recordings are missing, or lie elsewhere than in ``Audios``.

    See Also
    --------
    partition_split : The partitions as a split for cross-validation.

    Notes
    -----
    The owners give the corpus by a licence agreement. The layout is that of their
    documentation; it was tested on miniatures of it.

    References
    ----------
    .. [1] R. Lotfian, C. Busso, "Building Naturalistic Emotionally Balanced Speech
       Corpus by Retrieving Emotional Speech From Existing Podcast Recordings", IEEE
       Transactions on Affective Computing 10(4), 2019,
       doi:10.1109/TAFFC.2017.2736999.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_msp_podcast
    >>> corpus = load_msp_podcast("corpora/msp-podcast")  # doctest: +SKIP
    >>> corpus.rating_scale  # doctest: +SKIP
    (1.0, 7.0)
    """
    if unknown_speakers not in ("drop", "keep"):
        raise ValueError(
            f'unknown_speakers must be "drop" or "keep", got {unknown_speakers!r}.'
        )
    frame = find_recordings(data_home, _LAYOUT).drop(columns="name")
    path = _label_file(Path(data_home).expanduser(), labels)
    frame = join_labels(frame, _read_labels(path), _LAYOUT)
    if partition is not None:
        frame = frame[_in_partitions(frame["partition"], partition)]
    if not keep_others:
        frame = frame[~frame["emotion"].isin(OTHERS)]
    if unknown_speakers == "drop":
        frame = _with_known_speakers(frame)
    if frame.empty:
        raise ValueError(
            f"No utterance of MSP-Podcast in {data_home} is left of those that {path} "
            "labels: look at partition, unknown_speakers and keep_others."
        )
    return Corpus(
        frame,
        name=_LAYOUT.name,
        description=_DESCRIPTION,
        license="by a licence agreement with the owners",
        citation=_CITATION,
        language="English",
        rating_scale=(1.0, 7.0),
    )


def _label_file(home: Path, labels: str | os.PathLike[str] | None) -> Path:
    """Return the file of labels that is given, or that is in the folder."""
    if labels is not None:
        path = Path(labels).expanduser()
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no file {path}: give as labels the owners' CSV or JSON file "
                "of consensus labels, or None to look for it."
            )
        return path
    for suffix in (".csv", ".json"):
        found = [
            path
            for path in files_below(home, (suffix,))
            if path.stem.casefold() in _LABEL_FILES
        ]
        if found:
            return min(found, key=lambda path: (len(path.parts), path))
    raise FileNotFoundError(
        f"No labels of MSP-Podcast in {home}: the owners have them in "
        "Labels/labels_consensus.csv. Give the file as labels if it is elsewhere."
    )


def _read_labels(path: Path) -> pd.DataFrame:
    """Return the labels by the name of the recording in upper case."""
    if path.suffix.lower() == ".json":
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
        table = pd.DataFrame.from_dict(entries, orient="index").astype(object)
        table.insert(0, "FileName", table.index)
    else:
        # As text, so that no number of a speaker loses a zero, and no class N is a gap.
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    check_columns(table, ("FileName", *_COLUMNS.values()), path)
    names = table["FileName"].astype(str).map(lambda name: Path(name).stem.upper())
    if names.duplicated().any():
        raise ValueError(
            f"{path} labels {names[names.duplicated()].iloc[0]} twice: leave one of "
            "them out."
        )
    classes = table["EmoClass"].astype(str).str.strip().str.upper()
    classed = ~classes.isin(["", "NAN", "NONE"])
    unknown = sorted(set(classes[classed]) - set(_EMOTIONS))
    if unknown:
        raise ValueError(
            f"{path} has the unknown classes {', '.join(unknown)}; known are "
            f"{', '.join(_EMOTIONS)}."
        )
    columns = {ours: table[theirs] for ours, theirs in _COLUMNS.items()}
    return _cleaned(pd.DataFrame(columns), classes).set_index(names)[classed.to_numpy()]


def _cleaned(table: pd.DataFrame, classes: pd.Series) -> pd.DataFrame:
    """Return labels as the corpus has them."""
    speaker = table["speaker"].astype(str).str.strip()
    nobody = speaker.str.casefold().isin(["unknown", "", "nan", "none"])
    genders = table["gender"].astype(str).str.strip().str.lower()
    ratings = {
        name: pd.to_numeric(table[name].replace("", np.nan))
        for name in ("activation", "valence", "dominance")
    }
    return table.assign(
        emotion=classes.map(_EMOTIONS),
        speaker=speaker.mask(nobody, _UNKNOWN),
        gender=genders.where(genders.isin(["female", "male"])),
        partition=table["partition"].astype(str).str.strip(),
        **ratings,
    )


def _in_partitions(column: pd.Series, names: str | Iterable[str]) -> NDArray[np.bool_]:
    """Tell which utterances are in some partitions, whatever the case of a name."""
    wanted = [names] if isinstance(names, str) else list(names)
    present = sorted(set(column.dropna()))
    known = {name.casefold() for name in present}
    absent = [name for name in wanted if name.casefold() not in known]
    if absent:
        raise ValueError(
            f"No utterance is in the partition {', '.join(absent)}; there are "
            f"{', '.join(present)}."
        )
    folded = {name.casefold() for name in wanted}
    return column.str.casefold().isin(folded).to_numpy(dtype=np.bool_)


def _with_known_speakers(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out utterances of unknown speakers, and say how many."""
    unknown = frame["speaker"] == _UNKNOWN
    if not unknown.any():
        return frame
    warn_user(
        f"Left out {counted(int(unknown.sum()), 'utterance')} of {len(frame):,} of "
        "MSP-Podcast, whose speaker is unknown: they belong in no speaker-independent "
        'fold. unknown_speakers="keep" keeps them.'
    )
    return frame[~unknown]


def partition_split(
    corpus: Corpus,
    *,
    train: str | Iterable[str] = "Train",
    test: str | Iterable[str] = "Test1",
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the partitions of a corpus by its owners as a split.

    Parameters
    ----------
    corpus : Corpus
        A corpus whose table has the column ``partition``, such as that of
        `load_msp_podcast`.
    train, test : str or iterable of str, default="Train" and "Test1"
        Names of the partitions to train on and to test on, in any case. Utterances of
        other partitions are on neither side.

    Returns
    -------
    list of one tuple of two ndarrays of int64
        The rows to train on and those to test on: what scikit-learn takes as `cv`.

    Raises
    ------
    ValueError
        If the corpus has no such column or no such partition, or if a partition is on
        both sides.

    Warns
    -----
    UserWarning
        If a speaker who is known is on both sides.

    See Also
    --------
    load_msp_podcast : A corpus with such partitions.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import Corpus, partition_split
    >>> frame = pd.DataFrame(
    ...     {
    ...         "file": ["a.wav", "b.wav", "c.wav"],
    ...         "emotion": "anger",
    ...         "speaker": ["1", "2", "3"],
    ...         "partition": ["Train", "Test1", "Development"],
    ...     }
    ... )
    >>> partition_split(Corpus(frame, name="Mine"))
    [(array([0]), array([1]))]
    """
    if "partition" not in corpus.frame:
        raise ValueError(
            f"The corpus {corpus.name} has no column 'partition': only corpora whose "
            "owners have parted them, such as that of load_msp_podcast, have one."
        )
    column = corpus.frame["partition"]
    sides = [_in_partitions(column, names) for names in (train, test)]
    if (sides[0] & sides[1]).any():
        raise ValueError(f"train={train!r} and test={test!r} share a partition.")
    train_rows, test_rows = (np.flatnonzero(side).astype(np.int64) for side in sides)
    speaker = corpus.speaker
    both = set(speaker[train_rows]) & set(speaker[test_rows]) - {_UNKNOWN}
    if both:
        warn_user(
            f"The partitions of {corpus.name} share {counted(len(both), 'speaker')}, "
            f"such as {min(both)}: the split is not speaker-independent."
        )
    return [(train_rows, test_rows)]
