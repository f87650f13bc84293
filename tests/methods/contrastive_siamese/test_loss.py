"""The losses of siamese networks: invariants, oracles, gradients."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import special_ortho_group

from sklearn_ser.losses import ContrastiveSiameseLoss, contrastive_loss
from sklearn_ser.nets import SiameseOutput

close = torch.testing.assert_close
distances = pytest.mark.parametrize("distance", ["cosine", "euclidean"])


@st.composite
def pairs(draw, min_dim=1):
    """Draw vectors in pairs, and whether each is of one class."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(min_dim, 5)))
    values = st.floats(-20, 20).map(lambda value: round(value, 3))
    x1, x2 = (
        torch.from_numpy(draw(hnp.arrays(np.float64, shape, elements=values)))
        for _ in range(2)
    )
    same = torch.from_numpy(draw(hnp.arrays(bool, shape[:1])))
    return x1, x2, same


@st.composite
def batches(draw):
    """Draw what the network gives for some pairs, and what is known of them."""
    n, n_classes = 2 * draw(st.integers(1, 4)), draw(st.integers(2, 4))
    values = st.floats(-5, 5).map(lambda value: round(value, 3))
    features, logits, auxiliary = (
        torch.from_numpy(draw(hnp.arrays(np.float64, (n, k), elements=values)))
        for k in (3, n_classes, 2)
    )
    codes = hnp.arrays(np.int64, n, elements=st.integers(0, n_classes - 1))
    added = hnp.arrays(np.int64, n, elements=st.integers(-1, 1))
    weight = hnp.arrays(np.float64, n, elements=st.floats(0, 3))
    batch = {
        name: torch.from_numpy(draw(values))
        for name, values in [("y", codes), ("auxiliary", added), ("weight", weight)]
    }
    return SiameseOutput(features, logits, auxiliary), batch


def rows(output, batch, order):
    """Take the members of a batch in another order."""
    moved = SiameseOutput(*(values[order] for values in output))
    return moved, {name: values[order] for name, values in batch.items()}


def naive(x1, x2, same, distance, margin):
    """Compute the losses in plain Python."""
    losses = []
    for a, b, alike in zip(x1.tolist(), x2.tolist(), same.tolist(), strict=True):
        if distance == "cosine":
            norms = math.hypot(*a) * math.hypot(*b)
            cos = math.fsum(p * q for p, q in zip(a, b, strict=True))
            cos = cos / norms if norms else 0.0
            losses.append(1 - cos if alike else max(0, cos - margin))
        else:
            apart = math.dist(a, b)
            losses.append(apart if alike else max(0, margin - apart))
    return torch.tensor(losses, dtype=torch.float64)


def margin_of(distance, share):
    """Return a margin of a share of the range that is of interest."""
    return 2 * share - 1 if distance == "cosine" else 30 * share


def away_from_zero(*vectors):
    """Leave out what torch's epsilon changes: it is added to squared norms."""
    assume(all((x.norm(dim=1) > 0.01).all() for x in vectors))


@given(pairs(), st.floats(-1, 1))
def test_cosine_equals_torch_and_a_loop(pair, margin):
    x1, x2, same = pair
    loss = contrastive_loss(x1, x2, same, margin=margin)
    # The code calls torch's function: of both, only the loop can find a fault.
    target = torch.where(same, 1, -1)
    theirs = torch.nn.CosineEmbeddingLoss(margin=margin, reduction="none")
    assert torch.equal(loss, theirs(x1, x2, target))
    # A margin just at the cosine of zero vectors or right angles is no matter: both
    # sides are continuous there.
    close(loss, naive(x1, x2, same, "cosine", margin), rtol=0, atol=1e-5)


@given(pairs(), st.floats(0, 30))
def test_euclidean_equals_a_loop(pair, margin):
    x1, x2, same = pair
    loss = contrastive_loss(x1, x2, same, distance="euclidean", margin=margin)
    close(loss, naive(x1, x2, same, "euclidean", margin), rtol=1e-12, atol=1e-12)


