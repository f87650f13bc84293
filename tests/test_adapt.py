"""Scalers that are fitted anew, in whatever they stand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC

from sklearn_ser import SpeakerScaler
from sklearn_ser._adapt import Adapter, is_scaler
from sklearn_ser.ensemble import SeedEnsemble

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), np.repeat(["anger", "sadness"], 20)
Z = 5 + 3 * RNG.normal(size=(30, 3))


class WithNoise(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A user's own augmentation."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X):
        return self.estimator_.predict(X)

    def augments_training(self):
        return True


def adapted(estimator, chosen="scalers"):
    """Return the names of what was adapted, the fitted estimator, and the other."""
    adapter = Adapter(chosen, {})
    fitted = estimator.fit(X, Y)
    return adapter.found, fitted, adapter.adapt(fitted, Z)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (StandardScaler(), True),
        (RobustScaler(), True),
        (SpeakerScaler(), True),
        (SpeakerScaler(by="speaker"), False),
        (FunctionTransformer(), False),
        (PCA(), False),
        (SelectKBest(), False),
        (SVC(), False),
        (object(), False),
    ],
)
def test_what_is_a_scaler(step, expected):
    assert is_scaler(step) is expected


def test_scalers_at_the_head_one_after_the_other():
    found, fitted, other = adapted(
        make_pipeline(
            FunctionTransformer(np.square), StandardScaler(), MinMaxScaler(), PCA(2),
            StandardScaler(), SVC(),
        )
    )  # fmt: skip
    assert found == ["standardscaler-1", "minmaxscaler"]
    first = StandardScaler().fit(Z**2)
    assert_allclose(other[1].mean_, first.mean_)
    second = MinMaxScaler().fit(first.transform(Z**2))
    assert_allclose(other[2].data_min_, second.data_min_)
    assert [other[i] is fitted[i] for i in range(6)] == [1, 0, 0, 1, 1, 1]
    assert_allclose(fitted[1].mean_, (X**2).mean(axis=0))  # is left as it was


def test_named_steps_wherever_they_stand():
    inner = make_pipeline(PCA(2, random_state=0), StandardScaler())
    found, fitted, other = adapted(make_pipeline(inner, SVC()), ["standardscaler"])
    assert found == ["standardscaler"]
    expected = fitted[0][0].transform(Z).mean(axis=0)
    assert_allclose(other[0][1].mean_, expected, atol=1e-12)
    found, fitted, other = adapted(make_pipeline(StandardScaler(), PCA(2), SVC()), [])
    assert found == []
    assert_array_equal(other.predict(Z), fitted.predict(Z))


@pytest.mark.parametrize(
    ("wrap", "inside"),
    [
        (
            lambda x: GridSearchCV(x, {"logisticregression__C": [1.0]}, cv=2),
            lambda x: x.best_estimator_,
        ),
        (lambda x: SeedEnsemble(x, n_estimators=2), lambda x: x.estimators_[1]),
        (lambda x: make_pipeline("passthrough", x), lambda x: x[1]),
        (lambda x: WithNoise(x), lambda x: x.estimator_),
    ],
)
def test_inside_of_other_estimators(wrap, inside):
    plain = make_pipeline(StandardScaler(), LogisticRegression(random_state=0))
    found, fitted, other = adapted(wrap(plain))
    assert found == ["standardscaler"]
    assert_allclose(inside(other)[0].mean_, Z.mean(axis=0))
    assert_allclose(inside(fitted)[0].mean_, X.mean(axis=0))
    expected = inside(fitted)[-1].predict(StandardScaler().fit_transform(Z))
    assert_array_equal(other.predict(Z), expected)


def test_nothing_to_adapt():
    svc = clone(SVC()).fit(X, Y)
    adapter = Adapter("scalers", {})
    assert adapter.adapt(svc, Z) is svc
    assert adapter.found == adapter.passed == []
