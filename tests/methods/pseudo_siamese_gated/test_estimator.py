"""PseudoSiameseGated: phases, rungs, triplets, splits, cache, representations."""

import pickle
from collections import Counter
from functools import partial
from inspect import currentframe
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sklearn_ser import PseudoSiameseGated, SpectrogramSegmenter
from sklearn_ser.datasets import (
    AuxiliaryCorpora,
    emotion_quadrant,
    make_emotional_speech,
)
from sklearn_ser.methods.pseudo_siamese_gated import _branches
from sklearn_ser.methods.pseudo_siamese_gated._branches import (
    BranchTrainer,
    represent_segments,
    shape_of_segments,
)
from sklearn_ser.nets import PseudoSiameseNet
from sklearn_ser.sequences import Sequences

SHAPE = (4, 8)
N_VALUES = 32
EMOTIONS = np.array(["anger", "happiness", "neutral", "sadness"])
QUADRANTS = {"anger": 2, "happiness": 1, "neutral": 4, "sadness": 3}
RUNGS = {
    "CNN-BLSTM": {"auxiliary_corpora": None, "fusion": None},
    "PT": {"fusion": "concatenate", "triplets": None},
    "PT_G": {"triplets": None},
    "PSN": {"fusion": "concatenate"},
    "PSN_G": {},
}
rungs = pytest.mark.parametrize("rung", RUNGS)
WITHOUT = "PseudoSiameseGated has no auxiliary corpora"
not_pretrained = pytest.mark.filterwarnings(f"ignore:{WITHOUT}")


