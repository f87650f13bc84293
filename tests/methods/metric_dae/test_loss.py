"""The continuous metric loss: a naive oracle, invariants, gradients."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from sklearn_ser.losses import (
    MetricDAELoss,
    continuous_metric_loss,
    continuous_metric_terms,
)
from sklearn_ser.nets import DenoisingOutput

DISTANCES = ["euclidean", "mean_euclidean", "signed"]
EUCLIDEAN = ["euclidean", "mean_euclidean"]


@st.composite
def batches(draw, max_dim=4):
    """Draw an embedding and labels (1 to 5 in half steps, not all equal)."""
    n = draw(st.integers(2, 12))
    dim = draw(st.integers(1, max_dim))
    values = st.floats(-10, 10, allow_subnormal=False)
    z = draw(hnp.arrays(np.float64, (n, dim), elements=values))
    steps = draw(hnp.arrays(np.int64, n, elements=st.integers(2, 10)))
    assume(len(np.unique(steps)) > 1)
    return torch.tensor(z), torch.tensor(steps / 2)


def naive(z, label, distance):
    """Compute slope and residual with a double loop over the pairs."""
    z, label = z.tolist(), label.tolist()
    pairs = []
    for i in range(len(z)):
        for j in range(i + 1, len(z)):
            if math.isnan(label[i]) or math.isnan(label[j]):
                continue
            differences = [a - b for a, b in zip(z[i], z[j], strict=True)]
            if distance == "signed":
                pairs.append((sum(differences) / len(z[i]), label[i] - label[j]))
                continue
            norm = math.sqrt(sum(d * d for d in differences))
            norm = norm / len(z[i]) if distance == "mean_euclidean" else norm
            pairs.append((norm, abs(label[i] - label[j])))
    slope = sum(n * d for n, d in pairs) / sum(d * d for _, d in pairs)
    residual = sum((n - slope * d) ** 2 for n, d in pairs) / len(pairs)
    return slope, residual


def pair_vectors(z, label):
    return torch.pdist(z), torch.pdist(label[:, None])


def terms_of(z, label, distance="euclidean"):
    terms = continuous_metric_terms(z, label, distance=distance)
    return [float(term) for term in terms]


def assert_same(first, second, tolerance=1e-8):
    np.testing.assert_allclose(first, second, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("distance", DISTANCES)
@given(batch=batches())
def test_equals_a_double_loop(distance, batch):
    slope, residual = naive(*batch, distance)
    assert_same(terms_of(*batch, distance), [abs(slope - 1), residual, slope])
    loss = continuous_metric_loss(*batch, distance=distance)
    assert_same(float(loss), abs(slope - 1) + residual)


@pytest.mark.parametrize("distance", DISTANCES)
@given(batch=batches(), data=st.data())
def test_nan_labels_drop_their_pairs_only(distance, batch, data):
    z, label = batch
    unknown = data.draw(st.lists(st.integers(0, len(z) - 1), max_size=len(z) - 2))
    label[unknown] = torch.nan
    assume(len(label[label.isfinite()].unique()) > 1)
    slope, residual = naive(z, label, distance)
    assert_same(terms_of(z, label, distance), [abs(slope - 1), residual, slope])


@given(batch=batches())
def test_bounds_and_cauchy_schwarz(batch):
    slope_loss, residual_loss, slope = terms_of(*batch)
    n, d = pair_vectors(*batch)
    assert slope_loss >= 0
    assert residual_loss >= 0
    assert 0 <= slope <= math.sqrt(float(n.square().sum() / d.square().sum())) + 1e-9


@given(batch=batches())
def test_pythagoras(batch):
    """The stress of metric scaling splits into residual and slope."""
    _, residual, slope = terms_of(*batch)
    n, d = pair_vectors(*batch)
    stress = float((n - d).square().mean())
    assert_same(stress, residual + (slope - 1) ** 2 * float(d.square().mean()))


@given(batch=batches())
def test_residual_is_the_share_that_the_cosine_leaves(batch):
    n, d = pair_vectors(*batch)
    assume(float(n.norm()) > 1e-6)
    cosine = float(n.dot(d) / (n.norm() * d.norm()))
    expected = float(n.square().mean()) * (1 - cosine**2)
    np.testing.assert_allclose(terms_of(*batch)[1], expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("distance", EUCLIDEAN)
@given(batch=batches(), seed=st.integers(0, 2**16))
def test_euclidean_invariances(distance, batch, seed):
    z, label = batch
    rng = np.random.default_rng(seed)
    order = torch.tensor(rng.permutation(len(z)))
    orthogonal = torch.tensor(np.linalg.qr(rng.normal(size=(z.shape[1],) * 2))[0])
    shift = torch.tensor(rng.normal(size=z.shape[1]))
    reference = terms_of(z, label, distance)
    for same in [
        (z[order], label[order]),
        (z + shift, label),
        (z @ orthogonal, label),
        (z, label + 7.0),
        (z, -label),
    ]:
        assert_same(terms_of(*same, distance), reference, 1e-7)


@given(batch=batches(), factor=st.floats(0.1, 5))
def test_scaling(batch, factor):
    z, label = batch
    slope_loss, residual, slope = terms_of(z, label)
    _, scaled_residual, scaled_slope = terms_of(-factor * z, label)
    assert_same([scaled_residual, scaled_slope], [factor**2 * residual, factor * slope])
    _, same_residual, less_slope = terms_of(z, -factor * label)
    assert_same([same_residual, less_slope], [residual, slope / factor])
    joint = terms_of(factor * z, factor * label)
    assert_same(joint, [slope_loss, factor**2 * residual, slope])


@given(batch=batches(), seed=st.integers(0, 2**16))
def test_zero_at_isometry_and_one_at_collapse(batch, seed):
    z, label = batch
    direction = np.random.default_rng(seed).normal(size=z.shape[1])
    direction = torch.tensor(direction / np.linalg.norm(direction))
    isometry = label[:, None] * direction + z[0]
    assert_same(float(continuous_metric_loss(isometry, label)), 0, 1e-9)
    collapsed = z[:1].expand_as(z)
    assert float(continuous_metric_loss(collapsed, label)) == 1.0


@given(batch=batches(), seed=st.integers(0, 2**16))
def test_signed_invariances(batch, seed):
    z, label = batch
    rng = np.random.default_rng(seed)
    order = torch.tensor(rng.permutation(len(z)))
    zero_sum = rng.normal(size=z.shape[1])
    zero_sum = torch.tensor(zero_sum - zero_sum.mean())
    along = torch.tensor(rng.normal(size=(len(z), 1))) * zero_sum
    reference = terms_of(z, label, "signed")
    for same in [
        (z[order], label[order]),
        (z + 3.0, label),
        (z, label - 2.0),
        (z + along, label),
    ]:
        assert_same(terms_of(*same, "signed"), reference, 1e-7)


@given(batch=batches())
def test_signed_is_a_regression_of_the_mean_coordinate(batch):
    z, label = batch
    u = z.mean(dim=1).numpy()
    line = LinearRegression().fit(label.numpy()[:, None], u)
    left = u - line.predict(label.numpy()[:, None])
    _, residual, slope = terms_of(z, label, "signed")
    assert_same(slope, line.coef_[0], 1e-7)
    assert_same(residual, 2 * left.var(ddof=1), 1e-7)


def test_signed_sees_rotation_reflection_and_sign():
    label = torch.tensor([1.0, 2.0, 4.0])
    z = torch.stack([label, torch.zeros(3)], dim=1)
    reference = float(continuous_metric_loss(z, label, distance="signed"))
    turned = z @ torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    for other, of in [(turned, label), (-z, label), (z, -label)]:
        changed = float(continuous_metric_loss(other, of, distance="signed"))
        assert abs(changed - reference) > 0.1


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("with_nan", [False, True])
def test_gradcheck(distance, with_nan):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(7, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    label = torch.tensor([1.0, 2.5, 3.0, 3.0, 4.5, 5.0, 1.5], dtype=torch.float64)
    if with_nan:
        label[2] = torch.nan
    torch.autograd.gradcheck(
        lambda z: continuous_metric_loss(z, label, distance=distance), z
    )


def test_second_derivatives_of_the_signed_form():
    """torch has none for the Euclidean distances of pairs, and says so."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(5, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    label = torch.tensor([1.0, 2.5, 3.0, 4.5, 5.0], dtype=torch.float64)
    torch.autograd.gradgradcheck(
        lambda z: continuous_metric_loss(z, label, distance="signed"), z
    )


