"""The interactive emotional dyadic motion capture database, IEMOCAP."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._dimensions import DIMENSIONS
from .._warnings import warn_user
from ._corpus import Corpus
from ._files import Layout, files_below, find_recordings, shortened
from ._labels import OTHERS, join_labels
from ._levels import RATING_SCALE, outside_scale

__all__ = ["load_iemocap"]

_LAYOUT = Layout(
    name="IEMOCAP",
    source="https://sail.usc.edu/iemocap/ (after signing a release form)",
    example="Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
    pattern=(
        r"(?P<dialog>SES(?P<session>\d\d)[FM]_(?P<scenario>IMPRO|SCRIPT)\w+?)"
        r"_(?P<voice>[FM])(?P<number>(?:XX)?\d+)"
    ),
    n_recordings=10039,
    passed_over=r"SES\d\d[FM]_(?:IMPRO|SCRIPT)\w*",  # whole dialogues
)

_EMOTIONS = {
    "ang": "anger",
    "dis": "disgust",
    "exc": "excitement",
    "fea": "fear",
    "fru": "frustration",
    "hap": "happiness",
    "neu": "neutral",
    "sad": "sadness",
    "sur": "surprise",
    "oth": "other",
    "xxx": "no agreement",
}
_SCENARIOS = {"improvised": "IMPRO", "scripted": "SCRIPT"}

# Those of an utterance; what single raters said stands below it on lines that begin
# with C- or A-.
_LINE = re.compile(
    r"\[\s*(?P<dialog_start>[\d.]+)\s*-\s*(?P<dialog_end>[\d.]+)\s*\]\s+"
    r"(?P<name>Ses\w+)\s+(?P<emotion>[A-Za-z]{3})\s+"
    r"\[\s*(?P<valence>[\d.]+),\s*(?P<activation>[\d.]+),\s*(?P<dominance>[\d.]+)\s*\]",
    re.IGNORECASE,
)

_DESCRIPTION = """\
Ten actors, a woman and a man in each of five sessions, improvised scenes and played
scripted ones. Utterances are labelled by three raters or more: the emotion of their
majority, and mean ratings from 1 to 5. 10,039 utterances, 16 kHz, mono."""

_CITATION = """\
C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee,
S. S. Narayanan, "IEMOCAP: Interactive emotional dyadic motion capture database",
Language Resources and Evaluation 42(4), 2008."""


def load_iemocap(
    data_home: str | os.PathLike[str],
    *,
    scenario: str = "all",
    merge_excitement: bool = False,
    keep_others: bool = False,
) -> Corpus:
    """Load the interactive emotional dyadic motion capture database (IEMOCAP).

    English, acted dialogues: 10,039 utterances by ten speakers in five sessions, with
    the emotion of the raters' majority and with mean ratings of activation, valence
    and dominance. Nothing is downloaded and no recording is decoded.

    Parameters
    ----------
    data_home : str or os.PathLike
        Folder of the corpus as its owners distribute it: that with ``Session1`` to
        ``Session5``, whose recordings are such as ``Session1/sentences/wav/\
