"""The Canadian French emotional speech dataset, CaFE."""

from __future__ import annotations

import os

from ._corpus import Corpus
from ._files import Layout
from ._named import RATINGS_CITATION, NamedCorpus

__all__ = ["load_cafe"]

_CAFE = NamedCorpus(
    Layout(
        name="CaFE",
        source="https://doi.org/10.5281/zenodo.1478765",
        example="Colère/Faible/01-C-1-1.wav",
        pattern=(
            r"(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<level>[12])"
            r"-(?P<sentence>[1-6])"
        ),
        n_recordings=936,
    ),
    # The initials of the French words: colère, dégoût, joie, neutre, peur, surprise,
    # tristesse.
    emotions={
        "C": "anger",
        "D": "disgust",
        "J": "happiness",
        "N": "neutral",
        "P": "fear",
        "S": "surprise",
        "T": "sadness",
    },
    columns={"level": {"1": "weak", "2": "strong"}},
    gender=lambda speaker: "male" if int(speaker) % 2 else "female",
    description="""\
Twelve actors, six women and six men, spoke six sentences in six emotions at two
intensities, and neutrally: 936 utterances. 48 or 192 kHz, mono.""",
    license="CC BY-NC-SA 4.0; activation and valence: no licence given",
    citation="""\
P. Gournay, O. Lahaie, R. Lefebvre, "A Canadian French Emotional Speech Dataset", ACM
MMSys 2018, doi:10.1145/3204949.3208121."""
    + RATINGS_CITATION,
    language="French (Canada)",
)


def load_cafe(
    data_home: str | os.PathLike[str],
    *,
    dimensions: str | os.PathLike[str] | None = None,
) -> Corpus:
    """Load the Canadian French emotional speech dataset (CaFE).

    French of Québec, acted: 936 utterances of six sentences by twelve actors in seven
    emotions (neutral 72; anger, disgust, fear, happiness, sadness and surprise, 144
    each). Nothing is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of one of the two sampling rates as the owners distribute it, with the
        recordings at any depth, such as ``Colère/Faible/01-C-1-1.wav``.
    dimensions : str or os.PathLike, default=None
        CSV file with activation and valence from 1 to 5 by the authors of [2]_
        (columns ``filename``, ``activation``, ``valence``, and ``dominance`` where
        there is one). By default, the corpus has no such labels.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the number of the sentence (``"1"``); the
        `frame` has also ``level``, the intensity: ``"weak"`` or ``"strong"``. What is
        neutral is weak.

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
        If audio files don't bear names of CaFE, hold no sound or are second copies
        (all these are left out), or if some are missing.

    Notes
    -----
    The owners distribute the corpus under CC BY-NC-SA 4.0. The authors of the
    dimensional labels give no licence for them. A folder that holds both sampling rates
    has each recording twice, and is refused.

    References
    ----------
    .. [1] P. Gournay, O. Lahaie, R. Lefebvre, "A Canadian French Emotional Speech
       Dataset", ACM MMSys 2018, doi:10.1145/3204949.3208121.
    .. [2] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
       "Continuous Metric Learning For Transferable Speech Emotion Recognition and
       Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_cafe
    >>> load_cafe("corpora/cafe", dimensions="CAFE.csv")  # doctest: +SKIP
    <Corpus CaFE: 936 utterances, 12 speakers (female 6, male 6), ...>
    """
    return _CAFE.load(data_home, dimensions)
