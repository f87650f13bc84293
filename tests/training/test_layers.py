"""Attention pooling against sums by hand, and dropout that is drawn locally."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser.nets import AttentionPooling, AttentiveStatistics
from sklearn_ser.training._layers import Dropout


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def attention(width, seed=0):
    pool = AttentionPooling(width).double()
    torch.nn.init.normal_(
        pool.score.weight, generator=torch.Generator().manual_seed(seed)
    )
    return pool


def test_attention_by_hand():
    pool = AttentionPooling(2).double()
    with torch.no_grad():
        pool.score.weight.copy_(torch.tensor([[1.0, -1.0]]))
    x = torch.tensor([[[1.0, 2.0], [3.0, 3.0], [9.0, 0.0]]], dtype=torch.float64)
    # The scores are -1, 0 and, where it counts, 9.
    early = torch.tensor([1.0, torch.e], dtype=torch.float64) / (1 + torch.e)
    torch.testing.assert_close(
        pool(x, torch.tensor([2])),
        torch.stack([early @ x[0, :2, 0], early @ x[0, :2, 1]])[None],
    )
    scores = [torch.exp(torch.tensor(s, dtype=torch.float64)) for s in (-1, 0, 9)]
    expected = sum(s * row for s, row in zip(scores, x[0], strict=True)) / sum(scores)
    torch.testing.assert_close(pool(x)[0], expected)
    torch.testing.assert_close(pool(x, torch.tensor([3])), pool(x))


@given(st.integers(0, 2**31), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_attention_is_a_mean_of_what_is_not_padding(seed, lengths):
    x, pool = randn(len(lengths), 9, 3, seed=seed), attention(3, seed)
    pooled = pool(x, torch.tensor(lengths))
    padded = x.clone()
    for row, length in enumerate(lengths):
        alone = pool(x[row : row + 1, :length])
        torch.testing.assert_close(pooled[row : row + 1], alone)
        known = x[row, :length]
        assert (pooled[row] >= known.amin(0) - 1e-9).all()
        assert (pooled[row] <= known.amax(0) + 1e-9).all()
        order = torch.randperm(length, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(pool(known[order][None]), alone)
        padded[row, length:] = torch.nan
    torch.testing.assert_close(pool(padded, torch.tensor(lengths)), pooled)
    sums = pool.weights(x).sum(dim=1)
    torch.testing.assert_close(sums, torch.ones_like(sums))


def test_equal_scores_give_the_mean():
    pool = AttentionPooling(3).double()
    torch.nn.init.zeros_(pool.score.weight)
    x = randn(2, 6, 3)
    torch.testing.assert_close(pool(x), x.mean(dim=1))


def test_gradients_of_attention_by_central_differences():
    pool, lengths = attention(3), torch.tensor([5, 2])
    x = randn(2, 5, 3).requires_grad_()
    weight = pool.score.weight.detach().clone().requires_grad_()

    def pooled(x, weight):
        return torch.func.functional_call(pool, {"score.weight": weight}, (x, lengths))

    assert torch.autograd.gradcheck(pooled, (x, weight))
    pool(x, lengths).sum().backward()
    assert (x.grad[1, 2:] == 0).all()  # padding


def test_dropout_keeps_the_mean():
    values = torch.ones(100_000)
    dropped = Dropout(0.3)(values, torch.Generator().manual_seed(0))
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)


def test_dropout_draws_from_its_generator_alone_and_only_where_it_has_to():
    values, before = torch.ones(50), torch.get_rng_state()
    first, second, third = (
        Dropout(0.5)(values, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    for layer in (Dropout(0.0), Dropout(0.5).eval()):
        generator = torch.Generator().manual_seed(0)
        state = generator.get_state()
        assert layer(values, generator) is values
        assert torch.equal(generator.get_state(), state)
    assert torch.equal(torch.get_rng_state(), before)
    assert repr(Dropout(0.5)) == "Dropout(share=0.5)"


def attentive(width, seed=0):
    pool = AttentiveStatistics(width).double()
    pool.load_state_dict(attention(width, seed).state_dict())
    return pool


@given(st.integers(0, 2**31), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_attentive_statistics_are_weighted_moments(seed, lengths):
    x, pool = randn(len(lengths), 9, 3, seed=seed), attentive(3, seed)
    for row, length in enumerate(lengths):
        x[row, length:] = torch.nan
    pooled = pool(x, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        known = x[row, :length].numpy()
        weights = pool.weights(x[row : row + 1, :length])[0, :, 0].detach().numpy()
        mean = np.average(known, axis=0, weights=weights)
        variance = np.average((known - mean) ** 2, axis=0, weights=weights)
        expected = np.concatenate([mean, np.sqrt(np.maximum(variance, 1e-10))])
        np.testing.assert_allclose(pooled[row].detach().numpy(), expected, rtol=1e-6)
    torch.testing.assert_close(
        pooled[:, :3], attention(3, seed)(x, torch.tensor(lengths))
    )


def test_gradients_of_attentive_statistics():
    x, pool = randn(2, 5, 3).requires_grad_(), attentive(3)
    lengths = torch.tensor([5, 3])
    assert torch.autograd.gradcheck(lambda x: pool(x, lengths), (x,))
    constant = torch.ones(1, 4, 3, dtype=torch.float64, requires_grad=True)
    pool(constant).sum().backward()
    assert torch.isfinite(constant.grad).all()
    assert torch.isfinite(pool.score.weight.grad).all()