@pytest.mark.parametrize("combine", ["sum", "log"])
@pytest.mark.parametrize("n_labels", [0, 1, 2])
def test_gradcheck_of_the_criterion(combine, n_labels):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(6, 5, dtype=torch.float64, generator=generator)
    decoder = torch.randn(4, 5, dtype=torch.float64, generator=generator)
    z = torch.randn(6, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    labels = torch.tensor([1, 2, 3, 4, 5, 2.5], dtype=torch.float64)[:, None]
    labels = labels.expand(6, 2)[:, :n_labels]
    batch = {"X": x, "labels": labels} if n_labels else {"X": x}
    criterion = MetricDAELoss(combine=combine)
    torch.autograd.gradcheck(
        lambda z: criterion(DenoisingOutput(z, z @ decoder), batch)["loss"],
        z,
    )


DEGENERATE = {
    "no sample": (torch.zeros(0, 2), torch.zeros(0)),
    "one sample": (torch.ones(1, 2), torch.ones(1)),
    "equal labels": (torch.randn(5, 2), torch.full((5,), 3.0)),
    "all labels unknown": (torch.randn(5, 2), torch.full((5,), torch.nan)),
    "one label known": (torch.randn(3, 2), torch.tensor([torch.nan, 2.0, torch.nan])),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", DEGENERATE)
def test_batches_that_say_nothing_give_zero(case, dtype, distance):
    z, label = (tensor.to(dtype, copy=True) for tensor in DEGENERATE[case])
    z = z.detach().requires_grad_()
    loss = continuous_metric_loss(z, label, distance=distance)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(z.grad, torch.zeros_like(z))
    assert continuous_metric_terms(z, label, distance=distance).slope.isnan()


def test_the_criterion_says_what_it_has_not_measured():
    z, x = torch.randn(4, 2), torch.ones(4, 3)
    labels = torch.tensor([[1.0, 3.0], [2.0, 3.0], [4.0, 3.0], [torch.nan, 3.0]])
    of_first = continuous_metric_terms(z[:, :1], labels[:, 0])
    losses = MetricDAELoss()(DenoisingOutput(z, x), {"X": x, "labels": labels})
    assert losses["slope_loss"] == of_first.slope_loss
    assert losses["loss"] == of_first.slope_loss + of_first.residual_loss
    losses = MetricDAELoss()(DenoisingOutput(z, x), {"X": x, "labels": labels[:, 1:]})
    assert losses["slope_loss"].isnan()
    assert losses["residual_loss"].isnan()
    assert losses["loss"] == 0


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(("unit", "origin"), [(1e-8, 0.0), (1e8, 0.0), (1.0, 1e9)])
def test_no_unit_of_the_labels_makes_them_equal(distance, unit, origin):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(9, 2, generator=generator)
    label = torch.arange(9.0, dtype=torch.float64)
    plain = continuous_metric_terms(z, label, distance=distance)
    moved = continuous_metric_terms(z, unit * label + origin, distance=distance)
    assert_same(float(moved.slope) * unit, float(plain.slope), 1e-5)
    assert_same(float(moved.residual_loss), float(plain.residual_loss), 1e-5)
    whole = continuous_metric_terms(z, label.long(), distance=distance)
    assert_same(float(whole.slope), float(plain.slope), 1e-5)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(
    "z",
    [torch.zeros(4, 2), torch.ones(4, 2), torch.tensor([[1.0], [1.0], [2.0], [2.0]])],
    ids=["zeros", "one point", "two points"],
)
def test_gradient_is_finite_at_coincident_points(distance, z):
    z = z.clone().requires_grad_()
    label = torch.tensor([1.0, 2.0, 3.0, 4.0])
    loss = continuous_metric_loss(z, label, distance=distance)
    loss.backward()
    assert loss.isfinite()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("distance", DISTANCES)
def test_float32_agrees_with_float64(distance):
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(64, 2, dtype=torch.float64, generator=generator)
    label = torch.randint(2, 11, (64,), generator=generator) / 2
    wide = continuous_metric_loss(z, label.double(), distance=distance)
    narrow = continuous_metric_loss(z.float(), label.float(), distance=distance)
    assert narrow.dtype == torch.float32
    assert_same(narrow.item(), wide.item(), 1e-5)


@given(batch=batches(), scale=st.floats(0.01, 10))
def test_log_is_the_logarithm_of_the_sum_and_monotone_in_it(batch, scale):
    z, label = batch
    x = torch.zeros(len(z), 3, dtype=torch.float64)
    totals = []
    for reconstruction in (x + scale, x + 2 * scale):
        output = DenoisingOutput(z, reconstruction)
        data = {"X": x, "labels": label[:, None]}
        plain = MetricDAELoss()(output, data)["loss"]
        log = MetricDAELoss(combine="log")(output, data)["loss"]
        assert_same(float(log), math.log(float(plain)))
        totals.append(float(log))
    assert totals[0] < totals[1]


def test_criterion_sums_parts_and_halves_the_latent_dimensions():
    generator = torch.Generator().manual_seed(3)
    z, x, y = (torch.randn(8, 4, generator=generator) for _ in range(3))
    labels = torch.rand(8, 2, generator=generator) * 4 + 1
    parts = MetricDAELoss(metric_weight=0.5)(
        DenoisingOutput(z, y), {"X": x, "labels": labels}
    )
    first = continuous_metric_loss(z[:, :2], labels[:, 0])
    second = continuous_metric_loss(z[:, 2:], labels[:, 1])
    expected = torch.nn.functional.mse_loss(y, x) + 0.5 * (first + second)
    torch.testing.assert_close(parts["loss"], expected)
    metric = parts["slope_loss"] + parts["residual_loss"]
    torch.testing.assert_close(metric, first + second)


def test_without_labels_the_criterion_is_the_plain_reconstruction_error():
    x, y = torch.zeros(4, 3), torch.full((4, 3), 2.0)
    output = DenoisingOutput(torch.zeros(4, 2), y)
    for combine in ("sum", "log"):
        losses = MetricDAELoss(combine=combine)(output, {"X": x})
        assert losses["loss"].item() == 4.0
        assert set(losses) == {"loss", "reconstruction_loss"}


def test_labels_share_the_latent_dimensions_as_evenly_as_they_can():
    torch.manual_seed(0)
    output = DenoisingOutput(torch.randn(4, 3), torch.zeros(4, 2))
    batch = {"X": torch.zeros(4, 2), "labels": torch.randn(4, 2)}
    terms = [
        continuous_metric_terms(output.embedding[:, share], batch["labels"][:, k])
        for k, share in enumerate((slice(0, 2), slice(2, 3)))
    ]
    losses = MetricDAELoss()(output, batch)
    expected = sum(term.slope_loss for term in terms)
    torch.testing.assert_close(losses["slope_loss"], expected)
    output = DenoisingOutput(torch.zeros(4, 1), torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"1 latent dimensions .* by 2 labels"):
        MetricDAELoss()(output, batch)


def test_errors_name_the_shapes_and_the_choices():
    with pytest.raises(ValueError, match="'sum' or 'log', got 'Log'"):
        MetricDAELoss(combine="Log")
    with pytest.raises(ValueError, match="got 'cosine'"):
        continuous_metric_loss(torch.zeros(0, 2), torch.zeros(0), distance="cosine")
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(4,\)"):
        continuous_metric_loss(torch.zeros(3, 2), torch.zeros(4))
    with pytest.raises(ValueError, match="'mean_euclidean' or 'signed', got 'cosine'"):
        continuous_metric_loss(torch.zeros(3, 2), torch.arange(3.0), distance="cosine")


def test_what_is_not_named_is_that_of_the_paper():
    loss = MetricDAELoss()
    assert (loss.distance, loss.combine) == ("euclidean", "sum")
    assert loss.metric_weight == 1.0
