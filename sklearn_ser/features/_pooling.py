"""Functionals of sequences: one row per utterance, whatever its length."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import iqr
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from .._sklearn import (
    Interval,
    check_feature_names_in,
    fit_context,
    validate_params,
)
from ..sequences import check_sequences

# Frames of one utterance, (n_frames, n_features), and values of shape (n_features,).
Frames = NDArray[np.float64]
Values = NDArray[np.float64]
Functional = Callable[[Frames], Any]


def _deviations(frames: Frames) -> Frames:
    """Subtract the mean; constants become exactly zero, without rounding errors."""
    is_constant = frames.min(axis=0) == frames.max(axis=0)
    deviations: Frames = np.where(is_constant, 0.0, frames - frames.mean(axis=0))
    return deviations


def _std(frames: Frames) -> Values:
    """Compute the standard deviation of the population."""
    deviations = _deviations(frames)
    std: Values = np.sqrt((deviations**2).mean(axis=0))
    return std


def _moment(frames: Frames, order: int) -> Values:
    """Compute the third or fourth standardised moment, 0 where nothing deviates."""
    spread = _std(frames)
    scores = _deviations(frames) / np.where(spread > 0, spread, 1.0)
    squares = scores * scores  # ** takes several times as long
    moment: Values = (squares * (scores if order == 3 else squares)).mean(axis=0)
    return moment


def _kurtosis(frames: Frames) -> Values:
    """Compute the excess kurtosis; the fourth moment is at least 1, or else none."""
    fourth = _moment(frames, 4)
    return np.where(fourth > 0, fourth - 3, 0.0)


def _slope(frames: Frames) -> Values:
    """Fit a line over the number of the frame."""
    time = np.arange(len(frames)) - (len(frames) - 1) / 2
    spread = float(time @ time) or 1.0  # of a single frame
    return time @ _deviations(frames) / spread


def _percentile(frames: Frames, per_cent: float) -> Values:
    """Compute a percentile, interpolated linearly."""
    return np.percentile(frames, per_cent, axis=0)


def _with_deltas(frames: Frames, deltas: int) -> Iterator[Frames]:
    """Give the frames, and their differences of the first and higher orders."""
    yield frames
    for _ in range(deltas):
        several = len(frames) > 1
        frames = np.gradient(frames, axis=0) if several else np.zeros_like(frames)
        yield frames


_FUNCTIONALS: dict[str, Functional] = {
    "mean": partial(np.mean, axis=0),
    "std": _std,
    "min": partial(np.min, axis=0),
    "max": partial(np.max, axis=0),
    "median": partial(np.median, axis=0),
    "range": partial(np.ptp, axis=0),
    "iqr": partial(iqr, axis=0),
    "slope": _slope,
    "skewness": partial(_moment, order=3),
    "kurtosis": _kurtosis,
}
_PERCENTILE = re.compile(r"percentile(\d+(?:\.\d+)?)")


class SequencePooling(TransformerMixin, BaseEstimator):
    """Statistics over time that make one row of each sequence.

    An utterance of any length becomes a row of functionals of its frames, so that
    any classifier of scikit-learn can follow. It is independent of padding and of
    the other utterances, and learns nothing.

    Parameters
    ----------
    functionals : list or tuple of str, default=("mean", "std")
        What is computed for each feature over the frames of an utterance:

        - ``"mean"``, ``"min"``, ``"max"``, ``"median"``;
        - ``"std"``: standard deviation of the population (divided by the number of
          frames);
        - ``"range"``: maximum minus minimum;
        - ``"percentile20"``, likewise with any number from 0 to 100, interpolated
          linearly; the quartiles are 25 and 75;
        - ``"iqr"``: interquartile range, the 75th percentile minus the 25th;
        - ``"slope"``: slope per frame of the line fitted to the feature over time by
          least squares; divide it by the hop in seconds for the slope per second;
        - ``"skewness"``, ``"kurtosis"``: third and fourth standardised moment of the
          population, the latter minus 3, hence both 0 for a normal distribution;
        - ``"share_above"``: share of the frames above `threshold`.

        With ``("max", "min", "mean", "share_above")``, the predicted probabilities
        of segments become the utterance-level features of Han et al. [1]_.
    threshold : float, default=0.2
        What ``"share_above"`` compares with, in the unit of the features. The
        default is for probabilities, where [1]_ chooses it on a development set.
    deltas : {0, 1, 2}, default=0
        How often the features are also differentiated over time, by central differences
        between frames; the same functionals are then computed of the first, and of the
        second differences. They tell how a voice moves. Of a single frame they are 0.

    Attributes
    ----------
    n_features_in_ : int
        Width of a frame seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where `X` was a table that had names.

    See Also
    --------
    sklearn_ser.SequenceClassifier : Classifies the sequences themselves.
    sklearn_ser.features.has_features : Tells the rows of NaN.

    Notes
    -----
    The transformer is stateless: ``transform`` needs no ``fit``.

    A feature that is constant over an utterance has a deviation, slope, skewness and
    kurtosis of 0; in a single frame, every feature is constant.

    References
    ----------
    .. [1] K. Han, D. Yu and I. Tashev, "Speech emotion recognition using deep neural
       network and extreme learning machine", Interspeech, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import SequencePooling
    >>> sequences = [np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[2.0, 7.0]])]
    >>> pooling = SequencePooling().fit(sequences)
    >>> pooling.transform(sequences)
    array([[2., 5., 1., 0.],
           [2., 7., 0., 0.]], dtype=float32)
    >>> pooling.get_feature_names_out(["pitch", "loudness"])
    array(['mean_pitch', 'mean_loudness', 'std_pitch', 'std_loudness'],
          dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "functionals": [list, tuple, np.ndarray],
        "threshold": [Interval(Real, None, None, closed="neither")],
        "deltas": [Interval(Integral, 0, 2, closed="both")],
    }

    def __init__(
        self,
        functionals: Sequence[str] = ("mean", "std"),
        *,
        threshold: float = 0.2,
        deltas: int = 0,
    ) -> None:
        self.functionals = functionals
        self.threshold = threshold
        self.deltas = deltas

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: object = None) -> Self:
        """Check the parameters and the input; nothing else is learned.

        Parameters
        ----------
        X : list, Series or 1-D object array of n array-likes of shape (n_frames_i, \
n_features), or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.
        y : object
            Not used.

        Returns
        -------
        self
            The transformer itself.

        Raises
        ------
        ValueError
            As `transform` does.
        """
        self._functions()
        check_sequences(self, X, reset=True, allow_empty=True)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Compute the functionals of utterances.

        Parameters
        ----------
        X : list, Series or 1-D object array of n array-likes of shape (n_frames_i, \
n_features), or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances; of a table, each row is an utterance of one frame.

        Returns
        -------
        ndarray of shape (n, (1 + deltas) * n_functionals * n_features), float32
            The first functional of all features, then the second, and so on; then those
            of the first differences, and of the second. An
            utterance without frames becomes a row of NaN; front ends give one for a
            faulty recording under ``on_error="nan"`` and ``"warn"``.

        Raises
        ------
        ValueError
            If a functional is unknown or given twice, or if an utterance is not
            2-D, has another width, or holds NaN or infinity; the message names it.
        """
        validate_params(self)
        functionals = self._functions()
        sequences = check_sequences(self, X, reset=False, allow_empty=True)
        n_kinds = (1 + self.deltas) * len(functionals)
        shape = (len(sequences), n_kinds, sequences.n_features)
        pooled = np.full(shape, np.nan, dtype=np.float32)
        for row, frames in zip(pooled, sequences.arrays, strict=True):
            if len(frames):
                row[:] = [
                    compute(moving)
                    for moving in _with_deltas(frames.astype(np.float64), self.deltas)
                    for compute in functionals
                ]
        return pooled.reshape(len(sequences), -1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names: ``mean_`` and the feature's, ``mean_delta_`` and so on.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the features; None takes those of the table seen in `fit`, or
            else x0, x1, and so on. A pipeline hands on those of its front end.

        Returns
        -------
        ndarray of shape ((1 + deltas) * n_functionals * n_features,), dtype object
            The names.

        Raises
        ------
        ValueError
            If the names do not fit what was seen in `fit`, or if there are neither.
        """
        names = check_feature_names_in(self, input_features)
        return np.array(
            [
                f"{kind}_{delta}{name}"
                for delta in ("", "delta_", "delta2_")[: 1 + self.deltas]
                for kind in self.functionals
                for name in names
            ],
            dtype=object,
        )

    def _functions(self) -> list[Functional]:
        """Return the functions that compute the functionals, in order."""
        names = [str(name) for name in self.functionals]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                "functionals must name at least one functional, and each once, got "
                f"{self.functionals!r}."
            )
        return [self._function(name) for name in names]

    def _function(self, name: str) -> Functional:
        """Return the function that computes one functional."""
        if name in _FUNCTIONALS:
            return _FUNCTIONALS[name]
        if name == "share_above":
            return lambda frames: (frames > self.threshold).mean(axis=0)
        matched = _PERCENTILE.fullmatch(name)
        if matched is None or float(matched[1]) > 100:
            raise ValueError(
                f"Unknown functional {name!r}; known are {', '.join(_FUNCTIONALS)}, "
                "share_above, and percentile0 to percentile100."
            )
        return partial(_percentile, per_cent=float(matched[1]))

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what comes in and out, and that nothing is learned."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
