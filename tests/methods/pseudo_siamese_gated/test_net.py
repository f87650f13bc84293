"""The networks of Gao et al. (2021): published sizes, oracles, padding."""

from math import sqrt

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sklearn_ser.nets import (
    FusionClassifier,
    GatedFusion,
    PseudoSiameseGatedNet,
    PseudoSiameseNet,
)
from tests.methods.pseudo_siamese_gated.helpers import drawn, randn

close = torch.testing.assert_close
activations = pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


# --- the branches ----------------------------------------------------------


def test_segments_go_to_the_branch_that_they_are_for():
    net = PseudoSiameseNet((4, 5), n_classes=3, embedding_size=6)
    x, p = torch.randn(2, 20), torch.randn(7, 20)
    both, first, second = net(x, p), net(x), net(p=p)
    shapes = [tuple(values.shape) for values in both]
    assert shapes == [(2, 3), (2, 6), (7, 6), (7, 20)]
    close(both.deep, net.cnn(x))
    close(both.logits, net.head(both.deep))
    close(both.latent, net.autoencoder["encoder"](p))
    close(both.reconstruction, net.autoencoder["decoder"](both.latent))
    close(first, both._replace(latent=None, reconstruction=None))
    close(second, both._replace(logits=None, deep=None))
    assert all(values is None for values in net())
    close(net.represent(x), torch.cat([first.deep, net(p=x).latent], dim=1))


def test_one_branch_alone():
    net = PseudoSiameseNet((4, 5), 3, 6, autoencoder=False)
    x = torch.randn(2, 20)
    output = net(x, x)
    assert output.latent is output.reconstruction is None
    close(net.represent(x), output.deep)
    assert not any(name.startswith("autoencoder") for name in net.state_dict())


def test_one_branch_begins_as_it_does_beside_the_other():
    states = []
    for autoencoder in (True, False):
        torch.manual_seed(3)
        states.append(PseudoSiameseNet((4, 5), 3, autoencoder=autoencoder).state_dict())
    both, alone = states
    assert set(alone) < set(both)
    for name, values in alone.items():
        assert torch.equal(values, both[name])


# --- the gate --------------------------------------------------------------


coordinates = st.floats(-9, 9).map(lambda value: round(value, 3))


@st.composite
def scenes(draw):
    """Draw a gate in float64, its seed, and two representations for it."""
    n, width = draw(st.integers(0, 4)), draw(st.integers(1, 4))
    rows = hnp.arrays(np.float64, (n, width), elements=coordinates)
    gate = drawn(GatedFusion(width, "identity"), draw(st.integers(0, 1000)))
    with torch.no_grad():
        gate.gate.weight.mul_(0.3)  # lest the sigmoid become 0 or 1
    return gate, *(torch.from_numpy(draw(rows)) for _ in range(2))


def with_activation(gate, activation):
    other = GatedFusion(gate.gate.out_features, activation).double()
    other.load_state_dict(gate.state_dict())
    return other


@given(scenes())
def test_gate_equals_the_equations(scene):
    module, deep, latent = scene
    fused, gate = module(deep, latent)
    weight, bias = module.gate.weight, module.gate.bias
    of_deep, of_latent = weight.chunk(2, dim=1)
    expected = 1 / (1 + torch.exp(-(deep @ of_deep.T + latent @ of_latent.T + bias)))
    close(gate, expected)
    close(fused, torch.cat([gate * deep, (1 - gate) * latent], dim=1))
    for activation in (torch.tanh, torch.relu):
        other = with_activation(module, activation.__name__)
        close(other(deep, latent)[0], activation(fused))


@given(scenes())
def test_gate_mixes_what_it_is_given(scene):
    module, deep, latent = scene
    fused, gate = module(deep, latent)
    assert ((gate > 0) & (gate < 1)).all()
    mixed = sum(fused.chunk(2, dim=1))
    assert (mixed >= torch.minimum(deep, latent) - 1e-12).all()
    assert (mixed <= torch.maximum(deep, latent) + 1e-12).all()
    close(sum(module(deep, deep)[0].chunk(2, dim=1)), deep)


@given(scenes(), st.sampled_from(["tanh", "identity"]))
def test_gate_keeps_the_sign_and_adds_nothing(scene, activation):
    module, deep, latent = scene
    fused, _ = with_activation(module, activation)(deep, latent)
    given_ = torch.cat([deep, latent], dim=1)
    assert (fused.abs() <= given_.abs()).all()
    assert torch.equal(fused.sign(), given_.sign())


@given(scenes(), st.sampled_from([1, -1]))
def test_gate_of_a_large_bias_selects_a_branch(scene, sign):
    module, deep, latent = scene
    with torch.no_grad():
        module.gate.bias.fill_(sign * 1e4)
    fused, gate = module(deep, latent)
    assert (gate == (sign > 0)).all()
    nothing = torch.zeros_like(deep)
    selected = [deep, nothing] if sign > 0 else [nothing, latent]
    assert torch.equal(fused, torch.cat(selected, dim=1))


