"""The recurrent network: published sizes, and what its options change."""

import pytest
import torch
from torch import nn

from sklearn_ser.nets import RecurrentClassifier


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def double(net, seed=0):
    """Return the net in float64 and evaluation mode, its weights drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return net.double().eval()


def test_recurrent_classifier_has_the_sizes_of_the_notes():
    sizes = {64: 115_972, 128: 330_244, 256: 1_053_700}
    for units, parameters in sizes.items():
        assert count(RecurrentClassifier(256, 4, units)) == parameters


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_reaches_nothing(pooling, bidirectional):
    net = double(
        RecurrentClassifier(3, 4, 5, bidirectional=bidirectional, pooling=pooling)
    )
    x = torch.randn(3, 9, 3, dtype=torch.float64)
    lengths = torch.tensor([4, 9, 1])
    together = net(x, lengths).logits
    alone = torch.cat(
        [net(x[i : i + 1, :n], torch.tensor([n])).logits for i, n in enumerate(lengths)]
    )
    torch.testing.assert_close(together, alone)
    padded = x.clone()
    for i, n in enumerate(lengths):
        padded[i, n:] = torch.nan
    torch.testing.assert_close(net(padded, lengths).logits, together)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
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
    if pooling == "attention":
        scores = (states @ net.attention.score.weight[0]).exp()
        pooled["attention"] = scores @ states / scores.sum()
    output = net(x, torch.tensor([7]))
    torch.testing.assert_close(output.representation[0], pooled[pooling])
    torch.testing.assert_close(output.logits[0], net.head(pooled[pooling]))


def test_the_order_of_frames_matters_to_a_recurrent_classifier():
    net = double(RecurrentClassifier(3, 4, 5))
    x = torch.randn(1, 7, 3, dtype=torch.float64)
    lengths = torch.tensor([7])
    turned = net(x.flip(1), lengths).logits
    assert not torch.allclose(net(x, lengths).logits, turned)


def test_dropout_comes_from_the_generator_and_only_in_training():
    net = RecurrentClassifier(3, 4, 50, dropout=0.5)
    x, lengths = torch.randn(2, 6, 3), torch.tensor([6, 2])
    before = torch.get_rng_state()
    first, second, third = (
        net(x, lengths, generator=torch.Generator().manual_seed(seed)).logits
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert torch.equal(torch.get_rng_state(), before)
    net.eval()
    assert torch.equal(net(x, lengths).logits, net(x, lengths).logits)


def test_recurrent_classifier_knows_five_poolings():
    with pytest.raises(ValueError, match="'attentive_statistics'\\), got 'median'"):
        RecurrentClassifier(3, 2, pooling="median")
