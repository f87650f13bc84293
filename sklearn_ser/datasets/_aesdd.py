"""The acted emotional speech dynamic database, AESDD."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import RATINGS_CITATION, NamedCorpus

__all__ = ["load_aesdd"]

_AESDD = NamedCorpus(
    Layout(
        name="AESDD",
        source="http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
        example="anger/a01 (1).wav",
        # Some numbers of speakers are written (01), some second takes (5)b.
        pattern=(
            r"(?P<emotion>[adfhs])(?P<sentence>\d\d) ?\((?P<speaker>\d\d?)\) ?"
            r"(?P<version>[a-z]?)"
        ),
        spell=str.lower,
        folder_of={
            "a": "anger",
            "d": "disgust",
            "f": "fear",
            "h": "happiness",
            "s": "sadness",
        },
    ),
    emotions={
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "s": "sadness",
    },
    columns={"speaker": lambda number: str(int(number))},
    description="""\
Greek actors spoke 19 utterances and an improvised one in five emotions, some more
than once. The first version has five speakers and about 500 utterances; it has grown
since.""",
    license="see the owners' page; activation and valence: no licence given",
    citation="""\
N. Vryzas, R. Kotsakis, A. Liatsou, C. A. Dimoulas, G. Kalliris, "Speech Emotion
Recognition for Performance Interaction", Journal of the Audio Engineering Society
66(6), 2018."""
    + RATINGS_CITATION,
    language="Greek",
)


def load_aesdd(
    data_home: str | os.PathLike[str],
    *,
    dimensions: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Load the acted emotional speech dynamic database (AESDD).

    Greek, acted: some hundred utterances by five or six actors in five emotions
    (anger, disgust, fear, happiness, sadness). Nothing is downloaded and no recording
    is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in
        ``anger``, ``disgust``, ``fear``, ``happiness`` and ``sadness``, such as
        ``anger/a01 (1).wav``.
    dimensions : str or os.PathLike, default=None
        CSV file with activation and valence from 1 to 5 by the authors of [2]_
        (columns ``filename``, ``activation``, ``valence``, and ``dominance`` where
        there is one). By default, the corpus has no such labels.

    Returns
    -------
    Corpus
        Sorted by file name. Its `speaker` is a number without zeros before it, and its
        `gender` None, as the owners don't say who is who. Its `sentence` is the number
        of the utterance (``"01"`` to ``"20"``, of which one is improvised); the `frame`
        has also ``version``, a letter where a take is not the first, or else empty.

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
        If audio files don't bear names of AESDD, hold no sound or are second copies
        (all these are left out).

    Notes
    -----
    One recording of the distribution, ``s05 (3).wav``, is a header without sound: it
    is named in a warning and left out. Some recordings are 24-bit integers and some
    floats.

    References
    ----------
    .. [1] N. Vryzas, R. Kotsakis, A. Liatsou, C. A. Dimoulas, G. Kalliris, "Speech
       Emotion Recognition for Performance Interaction", Journal of the Audio
       Engineering Society 66(6), 2018.
    .. [2] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_aesdd
    >>> load_aesdd("corpora/aesdd", dimensions="AESD.csv")  # doctest: +SKIP
    <Corpus AESDD: 604 utterances, 6 speakers, 5 emotions (anger 122, ...), ...>
    """
    return _AESDD.load(data_home, dimensions)
