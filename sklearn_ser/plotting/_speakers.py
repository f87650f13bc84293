"""Scores of speakers, and of systems, with the interval of what is pooled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._typing import FloatArray
from ._embedding import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..evaluation import EvaluationComparison
    from ..evaluation._scored import ScoredBySpeaker

_BLUE, _VERMILION = COLORS[:2]
_FAINT = "#808080"

_NAMED = 40  # speakers, at most, whose names can be read
_ROW = 0.22  # inches for a name
_NAMES = {"wa": "WA", "ua": "UA", "f1": "F1"}


class SpeakerScoresDisplay:
    """The score of each speaker, beside the pooled one with its interval.

    The speakers are sorted by their scores, and the area of each mark is proportional
    to the speaker's utterances. The line is the pooled score, and the band its
    confidence interval over the speakers. Make one with :meth:`from_evaluation`.

    Parameters
    ----------
    speakers : sequence of str, of length n_speakers
        Their names.
    scores : array-like of shape (n_speakers,)
        The score of each, between 0 and 1.
    utterances : array-like of shape (n_speakers,), dtype int
        Number of utterances of each.
    pooled : float
        The score over all utterances.
    interval : tuple of two floats
        Its limits.
    score_name : str, default="score"
        What the numbers are.
    interval_name : str, default="interval"
        What the band is.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure with the plot.
    scatter_ : matplotlib PathCollection
        The speakers.
    band_ : matplotlib Patch
        The interval.

    Raises
    ------
    ValueError
        By :meth:`plot`: when the lengths differ.

    See Also
    --------
    EvaluationComparisonDisplay : Several systems.

    Notes
    -----
    More than 40 speakers are not named.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_ser.plotting import SpeakerScoresDisplay
    >>> display = SpeakerScoresDisplay(
    ...     ["03", "08", "09"], [0.5, 0.8, 0.7], [40, 60, 50], 0.69, (0.41, 0.88)
    ... ).plot()
    >>> [name.get_text() for name in display.ax_.get_yticklabels()]
    ['08', '09', '03']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        speakers: Sequence[str] | NDArray[Any],
        scores: ArrayLike,
        utterances: ArrayLike,
        pooled: float,
        interval: tuple[float, float],
        *,
        score_name: str = "score",
        interval_name: str = "interval",
    ) -> None:
        self.speakers = speakers
        self.scores = scores
        self.utterances = utterances
        self.pooled = pooled
        self.interval = interval
        self.score_name = score_name
        self.interval_name = interval_name

    @classmethod
    def from_evaluation(
        cls,
        evaluation: ScoredBySpeaker,
        *,
        metric: Any = "ua",
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the speakers of an evaluation.

        Parameters
        ----------
        evaluation : SpeakerEvaluation or SavedEvaluation
            With two speakers or more.
        metric : {"wa", "ua", "f1"}, default="ua"
            The score. That of a speaker is over the classes that the speaker has.
        level : float, default=0.95
            Level of the interval, see `SpeakerEvaluation.interval`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of speakers.

        Returns
        -------
        SpeakerScoresDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As `SpeakerEvaluation.interval`.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> from sklearn_ser import recipes
        >>> from sklearn_ser.datasets import make_emotional_speech
        >>> from sklearn_ser.evaluation import evaluate_by_speaker
        >>> from sklearn_ser.plotting import SpeakerScoresDisplay
        >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=2)
        >>> evaluation = evaluate_by_speaker(recipes.egemaps_svc(), corpus)
        >>> display = SpeakerScoresDisplay.from_evaluation(evaluation)
        >>> display.ax_.get_xlabel()
        'UA'
        >>> plt.close(display.figure_)
        """
        interval = evaluation.interval(metric, level=level)
        table = evaluation.per_speaker
        display = cls(
            table["speaker"].to_numpy(),
            table[metric].to_numpy(),
            table["utterances"].to_numpy(),
            getattr(evaluation, metric),
            interval,
            score_name=_NAMES[metric],
            interval_name=f"{100 * level:.10g} % interval over speakers",
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the speakers and the interval.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of speakers.

        Returns
        -------
        SpeakerScoresDisplay
            The display itself.

        Raises
        ------
        ValueError
            As the class.
        """
        scores = np.asarray(self.scores, dtype=np.float64)
        sizes = np.asarray(self.utterances, dtype=np.float64)
        names = [str(name) for name in self.speakers]
        if not len(names) == len(scores) == len(sizes):
            raise ValueError(
                "speakers, scores and utterances must have the same length, got "
                f"{len(names)}, {len(scores)} and {len(sizes)}."
            )
        order = np.argsort(-scores, kind="stable")
        self.ax_ = _new_axes(len(names)) if ax is None else ax
        self.figure_ = self.ax_.figure
        self.band_ = self.ax_.axvspan(
            *self.interval, color=_BLUE, alpha=0.15, lw=0, label=self.interval_name
        )
        self.ax_.axvline(
            self.pooled,
            color=_BLUE,
            label=f"pooled {self.score_name} {self.pooled:.3f}",
        )
        rows = np.arange(len(names))
        self.scatter_ = self.ax_.scatter(
            scores[order],
            rows,
            s=40 * sizes[order] / sizes.mean(),
            color=_VERMILION,
            linewidths=0,
            zorder=3,
            label="speaker (area: utterances)",
        )
        if len(names) <= _NAMED:
            self.ax_.set_yticks(rows, [names[i] for i in order])
            self.ax_.grid(axis="y", alpha=0.3)
        else:
            self.ax_.set_yticks([])
        self.ax_.set_ylim(len(names) - 0.5, -0.5)
        _share_axis(self.ax_, self.score_name)
        self.ax_.set_ylabel("speaker")
        _legend_above(self.ax_)
        return self


