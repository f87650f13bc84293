"""The mining of triplets: oracles in loops, draws, refusals."""

import itertools
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from sklearn_ser.losses import mine_triplets
from tests.methods.pseudo_siamese_gated.scenes import (
    Scene,
    example,
    mined,
    same,
    scenes,
    seeded,
)

both_minings = pytest.mark.parametrize("mining", ["random", "semihard"])
QUADRANTS = [1, 2, 3, 4]


def each(triplets):
    """Return the triplets as tuples of three numbers."""
    return list(zip(*(rows.tolist() for rows in triplets), strict=True))


def allowed(scene, exclude_self=False):
    """Return, for each anchor, all its positives and negatives, by plain loops."""
    found = []
    for i, quadrant in enumerate(scene.anchor_quadrant.tolist()):
        positives, negatives = [], []
        for j, other in enumerate(scene.candidate_quadrant.tolist()):
            if quadrant == -1 or other == -1:
                continue
            if quadrant != other:
                negatives.append(j)
            elif not (exclude_self and i == j):
                positives.append(j)
        found.append((positives, negatives))
    return found


@both_minings
@pytest.mark.parametrize("exclude_self", [False, True])
@given(data=st.data(), seed=st.integers(0, 1000))
def test_triplets_are_those_of_the_loops(mining, exclude_self, data, seed):
    scene = data.draw(scenes(square=exclude_self))
    found = mined(scene, seed, mining=mining, exclude_self=exclude_self)
    expected = allowed(scene, exclude_self)
    # One for each anchor that can have one, in their order.
    able = [i for i, both in enumerate(expected) if all(both)]
    assert found.anchor.tolist() == able
    assert all(rows.dtype == torch.int64 for rows in found)
    for i, j, k in each(found):
        positives, negatives = expected[i]
        assert j in positives
        assert k in negatives


def test_the_partition_is_exhaustive_and_exclusive():
    """Each candidate of a known quadrant is a positive or a negative of each anchor."""

    def roles(quadrant, other):
        """Tell what a candidate can be to an anchor, beside one for the other role."""
        x, found = torch.zeros(2, 2), []
        beside = {"positive": QUADRANTS[quadrant % 4], "negative": quadrant}
        for role, rest in beside.items():
            codes = torch.tensor([quadrant]), torch.tensor([other, rest])
            if 0 in getattr(mine_triplets(x[:1], x, *codes), role):
                found.append(role)
        return found

    alike = {}
    for quadrant, other in itertools.product(QUADRANTS, repeat=2):
        (role,) = roles(quadrant, other)  # neither none nor both
        alike[quadrant, other] = role == "positive"
        assert roles(quadrant, -1) == roles(-1, other) == roles(-1, -1) == []
    for a, b, c in itertools.product(QUADRANTS, repeat=3):
        assert alike[a, a]
        assert alike[a, b] == alike[b, a]
        assert alike[a, c] or not (alike[a, b] and alike[b, c])


@given(scenes(), st.floats(0.5, 20), st.integers(0, 1000))
def test_semihard_negatives_are_those_of_a_loop(scene, margin, seed):
    drawn = mined(scene, seed)
    found = mined(scene, seed, mining="semihard", margin=margin)
    assert same(found[:2], drawn[:2])
    choices = allowed(scene)
    for (i, j, k), (_, _, at_random) in zip(each(found), each(drawn), strict=True):
        anchor, candidates = scene.anchors[i].tolist(), scene.candidates.tolist()
        apart = {x: math.dist(anchor, candidates[x]) for x in (j, *choices[i][1])}
        near = apart.pop(j)
        # Just at the bounds rounding decides.
        bounds = near, near + margin
        assume(all(abs(d - b) > 1e-9 for d in apart.values() for b in bounds))
        semihard = [d for d in apart.values() if near < d < near + margin]
        if semihard:
            assert apart[k] <= min(semihard) + 1e-9
            assert apart[k] > near
        else:
            assert k == at_random


def test_semihard_by_hand():
    def negatives(*others, margin=1.0):
        """Return the negatives that are chosen, over many seeds."""
        points = torch.tensor([2.0, *others])[:, None]
        quadrant = torch.arange(1, 2 + len(others))
        scene = Scene(torch.zeros(1, 1), points, quadrant[:1], quadrant)
        settings = {"mining": "semihard", "margin": margin}
        found = (mined(scene, s, **settings).negative.item() for s in range(30))
        return {round(points[k].item(), 1) for k in found}

    assert negatives(1.0, -2.8, 2.4, 3.5) == {2.4}  # the nearest of two
    assert negatives(1.0, -2.8, 3.5) == {-2.8}
    assert negatives(1.0, 3.5) == {1.0, 3.5}  # none: at random
    assert negatives(1.0, 3.5, margin=2) == {3.5}
    assert negatives(1.0, 2.4, 3.5, margin=0.1) == {1.0, 2.4, 3.5}
    # Neither as near as the positive nor just at the margin.
    assert negatives(-2.0, 3.0) == {-2.0, 3.0}


