"""A corpus of emotional speech: recordings with their labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._dimensions import DIMENSIONS
from ..audio import as_recordings
from ..metrics._outliers import zscore_outliers
from ._emotions import (
    SCHEMES,
    check_spellings,
    emotion_dimensions,
    find_emotion,
)
from ._levels import (
    RATING_SCALE,
    carry_ratings,
    check_rating_scale,
    outside_scale,
)

__all__ = ["Corpus"]


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """A corpus of emotional speech.

    The table `frame` holds everything; the attributes are arrays read from it, in the
    order of its rows, ready for scikit-learn.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per utterance, copied and numbered anew. Columns:

        - ``emotion`` and ``speaker``: str, always there;
        - ``file``: path of the recording, with ``start`` and ``end`` in seconds where
          utterances are segments of recordings (missing for the beginning and the
          end of the recording); or else ``waveform`` (1-D float
          arrays) and ``sampling_rate`` (Hz);
        - ``gender`` (``"female"`` or ``"male"``) and ``sentence``: str, missing where
          unknown;
        - ``activation``, ``valence`` and ``dominance``: float on the scale of
          `rating_scale`, NaN where not given;
        - any others, which are kept as they are.
    name : str
        Name of the corpus.
    description : str, default=""
        What was recorded, and how.
    license : str, default=""
        Terms under which the owners distribute it.
    citation : str, default=""
        The publications to cite.
    language : str, default=""
        Language spoken.
    rating_scale : tuple of two floats, default=(1.0, 5.0)
        The lowest and the highest rating of activation, valence and dominance that
        was possible.

    Attributes
    ----------
    audio : ndarray of shape (n_utterances,), dtype object
        What the feature extractors take: paths (str), segments
        ``(path, start, end)`` or ``(waveform, sampling_rate)``.
    emotion : ndarray of shape (n_utterances,), dtype str
        Emotions as nouns that are the same in every corpus, ``"anger"``.
    speaker : ndarray of shape (n_utterances,), dtype str
        Names of the speakers: the groups of speaker-independent validation.
    gender : ndarray of shape (n_utterances,), dtype object, or None
        ``"female"``, ``"male"`` or None; None as a whole if the corpus doesn't say.
    sentence : ndarray of shape (n_utterances,), dtype object, or None
        What was said, as the corpus names it; None as a whole for free speech.
    activation, valence, dominance : ndarray of shape (n_utterances,), dtype \
