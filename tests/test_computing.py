"""What torch is set to around an estimator must not change its numbers."""

import contextlib
import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_ser._computing import computing
from tests.estimators import data_for
from tests.methods.test_common import one_of_each_class


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SLOW = pytest.mark.slow

# What users set, in a block or for good.
SETTINGS = {
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "device": lambda: torch.device("meta"),
}


def trained(estimator, needs):
    """Return what an estimator learns, gives, and gives after it was pickled."""
    X, y, _, metadata = data_for(estimator, n_per_speaker=4)
    given = {name: metadata[name] for name in needs}
    fitted = clone(estimator).fit(X, y, **given)
    restored = pickle.loads(pickle.dumps(fitted))
    methods = ("transform", "predict", "predict_proba", "score_samples")
    results = [
        getattr(model, method)(X[:5])
        for model in (fitted, restored)
        for method in methods
        if hasattr(model, method)
    ]
    return fitted.history_, results


@pytest.fixture(scope="module")
def untouched():
    """Return what estimators give where nothing is set, each trained once."""
    known = {}

    def results(estimator, needs):
        key = str((estimator, needs))
        if key not in known:
            known[key] = trained(estimator, needs)
        return known[key]

    return results


@pytest.mark.slow
@one_of_each_class
@pytest.mark.parametrize(
    "setting",
    [
        *("float64", "inference_mode", "device"),
        *(pytest.param(n, marks=SLOW) for n in ("float16", "no_grad", "autocast")),
    ],
)
def test_the_numbers_are_those_of_a_fresh_torch(estimator, needs, setting, untouched):
    history, results = untouched(estimator, needs)
    with SETTINGS[setting]():
        set_history, set_results = trained(estimator, needs)
    assert str(set_history) == str(history)
    for one, other in zip(set_results, results, strict=True):
        for row, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(row, same)


def test_settings_are_put_back():
    with default_dtype(torch.float64), torch.inference_mode():
        with computing():
            assert torch.get_default_dtype() == torch.float32
            assert torch.is_grad_enabled()
            assert not torch.is_inference_mode_enabled()
        assert torch.get_default_dtype() == torch.float64
        assert torch.is_inference_mode_enabled()


def test_the_default_dtype_stays_while_another_thread_computes():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with computing():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with default_dtype(torch.float64):
        with computing():
            thread.start()
            assert inside.wait(10)
        assert torch.get_default_dtype() == torch.float32  # the other still needs it
        leave.set()
        thread.join()
        assert torch.get_default_dtype() == torch.float64
