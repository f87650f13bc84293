"""The specification of a net: plain, picklable, and the same net each time."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_ser import MEnAN, MetricDAE
from sklearn_ser.methods.metric_dae._loss import MetricDAELoss
from sklearn_ser.methods.metric_dae._net import DenoisingAutoencoder
from sklearn_ser.training._spec import NetSpec, check_net_params, trained_state

X = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)


def spec(**changed):
    plain = NetSpec(
        module=DenoisingAutoencoder,
        module_params={"n_features": 5, "hidden_sizes": (4,)},
        criterion=MetricDAELoss,
        inputs={"x": "X"},
        lr=0.01,
        max_epochs=3,
        batch_size=8,
        device="cpu",
        seed=7,
    )
    return replace(plain, **changed)


def weights(net):
    return [w.detach().clone() for w in net.module_.parameters()]


def same(first, second):
    return all(map(torch.equal, weights(first), weights(second)))


def test_the_same_net_each_time_also_after_pickle():
    one, other = spec().build(), pickle.loads(pickle.dumps(spec())).build()
    assert one is not other
    assert same(one, other)
    assert not same(one, spec(seed=8).build())
    for net in (one, other):
        net.train_on({"X": X})
    assert same(one, other)
    assert not same(one, spec().build())
    assert spec() == spec()


def test_building_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    spec().build()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_was_trained_is_restored_with_its_history():
    net = spec().build()
    net.train_on({"X": X})
    state = pickle.loads(pickle.dumps(trained_state(net)))
    history = [{"epoch": row["epoch"]} for row in net.history]
    restored = spec().restore(state, history)
    assert same(net, restored)
    assert [row["epoch"] for row in restored.history] == [1, 2, 3]
    for trained in (net, restored):  # and goes on alike: Adam's moments, too
        trained.train_on({"X": X}, epochs=1)
    assert same(net, restored)


def test_settings_reach_the_net():
    schedule = {"policy": "StepLR", "step_size": 1, "gamma": 0.5}
    stopping = {"patience": 4, "threshold": 0.25}
    net = spec(
        lr_schedule=schedule, early_stopping=stopping, progress="bar", optimizer="SGD"
    ).build()
    callbacks = dict(net.callbacks_)
    assert list(callbacks) == ["lr_schedule", "early_stopping", "progress"]
    assert callbacks["lr_schedule"].policy_ is torch.optim.lr_scheduler.StepLR
    assert callbacks["early_stopping"].patience == 4
    assert callbacks["early_stopping"].threshold == 0.25
    assert callbacks["progress"].description == "bar"
    assert isinstance(net.optimizer_, torch.optim.SGD)
    assert net.optimizer_.param_groups[0]["lr"] == 0.01
    assert dict(spec().build().callbacks_) == {}


def test_adam_is_fused_and_another_optimiser_is_not():
    (group,) = spec().build().optimizer_.param_groups
    assert group["fused"] is True
    other = spec(net_params={"optimizer": torch.optim.RMSprop}).build()
    assert isinstance(other.optimizer_, torch.optim.RMSprop)


def test_weight_decay_adds_a_share_of_each_weight_to_its_gradient():
    plain = {"max_epochs": 1, "batch_size": 30, "lr": 0.1, "optimizer": "SGD"}
    start = weights(spec(**plain).build())
    moved = []
    for decay in (0.0, 0.3):
        net = spec(**plain, weight_decay=decay).build()
        net.train_on({"X": X})
        moved.append(weights(net))
    for before, free, decayed in zip(start, *moved, strict=True):
        torch.testing.assert_close(decayed, free - 0.1 * 0.3 * before)
    (group,) = spec(weight_decay=0.3).build().optimizer_.param_groups
    assert group["weight_decay"] == 0.3
    # The parameters of the net are merged last, and may name an optimiser without it.
    of_user = {"optimizer__weight_decay": 0.5}
    net = spec(weight_decay=0.3, net_params=of_user).build()
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0.5
    spec(net_params={"optimizer": torch.optim.Rprop}).build()


def test_a_part_of_the_module_is_trained_alone():
    net = spec(part="encoder", inputs={"input": "X"}).build()
    output = net.infer({"X": torch.from_numpy(X)})
    torch.testing.assert_close(output, net.module_.encoder(torch.from_numpy(X)))
    whole = spec().build().infer({"X": torch.from_numpy(X)})
    assert whole.reconstruction.shape == X.shape


def test_net_params_are_copied():
    given = {"optimizer__weight_decay": 0.1}
    checked = check_net_params(given)
    assert checked == given
    assert checked is not given
    assert check_net_params(None) == {}
    with pytest.raises(ValueError, match="cannot set 'part'"):
        check_net_params({"part": "encoder"})


def test_a_fitted_estimator_keeps_a_specification_without_data_or_weights():
    model = MetricDAE(max_epochs=1, random_state=0).fit(X)
    assert len(pickle.dumps(model._spec)) < 2000
    assert model._spec.module is DenoisingAutoencoder
    y, groups = np.tile(["a", "b"], 15), np.tile(["s", "t", "u"], 10)
    menan = MEnAN(max_epochs=1, random_state=0).fit(X, y, groups=groups)
    assert menan._spec.module_params["n_speakers"] == 3
    assert menan._spec.lr_schedule["policy"] == "PolynomialLR"
    assert b"torch" not in pickle.dumps(menan._spec)
