"""The recipes hold the published settings, and run in both routing modes."""

from dataclasses import replace

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict

from sklearn_ser import PseudoSiameseGated, SpectrogramSegmenter, recipes
from sklearn_ser.datasets import AuxiliaryCorpora, make_emotional_speech
from sklearn_ser.metrics import ua_score


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=4, n_repetitions=3)


def test_reference_settings():
    pipeline = recipes.egemaps_svc()
    svc = pipeline["svc"]
    assert (svc.kernel, svc.C, svc.class_weight) == ("linear", 0.01, "balanced")
    assert list(pipeline.named_steps) == ["egemaps", "standardscaler", "svc"]


def test_metric_dae_settings():
    pipeline = recipes.metric_dae(("act", "val"), random_state=3, on_error="warn")
    assert list(pipeline.named_steps) == [
        *("egemaps", "standardscaler", "metricdae", "svc")
    ]
    dae = pipeline["metricdae"]
    assert (dae.label, dae.latent_dim, dae.lr) == (("act", "val"), 2, 1e-3)
    assert (dae.max_epochs, dae.batch_size, dae.random_state) == (50, 64, 3)
    svc = pipeline["svc"]
    assert (svc.kernel, svc.C, svc.class_weight) == ("linear", 1.0, "balanced")
    assert pipeline["egemaps"].on_error == "warn"
    assert recipes.metric_dae()["metricdae"].label == "act"


@pytest.mark.parametrize("routing", [True, False])
def test_the_main_job(corpus, routing, tmp_path):
    """Recordings → eGeMAPS → MetricDAE → SVC, under GroupKFold and GridSearchCV."""
    pipeline = recipes.metric_dae("act", random_state=0, memory=str(tmp_path))
    pipeline.set_params(metricdae__max_epochs=20)
    grid = GridSearchCV(
        pipeline,
        {"metricdae__latent_dim": [2, 4], "svc__C": [0.1, 1]},
        cv=GroupKFold(2),
        scoring="balanced_accuracy",
        n_jobs=2,
        error_score="raise",
    )
    label = "activation" if routing else "metricdae__activation"
    with sklearn.config_context(enable_metadata_routing=routing):
        grid.fit(
            corpus.audio,
            corpus.emotion,
            groups=corpus.speaker,
            **{label: corpus.activation},
        )
    assert grid.cv_results_["mean_test_score"].shape == (4,)
    assert grid.best_score_ > 0.3
    assert set(grid.predict(corpus.audio[:3])) <= set(corpus.emotion)
    activation = grid.best_estimator_[:-1]
    assert activation.predict(corpus.audio).shape == (len(corpus),)


def test_the_reference_beats_chance_by_far(corpus):
    predicted = cross_val_predict(
        recipes.egemaps_svc(n_jobs=2),
        corpus.audio,
        corpus.emotion,
        groups=corpus.speaker,
        cv=GroupKFold(4),
    )
    assert ua_score(corpus.emotion, predicted) > 0.5


def test_recipes_clone_and_share_nothing(corpus):
    first, second = recipes.metric_dae(), recipes.metric_dae()
    first.set_params(svc__C=7.0)
    assert second["svc"].C == 1.0
    assert clone(first)["svc"].C == 7.0


@pytest.mark.parametrize("variant", ["cvae", "vae", "ae"])
def test_autoencoder_settings(variant):
    recipe = getattr(recipes, f"{variant}_lstm")
    pipeline = recipe(random_state=3, on_error="warn", early_stopping=True, n_jobs=2)
    assert list(pipeline.named_steps) == [
        *("logmelsegmenter", "cvae", "sequenceclassifier")
    ]
    front_end, encoder, classifier = pipeline
    assert (front_end.segment, front_end.n_mels) == (0.1, 80)
    assert (front_end.on_error, front_end.n_jobs) == ("warn", 2)
    assert (encoder.variant, encoder.condition) == (variant, "posterior")
    assert (encoder.hidden_sizes, encoder.latent_dim) == ((512, 256), 128)
    assert (classifier.n_layers, classifier.max_epochs) == (2, 20)
    assert classifier.class_weight == "balanced"
    assert encoder.random_state == classifier.random_state == 3
    assert encoder.early_stopping
    assert classifier.early_stopping


@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize("variant", ["cvae", "vae", "ae"])
def test_recordings_to_emotions_through_an_autoencoder(corpus, variant, routing):
    pipeline = getattr(recipes, f"{variant}_lstm")(random_state=0)
    pipeline.set_params(
        cvae__hidden_sizes=(32,), cvae__latent_dim=8, cvae__max_epochs=10,
        sequenceclassifier__lr=0.01,
    )  # fmt: skip
    pipeline.set_params(cvae__early_stopping=True, cvae__validation_fraction=0.3)
    groups = "groups" if routing else "cvae__groups"
    with sklearn.config_context(enable_metadata_routing=routing):
        pipeline.fit(corpus.audio, corpus.emotion, **{groups: corpus.speaker})
    predicted = pipeline.predict(corpus.audio)
    assert ua_score(corpus.emotion, predicted) > 0.4  # chance is 0.25
    assert len(pipeline["cvae"].validation_groups_) == 2


