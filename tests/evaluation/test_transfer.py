"""From one corpus to another: the protocol step by step, and what must not leak."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    LogMel,
    SequencePooling,
    SpeakerScaler,
    SpeedPerturbation,
    recipes,
)
from sklearn_ser.evaluation import evaluate_by_speaker, evaluate_transfer
from sklearn_ser.metrics import zscore_outliers
from tests.evaluation.helpers import (
    PredictionSpy,
    Spy,
    features_of,
    log_mel,
    log_mel_svc,
)

FOUR = ["anger", "happiness", "neutral", "sadness"]
THREE = ["anger", "neutral", "sadness"]


def by_hand(source, target, seed, classes=FOUR):
    """Return the scored utterances and the predictions of the protocol, in a row."""
    X, Z = features_of(source), features_of(target)
    scaler = StandardScaler().fit(X)
    X = scaler.transform(X)
    rows = (
        np.ones(len(X), bool) if classes is None else np.isin(source.emotion, classes)
    )
    svc = SVC(kernel="linear").fit(X[rows], source.emotion[rows])
    order = np.random.default_rng(seed).permutation(len(Z))
    statistics, scored = np.split(order, [len(Z) // 5])
    scored = scored[np.isin(target.emotion[scored], classes)]
    scaler = StandardScaler().fit(Z[statistics])
    return scored, svc.predict(scaler.transform(Z[scored]))


def test_the_protocol_step_by_step(corpus, other):
    result = evaluate_transfer(
        log_mel_svc(), corpus, other, seeds=[3, 8], subsets=[THREE]
    )
    assert [run.seed for run in result.runs] == [3, 8]
    for part, classes in ((result, FOUR), (result.subsets[0], THREE)):
        for run in part.runs:
            scored, predicted = by_hand(corpus, other, run.seed, classes=classes)
            assert_array_equal(run.scored, scored)
            assert_array_equal(run.predicted, predicted)
            assert_array_equal(run.truth, other.emotion[scored])
    assert result.adapted == ["standardscaler"]
    assert len(result.runs[0].statistics) == 4  # of 24
    assert len(result.source) == 24
    assert len(result.subsets[0].source) == 18


@pytest.mark.parametrize("statistics", [0, None])
def test_without_statistics_of_the_target(corpus, other, statistics):
    result = evaluate_transfer(
        log_mel_svc(), corpus, other, statistics=statistics, seeds=[0]
    )
    plain = log_mel_svc().fit(corpus.audio, corpus.emotion)
    (run,) = result.runs
    assert_array_equal(run.scored, np.arange(len(other)))
    assert_array_equal(run.predicted, plain.predict(other.audio))
    assert result.adapted == []
    assert len(run.statistics) == 0


def test_with_statistics_of_all_of_the_target(corpus, other):
    result = evaluate_transfer(log_mel_svc(), corpus, other, statistics=1, seeds=[0])
    scaler = result.runs[0].estimator[0]
    np.testing.assert_allclose(scaler.mean_, features_of(other).mean(axis=0), rtol=1e-5)
    assert len(result.runs[0].scored) == len(result.runs[0].statistics) == len(other)


def test_share_of_speakers(corpus, other):
    result = evaluate_transfer(
        log_mel_svc(), corpus, other, statistics=0.3, statistics_by="speaker"
    )
    for run in result.runs:
        gave = set(other.speaker[run.statistics])
        assert len(gave) == 1
        assert not gave & set(other.speaker[run.scored])
        assert len(run.statistics) + len(run.scored) == len(other)
    assert len({tuple(run.statistics) for run in result.runs}) > 1


def test_outliers_are_those_of_their_own_corpus(corpus, other):
    result = evaluate_transfer(log_mel_svc(), corpus, other, outliers=2.2, seeds=[0])
    for side, of_side in (("source", corpus), ("target", other)):
        is_outlier = zscore_outliers(features_of(of_side), 2.2)
        assert 0 < is_outlier.sum() < len(of_side) / 2
        names = [f"utterance {index}" for index in np.flatnonzero(is_outlier)]
        assert result.outliers[side] == names
        assert len(getattr(result, side)) == len(of_side) - len(names)
    assert result.settings["outliers"] == 2.2


# What must not leak


def shuffled(corpus, seed=0):
    order = np.random.default_rng(seed).permutation(len(corpus))
    ratings = {name: corpus.frame[name].to_numpy()[order] for name in ("activation",)}
    emotion = corpus.emotion[order]
    return replace(corpus, frame=corpus.frame.assign(emotion=emotion, **ratings))


@pytest.mark.parametrize(
    "scaler", [StandardScaler(), SpeakerScaler(by="speaker", enrolment=3)]
)
@pytest.mark.parametrize("classes", ["shared", THREE])
def test_labels_of_the_target_change_no_prediction(corpus, other, scaler, classes):
    estimator = log_mel(scaler, SVC())
    predicted = []
    for target in (other, shuffled(other)):
        result = evaluate_transfer(
            estimator, corpus, target, classes=classes, seeds=[0, 1]
        )
        predicted.append(
            [dict(zip(run.scored, run.predicted, strict=True)) for run in result.runs]
        )
    for first, second in zip(*predicted, strict=True):
        both = set(first) & set(second)
        assert len(both) >= 8
        assert [first[i] for i in both] == [second[i] for i in both]


def test_statistics_are_those_of_the_share(corpus, other):
    Z = features_of(other)
    for run in evaluate_transfer(log_mel_svc(), corpus, other).runs:
        scaler = run.estimator["standardscaler"]
        share = StandardScaler().fit(Z[run.statistics])
        assert_array_equal(scaler.mean_, share.mean_)
        assert_array_equal(scaler.scale_, share.scale_)
        assert not set(run.statistics) & set(run.scored)


def test_a_scored_utterance_changes_no_other_prediction(corpus, other):
    first = evaluate_transfer(log_mel_svc(), corpus, other, outliers=None, seeds=[0])
    changed = first.runs[0].scored[5]
    frame = other.frame.copy()
    frame.at[changed, "waveform"] = 1e-3 * frame.at[changed, "waveform"][::-1]
    second = evaluate_transfer(
        log_mel_svc(), corpus, replace(other, frame=frame), outliers=None, seeds=[0]
    )
    same = first.runs[0].scored != changed
    rows = [np.sort(run.runs[0].tested) for run in (first, second)]
    decided = [
        result.runs[0].estimator.decision_function(result.features[tested])
        for result, tested in zip((first, second), rows, strict=True)
    ]
    others = rows[0] != changed
    assert_array_equal(decided[0][others], decided[1][others])
    assert (decided[0][~others] != decided[1][~others]).any()
    assert_array_equal(first.runs[0].predicted[same], second.runs[0].predicted[same])


def test_a_fit_gets_the_source_alone(corpus, other):
    result = evaluate_transfer(log_mel(Spy()), corpus, other, seeds=[0])
    seen = result.runs[0].estimator[-1].seen_
    assert_array_equal(seen["X"], features_of(corpus))
    assert_array_equal(seen["y"], corpus.emotion)
    assert_array_equal(seen["activation"], corpus.activation)
    assert_array_equal(seen["groups"], corpus.speaker)


def test_no_speaker_of_the_target_is_one_of_the_source(corpus, other):
    assert set(corpus.speaker) == set(other.speaker)
    estimator = log_mel(PredictionSpy())
    result = evaluate_transfer(estimator, corpus, other, seeds=[0])
    (run,) = result.runs
    expected = [f"other: {name}" for name in other.speaker[run.tested]]
    assert run.estimator[-1].groups_.tolist() == expected
    assert result.speaker_statistics == "the speakers are given to the predictions"


# Emotions


def renamed(corpus, **names):
    emotion = [names.get(name, name) for name in corpus.emotion]
    return replace(corpus, frame=corpus.frame.assign(emotion=emotion))


def test_other_spellings_are_the_same_emotion(corpus, other):
    plain = evaluate_transfer(log_mel_svc(), corpus, other, seeds=[0])
    target = renamed(other, anger="Angry", happiness="joy", neutral="neu")
    result = evaluate_transfer(log_mel_svc(), corpus, target, seeds=[0])
    assert result.classes == plain.classes
    assert_array_equal(result.truth, plain.truth)
    assert_array_equal(result.predicted, plain.predicted)


def test_emotions_that_are_not_shared_give_statistics_at_most(corpus, other):
    target = renamed(other, happiness="fear")
    source = corpus.keep_emotions(["anger", "happiness", "sadness"])
    result = evaluate_transfer(log_mel_svc(), source, target)
    assert result.classes == ["anger", "sadness"]
    assert set(result.source.emotion) == set(result.truth) == {"anger", "sadness"}
    assert set(result.predicted) <= {"anger", "sadness"}
    gave = np.concatenate([target.emotion[run.statistics] for run in result.runs])
    assert set(gave) == {"anger", "fear", "neutral", "sadness"}
    given = evaluate_transfer(log_mel_svc(), source, target, classes=["sad", "angry"])
    assert_array_equal(given.predicted, result.predicted)


def test_a_subset_fits_the_last_step_alone(corpus, other):
    estimator = log_mel(StandardScaler(), PCA(3, random_state=0), SVC())
    result = evaluate_transfer(estimator, corpus, other, subsets=[THREE], seeds=[0])
    of_all, of_three = result.runs[0], result.subsets[0].runs[0]
    assert of_three.estimator["pca"] is of_all.estimator["pca"]
    assert set(of_three.estimator["svc"].classes_) == set(THREE)
    assert set(of_three.truth) == set(THREE)
    alone = evaluate_transfer(log_mel(SVC()), corpus, other, subsets=[THREE], seeds=[0])
    assert set(alone.subsets[0].predicted) <= set(THREE)


# Estimators


def test_seeds_take_the_place_of_random_states(corpus, other):
    estimator = log_mel(DummyClassifier(strategy="uniform", random_state=7))
    results = [
        evaluate_transfer(estimator, corpus, other, statistics=0, seeds=seeds)
        for seeds in ([0, 1], [1, 0])
    ]
    first, second = results[0].runs
    assert (first.predicted != second.predicted).any()
    for run, again in zip(results[0].runs, results[1].runs[::-1], strict=True):
        assert_array_equal(run.predicted, again.predicted)
    assert estimator[-1].random_state == 7


@pytest.mark.parametrize("routing", [False, True])
def test_searches_in_both_modes_of_routing(corpus, other, routing):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC(kernel="linear")), {"svc__C": [1.0]},
        cv=GroupKFold(3),
    )  # fmt: skip
    with config_context(enable_metadata_routing=routing):
        result = evaluate_transfer(log_mel(search), corpus, other, seeds=[0])
    assert result.adapted == ["standardscaler"]
    scored, predicted = by_hand(corpus, other, 0)
    assert_array_equal(result.runs[0].scored, scored)
    assert_array_equal(result.predicted, predicted)


def test_any_output_container(corpus, other):
    plain = evaluate_transfer(log_mel_svc(), corpus, other, seeds=[0])
    with config_context(transform_output="pandas"):
        result = evaluate_transfer(log_mel_svc(), corpus, other, seeds=[0])
        assert_array_equal(result.embedding(), plain.embedding())
    assert_array_equal(result.predicted, plain.predicted)


def test_scalers_of_sequences(corpus, other):
    estimator = make_pipeline(
        LogMel(8, duration=None), SpeakerScaler(), SequencePooling(), SVC()
    )
    result = evaluate_transfer(estimator, corpus, other, seeds=[0])
    assert result.adapted == ["speakerscaler"]
    (run,) = result.runs
    frames = LogMel(8, duration=None).transform(other.audio[run.statistics])
    mean = np.concatenate(list(frames)).mean(axis=0)
    np.testing.assert_allclose(run.estimator[0].mean_, mean, rtol=1e-5)


class Durations(TransformerMixin, BaseEstimator):
    """A front end of one's own."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.array([[len(waveform) / rate] for waveform, rate in X])