def test_small_distances_far_from_the_origin_are_told_apart():
    """By |a|^2 - 2ab + |b|^2 some of these would be equal in float32."""
    n = 40  # of this many, torch.cdist would compute by products of matrices
    points = 1000 + torch.linspace(1.5, 0.5, n)[:, None].expand(n, 2)
    quadrant = torch.tensor([2] * (n - 1) + [1])
    scene = Scene(torch.full((n, 2), 1000.0), points, quadrant[-1:].expand(n), quadrant)
    assert mined(scene, mining="semihard").negative.tolist() == [n - 2] * n


@both_minings
@pytest.mark.parametrize("seed", [0, 1])
def test_draws_are_uniform_and_independent(mining, seed):
    """Within 5 standard deviations each, which all of the seeds 0 to 999 are."""
    n, codes = 20_000, torch.tensor([1, 3, 2, 3, -1, 4, 3, 1, 3])
    m = len(codes)
    # All as near, so that no negative is semi-hard.
    scene = Scene(torch.zeros(n, 2), torch.ones(m, 2), codes[1].expand(n), codes)
    found = mined(scene, seed, mining=mining)
    counts = torch.bincount(m * found.positive + found.negative, minlength=m * m)
    counts = counts.reshape(m, m)[codes == 3][:, (codes != 3) & (codes != -1)]
    assert counts.shape == (4, 4)
    assert counts.sum() == n
    assert (counts - n / 16).abs().max() < 5 * (n / 16 * 15 / 16) ** 0.5


@both_minings
def test_a_seed_means_the_same_and_moves_nothing_global(mining):
    scene = example()
    before = torch.get_rng_state()
    generator = seeded(1)
    first, second = (
        mine_triplets(*scene, mining=mining, generator=generator) for _ in range(2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert not same(first, second)
    assert same(mined(scene, 1, mining=mining), first)
    # Without a generator, torch's global one is drawn from.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        assert same(mine_triplets(*scene, mining=mining), first)
        assert same(mine_triplets(*scene, mining=mining), second)


@both_minings
def test_draws_are_on_the_cpu(mining):
    scene = example()
    expected = mined(scene, mining=mining)
    with torch.device("meta"):  # where there are no numbers
        assert same(mined(scene, mining=mining), expected)


def test_an_anchors_draw_does_not_hang_on_the_others():
    scene = example()
    found = mined(scene)
    odd = torch.arange(len(scene.anchors)) % 2 == 1
    fewer = scene._replace(anchor_quadrant=scene.anchor_quadrant.where(odd, -1))
    kept = odd[found.anchor]
    assert 0 < kept.sum() < len(kept)
    assert same(mined(fewer), [rows[kept] for rows in found])


@both_minings
def test_itself_is_excluded_only_where_asked(mining):
    quadrant = torch.tensor([1, 1, 2])
    scene = Scene(torch.eye(3), torch.eye(3), quadrant, quadrant)

    def pairs(**settings):
        found = (mined(scene, seed, mining=mining, **settings) for seed in range(30))
        return {(i, j) for triplets in found for i, j, _ in each(triplets)}

    assert pairs() == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)}
    # The third has none beside itself.
    assert pairs(exclude_self=True) == {(0, 1), (1, 0)}


def test_what_cannot_be_mined_is_refused():
    scene = example(4, 5)
    for change, message in (
        ({"candidates": torch.zeros(5, 2)}, r"\(4, 3\) and \(5, 2\)"),
        ({"candidates": torch.zeros(3)}, r"got \(4, 3\) and \(3,\)"),
        ({"anchors": torch.zeros(3)}, r"got \(3,\) and \(5, 3\)"),
        (
            {"anchor_quadrant": torch.ones(3)},
            r"anchor_quadrant .* the 4 anchors, got shape \(3,\)",
        ),
        (
            {"candidate_quadrant": torch.ones(5, 1)},
            r"candidate_quadrant .* the 5 candidates, got shape \(5, 1\)",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            mined(scene._replace(**change))
    with pytest.raises(ValueError, match="'random' or 'semihard', got 'hard'"):
        mined(scene, mining="hard")
    with pytest.raises(ValueError, match="got 4 anchors and 5 candidates"):
        mined(scene, exclude_self=True)