float64, or None
        Ratings, NaN where not given; None as a whole if there are none.

    Raises
    ------
    ValueError
        If the table lacks a column, or an emotion, speaker or recording in it; if it
        has one emotion under two names, such as anger and angry; if a
        rating is not a number, or is outside the scale; or if the scale is not two
        finite numbers, the lower one first.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import Corpus
    >>> frame = pd.DataFrame(
    ...     {
    ...         "file": ["a.wav", "b.wav", "c.wav"],
    ...         "emotion": ["anger", "sadness", "anger"],
    ...         "speaker": ["1", "1", "2"],
    ...     }
    ... )
    >>> corpus = Corpus(frame, name="Mine")
    >>> corpus
    <Corpus Mine: 3 utterances, 2 speakers, 2 emotions (anger 2, sadness 1)>
    >>> corpus.keep_emotions("anger").audio
    array(['a.wav', 'c.wav'], dtype=object)
    """

    frame: pd.DataFrame
    name: str
    description: str = ""
    license: str = ""
    citation: str = ""
    language: str = ""
    rating_scale: tuple[float, float] = RATING_SCALE

    def __post_init__(self) -> None:
        frame = self.frame.reset_index(drop=True)
        recording = ["waveform", "sampling_rate"] if "waveform" in frame else ["file"]
        for column in ["emotion", "speaker", *recording]:
            if column not in frame:
                raise ValueError(
                    f"The table of the corpus {self.name} has no column {column!r}; "
                    "it needs emotion, speaker, and file or waveform and sampling_rate."
                )
            missing = np.flatnonzero(frame[column].isna())
            if len(missing):
                raise ValueError(
                    f"The corpus {self.name} has no {column} in row {missing[0]} "
                    f"({len(missing)} rows in all)."
                )
        object.__setattr__(self, "frame", frame)
        check_spellings(self.emotion.tolist(), f"The corpus {self.name}")
        object.__setattr__(self, "rating_scale", check_rating_scale(self.rating_scale))
        for dimension in DIMENSIONS:
            self._check_ratings(dimension)

    @classmethod
    def from_table(
        cls,
        source: Any,
        *,
        root: str | os.PathLike[str] | None = None,
        columns: Mapping[str, str] | None = None,
        emotions: Mapping[str, str | None] | None = None,
        rating_scale: tuple[float, float] = RATING_SCALE,
        encoding: str | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        name: str = "",
        language: str = "",
        license: str = "",
        citation: str = "",
    ) -> Corpus:
        r"""Make a corpus of a table that lists recordings with their labels.

        Parameters
        ----------
        source : str, os.PathLike, or data frame
            CSV with any of the separators ``, ; | tab``, Excel or Parquet; a data
            frame of pandas or polars; a dataset of Hugging Face with a column of audio,
            or its folder; the folder of a database of audformat, or of Kaldi with
            ``wav.scp``. Times may be written as ``0 days 00:00:01``.
        root : str, os.PathLike or None, default=None
            Folder where relative paths begin. None is that of the table.
        columns : mapping of str to str or None, default=None
            Which column is which, such as ``{"file": "path", "speaker": "patient"}``.
            Usual names (path, wav, subject, label, arousal and so on) need none. Other
            columns are kept.
        emotions : mapping of str to str or None, default=None
            New names of emotions, and None for those that are left out:
            ``{"ang": "anger", "xxx": None}``. Any text is an emotion; blanks around it
            do not count.
        rating_scale : tuple of two floats, default=(1.0, 5.0)
            Lowest and highest possible rating.
        encoding : str or None, default=None
            Of a text file; None finds out whether it is UTF-8, UTF-16 or Windows-1252.
        on_error : {"raise", "warn"}, default="raise"
            Rows that cannot be used are an error, which lists them all by their lines,
            or are left out with a warning.
        name, language, license, citation : str, default=""
            As in `Corpus`; the name is else that of the file.

        Returns
        -------
        Corpus
            Its `description` says which column was taken for what.

        Raises
        ------
        FileNotFoundError
            If there is no such table.
        ImportError
            If a package is missing that its format needs.
        ValueError
            If it is no table, if a column is missing, or if rows have faults: no such
            file or no audio in it, an empty label, a rating outside the scale, a
            segment that is not in its file, the same audio under two speakers.

        Warns
        -----
        UserWarning
            If rows are left out; if speakers are written in several ways.

        See Also
        --------
        from_folder : Where folders or file names have the labels.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import soundfile as sf
        >>> from sklearn_ser.datasets import Corpus
        >>> folder = tempfile.TemporaryDirectory()
        >>> for file in ("a.wav", "b.wav"):
        ...     waveform = np.full(800, ord(file[0]) / 1000)
        ...     sf.write(Path(folder.name, file), waveform, 8000)
        >>> table = Path(folder.name, "visits.csv")
        >>> _ = table.write_text("path,patient,label\na.wav,3,calm\nb.wav,4,tense \n")
        >>> Corpus.from_table(table)
        <Corpus visits: 2 utterances, 2 speakers, 2 emotions (calm 1, tense 1)>
        >>> folder.cleanup()
        """
        from ._table import corpus_from_table

        return corpus_from_table(
            source,
            root=root,
            columns=columns,
            emotions=emotions,
            rating_scale=rating_scale,
            encoding=encoding,
            on_error=on_error,
            name=name,
            language=language,
            license=license,
            citation=citation,
        )

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike[str],
        *,
        emotion: str = "folder",
        speaker: str = "folder",
        emotions: Mapping[str, str | None] | None = None,
        rating_scale: tuple[float, float] = RATING_SCALE,
        on_error: Literal["raise", "warn"] = "raise",
        name: str = "",
        language: str = "",
        license: str = "",
        citation: str = "",
    ) -> Corpus:
        """Make a corpus of a folder whose names tell emotions and speakers.

        Parameters
        ----------
        root : str or os.PathLike
            The folder; those in it are entered, hidden ones are not.
        emotion, speaker : "folder" or str, default="folder"
            Where they stand: in the name of a folder right above the recordings (of two
            such folders, emotions are in the one with names of emotions), or in a
            pattern of the path without its suffix, such as ``"{speaker}_*_{emotion}"``
            or ``"{speaker}/{emotion}_*"``, where ``*`` is anything; or a regular
            expression with named groups. Further names in braces are columns: sentence,
            gender, activation.
        emotions : mapping of str to str or None, default=None
            As of `from_table`.
        rating_scale, on_error, name, language, license, citation
            As of `from_table`; the name is else that of the folder.

        Returns
        -------
        Corpus
            Its `description` says how names were read, with three examples.

        Raises
        ------
        FileNotFoundError
            If there is no such folder, or no recording in it.
        ValueError
            If a pattern cannot be read, or no name matches; or for a recording that
            cannot be used.

        Warns
        -----
        UserWarning
            If names do not match: these recordings are left out.

        See Also
        --------
        from_table : Where a table has the labels.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import soundfile as sf
        >>> from sklearn_ser.datasets import Corpus
        >>> folder = tempfile.TemporaryDirectory()
        >>> for file in ("anna_angry.wav", "ben_sad.wav"):
        ...     sf.write(Path(folder.name, file), np.full(len(file), 0.1), 8000)
        >>> pattern = "{speaker}_{emotion}"
        >>> Corpus.from_folder(
        ...     folder.name, emotion=pattern, speaker=pattern, name="Visits"
        ... )
        <Corpus Visits: 2 utterances, 2 speakers, 2 emotions (angry 1, sad 1)>
        >>> folder.cleanup()
        """
        from ._folder import corpus_from_folder

        return corpus_from_folder(
            root,
            emotion=emotion,
            speaker=speaker,
            emotions=emotions,
            rating_scale=rating_scale,
            on_error=on_error,
            name=name,
            language=language,
            license=license,
            citation=citation,
        )

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        voices = self.frame.drop_duplicates("speaker")
        genders = voices["gender"].dropna().tolist() if "gender" in voices else []
        emotions = self.emotion.tolist()
        parts = [
            counted(len(self), "utterance"),
            counted(len(voices), "speaker") + _tally(genders),
            counted(len(set(emotions)), "emotion") + _tally(emotions),
            *(name for name in DIMENSIONS if name in self.frame),
        ]
        return f"<Corpus {self.name}: {', '.join(parts)}>"

    @property
    def audio(self) -> NDArray[np.object_]:
        """Recordings as the feature extractors take them."""
        if "waveform" in self.frame:
            pairs = self.frame[["waveform", "sampling_rate"]]
            return _objects(pairs.itertuples(index=False, name=None))
        return as_recordings(self.frame)

    @property
    def emotion(self) -> NDArray[np.str_]:
        """Emotion of each utterance."""
        return self.frame["emotion"].to_numpy(dtype=np.str_)

    @property
    def speaker(self) -> NDArray[np.str_]:
        """Speaker of each utterance."""
        return self.frame["speaker"].to_numpy(dtype=np.str_)

    @property
    def gender(self) -> NDArray[np.object_] | None:
        """Gender of each utterance's speaker, None where unknown."""
        return self._optional_text("gender")

    @property
    def sentence(self) -> NDArray[np.object_] | None:
        """Sentence of each utterance, None where unknown."""
        return self._optional_text("sentence")

    @property
    def activation(self) -> NDArray[np.float64] | None:
        """Activation of each utterance, NaN where not given."""
        return self._ratings("activation")

    @property
    def valence(self) -> NDArray[np.float64] | None:
        """Valence of each utterance, NaN where not given."""
        return self._ratings("valence")

    @property
    def dominance(self) -> NDArray[np.float64] | None:
        """Dominance of each utterance, NaN where not given."""
        return self._ratings("dominance")

    def select(self, rows: ArrayLike) -> Corpus:
        """Return the corpus of some of the utterances.

        Parameters
        ----------
        rows : array-like of bool or of int
            A mask of shape (n_utterances,), or indices in the order wanted.

        Returns
        -------
        Corpus
            A new corpus with the same name, licence and so on.

        Raises
        ------
        ValueError
            If a mask has another length than the corpus.
        IndexError
            If an index is out of range, or neither a mask nor indices are given.
        """
        wanted = np.asarray(rows)
        if wanted.size == 0 and wanted.dtype != bool:
            wanted = wanted.astype(np.intp)  # an empty list is an array of floats
        if wanted.dtype == bool and wanted.shape != (len(self),):
            raise ValueError(
                f"The mask has the shape {wanted.shape}, but the corpus "
                f"{self.name} has {len(self)} utterances."
            )
        return replace(self, frame=self.frame.iloc[np.arange(len(self))[wanted]])

    def keep_emotions(self, emotions: str | Iterable[str]) -> Corpus:
        """Return the corpus of the utterances with certain emotions.

        Parameters
        ----------
        emotions : str or iterable of str
            Emotions as this corpus names them, or synonyms of that in either direction:
            ``"angry"`` finds anger, ``"anger"`` finds angry.

        Returns
        -------
        Corpus
            A new corpus, in the same order.

        Raises
        ------
        ValueError
            If the corpus has no utterance of an emotion, or several that count as it,
            none of which is named so: excitement and amusement for happiness.
        """
        names = [emotions] if isinstance(emotions, str) else list(emotions)
        present = sorted(set(self.emotion.tolist()))
        wanted = [find_emotion(str(name), present) for name in names]
        absent = [
            str(name)
            for name, found in zip(names, wanted, strict=True)
            if found is None
        ]
        if absent:
            raise ValueError(
                f"The corpus {self.name} has no {', '.join(absent)}; "
                f"it has {', '.join(present)}."
            )
        return self.select([emotion in wanted for emotion in self.emotion])

    def drop_outliers(self, features: ArrayLike, threshold: float = 10.0) -> Corpus:
        """Return the corpus without the utterances whose features are far off.

        The rule of :func:`~sklearn_ser.metrics.zscore_outliers`, one corpus at a time:
        where the table has a column ``corpus``, as that of `join_corpora`, mean and
        deviation are those of the corpus of origin.

        Parameters
        ----------
        features : array-like of shape (n_utterances, n_features)
            A row for each utterance, as an array or a table. NaN is ignored.
        threshold : float, default=10.0
            z-score beyond which a value is an outlier, by default as in [1]_.

        Returns
        -------
        Corpus
            A new corpus, in the same order.

        Raises
        ------
        TypeError
            If `threshold` is not a number.
        ValueError
            If `features` are not as many as the utterances, or are infinite somewhere,
            or if `threshold` is not positive.

        See Also
        --------
        sklearn_ser.metrics.zscore_outliers : The same as a mask of rows.

        Notes
        -----
        For a corpus by itself, ``kept = ~zscore_outliers(features, threshold)`` are the
        rows of `features` that go with the new corpus. In a cross-validation the rule
        sees the held-out utterances, without their labels.

        References
        ----------
        .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg, L. H. Clemmensen,
           "Continuous Metric Learning For Transferable Speech Emotion Recognition and
           Embedding Across Low-resource Languages", NLDL 2022, arXiv:2203.14867.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_ser.datasets import make_emotional_speech
        >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
        >>> X = np.r_[np.linspace(0, 1, len(corpus) - 1), 99][:, np.newaxis]
        >>> len(corpus), len(corpus.drop_outliers(X, threshold=3))
        (16, 15)
        """
        rows = np.shape(features)[:1]
        if rows != (len(self),):
            raise ValueError(
                f"features have {rows[0] if rows else 'no'} rows, but the corpus "
                f"{self.name} has {len(self)} utterances: give a row for each."
            )
        if "corpus" not in self.frame:
            return self.select(~zscore_outliers(features, threshold))
        values = np.asarray(features, dtype=np.float64)
        kept = np.ones(len(self), dtype=bool)
        for own in self.frame.groupby("corpus", dropna=False).indices.values():
            kept[own] = ~zscore_outliers(values[own], threshold)
        return self.select(kept)

    def derive_dimensions(self, scheme: str = "circumplex") -> Corpus:
        """Return the corpus with activation and valence derived from the emotions.

        For corpora that come without such labels. All utterances of an emotion get
        the same values, which say nothing about how each was spoken.

        Parameters
        ----------
        scheme : {"binary", "ternary", "circumplex"}, default="circumplex"
            See `emotion_dimensions`.

        Returns
        -------
        Corpus
            A new corpus on the scale of the scheme: from 1 to 5 for "circumplex", and
            from -1 to 1 for "binary" and "ternary". Activation and valence that were
            given are replaced; dominance is carried linearly to the new scale.

        Raises
        ------
        ValueError
            If an emotion of the corpus has no place in the scheme.

        Examples
        --------
        >>> from sklearn_ser.datasets import make_emotional_speech
        >>> corpus = make_emotional_speech(n_speakers=1, n_repetitions=1)
        >>> corpus.derive_dimensions().activation
        array([4.23, 3.48, 2.8 , 2.32])
        """
        activation, valence = emotion_dimensions(self.emotion, scheme)
        frame = self.frame.assign(activation=activation, valence=valence)
        scale = SCHEMES[scheme]
        if self.dominance is not None and scale != self.rating_scale:
            carried = carry_ratings(self.dominance, self.rating_scale, scale)
            frame = frame.assign(dominance=carried)
        return replace(self, frame=frame, rating_scale=scale)

    def _optional_text(self, name: str) -> NDArray[np.object_] | None:
        """Return a column of text with None where it is missing."""
        if name not in self.frame:
            return None
        return _objects(None if pd.isna(x) else x for x in self.frame[name])

    def _ratings(self, dimension: str) -> NDArray[np.float64] | None:
        """Return the ratings of a dimension, NaN where they are missing."""
        if dimension not in self.frame:
            return None
        return self.frame[dimension].to_numpy(dtype=np.float64, na_value=np.nan)

    def _check_ratings(self, dimension: str) -> None:
        """Raise a ValueError for a rating that is not a number or is off the scale."""
        try:
            ratings = self._ratings(dimension)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The corpus {self.name} has ratings of {dimension} that are not "
                f"numbers ({error}). Give floats, NaN where there is no rating."
            ) from error
        if ratings is None:
            return
        outside = np.flatnonzero(outside_scale(ratings, self.rating_scale))
        if outside.size:
            (lowest, highest), row = self.rating_scale, outside[0]
            raise ValueError(
                f"The corpus {self.name} has the {dimension} {ratings[row]:.10g} in "
                f"row {row}, outside its scale from {lowest:g} to {highest:g} (rows "
                f"outside: {outside.size} of {len(ratings)}). Correct the rating, or "
                "give the scale of the ratings as Corpus(..., rating_scale=(lowest, "
                "highest))."
            )


def _objects(values: Iterable[Any]) -> NDArray[np.object_]:
    """Return a 1-D object array: tuples and arrays stay whole."""
    items = list(values)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _tally(values: list[str]) -> str:
    """Return how often each value occurs, in brackets, or nothing for no value."""
    counts = sorted(Counter(values).items())
    return f" ({', '.join(f'{value} {n:,}' for value, n in counts)})" if counts else ""


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    n : int
        How many there are.
    noun : str
        What is counted, in the singular.

    Returns
    -------
    str
        ``"1 speaker"`` or ``"1,200 utterances"``.
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
