"""SequencePooling: values, invariances, names, empty utterances, pipelines."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from packaging.version import Version
from scipy import stats
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS, SequencePooling
from sklearn_ser.datasets import Corpus, make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.features import has_features

ORACLES = {
    "mean": lambda x: np.mean(x, axis=0),
    "std": lambda x: np.std(x, axis=0),
    "min": lambda x: np.min(x, axis=0),
    "max": lambda x: np.max(x, axis=0),
    "median": lambda x: np.median(x, axis=0),
    "range": lambda x: np.max(x, axis=0) - np.min(x, axis=0),
    "iqr": lambda x: np.diff(np.percentile(x, [25, 75], axis=0), axis=0)[0],
    "percentile0": lambda x: np.min(x, axis=0),
    "percentile2.5": lambda x: np.percentile(x, 2.5, axis=0),
    "percentile80": lambda x: np.percentile(x, 80, axis=0),
    "percentile100": lambda x: np.max(x, axis=0),
    "slope": lambda x: [np.polyfit(np.arange(len(x)), f, 1)[0] for f in x.T],
    "skewness": lambda x: stats.skew(x, axis=0),
    "kurtosis": lambda x: stats.kurtosis(x, axis=0),
    "share_above": lambda x: (x > 0.2).sum(axis=0) / len(x),
}
ALL = tuple(ORACLES)
ORDER_FREE = tuple(name for name in ALL if name != "slope")


def sequences(lengths=(30, 7, 12, 100), n_features=3, dtype=np.float32):
    rng = np.random.default_rng(0)
    return [rng.gamma(1, 2, (n, n_features)).astype(dtype) for n in lengths]


def pool(X, *functionals, **settings):
    """Return one table of (n, n_features) for each functional, by its name."""
    pooled = SequencePooling(functionals, **settings).transform(X)
    parts = np.split(pooled, len(functionals), axis=1)
    return dict(zip(functionals, parts, strict=True))


utterance = arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.integers(1, 3)),
    elements=st.floats(-1e6, 1e6, width=32).map(lambda x: np.float32(x)),
)

# Values


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_values(name, dtype):
    X = sequences(dtype=dtype)
    expected = [ORACLES[name](x.astype(np.float64)) for x in X]
    pooled = SequencePooling([name]).fit_transform(X)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)


def test_all_features_by_one_functional_then_by_the_next():
    X = sequences()
    together = SequencePooling(ALL).fit_transform(X)
    assert together.shape == (4, 3 * len(ALL))
    alone = [SequencePooling([name]).fit_transform(X) for name in ALL]
    np.testing.assert_array_equal(together, np.hstack(alone))


def test_the_slope_is_that_of_a_ramp():
    ramp = np.arange(50)[:, None] * [2.0, -0.25] + [100, 3]
    np.testing.assert_allclose(pool([ramp], "slope")["slope"], [[2, -0.25]])
    np.testing.assert_allclose(
        pool([ramp[::-1]], "slope")["slope"], [[-2, 0.25]], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("threshold", "share"), [(0, 0.75), (1, 0.5), (2.5, 0.25), (-1, 1), (9, 0)]
)
def test_the_share_is_strictly_above_the_threshold(threshold, share):
    X = [np.array([[0.0], [1.0], [2.0], [3.0]])]
    assert pool(X, "share_above", threshold=threshold)["share_above"] == share


def test_the_features_of_han_and_others():
    """Of probabilities: maximum, minimum, mean and share of likely segments."""
    probabilities = np.array([[0.7, 0.3], [0.9, 0.1], [0.2, 0.8]])
    pooled = SequencePooling(("max", "min", "mean", "share_above")).transform(
        [probabilities]
    )
    expected = [0.9, 0.8, 0.2, 0.1, 0.6, 0.4, 2 / 3, 2 / 3]
    np.testing.assert_allclose(pooled, [expected], rtol=1e-6)


def test_a_large_mean_leaves_the_spread():
    rng = np.random.default_rng(0)
    x = 1e7 + rng.normal(size=(500, 1))
    found = pool([x], "std", "slope", "skewness", "kurtosis")
    for name, value in found.items():
        np.testing.assert_allclose(value[0], ORACLES[name](x), rtol=1e-5, atol=1e-7)


# Properties


@given(utterance, st.randoms(use_true_random=False))
def test_the_order_of_time_matters_to_the_slope_only(x, random):
    order = list(range(len(x)))
    random.shuffle(order)
    before = pool([x], *ORDER_FREE)
    after = pool([x[order]], *ORDER_FREE)
    for name in ORDER_FREE:
        scale = 1 if name in ("skewness", "kurtosis") else np.abs(x).max()
        np.testing.assert_allclose(
            after[name], before[name], rtol=1e-4, atol=1e-6 * max(scale, 1e-30)
        )
    slope, reverse = pool([x, x[::-1]], "slope")["slope"]
    np.testing.assert_allclose(slope, -reverse, rtol=1e-4, atol=1e-6 * np.abs(x).max())


@given(utterance)
def test_order_of_the_functionals(x):
    found = pool([x], *ALL)
    low = [found[name] for name in ("min", "percentile2.5", "median", "percentile80")]
    for less, more in zip(low, [*low[1:], found["max"]], strict=True):
        assert (less <= more).all()
    assert (found["min"] <= found["mean"]).all()
    assert (found["mean"] <= found["max"]).all()
    assert (found["std"] >= 0).all()
    assert (found["std"] <= found["range"] / 2 * (1 + 1e-6)).all()
    assert (found["iqr"] <= found["range"]).all()
    assert ((found["share_above"] >= 0) & (found["share_above"] <= 1)).all()
    # Pearson's inequality, with the fourth moment itself.
    varies = found["std"] > 1e-3 * np.abs(x).max(axis=0)
    gap = found["kurtosis"] + 3 - found["skewness"] ** 2 - 1
    assert (gap[varies] > -1e-3).all()


@given(
    st.integers(1, 50),
    st.floats(-1e30, 1e30),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_constant_has_no_spread(n, value, dtype):
    x = np.full((n, 2), value, dtype)
    found = pool([x], *ALL)
    for name in ("std", "range", "iqr", "slope", "skewness", "kurtosis"):
        assert (found[name] == 0).all(), name
    for name in ("min", "max", "median", "percentile2.5"):
        np.testing.assert_array_equal(found[name], np.float32(x[:1]))
    np.testing.assert_allclose(found["mean"], np.float32(x[:1]), rtol=1e-6)


@given(st.lists(utterance.map(lambda x: x[:, :1]), min_size=1, max_size=5), st.data())
def test_an_utterance_does_not_depend_on_the_others(X, data):
    index = data.draw(st.integers(0, len(X) - 1))
    together = SequencePooling(ALL).transform(X)
    alone = SequencePooling(ALL).transform([X[index]])
    np.testing.assert_array_equal(together[index], alone[0])


@given(utterance, st.integers(2, 4))
def test_an_utterance_said_again_is_the_same(x, times):
    """What padding by repetition leaves as it was."""
    names = ("mean", "std", "min", "max", "range", "share_above")
    once, again = pool([x], *names), pool([np.tile(x, (times, 1))], *names)
    for name in names:
        np.testing.assert_allclose(
            again[name], once[name], rtol=1e-5, atol=1e-6 * np.abs(x).max()
        )


# Containers


@pytest.mark.parametrize("make", [list, tuple, pd.Series, np.stack, np.asarray])
def test_containers(make):
    X = sequences((8, 8, 8))
    pooled = SequencePooling(ALL).fit_transform(make(X))
    np.testing.assert_array_equal(pooled, SequencePooling(ALL).transform(X))


def test_a_table_has_one_frame_for_each_utterance():
    X = sequences((1, 1, 1))
    table = np.concatenate(X)
    pooled = SequencePooling(ALL).fit_transform(table)
    np.testing.assert_array_equal(pooled, SequencePooling(ALL).transform(X))
    names = dict(zip(ALL, np.split(pooled, len(ALL), axis=1), strict=True))
    np.testing.assert_array_equal(names["mean"], table)
    assert not names["std"].any()


def test_the_input_is_left_alone():
    X = sequences()
    before = [x.copy() for x in X]
    for x in X:
        x.setflags(write=False)
    SequencePooling(ALL).fit_transform(X)
    for x, copy in zip(X, before, strict=True):
        np.testing.assert_array_equal(x, copy)


# Utterances without frames


def with_empty():
    return [*sequences()[:2], np.empty((0, 3), np.float32), *sequences()[2:]]


def test_no_frames_make_a_row_of_nan():
    pooled = SequencePooling(ALL).fit_transform(with_empty())
    assert has_features(pooled).tolist() == [True, True, False, True, True]
    assert np.isnan(pooled[2]).all()
    whole = SequencePooling(ALL).transform(sequences())
    np.testing.assert_array_equal(pooled[has_features(pooled)], whole)
    filled = make_pipeline(SequencePooling(), SimpleImputer()).fit_transform(
        with_empty()
    )
    assert np.isfinite(filled).all()
    nothing = SequencePooling().fit_transform([np.empty((0, 3))] * 2)
    assert nothing.shape == (2, 6)
    assert np.isnan(nothing).all()


def test_faulty_recordings_reach_the_imputer():
    speech = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    front_end = EGeMAPS(level="low_level_descriptors", on_error="nan")
    pipeline = make_pipeline(front_end, SequencePooling())
    recordings = [speech, "missing.wav", speech[::-1].copy()]
    pooled = pipeline.fit_transform(recordings)
    assert pooled.shape == (3, 50)
    functionals = EGeMAPS(on_error="nan").transform(recordings)
    assert has_features(pooled).tolist() == has_features(functionals).tolist()


# A transformer


@pytest.mark.parametrize(
    ("functionals", "message"),
    [
        (("mean", "average"), "Unknown functional 'average'; known are mean, std, .*"
         "share_above, and percentile0 to percentile100"),
        (["percentile101"], "Unknown functional 'percentile101'"),
        (["percentile"], "Unknown functional 'percentile'"),
        (["percentile-5"], "Unknown functional 'percentile-5'"),
        (["mean", 3], "Unknown functional '3'"),
        ([["mean"]], r"Unknown functional .*\['mean'\]"),
        ([], "at least one functional, and each once"),
        (["mean", "std", "mean"], "at least one functional, and each once, got"),
        ("mean", "The 'functionals' parameter of SequencePooling must be"),
    ],
)  # fmt: skip
def test_functionals_are_checked(functionals, message):
    for method in ("fit", "transform", "fit_transform"):
        with pytest.raises(ValueError, match=message):
            getattr(SequencePooling(functionals), method)(sequences())


@pytest.mark.parametrize("threshold", [np.nan, np.inf, "0.2", None])
def test_the_threshold_is_a_number(threshold):
    with pytest.raises(ValueError, match="'threshold' parameter of SequencePooling"):
        SequencePooling(threshold=threshold).fit(sequences())


def test_faults_of_the_input_name_the_utterance():
    X = sequences()
    X[2][5, 1] = np.nan
    for method in ("fit", "transform"):
        with pytest.raises(
            ValueError, match="NaN: utterance 2 of 4, frame 5, feature 1"
        ):
            getattr(SequencePooling(), method)(X)
    fitted = SequencePooling().fit(sequences())
    with pytest.raises(ValueError, match="X has 2 features, but SequencePooling is"):
        fitted.transform(sequences(n_features=2))


def test_it_learns_nothing_but_the_width():
    pooling = SequencePooling()
    before = pooling.transform(sequences())
    assert vars(pooling) == vars(clone(pooling))
    assert pooling.fit(sequences()) is pooling
    assert pooling.n_features_in_ == 3
    np.testing.assert_array_equal(pooling.transform(sequences()), before)
    assert not pooling.__sklearn_tags__().requires_fit


def test_names():
    pooling = SequencePooling(("mean", "percentile20"))
    names = pooling.get_feature_names_out(["a", "b"])
    assert names.tolist() == ["mean_a", "mean_b", "percentile20_a", "percentile20_b"]
    assert names.dtype == object
    with pytest.raises(ValueError, match="without n_features_in_"):
        pooling.get_feature_names_out()
    pooling.fit(sequences())
    assert pooling.get_feature_names_out()[:3].tolist() == [
        *("mean_x0", "mean_x1", "mean_x2"),
    ]
    with pytest.raises(ValueError, match="length equal to number of features"):
        pooling.get_feature_names_out(["a", "b"])
    table = pd.DataFrame(np.ones((2, 2)), columns=["pitch", "loudness"])
    assert pooling.fit(table).get_feature_names_out().tolist() == [
        *("mean_pitch", "mean_loudness", "percentile20_pitch"),
        "percentile20_loudness",
    ]


def test_names_of_the_front_end_go_on():
    front_end = EGeMAPS(level="low_level_descriptors")
    pipeline = make_pipeline(front_end, SequencePooling())
    names = pipeline.get_feature_names_out()
    lld = front_end.get_feature_names_out()
    assert names.tolist() == [f"{kind}_{n}" for kind in ("mean", "std") for n in lld]
    speech = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    assert pipeline.fit_transform([speech]).shape == (1, len(names))
    assert pipeline.get_feature_names_out().tolist() == names.tolist()


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container):
    pooling = SequencePooling().set_output(transform=container)
    table = pooling.fit_transform(sequences())
    assert list(table.columns) == pooling.get_feature_names_out().tolist()
    np.testing.assert_array_equal(
        table.to_numpy(), SequencePooling().transform(sequences())
    )
    if container == "pandas":
        X = pd.Series(sequences(), index=list("abcd"))
        # Before 1.7, scikit-learn kept the index of data frames alone.
        keeps = Version(sklearn.__version__) >= Version("1.7")
        kept = list("abcd") if keeps else [0, 1, 2, 3]
        assert pooling.transform(X).index.tolist() == kept
        assert (table.dtypes == np.float32).all()


class Rounding(TransformerMixin, BaseEstimator):
    """Stands for a step that makes sequences of sequences."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [np.round(x, 1) for x in X]

    def __sklearn_is_fitted__(self):
        return True


