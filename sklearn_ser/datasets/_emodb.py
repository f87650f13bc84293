"""The Berlin database of emotional speech, EMO-DB."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import RATINGS_CITATION, NamedCorpus

__all__ = ["load_emodb"]

_LAYOUT = Layout(
    name="EMO-DB",
    source="http://emodb.bilderbar.info or https://doi.org/10.5281/zenodo.7447302",
    example="wav/03a01Fa.wav",
    folders=("wav",),
    pattern=(
        r"(?P<speaker>03|08|09|1[0-6])(?P<sentence>[ab]\d\d)"
        r"(?P<emotion>[AEFLNTW])(?P<version>[a-z])"
    ),
    n_recordings=535,
    spell=lambda name: name[:5].lower() + name[5:6].upper() + name[6:].lower(),
)

_WOMEN = ("08", "09", "13", "14", "16")

_EMODB = NamedCorpus(
    _LAYOUT,
    # The initials of the German words: Wut, Langeweile, Ekel, Angst, Freude, Trauer.
    emotions={
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    gender=lambda speaker: "female" if speaker in _WOMEN else "male",
    description="""\
Ten actors, five women and five men, spoke ten everyday sentences in seven emotions
in an anechoic chamber. The 535 recordings are those that listeners recognised in at
least 80 % and found natural in at least 60 % of cases. 16 kHz, mono.""",
    license="CC0 1.0; activation and valence: no licence given",
    citation="""\
F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier, B. Weiss, "A database of
German emotional speech", Interspeech 2005."""
    + RATINGS_CITATION,
    language="German",
)


def load_emodb(
    data_home: str | os.PathLike[str],
    *,
    dimensions: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Load the Berlin database of emotional speech (EMO-DB).

    German, acted: 535 utterances of ten sentences by ten actors in seven emotions
    (anger 127, boredom 81, neutral 79, happiness 71, fear 69, sadness 62,
    disgust 46). Nothing is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in
        ``wav``, such as ``wav/03a01Fa.wav``.
    dimensions : str or os.PathLike, default=None
        CSV file with activation and valence from 1 to 5 by the authors of [2]_
        (columns ``filename``, ``activation``, ``valence``, and ``dominance`` where
        there is one). By default, the corpus has no such labels.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the code of the sentence (``"a01"``);
        the `frame` has also ``version`` (``"a"``, ``"b"``, ... of the same sentence,
        emotion and speaker).

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
        If audio files don't bear names of EMO-DB, hold no sound or are second copies
        (all these are left out), if the recordings lie elsewhere than in ``wav``, or if
        some are missing.

    Notes
    -----
    The owners' current release is under CC0 1.0. The authors of the dimensional labels
    give no licence for them.

    References
    ----------
    .. [1] F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier, B. Weiss, "A
       database of German emotional speech", Interspeech 2005.
    .. [2] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_emodb
    >>> corpus = load_emodb("corpora/emodb")  # doctest: +SKIP
    >>> corpus.keep_emotions(["anger", "happiness", "neutral", "sadness"])
    ... # doctest: +SKIP
    <Corpus EMO-DB: 339 utterances, 10 speakers (female 5, male 5), ...>
    """
    return _EMODB.load(data_home, dimensions)
