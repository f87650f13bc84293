"""Parameters as plain JSON, and back."""

import functools
import json
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from sklearn_ser import EGeMAPS, MEnAN, Schedule, SpeechEmbedding, recipes
from sklearn_ser.evaluation._typed import decode, digest_of, encode
from sklearn_ser.features import take_layer
from sklearn_ser.metrics import ua_scorer

VALUES = [
    *(None, True, 3, 0.1, 1e-300, "text", "", [], (), {}),
    *(float("inf"), -float("inf"), [1, (2, [3.5, None])], {"a": (1,), 2: {"b": "c"}}),
    *({"x", "y"}, frozenset([1, 2]), np.float32(0.1), np.int64(7), np.bool_(True)),
    *(np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.array([], dtype=np.int8)),
    *(np.array([1, "a", None], dtype=object), np.log, take_layer, StandardScaler),
    *(functools.partial(take_layer, n_layers=2), GroupKFold(3, shuffle=True)),
    *(LeaveOneGroupOut(), ua_scorer, Schedule(label_smoothing=0.1)),
]


def through_json(value):
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


# Numbered: the names of functions hold addresses, which differ between processes.
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_round_trip(value):
    back = through_json(value)
    assert type(back) is type(value)
    assert joblib.hash(back) == joblib.hash(value)
    assert digest_of(encode(back)) == digest_of(encode(value))


def test_not_a_number():
    assert np.isnan(through_json(float("nan")))
    assert np.isnan(through_json(np.array([np.nan]))).all()


def params_of(estimator):
    """Return the parameters, with those that are estimators by their own."""
    return {
        name: value
        for name, value in estimator.get_params().items()
        if not hasattr(value, "get_params") and not name.endswith("steps")
    }


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        (name, schedule)
        for name in recipes.__all__
        for schedule in (None, "small_corpus")
        if schedule is None or getattr(recipes, name).needs.schedule
    ],
)
def test_recipes(name, schedule):
    recipe = getattr(recipes, name)
    options = {} if schedule is None else {"schedule": schedule}
    if recipe.needs.seed:
        options["random_state"] = 0
    model = recipe(memory="some/where", **options)
    back = through_json(model)
    known, found = params_of(model), params_of(back)
    assert known.keys() == found.keys()
    for key, value in known.items():
        if key.rpartition("__")[2] == "memory":
            assert found[key] is None
        else:
            assert joblib.hash(found[key]) == joblib.hash(value), key
            assert type(found[key]) is type(value)
    assert repr(back) == repr(model.set_params(**{
        key: None for key in known if key.rpartition("__")[2] == "memory"
    }))  # fmt: skip


def test_no_paths():
    model = make_pipeline(
        EGeMAPS(memory="/home/somebody/features"),
        SpeechEmbedding("/home/somebody/model"),
        FunctionTransformer(kw_args={"file": Path("/home/somebody/x")}),
    )
    assert "somebody" not in json.dumps(encode(model))
    message = r"steps\[1\].*model is a path, which is not on the card: give the estim"
    with pytest.raises(ValueError, match=message):
        decode(encode(model))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda x: x, "is a builtins:function, which is not on the card"),
        (FrozenEstimator(GaussianNB().fit([[0], [1]], [0, 1])), "is a sklearn.frozen"),
        (np.zeros(1001), "is a numpy:ndarray, which"),
        (np.random.RandomState(0), "is a numpy.random.*RandomState, which"),
        (GroupKFold, None),
        (ua_scorer.set_score_request(sample_weight=True), "is a sklearn_ser.metrics"),
    ],
    ids=["lambda", "frozen", "array", "random state", "class", "changed scorer"],
)
def test_what_cannot_be_built(value, message):
    written = encode({"x": value})
    json.dumps(written, allow_nan=False)
    if message is None:
        assert decode(written) == {"x": value}
        return
    with pytest.raises(ValueError, match=re.escape("estimator[x] ") + message):
        decode(written)


def test_what_cannot_be_built_is_told_apart():
    first, second = np.zeros(2000), np.ones(2000)
    assert encode(first) == encode(first.copy()) != encode(second)


def test_metadata_requests():
    plain = LogisticRegression()
    asking = LogisticRegression()
    with config_context(enable_metadata_routing=True):
        asking.set_fit_request(sample_weight="weights").set_score_request(
            sample_weight=False
        )
    back = through_json(make_pipeline(asking))[-1]
    request = get_routing_for_object(back)
    assert request.fit.requests == {"sample_weight": "weights"}
    assert request.score.requests == {"sample_weight": False}
    assert encode(plain) != encode(asking)
    assert "requests" not in encode(MEnAN())


def test_a_search():
    search = GridSearchCV(
        LogisticRegression(), {"C": np.logspace(-2, 0, 3)}, cv=GroupKFold(2),
        scoring=ua_scorer,
    )  # fmt: skip
    back = through_json(search)
    np.testing.assert_array_equal(back.param_grid["C"], search.param_grid["C"])
    assert back.scoring.score_func is ua_scorer.score_func


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"estimator": "subprocess:Popen", "params": {"args": "true"}}, "which is nei"),
        ({"object": "os:system", "params": {"command": "true"}}, "which is neither"),
        ({"object": "builtins:dict", "params": {}}, "which is neither an estimator"),
        ({"tuple": [1], "kind": "builtins:list"}, "which is no tuple"),
        ({"estimator": "no.such:Thing", "params": {}}, "cannot be imported here"),
        ({"class": "os:nothing"}, "cannot be imported here"),
        ({"class": 3}, "cannot be imported here"),
        ({"something": 1}, r"is of no known type: \['something'\]"),
    ],
)
def test_what_a_card_may_not_name(written, message):
    with pytest.raises(ValueError, match=message):
        decode(written)


def test_an_estimator_of_ones_own_that_is_not_in_a_module():
    class Mine(BaseEstimator):
        pass

    with pytest.raises(ValueError, match="Mine, which cannot be imported here: inst"):
        decode(encode(Mine()))
