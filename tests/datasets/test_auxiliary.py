"""The auxiliary corpora: what they hold, what they share, and what they refuse."""

import copy
import io
import pickle
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import cross_validate
from sklearn.preprocessing import StandardScaler

from sklearn_ser.datasets import AuxiliaryCorpora
from sklearn_ser.sequences import as_sequences
from tests.datasets.helpers import assert_equal

LENGTHS = [3, 1, 4, 2, 5]
QUADRANTS = [1, None, 4, np.nan, 2]
CORPORA = ["EMO-DB", "URDU", "EMO-DB", "URDU", "URDU"]


def utterances(lengths=LENGTHS, n_features=3, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(5, 2, (n, n_features)).astype(dtype) for n in lengths]


def make(**keywords):
    return AuxiliaryCorpora(utterances(**keywords), QUADRANTS, corpus=CORPORA)


def make_large():
    """Make more than joblib sends by value (1 MB)."""
    X = utterances([50] * 20, n_features=400)
    return AuxiliaryCorpora(X, [1, 2, 3, None] * 5, corpus=["a", "b"] * 10)


def assert_read_only(auxiliary):
    for name, value in vars(auxiliary).items():
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable, name
            with pytest.raises(ValueError, match="read-only"):
                value[:1] = 0


class Holder(BaseEstimator):
    """An estimator that looks at its auxiliary corpora, and learns nothing."""

    def __init__(self, auxiliary_corpora=None):
        self.auxiliary_corpora = auxiliary_corpora

    def fit(self, X, y):
        self.total_ = float(self.auxiliary_corpora.segments.sum(dtype=np.float64))
        return self

    def score(self, X, y):
        return self.total_ + len(self.auxiliary_corpora)


# --------------------------------------------------------------------------- contents


def test_attributes():
    X = utterances()
    auxiliary = make()
    np.testing.assert_array_equal(auxiliary.segments, np.concatenate(X))
    assert auxiliary.segments.dtype == np.float32
    assert auxiliary.segments.flags.c_contiguous
    quadrants = [1] * 3 + [-1] + [4] * 4 + [-1] * 2 + [2] * 5
    assert auxiliary.segment_quadrant.tolist() == quadrants
    assert auxiliary.segment_corpus.tolist() == [0] * 3 + [1] + [0] * 4 + [1] * 7
    assert auxiliary.segment_quadrant.dtype == np.int64
    assert auxiliary.segment_corpus.dtype == np.int64
    assert auxiliary.names == ("EMO-DB", "URDU")
    assert auxiliary.n_features == 3
    assert auxiliary.n_utterances == 5
    assert len(auxiliary) == 15
    assert auxiliary.mean.shape == auxiliary.scale.shape == (2, 3)
    assert auxiliary.mean.dtype == auxiliary.scale.dtype == np.float64


@pytest.mark.parametrize(
    "container", [list, tuple, as_sequences, lambda X: pd.Series(list(X))]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64])
def test_containers_and_kinds_of_numbers(container, dtype):
    X = utterances(dtype=dtype)
    auxiliary = AuxiliaryCorpora(container(X), QUADRANTS)
    expected = np.concatenate(X).astype(np.float32)
    np.testing.assert_array_equal(auxiliary.segments, expected)


def test_equal_lengths_and_tables():
    cube = np.stack(utterances([4, 4]))
    auxiliary = AuxiliaryCorpora(cube, [1, 2])
    np.testing.assert_array_equal(auxiliary.segments, cube.reshape(8, 3))
    assert auxiliary.n_utterances == 2
    table = AuxiliaryCorpora(cube[0], [1, 2, 3, 4])
    assert table.n_utterances == len(table) == 4
    assert table.segment_quadrant.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "quadrant",
    [
        np.array([1, np.nan, 4, np.nan, 2]),
        np.array([1, None, 4, None, 2], dtype=object),
        pd.Series([1, None, 4, None, 2], dtype="Int64", index=range(5, 10)),
        [1.0, np.nan, np.int8(4), pd.NA, np.float32(2)],
    ],
)
def test_kinds_of_quadrants(quadrant):
    auxiliary = AuxiliaryCorpora(utterances(), quadrant)
    np.testing.assert_array_equal(auxiliary.segment_quadrant, make().segment_quadrant)


