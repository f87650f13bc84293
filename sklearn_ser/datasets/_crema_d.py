"""The crowd-sourced emotional multimodal actors dataset, CREMA-D."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from ._corpus import Corpus
from ._files import Layout, find_recordings

__all__ = ["load_crema_d"]

_LAYOUT = Layout(
    name="CREMA-D",
    source="https://github.com/CheyneyComputerScience/CREMA-D (with git-lfs)",
    example="AudioWAV/1001_DFA_ANG_XX.wav",
    folders=("AudioWAV",),
    # Older copies have one file with a single X: 1040_ITH_SAD_X.wav.
    pattern=(
        r"(?P<speaker>\d{4})_(?P<sentence>[A-Z]{3})"
        r"_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>LO|MD|HI|XX?)"
    ),
    n_recordings=7442,
)

_EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high"}

_DESCRIPTION = """\
91 actors, 48 men and 43 women from 20 to 74 years old, spoke twelve sentences in six
emotions, the first sentence at three levels of intensity: 7,442 clips. 16 kHz, mono."""

_CITATION = """\
H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma, "CREMA-D:
Crowd-sourced Emotional Multimodal Actors Dataset", IEEE Transactions on Affective
Computing 5(4), 2014, doi:10.1109/TAFFC.2014.2336244."""


def load_crema_d(data_home: str | os.PathLike[str]) -> Corpus:
    """Load the crowd-sourced emotional multimodal actors dataset (CREMA-D).

    English, acted: 7,442 clips of twelve sentences by 91 actors in six emotions
    (anger, disgust, fear, happiness, neutral, sadness), or those of them that are
    there. Nothing is downloaded and no recording is read.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in
        ``AudioWAV``, such as ``AudioWAV/1001_DFA_ANG_XX.wav``, and best with
        ``VideoDemographics.csv``, which gives the actors' gender and age.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the code of the sentence (``"IEO"``);
        its `gender` is None without ``VideoDemographics.csv``. The `frame` has also
        ``level``, the intensity asked for (``"low"``, ``"medium"``, ``"high"``, or
        missing where none was), and ``age`` in years where the table of actors gives
        it.

    Raises
    ------
    FileNotFoundError
        If the folder, or any recording in it is missing, or if there are pointers of
        Git LFS in the place of recordings.
    ValueError
        If ``VideoDemographics.csv`` lacks one of its columns ``ActorID``, ``Sex`` and
        ``Age``; if a recording is there twice.

    Warns
    -----
    UserWarning
        If audio files don't bear names of CREMA-D (these are left out), if the
        recordings lie elsewhere than in ``AudioWAV``, or if some are missing.

    Notes
    -----
    The owners distribute the database under ODbL 1.0 and its contents under DbCL 1.0.
    A copy made without git-lfs has small text files, pointers, in the place of the
    recordings.

    References
    ----------
    .. [1] H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma,
       "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE Transactions
       on Affective Computing 5(4), 2014.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_crema_d
    >>> load_crema_d("corpora/crema-d")  # doctest: +SKIP
    <Corpus CREMA-D: 7,442 utterances, 91 speakers (female 43, male 48), ...>
    """
    frame = find_recordings(data_home, _LAYOUT)
    frame["emotion"] = frame["emotion"].map(_EMOTIONS)
    frame["level"] = frame["level"].map(_LEVELS)
    actors = Path(data_home).expanduser() / "VideoDemographics.csv"
    if actors.is_file():
        frame = frame.join(_read_actors(actors), on="speaker")
    return Corpus(
        frame,
        name=_LAYOUT.name,
        description=_DESCRIPTION,
        license="ODbL 1.0 (database), DbCL 1.0 (contents)",
        citation=_CITATION,
        language="English",
    )


def _read_actors(path: Path) -> pd.DataFrame:
    """Return gender and age by speaker."""
    table = pd.read_csv(path, dtype={"ActorID": str})
    absent = [name for name in ("ActorID", "Sex", "Age") if name not in table]
    if absent:
        raise ValueError(
            f"{path} has no column {', '.join(absent)}; "
            f"its columns are {', '.join(table.columns)}."
        )
    return pd.DataFrame(
        {"gender": table["Sex"].str.lower().to_numpy(), "age": table["Age"].to_numpy()},
        index=table["ActorID"].to_numpy(),
    )
