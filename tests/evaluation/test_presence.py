"""Models of all folds on recordings with several emotions, against a loop."""

import json

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_ser import EGeMAPS, SpeakerScaler
from sklearn_ser.evaluation import evaluate_by_speaker, evaluate_presence
from tests.evaluation.helpers import PredictionSpy, features_of, log_mel, log_mel_svc

FOUR = ["anger", "happiness", "neutral", "sadness"]


@pytest.fixture(scope="module")
def evaluation(corpus):
    return evaluate_by_speaker(log_mel_svc(), corpus)


@pytest.fixture(scope="module")
def present(other):
    """Return the emotion of each utterance, and sometimes another one."""
    rng = np.random.default_rng(0)
    also = rng.random((len(other), 4)) < 0.2
    found = (other.emotion[:, None] == np.array(FOUR)) | also
    found[[2, 7]] = False
    return found


def test_each_model_is_scored_by_the_rule(evaluation, other, present):
    result = evaluate_presence(evaluation, log_mel_svc(), other, present, classes=FOUR)
    X = features_of(other)
    scores = []
    for model in evaluation.learners:
        predicted = model.predict(X)
        rows = [i for i in range(len(X)) if present[i].any()]
        right = [present[i, FOUR.index(predicted[i])] for i in rows]
        scores.append(np.mean(right))
    assert len(rows) == 22
    np.testing.assert_allclose(result.scores, scores)
    assert result.mean == pytest.approx(np.mean(scores))
    assert (result.min, result.max) == (min(scores), max(scores))
    assert result.scored.sum() == 22
    assert result.chance == pytest.approx(present[rows].mean())


def test_recordings_serve_as_a_corpus_does(evaluation, other, present):
    results = [
        evaluate_presence(evaluation, log_mel_svc(), X, present, classes=FOUR)
        for X in (other, other.audio)
    ]
    assert (results[0].predicted == results[1].predicted).all()


def test_table_of_classes(evaluation, other, present):
    result = evaluate_presence(evaluation, log_mel_svc(), other, present, classes=FOUR)
    table = result.by_class
    assert table["present"].tolist() == present.sum(axis=0).tolist()
    assert table["predicted"].sum() == pytest.approx(22)
    share = (table["predicted"] * table["right"].fillna(0)).sum() / 22
    assert share == pytest.approx(result.mean)


def test_speakers_reach_the_steps_that_ask(corpus, other, present):
    estimator = log_mel(SpeakerScaler(by="speaker"), PredictionSpy())
    evaluation = evaluate_by_speaker(estimator, corpus)
    evaluate_presence(evaluation, estimator, other, present, classes=FOUR)
    groups = evaluation.estimators[0][-1].groups_
    assert groups.tolist() == other.speaker[present.any(axis=1)].tolist()
    given = np.resize(["a", "b"], len(other))
    evaluate_presence(
        evaluation, estimator, other.audio, present, classes=FOUR, groups=given
    )
    assert set(evaluation.estimators[0][-1].groups_) == {"a", "b"}


def test_recordings_without_features_are_left_out(corpus, other):
    estimator = make_pipeline(EGeMAPS(on_error="nan"), PredictionSpy())
    evaluation = evaluate_by_speaker(estimator, corpus.select(range(0, 24, 4)))
    recordings = [(np.zeros(0), 16000), *other.audio[:1]]
    result = evaluate_presence(
        evaluation, estimator, recordings, [[1], [1]], classes=["anger"]
    )
    assert result.scored.tolist() == [False, True]
    with pytest.raises(ValueError, match="None of the 1 recordings has features"):
        evaluate_presence(
            evaluation, estimator, recordings[:1], [[1]], classes=["anger"]
        )


def test_result_is_json_and_prints(evaluation, other, present):
    result = evaluate_presence(evaluation, log_mel_svc(), other, present, classes=FOUR)
    stored = json.loads(json.dumps(result.to_dict()))
    assert stored["scores"] == result.scores.tolist()
    assert (stored["recordings"], stored["left_out"]) == (22, 2)
    assert str(result).startswith("3 models on 22 recordings, 2 left out; chance 0.")


def test_what_is_refused(evaluation, other, present):
    estimator = log_mel_svc()
    with pytest.raises(ValueError, match="names fear, which no model was trained for"):
        evaluate_presence(
            evaluation, estimator, other, present, classes=[*FOUR[:3], "fear"]
        )
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        evaluate_presence(evaluation, estimator, other, present[1:], classes=FOUR)
    with pytest.raises(ValueError, match="shows one of anger, happiness"):
        evaluate_presence(evaluation, estimator, other, present & False, classes=FOUR)
