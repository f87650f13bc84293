"""Scores of training on each corpus and testing on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from .._typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from ..evaluation import CrossCorpusMatrix

_CELL = 1.1  # inches, room for a score and its spread
_DARK = 0.5  # of the way from the least to the largest colour


class CrossCorpusDisplay:
    """A table of scores: trained on the corpora of the rows, tested on the columns.

    The cells on the diagonal are framed: they are of folds by speaker within a corpus.
    The number below a score is its standard deviation over the seeds. Make one with
    :meth:`from_matrix`.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_corpora, n_corpora)
        The scores: rows are trained on, columns tested on, as of
        `CrossCorpusMatrix.table`.
    std : pandas.DataFrame of shape (n_corpora, n_corpora), default=None
        Their standard deviations; NaN, and None throughout, is for none.
    n_classes : pandas.DataFrame of shape (n_corpora, n_corpora), default=None
        How many emotions each pair was told apart in; written into the cells where
        pairs differ.
    score_name : str, default="UA"
        What the scores are, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the table.
    figure_ : matplotlib Figure
        Figure with the table.
    im_ : matplotlib AxesImage
        The colours, from 0 to 1.
    text_ : ndarray of shape (n_corpora, n_corpora), dtype object
        The texts of the cells.

    Raises
    ------
    ValueError
        By :meth:`plot`: when the tables are not square or of different corpora.

    See Also
    --------
    sklearn_ser.evaluation.cross_corpus_matrix : Computes the table.
    plot_confusion : The confusion matrix of one pair.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from sklearn_ser.plotting import CrossCorpusDisplay
    >>> names = ["EMO-DB", "URDU"]
    >>> table = pd.DataFrame([[0.8, 0.5], [0.4, 0.6]], index=names, columns=names)
    >>> display = CrossCorpusDisplay(table).plot()
    >>> display.ax_.get_title()
    'UA'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        std: pd.DataFrame | None = None,
        n_classes: pd.DataFrame | None = None,
        score_name: str = "UA",
    ) -> None:
        self.table = table
        self.std = std
        self.n_classes = n_classes
        self.score_name = score_name

    @classmethod
    def from_matrix(
        cls, matrix: CrossCorpusMatrix, score: str = "ua", *, ax: Axes | None = None
    ) -> Self:
        """Draw a score of all pairs of corpora.

        Parameters
        ----------
        matrix : CrossCorpusMatrix
            What `sklearn_ser.evaluation.cross_corpus_matrix` returns.
        score : {"wa", "ua", "f1"}, default="ua"
            Which score.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of corpora.

        Returns
        -------
        CrossCorpusDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no such score.
        """
        name: Any = score
        display = cls(
            matrix.table(name),
            std=matrix.std(name),
            n_classes=matrix.n_classes,
            score_name=score.upper(),
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of corpora.

        Returns
        -------
        CrossCorpusDisplay
            The display itself.

        Raises
        ------
        ValueError
            As the class.
        """
        scores = self._check()
        self.ax_ = _new_axes(len(scores)) if ax is None else ax
        self.figure_ = self.ax_.figure
        self.im_: AxesImage = self.ax_.imshow(scores, cmap="Blues", vmin=0, vmax=1)
        names, ticks = [str(name) for name in self.table.index], range(len(scores))
        turned: dict[str, Any] = {"rotation": 45, "rotation_mode": "anchor"}
        self.ax_.set_xticks(ticks, names, ha="right", **turned)
        self.ax_.set_yticks(ticks, names)
        self.ax_.set_xlabel("tested on (framed: by speaker, within the corpus)")
        self.ax_.set(ylabel="trained on", title=self._title())
        self.text_ = np.empty(scores.shape, dtype=object)
        for (row, column), score in np.ndenumerate(scores):
            self.text_[row, column] = self.ax_.text(
                column,
                row,
                self._cell(row, column),
                ha="center",
                va="center",
                color="white" if score > _DARK else "black",
                fontweight="bold" if row == column else "normal",
            )
        self._frame_diagonal(len(scores))
        return self

    def _check(self) -> FloatArray:
        """Return the scores; refuse tables that do not fit together."""
        corpora = list(self.table.index)
        for name in ("table", "std", "n_classes"):
            table = getattr(self, name)
            if table is not None and not (
                list(table.index) == list(table.columns) == corpora
            ):
                raise ValueError(
                    f"{name} must have the same corpora in rows and in columns: "
                    f"{', '.join(map(str, corpora))}."
                )
        return _values(self.table)

    def _title(self) -> str:
        """Return the score, and the number of emotions where all pairs have it."""
        found = self._numbers_of_classes()
        if found is None or found.min() < found.max():
            return self.score_name
        return f"{self.score_name}, {found.min():.0f} emotions"

    def _numbers_of_classes(self) -> FloatArray | None:
        """Return how many emotions each pair has, if that is known."""
        return None if self.n_classes is None else _values(self.n_classes)

    def _cell(self, row: int, column: int) -> str:
        """Return the text of a cell."""
        lines = [f"{_values(self.table)[row, column]:.2f}"]
        if self.std is not None and not np.isnan(_values(self.std)[row, column]):
            lines.append(f"± {_values(self.std)[row, column]:.2f}")
        found = self._numbers_of_classes()
        if found is not None and found.min() < found.max():
            lines.append(f"{found[row, column]:.0f} emotions")
        return "\n".join(lines)

    def _frame_diagonal(self, n_corpora: int) -> None:
        """Frame the cells of corpora with themselves."""
        from matplotlib.patches import Rectangle

        for place in range(n_corpora):
            corner = (place - 0.48, place - 0.48)
            frame = Rectangle(corner, 0.96, 0.96, fill=False, lw=2, ec="#D55E00")
            self.ax_.add_patch(frame)


def _values(table: pd.DataFrame) -> FloatArray:
    """Return a table as floats."""
    values: FloatArray = table.to_numpy(dtype=np.float64)
    return values


def _new_axes(n_corpora: int) -> Axes:
    """Return the axes of a new figure with room for the texts of all cells."""
    import matplotlib.pyplot as plt

    side = 2 + _CELL * n_corpora
    _, ax = plt.subplots(figsize=(side, side), layout="constrained")
    return ax
