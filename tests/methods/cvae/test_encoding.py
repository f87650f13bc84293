"""What a trained autoencoder gives back: reconstructions, scores, and when it stops."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import logsumexp
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from torch.distributions import Normal, kl_divergence

from tests.methods.cvae.helpers import small, speech

GROUPS = np.arange(40) // 10
VARIANTS = pytest.mark.parametrize("variant", ["cvae", "vae", "ae"])


def standardized(model, x):
    return torch.from_numpy((x.astype(np.float64) - model.mean_) / model.scale_)


# Reconstruction


@pytest.mark.parametrize(
    "variant",
    ["cvae", *(pytest.param(v, marks=pytest.mark.slow) for v in ("vae", "ae"))],
)
def test_reconstruction_is_near_what_was_encoded(variant):
    X, y = speech()
    model = small(variant, latent_dim=6, beta=0.01, max_epochs=200, lr=3e-3).fit(X, y)
    back = model.inverse_transform(model.transform(X))
    assert back.dtype == object
    assert back[0].dtype == np.float32
    error = np.concatenate(X) - np.concatenate(list(back))
    assert error.var() < 0.3 * np.concatenate(X).var()
    assert [x.shape for x in back] == [x.shape for x in X]


@VARIANTS
def test_reconstruction_by_the_module(variant):
    X, y = speech()
    X = [5 * x + 3 for x in X]
    model = small(variant, max_epochs=3).fit(X, y)
    latents = model.transform(X)
    module, _ = model._inference_module()
    means = torch.from_numpy(latents[4][:, :3].astype(np.float64))
    told = None
    if variant == "cvae":
        told = torch.from_numpy(np.tile(model.class_prior_, (len(means), 1)))
    expected = module.decode(means, told).detach().numpy() * model.scale_ + model.mean_
    back = model.inverse_transform(latents)[4]
    np.testing.assert_allclose(back, expected, rtol=1e-5, atol=1e-5)
    cube = np.stack([x[:2] for x in latents])
    np.testing.assert_allclose(model.inverse_transform(cube)[4], back[:2], rtol=1e-6)
    table = model.inverse_transform(cube[:, 0])
    np.testing.assert_allclose(table[4], back[0], rtol=1e-6)


def test_reconstruction_under_a_condition():
    """The condition can be all that tells two emotions apart: speech is generated."""
    X, y = speech(spread=6.0)
    model = small(beta=20.0, max_epochs=150, lr=3e-3).fit(X, y)
    latents = model.transform(X)
    level = {
        label: np.concatenate(
            list(model.inverse_transform(latents, known_condition=[label] * 40))
        ).mean()
        for label in ("anger", "sadness")
    }
    assert level["anger"] - level["sadness"] > 4  # they are apart by 6
    unknown = model.inverse_transform(latents, known_condition=[None] * 40)
    np.testing.assert_array_equal(unknown[0], model.inverse_transform(latents)[0])


def test_the_mean_alone_can_be_decoded():
    X, _ = speech()
    model = small("vae", max_epochs=2).fit(X)
    both = model.inverse_transform(model.transform(X))
    mean = model.set_params(output="mean")
    np.testing.assert_array_equal(mean.inverse_transform(mean.transform(X))[0], both[0])


def test_latents_of_another_width():
    X, _ = speech()
    model = small("vae", max_epochs=1).fit(X)
    with pytest.raises(ValueError, match=r"X has 6 columns, but transform gives 3"):
        model.set_params(output="mean").inverse_transform(X)
    with pytest.raises(ValueError, match="has no condition: known_condition"):
        model.set_params(output="mean_variance").inverse_transform(
            model.transform(X), known_condition=["anger"] * 40
        )
    assert model.n_features_in_ == 6
    with pytest.raises(NotFittedError):
        small("vae").inverse_transform(X)


# The bound


def by_distributions(model, x, told, n_samples):
    """Estimate the bound of some segments by torch's distributions."""
    module, _ = model._inference_module()
    standard = standardized(model, x)
    if told is not None:
        told = torch.tensor(told, dtype=torch.float64).expand(len(x), -1)
    mean, logvar = module.encode(standard, told)
    deviation = torch.tensor(1 / np.sqrt(2 * model.recon_scale), dtype=torch.float64)
    if logvar is None:
        decoder = Normal(module.decode(mean, told), deviation)
        likelihood, kl = decoder.log_prob(standard).sum(), torch.zeros(())
    else:
        latent = Normal(mean, torch.exp(logvar / 2))
        torch.manual_seed(0)
        z = latent.sample((n_samples,))
        of_samples = None if told is None else told.repeat(n_samples, 1)
        decoded = module.decode(z.flatten(0, 1), of_samples)
        again = standard.repeat(n_samples, 1)
        likelihood = Normal(decoded, deviation).log_prob(again).sum() / n_samples
        kl = kl_divergence(latent, Normal(0.0, 1.0)).sum()
    of_units = len(x) * np.log(model.scale_).sum()
    return (likelihood - kl).item() - of_units