def test_values_computed_by_hand():
    x1, x2 = torch.tensor([[2.0, 0.0]] * 2), torch.tensor([[3.0, 4.0]] * 2)
    same = torch.tensor([True, False])
    close(contrastive_loss(x1, x2, same), torch.tensor([0.4, 0.6]))
    close(contrastive_loss(x1, x2, same, margin=0.5), torch.tensor([0.4, 0.1]))
    root = 17**0.5
    plain = contrastive_loss(x1, x2, same, distance="euclidean")
    close(plain, torch.tensor([root, 0.0]))
    wide = contrastive_loss(x1, x2, same, distance="euclidean", margin=5)
    close(wide, torch.tensor([root, 5 - root]))


@given(pairs(), st.floats(-1, 1), st.floats(0, 30))
def test_bounds(pair, of_cosine, of_distance):
    x1, x2, same = pair
    cosine = contrastive_loss(x1, x2, same, margin=of_cosine)
    assert (cosine >= -1e-12).all()
    assert (cosine[same] <= 2 + 1e-12).all()
    assert (cosine[~same] <= 1 - of_cosine + 1e-12).all()
    # What is rectified, or probabilities, lies in one orthant.
    assert (contrastive_loss(x1.abs(), x2.abs(), same)[same] <= 1 + 1e-12).all()
    apart = contrastive_loss(x1, x2, same, distance="euclidean", margin=of_distance)
    assert (apart >= 0).all()
    assert (apart[~same] <= of_distance).all()


@distances
@given(pair=pairs(), share=st.floats(0, 1), order=st.randoms(use_true_random=False))
def test_symmetric_and_pair_by_pair(distance, pair, share, order):
    x1, x2, same = pair
    settings = {"distance": distance, "margin": margin_of(distance, share)}
    loss = contrastive_loss(x1, x2, same, **settings)
    close(contrastive_loss(x2, x1, same, **settings), loss)
    shuffled = list(range(len(same)))
    order.shuffle(shuffled)
    moved = contrastive_loss(x1[shuffled], x2[shuffled], same[shuffled], **settings)
    close(moved, loss[shuffled])


@distances
@given(pair=pairs(min_dim=2), share=st.floats(0, 1), seed=st.integers(0, 100))
def test_rotation_changes_nothing(distance, pair, share, seed):
    x1, x2, same = pair
    away_from_zero(x1, x2)
    rotation = torch.from_numpy(special_ortho_group.rvs(x1.shape[1], random_state=seed))
    settings = {"distance": distance, "margin": margin_of(distance, share)}
    loss = contrastive_loss(x1, x2, same, **settings)
    turned = contrastive_loss(x1 @ rotation, x2 @ rotation, same, **settings)
    close(turned, loss, rtol=1e-7, atol=1e-9)


@given(pairs(), st.floats(0.1, 50), st.floats(0.1, 50))
def test_cosine_knows_no_scale_but_a_place(pair, first, second):
    x1, x2, same = pair
    away_from_zero(x1, x2)
    loss = contrastive_loss(x1, x2, same)
    close(contrastive_loss(first * x1, second * x2, same), loss, rtol=0, atol=1e-5)
    # The same direction: nothing to lose together, all apart.
    close(
        contrastive_loss(x1, second * x1, same),
        (~same).double(), rtol=0, atol=1e-5,
    )  # fmt: skip
    assert contrastive_loss(
        torch.tensor([[1.0, 0.0]]) + 5, torch.tensor([[0.0, 1.0]]) + 5,
        torch.tensor([True]),
    ).item() < 0.1  # fmt: skip
    assert contrastive_loss(
        torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([True])
    ).item() == pytest.approx(1)


@given(
    pairs(),
    st.floats(0.1, 50),
    st.floats(0, 30),
    hnp.arrays(np.float64, 5, elements=st.floats(-20, 20)),
)
def test_euclidean_knows_no_place_but_a_scale(pair, factor, margin, shift):
    x1, x2, same = pair
    loss = contrastive_loss(x1, x2, same, distance="euclidean", margin=margin)
    scaled = contrastive_loss(
        factor * x1, factor * x2, same, distance="euclidean", margin=factor * margin
    )
    close(scaled, factor * loss, rtol=1e-9, atol=1e-9)
    shift = torch.from_numpy(shift)[: x1.shape[1]]
    moved = contrastive_loss(
        x1 + shift, x2 + shift, same, distance="euclidean", margin=margin
    )
    close(moved, loss, rtol=1e-9, atol=1e-9)


