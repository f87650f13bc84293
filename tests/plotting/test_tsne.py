"""The t-SNE display: what is arranged, what is refused, and what is drawn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import SequencePooling, SpeedPerturbation
from sklearn_ser._representation import representation
from sklearn_ser.plotting import EmbeddingDisplay, TSNEDisplay

EMOTIONS = np.array(["anger", "boredom", "fear"])


@pytest.fixture
def clusters():
    """Return an embedding of three clusters far apart, and their emotions."""
    emotion = np.repeat(EMOTIONS, 12)
    centers = 20 * np.eye(3, 6)[np.repeat(np.arange(3), 12)]
    return centers + np.random.RandomState(0).normal(size=(36, 6)), emotion


def draw(embedding, label, **kwargs):
    return TSNEDisplay.from_embedding(embedding, label, random_state=0, **kwargs)


def points(display):
    """Return all points drawn, in the order of the coordinates."""
    drawn = np.concatenate([np.asarray(s.get_offsets()) for s in display.scatter_])
    return drawn[np.lexsort(drawn.T)]


class Representing(ClassifierMixin, TransformerMixin, BaseEstimator):
    """A classifier that has learned a representation: the features, doubled."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def transform(self, X):
        return 2 * np.asarray(X)


class Framing(TransformerMixin, BaseEstimator):
    """Turn each row into a sequence of two frames or more whose mean is the row."""

    def __init__(self, kind):
        self.kind = kind

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        if self.kind == "cube":
            return np.stack([X - 1, X + 1], axis=1)
        sequences = [
            np.concatenate([row[None] - 1, row[None] + 1] * (1 + i % 3))
            for i, row in enumerate(X)
        ]
        if self.kind == "list":
            return sequences
        return np.fromiter(sequences, dtype=object, count=len(X))


# --- what is drawn -----------------------------------------------------------------


def test_constructor_only_stores(clusters):
    z, emotion = clusters
    display = TSNEDisplay(z, emotion, label_name="emotion")  # six columns: no check
    assert display.coordinates is z
    assert display.label is emotion
    assert not hasattr(display, "ax_")
    assert isinstance(display, EmbeddingDisplay)


def test_draws_what_tsne_gives(clusters):
    z, emotion = clusters
    held_out = np.arange(36) % 6 == 0
    display = draw(z, emotion, held_out=held_out, label_name="emotion", perplexity=5)
    oracle = TSNE(perplexity=5, init="pca", learning_rate="auto", random_state=0)
    centered = z - z.mean(axis=0)
    expected = oracle.fit_transform(centered / np.abs(centered).max())
    assert_allclose(display.coordinates, expected, rtol=1e-4)
    drawn = np.asarray(display.coordinates)
    assert_allclose(points(display), drawn[np.lexsort(drawn.T)])
    assert type(display) is TSNEDisplay
    assert display.figure_ is display.ax_.figure
    assert len(display.scatter_) == 6  # three emotions, training and held out
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == [*EMOTIONS, "training (30)", "held out (6)"]
    assert display.legend_.get_title().get_text() == "emotion"
    assert display.ax_.get_xlabel() == "t-SNE dimension 1 (perplexity 5)"
    assert display.ax_.get_ylabel() == "t-SNE dimension 2"


def test_axes_have_no_numbers_and_nothing_is_cut_off(clusters):
    display = draw(*clusters, label_name="emotion")
    display.figure_.canvas.draw()
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        for tick in axis.get_major_ticks():
            assert not tick.tick1line.get_visible()
            assert not tick.label1.get_visible()
    assert display.ax_.get_aspect() == 1
    whole = display.figure_.bbox
    for artist in (display.legend_, display.ax_.xaxis.label, display.ax_.yaxis.label):
        box = artist.get_window_extent()
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1


def test_neighbours_stay_neighbours(clusters):
    z, emotion = clusters
    display = draw(z, emotion)
    nearest = NearestNeighbors(n_neighbors=3).fit(display.coordinates)
    found = nearest.kneighbors(return_distance=False)
    assert (emotion[found] == emotion[:, None]).all()


