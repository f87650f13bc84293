"""What a CVAE is conditioned on: classes, other categories, numbers, or nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone, is_classifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import get_scorer
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_ser import CVAE, SequenceClassifier, recipes
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.methods.cvae._condition import (
    DropCondition,
    check_condition,
    learn_numbers,
)
from tests.methods.cvae.helpers import small, speech

GROUPS = np.arange(40) // 10


def encoded(cvae, X, **known):
    return np.concatenate(list(cvae.transform(X, **known)))


@pytest.fixture(params=[True, False], ids=["routing on", "routing off"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


# A condition of its own


def test_without_a_condition_it_is_y():
    X, y = speech()
    of_y = small(max_epochs=3).fit(X, y)
    levels = np.arange(40) % 3
    of_condition = small(max_epochs=3).fit(X, levels, condition=y)
    np.testing.assert_array_equal(encoded(of_y, X), encoded(of_condition, X))
    assert of_y.history_ == of_condition.history_
    np.testing.assert_array_equal(of_condition.condition_values_, ["anger", "sadness"])
    np.testing.assert_array_equal(of_condition.condition_prior_, of_y.class_prior_)


@pytest.mark.parametrize(
    "condition",
    [
        [True, False] * 20,
        [3, 5] * 20,
        ["m", "f"] * 20,
        pd.Series(["m", "f"] * 20, dtype="category"),
        np.array([["m"], ["f"]] * 20),
        ["m", None] * 10 + ["f", np.nan] * 10,
    ],
    ids=lambda c: type(c).__name__,
)
def test_categories(condition):
    X, y = speech()
    cvae = small(max_epochs=2).fit(X, y, condition=condition)
    assert cvae.condition_values_.shape == (2,)
    assert cvae.net_.module_.hidden[0].in_features == 6 + 2
    assert np.isfinite(encoded(cvae, X)).all()


@pytest.mark.parametrize("n_columns", [1, 2])
def test_numbers_in_any_unit(n_columns):
    """The unit is the user's; only what is known of the order can matter."""
    X, y = speech()
    rng = np.random.default_rng(0)
    ratings = rng.integers(2, 11, (40, n_columns)) / 2
    ratings[3] = np.nan
    ratings[5, 0] = np.nan
    given = ratings if n_columns > 1 else ratings[:, 0]
    fits = [
        small(max_epochs=3).fit(X, y, condition=a * given + b)
        for a, b in ((1, 0), (100, -3), (2**-27, 0), (1, 2.0**20))
    ]
    assert fits[0].net_.module_.hidden[0].in_features == 6 + 2 * n_columns
    for other in fits[1:]:
        np.testing.assert_allclose(encoded(other, X), encoded(fits[0], X), atol=2e-3)
    assert fits[0].condition_prior_.sum() == pytest.approx(1)


def test_what_the_net_is_told_of_numbers():
    known = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 2.0]])
    coder = learn_numbers(known, None, seed=0)
    side = np.sqrt(3 / 2)
    expected = [[-side, 0, 1, 1], [0, 0, 1, 0], [side, 0, 1, 1]]
    np.testing.assert_allclose(coder.encode(known), expected, rtol=1e-6)
    np.testing.assert_array_equal(coder.values, [[1, 2], [5, 2]])
    np.testing.assert_allclose(
        coder.expect(np.array([[0.25, 0.75]]), coder.values),
        coder.encode(np.array([[4.0, 2.0]])),
    )


def test_many_numbers_have_a_few_points():
    rng = np.random.default_rng(0)
    ratings = rng.normal(3, 1, (1000, 1))
    coder = learn_numbers(ratings, None, seed=0)
    assert coder.values.shape == (16, 1)
    assert coder.prior @ coder.values[:, 0] == pytest.approx(ratings.mean(), rel=1e-3)


def test_a_number_is_inferred_where_it_can_be():
    X, _ = speech(n=80, spread=0.0)
    rating = np.linspace(1, 5, 80)
    X = [x + np.float32(r) for x, r in zip(X, rating, strict=True)]
    cvae = small(max_epochs=40, lr=0.01).fit(X, condition=rating)
    posterior = np.exp(cvae._inference().log_posterior(cvae._check_X(X)))
    guessed = posterior @ cvae.condition_values_[:, 0]
    assert np.corrcoef(guessed, rating)[0, 1] > 0.9