def test_any_sequence_feeds_a_support_vector_machine():
    rng = np.random.default_rng(0)
    y, groups = np.tile(["calm", "angry"], 30), np.repeat(np.arange(6), 10)
    X = [
        rng.normal(0, 2 if label == "angry" else 1, (rng.integers(20, 60), 4))
        for label in y
    ]
    pipeline = make_pipeline(Rounding(), SequencePooling(), StandardScaler(), SVC())
    grid = {"sequencepooling__functionals": [("mean",), ("mean", "std")]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), error_score="raise")
    search.fit(X, y, groups=groups)
    assert search.best_params_["sequencepooling__functionals"] == ("mean", "std")
    assert search.best_score_ > 0.95
    assert search.cv_results_["mean_test_score"][0] < 0.8


def test_sequences_of_equal_length_may_come_as_3d():
    X = np.random.default_rng(0).normal(size=(4, 5, 3))
    pooling = SequencePooling().fit(X)
    assert pooling.__sklearn_tags__().input_tags.three_d_array
    np.testing.assert_array_equal(pooling.transform(X), pooling.transform(list(X)))


def test_evaluation_by_speaker_of_pooled_sequences():
    corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    frame = corpus.frame.copy()
    frame.at[3, "waveform"] = np.zeros(5, np.float32)  # too short
    front_end = EGeMAPS(level="low_level_descriptors", on_error="nan")
    result = evaluate_by_speaker(
        make_pipeline(front_end, SequencePooling(), StandardScaler(), SVC()),
        Corpus(frame, name="one is too short"),
    )
    assert result.left_out == ["utterance 3"]
    assert result.embedding(0).shape == (len(corpus) - 1, 50)
    assert np.isfinite(result.embedding(0)).all()