def test_contrastive_siamese_settings():
    pipeline = recipes.contrastive_siamese(random_state=3, on_error="nan", n_jobs=2)
    front_end, siamese = pipeline
    assert (front_end.n_mfcc, front_end.window, front_end.hop) == (13, 0.025, 0.010)
    assert (front_end.duration, front_end.on_error) == (None, "nan")
    assert (siamese.n_frames, siamese.n_filters, siamese.lr) == (898, 100, 1e-4)
    assert (siamese.pairs, siamese.position) == ("random", "features")
    assert (siamese.distance, siamese.testing) == ("cosine", "average")
    assert (siamese.class_weight, siamese.random_state) == ("balanced", 3)


@pytest.mark.parametrize("name", ["menan", "dat"])
def test_menan_settings(name):
    model = getattr(recipes, name)(random_state=3, on_error="warn", early_stopping=True)
    assert model.factors == (0.8, 0.9, 1.1, 1.2)
    front_end, menan = model.estimator
    assert (front_end.n_mels, front_end.window, front_end.hop) == (40, 0.040, 0.010)
    assert (front_end.duration, front_end.shorter) == (14.0, "repeat")
    assert front_end.on_error == "warn"
    assert (menan.lr, menan.batch_size, menan.max_epochs) == (1e-3, 16, 300)
    assert (menan.emotion_weight, menan.hidden_size) == (0.5, 32)
    assert (menan.kernel_sizes, menan.head_sizes) == ((10, 5), (32, 10))
    assert menan.adversary == {"menan": "entropy", "dat": "gradient_reversal"}[name]
    assert (menan.class_weight, menan.random_state) == ("balanced", 3)
    assert menan.early_stopping


@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize("name", ["menan", "dat"])
def test_recordings_to_emotions_against_an_adversary(corpus, name, routing):
    model = getattr(recipes, name)(
        max_epochs=10, shorter="keep", factors=(1.1,), random_state=0
    )
    groups = "groups" if routing else "menan__groups"
    with sklearn.config_context(enable_metadata_routing=routing):
        model.fit(corpus.audio, corpus.emotion, **{groups: corpus.speaker})
        predicted = model.predict(corpus.audio)
    assert ua_score(corpus.emotion, predicted) > 0.4  # chance is 0.25
    assert len(model.estimator_["menan"].speakers_) == 4


@pytest.mark.parametrize("routing", [True, False])
def test_recordings_to_emotions_by_pairs(corpus, routing):
    model = recipes.contrastive_siamese(n_frames=150, random_state=0)
    model.set_params(contrastivesiamese__lr=1e-3)
    model.set_params(contrastivesiamese__auxiliary="gender")
    gender = "gender" if routing else "contrastivesiamese__gender"
    with sklearn.config_context(enable_metadata_routing=routing):
        model.fit(corpus.audio, corpus.emotion, **{gender: corpus.gender})
    assert ua_score(corpus.emotion, model.predict(corpus.audio)) > 0.4


# Fusion and triplets of the models of Gao et al.
LADDER = {
    "pseudo_siamese_gated": ("gate", "random"),
    "psn": ("concatenate", "random"),
    "pt_g": ("gate", None),
    "pt": ("concatenate", None),
    "cnn_blstm": (None, "random"),
}


@pytest.fixture(scope="module")
def others():
    return make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=1)


@pytest.mark.parametrize("name", LADDER)
def test_pseudo_siamese_settings(name):
    pipeline = getattr(recipes, name)(
        random_state=3, on_error="nan", early_stopping=True, n_jobs=2, max_epochs=7
    )
    assert list(pipeline.named_steps) == ["spectrogramsegmenter", "pseudosiamesegated"]
    front_end, classifier = pipeline
    assert (front_end.segment, front_end.window, front_end.hop) == (
        0.265,
        0.025,
        7.5e-3,
    )
    assert front_end.segment_shape == classifier.segment_shape == (32, 129)
    assert (front_end.on_error, front_end.n_jobs) == ("nan", 2)
    assert (classifier.fusion, classifier.triplets) == LADDER[name]
    assert tuple(classifier.pretraining_weights) == (0.3, 0.3, 0.4)
    assert tuple(classifier.feature_weights) == (0.6, 0.2, 0.2)
    assert (classifier.batch_size, classifier.max_epochs) == (128, 7)
    assert (classifier.class_weight, classifier.random_state) == ("balanced", 3)
    assert classifier.early_stopping
    assert classifier.auxiliary_corpora is classifier.memory is None


def test_pseudo_siamese_epochs_are_those_of_the_estimator():
    epochs = ("pretraining_epochs", "feature_epochs", "max_epochs")
    of_recipe = recipes.pseudo_siamese_gated()[-1].get_params()
    of_estimator = PseudoSiameseGated().get_params()
    assert [of_recipe[name] for name in epochs] == [
        of_estimator[name] for name in epochs
    ]


