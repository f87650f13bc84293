"""The history: means over an epoch of what its batches have measured."""

import numpy as np
import torch

from sklearn_ser._constants import UNKNOWN
from sklearn_ser.training._losses import n_known
from sklearn_ser.training._net import _forget_gradients, _means


def test_means_are_over_what_was_measured():
    of_batches = np.array([[1.0, 2.0, 9.0, np.nan], [4.0, np.nan, 0.0, np.nan]])
    counts = np.array([[1, 3, 0, 2], [2, 3, 0, 2]])
    np.testing.assert_equal(_means(of_batches, counts), [3.0, 2.0, np.nan, np.nan])


def test_what_is_known_of_classes_and_of_labels():
    classes = [torch.tensor([0, 3, UNKNOWN]), torch.tensor([UNKNOWN, UNKNOWN])]
    assert n_known(classes).tolist() == [2, 0]
    labels = [torch.tensor([[0.0, -4.0], [torch.nan, 1.0]]), torch.tensor([[2.0, 2.0]])]
    assert n_known(labels).tolist() == [3, 2]


def test_gradients_are_forgotten_as_an_optimiser_forgets_them():
    class Counting(torch.optim.SGD):
        n_calls = 0

        def zero_grad(self, set_to_none=True):
            self.n_calls += 1
            super().zero_grad(set_to_none)

    for kind in (torch.optim.SGD, Counting):
        weight = torch.nn.Parameter(torch.ones(2))
        optimizer = kind([weight], lr=1.0)
        weight.sum().backward()
        _forget_gradients(optimizer)
        assert weight.grad is None
    assert optimizer.n_calls == 1
