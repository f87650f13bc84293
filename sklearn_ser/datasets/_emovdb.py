"""The emotional voices database, EmoV-DB."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import NamedCorpus

__all__ = ["load_emovdb"]

_WOMEN = ("bea", "jenie")

_EMOVDB = NamedCorpus(
    Layout(
        name="EmoV-DB",
        source="https://openslr.org/115",
        example="bea/Amused/amused_1-15_0001.wav or bea_Amused/amused_1-15_0001.wav",
        # Names repeat from one speaker's folder to the next.
        pattern=(
            r"(?:.*/)?(?P<speaker>bea|jenie|josh|sam)(?:[/_][a-z]+)?[/_]"
            r"(?P<emotion>amused|anger|angry|disgust(?:ed)?|neutral|sleepiness|sleepy)"
            r"_(?:(?P<part>\d+-\d+)_)?(?P<sentence>\d+)"
        ),
        n_parents=2,
        spell=str.lower,
    ),
    emotions={
        "amused": "amusement",
        "anger": "anger",
        "angry": "anger",
        "disgust": "disgust",
        "disgusted": "disgust",
        "neutral": "neutral",
        "sleepiness": "sleepiness",
        "sleepy": "sleepiness",
    },
    gender=lambda speaker: "female" if speaker in _WOMEN else "male",
    description="""\
Two women and two men spoke sentences of the CMU Arctic databases, amused, angry,
disgusted, sleepy and neutrally, some 7,000 utterances in all; josh neither angry nor
disgusted. Made for speech synthesis.""",
    license="non-commercial purposes only, by a licence of the owners",
    citation="""\
A. Adigwe, N. Tits, K. El Haddad, S. Ostadabbas, T. Dutoit, "The emotional voices
database: towards controlling the emotion dimension in voice generation systems", 2018,
arXiv:1806.09514.""",
    language="English",
)


def load_emovdb(data_home: str | os.PathLike[str]) -> Corpus:
    """Load the emotional voices database (EmoV-DB).

    English, acted: some 7,000 utterances by two women and two men in five emotions
    (amusement, anger, disgust, neutral, sleepiness). Nothing is downloaded and no
    recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with a folder for each speaker
        and emotion, such as ``bea/Amused/amused_1-15_0001.wav`` or
        ``bea_Amused/amused_1-15_0001.wav``. Names of files don't say who speaks, so
        that the speaker must stand in the name of a folder, or before that of the file.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the number of the sentence
        (``"0001"``); the `frame` has also ``part``, the range of sentences in the file
        name (``"1-15"``).

    Raises
    ------
    FileNotFoundError
        If the folder, any recording in it is missing, or if there are
        pointers of Git LFS in the place of recordings.
    ValueError
        If a recording is there twice, in files that differ.

    Warns
    -----
    UserWarning
        If audio files don't bear names of EmoV-DB, hold no sound or are second copies
        (all these are left out).

    Notes
    -----
    The owners allow non-commercial purposes only.

    References
    ----------
    .. [1] A. Adigwe, N. Tits, K. El Haddad, S. Ostadabbas, T. Dutoit, "The emotional
       voices database: towards controlling the emotion dimension in voice generation
       systems", 2018, arXiv:1806.09514.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_emovdb
    >>> load_emovdb("corpora/emov-db")  # doctest: +SKIP
    <Corpus EmoV-DB: 6,893 utterances, 4 speakers (female 2, male 2), ...>
    """
    return _EMOVDB.load(data_home)
