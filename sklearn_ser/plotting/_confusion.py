"""The confusion matrix of emotion recognition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels

from .._typing import FloatArray
from ..metrics import ua_score, wa_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CELL = 0.6  # inches, room for two lines
NO_SHARE = "–"  # in the rows of classes that are never true


def plot_confusion(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    label_name: str = "emotion",
    ax: Axes | None = None,
) -> ConfusionMatrixDisplay:
    """Draw a confusion matrix with the recall and the count in each cell.

    The colour and the upper number are the share of the row's utterances, so
    that the diagonal is the recall of each class; the number in brackets counts
    utterances. The title gives WA and UA over all utterances, pooled: hand in the
    predictions of all folds together.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True classes.
    y_pred : array-like of shape (n_utterances,)
        Predicted classes.
    labels : sequence, default=None
        All classes, in the order in which they are drawn; None sorts those that
        occur.
    label_name : str, default="emotion"
        What the classes are, for the names of the axes.
    ax : matplotlib Axes, default=None
        Axes to draw on; None makes a figure that fits the number of classes.

    Returns
    -------
    sklearn.metrics.ConfusionMatrixDisplay
        With the shares in ``confusion_matrix``, and ``ax_``, ``figure_``,
        ``text_``. A class that was predicted but never true has a row of 0 with
        the text ``"–"``.

    Raises
    ------
    ValueError
        When the lengths differ, a label is missing or not among `labels`, or the
        labels are not classes.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_ser.plotting import plot_confusion
    >>> display = plot_confusion(["anger", "anger", "sadness"], ["anger"] * 3)
    >>> display.ax_.get_title()
    'pooled WA 0.667, UA 0.500'
    >>> plt.close(display.figure_)
    """
    # The scores also check the labels, so they come first.
    wa, ua = wa_score(y_true, y_pred), ua_score(y_true, y_pred)
    classes, (counts,) = count_confusions(y_true, y_pred, labels=labels)
    if ax is None:
        ax = _new_axes(len(classes))
    return draw_shares(
        ax,
        counts,
        classes,
        label_name=label_name,
        title=f"pooled WA {wa:.3f}, UA {ua:.3f}",
    )


def count_confusions(
    y_true: ArrayLike, *predictions: ArrayLike, labels: Sequence[Any] | None
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes, and a confusion matrix of counts for each prediction."""
    found = unique_labels(y_true, *predictions)
    classes = found if labels is None else np.asarray(labels)
    if len(np.unique(classes)) < len(classes):
        raise ValueError(f"labels names a class twice: {', '.join(map(str, classes))}.")
    unnamed = np.setdiff1d(found, classes)
    if unnamed.size:
        raise ValueError(f"labels leaves out {', '.join(map(str, unnamed))}.")
    counts = [
        confusion_matrix(y_true, y_pred, labels=classes) for y_pred in predictions
    ]
    return classes, np.stack(counts)


def row_shares(counts: NDArray[np.int64]) -> FloatArray:
    """Return confusion matrices as shares of their rows; 0 where a row is empty."""
    shares: FloatArray = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return shares


def draw_shares(
    ax: Axes,
    counts: NDArray[np.int64],
    classes: Sequence[Any] | NDArray[Any],
    *,
    label_name: str,
    title: str,
) -> ConfusionMatrixDisplay:
    """Draw a confusion matrix of counts as shares of its rows."""
    shares = row_shares(counts)
    occurs = counts.sum(axis=1) > 0
    texts = np.empty(counts.shape, dtype=object)
    for (row, column), share in np.ndenumerate(shares):
        upper = f"{share:.2f}" if occurs[row] else NO_SHARE
        texts[row, column] = f"{upper}\n({counts[row, column]})"
    return draw_cells(
        ax,
        shares,
        classes,
        texts=texts,
        is_dark=shares > 0.5,
        cmap="Blues",
        limits=(0, 1),
        label_name=label_name,
        title=title,
    )


def draw_cells(
    ax: Axes,
    values: FloatArray,
    classes: Sequence[Any] | NDArray[Any],
    *,
    texts: NDArray[np.object_],
    is_dark: NDArray[np.bool_],
    cmap: str,
    limits: tuple[float, float],
    label_name: str,
    title: str,
) -> ConfusionMatrixDisplay:
    """Draw the cells of a confusion matrix, and name its rows and columns."""
    display = ConfusionMatrixDisplay(values, display_labels=classes)
    display.plot(
        ax=ax,
        cmap=cmap,
        colorbar=False,  # the cells give the numbers
        im_kw={"vmin": limits[0], "vmax": limits[1]},
        text_kw={"fontsize": 8},
    )
    ax.set_title(title)
    ax.set(xlabel=f"predicted {label_name}", ylabel=f"true {label_name}")
    ax.tick_params(axis="x", labelrotation=45)
    for name in ax.get_xticklabels():
        name.set(ha="right", rotation_mode="anchor")  # ends below its column
    for place, text in np.ndenumerate(display.text_):
        text.set_text(texts[place])
        # scikit-learn chooses the colour by the range of the values, not of the map.
        text.set_color("white" if is_dark[place] else "black")
    return display


def _new_axes(n_classes: int) -> Axes:
    """Return the axes of a new figure with room for two lines in each cell."""
    import matplotlib.pyplot as plt

    side = 2 + CELL * n_classes
    _, ax = plt.subplots(figsize=(side, side), layout="constrained")
    return ax
