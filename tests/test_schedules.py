"""Recipes for few speakers, and on other features than the papers'."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_ser import MFCC, LogMel, MEnAN, recipes
from sklearn_ser._schedules import SMALL_CORPUS, follow_schedule
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.sequences import join_frames

NETWORKS = [x for x in recipes.__all__ if getattr(recipes, x).needs.schedule]


def of_networks(model):
    """Return the parameters of the steps that are trained by a schedule."""
    pipeline = getattr(model, "estimator", model)
    params = [step.get_params(deep=False) for _, step in pipeline.steps]
    return [of_step for of_step in params if "schedule" in of_step]


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_of_a_recipe_follows(name):
    recipe = getattr(recipes, name)
    changed = SMALL_CORPUS.items()
    for of_step in of_networks(recipe()):
        assert of_step["schedule"] == "paper"
        assert of_step.get("dropout", 0) == 0 == of_step["weight_decay"]
    followed = of_networks(recipe(schedule="small_corpus"))
    assert followed
    for of_step in followed:
        assert {**of_step, **{k: v for k, v in changed if k in of_step}} == of_step
    with pytest.raises(ValueError, match="must be 'paper' or 'small_corpus', got 'big"):
        recipe(schedule="big_corpus")


def test_what_an_estimator_lacks_is_left_out():
    encoder = recipes.cvae_lstm()["cvae"]
    assert follow_schedule("small_corpus", encoder)
    assert encoder.weight_decay == SMALL_CORPUS["weight_decay"]
    assert not hasattr(encoder, "dropout")
    assert not follow_schedule("paper", MEnAN())


def test_an_autoencoder_for_few_speakers_keeps_more_than_the_label():
    small = recipes.metric_dae(schedule="small_corpus")["metricdae"]
    assert (small.hidden_sizes, small.latent_dim, small.metric_weight) == ((), 64, 0.01)
    assert recipes.metric_dae()["metricdae"].latent_dim == 2


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=2, n_repetitions=1)


def segments():
    joined = FunctionTransformer(join_frames, kw_args={"n_frames": 8})
    return make_pipeline(MFCC(duration=None), joined)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PseudoSiameseGated has no auxiliary corpora")
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_take_other_features(name, corpus):
    front_end = LogMel(16, duration=None)
    if hasattr(recipes, name) and getattr(recipes, name).needs.auxiliary_corpora:
        front_end = segments()
    settings = {"factors": ()} if name in ("menan", "dat") else {}
    if name == "metric_dae":
        front_end = make_pipeline(front_end, FunctionTransformer(means))
        settings = {"label": None}
    if name == "cnn_blstm":
        front_end = segments()
    model = getattr(recipes, name)(
        front_end=front_end, schedule="small_corpus", random_state=0, **settings
    )
    epochs = {
        key: 1
        for key in model.get_params()
        if key.endswith(("max_epochs", "feature_epochs", "pretraining_epochs"))
    }
    model.set_params(**epochs)
    given = {"menan__groups": corpus.speaker} if "factors" in settings else {}
    model.fit(corpus.audio, corpus.emotion, **given)
    assert np.isin(model.predict(corpus.audio), corpus.emotion).all()


def means(sequences):
    return np.array([frames.mean(axis=0) for frames in sequences])


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({}, 300),
        ({"factors": ()}, 300),
        ({"schedule": "small_corpus"}, 6),
        ({"schedule": "small_corpus", "factors": (0.9,)}, 15),
        ({"schedule": "small_corpus", "factors": ()}, 30),
        ({"schedule": "small_corpus", "factors": (), "max_epochs": 7}, 7),
    ],
)
def test_passes_of_menan(settings, epochs):
    assert recipes.menan(**settings).estimator["menan"].max_epochs == epochs
