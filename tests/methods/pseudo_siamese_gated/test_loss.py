"""The pseudo-siamese loss: B8 of the paper's invariants, oracles."""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ortho_group
from torch.nn import functional

from sklearn_ser.losses import PseudoSiameseLoss, mine_triplets, triplet_loss
from tests.methods.pseudo_siamese_gated.scenes import (
    Scene,
    example,
    mined,
    normal,
    numbers,
    same,
    scenes,
    seeded,
    vectors,
)

close = torch.testing.assert_close
both_minings = pytest.mark.parametrize("mining", ["random", "semihard"])
normalized_or_not = pytest.mark.parametrize("normalize", [False, True])
both_types = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
# Each term, the tensors that it needs, and what it needs of the batch beside.
TERMS = {
    "cross_entropy_loss": ({"logits"}, {"y", "weight"}),
    "triplet_loss": ({"deep", "latent"}, {"quadrant", "P_quadrant", "generator"}),
    "reconstruction_loss": ({"reconstruction"}, {"P"}),
}

margins = st.floats(0.01, 30)
lengths = st.floats(0, 30)


# --- the loss of a triplet --------------------------------------------------


@st.composite
def triplets(draw, min_dim=1):
    """Draw anchors, positives and negatives."""
    shape = draw(st.integers(1, 5)), draw(st.integers(min_dim, 4))
    return tuple(draw(vectors(*shape)) for _ in range(3))


def distances(anchor, positive, negative):
    """Return the distances of positives and negatives by a double loop."""
    near, far = torch.zeros(2, len(anchor), dtype=torch.float64)
    for of_all, others in ((near, positive), (far, negative)):
        for i in range(len(anchor)):
            total = 0.0
            for a, b in zip(anchor[i].tolist(), others[i].tolist(), strict=True):
                total += (a - b) ** 2
            of_all[i] = math.sqrt(total)
    return near, far


@given(triplets(), margins)
def test_equals_torch_and_a_double_loop(triplet, margin):
    loss = triplet_loss(*triplet, margin=margin)
    # The code calls torch's function: of both, only the loop can find a fault.
    near, far = distances(*triplet)
    expected = np.maximum(near.numpy() - far.numpy() + margin, 0)
    close(loss, torch.from_numpy(expected), rtol=1e-9, atol=1e-9)
    settings = {"margin": margin, "reduction": "none"}
    theirs = functional.triplet_margin_loss(*triplet, eps=0.0, **settings)
    assert torch.equal(loss, theirs)
    # By default torch adds 1e-6 to each difference, which changes both distances.
    theirs = functional.triplet_margin_loss(*triplet, **settings)
    close(loss, theirs, rtol=0, atol=2.1e-6 * triplet[0].shape[1] ** 0.5)


def test_values_computed_by_hand():
    anchor = torch.tensor([[1.0, 1.0]] * 4)
    positive = torch.tensor([[4.0, 5.0]] * 4)  # at 5
    negative = torch.tensor([[1.0, 5.5], [1.0, 7.0], [1.0, 7.5], [13.0, 6.0]])
    far = torch.tensor([4.5, 6.0, 6.5, 13.0])
    loss = triplet_loss(anchor, positive, negative)
    close(loss, torch.tensor([1.5, 0.0, 0.0, 0.0]))
    close(triplet_loss(anchor, positive, negative, margin=10), 15 - far)


@given(triplets(), margins)
def test_zero_where_the_negative_is_farther_by_the_margin(triplet, margin):
    loss = triplet_loss(*triplet, margin=margin)
    near, far = distances(*triplet)
    assert (loss >= 0).all()
    assert (loss[far >= near + margin + 1e-9] == 0).all()
    assert (loss[far <= near + margin - 1e-9] > 0).all()


@given(triplets(), margins)
def test_the_margin_where_positive_and_negative_are_one(triplet, margin):
    anchor, positive, negative = triplet
    loss = triplet_loss(anchor, positive, positive, margin=margin)
    close(loss, torch.full_like(loss, margin))
    # And at most by their distance more.
    loss = triplet_loss(anchor, positive, negative, margin=margin)
    assert (loss <= margin + (positive - negative).norm(dim=1) + 1e-9).all()


