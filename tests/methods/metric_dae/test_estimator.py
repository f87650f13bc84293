"""MetricDAE: what it learns, what it refuses."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from skorch.callbacks import Callback

from sklearn_ser import MetricDAE
from sklearn_ser.losses import MetricDAELoss
from tests.estimators import make_data


@pytest.fixture(scope="module")
def data():
    X, emotion, groups, metadata = make_data(n_speakers=10, n_per_speaker=30)
    taken = MetricDAE().get_metadata_routing().fit.requests
    return X, emotion, groups, {name: metadata[name] for name in taken}


def published(**params):
    return MetricDAE(random_state=0, **params)


def test_default_is_the_published_setting():
    params = MetricDAE().get_params()
    expected = {"latent_dim": 2, "lr": 1e-3, "max_epochs": 50, "batch_size": 64}
    assert expected.items() <= params.items()
    assert params["hidden_sizes"] == (40, 20, 10)
    rng = np.random.default_rng(0)
    dae = published(max_epochs=1).fit(rng.normal(size=(70, 88)))
    assert sum(p.numel() for p in dae.net_.module_.parameters()) == 9310
    assert isinstance(dae.net_.optimizer_, torch.optim.Adam)


def test_embedding_keeps_the_distances_of_the_label(data):
    X, _, groups, metadata = data
    activation = metadata["activation"]
    test = np.isin(groups, ["s0", "s1"])
    plain = published().fit(X[~test])
    act = published(label="act").fit(X[~test], activation=activation[~test])

    def stress(model):
        z = torch.tensor(model.transform(X[test]))
        distances = torch.pdist(z).numpy()
        labels = torch.pdist(torch.tensor(activation[test])[:, None]).numpy()
        return np.mean((distances - labels) ** 2)

    assert stress(act) < 0.6 * stress(plain)
    # On speakers that it has not seen.
    assert r2_score(activation[test], act.predict(X[test])) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("label", [("act", "val"), ("val", "act"), ["act", "val"]])
def test_two_labels_take_half_of_the_latent_dimensions_each(data, label):
    X, _, _, metadata = data
    dae = published(label=label, latent_dim=4, max_epochs=100).fit(X, **metadata)
    Z = dae.transform(X)
    predicted = dae.predict(X)
    assert predicted.shape == (len(X), 2)
    names = {"act": "activation", "val": "valence"}
    assert dae.label_scale_.shape == dae.label_mean_.shape == (2,)
    for k, name in enumerate(label):
        target = metadata[names[name]]
        assert r2_score(target, predicted[:, k]) > 0.6
        half = torch.tensor(Z[:, 2 * k : 2 * k + 2])
        n, d = torch.pdist(half), torch.pdist(torch.tensor(target)[:, None])
        d = d.float() / dae.label_scale_[k]
        assert abs(float(n.dot(d) / d.dot(d)) - 1) < 0.2


def test_predict_is_least_squares_on_the_embedding(data):
    X, _, _, metadata = data
    dae = published(label="val", max_epochs=2).fit(X, valence=metadata["valence"])
    Z = dae.transform(X)
    line = LinearRegression().fit(Z, metadata["valence"])
    np.testing.assert_allclose(dae.predict(X), line.predict(Z), rtol=1e-4)
    assert dae.coef_.shape == (1, 2)
    assert dae.intercept_.shape == (1,)


def test_labels_are_brought_to_the_spread_of_the_paper(data):
    X, _, groups, metadata = data
    activation = 100 * metadata["activation"]
    stopping = published(label="act", max_epochs=1, early_stopping=True)
    dae = stopping.fit(X, activation=activation, groups=groups)
    train = activation[~np.isin(groups, dae.validation_groups_)]
    np.testing.assert_allclose(dae.label_mean_, train.mean())
    np.testing.assert_allclose(dae.label_scale_, train.std() / 0.92)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@example(unit=1.0, origin=1e9)
@example(unit=1e-8, origin=0.0)
@example(unit=1e19, origin=0.0)
@example(unit=-1e-200, origin=0.0)
@given(unit=st.sampled_from([1e-3, 0.25, 100.0]), origin=st.floats(-1e3, 1e3))
def test_the_unit_of_the_labels_does_not_matter(data, unit, origin):
    X, _, groups, metadata = data
    dae = published(label=("act", "val"), max_epochs=5, early_stopping=True)
    activation, valence = metadata["activation"].copy(), metadata["valence"]
    activation[::7] = np.nan
    labels = {"activation": activation, "valence": valence}
    other = {"activation": unit * activation + origin, "valence": origin + valence}
    plain = clone(dae).fit(X, **labels, groups=groups)
    moved = clone(dae).fit(X, **other, groups=groups)
    np.testing.assert_allclose(moved.transform(X), plain.transform(X), atol=1e-4)
    np.testing.assert_allclose(
        [row["valid_loss"] for row in moved.history_],
        [row["valid_loss"] for row in plain.history_],
        rtol=1e-4,
    )
    back = (moved.predict(X) - origin) / [unit, 1.0]
    np.testing.assert_allclose(back, plain.predict(X), atol=1e-3)
    slope = moved.coef_ / [[unit], [1.0]]
    np.testing.assert_allclose(slope, plain.coef_, atol=1e-3)


def test_the_first_part_of_a_stream_sets_the_scale(data):
    X, _, _, metadata = data
    activation = metadata["activation"]
    dae = published(label="act").partial_fit(X, activation=np.full(len(X), np.nan))
    assert np.isnan(dae.label_scale_).all()
    dae.partial_fit(X, activation=activation)
    np.testing.assert_allclose(dae.label_scale_, activation.std() / 0.92)
    dae.partial_fit(X, activation=1000 * activation)
    np.testing.assert_allclose(dae.label_scale_, activation.std() / 0.92)
    with pytest.raises(ValueError, match=r"activation has the value 1e\+19, too far"):
        dae.partial_fit(X, activation=np.r_[1e19, activation[1:]])


CONSTANT = np.full(300, 3.0)
ONE = np.r_[3.0, np.full(299, np.nan)]


@pytest.mark.parametrize(
    ("activation", "batch_size", "missing"),
    [
        (CONSTANT, 64, "all 300 that are known are 3"),
        (CONSTANT * 0.1 + 1e9, 64, "all 300 that are known are 1e\\+09"),
        (ONE, 64, "only 1 of 300 samples has one"),
        (np.arange(300.0), 1, "batch_size=1 puts no two in a batch"),
    ],
)
def test_a_label_that_cannot_be_learned_is_named(data, activation, batch_size, missing):
    X, *_ = data
    dae = published(label="act", max_epochs=2, batch_size=batch_size)
    with pytest.warns(UserWarning, match=f"not learn activation: .* {missing}") as said:
        dae.fit(X, activation=activation)
    assert [warning.filename for warning in said] == [__file__]
    for row in dae.history_:
        assert np.isnan([row["train_slope_loss"], row["train_residual_loss"]]).all()
        assert np.isfinite(row["train_loss"])
    with pytest.warns(UserWarning, match="does not learn activation"):
        clone(dae).partial_fit(X, activation=activation)
    known = np.isfinite(activation)
    if batch_size > 1:
        np.testing.assert_allclose(dae.predict(X), activation[known][0], rtol=1e-6)


def test_early_stopping_goes_on_without_labels_to_watch(data):
    X, _, groups, metadata = data
    stopping = published(label="act", max_epochs=4, early_stopping=True)
    held_out = stopping.fit(X, **metadata).validation_groups_
    activation = np.where(np.isin(groups, held_out), np.nan, metadata["activation"])
    with pytest.warns(UserWarning, match="not watch activation: .* 0 of 30 samples"):
        stopping.fit(X, activation=activation, groups=groups)
    history = pd.DataFrame(stopping.history_)
    assert history["valid_slope_loss"].isna().all()
    assert np.isfinite(history[["valid_loss", "train_slope_loss"]]).all(axis=None)
    best = history["valid_loss"].idxmin()
    assert best == len(history) - 1  # none of the epochs counted as no better


def test_batches_without_labels_are_no_zeros_in_the_history(data):
    X, *_ = data
    activation = np.r_[1.0, 5.0, np.full(298, np.nan)]
    dae = published(label="act", max_epochs=1, lr=1e-12, noise_std=0.0, batch_size=150)
    losses = [
        clone(dae).set_params(**half).fit(X, activation=activation).history_[0]
        for half in ({}, {"batch_size": 300})
    ]
    # The same pair, whose embedding is the same: one of two batches has it, or the one.
    for name in ("train_slope_loss", "train_residual_loss"):
        assert losses[0][name] == pytest.approx(losses[1][name], rel=1e-4)


def test_predict_only_where_a_label_was_learned(data):
    X, *_ = data
    baseline = published(max_epochs=1).fit(X)
    assert not hasattr(baseline, "predict")
    with pytest.raises(AttributeError, match="has no attribute 'predict'") as caught:
        baseline.predict(X)
    assert "learns no label" in str(caught.value.__cause__)


def test_inverse_transform_is_the_decoder(data):
    X, *_ = data
    dae = published(max_epochs=80, noise_std=0.1).fit(X)
    restored = dae.inverse_transform(dae.transform(X))
    assert restored.shape == X.shape
    assert restored.dtype == np.float32
    assert np.mean((restored - X) ** 2) < 0.6 * np.mean(X**2)
    with pytest.raises(ValueError, match="3 columns, but the embedding has 2"):
        dae.inverse_transform(np.zeros((4, 3)))


def test_unlabelled_rows_train_the_autoencoder_only(data):
    X, _, _, metadata = data
    activation = metadata["activation"].copy()
    activation[::3] = np.nan
    partly = published(label="act").fit(X, activation=activation)
    known = np.isfinite(activation)
    assert r2_score(activation[known], partly.predict(X[known])) > 0.6
    only = published(label="act").fit(X[known], activation=activation[known])
    assert not np.allclose(partly.transform(X), only.transform(X))


def test_each_step_learns_from_a_few_labels(data):
    X, *_ = data
    activation = np.full(len(X), np.nan)
    activation[:6] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0]
    slopes = []

    class Watch(Callback):
        def on_batch_end(self, net, batch, slope_loss, **kwargs):
            slopes.append(float(slope_loss.detach()))

    params = {"batch_size": 10, "net_params": {"callbacks": [Watch()]}}
    published(label="act", max_epochs=2, **params).fit(X, activation=activation)
    assert len(slopes) == 2 * 30
    assert np.isfinite(slopes).all()


def test_the_history_is_that_of_the_loss(data):
    X, _, _, metadata = data
    batch = len(X)
    dae = published(label="act", max_epochs=1, noise_std=0.0, batch_size=batch)
    dae.fit(X, activation=metadata["activation"])
    fresh = clone(dae).set_params(lr=1e-12).fit(X, activation=metadata["activation"])
    row = fresh.history_[0]
    output = fresh.net_.module_(torch.tensor(X))
    activation = (metadata["activation"] - fresh.label_mean_) / fresh.label_scale_
    labels = torch.tensor(activation, dtype=torch.float32)[:, None]
    expected = MetricDAELoss()(output, {"X": torch.tensor(X), "labels": labels})
    assert row["epoch"] == 1
    for name, value in expected.items():
        assert row[f"train_{name}"] == pytest.approx(value.item(), rel=1e-5)
    assert pd.DataFrame(dae.history_).shape == (1, 5)


def test_log_and_signed_are_other_objectives(data):
    X, _, _, metadata = data
    results = [
        published(label="act", max_epochs=3, **params)
        .fit(X, activation=metadata["activation"])
        .transform(X)
        for params in (
            {},
            {"combine": "log"},
            {"distance": "signed"},
            {"distance": "mean_euclidean"},
            {"decoder_relu": "released"},
            {"metric_weight": 0.1},
            {"noise_std": 0.0},
        )
    ]
    for i, first in enumerate(results):
        for second in results[i + 1 :]:
            assert not np.allclose(first, second)


@pytest.mark.slow
def test_partial_fit_learns_from_a_stream(data):
    X, _, _, metadata = data
    activation = metadata["activation"]
    dae = published(label="act")
    for _ in range(40):
        for part in np.array_split(np.arange(len(X)), 3):
            dae.partial_fit(X[part], activation=activation[part])
    assert len(dae.history_) == 120
    assert r2_score(activation, dae.predict(X)) > 0.6
    # A part without labels goes on training and leaves the estimate alone.
    before = dae.coef_.copy()
    dae.partial_fit(X[:9], activation=np.full(9, np.nan))
    np.testing.assert_array_equal(dae.coef_, before)
    # So does a part that is too small for a regression on two dimensions.
    dae.partial_fit(X[:3], activation=activation[:3])
    np.testing.assert_array_equal(dae.coef_, before)
    assert r2_score(activation, dae.predict(X)) > 0.6


def test_partial_fit_before_any_label(data):
    X, *_ = data
    dae = published(label="act").partial_fit(X, activation=np.full(len(X), np.nan))
    assert dae.transform(X).shape == (len(X), 2)
    with pytest.raises(NotFittedError, match="no labelled sample yet"):
        dae.predict(X)
    with pytest.raises(ValueError, match="cannot stop early"):
        published(early_stopping=True).partial_fit(X)


def test_refitting_forgets(data):
    X, _, _, metadata = data
    activation = metadata["activation"]
    dae = published(label="act", max_epochs=2).fit(X, activation=activation)
    once = dae.transform(X)
    np.testing.assert_array_equal(dae.fit(X, activation=activation).transform(X), once)
    assert len(dae.history_) == 2
    dae.set_params(early_stopping=True).fit(
        X, activation=activation, groups=np.arange(len(X)) % 5
    )
    dae.set_params(label=None, early_stopping=False).fit(X)
    for name in ("coef_", "intercept_", "validation_groups_"):
        assert not hasattr(dae, name)


def test_a_fit_that_was_refused_is_no_fit(data):
    X, *_ = data
    dae = published(label="act")
    with pytest.raises(ValueError, match="learns from activation"):
        dae.fit(X)
    for method in (dae.transform, dae.predict):
        with pytest.raises(NotFittedError):
            method(X)


@pytest.mark.parametrize(
    ("label", "given", "message"),
    [
        ("act", {}, r"learns from activation, but fit did not get it.*"),
        ("val", {"activation": 1.0}, r"learns from valence.*fit\(X, y, valence=…\)"),
        ("act", {}, r"enable_metadata_routing=True.*metricdae__activation=…"),
        ("act", {"activation": np.nan}, "activation is NaN for all 300 samples"),
        ("act", {"activation": np.inf}, "activation is infinite or .* at index 0"),
        ("act", {"activation": 1e300}, "too large for float32 at index 0"),
        ("act", {"activation": 1 + 2j}, "activation must be one number per sample"),
        ("act", {"activation": "loud"}, "activation must be one number per sample"),
        ("happy", {}, r"'label' parameter of MetricDAE must be"),
        (("act", "act"), {}, r"label must be .* got \('act', 'act'\)"),
        (("act", "loud"), {}, r"label must be"),
        ([], {}, r"label must be"),
        ([["act"]], {}, r"label must be"),
    ],
)
def test_wrong_labels_are_explained(data, label, given, message):
    X, *_ = data
    given = {name: np.full(len(X), value) for name, value in given.items()}
    with pytest.raises(ValueError, match=message):
        published(label=label).fit(X, **given)


def test_lengths_must_agree(data):
    """scikit-learn hands metadata of the wrong length whole to each fold."""
    X, *_ = data
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        published(label="act").fit(X, activation=np.ones(len(X) - 1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        published().fit(X, activation=np.ones(len(X) - 1))
    with pytest.raises(ValueError, match="one number per sample"):
        published(label="act").fit(X, activation=np.ones((len(X), 2)))


@pytest.mark.parametrize("sizes", [(8.5,), (0,), ("8",), (-3,), ([8, 4],)])
def test_hidden_sizes_must_be_positive_integers(data, sizes):
    X, *_ = data
    with pytest.raises(ValueError, match="hidden_sizes must be positive integers"):
        published(hidden_sizes=sizes).fit(X)


def test_labels_of_held_out_speakers_are_not_training_labels(data):
    X, _, groups, metadata = data
    stopping = published(label="act", max_epochs=1, early_stopping=True)
    held_out = stopping.fit(X, **metadata).validation_groups_
    activation = np.where(np.isin(groups, held_out), metadata["activation"], np.nan)
    with pytest.raises(ValueError, match="NaN for all 270 samples to train on"):
        stopping.fit(X, groups=groups, activation=activation)


def test_predict_is_of_the_label_that_was_learned(data):
    X, _, _, metadata = data
    dae = published(label="act", max_epochs=1).fit(X, **metadata)
    expected = dae.predict(X)
    np.testing.assert_array_equal(
        dae.set_params(label=("act", "val")).predict(X), expected
    )


def test_an_odd_latent_dim_cannot_be_halved(data):
    X, _, _, metadata = data
    with pytest.raises(ValueError, match="latent_dim=3 cannot be halved"):
        published(label=("act", "val"), latent_dim=3).fit(X, **metadata)


def test_feature_names_and_pandas(data):
    X, *_ = data
    frame = pd.DataFrame(X, index=np.arange(len(X)) + 5).add_prefix("f")
    dae = published(latent_dim=3, max_epochs=1).set_output(transform="pandas")
    embedded = dae.fit_transform(frame)
    assert list(embedded.columns) == ["metricdae0", "metricdae1", "metricdae2"]
    assert (embedded.index == frame.index).all()
    assert list(dae.feature_names_in_) == list(frame.columns)
