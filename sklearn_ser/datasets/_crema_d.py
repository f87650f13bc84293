"""The crowd-sourced emotional multimodal actors dataset, CREMA-D."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from ._corpus import Corpus
from ._files import Layout
from ._labels import check_columns
from ._named import NamedCorpus
from ._votes import VOTES

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

# What the raters were given, by the first digit of a row's number.
_KINDS_OF_VOTES = {"voice": 1, "face": 2, "audiovisual": 3}

_CREMA_D = NamedCorpus(
    _LAYOUT,
    emotions=_EMOTIONS,
    columns={"level": {"LO": "low", "MD": "medium", "HI": "high"}},
    description="""\
91 actors, 48 men and 43 women from 20 to 74 years old, spoke twelve sentences in six
emotions, the first sentence at three levels of intensity: 7,442 clips. 16 kHz,
mono.""",
    license="ODbL 1.0 (database), DbCL 1.0 (contents)",
    citation="""\
H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma, "CREMA-D:
Crowd-sourced Emotional Multimodal Actors Dataset", IEEE Transactions on Affective
Computing 5(4), 2014, doi:10.1109/TAFFC.2014.2336244.""",
    language="English",
)


def load_crema_d(
    data_home: str | os.PathLike[str], *, votes: str | None = None
) -> Corpus:
    """Load the crowd-sourced emotional multimodal actors dataset (CREMA-D).

    English, acted: 7,442 clips of twelve sentences by 91 actors in six emotions
    (anger, disgust, fear, happiness, neutral, sadness), or those of them that are
    there. Nothing is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in
        ``AudioWAV``, such as ``AudioWAV/1001_DFA_ANG_XX.wav``, and best with
        ``VideoDemographics.csv``, which gives the actors' gender and age.
    votes : {"voice", "face", "audiovisual"} or None, default=None
        Whether to load the votes of the raters, who chose one of the six emotions, from
        ``processedResults/tabulatedVotes.csv``: of those who heard the voice only, who
        saw the face only, or both. None loads none.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the code of the sentence (``"IEO"``);
        its `gender` is None without ``VideoDemographics.csv``. The `frame` has also
        ``level``, the intensity asked for (``"low"``, ``"medium"``, ``"high"``, or
        missing where none was), and ``age`` in years where the table of actors gives
        it; with `votes`, ``votes_anger`` and so on, the number of raters who chose an
        emotion, from which `emotion_votes` makes a soft target (NaN where the table has
        no votes).

    Raises
    ------
    FileNotFoundError
        If the folder, any recording in it, or the table of votes is missing, or if
        there are pointers of Git LFS in the place of recordings.
    ValueError
        If `votes` is unknown; if ``VideoDemographics.csv`` lacks one of its columns
        ``ActorID``, ``Sex`` and ``Age``, or the table of votes one of its columns; if a
        recording is there twice, in files that differ.

    Warns
    -----
    UserWarning
        If audio files don't bear names of CREMA-D, hold no sound or are second copies
        (all these are left out), if the recordings lie elsewhere than in ``AudioWAV``,
        or if some are missing.

    See Also
    --------
    emotion_votes : The votes as distributions of emotions.

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
    if votes is not None and votes not in _KINDS_OF_VOTES:
        raise ValueError(
            f"votes must be None or one of {tuple(_KINDS_OF_VOTES)}, got {votes!r}."
        )
    frame = _CREMA_D.read(data_home)
    home = Path(data_home).expanduser()
    if votes is not None:
        counts = _read_votes(home / "processedResults" / "tabulatedVotes.csv", votes)
        names = [Path(file).stem.upper() for file in frame["file"]]
        frame = frame.join(counts.reindex(names).reset_index(drop=True))
    actors = home / "VideoDemographics.csv"
    if actors.is_file():
        frame = frame.join(_read_actors(actors), on="speaker")
    return _CREMA_D.corpus(frame)


def _read_actors(path: Path) -> pd.DataFrame:
    """Return gender and age by speaker."""
    table = pd.read_csv(path, dtype={"ActorID": str})
    check_columns(table, ("ActorID", "Sex", "Age"), path)
    return pd.DataFrame(
        {"gender": table["Sex"].str.lower().to_numpy(), "age": table["Age"].to_numpy()},
        index=table["ActorID"].to_numpy(),
    )


def _read_votes(path: Path, kind: str) -> pd.DataFrame:
    """Return how many raters chose each emotion, by the name of the clip."""
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}: copy it from {_LAYOUT.source}, or set "
            "votes=None."
        )
    table = pd.read_csv(path)
    initials = {code[0]: emotion for code, emotion in _EMOTIONS.items()}
    check_columns(table, ("fileName", *initials), path)
    numbers = table.iloc[:, 0] // 100_000  # 100001 is the first clip, voice only
    own = table[numbers == _KINDS_OF_VOTES[kind]]
    counts = own[list(initials)].set_axis(own["fileName"].str.upper())
    return counts.rename(columns=initials).add_prefix(VOTES)