@given(triplets(), margins, lengths, lengths, lengths)
def test_monotone_and_1_lipschitz_in_each_distance(triplet, margin, near, far, more):
    anchor, *others = triplet
    to_positive, to_negative = (functional.normalize(x - anchor) for x in others)
    assume(all((x.norm(dim=1) > 0.5).all() for x in (to_positive, to_negative)))

    def at(near, far):
        """Return the loss at these distances, along the same directions."""
        ends = anchor + near * to_positive, anchor + far * to_negative
        return triplet_loss(anchor, *ends, margin=margin)

    loss = at(near, far)
    rise, fall = at(near + more, far) - loss, loss - at(near, far + more)
    for change in (rise, fall):
        assert (change >= -1e-9).all()
        assert (change <= more + 1e-9).all()
    # Where there is a loss, the rise is the whole of it.
    close(rise[loss > 0], torch.full_like(rise[loss > 0], more), rtol=0, atol=1e-9)


@given(triplets(min_dim=2), margins, vectors(4), st.integers(0, 100))
def test_translation_and_rotation_change_nothing(triplet, margin, shift, seed):
    dim = triplet[0].shape[1]
    # Rotations and reflections.
    turn = torch.from_numpy(ortho_group.rvs(dim, random_state=seed))
    moved = triplet_loss(*(x @ turn + shift[:dim] for x in triplet), margin=margin)
    close(moved, triplet_loss(*triplet, margin=margin), rtol=1e-7, atol=1e-7)


@given(triplets(), margins, st.floats(0.01, 50))
def test_scales_with_embeddings_and_margin(triplet, margin, factor):
    loss = triplet_loss(*triplet, margin=margin)
    scaled = triplet_loss(*(factor * x for x in triplet), margin=factor * margin)
    close(scaled, factor * loss, rtol=1e-9, atol=1e-9)


@given(triplets(), margins)
def test_swap_identity(triplet, margin):
    anchor, positive, negative = triplet
    loss = triplet_loss(anchor, positive, negative, margin=margin)
    both = loss + triplet_loss(anchor, negative, positive, margin=margin)
    near, far = distances(*triplet)
    close(both, (margin + (near - far).abs()).clamp_min(2 * margin))
    assert (both >= 2 * margin - 1e-9).all()


@given(triplets(), margins, st.randoms(use_true_random=False))
def test_triplet_by_triplet(triplet, margin, random):
    order = list(range(len(triplet[0])))
    random.shuffle(order)
    loss = triplet_loss(*triplet, margin=margin)
    for rows in (order, *([i] for i in order)):
        alone = triplet_loss(*(x[rows] for x in triplet), margin=margin)
        assert torch.equal(alone, loss[rows])


@both_types
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e4])
def test_gradients_are_finite_at_duplicates_and_zero_there(dtype, scale):
    x = scale * torch.ones(2, 3, dtype=dtype)
    for others in itertools.product((x, torch.zeros_like(x)), repeat=2):
        points = [v.clone().requires_grad_() for v in (x, *others)]
        loss = triplet_loss(*points)
        assert loss.dtype == dtype
        assert torch.isfinite(loss).all()
        found = torch.autograd.grad(loss.sum(), points)
        assert all(torch.isfinite(gradient).all() for gradient in found)
        for other, gradient in zip(others, found[1:], strict=True):
            assert not (torch.equal(other, x) and gradient.any())


def test_gradcheck():
    points = [normal(9, 3, seed=k).requires_grad_() for k in range(3)]
    near, far = distances(*points)
    assert ((far - near).min() < 0.3 - 0.01) & ((far - near).max() > 0.3 + 0.01)
    assert ((far - near) - 0.3).abs().min() > 1e-3  # none at the kink
    assert torch.autograd.gradcheck(lambda *x: triplet_loss(*x, margin=0.3), points)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_small_batches(n):
    x = torch.ones(n, 3)
    assert triplet_loss(x, x, x).tolist() == [1.0] * n


