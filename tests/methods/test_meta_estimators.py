"""Which of scikit-learn's meta-estimators take sequences, as the guide's table says.

What the table says of the classes is what an estimator inside was given.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_ser import SequenceClassifier, SequencePooling
from tests.estimators import data_for

GUIDE = Path(__file__).parents[2] / "docs" / "user_guide.md"

given = []


class Noted(SequenceClassifier):
    """SequenceClassifier that notes which classes it was given."""

    def fit(self, X, y, *, groups=None):
        given.append(set(np.unique(y).tolist()))
        return super().fit(X, y, groups=groups)


EMOTION = Noted(hidden_size=2, max_epochs=1, random_state=0)
NAMES = {"anger", "neutral", "sadness"}
FOLDS = {"cv": 2, "error_score": "raise"}
pooled = ("pooled", SequencePooling())


def fitted(model, labels=lambda y: y):
    """Return what fits a meta-estimator, and predicts."""

    def fit(X, y):
        model_ = clone(model).fit(X, labels(y))
        if hasattr(model_, "predict"):
            assert len(model_.predict(X)) == len(X)

    return fit


def in_folds(name, **settings):
    """Return what calls a function of `sklearn.model_selection`."""
    return lambda X, y: getattr(model_selection, name)(EMOTION, X, y, **settings)


def two_targets(y):
    return np.column_stack([y, y])


def of_two(y):
    return y == "anger"


def partly(y):
    return np.where(np.arange(len(y)) % 5 == 0, -1, y == "anger")


USES = {
    "Pipeline": fitted(make_pipeline(EMOTION)),
    "FeatureUnion": fitted(make_pipeline(FeatureUnion([pooled]))),
    "GridSearchCV": fitted(GridSearchCV(EMOTION, {"lr": [0.1]}, **FOLDS)),
    "RandomizedSearchCV": fitted(
        RandomizedSearchCV(EMOTION, {"lr": [0.1]}, n_iter=1, **FOLDS)
    ),
    "HalvingGridSearchCV": fitted(
        HalvingGridSearchCV(
            EMOTION, {"lr": [0.1]}, resource="max_epochs", max_resources=1, **FOLDS
        )
    ),
    "cross_validate": in_folds("cross_validate", **FOLDS),
    "learning_curve": in_folds("learning_curve", train_sizes=[1.0], **FOLDS),
    "validation_curve": in_folds(
        "validation_curve", param_name="lr", param_range=[0.1], **FOLDS
    ),
    "permutation_test_score": in_folds(
        "permutation_test_score", n_permutations=1, cv=2
    ),
    "cross_val_predict": in_folds("cross_val_predict", cv=2, method="predict_proba"),
    "VotingClassifier": fitted(VotingClassifier([("a", EMOTION), ("b", EMOTION)])),
    "StackingClassifier": fitted(StackingClassifier([("a", EMOTION)], cv=2)),
    "StackingClassifier(passthrough=True)": fitted(
        StackingClassifier([("a", EMOTION)], cv=2, passthrough=True)
    ),
    "OneVsRestClassifier": fitted(OneVsRestClassifier(EMOTION)),
    "OutputCodeClassifier": fitted(OutputCodeClassifier(EMOTION, random_state=0)),
    "OneVsOneClassifier": fitted(OneVsOneClassifier(EMOTION)),
    "CalibratedClassifierCV": fitted(CalibratedClassifierCV(EMOTION, cv=2)),
    "FixedThresholdClassifier": fitted(FixedThresholdClassifier(EMOTION), of_two),
    "TunedThresholdClassifierCV": fitted(
        TunedThresholdClassifierCV(EMOTION, cv=2), of_two
    ),
    "MultiOutputClassifier": fitted(MultiOutputClassifier(EMOTION), two_targets),
    "ClassifierChain": fitted(
        ClassifierChain(EMOTION), lambda y: two_targets(y == "anger")
    ),
    "BaggingClassifier": fitted(BaggingClassifier(EMOTION, n_estimators=2)),
    "AdaBoostClassifier": fitted(AdaBoostClassifier(EMOTION, n_estimators=2)),
    "SelfTrainingClassifier": fitted(SelfTrainingClassifier(EMOTION), partly),
    "RFE": fitted(RFE(EMOTION)),
    "SequentialFeatureSelector": fitted(SequentialFeatureSelector(EMOTION, cv=2)),
    "ColumnTransformer": fitted(ColumnTransformer([(*pooled, [0])])),
    "permutation_importance": lambda X, y: permutation_importance(
        clone(EMOTION).fit(X, y), X, y, n_repeats=1
    ),
}

# What scikit-learn says, before an estimator inside is called.
ONLY_TABLES = "2D array|array element with a sequence|tuple index|all the input arrays"


def rows_of_the_guide():
    """Return each name in the table, whether it takes sequences, and the classes."""
    rows = []
    section = GUIDE.read_text("utf-8").split("### scikit-learn's meta-estimators")[1]
    for line in section.split("\n###")[0].splitlines():
        if line.startswith("| `"):
            names, taken, classes = (cell.strip() for cell in line.split("|")[1:4])
            for name in re.findall("`([^`]+)`", names):
                rows.append(pytest.param(name, taken, classes, id=name))
    return rows


def test_the_table_is_whole():
    assert [row.id for row in rows_of_the_guide()] == list(USES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [list, np.asarray], ids=["list", "object array"])
@pytest.mark.parametrize(("name", "taken", "classes"), rows_of_the_guide())
def test_what_the_guide_says_of_sequences(name, taken, classes, kind):
    X, y, *_ = data_for(EMOTION, n_per_speaker=6)
    X = kind(X)
    given.clear()
    if taken == "no" or (taken == "object array only" and kind is list):
        with pytest.raises((ValueError, IndexError), match=ONLY_TABLES):
            USES[name](X, y)
        return
    USES[name](X, y)
    numbered = {"as given": (NAMES, {False, True}), "0 and 1": ({0, 1},)}
    for labels in given:
        assert labels in numbered.get(classes.split(";")[0], ({0, 1, 2},))


def test_calibration_without_an_ensemble_numbers_the_classes():
    X, y, *_ = data_for(EMOTION, n_per_speaker=6)
    given.clear()
    CalibratedClassifierCV(EMOTION, cv=2, ensemble=False).fit(X, y)
    assert {0, 1, 2} in given
