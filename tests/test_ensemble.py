"""The mean over seeds: by hand, under both ways of routing, and by all checks."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ser import (
    MFCC,
    MEnAN,
    MetricDAERegressor,
    SeedEnsemble,
    SequenceClassifier,
)
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from tests.estimators import data_for

BRIEF = {"hidden_size": 4, "max_epochs": 2}


@parametrize_with_checks(
    [
        SeedEnsemble(SequenceClassifier(hidden_size=16, lr=0.01), n_estimators=2),
        SeedEnsemble(MetricDAERegressor(max_epochs=20), n_estimators=2),
    ]
)
@pytest.mark.slow
def test_all_scikit_learn_checks(estimator, check):
    check(estimator)


def data():
    X, emotion, _, metadata = data_for(SequenceClassifier())
    return X, emotion, metadata["groups"]


def test_probabilities_are_means_over_members_of_other_seeds():
    X, y, _ = data()
    one = SequenceClassifier(**BRIEF)
    model = SeedEnsemble(one, n_estimators=3, random_state=0).fit(X, y)
    seeds = [member.random_state for member in model.estimators_]
    assert len(set(seeds)) == 3
    assert one.random_state is None
    each = [clone(one).set_params(random_state=s).fit(X, y) for s in seeds]
    expected = np.mean([member.predict_proba(X) for member in each], axis=0)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    predicted = model.classes_[expected.argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), predicted)
    assert model.score(X, y) == np.mean(predicted == y)


def test_ratings_are_means_of_predictions():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    inside = make_pipeline(StandardScaler(), MetricDAERegressor(max_epochs=2))
    model = SeedEnsemble(inside, n_estimators=2, random_state=0).fit(X, y)
    expected = np.mean([member.predict(X) for member in model.estimators_], axis=0)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert expected.shape == (30, 2)
    assert not hasattr(model, "predict_proba")


@pytest.mark.slow
def test_same_numbers_in_workers_and_again():
    X, y, _ = data()
    model = SeedEnsemble(SequenceClassifier(**BRIEF), n_estimators=2, random_state=0)
    alone = model.fit(X, y).predict_proba(X)
    workers = clone(model).set_params(n_jobs=2).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(workers, alone)


@pytest.mark.parametrize("routing", [True, False])
def test_speakers_reach_every_member(routing):
    X, y, groups = data()
    with sklearn.config_context(enable_metadata_routing=routing):
        model = SeedEnsemble(MEnAN(**BRIEF), n_estimators=2, random_state=0)
        model.fit(X, y, groups=groups)
        assert all(len(member.speakers_) > 1 for member in model.estimators_)
        if routing:
            search = GridSearchCV(
                model, {"estimator__hidden_size": [3, 4]}, cv=GroupKFold(2)
            ).fit(X, y, groups=groups)
            assert len(search.best_estimator_.estimators_[0].speakers_) > 1


def test_what_cannot_be_averaged_is_refused():
    X, y = np.eye(4), [0, 1, 0, 1]
    with pytest.raises(ValueError, match="several GaussianNB, but none of its para"):
        SeedEnsemble(GaussianNB()).fit(X, y)
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
        SeedEnsemble(LinearSVC()).fit(X, y)


@pytest.mark.parametrize("routing", [True, False])
def test_an_evaluation_hands_the_speakers_on(routing):
    corpus = make_emotional_speech(n_speakers=4, n_repetitions=1)
    inside = SeedEnsemble(MEnAN(**BRIEF), n_estimators=2, random_state=0)
    with sklearn.config_context(enable_metadata_routing=routing):
        model = make_pipeline(MFCC(), inside)
        result = evaluate_by_speaker(model, corpus, cv=2)
    for fold in result.estimators:
        for member in fold[-1].estimators_:
            assert len(member.speakers_) == 2