@VARIANTS
@pytest.mark.parametrize("recon_scale", [1.0, 0.5])
def test_the_bound_by_torch_distributions(variant, recon_scale):
    X, y = speech(n=6)
    X = [4 * x + 1 for x in X]
    model = small(variant, recon_scale=recon_scale, beta=3.0, max_epochs=50).fit(X, y)
    told = [None] if variant != "cvae" else [[1.0, 0.0], [0.0, 1.0]]
    expected = [
        [by_distributions(model, x, vector, 1000) for vector in told] for x in X
    ]
    prior = np.log(model.class_prior_) if variant == "cvae" else 0.0
    # The samples are few, and the same for all segments.
    np.testing.assert_allclose(
        model.score_samples(X), logsumexp(np.array(expected) + prior, axis=1), rtol=0.02
    )
    if variant == "cvae":
        scores = model.score_samples(X, known_condition=["sadness"] * 6)
        np.testing.assert_allclose(scores, np.array(expected)[:, 1], rtol=0.02)


@pytest.mark.parametrize("variant", ["vae", "cvae"])
def test_the_bound_of_a_linear_decoder(variant):
    """Its expected error has a closed form, of which chance takes a small part."""
    X, y = speech(n=12)
    model = small(variant, hidden_sizes=(), max_epochs=50).fit(X, y)
    module, _ = model._inference_module()
    told = torch.tensor([[0.0, 1.0]]).double() if variant == "cvae" else None
    weight = module.decoder[-1].weight[:, :3]
    scores = model.score_samples(
        X, **({"known_condition": ["sadness"] * 12} if variant == "cvae" else {})
    )
    for x, score in zip(X, scores, strict=True):
        standard = standardized(model, x)
        of_segments = None if told is None else told.expand(len(x), -1)
        mean, logvar = module.encode(standard, of_segments)
        error = (standard - module.decode(mean, of_segments)).square().sum()
        spread = (logvar.exp() * weight.square().sum(dim=0)).sum()
        kl = kl_divergence(Normal(mean, torch.exp(logvar / 2)), Normal(0.0, 1.0)).sum()
        constant = len(x) * (3 * np.log(1 / np.pi) - np.log(model.scale_).sum())
        exact = constant - (error + spread + kl).item()
        at_the_mean = constant - (error + kl).item()
        assert abs(score - exact) < 0.3 * (at_the_mean - exact)


def test_the_bound_is_below_the_evidence():
    """A linear model with one latent dimension is a normal distribution itself."""
    rng = np.random.default_rng(0)
    X = np.outer(rng.normal(size=400), [2.0, 1.0, -1.0]) + rng.normal(size=(400, 3))
    model = small(
        "vae", hidden_sizes=(), latent_dim=1, standardize=False, max_epochs=100,
        recon_scale=0.5, lr=0.03,
    ).fit(X.astype(np.float32))  # fmt: skip
    module, _ = model._inference_module()
    weight = module.decoder[-1].weight.detach()
    evidence = torch.distributions.MultivariateNormal(
        module.decoder[-1].bias.detach(), torch.eye(3) + weight @ weight.T
    ).log_prob(torch.from_numpy(X))
    gap = evidence.numpy() - model.score_samples(X.astype(np.float32))
    assert gap.mean() > -0.05
    assert gap.mean() < 0.2  # a linear encoder is all but exact


