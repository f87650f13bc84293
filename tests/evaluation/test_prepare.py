"""Features that are given in the place of recordings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EGeMAPS, SequenceClassifier, SequencePooling
from sklearn_ser.datasets import Corpus
from sklearn_ser.evaluation import evaluate_by_speaker

MODEL = make_pipeline(StandardScaler(), GaussianNB())


class Loudest(ClassifierMixin, BaseEstimator):
    """Takes objects of any kind."""

    def fit(self, X, y):
        assert all(isinstance(x, dict) for x in X)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_a_table_as_the_front_end_gives_it(corpus, feature_cache):
    front_end = EGeMAPS(memory=str(feature_cache))
    computed = evaluate_by_speaker(make_pipeline(front_end, *MODEL), corpus)
    for features in (
        computed.features,
        computed.features.tolist(),
        pd.DataFrame(computed.features),
    ):
        given = evaluate_by_speaker(MODEL, corpus, features=features)
        np.testing.assert_array_equal(given.predicted, computed.predicted)
        assert given.left_out == []
    assert given.embedding(0).shape == (len(corpus), 88)
    assert isinstance(given.features, pd.DataFrame)
    # The estimators then take features, too.
    held_out = given.fold == 0
    np.testing.assert_array_equal(
        given.estimators[0].predict(features[held_out]), given.predicted[held_out]
    )


@pytest.mark.parametrize("container", ["array", "table", "list", "list of rows"])
def test_rows_of_nan_are_left_out(corpus, table, container):
    features = table.copy()
    features[[2, 9]] = np.nan
    if container == "table":
        features = pd.DataFrame(features)
    elif container != "array":
        features = features.tolist() if container == "list" else [*features]
    result = evaluate_by_speaker(MODEL, corpus, features=features)
    assert result.left_out == ["utterance 2", "utterance 9"]
    kept = np.delete(np.arange(len(corpus)), [2, 9])
    whole = evaluate_by_speaker(MODEL, corpus.select(kept), features=table[kept])
    np.testing.assert_array_equal(result.predicted, whole.predicted)


@pytest.mark.parametrize("missing", [np.empty((0, 2)), None, np.nan])
@pytest.mark.parametrize("kind", [list, np.ndarray])
def test_sequences(corpus, missing, kind):
    rng = np.random.default_rng(0)
    features = np.empty(len(corpus), dtype=object)
    features[:] = [rng.normal(size=(n, 2)) for n in range(3, 3 + len(corpus))]
    features[4] = missing
    given = features.tolist() if kind is list else features
    model = make_pipeline(SequencePooling(), GaussianNB())
    result = evaluate_by_speaker(model, corpus, features=given)
    assert result.left_out == ["utterance 4"]
    deep = SequenceClassifier(hidden_size=4, max_epochs=1, random_state=0)
    assert len(evaluate_by_speaker(deep, corpus, cv=2, features=given).predicted) == 23


def test_objects_of_any_kind(corpus):
    features = [{"length": len(x)} for x, _ in corpus.audio]
    result = evaluate_by_speaker(Loudest(), corpus, features=features)
    assert set(result.predicted) == {"anger"}


def test_unrated_utterances_have_features_too(corpus, table):
    frame = corpus.frame.copy()
    frame.loc[[0, 5], "activation"] = np.nan
    features = np.column_stack([table, np.arange(len(corpus))])
    result = evaluate_by_speaker(
        DummyClassifier(), Corpus(frame, name="some"), target="act", features=features
    )
    assert result.features[:, 3].tolist() == [
        i for i in range(len(corpus)) if i not in (0, 5)
    ]


def test_no_recording_is_read(corpus, table):
    frame = corpus.frame.drop(columns=["waveform", "sampling_rate"])
    absent = Corpus(frame.assign(file="nowhere.wav"), name="absent")
    result = evaluate_by_speaker(MODEL, absent, features=table)
    assert result.card["corpus"]["audio"] is None
    assert result.card["features"]["given"] is True


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((3, 2)), "features has 3 rows, but the corpus synthetic has 24 utt"),
        (np.full((24, 2), np.nan), "None of the 24 recordings has features"),
    ],
)
def test_features_that_do_not_fit(corpus, features, message):
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(MODEL, corpus, features=features)


def test_a_front_end_beside_features(corpus, table, feature_cache):
    model = make_pipeline(EGeMAPS(memory=feature_cache), *MODEL)
    for estimator in (model, GridSearchCV(model, {}), make_pipeline(model)):
        with pytest.raises(ValueError, match="begins with a front end, which takes"):
            evaluate_by_speaker(estimator, corpus, features=table)


def test_the_corpus_is_not_changed(corpus, table):
    evaluate_by_speaker(MODEL, replace(corpus, name="other"), features=table)
    assert np.isfinite(table).all()
