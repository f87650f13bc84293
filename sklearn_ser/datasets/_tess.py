"""The Toronto emotional speech set, TESS."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import NamedCorpus

__all__ = ["load_tess"]

_TESS = NamedCorpus(
    Layout(
        name="TESS",
        source="https://doi.org/10.5683/SP2/E8H2MF",
        example="OAF_angry/OAF_back_angry.wav",
        # One file is misspelt: OA_bite_neutral.wav.
        pattern=(
            r"(?P<speaker>oaf?|yaf)_(?P<sentence>[a-z]+)"
            r"_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)"
        ),
        spell=str.lower,
        n_recordings=2800,
    ),
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "ps": "surprise",  # pleasant surprise
        "sad": "sadness",
    },
    columns={"speaker": {"oaf": "OAF", "oa": "OAF", "yaf": "YAF"}},
    gender=lambda speaker: "female",
    description="""\
Two actresses, 26 and 64 years old, said "Say the word ..." with 200 words in seven
emotions: 2,800 utterances. 24.4 kHz, mono.""",
    license="CC BY-NC-ND 4.0",
    citation="""\
M. K. Pichora-Fuller, K. Dupuis, "Toronto emotional speech set (TESS)", Borealis, 2020,
doi:10.5683/SP2/E8H2MF.""",
    language="English",
)


def load_tess(data_home: str | os.PathLike[str]) -> Corpus:
    """Load the Toronto emotional speech set (TESS).

    English, acted: 2,800 utterances, 200 words in a carrier phrase by two women in
    seven emotions (anger, disgust, fear, happiness, neutral, pleasant surprise and
    sadness, 400 each). Nothing is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with a folder for each speaker
        and emotion, such as ``OAF_angry/OAF_back_angry.wav``, or all in one.

    Returns
    -------
    Corpus
        Sorted by file name. Its `speaker` is ``"OAF"`` (64 years old) or ``"YAF"``
        (26), its `sentence` the word (``"back"``).

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
        If audio files don't bear names of TESS, hold no sound or are second copies
        (all these are left out), or if some are missing.

    Notes
    -----
    The owners distribute the corpus under CC BY-NC-ND 4.0. Some copies have all
    recordings once more in a folder below: these are left out with a warning if they
    are the same, byte for byte. With two speakers, a fold that holds one out learns
    from a single voice.

    References
    ----------
    .. [1] M. K. Pichora-Fuller, K. Dupuis, "Toronto emotional speech set (TESS)",
       Borealis, 2020, doi:10.5683/SP2/E8H2MF.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_tess
    >>> load_tess("corpora/tess")  # doctest: +SKIP
    <Corpus TESS: 2,800 utterances, 2 speakers (female 2), ...>
    """
    return _TESS.load(data_home)