def test_continuous_and_missing_labels(clusters):
    z, _ = clusters
    activation = np.linspace(1, 5, 36)
    activation[3] = np.nan
    display = draw(z, activation, label_name="activation", cmap="magma", s=7)
    assert display.colorbar_.ax.get_ylabel() == "activation"
    assert display.colorbar_.cmap.name == "magma"
    assert [s.get_sizes()[0] for s in display.scatter_] == [7, 7]
    assert len(display.scatter_[1].get_offsets()) == 1  # unlabelled, in grey


def test_labels_have_no_part_in_the_arrangement(clusters):
    z, emotion = clusters
    first, second = draw(z, emotion), draw(z, np.roll(emotion, 5))
    assert_array_equal(first.coordinates, second.coordinates)


def test_plot_on_given_axes_and_again(clusters):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    display = draw(*clusters, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert display.plot() is display
    assert display.ax_ is not ax


# --- how it is arranged ------------------------------------------------------------


# So many columns that the principal components are computed with random numbers.
WIDE = np.random.RandomState(1).normal(size=(65, 510))


@pytest.mark.slow
def test_same_seed_same_picture_and_no_global_random_state():
    label = ["a"] * len(WIDE)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = draw(WIDE, label), draw(WIDE, label)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert_array_equal(first.coordinates, second.coordinates)
    other = TSNEDisplay.from_embedding(WIDE, label, random_state=1)
    assert not np.allclose(first.coordinates, other.coordinates)
    generator = np.random.RandomState(0)
    TSNEDisplay.from_embedding(WIDE, label, random_state=generator)
    assert generator.randint(2**31) != np.random.RandomState(0).randint(2**31)


@pytest.mark.parametrize("n_dimensions", [50, 51, 200])
def test_many_dimensions_are_reduced_first(n_dimensions, monkeypatch):
    arranged = []

    def fit_transform(self, X, y=None):
        arranged.append(X)
        return X[:, :2]

    monkeypatch.setattr(TSNE, "fit_transform", fit_transform)
    z = np.random.RandomState(0).normal(size=(120, n_dimensions))
    draw(z, ["a"] * 120)
    (given,) = arranged
    # As it is but for one place and one scale: not standardised.
    z -= z.mean(axis=0)
    z /= np.abs(z).max()
    if n_dimensions == 50:
        assert_allclose(given, z, rtol=1e-12)
    else:
        expected = PCA(50, svd_solver="full").fit_transform(z)
        assert_allclose(np.abs(given), np.abs(expected), atol=1e-8)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**-80, 2.0**64, 2.0**600])
def test_scale_changes_nothing(clusters, scale):
    """A nearly collapsed or diverged model is drawn, and ends no process."""
    z, emotion = clusters
    expected = draw(z, emotion, perplexity=5).coordinates
    assert_array_equal(draw(z * scale, emotion, perplexity=5).coordinates, expected)


def test_far_from_the_origin(clusters):
    """Where float32 could not tell the rows apart."""
    z, emotion = clusters
    coordinates = draw(z * 2**-30 + 4, emotion, perplexity=5).coordinates
    assert silhouette_score(coordinates, emotion) > 0.7  # 0.91 or more, seeds 0 to 5


def test_few_rows_of_many_dimensions_keep_their_distances():
    z = np.random.RandomState(0).normal(size=(12, 300))
    assert draw(z, ["a"] * 12).coordinates.shape == (12, 2)


@pytest.mark.parametrize(
    ("n", "perplexity", "used"),
    [(91, 30, "30"), (90, 30, "29.7"), (36, 1e9, "11.7"), (4, 30, "1"), (2, 30, "1")],
)
def test_perplexity_is_lowered_to_what_there_is(n, perplexity, used, monkeypatch):
    asked = []
    plain = TSNE.fit_transform

    def fit_transform(self, X, y=None):
        asked.append(self.perplexity)
        return plain(self, X) if n < 5 else X[:, :2]

    monkeypatch.setattr(TSNE, "fit_transform", fit_transform)
    z = np.random.RandomState(0).normal(size=(n, 3))
    display = draw(z, ["a"] * n, perplexity=perplexity)
    assert display.ax_.get_xlabel() == f"t-SNE dimension 1 (perplexity {used})"
    assert asked == [pytest.approx(float(used), rel=1e-2)]
    assert asked[0] < n
    assert np.isfinite(display.coordinates).all()