# Differences over time


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_deltas_are_functionals_of_the_differences(deltas):
    """By hand: central differences inside, one-sided ones at the ends."""
    frames = np.array([[0.0, 1.0], [1.0, 5.0], [4.0, 3.0], [9.0, 2.0]])

    def difference(x):
        inside = [(x[i + 1] - x[i - 1]) / 2 for i in range(1, len(x) - 1)]
        return np.array([x[1] - x[0], *inside, x[-1] - x[-2]])

    parts = [frames, difference(frames), difference(difference(frames))]
    wanted = [
        f(part, axis=0) for part in parts[: deltas + 1] for f in (np.mean, np.std)
    ]
    pooling = SequencePooling(deltas=deltas).fit([frames])
    np.testing.assert_allclose(
        pooling.transform([frames])[0], np.ravel(wanted), rtol=1e-6
    )
    names = pooling.get_feature_names_out(["f0", "energy"])
    assert len(names) == 4 * (deltas + 1)
    assert names[-1] == ("std_energy", "std_delta_energy", "std_delta2_energy")[deltas]


def test_a_single_frame_does_not_move():
    pooled = SequencePooling(("mean",), deltas=2).fit_transform([np.ones((1, 2))])
    assert pooled.tolist() == [[1, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize("deltas", [-1, 3, 0.5])
def test_deltas_are_none_to_two(deltas):
    with pytest.raises(ValueError, match="'deltas' parameter of SequencePooling"):
        SequencePooling(deltas=deltas).fit([np.ones((2, 2))])
