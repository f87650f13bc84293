"""What holds for all recipes."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import LogMel, SequencePooling, recipes
from sklearn_ser.datasets import make_emotional_speech
from tests.features.encoders import make_encoder

# The others differ from these in parameters alone.
QUICK = {"contrastive_siamese", "cvae_lstm", "metric_dae"}
EPOCHS = {"max_epochs", "feature_epochs", "pretraining_epochs"}


def test_recipes_clone_and_share_nothing():
    first, second = recipes.metric_dae(), recipes.metric_dae()
    first.set_params(svc__C=7.0)
    assert second["svc"].C == 1.0
    assert clone(first)["svc"].C == 7.0


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=2, n_repetitions=1)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Return the folder of a tiny speech encoder."""
    return str(make_encoder("whisper", tmp_path_factory.mktemp("encoder")))


def fitted(name, corpus, encoder):
    """Fit a recipe as briefly as can be."""
    model = getattr(recipes, name)()
    if name == "embedding_svc":
        model = recipes.embedding_svc(encoder, layers=[0, 2], C=[0.01])
    params = model.get_params()
    brief = {key: 1 for key in params if key.rpartition("__")[2] in EPOCHS}
    seeds = {key: 0 for key in params if key.rpartition("__")[2] == "random_state"}
    model.set_params(**brief, **seeds)
    steps = {key.rpartition("__")[2] for key in params}
    metadata = {
        "menan__groups": corpus.speaker,
        "gridsearchcv__groups": corpus.speaker,
        "metricdae__activation": corpus.activation,
    }
    given = {key: x for key, x in metadata.items() if key.partition("__")[0] in steps}
    return model.fit(corpus.audio, corpus.emotion, **given)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PseudoSiameseGated has no auxiliary corpora")
@pytest.mark.parametrize(
    "container", ["pandas", pytest.param("polars", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in recipes.__all__
    ],
)
def test_recipes_work_under_any_container(name, container, corpus, encoder):
    pytest.importorskip(container)
    expected = fitted(name, corpus, encoder).predict(corpus.audio)
    with sklearn.config_context(transform_output=container):
        model = fitted(name, corpus, encoder)
        np.testing.assert_array_equal(model.predict(corpus.audio), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_a_container_for_a_whole_pipeline(container, corpus):
    pytest.importorskip(container)
    model = make_pipeline(LogMel(duration=0.5), SequencePooling(), StandardScaler())
    expected = model.fit_transform(corpus.audio)
    assert model[0].transform(corpus.audio).dtype == object
    table = clone(model).set_output(transform=container).fit_transform(corpus.audio)
    assert type(table).__module__.startswith(container)
    np.testing.assert_allclose(table.to_numpy(), expected, rtol=1e-4, atol=1e-5)
    assert len(table.columns) == expected.shape[1]
