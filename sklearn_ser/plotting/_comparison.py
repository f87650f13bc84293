"""The confusion matrices of two models, and how they differ."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.metrics import ConfusionMatrixDisplay

from .._representation import split_last_step
from .._typing import FloatArray
from ..metrics import wa_score
from ._confusion import (
    CELL,
    NO_SHARE,
    count_confusions,
    draw_cells,
    draw_shares,
    row_shares,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The colours of the difference end at this many percentage points at least: chance
# differences of a few utterances should not look like a finding.
_LEAST_LIMIT = 10.0

_TITLE_SIZE = 10.0  # points: three titles stand beside each other


class ConfusionComparisonDisplay:
    """The confusion matrices of two models side by side, and their difference.

    As in Figure 5 of [1]_, which compares a model without and with a triplet loss. The
    first two panels are those of `plot_confusion`, on the same scale of colours. The
    third is the second model minus the first, in percentage points of the row, and in
    brackets in utterances. On the diagonal more is better, elsewhere less. Make one
    with :meth:`from_predictions` or :meth:`from_estimator`.

    Parameters
    ----------
    counts : array-like of shape (2, n_classes, n_classes), dtype int
        The confusion matrices of both models on the same utterances: rows are true
        classes, columns predicted ones, cells count utterances.
    labels : sequence of length n_classes, default=None
        The classes; None numbers them from 0.
    names : sequence of two str, default=("model 1", "model 2")
        The models.
    label_name : str, default="emotion"
        What the classes are, for the names of the axes.

    Attributes
    ----------
    shares : ndarray of shape (2, n_classes, n_classes)
        Shares of the rows, so that the diagonals are the recall of each class; 0
        where a class is never true.
    difference : ndarray of shape (n_classes, n_classes)
        Second minus first share, in percentage points.
    wa : tuple of two floats
        Weighted accuracy of both models, pooled: over all utterances at once.
    ua : tuple of two floats
        Unweighted accuracy of both models, pooled.
    axes_ : ndarray of three matplotlib Axes
        Axes with the first model, the second, and the difference.
    figure_ : matplotlib Figure
        Figure with the plot.
    displays_ : list of three sklearn.metrics.ConfusionMatrixDisplay
        What is drawn on each of the axes, with ``im_`` and ``text_``.

    Raises
    ------
    ValueError
        By :meth:`plot`: when the counts are not two square matrices of whole numbers,
        their rows do not count the same utterances, or the number of labels, names or
        axes is wrong.

    See Also
    --------
    plot_confusion : The confusion matrix of one model.

    Notes
    -----
    A difference alone is not a finding: one cell often rests on a few utterances, and
    another seed moves them. Compare several seeds, and held-out speakers.

    The colours of the difference end at the largest one, and at 10 percentage points
    at least.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_ser.plotting import ConfusionComparisonDisplay
    >>> display = ConfusionComparisonDisplay.from_predictions(
    ...     ["anger", "anger", "sadness"],
    ...     ["anger", "sadness", "sadness"],
    ...     ["anger", "anger", "anger"],
    ...     names=("PT_G", "PSN_G"),
    ... )
    >>> display.difference
    array([[  50.,  -50.],
           [ 100., -100.]])
    >>> display.ua
    (0.75, 0.5)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        counts: ArrayLike,
        *,
        labels: Sequence[Any] | NDArray[Any] | None = None,
        names: Sequence[str] = ("model 1", "model 2"),
        label_name: str = "emotion",
    ) -> None:
        self.counts = counts
        self.labels = labels
        self.names = names
        self.label_name = label_name

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred_1: ArrayLike,
        y_pred_2: ArrayLike,
        *,
        names: Sequence[str] = ("model 1", "model 2"),
        labels: Sequence[Any] | None = None,
        label_name: str = "emotion",
        axes: Sequence[Axes] | NDArray[Any] | None = None,
    ) -> Self:
        """Compare what two models predict for the same utterances.

        Hand in the predictions of all folds together.

        Parameters
        ----------
        y_true : array-like of shape (n_utterances,)
            True classes.
        y_pred_1 : array-like of shape (n_utterances,)
            Classes that the first model predicts.
        y_pred_2 : array-like of shape (n_utterances,)
            Classes that the second model predicts, utterance by utterance.
        names : sequence of two str, default=("model 1", "model 2")
            The models.
        labels : sequence, default=None
            All classes, in the order in which they are drawn; None sorts those that
            occur.
        label_name : str, default="emotion"
            What the classes are, for the names of the axes.
        axes : sequence of three matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of classes.

        Returns
        -------
        ConfusionComparisonDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As the class; also when the lengths differ, a label is missing or not
            among `labels`, or the labels are not classes.
        """
        names = _check_names(names)
        wa_score(y_true, y_true)  # which checks labels, here the true ones
        for name, y_pred in zip(names, (y_pred_1, y_pred_2), strict=True):
            try:
                wa_score(y_true, y_pred)
            except ValueError as error:
                raise ValueError(f"Predictions of {name}: {error}") from error
        classes, counts = count_confusions(y_true, y_pred_1, y_pred_2, labels=labels)
        display = cls(counts, labels=classes, names=names, label_name=label_name)
        return display.plot(axes)

    @classmethod
    def from_estimator(
        cls,
        estimator_1: Any,
        estimator_2: Any,
        X: Any,
        y: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        labels: Sequence[Any] | None = None,
        label_name: str = "emotion",
        axes: Sequence[Axes] | NDArray[Any] | None = None,
    ) -> Self:
        """Compare two fitted classifiers on the same utterances.

        Parameters
        ----------
        estimator_1 : estimator
            A fitted classifier, or a pipeline or search that ends in one.
        estimator_2 : estimator
            Another one, which takes the same input.
        X : collection of n utterances
            What the classifiers take. Give utterances of speakers whom neither has
            seen in training.
        y : array-like of shape (n_utterances,)
            True classes.
        names : sequence of two str, default=None
            The models. None takes the classes of the last steps of the pipelines;
            where these are the same, those of the estimators themselves; where these
            are, too, it numbers the last steps.
        labels : sequence, default=None
            As in :meth:`from_predictions`.
        label_name : str, default="emotion"
            As in :meth:`from_predictions`.
        axes : sequence of three matplotlib Axes, default=None
            As in :meth:`from_predictions`.

        Returns
        -------
        ConfusionComparisonDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As :meth:`from_predictions`; also when an estimator is no classifier.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from sklearn.dummy import DummyClassifier
        >>> from sklearn.svm import SVC
        >>> from sklearn_ser.plotting import ConfusionComparisonDisplay
        >>> X = np.array([[0.0], [0.1], [0.9], [1.0], [1.1]])
        >>> emotion = ["anger", "anger", "sadness", "sadness", "sadness"]
        >>> models = [m.fit(X, emotion) for m in (DummyClassifier(), SVC())]
        >>> display = ConfusionComparisonDisplay.from_estimator(*models, X, emotion)
        >>> display.names, display.wa
        (('DummyClassifier', 'SVC'), (0.6, 1.0))
        >>> plt.close(display.figure_)
        """
        estimators = (estimator_1, estimator_2)
        for estimator in estimators:
            if not is_classifier(estimator):
                raise ValueError(
                    f"{cls.__name__}.from_estimator compares classifiers, got "
                    f"{type(estimator).__name__}."
                )
        predictions = [estimator.predict(X) for estimator in estimators]
        return cls.from_predictions(
            y,
            *predictions,
            names=_names_of(*estimators) if names is None else names,
            labels=labels,
            label_name=label_name,
            axes=axes,
        )

    @property
    def shares(self) -> FloatArray:
        """Shares of the rows, for both models."""
        return row_shares(np.asarray(self.counts))

    @property
    def difference(self) -> FloatArray:
        """Second minus first share, in percentage points."""
        first, second = self.shares
        difference: FloatArray = 100 * (second - first)
        return difference

    @property
    def wa(self) -> tuple[float, float]:
        """Weighted accuracy of both models, pooled."""
        first, second = (np.trace(c) / np.sum(c) for c in np.asarray(self.counts))
        return float(first), float(second)

    @property
    def ua(self) -> tuple[float, float]:
        """Unweighted accuracy of both models: the mean recall of the true classes."""
        occurs = np.asarray(self.counts)[0].sum(axis=1) > 0
        first, second = (s.diagonal()[occurs].mean() for s in self.shares)
        return float(first), float(second)

    def plot(self, axes: Sequence[Axes] | NDArray[Any] | None = None) -> Self:
        """Draw both confusion matrices and the difference.

        Parameters
        ----------
        axes : sequence of three matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of classes.

        Returns
        -------
        ConfusionComparisonDisplay
            The display itself.

        Raises
        ------
        ValueError
            As the class.
        """
        counts, classes, names = self._check()
        self.axes_ = _new_axes(len(classes)) if axes is None else _check_axes(axes)
        self.figure_ = self.axes_[0].figure
        self.displays_ = [
            draw_shares(
                ax,
                of_model,
                classes,
                label_name=self.label_name,
                title=f"{_wrap(name, ax)}\npooled WA {wa:.3f}, UA {ua:.3f}",
            )
            for ax, of_model, name, wa, ua in zip(
                self.axes_[:2], counts, names, self.wa, self.ua, strict=True
            )
        ]
        self.displays_.append(self._draw_difference(counts, classes, names))
        for ax in self.axes_:
            ax.title.set_fontsize(_TITLE_SIZE)
            if axes is None:
                ax.label_outer(remove_inner_ticks=True)  # the rows are the same
        return self

    def _draw_difference(
        self, counts: NDArray[np.int64], classes: Any, names: tuple[str, str]
    ) -> ConfusionMatrixDisplay:
        """Draw the second model minus the first."""
        ax, difference = self.axes_[2], self.difference
        occurs = counts[0].sum(axis=1) > 0
        texts = np.empty(difference.shape, dtype=object)
        for (row, column), points in np.ndenumerate(difference):
            upper = _signed(points, 1) if occurs[row] else NO_SHARE
            more = counts[1, row, column] - counts[0, row, column]
            texts[row, column] = f"{upper}\n({_signed(more, 0)})"
        limit = max(_LEAST_LIMIT, float(np.abs(difference).max()))
        wa, ua = (_signed(100 * (b - a), 1) for a, b in (self.wa, self.ua))
        return draw_cells(
            ax,
            difference,
            classes,
            texts=texts,
            # Purple turns dark before orange does.
            is_dark=(difference > 0.6 * limit) | (difference < -0.8 * limit),
            cmap="PuOr",
            limits=(-limit, limit),
            label_name=self.label_name,
            title=f"{_wrap(f'{names[1]} − {names[0]}', ax)}\n"
            f"percentage points: WA {wa}, UA {ua}",
        )

    def _check(self) -> tuple[NDArray[np.int64], Any, tuple[str, str]]:
        """Return counts, classes and names; refuse those that do not fit together."""
        counts = np.asarray(self.counts)
        shape = counts.shape
        if counts.ndim != 3 or shape[0] != 2 or shape[1] != shape[2]:
            raise ValueError(
                "counts must be two square matrices, of shape (2, n_classes, "
                f"n_classes), got shape {shape}."
            )
        if counts.dtype.kind not in "iu" or (counts < 0).any():
            raise ValueError(
                "counts must count utterances: whole numbers of at least 0, no shares."
            )
        if not counts[0].sum():
            raise ValueError("counts holds no utterances.")
        if (counts[0].sum(axis=1) != counts[1].sum(axis=1)).any():
            raise ValueError(
                "The rows of the two matrices have different sums: both models must "
                "be tested on the same utterances."
            )
        classes = range(shape[1]) if self.labels is None else self.labels
        if len(classes) != shape[1]:
            raise ValueError(
                f"counts is of {shape[1]} classes, but labels names {len(classes)}."
            )
        return counts.astype(np.int64), classes, _check_names(self.names)