@pytest.mark.parametrize("margin", [0, -1.0, math.inf, math.nan])
def test_a_margin_is_finite_and_greater_than_zero(margin):
    x, quadrant = torch.zeros(1, 2), torch.tensor([1])
    for refused in (
        lambda: triplet_loss(x, x, x, margin=margin),
        lambda: mine_triplets(x, x, quadrant, quadrant, margin=margin),
        lambda: PseudoSiameseLoss(margin=margin),
    ):
        with pytest.raises(ValueError, match=f"greater than 0, got {margin}"):
            refused()


def test_shapes_of_triplets_are_checked():
    x = torch.zeros(2, 3)
    for others in ((x[:, :1], x), (x, x[:1])):
        with pytest.raises(ValueError, match=r"one shape \(n, n_features\), got \(2"):
            triplet_loss(x, *others)
    with pytest.raises(ValueError, match=r"got \(3,\), \(3,\) and \(3,\)"):
        triplet_loss(x[0], x[0], x[0])


# --- the whole loss ---------------------------------------------------------


@both_minings
def test_a_seed_means_the_same_on_a_gpu(mining):
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    # Whole numbers: their distances are the same on every device.
    deep, latent = ((4 * x).round() for x in example()[:2])
    scene = Scene(deep, latent, *example()[2:])
    there = Scene(*(values.cuda() for values in scene))
    found = mined(there, mining=mining)
    assert all(rows.is_cuda for rows in found)
    assert same([rows.cpu() for rows in found], mined(scene, mining=mining))
    values = [losses_of(s, mining=mining)["loss"].cpu() for s in (scene, there)]
    close(*values)


class Output(NamedTuple):
    """Stands for what the network gives."""

    logits: torch.Tensor | None = None
    deep: torch.Tensor | None = None
    latent: torch.Tensor | None = None
    reconstruction: torch.Tensor | None = None


@st.composite
def batches(draw):
    """Draw what the network gives for a batch, and what is known of it."""
    deep, latent, quadrant, other = draw(scenes())
    n, m = len(deep), len(latent)
    output = Output(draw(vectors(n, 3)), deep, latent, draw(vectors(m, 4)))
    batch = {"quadrant": quadrant, "P_quadrant": other, "P": draw(vectors(m, 4))}
    batch["y"] = draw(numbers(n, st.integers(-1, 2)))
    batch["weight"] = draw(numbers(n, st.floats(0, 3), np.float64))
    return output, batch


def losses(output, batch, *args, **settings):
    """Return what the loss gives, with the same draws in every call."""
    return PseudoSiameseLoss(*args, **settings)(output, batch | {"generator": seeded()})


def losses_of(scene, **settings):
    """Return what the loss gives with nothing but triplets."""
    deep, latent, quadrant, other = scene
    batch = {"quadrant": quadrant, "P_quadrant": other}
    return losses(Output(deep=deep, latent=latent), batch, **settings)


def test_terms_computed_by_hand():
    output = Output(
        logits=torch.tensor([[0.0, 0.0], [math.log(3), 0.0], [5.0, 1.0]]),
        deep=torch.tensor([[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]]),
        latent=torch.tensor([[0.6, 0.8], [3.0, 4.0]]),
        reconstruction=torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]),
    )
    batch = {
        "y": torch.tensor([1, 0, -1]),
        "quadrant": torch.tensor([2, 4, -1]),
        "P_quadrant": torch.tensor([4, 2]),
        "P": torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    }
    expected = {
        # -log(1/2) and -log(3/4); the third is not known.
        "cross_entropy_loss": (math.log(2) + math.log(4 / 3)) / 2,
        # Distances to positive and negative: 5 and 1, then 4 and 0.
        "triplet_loss": ((5 - 1 + 0.5) + (4 - 0 + 0.5)) / 2,
        "reconstruction_loss": (1 + 4 + 1) / 6,
    }
    entropy, triplet, error = expected.values()
    loss = 0.3 * entropy + 0.3 * triplet + 0.4 * error
    found = losses(output, batch, (0.3, 0.3, 0.4), margin=0.5)
    assert list(found) == ["loss", *expected]
    found = {name: value.item() for name, value in found.items()}
    assert found == pytest.approx({"loss": loss, **expected})
    # The defaults: the paper's weights of the feature extraction, a margin of 1.
    loss = 0.6 * entropy + 0.2 * (triplet + 0.5) + 0.2 * error
    assert losses(output, batch)["loss"].item() == pytest.approx(loss)
    # A weight does not count as more or fewer utterances.
    batch["weight"] = torch.tensor([4.0, 0.0, 7.0])
    weighted = losses(output, batch)["cross_entropy_loss"].item()
    assert weighted == pytest.approx(4 * math.log(2) / 2)


