"""Surrey's audio-visual expressed emotion, SAVEE."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import NamedCorpus

__all__ = ["load_savee"]

_SAVEE = NamedCorpus(
    Layout(
        name="SAVEE",
        source="http://kahlan.eps.surrey.ac.uk/savee/ (after registration)",
        example="AudioData/DC/a01.wav or DC_a01.wav",
        # Names repeat from one speaker's folder to the next.
        pattern=(
            r"(?:.*/)?(?P<speaker>DC|JE|JK|KL)[/_]"
            r"(?P<sentence>(?P<emotion>SA|SU|[ADFHN])\d\d)"
        ),
        n_parents=1,
        n_recordings=480,
    ),
    emotions={
        "A": "anger",
        "D": "disgust",
        "F": "fear",
        "H": "happiness",
        "N": "neutral",
        "SA": "sadness",
        "SU": "surprise",
    },
    columns={"sentence": str.lower},
    gender=lambda speaker: "male",
    description="""\
Four men, students and researchers of the University of Surrey, spoke TIMIT sentences in
seven emotions, 30 neutral ones and 15 for each other emotion: 480. 44.1 kHz, mono.""",
    license="research use only, after registration",
    citation="""\
S. Haq, P. J. B. Jackson, "Multimodal emotion recognition", in: W. Wang (ed.), Machine
Audition: Principles, Algorithms and Systems, IGI Global, 2010.""",
    language="English",
)


def load_savee(data_home: str | os.PathLike[str]) -> Corpus:
    """Load Surrey's audio-visual expressed emotion database (SAVEE).

    English, acted: 480 utterances by four men in seven emotions (neutral 120; anger,
    disgust, fear, happiness, sadness and surprise, 60 each). Nothing is downloaded and
    no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in a
        folder for each speaker, such as ``AudioData/DC/a01.wav``, or all in one, such
        as ``DC_a01.wav``.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is emotion and number as in the file name
        (``"sa03"``): the same number is another sentence in another emotion, except
        for the three that are common to all.

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
        If audio files don't bear names of SAVEE, hold no sound or are second copies
        (all these are left out), or if some are missing.

    Notes
    -----
    The owners allow research only, and ask for a registration.

    References
    ----------
    .. [1] S. Haq, P. J. B. Jackson, "Multimodal emotion recognition", in: W. Wang
       (ed.), Machine Audition: Principles, Algorithms and Systems, IGI Global, 2010.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_savee
    >>> load_savee("corpora/savee")  # doctest: +SKIP
    <Corpus SAVEE: 480 utterances, 4 speakers (male 4), ...>
    """
    return _SAVEE.load(data_home)
