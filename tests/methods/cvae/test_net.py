"""The variational autoencoder: published sizes, its variants, and its samples."""

import pytest
import torch
from hypothesis import given
from torch import nn

from sklearn_ser.losses import reparameterize
from sklearn_ser.nets import VariationalAutoencoder
from tests.methods.cvae.helpers import distributions


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"n_conditions": 4}, 1_185_312),
        ({}, 1_182_240),
        ({"variational": False}, 1_149_344),
    ],
    ids=["cvae", "vae", "ae"],
)
def test_autoencoders_have_the_published_sizes(settings, parameters):
    net = VariationalAutoencoder(**settings)
    assert count(net) == parameters
    x = torch.zeros(3, 800)
    condition = torch.zeros(3, 4) if settings.get("n_conditions") else None
    output = net(x, condition)
    assert output.mean.shape == (3, 128)
    assert output.reconstruction.shape == (3, 800)
    assert (output.logvar is None) == (settings == {"variational": False})


def double(net, seed=0):
    """Return the net in float64 and evaluation mode, its weights drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return net.double().eval()


def test_a_cvae_whose_condition_weighs_nothing_is_a_vae():
    vae = double(VariationalAutoencoder(6, 2, (5, 4)))
    cvae = double(VariationalAutoencoder(6, 2, (5, 4), n_conditions=3))
    with torch.no_grad():
        for own, given in zip(cvae.parameters(), vae.parameters(), strict=True):
            own.zero_()
            own[..., : given.shape[-1]].copy_(given)
    x = torch.randn(7, 6, dtype=torch.float64)
    condition = torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0, 1, 2, 0]]
    runs = [
        net(x, c, generator=torch.Generator().manual_seed(1))
        for net, c in ((vae, None), (cvae, condition))
    ]
    for first, second in zip(*runs, strict=True):
        torch.testing.assert_close(first, second)


def test_a_vae_without_variance_is_an_autoencoder():
    ae = double(VariationalAutoencoder(6, 2, (5,), variational=False))
    vae = double(VariationalAutoencoder(6, 2, (5,)))
    vae.load_state_dict(ae.state_dict(), strict=False)
    with torch.no_grad():
        vae.logvar.weight.zero_()
        vae.logvar.bias.fill_(-1e9)  # clamped
    x = torch.randn(7, 6, dtype=torch.float64)
    torch.testing.assert_close(
        vae(x).reconstruction, ae(x).reconstruction, atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("hidden_sizes", [(), (7,), (9, 4)])
def test_autoencoders_take_any_sizes(hidden_sizes):
    net = VariationalAutoencoder(12, 3, hidden_sizes, n_conditions=2)
    output = net(torch.zeros(5, 12), torch.zeros(5, 2))
    assert output.logvar.shape == (5, 3)
    assert output.reconstruction.shape == (5, 12)


@given(distributions())
def test_a_sample_without_variance_is_the_mean(distribution):
    mean, logvar = distribution
    none = torch.full_like(logvar, -torch.inf)
    assert torch.equal(reparameterize(mean, none), mean)


def test_samples_have_the_mean_and_the_variance():
    mean, logvar = torch.tensor([[1.5, -2.0]]), torch.tensor([[1.0, -1.0]])
    generator = torch.Generator().manual_seed(1)
    z = reparameterize(
        mean.expand(100_000, 2), logvar.expand(100_000, 2), generator=generator
    )
    torch.testing.assert_close(z.mean(dim=0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(dim=0), logvar[0].exp(), atol=0, rtol=0.03)


def test_gradients_of_a_sample():
    mean = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    std = torch.rand(4, 3, dtype=torch.float64) + 0.5
    std.requires_grad_()
    z = reparameterize(mean, 2 * std.log(), generator=torch.Generator().manual_seed(2))
    by_mean, by_std = torch.autograd.grad(z.sum(), [mean, std])
    torch.testing.assert_close(by_mean, torch.ones_like(mean))
    noise = (z - mean) / std
    torch.testing.assert_close(by_std, noise.detach())


def test_a_generator_decides_the_sample_and_the_global_one_is_left_alone():
    mean = torch.zeros(5, 2)
    before = torch.get_rng_state()
    first, second = (
        reparameterize(mean, mean, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(reparameterize(mean, mean), first)
