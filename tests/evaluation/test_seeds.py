"""Several seeds in one call."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EGeMAPS, MetricDAE, recipes
from sklearn_ser.evaluation import evaluate_by_speaker

SEEDS = [3, 0, 7]


class Drawing(ClassifierMixin, BaseEstimator):
    """Draws a class for each utterance."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        rng = np.random.default_rng(self.random_state)
        return rng.choice(self.classes_, size=len(X))


@pytest.mark.parametrize("routing", [True, False])
def test_runs_are_those_of_single_calls(corpus, table, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        result = evaluate_by_speaker(Drawing(), corpus, features=table, seeds=SEEDS)
    assert [run.seed for run in result.runs] == SEEDS
    for run in result.runs:
        alone = evaluate_by_speaker(Drawing(run.seed), corpus, features=table)
        np.testing.assert_array_equal(run.predicted, alone.predicted)
        assert run.runs == (run,)
        assert alone.seed is None
        assert alone.runs == (alone,)
        assert alone.spread is run.spread is None
    for name in ("wa", "ua", "f1"):
        scores = [getattr(run, name) for run in result.runs]
        assert len({*scores}) > 1
        assert getattr(result, name) == pytest.approx(np.mean(scores))
        assert result.spread[name] == pytest.approx(np.std(scores, ddof=1))
    first = result.runs[0]
    np.testing.assert_array_equal(result.predicted, first.predicted)
    assert result.estimators is first.estimators
    assert result.seed == SEEDS[0]
    stored = result.to_dict()
    assert [run["seed"] for run in stored["runs"]] == SEEDS
    assert stored["spread"] == result.spread
    assert stored["ua"] == result.ua
    assert "sd of 3 runs" in str(result)


def test_all_steps_and_what_is_in_a_search_get_the_seed(corpus, table):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), ExtraTreesClassifier(2)),
        {"extratreesclassifier__max_depth": [1]}, cv=GroupKFold(2),
    )  # fmt: skip
    model = make_pipeline(StandardScaler(), search)
    result = evaluate_by_speaker(model, corpus, features=table, seeds=[5])
    assert result.estimators[0][-1].best_estimator_[-1].random_state == 5
    assert result.spread is None
    assert search.estimator[-1].random_state is None


def test_a_splitter_of_a_search_keeps_its_seed(corpus, table):
    cv = KFold(2, shuffle=True, random_state=1)
    search = GridSearchCV(Drawing(), {"random_state": [None]}, cv=cv)
    with pytest.warns(UserWarning, match="does not look at speakers"):
        result = evaluate_by_speaker(search, corpus, features=table, seeds=[5])
    assert result.estimators[0][-1].cv.random_state == 1


def test_the_front_end_runs_once_for_all(corpus, monkeypatch):
    calls = []
    transform = EGeMAPS.transform
    monkeypatch.setattr(
        EGeMAPS, "transform", lambda self, X: calls.append(len(X)) or transform(self, X)
    )
    evaluate_by_speaker(make_pipeline(EGeMAPS(), Drawing()), corpus, seeds=range(2))
    assert calls == [len(corpus)]


@pytest.mark.parametrize(
    ("seeds", "error", "message"),
    [
        (5, TypeError, r"seeds must be several integers, such as range\(5\), got 5"),
        ([0.5], TypeError, r"seeds must be integers, got 0\.5 among them"),
        ([True], TypeError, "got True among"),
        ([-1], ValueError, "seeds must be from 0 to 4294967295, got -1"),
        ([], ValueError, r"seeds must be different, and at least one, got \[\]"),
        ([1, np.int64(1)], ValueError, r"must be different, .* got \[1, 1\]"),
    ],
)
def test_what_are_no_seeds(corpus, table, seeds, error, message):
    with pytest.raises(error, match=message):
        evaluate_by_speaker(Drawing(), corpus, features=table, seeds=seeds)


def test_an_estimator_without_a_seed(corpus, table):
    model = make_pipeline(StandardScaler(), GaussianNB())
    message = "same run each time: no parameter of StandardScaler, GaussianNB is rand"
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(model, corpus, features=table, seeds=[1])


def test_a_recipe_of_that_seed(corpus, table):
    """The same as its parameter random_state."""
    model = recipes.metric_dae("act").set_params(metricdae__max_epochs=1)[1:]
    given = recipes.metric_dae("act", random_state=4)[1:]
    given.set_params(metricdae__max_epochs=1)
    assert isinstance(given[1], MetricDAE)
    by_seed = evaluate_by_speaker(model, corpus, features=table, seeds=[4])
    alone = evaluate_by_speaker(given, corpus, features=table)
    np.testing.assert_array_equal(by_seed.embedding(0), alone.embedding(0))
