"""CVAE: no label leaks, the generative classifier, sequences in and out."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CVAE, SequenceClassifier
from sklearn_ser.losses import kl_standard_normal, negative_elbo
from sklearn_ser.nets import VariationalAutoencoder
from tests.methods.cvae.helpers import small, speech


def test_published_network_by_default():
    cvae = CVAE(max_epochs=1, random_state=0)
    X, _ = speech(n=8, n_features=800)
    module = cvae.fit(X, np.tile(["a", "b", "c", "d"], 2)).net_.module_
    assert isinstance(module, VariationalAutoencoder)
    assert sum(p.numel() for p in module.parameters()) == 1_185_312
    for variant, parameters in {"vae": 1_182_240, "ae": 1_149_344}.items():
        module = clone(cvae).set_params(variant=variant).fit(X).net_.module_
        assert sum(p.numel() for p in module.parameters()) == parameters


@pytest.mark.parametrize("variant", ["cvae", "vae", "ae"])
def test_loss_falls_and_the_history_names_its_parts(variant):
    X, y = speech()
    history = pd.DataFrame(small(variant).fit(X, y).history_)
    assert history["train_loss"].iloc[-1] < 0.95 * history["train_loss"].iloc[0]
    assert ("train_kl_loss" in history) == (variant != "ae")


@pytest.mark.parametrize("variant", ["cvae", "vae", "ae"])
def test_sequences_come_out_as_they_went_in(variant):
    X, y = speech()
    model = small(variant).fit(X, y)
    width = 3 if variant == "ae" else 6
    ragged = model.transform(X)
    assert ragged.shape == (40,)
    for x, encoded in zip(X, ragged, strict=True):
        assert encoded.shape == (len(x), width)
        assert encoded.dtype == np.float32
    if variant != "ae":
        assert all((encoded[:, 3:] > 0).all() for encoded in ragged)  # variances
    # All are views on one array: nothing is held twice.
    assert ragged[0].base is ragged[1].base
    cube = np.stack([x[:2] for x in X])
    assert model.transform(cube).shape == (40, 2, width)
    table = cube[:, 0]
    rows = model.transform(table)
    assert rows.shape == (40, width)
    np.testing.assert_allclose(rows, model.transform(table[:, None])[:, 0], rtol=1e-6)
    assert model.get_feature_names_out()[0] == "cvae0"
    assert len(model.get_feature_names_out()) == width


def test_mean_alone():
    X, _ = speech()
    both, mean = (small("vae", output=o).fit(X) for o in ("mean_variance", "mean"))
    for first, second in zip(both.transform(X), mean.transform(X), strict=True):
        np.testing.assert_array_equal(first[:, :3], second)


def test_what_is_encoded_is_what_the_module_encodes():
    X, _ = speech()
    vae = small("vae").fit(X)
    x = (X[5] - vae.mean_) / vae.scale_
    module = vae.net_.module_.eval()
    with torch.no_grad():
        mean, logvar = module.encode(torch.from_numpy(x.astype(np.float32)))
    expected = torch.cat([mean, logvar.exp()], dim=1)
    np.testing.assert_allclose(vae.transform(X)[5], expected, rtol=1e-4, atol=1e-5)


def test_statistics_are_those_of_a_scaler_over_all_segments():
    X, y = speech()
    X = [x * [1, 2, 3, 4, 5, 0] + 7 for x in X]  # the last is constant
    cvae = small(max_epochs=1).fit(X, y)
    scaler = StandardScaler().fit(np.concatenate(X))
    np.testing.assert_allclose(cvae.mean_, scaler.mean_)
    np.testing.assert_allclose(cvae.scale_, scaler.scale_)
    assert not hasattr(small(max_epochs=1, standardize=False).fit(X, y), "mean_")


@pytest.mark.parametrize("condition", ["posterior", "prior", "zero"])
def test_no_label_reaches_a_transform(condition):
    """What is fitted decides what is encoded, whatever the labels beside it say."""
    X, y = speech()
    cvae = small(condition=condition, label_dropout=0.2)
    fitted_and_transformed = cvae.fit_transform(X, y)
    for first, second in zip(fitted_and_transformed, cvae.transform(X), strict=True):
        np.testing.assert_array_equal(first, second)
    with pytest.raises(TypeError):
        cvae.transform(X, y)


def test_the_inferred_condition_is_what_predict_proba_says():
    X, y = speech(spread=3.0)
    cvae = small(max_epochs=100, priors="uniform").fit(X, y)
    certain = cvae.predict_proba(X).max(axis=1) > 1 - 1e-6
    assert certain.any()
    encoded = cvae.transform(X)
    oracle = cvae.transform(X, oracle_labels=cvae.predict(X))
    for i in np.flatnonzero(certain):
        np.testing.assert_allclose(encoded[i], oracle[i], rtol=1e-4)


@pytest.mark.slow
def test_the_oracle_is_explicit_and_differs():
    X, y = speech(spread=0.0)
    cvae = small(condition="prior").fit(X, y)
    honest, oracle = cvae.transform(X), cvae.transform(X, oracle_labels=y)
    assert not np.allclose(honest[0], oracle[0])
    # The answer is in the latents: on noise alone, only the oracle knows anything.
    score = {
        name: cross_val_score(
            SequenceClassifier(hidden_size=16, lr=0.01, random_state=0), latents, y
        ).mean()
        for name, latents in {"honest": honest, "oracle": oracle}.items()
    }
    assert score["oracle"] > 0.78  # 0.83 and more over eight seeds
    assert score["honest"] < 0.75  # 0.70 and less
    with pytest.raises(ValueError, match=r"oracle_labels has 'joy' at index 3"):
        cvae.transform(X, oracle_labels=[*y[:3], "joy", *y[4:]])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cvae.transform(X, oracle_labels=y[:-1])
    column = cvae.transform(X, oracle_labels=y[:, None])
    np.testing.assert_array_equal(column[0], oracle[0])
    with pytest.raises(ValueError, match="has no condition"):
        small("vae", max_epochs=1).fit(X).transform(X, oracle_labels=y)


def test_the_oracle_is_never_routed_by_accident():
    X, y = speech()
    pipeline = make_pipeline(small(max_epochs=1), SequenceClassifier(max_epochs=1))
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline.fit(X, y)
        with pytest.raises((TypeError, UnsetMetadataPassedError)):
            pipeline.predict(X, oracle_labels=y)


def test_the_conditions_that_know_nothing_of_an_utterance():
    X, y = speech()
    cvae = small(condition="zero", label_dropout=0.5).fit(X, y)
    module, _ = cvae._inference_module()
    x = torch.from_numpy((X[0].astype(np.float64) - cvae.mean_) / cvae.scale_)
    for condition, vector in {"zero": [0, 0], "prior": cvae.class_prior_}.items():
        given = torch.tensor(vector, dtype=torch.float64).expand(len(x), 2)
        mean, logvar = module.encode(x, given)
        expected = torch.cat([mean, logvar.exp()], dim=1).detach()
        encoded = cvae.set_params(condition=condition).transform(X)[0]
        np.testing.assert_allclose(encoded, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["condition", "output"])
def test_what_is_changed_after_the_fit_is_checked(name):
    X, y = speech()
    cvae = small(max_epochs=1).fit(X, y).set_params(**{name: "posteriour"})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of CVAE must be"):
        cvae.transform(X)


@pytest.mark.parametrize("annealing_epochs", [0, 10])
def test_held_out_speakers_are_scored_by_the_whole_loss(annealing_epochs):
    """Their emotions are known there, and annealing would make it incomparable."""
    X, y = speech()
    groups = np.arange(40) // 10
    cvae = small(
        beta=2.0, recon_scale=0.5, annealing_epochs=annealing_epochs,
        early_stopping=True, validation_fraction=0.25, max_epochs=1,
    ).fit(X, y, groups=groups)  # fmt: skip
    (epoch,) = cvae.history_
    expected = epoch["valid_reconstruction_loss"] + 2 * epoch["valid_kl_loss"]
    assert epoch["valid_loss"] == pytest.approx(expected)
    held_out = np.flatnonzero(groups == cvae.validation_groups_)
    x = np.concatenate([X[i] for i in held_out])
    labels = np.concatenate([[y[i]] * len(X[i]) for i in held_out])
    module, _ = cvae._inference_module()
    condition = torch.from_numpy((labels[:, None] == cvae.classes_).astype(float))
    mean, logvar = module.encode(
        torch.from_numpy((x.astype(np.float64) - cvae.mean_) / cvae.scale_), condition
    )
    kl = kl_standard_normal(mean, logvar).mean().item()
    assert epoch["valid_kl_loss"] == pytest.approx(kl, rel=1e-5)


def test_label_dropout_trains_the_model_without_label():
    X, y = speech(spread=3.0)

    def gap(label_dropout):
        """Return how much worse the loss is without a label than with the true."""
        cvae = small(label_dropout=label_dropout, max_epochs=100).fit(X, y)
        module, _ = cvae._inference_module()
        losses = []
        for true in (1.0, 0.0):
            x = torch.from_numpy((np.concatenate(X) - cvae.mean_) / cvae.scale_)
            one_hot = torch.from_numpy(
                np.repeat(y[:, None] == cvae.classes_, [len(x) for x in X], axis=0)
            )
            condition = one_hot * true
            mean, logvar = module.encode(x, condition)
            decoded = module.decode(mean, condition)
            losses.append(negative_elbo(x, decoded, mean, logvar).mean().item())
        return losses[1] - losses[0]

    assert gap(0.5) < gap(0.0)


def test_predict_is_the_bound_plus_the_prior_by_hand():
    X, y = speech(n=12, spread=0.3)
    cvae = small(recon_scale=0.5, priors=[0.2, 0.8], beta=3.0).fit(X, y)
    module, _ = cvae._inference_module()
    joint = np.empty((12, 2))
    for i, x in enumerate(X):
        standard = torch.from_numpy((x.astype(np.float64) - cvae.mean_) / cvae.scale_)
        for k in range(2):
            one_hot = torch.eye(2, dtype=torch.float64)[[k] * len(x)]
            mean, logvar = module.encode(standard, one_hot)
            loss = negative_elbo(
                standard, module.decode(mean, one_hot), mean, logvar, recon_scale=0.5
            )
            joint[i, k] = -loss.sum().item() + np.log([0.2, 0.8][k])
    np.testing.assert_array_equal(cvae.predict(X), cvae.classes_[joint.argmax(axis=1)])
    expected = np.exp(joint - joint.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(cvae.predict_proba(X), expected, rtol=1e-4, atol=1e-9)


def test_the_generative_classifier_learns():
    X, y = speech(n=80)
    scores = cross_val_score(small(max_epochs=30), X, y, cv=4)
    assert scores.mean() > 0.85  # 0.95 and more over 15 seeds


def test_priors():
    X, y = speech()
    y[:30] = "anger"
    n_anger = np.mean(y == "anger")
    fit = lambda priors: small(priors=priors, max_epochs=1).fit(X, y)  # noqa: E731
    np.testing.assert_allclose(fit(None).class_prior_, [n_anger, 1 - n_anger])
    np.testing.assert_allclose(fit("uniform").class_prior_, [0.5, 0.5])
    assert (fit([1.0, 0.0]).predict(X) == "anger").all()
    with pytest.raises(ValueError, match="one value for each of the 2 classes"):
        fit([1.0])
    with pytest.raises(ValueError, match="at least 0 and sum to 1"):
        fit([0.6, 0.6])


def test_a_class_of_the_held_out_speakers_alone_is_not_predicted():
    X, y = speech()
    y = y.astype("U10")
    y[:10] = "other"
    groups = np.repeat(["a", "b", "c", "d"], 10)
    for seed in range(20):
        cvae = small(early_stopping=True, max_epochs=2, random_state=seed)
        cvae.fit(X, y, groups=groups)
        if cvae.validation_groups_.tolist() == ["a"]:
            break
    assert cvae.validation_groups_.tolist() == ["a"]
    assert cvae.classes_.tolist() == ["anger", "other", "sadness"]
    np.testing.assert_allclose(cvae.class_prior_, [0.5, 0, 0.5])
    assert "other" not in cvae.predict(X)
    assert np.isfinite(np.concatenate(cvae.transform(X))).all()


def test_without_classes_there_is_nothing_to_predict():
    X, _ = speech()
    vae = small("vae", max_epochs=1).fit(X)
    for name in ("predict", "predict_proba", "predict_log_proba"):
        assert not hasattr(vae, name)
        assert hasattr(small(), name)
    with pytest.raises(AttributeError) as caught:
        _ = vae.predict
    assert "put a classifier after it" in str(caught.value.__cause__)
    assert is_classifier(small())
    assert not is_classifier(vae)
    with pytest.raises(ValueError, match="requires y to be passed"):
        small().fit(X)


def test_a_variant_that_is_set_after_the_fit_changes_nothing_yet():
    X, y = speech()
    cvae, vae = small(max_epochs=1).fit(X, y), small("vae", max_epochs=1).fit(X)
    predicted = cvae.predict(X)
    assert (cvae.set_params(variant="vae").predict(X) == predicted).all()
    assert not hasattr(vae.set_params(variant="cvae"), "predict")


def test_annealing_and_free_bits_reach_the_loss():
    X, _ = speech()
    first, second = (
        small("vae", annealing_epochs=epochs, max_epochs=3).fit(X) for epochs in (0, 3)
    )
    of_first, of_second = first.history_[0], second.history_[0]
    assert of_second["train_loss"] == of_second["train_reconstruction_loss"]
    assert of_first["train_loss"] > of_first["train_reconstruction_loss"]
    free = small("vae", free_bits=100.0, max_epochs=3).fit(X).history_[0]
    assert free["train_loss"] - free["train_reconstruction_loss"] > 299


def test_a_strong_beta_collapses_the_posterior():
    X, _ = speech()
    loose, strict = (
        small("vae", beta=b, max_epochs=60).fit(X).history_[-1] for b in (0.1, 100.0)
    )
    assert strict["train_kl_loss"] < 0.1 * loose["train_kl_loss"]


def test_faulty_utterances_are_named():
    X, y = speech()
    X[4] = X[4][:0]
    with pytest.raises(ValueError, match=r"utterance 4 of 40 has no frames"):
        small().fit(X, y)
    cvae = small(max_epochs=1).fit(*speech())
    X[4] = np.full((2, 6), np.nan)
    with pytest.raises(ValueError, match=r"contains NaN: utterance 4 of 40"):
        cvae.transform(X)
    with pytest.raises(ValueError, match="X has 5 features, but CVAE is expecting 6"):
        cvae.transform([x[:, :5] for x in speech()[0]])
    with pytest.raises(NotFittedError):
        small().transform(X)


def test_sequences_stay_as_they_are_beside_data_frames():
    X, y = speech()
    cvae = small(max_epochs=1).set_output(transform="pandas").fit(X, y)
    for encoded in (cvae.transform(X), clone(cvae).fit_transform(X, y)):
        assert isinstance(encoded, np.ndarray)
        assert encoded.shape == (len(X),)
    assert isinstance(cvae.transform(np.stack([x[0] for x in X])), pd.DataFrame)


@pytest.mark.parametrize("name", ["hidden_sizes", "priors", "condition", "variant"])
def test_bad_parameters_are_named(name):
    X, y = speech()
    bad = {"hidden_sizes": (16, -1), "priors": "none"}.get(name, "best")
    with pytest.raises(ValueError, match=name):
        small(**{name: bad}).fit(X, y) if name != "variant" else small(bad).fit(X, y)
