"""The losses of speaker-invariant learning: D8 of the paper's invariants."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sklearn_ser.losses import (
    SpeakerAdversarialLoss,
    cross_entropy_to_uniform,
    prediction_entropy,
)
from sklearn_ser.nets import SpeakerInvariantNet
from tests.methods.menan.helpers import encoder_gradient, gradient, logits, utterances


@given(logits)
def test_entropy_lies_between_zero_and_its_bound(s):
    entropy = float(prediction_entropy(s))
    assert -1e-12 <= entropy <= math.log(len(s)) + 1e-12


@given(logits)
def test_entropy_is_that_of_equal_logits_only_if_they_are_equal(s):
    """By Pinsker's inequality: log K - H is at least half the squared distance."""
    uniform = torch.full_like(s, 1 / len(s))
    lacking = math.log(len(s)) - float(prediction_entropy(s))
    apart = float((s.softmax(0) - uniform).abs().sum())
    assert lacking >= apart**2 / 2 - 1e-12
    if s.max() - s.min() > 1e-3:
        assert lacking > 0
    equal = s[:1].expand(len(s))
    assert float(prediction_entropy(equal)) == pytest.approx(math.log(len(s)))


@given(logits)
def test_entropy_is_that_of_torchs_categorical_distribution(s):
    expected = torch.distributions.Categorical(logits=s).entropy()
    torch.testing.assert_close(prediction_entropy(s), expected, atol=1e-12, rtol=1e-9)


@given(logits)
def test_entropy_by_hand(s):
    p = np.exp(s.numpy() - s.numpy().max())
    p /= p.sum()
    expected = -sum(q * math.log(q) for q in p if q > 0)
    assert float(prediction_entropy(s)) == pytest.approx(expected, abs=1e-10)


@given(logits, st.floats(-50, 50), st.randoms(use_true_random=False))
def test_shift_of_the_logits_and_names_of_the_speakers_do_not_matter(s, shift, random):
    order = list(range(len(s)))
    random.shuffle(order)
    for loss in (prediction_entropy, cross_entropy_to_uniform):
        torch.testing.assert_close(loss(s + shift), loss(s), atol=1e-9, rtol=1e-9)
        torch.testing.assert_close(loss(s[order]), loss(s), atol=1e-9, rtol=1e-9)


@given(logits)
def test_gradient_of_the_entropy(s):
    logs = s.log_softmax(0)
    expected = -logs.exp() * (logs + prediction_entropy(s))
    found = gradient(prediction_entropy, s)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-9)
    assert abs(float(found.sum())) < 1e-9


def test_entropy_of_eight_speakers():
    equal = torch.zeros(8)
    certain = torch.tensor([200.0, *[0.0] * 7])
    assert float(prediction_entropy(equal)) == pytest.approx(2.0794, abs=1e-4)
    assert float(prediction_entropy(certain)) == 0
    for s in (equal, certain):  # both are stationary
        torch.testing.assert_close(gradient(prediction_entropy, s), torch.zeros(8))


def test_cross_entropy_to_uniform_pulls_where_entropy_does_not():
    certain = torch.tensor([200.0, *[0.0] * 7])
    expected = certain.softmax(0) - 1 / 8
    found = gradient(cross_entropy_to_uniform, certain)
    torch.testing.assert_close(found, expected)
    assert found.abs().max() > 0.8


@given(logits)
def test_cross_entropy_to_uniform(s):
    found = cross_entropy_to_uniform(s)
    uniform = torch.full_like(s, 1 / len(s))
    expected = nn.functional.cross_entropy(s[None], uniform[None])
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-9)
    assert float(found) >= math.log(len(s)) - 1e-9
    # Cross-entropy is entropy plus divergence: at least the entropy's bound.
    torch.testing.assert_close(
        gradient(cross_entropy_to_uniform, s), s.softmax(0) - 1 / len(s)
    )


@pytest.mark.parametrize("loss", [prediction_entropy, cross_entropy_to_uniform])
def test_gradients_by_central_differences(loss):
    s = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator())
    assert torch.autograd.gradcheck(loss, s.requires_grad_())


# --- the whole loss --------------------------------------------------------


def batch_of(y, speaker, weight=None):
    n = len(y)
    return {
        "y": torch.tensor(y),
        "speaker": torch.tensor(speaker),
        "weight": torch.ones(n) if weight is None else torch.tensor(weight),
    }