@given(pairs(), st.floats(0, 30))
def test_together_and_apart_add_up_to_the_larger_of_margin_and_distance(pair, margin):
    x1, x2, same = pair
    both = [
        contrastive_loss(x1, x2, s, distance="euclidean", margin=margin)
        for s in (same, ~same)
    ]
    close(sum(both), (x1 - x2).norm(dim=1).clamp_min(margin))


@given(pairs())
def test_euclidean_of_one_class_obeys_the_triangle_inequality(pair):
    x1, x2, same = pair
    same, x3 = torch.ones_like(same), x2.roll(1, 0)
    between, second, direct = (
        contrastive_loss(a, b, same, distance="euclidean")
        for a, b in [(x1, x2), (x2, x3), (x1, x3)]
    )
    assert (direct <= between + second + 1e-12).all()


@given(batches(), st.floats(0, 1))
def test_the_total_is_linear_between_cross_entropy_and_contrast(drawn, weight):
    output, batch = drawn
    output = output._replace(auxiliary=None)
    of_weight = {
        w: ContrastiveSiameseLoss(w, "euclidean", 2.0)(output, batch)
        for w in (0.0, weight, 1.0)
    }
    each = torch.nn.functional.cross_entropy(
        output.logits, batch["y"], reduction="none"
    )
    entropy = (batch["weight"] * each).mean()
    n = len(batch["y"]) // 2
    contrast = contrastive_loss(
        output.features[:n], output.features[n:], batch["y"][:n] == batch["y"][n:],
        distance="euclidean", margin=2.0,
    ).mean()  # fmt: skip
    close(of_weight[0.0]["loss"], entropy)
    close(of_weight[1.0]["loss"], contrast)
    close(of_weight[weight]["loss"], weight * contrast + (1 - weight) * entropy)
    assert list(of_weight[weight]) == ["loss", "contrastive_loss", "cross_entropy_loss"]
    close(of_weight[weight]["contrastive_loss"], contrast)
    close(of_weight[weight]["cross_entropy_loss"], entropy)
    assert entropy >= 0


@given(batches(), st.floats(0, 1))
def test_the_auxiliary_task_counts_those_that_are_known(drawn, weight):
    output, batch = drawn
    losses = ContrastiveSiameseLoss(auxiliary_weight=weight)(output, batch)
    base = ContrastiveSiameseLoss()(output._replace(auxiliary=None), batch)["loss"]
    known = batch["auxiliary"] >= 0
    added = torch.zeros((), dtype=torch.float64)
    if known.any():
        added = torch.nn.functional.cross_entropy(
            output.auxiliary[known], batch["auxiliary"][known]
        )
    close(losses["auxiliary_loss"], added)
    close(losses["loss"], (1 - weight) * base + weight * added)


@pytest.mark.parametrize("position", ["features", "probabilities"])
@distances
@given(drawn=batches(), random=st.randoms(use_true_random=False))
def test_neither_the_order_of_pairs_nor_that_in_them_matters(
    position, distance, drawn, random
):
    output, batch = drawn
    loss = ContrastiveSiameseLoss(0.7, distance, position=position)
    total = loss(output, batch)
    n = len(batch["y"]) // 2
    order = list(range(n))
    random.shuffle(order)
    permuted = torch.tensor(order + [n + i for i in order])
    swapped = torch.arange(2 * n).roll(n)
    for other in (permuted, swapped):
        again = loss(*rows(output, batch, other))
        for name, value in total.items():
            close(again[name], value)


@given(batches())
def test_position_chooses_what_is_contrasted(drawn):
    output, batch = drawn
    probabilities = output.logits.softmax(dim=1)
    second = ContrastiveSiameseLoss(1.0, position="probabilities")(output, batch)
    first = ContrastiveSiameseLoss(1.0)(output._replace(features=probabilities), batch)
    close(second["loss"], first["loss"])
    # Softmax gives no zeros and no negatives.
    assert -1e-12 <= second["contrastive_loss"] <= 1


