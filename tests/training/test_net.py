"""The history: means over an epoch of what its batches have measured."""

import numpy as np
import torch

from sklearn_ser._constants import UNKNOWN
from sklearn_ser.training._losses import n_known
from sklearn_ser.training._net import _means


def test_means_are_over_what_was_measured():
    of_batches = np.array([[1.0, 2.0, 9.0, np.nan], [4.0, np.nan, 0.0, np.nan]])
    counts = np.array([[1, 3, 0, 2], [2, 3, 0, 2]])
    np.testing.assert_equal(_means(of_batches, counts), [3.0, 2.0, np.nan, np.nan])


def test_what_is_known_of_classes_and_of_labels():
    assert n_known(torch.tensor([0, 3, UNKNOWN])) == 2
    assert n_known(torch.tensor([[0.0, -4.0], [torch.nan, 1.0]])) == 3
