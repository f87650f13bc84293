"""Evaluation by speaker: scores, metadata, broken recordings."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    EGeMAPS,
    LogMel,
    MetricDAE,
    PseudoSiameseGated,
    SequencePooling,
    SpectrogramSegmenter,
    recipes,
)
from sklearn_ser.datasets import AuxiliaryCorpora, Corpus, make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score
from tests.evaluation.helpers import Spy


def test_scores_are_those_of_the_metrics(corpus, feature_cache):
    result = evaluate_by_speaker(
        recipes.egemaps_svc(n_jobs=2, memory=feature_cache), corpus
    )
    truth, predicted = corpus.emotion, result.predicted
    assert result.wa == wa_score(truth, predicted)
    assert result.ua == ua_score(truth, predicted)
    assert result.f1 == macro_f1_score(truth, predicted)
    assert result.target == "emotion"
    np.testing.assert_array_equal(result.truth, truth)
    assert result.classes == ["anger", "happiness", "neutral", "sadness"]
    assert result.folds["speakers"].tolist() == sorted(set(corpus.speaker))
    for number, row in result.folds.iterrows():
        of_fold = result.fold == number
        assert set(corpus.speaker[of_fold]) == {row["speakers"]}
        assert row["utterances"] == of_fold.sum() == 8
        assert row["ua"] == ua_score(truth[of_fold], predicted[of_fold])
        assert row["f1"] == macro_f1_score(truth[of_fold], predicted[of_fold])
    assert result.left_out == result.unrated == []


def test_equals_the_same_thing_by_hand(corpus, feature_cache):
    pipeline = recipes.metric_dae("act", random_state=0, memory=feature_cache)
    pipeline.set_params(metricdae__max_epochs=3)
    result = evaluate_by_speaker(pipeline, corpus)
    features = EGeMAPS(memory=feature_cache).transform(corpus.audio)
    expected = np.empty_like(corpus.emotion)
    splits = LeaveOneGroupOut().split(features, groups=corpus.speaker)
    for train, test in splits:
        scale = StandardScaler().fit(features[train])
        dae = MetricDAE("act", max_epochs=3, random_state=0).fit(
            scale.transform(features[train]), activation=corpus.activation[train]
        )
        svc = SVC(kernel="linear", class_weight="balanced")
        svc.fit(dae.transform(scale.transform(features[train])), corpus.emotion[train])
        expected[test] = svc.predict(dae.transform(scale.transform(features[test])))
    np.testing.assert_array_equal(result.predicted, expected)


def test_metadata_reaches_training_only(corpus, feature_cache):
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus
    )
    for number, fitted in enumerate(result.estimators):
        train = result.fold != number
        seen = fitted[-1].seen_
        np.testing.assert_array_equal(seen["X"], result.features[train])
        np.testing.assert_array_equal(seen["y"], corpus.emotion[train])
        np.testing.assert_array_equal(seen["activation"], corpus.activation[train])
        np.testing.assert_array_equal(seen["groups"], corpus.speaker[train])


def test_labels_of_the_held_out_speaker_never_matter(corpus, feature_cache):
    """Activation of the test speaker, changed at will, changes nothing there."""
    pipeline = recipes.metric_dae("act", random_state=0, memory=feature_cache)
    pipeline.set_params(metricdae__max_epochs=3)
    first = evaluate_by_speaker(pipeline, corpus)
    held_out = first.fold == 0
    changed = corpus.frame.copy()
    changed.loc[held_out, "activation"] = 6 - changed.loc[held_out, "activation"]
    second = evaluate_by_speaker(pipeline, Corpus(changed, name="changed"))
    np.testing.assert_array_equal(first.predicted[held_out], second.predicted[held_out])


def test_pooling_behind_a_front_end_runs_once(corpus, monkeypatch, feature_cache):
    rows = []
    transform = SequencePooling.transform

    def listing(self, X):
        rows.append(len(X))
        return transform(self, X)

    monkeypatch.setattr(SequencePooling, "transform", listing)
    front_end = LogMel(memory=str(feature_cache))
    model = make_pipeline(front_end, SequencePooling(), SVC())
    evaluation = evaluate_by_speaker(model, corpus)
    assert rows == [len(corpus)]
    assert evaluation.features.shape == (len(corpus), 52)
    assert [len(fitted) for fitted in evaluation.learners] == [1, 1, 1]
    # A pipeline that ends with the pooling has nothing to learn.
    with pytest.raises((AttributeError, TypeError)):
        evaluate_by_speaker(make_pipeline(front_end, SequencePooling()), corpus)


def test_front_end_runs_once(corpus, monkeypatch):
    calls = []
    transform = EGeMAPS.transform
    monkeypatch.setattr(
        EGeMAPS, "transform", lambda self, X: calls.append(len(X)) or transform(self, X)
    )
    evaluate_by_speaker(recipes.egemaps_svc(), corpus)
    assert calls == [len(corpus)]


def test_broken_recordings_are_left_out_and_named(corpus, feature_cache):
    frame = corpus.frame.copy()
    frame.at[5, "waveform"] = np.full(16000, np.nan, dtype=np.float32)
    broken = Corpus(frame, name="broken")
    with pytest.warns(UserWarning, match="recording 5: waveform: .* NaN"):
        result = evaluate_by_speaker(
            recipes.egemaps_svc(on_error="warn", memory=feature_cache), broken
        )
    assert result.left_out == ["utterance 5"]
    assert len(result.corpus) == len(result.predicted) == len(corpus) - 1
    assert "left out, without features: utterance 5" in str(result)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_several_speakers_per_fold_and_workers(corpus, n_jobs, feature_cache):
    pipeline = recipes.metric_dae("act", random_state=0, memory=feature_cache)
    pipeline.set_params(metricdae__max_epochs=2)
    result = evaluate_by_speaker(pipeline, corpus, cv=GroupKFold(2), n_jobs=n_jobs)
    alone = evaluate_by_speaker(pipeline, corpus, cv=GroupKFold(2))
    np.testing.assert_array_equal(result.predicted, alone.predicted)
    assert len(result.folds) == 2
    assert " " in max(result.folds["speakers"], key=len)


def test_a_step_that_mixes_rows_is_fitted_in_each_fold(corpus, feature_cache):
    """scikit-learn calls it stateless, but test speakers would reach its means."""
    center = FunctionTransformer(lambda X: (X - X.mean(axis=0)) / X.std(axis=0))
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), center, SVC()), corpus
    )
    expected = cross_val_predict(
        make_pipeline(center, SVC()), result.features, corpus.emotion,
        groups=corpus.speaker, cv=LeaveOneGroupOut(),
    )  # fmt: skip
    np.testing.assert_array_equal(result.predicted, expected)


@pytest.mark.slow
@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_features_in_data_frames(corpus, container, feature_cache):
    estimator = recipes.egemaps_svc(on_error="nan", memory=feature_cache).set_output(
        transform=container
    )
    plain = evaluate_by_speaker(recipes.egemaps_svc(memory=feature_cache), corpus)
    frame = corpus.frame.copy()
    frame.loc[len(frame)] = frame.loc[0]
    frame.at[len(frame) - 1, "waveform"] = np.zeros(3, dtype=np.float32)
    result = evaluate_by_speaker(estimator, Corpus(frame, name="with a fault"))
    np.testing.assert_array_equal(result.predicted, plain.predicted)


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_steps_that_are_left_out(corpus, nothing, feature_cache):
    estimator = recipes.egemaps_svc(memory=feature_cache).set_params(
        standardscaler=nothing
    )
    assert len(evaluate_by_speaker(estimator, corpus, cv=2).folds) == 2


def test_no_recording_at_all(corpus, feature_cache):
    silent = corpus.frame.assign(waveform=[np.zeros(3, np.float32)] * len(corpus))
    with pytest.raises(ValueError, match="None of the 24 recordings has features"):
        evaluate_by_speaker(
            recipes.egemaps_svc(on_error="nan", memory=feature_cache),
            Corpus(silent, name="silent"),
        )


@pytest.mark.slow
def test_cv_as_scikit_learn_takes_it(corpus, feature_cache):
    estimator = recipes.egemaps_svc(memory=feature_cache)
    by_number = evaluate_by_speaker(estimator, corpus, cv=2)
    splits = list(GroupKFold(2).split(corpus.audio, groups=corpus.speaker))
    by_splits = evaluate_by_speaker(estimator, corpus, cv=splits)
    np.testing.assert_array_equal(by_number.predicted, by_splits.predicted)


@pytest.mark.slow
def test_a_splitter_of_ones_own_gets_the_speakers(corpus, feature_cache):
    class Own:
        def split(self, X, y=None, groups=None):
            return GroupKFold(2).split(X, y, groups)

        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

    estimator = recipes.egemaps_svc(memory=feature_cache)
    own = evaluate_by_speaker(estimator, corpus, cv=Own())
    np.testing.assert_array_equal(
        own.predicted, evaluate_by_speaker(estimator, corpus, cv=2).predicted
    )


def test_segments_are_told_apart(corpus, tmp_path, feature_cache):
    waveforms = [waveform for waveform, _ in corpus.audio]
    ends = np.cumsum([len(waveform) for waveform in waveforms]) / 16000
    sf.write(tmp_path / "all.wav", np.concatenate(waveforms), 16000)
    frame = corpus.frame[["emotion", "speaker"]].assign(
        file=str(tmp_path / "all.wav"), start=[0, *ends[:-1]], end=ends
    )
    frame.loc[2, "start"] = frame.loc[2, "end"] - 0.01  # too short
    result = evaluate_by_speaker(
        recipes.egemaps_svc(on_error="nan", memory=feature_cache),
        Corpus(frame, name="segments"),
    )
    (left_out,) = result.left_out
    assert left_out.endswith(f"from {frame.start[2]} to {frame.end[2]}")
    names = [row["recording"] for row in result.to_dict()["utterances"]]
    assert len(set(names)) == len(names) == len(corpus) - 1


def test_predictions_longer_than_the_labels(corpus, feature_cache):
    class LongWinded(Spy):
        def predict(self, X):
            return np.full(len(X), "something much longer")

    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), LongWinded()), corpus
    )
    assert set(result.predicted) == {"something much longer"}


@pytest.mark.slow
@pytest.mark.parametrize("factors", [(), (1.1,)])
def test_augmentation_runs_inside_the_folds(corpus, feature_cache, factors):
    """Only training recordings have copies; a broken one is left out all the same."""
    frame = corpus.frame.copy()
    frame.at[5, "waveform"] = np.full(16000, np.nan, dtype=np.float32)
    # Of 44 ms, of which a copy at 1.1 times the speed lasts no whole frame of 40 ms.
    short = 0.1 * np.random.default_rng(0).normal(size=690).astype(np.float32)
    frame.at[7, "waveform"] = short
    model = recipes.menan(
        max_epochs=1, shorter="keep", factors=factors, random_state=0,
        on_error="warn", memory=str(feature_cache),
    )  # fmt: skip
    with pytest.warns(UserWarning, match="recording 5: waveform: .* NaN"):
        result = evaluate_by_speaker(model, Corpus(frame, name="broken"), cv=3)
    too_short = ["utterance 7"] if factors else []
    assert result.left_out == ["utterance 5", *too_short]
    of_fold = result.estimators[0]["speedperturbation"].estimator_["menan"]
    assert len(of_fold.speakers_) == 2
    # What MEnAN has learned, not what it was given.
    assert result.embedding(0).shape == (len(corpus) - len(result.left_out), 96)


# Auxiliary corpora


FEW_EPOCHS = {"pretraining_epochs": 1, "feature_epochs": 1, "max_epochs": 1}


@pytest.mark.slow
def test_auxiliary_corpora_are_given_to_all_folds_and_written_down_in_short(corpus):
    front_end = SpectrogramSegmenter(f_max=250.0)
    others = make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=1)
    others = replace(others, name="others")
    auxiliary = AuxiliaryCorpora.from_corpora(others, front_end)
    classifier = PseudoSiameseGated(auxiliary, random_state=0, **FEW_EPOCHS)
    model = make_pipeline(front_end, classifier)
    alone, beside = (
        evaluate_by_speaker(model, corpus, cv=2, n_jobs=n) for n in (None, 2)
    )
    np.testing.assert_array_equal(beside.predicted, alone.predicted)
    assert classifier.auxiliary_corpora is auxiliary
    assert beside.embedding(0).shape == (len(corpus), 256)
    for fitted in (*alone.estimators, *beside.estimators):
        assert len(fitted[-1].pretraining_history_) == 1
        assert fitted[-1].auxiliary_corpora is None  # or each would have its own copy
    stored = json.loads(json.dumps(beside.to_dict()))["settings"]["estimator"]
    assert stored["pseudosiamesegated__auxiliary_corpora"] == repr(auxiliary)
    assert max(map(len, stored.values())) < 2000


@pytest.mark.slow
def test_no_auxiliary_corpora_come_back_from_a_search(corpus, feature_cache):
    rng = np.random.default_rng(0)
    auxiliary = AuxiliaryCorpora(rng.normal(size=(40, 88)), np.tile([1, 2, 3, 4], 10))
    search = GridSearchCV(
        PseudoSiameseGated(auxiliary, random_state=0, **FEW_EPOCHS),
        {"fusion": ["gate"]}, cv=GroupKFold(2), error_score="raise",
    )  # fmt: skip
    model = make_pipeline(EGeMAPS(memory=feature_cache), StandardScaler(), search)
    fitted = evaluate_by_speaker(model, corpus).estimators[0][-1]
    assert fitted.estimator.auxiliary_corpora is None
    assert fitted.best_estimator_.auxiliary_corpora is None
    assert search.estimator.auxiliary_corpora is auxiliary


def test_search_inside_is_nested_by_speaker(corpus, feature_cache):
    """A search in the pipeline gets the speakers of the training part."""
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MetricDAE("act", max_epochs=1, random_state=0),
                      SVC()),
        {"svc__C": [0.1, 1.0]}, cv=GroupKFold(2), error_score="raise",
    )  # fmt: skip
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), search), corpus
    )
    assert len(result.folds) == 3


def test_an_estimator_that_is_no_pipeline(corpus):
    class FirstSample(Spy):
        def fit(self, X, y, activation=None, groups=None):
            assert isinstance(X[0], tuple)
            return super().fit(X, y, activation, groups)

    result = evaluate_by_speaker(FirstSample(), corpus)
    assert (result.predicted == "anger").all()


# Levels of activation and valence


@pytest.mark.slow
def test_progress_bar(corpus, capsys, feature_cache):
    evaluate_by_speaker(make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus)
    assert capsys.readouterr().err == ""
    evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus, verbose=True
    )
    assert "3/3" in capsys.readouterr().err