def _check_names(names: Sequence[str]) -> tuple[str, str]:
    """Return the names of two models."""
    if isinstance(names, str) or len(names) != 2:
        raise ValueError(f"names must name the two models, got {names!r}.")
    return str(names[0]), str(names[1])


def _check_axes(axes: Any) -> NDArray[Any]:
    """Return three axes, whatever they are arranged in."""
    checked = np.ravel(axes)
    if len(checked) != 3:
        raise ValueError(
            f"axes must be three matplotlib Axes, got {len(checked)}; make them with "
            "plt.subplots(1, 3)."
        )
    return checked


def _names_of(*estimators: Any) -> tuple[str, str]:
    """Name two estimators by what tells them apart."""
    last = [type(split_last_step(e)[1]).__name__ for e in estimators]
    whole = [type(e).__name__ for e in estimators]
    for first, second in (last, whole):
        if first != second:
            return first, second
    return f"{last[0]} 1", f"{last[1]} 2"


def _signed(number: float, digits: int) -> str:
    """Write a number with its sign, and zero without."""
    text = f"{number:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def _wrap(name: str, ax: Axes) -> str:
    """Break a name into lines that fit above the axes."""
    width = 72 * ax.get_window_extent().width / ax.figure.dpi  # in points
    # Letters are about six tenths as wide as high.
    return textwrap.fill(name, max(10, int(width / (0.6 * _TITLE_SIZE))))


def _new_axes(n_classes: int) -> NDArray[Any]:
    """Return three axes beside each other, in a new figure with room for titles."""
    import matplotlib.pyplot as plt

    side = max(3.3, CELL * n_classes)  # the titles are as wide
    _, axes = plt.subplots(1, 3, figsize=(3 * side + 2, side + 2), layout="constrained")
    checked: NDArray[Any] = axes
    return checked
