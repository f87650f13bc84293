"""The recipes of Latif et al.: published settings, from recordings to emotions."""

import pytest
import sklearn

from sklearn_ser import recipes
from sklearn_ser.metrics import ua_score


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


@pytest.mark.slow
@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize(
    "variant",
    ["cvae", *(pytest.param(name, marks=pytest.mark.slow) for name in ("vae", "ae"))],
)
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
