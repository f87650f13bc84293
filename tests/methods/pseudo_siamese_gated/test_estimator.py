"""PseudoSiameseGated: phases, rungs, splits, representations."""

import pickle
from inspect import currentframe

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from skorch.callbacks import Callback

from sklearn_ser import PseudoSiameseGated, SpectrogramSegmenter
from sklearn_ser.datasets import AuxiliaryCorpora, make_emotional_speech
from tests.methods.pseudo_siamese_gated.helpers import (
    AUXILIARY,
    EMOTIONS,
    QUADRANTS,
    RUNGS,
    SPEAKER,
    WITHOUT,
    X,
    Y,
    corpora,
    equal,
    part,
    quick,
    rungs,
    state_of,
    tagged,
    tags,
    utterances,
)

# --- the three phases ------------------------------------------------------


def test_what_passes_from_phase_to_phase(watch):
    phases, net_params = watch
    # Decay would move the weights of all that the optimiser does not leave alone.
    model = quick(net_params=net_params, weight_decay=0.1)
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
        nonlinearity="relu",
        n_heads=3,
        dropout=0.25,
        segment_shape=(8, 4),
        hidden_size=7,
    ).fit(X, Y)
    module = model.net_.module_
    assert model.segment_shape_ == (8, 4)
    assert module.branches.cnn[2].kernel_size == (8, 4)
    assert isinstance(module.fusion.gated.nonlinearity, torch.nn.ReLU)
    assert module.fusion.attention.num_heads == 3
    assert module.fusion.classifier.dropout.share == 0.25
    assert module.fusion.classifier.layers[0].hidden_size == 7
    assert quick(n_heads=0).fit(X, Y).net_.module_.fusion.attention is None


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


# --- what does not fit -----------------------------------------------------


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
            output = module.fusion.classifier(attended[None], torch.tensor([len(x)]))
            proba = output.logits.softmax(dim=1)
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
