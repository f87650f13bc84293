"""The result of an evaluation: its table, its JSON, its embeddings."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS, LogMelSegmenter, SequenceClassifier, recipes
from sklearn_ser.evaluation import SavedEvaluation, evaluate_by_speaker
from tests.evaluation.helpers import Spy


@pytest.mark.slow
def test_embedding_of_searches_and_short_pipelines(corpus, feature_cache):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), PCA(3, random_state=0), SVC()),
        {"svc__C": [0.1, 1.0]}, cv=GroupKFold(2),
    )  # fmt: skip
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), search), corpus
    )
    assert result.embedding(0).shape == (len(corpus), 3)
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus
    )
    np.testing.assert_array_equal(result.embedding(0), result.features)


def test_embedding_of_a_classifier_of_sequences(corpus):
    model = recipes.contrastive_siamese(n_frames=60, max_epochs=1, random_state=0)
    model.set_params(contrastivesiamese__auxiliary="gender")
    result = evaluate_by_speaker(model, corpus, cv=3)
    width = result.estimators[0][-1].get_feature_names_out().size
    assert result.embedding(0).shape == (len(corpus), width)


def test_embedding_is_an_array_whatever_the_output_container(corpus):
    front_end = LogMelSegmenter().set_output(transform="default")
    model = make_pipeline(front_end, SequenceClassifier(max_epochs=1, random_state=0))
    plain = evaluate_by_speaker(model, corpus, cv=2).embedding(0)
    with config_context(transform_output="pandas"):
        embedding = evaluate_by_speaker(model, corpus, cv=2).embedding(0)
    assert type(embedding) is np.ndarray
    np.testing.assert_array_equal(embedding, plain)


# Auxiliary corpora


def test_result_is_json_and_says_how_it_came(corpus, feature_cache):
    estimator = recipes.egemaps_svc(memory=feature_cache)
    before = clone(estimator).get_params()
    result = evaluate_by_speaker(estimator, corpus)
    stored = json.loads(json.dumps(result.to_dict()))
    assert stored["wa"] == result.wa
    assert stored["ua_over_folds"]["mean"] == pytest.approx(result.folds["ua"].mean())
    assert stored["f1"] == result.f1
    assert stored["f1_over_folds"]["std"] == pytest.approx(
        result.folds["f1"].std(ddof=0)
    )
    assert stored["target"] == stored["settings"]["target"] == "emotion"
    counts = stored["settings"]["corpus"]
    assert counts["emotions"] == counts["classes"]
    assert list(counts["emotions"].items()) == [
        *(("anger", 6), ("happiness", 6), ("neutral", 6), ("sadness", 6)),
    ]
    assert stored["settings"]["corpus"]["speakers"] == 3
    assert stored["settings"]["splitter"] == "LeaveOneGroupOut()"
    assert stored["settings"]["estimator"]["svc__C"] == "0.01"
    assert stored["settings"]["versions"]["scikit-learn"]
    assert len(stored["utterances"]) == len(corpus)
    assert pd.DataFrame(stored["folds"]).equals(result.folds)
    assert stored["intervals"]["n_speakers"] == 3
    assert stored["intervals"]["ua"] == [*result.interval("ua")]
    assert stored["calibration_error"] is None
    assert estimator.get_params().keys() == before.keys()


def test_printed_table(corpus, feature_cache):
    text = str(
        evaluate_by_speaker(make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus)
    )
    lines = text.splitlines()
    assert lines[0].split() == ["held", "out", "utterances", "WA", "UA", "F1"]
    assert lines[1].split() == ["speaker01", "8", "0.250", "0.250", "0.100"]
    assert lines[-4].split() == ["pooled", "24", "0.250", "0.250", "0.100"]
    # All speakers are recognised alike: no spread is seen.
    assert lines[-3].split() == ["95", "%", "from", "0.250", "0.250", "0.100"]
    assert lines[-2].split() == ["95", "%", "to", "0.250", "0.250", "0.100"]
    assert lines[-1] == "95 %: confidence over 3 speakers"
    assert len({len(line) for line in lines[:-1]}) == 1


# Levels of activation and valence


def test_embedding_of_a_fold(corpus, feature_cache):
    pipeline = recipes.metric_dae("act", random_state=0, memory=feature_cache)
    pipeline.set_params(metricdae__max_epochs=1)
    result = evaluate_by_speaker(pipeline, corpus)
    embedding = result.embedding(1)
    assert embedding.shape == (len(corpus), 2)
    np.testing.assert_array_equal(
        embedding, result.learners[1][:-1].transform(result.features)
    )


def test_a_leak_stands_beside_the_score(corpus, table):
    assert corpus.speaker[0] != corpus.speaker[-1]
    frame = corpus.frame.copy()
    frame.at[len(frame) - 1, "waveform"] = corpus.audio[0][0]
    copied = replace(corpus, frame=frame)
    with pytest.warns(UserWarning, match="the same audio on both sides"):
        found = evaluate_by_speaker(LogisticRegression(), copied, features=table)
    line = "the same audio on both sides of a fold (2 tested utterances)"
    assert f"leak: {line}" in str(found)
    saved = SavedEvaluation.from_dict(json.loads(json.dumps(found.to_dict())))
    assert saved.leaks == [line]
    assert str(saved) == str(found)
    assert line in found._repr_html_()
