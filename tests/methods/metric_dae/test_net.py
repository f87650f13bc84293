"""The denoising autoencoder: published sizes, and what its options change."""

import pytest
import torch
from torch import nn

from sklearn_ser.nets import DenoisingAutoencoder


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
    assert output.embedding.shape == (5, 3)
    assert output.reconstruction.shape == (5, 12)
