"""The recipes of Li et al.: published settings, in both routing modes."""

import pytest
import sklearn

from sklearn_ser import recipes
from sklearn_ser.metrics import ua_score


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
    assert menan.adversary == {"menan": "auto", "dat": "gradient_reversal"}[name]
    assert (menan.class_weight, menan.random_state) == ("balanced", 3)
    assert menan.early_stopping


@pytest.mark.slow
@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize("name", ["menan", pytest.param("dat", marks=pytest.mark.slow)])
def test_recordings_to_emotions_against_an_adversary(
    corpus, feature_cache, name, routing
):
    model = getattr(recipes, name)(
        max_epochs=10, shorter="keep", factors=(1.1,), random_state=0,
        memory=str(feature_cache),
    )  # fmt: skip
    groups = "groups" if routing else "menan__groups"
    with sklearn.config_context(enable_metadata_routing=routing):
        model.fit(corpus.audio, corpus.emotion, **{groups: corpus.speaker})
        predicted = model.predict(corpus.audio)
    assert ua_score(corpus.emotion, predicted) > 0.4  # chance is 0.25
    fitted = model.estimator_["menan"]
    assert len(fitted.speakers_) == 4
    assert fitted.adversary_ == {"menan": "entropy", "dat": "gradient_reversal"}[name]
