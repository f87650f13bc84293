"""Pairs and their batches: each utterance once, balanced where asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser.methods.contrastive_siamese._batches import (
    PairBatches,
    balanced_pairs,
    random_pairs,
)
from sklearn_ser.sequences import Sequences
from tests.methods.contrastive_siamese.helpers import utterances


@given(st.integers(0, 50), st.integers(0, 1000))
def test_random_pairs_take_each_once(n, seed):
    pairs = random_pairs(n, np.random.default_rng(seed))
    assert pairs.shape == (n // 2, 2)
    assert len(set(pairs.ravel().tolist())) == pairs.size
    assert set(pairs.ravel()) <= set(range(n))


@given(st.lists(st.integers(4, 20), min_size=2, max_size=7), st.integers(0, 1000))
def test_balanced_pairs(counts, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(counts)) * 2, counts))
    pairs = balanced_pairs(y, rng)
    assert len(set(pairs.ravel().tolist())) == pairs.size
    alike = y[pairs[:, 0]] == y[pairs[:, 1]]
    assert 2 * alike.sum() == len(pairs) > 0
    drawn = np.unique(y[pairs.ravel()], return_counts=True)[1]
    assert len(drawn) == len(counts)
    assert len(set(drawn)) == 1
    assert min(counts) - 4 < drawn[0] <= min(counts)
    # No larger number of each class would be a multiple of four.
    if len(counts) > 2:
        left = range(drawn[0] + 1, min(counts) + 1)
        assert not any(size * len(counts) % 4 == 0 for size in left)


def test_balanced_pairs_are_drawn_anew_and_meet_all_classes():
    y = np.repeat([0, 1, 2, 3], [8, 8, 30, 12])
    seen, met = set(), np.zeros((4, 4), int)
    for seed in range(100):
        pairs = balanced_pairs(y, np.random.default_rng(seed))
        seen |= set(pairs.ravel().tolist())
        np.add.at(met, tuple(y[pairs].T), 1)
    assert len(seen) == len(y)
    met = met + met.T
    assert met.diagonal().min() > 350  # 400 each on average
    apart = met[np.triu_indices(4, 1)]
    assert apart.min() > 100  # 133 each on average
    # The order in a pair tells no class, nor does the place in the epoch.
    assert abs(y[pairs[:, 0]].mean() - y[pairs[:, 1]].mean()) < 2


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0] * 8, "only one class to train on"),
        ([0] * 8 + [5] * 3, "at least 4 utterances of each of 2 classes .*'5' has on"),
        ([0] * 8 + [1] * 8 + [2] * 3, "at least 4 utterances of each of 3 classes"),
        ([0, 0, 1, 1, 2, 2, 3], "at least 2 utterances of each of 4 classes"),
    ],
)
def test_too_few_for_balanced_pairs(y, message):
    with pytest.raises(ValueError, match=message):
        balanced_pairs(np.array(y), np.random.default_rng(0))


def make_batches(X, y, **changed):
    settings = {
        "n_frames": 40, "batch_size": 8, "seed": lambda: 5, "device": "cpu",
    }  # fmt: skip
    data = {"X": Sequences(X), "y": y, "number": np.arange(len(X))}
    return PairBatches(data, **(settings | changed))


def test_batches_hold_both_members_cut_and_padded():
    X, _ = utterances(n=21)
    y = np.arange(21) % 3
    seen = []
    for batch in make_batches(X, y):
        assert batch["X"].shape[1:] == (40, 4)
        assert len(batch["X"]) % 2 == 0
        rows = zip(batch["X"], batch["lengths"], batch["number"], strict=True)
        for frames, length, number in rows:
            known = X[number][:40]
            assert length == len(known)
            np.testing.assert_array_equal(frames[: len(known)], known)
            assert (frames[len(known) :] == 0).all()
        seen.append(batch["number"].tolist())
    assert [len(numbers) for numbers in seen] == [8, 8, 4]
    assert len({number for numbers in seen for number in numbers}) == 20
    again = [batch["number"].tolist() for batch in make_batches(X, y)]
    assert again == seen
    other = [b["number"].tolist() for b in make_batches(X, y, seed=lambda: 6)]
    assert other != seen
    for tiny in (1, 2, 3):
        assert {len(b["X"]) for b in make_batches(X, y, batch_size=tiny)} == {2}


def test_balanced_batches_but_random_ones_of_the_held_out():
    X, _ = utterances(n=21)
    y = np.repeat([0, 1], [16, 5])
    batches = list(make_batches(X, y, pairs="balanced"))
    labels = np.concatenate([b["y"].reshape(2, -1) for b in batches], axis=1)
    assert np.bincount(labels.ravel()).tolist() == [4, 4]
    assert (labels[0] == labels[1]).sum() == 2
    held_out = make_batches(X, y, pairs="balanced", training=False)
    assert sum(len(batch["X"]) for batch in held_out) == 20
