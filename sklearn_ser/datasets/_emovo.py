"""The Italian emotional speech database, EMOVO."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import NamedCorpus

__all__ = ["load_emovo"]

_EMOVO = NamedCorpus(
    Layout(
        name="EMOVO",
        source="http://voice.fub.it/activities/corpora/emovo/",
        example="EMOVO/f1/dis-f1-b1.wav",
        pattern=(
            r"(?P<emotion>dis|gio|neu|pau|rab|sor|tri)-(?P<speaker>[fm][1-3])"
            r"-(?P<sentence>[a-z]\d)"
        ),
        spell=str.lower,
        n_recordings=588,
    ),
    # From the Italian words: disgusto, gioia, neutro, paura, rabbia, sorpresa,
    # tristezza.
    emotions={
        "dis": "disgust",
        "gio": "happiness",
        "neu": "neutral",
        "pau": "fear",
        "rab": "anger",
        "sor": "surprise",
        "tri": "sadness",
    },
    gender=lambda speaker: "female" if speaker.startswith("f") else "male",
    description="""\
Six actors, three women and three men, spoke 14 sentences, some of them nonsense, in
seven emotions: 588 utterances. 48 kHz, stereo.""",
    license="see the owners' page",
    citation="""\
G. Costantini, I. Iaderola, A. Paoloni, M. Todisco, "EMOVO Corpus: an Italian Emotional
Speech Database", LREC 2014.""",
    language="Italian",
)


def load_emovo(data_home: str | os.PathLike[str]) -> Corpus:
    """Load the Italian emotional speech database (EMOVO).

    Italian, acted: 588 utterances of 14 sentences by six actors in seven emotions
    (anger, disgust, fear, happiness, neutral, sadness and surprise, 84 each). Nothing
    is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with a folder for each
        speaker, such as ``EMOVO/f1/dis-f1-b1.wav``.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the code of the sentence (``"b1"``).

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
        If audio files don't bear names of EMOVO, hold no sound or are second copies
        (all these are left out), or if some are missing.

    Notes
    -----
    The recordings are stereo; the front ends take the mean of both channels unless they
    are told otherwise.

    References
    ----------
    .. [1] G. Costantini, I. Iaderola, A. Paoloni, M. Todisco, "EMOVO Corpus: an
       Italian Emotional Speech Database", LREC 2014.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_emovo
    >>> load_emovo("corpora/emovo")  # doctest: +SKIP
    <Corpus EMOVO: 588 utterances, 6 speakers (female 3, male 3), ...>
    """
    return _EMOVO.load(data_home)
