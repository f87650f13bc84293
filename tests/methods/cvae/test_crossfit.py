"""The condition of training data, inferred by models that have not seen them."""

import numpy as np
import pytest
import sklearn
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_transformer_general

from sklearn_ser import SequenceClassifier
from tests.methods.cvae.helpers import small, speech

GROUPS = np.arange(40) // 10


def by_hand(X, y, folds, **settings):
    """Encode by one model, under the posterior that the others infer."""
    told = np.empty((len(X), 2))
    for test in folds:
        train = np.setdiff1d(np.arange(len(X)), test)
        fold = small(**settings).fit([X[i] for i in train], y[train])
        told[test] = fold.predict_proba([X[i] for i in test])
    model = small(**settings).fit(X, y)
    encoded = model._inference().encode(model._check_X(X), told, with_variance=True)
    return np.split(encoded, np.cumsum([len(x) for x in X])[:-1]), model


@pytest.mark.parametrize("by", ["speaker", "emotion"])
def test_each_utterance_by_a_model_that_has_not_seen_it(by):
    X, y = speech(spread=0.5)
    settings = {"max_epochs": 5}
    folds = [np.flatnonzero(group == GROUPS) for group in range(4)]
    given = {"groups": GROUPS}
    if by == "emotion":
        order = np.argsort(y == "sadness", kind="stable")
        folds, given = [order[first::4] for first in range(4)], {}
    expected, model = by_hand(X, y, folds, **settings)
    cvae = small(cv=4, **settings)
    together = cvae.fit_transform(X, y, **given)
    for first, second in zip(together, expected, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    # What is fitted is the same as without; only the training data differ.
    for first, second in zip(cvae.transform(X), model.transform(X), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.allclose(together[0], cvae.transform(X)[0])


def test_more_folds_than_speakers():
    X, y = speech()
    few = small(cv=4, max_epochs=2).fit_transform(X, y, groups=GROUPS)
    many = small(cv=30, max_epochs=2).fit_transform(X, y, groups=GROUPS)
    np.testing.assert_array_equal(few[0], many[0])


def test_one_speaker_is_split_by_emotion():
    X, y = speech()
    one = small(cv=3, max_epochs=2).fit_transform(X, y, groups=np.zeros(40))
    none = small(cv=3, max_epochs=2).fit_transform(X, y)
    np.testing.assert_array_equal(one[0], none[0])


@pytest.mark.parametrize("condition", [GROUPS, GROUPS / 3, np.c_[GROUPS, GROUPS] / 2])
def test_conditions_of_their_own(condition):
    X, y = speech()
    cvae = small(cv=2, max_epochs=2)
    encoded = cvae.fit_transform(X, y, condition=condition, groups=GROUPS % 2)
    assert np.isfinite(np.concatenate(list(encoded))).all()
    assert not np.array_equal(encoded[0], cvae.transform(X)[0])


@pytest.mark.parametrize(
    "settings", [{"condition": "prior"}, {"conditioned": "decoder"}]
)
def test_nothing_is_inferred_where_nothing_is_told(settings):
    X, y = speech()
    cvae = small(cv=2, max_epochs=2, **settings)
    np.testing.assert_array_equal(cvae.fit_transform(X, y)[0], cvae.transform(X)[0])


@pytest.mark.parametrize("form", [np.stack, lambda x: np.stack(x)[:, 0]])
def test_other_forms_of_input(form):
    X, y = speech()
    X = form([x[:2] for x in X])
    assert small(cv=2, max_epochs=2).fit_transform(X, y).shape[:-1] == X.shape[:-1]


@pytest.mark.parametrize("routing", [True, False])
def test_a_pipeline_trains_on_what_is_cross_fitted(routing):
    X, y = speech(spread=0.3)
    X = np.fromiter(X, dtype=object, count=len(X))
    given = {"groups": GROUPS} if routing else {"cvae__groups": GROUPS}
    classifier = SequenceClassifier(hidden_size=4, max_epochs=2, random_state=0)
    with sklearn.config_context(enable_metadata_routing=routing):
        encoder = small(cv=4, max_epochs=3)
        model = make_pipeline(encoder, classifier).fit(X, y, **given)
    encoded = small(cv=4, max_epochs=3).fit_transform(X, y, groups=GROUPS)
    expected = classifier.fit(encoded, y).predict_proba(model[0].transform(X))
    np.testing.assert_array_equal(model.predict_proba(X), expected)


@pytest.mark.slow
def test_scikit_learns_check_holds_where_the_classes_are_told_apart():
    """What is cross-fitted is what is fitted, once both are certain and right."""
    cvae = small(cv=3, max_epochs=60, lr=0.01, batch_size=16)
    check_transformer_general("CVAE", cvae)


def test_folds_that_are_none():
    with pytest.raises(ValueError, match="'cv' parameter of CVAE"):
        small(cv=1).fit(*speech())
