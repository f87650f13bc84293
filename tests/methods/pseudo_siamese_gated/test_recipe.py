"""The recipes of Gao et al.: the ladder, other corpora, in both routing modes."""

from dataclasses import replace

import numpy as np
import pytest
import sklearn

from sklearn_ser import PseudoSiameseGated, SpectrogramSegmenter, recipes
from sklearn_ser.datasets import AuxiliaryCorpora, make_emotional_speech

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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert len(list(tmp_path.rglob("*.npy"))) == len(ours) + len(others)
    assert fitted["pt"].feature_history_ == fitted["pt_g"].feature_history_
    with_gate, without = (fitted[name].transform(
        model[0].transform(ours.audio)) for name in ("pt_g", "pt"))  # fmt: skip
    assert not np.allclose(with_gate, without)