@both_minings
@given(batches(), st.tuples(*[st.floats(0, 1)] * 3), margins)
def test_a_convex_combination_of_its_terms(mining, drawn, weights, margin):
    assume(sum(weights) > 1e-3)
    weights = [weight / sum(weights) for weight in weights]
    found = losses(*drawn, weights, mining, margin)
    loss, *terms = (value.item() for value in found.values())
    assert min(terms) >= 0
    assert min(terms) - 1e-9 <= loss <= max(terms) + 1e-9
    expected = math.fsum(w * term for w, term in zip(weights, terms, strict=True))
    assert loss == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(batches(), margins)
def test_each_term_is_a_mean_of_its_own(drawn, margin):
    output, batch = drawn
    found = losses(output, batch, margin=margin)
    known = batch["y"] >= 0
    logits, y, weight = output.logits[known], batch["y"][known], batch["weight"][known]
    rows = mined((output.deep, output.latent, batch["quadrant"], batch["P_quadrant"]))
    points = output.deep[rows[0]], output.latent[rows[1]], output.latent[rows[2]]
    expected = (
        weight * functional.cross_entropy(logits, y, reduction="none"),
        triplet_loss(*points, margin=margin),
        (output.reconstruction - batch["P"]) ** 2,
    )
    for name, values in zip(TERMS, expected, strict=True):
        # Of none it is 0.
        close(found[name], values.mean() if values.numel() else values.sum())


@given(batches(), st.sets(st.sampled_from(Output._fields)))
def test_a_term_is_there_if_its_tensors_are(drawn, missing):
    output, batch = drawn
    weights = dict(zip(TERMS, (1, 2, 3), strict=True))
    whole = losses(output, batch, weights.values())
    output = output._replace(**dict.fromkeys(missing))
    there = {name: of for name, (needs, of) in TERMS.items() if not needs & missing}
    # What is not used need not be in the batch.
    used = set().union(*there.values())
    batch = {name: values for name, values in batch.items() if name in used}
    if not there:
        with pytest.raises(ValueError, match="nothing to learn from"):
            losses(output, batch)
        return
    found = losses(output, batch, weights.values())
    assert list(found) == ["loss", *there]
    assert all(torch.equal(found[name], whole[name]) for name in there)
    close(found["loss"], sum(weights[name] * found[name] for name in there))


@given(batches())
def test_without_mining_there_are_no_triplets(drawn):
    output, batch = drawn
    generator = seeded()
    loss = PseudoSiameseLoss(mining=None)
    plain = loss(output, batch | {"generator": generator})
    alone = losses(output._replace(deep=None), batch)
    assert "triplet_loss" not in plain
    assert list(plain) == list(alone)
    assert same(plain.values(), alone.values())
    # Nor draws.
    assert torch.equal(generator.get_state(), seeded().get_state())


@both_types
def test_settings_reach_the_mining_and_no_gradient_flows_through_it(dtype):
    plain = example(50, 50, dtype)
    deep, latent = (x.clone().requires_grad_() for x in plain[:2])
    scene = plain._replace(anchors=deep, candidates=latent)
    found = []
    for mining, exclude_self, margin in itertools.product(
        ("random", "semihard"), (False, True), (0.2, 2.0)
    ):
        settings = {"mining": mining, "exclude_self": exclude_self, "margin": margin}
        rows = mined(scene, **settings)
        assert not any(values.requires_grad for values in rows)
        assert same(rows, mined(plain, **settings))
        points = deep[rows.anchor], latent[rows.positive], latent[rows.negative]
        expected = triplet_loss(*points, margin=margin).mean()
        loss = losses_of(scene, **settings)["triplet_loss"]
        assert loss.dtype == dtype
        close(loss, expected)
        gradients = (torch.autograd.grad(x, [deep, latent]) for x in (loss, expected))
        for own, others in zip(*gradients, strict=True):
            close(own, others)
        found.append(round(loss.item(), 5))
    assert len(set(found)) == len(found)


