"""Statistics of speakers, corpora or utterances taken out of the features."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from ._sklearn import (
    Interval,
    StrOptions,
    TablesFollowSetOutput,
    fit_context,
    validate_params,
)
from ._warnings import warn_user
from .sequences import check_sequences, is_table
from .training._labels import check_labels, encode_labels

__all__ = ["SpeakerScaler"]

# Mean and scale of each feature.
Moments = tuple[NDArray[np.float64], NDArray[np.float64]]

# What knowing the speaker tells of the class, as a share of what there is to know and
# beyond chance, from which it is warned of. URDU has 0.83, EMO-DB and CREMA-D 0.
CONFOUNDED = 0.3
# A deviation that is so small beside the mean is rounding.
ROUNDING = 1e-12


class SpeakerScaler(
    TablesFollowSetOutput, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Take mean and deviation of each speaker, corpus or utterance away.

    Voices differ more than emotions do: what a speaker's features are on average is
    most of what a new speaker changes. Taking it away needs utterances of that speaker,
    also of a speaker who is tested: ``by="speaker"`` uses all that are given in the
    same call, without their labels. A score is then one of speakers of whom speech is
    at hand (transductive), and must say so; `enrolment` limits it to a few utterances.

    Parameters
    ----------
    by : {"corpus", "speaker", "utterance"}, default="corpus"
        Whose statistics are taken away. "corpus" learns those of the training data in
        `fit`. "speaker" takes those of the speaker of each utterance, from the
        utterances of the same call; speakers are `groups`. "utterance" takes those of
        each sequence over its frames; a table has none.
    statistics : {"mean_std", "mean"}, default="mean_std"
        Whether features are divided by their standard deviation, too. A constant
        feature is not divided.
    enrolment : int or None, default=None
        How many utterances of a speaker the statistics come from; None takes all. Of a
        speaker with fewer, all are taken. Only for ``by="speaker"``.
    selection : {"first", "random"}, default="first"
        Which ones: the first in the order of the call, or random ones.
    random_state : int, RandomState or None, default=None
        Draws the random ones, anew in each call. An integer makes it the same.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        What is subtracted. Only for ``by="corpus"``.
    scale_ : ndarray of shape (n_features,)
        By what is divided; ones for ``statistics="mean"``. Only for ``by="corpus"``.
    n_features_in_ : int
        Number of features, or width of a frame, seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where `X` was a table that had names.

    Warns
    -----
    UserWarning
        In `fit`, if the labels of the training data depend so much on the speaker that
        the statistics of a speaker take the classes away: with each speaker in one
        emotion, the mean of the speaker is the emotion.

    See Also
    --------
    sklearn_ser.metrics.speaker_probe : Tells how much of the speaker is left.
    sklearn_ser.metrics.ua_scorer : Hands the speakers on to the prediction.

    Notes
    -----
    With ``by="speaker"``, `fit`, `transform` and all that predicts need the speakers.
    With ``sklearn.set_config(enable_metadata_routing=True)`` they reach them as
    ``groups``: ``pipeline.fit(X, y, groups=speakers)``,
    ``pipeline.predict(X, groups=speakers)``. In searches and `cross_validate`, the
    scorers of this library hand them on, and so does ``scoring=None``; scorers of
    scikit-learn such as "balanced_accuracy" give them to no prediction. The
    ``predict`` of a search takes no metadata: put the scaler in front of the search, or
    predict with its ``best_estimator_``.
    `evaluate_by_speaker` hands them on and writes into its result that the speakers'
    own statistics were used.

    ``neutral`` is a second metadata, not requested by default: a mask of the
    utterances that are known to be neutral, such as a reading before the session. The
    statistics of a speaker then come from these alone.

    Missing features (NaN) are left out of the statistics and stay missing.

    References
    ----------
    .. [1] C. Busso, A. Metallinou and S. Narayanan, "Iterative feature normalization
       for emotional speech detection", ICASSP, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import SpeakerScaler
    >>> X = np.array([[1.0], [3.0], [10.0], [14.0]])
    >>> scaler = SpeakerScaler(by="speaker", statistics="mean")
    >>> scaler.fit_transform(X, groups=["a", "a", "b", "b"])
    array([[-1.],
           [ 1.],
           [-2.],
           [ 2.]])
    """

    __metadata_request__fit = {"groups": True}
    __metadata_request__transform = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "by": [StrOptions({"corpus", "speaker", "utterance"})],
        "statistics": [StrOptions({"mean", "mean_std"})],
        "enrolment": [Interval(Integral, 1, None, closed="left"), None],
        "selection": [StrOptions({"first", "random"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        by: str = "corpus",
        *,
        statistics: str = "mean_std",
        enrolment: int | None = None,
        selection: str = "first",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.by = by
        self.statistics = statistics
        self.enrolment = enrolment
        self.selection = selection
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any = None, *, groups: Any = None, neutral: Any = None
    ) -> Self:
        """Learn the statistics of the corpus, or check what is given.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or list, Series or 1-D object array \
of n array-likes of shape (n_frames_i, n_features)
            A table, or sequences.
        y : array-like of shape (n,), default=None
            Classes; only used for the warning.
        groups : array-like of shape (n,), default=None
            Speakers; needed for ``by="speaker"``.
        neutral : array-like of shape (n,), default=None
            Whether an utterance is known to be neutral.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        ValueError
            If `X` is no table and no sequences, if ``by="utterance"`` and `X` is a
            table, or as in `transform`.
        """
        utterances = self._check(X, reset=True)
        if self.by == "speaker":
            speakers, names = self._check_speakers(X, groups)
            _warn_of_confounding(y, speakers, len(names))
            self._check_neutral(X, neutral)
        elif self.by == "corpus":
            self.mean_, self.scale_ = self._moments(utterances)
        return self

    def fit_transform(
        self, X: Any, y: Any = None, *, groups: Any = None, neutral: Any = None
    ) -> NDArray[Any]:
        """Fit to utterances, and transform them.

        Parameters
        ----------
        X, y, groups, neutral
            As in `fit`.

        Returns
        -------
        ndarray
            As of `transform`.
        """
        self.fit(X, y, groups=groups, neutral=neutral)
        return self._transformed(X, groups, neutral)

    def transform(
        self, X: Any, *, groups: Any = None, neutral: Any = None
    ) -> NDArray[Any]:
        """Take the statistics out of utterances.

        Parameters
        ----------
        X : array-like of shape (n, n_features), or list, Series or 1-D object array \
of n array-likes of shape (n_frames_i, n_features)
            A table, or sequences.
        groups : array-like of shape (n,), default=None
            Speakers; needed for ``by="speaker"``. All utterances of one should be in
            the same call.
        neutral : array-like of shape (n,), default=None
            Whether an utterance is known to be neutral: only these are taken for the
            statistics of a speaker.

        Returns
        -------
        ndarray of the form of `X`
            A table, float32 if `X` is, else float64; or sequences, float32.

        Raises
        ------
        ValueError
            If the speakers are not given, or not those of all utterances, or if a
            speaker has no neutral utterance.
        """
        validate_params(self)
        if self.by == "corpus":
            check_is_fitted(self)
        return self._transformed(X, groups, neutral)

    def _transformed(self, X: Any, groups: Any, neutral: Any) -> NDArray[Any]:
        """Take the statistics out of utterances."""
        utterances = self._check(X, reset=False)
        if self.by == "corpus":
            return utterances.scaled(
                [(np.arange(len(utterances)), (self.mean_, self.scale_))]
            )
        if self.by == "utterance":
            alone = np.arange(len(utterances))[:, None]
            return utterances.scaled(
                [(one, self._moments(utterances, one)) for one in alone]
            )
        speakers, names = self._check_speakers(X, groups)
        known = self._check_neutral(X, neutral)
        single = np.bincount(speakers) == 1
        if single.any() and utterances.sequences is None:
            warn_user(
                f"Of {single.sum()} of {len(names)} speakers there is one utterance "
                "alone: without its own mean, nothing is left of it. Give all "
                "utterances of a speaker in one call."
            )
        return utterances.scaled(
            [
                (of_speaker, self._moments(utterances, enrolled))
                for of_speaker, enrolled in self._enrolled(speakers, names, known)
            ]
        )

    def _check(self, X: Any, *, reset: bool) -> _Utterances:
        """Validate utterances."""
        if not is_table(X):
            sequences = check_sequences(self, X, reset=reset, allow_empty=True)
            return _Utterances(sequences.arrays, sequences)
        if self.by == "utterance":
            raise ValueError(
                "by='utterance' takes the mean over the frames of each utterance, and "
                "a table has one row for each: give sequences, or choose "
                "by='speaker' or by='corpus'."
            )
        table = validate_data(
            self,
            X,
            dtype=(np.float64, np.float32),
            ensure_all_finite="allow-nan",
            reset=reset,
        )
        return _Utterances(list(table[:, None, :]), None)

    def _check_speakers(
        self, X: Any, groups: Any
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the number of the speaker of each utterance, and the speakers."""
        if groups is None:
            raise ValueError(
                "SpeakerScaler(by='speaker') needs the speaker of each utterance, as "
                "groups, in fit and in transform. Alone: fit_transform(X, groups=…), "
                "transform(X, groups=…). In a pipeline or a search, after "
                "sklearn.set_config(enable_metadata_routing=True): "
                "fit(X, y, groups=…), predict(X, groups=…), and in searches and "
                "cross_validate scoring=sklearn_ser.metrics.ua_scorer (or another "
                "scorer of this library, or None), as those of scikit-learn hand no "
                "speakers on. Without routing, scikit-learn gives a transform nothing "
                "but X: then by='corpus' or by='utterance' remains."
            )
        labels = check_labels("groups", groups)
        check_consistent_length(X, labels)
        names, speakers = encode_labels("groups", labels)
        missing = np.flatnonzero(speakers < 0)
        if missing.size:
            raise ValueError(
                f"groups has no speaker at index {missing[0]} ({missing.size} in all): "
                "by='speaker' needs the speaker of each utterance."
            )
        return speakers, names

    def _check_neutral(self, X: Any, neutral: Any) -> NDArray[np.bool_] | None:
        """Return the mask of the utterances that are known to be neutral, if any."""
        if neutral is None:
            return None
        mask = np.asarray(neutral)
        check_consistent_length(X, mask)
        if mask.ndim != 1 or not np.isin(mask, (False, True)).all():
            raise ValueError("neutral must be True or False for each utterance.")
        return mask.astype(bool)

    def _enrolled(
        self,
        speakers: NDArray[np.int64],
        names: NDArray[Any],
        neutral: NDArray[np.bool_] | None,
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Give the utterances of each speaker, and those that are enrolled."""
        random = check_random_state(self.random_state)
        for number, name in enumerate(names):
            own = np.flatnonzero(speakers == number)
            enrolled = own if neutral is None else own[neutral[own]]
            if not enrolled.size:
                raise ValueError(
                    f"groups: the speaker {name} has no neutral utterance."
                )
            if self.selection == "random" and self.enrolment is not None:
                enrolled = random.permutation(enrolled)
            yield own, enrolled[: self.enrolment]

    def _moments(
        self, utterances: _Utterances, which: NDArray[np.intp] | None = None
    ) -> Moments:
        """Return mean and scale over the frames of some utterances, or of all."""
        mean, std = utterances.moments(which)
        return mean, np.ones_like(std) if self.statistics == "mean" else std

    def speaker_statistics(self) -> str | None:
        """Say whose statistics a prediction uses, for the result of an evaluation.

        Returns
        -------
        str or None
            None where no statistics of the speakers themselves are used.
        """
        if self.by != "speaker":
            return None
        which = (
            "all" if self.enrolment is None else f"{self.selection} {self.enrolment}"
        )
        requests = self.get_metadata_routing().transform.requests
        neutral = " neutral" if requests.get("neutral") not in (None, False) else ""
        return f"{self.statistics} of {which}{neutral} utterances of each speaker"

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what comes in and out."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.by == "corpus"
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = self.by != "utterance"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class _Utterances:
    """Rows of a table, or sequences, as arrays of shape (n_frames_i, n_features).

    Parameters
    ----------
    arrays : list of ndarray
        The frames of each utterance.
    sequences : Sequences or None
        Where they come from, None if that is a table.
    """

    def __init__(self, arrays: list[NDArray[Any]], sequences: Any) -> None:
        self.arrays = arrays
        self.sequences = sequences

    def __len__(self) -> int:
        return len(self.arrays)

    def moments(self, which: NDArray[np.intp] | None) -> Moments:
        """Return mean and standard deviation, 1 where that is 0, of each feature."""
        arrays = self.arrays if which is None else [self.arrays[i] for i in which]
        frames = [array for array in arrays if len(array)]
        if self.sequences is None:  # one block instead of many rows
            frames = [np.concatenate(frames)]
        width = self.arrays[0].shape[1]
        count, mean, squares = (np.zeros(width) for _ in range(3))
        for array in frames:
            count += (~np.isnan(array)).sum(axis=0)
            mean += np.nansum(array, axis=0, dtype=np.float64)
        mean = np.divide(mean, count, out=np.zeros(width), where=count > 0)
        for array in frames:
            squares += np.nansum((array - mean) ** 2, axis=0)
        variance = np.divide(squares, count, out=np.zeros(width), where=count > 0)
        std = np.sqrt(variance)
        return mean, np.where(std > ROUNDING * np.abs(mean), std, 1.0)

    def scaled(self, parts: list[tuple[NDArray[np.intp], Moments]]) -> NDArray[Any]:
        """Scale utterances, each part by its own moments, in the form they came in."""
        scaled: list[Any] = [None] * len(self)
        for which, (mean, scale) in parts:
            for i in which:
                scaled[i] = ((self.arrays[i] - mean) / scale).astype(self._dtype)
        frames: NDArray[Any] = np.concatenate(scaled)
        return frames if self.sequences is None else self.sequences.like_input(frames)

    @property
    def _dtype(self) -> np.dtype[Any]:
        """The dtype of the result."""
        is_table = self.sequences is None
        return self.arrays[0].dtype if is_table else np.dtype(np.float32)


def _warn_of_confounding(y: Any, speakers: NDArray[np.int64], n_speakers: int) -> None:
    """Warn if the speaker tells the class: its statistics then take the class away."""
    if y is None or n_speakers < 2 or type_of_target(y) not in ("binary", "multiclass"):
        return
    classes = check_labels("y", y)
    # Of a speaker with one utterance there is nothing to tell.
    known = ~pd.isna(classes) & (np.bincount(speakers)[speakers] > 1)
    classes, speakers = classes[known], speakers[known]
    if not speakers.size:
        return
    told = adjusted_mutual_info_score(classes, speakers, average_method="min")
    if told <= CONFOUNDED:
        return
    alone = sum(
        len(np.unique(classes[speakers == k])) == 1 for k in np.unique(speakers)
    )
    warn_user(
        f"The classes depend on the speakers ({alone} of {n_speakers} speakers have "
        "one class alone): the statistics of a speaker take the class away with the "
        "voice. Choose by='corpus' or by='utterance', or see whether "
        "by='speaker' predicts worse."
    )
