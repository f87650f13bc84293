"""The speakers that early stopping holds out, where they are named."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from sklearn_ser import LogMel, MEnAN
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.training._held_out import draw_held_out, find_held_out

NAMES = np.array(["a", "b", "c", "d"])
PARTNERS = {"a": "b", "b": "a", "c": "d", "d": "c"}
rng = np.random.default_rng(0)
X = rng.normal(size=(32, 20, 3)).astype(np.float32)
Y = np.tile(["anger", "sadness"], 16)
SPEAKER = np.repeat(NAMES, 8)


def quick(**settings):
    settings = {"early_stopping": True, "random_state": 0, **settings}
    return MEnAN(None, hidden_size=4, max_epochs=1, **settings)


def held_out(named, groups=SPEAKER):
    return np.unique(groups[find_held_out(groups, named)]).tolist()


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.7])
def test_what_is_drawn_is_what_scikit_learn_draws(fraction):
    for seed in range(5):
        splitter = GroupShuffleSplit(1, test_size=fraction, random_state=seed)
        _, expected = next(splitter.split(X, groups=SPEAKER))
        drawn = draw_held_out(SPEAKER, fraction, seed)
        np.testing.assert_array_equal(np.flatnonzero(drawn), expected)


@pytest.mark.parametrize(
    "named",
    [
        ["d", "b"], ("b", "d", "b"), {"b", "d"}, np.array(["b", "d"]),
        np.array(["b", "d"], dtype=object), pd.Series(["b", "d"], index=[7, 3]),
        pd.Index(["b", "d"]), np.array([["b"], ["d"]]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_names_in_any_container(named):
    assert held_out(named) == ["b", "d"]


def test_speakers_that_are_numbers():
    numbers = np.repeat([3, 5, 12], 4)
    assert held_out([5, 12], numbers) == [5, 12]
    assert held_out(np.array([3.0]), numbers) == [3]
    assert held_out({3: 5, 7: 12}, numbers) == [12]
    with pytest.raises(ValueError, match="none of the speakers in groups"):
        held_out(["5", "12"], numbers)


def test_names_that_are_not_there_are_passed_over():
    assert held_out(["b", "z"]) == ["b"]
    mixed = SPEAKER.astype(object)
    mixed[SPEAKER == "a"] = 1
    assert find_held_out(mixed, [1, "z"]).sum() == 8


@pytest.mark.parametrize(
    ("absent", "expected"), [("a", ["b"]), ("d", ["c"]), ("b", ["a"])]
)
def test_partners_of_those_who_are_not_there(absent, expected):
    present = SPEAKER[~np.isin(SPEAKER, list(absent))]
    assert held_out(PARTNERS, present) == expected


@pytest.mark.parametrize(
    ("named", "groups", "message"),
    [
        (["x", "y"], NAMES, r"none of the speakers .* has 'a', 'b', 'c', 'd'\."),
        ([], NAMES, "none of the speakers in groups"),
        (list("abcdz"), NAMES, r"names all the speakers .* 'd': leave some of them"),
        (PARTNERS, NAMES, "none is absent from groups: leave one out"),
        ({}, NAMES, "none is absent from groups"),
        (PARTNERS, np.array(["c", "d"]), "maps none of the speakers who are absent"),
        ({"x": "a", "y": "b"}, np.array(["a", "b"]), "names all the speakers"),
        (["x"], np.arange(30), r"'?0'?, .* and 20 more\."),
        (np.ones((2, 2)), NAMES, "validation_groups must be"),
    ],
)
def test_what_cannot_be_held_out_is_named(named, groups, message):
    with pytest.raises(ValueError, match=message):
        find_held_out(groups, named)


def test_they_need_early_stopping():
    model = quick(validation_groups=["a"], early_stopping=False)
    message = r"MEnAN\(validation_groups=…\) names .* set early_stopping=True"
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, groups=SPEAKER)
    with pytest.raises(ValueError, match=r"validation_groups.* must be an"):
        quick(validation_groups="a").fit(X, Y, groups=SPEAKER)


@pytest.mark.parametrize("named", [["a"], np.array(["a"]), {"z": "a"}], ids=str)
def test_they_stay_as_they_are_given(named):
    model = clone(quick(validation_groups=named)).fit(X, Y, groups=SPEAKER)
    saved = skops.io.dumps(model)
    trusted = skops.io.get_untrusted_types(data=saved)
    assert all(name.startswith("sklearn_ser.") for name in trusted)
    restored = skops.io.loads(saved, trusted=trusted)
    for one in (model, restored):
        assert one.validation_groups_.tolist() == ["a"]
        assert type(one.validation_groups) is type(named)
        np.testing.assert_array_equal(list(clone(one).validation_groups), list(named))


def test_partners_swap_in_an_evaluation_by_speaker():
    """The protocol of Li et al. (2020): 8 speakers train, one validates, one tests."""
    corpus = make_emotional_speech(n_speakers=4, n_repetitions=1)
    pairs = np.unique(corpus.speaker).reshape(2, 2).tolist()
    partners = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    model = make_pipeline(LogMel(n_mels=4), quick(validation_groups=partners))
    result = evaluate_by_speaker(model, corpus)
    watched = [fitted["menan"].validation_groups_ for fitted in result.estimators]
    assert [partners[name] for name in result.folds["speakers"]] == np.concatenate(
        watched
    ).tolist()


def test_partners_swap_in_cross_validate():
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(
            quick(validation_groups=PARTNERS), X, Y, cv=LeaveOneGroupOut(),
            params={"groups": SPEAKER}, return_estimator=True, return_indices=True,
        )  # fmt: skip
    for model, test in zip(found["estimator"], found["indices"]["test"], strict=True):
        (tested,) = np.unique(SPEAKER[test])
        assert model.validation_groups_.tolist() == [PARTNERS[tested]]


def test_a_search_over_whom_to_watch():
    grid = {"validation_groups": [["a", "b"], {"a": "b", "b": "c"}, None]}
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            quick(), grid, cv=GroupKFold(4), refit=False, error_score="raise"
        )
        with pytest.raises(ValueError, match="none is absent from groups"):
            search.fit(X, Y, groups=SPEAKER)
        grid["validation_groups"][1] = dict(PARTNERS)
        search.fit(X, Y, groups=SPEAKER)
    assert len(search.cv_results_["params"]) == 3