@pytest.mark.parametrize("conditioned", ["encoder", "decoder"])
def test_the_part_that_is_told(conditioned):
    X, y = speech(n=8, n_features=800)
    y = np.tile(["a", "b", "c", "d"], 2)
    cvae = CVAE(conditioned=conditioned, max_epochs=1, random_state=0).fit(X, y)
    parameters = sum(p.numel() for p in cvae.net_.module_.parameters())
    assert parameters == 1_182_240 + 4 * (512 if conditioned == "encoder" else 256)
    told = [cvae.transform(X, oracle_labels=[c] * 8)[0] for c in "ab"]
    assert np.array_equal(*told) == (conditioned == "decoder")
    back = [cvae.inverse_transform(told[:1], known_condition=[c])[0] for c in "ab"]
    assert np.array_equal(*back) == (conditioned == "encoder")


def test_a_model_with_a_condition_of_its_own_knows_no_classes():
    X, y = speech()
    cvae = small(max_epochs=1).fit(X, y, condition=GROUPS)
    assert not is_classifier(cvae)
    assert not hasattr(cvae, "classes_")
    assert not hasattr(cvae, "predict")
    assert is_classifier(clone(cvae))
    assert hasattr(cvae.fit(X, y), "predict")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ([None] * 40, "condition is not known of any utterance"),
        ([np.nan] * 40, "condition is not known of any utterance"),
        (np.c_[np.ones(40), np.full(40, np.nan)], "NaN for all utterances in column 1"),
        ([1.0] * 39, "inconsistent numbers of samples"),
        (["a"] * 39, "inconsistent numbers of samples"),
        ([np.inf] * 40, "condition must be one row of numbers per utterance"),
        (["a", 1] * 20, "labels of several types"),
    ],
)
def test_faulty_conditions(condition, message):
    X, y = speech()
    with pytest.raises(ValueError, match=message):
        small(max_epochs=1).fit(X, y, condition=condition)


def test_priors_are_of_categories():
    X, y = speech()
    priors = small(priors=[0.1, 0.9], max_epochs=1).fit(X, y, condition=GROUPS % 2)
    np.testing.assert_array_equal(priors.condition_prior_, [0.1, 0.9])
    with pytest.raises(ValueError, match="priors='uniform' are of classes"):
        small(priors="uniform").fit(X, y, condition=GROUPS / 2)


def test_floats_are_numbers_and_integers_are_names():
    assert check_condition([1, 2, 1], [0] * 3)[0].tolist() == [1, 2]
    assert check_condition([1.0, None, 1], [0] * 3)[0] is None
    assert check_condition(pd.Series([1, None, 2], dtype="Int64"), [0] * 3)[0].size == 2
    frame = pd.DataFrame({"activation": [1.0, 2], "valence": [3.0, np.nan]})
    values, numbers = check_condition(frame, [0] * 2)
    assert values is None
    np.testing.assert_array_equal(numbers, frame)


# What may be told to a transform


def test_a_condition_that_is_known_beforehand():
    X, y = speech()
    gender = np.where(GROUPS % 2, "woman", "man")
    cvae = small(max_epochs=3).fit(X, y, condition=gender)
    inferred, known = encoded(cvae, X), encoded(cvae, X, known_condition=gender)
    assert not np.allclose(inferred, known)
    with_gaps = gender.astype(object)
    with_gaps[7:] = None
    partly = cvae.transform(X, known_condition=with_gaps)
    for i, x in enumerate(partly):
        source = (
            cvae.transform(X, known_condition=gender) if i < 7 else cvae.transform(X)
        )
        np.testing.assert_allclose(x, source[i], rtol=1e-5)
    with pytest.raises(
        ValueError, match=r"has 'child' at index 1, which was not among"
    ):
        cvae.transform(X[:2], known_condition=["man", "child"])
    with pytest.raises(ValueError, match="so it knows no labels: pass known_condition"):
        cvae.transform(X, oracle_labels=gender)


def test_what_is_to_be_found_is_not_told():
    X, y = speech()
    cvae = small(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="would tell what is to be found"):
        cvae.transform(X, known_condition=y)
    with pytest.raises(ValueError, match="has no condition: known_condition"):
        small("vae", max_epochs=1).fit(X).transform(X, known_condition=y)