def utterances(n=24, seed=0, gain=1.0, shift=0.0, shortest=1):
    """Make utterances of 1 to 5 noisy segments, each with a pattern of its emotion."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).normal(size=(4, N_VALUES))
    X = []
    for emotion in np.arange(n) % 4:
        noise = rng.normal(size=(rng.integers(shortest, 6), N_VALUES))
        X.append((gain * (patterns[emotion] + noise) + shift).astype(np.float32))
    return X, EMOTIONS[np.arange(n) % 4]


def corpora(n=24, seed=1):
    """Make two corpora with the same patterns, each recorded in its own way."""
    loud, y = utterances(n, seed, gain=3.0, shift=5.0)
    low, z = utterances(n, seed + 1000, gain=0.1, shift=-2.0)
    quadrant = [QUADRANTS[emotion] for emotion in (*y, *z)]
    names = ["loud"] * n + ["low"] * n
    return AuxiliaryCorpora([*loud, *low], quadrant, corpus=names)


AUXILIARY = corpora()
X, Y = utterances()
SPEAKER = np.repeat(list("abcdef"), 4)


def quick(**changed):
    params = {
        "auxiliary_corpora": AUXILIARY,
        "segment_shape": SHAPE,
        "embedding_size": 6,
        "hidden_size": 5,
        "pretraining_epochs": 1,
        "feature_epochs": 1,
        "max_epochs": 1,
        "batch_size": 32,
        "fusion_batch_size": 8,
        "device": "cpu",
        "random_state": 0,
    }
    return PseudoSiameseGated(**(params | changed))


def state_of(module):
    return {name: values.clone() for name, values in module.state_dict().items()}


def part(state, *names):
    """Return the weights whose names begin so."""
    return {name: v for name, v in state.items() if name.startswith(names)}


def equal(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(values, second[name]) for name, values in first.items())


@pytest.fixture
def watch():
    """Return a list of what happens in each phase, and net_params that fill it."""
    phases = []

    class Watch(Callback):
        def on_train_begin(self, net, **kwargs):
            phase = SimpleNamespace(net=net, batches=[], held_out=[], states=[])
            phase.before = state_of(net.module_)
            phases.append(phase)

        def on_batch_begin(self, net, batch, training, **kwargs):
            phase = phases[-1]
            (phase.batches if training else phase.held_out).append(dict(batch))

        def on_epoch_end(self, net, **kwargs):
            phases[-1].states.append(state_of(net.module_))

        def on_train_end(self, net, **kwargs):
            phases[-1].after = state_of(net.module_)

    return phases, {"callbacks": [Watch()]}


# --- the three phases ------------------------------------------------------


def test_what_passes_from_phase_to_phase(watch):
    phases, net_params = watch
    # Decay would move the weights of all that the optimiser does not leave alone.
    model = quick(net_params={**net_params, "optimizer__weight_decay": 0.1})
    model.fit(X, Y)
    pretraining, features, fusion = phases
    assert not equal(pretraining.before, pretraining.after)
    # The autoencoder is kept, all else is made anew.
    kept = part(pretraining.after, "autoencoder.")
    assert not equal(kept, part(pretraining.before, "autoencoder."))
    assert equal(part(features.before, "autoencoder."), kept)
    for name, values in part(features.before, "cnn.", "head.").items():
        if name.endswith("weight"):
            assert not torch.equal(values, pretraining.before[name])
            assert not torch.equal(values, pretraining.after[name])
    # Both branches go on learning, and are then left as they are.
    learned = features.after
    for name, values in learned.items():
        assert not torch.equal(values, features.before[name])
    branches = {f"branches.{name}": values for name, values in learned.items()}
    for state in (fusion.before, fusion.after, state_of(model.net_.module_)):
        assert equal(part(state, "branches."), branches)
    for name, values in part(fusion.after, "fusion.").items():
        assert not torch.equal(values, fusion.before[name])


@not_pretrained
def test_nothing_but_the_autoencoder_is_kept():
    """Without triplets, the first branch is that of the net without autoencoder.

    Bit for bit: it has the same first weights, batches and gradients.
    """
    settings = {"triplets": None, "feature_epochs": 2, "pretraining_epochs": 2}
    first, second, alone = (
        state_of(quick(**settings, **other).fit(X, Y).net_.module_.branches)
        for other in (
            {},
            {"auxiliary_corpora": None},
            {"auxiliary_corpora": None, "fusion": None},
        )
    )
    of_cnn = [part(state, "cnn.", "head.") for state in (first, second, alone)]
    assert equal(of_cnn[0], alone)
    assert equal(of_cnn[1], alone)
    autoencoders = [part(state, "autoencoder.") for state in (first, second)]
    for name, values in autoencoders[0].items():
        assert not torch.equal(values, autoencoders[1][name])


def test_triplets_join_the_branches():
    """The first branch then learns from what the second has been pre-trained on."""
    states = [
        state_of(quick(**changed).fit(X, Y).net_.module_.branches.cnn)
        for changed in ({}, {"auxiliary_corpora": corpora(seed=2)}, {"triplets": None})
    ]
    assert not equal(states[0], states[1])
    assert not equal(states[0], states[2])


@rungs
def test_history_of_the_rungs(rung):
    model = quick(**RUNGS[rung], feature_epochs=2, pretraining_epochs=3, max_epochs=4)
    model.fit(X, Y)
    pretrained, triplets = rung != "CNN-BLSTM", rung.startswith("PSN")
    expected = {"epoch", "train_loss", "train_cross_entropy_loss"}
    expected |= {"train_reconstruction_loss"} if pretrained else set()
    expected |= {"train_triplet_loss"} if triplets else set()
    assert [set(epoch) for epoch in model.feature_history_] == [expected] * 2
    assert [set(epoch) for epoch in model.history_] == [{"epoch", "train_loss"}] * 4
    assert hasattr(model, "pretraining_history_") == pretrained
    if pretrained:
        # Without triplets, nothing of the first branch is needed there.
        expected -= set() if triplets else {"train_cross_entropy_loss"}
        assert [set(e) for e in model.pretraining_history_] == [expected] * 3


@rungs
def test_networks_of_the_rungs(rung):
    module = quick(**RUNGS[rung]).fit(X, Y).net_.module_
    gated = rung.endswith("_G")
    assert (module.branches.autoencoder is not None) == (rung != "CNN-BLSTM")
    assert (module.fusion.gated is not None) == gated
    assert (module.fusion.attention is not None) == gated


def test_parameters_reach_the_networks():
    model = quick(
        activation="relu", n_heads=3, dropout=0.25, segment_shape=(8, 4), hidden_size=7
    ).fit(X, Y)
    module = model.net_.module_
    assert model.segment_shape_ == (8, 4)
    assert module.branches.cnn[2].kernel_size == (8, 4)
    assert isinstance(module.fusion.gated.activation, torch.nn.ReLU)
    assert module.fusion.attention.num_heads == 3
    assert module.fusion.classifier.dropout == 0.25
    assert module.fusion.classifier.layers[0].hidden_size == 7
    assert quick(n_heads=0).fit(X, Y).net_.module_.fusion.attention is None


@pytest.mark.parametrize("triplets", ["random", "semihard", None])
@pytest.mark.parametrize("normalize", [True, False])
def test_settings_of_the_losses(watch, triplets, normalize):
    phases, net_params = watch
    params = {"triplets": triplets, "normalize": normalize, "margin": 0.7}
    weights = {"pretraining_weights": [0.1, 0.2, 0.7], "feature_weights": (3, 1, 2)}
    quick(**params, **weights, net_params=net_params).fit(X, Y)
    for phase, weight, exclude_self in [
        (phases[0], (0.1, 0.2, 0.7), False),
        (phases[1], (3, 1, 2), True),
    ]:
        criterion = phase.net.criterion_
        assert criterion.mining == triplets
        if triplets is not None:
            assert (criterion.margin, criterion.normalize) == (0.7, normalize)
        assert criterion.weights == weight
        assert criterion.exclude_self == exclude_self


def test_weights_and_margin_reach_the_loss():
    settings = {"feature_epochs": 2, "lr": 1e-12}
    weights = {"pretraining_weights": (0.1, 0.2, 0.7), "feature_weights": (3, 1, 2)}
    terms = ("cross_entropy", "triplet", "reconstruction")
    of_margin = []
    for margin in (1.0, 100.0):
        model = quick(margin=margin, **weights, **settings).fit(X, Y)
        for history, weight in [
            (model.pretraining_history_, weights["pretraining_weights"]),
            (model.feature_history_, weights["feature_weights"]),
        ]:
            for epoch in history:
                losses = [epoch[f"train_{name}_loss"] for name in terms]
                assert epoch["train_loss"] == pytest.approx(np.dot(weight, losses))
        of_margin.append(model.feature_history_[0]["train_triplet_loss"])
    assert of_margin[1] == pytest.approx(99 + of_margin[0], abs=1)
    default = quick().fit(X, Y)
    for history, weight in [
        (default.pretraining_history_, (0.3, 0.3, 0.4)),
        (default.feature_history_, (0.6, 0.2, 0.2)),
    ]:
        losses = [history[0][f"train_{name}_loss"] for name in terms]
        assert history[0]["train_loss"] == pytest.approx(np.dot(weight, losses))


@pytest.mark.parametrize("triplets", ["random", None])
def test_what_the_branches_see(monkeypatch, triplets):
    seen = []
    forward = PseudoSiameseNet.forward

    def watched(net, x=None, p=None):
        seen.append((x, p))
        return forward(net, x, p)

    monkeypatch.setattr(PseudoSiameseNet, "forward", watched)
    quick(triplets=triplets, batch_size=1000).fit(X, Y)
    (x, p), (same, other) = seen
    assert len(p) == len(AUXILIARY)
    # Without triplets, what the first branch learned would be thrown away unused.
    assert (x is None) == (triplets is None)
    assert x is None or x.shape == p.shape
    assert same is other
    assert len(same) == sum(map(len, X))


def test_batches(watch):
    phases, net_params = watch
    quick(net_params=net_params, pretraining_epochs=2, feature_epochs=2).fit(X, Y)
    pretraining, features, _ = phases
    n, m = len(AUXILIARY), sum(map(len, X))
    assert n % 32
    assert m % 32
    sizes = [len(batch["P"]) for batch in pretraining.batches]
    assert sizes == 2 * [*[32] * (n // 32), n % 32]
    assert [len(batch["X"]) for batch in pretraining.batches] == sizes
    sizes = [len(batch["X"]) for batch in features.batches]
    assert sizes == 2 * [*[32] * (m // 32), m % 32]
    # Each epoch is dealt anew.
    for phase in (pretraining, features):
        half = len(phase.batches) // 2
        for name in ("X", "P"):
            assert not torch.equal(phase.batches[0][name], phase.batches[half][name])


def test_batches_of_utterances(watch):
    phases, net_params = watch
    quick(net_params=net_params).fit([x[:1] for x in X], Y)
    assert [len(batch["X"]) for batch in phases[1].batches] == [24]
    assert [len(batch["X"]) for batch in phases[2].batches] == [8, 8, 8]


def tagged():
    """Make two corpora whose first value tells the utterance, from 0 and from 24."""
    own, theirs = [x.copy() for x in X], utterances(seed=1)[0]
    for i, x in enumerate([*own, *theirs]):
        x[:, 0] = i / 100
    return own, theirs


def tags(batches, name):
    values = torch.cat([batch[name][:, 0] for batch in batches])
    return (100 * values).round().int().tolist()


def test_each_segment_keeps_what_is_known_of_it(watch):
    phases, net_params = watch
    own, theirs = tagged()
    auxiliary = AuxiliaryCorpora(theirs, [QUADRANTS[emotion] for emotion in Y])
    weight = {"anger": 0.5, "happiness": 1, "neutral": 2, "sadness": 3}
    quick(
        auxiliary_corpora=auxiliary, standardize=False, class_weight=weight,
        net_params=net_params, pretraining_epochs=2, feature_epochs=2,
    ).fit(own, Y)  # fmt: skip
    pretraining, features, _ = phases
    # Each segment once in each of two epochs.
    for batches, name, corpus, first in [
        (features.batches, "X", own, 0),
        (pretraining.batches, "P", theirs, 24),
    ]:
        expected = {first + i: 2 * len(x) for i, x in enumerate(corpus)}
        assert Counter(tags(batches, name)) == expected
    # Those of the target are drawn at random: nearly all utterances have a turn.
    assert len(set(tags(pretraining.batches, "X"))) > 20
    for batch in (*pretraining.batches, *features.batches):
        emotion = Y[tags([batch], "X")]
        assert batch["y"].tolist() == np.searchsorted(EMOTIONS, emotion).tolist()
        assert batch["weight"].tolist() == [weight[e] for e in emotion]
        assert batch["quadrant"].tolist() == [QUADRANTS[e] for e in emotion]
        of_latent = Y[np.array(tags([batch], "P")) % 24]
        assert batch["P_quadrant"].tolist() == [QUADRANTS[e] for e in of_latent]
    assert all(batch["P"] is batch["X"] for batch in features.batches)


# --- splits, statistics and early stopping ---------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_utterances_of_held_out_speakers_are_not_trained_on(watch, seed):
    phases, net_params = watch
    own, theirs = tagged()
    auxiliary = AuxiliaryCorpora(theirs, [QUADRANTS[emotion] for emotion in Y])
    model = quick(
        auxiliary_corpora=auxiliary, standardize=False, early_stopping=True,
        validation_fraction=0.4, net_params=net_params, random_state=seed,
    ).fit(own, Y, groups=SPEAKER)  # fmt: skip
    held_out = np.isin(SPEAKER, model.validation_groups_)
    assert 0 < held_out.sum() < 24
    train = set(np.flatnonzero(~held_out).tolist())
    test = set(np.flatnonzero(held_out).tolist())
    pretraining, features, fusion = phases
    assert set(tags(pretraining.batches, "X")) <= train
    assert set(tags(pretraining.batches, "P")) == set(range(24, 48))
    assert pretraining.held_out == []
    assert set(tags(features.batches, "X")) == train
    assert set(tags(features.held_out, "X")) == test
    assert set(tags(features.held_out, "P")) == test
    # In the third phase, utterances are told by what the branches make of them.
    kinds = [model.transform_segments(own, kind) for kind in ("deep", "latent")]
    represented = [np.concatenate(both, axis=1) for both in zip(*kinds, strict=True)]
    for batches, expected in ((fusion.batches, train), (fusion.held_out, test)):
        found = [
            i
            for batch in batches
            for x, n in zip(batch["X"].numpy(), batch["lengths"].tolist(), strict=True)
            for i, known in enumerate(represented)
            if len(known) == n and np.allclose(x[:n], known, rtol=1e-5, atol=1e-6)
        ]
        assert sorted(found) == sorted(expected)


def test_statistics_are_those_of_what_is_trained_on(watch):
    phases, net_params = watch
    model = quick(
        early_stopping=True, validation_fraction=0.4, net_params=net_params
    ).fit(X, Y, groups=SPEAKER)  # fmt: skip
    kept = ~np.isin(SPEAKER, model.validation_groups_)
    segments = np.concatenate([x for x, k in zip(X, kept, strict=True) if k])
    np.testing.assert_allclose(model.mean_, segments.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(model.scale_, segments.std(axis=0), rtol=1e-6)
    pretraining, features, _ = phases
    seen = torch.cat([batch["X"] for batch in features.batches]).numpy()
    order = np.lexsort(segments.T)
    expected = (segments[order] - model.mean_) / model.scale_
    np.testing.assert_allclose(seen[np.lexsort(seen.T)], expected, rtol=1e-3, atol=1e-5)
    known = {row.tobytes() for row in seen}
    drawn = torch.cat([batch["X"] for batch in pretraining.batches]).numpy()
    assert {row.tobytes() for row in drawn} <= known


@pytest.mark.parametrize("standardize", [True, False])
def test_each_auxiliary_corpus_is_standardised_by_itself(watch, standardize):
    phases, net_params = watch
    quick(standardize=standardize, net_params=net_params).fit(X, Y)
    seen = torch.cat([batch["P"] for batch in phases[0].batches]).numpy()
    rows = AUXILIARY.take(np.arange(len(AUXILIARY)), standardize=standardize)
    found = {row.tobytes() for row in seen}
    assert found == {row.tobytes() for row in rows}
    for number in range(2):
        own = rows[AUXILIARY.segment_corpus == number]
        assert np.allclose(own.mean(axis=0), 0, atol=1e-4) == standardize
        assert np.allclose(own.std(axis=0), 1, atol=1e-4) == standardize


def test_early_stopping_stops_both_phases_on_the_target():
    model = quick(
        early_stopping=True, n_iter_no_change=1, tol=10.0, pretraining_epochs=4,
        feature_epochs=5, max_epochs=6,
    ).fit(X, Y, groups=SPEAKER)  # fmt: skip
    histories = model.pretraining_history_, model.feature_history_, model.history_
    assert [len(history) for history in histories] == [4, 2, 2]
    terms = {"loss", "cross_entropy_loss", "triplet_loss", "reconstruction_loss"}
    for epoch in model.feature_history_:
        assert {f"valid_{name}" for name in terms} < set(epoch)
    assert "valid_loss" not in model.pretraining_history_[0]


def test_early_stopping_keeps_the_best_epoch_of_both_phases(watch):
    """Held-out speakers who are labelled wrongly: the loss on them soon rises."""
    phases, net_params = watch
    settings = {"early_stopping": True, "validation_fraction": 0.4}
    held_out = quick(**settings).fit(X, Y, groups=SPEAKER).validation_groups_
    theirs = np.isin(SPEAKER, held_out)
    labels = np.where(theirs, np.roll(Y, 1), Y)
    model = quick(
        **settings, feature_epochs=6, max_epochs=6, tol=0.0, triplets=None,
        n_iter_no_change=100, fusion="concatenate", net_params=net_params,
    ).fit(X, labels, groups=SPEAKER)  # fmt: skip
    _, features, fusion = phases
    module = model.net_.module_
    for phase, history, kept in [
        (features, model.feature_history_, module.branches),
        (fusion, model.history_, module),
    ]:
        losses = [epoch["valid_loss"] for epoch in history]
        assert len(losses) == 6
        best = int(np.argmin(losses))
        assert best < 5
        assert equal(state_of(kept), phase.states[best])
        assert not equal(phase.states[best], phase.states[-1])


# --- triplets --------------------------------------------------------------


def quadrants_seen(phases):
    return [
        {
            name: set(torch.cat([b[name] for b in phase.batches]).tolist())
            for name in ("quadrant", "P_quadrant")
        }
        for phase in phases[:2]
    ]


def test_quadrants_by_name(watch):
    phases, net_params = watch
    names = np.array(["Joy", "afraid", "bored", "disgust"])
    y = names[np.arange(24) % 4]
    quick(net_params=net_params).fit(X, y)
    assert quadrants_seen(phases) == [
        {"quadrant": {1, 2, 3}, "P_quadrant": {1, 2, 3, 4}},
        {"quadrant": {1, 2, 3}, "P_quadrant": {1, 2, 3}},
    ]


@pytest.mark.parametrize("kind", [np.array, list])
def test_quadrants_by_hand(watch, kind):
    phases, net_params = watch
    y = kind(np.tile([7, 8, 9], 8))
    quick(quadrants={7: 4, 8: 2, 9: 4, 10: 1}, net_params=net_params).fit(X, y)
    seen = quadrants_seen(phases)
    assert [epoch["quadrant"] for epoch in seen] == [{4, 2}, {4, 2}]
    for batch in phases[1].batches:
        assert torch.equal(batch["quadrant"] == 2, batch["y"] == 1)


def test_quadrants_by_hand_replace_those_of_the_names(watch):
    phases, net_params = watch
    given_ = {"anger": 1, "happiness": 1, "neutral": 3, "sadness": 3}
    quick(quadrants=given_, net_params=net_params).fit(X, Y)
    assert quadrants_seen(phases)[1]["quadrant"] == {1, 3}


@pytest.mark.parametrize(
    ("y", "unknown"), [([5, 6, 7], [5, 6, 7]), (["anger", "x", "sadness"], ["x"])]
)
def test_classes_without_known_quadrants(watch, y, unknown):
    """With other corpora they would mean something else; alone they are enough."""
    phases, net_params = watch
    y = np.tile(y, 8)
    with pytest.raises(ValueError, match="triplets need the valence and activation of"):
        quick().fit(X, y)
    remedy = f"{unknown} are not known.*quadrants={{{unknown[0]!r}: 1, …}}.*s=None"
    with pytest.raises(ValueError, match=remedy.replace("[", r"\[")):
        quick().fit(X, y)
    quick(triplets=None).fit(X, y)
    with pytest.warns(UserWarning, match=WITHOUT):
        quick(auxiliary_corpora=None, net_params=net_params).fit(X, y)
    (features, _) = phases
    for batch in features.batches:
        assert torch.equal(batch["quadrant"], batch["y"])
    # No triplets, no need of quadrants.
    quick(auxiliary_corpora=None, fusion=None).fit(X, y)
    quick(fusion=None).fit(X, y)


@not_pretrained
def test_emotions_of_one_quadrant_are_one_without_auxiliary_corpora(watch):
    phases, net_params = watch
    y = np.tile(["boredom", "sadness", "anger"], 8)
    quick(auxiliary_corpora=None, net_params=net_params).fit(X, y)
    for batch in phases[0].batches:
        assert torch.equal(batch["quadrant"] == 2, batch["y"] == 0)  # anger


@pytest.mark.parametrize(
    "quadrants",
    [
        {"anger": 2, "happiness": 1, "neutral": 4},
        {**QUADRANTS, "anger": 5},
        {**QUADRANTS, "anger": 0},
        {**QUADRANTS, "anger": -1},
        {**QUADRANTS, "anger": "2"},
        {},
    ],
    ids=str,
)
def test_bad_quadrants(quadrants):
    with pytest.raises(ValueError, match="a number from 1 to 4 for each class, got"):
        quick(quadrants=quadrants).fit(X, Y)


def test_unknown_quadrants_of_the_auxiliary_are_reconstructed_alone(watch):
    phases, net_params = watch
    theirs, _ = utterances(seed=1)
    auxiliary = AuxiliaryCorpora(theirs, [None] * 24)
    model = quick(auxiliary_corpora=auxiliary, net_params=net_params)
    with pytest.warns(UserWarning, match=r"no triplet.* in the pre-training: "):
        model.fit(X, Y)
    assert model.pretraining_history_[0]["train_triplet_loss"] == 0
    assert model.pretraining_history_[0]["train_reconstruction_loss"] > 0
    assert model.feature_history_[0]["train_triplet_loss"] > 0
    assert quadrants_seen(phases)[0]["P_quadrant"] == {-1}


def test_weights_that_leave_nothing_to_learn_from_are_refused():
    with pytest.raises(ValueError, match=r"leaves nothing.*only reconstruction"):
        quick(triplets=None, pretraining_weights=(0.5, 0.5, 0.0)).fit(X, Y)
    with pytest.raises(ValueError, match=r"leaves nothing.*only cross-entropy"):
        quick(fusion=None, feature_weights=(0.0, 0.5, 0.5)).fit(X, Y)
    with pytest.raises(ValueError, match="only cross-entropy and reconstruction"):
        quick(triplets=None, feature_weights=(0, 1, 0)).fit(X, Y)
    with pytest.raises(ValueError, match=r"only triplets and reconstruction of"):
        quick(pretraining_weights=(1, 0, 0)).fit(X, Y)
    quick(feature_weights=(0, 1, 0)).fit(X, Y)


@pytest.mark.parametrize("name", ["pretraining_weights", "feature_weights"])
@pytest.mark.parametrize(
    "weights",
    [
        (0.3, 0.3),
        (0.3, -0.1, 0.4),
        (0, 0, 0),
        (1, 1, np.inf),
        ("a", "b", "c"),
        [None, 1, 1],
        np.ones((3, 2)),
        np.array(1.0),
    ],
    ids=str,
)
def test_bad_weights_are_told_by_their_name(name, weights):
    with pytest.raises(ValueError, match=f"^{name} must be three finite numbers"):
        quick(**{name: weights}).fit(X, Y)


def test_what_the_network_has_learned_from_is_no_test():
    theirs, emotions = utterances(seed=1)
    auxiliary = AuxiliaryCorpora(theirs, emotion_quadrant(emotions))
    model = quick(auxiliary_corpora=auxiliary).fit(X, Y)
    asked = [X[0], *theirs[:2]]
    for ask in (
        model.predict,
        model.predict_proba,
        model.predict_log_proba,
        model.transform,
        model.transform_segments,
        partial(model.score, y=Y[:3]),
        make_pipeline(model).predict,
    ):
        with pytest.warns(UserWarning, match=r"utterance 1 of X .*2 of 3 ") as caught:
            ask(asked)
        assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"utterance 0 of X is also .*24 of 24"):
        predicted = model.predict(theirs)
    # Without the corpora there is nothing to compare with.
    model.set_params(auxiliary_corpora=None)
    np.testing.assert_array_equal(model.predict(theirs), predicted)


def test_what_has_no_autoencoder_has_not_learned_from_auxiliary_corpora():
    own = AuxiliaryCorpora(X, emotion_quadrant(Y))
    model = quick(auxiliary_corpora=own, fusion=None).fit(X, Y)
    assert model.predict(X).shape == (24,)  # without a warning
    with pytest.warns(UserWarning, match=WITHOUT):
        model = quick(auxiliary_corpora=None).fit(X, Y)
    model.set_params(auxiliary_corpora=own).predict(X)


def test_one_class_alone():
    with pytest.warns(UserWarning, match=r"no triplet.* in the target: ") as caught:
        model = quick().fit(X, ["anger"] * 24)
    assert caught[0].filename == __file__
    assert model.feature_history_[0]["train_triplet_loss"] == 0
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((24, 1)))
    quick(triplets=None).fit(X, ["anger"] * 24)  # asks for none


def test_quadrants_that_meet_no_others():
    """Of the target only the first, of the auxiliary corpora only the others."""
    others = np.flatnonzero(Y != "happiness")
    auxiliary = AuxiliaryCorpora(
        [utterances(seed=1)[0][i] for i in others], emotion_quadrant(Y[others])
    )
    y = np.tile(["joy", "surprise"], 12)
    model = quick(auxiliary_corpora=auxiliary)
    with pytest.warns(UserWarning, match="in the target and the pre-training: the"):
        model.fit(X, y)
    assert model.pretraining_history_[0]["train_triplet_loss"] == 0
    assert model.feature_history_[0]["train_triplet_loss"] == 0


@pytest.mark.parametrize("quadrant", [[2] * 24, [2, None] * 12], ids=["one", "known"])
def test_one_quadrant_makes_no_triplets(quadrant):
    auxiliary = AuxiliaryCorpora(utterances(seed=1)[0], quadrant)
    model = quick(auxiliary_corpora=auxiliary)
    with pytest.warns(UserWarning, match="in the pre-training: the"):
        model.fit(X, Y)
    assert model.pretraining_history_[0]["train_triplet_loss"] == 0


@pytest.mark.parametrize(
    ("phase", "fusion"), [("pre-training", "gate"), ("feature", None)]
)
def test_what_diverges_is_named(phase, fusion):
    model = quick(fusion=fusion, triplets=None, lr=1e38, standardize=False)
    with pytest.raises(ValueError, match=f"In the {phase} phase: Training diverged"):
        model.fit([1e15 * x for x in X], Y)


# --- what does not fit -----------------------------------------------------


def test_auxiliary_of_another_width():
    narrow = AuxiliaryCorpora([x[:, 1:] for x in X], [1] * 24)
    with pytest.raises(ValueError, match="segments of 31 values, X of 32: make both"):
        quick(auxiliary_corpora=narrow, segment_shape=None).fit(X, Y)
    quick(auxiliary_corpora=narrow, fusion=None).fit(X, Y)  # not looked at


@pytest.mark.parametrize("kind", ["ragged", "cube", "table"])
def test_auxiliary_that_holds_some_of_the_target(kind):
    cube = np.stack([x[:1].repeat(2, axis=0) for x in X])
    own = {"ragged": X, "cube": cube, "table": cube[:, 0]}[kind]
    other = utterances(seed=1, shortest=2)[0][:3]
    auxiliary = AuxiliaryCorpora(
        [*other, *(np.atleast_2d(own[i]) for i in (5, 7))], [1, 2, 3, 4, 1]
    )
    with pytest.raises(
        ValueError, match=r"utterance 5 of X is also in .* \(2 of 24 are\).* Leave the"
    ):
        quick(auxiliary_corpora=auxiliary).fit(own, Y)
    quick(auxiliary_corpora=auxiliary).fit(own[8:], Y[8:])


@pytest.mark.filterwarnings("ignore:utterance . of X is also in the auxiliary")
def test_auxiliary_that_holds_some_of_the_target_in_a_cross_validation():
    quadrants = np.arange(25) % 4 + 1
    auxiliary = AuxiliaryCorpora([X[3], *utterances(seed=1)[0]], quadrants)
    folds = KFold(3)
    with pytest.raises(ValueError, match="is also in the auxiliary corpora"):
        cross_validate(
            quick(auxiliary_corpora=auxiliary), X, Y, cv=folds, error_score="raise"
        )
    # Where it is in the test alone, the prediction is told to be no test.
    with pytest.warns() as caught:
        scores = cross_validate(quick(auxiliary_corpora=auxiliary), X, Y, cv=folds)
    messages = "".join(str(warning.message) for warning in caught)
    assert "2 fits failed" in messages
    assert "what it makes of it is no test" in messages
    assert np.isnan(scores["test_score"]).sum() == 2


@pytest.mark.parametrize(
    "shape", [(4, 9), (32,), (2, 4, 4), (-4, -8), (4.0, 8.0), (True, 32)]
)
def test_segment_shape_must_fit(shape):
    with pytest.raises(ValueError, match="segment_shape"):
        quick(segment_shape=shape).fit(X, Y)


def test_shape_of_segments():
    assert shape_of_segments(4128, None) == (32, 129)
    assert shape_of_segments(32, None) == (32, 1)
    assert shape_of_segments(48, None) == (1, 48)
    assert shape_of_segments(1, None) == (1, 1)
    assert shape_of_segments(32, [np.int64(4), 8]) == (4, 8)
    assert quick(segment_shape=None).fit(X, Y).segment_shape_ == (32, 1)
    assert quick(segment_shape=np.array([8, 4])).fit(X, Y).segment_shape_ == (8, 4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_heads": 5}, "n_heads=5 does not divide the 12 values"),
        ({"feature_weights": (1, 1)}, "must be three finite numbers"),
        ({"feature_weights": (0.5, -0.1, 0.5)}, "must be three finite numbers"),
        ({"pretraining_weights": (0, 0, 0)}, "must be three finite numbers"),
        ({"output": "gate", "fusion": "concatenate"}, "needs fusion='gate'"),
        ({"output": "latent", "fusion": None}, "'gate' or 'concatenate'"),
        ({"margin": np.inf}, "'margin' parameter of PseudoSiameseGated"),
        ({"net_params": {"optimizer__no_such": 1}}, "no_such"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_before_anything_is_trained(changed, message, watch):
    phases, net_params = watch
    changed = {**changed, "net_params": net_params | changed.get("net_params", {})}
    with pytest.raises((TypeError, ValueError), match=message):
        quick(**changed).fit(X, Y)
    assert phases == []


def test_without_auxiliary_corpora_it_says_so():
    model = quick(auxiliary_corpora=None)
    line = currentframe().f_lineno + 2
    with pytest.warns(UserWarning, match=WITHOUT) as caught:
        model.fit(X, Y)
    (warning,) = caught
    assert (warning.filename, warning.lineno) == (__file__, line)
    assert "AuxiliaryCorpora.from_corpora(…)" in str(warning.message)
    assert not hasattr(model, "pretraining_history_")
    quick(auxiliary_corpora=None, fusion=None).fit(
        X, Y
    )  # needs none, and does not warn


def test_a_new_fit_forgets_the_last():
    model = quick(early_stopping=True).fit(X, Y, groups=SPEAKER)
    model.set_params(early_stopping=False, fusion=None, standardize=False).fit(X, Y)
    for name in ("pretraining_history_", "validation_groups_", "mean_", "scale_"):
        assert not hasattr(model, name)
    fresh = quick(fusion=None, standardize=False).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), fresh.predict_proba(X))


# --- class weights ---------------------------------------------------------


@pytest.mark.parametrize("by_hand", [True, False])
def test_class_weights_reach_all_losses_of_the_emotions(by_hand):
    few = [i for i in range(24) if Y[i] != "anger" or i < 8]
    some, y = [X[i] for i in few], Y[few]
    counts = Counter(y.tolist())
    weight = {e: len(y) / (4 * counts[e]) for e in EMOTIONS.tolist()}
    given_ = weight if by_hand else "balanced"
    losses = []
    for class_weight in (given_, None):
        model = quick(lr=1e-12, class_weight=class_weight).fit(some, y)
        pretraining = model.pretraining_history_[0]["train_cross_entropy_loss"]
        features = model.feature_history_[0]["train_cross_entropy_loss"]
        losses.append((pretraining, features, model.history_[0]["train_loss"]))
    weighted, plain = losses
    assert all(abs(a - b) > 1e-3 for a, b in zip(weighted, plain, strict=True))
    # As the nets stay what they are, these are means over all segments or utterances.
    branches = model.net_.module_.branches
    segments = (np.concatenate(some) - model.mean_) / model.scale_
    with torch.inference_mode():
        logits = branches(torch.tensor(segments, dtype=torch.float32)).logits
    codes = np.searchsorted(EMOTIONS, y)
    of_segment = np.repeat(codes, [len(x) for x in some])
    w = np.array([weight[e] for e in EMOTIONS])
    lost = -logits.log_softmax(dim=1).numpy()[np.arange(len(of_segment)), of_segment]
    assert weighted[1] == pytest.approx((w[of_segment] * lost).mean(), rel=1e-4)
    lost = -model.predict_log_proba(some)[np.arange(len(some)), codes]
    assert weighted[2] == pytest.approx((w[codes] * lost).mean(), rel=1e-4)


# --- the cache -------------------------------------------------------------


@pytest.fixture
def learned(monkeypatch):
    """Count how often branches are trained."""
    calls = []
    learn = BranchTrainer.learn

    def counted(trainer, *args, **kwargs):
        calls.append(trainer)
        return learn(trainer, *args, **kwargs)

    monkeypatch.setattr(BranchTrainer, "learn", counted)
    return calls


@pytest.fixture
def untrained(monkeypatch):
    """Count how often branches would be trained, and leave it at the first weights."""
    calls = []

    def counted(trainer, data, valid, *, verbose):
        calls.append(trainer)
        torch.manual_seed(trainer.seed % 100)
        net = PseudoSiameseNet(**trainer._module_params())
        weights = {name: v.numpy() for name, v in net.state_dict().items()}
        return weights, {"features": []}

    monkeypatch.setattr(BranchTrainer, "learn", counted)
    with torch.random.fork_rng(devices=[]):
        yield calls


def assert_same_model(first, second):
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert equal(state_of(first.net_.module_), state_of(second.net_.module_))
    assert first.feature_history_ == second.feature_history_
    assert first.pretraining_history_ == second.pretraining_history_


def memory_of(path):
    return joblib.Memory(path, verbose=0)


@pytest.mark.parametrize("kind", [str, Path, memory_of])
def test_rungs_share_their_branches(tmp_path, learned, kind):
    memory = kind(tmp_path)
    for rung in ("PT", "PT_G"):
        plain = quick(**RUNGS[rung]).fit(X, Y)
        del learned[:]
        cached = quick(**RUNGS[rung], memory=memory).fit(X, Y)
        assert len(learned) == (rung == "PT")
        assert_same_model(cached, plain)
    again = clone(cached).fit(X, Y)
    assert len(learned) == 0
    assert_same_model(again, plain)
    quick(memory=memory).fit(X, Y)
    assert len(learned) == 1  # with triplets


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_what_would_not_be_found_again_is_not_kept(tmp_path, untrained, random_state):
    quick(memory=str(tmp_path), random_state=random_state).fit(X, Y)
    assert len(untrained) == 1
    assert not any(tmp_path.iterdir())


def test_what_the_branches_do_not_depend_on_is_not_trained_anew(tmp_path, untrained):
    base = quick(memory=str(tmp_path)).fit(X, Y)
    same = pickle.loads(pickle.dumps(AUXILIARY))
    for changed in [
        {"n_iter_no_change": 3, "tol": 0.1, "validation_fraction": 0.5},
        {"pretraining_weights": [0.3, 0.3, 0.4]},
        {"feature_weights": np.array([0.6, 0.2, 0.2])},
        {"device": torch.device("cpu")},
        {"fusion": "concatenate"},
        {"activation": "relu"},
        {"n_heads": 2},
        {"hidden_size": 3},
        {"dropout": 0.5},
        {"max_epochs": 2},
        {"fusion_batch_size": 3},
        {"output": "gate"},
        {"verbose": 1},
        {"auxiliary_corpora": same},
        {"quadrants": QUADRANTS},
        {"class_weight": "balanced"},  # they are balanced
        {"net_params": {}},
    ]:
        clone(base).set_params(**changed).fit(X, Y)
        assert len(untrained) == 1, changed
    base.fit([x.copy() for x in X], Y.tolist())
    assert len(untrained) == 1


def test_one_branch_does_not_depend_on_the_other(tmp_path, untrained):
    for changed in (
        {},
        {"auxiliary_corpora": None},
        {"auxiliary_corpora": corpora(seed=2)},
        {"triplets": None},
        {"triplets": "semihard"},
    ):
        quick(memory=str(tmp_path), fusion=None, **changed).fit(X, Y)
        assert len(untrained) == 1, changed


@not_pretrained
@pytest.mark.parametrize(
    ("rung", "without_effect"),
    [
        ({"triplets": None}, {"margin": 0.5, "normalize": True}),
        ({"fusion": None}, {"margin": 0.5, "normalize": True}),
        (
            {"auxiliary_corpora": None},
            {"pretraining_epochs": 9, "pretraining_weights": (1, 0, 0)},
        ),
        ({"fusion": None}, {"pretraining_epochs": 9, "pretraining_weights": (1, 0, 0)}),
    ],
)
def test_settings_without_effect_do_not_train_the_branches_anew(
    tmp_path, untrained, rung, without_effect
):
    quick(memory=str(tmp_path), **rung).fit(X, Y)
    quick(memory=str(tmp_path), **rung, **without_effect).fit(X, Y)
    assert len(untrained) == 1


def test_other_versions_train_the_branches_anew(tmp_path, untrained, monkeypatch):
    model = quick(memory=str(tmp_path)).fit(X, Y)
    for n, name in enumerate(["branches", "torch", "skorch"], start=2):
        monkeypatch.setitem(_branches._VERSIONS, name, "other")
        model.fit(X, Y)
        assert len(untrained) == n


def test_what_the_branches_depend_on_trains_them_anew(tmp_path, untrained):
    base = quick(memory=str(tmp_path)).fit(X, Y)
    changes = [
        {"auxiliary_corpora": corpora(seed=2)},
        {"random_state": 1},
        {"random_state": None},
        {"random_state": None},
        {"triplets": "semihard"},
        {"triplets": None},
        {"margin": 0.5},
        {"normalize": True},
        {"quadrants": {**QUADRANTS, "anger": 1}},
        {"pretraining_weights": (0.3, 0.4, 0.3)},
        {"feature_weights": (0.5, 0.2, 0.2)},
        {"segment_shape": (8, 4)},
        {"embedding_size": 4},
        {"class_weight": {"anger": 2}},
        {"standardize": False},
        {"lr": 0.5},
        {"pretraining_epochs": 2},
        {"feature_epochs": 2},
        {"batch_size": 16},
        {"net_params": {"optimizer__weight_decay": 0.1}},
        {"fusion": None},
    ]
    for n, changed in enumerate(changes, start=2):
        clone(base).set_params(**changed).fit(X, Y)
        assert len(untrained) == n, changed
    n = len(untrained)
    clone(base).fit([x + np.float32(1e-3) for x in X], Y)
    clone(base).fit(X[::-1], Y[::-1])
    clone(base).fit(X, np.roll(Y, 1))
    stopping = clone(base).set_params(early_stopping=True)
    stopping.fit(X, Y, groups=SPEAKER)
    stopping.fit(X, Y, groups=np.roll(SPEAKER, 2))
    assert len(untrained) == n + 5


# --- representations -------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    return quick(feature_epochs=2, max_epochs=2).fit(X, Y)


@pytest.fixture
def trained(fitted):
    """Return a model that a test may change."""
    return pickle.loads(pickle.dumps(fitted))


WIDTHS = {"fused": 10, "deep": 6, "latent": 6, "gate": 6}


@pytest.mark.parametrize("kind", WIDTHS)
def test_representations_of_utterances(trained, kind):
    # It may be changed after the fit.
    Z = trained.set_params(output=kind).transform(X)
    assert (Z.shape, Z.dtype) == ((24, WIDTHS[kind]), np.float32)
    assert len(np.unique(Z, axis=0)) == 24
    names = trained.get_feature_names_out()
    assert list(names) == [f"pseudosiamesegated{i}" for i in range(WIDTHS[kind])]
    table = trained.set_output(transform="pandas").transform(X)
    assert list(table.columns) == list(names)
    np.testing.assert_array_equal(table, Z)
    if kind != "fused":
        means = [x.mean(axis=0) for x in trained.transform_segments(X, kind)]
        np.testing.assert_allclose(Z, means, rtol=1e-5, atol=1e-6)


def test_a_representation_may_be_asked_for_before_the_fit(trained):
    model = quick(output="gate", feature_epochs=2, max_epochs=2).fit(X, Y)
    expected = trained.set_params(output="gate").transform(X)
    np.testing.assert_array_equal(model.transform(X), expected)


@pytest.mark.parametrize("kind", WIDTHS)
def test_representations_of_segments(fitted, kind):
    parts = fitted.transform_segments(X, kind)
    width = 12 if kind == "fused" else 6
    assert (parts.shape, parts.dtype) == ((24,), object)
    assert [part.shape for part in parts] == [(len(x), width) for x in X]
    assert all(part.dtype == np.float32 for part in parts)
    if kind == "gate":
        assert all(((part > 0) & (part < 1)).all() for part in parts)
    for i in (0, 5):
        alone = fitted.transform_segments(X[i : i + 1], kind)[0]
        np.testing.assert_allclose(alone, parts[i], rtol=1e-5, atol=1e-7)


def test_representations_are_those_of_the_equations(fitted):
    deep, latent, gate, fused = (
        fitted.transform_segments(X, kind)
        for kind in ("deep", "latent", "gate", "fused")
    )
    module = pickle.loads(pickle.dumps(fitted)).net_.module_
    assert fitted.transform_segments(X)[3].tobytes() == fused[3].tobytes()
    codes = np.zeros(24, int)
    for i, x in enumerate(X):
        z = torch.tensor((x - fitted.mean_) / fitted.scale_, dtype=torch.float32)
        with torch.inference_mode():
            output = module.branches(z, z)
            np.testing.assert_allclose(deep[i], output.deep, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(latent[i], output.latent, rtol=1e-4, atol=1e-5)
        weight, bias = (
            v.detach().numpy() for v in module.fusion.gated.gate.parameters()
        )
        logits = np.c_[deep[i], latent[i]] @ weight.T + bias
        np.testing.assert_allclose(gate[i], 1 / (1 + np.exp(-logits)), rtol=1e-4)
        filtered = np.tanh(np.c_[gate[i] * deep[i], (1 - gate[i]) * latent[i]])
        with torch.inference_mode():
            row = torch.tensor(filtered)[None]
            attended = row[0] + module.fusion.attention(row, row, row)[0][0]
            attended = module.fusion.norm(attended)
            np.testing.assert_allclose(fused[i], attended, rtol=1e-3, atol=1e-5)
            logits = module.fusion.classifier(attended[None], torch.tensor([len(x)]))
            proba = logits.softmax(dim=1)
        np.testing.assert_allclose(fitted.predict_proba([x]), proba, rtol=1e-3)
        codes[i] = proba.argmax()
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[codes])


def test_fused_representation_is_what_the_last_layer_is_given(fitted):
    head = fitted.net_.module_.fusion.classifier.head
    with torch.inference_mode():
        logits = head(torch.tensor(fitted.transform(X)))
    np.testing.assert_allclose(
        fitted.predict_log_proba(X), logits.log_softmax(dim=1), atol=1e-5
    )


@pytest.mark.parametrize(
    ("fusion", "kind", "needed"),
    [
        ("concatenate", "gate", "fusion='gate', got 'concatenate'"),
        (None, "gate", "fusion='gate', got None"),
        (None, "latent", "fusion='gate' or 'concatenate', got None"),
    ],
)
def test_representations_that_there_are_not(fusion, kind, needed):
    with pytest.raises(ValueError, match=f"'{kind}' needs {needed}"):
        quick(fusion=fusion, output=kind).fit(X, Y)
    model = quick(fusion=fusion).fit(X, Y)
    with pytest.raises(ValueError, match=f"'{kind}' needs {needed}"):
        model.transform_segments(X, kind)
    # What counts is how it was fitted.
    model.set_params(output=kind, fusion="gate")
    with pytest.raises(ValueError, match=f"'{kind}' needs {needed}"):
        model.transform(X)
    assert model.set_params(output="deep").transform(X).shape == (24, 6)
    widths = {part.shape[1] for part in model.transform_segments(X)}
    assert widths == {12 if fusion else 6}
    assert model.set_params(output="fused").transform(X).shape == (24, 10)


def test_representations_of_no_name(trained):
    with pytest.raises(ValueError, match="'output' parameter of Pseudo"):
        trained.transform_segments(X, "mean")
    with pytest.raises(ValueError, match="'output' parameter of Pseudo"):
        trained.transform_segments(X, None)
    with pytest.raises(ValueError, match="'output' parameter of Pseudo"):
        trained.set_params(output="mean").transform(X)


def test_utterances_of_one_segment_and_of_many(fitted):
    one, many = X[0][:1], np.concatenate(X * 2)
    assert len(many) > 128
    both = fitted.predict_proba([one, many])
    np.testing.assert_allclose(both[:1], fitted.predict_proba([one]), rtol=1e-6)
    np.testing.assert_allclose(both[1:], fitted.predict_proba([many]), rtol=1e-6)
    np.testing.assert_allclose(both[:1], fitted.predict_proba(one), rtol=1e-6)  # table
    np.testing.assert_allclose(both[1:], fitted.predict_proba(many[None]), rtol=1e-6)
    np.testing.assert_allclose(both.sum(axis=1), 1)


@settings(max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=5),
    shape=st.sampled_from([(1, 1), (3, 5), (8, 8)]),
    seed=st.integers(0, 100),
)
def test_a_segment_does_not_depend_on_its_companions(lengths, shape, seed):
    """Nor on their number, as all batches are of one size."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        branches = PseudoSiameseNet(shape, 2, 3)
    rng = np.random.default_rng(seed)
    n_values = shape[0] * shape[1]
    sequences = Sequences(
        [rng.normal(size=(n, n_values)).astype(np.float32) for n in lengths]
    )
    together = represent_segments(branches, sequences)
    assert together.lengths.tolist() == lengths
    for i in range(len(lengths)):
        alone = represent_segments(branches, sequences[[i]])
        # Bit for bit where the processor treats all rows alike.
        np.testing.assert_allclose(
            together.arrays[i], alone.arrays[0], rtol=1e-6, atol=1e-7
        )
    rows = np.concatenate(sequences.arrays)
    with torch.inference_mode():
        expected = branches.represent(torch.from_numpy(rows))
    found = np.concatenate(together.arrays)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


