"""What an error says of metadata that did not arrive is done, and must then work."""

import re

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline

import sklearn_ser.estimators
from sklearn_ser import (
    CVAE,
    ContrastiveSiamese,
    MEnAN,
    MetricDAE,
    MetricDAERegressor,
    PseudoSiameseGated,
    SequenceClassifier,
)
from tests.estimators import data_for

QUICK = {"max_epochs": 1, "random_state": 0}
SMALL = QUICK | {"hidden_size": 4}
STOPPING = {"early_stopping": True}

# What an estimator asks for by its parameters, and so names when it is missing.
ASKED = [
    (MetricDAE(label="act", **QUICK), "activation"),
    (MetricDAE(label="val", **QUICK), "valence"),
    (MetricDAE(**STOPPING, **QUICK), "groups"),
    (MetricDAERegressor(hidden_sizes=(4,), **STOPPING, **QUICK), "groups"),
    (CVAE(hidden_sizes=(4,), latent_dim=2, **STOPPING, **QUICK), "groups"),
    (SequenceClassifier(**STOPPING, **SMALL), "groups"),
    *(
        (ContrastiveSiamese(auxiliary=name, n_filters=4, **QUICK), name)
        for name in ("activation", "valence", "dominance", "gender")
    ),
    (ContrastiveSiamese(n_filters=4, **STOPPING, **QUICK), "groups"),
    *(
        (MEnAN(name, **SMALL), "groups")
        for name in ("entropy", "uniform", "gradient_reversal", "multitask")
    ),
    (MEnAN(None, **STOPPING, **SMALL), "groups"),
    (MEnAN(**STOPPING, **SMALL), "groups"),
    (
        PseudoSiameseGated(
            fusion=None, embedding_size=4, feature_epochs=1, **STOPPING, **SMALL
        ),
        "groups",
    ),
]


HINT = re.compile(
    r"Alone: fit\(X, y, (?P<alone>\w+)=…\)\. In a pipeline or a search, with "
    r"sklearn\.set_config\(enable_metadata_routing=True\)"
    r"( and \w+\(…\)\.set_fit_request\((?P<request>\w+)=True\))?: "
    r"fit\(X, y, (?P<routed>\w+)=…\)\. Without routing, as a step of a pipeline .*: "
    r"make_pipeline\(\w+\(…\)\) takes fit\(X, y, (?P<step>\w+)=…\)\."
)


def test_all_metadata_that_can_be_missing_is_in_the_table():
    classes = [
        getattr(sklearn_ser.estimators, n) for n in sklearn_ser.estimators.__all__
    ]
    taken = {
        (cls, name)
        for cls in classes
        for name in cls().get_metadata_routing().fit.requests
    }
    # Never needed: there is a parameter or y beside it.
    taken -= {(PseudoSiameseGated, "quadrant"), (CVAE, "condition")}
    assert {(type(estimator), name) for estimator, name in ASKED} == taken


def search(estimator):
    """Return a search over a bare estimator or a pipeline, which scores nothing."""
    scoring = {"scoring": lambda *_: 0.0, "error_score": "raise"}
    return GridSearchCV(estimator, {}, cv=KFold(2), **scoring)


def data(estimator, target):
    X, y, groups, metadata = data_for(estimator, n_speakers=6, n_per_speaker=6)
    if is_regressor(estimator):
        y = metadata["activation"]
    metadata |= {"dominance": metadata["activation"], "gender": groups == "s0"}
    # Folds that do not split by speaker: each has them all.
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], y[order], metadata[target][order]


def hint_of(model, X, y, target, **metadata):
    """Return what the message about missing metadata says of each caller."""
    with pytest.raises(ValueError, match=f"{target}") as caught:
        model.fit(X, y, **metadata)
    return HINT.search(str(caught.value)).groupdict()


@pytest.mark.slow
@pytest.mark.parametrize("routing", [True, False], ids=["routing on", "routing off"])
@pytest.mark.parametrize(("estimator", "target"), ASKED, ids=str)
def test_what_the_hint_says_works(estimator, target, routing):
    X, y, values = data(estimator, target)
    with sklearn.config_context(enable_metadata_routing=routing):
        bare = hint_of(search(estimator), X, y, target)
        step = hint_of(search(make_pipeline(estimator)), X, y, target)
        assert hint_of(clone(estimator), X, y, target) == bare == step
        clone(estimator).fit(X, y, **{bare["alone"]: values})
        if routing:
            search(estimator).fit(X, y, **{bare["routed"]: values})
        model = make_pipeline(estimator)
        search(model).fit(X, y, **{bare["routed" if routing else "step"]: values})


@pytest.mark.parametrize(("estimator", "target"), ASKED[:1], ids=str)
def test_the_hint_knows_what_was_asked_for(estimator, target):
    """Metadata may be asked for by another name, or not be asked for."""
    X, y, values = data(estimator, target)
    with sklearn.config_context(enable_metadata_routing=True):
        alias = clone(estimator).set_fit_request(**{target: "rating"})
        assert hint_of(search(alias), X, y, target)["routed"] == "rating"
        search(alias).fit(X, y, rating=values)
        never = clone(estimator).set_fit_request(**{target: False})
        told = hint_of(search(never), X, y, target)
        asking = never.set_fit_request(**{told["request"]: True})
        search(asking).fit(X, y, **{told["routed"]: values})


@pytest.mark.parametrize("adversary", ["entropy", "gradient_reversal"])
def test_a_search_over_adversaries_never_leaves_them_out_in_silence(adversary):
    """Without routing, only the splitter is given the speakers."""
    estimator = MEnAN(**SMALL)
    X, y, groups = data(estimator, "groups")
    grid = {"adversary": [adversary]}
    bare = GridSearchCV(estimator, grid, cv=GroupKFold(2))
    with pytest.raises(ValueError, match="fit did not get them as groups"):
        bare.fit(X, y, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        assert bare.fit(X, y, groups=groups).best_estimator_.adversary_ == adversary
    grid = {"menan__adversary": [adversary]}
    piped = GridSearchCV(make_pipeline(estimator), grid, cv=GroupKFold(2))
    piped.fit(X, y, groups=groups, menan__groups=groups)
    assert piped.best_estimator_["menan"].adversary_ == adversary