NOTHING = {
    "no candidates": ([1, 2], []),
    "no anchors": ([], [1, 2]),
    "nobody": ([], []),
    "one quadrant": ([1, 1], [1, 1, 1]),
    "no positives": ([1, 2], [3, 4]),
    "unknown anchors": ([-1, -1], [1, 2]),
    "unknown candidates": ([1, 2], [-1, -1]),
    "unknown only": ([-1, -1], [-1, -1]),
}


@both_minings
@normalized_or_not
@pytest.mark.parametrize("case", NOTHING)
def test_a_batch_without_triplets_adds_nothing(case, normalize, mining):
    codes = [torch.tensor(some, dtype=torch.int64) for some in NOTHING[case]]
    inputs = [torch.ones(len(some), 3, requires_grad=True) for some in codes]
    rows = mine_triplets(*inputs, *codes, mining=mining)
    assert [values.tolist() for values in rows] == [[]] * 3
    assert all(values.dtype == torch.int64 for values in rows)
    # The network's weights get a gradient, and it is zero.
    weight = torch.ones(3, 2, requires_grad=True)
    scene = Scene(*(x @ weight for x in inputs), *codes)
    found = losses_of(scene, mining=mining, normalize=normalize)
    assert found["loss"] == found["triplet_loss"] == 0
    found["loss"].backward()
    for leaf in (*inputs, weight):
        assert leaf.grad is not None
        assert not leaf.grad.any()


@given(scenes(), numbers(7, st.floats(0.1, 9), np.float64))
def test_normalized_embeddings_have_no_scale(scene, factors):
    settings = {"margin": 0.5, "normalize": True}
    loss = losses_of(scene, **settings)["loss"]
    assert loss <= 0.2 * (2 + 0.5) + 1e-9
    units = (functional.normalize(x) for x in scene[:2])
    close(loss, losses_of(Scene(*units, *scene[2:]), margin=0.5)["loss"])
    scaled = (x * factors[: len(x), None] for x in scene[:2])
    close(losses_of(Scene(*scaled, *scene[2:]), **settings)["loss"], loss)


def test_semihard_mining_is_of_normalized_embeddings():
    """The nearest is another one if only the directions count."""
    deep = torch.tensor([[1.0, 0.0]])
    latent = torch.tensor([[3.0, 0.3], [-2.2, 0.0], [9.0, 3.0]])
    scene = Scene(deep, latent, torch.tensor([1]), torch.tensor([1, 2, 3]))
    settings = {"mining": "semihard", "margin": 1.5}
    for normalize, negative in ((False, 1), (True, 2)):
        points = [deep, latent[[0]], latent[[negative]]]
        if normalize:
            points = [functional.normalize(x) for x in points]
        found = losses_of(scene, normalize=normalize, **settings)["triplet_loss"]
        close(found, triplet_loss(*points, margin=1.5)[0])


@normalized_or_not
@both_types
@both_minings
def test_gradients_are_small_at_zeros_and_duplicates(mining, dtype, normalize):
    """A gradient of 1e12 at zeros would be finite, and of no use."""
    quadrant = torch.tensor([1, 2, 1, 2])
    for scale in (0.0, 1.0, 1e4):
        deep = torch.full((4, 3), scale, dtype=dtype, requires_grad=True)
        latent = scale * torch.tensor([[0], [1], [0], [-1]], dtype=dtype).expand(4, 3)
        latent = latent.clone().requires_grad_()
        scene = Scene(deep, latent, quadrant, quadrant)
        loss = losses_of(scene, mining=mining, normalize=normalize)["loss"]
        assert loss.dtype == dtype
        for gradient in torch.autograd.grad(loss, [deep, latent]):
            assert (gradient.abs() <= 1).all()


