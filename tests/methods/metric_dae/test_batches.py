"""How rows are dealt to batches where labels are few."""

import numpy as np
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from sklearn_ser.methods.metric_dae._batches import LabeledBatches
from sklearn_ser.training._batches import TableBatches


def dealt(kind, labels, batch_size, seed=0):
    """Return the batches of an epoch, each as the numbers of its rows."""
    labels = np.asarray(labels, dtype=np.float32)
    data = {"X": np.arange(len(labels)), "labels": labels}
    batches = kind(data, batch_size=batch_size, seed=lambda: seed, device="cpu")
    return [batch["X"].tolist() for batch in batches]


@st.composite
def partly_labeled(draw):
    """Draw labels of one or two targets, of which two rows or more have each."""
    n, n_labels = draw(st.integers(4, 60)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    labels = np.full((n, n_labels), np.nan)
    for k in range(n_labels):
        n_known = draw(st.integers(2, n))
        labels[rng.permutation(n)[:n_known], k] = rng.normal(size=n_known)
    return labels


@given(labels=partly_labeled(), batch_size=st.integers(2, 20), seed=st.integers(0, 99))
def test_each_batch_has_two_of_each_label(labels, batch_size, seed):
    assume(np.isnan(labels).any())
    batches = dealt(LabeledBatches, labels, batch_size, seed)
    assert len(batches) == -(-len(labels) // batch_size)
    known = ~np.isnan(labels)
    enough = 2 * len(batches)
    for rows in batches:
        assert len(set(rows)) == len(rows)  # no row twice in a batch
        assert (known[rows].sum(axis=0) >= 2).all()
        assert len(rows) <= batch_size + 2 * labels.shape[1]
        if (known.sum(axis=0) >= enough).all():
            assert len(rows) <= batch_size
    seen = [row for rows in batches for row in rows]
    assert set(seen) == set(range(len(labels)))
    if (known.sum(axis=0) >= enough).all():
        assert len(seen) == len(labels)
    # Each label is spread as evenly as it can be.
    counts = np.array([known[rows].sum(axis=0) for rows in batches])
    assert (np.ptp(counts, axis=0) <= 1 + 2 * (labels.shape[1] - 1)).all()


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 99), st.integers(1, 2))
def test_full_labels_are_dealt_as_a_plain_permutation(n, batch_size, seed, n_labels):
    labels = np.ones((n, n_labels))
    plain = dealt(TableBatches, labels, batch_size, seed)
    assert dealt(LabeledBatches, labels, batch_size, seed) == plain
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    assert [row for rows in plain for row in rows] == order.tolist()


def test_what_cannot_be_is_not_forced():
    one = np.full((6, 1), np.nan)
    assert sorted(np.concatenate(dealt(LabeledBatches, one, 2))) == list(range(6))
    one[4] = 3.0
    assert [len(set(rows)) for rows in dealt(LabeledBatches, one, 3)] == [3, 4]
    singles = dealt(LabeledBatches, one, 1)
    assert sorted(singles) == [[row] for row in range(6)]


def test_other_rows_meet_in_each_epoch():
    labels = np.where(np.arange(40) < 6, 1.0, np.nan)[:, None]
    epochs = {str(dealt(LabeledBatches, labels, 8, seed)) for seed in range(5)}
    assert len(epochs) == 5
    pairs = {
        frozenset(row for row in rows if row < 6)
        for seed in range(30)
        for rows in dealt(LabeledBatches, labels, 8, seed)
    }
    assert len(pairs) == 15
