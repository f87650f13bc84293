"""What is done in training beside the papers: by hand, and in every estimator."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from skorch.callbacks import Callback, Checkpoint, LoadInitState

from sklearn_ser import CVAE, MEnAN, MetricDAE, Schedule, SequenceClassifier
from sklearn_ser.training._losses import WeightedCrossEntropy, class_losses
from sklearn_ser.training._schedule import (
    OF_ALL,
    Augmentation,
    LearningRate,
    augmentation_of,
    mix_sequences,
)
from sklearn_ser.training._spec import trained_state
from tests.estimators import data_for
from tests.methods.test_common import fitted, numbers, one_of_each_class

PARTS = {
    "lr_policy": {"lr_policy": "cosine"},
    "label_smoothing": {"label_smoothing": 0.1},
    "mixup": {"mixup": 0.4},
    "time_masks": {"time_masks": 2, "mask_share": 0.5},
    "feature_masks": {"feature_masks": 2, "mask_share": 0.5},
    "average_from": {"average_from": 0.5},
}


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def batch_of(lengths, n_features=3, seed=0):
    x = randn(len(lengths), max(lengths), n_features, seed=seed)
    y = torch.arange(len(lengths)) % 3
    return {"X": x, "lengths": torch.tensor(lengths), "y": y}


# The estimators


@pytest.mark.slow
@one_of_each_class
def test_paper_is_nothing_and_each_part_is_something(estimator, needs):
    paper, X = fitted(estimator, needs)
    nothing, _ = fitted(clone(estimator).set_params(schedule=Schedule()), needs)
    np.testing.assert_array_equal(numbers(nothing, X), numbers(paper, X))
    for part, value in PARTS.items():
        changed = clone(estimator).set_params(schedule=Schedule(**value))
        if part in estimator._schedule_parts:
            model, _ = fitted(changed, needs)
            assert not np.array_equal(numbers(model, X), numbers(paper, X)), part
        else:
            with pytest.raises(ValueError, match=r"has no .*, which Schedule"):
                fitted(changed, needs)


@pytest.mark.slow
@one_of_each_class
def test_for_small_corpora(estimator, needs):
    small = clone(estimator).set_params(schedule="small_corpus")
    (model, X), (again, _) = fitted(small, needs), fitted(small, needs)
    assert model.schedule == "small_corpus"
    np.testing.assert_array_equal(numbers(again, X), numbers(model, X))
    assert np.isfinite(numbers(model, X)).all()
    paper, _ = fitted(estimator, needs)
    assert not np.array_equal(numbers(paper, X), numbers(model, X))


def test_all_networks_have_what_needs_no_classes():
    assert OF_ALL == {"lr_policy", "average_from"} == CVAE._schedule_parts


def test_wrong_values_name_the_parameter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 3))
    for wrong in ({"label_smoothing": 1.0}, {"lr_policy": "linear"}, {"mixup": -1}):
        with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter of Sch"):
            MetricDAE(schedule=Schedule(**wrong)).fit(X)
    with pytest.raises(ValueError, match="'schedule' parameter of MetricDAE"):
        MetricDAE(schedule="big_corpus").fit(X)


def test_parts_are_searched_by_name():
    estimator = SequenceClassifier(
        hidden_size=4, max_epochs=1, random_state=0, schedule=Schedule()
    )
    X, emotion, _, metadata = data_for(estimator)
    grid = {"schedule__label_smoothing": [0.0, 0.2]}
    search = GridSearchCV(estimator, grid, cv=GroupKFold(2), error_score="raise")
    search.fit(X, emotion, groups=metadata["groups"])
    assert estimator.schedule.label_smoothing == 0
    assert len(search.cv_results_["params"]) == 2


# The learning rate


@pytest.mark.parametrize("policy", ["one_cycle", "cosine"])
@pytest.mark.parametrize("n_epochs", [1, 2, 10])
def test_learning_rate_of_each_epoch(policy, n_epochs):
    estimator = MEnAN(
        hidden_size=4,
        max_epochs=n_epochs,
        lr=0.01,
        random_state=0,
        schedule=Schedule(lr_policy=policy),
    )
    X, emotion, _, metadata = data_for(estimator)
    model = estimator.fit(X, emotion, groups=metadata["groups"])
    rate = LearningRate(policy, n_epochs)
    expected = [0.01 * rate(epoch) for epoch in range(n_epochs)]
    assert [row["lr"] for row in model.history_] == pytest.approx(expected)


def test_learning_rate_by_hand():
    cosine, cycle = LearningRate("cosine", 2), LearningRate("one_cycle", 10)
    assert [cosine(0), cosine(1)] == pytest.approx(
        [(1 + np.cos(np.pi / 4)) / 2, (1 + np.cos(3 * np.pi / 4)) / 2]
    )
    assert cosine(5) == cosine(1)
    # Up to 3 in three epochs, then down.
    assert [cycle(epoch) for epoch in range(3)] == pytest.approx(
        [0.12 + 2.88 * (1 - np.cos(np.pi * part / 6)) / 2 for part in (1, 3, 5)]
    )
    down = [cycle(epoch) for epoch in range(3, 10)]
    assert down == sorted(down, reverse=True)
    assert down[3] == pytest.approx(1.5)


# Labels


def test_smoothed_mixtures_are_cross_entropies_to_mixed_targets():
    logits, smoothing = randn(4, 3), 0.2
    batch = {
        "y": torch.tensor([0, 2, 1, -1]),
        "weight": torch.tensor([1.0, 2.0, 0.5, 0.0]).double(),
        "partner": torch.tensor([1, 1, 3, 0]),
        "share": torch.tensor([0.7, 0.9, 0.5, 0.6]).double(),
    }
    losses = class_losses(logits, batch, smoothing)
    for row in range(4):
        expected = 0.0
        of_both = (
            (row, batch["share"][row]),
            (
                int(batch["partner"][row]),
                1 - batch["share"][row],
            ),
        )
        for utterance, share in of_both:
            if batch["y"][utterance] >= 0:
                target = torch.full((3,), smoothing / 3, dtype=torch.float64)
                target[batch["y"][utterance]] += 1 - smoothing
                loss = -(target * logits[row].log_softmax(0)).sum()
                expected = expected + share * batch["weight"][utterance] * loss
        torch.testing.assert_close(losses[row], torch.as_tensor(expected))


def test_labels_are_smooth_in_training_alone():
    output = type("Output", (), {"logits": randn(4, 3)})
    batch = {"y": torch.arange(4) % 3, "weight": torch.ones(4)}
    smooth, plain = WeightedCrossEntropy(0.3), WeightedCrossEntropy()
    assert smooth(output, batch)["loss"] != plain(output, batch)["loss"]
    assert smooth.eval()(output, batch)["loss"] == plain(output, batch)["loss"]


# Frames


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=5),
    st.integers(0, 3),
    st.integers(0, 3),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_masks_cover_no_more_than_their_share(lengths, n_time, n_feature, share, seed):
    batch = batch_of(lengths, 10)
    generator = torch.Generator().manual_seed(seed)
    masked = Augmentation(n_time, n_feature, share, 0.0)(batch, generator)["X"]
    hidden = masked == 0
    assert torch.equal(masked[~hidden], batch["X"][~hidden])
    for row, length in enumerate(lengths):
        frames = hidden[row, :length].all(dim=1).sum()
        if hidden[row, :length].all():
            continue  # by frames or by features
        assert frames <= n_time * share * length
        of_features = hidden[row, :length].all(dim=0).sum()
        assert of_features <= n_feature * share * 10
        assert not hidden[row, length:].all(dim=1).any()


def test_masks_reach_every_frame_and_feature():
    augmentation = Augmentation(1, 1, 0.5, 0.0)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.zeros(6, 4, dtype=torch.bool)
    for _ in range(100):
        x = augmentation(batch_of([6], 4), generator)["X"][0]
        hidden |= x == 0
    assert hidden.all()


def test_mixtures_by_hand():
    x = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, torch.nan]])[:, :, None]
    mixed = mix_sequences(
        x, torch.tensor([3, 2]), torch.tensor([0.5, 1.0]), torch.tensor([1, 1])
    )
    assert mixed[0, :, 0].tolist() == [5.5, 11.0, 6.5]
    assert mixed[1, :2, 0].tolist() == [10.0, 20.0]


def test_mixtures_are_mostly_the_first():
    batch = batch_of([5, 4, 3, 5])
    mixed = Augmentation(0, 0, 0.1, 0.4)(batch, torch.Generator().manual_seed(0))
    assert (mixed["share"] >= 0.5).all()
    assert sorted(mixed["partner"].tolist()) == [0, 1, 2, 3]
    expected = mix_sequences(
        batch["X"], batch["lengths"], mixed["share"], mixed["partner"]
    )
    torch.testing.assert_close(mixed["X"], expected)


def test_nothing_is_made_where_nothing_is_asked_for():
    assert augmentation_of(Schedule(label_smoothing=0.1)) is None


def test_held_out_speakers_are_not_augmented():
    estimator = MEnAN(
        hidden_size=4,
        max_epochs=1,
        early_stopping=True,
        random_state=0,
        schedule=Schedule(time_masks=1, mixup=0.4),
    )
    X, emotion, _, metadata = data_for(estimator)
    net = estimator.fit(X, emotion, groups=metadata["groups"]).net_
    dataset = type("Dataset", (), {"X": {}})
    assert len(net.get_iterator(dataset, training=True).transforms) == 1
    assert net.get_iterator(dataset).transforms == []


# Weights


class Weights(Callback):
    """Keeps the weights after each epoch."""

    kept: list = []

    def on_train_begin(self, net, **kwargs):
        self.kept.clear()

    def on_epoch_end(self, net, **kwargs):
        state = net.module_.state_dict()
        self.kept.append({name: value.clone() for name, value in state.items()})


def test_weights_are_the_mean_of_the_last_epochs():
    X = np.random.default_rng(0).normal(size=(40, 6))
    model = MetricDAE(
        max_epochs=5,
        random_state=0,
        schedule=Schedule(average_from=0.5),
        net_params={"callbacks": [Weights()]},
    ).fit(X)
    assert len(Weights.kept) == 5
    for name, value in model.net_.module_.state_dict().items():
        last = [weights[name] for weights in Weights.kept[2:]]
        torch.testing.assert_close(value, torch.stack(last).mean(dim=0))


def test_early_stopping_excludes_a_mean():
    estimator = MetricDAE(early_stopping=True, max_epochs=2)
    X, groups = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 4
    with pytest.raises(ValueError, match=r"Schedule\(average_from=0\.5\) with the mea"):
        estimator.set_params(schedule=Schedule(average_from=0.5)).fit(X, groups=groups)
    estimator.set_params(schedule="small_corpus").fit(X, groups=groups)


def test_a_checkpoint_holds_no_mean(tmp_path):
    checkpoint = Checkpoint(dirname=str(tmp_path), monitor=None)
    X = np.random.default_rng(0).normal(size=(20, 4))
    model = MetricDAE(
        max_epochs=2, random_state=0, net_params={"callbacks": [checkpoint]}
    ).fit(X)
    loading = {"callbacks": [LoadInitState(checkpoint)]}
    model.set_params(net_params=loading, schedule=Schedule(average_from=0.5))
    with pytest.raises(ValueError, match="set schedule's average_from to None"):
        model.fit(X)


def test_the_state_is_plain():
    model = MetricDAE(max_epochs=1, schedule=Schedule(average_from=0.5)).fit(
        np.random.default_rng(0).normal(size=(20, 4))
    )
    assert set(trained_state(model.net_)) == {"module", "optimizer"}