def test_data_frames_and_the_global_output_setting(clusters):
    z, emotion = clusters
    z = np.hstack([z] * 9)  # 54 dimensions, so principal components come first
    expected = draw(z, emotion).coordinates
    with config_context(transform_output="pandas"):
        display = draw(pd.DataFrame(z), pd.Series(emotion, index=range(36, 0, -1)))
    assert isinstance(display.coordinates, np.ndarray)
    assert_array_equal(display.coordinates, expected)


# --- what is refused ---------------------------------------------------------------


def with_hole(z):
    z = z.copy()
    z[[4, 9], 2] = np.nan
    return z


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"embedding": with_hole}, ValueError, "NaN or infinity in 2 of 36 rows.*x 4"),
        ({"embedding": lambda z: z[:, :1]}, ValueError, "1 dimension.*EmbeddingDispl"),
        ({"embedding": np.zeros_like}, ValueError, "All 36 rows .* equal.*collapsed"),
        ({"embedding": lambda z: z[:, 0]}, ValueError, "2D"),
        ({"label": ["a"] * 35}, ValueError, "inconsistent"),
        ({"label": [["a"]] * 36}, ValueError, r"got shape \(36, 1\); numpy.ravel"),
        ({"label": np.r_[np.inf, np.ones(35)]}, ValueError, "label contains infinity"),
        ({"held_out": np.zeros(36, dtype=int)}, ValueError, "boolean array"),
        ({"perplexity": 0.5}, ValueError, "at least 1, got 0.5"),
        ({"perplexity": np.nan}, ValueError, "at least 1, got nan"),
        ({"perplexity": "auto"}, TypeError, "perplexity must be an instance of"),
    ],
)
def test_refused_before_anything_is_arranged(
    clusters, kwargs, error, message, monkeypatch
):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(TSNE, "fit_transform", None)
    z, emotion = clusters
    arguments = {"embedding": lambda z: z, "label": emotion, **kwargs}
    arguments["embedding"] = arguments["embedding"](z)
    with pytest.raises(error, match=message):
        TSNEDisplay.from_embedding(**arguments)
    assert plt.get_fignums() == []


def test_a_label_that_cannot_be_drawn_leaves_no_figure(clusters):
    import matplotlib.pyplot as plt

    z, _ = clusters
    with pytest.raises(ValueError, match="label contains infinity"):
        draw(z, np.r_[np.inf, np.ones(35)])
    assert plt.get_fignums() == []


