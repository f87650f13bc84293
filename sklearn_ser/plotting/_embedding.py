"""Embeddings of training and held-out utterances, drawn in one or two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from .._typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import PathCollection
    from matplotlib.legend import Legend


# Okabe and Ito's colours, told apart with any colour vision; yellow, faint on
# white, comes last. A marker of its own tells each class apart without colour;
# seven markers against eight colours: 56 classes before a pair recurs.
COLORS = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # bluish green
    "#CC79A7",  # reddish purple
    "#56B4E9",  # sky blue
    "#E69F00",  # orange
    "#000000",  # black
    "#F0E442",  # yellow
)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_UNLABELED = "unlabelled"
_GRAY = "#808080"
_DARK = "#404040"  # of the roles in the legend

_PLAIN = {"s": 24, "alpha": 0.8, "linewidths": 0}
_FAINT = {"s": 16, "alpha": 0.3, "linewidths": 0, "zorder": 1}
_BOLD = {"s": 40, "alpha": 1.0, "linewidths": 0.6, "edgecolors": "black", "zorder": 2}


class EmbeddingDisplay:
    """Embedded utterances, coloured by emotion or by a continuous label.

    Training utterances are faint and those of held-out speakers bold, so that a
    look tells whether the arrangement carries over to new speakers. Make one with
    :meth:`from_embedding`, which also reduces an embedding of more than two
    dimensions.

    Parameters
    ----------
    coordinates : array-like of shape (n_utterances, 1) or (n_utterances, 2)
        Where the utterances are drawn.
    label : array-like of shape (n_utterances,)
        Numbers are a continuous label and get a colour bar; anything else
        (strings, booleans, categories) is a class and gets a colour and a marker.
        Turn classes that are coded as integers into strings. NaN or None means
        unlabelled: drawn in grey.
    held_out : array-like of shape (n_utterances,), dtype bool, default=None
        True for the utterances of held-out speakers. None draws all utterances
        alike.
    axis_names : sequence of str, default=("dimension 1", "dimension 2")
        Names of the coordinates.
    label_name : str, default=None
        What the label is, such as ``"emotion"``: title of the legend or name of
        the colour bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure with the plot.
    scatter_ : list of matplotlib PathCollection
        The points: a collection for each class and role that occurs.
    legend_ : matplotlib Legend or None
        Classes and roles, outside the axes; None where there are neither.
    colorbar_ : matplotlib Colorbar or None
        Colour bar of a continuous label in two dimensions.

    Raises
    ------
    ValueError
        By :meth:`plot`: when the lengths differ, ``held_out`` is not boolean, or
        there are more than two coordinates.

    See Also
    --------
    TSNEDisplay : Neighbours in many dimensions, arranged by t-SNE.
    plot_confusion : The confusion matrix of the recognised emotions.

    Notes
    -----
    On axes of your own, save with ``bbox_inches="tight"`` or use the constrained
    layout, so that the legend beside the axes is not cut off.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_ser.plotting import EmbeddingDisplay
    >>> embedding = np.random.RandomState(0).normal(size=(6, 8))
    >>> emotion = ["anger", "sadness", "neutral"] * 2
    >>> speaker = np.array(["03", "03", "03", "03", "08", "08"])
    >>> display = EmbeddingDisplay.from_embedding(
    ...     embedding, emotion, held_out=speaker == "08", label_name="emotion"
    ... )
    >>> display.ax_.get_xlabel()
    'principal component 1 (... % of variance)'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        coordinates: ArrayLike,
        label: ArrayLike,
        *,
        held_out: ArrayLike | None = None,
        axis_names: Sequence[str] = ("dimension 1", "dimension 2"),
        label_name: str | None = None,
    ) -> None:
        self.coordinates = coordinates
        self.label = label
        self.held_out = held_out
        self.axis_names = axis_names
        self.label_name = label_name

    @classmethod
    def from_embedding(
        cls,
        embedding: ArrayLike,
        label: ArrayLike,
        *,
        held_out: ArrayLike | None = None,
        label_name: str | None = None,
        ax: Axes | None = None,
        **scatter_kwargs: Any,
    ) -> Self:
        """Reduce an embedding to what can be drawn, and draw it.

        One and two dimensions are drawn as they are. More are projected on the first
        two principal components of the training utterances: the rows that are not held
        out, so the held-out ones do not influence the view.

        Parameters
        ----------
        embedding : array-like of shape (n_utterances, n_dimensions)
            Embedded utterances.
        label : array-like of shape (n_utterances,)
            Classes or a continuous label; see the class.
        held_out : array-like of shape (n_utterances,), dtype bool, default=None
            True for the utterances of held-out speakers.
        label_name : str, default=None
            What the label is, such as ``"emotion"``.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        **scatter_kwargs : dict
            Handed to :meth:`matplotlib.axes.Axes.scatter`; see :meth:`plot`.

        Returns
        -------
        EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            As the class; also when an embedding of more than two dimensions has
            fewer than two training utterances.
        """
        values = check_embedding(embedding)
        mask = check_mask(held_out, len(values))
        names = [f"dimension {i}" for i in (1, 2)[: values.shape[1]]]
        if values.shape[1] > 2:
            values, names = _principal_components(values, ~mask)
        display = cls(
            values,
            label,
            held_out=held_out,
            axis_names=names,
            label_name=label_name,
        )
        return display.plot(ax, **scatter_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        cmap: str = "viridis",
        **scatter_kwargs: Any,
    ) -> Self:
        """Draw the utterances.

        With one coordinate the other axis is the label: a row for each class, the
        held-out utterances just below the training ones, or the continuous label
        itself (its unlabelled utterances are left out).

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of a continuous label.
        **scatter_kwargs : dict
            Handed to :meth:`matplotlib.axes.Axes.scatter` for all points, over
            the defaults: ``s``, ``alpha``, ``rasterized``, …

        Returns
        -------
        EmbeddingDisplay
            The display itself.

        Raises
        ------
        ValueError
            As the class.
        """
        coordinates, label, roles = self._check()
        groups, mappable = _groups(label, cmap)  # before a figure: it may refuse
        self.ax_ = _new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        x, y = coordinates[:, 0], coordinates[:, -1]
        strip = coordinates.shape[1] == 1
        self.ax_.set_xlabel(self.axis_names[0])
        if strip:
            held_out = check_mask(self.held_out, len(label))
            y = _label_axis(self.ax_, label, groups, held_out, self.label_name)
        else:
            self.ax_.set_ylabel(self.axis_names[1])
            # Such embeddings are trained for distances: show them undistorted.
            self.ax_.set_aspect("equal", adjustable="datalim")
        self.scatter_: list[PathCollection] = [
            self.ax_.scatter(
                x[rows],
                y[rows],
                c=group.colors[rows],
                marker=group.marker,
                **{**role.style, **scatter_kwargs},
            )
            for group in groups
            for role in roles
            if (rows := group.rows & role.rows).any()
        ]
        self.colorbar_ = None
        if mappable is not None and not strip:
            self.colorbar_ = self.figure_.colorbar(
                mappable, ax=self.ax_, label=self.label_name or ""
            )
        # The second axis of a strip plot names the classes already.
        named = [] if strip else [group for group in groups if group.name]
        above = self.colorbar_ is not None
        self.legend_ = _legend(self.ax_, named, roles, self.label_name, above=above)
        return self

    def _check(self) -> tuple[FloatArray, pd.Series[Any], list[Role]]:
        """Return the coordinates, the label and the roles of the utterances."""
        coordinates = check_array(
            self.coordinates, dtype=np.float64, input_name="coordinates"
        )
        if coordinates.shape[1] > 2:
            raise ValueError(
                f"coordinates must have 1 or 2 columns, got {coordinates.shape[1]}; "
                f"{type(self).__name__}.from_embedding reduces an embedding to 2."
            )
        check_consistent_length(coordinates, self.label)
        label = _check_label(self.label)
        return coordinates, label, _roles(self.held_out, len(label))


