"""What holds for every estimator that trains a network."""

import copy
import dataclasses
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    CVAE,
    ContrastiveSiamese,
    MEnAN,
    MetricDAE,
    PseudoSiameseGated,
    SequenceClassifier,
    SequencePooling,
)
from sklearn_ser.training._net import TrainingNet
from tests.estimators import AUXILIARY, TRAINED, data_for, make_auxiliary, make_data

ROOT = Path(__file__).resolve().parents[2]

trained = pytest.mark.parametrize(
    ("estimator", "needs"), TRAINED, ids=lambda value: str(value).replace("\n", "")[:60]
)


CLASSES = [type(estimator) for estimator, _ in TRAINED]
FIRST_OF_ITS_CLASS = [CLASSES.index(kind) == i for i, kind in enumerate(CLASSES)]


# For what the base class does for all of its variants alike; the others are slow.
one_of_each_class = pytest.mark.parametrize(
    ("estimator", "needs"),
    [
        pytest.param(estimator, needs, marks=[pytest.mark.slow] * (not first))
        for (estimator, needs), first in zip(TRAINED, FIRST_OF_ITS_CLASS, strict=True)
    ],
    ids=lambda value: str(value).replace("\n", "")[:60],
)


# One of tables and one of sequences.
one_of_each_input = pytest.mark.parametrize(
    ("estimator", "needs"),
    [
        pytest.param(
            estimator,
            needs,
            marks=[pytest.mark.slow]
            * (not first or type(estimator) not in (MetricDAE, CVAE)),
        )
        for (estimator, needs), first in zip(TRAINED, FIRST_OF_ITS_CLASS, strict=True)
    ],
    ids=lambda value: str(value).replace("\n", "")[:60],
)


def fitted(estimator, needs, **data):
    X, emotion, _, metadata = data_for(estimator, **data)
    model = clone(estimator)
    if getattr(model, "auxiliary_corpora", None) == AUXILIARY:
        model.set_params(auxiliary_corpora=make_auxiliary(X[0].shape[-1]))
    return model.fit(X, emotion, **{name: metadata[name] for name in needs}), X


def outputs(model, X):
    methods = ("transform", "predict", "predict_proba")
    results = [getattr(model, name)(X) for name in methods if hasattr(model, name)]
    return [np.concatenate(list(r)) if r.dtype == object else r for r in results]


def numbers(model, X):
    """Return what comes out of the net: latent values or probabilities."""
    of_method = outputs(model, X)
    return of_method[0 if hasattr(model, "transform") else -1]


def followers(estimator):
    """Return the steps that make a classifier of an estimator."""
    if not hasattr(estimator, "transform"):
        return []
    if estimator.__sklearn_tags__().input_tags.three_d_array:
        return [SequencePooling(), SVC()]
    return [SVC()]


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@one_of_each_class
def test_state_survives_pickle_joblib_copy_and_skops(estimator, needs):
    model, X = fitted(estimator, needs)
    pipeline = make_pipeline(model)
    with io.BytesIO() as file:
        joblib.dump(model, file)
        file.seek(0)
        from_joblib = joblib.load(file)
    dumped = skops.io.dumps(pipeline)
    own = skops.io.get_untrusted_types(data=dumped)
    assert all(name.startswith("sklearn_ser.") for name in own)
    from_skops = skops.io.loads(dumped, trusted=own)
    for other in (
        pickle.loads(pickle.dumps(model)),
        from_joblib,
        copy.deepcopy(model),
        from_skops[0],
    ):
        assert_same(outputs(other, X), outputs(model, X))
        assert other.history_ == model.history_


@one_of_each_class
def test_pickle_holds_no_torch_object(estimator, needs):
    model, _ = fitted(estimator, needs)
    assert b"torch" not in pickle.dumps(model)


@pytest.mark.parametrize(
    ("estimator", "needs"), [t for t in TRAINED if hasattr(t[0], "partial_fit")]
)
def test_training_goes_on_after_pickle_as_without(estimator, needs):
    X, emotion, _, metadata = data_for(estimator)
    metadata = {name: metadata[name] for name in needs}
    model = clone(estimator).partial_fit(X, emotion, **metadata)
    other = pickle.loads(pickle.dumps(model))
    for _ in range(2):
        model.partial_fit(X, emotion, **metadata)
        other.partial_fit(X, emotion, **metadata)
    assert_same(outputs(other, X), outputs(model, X))
    assert [epoch["epoch"] for epoch in other.history_] == [1, 2, 3]


