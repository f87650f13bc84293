"""The networks: published sizes, and what their options change."""

import pytest
import torch
from torch import nn

from sklearn_ser.nets import (
    DenoisingAutoencoder,
    RecurrentClassifier,
    VariationalAutoencoder,
)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_dae_has_the_published_sizes():
    net = DenoisingAutoencoder()
    assert (count(net.encoder), count(net.decoder), count(net)) == (4612, 4698, 9310)
    widths = [layer.weight.shape for layer in net.modules() if hasattr(layer, "weight")]
    assert [tuple(w) for w in widths] == [
        *[(40, 88), (20, 40), (10, 20), (2, 10)],
        *[(10, 2), (20, 10), (40, 20), (88, 40)],
    ]


@pytest.mark.parametrize(
    ("decoder_relu", "kinds"),
    [("all", "LRLRLRL"), ("released", "LLRLL")],
)
def test_dae_rectified_linear_units(decoder_relu, kinds):
    net = DenoisingAutoencoder(decoder_relu=decoder_relu)
    letters = {nn.Linear: "L", nn.ReLU: "R"}
    assert "".join(letters[type(layer)] for layer in net.encoder) == "LRLRLRL"
    assert "".join(letters[type(layer)] for layer in net.decoder) == kinds
    assert count(net) == 9310


def test_dae_knows_two_decoders():
    with pytest.raises(ValueError, match="'all' or 'released', got 'paper'"):
        DenoisingAutoencoder(decoder_relu="paper")


@pytest.mark.parametrize("hidden_sizes", [(), (7,), (9, 4)])
@pytest.mark.parametrize("decoder_relu", ["all", "released"])
def test_dae_takes_any_sizes(hidden_sizes, decoder_relu):
    net = DenoisingAutoencoder(
        12, latent_dim=3, hidden_sizes=hidden_sizes, decoder_relu=decoder_relu
    )
    output = net(torch.zeros(5, 12))
    assert output["embedding"].shape == (5, 3)
    assert output["reconstruction"].shape == (5, 12)


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
    assert output["mean"].shape == (3, 128)
    assert output["reconstruction"].shape == (3, 800)
    assert (output["logvar"] is None) == (settings == {"variational": False})


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
    for name in ("mean", "logvar", "reconstruction"):
        torch.testing.assert_close(runs[0][name], runs[1][name])


def test_a_vae_without_variance_is_an_autoencoder():
    ae = double(VariationalAutoencoder(6, 2, (5,), variational=False))
    vae = double(VariationalAutoencoder(6, 2, (5,)))
    vae.load_state_dict(ae.state_dict(), strict=False)
    with torch.no_grad():
        vae.logvar.weight.zero_()
        vae.logvar.bias.fill_(-1e9)  # clamped
    x = torch.randn(7, 6, dtype=torch.float64)
    torch.testing.assert_close(
        vae(x)["reconstruction"], ae(x)["reconstruction"], atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("hidden_sizes", [(), (7,), (9, 4)])
def test_autoencoders_take_any_sizes(hidden_sizes):
    net = VariationalAutoencoder(12, 3, hidden_sizes, n_conditions=2)
    output = net(torch.zeros(5, 12), torch.zeros(5, 2))
    assert output["logvar"].shape == (5, 3)
    assert output["reconstruction"].shape == (5, 12)


def test_recurrent_classifier_has_the_sizes_of_the_notes():
    sizes = {64: 115_972, 128: 330_244, 256: 1_053_700}
    for units, parameters in sizes.items():
        assert count(RecurrentClassifier(256, 4, units)) == parameters


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_reaches_nothing(pooling, bidirectional):
    net = double(
        RecurrentClassifier(3, 4, 5, bidirectional=bidirectional, pooling=pooling)
    )
    x = torch.randn(3, 9, 3, dtype=torch.float64)
    lengths = torch.tensor([4, 9, 1])
    together = net(x, lengths)
    alone = torch.cat(
        [net(x[i : i + 1, :n], torch.tensor([n])) for i, n in enumerate(lengths)]
    )
    torch.testing.assert_close(together, alone)
    padded = x.clone()
    for i, n in enumerate(lengths):
        padded[i, n:] = torch.nan
    torch.testing.assert_close(net(padded, lengths), together)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_recurrent_classifier_equals_torchs_stack(pooling):
    """Without dropout, our layers are those of `torch.nn.LSTM`, pooled by hand."""
    net = double(RecurrentClassifier(3, 4, 5, pooling=pooling))
    stack = nn.LSTM(3, 5, num_layers=2, batch_first=True).double()
    stack.load_state_dict(
        {
            f"{name[:-1]}{i}": values
            for i, layer in enumerate(net.layers)
            for name, values in layer.state_dict().items()
        }
    )
    x = torch.randn(1, 7, 3, dtype=torch.float64)
    states = stack(x)[0][0]
    pooled = {"last": states[-1], "mean": states.mean(0), "max": states.amax(0)}
    expected = net.head(pooled[pooling])
    torch.testing.assert_close(net(x, torch.tensor([7]))[0], expected)


def test_the_order_of_frames_matters_to_a_recurrent_classifier():
    net = double(RecurrentClassifier(3, 4, 5))
    x = torch.randn(1, 7, 3, dtype=torch.float64)
    lengths = torch.tensor([7])
    assert not torch.allclose(net(x, lengths), net(x.flip(1), lengths))


def test_dropout_comes_from_the_generator_and_only_in_training():
    net = RecurrentClassifier(3, 4, 50, dropout=0.5)
    x, lengths = torch.randn(2, 6, 3), torch.tensor([6, 2])
    before = torch.get_rng_state()
    first, second, third = (
        net(x, lengths, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert torch.equal(torch.get_rng_state(), before)
    net.eval()
    assert torch.equal(net(x, lengths), net(x, lengths))


def test_dropout_keeps_the_mean():
    net = RecurrentClassifier(1, 1, 1, dropout=0.3)
    values = torch.ones(100_000)
    dropped = net._drop(values, torch.Generator().manual_seed(0))
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)


def test_recurrent_classifier_knows_three_poolings():
    with pytest.raises(ValueError, match="'last', 'mean' or 'max', got 'median'"):
        RecurrentClassifier(3, 2, pooling="median")
