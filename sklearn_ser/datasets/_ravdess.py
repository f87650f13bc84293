"""The Ryerson audio-visual database of emotional speech and song, RAVDESS."""

from __future__ import annotations

import os
from dataclasses import replace

from ._corpus import Corpus
from ._files import Layout
from ._named import NamedCorpus

__all__ = ["load_ravdess"]

_CHANNELS = {"speech": "01", "song": "02", "all": "0[12]"}
_N_RECORDINGS = {"speech": 1440, "song": 1012, "all": 2452}
# Audio only: the files with pictures are no audio files.
_PATTERN = (
    r"03-(?P<vocal_channel>{channel})-(?P<emotion>0[1-8])-(?P<level>0[12])"
    r"-(?P<sentence>0[12])-(?P<repetition>0[12])-(?P<speaker>0[1-9]|1\d|2[0-4])"
)

_RAVDESS = NamedCorpus(
    Layout(
        name="RAVDESS",
        source="https://doi.org/10.5281/zenodo.1188976",
        example="Actor_01/03-01-05-01-01-01-01.wav",
        pattern="",  # depends on what is wanted
        passed_over=_PATTERN.format(channel=_CHANNELS["all"]),
    ),
    emotions={
        "01": "neutral",
        "02": "calm",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    },
    columns={
        "vocal_channel": {"01": "speech", "02": "song"},
        "level": {"01": "normal", "02": "strong"},
        "repetition": int,
    },
    gender=lambda speaker: "male" if int(speaker) % 2 else "female",
    description="""\
24 actors, twelve women and twelve men, spoke two sentences twice in eight emotions, all
but neutral at two intensities, and 23 of them sang them in six: 1,440 and 1,012
recordings. 48 kHz, mono.""",
    license="CC BY-NC-SA 4.0",
    citation="""\
S. R. Livingstone, F. A. Russo, "The Ryerson Audio-Visual Database of Emotional Speech
and Song (RAVDESS)", PLoS ONE 13(5), 2018, doi:10.1371/journal.pone.0196391.""",
    language="English",
)


def load_ravdess(
    data_home: str | os.PathLike[str], *, vocal_channel: str = "speech"
) -> Corpus:
    """Load the Ryerson audio-visual database of emotional speech and song (RAVDESS).

    English, acted: 1,440 utterances of two sentences by 24 actors in eight emotions
    (neutral 96; anger, calm, disgust, fear, happiness, sadness and surprise, 192 each).
    Nothing is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: with the recordings in a
        folder for each actor, such as ``Actor_01/03-01-05-01-01-01-01.wav``, or all in
        one.
    vocal_channel : {"speech", "song", "all"}, default="speech"
        Which recordings are loaded. The others are passed over.

    Returns
    -------
    Corpus
        Sorted by file name. Its `sentence` is the number of the sentence (``"01"``
        about the kids, ``"02"`` about the dogs); the `frame` has also ``vocal_channel``
        (``"speech"`` or ``"song"``), ``level``, the intensity (``"normal"`` or
        ``"strong"``), and ``repetition`` (1 or 2).

    Raises
    ------
    FileNotFoundError
        If the folder, or any recording in it is missing, or if there are pointers of
        Git LFS in the place of recordings.
    ValueError
        If `vocal_channel` is unknown, or a recording is there twice, in files that
        differ.

    Warns
    -----
    UserWarning
        If audio files don't bear names of RAVDESS, hold no sound or are second copies
        (all these are left out), or if some are missing.

    Notes
    -----
    The owners distribute the corpus under CC BY-NC-SA 4.0. Calm stays apart from
    neutral; `canonical_emotion` counts it as neutral.

    References
    ----------
    .. [1] S. R. Livingstone, F. A. Russo, "The Ryerson Audio-Visual Database of
       Emotional Speech and Song (RAVDESS)", PLoS ONE 13(5), 2018.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_ravdess
    >>> load_ravdess("corpora/ravdess")  # doctest: +SKIP
    <Corpus RAVDESS: 1,440 utterances, 24 speakers (female 12, male 12), ...>
    """
    if vocal_channel not in _CHANNELS:
        raise ValueError(
            f"vocal_channel must be one of {tuple(_CHANNELS)}, got {vocal_channel!r}."
        )
    layout = replace(
        _RAVDESS.layout,
        pattern=_PATTERN.format(channel=_CHANNELS[vocal_channel]),
        n_recordings=_N_RECORDINGS[vocal_channel],
    )
    return replace(_RAVDESS, layout=layout).load(data_home)