Ses01F_impro01/Ses01F_impro01_F000.wav`` and whose labels are such as
        ``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt``.
    scenario : {"all", "improvised", "scripted"}, default="all"
        Which dialogues are loaded.
    merge_excitement : bool, default=False
        Whether excitement is called happiness, as in many publications with four
        emotions. By default labels stay as distributed.
    keep_others : bool, default=False
        Whether to keep the utterances on which the raters' majority did not agree
        (``xxx``, here ``"no agreement"``), or agreed on another emotion than those
        listed (``oth``, here ``"other"``). They are left out by default.

    Returns
    -------
    Corpus
        Sorted by file name, with activation, valence and dominance from 1 to 5. Its
        `speaker` is session and sex, ``"Ses01F"``; its `sentence` is None. The `frame`
        has also

        - ``session``: ``"Ses01"`` to ``"Ses05"``, the groups of a validation by
          session;
        - ``partner``: the other speaker of the session;
        - ``scenario``: ``"improvised"`` or ``"scripted"``;
        - ``dialog``: the dialogue, ``"Ses01F_impro01"``;
        - ``dialog_start``, ``dialog_end``: where in it the utterance is, in seconds.

    Raises
    ------
    FileNotFoundError
        If the folder, any recording or any file of labels in it is missing.
    ValueError
        If `scenario` is unknown, if an utterance is labelled twice and differently, or
        an emotion is unknown; if no utterance is left; if a recording is there twice,
        in files that differ.

    Warns
    -----
    UserWarning
        If audio files don't bear names of IEMOCAP, hold no sound, are second copies or
        have no label (all these are left out), if some are missing, or if ratings
        were outside the scale: these are set to its end.

    Notes
    -----
    The owners allow research, after a release form has been signed. The sex of the
    speaker is that in the last part of the name: ``Ses01F_impro01`` is a dialogue in
    which the woman's movements were recorded, and both speak in it.

    ``dict(zip(corpus.speaker, corpus.frame["partner"]))`` as `validation_groups` of an
    estimator makes early stopping watch the partner of the speaker who is held out.

    References
    ----------
    .. [1] C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang,
       S. Lee, S. S. Narayanan, "IEMOCAP: Interactive emotional dyadic motion capture
       database", Language Resources and Evaluation 42(4), 2008.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_iemocap
    >>> corpus = load_iemocap("corpora/iemocap", merge_excitement=True)
    ... # doctest: +SKIP
    >>> corpus.keep_emotions(["anger", "happiness", "neutral", "sadness"])
    ... # doctest: +SKIP
    <Corpus IEMOCAP: 5,531 utterances, 10 speakers (female 5, male 5), ...>
    """
    if scenario not in ("all", *_SCENARIOS):
        raise ValueError(
            f"scenario must be one of {('all', *_SCENARIOS)}, got {scenario!r}."
        )
    frame = find_recordings(data_home, _LAYOUT)
    labels = _read_labels(Path(data_home).expanduser())
    frame = _with_names(join_labels(frame, labels, _LAYOUT))
    if scenario != "all":
        frame = frame[frame["scenario"] == scenario]
    if not keep_others:
        frame = frame[~frame["emotion"].isin(OTHERS)]
    if merge_excitement:
        frame = frame.replace({"emotion": {"excitement": "happiness"}})
    if frame.empty:
        raise ValueError(
            f"None of the recordings of IEMOCAP in {data_home} is in the scenario "
            f"{scenario!r} with an emotion: choose another, or keep_others=True."
        )
    return Corpus(
        _on_scale(frame),
        name=_LAYOUT.name,
        description=_DESCRIPTION,
        license="research only, by a release form of the owners",
        citation=_CITATION,
        language="English",
        rating_scale=RATING_SCALE,
    )


def _with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace the parts of a name by what they mean."""
    session = "Ses" + frame["session"]
    other = frame["voice"].map({"F": "M", "M": "F"})
    scenarios = {code: name for name, code in _SCENARIOS.items()}
    names = frame.assign(
        dialog=frame["dialog"].map(_spelled),
        session=session,
        scenario=frame["scenario"].map(scenarios),
        speaker=session + frame["voice"],
        partner=session + other,
        gender=frame["voice"].map({"F": "female", "M": "male"}),
    )
    return names.drop(columns=["voice", "number"])


def _spelled(dialog: str) -> str:
    """Return the name of a dialogue as the owners write it."""
    return f"Ses{dialog[3:6].upper()}{dialog[6:].lower()}"


def _read_labels(home: Path) -> pd.DataFrame:
    """Return emotion, ratings and times by the name of an utterance in upper case."""
    texts = [p for p in files_below(home, (".txt",)) if not p.name.startswith("._")]
    usual = [p for p in texts if p.parent.name.casefold() == "emoevaluation"]
    if not usual:  # in one folder with others; those of utterances are no labels
        usual = [path for path in texts if _LAYOUT.read(path) is None]
    labels: dict[str, dict[str, Any]] = {}
    for path in sorted(usual):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _LINE.fullmatch(line.strip())
            if match is not None:
                _add_label(labels, match.groupdict(), path)
    if not labels:
        raise FileNotFoundError(
            f"No label of IEMOCAP in {home}: give as data_home a folder with the "
            "owners' files of labels, such as "
            "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt."
        )
    return pd.DataFrame.from_dict(labels, orient="index")


def _add_label(
    labels: dict[str, dict[str, Any]], said: dict[str, str], path: Path
) -> None:
    """Add what a line says of an utterance; refuse what contradicts another."""
    name = said.pop("name")
    emotion = said.pop("emotion").lower()
    if emotion not in _EMOTIONS:
        raise ValueError(
            f"{path} gives {name} the unknown emotion {emotion!r}; known are "
            f"{', '.join(_EMOTIONS)}."
        )
    label: dict[str, Any] = {"emotion": _EMOTIONS[emotion]}
    label |= {column: float(number) for column, number in said.items()}
    if labels.setdefault(name.upper(), label) != label:
        raise ValueError(
            f"{path} labels {name} otherwise than another file does: leave one of "
            "them out."
        )


def _on_scale(frame: pd.DataFrame) -> pd.DataFrame:
    """Set ratings that raters gave beyond the scale to its end."""
    ratings = frame[list(DIMENSIONS)]
    beyond = np.asarray(outside_scale(ratings, RATING_SCALE).any(axis=1))
    if not beyond.any():
        return frame
    lowest, highest = RATING_SCALE
    named = [Path(file).stem for file in frame["file"].to_numpy()[beyond]]
    warn_user(
        f"{beyond.sum()} of {len(frame)} utterances of IEMOCAP have a rating outside "
        f"the scale from {lowest:g} to {highest:g}, which is set to the end of the "
        f"scale: {shortened(named)}."
    )
    return frame.assign(**ratings.clip(lowest, highest))
