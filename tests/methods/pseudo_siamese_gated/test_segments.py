"""The branches of Gao et al. (2021): published sizes, plain layers, gradients."""

import warnings
from math import prod, sqrt

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sklearn_ser.nets import (
    PseudoSiameseNet,
    SegmentDecoder,
    SegmentEncoder,
    UpsampledConv2d,
)
from tests.methods.pseudo_siamese_gated.helpers import drawn, randn

close = torch.testing.assert_close
KERNELS = [(12, 16), (8, 12), (5, 7)]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def of_type(net, *kinds):
    return [layer for layer in net if isinstance(layer, kinds)]


def test_branches_have_the_sizes_of_the_notes():
    net = PseudoSiameseNet((32, 129), n_classes=4)
    convolutions = of_type(net.cnn, nn.Conv2d)
    assert [layer.kernel_size for layer in convolutions] == KERNELS
    assert [count(layer) for layer in convolutions] == [3_088, 36_888, 26_912]
    assert sum(map(count, convolutions)) == 66_888
    assert count(net.cnn[-1]) == 262_272
    assert count(net.cnn) == count(net.autoencoder["encoder"]) == 329_160
    assert count(net.head) == 516
    decoder = net.autoencoder["decoder"]
    kernels = [
        tuple(layer.weight.shape[2:]) for layer in of_type(decoder, UpsampledConv2d)
    ]
    assert kernels == KERNELS[::-1]
    sizes = [n for n in map(count, decoder) if n]
    assert sizes == [264_192, 26_904, 36_880, 3_073]
    assert count(decoder) == 331_049
    assert count(net.autoencoder) == 660_209
    # The branches share no weights.
    assert count(net) == 329_160 + 516 + 660_209
    assert count(PseudoSiameseNet((32, 129), 4, autoencoder=False)) == 329_160 + 516


def test_layers_have_the_sizes_of_the_notes():
    sizes = []

    def note(layer, inputs, output):
        sizes.append(tuple(output.shape[1:]))

    encoder, decoder = SegmentEncoder(), SegmentDecoder()
    for layer in of_type(encoder, nn.ReLU) + of_type(decoder, UpsampledConv2d):
        layer.register_forward_hook(note)
    with torch.inference_mode():
        decoder(encoder(torch.zeros(1, 4128)))
    assert sizes == [
        *[(16, 16, 64), (24, 8, 32), (32, 4, 16)],
        *[(24, 8, 32), (16, 16, 64), (1, 32, 129)],
    ]


def plain_encoder(net, x, shape):
    """Pass segments through the layers in the paper's order, size by size."""
    *convolutions, linear = of_type(net, nn.Conv2d, nn.Linear)
    x = x.reshape(-1, 1, *shape)
    for layer, kernel in zip(convolutions, KERNELS, strict=True):
        sizes = x.shape[2:]
        assert layer.kernel_size == tuple(map(min, kernel, sizes))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using padding='same' with even")
            x = functional.conv2d(x, layer.weight, layer.bias, padding="same")
        x = functional.max_pool2d(x.relu(), [min(2, size) for size in sizes])
    return functional.linear(x.flatten(1), linear.weight, linear.bias)


