"""Emotions along a recording, drawn over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._embedding import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..models import Timeline

_PAUSE = "0.6"


class TimelineDisplay:
    """Emotions along a recording: probabilities, or what was predicted.

    Where the model has probabilities, the areas of the classes are stacked; else each
    window is a bar in the row of its emotion. Pauses are left empty.

    Parameters
    ----------
    timeline : Timeline
        As `sklearn_ser.models.predict_timeline` gives it.
    title : str or None, default=None
        Above the axes.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    sklearn_ser.models.predict_timeline : Makes the timeline.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_ser import models, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.plotting import TimelineDisplay
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.logmel_baseline().fit(corpus.audio, corpus.emotion)
    >>> signal = np.concatenate([waveform for waveform, _ in corpus.audio])
    >>> timeline = models.predict_timeline(model, (signal, 16000), window=0.5, hop=0.5)
    >>> display = TimelineDisplay.from_predictions(timeline, title="A visit")
    >>> display.ax_.get_xlabel()
    'time (s)'
    >>> plt.close(display.figure_)
    """

    ax_: Axes
    figure_: Figure

    def __init__(self, timeline: Timeline, *, title: str | None = None) -> None:
        self.timeline = timeline
        self.title = title

    @classmethod
    def from_predictions(
        cls, timeline: Timeline, *, title: str | None = None, ax: Axes | None = None
    ) -> TimelineDisplay:
        """Draw a timeline.

        Parameters
        ----------
        timeline : Timeline
            As `sklearn_ser.models.predict_timeline` gives it.
        title : str or None, default=None
            Above the axes.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        TimelineDisplay
        """
        return cls(timeline, title=title).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        recording: Any,
        *,
        title: str | None = None,
        ax: Axes | None = None,
        **settings: Any,
    ) -> TimelineDisplay:
        """Predict a recording and draw its timeline.

        Parameters
        ----------
        model : estimator
            Fitted, from recordings to emotions.
        recording : str, os.PathLike or tuple
            A recording, see :mod:`sklearn_ser.audio`.
        title : str or None, default=None
            Above the axes.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; a new figure by default.
        **settings
            Those of `sklearn_ser.models.predict_timeline`.

        Returns
        -------
        TimelineDisplay
        """
        from ..models import predict_timeline

        timeline = predict_timeline(model, recording, **settings)
        return cls.from_predictions(timeline, title=title, ax=ax)

    def plot(self, ax: Axes | None = None) -> TimelineDisplay:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        TimelineDisplay
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(9, 3), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure  # type: ignore[assignment]
        if self.timeline.probabilities is None:
            self._draw_bars(ax)
        else:
            self._draw_areas(ax)
        start, end = self.timeline.start, self.timeline.end
        ax.set(xlabel="time (s)", title=self.title or "")
        if len(start):
            ax.set_xlim(start[0], end.max())
        return self

    def _draw_areas(self, ax: Axes) -> None:
        """Draw probabilities as stacked steps, each up to the next window."""
        timeline = self.timeline
        assert timeline.probabilities is not None
        upto = np.minimum(timeline.end, np.append(timeline.start[1:], np.inf))
        below = np.zeros(len(timeline))
        for column, name in enumerate(timeline.classes):
            share = np.nan_to_num(timeline.probabilities[:, column])
            ax.bar(
                timeline.start,
                share,
                upto - timeline.start,
                bottom=below,
                align="edge",
                color=COLORS[column % len(COLORS)],
                label=name,
            )
            below = below + share
        ax.set(ylim=(0, 1), ylabel="probability")
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)

    def _draw_bars(self, ax: Axes) -> None:
        """Draw what was predicted as bars in rows."""
        merged = self.timeline.merge()
        names = sorted({*map(str, merged["emotion"])})
        for row, name in enumerate(names):
            of_name = merged[merged["emotion"].astype(str) == name]
            spans = list(
                zip(of_name["start"], of_name["end"] - of_name["start"], strict=True)
            )
            color = COLORS[row % len(COLORS)]
            ax.broken_barh(spans, (row - 0.4, 0.8), facecolors=color)
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(-0.6, max(len(names), 1) - 0.4)
        ax.invert_yaxis()
        ax.grid(axis="x", color=_PAUSE, alpha=0.3)