class EvaluationComparisonDisplay:
    """Scores of several systems with their intervals, and those of the speakers.

    Each system has a row. Its mark is the pooled score, and the bar its confidence
    interval over the speakers. Below are the speakers; a line joins the marks of the
    same one, so that it shows whether one system is better for most of them. Whether
    intervals overlap says little about a difference: the speakers are the same, and
    the p-values of `compare_evaluations` use that. Made by
    ``EvaluationComparison.plot``.

    Parameters
    ----------
    scores : DataFrame
        One row per system with ``name``, ``score``, ``low`` and ``high``.
    speakers : DataFrame of shape (n_speakers, n_systems)
        The score of each system on each speaker, in columns of the same names.
    score_name : str, default="score"
        What the numbers are.
    interval_name : str, default="interval"
        What the bars are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure with the plot.
    errorbar_ : matplotlib ErrorbarContainer
        The pooled scores.
    lines_ : list of matplotlib Line2D
        The speakers.

    See Also
    --------
    SpeakerScoresDisplay : The speakers of one system, by name.
    sklearn_ser.evaluation.compare_evaluations : Whether systems differ.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from sklearn_ser.plotting import EvaluationComparisonDisplay
    >>> scores = pd.DataFrame(
    ...     [("SVC", 0.67, 0.55, 0.77), ("MEnAN", 0.70, 0.60, 0.78)],
    ...     columns=["name", "score", "low", "high"],
    ... )
    >>> speakers = pd.DataFrame({"SVC": [0.8, 0.5], "MEnAN": [0.7, 0.7]})
    >>> display = EvaluationComparisonDisplay(scores, speakers).plot()
    >>> len(display.lines_)
    2
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        scores: pd.DataFrame,
        speakers: pd.DataFrame,
        *,
        score_name: str = "score",
        interval_name: str = "interval",
    ) -> None:
        self.scores = scores
        self.speakers = speakers
        self.score_name = score_name
        self.interval_name = interval_name

    @classmethod
    def from_comparison(
        cls, comparison: EvaluationComparison, *, ax: Axes | None = None
    ) -> Self:
        """Draw a comparison.

        Parameters
        ----------
        comparison : EvaluationComparison
            What `compare_evaluations` returns.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of systems.

        Returns
        -------
        EvaluationComparisonDisplay
            The display, drawn.
        """
        display = cls(
            comparison.scores,
            comparison.speakers,
            score_name=_NAMES[comparison.metric],
            interval_name=f"pooled, {100 * comparison.level:.10g} % interval",
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw systems and speakers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure that fits the number of systems.

        Returns
        -------
        EvaluationComparisonDisplay
            The display itself.
        """
        names = [str(name) for name in self.scores["name"]]
        rows = np.arange(len(names), dtype=np.float64)
        score = self.scores["score"].to_numpy(dtype=np.float64)
        # What is computed may differ from the score in the last digit.
        errors: FloatArray = np.maximum(
            [score - self.scores["low"], self.scores["high"] - score], 0.0
        )
        self.ax_ = _new_axes(3 * len(names)) if ax is None else ax
        self.figure_ = self.ax_.figure
        of_speakers = self.speakers[list(self.scores["name"])].to_numpy()
        self.lines_ = [
            self.ax_.plot(
                values,
                rows + 0.2,
                color=_FAINT,
                alpha=0.5,
                lw=0.8,
                marker="o",
                ms=3,
                label="speaker" if number == 0 else None,
            )[0]
            for number, values in enumerate(of_speakers)
        ]
        self.errorbar_ = self.ax_.errorbar(
            score,
            rows - 0.1,
            xerr=errors,
            fmt="D",
            color=_BLUE,
            capsize=4,
            lw=2,
            zorder=3,
            label=self.interval_name,
        )
        for row, value in zip(rows, score, strict=True):
            self.ax_.annotate(
                f"{value:.3f}",
                (value, row - 0.1),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                color=_BLUE,
            )
        self.ax_.set_yticks(rows, names)
        self.ax_.set_ylim(len(names) - 0.5, -0.6)
        _share_axis(self.ax_, self.score_name)
        _legend_above(self.ax_)
        return self


def _share_axis(ax: Axes, name: str) -> None:
    """Make the first axis one of shares, as wide as the data need."""
    low, high = ax.get_xlim()
    ax.set_xlim(max(low, -0.02), min(high, 1.02))
    ax.set_xlabel(name)
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)


def _legend_above(ax: Axes) -> None:
    """Explain the marks above the axes, where no data are."""
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9
    )


def figure_size(n_rows: int) -> tuple[float, float]:
    """Return width and height, in inches, that have room for rows of names."""
    return 6.4, 1.4 + _ROW * min(max(n_rows, 5), _NAMED)


def _new_axes(n_rows: int) -> Axes:
    """Return the axes of a new figure with room for rows."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=figure_size(n_rows), layout="constrained")
    return ax
