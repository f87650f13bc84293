"""Ragged sequences: every container, every fault, and batches of what they hold."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
    train_test_split,
)
from sklearn.preprocessing import StandardScaler

from sklearn_ser.sequences import Sequences, as_sequences, check_sequences

LENGTHS = (3, 1, 5, 4)
LARGEST = float(np.finfo(np.float32).max)


def utterances(lengths=LENGTHS, n_features=2, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(5, 3, (n, n_features)).astype(dtype) for n in lengths]


def objects(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def equal_ones():
    return utterances((4, 4, 4))


def check(X, estimator=None, *, reset=True, **keywords):
    return check_sequences(estimator or BaseEstimator(), X, reset=reset, **keywords)


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


RAGGED = {
    "list": list,
    "tuple": tuple,
    "object array": objects,
    "series": lambda x: pd.Series(list(x), index=range(9, 9 + len(x))),
    "reversed views": lambda x: [a[::-1][::-1] for a in x],
    "tensors": lambda x: [torch.from_numpy(a) for a in x],
    "mixed": lambda x: [x[0], *map(torch.from_numpy, x[1:])],
}
COPIED = {
    # pandas itself copies in some versions.
    "data frames": lambda x: [pd.DataFrame(a.copy()) for a in x],
    "nested lists": lambda x: [a.tolist() for a in x],
    "object frames": lambda x: [a.astype(object) for a in x],
}
CUBES = {
    "3-D": np.stack,
    "3-D that numpy made": lambda x: np.array(x, dtype=object),
    "3-D tensor": lambda x: torch.from_numpy(np.stack(x)),
}
TABLES = {
    "2-D": np.asarray,
    "integers": lambda x: np.asarray(x).astype(np.int16),
    "data frame": lambda x: pd.DataFrame(x, columns=["a", "b"]),
    "list of lists": lambda x: np.asarray(x).tolist(),
    "list of rows": list,
    "2-D tensor": torch.from_numpy,
    "2-D objects": lambda x: np.asarray(x).astype(object),
}


# What is accepted


@pytest.mark.parametrize("container", RAGGED | COPIED)
def test_ragged_containers(container):
    given_ones = utterances()
    X = (RAGGED | COPIED)[container](given_ones)
    for sequences in (check(X), as_sequences(X)):
        found = getattr(sequences, "arrays", sequences)
        assert_equal(found, given_ones)
        shared = [
            np.shares_memory(a, b) for a, b in zip(found, given_ones, strict=True)
        ]
        assert all(shared) == (container in RAGGED)
    assert check(X).kind == "ragged"
    assert check(X).lengths.tolist() == list(LENGTHS)
    assert as_sequences(X).shape == (4,)
    assert as_sequences(X).dtype == object


@pytest.mark.parametrize("container", [*RAGGED, *COPIED])
def test_ragged_containers_of_equal_lengths_stay_ragged(container):
    X = (RAGGED | COPIED)[container](equal_ones())
    assert check(X).kind == "ragged"
    assert as_sequences(X).shape == (3,)
    assert_equal(as_sequences(X), equal_ones())


@pytest.mark.parametrize("container", CUBES)
def test_three_dimensions(container):
    X = CUBES[container](equal_ones())
    assert X.shape == (3, 4, 2)
    assert check(X).kind == "cube"
    assert_equal(check(X).arrays, equal_ones())
    assert as_sequences(X).shape == (3,)
    assert_equal(as_sequences(X), equal_ones())
    if container != "3-D that numpy made":
        assert np.shares_memory(as_sequences(X)[1], np.asarray(X))
        assert np.shares_memory(check(X).arrays[1], np.asarray(X))


@pytest.mark.parametrize("container", TABLES)
def test_tables_are_utterances_of_one_frame(container):
    rows = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    estimator = BaseEstimator()
    sequences = check(TABLES[container](rows), estimator)
    assert sequences.kind == "table"
    assert sequences.lengths.tolist() == [1, 1, 1]
    assert_equal(sequences.arrays, rows[:, None, :])
    assert_equal(as_sequences(TABLES[container](rows)), rows[:, None, :])
    assert hasattr(estimator, "feature_names_in_") == (container == "data frame")
    if container == "2-D":
        assert np.shares_memory(sequences.arrays[1], rows)
        assert np.shares_memory(as_sequences(rows)[1], rows)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float64])
def test_numbers_of_every_kind_stay_as_they_are(dtype):
    X = [a.astype(dtype) for a in utterances()]
    sequences = check(X)
    assert_equal(sequences.arrays, X)
    assert all(a.dtype == dtype for a in [*sequences.arrays, *as_sequences(X)])
    assert sequences.frames(np.arange(3)).dtype == np.float32
    mean, scale = sequences.moments()
    frames = np.concatenate(X).astype(np.float64)
    np.testing.assert_allclose(mean, frames.mean(axis=0))
    spread = frames.std(axis=0)
    np.testing.assert_allclose(scale, np.where(spread == 0, 1, spread))


def test_one_utterance():
    assert len(check(utterances()[:1])) == 1
    assert as_sequences(utterances()[:1]).shape == (1,)


def test_the_estimator_learns_the_width():
    estimator = BaseEstimator()
    check(pd.DataFrame(np.ones((2, 2)), columns=["a", "b"]), estimator)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    check(utterances(n_features=3), estimator)
    assert estimator.n_features_in_ == 3
    assert not hasattr(estimator, "feature_names_in_")
    check(utterances(n_features=3)[:1], estimator, reset=False)
    for X in (utterances(), np.ones((2, 5, 2)), np.ones((2, 2))):
        with pytest.raises(
            ValueError, match="2 features, but BaseEstimator is expecting 3"
        ):
            check(X, estimator, reset=False)


def test_utterances_without_frames_where_they_are_allowed():
    X = utterances((0, 3, 0))
    sequences = check(X, allow_empty=True)
    assert sequences.lengths.tolist() == [0, 3, 0]
    frames, lengths = sequences.padded(np.arange(3))
    np.testing.assert_array_equal(frames[1], X[1])
    assert lengths.tolist() == [0, 3, 0]
    assert not frames[[0, 2]].any()
    assert_equal(sequences.chunks(2), [X[1][:2], X[1][2:]])
    assert_equal(sequences.like_input(X[1]), X)
    assert check(np.zeros((2, 0, 3)), allow_empty=True).lengths.tolist() == [0, 0]
    with pytest.raises(ValueError, match="utterance 1 of 2, frame 0, feature 0"):
        check([X[0], np.full((1, 2), np.nan)], allow_empty=True)


# What is refused


def spoilt(value, index=1, place=(0, 1), dtype=np.float64):
    X = utterances(dtype=dtype)
    X[index][place] = value
    return X


def with_second(utterance):
    return [utterances()[0], utterance, *utterances()[2:]]


@pytest.mark.parametrize("make", [list, objects, pd.Series], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (spoilt(np.nan), "contains NaN: utterance 1 of 4, frame 0, feature 1. Repair"),
        (spoilt(np.inf, 2, (4, 0)), "contains infinity: utterance 2 of 4, frame 4, f"),
        (spoilt(-np.inf, 0), "contains infinity: utterance 0 of 4, frame 0, feature"),
        (spoilt(1e39, 3), "a value too large for float32: utterance 3 of 4, frame 0, "),
        (spoilt(-1e300, 3), "a value too large for float32: utterance 3 of 4, frame"),
        (
            with_second(spoilt(np.nan)[1].astype(np.float32)),
            "contains NaN: utterance 1 of 4, frame 0, feature 1",
        ),
        (
            with_second(np.array([[1.0, 1e300]], dtype=object)),
            "a value too large for float32: utterance 1 of 4, frame 0, feature 1",
        ),
        (with_second(np.array([[1.0, None]])), "contains NaN: utterance 1 of 4, fram"),
        (with_second(np.ones((0, 2))), "utterance 1 of 4 has no frames: .*has_f"),
        (with_second(np.ones((4, 3))), "utterance 1 of 4 has frames of 3 features, but "
         "utterance 0 has 2"),
        (with_second(np.ones(2)), r"utterance 1 of 4 has 1 dimension\(s\), not 2"),
        (with_second(np.ones((1, 2, 2))), r"utterance 1 of 4 has 3 dimension\(s\)"),
        (with_second([[1, 2], [3]]), r"utterance 1 of 4 has 1 dimension\(s\)"),
        (with_second([]), r"utterance 1 of 4 has 1 dimension\(s\), not 2"),
        (with_second(None), r"utterance 1 of 4 has 0 dimension\(s\), not 2"),
        (with_second(np.ones((2, 2)) * 1j), "utterance 1 of 4 does not hold real num"
         "bers: its dtype is complex128"),
        (with_second(np.array([["1", "2"]])), "utterance 1 of 4 does not hold real "),
        (with_second(np.array([["a", 2.0]], dtype=object)), "utterance 1 of 4 does n"),
        (with_second(np.array([[10**400, 2]])), "utterance 1 of 4 does not hold real"),
        (with_second(np.array([["2020", "2021"]], "M8[D]")), "its dtype is datetime64"),
        ([np.ones((3, 0)), np.ones((2, 0))], r"0 feature\(s\)"),
        ([np.ones((1, 2, 2))] * 2, r"utterance 0 of 2 has 3 dimension\(s\)"),
        ([np.ones(3), np.ones(4)], r"utterance 0 of 2 has 1 dimension\(s\)"),
        ([], r"X holds no utterances: found array with 0 sample\(s\)"),
    ],
)  # fmt: skip
def test_faults_name_the_utterance(make, X, message):
    with pytest.raises(ValueError, match=message):
        check(make(X))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 3, 4, 5)), "X has 4 dimensions: give one array of shape"),
        (np.zeros((0, 3, 4)), r"found array with 0 sample\(s\)"),
        (np.zeros((0, 3)), r"0 sample\(s\)"),
        (np.zeros((3, 0)), r"0 feature\(s\)"),
        (np.zeros((2, 3, 0)), r"0 feature\(s\)"),
        (np.zeros((2, 0, 3)), "utterance 0 of 2 has no frames"),
        (np.full((2, 2, 2), np.nan), "NaN: utterance 0 of 2, frame 0, feature 0"),
        (np.full((2, 2), np.nan), "contains NaN"),
        (np.ones((2, 2)) * 1j, "Complex data not supported"),
        (np.ones((2, 2, 2)) * 1j, "does not hold real numbers: its dtype is complex"),
        (np.ones(3), "Expected 2D array, got 1D array instead"),
        ([1.0, 2.0], "Expected 2D array, got 1D array instead"),
        (["a", "b"], "put a front end before this step"),
        ("text", "Expected 2D array|could not convert string"),
        (None, "Expected 2D array, got scalar"),
        (objects(["a", "b"]), "put a front end before this step"),
    ],
)
def test_faults_of_the_whole(X, message):
    with pytest.raises(ValueError, match=message):
        check(X)


def test_a_table_with_too_large_a_value():
    with (
        pytest.warns(RuntimeWarning, match="overflow encountered in cast"),
        pytest.raises(ValueError, match="infinity or a value too large for dtype"),
    ):
        check(np.full((2, 2), 1e39))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (with_second(np.ones((4, 3))), "utterance 1 of 4 has frames of 3 features"),
        (with_second(np.ones(2)), r"utterance 1 of 4 has 1 dimension\(s\)"),
        (with_second(np.array([["a"]])), "utterance 1 of 4 does not hold real numb"),
        ([np.ones(3), np.ones(4)], r"utterance 0 of 2 has 1 dimension\(s\)"),
        (np.array([["a", "b"]]), "X does not hold real numbers"),
        (np.ones(3), r"one for each utterance, got an array of shape \(3,\)"),
        (3.0, r"got an array of shape \(\)"),
        (np.ones((2, 3, 4, 5)), "X has 4 dimensions"),
        ([], "X holds no utterances"),
    ],
)
def test_as_sequences_refuses(X, message):
    with pytest.raises(ValueError, match=message):
        as_sequences(X)


def test_as_sequences_leaves_values_and_empty_utterances_alone():
    X = [np.ones((0, 2)), np.full((1, 2), np.nan)]
    assert_equal(as_sequences(X), X)


@pytest.mark.parametrize("value", [LARGEST, -LARGEST])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_numbers_pass(value, dtype):
    sequences = check(spoilt(value, dtype=dtype))
    assert sequences.frames(np.array([3]))[0, 1] == value


# Statistics


def test_standardised_like_standard_scaler():
    X = utterances(LENGTHS * 20, n_features=6, dtype=np.float64)
    for a in X:
        a[:, 1] *= 1e-6
        a[:, 2] += 1e7
        a[:, 3] = 0.1
        a[:, 4] = 1e30 * a[:, 4]
        a[:, 5] = 0
    frames = np.concatenate(X)
    scaler = StandardScaler().fit(frames)
    sequences = check(X)
    mean, scale = sequences.moments()
    np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-14)
    np.testing.assert_allclose(scale, scaler.scale_, rtol=1e-7)
    assert scale[3] == scale[5] == 1
    expected = scaler.transform(frames)
    standardized = sequences.standardized(mean, scale)
    some = np.array([5, 3, 100, 3])
    np.testing.assert_allclose(standardized.frames(some), expected[some], atol=2e-6)
    padded, lengths = standardized.padded(np.array([2, 0]))
    np.testing.assert_allclose(padded[0], expected[4:9], atol=2e-6)
    np.testing.assert_allclose(padded[1, :3], expected[:3], atol=2e-6)
    assert not padded[1, lengths[1] :].any()
    assert padded.dtype == standardized.frames(some).dtype == np.float32
    # Neither the input nor what was made of it has changed.
    np.testing.assert_array_equal(np.concatenate(X), frames)
    np.testing.assert_array_equal(sequences.frames(some), frames[some].astype("f4"))
    np.testing.assert_array_equal(
        standardized[np.array([0])].frames(some[1:2] - 3), standardized.frames([0])
    )


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(2, 40), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    st.floats(-1e8, 1e8),
)
def test_moments_are_those_of_all_frames(frames, offset):
    frames = frames.astype(np.float64) + offset  # a large mean, a small spread
    cuts = [len(frames) // 3, len(frames) // 2]
    parts = [part for part in np.split(frames, cuts) if len(part)]
    mean, scale = Sequences(parts).moments()
    scaler = StandardScaler().fit(frames)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-12, atol=1e-12)
    spread = frames.std(axis=0)
    size = np.abs(frames).max(axis=0)
    rounding = 1e-13 * size * len(frames)
    clear = (spread > 10 * rounding) | (np.ptp(frames, axis=0) == 0)
    np.testing.assert_allclose(
        scale[clear], scaler.scale_[clear], rtol=1e-6, atol=rounding.max()
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e-30, 1e10, 123456.789])
def test_a_constant_has_the_scale_one(dtype, value):
    X = [np.full((n, 1), value, dtype) for n in (7, 100, 1000)]
    mean, scale = check(X).moments()
    np.testing.assert_allclose(mean, X[0][0], rtol=1e-12)
    assert scale == 1
    frames = check(X).standardized(mean, scale).frames(np.arange(50))
    np.testing.assert_allclose(frames, 0, atol=1e-12 * max(1, abs(value)))


def test_a_small_spread_far_from_zero_is_no_constant():
    values = 1e4 + 1e-3 * np.random.default_rng(0).normal(size=(500, 1))
    _, scale = Sequences([values[:100], values[100:]]).moments()
    np.testing.assert_allclose(scale, values.std(), rtol=1e-6)


# Frames, padding and the way back

lengths_of = st.lists(st.integers(1, 9), min_size=1, max_size=12)


def numbered(lengths, n_features=2):
    """Make utterances in which each value occurs once."""
    values = np.arange(sum(lengths) * n_features, dtype=np.float32)
    parts = np.split(values.reshape(-1, n_features), np.cumsum(lengths)[:-1])
    return list(parts)


@given(lengths_of, st.data())
def test_frames_are_those_of_the_concatenation(lengths, data):
    X = numbered(lengths)
    sequences, frames = Sequences(X), np.concatenate(X)
    which = data.draw(st.lists(st.integers(0, len(frames) - 1)))
    found = sequences.frames(np.array(which, dtype=np.intp))
    np.testing.assert_array_equal(found, frames[which].reshape(-1, 2))
    assert found.dtype == np.float32
    assert sequences.n_frames == len(frames)
    owner = np.repeat(np.arange(len(X)), lengths)
    np.testing.assert_array_equal(sequences.utterance, owner)


@given(lengths_of, st.integers(1, 30))
def test_chunks_are_all_frames_in_order(lengths, size):
    X = numbered(lengths)
    chunks = list(Sequences(X).chunks(size))
    np.testing.assert_array_equal(np.concatenate(chunks), np.concatenate(X))
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert 0 < len(chunks[-1]) <= size


@given(lengths_of, st.data())
def test_padded_holds_the_utterances_and_zeros(lengths, data):
    X = [a + 1 for a in numbered(lengths)]
    which = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1))
    padded, found = Sequences(X).padded(np.array(which))
    assert padded.shape == (len(which), max(lengths[i] for i in which), 2)
    assert padded.dtype == np.float32
    assert found.tolist() == [lengths[i] for i in which]
    for row, index in zip(padded, which, strict=True):
        np.testing.assert_array_equal(row[: lengths[index]], X[index])
        assert not row[lengths[index] :].any()


def test_nothing_to_pad_or_gather():
    sequences = Sequences(numbered((3, 2)))
    nothing = np.array([], dtype=np.intp)
    assert sequences.frames(nothing).shape == (0, 2)
    padded, lengths = sequences.padded(nothing)
    assert padded.shape == (0, 0, 2)
    assert lengths.shape == (0,)


@given(lengths_of, st.integers(1, 4))
def test_like_input_is_the_way_back(lengths, n_outputs):
    X = numbered(lengths)
    sequences = check(X)
    back = sequences.like_input(np.concatenate(X))
    assert back.shape == (len(X),)
    assert back.dtype == object
    assert_equal(back, X)
    outputs = np.ones((sequences.n_frames, n_outputs))
    assert [part.shape for part in sequences.like_input(outputs)] == [
        (n, n_outputs) for n in lengths
    ]


def test_like_input_keeps_the_container():
    cube = np.stack(equal_ones())
    frames = cube.reshape(-1, 2)
    np.testing.assert_array_equal(check(cube).like_input(frames), cube)
    np.testing.assert_array_equal(check(frames).like_input(frames), frames)
    assert check(list(cube)).like_input(frames).shape == (3,)
    assert check(cube).like_input(np.ones((12, 7))).shape == (3, 4, 7)
    assert check(cube)[np.array([2])].like_input(frames[:4]).shape == (1, 4, 2)


def test_a_part_of_the_utterances():
    X = utterances()
    sequences = check(X).standardized(np.ones(2), np.full(2, 2.0))
    for which in (np.array([2, 0]), np.array([True, False, True, False])):
        part = sequences[which]
        chosen = np.arange(4)[which]
        assert len(part) == 2
        assert part.lengths.tolist() == [LENGTHS[i] for i in chosen]
        assert np.shares_memory(part.arrays[0], X[chosen[0]])
        np.testing.assert_array_equal(
            part.padded(np.arange(2))[0], sequences.padded(chosen)[0]
        )


# Batches


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=40),
    st.integers(1, 15),
    st.none() | st.integers(0, 99),
)
def test_each_utterance_is_in_one_batch_of_similar_lengths(lengths, size, seed):
    generator = None if seed is None else np.random.default_rng(seed)
    batches = Sequences(numbered(lengths)).buckets(size, generator)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert all(0 < len(batch) <= size for batch in batches)
    assert padding(batches, np.array(lengths)) <= 1.1
    if len(batches) == -(-len(lengths) // size):  # none had to be cut
        assert sorted(map(len, batches))[1:] == [size] * (len(batches) - 1)
    # Of two batches one holds the shorter utterances, save for the blur of a tenth.
    spans = [
        (min(lengths[i] for i in batch), max(lengths[i] for i in batch))
        for batch in batches
    ]
    blur = 1 if seed is None else np.exp(0.1)
    for (least, most), (shortest, longest) in combinations(spans, 2):
        assert most <= shortest * blur + 1e-9 or longest <= least * blur + 1e-9


def padding(batches, lengths):
    """Return the frames of padded batches for each real frame."""
    return sum(len(b) * lengths[b].max() for b in batches) / lengths.sum()


@pytest.mark.parametrize("batch_size", [16, 32])
def test_buckets_save_padding(batch_size):
    rng = np.random.default_rng(0)
    lengths = np.ceil(rng.lognormal(5, 0.8, 2000)).astype(int)
    sequences = Sequences([np.empty((n, 1), np.float32) for n in lengths])
    assert padding(sequences.buckets(batch_size), lengths) < 1.1
    assert padding(sequences.buckets(batch_size, rng), lengths) < 1.1
    random = np.split(rng.permutation(2000), range(batch_size, 2000, batch_size))
    assert padding(random, lengths) > 2


@pytest.mark.parametrize("n", [400, 535, 650])
@pytest.mark.parametrize("batch_size", [16, 32])
@pytest.mark.parametrize("spread", [0.4, 0.8])  # 0.4: that of EMO-DB
def test_padding_adds_a_tenth_at_most_to_a_small_corpus(n, batch_size, spread):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        lengths = np.ceil(rng.lognormal(5.5, spread, n)).astype(int)
        sequences = Sequences([np.empty((k, 1), np.float32) for k in lengths])
        for generator in (None, rng):
            batches = sequences.buckets(batch_size, generator)
            assert padding(batches, lengths) <= 1.1
            # Few more batches than there must be: only the longest are cut.
            assert len(batches) <= -(-n // batch_size) * (1.2 if spread < 0.5 else 1.8)


def test_batches_are_cut_only_where_padding_asks_for_it():
    few = np.append(np.full(30, 100), [300, 310])
    sequences = Sequences([np.empty((n, 1), np.float32) for n in few])
    # 16 and 16: the second would add 14 * 210 + 10 frames to 3610. Cut once.
    assert [len(batch) for batch in sequences.buckets(16)] == [16, 14, 2]
    few[-2:] = 110, 120
    sequences = Sequences([np.empty((n, 1), np.float32) for n in few])
    assert [len(batch) for batch in sequences.buckets(16)] == [16, 16]


def test_an_utterance_meets_many_others():
    lengths = np.ceil(np.random.default_rng(0).lognormal(5.5, 0.4, 535)).astype(int)
    sequences = Sequences([np.empty((n, 1), np.float32) for n in lengths])
    rng, met = np.random.default_rng(0), np.eye(535, dtype=bool)
    for _ in range(40):
        for batch in sequences.buckets(16, rng):
            met[np.ix_(batch, batch)] = True
    assert np.median(met.sum(axis=1) - 1) > 60


@pytest.mark.parametrize("seed", [None, 0])
def test_one_long_utterance_lengthens_few_others(seed):
    lengths = np.append(np.full(31, 100), 300_000)
    sequences = Sequences([np.empty((n, 50), np.float32) for n in lengths])
    generator = None if seed is None else np.random.default_rng(seed)
    batches = sequences.buckets(32, generator)
    assert sorted(np.concatenate(batches).tolist()) == list(range(32))
    assert max(len(b) * lengths[b].max() * 50 for b in batches) <= 2**24


def test_epochs_differ_and_a_seed_repeats_them():
    lengths = np.random.default_rng(0).integers(50, 200, 60)
    sequences = Sequences([np.empty((n, 1), np.float32) for n in lengths])
    generator = np.random.default_rng(1)
    first, second = (sequences.buckets(8, generator) for _ in range(2))
    again = sequences.buckets(8, np.random.default_rng(1))
    assert_equal(first, again)
    sets = [{frozenset(batch.tolist()) for batch in epoch} for epoch in (first, second)]
    assert sets[0] != sets[1]
    shuffled = [lengths[batch].mean() for batch in first]
    assert shuffled != sorted(shuffled)
    in_order = [lengths[batch].mean() for batch in sequences.buckets(8)]
    assert in_order == sorted(in_order)


# scikit-learn's splitting


class Longest(BaseEstimator):
    """Predicts whether an utterance is longer than those of training on average."""

    _estimator_type = "classifier"

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        sequences = check_sequences(self, X, reset=True)
        assert len(sequences) == len(y)
        self.limit_ = sequences.lengths.mean() * self.factor
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        sequences = check_sequences(self, X, reset=False)
        return (sequences.lengths > self.limit_).astype(int)

    def score(self, X, y):
        return float((self.predict(X) == y).mean())


@pytest.mark.parametrize("container", RAGGED | COPIED)
def test_splitting_by_scikit_learn(container):
    lengths = np.array([2, 9, 3, 8, 2, 9, 1, 7, 3, 9, 2, 8])
    y, groups = (lengths > 5).astype(int), np.repeat([0, 1, 2], 4)
    given_ones = utterances(lengths)
    X = (RAGGED | COPIED)[container](given_ones)
    train, test, *_ = train_test_split(X, y, test_size=0.25, random_state=0)
    assert len(train) == 9
    numbers = train_test_split(np.arange(12), test_size=0.25, random_state=0)[1]
    assert_equal(as_sequences(test), [given_ones[i] for i in numbers])
    scores = cross_validate(
        Longest(), X, y, cv=GroupKFold(3), groups=groups, error_score="raise"
    )
    assert scores["test_score"].tolist() == [1, 1, 1]
    predicted = cross_val_predict(Longest(), X, y, cv=StratifiedKFold(3))
    np.testing.assert_array_equal(predicted, y)
    search = GridSearchCV(Longest(), {"factor": [1.0, 9.0]}, cv=2, error_score="raise")
    assert search.fit(X, y).best_params_ == {"factor": 1.0}


def test_object_arrays_take_indices_and_masks():
    X = as_sequences(utterances())
    assert_equal(X[[2, 0]], [utterances()[2], utterances()[0]])
    assert len(X[np.array([True, False, True, True])]) == 3


@pytest.mark.parametrize("container", [list, tuple, pd.Series])
def test_recordings_want_a_front_end(container):
    paths = container(["a.wav", "b.wav"])
    for read in (as_sequences, check):
        with pytest.raises(ValueError, match="put a front end before this step"):
            read(paths)
