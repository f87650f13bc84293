"""Folds one after the other, side by side, and what chooses between them."""

import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import CVAE, LogMelSegmenter, SequenceClassifier, SequencePooling
from sklearn_ser.evaluation import _side_by_side, evaluate_by_speaker
from sklearn_ser.evaluation._side_by_side import asks_for_gpu, run_folds
from tests.evaluation.helpers import Spy

FEW = {"max_epochs": 1, "random_state": 0}


def numbered(number):
    return number, os.getpid()


@pytest.fixture
def two_processors(monkeypatch):
    monkeypatch.setattr(_side_by_side.joblib, "effective_n_jobs", lambda n: 2)


def run(n_jobs, are_long, n_folds=3):
    folds = [partial(numbered, i) for i in range(n_folds)]
    numbers, processes = zip(*run_folds(folds, n_jobs, are_long=are_long), strict=True)
    assert numbers == tuple(range(n_folds))
    return [process == os.getpid() for process in processes]


@pytest.mark.parametrize("n_jobs", ["auto", None, 1])
def test_short_folds_stay_in_this_process(two_processors, n_jobs):
    assert run(n_jobs, are_long=False) == [True, True, True]


@pytest.mark.slow
def test_long_folds_go_to_processes(two_processors):
    assert run("auto", are_long=True) == [False, False, False]


@pytest.mark.slow
def test_folds_that_turn_out_to_be_long(two_processors, monkeypatch):
    """The first shows it here, the others follow elsewhere."""
    monkeypatch.setattr(_side_by_side, "_WORTH_PROCESSES", 0.0)
    assert run("auto", are_long=False) == [True, False, False]


def test_one_processor_needs_no_other_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_side_by_side.joblib, "effective_n_jobs", lambda n: 1)
        assert run("auto", are_long=True) == [True, True, True]


def test_one_fold_and_none(two_processors):
    assert list(run_folds([], 1, are_long=False)) == []
    assert run("auto", are_long=False, n_folds=1) == [True]


def warn_of(number):
    warnings.warn("The same in each fold.", UserWarning, stacklevel=1)
    return number


def test_a_warning_of_several_processes_is_shown_once():
    folds = [partial(warn_of, i) for i in range(4)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        assert list(run_folds(folds, 2, are_long=True)) == [0, 1, 2, 3]
    assert [str(one.message) for one in said] == ["The same in each fold."]
    assert said[0].category is UserWarning


def test_a_warning_that_is_an_error_stops_the_folds():
    with pytest.raises(UserWarning, match=r"The same in each fold\."):
        list(run_folds([partial(warn_of, i) for i in range(2)], 2, are_long=True))


@pytest.mark.parametrize("found", [True, False])
def test_a_gpu_is_asked_for_by_device_alone(monkeypatch, found):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: found)
    deep = make_pipeline(CVAE("vae"), SequenceClassifier())
    assert asks_for_gpu(deep) is found
    deep.set_params(cvae__device="cpu", sequenceclassifier__device="cuda:1")
    assert asks_for_gpu(deep) is found
    assert not asks_for_gpu(deep.set_params(sequenceclassifier__device="cpu"))
    assert not asks_for_gpu(make_pipeline(SVC()))


def test_sequences_are_long_and_tables_are_not(corpus, monkeypatch, feature_cache):
    seen = []

    def spying(folds, n_jobs, are_long):
        seen.append((n_jobs, are_long))
        return [fold() for fold in folds]

    monkeypatch.setattr("sklearn_ser.evaluation._run.run_folds", spying)
    front_end = LogMelSegmenter(memory=str(feature_cache))
    evaluate_by_speaker(make_pipeline(front_end, Spy()), corpus, n_jobs="auto")
    pooled = make_pipeline(front_end, SequencePooling(), Spy())
    evaluate_by_speaker(pooled, corpus, n_jobs="auto")
    evaluate_by_speaker(Spy(), corpus)
    assert seen == [("auto", True), ("auto", False), (None, True)]


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_processes(corpus, two_processors, feature_cache):
    model = make_pipeline(
        LogMelSegmenter(memory=str(feature_cache)),
        CVAE("vae", hidden_sizes=(8,), latent_dim=4, **FEW),
        SequenceClassifier(hidden_size=8, **FEW),
    )
    alone, beside = (
        evaluate_by_speaker(model, corpus, n_jobs=n_jobs) for n_jobs in (1, "auto")
    )
    np.testing.assert_array_equal(alone.predicted, beside.predicted)
    for one, other in zip(alone.learners, beside.learners, strict=True):
        np.testing.assert_array_equal(
            one.predict_proba(alone.features), other.predict_proba(alone.features)
        )


def sleep_long(folder, number):
    (folder / str(os.getpid())).touch()
    time.sleep(600)


SLEEPING = """
import sys
from functools import partial
from pathlib import Path
from sklearn_ser.evaluation._side_by_side import run_folds
from tests.evaluation.test_side_by_side import sleep_long
folds = [partial(sleep_long, Path(sys.argv[1]), i) for i in range(4)]
list(run_folds(folds, 2, are_long=True))
"""


def until(holds):
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("A minute was not enough.")


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_ctrl_c_ends_all_processes(tmp_path):
    """A terminal sends it to all of them."""
    program = subprocess.Popen(
        [sys.executable, "-c", SLEEPING, str(tmp_path)],
        start_new_session=True, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: len(list(tmp_path.iterdir())) == 2)
        os.killpg(program.pid, signal.SIGINT)
        _, shown = program.communicate(timeout=60)
    finally:
        program.kill()
    assert program.returncode not in (0, None)
    assert shown.rstrip().endswith("KeyboardInterrupt")
    workers = [int(path.name) for path in tmp_path.iterdir()]
    until(lambda: not any(map(is_running, workers)))
