"""Ragged sequences: every container, every fault."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
    train_test_split,
)

from sklearn_ser.sequences import as_sequences, check_sequences, join_frames
from tests.sequences import LENGTHS, assert_equal, check, equal_ones, utterances

LARGEST = float(np.finfo(np.float32).max)


def objects(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


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


def test_widths_are_compared_with_the_first_utterance():
    X = [*utterances(), np.ones((3, 7))]
    message = "utterance 4 of 5 has frames of 7 features, but utterance 0 has 2"
    with pytest.raises(ValueError, match=message):
        check(X)


@pytest.mark.parametrize("n_frames", [1, 3, 4, 9])
def test_frames_are_joined_in_order_and_none_is_lost(n_frames):
    X = [np.arange(n * 2.0).reshape(n, 2) + 1 for n in (1, 4, 9)]
    joined = join_frames(X, n_frames)
    for frames, segments in zip(X, joined, strict=True):
        assert segments.shape == (-(-len(frames) // n_frames), 2 * n_frames)
        again = segments.reshape(-1, 2)
        np.testing.assert_array_equal(again[: len(frames)], frames)
        assert not again[len(frames) :].any()


@pytest.mark.parametrize("wrong", [0, -1, 1.5, None])
def test_segments_have_at_least_a_frame(wrong):
    with pytest.raises(ValueError, match="n_frames must be a positive integer, got"):
        join_frames([np.ones((3, 2))], wrong)