# --- scikit-learn ----------------------------------------------------------


def test_the_constructor_only_stores():
    names = PseudoSiameseGated._get_param_names()
    values = {name: object() for name in names}
    model = PseudoSiameseGated(**values)
    assert vars(model) == values


def test_fit_changes_no_parameter():
    model = quick(quadrants=dict(QUADRANTS), net_params={"callbacks": [Callback()]})
    before = dict(vars(model))
    contents = {k: repr(v) for k, v in before.items()}
    model.fit(X, Y)
    assert all(vars(model)[name] is value for name, value in before.items())
    assert {k: repr(vars(model)[k]) for k in before} == contents


def test_clones_share_the_auxiliary_corpora(fitted):
    assert clone(fitted).auxiliary_corpora is AUXILIARY


def test_saved_without_the_auxiliary_corpora():
    theirs, y = utterances(n=400, seed=1)
    auxiliary = AuxiliaryCorpora(theirs, [QUADRANTS[e] for e in y])
    model = quick(auxiliary_corpora=auxiliary, batch_size=256).fit(X, Y)
    whole = pickle.dumps(model)
    model.set_params(auxiliary_corpora=None)
    small = pickle.dumps(model)
    assert len(whole) - len(small) > auxiliary.segments.nbytes
    # Nothing holds the corpora a second time.
    assert len(whole) - len(small) < 1.5 * auxiliary.segments.nbytes
    restored = pickle.loads(small)
    assert restored.auxiliary_corpora is None
    for other in (model, restored, pickle.loads(whole)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        assert other.pretraining_history_ == model.pretraining_history_


def test_search_over_the_rungs_in_processes():
    grid = [{"fusion": ["concatenate"], "triplets": [None]}, {"triplets": ["semihard"]}]
    scores = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            quick(), grid, cv=KFold(2), n_jobs=n_jobs, error_score="raise"
        ).fit(X, Y)
        scores.append(search.cv_results_["mean_test_score"])
        assert search.best_estimator_.auxiliary_corpora is AUXILIARY
    np.testing.assert_array_equal(*scores)