def numpy_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002


@one_of_each_input
@pytest.mark.parametrize(
    "changed",
    [
        {"device": "bogus"},
        {"lr": -1},
        {"batch_size": 5, "net_params": {"no_such": 1}},
    ],
    ids=str,
)
def test_what_is_set_after_fit_waits_for_the_next_fit(estimator, needs, changed):
    """A pickle is rebuilt as it was trained, and goes on as the original does."""
    X, emotion, _, metadata = data_for(estimator)
    metadata = {name: metadata[name] for name in needs}
    model = clone(estimator).fit(X, emotion, **metadata)
    expected = outputs(model, X)
    model.set_params(**changed)
    restored = pickle.loads(pickle.dumps(model))
    assert_same(outputs(restored, X), expected)
    if "batch_size" in changed and hasattr(model, "partial_fit"):
        assert_same(
            outputs(restored.partial_fit(X, emotion, **metadata), X),
            outputs(model.partial_fit(X, emotion, **metadata), X),
        )


@one_of_each_input
def test_layout_of_the_data_does_not_matter(estimator, needs):
    X, emotion, _, metadata = make_data()
    metadata = {name: metadata[name] for name in needs}
    model = clone(estimator).fit(X, emotion, **metadata)
    expected = outputs(model, X)
    mirrored = X[:, ::-1].copy()[:, ::-1]  # the same numbers, a negative stride
    readonly = X.copy(order="F")
    readonly.setflags(write=False)
    for same in (mirrored, readonly, X.astype(np.float64), X.tolist()):
        assert_same(outputs(model, same), expected)
        refitted = clone(estimator).fit(same, emotion, **metadata)
        assert_same(outputs(refitted, X), expected)


@trained
@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("module__latent_dim", "the estimator's own parameters"),
        ("criterion__combine", "the estimator's own parameters"),
        ("device", "the parameter device"),
        ("train_split", "early_stopping"),
        ("lr", "the parameter lr"),
        ("seed", "random_state"),
        ("batch_transform", "the estimator's own parameters"),
        ("iterator_train__shuffle", "batch_size"),
    ],
)
def test_net_params_without_effect_are_refused(estimator, needs, name, instead):
    with pytest.raises(ValueError, match=f"cannot set '{name}': use {instead}"):
        fitted(clone(estimator).set_params(net_params={name: 1}), needs)


@one_of_each_input
def test_fit_neither_reads_nor_moves_global_random_state(estimator, needs):
    states = []
    results = []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        before = numpy_state(), torch.get_rng_state()
        model, X = fitted(estimator, needs)
        results.append(outputs(model, X))
        after = numpy_state(), torch.get_rng_state()
        states.append((before, after))
    assert_same(*results)
    for (numpy_before, torch_before), (numpy_after, torch_after) in states:
        np.testing.assert_array_equal(numpy_before, numpy_after)
        assert torch.equal(torch_before, torch_after)


@one_of_each_input
@pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_same_numbers_under_every_backend(estimator, needs, backend):
    X, emotion, _, metadata = data_for(estimator)
    seeded = [clone(estimator).set_params(random_state=seed) for seed in range(4)]
    metadata = {name: metadata[name] for name in needs}
    sequential = [outputs(clone(e).fit(X, emotion, **metadata), X) for e in seeded]
    with joblib.parallel_config(backend=backend, n_jobs=2):
        models = joblib.Parallel()(
            joblib.delayed(e.fit)(X, emotion, **metadata) for e in seeded
        )
    for model, expected in zip(models, sequential, strict=True):
        assert_same(outputs(model, X), expected)


