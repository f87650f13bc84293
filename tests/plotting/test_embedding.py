"""The display of an embedding: points, colours, legends, refusals."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA

from sklearn_ser.plotting import EmbeddingDisplay

EMOTIONS = np.array(["anger", "boredom", "fear", "sadness"])


@pytest.fixture
def fold():
    """Return an embedding, the emotions, the activation and who is held out."""
    rng = np.random.RandomState(0)
    emotion = np.tile(EMOTIONS, 10)
    embedding = rng.normal(size=(40, 8)) + 3 * (emotion == "anger")[:, None]
    held_out = np.arange(40) >= 30
    return embedding, emotion, rng.randint(2, 11, size=40) / 2, held_out


def points(display):
    """Return all points drawn, in the order of the coordinates."""
    drawn = np.concatenate([np.asarray(s.get_offsets()) for s in display.scatter_])
    return drawn[np.lexsort(drawn.T)]


def legend_texts(display):
    return [text.get_text() for text in display.legend_.get_texts()]


@pytest.mark.slow
def test_matplotlib_is_imported_only_to_draw():
    code = (
        "import sys, sklearn_ser.plotting, sklearn_ser.metrics; "
        "print({'matplotlib', 'torch'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr


def test_constructor_only_stores(fold):
    z, emotion, _, held_out = fold
    display = EmbeddingDisplay(z[:, :2], emotion, held_out=held_out, label_name="e")
    assert display.label is emotion
    assert display.held_out is held_out
    assert not hasattr(display, "ax_")


def test_classes_in_two_dimensions(fold):
    z, emotion, _, held_out = fold
    display = EmbeddingDisplay.from_embedding(
        z[:, :2], emotion[:], held_out=held_out, label_name="emotion"
    )
    assert display.figure_ is display.ax_.figure
    assert display.colorbar_ is None
    assert len(display.scatter_) == 8  # four emotions, training and held out
    assert_allclose(points(display), z[np.lexsort(z[:, :2].T), :2])
    assert display.ax_.get_xlabel() == "dimension 1"
    assert display.ax_.get_ylabel() == "dimension 2"
    assert legend_texts(display) == [*EMOTIONS, "training (30)", "held out (10)"]
    assert display.legend_.get_title().get_text() == "emotion"
    display.figure_.canvas.draw()
    legend = display.legend_.get_window_extent()
    assert legend.x0 >= display.ax_.get_window_extent().x1  # outside the data
    assert legend.x1 <= display.figure_.bbox.x1


def test_each_class_has_its_colour_and_marker_in_both_roles(fold):
    z, emotion, _, held_out = fold
    display = EmbeddingDisplay.from_embedding(z, emotion, held_out=held_out)
    faint, bold = display.scatter_[::2], display.scatter_[1::2]
    for training, held in zip(faint, bold, strict=True):
        assert_allclose(training.get_facecolors()[0, :3], held.get_facecolors()[0, :3])
        assert_array_equal(
            training.get_paths()[0].vertices, held.get_paths()[0].vertices
        )
        assert training.get_alpha() < held.get_alpha() == 1
        assert training.get_sizes()[0] < held.get_sizes()[0]
        assert training.get_zorder() < held.get_zorder()
    assert len({tuple(s.get_facecolors()[0]) for s in bold}) == 4
    assert len({s.get_paths()[0].vertices.tobytes() for s in bold}) == 4


def test_many_classes_stay_distinct():
    emotion = [f"class {i:02d}" for i in range(20)]
    display = EmbeddingDisplay.from_embedding(np.eye(20, 2), emotion)
    looks = {
        (tuple(s.get_facecolors()[0]), s.get_paths()[0].vertices.tobytes())
        for s in display.scatter_
    }
    assert len(looks) == 20
    assert legend_texts(display) == emotion


def test_look_depends_on_the_class_not_on_the_order(fold):
    z, emotion, _, _ = fold
    first = EmbeddingDisplay.from_embedding(z, emotion)
    second = EmbeddingDisplay.from_embedding(z[::-1], emotion[::-1])
    assert legend_texts(first) == legend_texts(second) == list(EMOTIONS)
    for one, other in zip(first.scatter_, second.scatter_, strict=True):
        assert_allclose(one.get_facecolors()[0], other.get_facecolors()[0])


@pytest.mark.parametrize("as_label", [np.asarray, list, pd.Series])
def test_continuous_label(fold, as_label):
    z, _, activation, held_out = fold
    display = EmbeddingDisplay.from_embedding(
        z[:, :2], as_label(activation), held_out=held_out, label_name="activation"
    )
    assert display.colorbar_.ax.get_ylabel() == "activation"
    assert_allclose(
        [display.colorbar_.vmin, display.colorbar_.vmax],
        [activation.min(), activation.max()],
    )
    assert legend_texts(display) == ["training (30)", "held out (10)"]
    # Both roles share one scale.
    viridis = mpl.colormaps["viridis"]
    scaled = (activation - activation.min()) / np.ptp(activation)
    training, held = display.scatter_
    assert_allclose(training.get_facecolors()[:, :3], viridis(scaled)[:30, :3])
    assert_allclose(held.get_facecolors(), viridis(scaled)[30:])


def test_cmap_and_scatter_options(fold):
    z, _, activation, _ = fold
    display = EmbeddingDisplay(z[:, :2], activation).plot(cmap="magma", s=3, alpha=0.5)
    (scatter,) = display.scatter_
    assert display.colorbar_.cmap.name == "magma"
    assert (scatter.get_sizes()[0], scatter.get_alpha()) == (3, 0.5)
    assert display.legend_ is None  # neither classes nor roles


@pytest.mark.parametrize(
    ("label", "n_classes"),
    [
        (np.array(["a", "b", "b", "a"], dtype=object), 2),
        (pd.Series(["a", "b", "b", "a"], index=[7, 7, 3, 1]), 2),
        (pd.Series(["a", "b", "b", "a"], dtype="category"), 2),
        ([True, False, False, True], 2),
        (np.array([1, 2, 2.5, 3], dtype=object), 0),
        (pd.array([1, 2, 2.5, None], dtype="Float64"), 0),
        ([1, 2, 3, 4], 0),
    ],
)
def test_kind_of_label(label, n_classes):
    display = EmbeddingDisplay.from_embedding(np.eye(4, 2), label)
    assert (display.colorbar_ is None) == (n_classes > 0)
    if n_classes:
        assert len(legend_texts(display)) == n_classes


@pytest.mark.parametrize(
    "label",
    [["b", None, "a", None], np.array([1.0, np.nan, 3.0, np.nan]), [None] * 4],
)
def test_unlabelled_utterances_are_grey(label):
    display = EmbeddingDisplay.from_embedding(np.eye(4, 2), label)
    assert legend_texts(display)[-1] == "unlabelled"
    gray = display.scatter_[-1]
    assert len(gray.get_offsets()) == sum(pd.isna(label))
    assert_allclose(gray.get_facecolors()[0, :3], to_rgba("#808080")[:3])
    assert len(points(display)) == 4
    display.figure_.canvas.draw()


def test_constant_label_can_be_drawn(fold):
    z = fold[0]
    display = EmbeddingDisplay.from_embedding(z, np.full(40, 3.0))
    display.figure_.canvas.draw()
    assert len(points(display)) == 40


def test_pca_is_fitted_on_training_rows_only(fold):
    z, emotion, _, held_out = fold
    changed = z.copy()
    changed[held_out] = 100 * z[held_out][:, ::-1]
    first, second = (
        EmbeddingDisplay.from_embedding(e, emotion, held_out=held_out)
        for e in (z, changed)
    )
    assert_array_equal(first.coordinates[~held_out], second.coordinates[~held_out])
    assert not np.allclose(first.coordinates[held_out], second.coordinates[held_out])
    assert first.axis_names == second.axis_names
    pca = PCA(2).fit(z[~held_out])
    assert_allclose(np.abs(first.coordinates), np.abs(pca.transform(z)), atol=1e-8)
    share = f"{100 * pca.explained_variance_ratio_[0]:.0f} % of variance"
    assert first.ax_.get_xlabel() == f"principal component 1 ({share})"
    assert first.ax_.get_ylabel().startswith("principal component 2 (")


def test_pca_of_a_collapsed_embedding():
    display = EmbeddingDisplay.from_embedding(np.ones((5, 4)), list("aabbb"))
    assert display.ax_.get_xlabel() == "principal component 1 (0 % of variance)"
    assert_allclose(points(display), 0)


def test_strip_plot_of_classes(fold):
    z, emotion, _, held_out = fold
    emotion = emotion.astype(object)
    emotion[3] = None
    display = EmbeddingDisplay.from_embedding(
        z[:, :1], emotion, held_out=held_out, label_name="emotion"
    )
    names = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert names == [*EMOTIONS, "unlabelled"]
    assert display.ax_.yaxis_inverted()  # in reading order
    assert display.ax_.get_ylabel() == "emotion"
    rows = np.array([names.index(e or "unlabelled") for e in emotion])
    expected = np.column_stack([z[:, 0], rows + 0.25 * held_out])
    assert_allclose(points(display), expected[np.lexsort(expected.T)])
    assert legend_texts(display) == ["training (30)", "held out (10)"]


def test_strip_plot_of_a_continuous_label(fold):
    z, _, activation, _ = fold
    activation[0] = np.nan
    display = EmbeddingDisplay.from_embedding(
        z[:, :1], activation, label_name="activation"
    )
    expected = np.column_stack([z[:, 0], activation])[1:]
    drawn = points(display)
    assert_allclose(drawn[~np.isnan(drawn[:, 1])], expected[np.lexsort(expected.T)])
    assert display.colorbar_ is None
    assert display.ax_.get_ylabel() == "activation"


def test_plot_on_given_axes(fold):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2)
    z, emotion, activation, _ = fold
    display = EmbeddingDisplay.from_embedding(z, emotion, ax=axes[0])
    assert display.ax_ is axes[0]
    assert display.figure_ is figure
    assert EmbeddingDisplay(z[:, :2], activation).plot(axes[1]).ax_ is axes[1]
    again = display.plot()
    assert again is display
    assert again.ax_ is not axes[0]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"held_out": np.zeros(40, dtype=int)}, "boolean array of shape"),
        ({"held_out": np.zeros(39, dtype=bool)}, r"shape \(40,\)"),
        ({"held_out": np.ones(40, dtype=bool)}, "leaves 0 of 40"),
        ({"label": ["a"] * 39}, "inconsistent"),
        ({"label": np.r_[np.inf, np.ones(39)]}, "label contains infinity"),
        ({"embedding": np.full((40, 2), np.nan)}, "embedding contains NaN"),
        ({"embedding": np.ones(40)}, "2D"),
    ],
)
def test_embedding_refuses(fold, kwargs, message):
    arguments = {"embedding": fold[0], "label": fold[1], **kwargs}
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_embedding(**arguments)


def test_three_coordinates_are_refused(fold):
    with pytest.raises(ValueError, match="from_embedding reduces"):
        EmbeddingDisplay(fold[0], fold[1]).plot()