@dataclass(frozen=True)
class Role:
    """Training or held-out utterances, and how they are drawn."""

    name: str
    rows: BoolArray
    style: dict[str, Any]


@dataclass(frozen=True)
class _Group:
    """Utterances of one class (or all with a number), and their colours."""

    name: str
    rows: BoolArray
    marker: str
    colors: FloatArray


def check_embedding(embedding: ArrayLike, *, ensure_min_samples: int = 1) -> FloatArray:
    """Return an embedding as float64; name the first row that cannot be drawn."""
    values: FloatArray = check_array(
        embedding,
        dtype=np.float64,
        ensure_all_finite=False,
        ensure_min_samples=ensure_min_samples,
        input_name="embedding",
    )
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if bad.size:
        raise ValueError(
            f"embedding contains NaN or infinity in {bad.size} of {len(values)} rows, "
            f"the first at index {bad[0]}; leave those utterances out, faulty "
            "recordings with sklearn_ser.features.has_features."
        )
    return values


def _check_label(label: ArrayLike) -> pd.Series[Any]:
    """Return a label as a column; refuse other shapes, and infinity."""
    if np.ndim(label) != 1:
        raise ValueError(
            "label must have one value for each utterance, got shape "
            f"{np.shape(label)}; numpy.ravel makes one of a column."
        )
    column = pd.Series(label).reset_index(drop=True).infer_objects()
    if _is_continuous(column):
        _values(column)
    return column


def check_mask(held_out: ArrayLike | None, n: int) -> BoolArray:
    """Return a boolean mask; refuse indices, which 0/1 masks would be taken for."""
    mask = np.zeros(n, dtype=bool) if held_out is None else np.asarray(held_out)
    if mask.dtype.kind != "b" or mask.shape != (n,):
        raise ValueError(
            f"held_out must be a boolean array of shape ({n},), such as "
            f"speaker == '03'; got shape {mask.shape}, dtype {mask.dtype}."
        )
    return mask


