"""MEnAN: what it learns, who takes part in which step, routing."""

import pickle

import numpy as np
import pytest
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_ser import MEnAN
from sklearn_ser.metrics import speaker_probe

# --- the estimator ---------------------------------------------------------


def speech(n_speakers=4, n_of_speaker=24, seed=0, voice=1.5):
    """Make utterances that tell emotion and speaker, each in some features."""
    rng = np.random.default_rng(seed)
    voices = rng.normal(scale=voice, size=(n_speakers, 6))
    speaker = np.repeat(np.arange(n_speakers), n_of_speaker)
    emotion = np.tile(np.arange(3), len(speaker))[: len(speaker)]
    signs = rng.normal(scale=1.5, size=(3, 6))
    frames = (
        rng.normal(size=(rng.integers(10, 60), 6)) + voices[k] + signs[e]
        for k, e in zip(speaker, emotion, strict=True)
    )
    X = np.fromiter(frames, dtype=object, count=len(speaker))
    y = np.array(["anger", "neutral", "sadness"])[emotion]
    return X, y, np.array([f"s{k}" for k in speaker])


def trained(adversary, seed=0, voice=1.5, **settings):
    X, y, speaker = speech(seed=seed, voice=voice)
    settings = {"max_epochs": 30, "random_state": seed, "hidden_size": 8} | settings
    return MEnAN(adversary, **settings).fit(X, y, groups=speaker), X, y, speaker


ADVERSARIES = ("entropy", "uniform", "gradient_reversal", "multitask", None)


@pytest.mark.parametrize(
    "adversary",
    [
        "entropy",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ADVERSARIES[1:]),
    ],
)
def test_emotions_are_learned(adversary):
    model, X, y, _ = trained(adversary, max_epochs=40, hidden_size=16)
    # Over the seeds 0 and 1 of data and network at least 0.96 for all models.
    assert model.score(X, y) > 0.9
    assert model.transform(X).shape == (len(X), 48)
    assert model.transform(X).dtype == np.float32
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.fixture(scope="module")
def of_loud_voices():
    """Train with and against the speakers where these are plain to hear."""
    settings = {"voice": 3.0, "lr": 0.005, "max_epochs": 20}
    return {name: trained(name, **settings) for name in ("entropy", "multitask")}


@pytest.mark.slow
def test_the_representation_tells_less_of_the_speaker_than_that_of_multi_task(
    of_loud_voices,
):
    """Over the seeds 0 to 8 of data and network the difference was 0.30 or more."""
    told = {}
    for adversary, (model, X, _, speaker) in of_loud_voices.items():
        probe = speaker_probe(model.transform(X), speaker, random_state=0)
        told[adversary] = probe.above_chance
    assert told["entropy"] < told["multitask"] - 0.1


@pytest.mark.slow
def test_the_speaker_head_of_multi_task_knows_more_than_that_of_the_adversary(
    of_loud_voices,
):
    """Over the seeds 0 to 8 of data and network the difference was 0.34 or more."""
    right = {}
    for adversary, (model, X, _, speaker) in of_loud_voices.items():
        proba = model.predict_speaker_proba(X)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        np.testing.assert_array_equal(model.speakers_, np.unique(speaker))
        right[adversary] = np.mean(model.speakers_[proba.argmax(axis=1)] == speaker)
    assert right["multitask"] > right["entropy"] + 0.2


def weights(model, part):
    state = model.net_.module_.state_dict()
    return {k: v.clone() for k, v in state.items() if ("speaker_head" in k) == part}


@pytest.mark.parametrize("adversary", ["entropy", "uniform"])
def test_each_of_both_steps_leaves_the_other_side_as_it_is(adversary, monkeypatch):
    from sklearn_ser.methods.menan._adversary import AdversarialNet

    steps = []
    descend = AdversarialNet.descend

    def watched(net, loss, batch):
        before = {k: v.clone() for k, v in net.module_.state_dict().items()}
        descend(net, loss, batch)
        after = net.module_.state_dict()
        changed = {k for k in before if not torch.equal(before[k], after[k])}
        steps.append({"speaker_head" in name for name in changed})

    monkeypatch.setattr(AdversarialNet, "descend", watched)
    # Momentum and decay would show whether the optimiser skips what has no gradient.
    trained(adversary, max_epochs=2, weight_decay=0.1)
    assert len(steps) >= 2 * 2 * 6
    assert all(step == {True} for step in steps[::2])
    assert all(step == {False} for step in steps[1::2])


