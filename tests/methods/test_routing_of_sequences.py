"""Speakers reach the estimators of sequences, in both routing modes.

Each estimator notes nothing and refuses all that is not of its utterances: the
first feature of an utterance is its number, from which its speaker follows.
"""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import Pipeline

from sklearn_ser import CVAE, PseudoSiameseGated, SequenceClassifier
from sklearn_ser.datasets import AuxiliaryCorpora

N, N_OF_SPEAKER = 48, 8
GATED = PseudoSiameseGated(fusion=None)


def check_aligned(X, y, groups):
    """Compare labels and speakers with the numbers of the utterances."""
    number = np.array([x[0, 0] for x in X])
    np.testing.assert_array_equal(groups, number // N_OF_SPEAKER)
    np.testing.assert_array_equal(y, number % 2)


class AlignedCVAE(CVAE):
    """CVAE that keeps the numbers of the utterances in what it encodes."""

    def fit(self, X, y=None, *, groups=None):
        check_aligned(X, y, groups)
        return super().fit(X, y, groups=groups)

    def transform(self, X, *, oracle_labels=None):
        encoded = super().transform(X, oracle_labels=oracle_labels)
        for number, latents in zip([x[0, 0] for x in X], encoded, strict=True):
            latents[:, 0] = number
        return encoded


class AlignedClassifier(SequenceClassifier):
    """SequenceClassifier that checks what it is given."""

    def fit(self, X, y, *, groups=None):
        check_aligned(X, y, groups)
        return super().fit(X, y, groups=groups)


class AlignedGated(PseudoSiameseGated):
    """PseudoSiameseGated that checks what it is given."""

    def fit(self, X, y, *, groups=None):
        check_aligned(X, y, groups)
        return super().fit(X, y, groups=groups)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    number = np.arange(N)
    X = [
        np.c_[np.full(length, i), rng.normal(i % 2, size=(length, 3))]
        for i, length in zip(number, rng.integers(2, 7, N), strict=True)
    ]
    ragged = np.fromiter(X, dtype=object, count=N)
    return ragged, number % 2, number // N_OF_SPEAKER


@pytest.fixture(params=[True, False], ids=["routing on", "routing off"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


def pipeline(**params):
    of_both = {"early_stopping": True, "random_state": 0, "max_epochs": 1}
    encoder = AlignedCVAE(hidden_sizes=(4,), latent_dim=2, **of_both)
    classifier = AlignedClassifier(hidden_size=4, **of_both)
    return Pipeline([("cvae", encoder), ("lstm", classifier)], **params)


def spell(routing, groups):
    """Return the speakers as each mode spells them for the steps."""
    if routing:
        return {"groups": groups}
    return {"cvae__groups": groups, "lstm__groups": groups}


def test_pipeline_fit_and_memory(routing, data, tmp_path):
    X, y, groups = data
    plain = pipeline().fit(X, y, **spell(routing, groups))
    for _ in range(2):
        cached = pipeline(memory=str(tmp_path)).fit(X, y, **spell(routing, groups))
        np.testing.assert_array_equal(cached.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("caller", [cross_validate, cross_val_predict])
def test_cross_validation(routing, data, caller, n_jobs):
    X, y, groups = data
    splitter = {} if routing else {"groups": groups}
    scoring = {"error_score": "raise"} if caller is cross_validate else {}
    result = caller(
        pipeline(), X, y, cv=GroupKFold(3), n_jobs=n_jobs,
        params=spell(routing, groups), **splitter, **scoring,
    )  # fmt: skip
    if caller is cross_validate:
        assert len(result["test_score"]) == 3
    else:
        assert len(result) == N


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_nested_search(routing, data, n_jobs):
    X, y, groups = data
    search = GridSearchCV(
        pipeline(), {"cvae__variant": ["cvae", "vae"]}, cv=GroupKFold(2),
        error_score="raise", n_jobs=n_jobs,
    )  # fmt: skip
    splitter = {} if routing else {"groups": groups}
    result = cross_validate(
        search, X, y, cv=GroupKFold(3), error_score="raise",
        params=spell(routing, groups) | {"groups": groups}, **splitter,
    )  # fmt: skip
    assert len(result["test_score"]) == 3


@pytest.mark.slow
def test_search_over_a_model_with_auxiliary_corpora(routing, data):
    """These are not split with the data, and take no part in the routing."""
    X, y, groups = data
    gated = AlignedGated(
        AuxiliaryCorpora(np.eye(4), [1, 1, 2, 2]), quadrants={0: 1, 1: 2},
        embedding_size=2, hidden_size=2, pretraining_epochs=1, feature_epochs=1,
        early_stopping=True, random_state=0, max_epochs=1,
    )  # fmt: skip
    search = GridSearchCV(
        Pipeline([("gated", gated)]), {"gated__margin": [1.0]}, cv=GroupKFold(2),
        error_score="raise",
    )  # fmt: skip
    told = {} if routing else {"gated__groups": groups}
    splitter = {} if routing else {"groups": groups}
    result = cross_validate(
        search, X, y, cv=GroupKFold(3), error_score="raise",
        params=told | {"groups": groups}, **splitter,
    )  # fmt: skip
    assert len(result["test_score"]) == 3


@pytest.mark.parametrize("model", [CVAE(), SequenceClassifier(), GATED], ids=repr)
def test_missing_speakers_show_both_spellings(data, model):
    X, y, _ = data
    with pytest.raises(ValueError, match="pass them as groups") as caught:
        clone(model).set_params(early_stopping=True).fit(X, y)
    name = type(model).__name__.lower()
    assert "fit(X, y, groups=…)" in str(caught.value)
    assert f"fit(X, y, {name}__groups=…)" in str(caught.value)


def test_wrong_length_is_found(data):
    X, y, groups = data
    for model in (CVAE(), SequenceClassifier(), GATED):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.fit(X, y, groups=groups[:-1])
