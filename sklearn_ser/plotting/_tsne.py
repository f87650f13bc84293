"""A representation, arranged in two dimensions by t-SNE."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_scalar

from .._representation import representation
from .._typing import FloatArray
from ._embedding import (
    EmbeddingDisplay,
    Role,
    check_embedding,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Above so many dimensions, principal components come first, as scikit-learn advises.
_N_COMPONENTS = 50


class TSNEDisplay(EmbeddingDisplay):
    """A representation arranged by t-SNE, coloured by emotion or a continuous label.

    The view of Figure 4 of [1]_: which utterances are neighbours in a representation of
    many dimensions. Make one with :meth:`from_estimator` or :meth:`from_embedding`,
    which arrange the utterances in two dimensions by t-distributed stochastic neighbour
    embedding [2]_; the notes say what that does not show.

    Parameters
    ----------
    coordinates : array-like of shape (n_utterances, 2)
        Where the utterances are drawn.
    label : array-like of shape (n_utterances,)
        Numbers are a continuous label and get a colour bar; anything else
        (strings, booleans, categories) is a class and gets a colour and a marker.
        Turn classes that are coded as integers into strings. NaN or None means
        unlabelled: drawn in grey.
    held_out : array-like of shape (n_utterances,), dtype bool, default=None
        True for the utterances of held-out speakers, drawn bold over the faint
        others. None draws all utterances alike.
    axis_names : sequence of str, default=("dimension 1", "dimension 2")
        Names of the coordinates.
    label_name : str, default=None
        What the label is, such as ``"emotion"``: title of the legend or name of
        the colour bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot; they have no ticks, as the coordinates have no unit.
    figure_ : matplotlib Figure
        Figure with the plot.
    scatter_ : list of matplotlib PathCollection
        The points: a collection for each class and role that occurs.
    legend_ : matplotlib Legend or None
        Classes and roles, outside the axes; None where there are neither.
    colorbar_ : matplotlib Colorbar or None
        Colour bar of a continuous label.

    Raises
    ------
    ValueError
        By :meth:`plot`: when the lengths differ, ``held_out`` is not boolean, or
        there are not two coordinates.

    See Also
    --------
    EmbeddingDisplay : Principal components: a linear view, in which distances count
        and the held-out utterances have no influence.
    sklearn_ser.metrics.pairwise_correlation : How much of a continuous label the
        distances in an embedding carry, as a number.

    Notes
    -----
    This is a picture, not evidence: add numbers, such as the scores of held-out
    speakers. t-SNE keeps neighbours together and nothing else:

    - The distances between clusters mean nothing, nor do their sizes and densities:
      t-SNE makes dense ones wider and sparse ones tighter.
    - Noise alone can form clusters, above all with a small perplexity, and one cluster
      can fall into pieces. Look at several perplexities before you believe in a shape
      [3]_.
    - The labels have no influence on the arrangement. The held-out utterances do: t-SNE
      cannot place new points in a finished arrangement, so all are arranged together.
      They influence nothing else. If training utterances are grouped by emotion and the
      held-out ones are not, the representation does not carry over to new speakers.
    - The result depends on perplexity and, in part, on ``random_state``: t-SNE begins
      with the first two principal components, and only those of large tables are
      computed with random numbers. If many seeds give the same picture, that does not
      make it true.

    The representation is taken as it is, not standardised: distances are those in
    which the model works. Standardise features in different units, such as eGeMAPS,
    or give the pipeline that does so.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.
    .. [2] L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", Journal of
       Machine Learning Research 9, 2008, pp. 2579-2605.
    .. [3] M. Wattenberg, F. Viégas and I. Johnson, "How to use t-SNE effectively",
       Distill, 2016, doi:10.23915/distill.00002.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_ser.plotting import TSNEDisplay
    >>> embedding = np.random.RandomState(0).normal(size=(16, 8))
    >>> emotion = ["anger", "sadness"] * 8
    >>> display = TSNEDisplay.from_embedding(
    ...     embedding, emotion, label_name="emotion", random_state=0
    ... )
    >>> display.ax_.get_xlabel()
    't-SNE dimension 1 (perplexity 5)'
    >>> plt.close(display.figure_)
    """

    @classmethod
    def from_embedding(
        cls,
        embedding: ArrayLike,
        label: ArrayLike,
        *,
        held_out: ArrayLike | None = None,
        label_name: str | None = None,
        perplexity: float = 30.0,
        random_state: int | np.random.RandomState | None = None,
        ax: Axes | None = None,
        **scatter_kwargs: Any,
    ) -> Self:
        """Arrange a representation by t-SNE, and draw it.

        An embedding of more than 50 dimensions is reduced to its first 50 principal
        components before, as scikit-learn advises for speed and against noise
        (van der Maaten and Hinton took 30).

        Parameters
        ----------
        embedding : array-like of shape (n_utterances, n_dimensions)
            Embedded utterances, at least two dimensions.
        label : array-like of shape (n_utterances,)
            Classes or a continuous label; see the class.
        held_out : array-like of shape (n_utterances,), dtype bool, default=None
            True for the utterances of held-out speakers.
        label_name : str, default=None
            What the label is, such as ``"emotion"``.
        perplexity : float, default=30.0
            About how many neighbours of each utterance count, at least 1; the
            default is that of scikit-learn, common values are 5 to 50. t-SNE looks
            at three times as many neighbours: where there are fewer other
            utterances, the perplexity is a third of their number. The first axis
            names the one that was used.
        random_state : int, RandomState instance or None, default=None
            Seed of the principal components, where they are computed with random
            numbers; see the notes of the class.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        **scatter_kwargs : dict
            ``cmap`` of a continuous label, and what is handed to
            :meth:`matplotlib.axes.Axes.scatter`; see :meth:`plot`.

        Returns
        -------
        TSNEDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            When the perplexity is not a number.
        ValueError
            As the class; also when the embedding holds NaN or infinity, has one
            dimension or one utterance only, or all its rows are equal, or when the
            perplexity is below 1.
        """
        values = check_embedding(embedding, ensure_min_samples=2)
        # Errors come before the long part.
        cls(np.zeros((len(values), 2)), label, held_out=held_out)._check()
        used = _check_perplexity(perplexity, len(values))
        display = cls(
            _arrange(values, used, random_state),
            label,
            held_out=held_out,
            axis_names=(
                f"t-SNE dimension 1 (perplexity {used:.3g})",
                "t-SNE dimension 2",
            ),
            label_name=label_name,
        )
        return display.plot(ax, **scatter_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        held_out: ArrayLike | None = None,
        label_name: str | None = None,
        perplexity: float = 30.0,
        random_state: int | np.random.RandomState | None = None,
        ax: Axes | None = None,
        **scatter_kwargs: Any,
    ) -> Self:
        """Arrange the representation of a fitted estimator by t-SNE, and draw it.

        Parameters
        ----------
        estimator : estimator
            A fitted transformer or classifier; a pipeline, search or
            `SpeedPerturbation` around one. The representation is the output of the last
            step's ``transform``, if it has one, as a classifier with a representation
            of its own has; else the input of that step. For a search, it is that of its
            best estimator, and for sequences, the mean over time.
        X : collection of n utterances
            What the estimator takes: recordings, sequences or a table.
        y : array-like of shape (n_utterances,)
            Classes or a continuous label, for the colours alone; see the class.
        held_out : array-like of shape (n_utterances,), dtype bool, default=None
            True for the utterances of held-out speakers.
        label_name : str, default=None
            What the label is, such as ``"emotion"``.
        perplexity : float, default=30.0
            As in :meth:`from_embedding`.
        random_state : int, RandomState instance or None, default=None
            As in :meth:`from_embedding`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        **scatter_kwargs : dict
            As in :meth:`from_embedding`.

        Returns
        -------
        TSNEDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            When the estimator is not fitted.
        ValueError
            As :meth:`from_embedding`.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("Agg")
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from sklearn.svm import SVC
        >>> from sklearn_ser.plotting import TSNEDisplay
        >>> X = np.random.RandomState(0).normal(size=(16, 8))
        >>> emotion = ["anger", "sadness"] * 8
        >>> model = make_pipeline(StandardScaler(), SVC()).fit(X, emotion)
        >>> display = TSNEDisplay.from_estimator(model, X, emotion, random_state=0)
        >>> display.coordinates.shape  # of the standardised features
        (16, 2)
        >>> plt.close(display.figure_)
        """
        return cls.from_embedding(
            representation(estimator, X),
            y,
            held_out=held_out,
            label_name=label_name,
            perplexity=perplexity,
            random_state=random_state,
            ax=ax,
            **scatter_kwargs,
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        cmap: str = "viridis",
        **scatter_kwargs: Any,
    ) -> Self:
        """Draw the utterances.

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
        TSNEDisplay
            The display itself.

        Raises
        ------
        ValueError
            As the class.
        """
        super().plot(ax, cmap=cmap, **scatter_kwargs)
        # Positions have no unit: numbers would only look like something.
        self.ax_.tick_params(
            left=False, bottom=False, labelleft=False, labelbottom=False
        )
        return self

    def _check(self) -> tuple[FloatArray, pd.Series[Any], list[Role]]:
        """Return coordinates, label and roles; refuse a single coordinate."""
        coordinates, label, roles = super()._check()
        if coordinates.shape[1] != 2:
            raise ValueError("coordinates must have 2 columns, got 1.")
        return coordinates, label, roles


def _check_perplexity(perplexity: float, n: int) -> float:
    """Return the perplexity, lowered to what n utterances allow."""
    check_scalar(perplexity, "perplexity", Real)
    if not perplexity >= 1:  # nor is NaN
        raise ValueError(
            "perplexity is about a number of neighbours and must be at least 1, got "
            f"{perplexity}."
        )
    # As other implementations do: t-SNE looks at 3 * perplexity neighbours.
    return float(min(perplexity, max(1, (n - 1) / 3)))


def _arrange(
    embedding: FloatArray,
    perplexity: float,
    random_state: int | np.random.RandomState | None,
) -> FloatArray:
    """Return two coordinates for each row, by t-SNE."""
    if embedding.shape[1] < 2:
        raise ValueError(
            "embedding has 1 dimension, which t-SNE cannot reduce to 2: draw it with "
            "EmbeddingDisplay.from_embedding."
        )
    if (embedding == embedding[0]).all():
        raise ValueError(
            f"All {len(embedding)} rows of embedding are equal: t-SNE has nothing to "
            "arrange. Has the model collapsed?"
        )
    # Place and scale change nothing, but the squares of very small or large distances
    # are 0 or infinite in float32, with which scikit-learn would end the process. The
    # power of two is exact, and keeps the mean from overflowing.
    embedding = np.ldexp(embedding, -np.frexp(np.abs(embedding).max())[1])
    embedding -= embedding.mean(axis=0)
    embedding /= np.abs(embedding).max()
    if embedding.shape[1] > _N_COMPONENTS:
        n_components = min(_N_COMPONENTS, len(embedding))
        pca = PCA(n_components, random_state=random_state)
        pca.set_output(transform="default")
        embedding = pca.fit_transform(embedding)
    tsne = TSNE(
        init="pca",
        learning_rate="auto",
        perplexity=perplexity,
        random_state=random_state,
    )
    tsne.set_output(transform="default")
    coordinates: FloatArray = tsne.fit_transform(embedding)
    return coordinates