@distances
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_gradients_are_finite_at_zeros_and_duplicates(distance, alike, dtype, scale):
    x = scale * torch.ones(2, 3, dtype=dtype)
    for other in (x.clone(), torch.zeros_like(x)):
        x1, x2 = x.clone().requires_grad_(), other.requires_grad_()
        same = torch.tensor([alike, alike])
        loss = contrastive_loss(x1, x2, same, distance=distance)
        assert loss.dtype == dtype
        assert torch.isfinite(loss).all()
        for gradient in torch.autograd.grad(loss.sum(), [x1, x2]):
            assert torch.isfinite(gradient).all()


@distances
def test_gradcheck(distance):
    generator = torch.Generator().manual_seed(0)
    x1, x2, logits, auxiliary = (
        torch.randn(4, 3, dtype=torch.float64, generator=generator).requires_grad_()
        for _ in range(4)
    )
    same = torch.tensor([True, False, True, False])
    assert torch.autograd.gradcheck(
        lambda a, b: contrastive_loss(a, b, same, distance=distance, margin=0.9),
        (x1, x2),
    )
    batch = {
        "y": torch.tensor([0, 1, 0, 2]), "auxiliary": torch.tensor([1, -1, 0, 1])
    }  # fmt: skip
    for position in ("features", "probabilities"):
        total = ContrastiveSiameseLoss(0.6, distance, 0.9, position, 0.3)
        assert torch.autograd.gradcheck(
            lambda f, z, a, total=total: total(SiameseOutput(f, z, a), batch)["loss"],
            (x1, logits, auxiliary),
        )


@distances
@pytest.mark.parametrize("n", [0, 1, 2])
def test_small_batches(distance, n):
    x = torch.ones(n, 3)
    loss = contrastive_loss(x, x, torch.ones(n, dtype=torch.bool), distance=distance)
    assert loss.shape == (n,)


def test_what_does_not_fit_is_refused():
    x, same = torch.zeros(2, 3), torch.tensor([True, False])
    with pytest.raises(ValueError, match=r"x1 \(2, 3\), x2 \(2, 1\)"):
        contrastive_loss(x, x[:, :1], same)
    with pytest.raises(ValueError, match=r"same \(1,\) do not fit together"):
        contrastive_loss(x, x, same[:1])
    with pytest.raises(ValueError, match="'cosine' or 'euclidean', got 'l1'"):
        contrastive_loss(x, x, same, distance="l1")
    with pytest.raises(ValueError, match=r"from -1 to 1 .*, got 1\.5"):
        ContrastiveSiameseLoss(margin=1.5)
    with pytest.raises(ValueError, match=r"at least 0 .*, got -1"):
        ContrastiveSiameseLoss(distance="euclidean", margin=-1)
    with pytest.raises(ValueError, match="'features' or 'probabilities', got 'end'"):
        ContrastiveSiameseLoss(position="end")
    output = SiameseOutput(torch.zeros(3, 2), torch.zeros(3, 2), None)
    with pytest.raises(ValueError, match="do not fit together"):
        ContrastiveSiameseLoss()(output, {"y": torch.zeros(3, dtype=torch.int64)})


def test_margins_that_are_not_named():
    """Those of torch's functions, but wide for distances of features."""
    x1, x2 = torch.tensor([[0.75, 0.0], [0.0, 3.0]]), torch.zeros(2, 2)
    other = torch.tensor([False, False])
    close(
        contrastive_loss(x1, x2, other, distance="euclidean"), torch.tensor([0.25, 0.0])
    )
    angle = contrastive_loss(x1, torch.tensor([[3.0, 4.0]] * 2), other)
    close(angle, torch.tensor([0.6, 0.8]))
    y = torch.tensor([0, 1])
    features = torch.tensor([[3.0, 0, 0, 0, 0, 0, 0, 0, 0], [0.0] * 9])
    output = SiameseOutput(features, torch.zeros(2, 2), None)
    for position, expected in (("features", 2 * 3.0 - 3.0), ("probabilities", 1.0)):
        loss = ContrastiveSiameseLoss(distance="euclidean", position=position)
        assert loss(output, {"y": y})["contrastive_loss"].item() == expected


def test_weights_that_are_not_named_are_those_of_the_paper():
    loss = ContrastiveSiameseLoss()
    assert (loss.contrastive_weight, loss.auxiliary_weight) == (0.6, 0.04)
