"""The losses of variational autoencoders: invariants, oracles, gradients."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from sklearn_ser.losses import (
    VariationalLoss,
    elbo_terms,
    kl_standard_normal,
    negative_elbo,
    reparameterize,
)
from sklearn_ser.nets import VariationalOutput
from tests.methods.cvae.helpers import distributions


@st.composite
def reconstructions(draw):
    """Draw what was encoded and what was decoded, as many rows as a distribution."""
    mean, logvar = draw(distributions())
    shape = (len(mean), draw(st.integers(1, 5)))
    values = st.floats(-50, 50, allow_subnormal=False)
    x, decoded = (
        torch.from_numpy(draw(hnp.arrays(np.float64, shape, elements=values)))
        for _ in range(2)
    )
    return x, decoded, mean, logvar


def naive_kl(mean, logvar):
    """Add up the divergence in plain Python."""
    rows = []
    for means, logvars in zip(mean.tolist(), logvar.tolist(), strict=True):
        terms = [m**2 + np.exp(v) - v - 1 for m, v in zip(means, logvars, strict=True)]
        rows.append(0.5 * sum(terms))
    return torch.tensor(rows, dtype=torch.float64)


@given(distributions())
def test_kl_equals_torch_and_a_loop(distribution):
    mean, logvar = distribution
    kl = kl_standard_normal(mean, logvar)
    ours = Normal(mean, (0.5 * logvar).exp())
    standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = kl_divergence(ours, standard).sum(dim=1)
    torch.testing.assert_close(kl, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(kl, naive_kl(mean, logvar), rtol=1e-9, atol=1e-9)


@given(distributions())
def test_kl_is_never_negative_even_in_the_mean_and_additive(distribution):
    mean, logvar = distribution
    kl = kl_standard_normal(mean, logvar)
    assert (kl >= 0).all()
    torch.testing.assert_close(kl_standard_normal(-mean, logvar), kl)
    parts = [
        kl_standard_normal(m[:, None], v[:, None])
        for m, v in zip(mean.T, logvar.T, strict=True)
    ]
    torch.testing.assert_close(torch.stack(parts).sum(dim=0), kl)


@given(distributions(), st.floats(1.01, 4))
def test_kl_rises_with_the_distance_of_the_mean(distribution, factor):
    mean, logvar = distribution
    mean = mean + torch.sign(mean) + (mean == 0)  # away from zero
    nearer = kl_standard_normal(mean, logvar)
    assert (kl_standard_normal(factor * mean, logvar) > nearer).all()


@given(distributions(), st.data())
def test_kl_is_convex(distribution, data):
    mean, logvar = distribution
    weight = data.draw(st.floats(0, 1))
    other_mean, other_logvar = mean.flip(0).roll(1, 1), logvar.flip(0).roll(1, 1)
    between = kl_standard_normal(
        weight * mean + (1 - weight) * other_mean,
        weight * logvar + (1 - weight) * other_logvar,
    )
    chord = weight * kl_standard_normal(mean, logvar)
    chord += (1 - weight) * kl_standard_normal(other_mean, other_logvar)
    assert (between <= chord + 1e-9 * (1 + chord)).all()


def test_kl_is_zero_for_the_standard_normal_alone():
    zeros = torch.zeros(1, 3, dtype=torch.float64)
    assert kl_standard_normal(zeros, zeros).item() == 0
    for change in (1e-3, -1e-3):
        assert kl_standard_normal(zeros + change, zeros).item() > 0
        assert kl_standard_normal(zeros, zeros + change).item() > 0
    # In float32 too: where exp - 1 would be rounded away.
    assert kl_standard_normal(torch.zeros(1, 1), torch.tensor([[1e-4]])).item() > 0


def test_kl_agrees_with_monte_carlo():
    mean = torch.tensor([[0.7, -1.2]], dtype=torch.float64)
    logvar = torch.tensor([[0.4, -0.9]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    n = 200_000
    z = reparameterize(mean.expand(n, 2), logvar.expand(n, 2), generator=generator)
    ours = Normal(mean, (0.5 * logvar).exp())
    standard = Normal(torch.zeros(2), torch.ones(2))
    ratio = (ours.log_prob(z) - standard.log_prob(z)).sum(dim=1)
    error = ratio.std().item() / n**0.5
    expected = kl_standard_normal(mean, logvar).item()
    assert ratio.mean().item() == pytest.approx(expected, abs=4 * error)


@given(reconstructions(), st.floats(0, 5), st.sampled_from([0.5, 1.0]))
def test_the_bound_is_reconstruction_and_divergence(batch, beta, scale):
    x, decoded, mean, logvar = batch
    loss = negative_elbo(x, decoded, mean, logvar, beta=beta, recon_scale=scale)
    error = scale * torch.tensor(
        [
            sum((a - b) ** 2 for a, b in zip(row, other, strict=True))
            for row, other in zip(x.tolist(), decoded.tolist(), strict=True)
        ],
        dtype=torch.float64,
    )
    expected = error + beta * naive_kl(mean, logvar)
    torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-9)
    terms = elbo_terms(x, decoded, mean, logvar, recon_scale=scale)
    assert (loss >= terms.reconstruction).all()
    assert (terms.reconstruction >= 0).all()


@given(reconstructions())
def test_the_bound_lies_below_the_likelihood_of_a_linear_model(batch):
    """For x = z + noise of unit variance, log p(x) is known: no ELBO exceeds it."""
    _, _, mean, logvar = batch
    x = mean.flip(0) / 4
    # Half the expected squared error, over the distribution, in closed form.
    spread = 0.5 * logvar.exp().sum(dim=1)
    constant = 0.5 * mean.shape[1] * np.log(2 * np.pi)
    bound = -(negative_elbo(x, mean, mean, logvar, recon_scale=0.5) + spread)
    evidence = Normal(torch.zeros_like(x), torch.full_like(x, 2**0.5)).log_prob(x)
    assert (bound - constant <= evidence.sum(dim=1) + 1e-9).all()


@given(reconstructions())
def test_without_divergence_it_is_the_loss_of_an_autoencoder(batch):
    x, decoded, mean, logvar = batch
    plain = negative_elbo(x, decoded, mean, None)
    torch.testing.assert_close(negative_elbo(x, decoded, mean, logvar, beta=0.0), plain)
    mse = torch.nn.functional.mse_loss(x, decoded, reduction="none").sum(dim=1)
    torch.testing.assert_close(plain, mse)


@given(reconstructions(), st.randoms(use_true_random=False))
def test_the_loss_is_a_mean_that_no_order_changes(batch, random):
    x, decoded, mean, logvar = batch
    order = list(range(len(x)))
    random.shuffle(order)
    loss = VariationalLoss(beta=2.0)
    output = VariationalOutput(mean, logvar, decoded)
    shuffled = VariationalOutput(*(values[order] for values in output))
    total = loss(output, {"X": x})["loss"]
    torch.testing.assert_close(loss(shuffled, {"X": x[order]})["loss"], total)
    each = negative_elbo(x, decoded, mean, logvar, beta=2.0)
    torch.testing.assert_close(total, each.mean())


@given(reconstructions(), st.floats(0, 3))
def test_free_bits_cost_nothing(batch, free):
    x, decoded, mean, logvar = batch
    output = VariationalOutput(mean, logvar, decoded)
    plain = VariationalLoss()(output, {"X": x})
    freed = VariationalLoss(free_bits=free)(output, {"X": x})
    by_dimension = torch.stack(
        [
            kl_standard_normal(m[:, None], v[:, None]).mean()
            for m, v in zip(mean.T, logvar.T, strict=True)
        ]
    )
    expected = plain["loss"] + (free - by_dimension).clamp_min(0).sum()
    torch.testing.assert_close(freed["loss"], expected)
    torch.testing.assert_close(freed["kl_loss"], plain["kl_loss"])


def test_free_bits_stop_the_gradient_below():
    mean = torch.tensor([[0.1, 3.0]], dtype=torch.float64, requires_grad=True)
    zeros = torch.zeros(1, 2, dtype=torch.float64)
    output = VariationalOutput(mean, zeros, zeros)
    VariationalLoss(free_bits=0.5)(output, {"X": zeros})["loss"].backward()
    assert mean.grad.tolist() == [[0.0, 3.0]]


def test_annealing_rises_linearly_and_spares_the_validation():
    x = torch.zeros(2, 3)
    output = VariationalOutput(x + 1, x, x)
    loss = VariationalLoss(beta=2.0, annealing_epochs=4)
    kl = 1.5
    weights = [
        loss(output, {"X": x, "epoch": e})["loss"].item() / kl for e in range(1, 8)
    ]
    assert weights == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert loss(output, {"X": x})["loss"].item() == 2.0 * kl
    at_once = VariationalLoss(beta=2.0)
    assert at_once(output, {"X": x, "epoch": 1})["loss"].item() == 2.0 * kl


def test_gradcheck():
    generator = torch.Generator().manual_seed(4)
    x, decoded, mean, logvar = (
        torch.randn(3, 4, dtype=torch.float64, generator=generator).requires_grad_()
        for _ in range(4)
    )
    assert torch.autograd.gradcheck(kl_standard_normal, (mean, logvar))
    assert torch.autograd.gradcheck(
        lambda *args: negative_elbo(*args, beta=0.7), (x, decoded, mean, logvar)
    )
    assert torch.autograd.gradcheck(
        lambda m, v: reparameterize(m, v, generator=torch.Generator().manual_seed(5)),
        (mean, logvar),
    )
    loss = VariationalLoss(free_bits=0.05)
    assert torch.autograd.gradcheck(
        lambda d, m, v: loss(VariationalOutput(m, v, d), {"X": x.detach()})["loss"],
        (decoded, mean, logvar),
    )


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_small_batches_keep_their_dtype(n, dtype):
    x = torch.zeros(n, 3, dtype=dtype)
    loss = negative_elbo(x, x, x, x)
    assert loss.shape == (n,)
    assert loss.dtype == dtype
    assert reparameterize(x, x).dtype == dtype


def test_shapes_that_do_not_fit_are_refused():
    x = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"x \(2, 3\), reconstruction \(2, 1\)"):
        negative_elbo(x, x[:, :1], x, x)
    with pytest.raises(ValueError, match="do not fit together"):
        negative_elbo(x, x, x[:1], x[:1])
    with pytest.raises(ValueError, match=r"logvar \(2, 1\) do not fit"):
        negative_elbo(x, x, x, x[:, :1])


def test_weights_that_are_not_named_are_those_of_the_bound():
    x, mean, logvar = torch.ones(2, 3), torch.full((2, 2), 2.0), torch.zeros(2, 2)
    # The squared error is 3 * 1, the divergence 2 * 2² / 2.
    torch.testing.assert_close(
        negative_elbo(x, 2 * x, mean, logvar), torch.tensor([7.0, 7.0])
    )
    loss = VariationalLoss()
    assert (loss.beta, loss.recon_scale) == (1.0, 1.0)
    assert (loss.annealing_epochs, loss.free_bits) == (0, 0.0)


def test_terms_without_a_scale_are_those_of_the_paper():
    x, zeros = torch.ones(2, 3), torch.zeros(2, 2)
    found = elbo_terms(x, 3 * x, zeros, zeros).reconstruction
    torch.testing.assert_close(found, torch.tensor([12.0, 12.0]))