def random_batch(seed, n=12, n_classes=4, n_speakers=8, gaps=True):
    rng = np.random.default_rng(seed)
    batch = batch_of(
        rng.integers(-1 if gaps else 0, n_classes, n).tolist(),
        rng.integers(-1 if gaps else 0, n_speakers, n).tolist(),
        rng.uniform(0.5, 2, n).tolist(),
    )
    batch["weight"] = batch["weight"].double()
    output = (
        torch.from_numpy(rng.normal(scale=3, size=(n, n_classes))),
        torch.from_numpy(rng.normal(scale=3, size=(n, n_speakers))),
    )
    return output, batch


def by_hand(output, batch, adversary, weight):
    """Compute the loss utterance by utterance."""
    emotion, speaker = (o.log_softmax(1).tolist() for o in output)
    rows = list(
        zip(batch["y"].tolist(), batch["speaker"].tolist(), batch["weight"].tolist(),
            emotion, speaker, strict=True)
    )  # fmt: skip
    of_emotion = [-w * e[y] for y, _, w, e, _ in rows if y >= 0]
    of_speaker = []
    for _, k, _, _, s in rows:
        if k < 0:
            continue
        entropy = -sum(math.exp(v) * v for v in s)
        of_speaker.append(
            {
                "entropy": -entropy,
                "uniform": -sum(s) / len(s),
                "multitask": -s[k],
                "gradient_reversal": -s[k],
            }[adversary]
        )
    mean = [sum(v) / max(len(v), 1) for v in (of_emotion, of_speaker)]
    return weight * mean[0] + (1 - weight) * mean[1]


ADVERSARIES = ("entropy", "uniform", "gradient_reversal", "multitask")


@pytest.mark.parametrize("adversary", ADVERSARIES)
@given(seed=st.integers(0, 2**31), weight=st.floats(0, 1))
def test_loss_by_hand(adversary, seed, weight):
    output, batch = random_batch(seed)
    loss = SpeakerAdversarialLoss(adversary, weight)(output, batch)["loss"]
    expected = by_hand(output, batch, adversary, weight)
    assert float(loss) == pytest.approx(expected, abs=1e-10)


@given(seed=st.integers(0, 2**31), weight=st.floats(0, 1))
def test_loss_is_bounded_by_the_entropy(seed, weight):
    output, batch = random_batch(seed)
    loss = SpeakerAdversarialLoss("entropy", weight)(output, batch)["loss"]
    assert float(loss) >= -(1 - weight) * math.log(8) - 1e-12


def test_bound_of_the_paper():
    perfect = torch.tensor([[200.0, 0, 0, 0]]), torch.zeros(1, 8)
    loss = SpeakerAdversarialLoss()(perfect, batch_of([0], [3]))["loss"]
    assert float(loss) == pytest.approx(-1.0397, abs=1e-4)


@pytest.mark.parametrize("adversary", [*ADVERSARIES, None])
def test_without_emotions_or_speakers_the_losses_are_finite(adversary):
    loss = SpeakerAdversarialLoss(adversary)
    for y, speaker in (([-1, -1], [0, 1]), ([0, 1], [-1, -1]), ([-1, -1], [-1, -1])):
        emotion = torch.zeros(2, 3, requires_grad=True)
        told = torch.zeros(2, 2, requires_grad=True)
        losses = loss((emotion, told), batch_of(y, speaker, [0.0, 0.0]))
        losses["loss"].backward()
        assert all(torch.isfinite(value) for value in losses.values())
        assert torch.isfinite(emotion.grad).all()
        if adversary is not None:
            assert torch.isfinite(told.grad).all()
    assert losses["loss"].item() == 0


@pytest.mark.parametrize("adversary", [*ADVERSARIES, None])
def test_nothing_of_an_empty_batch(adversary):
    output = (torch.zeros(0, 3, requires_grad=True),
              torch.zeros(0, 2, requires_grad=True))  # fmt: skip
    nobody = torch.zeros(0, dtype=torch.int64)
    batch = {"y": nobody, "speaker": nobody, "weight": torch.zeros(0)}
    losses = SpeakerAdversarialLoss(adversary)(output, batch)
    losses["loss"].backward()
    assert all(value.item() == 0 for value in losses.values())


@pytest.mark.parametrize("adversary", ADVERSARIES)
@given(seed=st.integers(0, 2**31), weight=st.floats(0, 1))
def test_single_precision_agrees_with_double(adversary, seed, weight):
    output, batch = random_batch(seed)
    loss = SpeakerAdversarialLoss(adversary, weight)
    double = loss(output, batch)
    batch["weight"] = batch["weight"].float()
    single = loss(tuple(o.float() for o in output), batch)
    assert single.keys() == double.keys()
    for name, value in single.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value.double(), double[name], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("adversary", ADVERSARIES)