def sizes_of(shape):
    """Return the frames and bins before the first convolution and after each."""
    shapes = [shape]
    for _ in KERNELS:
        shapes.append(tuple(size // 2 if size > 1 else 1 for size in shapes[-1]))
    return shapes


def repeated(x, shape):
    """Repeat each value twice, where the size is to be more than one.

    Of an odd size the last one stands for itself and for one that is cut off later.
    """
    for dim, size in zip((2, 3), shape, strict=True):
        if size > 1:
            places = torch.arange(size + size % 2) // 2
            x = x.index_select(dim, places.clamp(max=x.shape[dim] - 1))
    return x


def same(x, layer):
    """Convolve, the result as large as x; of even filters, one zero more after."""
    rest = [n - 1 for n in (layer.weight.shape[3], layer.weight.shape[2])]
    margins = [side for n in rest for side in (n // 2, n - n // 2)]
    return functional.conv2d(functional.pad(x, margins), layer.weight, layer.bias)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(pairs, st.tuples(st.integers(1, 7), st.integers(1, 7)), pairs, st.data())
def test_convolution_of_repeated_values(sizes, kernel, scale, data):
    """Equals that of torch, where each value is repeated first."""
    # What is cut off is less than what stands for one value.
    cut = [data.draw(st.integers(0, n - 1)) for n in scale]
    shape = tuple(n * s - c for n, s, c in zip(sizes, scale, cut, strict=True))
    layer = drawn(UpsampledConv2d(2, 3, kernel, shape, scale))
    x = randn(2, 2, *sizes)
    whole = x.repeat_interleave(scale[0], dim=2).repeat_interleave(scale[1], dim=3)
    expected = same(whole, layer)[..., : shape[0], : shape[1]]
    assert expected.shape[2:] == shape
    with torch.inference_mode():
        close(layer(x), expected)


def test_a_value_less_is_made_up_for():
    layer = drawn(UpsampledConv2d(2, 1, (3, 4), (7, 9)))
    x = randn(1, 2, 4, 5)
    x[:, :, 3], x[..., 4] = x[:, :, 2], x[..., 3]
    for frames in (3, 4):
        for bins in (4, 5):
            close(layer(x[:, :, :frames, :bins]), layer(x))
    for wrong in (x[:, :, :2], x[..., :3], randn(1, 2, 5, 5), randn(1, 2, 4, 6)):
        with pytest.raises(
            ValueError, match=r"\(7, 9\) is made of \(4, 5\) values, or"
        ):
            layer(wrong)


def plain_decoder(net, x, shape):
    """Pass vectors through the layers one by one, all convolutions ordinary ones."""
    linear, *convolutions = of_type(net, nn.Linear, UpsampledConv2d)
    shapes = sizes_of(shape)
    x = functional.linear(x, linear.weight, linear.bias).reshape(-1, 32, *shapes[3])
    for layer, (frames, bins) in zip(convolutions, shapes[2::-1], strict=True):
        x = same(repeated(x, (frames, bins)), layer)[..., :frames, :bins]
        if layer is not convolutions[-1]:
            x = x.relu()
    return x.flatten(1)


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=25)
@given(shapes, st.integers(1, 5), st.integers(0, 3), st.integers(0, 100))
@example((1, 1), 1, 1, 0)
@example((1, 40), 2, 2, 0)
@example((3, 2), 2, 2, 0)
@example((25, 31), 2, 2, 0)
def test_branches_equal_the_plain_layers_for_any_size(shape, width, n, seed):
    encoder = drawn(SegmentEncoder(shape, width), seed)
    decoder = drawn(SegmentDecoder(shape, width), seed + 1)
    x, r = randn(n, prod(shape), seed=seed), randn(n, width, seed=seed)
    with torch.inference_mode():
        assert encoder(x).shape == (n, width)
        close(encoder(x), plain_encoder(encoder, x, shape))
        assert decoder(r).shape == (n, prod(shape))
        close(decoder(r), plain_decoder(decoder, r, shape))


def test_branches_equal_the_plain_layers_for_the_published_size():
    net = PseudoSiameseNet((32, 129), 4, 3).autoencoder.double()
    x = randn(1, 4128)
    with torch.inference_mode():
        latent = net["encoder"](x)
        close(latent, plain_encoder(net["encoder"], x, (32, 129)))
        close(net["decoder"](latent), plain_decoder(net["decoder"], latent, (32, 129)))


@pytest.mark.parametrize("training", [True, False])
def test_the_later_unit_has_the_same_gradients(training):
    """The maximum is taken before the rectified linear unit, not after it."""
    net = drawn(SegmentEncoder((5, 9), 3)).train(training)
    x, weights = randn(4, 45).requires_grad_(), randn(4, 3, seed=1)
    wanted = [x, *net.parameters()]
    for a, b in zip(
        torch.autograd.grad((net(x) * weights).sum(), wanted),
        torch.autograd.grad((plain_encoder(net, x, (5, 9)) * weights).sum(), wanted),
        strict=True,
    ):
        close(a, b)


def test_gradients_of_the_branches_by_central_differences():
    net = drawn(PseudoSiameseNet((3, 4), 2, 2))
    x = randn(2, 12).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tuple(net(x, x.flip(0))), x)


def test_first_weights_are_those_of_rectified_units():
    """Uniform, with the variance that keeps the size of a signal, and no bias."""
    net = PseudoSiameseNet((32, 129), 4).autoencoder
    *decoding, last = of_type(net["decoder"], UpsampledConv2d)
    for layer in of_type(net["encoder"], nn.Conv2d) + decoding:
        check_uniform(layer, sqrt(6 / layer.weight[0].numel()))
    for layer in of_type([*net["encoder"], *net["decoder"]], nn.Linear):
        check_uniform(layer, sqrt(3 / layer.in_features))
    check_uniform(last, sqrt(3 / last.weight[0].numel()))


def check_uniform(layer, bound):
    assert not layer.bias.any()
    assert 0.99 * bound < layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / sqrt(3), rel=0.05)


def test_weights_lie_with_channels_last():
    """In which the convolutions are quicker; a state keeps it so."""
    net = SegmentEncoder((8, 9))
    other = SegmentEncoder((8, 9))
    other.load_state_dict({k: v.contiguous() for k, v in net.state_dict().items()})
    for layer in of_type([*net, *other], nn.Conv2d):
        assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    x = torch.randn(3, 72)
    assert torch.equal(net(x), other(x))


@pytest.mark.parametrize(
    ("shape", "given", "fits"),
    [
        ((4, 6), (2, 3), True),
        ((5, 7), (3, 4), True),
        ((5, 7), (2, 3), True),
        ((4, 6), (1, 3), False),
        ((4, 6), (2, 2), False),
        ((5, 7), (1, 3), False),
        ((5, 7), (4, 4), False),
    ],
)
def test_an_output_is_made_of_half_its_size(shape, given, fits):
    layer = UpsampledConv2d(1, 2, (3, 4), shape)
    x = torch.zeros(1, 1, *given)
    if fits:
        assert layer(x).shape == (1, 2, *shape)
    else:
        with pytest.raises(ValueError, match="An output of"):
            layer(x)