@given(scenes(), st.sampled_from(["tanh", "relu", "identity"]))
def test_gate_with_exchanged_branches_exchanges_the_outputs(scene, activation):
    module, deep, latent = scene
    module = with_activation(module, activation)
    exchanged = with_activation(module, activation)
    with torch.no_grad():
        of_deep, of_latent = module.gate.weight.chunk(2, dim=1)
        exchanged.gate.weight.copy_(-torch.cat([of_latent, of_deep], dim=1))
        exchanged.gate.bias.copy_(-module.gate.bias)
    fused, gate = module(deep, latent)
    other, of_other = exchanged(latent, deep)
    close(of_other, 1 - gate)
    close(other, torch.cat(fused.chunk(2, dim=1)[::-1], dim=1))


@activations
def test_gradients_of_the_gate_by_central_differences(activation):
    module = drawn(GatedFusion(3, activation))
    deep, latent = (randn(2, 3, seed=seed).requires_grad_() for seed in (1, 2))
    parameters = [p.detach().requires_grad_() for p in module.parameters()]

    def compute(deep, latent, *values):
        named = dict(zip(("gate.weight", "gate.bias"), values, strict=True))
        return torch.func.functional_call(module, named, (deep, latent))

    assert torch.autograd.gradcheck(compute, (deep, latent, *parameters))


def test_gate_takes_any_dimensions_before_the_last():
    module = drawn(GatedFusion(3))
    deep, latent = randn(2, 5, 3), randn(2, 5, 3, seed=1)
    fused, gate = module(deep, latent)
    assert (fused.shape, gate.shape) == ((2, 5, 6), (2, 5, 3))
    close(fused[1, 4], module(deep[1, 4], latent[1, 4])[0])


# --- attention and recurrent layer -----------------------------------------


VARIANTS = [
    {},
    {"n_heads": 2, "nonlinearity": "relu"},
    {"n_heads": 0},
    {"fusion": "concatenate"},
    {"fusion": None},
]
variants = pytest.mark.parametrize("settings", VARIANTS, ids=str)


def small(**settings):
    """Return a net for representations of 3 values each, and their width."""
    net = drawn(FusionClassifier(2, 3, hidden_size=4, **settings)).eval()
    return net, 3 if settings.get("fusion", "gate") is None else 6


def test_fusion_has_the_sizes_of_the_notes():
    net = FusionClassifier(n_classes=4)
    assert count(net.gated) == 32_896
    assert count(net.attention) == 263_168
    assert count(net.classifier.layers) == 395_264
    assert count(net.classifier.head) == 1_028
    assert count(net.norm) == 512
    assert count(net) == 32_896 + 263_168 + 512 + 395_264 + 1_028
    assert count(FusionClassifier(4, n_heads=0)) == 32_896 + 395_264 + 1_028
    assert count(FusionClassifier(4, fusion="concatenate")) == 395_264 + 1_028
    # Of 128 values and not 256.
    of_one = 2 * 4 * 128 * (128 + 128 + 2)
    assert count(FusionClassifier(4, fusion=None)) == of_one + 1_028


@pytest.mark.parametrize("rest", [0.0, 1e6, torch.nan], ids=str)
@variants
def test_padding_reaches_nothing(settings, rest):
    net, width = small(**settings)
    x, lengths = randn(4, 7, width), torch.tensor([7, 1, 4, 6])
    alone = [(x[i : i + 1, :n], torch.tensor([n])) for i, n in enumerate(lengths)]
    for row, n in zip(x, lengths, strict=True):
        row[n:] = rest
    for compute in (lambda *one: net(*one).logits, net.encode):
        close(compute(x, lengths), torch.cat([compute(*one) for one in alone]))
    fused = net.fuse(x, lengths)
    for row, one in zip(fused, alone, strict=True):
        close(row[: one[1]], net.fuse(*one)[0])


@variants
def test_padding_gets_no_gradient(settings):
    net, width = small(**settings)
    x = randn(2, 5, width)
    x[1, 2:] = torch.nan
    x.requires_grad_()
    net(x, torch.tensor([5, 2])).logits.square().sum().backward()
    assert (x.grad[1, 2:] == 0).all()
    assert x.grad[1, :2].any()
    for parameter in net.parameters():
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("n_heads", [1, 2, 3])
def test_attention_equals_its_formula(n_heads):
    net, _ = small(n_heads=n_heads)
    x = randn(1, 5, 6)
    fused = net.gated(x[..., :3], x[..., 3:])[0][0]
    attention = net.attention
    weights = attention.in_proj_weight.chunk(3)
    biases = attention.in_proj_bias.chunk(3)
    heads = []
    queries, keys, values = (
        (fused @ w.T + b).chunk(n_heads, dim=1)
        for w, b in zip(weights, biases, strict=True)
    )
    for q, k, v in zip(queries, keys, values, strict=True):
        heads.append((q @ k.T / sqrt(6 / n_heads)).softmax(dim=1) @ v)
    summed = fused + attention.out_proj(torch.cat(heads, dim=1))
    expected = functional.layer_norm(summed, (6,), net.norm.weight, net.norm.bias)
    close(net.fuse(x, torch.tensor([5]))[0], expected)


