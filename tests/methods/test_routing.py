"""Metadata reaches `fit` through every caller, in both routing modes.

A recording estimator notes what each call of its `fit` was given; the labels
carry the row's number, so a label on the wrong row shows.
"""

import numpy as np
import pytest
import sklearn
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import MetricDAE
from tests.estimators import make_data


class AlignedMetricDAE(MetricDAE):
    """MetricDAE that refuses labels or speakers that are not of its rows."""

    def fit(self, X, y=None, *, activation=None, valence=None, groups=None):
        row = np.asarray(X)[:, 0]
        np.testing.assert_allclose(activation, row, atol=1e-5)
        if groups is not None:
            np.testing.assert_allclose(np.asarray(groups, float), row // 12, atol=1e-5)
        return super().fit(X, y, activation=activation, groups=groups)


@pytest.fixture
def data():
    X, emotion, _, _ = make_data()
    number = np.arange(len(X), dtype=np.float64)
    X = np.column_stack([number, X])
    return X, emotion, (number // 12).astype(int), number


@pytest.fixture(params=[True, False], ids=["routing on", "routing off"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


def pipeline(**params):
    dae = AlignedMetricDAE(
        label="act", max_epochs=1, lr=1e-6, random_state=0, early_stopping=True
    )
    steps = [("scale", StandardScaler(with_mean=False, with_std=False))]
    return Pipeline([*steps, ("dae", dae), ("svc", SVC())], **params)


def spell(routing, groups, activation):
    """Return the metadata as each mode spells it, and the splitter's groups."""
    if routing:
        return {"activation": activation, "groups": groups}
    return {"dae__activation": activation, "dae__groups": groups}


def test_pipeline_fit(routing, data):
    X, emotion, groups, activation = data
    model = pipeline().fit(X, emotion, **spell(routing, groups, activation))
    assert hasattr(model["dae"], "coef_")
    assert model.predict(X).shape == emotion.shape


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("caller", [cross_validate, cross_val_predict])
def test_cross_validation(routing, data, caller, n_jobs):
    X, emotion, groups, activation = data
    params = spell(routing, groups, activation)
    splitter = {} if routing else {"groups": groups}
    result = caller(
        pipeline(), X, emotion, cv=LeaveOneGroupOut(), n_jobs=n_jobs, params=params,
        **splitter, **({"error_score": "raise"} if caller is cross_validate else {}),
    )  # fmt: skip
    scores = result["test_score"] if caller is cross_validate else result
    assert len(scores) == (6 if caller is cross_validate else len(X))


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search(routing, data, n_jobs):
    X, emotion, groups, activation = data
    grid = GridSearchCV(
        pipeline(), {"svc__C": [0.1, 1.0]}, cv=GroupKFold(3), n_jobs=n_jobs,
        error_score="raise",
    )  # fmt: skip
    params = spell(routing, groups, activation) | {"groups": groups}
    grid.fit(X, emotion, **params)
    assert hasattr(grid.best_estimator_["dae"], "coef_")


@pytest.mark.slow
def test_nested_search(routing, data):
    X, emotion, groups, activation = data
    search = GridSearchCV(
        pipeline(), {"svc__C": [0.1, 1.0]}, cv=GroupKFold(3), error_score="raise"
    )
    params = spell(routing, groups, activation)
    splitter = {} if routing else {"groups": groups}
    result = cross_validate(
        search, X, emotion, cv=GroupKFold(2), params=params | {"groups": groups},
        error_score="raise", **splitter,
    )  # fmt: skip
    assert len(result["test_score"]) == 2


def test_pipeline_memory(routing, data, tmp_path):
    X, emotion, groups, activation = data
    params = spell(routing, groups, activation)
    plain = pipeline().fit(X, emotion, **params)
    for _ in range(2):
        cached = pipeline(memory=str(tmp_path)).fit(X, emotion, **params)
        np.testing.assert_array_equal(cached[:-1].transform(X), plain[:-1].transform(X))
    # Other labels are not answered from the cache: `fit` sees them, and refuses.
    name = "activation" if routing else "dae__activation"
    with pytest.raises(AssertionError):
        pipeline(memory=str(tmp_path)).fit(X, emotion, **params | {name: groups})


def test_a_missing_label_shows_both_spellings(routing, data):
    X, emotion, *_ = data
    model = make_pipeline(MetricDAE(label="act"), SVC())
    with pytest.raises(ValueError, match="learns from activation") as caught:
        model.fit(X, emotion)
    assert "fit(X, y, activation=…)" in str(caught.value)
    assert "fit(X, y, metricdae__activation=…)" in str(caught.value)


def test_wrong_length_is_found_in_every_fold(routing, data):
    X, emotion, groups, activation = data
    params = spell(routing, groups, activation[:-1])
    splitter = {} if routing else {"groups": groups}
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cross_validate(
            plain_pipeline(),
            X, emotion, cv=GroupKFold(3), params=params, error_score="raise",
            **splitter,
        )  # fmt: skip


def plain_pipeline():
    return Pipeline([("dae", MetricDAE(label="act", max_epochs=1)), ("svc", SVC())])


def test_the_library_leaves_the_configuration_alone(data):
    X, emotion, groups, activation = data
    before = sklearn.get_config()
    pipeline().fit(X, emotion, dae__activation=activation, dae__groups=groups)
    assert sklearn.get_config() == before
