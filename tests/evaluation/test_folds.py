"""Probabilities of held-out utterances, estimators for recordings, and a last fit."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_ser import (
    EGeMAPS,
    LogMel,
    MetricDAE,
    SequencePooling,
    SpeakerScaler,
    recipes,
)
from sklearn_ser.evaluation import evaluate_by_speaker

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())


class Counting(TransformerMixin, BaseEstimator):
    """Counts how many rows it has transformed; it has no fitted attributes."""

    rows = []

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        self.rows.append(len(X))
        return X


class InNameOnly(ClassifierMixin, BaseEstimator):
    """Has probabilities by name, but not really."""

    def __init__(self, gives=None):
        self.gives = gives

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X):
        if self.gives is None:
            raise NotImplementedError
        return np.ones((len(X), self.gives))


# Probabilities


@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize(
    "model",
    [
        LOGISTIC,
        DummyClassifier(),
        GridSearchCV(LOGISTIC, {"logisticregression__C": [0.1]}, cv=GroupKFold(2)),
        make_pipeline(StandardScaler(), None, LogisticRegression()),
    ],
    ids=["pipeline", "dummy", "search", "left out"],
)
def test_probabilities_are_those_by_hand(corpus, table, model, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        result = evaluate_by_speaker(model, corpus, features=table)
        assert result.probability_classes == sorted({*corpus.emotion})
        assert result.probabilities.dtype == np.float64
        inside = getattr(model, "estimator", model)
        for train, test in LeaveOneGroupOut().split(table, groups=corpus.speaker):
            fitted = clone(inside).set_params(
                **({"logisticregression__C": 0.1} if inside is not model else {})
            )
            fitted.fit(table[train], corpus.emotion[train])
            np.testing.assert_array_equal(
                result.probabilities[test], fitted.predict_proba(table[test])
            )
            np.testing.assert_array_equal(
                result.predicted[test], fitted.predict(table[test])
            )


def test_a_class_that_a_fold_lacks_has_none(corpus, table):
    first = corpus.speaker == "speaker01"
    corpus = corpus.select(~((corpus.emotion == "sadness") & ~first))
    result = evaluate_by_speaker(GaussianNB(), corpus, features=table[: len(corpus)])
    column = result.probability_classes.index("sadness")
    assert (result.probabilities[corpus.speaker == "speaker01", column] == 0).all()
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_levels_by_height(corpus, table):
    result = evaluate_by_speaker(GaussianNB(), corpus, target="act", features=table)
    assert result.probability_classes == result.classes


@pytest.mark.parametrize(
    "model", [LinearSVC(), InNameOnly(), InNameOnly(gives=3)], ids=["svc", "no", "odd"]
)
def test_without_probabilities(corpus, table, model):
    result = evaluate_by_speaker(
        make_pipeline(StandardScaler(), model), corpus, features=table
    )
    assert result.probabilities is result.probability_classes is None


def test_steps_transform_once_for_both(corpus, table):
    Counting.rows.clear()
    model = make_pipeline(Counting(), GaussianNB())
    evaluate_by_speaker(model, corpus, cv=2, features=table)
    assert sum(Counting.rows) == 2 * len(corpus)  # each row in training and in test


def test_probabilities_of_normalised_speakers(corpus, table):
    """The steps ask for the speakers at the prediction, also of probabilities."""
    model = make_pipeline(SpeakerScaler(by="speaker"), GaussianNB())
    result = evaluate_by_speaker(model, corpus, features=table)
    best = np.array(result.probability_classes)[result.probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(result.predicted, best)


# Estimators for recordings


@pytest.mark.parametrize("container", ["default", "pandas"])
def test_estimators_predict_recordings(corpus, container, feature_cache):
    model = make_pipeline(EGeMAPS(on_error="nan", memory=str(feature_cache)), *LOGISTIC)
    model.set_output(transform=container)
    result = evaluate_by_speaker(model, corpus, cv=GroupKFold(3))
    for number, fitted in enumerate(result.estimators):
        held_out = result.fold == number
        np.testing.assert_array_equal(
            fitted.predict(corpus.audio[held_out]), result.predicted[held_out]
        )
        assert fitted[0].on_error == "nan"
        assert fitted[0] is not model[0]
    loaded = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(
        loaded.estimators[0].predict(corpus.audio), result.estimators[0].predict(
            corpus.audio)
    )  # fmt: skip
    assert result.embedding(0).shape == (len(corpus), 88)


def test_a_pooling_stands_before_them_too(corpus, feature_cache):
    front_end = LogMel(memory=str(feature_cache))
    model = make_pipeline(front_end, SequencePooling(), *LOGISTIC, memory=None)
    result = evaluate_by_speaker(model, corpus, cv=2)
    assert [name for name, _ in result.estimators[0].steps] == [*model.named_steps]
    assert len(result.learners[0]) == 2
    held_out = result.fold == 0
    np.testing.assert_array_equal(
        result.estimators[0].predict(corpus.audio[held_out]), result.predicted[held_out]
    )


# A fit on all speakers


@pytest.mark.parametrize("seeds", [None, [1, 2]])
def test_refit(corpus, seeds, feature_cache):
    model = recipes.metric_dae("act", random_state=0, memory=str(feature_cache))
    model.set_params(metricdae__max_epochs=1)
    result = evaluate_by_speaker(model, corpus, cv=2, seeds=seeds, refit=True)
    model = clone(model).set_params(metricdae__random_state=0 if seeds is None else 1)
    model.fit(corpus.audio, corpus.emotion, metricdae__activation=corpus.activation)
    refitted = pickle.loads(pickle.dumps(result.refitted))
    np.testing.assert_array_equal(
        refitted.predict(corpus.audio), model.predict(corpus.audio)
    )
    assert refitted.card_ == result.card
    assert len(result.estimators) == len(result.folds) == 2
    assert isinstance(refitted["metricdae"], MetricDAE)


def test_no_fit_on_all_speakers_unless_asked_for(corpus, table):
    assert evaluate_by_speaker(LOGISTIC, corpus, features=table).refitted is None