def test_corpora_keep_the_order_in_which_they_come():
    corpus = pd.Series(["b", "a", "b", "c", "a"])
    auxiliary = AuxiliaryCorpora(utterances(), QUADRANTS, corpus=corpus)
    assert auxiliary.names == ("b", "a", "c")
    numbers = [0] * 3 + [1] + [0] * 4 + [2] * 2 + [1] * 5
    assert auxiliary.segment_corpus.tolist() == numbers
    alone = AuxiliaryCorpora(utterances(), QUADRANTS)
    assert alone.names == ("unnamed",)
    assert not alone.segment_corpus.any()


def test_what_was_given_is_copied():
    X = utterances()
    quadrant = np.array([1.0, 2.0, 3.0, 4.0, 1.0])
    auxiliary = AuxiliaryCorpora(X, quadrant)
    before = auxiliary.segments.copy(), auxiliary.segment_quadrant.copy()
    for values in X:
        assert values.flags.writeable
        assert not np.shares_memory(values, auxiliary.segments)
        values[:] = 0
    quadrant[:] = 1
    np.testing.assert_array_equal(auxiliary.segments, before[0])
    np.testing.assert_array_equal(auxiliary.segment_quadrant, before[1])


def test_copied_only_once():
    X = utterances([20] * 100, n_features=500)
    tracemalloc.start()
    try:
        auxiliary = AuxiliaryCorpora(X, [1] * 100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * auxiliary.segments.nbytes


# ----------------------------------------------------------------------- standardising


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_corpus_is_standardised_by_itself(dtype):
    X = utterances([30, 20, 25, 40, 10], n_features=5, dtype=dtype)
    for values, corpus in zip(X, CORPORA, strict=True):
        values[:, 1] += 1e4 if corpus == "URDU" else -30
        values[:, 2] *= 100 if corpus == "URDU" else 1e-3
        values[:, 3] = -100 if corpus == "URDU" else values[:, 3]  # silence
        values[:, 4] = 0.1
    auxiliary = AuxiliaryCorpora(X, QUADRANTS, corpus=CORPORA)
    expected = np.empty((len(auxiliary), 5))
    for number, name in enumerate(auxiliary.names):
        own = np.concatenate([x for x, c in zip(X, CORPORA, strict=True) if c == name])
        own = own.astype(np.float32).astype(np.float64)
        scaler = StandardScaler().fit(own)
        np.testing.assert_allclose(auxiliary.mean[number], scaler.mean_, rtol=1e-12)
        np.testing.assert_allclose(auxiliary.scale[number], scaler.scale_, rtol=1e-7)
        expected[auxiliary.segment_corpus == number] = scaler.transform(own)
    assert auxiliary.scale[1, 3] == auxiliary.scale[0, 4] == 1
    rows = np.random.default_rng(0).permutation(len(auxiliary))
    found = auxiliary.take(rows, standardize=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[rows], atol=2e-6)


@given(
    X=arrays(
        np.float32,
        st.tuples(st.integers(1, 8), st.integers(1, 4), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    data=st.data(),
)
def test_take_copies_the_segments_asked_for(X, data):
    corpus = data.draw(
        st.lists(st.sampled_from("abc"), min_size=len(X), max_size=len(X))
    )
    auxiliary = AuxiliaryCorpora(X, [1] * len(X), corpus=corpus)
    before = auxiliary.segments.copy()
    rows = np.array(
        data.draw(st.lists(st.integers(0, len(auxiliary) - 1), max_size=9)), np.intp
    )
    raw = auxiliary.take(rows, standardize=False)
    np.testing.assert_array_equal(raw, auxiliary.segments[rows])
    standardized = auxiliary.take(rows, standardize=True)
    number = auxiliary.segment_corpus[rows]
    mean, scale = auxiliary.mean[number], auxiliary.scale[number]
    np.testing.assert_allclose(standardized, (raw - mean) / scale, rtol=1e-6)
    for taken in (raw, standardized):
        assert taken.dtype == np.float32
        assert taken.shape == (len(rows), auxiliary.n_features)
        taken[:] = 7  # its own memory
    np.testing.assert_array_equal(auxiliary.segments, before)


def test_take_beyond_the_end():
    with pytest.raises(IndexError, match="out of bounds"):
        make().take([0, 15], standardize=True)


@pytest.mark.parametrize("standardize", [True, False])
def test_take_none_and_one(standardize):
    auxiliary = make()
    none = auxiliary.take([], standardize=standardize)
    assert none.shape == (0, auxiliary.n_features)
    np.testing.assert_array_equal(
        auxiliary.take(3, standardize=standardize),
        auxiliary.take([3], standardize=standardize),
    )


# ----------------------------------------------------------------- sharing and sending


def test_clones_and_copies_are_the_same_object():
    auxiliary = make()
    holder = Holder(auxiliary)
    assert clone(holder).auxiliary_corpora is auxiliary
    assert clone(auxiliary) is auxiliary
    assert copy.deepcopy(holder).auxiliary_corpora is auxiliary
    assert copy.copy(auxiliary) is copy.deepcopy(auxiliary) is auxiliary
    assert holder.get_params()["auxiliary_corpora"] is auxiliary
    assert auxiliary != make()
    assert len({auxiliary, make()}) == 2


def test_nothing_can_be_changed():
    auxiliary = make()
    assert_read_only(auxiliary)
    with pytest.raises(AttributeError, match="Cannot assign"):
        auxiliary.segments = np.zeros((15, 3), np.float32)
    with pytest.raises(AttributeError, match="Cannot assign"):
        auxiliary.anything = 1
    with pytest.raises(AttributeError, match="Cannot delete"):
        del auxiliary.names


def by_pickle(value):
    return pickle.loads(pickle.dumps(value))


def by_joblib(value):
    with io.BytesIO() as file:
        joblib.dump(value, file)
        file.seek(0)
        return joblib.load(file)


def by_skops(value):
    dumped = skops.io.dumps(value)
    types = skops.io.get_untrusted_types(data=dumped)
    own = f"{AuxiliaryCorpora.__module__}.AuxiliaryCorpora"
    assert set(types) == {own, f"{Holder.__module__}.Holder"}
    return skops.io.loads(dumped, trusted=types)


@pytest.mark.parametrize("by", [by_pickle, by_joblib, by_skops])
def test_state_survives(by):
    auxiliary = make()
    assert auxiliary.holds(utterances()).all()
    found = by(Holder(auxiliary)).auxiliary_corpora
    assert type(found) is AuxiliaryCorpora
    assert found is not auxiliary
    assert_equal(found, auxiliary)
    assert_read_only(found)
    assert type(found.names) is tuple


def test_the_state_stays_the_same_when_it_is_used():
    auxiliary = make()
    before = joblib.hash(auxiliary)
    auxiliary.holds(utterances())
    auxiliary.take([1, 2], standardize=True)
    repr(auxiliary)
    assert joblib.hash(auxiliary) == before == joblib.hash(make())


def map_of(auxiliary):
    """Return the map of memory in which the segments lie."""
    assert type(auxiliary.segments) is np.ndarray
    assert isinstance(auxiliary.segments.base, np.memmap)
    return auxiliary.segments.base


def test_a_mapped_file_stays_mapped_and_is_the_same_to_a_cache(tmp_path):
    auxiliary = make_large()
    path = tmp_path / "auxiliary.joblib"
    joblib.dump(auxiliary, path)
    for mode in ("r", "c"):
        found = joblib.load(path, mmap_mode=mode)
        assert str(map_of(found).filename) == str(path)
        assert np.shares_memory(found.segments, map_of(found))
        assert joblib.hash(found) == joblib.hash(auxiliary)
        assert joblib.hash(Holder(found)) == joblib.hash(Holder(auxiliary))
        assert_equal(found, auxiliary)
        assert_read_only(found)
        taken = found.take([3, 1], standardize=False)
        assert type(taken) is np.ndarray
        taken[:] = 0
        assert_equal(found, auxiliary)


def report(holder, rows):
    """Tell from a worker process how the corpora came there."""
    auxiliary = holder.auxiliary_corpora
    assert_read_only(auxiliary)
    return (
        str(map_of(auxiliary).filename),
        joblib.hash(auxiliary),
        auxiliary.take(rows, standardize=True),
        auxiliary.holds(np.split(auxiliary.segments, 20)).all(),
    )


@pytest.mark.slow
def test_workers_map_one_copy():
    auxiliary = make_large()
    assert auxiliary.segments.nbytes > 1e6
    rows = np.array([7, 999, 0])
    reports = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(report)(clone(Holder(auxiliary)), rows) for _ in range(3)
    )
    files, hashes, taken, held = zip(*reports, strict=True)
    assert len(set(files)) == 1
    assert set(hashes) == {joblib.hash(auxiliary)}
    for values in taken:
        np.testing.assert_array_equal(values, auxiliary.take(rows, standardize=True))
    assert all(held)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_cross_validated_with_the_target_and_never_split(n_jobs):
    auxiliary = make_large()
    X = as_sequences(utterances([3] * 12))
    scores = cross_validate(
        Holder(auxiliary), X, ["a", "b"] * 6, cv=3, n_jobs=n_jobs, error_score="raise"
    )["test_score"]
    whole = len(auxiliary) + auxiliary.segments.sum(dtype=np.float64)
    assert scores.tolist() == [whole] * 3


# -------------------------------------------------------------------- same utterances


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_holds_what_it_was_made_of_and_nothing_else(dtype):
    X = utterances(dtype=dtype)
    auxiliary = AuxiliaryCorpora(X, QUADRANTS, corpus=CORPORA)
    others = utterances(seed=1, dtype=dtype)
    mixed = [X[4], others[0], X[0].astype(np.float64), X[2].astype(np.float32)]
    found = auxiliary.holds(mixed)
    assert found.dtype == bool
    assert found.tolist() == [True, False, True, True]
    assert auxiliary.holds(as_sequences(mixed)).tolist() == found.tolist()
    close = X[0].astype(np.float32)
    close[2, 1] = np.nextafter(close[2, 1], np.float32(np.inf))
    near = [close, X[0][::-1], X[0][:2], np.concatenate(X[:2]), X[0][:, :2]]
    assert [bool(auxiliary.holds([x])[0]) for x in near] == [False] * 5
    # Another layout of the same values.
    assert auxiliary.holds([np.asfortranarray(X[0]), X[1][:, ::-1][:, ::-1]]).all()


def test_holds_takes_the_zeros_for_one():
    X = utterances([2, 3])
    X[0][0, 0] = 0.0
    X[1][2, 2] = -0.0
    auxiliary = AuxiliaryCorpora(X, [1, 2])
    turned = [x.copy() for x in X]
    turned[0][0, 0] = -0.0
    turned[1][2, 2] = 0.0
    assert auxiliary.holds(turned).all()
    assert np.signbit(auxiliary.segments[4, 2])  # and keeps what was given


def test_holds_tells_the_same_values_in_another_shape_apart():
    values = np.arange(12.0)
    auxiliary = AuxiliaryCorpora([values.reshape(4, 3)], [1])
    assert auxiliary.holds([values.reshape(4, 3)]).all()
    assert not auxiliary.holds([values.reshape(3, 4)]).any()
    assert not auxiliary.holds([np.zeros((0, 3)), np.zeros((5, 3))]).any()


@pytest.mark.parametrize("level", [-100.0, 0.0])
def test_silence_does_not_count(level):
    silence = np.full((4, 3), level)
    some = silence.copy()
    some[3, 2] += 1
    auxiliary = AuxiliaryCorpora([silence, some], [1, 2])
    assert auxiliary.holds([silence, some, silence]).tolist() == [False, True, False]
    nothing_but = AuxiliaryCorpora([silence], [1])
    assert not nothing_but.holds([silence, some]).any()


def test_holds_of_values_that_float32_does_not_have():
    auxiliary = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = auxiliary.holds([np.full((3, 3), 1e300), np.full((1, 3), np.nan)])
    assert not found.any()
    largest = np.finfo(np.float32).max
    extreme = np.array([[largest, -largest, 0.0]])
    assert AuxiliaryCorpora([extreme], [1]).holds([extreme]).all()


# ---------------------------------------------------------------------------- showing


def test_repr():
    assert repr(make()) == (
        "<AuxiliaryCorpora EMO-DB, URDU: 5 utterances, 15 segments of 3 values, "
        "quadrants 1 to 4: 3 / 5 / 0 / 4, unknown: 3>"
    )
    X = utterances([600, 500], n_features=1)
    assert repr(AuxiliaryCorpora(X, [2, 3])) == (
        "<AuxiliaryCorpora unnamed: 2 utterances, 1,100 segments of 1 value, "
        "quadrants 1 to 4: 0 / 600 / 500 / 0>"
    )


def test_repr_within_an_estimator():
    auxiliary = make()
    text = repr(Holder(auxiliary))
    assert " ".join(text.split()) == f"Holder(auxiliary_corpora={auxiliary})"
    page = Holder(auxiliary)._repr_html_()
    assert "&lt;AuxiliaryCorpora EMO-DB" in page
    assert "<AuxiliaryCorpora" not in page


# --------------------------------------------------------------------------- refusals


def with_second(values):
    X = utterances(dtype=np.float64)
    X[1] = np.asarray(values)
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "X holds no utterances"),
        (np.zeros((0, 3)), "X holds no utterances"),
        (np.zeros(5), r"got an array of shape \(5,\)"),
        (["a.wav", "b.wav"], "X holds paths, not sequences: put a front end"),
        (
            with_second(np.zeros((0, 3))),
            r"utterance 1 of 5 has no frames.*has_features",
        ),
        (with_second(np.zeros((2, 4))), r"utterance 1 of 5 has frames of 4 features"),
        (with_second(np.zeros(3)), r"utterance 1 of 5 has 1 dimension\(s\), not 2"),
        (with_second([["a", "b", "c"]]), "utterance 1 of 5 does not hold real numbers"),
        (with_second([[0, np.nan, 0]]), "contains NaN: utterance 1 of 5, frame 0"),
        (with_second([[0, 0, -np.inf]]), "contains infinity: utterance 1 of 5"),
        (with_second([[1e39, 0, 0]]), "too large for float32: utterance 1 of 5"),
        ([np.zeros((2, 0))], r"0 feature\(s\)"),
        ([[1.0, 2.0], [np.nan, 2.0]], "contains NaN: utterance 1 of 2"),
    ],
)
def test_faulty_utterances_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        AuxiliaryCorpora(X, [1] * len(X))


@pytest.mark.parametrize("value", [0, 5, -1, 1.5, "1", "anger", np.inf, 2 + 0j, True])
def test_other_quadrants_are_refused(value):
    with pytest.raises(ValueError, match=r"quadrant of utterance 2 of 5 is .* must be"):
        AuxiliaryCorpora(utterances(), [1, None, value, 2, 9])


@pytest.mark.parametrize("name", ["quadrant", "corpus"])
@pytest.mark.parametrize("values", [[1, 2], [1] * 6, [[1]] * 5, 3, "EMO-DB"])
def test_one_label_for_each_utterance(name, values):
    labels = {"quadrant": [1] * 5, "corpus": ["a"] * 5} | {name: values}
    with pytest.raises(
        ValueError, match=rf"{name} has the shape .* X has 5 utterances"
    ):
        AuxiliaryCorpora(utterances(), **labels)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_each_utterance_has_a_corpus(missing):
    corpus = ["a", "a", missing, "b", missing]
    with pytest.raises(ValueError, match="utterance 2 of 5 has no corpus"):
        AuxiliaryCorpora(utterances(), [1] * 5, corpus=corpus)
