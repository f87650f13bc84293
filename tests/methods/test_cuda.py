"""What holds on a GPU: the numbers of the CPU, twice the same, and loaded without one.

The other tests of this folder run there, too, since the default device is a GPU where
there is one.
"""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from tests.methods.test_common import ROOT, fitted, numbers, trained

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device"
)


@trained
def test_trains_on_a_gpu_as_on_the_cpu(estimator, needs):
    there, X = fitted(clone(estimator).set_params(device="cuda"), needs)
    here, _ = fitted(clone(estimator).set_params(device="cpu"), needs)
    assert all(p.is_cuda for p in there.net_.module_.parameters())
    assert not any(p.is_cuda for p in here.net_.module_.parameters())
    np.testing.assert_allclose(
        numbers(there, X), numbers(here, X), rtol=0.02, atol=0.02
    )


@trained
def test_trains_twice_the_same_on_a_gpu(estimator, needs):
    estimator = clone(estimator).set_params(device="cuda")
    first, X = fitted(estimator, needs)
    second, _ = fitted(estimator, needs)
    np.testing.assert_allclose(numbers(first, X), numbers(second, X), rtol=1e-4)


PREDICT = """
import pickle, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
with open(sys.argv[1], "rb") as file:
    model, X = pickle.load(file)
from tests.methods.test_common import numbers
np.save(sys.argv[2], numbers(model, X))
"""


@trained
def test_what_a_gpu_trained_predicts_on_a_machine_without(estimator, needs, tmp_path):
    model, X = fitted(clone(estimator).set_params(device="cuda"), needs)
    saved, found = tmp_path / "model.pickle", tmp_path / "found.npy"
    saved.write_bytes(pickle.dumps((model, X)))
    subprocess.run(
        [sys.executable, "-c", PREDICT, saved, found],
        check=True,
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    np.testing.assert_allclose(np.load(found), numbers(model, X), rtol=1e-6, atol=1e-6)