def test_unknown_speakers_and_emotions():
    X, y, speaker = speech()
    some = speaker.astype(object)
    some[::5] = None
    some[1::5] = np.nan
    labels = y.astype(object)
    labels[2::5] = None
    model = MEnAN(max_epochs=2, random_state=0).fit(X, labels, groups=some)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    np.testing.assert_array_equal(model.speakers_, np.unique(speaker))
    # Numbers with NaN serve as well.
    numbers = np.where(y == "anger", 1.0, 0.0)
    numbers[::7] = np.nan
    model.fit(X, numbers, groups=some)
    np.testing.assert_array_equal(model.classes_, [0.0, 1.0])


def test_what_is_unknown_joins_the_other_loss_only():
    """An utterance without speaker is seen by the emotions, and the reverse."""
    X, y, speaker = speech()
    labels, some = y.astype(object), speaker.astype(object)
    labels[0], some[0] = None, None
    settings = {"max_epochs": 1, "random_state": 0, "standardize": False}

    def fitted(labels, some, adversary):
        return MEnAN(adversary, **settings).fit(X, labels, groups=some).transform(X)

    for adversary in ("entropy", "multitask"):
        base = fitted(y, speaker, adversary)
        assert not np.array_equal(fitted(labels, speaker, adversary), base)
        assert not np.array_equal(fitted(y, some, adversary), base)
    # Without an adversary, the speakers are nothing.
    np.testing.assert_array_equal(fitted(y, some, None), fitted(y, speaker, None))


def test_nobody_has_an_emotion():
    X, _, speaker = speech()
    with pytest.raises(ValueError, match=r"Input y contains NaN: .* \(96 of 96"):
        MEnAN().fit(X, np.full(len(X), None), groups=speaker)


def too_few(kind, n):
    """Return speakers, and what a message says of them."""
    passed = r"groups names fewer \(n_speakers={}, n_samples=96\)"
    return {
        "not passed": (None, r"fit did not get them as groups\. Alone: "),
        "one": (["s"] * n, passed.format(1)),
        "unknown": ([None] * n, passed.format(0)),
    }[kind]


LACKS = ["not passed", "one", "unknown"]


@pytest.mark.parametrize("kind", LACKS)
def test_without_two_speakers_auto_learns_emotions_alone_and_says_so(kind):
    X, y, _ = speech()
    groups, why = too_few(kind, len(X))
    settings = {"max_epochs": 2, "random_state": 0}
    with pytest.warns(UserWarning, match=f"{why}.* It learns emotions alone"):
        model = MEnAN(**settings).fit(X, y, groups=groups)
    alone = MEnAN(None, **settings).fit(X, y)
    np.testing.assert_array_equal(model.transform(X), alone.transform(X))
    assert model.history_ == alone.history_
    assert model.adversary_ is None
    assert model.adversary == "auto"
    assert len(model.speakers_) == 0
    for estimator in (model, alone, MEnAN(None)):
        assert not hasattr(estimator, "predict_speaker_proba")
    assert hasattr(MEnAN(), "predict_speaker_proba")


@pytest.mark.parametrize("kind", LACKS)
@pytest.mark.parametrize("adversary", ADVERSARIES[:-1])
def test_without_two_speakers_an_adversary_by_name_is_refused(adversary, kind):
    X, y, _ = speech()
    groups, why = too_few(kind, len(X))
    with pytest.raises(ValueError, match=rf"MEnAN\(adversary='{adversary}'\).*{why}"):
        MEnAN(adversary, max_epochs=1).fit(X, y, groups=groups)


def test_auto_is_the_adversary_of_the_paper_where_there_are_speakers():
    settings = {"max_epochs": 2}
    auto, X, *_ = trained("auto", **settings)
    named, *_ = trained("entropy", **settings)
    assert auto.adversary_ == named.adversary_ == "entropy"
    np.testing.assert_array_equal(auto.transform(X), named.transform(X))
    again = pickle.loads(pickle.dumps(auto))
    assert again.adversary_ == "entropy"
    np.testing.assert_array_equal(again.transform(X), auto.transform(X))


def test_learning_rate_decays_by_the_polynomial():
    for power, expected in ((1.0, [1.0, 0.75, 0.5, 0.25]), (0.0, [1.0] * 4)):
        model, *_ = trained("entropy", max_epochs=4, lr=0.01, lr_power=power)
        rates = [epoch["lr"] for epoch in model.history_]
        np.testing.assert_allclose(rates, 0.01 * np.array(expected))


