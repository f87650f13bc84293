"""Several corpora as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pandas as pd

from .._dimensions import DIMENSIONS
from ._corpus import Corpus
from ._emotions import spelled
from ._levels import RATING_SCALE, carry_ratings, check_rating_scale

__all__ = ["join_corpora"]

# What two corpora may call alike and mean differently.
_NAMES = ("speaker", "partner", "session", "sentence")
_ORIGIN = "corpus"


def join_corpora(
    corpora: Iterable[Corpus],
    *,
    name: str | None = None,
    rating_scale: tuple[float, float] | None = None,
) -> Corpus:
    """Join several corpora into one.

    Parameters
    ----------
    corpora : iterable of Corpus
        At least one; their names are all different.
    name : str or None, default=None
        Name of the new corpus; None joins their names by ``" + "``.
    rating_scale : tuple of two floats or None, default=None
        The scale to which ratings are carried linearly. None keeps the scale that all
        rated corpora share, and takes that from 1 to 5 if they differ.

    Returns
    -------
    Corpus
        The utterances of the first corpus, then those of the second, and so on. The
        name of its corpus stands before each `speaker` and `sentence`, and before the
        ``partner`` and ``session`` in the `frame`: ``"EMO-DB/03"``. The `frame` has
        also ``corpus``, the name of the corpus of origin, and all columns of all
        corpora, missing where a corpus doesn't have them. Emotions are those nouns
        that corpora of this package use, where these are known.

    Raises
    ------
    ValueError
        If there is no corpus, if two have the same name, if one has a column
        ``corpus`` already, or if some consist of files and others of waveforms.

    See Also
    --------
    Corpus.drop_outliers : Keeps to the statistics of each corpus of origin.
    AuxiliaryCorpora : Corpora beside the one that is learned.

    Notes
    -----
    A mean rating on another scale is carried by its ends: 4 on a scale from 1 to 7 is
    3 on a scale from 1 to 5. Whether raters use both scales alike is another question.

    With ``corpus.frame["corpus"]`` as the groups, a cross-validation holds out a corpus
    at a time.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sklearn_ser.datasets import join_corpora, make_emotional_speech
    >>> one = make_emotional_speech(n_speakers=2, n_repetitions=1, random_state=0)
    >>> two = make_emotional_speech(n_speakers=2, n_repetitions=1, random_state=1)
    >>> both = join_corpora([replace(one, name="A"), replace(two, name="B")])
    >>> both.name, len(both)
    ('A + B', 16)
    >>> sorted(set(both.speaker.tolist()))
    ['A/speaker01', 'A/speaker02', 'B/speaker01', 'B/speaker02']
    """
    joined = list(corpora)
    _check(joined)
    scale = _common_scale(joined) if rating_scale is None else rating_scale
    scale = check_rating_scale(scale)
    return Corpus(
        pd.concat([_prepared(corpus, scale) for corpus in joined], ignore_index=True),
        name=" + ".join(corpus.name for corpus in joined) if name is None else name,
        description=_once("\n".join, [corpus.description for corpus in joined]),
        license=_once("; ".join, [corpus.license for corpus in joined]),
        citation=_once("\n".join, [corpus.citation for corpus in joined]),
        language=_once(", ".join, [corpus.language for corpus in joined]),
        rating_scale=scale,
    )


def _check(corpora: list[Corpus]) -> None:
    """Refuse corpora that cannot be joined."""
    if not corpora:
        raise ValueError("There is no corpus to join: give at least one.")
    (most, n), *_ = Counter(corpus.name for corpus in corpora).most_common()
    if n > 1:
        raise ValueError(
            f"{n} corpora have the name {most}, so that their speakers would be mixed "
            "up: rename them by dataclasses.replace(corpus, name=...)."
        )
    for corpus in corpora:
        if _ORIGIN in corpus.frame:
            raise ValueError(
                f"The corpus {corpus.name} has a column {_ORIGIN!r} already: join the "
                "corpora that it was made of, all at once, or rename the column."
            )
    of_waves = [corpus.name for corpus in corpora if "waveform" in corpus.frame]
    if 0 < len(of_waves) < len(corpora):
        raise ValueError(
            f"Waveforms cannot be joined with files: {', '.join(of_waves)} consist of "
            "waveforms, the others of files. Write the waveforms to files."
        )


def _common_scale(corpora: list[Corpus]) -> tuple[float, float]:
    """Return the scale of all corpora that have ratings, or the usual one."""
    scales = {
        corpus.rating_scale
        for corpus in corpora
        if any(dimension in corpus.frame for dimension in DIMENSIONS)
    }
    return scales.pop() if len(scales) == 1 else RATING_SCALE


def _prepared(corpus: Corpus, scale: tuple[float, float]) -> pd.DataFrame:
    """Return the table of a corpus with names and ratings that go with others."""
    frame = corpus.frame.copy()
    for column in _NAMES:
        if column in frame:
            prefixed = corpus.name + "/" + frame[column].astype(str)
            frame[column] = prefixed.where(frame[column].notna(), None)
    for dimension in DIMENSIONS:
        ratings = getattr(corpus, dimension)
        if ratings is not None and corpus.rating_scale != scale:
            frame[dimension] = carry_ratings(ratings, corpus.rating_scale, scale)
    return frame.assign(
        emotion=[spelled(emotion) for emotion in corpus.emotion], corpus=corpus.name
    )


def _once(join: Callable[[list[str]], str], texts: list[str]) -> str:
    """Join texts, each of them once, without the empty ones."""
    return join([text for text in dict.fromkeys(texts) if text])
