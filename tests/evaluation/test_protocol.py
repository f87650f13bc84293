"""What evaluation asks of estimators: of those of the library, and of a user's own."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

from sklearn_ser import EGeMAPS, PseudoSiameseGated, SpeedPerturbation, recipes
from sklearn_ser.datasets import AuxiliaryCorpora, Corpus, make_emotional_speech
from sklearn_ser.evaluation import (
    ChecksRecordings,
    DropsPretrainingData,
    NamesPretrainingCorpora,
    evaluate_by_speaker,
)


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=2)


class Constant(ClassifierMixin, BaseEstimator):
    """Predicts one class; the base of the toys."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_fitted_ = len(X)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Loud(Constant):
    """A classifier that cannot use silence."""

    def usable_recordings(self, X):
        return np.array([np.any(waveform) for waveform, _ in X])


class LoudFrontEnd(TransformerMixin, BaseEstimator):
    """A transformer that cannot use silence, and fails on it."""

    usable_recordings = Loud.usable_recordings

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        loudest = np.array([np.abs(waveform).max() for waveform, _ in X])
        assert (loudest > 0).all()
        return loudest[:, np.newaxis]


class Pretrained(Constant):
    """A classifier that was pre-trained by somebody."""

    def __init__(self, names=("IEMOCAP",), strength=1):
        self.names = names
        self.strength = strength

    def pretraining_corpora(self):
        return self.names


class Holder(Constant):
    """A classifier that holds data which it no longer needs."""

    def __init__(self, data=None, strength=1):
        self.data = data
        self.strength = strength

    def fit(self, X, y):
        self.had_data_ = self.data is not None
        return super().fit(X, y)

    def drop_pretraining_data(self):
        self.data = None


def with_silence(corpus, *rows):
    frame = corpus.frame.copy()
    for row in rows:
        frame.at[row, "waveform"] = np.zeros(8000, np.float32)
    return Corpus(frame, name="partly silent")


# Which recordings are usable


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        Loud(),
        pytest.param(make_pipeline(Loud()), marks=pytest.mark.slow),
        make_pipeline(LoudFrontEnd(), Constant()),
        SpeedPerturbation(
            make_pipeline(EGeMAPS(on_error="nan"), Constant()), factors=()
        ),
        pytest.param(
            GridSearchCV(
                make_pipeline(LoudFrontEnd(), Holder()),
                {"holder__strength": [1, 2]},
                cv=GroupKFold(2),
                error_score="raise",
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["classifier", "pipeline", "first step", "augmented", "search"],
)
def test_recordings_that_an_estimator_cannot_use_are_left_out(corpus, estimator):
    broken = with_silence(corpus, 3, 17)
    if isinstance(estimator, SpeedPerturbation):
        for row in (3, 17):  # silence has functionals: too short has none
            broken.frame.at[row, "waveform"] = np.zeros(3, np.float32)
    result = evaluate_by_speaker(estimator, broken)
    assert result.left_out == ["utterance 3", "utterance 17"]
    assert len(result.predicted) == len(corpus) - 2
    assert result.truth.tolist() == np.delete(corpus.emotion, [3, 17]).tolist()


def test_a_step_that_is_not_handed_recordings_is_not_asked(corpus, feature_cache):
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), Loud()), corpus
    )
    assert result.left_out == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([True], r"shape \(1,\) and dtype bool for 24 recordings: it must"),
        ([1.0] * 24, r"Loud gave an array of shape \(24,\) and dtype float64"),
    ],
)
def test_an_answer_that_is_none(corpus, monkeypatch, answer, message):
    monkeypatch.setattr(Loud, "usable_recordings", lambda self, X: answer)
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(Loud(), corpus)


def test_nothing_is_usable(corpus):
    silent = with_silence(corpus, *range(len(corpus)))
    with pytest.raises(ValueError, match="None of the 24 recordings has features"):
        evaluate_by_speaker(Loud(), silent)


@pytest.mark.parametrize(
    ("factors", "usable"),
    [((), [1, 1, 0]), ((0.9,), [1, 1, 0]), ((0.9, 1.1), [1, 0, 0])],
)
def test_usable_at_all_speeds(corpus, factors, usable):
    """44 ms hold a frame of 40 ms, which a copy at 1.1 times the speed does not."""
    rng = np.random.default_rng(0)
    short = rng.normal(scale=0.1, size=690).astype(np.float32)
    recordings = [corpus.audio[0], (short, 16000), (short[:100], 16000)]
    pipeline = recipes.menan(on_error="nan").estimator
    for inner in (pipeline, pipeline[0]):
        model = SpeedPerturbation(inner, factors=factors)
        assert model.usable_recordings(recordings).tolist() == [bool(x) for x in usable]


def test_any_recording_is_usable_without_a_front_end():
    model = SpeedPerturbation(Constant(), factors=(1.1,))
    assert model.usable_recordings([np.zeros(3), "no.wav"]).tolist() == [True, True]