FORKED = """
import multiprocessing, torch
from tests.estimators import TRAINED
from tests.methods.test_common import fitted, outputs
estimator, needs = TRAINED[1]
model, X = fitted(estimator, needs, n_per_speaker=200, n_features=88)
outputs(model, X)
torch.randn(600, 600) @ torch.randn(600, 600)  # the parent has threads at work
def child(_):
    fitted(estimator, needs, n_per_speaker=200, n_features=88)
    return len(outputs(model, X)[0])
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map_async(child, range(2)).get(timeout=60))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_processes_do_not_wait_for_threads_of_their_parent():
    done = subprocess.run(
        [sys.executable, "-c", FORKED],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "[1200, 1200]\n", done.stderr


FINGERPRINT = """
import hashlib, torch
from tests.estimators import TRAINED
from tests.methods.test_common import fitted, outputs
for estimator, needs in TRAINED:
    model, X = fitted(estimator, needs, n_per_speaker=40, n_features=88)
    for output in outputs(model, X):
        print(hashlib.sha256(output.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_same_numbers_whatever_the_number_of_threads():
    """Worker processes have one thread, the main process as many as cores."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT.replace("torch\n", "torch\n" + setting)],
            env=os.environ | {"OMP_NUM_THREADS": n},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n, setting in [
            ("1", "assert torch.get_num_threads() == 1\n"),
            ("2", "assert torch.get_num_threads() == 2\n"),
        ]
    ]
    assert printed[0].count("\n") >= len(TRAINED)
    assert printed[0] == printed[1]


@one_of_each_input
@pytest.mark.parametrize("n_jobs", [1, 2, None, np.int64(2)])
def test_n_jobs_are_threads_of_a_fit(estimator, needs, n_jobs):
    from skorch.callbacks import Callback

    seen = []

    class Watching(Callback):
        def on_batch_begin(self, net, **kwargs):
            seen.append(torch.get_num_threads())

    before = torch.get_num_threads()
    estimator = clone(estimator).set_params(n_jobs=n_jobs)
    watched = {"callbacks": [("watch", Watching())]}
    model, X = fitted(clone(estimator).set_params(net_params=watched), needs)
    assert set(seen) == {1 if n_jobs is None else n_jobs}
    assert torch.get_num_threads() == before
    alone, _ = fitted(clone(estimator).set_params(n_jobs=1), needs)
    for ours, theirs in zip(outputs(model, X), outputs(alone, X), strict=True):
        if ours.dtype.kind == "f":  # in a few steps, rounding makes little
            np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)


def test_no_threads_are_refused():
    estimator, needs = TRAINED[0]
    with pytest.raises(ValueError, match="n_jobs"):
        fitted(clone(estimator).set_params(n_jobs=0), needs)


@one_of_each_input
def test_different_seeds_differ(estimator, needs):
    first, X = fitted(estimator, needs)
    second, _ = fitted(clone(estimator).set_params(random_state=1), needs)
    assert not np.allclose(numbers(first, X), numbers(second, X))


@one_of_each_input
def test_a_row_does_not_depend_on_its_companions(estimator, needs):
    model, X = fitted(estimator, needs)
    some = range(0, len(X), 3)
    alone = np.concatenate([numbers(model, X[i : i + 1]) for i in some])
    together = numbers(model, X)
    if len(together) == len(X):
        together = together[some]
    else:  # segments of utterances
        of_each = np.split(together, np.cumsum([len(x) for x in X])[:-1])
        together = np.concatenate([of_each[i] for i in some])
    np.testing.assert_allclose(alone, together, rtol=1e-6)


@trained
def test_unfitted_says_so(estimator, needs):
    X, *_ = data_for(estimator)
    with pytest.raises(NotFittedError):
        outputs(clone(estimator), X)


@one_of_each_input
def test_device_names(estimator, needs):
    model, X = fitted(clone(estimator).set_params(device="cpu"), needs)
    auto, _ = fitted(clone(estimator).set_params(device="auto"), needs)
    if not torch.cuda.is_available():
        assert_same(outputs(model, X), outputs(auto, X))
    with pytest.raises(ValueError, match=r"'auto' or a torch device .* got 'warp'"):
        fitted(clone(estimator).set_params(device="warp"), needs)


@one_of_each_input
def test_what_a_gpu_trained_predicts_without_one(estimator, needs, monkeypatch):
    model, X = fitted(estimator, needs)
    expected = outputs(model, X)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    # As if it had been trained there.
    model._spec = dataclasses.replace(model._spec, device="cuda")
    state = pickle.dumps(model)
    with pytest.warns(UserWarning, match="no CUDA device here: computing on the CPU"):
        restored = pickle.loads(state)
    assert_same(outputs(restored, X), expected)


@one_of_each_input
def test_early_stopping_holds_out_whole_speakers(estimator, needs):
    X, emotion, groups, metadata = data_for(estimator)
    metadata = {name: metadata[name] for name in needs if name != "groups"}
    stopping = clone(estimator).set_params(
        early_stopping=True, validation_fraction=0.3, max_epochs=20, n_iter_no_change=2
    )
    if hasattr(stopping, "lr_power"):
        stopping.lr_power = 0.0  # a decay up to max_epochs would differ with these
    model = stopping.fit(X, emotion, groups=groups, **metadata)
    held_out = set(model.validation_groups_)
    assert 0 < len(held_out) < len(set(groups))
    losses = [epoch["valid_loss"] for epoch in model.history_]
    # What the held-out speakers say never reaches the weights.
    changed = X.copy()
    theirs = np.isin(groups, list(held_out))
    changed[theirs] = changed[theirs] * np.float32(1.001)
    one = clone(stopping).set_params(max_epochs=1)
    first = numbers(one.fit(X, emotion, groups=groups, **metadata), X)
    second = numbers(one.fit(changed, emotion, groups=groups, **metadata), X)
    np.testing.assert_array_equal(first, second)
    # The kept weights are those of the best epoch.
    best = int(np.argmin(losses)) + 1
    again = clone(estimator).set_params(
        **{**stopping.get_params(), "max_epochs": best, "n_iter_no_change": 1000}
    )
    again.fit(X, emotion, groups=groups, **metadata)
    np.testing.assert_array_equal(numbers(again, X), numbers(model, X))


@one_of_each_input
def test_the_speakers_that_would_be_drawn_can_be_named(estimator, needs):
    X, emotion, groups, metadata = data_for(estimator)
    metadata = {name: metadata[name] for name in needs if name != "groups"}
    drawing = clone(estimator).set_params(early_stopping=True, max_epochs=2)
    drawn = drawing.fit(X, emotion, groups=groups, **metadata)
    named = clone(drawing).set_params(validation_groups=drawn.validation_groups_)
    named.fit(X, emotion, groups=groups, **metadata)
    np.testing.assert_array_equal(numbers(named, X), numbers(drawn, X))
    other = np.setdiff1d(groups, drawn.validation_groups_)[:1].tolist()
    swapped = clone(drawing).set_params(validation_groups=other)
    swapped.fit(X, emotion, groups=groups, **metadata)
    assert swapped.validation_groups_.tolist() == other
    alone = clone(named).set_params(early_stopping=False)
    with pytest.raises(ValueError, match="set early_stopping=True"):
        alone.fit(X, emotion, groups=groups, **metadata)


@trained
def test_early_stopping_needs_speakers(estimator, needs):
    X, emotion, groups, metadata = data_for(estimator)
    metadata = {name: metadata[name] for name in needs if name != "groups"}
    model = clone(estimator).set_params(early_stopping=True)
    with pytest.raises(
        ValueError, match=r"holds out whole speakers: pass .* as groups"
    ):
        model.fit(X, emotion, **metadata)
    with pytest.raises(ValueError, match="names only one"):
        model.fit(X, emotion, groups=np.zeros(len(X)), **metadata)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, emotion, groups=groups[:-1], **metadata)
    unknown = groups.astype(object)
    unknown[7] = None
    with pytest.raises(ValueError, match="no speaker at index 7"):
        model.fit(X, emotion, groups=unknown, **metadata)


@one_of_each_input
def test_net_params_reach_skorch(estimator, needs):
    from skorch.callbacks import Callback, LRScheduler

    class Count(Callback):
        epochs = 0

        def on_epoch_end(self, net, **kwargs):
            self.epochs += 1

    mine = Count()
    net_params = {
        "optimizer": torch.optim.SGD,
        "optimizer__momentum": 0.5,
        "callbacks": [mine, LRScheduler("StepLR", step_size=1)],
    }
    # Of another optimiser, the learning rate is another.
    changed = clone(estimator).set_params(net_params=net_params, lr=1e-3)
    model, _ = fitted(changed, needs)
    assert isinstance(model.net_.optimizer_, torch.optim.SGD)
    assert model.net_.optimizer_.param_groups[0]["momentum"] == 0.5
    assert model.net_.optimizer_.param_groups[0]["lr"] < 1e-3
    used = [c for _, c in model.net_.callbacks_ if type(c) is Count]
    assert used[0].epochs == estimator.max_epochs
    assert mine.epochs == 0  # the user's own object is left alone
    grid = {"net_params": [{"optimizer__weight_decay": w} for w in (0.0, 0.1)]}
    X, emotion, _, metadata = data_for(estimator)
    pipeline = make_pipeline(clone(estimator), *followers(estimator))
    step = pipeline.steps[0][0]
    search = GridSearchCV(
        pipeline, {f"{step}__{k}": v for k, v in grid.items()}, cv=2
    ).fit(X, emotion, **{f"{step}__{name}": metadata[name] for name in needs})
    assert len(search.cv_results_["mean_test_score"]) == 2


@one_of_each_input
def test_weight_decay_is_that_of_the_optimiser(estimator, needs):
    def learned(**settings):
        model, X = fitted(clone(estimator).set_params(**settings), needs)
        return numbers(model, X)

    decayed = learned(weight_decay=0.1)
    by_hand = learned(weight_decay=0.0, net_params={"optimizer__weight_decay": 0.1})
    np.testing.assert_array_equal(decayed, by_hand)
    assert not np.array_equal(decayed, learned(weight_decay=0.0))


DROPPING = [
    SequenceClassifier(hidden_size=8),
    ContrastiveSiamese(n_filters=8),
    MEnAN(hidden_size=8),
    MEnAN(None, hidden_size=8),
    PseudoSiameseGated(fusion=None, embedding_size=4, hidden_size=8, feature_epochs=1),
]


def test_all_that_drop_values_are_in_the_table():
    classes = {kind for kind in CLASSES if "dropout" in kind().get_params()}
    assert {type(estimator) for estimator in DROPPING} == classes


@pytest.mark.slow
@pytest.mark.parametrize("estimator", DROPPING, ids=str)
def test_dropout_is_drawn_by_the_seed_and_not_in_inference(estimator):
    def trained_with(dropout, random_state=0):
        settings = {"dropout": dropout, "max_epochs": 2, "random_state": random_state}
        return fitted(clone(estimator).set_params(**settings), ["groups"])

    model, X = trained_with(0.5)
    again = model.predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(X), again)
    np.testing.assert_array_equal(trained_with(0.5)[0].predict_proba(X), again)
    assert not np.array_equal(trained_with(0.0)[0].predict_proba(X), again)
    assert not np.array_equal(trained_with(0.5, 1)[0].predict_proba(X), again)
    # Batches, first weights and speakers are drawn as without it.
    np.testing.assert_array_equal(
        trained_with(1e-9)[0].predict_proba(X)[:, 0].round(4),
        trained_with(0.0)[0].predict_proba(X)[:, 0].round(4),
    )


@one_of_each_class
def test_ctrl_c_is_not_taken_for_an_early_stop(estimator, needs, monkeypatch):
    from skorch.callbacks import Callback

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt  # skorch's way to end the training

    model, _ = fitted(
        clone(estimator).set_params(net_params={"callbacks": [Stop()]}), needs
    )
    assert len(model.history_) == 1

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingNet, "descend", interrupted)
    X, emotion, _, metadata = data_for(estimator)
    with pytest.raises(KeyboardInterrupt):
        clone(estimator).fit(X, emotion, **{name: metadata[name] for name in needs})


@one_of_each_class
def test_diverging_training_says_what_to_do(estimator, needs):
    X, emotion, _, metadata = data_for(estimator)
    metadata = {name: metadata[name] for name in needs}
    model = clone(estimator).fit(X, emotion, **metadata)
    with pytest.raises(ValueError, match=r"Training diverged: .* Standardise"):
        model.set_params(lr=1e38, max_epochs=20).fit(X * 1e15, emotion, **metadata)
    # What failed leaves nothing that looks fitted, neither of this fit nor before.
    with pytest.raises(NotFittedError):
        outputs(model, X)
    pickle.loads(pickle.dumps(model))


@pytest.mark.slow
@one_of_each_class
def test_progress_bar_only_when_asked(estimator, needs, capsys):
    fitted(estimator, needs)
    assert capsys.readouterr().err == ""
    fitted(clone(estimator).set_params(verbose=1), needs)
    shown = capsys.readouterr().err
    assert f"{estimator.max_epochs}/{estimator.max_epochs}" in shown
    assert "train_loss" in shown