def test_one_utterance_is_refused():
    with pytest.raises(ValueError, match=r"minimum of 2 is required"):
        draw(np.ones((1, 3)), ["a"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [(1, "2 columns, got 1"), (3, "got 3; TSNEDisplay.from_embedding reduces")],
)
def test_coordinates_must_be_two(clusters, columns, message):
    import matplotlib.pyplot as plt

    z, emotion = clusters
    with pytest.raises(ValueError, match=message):
        TSNEDisplay(z[:, :columns], emotion).plot()
    assert plt.get_fignums() == []


# --- of an estimator ---------------------------------------------------------------


def search(z, emotion, **kwargs):
    pipeline = make_pipeline(StandardScaler(), SVC())
    return GridSearchCV(pipeline, {"svc__C": [1.0]}, cv=2, **kwargs).fit(z, emotion)


def perturbed(z, emotion):
    """Fit a pipeline around SpeedPerturbation, without its training."""
    inner = make_pipeline(StandardScaler(), Representing()).fit(2 * z, emotion)
    perturbation = SpeedPerturbation(Representing())
    perturbation.estimator_ = inner
    pipeline = make_pipeline(Representing().fit(z, emotion), perturbation)
    return pipeline, 2 * inner[0].transform(2 * z)


def test_representation_is_what_the_classifier_is_given_or_has_learned(clusters):
    z, emotion = clusters
    scaled = StandardScaler().fit_transform(z)
    svc = make_pipeline(StandardScaler(), SVC()).fit(z, emotion)
    nested = make_pipeline(svc[:1], make_pipeline("passthrough", svc[1]))
    own = make_pipeline(StandardScaler(), Representing()).fit(z, emotion)
    around, doubled = perturbed(z, emotion)
    for estimator, expected in [
        (StandardScaler().fit(z), scaled),
        (Representing().fit(z, emotion), 2 * z),
        (SVC().fit(z, emotion), z),
        (svc, scaled),
        (make_pipeline(SVC()).fit(z, emotion), z),
        (nested, scaled),
        (own, 2 * scaled),
        (search(z, emotion), scaled),
        (around, doubled),
    ]:
        assert_allclose(representation(estimator, z), expected)
    with config_context(transform_output="pandas"):
        assert isinstance(representation(svc, z), np.ndarray)


@pytest.mark.parametrize("kind", ["cube", "ragged", "list"])
def test_sequences_are_pooled(clusters, kind):
    z, emotion = clusters
    assert_allclose(representation(Framing(kind).fit(z), z), z, atol=1e-5)
    framed = Framing(kind).fit(z).transform(z)
    given = representation(SVC().fit(z, emotion), framed)  # which has no transform
    assert_allclose(given, z, atol=1e-5)


def test_utterances_without_frames_are_named(clusters):
    z, emotion = clusters
    framed = Framing("ragged").fit(z).transform(z)
    framed[7] = framed[7][:0]
    with pytest.raises(ValueError, match="in 1 of 36 rows, the first at index 7"):
        TSNEDisplay.from_estimator(SVC().fit(z, emotion), framed, emotion)


def test_from_estimator_draws_the_representation(clusters):
    import matplotlib.pyplot as plt

    z, emotion = clusters
    held_out = np.arange(36) >= 30
    _, ax = plt.subplots()
    kwargs = {"held_out": held_out, "label_name": "emotion", "perplexity": 4, "s": 9}
    display = TSNEDisplay.from_estimator(
        search(z, emotion), z, emotion, random_state=0, ax=ax, **kwargs
    )
    expected = draw(StandardScaler().fit_transform(z), emotion, **kwargs)
    assert_array_equal(display.coordinates, expected.coordinates)
    assert display.ax_ is ax
    assert display.held_out is held_out
    assert display.legend_.get_title().get_text() == "emotion"
    assert display.ax_.get_xlabel() == "t-SNE dimension 1 (perplexity 4)"
    assert {s.get_sizes()[0] for s in display.scatter_} == {9}


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (StandardScaler(), "not fitted"),
        (SVC(), "This SVC instance is not fitted"),
        (make_pipeline(StandardScaler(), SVC()), "SVC instance is not fitted"),
        (make_pipeline(FunctionTransformer(), SVC()), "SVC instance is not fitted"),
        (make_pipeline("passthrough", SVC()), "SVC instance is not fitted"),
        (SpeedPerturbation(StandardScaler()), "not fitted"),
        (GridSearchCV(SVC(), {}), "GridSearchCV has no best_estimator_: call fit"),
    ],
)
def test_estimators_must_be_fitted(clusters, estimator, message):
    z, emotion = clusters
    with pytest.raises(NotFittedError, match=message):
        TSNEDisplay.from_estimator(estimator, z, emotion)


@pytest.mark.parametrize(
    "estimator",
    [
        FunctionTransformer(),
        Normalizer(),
        SequencePooling(("mean",)),
        make_pipeline(FunctionTransformer(), "passthrough"),
    ],
)
def test_what_needs_no_fit_is_not_asked_for_it(clusters, estimator):
    z, _ = clusters
    z = Normalizer().transform(z)
    X = list(z[:, None]) if isinstance(estimator, SequencePooling) else z
    assert_allclose(representation(estimator, X), z)


def test_search_without_a_best_estimator(clusters):
    with pytest.raises(NotFittedError, match="refit=True"):
        TSNEDisplay.from_estimator(search(*clusters, refit=False), *clusters)
