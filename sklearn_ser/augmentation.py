"""More training data from the same recordings: speed perturbation.

A recording that is played at *r* times its speed lasts 1 / *r* times as long. Its pitch
and formants lie *r* times as high, like those of another voice that says the same in
the same emotion. Only training data should have copies: `SpeedPerturbation` makes them
in ``fit``, after a cross-validation has set the test recordings aside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import soxr
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ._sklearn import HasMethods, available_if, fit_context, take_rows
from .audio import AudioError, as_recordings, decoding_once, load_audio
from .features import has_features
from .features._base import RecordingTransformer

__all__ = ["SpeedPerturbation", "perturb_speed"]

# The ratios of Li et al. (2020).
SPEEDS = (0.8, 0.9, 1.1, 1.2)
# The methods that are passed on to the fitted estimator, beside `score`.
_METHODS = (
    *("predict", "predict_proba", "predict_log_proba"),
    *("decision_function", "transform"),
)


def perturb_speed(
    recordings: Any,
    *arrays: Any,
    factors: Sequence[float] = SPEEDS,
    include_original: bool = True,
    channel: str | int = "mean",
) -> Any:
    """Add copies of recordings at other speeds.

    The copies come after the originals, one block for each factor. They are for
    training alone: make them after test recordings have been set aside, or let
    `SpeedPerturbation` do it.

    Parameters
    ----------
    recordings : collection of n recordings
        As a front end takes them, see :func:`sklearn_ser.audio.as_recordings`.
    *arrays : array-likes of length n, or None
        What belongs to the recordings: labels, speakers, ratings. None stays None.
    factors : sequence of float, default=(0.8, 0.9, 1.1, 1.2)
        Speeds relative to the original, above 0 and not 1; below 1 is slower, longer
        and lower. The default is that of Li et al. [1]_.
    include_original : bool, default=True
        Whether the originals are returned, too.
    channel : "mean" or int, default="mean"
        Which channel of a recording is copied, counted from 0, or the mean of all: give
        that of the front end.

    Returns
    -------
    recordings : ndarray of dtype object
        Originals as they were given, then the copies. Copies of waveforms without a
        rate are again such waveforms. All other copies are
        ``(waveform, sampling_rate)`` with another rate, rounded to whole Hz; front ends
        resample it to theirs.
    *arrays : list of array-likes
        The arrays with their rows repeated alike, each in the container that it was
        given in. Without arrays the recordings alone are returned, not in a list.

    Raises
    ------
    ValueError
        If a factor is not possible, nothing is asked for, or the lengths differ.

    Notes
    -----
    A faulty recording raises no error here. It is passed on once, unchanged and without
    copies; the front end names it and treats it as its ``on_error`` says.

    All copies of a recording share one float32 waveform, four bytes a sample: an hour
    at 16 kHz takes 230 MB, however many factors there are. Copies of waveforms without
    a rate have samples of their own: with the default factors, four times as many as
    the originals.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import perturb_speed
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
    >>> recordings, labels = perturb_speed([tone], ["calm"], factors=(0.8, 1.25))
    >>> [len(recording) for recording in recordings]
    [16000, 20000, 12800]
    >>> labels
    ['calm', 'calm', 'calm']
    """
    factors = _check_factors(factors, include_original)
    recordings = as_recordings(recordings)
    check_consistent_length(recordings, *arrays)
    perturbed, rows = _perturb(recordings, factors, include_original, channel)
    if not arrays:
        return perturbed
    return [perturbed, *(x if x is None else take_rows(x, rows) for x in arrays)]


def _has(name: str) -> Callable[[SpeedPerturbation], bool]:
    """Make the check whether the estimator inside has a method."""

    def check(self: SpeedPerturbation) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), name)
        return True

    return check


class SpeedPerturbation(MetaEstimatorMixin, BaseEstimator):
    """Train an estimator also on copies of the recordings at other speeds.

    ``fit`` adds the copies, with labels, speakers and all other metadata repeated
    alike; everything else is passed on unchanged. In a cross-validation or a search
    around it, therefore, only training recordings are copied, and the estimator never
    sees a copy of a test recording.

    Parameters
    ----------
    estimator : estimator
        The estimator to train: a pipeline that begins with a front end such as
        `EGeMAPS`, or any estimator that takes recordings. It is cloned, not changed.
    factors : sequence of float, default=(0.8, 0.9, 1.1, 1.2)
        Speeds relative to the original, above 0 and not 1; below 1 is slower, longer
        and lower. The default is that of Li et al. [1]_. ``()`` means no perturbation,
        so that a search can try whether it helps.
    include_original : bool, default=True
        Whether the originals are trained on, too.
    channel : "mean" or int, default="mean"
        Which channel of a recording is copied, counted from 0, or the mean of all: give
        that of the front end.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted to originals and copies.
    classes_ : ndarray of shape (n_classes,)
        The classes of a fitted classifier.

    See Also
    --------
    perturb_speed : The same as a function.

    Notes
    -----
    Put a search or a cross-validation around this estimator, not into it: one inside
    would find copies of its test recordings in its training data, unless it splits by
    speaker. The front end runs inside, so it runs anew in every fold, unless it has a
    ``memory``.

    If a parameter of ``fit`` is as long as the recordings, it is taken to belong to
    them; others are passed on unchanged, as in scikit-learn's searches. With metadata
    routing, parameters go where they are requested. Without it, they are spelt as for
    the estimator alone, such as ``metricdae__activation`` for a pipeline.

    Memory and faulty recordings are treated as in `perturb_speed`. If a recording is
    long enough for a front end but its fastest copy is not, the copy is reported as a
    faulty waveform.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> from sklearn_ser import SpeedPerturbation, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=1)
    >>> model = SpeedPerturbation(recipes.egemaps_svc(), factors=(0.9, 1.1))
    >>> model.fit(corpus.audio, corpus.emotion).predict(corpus.audio).shape
    (8,)
    >>> model.estimator_["svc"].shape_fit_[0]
    24
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit"])],
        "factors": ["array-like"],
        "include_original": ["boolean"],
        "channel": RecordingTransformer._parameter_constraints["channel"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        factors: Sequence[float] = SPEEDS,
        include_original: bool = True,
        channel: str | int = "mean",
    ) -> None:
        self.estimator = estimator
        self.factors = factors
        self.include_original = include_original
        self.channel = channel

    # The estimator inside is validated by its own fit.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> SpeedPerturbation:
        """Fit the estimator to the recordings and their copies.

        Parameters
        ----------
        X : collection of n recordings
            See :func:`sklearn_ser.audio.as_recordings`.
        y : array-like of length n, default=None
            Labels, as the estimator takes them.
        **params : dict
            Further parameters of the estimator's ``fit``. Those of length n, such as
            speakers or ratings, are repeated as the recordings are.

        Returns
        -------
        SpeedPerturbation
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a factor is not possible, or ``X`` and ``y`` differ in length.
        """
        factors = _check_factors(self.factors, self.include_original)
        recordings = as_recordings(X)
        check_consistent_length(recordings, y)
        perturbed, rows = _perturb(
            recordings, factors, self.include_original, self.channel
        )
        aligned = {
            name: take_rows(value, rows)
            if _is_of_length(value, len(recordings))
            else value
            for name, value in params.items()
        }
        labels = y if y is None else take_rows(y, rows)
        self.estimator_ = clone(self.estimator).fit(
            perturbed, labels, **self._routed("fit", aligned)
        )
        return self

    @available_if(_has("predict"))
    def predict(self, X: Any, **params: Any) -> Any:
        """Predict with the fitted estimator; nothing is perturbed.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.
        **params : dict
            Metadata for the estimator.

        Returns
        -------
        array-like of n rows
            Predictions, as the estimator gives them.
        """
        return self._call("predict", X, params)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> Any:
        """Give the probabilities of the classes; nothing is perturbed.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.
        **params : dict
            Metadata for the estimator.

        Returns
        -------
        array-like of n rows
            Probabilities of the classes, as the estimator gives them.
        """
        return self._call("predict_proba", X, params)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any, **params: Any) -> Any:
        """Give the logarithms of the probabilities; nothing is perturbed.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.
        **params : dict
            Metadata for the estimator.

        Returns
        -------
        array-like of n rows
            Logarithms of the probabilities of the classes, as the estimator gives
            them.
        """
        return self._call("predict_log_proba", X, params)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> Any:
        """Give the decision values; nothing is perturbed.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.
        **params : dict
            Metadata for the estimator.

        Returns
        -------
        array-like of n rows
            Decision values, as the estimator gives them.
        """
        return self._call("decision_function", X, params)

    @available_if(_has("transform"))
    def transform(self, X: Any, **params: Any) -> Any:
        """Transform with the fitted estimator; nothing is perturbed.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.
        **params : dict
            Metadata for the estimator.

        Returns
        -------
        array-like of n rows
            The transformed recordings, as the estimator gives them.
        """
        return self._call("transform", X, params)

    @available_if(_has("score"))
    def score(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Score the fitted estimator; nothing is perturbed.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.
        y : array-like of length n, default=None
            True labels.
        **params : dict
            Metadata for the estimator.

        Returns
        -------
        float
            What ``score`` of the estimator gives.
        """
        check_is_fitted(self)
        return self.estimator_.score(X, y, **self._routed("score", params))

    def usable_recordings(self, X: Any) -> NDArray[np.bool_]:
        """Tell which recordings, and their fastest copies, have features.

        `sklearn_ser.evaluation.evaluate_by_speaker` calls this, because the front end
        runs inside, where a faulty recording would stop the fit. Here the front end
        runs once, on the recordings and on their fastest copies. With a ``memory`` it
        does not repeat this work in `fit`.

        Parameters
        ----------
        X : collection of n recordings
            As in `fit`.

        Returns
        -------
        ndarray of shape (n,) and dtype bool
            False where the front end gives no features for a recording or for its
            fastest copy. True everywhere, if the estimator has no front end of this
            library.

        Raises
        ------
        AudioError
            If a recording is faulty and the front end's ``on_error="raise"``.
        """
        recordings = as_recordings(X)
        pipeline = self.estimator
        front_end = pipeline[0] if isinstance(pipeline, Pipeline) else pipeline
        if not isinstance(front_end, RecordingTransformer):
            return np.ones(len(recordings), dtype=bool)
        usable = has_features(front_end.transform(recordings))
        fastest = max(self.factors, default=1)
        if fastest > 1:
            heard = np.flatnonzero(usable)
            copies, originals = perturb_speed(
                recordings[heard],
                heard,
                factors=[fastest],
                include_original=False,
                channel=self.channel,
            )
            front_end = clone(front_end).set_params(on_error="nan")
            usable[originals] = has_features(front_end.transform(copies))
        return usable

    def augments_training(self) -> bool:
        """Tell whether `fit` adds copies, for the leak checks of an evaluation.

        Returns
        -------
        bool
        """
        return len(self.factors) > 0

    @property
    def classes_(self) -> NDArray[Any]:
        """Classes of the fitted classifier."""
        classes: NDArray[Any] = self.estimator_.classes_
        return classes

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell which metadata the estimator inside asks for.

        Returns
        -------
        MetadataRouter
            The requests of the estimator, method by method.
        """
        mapping = MethodMapping()
        for name in ("fit", "score", *_METHODS):
            mapping.add(caller=name, callee=name)
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _call(self, method: str, X: Any, params: dict[str, Any]) -> Any:
        """Call a method of the fitted estimator."""
        check_is_fitted(self)
        return getattr(self.estimator_, method)(X, **self._routed(method, params))

    def _routed(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the metadata that the estimator inside is given."""
        if not get_config()["enable_metadata_routing"]:
            return params
        routed = process_routing(self, method, **params)["estimator"][method]
        return dict(routed)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that this is the kind of estimator that is inside."""
        tags = get_tags(self.estimator)
        tags.requires_fit = True
        return tags


def _check_factors(factors: Any, include_original: bool) -> list[float]:
    """Return the factors as floats; refuse those that are not speeds."""
    if np.ndim(factors) != 1:
        raise ValueError(f"factors must be a sequence of speeds, got {factors!r}.")
    checked = list(factors)
    for factor in checked:
        is_speed = isinstance(factor, Real) and not isinstance(factor, bool)
        if not (is_speed and 0 < factor < np.inf):
            raise ValueError(
                f"factors holds {factor!r}, which is not a speed: give positive "
                f"numbers, such as {SPEEDS}."
            )
        if factor == 1:
            raise ValueError(
                "factors holds 1, which changes nothing: leave it out; the originals "
                "are there with include_original=True."
            )
    if len(set(checked)) < len(checked):
        raise ValueError(f"factors holds a speed twice: {checked}.")
    if not checked and not include_original:
        raise ValueError(
            "Nothing is left to train on: give factors, or include_original=True."
        )
    return [float(factor) for factor in checked]


def _perturb(
    recordings: NDArray[np.object_],
    factors: list[float],
    include_original: bool,
    channel: str | int,
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return originals and copies, and the index of the original of each."""
    sources = _sources(recordings, channel) if factors else []
    rows = [i for i, source in enumerate(sources) if source is None]
    if include_original:
        rows = list(range(len(recordings)))
    perturbed = [recordings[i] for i in rows]
    for factor in factors:
        for i, source in enumerate(sources):
            if source is not None:
                perturbed.append(_at_speed(*source, factor))
                rows.append(i)
    copies = np.fromiter(perturbed, dtype=object, count=len(perturbed))
    return copies, np.array(rows, dtype=np.intp)


def _sources(
    recordings: NDArray[np.object_], channel: str | int
) -> list[tuple[NDArray[np.float32], int | None] | None]:
    """Return what `_read` gives for each recording."""
    sources: list[Any] = [None] * len(recordings)
    with decoding_once(recordings) as order:
        for index in order:
            sources[index] = _read(recordings[index], channel)
    return sources


def _read(
    recording: Any, channel: str | int
) -> tuple[NDArray[np.float32], int | None] | None:
    """Return a waveform and its rate, where it has one; None if it is faulty."""
    try:
        if isinstance(recording, np.ndarray):
            # The rate is of no matter: only the samples are checked.
            return load_audio(recording)[0], None
        return load_audio(recording, None, channel=channel)
    except AudioError:
        return None


def _at_speed(waveform: NDArray[np.float32], rate: int | None, factor: float) -> Any:
    """Return the recording at another speed."""
    if rate is None:
        return soxr.resample(waveform, factor, 1.0, quality="HQ")
    # The same samples follow each other faster or slower.
    return waveform, max(1, round(rate * factor))


def _is_of_length(value: Any, n: int) -> bool:
    """Tell whether a parameter of fit has a row for each recording."""
    if hasattr(value, "shape"):
        return bool(value.shape) and value.shape[0] == n
    is_sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return is_sequence and len(value) == n
