"""The network of Li et al. (2020): published sizes, padding, reversed gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sklearn_ser.losses import reverse_gradient
from sklearn_ser.methods.menan._net import _pool, _repeat_short
from sklearn_ser.nets import SpeakerInvariantNet
from tests.methods.menan.helpers import encoder_gradient, gradient, logits


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_are_those_of_the_paper():
    net = SpeakerInvariantNet(n_features=43, n_classes=4, n_speakers=8)
    encoder = net.convolutions, net.gru, net.projection
    sizes = [count(part) for part in (*net.convolutions, net.gru, net.projection)]
    # PyTorch's GRU has two biases.
    assert sizes == [13_792, 1, 5_152, 1, 6_336, 1_057]
    assert sum(map(count, encoder)) == 26_339
    assert count(net.emotion_head) == 3_480
    assert count(net.speaker_head) == 3_524
    assert count(net) == 33_343
    assert count(SpeakerInvariantNet(43, 4)) == 29_819


@pytest.mark.parametrize(
    ("kernel_sizes", "stride", "expected"),
    [((10, 5), 2, 18), ((3,), 2, 3), ((5, 5, 5), 1, 13)],
)
def test_shortest_utterance(kernel_sizes, stride, expected):
    net = SpeakerInvariantNet(3, 2, kernel_sizes=kernel_sizes, stride=stride)
    assert net.min_frames == expected
    assert net.convolutions(torch.zeros(1, 3, expected)).shape[2] == 1
    with pytest.raises(RuntimeError):
        net.convolutions(torch.zeros(1, 3, expected - 1))


def test_steps_of_the_published_length():
    net = SpeakerInvariantNet(43, 4)
    assert net.convolutions(torch.zeros(1, 43, 1397)).shape == (1, 32, 345)


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("pooling", ["statistics", "attention"])
@pytest.mark.parametrize("length", [1, 7, 17, 18, 19, 50, 61])
def test_padding_reaches_nothing(length, pooling):
    net = SpeakerInvariantNet(5, 3, 2, pooling=pooling).double()
    x = randn(3, 61, 5)
    lengths = torch.tensor([61, length, 30])
    alone = net.encode(x[1:2, :length], lengths[1:2])
    x[1, length:] = torch.nan
    torch.testing.assert_close(net.encode(x, lengths)[1:2], alone)


def test_short_utterances_are_repeated_in_a_cycle():
    x = torch.arange(1.0, 7)[None, :, None].repeat(3, 1, 1)
    repeated, lengths = _repeat_short(x, torch.tensor([6, 2, 4]), 5)
    assert lengths.tolist() == [6, 5, 5]
    assert repeated[0, :6, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert repeated[1, :5, 0].tolist() == [1, 2, 1, 2, 1]
    assert repeated[2, :5, 0].tolist() == [1, 2, 3, 4, 1]
    longer, lengths = _repeat_short(x[:, :2], torch.tensor([2, 1, 2]), 5)
    assert longer[:, :, 0].tolist() == [[1, 2, 1, 2, 1], [1] * 5, [1, 2, 1, 2, 1]]
    assert lengths.tolist() == [5, 5, 5]


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 3))
def test_pooling(seed, length, repeats):
    x = randn(1, length, 4, seed=seed)
    n = torch.tensor([length])
    pooled = _pool(x, n)
    mean, std, highest = pooled.chunk(3, dim=1)
    torch.testing.assert_close(mean[0], x[0].mean(0))
    torch.testing.assert_close(std[0], x[0].std(0, correction=0))
    torch.testing.assert_close(highest[0], x[0].amax(0))
    assert (highest >= mean - 1e-12).all()
    assert (std >= 0).all()
    order = torch.randperm(length, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(_pool(x[:, order], n), pooled)
    cyclic = x.repeat(1, repeats, 1)
    torch.testing.assert_close(_pool(cyclic, repeats * n), pooled)


def test_pooling_of_constants_has_no_spread_and_a_finite_gradient():
    x = torch.full((2, 6, 3), 0.1, requires_grad=True)
    pooled = _pool(x, torch.tensor([6, 2]))
    torch.testing.assert_close(pooled[:, 3:6], torch.zeros(2, 3), atol=1e-7, rtol=0)
    pooled.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert (x.grad[1, 2:] == 0).all()  # padding


def test_attention_weighs_the_steps_of_the_encoder():
    net = SpeakerInvariantNet(5, 3, 2, pooling="attention").double()
    x = randn(1, 40, 5)
    steps = net.gru(net.convolutions(x.transpose(1, 2)).transpose(1, 2))[0]
    states = net.projection(steps)[0]
    scores = (states @ net.attention.score.weight[0]).exp()
    encoded = net.encode(x, torch.tensor([40]))
    torch.testing.assert_close(encoded[0], scores @ states / scores.sum())
    assert net.emotion_head[0].in_features == net.n_features_out == 32
    with pytest.raises(ValueError, match=r"pooling must be one of .* got 'mean'"):
        SpeakerInvariantNet(5, 3, pooling="mean")


def test_both_heads_see_the_same_dropped_representation():
    net = SpeakerInvariantNet(5, 3, 2, dropout=0.5).double()
    x, lengths = randn(3, 40, 5), torch.tensor([40, 30, 20])
    output = net(x, lengths, torch.Generator().manual_seed(3))
    dropped = net.dropout(net.encode(x, lengths), torch.Generator().manual_seed(3))
    assert 0 < (dropped == 0).double().mean() < 1
    expected = net.classify(dropped)
    for ours, theirs in zip(output, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    net.eval()
    plain = net.classify(net.encode(x, lengths))
    torch.testing.assert_close(net(x, lengths).emotion, plain.emotion)


@pytest.mark.parametrize("pooling", ["statistics", "attention"])
def test_gradients_of_the_net_by_central_differences(pooling):
    net = SpeakerInvariantNet(
        2, 2, 2, hidden_size=3, kernel_sizes=(3,), pooling=pooling
    ).double()
    x, lengths = randn(2, 9, 2).requires_grad_(), torch.tensor([9, 6])
    assert torch.autograd.gradcheck(lambda x: tuple(net(x, lengths)), x)


@given(logits, st.floats(0, 5), st.floats(0, 5))
def test_reversed_gradient(x, first, second):
    torch.testing.assert_close(reverse_gradient(x, first), x, atol=0, rtol=0)
    plain = gradient(lambda v: (v**2).sum(), x)
    once = gradient(lambda v: (reverse_gradient(v, first) ** 2).sum(), x)
    torch.testing.assert_close(once, -first * plain)
    twice = gradient(
        lambda v: (reverse_gradient(reverse_gradient(v, first), second) ** 2).sum(), x
    )
    torch.testing.assert_close(twice, first * second * plain)


def test_the_net_reverses_what_reaches_its_encoder():
    speakers = torch.tensor([0, 1, 0, 1])

    def loss(s):
        return nn.functional.cross_entropy(s, speakers)

    plain = encoder_gradient(1, loss=loss)
    reversed_ = encoder_gradient(1, reverse=True, loss=loss)
    for a, b in zip(plain, reversed_, strict=True):
        torch.testing.assert_close(a, -b)