@normalized_or_not
@both_minings
def test_gradcheck_of_the_whole(mining, normalize):
    *_, quadrant, other = example(8, 10)
    shapes = (8, 4), (8, 3), (10, 3), (10, 5)
    tensors = [normal(*s, seed=k).requires_grad_() for k, s in enumerate(shapes)]
    batch = {"quadrant": quadrant, "P_quadrant": other, "P": normal(10, 5, seed=9)}
    batch["y"] = torch.tensor([0, 1, 2, 3, -1, 0, 1, 2])
    settings = (0.3, 0.3, 0.4), mining, 0.8, normalize
    assert losses(Output(*tensors), batch, *settings)["triplet_loss"] > 0
    assert torch.autograd.gradcheck(
        lambda *x: losses(Output(*x), batch, *settings)["loss"], tensors
    )


@given(batches())
def test_both_precisions_agree(drawn):
    output, batch = drawn
    fewer = {name: batch[name].float() for name in ("P", "weight")}
    single = losses(Output(*(values.float() for values in output)), batch | fewer)
    for name, value in losses(output, batch).items():
        assert value.dtype == torch.float64
        assert single[name].dtype == torch.float32
        close(single[name], value.float(), rtol=1e-4, atol=1e-4)


@given(batches(), st.randoms(use_true_random=False))
def test_the_order_of_utterances_does_not_matter(drawn, random):
    """Where there is one positive and one negative at most, so nothing to draw."""
    output, batch = drawn
    batch["P_quadrant"] = torch.tensor([1, 2, *[-1] * 5])[: len(output.latent)]
    first, second = (list(range(len(x))) for x in (output.deep, output.latent))
    random.shuffle(first)
    random.shuffle(second)
    orders = first, first, second, second
    moved = Output(*(x[order] for x, order in zip(output, orders, strict=True)))
    others = {name: second if name.startswith("P") else first for name in batch}
    again = losses(moved, {name: batch[name][order] for name, order in others.items()})
    for name, value in losses(output, batch).items():
        close(again[name], value)


def test_a_loss_that_is_counted_is_a_mean_over_the_known():
    """What the training loop needs to make an epoch's mean of those of batches."""
    assert PseudoSiameseLoss.counted == {"cross_entropy_loss": "y"}
    logits, y = normal(6, 3), torch.tensor([0, -1, -1, 1, 2, 0])
    whole, first, second = (
        losses(Output(logits[rows]), {"y": y[rows]})["cross_entropy_loss"]
        for rows in (slice(6), slice(3), slice(3, 6))
    )
    close((1 * first + 3 * second) / 4, whole)


@pytest.mark.parametrize(
    "weights",
    [(), (1, 1), (1,) * 4, (0, 0, 0), (1, -0.1, 1), (1, 1, math.nan), (math.inf, 1, 1)],
)
def test_weights_are_three_and_none_negative(weights):
    with pytest.raises(ValueError, match="weights must be three finite numbers"):
        PseudoSiameseLoss(weights)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="'random' or 'semihard', got 'hard'"):
        PseudoSiameseLoss(mining="hard")
    output = Output(reconstruction=torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"reconstruction \(3, 4\) and P \(3, 1\)"):
        PseudoSiameseLoss()(output, {"P": torch.zeros(3, 1)})


def test_normalizing_leaves_embeddings_of_zeros_as_they_are():
    """A step at zeros is as long as without normalizing."""
    quadrant, other = torch.tensor([1]), torch.tensor([1, 2])
    latent = torch.tensor([[3.0, 0.0], [-3.0, 0.0]])
    gradients = []
    for normalize in (False, True):
        deep = torch.zeros(1, 2, requires_grad=True)
        scene = Scene(deep, latent, quadrant, other)
        loss = losses_of(scene, normalize=normalize)["triplet_loss"]
        gradients += torch.autograd.grad(loss, deep)
    # Towards the positive by one, away from the negative by one.
    close(gradients[0], torch.tensor([[-2.0, 0.0]]))
    close(gradients[1], gradients[0])