def test_the_warning_names_the_line_of_the_user():
    X, y, speaker = speech(n_speakers=2)
    menan = MEnAN(max_epochs=1, early_stopping=True)
    with pytest.warns(UserWarning, match="fewer after early stopping has") as caught:
        menan.fit(X, y, groups=speaker)
    assert caught[0].filename == __file__
    menan.set_params(adversary="multitask")
    with pytest.raises(ValueError, match="fewer after early stopping has"):
        menan.fit(X, y, groups=speaker)


def test_early_stopping_without_emotions_to_watch():
    X, y, speaker = speech()
    menan = MEnAN(max_epochs=1, early_stopping=True, random_state=0)
    held_out = menan.fit(X, y, groups=speaker).validation_groups_
    labels = np.where(np.isin(speaker, held_out), None, y)
    with pytest.raises(ValueError, match=r"held-out speakers .* none is known"):
        menan.fit(X, labels, groups=speaker)


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_early_stopping_watches_the_emotions(weight):
    X, y, speaker = speech()
    menan = MEnAN(
        emotion_weight=weight, max_epochs=4, n_iter_no_change=1, tol=10.0,
        early_stopping=True, random_state=0,
    ).fit(X, y, groups=speaker)  # fmt: skip
    assert len(menan.history_) == 2  # stopped
    for epoch in menan.history_:
        assert epoch["valid_loss"] == epoch["valid_emotion_loss"] > 0.1
        assert "lr" in epoch


def test_the_net_reverses_the_gradient_of_its_adversary_alone():
    X, y, speaker = speech(n_speakers=2, n_of_speaker=6)
    for adversary in ADVERSARIES:
        model = MEnAN(adversary, max_epochs=1, random_state=0)
        module = model.fit(X, y, groups=speaker).net_.module_
        assert module.reverse == (adversary == "gradient_reversal")
        assert (module.speaker_head is None) == (adversary is None)


@pytest.mark.parametrize("weight", [0.2, 0.7])
@pytest.mark.parametrize(
    ("adversary", "term", "sign"),
    [
        ("entropy", "speaker_entropy", -1),
        ("multitask", "speaker_loss", 1),
        ("gradient_reversal", "speaker_loss", 1),
    ],
)
def test_weight_of_the_emotions_reaches_the_loss(adversary, term, sign, weight):
    X, y, speaker = speech(n_speakers=2, n_of_speaker=9)
    model = MEnAN(adversary, emotion_weight=weight, max_epochs=2, random_state=0)
    for epoch in model.fit(X, y, groups=speaker).history_:
        expected = weight * epoch["train_emotion_loss"]
        expected += sign * (1 - weight) * epoch[f"train_{term}"]
        assert epoch["train_loss"] == pytest.approx(expected, abs=1e-5)


def test_emotions_need_a_weight():
    X, y, speaker = speech(n_speakers=2, n_of_speaker=6)
    with pytest.raises(ValueError, match="'emotion_weight' parameter of MEnAN"):
        MEnAN(emotion_weight=0).fit(X, y, groups=speaker)


def test_class_weights_reach_the_loss_of_the_emotions():
    X, y, speaker = speech(n_speakers=2, n_of_speaker=9)
    of_class = {"anger": 0.5, "neutral": 1.0, "sadness": 4.0}
    settings = {"max_epochs": 1, "lr": 1e-12, "random_state": 0}
    model = MEnAN(class_weight=of_class, **settings).fit(X, y, groups=speaker)
    codes = np.searchsorted(model.classes_, y)
    losses = -model.predict_log_proba(X)[np.arange(len(X)), codes]
    expected = np.mean([of_class[e] * loss for e, loss in zip(y, losses, strict=True)])
    found = model.history_[0]["train_emotion_loss"]
    assert found == pytest.approx(expected, abs=1e-5)
    assert abs(found - losses.mean()) > 0.1


def test_means_of_an_epoch_count_what_is_known():
    """Of one utterance in each batch, half of them without emotion or speaker."""
    X, y, speaker = speech(n_speakers=2, n_of_speaker=8)
    some = np.arange(16) % 2 == 0
    settings = {"max_epochs": 1, "batch_size": 1, "lr": 1e-12, "random_state": 0}
    model = MEnAN(standardize=False, **settings).fit(
        X, np.where(some, y, None), groups=np.where(some, None, speaker)
    )
    first = model.history_[0]
    of_emotion = -model.predict_log_proba(X)[
        some, np.searchsorted(model.classes_, y)[some]
    ]
    assert first["train_emotion_loss"] == pytest.approx(of_emotion.mean(), abs=1e-5)
    told = np.log(model.predict_speaker_proba(X)[~some])
    right = told[np.arange(8), np.searchsorted(model.speakers_, speaker[~some])]
    assert first["train_speaker_loss"] == pytest.approx(-right.mean(), abs=1e-5)
    entropy = -(np.exp(told) * told).sum(axis=1)
    assert first["train_speaker_entropy"] == pytest.approx(entropy.mean(), abs=1e-5)


