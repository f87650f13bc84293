"""Quadrants of classes, and auxiliary corpora that share utterances with X."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.model_selection import (
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from sklearn_ser.datasets import AuxiliaryCorpora, emotion_quadrant
from tests.methods.pseudo_siamese_gated.helpers import (
    EMOTIONS,
    QUADRANTS,
    WITHOUT,
    X,
    Y,
    not_pretrained,
    quick,
    tagged,
    tags,
    utterances,
)

RAGGED = np.fromiter(X, dtype=object, count=len(X))

# --- triplets --------------------------------------------------------------


def quadrants_seen(phases):
    return [
        {
            name: set(torch.cat([b[name] for b in phase.batches]).tolist())
            for name in ("quadrant", "P_quadrant")
        }
        for phase in phases[:2]
    ]


def test_quadrants_by_name(watch):
    phases, net_params = watch
    names = np.array(["Joy", "afraid", "bored", "disgust"])
    y = names[np.arange(24) % 4]
    quick(net_params=net_params).fit(X, y)
    assert quadrants_seen(phases) == [
        {"quadrant": {1, 2, 3}, "P_quadrant": {1, 2, 3, 4}},
        {"quadrant": {1, 2, 3}, "P_quadrant": {1, 2, 3}},
    ]


@pytest.mark.parametrize("kind", [np.array, list])
def test_quadrants_by_hand(watch, kind):
    phases, net_params = watch
    y = kind(np.tile([7, 8, 9], 8))
    quick(quadrants={7: 4, 8: 2, 9: 4, 10: 1}, net_params=net_params).fit(X, y)
    seen = quadrants_seen(phases)
    assert [epoch["quadrant"] for epoch in seen] == [{4, 2}, {4, 2}]
    for batch in phases[1].batches:
        assert torch.equal(batch["quadrant"] == 2, batch["y"] == 1)


def test_quadrants_by_hand_replace_those_of_the_names(watch):
    phases, net_params = watch
    given_ = {"anger": 1, "happiness": 1, "neutral": 3, "sadness": 3}
    quick(quadrants=given_, net_params=net_params).fit(X, Y)
    assert quadrants_seen(phases)[1]["quadrant"] == {1, 3}


@pytest.mark.parametrize(
    ("y", "unknown"), [([5, 6, 7], [5, 6, 7]), (["anger", "x", "sadness"], ["x"])]
)
def test_classes_without_known_quadrants(watch, y, unknown):
    """With other corpora they would mean something else; alone they are enough."""
    phases, net_params = watch
    y = np.tile(y, 8)
    with pytest.raises(ValueError, match="Triplets need the valence and activation of"):
        quick().fit(X, y)
    remedy = f"{unknown} are not known.*quadrants={{{unknown[0]!r}: 1, …}}.*s=None"
    with pytest.raises(ValueError, match=remedy.replace("[", r"\[")):
        quick().fit(X, y)
    quick(triplets=None).fit(X, y)
    with pytest.warns(UserWarning, match=WITHOUT):
        quick(auxiliary_corpora=None, net_params=net_params).fit(X, y)
    (features, _) = phases
    for batch in features.batches:
        assert torch.equal(batch["quadrant"], batch["y"])
    # No triplets, no need of quadrants.
    quick(auxiliary_corpora=None, fusion=None).fit(X, y)
    quick(fusion=None).fit(X, y)


@not_pretrained
def test_emotions_of_one_quadrant_are_one_without_auxiliary_corpora(watch):
    phases, net_params = watch
    y = np.tile(["boredom", "sadness", "anger"], 8)
    quick(auxiliary_corpora=None, net_params=net_params).fit(X, y)
    for batch in phases[0].batches:
        assert torch.equal(batch["quadrant"] == 2, batch["y"] == 0)  # anger


@pytest.mark.parametrize(
    "quadrants",
    [
        {"anger": 2, "happiness": 1, "neutral": 4},
        {**QUADRANTS, "anger": 5},
        {**QUADRANTS, "anger": 0},
        {**QUADRANTS, "anger": -1},
        {**QUADRANTS, "anger": "2"},
        {},
    ],
    ids=str,
)
def test_bad_quadrants(quadrants):
    with pytest.raises(ValueError, match="a number from 1 to 4 for each class, got"):
        quick(quadrants=quadrants).fit(X, Y)


def test_quadrants_of_utterances(watch):
    """They stand in the place of those of the classes; None and NaN make no triplet."""
    phases, net_params = watch
    own, _ = tagged()
    quadrant = np.where(np.arange(24) < 12, 1, 3).astype(object)
    quadrant[3], quadrant[15] = None, np.nan
    model = quick(standardize=False, net_params=net_params)
    model.fit(own, Y, quadrant=quadrant)
    expected = np.where(quadrant == 1, 1, np.where(quadrant == 3, 3, -1))
    for batch in (*phases[0].batches, *phases[1].batches):
        assert batch["quadrant"].tolist() == expected[tags([batch], "X")].tolist()
    assert quadrants_seen(phases)[1]["quadrant"] == {1, 3, -1}
    assert model.feature_history_[0]["train_triplet_loss"] > 0


def test_quadrants_of_utterances_that_say_what_the_names_do():
    named = quick().fit(X, Y)
    told = quick().fit(X, Y, quadrant=emotion_quadrant(Y))
    np.testing.assert_array_equal(named.predict_proba(X), told.predict_proba(X))
    # Numbers of the classes hide their names.
    numbers = np.unique(Y, return_inverse=True)[1]
    numbered = quick().fit(X, numbers, quadrant=emotion_quadrant(Y))
    np.testing.assert_array_equal(named.predict_proba(X), numbered.predict_proba(X))


@pytest.mark.parametrize(
    ("quadrant", "message"),
    [
        ([1, 5] * 12, "quadrant of utterance 1 of 24 is 5: it must be 1, 2, 3 or 4"),
        (["anger"] * 24, "quadrant of utterance 0 of 24 is 'anger'"),
        ([1, 2] * 11, r"quadrant has the shape \(22,\), but X has 24 utterances"),
    ],
)
def test_bad_quadrants_of_utterances(quadrant, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(X, Y, quadrant=quadrant)


def test_quadrants_of_utterances_and_of_classes():
    with pytest.raises(ValueError, match=r"quadrant gives each utterance .* leave one"):
        quick(quadrants=QUADRANTS).fit(X, Y, quadrant=emotion_quadrant(Y))


def test_utterances_without_any_quadrant_make_no_triplet():
    with pytest.warns(UserWarning, match="in the target and the pre-training: the"):
        model = quick().fit(X, Y, quadrant=[None] * 24)
    assert model.feature_history_[0]["train_triplet_loss"] == 0


AROUND = {
    "cross_val_predict": None,
    "VotingClassifier": VotingClassifier([("gated", quick())]),
    "OneVsRestClassifier": OneVsRestClassifier(quick()),
    "CalibratedClassifierCV": CalibratedClassifierCV(quick(), cv=2, ensemble=False),
}


def fit_around(name, **metadata):
    """Fit what numbers the classes, or predict probabilities in folds."""
    if AROUND[name] is not None:
        return clone(AROUND[name]).fit(RAGGED, Y, **metadata)
    how = {"cv": 2, "method": "predict_proba", "params": metadata}
    return cross_val_predict(quick(), RAGGED, Y, **how)


@pytest.mark.parametrize("name", AROUND)
def test_what_numbers_the_classes_is_named_with_a_remedy_that_works(name):
    with pytest.raises(ValueError, match="around this estimator has numbered") as error:
        fit_around(name)
    assert "enable_metadata_routing=True): fit(X, y, quadrant=…)" in str(error.value)
    with config_context(enable_metadata_routing=True):
        fit_around(name, quadrant=emotion_quadrant(Y))


def test_routed_quadrants_arrive_at_their_utterances():
    quadrant = emotion_quadrant(Y)
    with config_context(enable_metadata_routing=True):
        found = fit_around("cross_val_predict", quadrant=quadrant)
        voted = VotingClassifier([("gated", quick())], voting="soft")
        voted.fit(RAGGED, Y, quadrant=quadrant)
    expected = quick().fit(RAGGED, Y).predict_proba(RAGGED)
    np.testing.assert_array_equal(voted.predict_proba(RAGGED), expected)
    for train, test in StratifiedKFold(2).split(RAGGED, Y):
        model = quick().fit(RAGGED[train], Y[train])
        np.testing.assert_array_equal(found[test], model.predict_proba(RAGGED[test]))


def test_stacking_numbers_the_classes_and_takes_the_quadrants_of_the_numbers():
    with pytest.raises(ValueError, match=r"StackingClassifier would .* of the numbers"):
        StackingClassifier([("gated", quick())], cv=2).fit(RAGGED, Y)
    gated = quick(quadrants=dict(enumerate(emotion_quadrant(EMOTIONS).tolist())))
    StackingClassifier([("gated", gated)], cv=2).fit(RAGGED, Y)


def test_quadrants_of_names_where_the_classes_are_numbered():
    gated = quick(quadrants=QUADRANTS)
    with pytest.raises(ValueError, match=r"has numbered them.* quadrants must give a"):
        VotingClassifier([("gated", gated)]).fit(RAGGED, Y)


def test_unknown_quadrants_of_the_auxiliary_are_reconstructed_alone(watch):
    phases, net_params = watch
    theirs, _ = utterances(seed=1)
    auxiliary = AuxiliaryCorpora(theirs, [None] * 24)
    model = quick(auxiliary_corpora=auxiliary, net_params=net_params)
    with pytest.warns(UserWarning, match=r"no triplet.* in the pre-training: "):
        model.fit(X, Y)
    assert model.pretraining_history_[0]["train_triplet_loss"] == 0
    assert model.pretraining_history_[0]["train_reconstruction_loss"] > 0
    assert model.feature_history_[0]["train_triplet_loss"] > 0
    assert quadrants_seen(phases)[0]["P_quadrant"] == {-1}


def test_what_the_network_has_learned_from_is_no_test():
    theirs, emotions = utterances(seed=1)
    auxiliary = AuxiliaryCorpora(theirs, emotion_quadrant(emotions))
    model = quick(auxiliary_corpora=auxiliary).fit(X, Y)
    asked = [X[0], *theirs[:2]]
    for ask in (
        model.predict,
        model.predict_proba,
        model.predict_log_proba,
        model.transform,
        model.transform_segments,
        partial(model.score, y=Y[:3]),
        make_pipeline(model).predict,
    ):
        with pytest.warns(UserWarning, match=r"utterance 1 of X .*2 of 3 ") as caught:
            ask(asked)
        assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"utterance 0 of X is also .*24 of 24"):
        predicted = model.predict(theirs)
    # Without the corpora there is nothing to compare with.
    model.set_params(auxiliary_corpora=None)
    np.testing.assert_array_equal(model.predict(theirs), predicted)


def test_what_has_no_autoencoder_has_not_learned_from_auxiliary_corpora():
    own = AuxiliaryCorpora(X, emotion_quadrant(Y))
    model = quick(auxiliary_corpora=own, fusion=None).fit(X, Y)
    assert model.predict(X).shape == (24,)  # without a warning
    with pytest.warns(UserWarning, match=WITHOUT):
        model = quick(auxiliary_corpora=None).fit(X, Y)
    model.set_params(auxiliary_corpora=own).predict(X)


def test_one_class_alone():
    with pytest.warns(UserWarning, match=r"no triplet.* in the target: ") as caught:
        model = quick().fit(X, ["anger"] * 24)
    assert caught[0].filename == __file__
    assert model.feature_history_[0]["train_triplet_loss"] == 0
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((24, 1)))
    quick(triplets=None).fit(X, ["anger"] * 24)  # asks for none


def test_quadrants_that_meet_no_others():
    """Of the target only the first, of the auxiliary corpora only the others."""
    others = np.flatnonzero(Y != "happiness")
    auxiliary = AuxiliaryCorpora(
        [utterances(seed=1)[0][i] for i in others], emotion_quadrant(Y[others])
    )
    y = np.tile(["joy", "surprise"], 12)
    model = quick(auxiliary_corpora=auxiliary)
    with pytest.warns(UserWarning, match="in the target and the pre-training: the"):
        model.fit(X, y)
    assert model.pretraining_history_[0]["train_triplet_loss"] == 0
    assert model.feature_history_[0]["train_triplet_loss"] == 0


@pytest.mark.parametrize("quadrant", [[2] * 24, [2, None] * 12], ids=["one", "known"])
def test_one_quadrant_makes_no_triplets(quadrant):
    auxiliary = AuxiliaryCorpora(utterances(seed=1)[0], quadrant)
    model = quick(auxiliary_corpora=auxiliary)
    with pytest.warns(UserWarning, match="in the pre-training: the"):
        model.fit(X, Y)
    assert model.pretraining_history_[0]["train_triplet_loss"] == 0


# --- what does not fit -----------------------------------------------------


def test_auxiliary_of_another_width():
    narrow = AuxiliaryCorpora([x[:, 1:] for x in X], [1] * 24)
    with pytest.raises(ValueError, match="segments of 31 values, X of 32: make both"):
        quick(auxiliary_corpora=narrow, segment_shape=None).fit(X, Y)
    quick(auxiliary_corpora=narrow, fusion=None).fit(X, Y)  # not looked at


@pytest.mark.parametrize("kind", ["ragged", "cube", "table"])
def test_auxiliary_that_holds_some_of_the_target(kind):
    cube = np.stack([x[:1].repeat(2, axis=0) for x in X])
    own = {"ragged": X, "cube": cube, "table": cube[:, 0]}[kind]
    other = utterances(seed=1, shortest=2)[0][:3]
    auxiliary = AuxiliaryCorpora(
        [*other, *(np.atleast_2d(own[i]) for i in (5, 7))], [1, 2, 3, 4, 1]
    )
    with pytest.raises(
        ValueError, match=r"utterance 5 of X is also in .* \(2 of 24 are\).* Leave the"
    ):
        quick(auxiliary_corpora=auxiliary).fit(own, Y)
    quick(auxiliary_corpora=auxiliary).fit(own[8:], Y[8:])


@pytest.mark.filterwarnings("ignore:utterance . of X is also in the auxiliary")
def test_auxiliary_that_holds_some_of_the_target_in_a_cross_validation():
    quadrants = np.arange(25) % 4 + 1
    auxiliary = AuxiliaryCorpora([X[3], *utterances(seed=1)[0]], quadrants)
    folds = KFold(3)
    with pytest.raises(ValueError, match="is also in the auxiliary corpora"):
        cross_validate(
            quick(auxiliary_corpora=auxiliary), X, Y, cv=folds, error_score="raise"
        )
    # Where it is in the test alone, the prediction is told to be no test.
    with pytest.warns() as caught:
        scores = cross_validate(quick(auxiliary_corpora=auxiliary), X, Y, cv=folds)
    messages = "".join(str(warning.message) for warning in caught)
    assert "2 fits failed" in messages
    assert "what it makes of it is no test" in messages
    assert np.isnan(scores["test_score"]).sum() == 2