def _roles(held_out: ArrayLike | None, n: int) -> list[Role]:
    """Return training and held-out utterances, or one nameless role of all."""
    mask = check_mask(held_out, n)
    if held_out is None:
        return [Role("", ~mask, _PLAIN)]
    return [
        Role(f"training ({(~mask).sum()})", ~mask, _FAINT),
        Role(f"held out ({mask.sum()})", mask, _BOLD),
    ]


def _is_continuous(label: pd.Series[Any]) -> bool:
    """Return whether the label is numbers (booleans are classes)."""
    types = pd.api.types
    return types.is_numeric_dtype(label) and not types.is_bool_dtype(label)


def _values(label: pd.Series[Any]) -> FloatArray:
    """Return a continuous label as float64 with NaN for unlabelled."""
    values: FloatArray = check_array(
        label.to_numpy(dtype=np.float64, na_value=np.nan),
        ensure_2d=False,
        ensure_all_finite="allow-nan",
        input_name="label",
    )
    return values


def _groups(
    label: pd.Series[Any], cmap: str
) -> tuple[list[_Group], ScalarMappable | None]:
    """Return what is drawn with one marker each, and the scale of a number."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize, to_rgba

    def plain(color: str) -> FloatArray:
        return np.tile(to_rgba(color), (len(label), 1))

    missing = label.isna().to_numpy()
    mappable = None
    if _is_continuous(label):
        values = _values(label)
        mappable = ScalarMappable(Normalize(), cmap)
        mappable.set_array(values[~missing])
        mappable.autoscale()
        colors = mappable.to_rgba(np.ma.masked_invalid(values))
        groups = [_Group("", ~missing, _MARKERS[0], colors)]
    else:
        names = label.astype(str)
        groups = [
            _Group(name, (names == name).to_numpy() & ~missing, marker, plain(color))
            for name, marker, color in zip(
                sorted(names[~missing].unique()), cycle(_MARKERS), cycle(COLORS)
            )
        ]
    if missing.any():
        groups.append(_Group(_UNLABELED, missing, ".", plain(_GRAY)))
    return groups, mappable


def _label_axis(
    ax: Axes,
    label: pd.Series[Any],
    groups: list[_Group],
    held_out: BoolArray,
    name: str | None,
) -> FloatArray:
    """Make the label the second axis of a strip plot; return its positions."""
    ax.set_ylabel(name or "")
    if _is_continuous(label):
        return _values(label)
    ax.set_yticks(range(len(groups)), [group.name for group in groups])
    ax.set_ylim(len(groups) - 0.5, -0.5)  # in reading order, from the top
    # Held-out utterances stand just below the training ones.
    positions: FloatArray = np.where(held_out, 0.25, 0.0)
    for position, group in enumerate(groups):
        positions[group.rows] += position
    return positions


def _legend(
    ax: Axes,
    groups: list[_Group],
    roles: list[Role],
    title: str | None,
    *,
    above: bool,
) -> Legend | None:
    """Name classes and roles beside the axes, or above where a colour bar stands."""
    from matplotlib.lines import Line2D

    def handle(name: str, marker: str, color: Any, **style: Any) -> Line2D:
        return Line2D([], [], ls="", marker=marker, color=color, label=name, **style)

    handles = [handle(g.name, g.marker, tuple(g.colors[0])) for g in groups]
    handles += [
        handle(
            role.name,
            "o",
            _DARK,
            alpha=role.style["alpha"],
            markersize=role.style["s"] ** 0.5,  # points, where s is their square
            markeredgecolor=role.style.get("edgecolors", "none"),
        )
        for role in roles
        if role.name
    ]
    if not handles:
        return None
    if above:
        return ax.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(handles),
            frameon=False,
        )
    return ax.legend(
        handles=handles,
        title=title if groups else None,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        frameon=False,
    )


def _principal_components(
    embedding: FloatArray, training: BoolArray
) -> tuple[FloatArray, list[str]]:
    """Project on the first two principal components of the training rows."""
    if training.sum() < 2:
        raise ValueError(
            f"An embedding of {embedding.shape[1]} dimensions is reduced by principal "
            "components of the training utterances, and needs at least 2 of them; "
            f"held_out leaves {training.sum()} of {len(embedding)}."
        )
    pca = PCA(n_components=2, svd_solver="full")
    with np.errstate(invalid="ignore"):  # 0/0 where all training rows are equal
        pca.fit(embedding[training])
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    names = [
        f"principal component {i} ({share:.0%} of variance)".replace("%", " %")
        for i, share in enumerate(shares, start=1)
    ]
    return pca.transform(embedding), names


def _new_axes() -> Axes:
    """Return the axes of a new figure that makes room for a legend outside."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(layout="constrained")
    return ax