@pytest.mark.parametrize("preset", ["gao2021_s1", "gao2021_s2"])
def test_auxiliary_corpora_come_from_the_front_end_of_the_recipe(others, preset):
    front_end = SpectrogramSegmenter.from_preset(preset)
    expected = AuxiliaryCorpora.from_corpora(others, front_end)
    corpora = [others, replace(others, name="twice")]
    for given, n in ((others, 1), (corpora, 2), (iter(corpora), 2)):
        pipeline = recipes.psn(given, preset=preset)
        made = pipeline[-1].auxiliary_corpora
        assert pipeline[0].get_params() == front_end.get_params()
        assert len(made.names) == n
        np.testing.assert_array_equal(made.segments[: len(expected)], expected.segments)
    # The presets differ in nothing but the values: the size would not tell.
    assert expected.n_features == 32 * 129
    assert recipes.pt(expected)[-1].auxiliary_corpora is expected


@pytest.mark.parametrize(
    "setting", [{"auxiliary_corpora": None}, {"pretraining_epochs": 7}]
)
def test_there_is_no_pre_training_without_an_autoencoder(setting):
    (name,) = setting
    message = rf"cnn_blstm\(\) takes no {name}: .* nothing to pre-train"
    with pytest.raises(TypeError, match=message):
        recipes.cnn_blstm(**setting)
    with pytest.raises(TypeError, match="takes 0 positional arguments"):
        recipes.cnn_blstm(None)


def test_a_front_end_that_is_changed_needs_another_shape_of_segments(corpus):
    """Or 64 frames of 129 bins would be taken for 32 of 258."""
    model = recipes.cnn_blstm().set_params(spectrogramsegmenter__segment=0.505)
    assert model[0].segment_shape == (64, 129)
    with pytest.raises(ValueError, match=r"segment_shape=\(32, 129\) must be"):
        model.fit(corpus.audio[:4], corpus.emotion[:4])


@pytest.mark.parametrize("routing", [True, False])
def test_recordings_to_emotions_with_other_corpora(corpus, others, routing):
    """It runs, and predicts: in so few epochs nothing is learned."""
    front_end = SpectrogramSegmenter(f_max=500.0)
    model = recipes.pseudo_siamese_gated(
        AuxiliaryCorpora.from_corpora(others, front_end), early_stopping=True,
        pretraining_epochs=1, feature_epochs=1, max_epochs=2, random_state=0,
    ).set_params(
        spectrogramsegmenter__f_max=500.0,
        pseudosiamesegated__segment_shape=front_end.segment_shape,
    )  # fmt: skip
    groups = "groups" if routing else "pseudosiamesegated__groups"
    with sklearn.config_context(enable_metadata_routing=routing):
        model.fit(corpus.audio, corpus.emotion, **{groups: corpus.speaker})
    assert set(model.predict(corpus.audio[:5])) <= set(corpus.emotion)
    assert model.transform(corpus.audio[:5]).shape == (5, 256)
    assert len(model[-1].pretraining_history_) == 1
    assert len(model[-1].validation_groups_) == 1


def test_the_ladder_shares_segments_and_branches(corpus, others, tmp_path):
    settings = {
        "pretraining_epochs": 1,
        "feature_epochs": 1,
        "max_epochs": 1,
        "random_state": 0,
        "memory": tmp_path,  # a Path: what is stored is text
    }
    ours = corpus.select(np.arange(len(corpus)) < 8)
    fitted = {}
    for name in ("pt", "pt_g"):
        model = getattr(recipes, name)(others, **settings)
        fitted[name] = model.fit(ours.audio, ours.emotion)[-1]
    assert len(list(tmp_path.rglob("learn_branches/*/output.pkl"))) == 1
    assert len(list(tmp_path.rglob("output.pkl"))) == 1 + len(ours) + len(others)
    assert fitted["pt"].feature_history_ == fitted["pt_g"].feature_history_
    with_gate, without = (fitted[name].transform(
        model[0].transform(ours.audio)) for name in ("pt_g", "pt"))  # fmt: skip
    assert not np.allclose(with_gate, without)


@pytest.mark.corpus
def test_emodb_by_speaker(data_home):
    """The reference number of the field, within a point."""
    from sklearn.model_selection import LeaveOneGroupOut

    from sklearn_ser.datasets import load_emodb

    corpus = load_emodb(data_home / "emodb")
    predicted = cross_val_predict(
        recipes.egemaps_svc(n_jobs=2)[1:],
        recipes.egemaps_svc(n_jobs=2)[0].transform(corpus.audio),
        corpus.emotion,
        groups=corpus.speaker,
        cv=LeaveOneGroupOut(),
    )
    assert ua_score(corpus.emotion, predicted) == pytest.approx(0.67, abs=0.01)
    assert np.unique(predicted).size == 7