def test_progress_bars_are_named_by_phase(capsys):
    settings = {"verbose": 1, "pretraining_epochs": 2, "feature_epochs": 3}
    quick(**settings).fit(X, Y)
    shown = capsys.readouterr().err
    assert "PseudoSiameseGated, pre-training: 100%" in shown
    assert "PseudoSiameseGated, features: 100%" in shown
    assert "PseudoSiameseGated: 100%" in shown
    assert all(f"{n}/{n}" in shown for n in (1, 2, 3))
    quick(fusion=None, **settings).fit(X, Y)
    assert "pre-training" not in capsys.readouterr().err


def test_net_params_reach_all_phases(watch):
    phases, net_params = watch
    quick(
        net_params={**net_params, "optimizer": torch.optim.SGD}, lr=0.01
    ).fit(X, Y)  # fmt: skip
    for phase in phases:
        assert isinstance(phase.net.optimizer_, torch.optim.SGD)
    assert len(phases) == 3
    del phases[:]
    quick(net_params=net_params, lr=0.5).fit(X, Y)
    for phase in phases:
        assert isinstance(phase.net.optimizer_, torch.optim.Adadelta)
        assert phase.net.optimizer_.param_groups[0]["lr"] == 0.5


def test_numbers_are_those_of_the_seed():
    first, second, third, other = (
        quick(random_state=state).fit(X, Y).predict_proba(X)
        for state in (3, 3, np.random.RandomState(3), 4)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    assert not np.allclose(first, other)


# --- learning --------------------------------------------------------------


@rungs
def test_emotions_are_learned(rung):
    """Of new utterances.

    Over the seeds 0 to 5 of data and network 0.88 and more were right, by chance 0.25.
    """
    train, y = utterances(n=40, seed=1)
    test, z = utterances(n=40, seed=2)
    model = quick(
        feature_epochs=8, max_epochs=15, pretraining_epochs=2, embedding_size=8,
        hidden_size=8, **{"auxiliary_corpora": corpora(n=20, seed=3)} | RUNGS[rung],
    ).fit(train, y)  # fmt: skip
    assert model.score(test, z) > 0.6


def of_voices(seed, gain=1.0, shift=0.0):
    """Make utterances in which more than the emotion differs, and the quadrants."""
    X, y = utterances(40, seed)
    rng = np.random.default_rng(seed + 5)
    voices = 1.5 * np.random.default_rng(98).normal(size=(4, N_VALUES))
    X = [gain * (x + rng.normal(size=(len(x), 4)) @ voices) + shift for x in X]
    return X, y, np.array([QUADRANTS[emotion] for emotion in y])


def nearness(first, second, same):
    """Return the mean distance of those of one quadrant over that of the others."""
    distances = cdist(first, second)
    return distances[same].mean() / distances[~same].mean()


def test_triplets_of_the_pretraining_bring_quadrants_together_across_corpora(watch):
    """Those of the target and those of the auxiliary corpora.

    Over the seeds 0 to 4 of data and network, the nearness of latent representations
    was with random triplets at least 0.11 lower than without any, with semihard ones
    0.13; that of anchors to them at most 0.90, and at least 0.99 without.
    """
    phases, net_params = watch
    (own, y, ours), (other, _, theirs) = of_voices(1), of_voices(2, gain=3, shift=5)
    auxiliary = AuxiliaryCorpora(other, theirs)
    rows = auxiliary.take(np.arange(len(auxiliary)), standardize=True)
    same = np.repeat(ours, [len(x) for x in own])[:, None] == auxiliary.segment_quadrant
    latent, deep = {}, {}
    for triplets in ("random", "semihard", None):
        del phases[:]
        model = quick(
            auxiliary_corpora=auxiliary, triplets=triplets, pretraining_epochs=16,
            net_params=net_params,
        ).fit(own, y)  # fmt: skip
        net = PseudoSiameseNet(SHAPE, 4, 6)
        net.load_state_dict(phases[0].after)
        segments = (np.concatenate(own) - model.mean_) / model.scale_
        x, p = (
            torch.tensor(values, dtype=torch.float32) for values in (segments, rows)
        )
        with torch.inference_mode():
            of_auxiliary = net(p=p).latent
            latent[triplets] = nearness(net(p=x).latent, of_auxiliary, same)
            deep[triplets] = nearness(net(x).deep, of_auxiliary, same)
    for triplets in ("random", "semihard"):
        assert latent[triplets] < latent[None] - 0.05
        assert deep[triplets] < 0.95 < deep[None]


def test_end_to_end_on_spectrograms():
    ours = make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=0)
    theirs = make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=1)
    segments = SpectrogramSegmenter().fit_transform(ours.audio)
    model = PseudoSiameseGated(
        AuxiliaryCorpora.from_corpora(theirs),
        pretraining_epochs=1, feature_epochs=1, max_epochs=1, device="cpu",
        random_state=0,
    ).fit(segments, ours.emotion)  # fmt: skip
    assert model.segment_shape_ == (32, 129)
    assert model.transform(segments).shape == (4, 256)
    np.testing.assert_allclose(model.predict_proba(segments).sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_, EMOTIONS)
    for history in (model.pretraining_history_, model.feature_history_):
        assert history[0]["train_triplet_loss"] > 0
        assert history[0]["train_reconstruction_loss"] > 0