@VARIANTS
def test_scores_of_units_and_companions(variant):
    X, y = speech()
    model = small(variant, max_epochs=5).fit(X, y)
    scores = model.score_samples(X)
    assert scores.shape == (40,)
    np.testing.assert_allclose(model.score_samples(X[3:5]), scores[3:5], rtol=1e-9)
    np.testing.assert_array_equal(model.score_samples(X), scores)
    doubled = small(variant, max_epochs=5).fit([2 * x for x in X], y)
    shift = np.array([x.size for x in X]) * np.log(2)
    np.testing.assert_allclose(
        doubled.score_samples([2 * x for x in X]), scores - shift, rtol=1e-6
    )


def test_scores_where_the_condition_is_not_known():
    X, y = speech()
    model = small(max_epochs=5).fit(X, y)
    gaps = np.where(GROUPS < 2, None, y.astype(object))
    partly = model.score_samples(X, known_condition=gaps)
    known = model.score_samples(X, known_condition=y)
    unknown = model.score_samples(X)
    np.testing.assert_allclose(partly, np.where(GROUPS < 2, unknown, known))


@pytest.mark.parametrize("variant", ["vae", "ae"])
def test_score_of_a_model_without_classes(variant):
    X, _ = speech()
    model = small(variant, max_epochs=5).fit(X)
    assert model.score(X) == pytest.approx(model.score_samples(X).mean())
    weights = np.arange(40)
    weighted = np.average(model.score_samples(X), weights=weights)
    assert model.score(X, sample_weight=weights) == pytest.approx(weighted)
    cvae = small(max_epochs=5).fit(X, condition=GROUPS)
    assert cvae.score(X) == pytest.approx(cvae.score_samples(X).mean())


def test_a_search_by_the_bound():
    X, _ = speech()
    X = np.fromiter(X, dtype=object, count=40)
    search = GridSearchCV(small("vae", max_epochs=60), {"lr": [1e-7, 1e-2]}, cv=2)
    assert search.fit(X).best_params_ == {"lr": 1e-2}


# The stopping rule


@pytest.mark.slow
@VARIANTS
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("recon_scale", [1.0, 0.5])
def test_training_stops_below_the_threshold(variant, early_stopping, recon_scale):
    X, y = speech()
    settings = {
        "early_stopping": early_stopping, "validation_fraction": 0.3, "max_epochs": 30,
        "recon_scale": recon_scale, "n_iter_no_change": 100, "lr": 1e-2,
    }  # fmt: skip
    name = f"{'valid' if early_stopping else 'train'}_reconstruction_loss"
    whole = small(variant, **settings).fit(X, y, groups=GROUPS)
    errors = pd.DataFrame(whole.history_)[name] / recon_scale
    threshold = (errors[5] + errors[6]) / 2
    expected = int(np.flatnonzero(errors < threshold)[0]) + 1
    settings["reconstruction_threshold"] = threshold
    stopped = small(variant, **settings).fit(X, y, groups=GROUPS)
    assert stopped.history_ == whole.history_[:expected]
    assert stopped.history_[-1][name] < threshold * recon_scale
    if not early_stopping:
        settings |= {"max_epochs": expected, "reconstruction_threshold": None}
        again = small(variant, **settings).fit(X, y)
        np.testing.assert_array_equal(again.transform(X)[0], stopped.transform(X)[0])


def test_a_threshold_that_is_not_reached_warns():
    X, _ = speech()
    with pytest.warns(
        UserWarning, match=r"after 2 epochs and has not fallen below"
    ) as w:
        model = small("vae", reconstruction_threshold=1e-3, max_epochs=2).fit(X)
    assert w[0].filename == __file__
    assert len(model.history_) == 2


@pytest.mark.parametrize("threshold", [0.0, -1, "low"])
def test_thresholds_that_are_none(threshold):
    with pytest.raises(ValueError, match="'reconstruction_threshold' parameter"):
        small("vae", reconstruction_threshold=threshold).fit(speech()[0])