# Which corpora it was pre-trained on


@pytest.mark.parametrize(
    ("place", "parameter"),
    [
        (lambda toy: toy, "the estimator"),
        (lambda toy: make_pipeline(EGeMAPS(), toy), "pretrained"),
        (
            lambda toy: GridSearchCV(
                make_pipeline(EGeMAPS(), Constant()), {"constant": [Constant(), toy]}
            ),
            "param_grid",
        ),
        (
            lambda toy: SpeedPerturbation(make_pipeline(EGeMAPS(), toy)),
            "estimator__pretrained",
        ),
    ],
    ids=["alone", "step", "value of a search", "wrapped"],
)
@pytest.mark.parametrize("names", [["synthetic"], ("URDU", "synthetic"), "synthetic"])
def test_an_evaluation_of_a_pretraining_corpus_is_refused(
    corpus, place, parameter, names
):
    message = f"corpus synthetic is evaluated, and {parameter} holds .* synthetic:"
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(place(Pretrained(names)), corpus)


@pytest.mark.parametrize("names", [(), ("URDU",), "synthetic speech"])
def test_other_corpora_are_none_of_the_pretraining(corpus, names):
    estimator = make_pipeline(LoudFrontEnd(), Pretrained(names))
    assert len(evaluate_by_speaker(estimator, corpus).folds) == 3


def test_a_class_among_the_parameters_is_not_asked(corpus):
    """It has the methods, but there is nobody to answer."""
    for part in (Pretrained, Holder, Loud):
        result = evaluate_by_speaker(
            make_pipeline(LoudFrontEnd(), Holder(part)), corpus
        )
        assert len(result.folds) == 3


# What is dropped


def holder_in(fitted):
    last = fitted[-1]
    while not isinstance(last, Holder):
        last = last.best_estimator_ if hasattr(last, "best_estimator_") else last
        last = getattr(last, "estimator_", last)
        last = last[-1] if hasattr(last, "steps") else last
    return last


@pytest.mark.parametrize(
    "place",
    [
        lambda toy: toy,
        lambda toy: make_pipeline(LoudFrontEnd(), toy),
        lambda toy: SpeedPerturbation(make_pipeline(LoudFrontEnd(), toy), factors=()),
        lambda toy: make_pipeline(
            LoudFrontEnd(), GridSearchCV(toy, {"strength": [1, 2]}, cv=GroupKFold(2))
        ),
        lambda toy: SpeedPerturbation(
            GridSearchCV(
                make_pipeline(LoudFrontEnd(), toy), {"holder__strength": [1, 2]},
                cv=GroupKFold(2),
            ),
            factors=(),
        ),
    ],
    ids=["alone", "step", "augmented", "search", "augmented search"],
)  # fmt: skip
@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_data_are_dropped_once_they_are_not_needed(corpus, place, n_jobs):
    data = np.ones(5)
    toy = Holder(data)
    estimator = place(toy)
    result = evaluate_by_speaker(estimator, corpus, n_jobs=n_jobs)
    for fitted in result.estimators:
        assert holder_in(fitted).had_data_
        assert holder_in(fitted).data is None
        held = [x for x in fitted.get_params().values() if isinstance(x, Holder)]
        assert all(x.data is None for x in held)
    assert toy.data is data
    assert not hasattr(toy, "classes_")


def test_a_frozen_estimator_keeps_its_data(corpus):
    """It is its own clone: what it holds is the user's."""
    features = LoudFrontEnd().transform(corpus.audio)
    holder = Holder(np.ones(5)).fit(features, corpus.emotion)
    evaluate_by_speaker(make_pipeline(LoudFrontEnd(), FrozenEstimator(holder)), corpus)
    assert holder.data is not None


def test_those_of_the_library_have_the_methods():
    auxiliary = AuxiliaryCorpora(
        np.eye(4), [1, 2, 3, 4], corpus=["ours", "ours", "theirs", "theirs"]
    )
    assert isinstance(auxiliary, NamesPretrainingCorpora)
    assert auxiliary.pretraining_corpora() == auxiliary.names == ("ours", "theirs")
    network = PseudoSiameseGated(auxiliary)
    assert isinstance(network, DropsPretrainingData)
    network.drop_pretraining_data()
    assert network.auxiliary_corpora is None
    assert network.get_params() == PseudoSiameseGated().get_params()
    assert isinstance(SpeedPerturbation(Constant()), ChecksRecordings)
    assert not isinstance(EGeMAPS(), ChecksRecordings)


def test_an_evaluated_estimator_is_not_changed(corpus, feature_cache):
    estimator = make_pipeline(EGeMAPS(memory=feature_cache), Holder(np.ones(2)))
    before = clone(estimator).get_params()
    evaluate_by_speaker(estimator, replace(corpus, name="other"))
    after = estimator.get_params()
    np.testing.assert_array_equal(after.pop("holder__data"), before.pop("holder__data"))
    assert str(after) == str(before)
