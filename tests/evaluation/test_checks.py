"""What an evaluation by speaker refuses: leaks of speakers and of corpora."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    EGeMAPS,
    LogMel,
    PseudoSiameseGated,
    SequencePooling,
    SpeedPerturbation,
)
from sklearn_ser.datasets import AuxiliaryCorpora
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.evaluation._checks import check_pretraining, check_searches
from tests.evaluation.helpers import Spy


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (StratifiedKFold(2), "both in training and in test; use a splitter by group"),
        (GroupShuffleSplit(3, random_state=0), "holds out utterances of an earlier"),
        (GroupShuffleSplit(1, random_state=0), "utterances untested"),
    ],
)
def test_unfit_splitters_are_refused(corpus, cv, message, feature_cache):
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(
            make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus, cv=cv
        )


def test_a_search_that_shares_speakers_is_named(corpus, feature_cache):
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3)
    with pytest.warns(UserWarning, match=r"cv=3, which does not look at speakers"):
        evaluate_by_speaker(
            make_pipeline(EGeMAPS(memory=feature_cache), StandardScaler(), search),
            corpus,
        )


def test_searches_are_checked_alone():
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3)
    with pytest.warns(UserWarning, match=r"knows. Give it a splitter by group"):
        check_searches(make_pipeline(StandardScaler(), search))
    check_searches(search.set_params(cv=GroupKFold(2)))


def holding(*names):
    rng = np.random.default_rng(0)
    return AuxiliaryCorpora(
        rng.normal(size=(4, 88)), [1, 2, 3, 4], corpus=[*names, *names[:1] * 4][:4]
    )


def in_pipeline(auxiliary):
    return make_pipeline(EGeMAPS(), PseudoSiameseGated(auxiliary))


def in_search(auxiliary):
    grid = [{"fusion": ["gate"]}, {"auxiliary_corpora": [None, auxiliary]}]
    search = GridSearchCV(PseudoSiameseGated(), grid, cv=GroupKFold(2))
    return make_pipeline(EGeMAPS(), StandardScaler(), search)


@pytest.mark.parametrize(
    ("place", "parameter"),
    [
        (PseudoSiameseGated, "auxiliary_corpora"),
        (in_pipeline, "pseudosiamesegated__auxiliary_corpora"),
        (in_search, "gridsearchcv__param_grid"),
        (lambda auxiliary: SpeedPerturbation(in_pipeline(auxiliary)),
         "estimator__pseudosiamesegated__auxiliary_corpora"),
    ],
)  # fmt: skip
def test_a_corpus_that_is_also_auxiliary_is_refused(
    corpus, place, parameter, monkeypatch
):
    monkeypatch.setattr(EGeMAPS, "transform", None)  # before anything is computed
    estimator = place(holding("URDU", corpus.name))
    message = f"corpus synthetic is evaluated, and {parameter} .* the name synthetic"
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(estimator, corpus)
    some = corpus.select(corpus.speaker != corpus.speaker[0])
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(estimator, some)


def test_a_corpus_of_another_name_than_the_auxiliary_ones_is_none_of_them(corpus):
    for auxiliary in (holding("URDU", "EMO-DB"), holding("synthetic speech"), None):
        for place in (PseudoSiameseGated, in_pipeline, in_search):
            check_pretraining(place(auxiliary), corpus)
    check_pretraining(in_pipeline(holding("synthetic")), replace(corpus, name="other"))


@pytest.mark.parametrize("steps", [(StandardScaler(), SVC()), (SVC(),)])
def test_a_table_step_behind_sequences_is_told_of_pooling(corpus, steps):
    with pytest.raises(ValueError, match=r"put SequencePooling\(\) between"):
        evaluate_by_speaker(make_pipeline(LogMel(), *steps), corpus)


def test_another_error_of_a_step_stays_as_it_is(corpus):
    pipeline = make_pipeline(LogMel(), SequencePooling(), SVC(C=-1.0))
    with pytest.raises(ValueError, match=r"'C' parameter of SVC"):
        evaluate_by_speaker(pipeline, corpus)