def test_the_condition_of_fit_does_not_reach_the_transform_of_fit_transform():
    X, y = speech(spread=0.0)
    cvae = small(max_epochs=3)
    together = np.concatenate(list(cvae.fit_transform(X, y, condition=GROUPS)))
    np.testing.assert_array_equal(together, encoded(cvae, X))
    told = cvae.fit_transform(X, y, condition=GROUPS, known_condition=GROUPS)
    np.testing.assert_array_equal(
        np.concatenate(list(told)), encoded(cvae, X, known_condition=GROUPS)
    )


# Routing


class AlignedCVAE(CVAE):
    """CVAE whose condition has to be the number of the utterance."""

    def fit(self, X, y=None, *, condition=None, groups=None):
        np.testing.assert_allclose([x[0, 0] for x in X], condition)
        return super().fit(X, y, condition=condition, groups=groups)


def numbered():
    X, y = speech()
    for number, x in enumerate(X):
        x[:, 0] = number
    return np.fromiter(X, dtype=object, count=40), y, np.arange(40.0)


def pipeline(encoder):
    return make_pipeline(encoder, SequenceClassifier(hidden_size=4, max_epochs=1))


def test_a_condition_is_routed_and_split(routing):
    X, y, number = numbered()
    encoder = AlignedCVAE(hidden_sizes=(4,), latent_dim=2, max_epochs=1)
    name = "condition" if routing else "alignedcvae__condition"
    params = {name: number} | ({"groups": GROUPS} if routing else {})
    splitter = {} if routing else {"groups": GROUPS}
    result = cross_validate(
        pipeline(encoder), X, y, cv=GroupKFold(2), params=params,
        error_score="raise", **splitter,
    )  # fmt: skip
    assert len(result["test_score"]) == 2


def test_a_condition_leaks_into_no_prediction(routing):
    """What is told to fit is never told to the transform of a score."""
    X, y, number = numbered()
    seen = []

    class Spy(CVAE):
        def transform(self, X, *, known_condition=None, oracle_labels=None):
            seen.append((known_condition, oracle_labels))
            return super().transform(X)

    encoder = Spy(hidden_sizes=(4,), latent_dim=2, max_epochs=1)
    name = "condition" if routing else "spy__condition"
    model = pipeline(encoder).fit(X, y, **{name: number})
    get_scorer("accuracy")(model, X, y)
    assert seen == [(None, None)] * 2
    if routing:
        with pytest.raises((TypeError, UnsetMetadataPassedError)):
            model.predict(X, known_condition=number)


def test_a_known_condition_is_routed_where_it_is_asked_for():
    X, y, number = numbered()
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = small(max_epochs=1).set_transform_request(known_condition="number")
        encoder.set_fit_request(condition="number")
        model = pipeline(encoder).fit(X, y, number=number)
        told = model[0].transform(X, known_condition=number)
        expected = model[1].predict_proba(told)
        np.testing.assert_array_equal(model.predict_proba(X, number=number), expected)
        assert not np.array_equal(model.predict_proba(X[:1]), expected[:1])


def test_a_condition_that_was_asked_for_by_name_and_not_passed():
    X, y = speech()
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = small(max_epochs=1).set_fit_request(condition="emotion")
    with pytest.raises(ValueError, match=r"asks for emotion as its condition"):
        encoder.fit(X, y)
    encoder.fit(X, y, condition=y)


@pytest.mark.parametrize(
    "target", [pytest.param("emotion", marks=pytest.mark.slow), "activation"]
)
def test_recipe_by_speaker(corpus, target):
    model = recipes.cvae_lstm(condition="emotion", random_state=0)
    model.set_params(
        cvae__hidden_sizes=(8,), cvae__latent_dim=2, cvae__max_epochs=1,
        sequenceclassifier__max_epochs=1,
    )  # fmt: skip
    result = evaluate_by_speaker(model, corpus, target=target, cv=2)
    for fitted in result.estimators:
        values = fitted["cvae"].condition_values_.tolist()
        assert values == sorted(set(corpus.emotion))


def test_recipes_name_their_conditions():
    with pytest.raises(ValueError, match="condition must be 'emotion', 'gender'"):
        recipes.cvae_lstm(condition="age")
    with pytest.raises(TypeError, match="vae_lstm has no condition"):
        recipes.vae_lstm(condition="gender")