def test_attention_does_not_know_the_order_but_the_recurrent_layer_does():
    net, _ = small()
    x, lengths = randn(1, 6, 6), torch.tensor([6])
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    close(net.fuse(x[:, order], lengths), net.fuse(x, lengths)[:, order])
    turned = net(x[:, order], lengths).logits
    assert not torch.allclose(turned, net(x, lengths).logits)


def test_without_gate_nothing_is_changed_before_the_recurrent_layer():
    x, lengths = randn(2, 4, 6), torch.tensor([4, 4])
    assert small(fusion="concatenate")[0].fuse(x, lengths) is x
    net, _ = small(n_heads=0)
    close(net.fuse(x, lengths), net.gated(*x.chunk(2, dim=2))[0])


@variants
def test_last_states_of_both_directions_are_classified(settings):
    net, width = small(**settings)
    x, lengths = randn(1, 5, width), torch.tensor([5])
    (lstm,) = net.classifier.layers
    states = lstm(net.fuse(x, lengths))[0][0]
    expected = torch.cat([states[-1, :4], states[0, 4:]])[None]
    close(net.encode(x, lengths), expected)
    close(net(x, lengths).representation, expected)
    close(net(x, lengths).logits, net.classifier.head(expected))


def test_gradients_of_the_fusion_by_central_differences():
    net, _ = small()
    lengths = torch.tensor([3, 1])

    def known(x):
        fused = net.fuse(x, lengths)
        return fused[0], fused[1, :1]

    x = randn(2, 3, 6).requires_grad_()
    assert torch.autograd.gradcheck(known, x)
    assert torch.autograd.gradcheck(lambda x: net(x, lengths).logits, x)


def test_dropout_comes_from_the_generator_and_only_in_training():
    net = FusionClassifier(2, 3, dropout=0.5)
    x, lengths = torch.randn(2, 6, 6), torch.tensor([6, 2])
    before = torch.get_rng_state()
    first, second, third = (
        net(x, lengths, torch.Generator().manual_seed(seed)).logits
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert torch.equal(torch.get_rng_state(), before)
    net.eval()
    close(net(x, lengths).logits, net.classifier.head(net.encode(x, lengths)))


# --- both together ---------------------------------------------------------


@variants
def test_both_networks_are_one_after_the_other(settings):
    net = PseudoSiameseGatedNet((2, 3), 2, 3, hidden_size=4, **settings).double()
    assert (net.branches.autoencoder is None) == (settings.get("fusion", 1) is None)
    x, lengths = randn(3, 5, 6), torch.tensor([5, 1, 2])
    logits = net(x, lengths).logits
    assert logits.shape == (3, 2)
    for i, n in enumerate(lengths):
        represented = net.branches.represent(x[i, :n])[None]
        alone = net.fusion(represented, lengths[i : i + 1]).logits
        close(logits[i : i + 1], alone)
    for row, n in zip(x, lengths, strict=True):
        row[n:] = torch.nan
    close(net(x, lengths).logits, logits)


def test_parts_of_the_whole():
    net = PseudoSiameseGatedNet((32, 129), 4)
    assert count(net.branches) == count(PseudoSiameseNet((32, 129), 4))
    assert count(net.fusion) == count(FusionClassifier(4))
    assert count(net) == count(net.branches) + count(net.fusion)
    net = PseudoSiameseGatedNet(
        (4, 4), 4, 6, n_heads=3, nonlinearity="relu", dropout=0.3
    )
    assert net.fusion.attention.num_heads == 3
    assert isinstance(net.fusion.gated.nonlinearity, nn.ReLU)
    assert net.fusion.classifier.dropout.share == 0.3


def test_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"nonlinearity must be one of .*, got 'elu'"):
        GatedFusion(3, "elu")
    with pytest.raises(ValueError, match="'gate', 'concatenate' or None, got 'sum'"):
        FusionClassifier(2, fusion="sum")
    with pytest.raises(ValueError, match="n_heads=5 does not divide the 6 values of"):
        FusionClassifier(2, 3, n_heads=5)
    # Where there is no attention, there are no heads.
    assert FusionClassifier(2, 3, fusion="concatenate", n_heads=5).attention is None


def test_no_dropout_unless_asked_for():
    assert FusionClassifier(3).classifier.dropout.share == 0
    assert PseudoSiameseGatedNet((4, 5), 3).fusion.classifier.dropout.share == 0
