"""The confusion matrix of emotion recognition."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels

from ..metrics import ua_score, wa_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_confusion(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    label_name: str = "emotion",
    ax: "Axes | None" = None,
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
    found = unique_labels(y_true, y_pred)
    classes = found if labels is None else np.asarray(labels)
    unnamed = np.setdiff1d(found, classes)
    if unnamed.size:
        raise ValueError(f"labels leaves out {', '.join(map(str, unnamed))}")
    counts = confusion_matrix(y_true, y_pred, labels=classes)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    if ax is None:
        ax = _new_axes(len(classes))
    display = ConfusionMatrixDisplay(shares, display_labels=classes)
    display.plot(
        ax=ax,
        cmap="Blues",
        colorbar=False,  # the cells give the numbers
        im_kw={"vmin": 0, "vmax": 1},
        text_kw={"fontsize": 8},
    )
    display.ax_.set_title(f"pooled WA {wa:.3f}, UA {ua:.3f}")
    display.ax_.set(xlabel=f"predicted {label_name}", ylabel=f"true {label_name}")
    display.ax_.tick_params(axis="x", labelrotation=45)
    for name in display.ax_.get_xticklabels():
        name.set(ha="right", rotation_mode="anchor")  # ends below its column
    for (row, column), text in np.ndenumerate(display.text_):
        share = f"{shares[row, column]:.2f}" if totals[row, 0] else "–"
        text.set_text(f"{share}\n({counts[row, column]})")
        # scikit-learn chooses the colour by the range of the values, not of the map.
        text.set_color("white" if shares[row, column] > 0.5 else "black")
    return display


def _new_axes(n_classes: int) -> "Axes":
    """Return the axes of a new figure with room for two lines in each cell."""
    import matplotlib.pyplot as plt

    side = 2 + 0.6 * n_classes
    _, ax = plt.subplots(figsize=(side, side), layout="constrained")
    return ax