# Utterances without an emotion


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_utterances_without_emotion_train(missing):
    X, y = speech(spread=3.0)
    gaps = y.astype(object)
    gaps[10:] = missing
    cvae = small(max_epochs=3).fit(X, gaps)
    assert cvae.classes_.tolist() == ["anger", "sadness"]
    np.testing.assert_array_equal(cvae.class_prior_, [0.5, 0.5])
    without = small(max_epochs=3).fit(X[:10], y[:10])
    assert not np.allclose(encoded(cvae, X), encoded(without, X))
    np.testing.assert_allclose(cvae.mean_, np.concatenate(X).mean(axis=0), atol=1e-6)


def test_what_is_told_of_an_utterance_without_emotion():
    X, y = speech(n=6)
    gaps = np.where([0, 0, 0, 0, 1, 1], None, y.astype(object))
    cvae = small(max_epochs=1).fit(X, gaps)
    told = cvae._coder.read("y", gaps, X)
    expected = np.eye(2)[[1, 0, 1, 0, 0, 0]]
    expected[4:] = 0
    np.testing.assert_array_equal(told, expected)


def test_no_emotion_at_all():
    X, _ = speech()
    with pytest.raises(ValueError, match="y contains NaN"):
        small().fit(X, [None] * 40)


@pytest.mark.parametrize("unknown", [None, np.nan])
def test_emotions_of_the_held_out_speakers_alone(unknown):
    X, y = speech()
    stopping = small(early_stopping=True, max_epochs=1)
    (held_out,) = stopping.fit(X, y, groups=GROUPS).validation_groups_
    known = np.where(held_out == GROUPS, y.astype(object), unknown)
    if unknown is not None:
        known = np.where(held_out == GROUPS, np.arange(40) / 8, unknown)
    with pytest.raises(ValueError, match="No utterance to train on has a condition"):
        stopping.fit(X, condition=known, groups=GROUPS)


def test_zero_that_was_never_trained_warns():
    X, y = speech()
    with pytest.warns(UserWarning, match="told nothing where it encodes") as caught:
        cvae = small(condition="zero", max_epochs=1).fit(X, y)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="set label_dropout to more than 0"):
        cvae.transform(X)
    posterior = small(max_epochs=1).fit(X, y)
    with pytest.warns(UserWarning, match="set label_dropout to more than 0"):
        posterior.set_params(condition="zero").transform(X)


@pytest.mark.parametrize("how", ["dropout", "gaps", "vae"])
def test_zero_that_was_trained_does_not_warn(how):
    X, y = speech()
    settings = {"label_dropout": 0.5} if how == "dropout" else {}
    if how == "gaps":
        y = np.where(GROUPS == 0, None, y.astype(object))
    variant = "vae" if how == "vae" else "cvae"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(variant, condition="zero", max_epochs=1, **settings).fit_transform(X, y)


def test_dropped_conditions_are_zeros():
    told = torch.eye(4).repeat(1000, 1)
    batch = DropCondition(0.25)({"condition": told}, torch.Generator().manual_seed(0))
    kept = batch["condition"].any(dim=1)
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert torch.equal(batch["condition"][kept], told[kept])


@pytest.mark.parametrize(
    "named", [["a"], ["a", "b", "c"], {"z": "a"}], ids=["one", "three", "a dict"]
)
def test_cross_fitting_watches_the_named_speakers_where_it_can(named, monkeypatch):
    X, y = speech()
    groups = np.repeat(["a", "b", "c", "d"], 10)
    seen = []
    fit = CVAE.fit

    def spied(self, X, y=None, *, groups=None, **metadata):
        fitted = fit(self, X, y, groups=groups, **metadata)
        seen.append((set(groups), set(self.validation_groups_)))
        return fitted

    monkeypatch.setattr(CVAE, "fit", spied)
    cvae = small(cv=4, early_stopping=True, max_epochs=1, validation_groups=named)
    cvae.fit_transform(X, y, groups=groups)
    assert len(seen) == 5
    wanted = seen[0][1]
    assert wanted == set(np.unique(list(getattr(named, "values", lambda: named)())))
    for speakers, watched in seen[1:]:
        if 0 < len(wanted & speakers) < len(speakers):
            assert watched == wanted & speakers
        else:
            assert len(watched) == 1
