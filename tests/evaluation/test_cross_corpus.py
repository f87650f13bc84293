"""Each corpus against each other: the table is that of the single evaluations."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import LogMel, SequencePooling
from sklearn_ser.evaluation import (
    SpeakerEvaluation,
    TransferEvaluation,
    cross_corpus_matrix,
    evaluate_by_speaker,
    evaluate_transfer,
)
from tests.evaluation.helpers import log_mel_svc

NAMES = ["synthetic", "other", "third"]


@pytest.fixture(scope="module")
def corpora(corpus, other):
    emotion = np.where(other.emotion == "happiness", "fear", other.emotion)
    third = replace(other, name="third", frame=other.frame.assign(emotion=emotion))
    return [corpus, other, third]


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    cache = str(tmp_path_factory.mktemp("features"))
    front_end = LogMel(8, duration=None, memory=cache)
    pooling = SequencePooling(("mean", "std"))
    return make_pipeline(front_end, pooling, StandardScaler(), SVC(kernel="linear"))


@pytest.fixture(scope="module")
def matrix(estimator, corpora):
    return cross_corpus_matrix(estimator, corpora, seeds=[0, 1])


@pytest.mark.slow
def test_cells_are_the_single_evaluations(estimator, corpora, matrix):
    three = ["anger", "neutral", "sadness"]
    table, std = matrix.table(), matrix.std()
    assert table.index.tolist() == table.columns.tolist() == NAMES
    for source in corpora:
        for target in corpora:
            cell = table.loc[source.name, target.name]
            if source is target:
                expected = evaluate_by_speaker(estimator, source.keep_emotions(three))
                assert np.isnan(std.loc[source.name, source.name])
            else:
                expected = evaluate_transfer(
                    estimator, source, target, classes=three, seeds=[0, 1]
                )
                spread = expected.std["ua"]
                assert std.loc[source.name, target.name] == pytest.approx(spread)
            assert cell == pytest.approx(expected.ua)
    assert (matrix.n_classes == 3).all(axis=None)
    wa = matrix.evaluations["other", "third"].wa
    assert matrix.table("wa").loc["other", "third"] == wa


def test_pairs_may_have_emotions_of_their_own(estimator, corpora):
    matrix = cross_corpus_matrix(estimator, corpora, classes="pair")
    assert matrix.n_classes.to_numpy().tolist() == [[4, 4, 3], [4, 4, 3], [3, 3, 4]]
    assert "fear" in matrix.classes["third", "third"]
    assert "fear" not in matrix.classes["third", "other"]
    assert matrix.settings["seeds"] == [0]
    assert np.isnan(matrix.std().to_numpy()).all()
    assert str(matrix).splitlines()[-1].split() == ["third", "3", "3", "4"]


def test_within_a_corpus_no_speaker_stands_on_both_sides(matrix):
    for pair, found in matrix.evaluations.items():
        within = pair[0] == pair[1]
        assert isinstance(found, SpeakerEvaluation if within else TransferEvaluation)
        if within:
            assert found.folds["speakers"].tolist() == [
                f"speaker0{i}" for i in (1, 2, 3)
            ]


def test_matrix_is_json_and_prints(matrix):
    stored = json.loads(json.dumps(matrix.to_dict()))
    assert stored["names"] == NAMES
    assert stored["ua"] == matrix.table().to_numpy().tolist()
    assert stored["pairs"][1]["trained_on"] == "synthetic"
    assert stored["pairs"][1]["tested_on"] == "other"
    assert stored["settings"]["statistics"] == 0.2
    assert "source" not in stored["settings"]
    lines = str(matrix).splitlines()
    assert lines[0] == "UA; within a corpus by speaker"
    assert lines[-1] == "emotions: anger, neutral, sadness"


def test_what_is_refused(corpus, other):
    estimator = log_mel_svc()
    with pytest.raises(ValueError, match="two corpora at least, got 1"):
        cross_corpus_matrix(estimator, [corpus])
    with pytest.raises(ValueError, match="Two corpora are named synthetic"):
        cross_corpus_matrix(estimator, [corpus, other, corpus])
    with pytest.raises(ValueError, match="The corpus other has no fear"):
        cross_corpus_matrix(estimator, [other, corpus], classes=["anger", "fear"])
    with pytest.raises(ValueError, match="'shared' or a list, got 'all'"):
        cross_corpus_matrix(estimator, [other, corpus], classes="all")


def test_scores_that_there_are(matrix):
    for name in (matrix.table, matrix.std):
        with pytest.raises(ValueError, match="score must be 'wa', 'ua' or 'f1'"):
            name("accuracy")


def test_outliers_are_dropped_within_a_corpus_too(corpora):
    front_end = LogMel(8, duration=None)
    estimator = make_pipeline(front_end, SequencePooling(), DummyClassifier())
    matrix = cross_corpus_matrix(estimator, corpora[:2], outliers=2.2)
    across = matrix.evaluations["synthetic", "other"]
    within = matrix.evaluations["other", "other"]
    assert 0 < len(across.outliers["target"]) == 24 - len(within.corpus)
