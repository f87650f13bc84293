"""The Urdu corpus of Latif et al., URDU."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import RATINGS_CITATION, NamedCorpus

__all__ = ["load_urdu"]

_LAYOUT = Layout(
    name="URDU",
    source="https://github.com/siddiquelatif/URDU-Dataset",
    example="Angry/SM1_F19_A019.wav",
    folders=("Angry", "Happy", "Neutral", "Sad"),
    pattern=(
        r"(?P<speaker>S(?P<gender>[FM])\d+)_F(?P<take>\d+)_(?P<emotion>[AHNS])"
        r"(?P<number>\d+)"
    ),
    n_recordings=400,
    folder_of={"A": "Angry", "H": "Happy", "N": "Neutral", "S": "Sad"},
)

_URDU = NamedCorpus(
    _LAYOUT,
    emotions={"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"},
    columns={"gender": {"F": "female", "M": "male"}, "take": int, "number": int},
    description="""\
400 utterances from Urdu talk shows: spontaneous anger, happiness, neutral speech and
sadness, 100 each. The owners speak of 38 speakers (27 men, 11 women); the file names
tell 29 apart. 44.1 kHz, mono.""",
    license="research use only; activation and valence: no licence given",
    citation="""\
S. Latif, A. Qayyum, M. Usman, J. Qadir, "Cross Lingual Speech Emotion Recognition:
Urdu vs. Western Languages", FIT 2018, arXiv:1812.10411."""
    + RATINGS_CITATION,
    language="Urdu",
)


def load_urdu(
    data_home: str | os.PathLike[str],
    *,
    dimensions: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Load the Urdu corpus of Latif et al. (URDU).

    Urdu, spontaneous: 400 utterances from talk shows in four emotions (anger,
    happiness, neutral and sadness, 100 each). Nothing is downloaded and no recording
    is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in
        ``Angry``, ``Happy``, ``Neutral`` and ``Sad``, such as
        ``Angry/SM1_F19_A019.wav``.
    dimensions : str or os.PathLike, default=None
        CSV file with activation and valence from 1 to 5 by the authors of [2]_
        (columns ``filename``, ``activation``, ``valence``, and ``dominance`` where
        there is one). By default, the corpus has no such labels.

    Returns
    -------
    Corpus
        Sorted by file name. The speech is free: its `sentence` is None. The `frame`
        has also ``take`` (the number of the utterance among those of the speaker in
        that emotion) and ``number`` (among all of that emotion).

    Raises
    ------
    FileNotFoundError
        If the folder, any recording in it, or the CSV file is missing, or if there are
        pointers of Git LFS in the place of recordings.
    ValueError
        If the CSV file cannot be understood, labels no recording, or has a rating
        outside the scale from 1 to 5; if a recording is there twice, in files that
        differ.

    Warns
    -----
    UserWarning
        If audio files don't bear names of URDU, are in the folder of another emotion
        than their name says, hold no sound or are second copies (all these are left
        out), if the recordings lie elsewhere than in the four folders, or if some are
        missing.

    Notes
    -----
    The owners allow research only. Their paper counts 38 speakers; the file names tell
    29 apart (18 men, 11 women), which are the speakers here.

    References
    ----------
    .. [1] S. Latif, A. Qayyum, M. Usman, J. Qadir, "Cross Lingual Speech Emotion
       Recognition: Urdu vs. Western Languages", FIT 2018, arXiv:1812.10411.
    .. [2] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_urdu
    >>> load_urdu("corpora/urdu")  # doctest: +SKIP
    <Corpus URDU: 400 utterances, 29 speakers (female 11, male 18), ...>
    """
    return _URDU.load(data_home, dimensions)