def test_unknown_utterances_join_one_loss_only(adversary):
    output, batch = random_batch(0, gaps=False)
    batch["y"][0], batch["speaker"][1] = -1, -1
    output = tuple(o.requires_grad_() for o in output)
    SpeakerAdversarialLoss(adversary)(output, batch)["loss"].backward()
    of_emotion, of_speaker = (o.grad.abs().sum(1) > 0 for o in output)
    assert of_emotion.tolist() == [False, *[True] * 11]
    assert of_speaker.tolist() == [True, False, *[True] * 10]


def test_no_adversary_is_plain_cross_entropy():
    output, batch = random_batch(1, gaps=False)
    batch["weight"] = torch.ones_like(batch["weight"])
    losses = SpeakerAdversarialLoss(None)((output[0], None), batch)
    expected = nn.functional.cross_entropy(output[0], batch["y"])
    torch.testing.assert_close(losses["loss"], expected)
    assert set(losses) == {"loss", "emotion_loss"}


def test_held_out_speakers_are_not_scored():
    output, batch = random_batch(2)
    loss = SpeakerAdversarialLoss().eval()
    assert set(loss(output, batch)) == {"loss", "emotion_loss"}


def test_unknown_adversary_is_refused():
    with pytest.raises(ValueError, match=r"adversary must be one of .*'max'"):
        SpeakerAdversarialLoss("max")


# --- what a step touches ---------------------------------------------------


def gradients(net):
    parts = {"encoder": [], "emotion": [], "speaker": []}
    for name, parameter in net.named_parameters():
        part = name.split("_head")[0] if "_head" in name else "encoder"
        parts[part].append(parameter.grad)
    return parts


steps = st.fixed_dictionaries(
    {
        "adversary": st.sampled_from(["entropy", "uniform"]),
        "weight": st.floats(0, 1),
        "n_speakers": st.integers(2, 5),
        "hidden_size": st.integers(1, 4),
        "head_sizes": st.lists(st.integers(1, 4), max_size=2),
        "seed": st.integers(0, 2**31),
    }
)


def drawn_step(n_speakers, hidden_size, head_sizes, seed, **_):
    """Return a net and labels with gaps."""
    torch.manual_seed(seed)
    net = SpeakerInvariantNet(
        5, 3, n_speakers, hidden_size, kernel_sizes=(3,), head_sizes=head_sizes
    )
    return net, random_batch(seed, 4, 3, n_speakers)[1]


@given(steps)
def test_the_step_of_the_speaker_head_touches_nothing_else(step):
    net, batch = drawn_step(**step)
    loss = SpeakerAdversarialLoss(step["adversary"], step["weight"])
    told = net.speaker_head(net.encode(*utterances()).detach())
    loss.speaker_loss(told, batch["speaker"]).backward()
    parts = gradients(net)
    assert all(g is None for g in parts["encoder"] + parts["emotion"])
    assert all(g is not None for g in parts["speaker"])
    moved = parts["speaker"][-1].abs().sum() > 0  # the last bias
    assert moved == (batch["speaker"] >= 0).any()


@given(steps)
def test_the_step_of_the_encoder_leaves_the_speaker_head(step):
    net, batch = drawn_step(**step)
    output = net.classify(net.encode(*utterances()), freeze_speaker_head=True)
    loss = SpeakerAdversarialLoss(step["adversary"], step["weight"])
    loss(output, batch)["loss"].backward()
    parts = gradients(net)
    assert all(g is None for g in parts["speaker"])
    assert all(g is not None for g in parts["encoder"] + parts["emotion"])
    if step["weight"] > 0.01:
        moved = parts["emotion"][-1].abs().sum() > 0
        assert moved == (batch["y"] >= 0).any()


def test_the_encoder_climbs_the_entropy():
    """The gradient of the adversary's term is the negative of that of the entropy."""
    batch = batch_of([0, 1, 2, 0], [0, 1, 0, 1])
    criterion = SpeakerAdversarialLoss("entropy", 0.0)

    def adversary(speaker):
        return criterion((torch.zeros(4, 3, dtype=speaker.dtype), speaker), batch)[
            "loss"
        ]

    ours = encoder_gradient(1, loss=adversary)
    entropy = encoder_gradient(-1, loss=lambda s: prediction_entropy(s).mean())
    for a, b in zip(ours, entropy, strict=True):
        torch.testing.assert_close(a, b)
    assert any(g.abs().sum() > 0 for g in ours)


def test_weight_of_the_emotions_is_a_share():
    assert SpeakerAdversarialLoss().emotion_weight == 0.5
    for weight in (0, 1):
        assert SpeakerAdversarialLoss(emotion_weight=weight).emotion_weight == weight
    for weight in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"from 0 to 1, got {weight}"):
            SpeakerAdversarialLoss(emotion_weight=weight)