class Longest(ClassifierMixin, BaseEstimator):
    """Classifies recordings themselves, and cannot use all."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))

    def usable_recordings(self, X):
        return np.array([len(waveform) / rate < 2 for waveform, rate in X])


def test_front_ends_of_ones_own(corpus, other):
    estimator = make_pipeline(Durations(), StandardScaler(), DummyClassifier())
    result = evaluate_transfer(estimator, corpus, other, seeds=[0])
    assert result.adapted == []  # nobody knows what Durations learns
    assert result.settings["outliers"] is None
    named = evaluate_transfer(
        estimator, corpus, other, seeds=[0], adapt=["standardscaler"]
    )
    (run,) = named.runs
    share = Durations().transform(other.audio[run.statistics])
    assert run.estimator["standardscaler"].mean_ == pytest.approx(share.mean())


def test_recordings_that_cannot_be_used(corpus, other):
    result = evaluate_transfer(Longest(), corpus, other, seeds=[0])
    lengths = np.array([len(waveform) / rate for waveform, rate in other.audio])
    assert 0 < (lengths >= 2).sum() == len(result.left_out["target"])
    assert len(result.target) == (lengths < 2).sum()
    with pytest.raises(ValueError, match="Longest has no representation"):
        result.embedding()


def test_upper_bound_is_an_evaluation_by_speaker(corpus, other):
    result = evaluate_transfer(
        log_mel_svc(), corpus, other, classes=THREE, seeds=[0], upper_bound=True
    )
    expected = evaluate_by_speaker(log_mel_svc(), other.keep_emotions(THREE))
    assert_array_equal(result.upper_bound.predicted, expected.predicted)
    assert evaluate_transfer(log_mel_svc(), corpus, other).upper_bound is None


@pytest.mark.slow
def test_recipes_and_speed_perturbation(corpus, other):
    for estimator, adapted in (
        (recipes.egemaps_svc(), ["standardscaler"]),
        (recipes.metric_dae("act"), ["standardscaler"]),
        (recipes.contrastive_siamese(n_frames=60, max_epochs=1), []),
        (SpeedPerturbation(log_mel_svc(), factors=[0.9]), ["standardscaler"]),
    ):
        before = clone(estimator).get_params()
        result = evaluate_transfer(estimator, corpus, other, seeds=[0])
        assert result.adapted == adapted
        assert result.embedding().shape[0] == len(result.truth)
        assert estimator.get_params().keys() == before.keys()


@pytest.mark.slow
def test_processes_give_the_same(corpus, other):
    alone = evaluate_transfer(log_mel_svc(), corpus, other)
    beside = evaluate_transfer(log_mel_svc(), corpus, other, n_jobs=2)
    assert_array_equal(alone.predicted, beside.predicted)


# Refusals


class Pretrained(PCA):
    def pretraining_corpora(self):
        return ["other"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statistics": 1.5}, "statistics == 1.5, must be <= 1"),
        ({"statistics": 0.05}, "statistics=0.05 of the 24 .* are 1: too few"),
        ({"statistics_by": "word"}, "'utterance' or 'speaker', got 'word'"),
        ({"adapt": "all"}, "'scalers' or a list of names of steps, got 'all'"),
        ({"adapt": ["pca"]}, "adapt names pca, .* there are standardscaler, svc"),
        ({"adapt": ["svc"]}, "The step svc, .* is a SVC: it learns from labels"),
        ({"classes": ["anger", "fear"]}, "has no fear; it has anger, happiness"),
        ({"classes": ["anger"]}, "two emotions at least; synthetic and other"),
        ({"classes": "all"}, "classes must be 'shared' or a list, got 'all'"),
        ({"subsets": [["anger", "fear"]]}, "subsets must be lists .* 'fear'"),
        ({"subsets": [["anger"]]}, "subsets must be lists of two or more"),
        ({"seeds": []}, "seeds must be a list of integers"),
        ({"seeds": 3}, "seeds must be a list of integers, got 3"),
        ({"outliers": -1}, "threshold == -1, must be > 0"),
    ],
)
def test_what_is_refused(corpus, other, change, message):
    with pytest.raises(ValueError, match=message):
        evaluate_transfer(log_mel_svc(), corpus, other, **change)


def test_corpora_that_are_refused(corpus, other):
    with pytest.raises(ValueError, match="both named synthetic"):
        evaluate_transfer(log_mel_svc(), corpus, replace(other, name="synthetic"))
    estimator = log_mel(Pretrained(2), SVC())
    with pytest.raises(ValueError, match="The corpus other is evaluated"):
        evaluate_transfer(estimator, corpus, other)
    evaluate_transfer(estimator, other, corpus, seeds=[0])
    one = other.select(other.speaker == "speaker01")
    with pytest.raises(ValueError, match="leaves no utterance of other to score"):
        evaluate_transfer(log_mel_svc(), corpus, one, statistics_by="speaker")
