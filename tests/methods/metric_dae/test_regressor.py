"""MetricDAERegressor: MetricDAE whose ratings are y."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import MetricDAE, MetricDAERegressor
from sklearn_ser.metrics import ccc_scorer, concordance_correlation
from tests.estimators import make_data

SMALL = {"hidden_sizes": (16,), "latent_dim": 4, "max_epochs": 20, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    X, _, groups, metadata = make_data(n_speakers=8, n_per_speaker=24)
    return X, metadata["activation"], metadata["valence"], groups


def test_it_is_metric_dae_whose_labels_are_y(data):
    X, activation, valence, _ = data
    of_one = MetricDAERegressor(**SMALL).fit(X, activation)
    expected = MetricDAE("act", **SMALL).fit(X, activation=activation)
    np.testing.assert_array_equal(of_one.predict(X), expected.predict(X))
    np.testing.assert_array_equal(of_one.transform(X), expected.transform(X))
    both = np.column_stack([activation, valence])
    of_two = MetricDAERegressor(**SMALL).fit(X, both)
    expected = MetricDAE(("act", "val"), **SMALL)
    expected.fit(X, activation=activation, valence=valence)
    np.testing.assert_array_equal(of_two.predict(X), expected.predict(X))
    assert of_two.predict(X).shape == both.shape
    assert of_two.score(X, both) == r2_score(both, of_two.predict(X))


def test_speakers_never_heard_are_rated(data):
    X, activation, _, groups = data
    model = MetricDAERegressor(**SMALL)
    rated = cross_val_predict(
        model, X, activation, groups=groups, cv=GroupKFold(4), n_jobs=1
    )
    assert concordance_correlation(activation, rated) > 0.8


@pytest.mark.parametrize("unit", [(1e-8, 0.0), (1000.0, -50.0), (1.0, 1e9)])
def test_the_unit_of_y_does_not_matter(data, unit):
    X, activation, _, _ = data
    scale, shift = unit
    expected = MetricDAERegressor(**SMALL).fit(X, activation).predict(X)
    result = MetricDAERegressor(**SMALL).fit(X, scale * activation + shift).predict(X)
    # Of 1e9 + a, float64 keeps seven digits of a.
    np.testing.assert_allclose((result - shift) / scale, expected, atol=1e-4)


def test_columns_share_the_dimensions_as_evenly_as_they_can(data):
    X, activation, valence, _ = data
    three = np.column_stack([activation, valence, activation - valence])
    model = MetricDAERegressor(**SMALL | {"latent_dim": 5}).fit(X, three)
    assert model.n_outputs_ == 3
    assert model.transform(X).shape == (len(X), 5)
    assert model.predict(X).shape == three.shape
    with pytest.raises(ValueError, match="latent_dim=2 is less than the 3 columns"):
        model.set_params(latent_dim=2).fit(X, three)


def test_ratings_may_be_missing(data):
    X, activation, valence, _ = data
    partly = np.column_stack([activation, valence])
    partly[::2, 0] = np.nan
    partly[1::3, 1] = np.nan
    model = MetricDAERegressor(**SMALL).fit(X, partly)
    assert concordance_correlation(activation, model.predict(X)[:, 0]) > 0.8
    unknown = np.full(len(X), np.nan)
    with pytest.raises(ValueError, match="y contains NaN for all samples in column 0"):
        model.fit(X, unknown)
    with pytest.warns(UserWarning, match=r"learn y: .* all 192 that are known"):
        clone(model).set_params(max_epochs=1).fit(X, np.ones(len(X)))


@pytest.mark.parametrize("routing", [False, True])
def test_searches_and_early_stopping_by_speaker(data, routing):
    X, activation, _, groups = data
    stopping = SMALL | {"early_stopping": True, "max_epochs": 3}
    model = make_pipeline(StandardScaler(), MetricDAERegressor(**stopping))
    grid = {"metricdaeregressor__metric_weight": [0.1, 1.0]}
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(model, grid, scoring=ccc_scorer, cv=GroupKFold(2))
        given = {} if routing else {"metricdaeregressor__groups": groups}
        search.fit(X, activation, groups=groups, **given)
        best = search.best_estimator_[-1]
        assert set(best.validation_groups_) <= set(groups)
        assert "valid_slope_loss" in best.history_[-1]
        with pytest.raises(ValueError, match="pass them as groups"):
            model.fit(X, activation)


def test_scores_of_two_columns(data):
    X, activation, valence, groups = data
    both = np.column_stack([activation, valence])
    model = MetricDAERegressor(**SMALL)
    scores = cross_validate(
        model, X, both, groups=groups, cv=GroupKFold(4), scoring=ccc_scorer
    )
    assert scores["test_score"].min() > 0.6


def test_pickle(data):
    X, activation, _, _ = data
    model = MetricDAERegressor(**SMALL | {"max_epochs": 2}).fit(X, activation)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    assert restored.predict(X).ndim == 1
