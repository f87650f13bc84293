"""All methods of the library, and what is none of them, are evaluated by one call."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from sklearn_ser import recipes
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.metrics import ua_score
from tests.evaluation.helpers import log_mel
from tests.features.encoders import make_encoder

EPOCHS = {"max_epochs", "feature_epochs", "pretraining_epochs"}
# The others differ from these in parameters alone, or take long.
QUICK = {"contrastive_siamese"}


class Loudest(ClassifierMixin, BaseEstimator):
    """A user's own class, which has nothing of this library."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.inner_ = NearestCentroid().fit(np.asarray(X)[:, :1], y)
        return self

    def predict(self, X):
        return self.inner_.predict(np.asarray(X)[:, :1])


OTHERS = {
    "dummy": lambda: log_mel(DummyClassifier(strategy="stratified", random_state=0)),
    "logistic": lambda: log_mel(StandardScaler(), LogisticRegression()),
    "search": lambda: GridSearchCV(
        log_mel(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.01, 1.0]},
        cv=GroupKFold(2),
    ),
    "own": lambda: log_mel(Loudest()),
}


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=1)


def build(name, folder):
    """Make a model that is trained as briefly as can be."""
    if name in OTHERS:
        return OTHERS[name]()
    if name == "embedding_svc":
        encoder = str(make_encoder("whisper", folder))
        return recipes.embedding_svc(encoder, layers=[0, 2], C=[0.01])
    model = getattr(recipes, name)()
    params = {key: key.rpartition("__")[2] for key in model.get_params()}
    model.set_params(**{key: 1 for key, last in params.items() if last in EPOCHS})
    return model.set_params(
        **{key: 0 for key, last in params.items() if last == "random_state"}
    )


def by_hand(model, corpus):
    """Predict fold by fold as one would without the library, by step and name."""
    inside = {key.rpartition("__")[2] for key in model.get_params()}
    known = {
        "menan__groups": corpus.speaker,
        "gridsearchcv__groups": corpus.speaker,
        "metricdae__activation": corpus.activation,
        "groups": corpus.speaker if isinstance(model, GridSearchCV) else None,
    }
    given = {
        key: values
        for key, values in known.items()
        if values is not None and (key == "groups" or key.partition("__")[0] in inside)
    }
    predicted = np.empty_like(corpus.emotion)
    audio = corpus.audio
    folds = LeaveOneGroupOut().split(predicted, groups=corpus.speaker)
    for train, test in folds:
        of_fold = {key: values[train] for key, values in given.items()}
        fitted = clone(model).fit(audio[train], corpus.emotion[train], **of_fold)
        predicted[test] = fitted.predict(audio[test])
    return predicted


@pytest.mark.filterwarnings("ignore:PseudoSiameseGated has no auxiliary corpora")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in recipes.__all__
    ]
    + [*OTHERS],
)
def test_as_by_hand_in_both_modes_of_routing(name, corpus, tmp_path):
    model = build(name, tmp_path)
    expected = by_hand(model, corpus)
    for routing in (False, True):
        with sklearn.config_context(enable_metadata_routing=routing):
            evaluation = evaluate_by_speaker(model, corpus)
        np.testing.assert_array_equal(evaluation.predicted, expected)
        assert evaluation.ua == ua_score(corpus.emotion, expected)
        assert len(evaluation.estimators) == 3


def test_every_recipe_is_tried():
    assert {*recipes.__all__} >= QUICK
    assert not {*recipes.__all__} & {*OTHERS}