def test_nothing_of_the_speaker_head_moves_without_speakers(monkeypatch):
    """Not even by the momentum of earlier steps."""
    from sklearn_ser.methods.menan._adversary import AdversarialNet

    X, y, speaker = speech(n_speakers=2, n_of_speaker=8)
    some = np.where(np.arange(16) < 8, speaker, None)
    some[:2] = "s1"
    steps = []
    descend = AdversarialNet.descend

    def watched(net, loss, batch):
        steps.append(bool((batch["speaker"] >= 0).any()))
        descend(net, loss, batch)

    monkeypatch.setattr(AdversarialNet, "descend", watched)
    MEnAN(max_epochs=1, batch_size=1, random_state=0).fit(X, y, groups=some)
    assert len(steps) == 2 * 8 + 8


def test_sizes_may_be_integers_of_numpy():
    X, y, _ = speech(n_speakers=2, n_of_speaker=6)
    model = MEnAN(None, hidden_size=np.int64(4), max_epochs=np.int64(1)).fit(X, y)
    assert model.transform(X).shape == (12, 12)


def test_early_stopping_knows_only_the_speakers_that_are_trained_on():
    X, y, speaker = speech()
    model = MEnAN(early_stopping=True, max_epochs=3, random_state=0)
    model.fit(X, y, groups=speaker)
    held_out = set(model.validation_groups_)
    assert held_out | set(model.speakers_) == set(speaker)
    assert not held_out & set(model.speakers_)
    assert model.net_.module_.speaker_head[-1].out_features == 3
    assert "valid_emotion_loss" in model.history_[0]
    assert "valid_speaker_entropy" not in model.history_[0]


def test_history_tells_how_both_sides_fare():
    model, *_ = trained("entropy", max_epochs=2)
    assert {"train_loss", "train_emotion_loss", "train_speaker_entropy"} < set(
        model.history_[0]
    )
    assert 0 <= model.history_[0]["train_speaker_entropy"] <= np.log(4) + 1e-6
    assert "train_speaker_loss" in model.history_[0]


def test_names_of_the_outputs():
    model, X, *_ = trained(None, max_epochs=1)
    names = model.get_feature_names_out()
    assert names[0] == "menan0"
    assert len(names) == 24
    table = model.set_output(transform="pandas").transform(X)
    assert list(table.columns) == list(names)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_ragged_and_cyclic_frames_both_work(seed):
    X, y, speaker = speech(n_speakers=2, n_of_speaker=6, seed=seed)
    cyclic = np.stack([x[np.arange(60) % len(x)] for x in X])
    for data in (X, cyclic):
        model = MEnAN(max_epochs=1, random_state=0).fit(data, y, groups=speaker)
        assert np.isfinite(model.transform(data)).all()


# --- routing ---------------------------------------------------------------


class AlignedMEnAN(MEnAN):
    """MEnAN that refuses speakers that are not of its utterances."""

    def fit(self, X, y, *, groups=None):
        np.testing.assert_array_equal(groups, [int(x[0, 0]) // 8 for x in X])
        return super().fit(X, y, groups=groups)


@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_speakers_reach_the_adversary(routing, n_jobs):
    rng = np.random.default_rng(0)
    number = np.arange(48)
    X = [np.c_[np.full(9, i), rng.normal(i % 2, size=(9, 3))] for i in number]
    y, speaker = number % 2, number // 8
    pipeline = make_pipeline(AlignedMEnAN(max_epochs=1, random_state=0))
    with sklearn.config_context(enable_metadata_routing=routing):
        told = {} if routing else {"alignedmenan__groups": speaker}
        search = GridSearchCV(
            pipeline,
            {"alignedmenan__adversary": ["entropy", "gradient_reversal"]},
            cv=GroupKFold(3),
            error_score="raise",
            n_jobs=n_jobs,
        )
        search.fit(X, y, groups=speaker, **told)
        assert len(search.best_estimator_[0].speakers_) == 6
        params = told if not routing else {"groups": speaker}
        splitter = {} if routing else {"groups": speaker}
        result = cross_validate(
            pipeline, X, y, cv=GroupKFold(3), params=params, error_score="raise",
            n_jobs=n_jobs, **splitter,
        )  # fmt: skip
        assert len(result["test_score"]) == 3
