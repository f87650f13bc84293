"""The reference recipe: its settings, and its number on EMO-DB."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict

from sklearn_ser import recipes
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.metrics import ua_score
from tests.features.encoders import make_encoder


def test_reference_settings():
    pipeline = recipes.egemaps_svc()
    svc = pipeline["svc"]
    assert (svc.kernel, svc.C, svc.class_weight) == ("linear", 0.01, "balanced")
    assert list(pipeline.named_steps) == ["egemaps", "standardscaler", "svc"]


def test_the_larger_set_and_the_layers():
    assert recipes.compare16_svc(C=0.1)["svc"].C == 0.1
    search = recipes.embedding_svc("folder", layers=(1, 2), C=[1.0])["gridsearchcv"]
    assert search.param_grid == {
        "functiontransformer__kw_args": [
            {"layer": 0, "n_layers": 2, "n_statistics": 2},
            {"layer": 1, "n_layers": 2, "n_statistics": 2},
            {"statistic": 0, "n_layers": 2, "n_statistics": 2},
        ],
        "svc__C": [1.0],
    }
    alone = recipes.embedding_svc("folder", layers=[3])
    assert alone["speechembedding"].layer == [3]
    assert len(alone["gridsearchcv"].param_grid["functiontransformer__kw_args"]) == 1


def test_log_mel_alone_beats_chance_by_far(corpus):
    """Whatever is not installed."""
    recipe = recipes.logmel_baseline()
    assert recipe["sequencepooling"].fit_transform([np.ones((9, 64))]).shape == (
        1,
        1920,
    )
    assert evaluate_by_speaker(recipe, corpus, cv=3).ua > 0.5


@pytest.mark.parametrize("by", ["corpus", "speaker"])
def test_layers_are_chosen_on_the_training_speakers(corpus, tmp_path, by):
    folder = make_encoder("whisper", tmp_path)
    recipe = recipes.embedding_svc(str(folder), layers=range(3), by=by, C=[0.01])
    evaluation = evaluate_by_speaker(recipe, corpus, cv=2)
    of_speakers = "mean_std of all utterances of each speaker"
    assert evaluation.speaker_statistics == (of_speakers if by == "speaker" else None)
    for fold, fitted in enumerate(evaluation.learners):
        search = fitted["gridsearchcv"]
        assert len(search.cv_results_["params"]) == 4
        # Chosen by hand among the same speakers gives the same.
        training = evaluation.fold != fold
        again = GridSearchCV(
            search.estimator, search.param_grid, scoring=search.scoring, cv=search.cv
        )
        again.fit(
            _scaled(fitted, evaluation.features[training], corpus, training),
            corpus.emotion[training],
            groups=corpus.speaker[training],
        )
        assert again.best_params_ == search.best_params_


def _scaled(fitted, features, corpus, training):
    """Return what the search is given in training."""
    if len(fitted) == 1:
        return features
    return fitted[0].transform(features, groups=corpus.speaker[training])


@pytest.mark.slow
def test_the_reference_beats_chance_by_far(corpus):
    predicted = cross_val_predict(
        recipes.egemaps_svc(n_jobs=2),
        corpus.audio,
        corpus.emotion,
        groups=corpus.speaker,
        cv=GroupKFold(4),
    )
    assert ua_score(corpus.emotion, predicted) > 0.5


@pytest.mark.slow
@pytest.mark.corpus
def test_emodb_by_speaker(data_home):
    """The reference number of the field, within a point."""
    from sklearn.model_selection import LeaveOneGroupOut

    from sklearn_ser.datasets import load_emodb

    corpus = load_emodb(data_home / "emodb")
    predicted = cross_val_predict(
        recipes.egemaps_svc(n_jobs=2)[1:],
        recipes.egemaps_svc(n_jobs=2)[0].transform(corpus.audio),
        corpus.emotion,
        groups=corpus.speaker,
        cv=LeaveOneGroupOut(),
    )
    assert ua_score(corpus.emotion, predicted) == pytest.approx(0.67, abs=0.01)
    assert np.unique(predicted).size == 7
