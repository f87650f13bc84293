"""The frames of sequences: statistics, padding, windows, batches."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from sklearn_ser.sequences import Sequences, window_starts
from tests.sequences import LENGTHS, assert_equal, check, equal_ones, utterances


@given(st.integers(1, 500), st.integers(1, 60))
def test_windows_cover_an_utterance_evenly(n_frames, length):
    starts = window_starts(n_frames, length)
    assert len(starts) == max(1, -(-n_frames // length))
    assert starts[0] == 0
    if n_frames > length:
        assert starts[-1] == n_frames - length
        steps = np.diff(starts)
        assert (steps <= length).all()  # no gap
        assert steps.max() - steps.min() <= 1


def test_windows_of_sequences():
    X = utterances((24, 20, 29, 26), n_features=4)
    sequences = Sequences(X).standardized(np.full(4, 0.5), np.full(4, 2.0))
    windows = sequences.windows(np.array([2, 0, 2]), np.array([0, 15, 3]), 10)
    assert windows.dtype == np.float32
    for window, (index, start) in zip(windows, [(2, 0), (0, 15), (2, 3)], strict=True):
        expected = (X[index][start : start + 10] - 0.5) / 2
        np.testing.assert_allclose(window[: len(expected)], expected, rtol=1e-6)
        assert (window[len(expected) :] == 0).all()


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


def test_padded_batches_hold_at_most_their_number_of_values():
    n_frames, n_features = 2**16, 2**6
    whole = Sequences([np.empty((n_frames, n_features), np.float32)] * 5)
    assert [len(batch) for batch in whole.buckets(5)] == [4, 1]  # 4 * 2**22 values
    longer = Sequences([np.empty((n_frames + 1, n_features), np.float32)] * 5)
    assert [len(batch) for batch in longer.buckets(5)] == [3, 2]
    # One utterance that is larger by itself is a batch.
    alone = Sequences([np.empty((2**19, n_features), np.float32)] * 2)
    assert [len(batch) for batch in alone.buckets(5)] == [1, 1]


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [((9, 11), [2]), ((900, 1100), [2]), ((899, 1100), [1, 1])],
)
def test_padding_may_add_a_tenth_of_the_frames(lengths, sizes):
    sequences = Sequences([np.empty((n, 1), np.float32) for n in lengths])
    assert [len(batch) for batch in sequences.buckets(2)] == sizes


@pytest.mark.parametrize("settings", [{"mean": 1e8}, {"scale": 3.0}])
def test_frames_are_rounded_after_they_are_standardised(settings):
    """By a mean or by a scale alone, too."""
    X = np.array([[1e8], [1e8 + 1], [1e8 + 2]])
    given_ = {name: np.array([value]) for name, value in settings.items()}
    expected = (X - settings.get("mean", 0.0)) / settings.get("scale", 1.0)
    found = Sequences([X], **given_).frames(np.arange(3))
    np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_no_utterances_have_no_width():
    assert Sequences([]).n_features == 0
    assert Sequences([]).padded(np.arange(0))[0].shape == (0, 0, 0)
