"""Callbacks of skorch in `net_params`, Ctrl-C, and going on from a checkpoint."""

import signal
import threading

import numpy as np
import pytest
import skorch.callbacks
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LoadInitState,
    LRScheduler,
    PassthroughScoring,
    TensorBoard,
    TrainEndCheckpoint,
)

from sklearn_ser import MetricDAE
from sklearn_ser.training._spec import trained_state
from tests.estimators import data_for
from tests.methods.test_common import one_of_each_class

SLOW = pytest.mark.slow


@pytest.fixture(autouse=True)
def hearing_ctrl_c():
    """A shell that runs the tests in the background lets them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class CtrlC(Callback):
    """Presses Ctrl-C after an epoch."""

    def __init__(self, epoch=1):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            signal.raise_signal(signal.SIGINT)


class Stop(Callback):
    """Ends the training by the convention of skorch."""

    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def with_callbacks(estimator, *callbacks, **params):
    """Return an unfitted estimator with callbacks."""
    net_params = {"callbacks": list(callbacks)}
    return clone(estimator).set_params(net_params=net_params, **params)


def fit(estimator, needs=()):
    X, y, groups, metadata = data_for(estimator, n_per_speaker=4)
    given = {name: metadata[name] for name in needs}
    return estimator.fit(X, y, **{"groups": groups, **given})


def weights(estimator):
    """Return all that was learned, as a flat dict of arrays."""
    state = trained_state(estimator.net_)
    moments = {
        (k, name): value
        for k, values in state["optimizer"]["state"].items()
        for name, value in values.items()
    }
    rates = [group["lr"] for group in state["optimizer"]["param_groups"]]
    return state["module"] | moments | {"lr": np.array(rates)}


@one_of_each_class
def test_ctrl_c_inside_a_callback_is_ctrl_c(estimator, needs):
    model = with_callbacks(estimator, CtrlC())
    with pytest.raises(KeyboardInterrupt):
        fit(model, needs)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


def test_no_half_trained_model_is_scored():
    model = with_callbacks(MetricDAE(max_epochs=3), CtrlC(2))
    X, _, groups, _ = data_for(model)
    scored = []
    search = GridSearchCV(
        model, {}, cv=GroupKFold(2), scoring=lambda *given: scored.append(given) or 0.0
    )
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, groups=groups)
    assert not scored
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_callback_may_end_the_training_also_in_a_thread():
    done = []
    model = with_callbacks(MetricDAE(max_epochs=3), Stop())
    thread = threading.Thread(target=lambda: done.append(fit(model)))
    thread.start()
    thread.join()
    assert len(done[0].history_) == 1


# The schedule follows the batches; the other one the epochs, and is not a closed form.
SCHEDULES = {
    "none": lambda: [],
    "batches": lambda: [LRScheduler("StepLR", step_every="batch", step_size=3)],
    "plateau": lambda: [
        # No loss falls so steeply: the rate is halved after each epoch but the first.
        LRScheduler(
            *("ReduceLROnPlateau", "train_loss"), patience=0, threshold=0.9, factor=0.5
        )
    ],
    "stop": lambda: [
        EarlyStopping(monitor="train_loss", patience=2, load_best=False, threshold=9)
    ],
}


@pytest.mark.slow
@one_of_each_class
@pytest.mark.parametrize(
    "schedule",
    ["plateau", *(pytest.param(n, marks=SLOW) for n in SCHEDULES if n != "plateau")],
)
def test_an_interrupted_training_goes_on_to_the_same_weights(
    estimator, needs, schedule, tmp_path
):
    params = {"max_epochs": 4}
    whole = fit(with_callbacks(estimator, *SCHEDULES[schedule](), **params), needs)
    checkpoint = Checkpoint(monitor=None, dirname=tmp_path)
    callbacks = [*SCHEDULES[schedule](), checkpoint, LoadInitState(checkpoint)]
    with pytest.raises(KeyboardInterrupt):
        fit(with_callbacks(estimator, *callbacks, CtrlC(2), **params), needs)
    resumed = fit(with_callbacks(estimator, *callbacks, **params), needs)
    assert len(resumed.history_) == len(whole.history_)
    for one, same in zip(resumed.history_, whole.history_, strict=True):
        one.pop("event_cp", None)  # not if the training was to end
        assert str(one) == str(same)
    expected = weights(whole)
    result = weights(resumed)
    assert result.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(result[name], value, err_msg=str(name))


def test_a_finished_training_is_not_gone_on_with(tmp_path):
    checkpoint = TrainEndCheckpoint(dirname=tmp_path)
    callbacks = [checkpoint, LoadInitState(checkpoint)]
    dae = MetricDAE(max_epochs=2, random_state=0)
    first = fit(with_callbacks(dae, *callbacks))
    again = fit(with_callbacks(dae, *callbacks))
    assert again.history_ == first.history_
    longer = fit(with_callbacks(dae, *callbacks, max_epochs=3))
    assert longer.history_[:2] == first.history_
    assert longer.history_ == fit(clone(dae).set_params(max_epochs=3)).history_


def test_early_stopping_cannot_go_on(tmp_path):
    state = LoadInitState(Checkpoint(dirname=tmp_path))
    stopping = MetricDAE(early_stopping=True, validation_fraction=0.5)
    with pytest.raises(ValueError, match="no checkpoint holds the best weights"):
        fit(with_callbacks(stopping, state))
    of_user = EarlyStopping(monitor="train_loss", load_best=True)
    with pytest.raises(ValueError, match="no checkpoint holds the best weights"):
        fit(with_callbacks(MetricDAE(), ("mine", of_user), ("load", state)))


def test_checkpoint_keeps_the_best_of_validation(tmp_path):
    dae = MetricDAE(
        early_stopping=True, validation_fraction=0.5, max_epochs=8, random_state=0
    )
    model = fit(with_callbacks(dae, Checkpoint(dirname=tmp_path)))
    losses = [epoch["valid_loss"] for epoch in model.history_]
    best = [loss < min(losses[:k], default=np.inf) for k, loss in enumerate(losses)]
    assert [epoch["event_cp"] for epoch in model.history_] == best
    assert list(model.history_[0])[-1] == "event_cp"
    model.net_.load_params(tmp_path / "params.pt")  # early stopping ends with it, too


def test_checkpoint_of_validation_needs_some():
    with pytest.raises(ValueError, match="set early_stopping=True, or another monitor"):
        fit(with_callbacks(MetricDAE(), Checkpoint()))


@pytest.mark.parametrize(
    "callback",
    [
        EpochScoring("accuracy"),
        BatchScoring("accuracy"),
        PassthroughScoring("train_loss"),
        ("named", EpochScoring(lambda *_: 0.0, name="mine")),
    ],
)
def test_scoring_callbacks_are_refused_by_name(callback):
    with pytest.raises(ValueError, match=r"callback \w+Scoring, which cannot score"):
        fit(with_callbacks(MetricDAE(), callback))


class Writer:
    """A writer as TensorBoard's, with an open file."""

    def __init__(self, path):
        self.file = path.open("w")

    def add_scalar(self, tag, scalar_value, global_step=None, **kwargs):
        self.file.write(f"{global_step} {tag} {scalar_value}\n")

    def close(self):
        self.file.close()


def test_a_writer_works_in_fit_and_is_refused_in_a_search(tmp_path):
    path = tmp_path / "log.txt"
    writer = TensorBoard(Writer(path), keys_ignored=["train_loss_best"])
    dae = MetricDAE(max_epochs=2, net_params={"callbacks": [writer]})
    model = fit(dae)
    lines = path.read_text().splitlines()
    assert f"2 Loss/train_loss {model.history_[1]['train_loss']}" in lines
    with pytest.raises(TypeError, match="should open it in its own on_train_begin"):
        clone(dae)


# All others need a service, or nothing else than what is tested above.
HARMLESS = {
    "EpochTimer": {},
    "Freezer": {"patterns": "encoder.0.*"},
    "Unfreezer": {"patterns": "encoder.0.*", "at": 2},
    "Initializer": {"patterns": "*.bias"},
    "GradientNormClipping": {"gradient_clip_value": 1.0},
    "PrintLog": {"sink": lambda *_: None},
    "ProgressBar": {},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_other_callbacks_work(name):
    callback = getattr(skorch.callbacks, name)(**HARMLESS[name])
    model = fit(with_callbacks(MetricDAE(max_epochs=3), callback))
    assert len(model.history_) == 3
