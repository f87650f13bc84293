"""Evaluation by speaker: scores, leaks, broken recordings."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    EGeMAPS,
    LogMelSegmenter,
    MetricDAE,
    PseudoSiameseGated,
    SequenceClassifier,
    SpectrogramSegmenter,
    SpeedPerturbation,
    recipes,
)
from sklearn_ser.datasets import (
    AuxiliaryCorpora,
    Corpus,
    dimension_levels,
    make_emotional_speech,
)
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.evaluation._checks import check_pretraining
from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=2)


class Spy(ClassifierMixin, BaseEstimator):
    """Predicts one class, and notes what it was given."""

    __metadata_request__fit = {"activation": True, "groups": True}

    def fit(self, X, y, activation=None, groups=None):
        self.classes_ = np.unique(y)
        self.seen_ = {"X": X, "y": y, "activation": activation, "groups": groups}
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_scores_are_those_of_the_metrics(corpus):
    result = evaluate_by_speaker(recipes.egemaps_svc(n_jobs=2), corpus)
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


def test_equals_the_same_thing_by_hand(corpus):
    pipeline = recipes.metric_dae("act", random_state=0)
    pipeline.set_params(metricdae__max_epochs=3)
    result = evaluate_by_speaker(pipeline, corpus)
    features = EGeMAPS().transform(corpus.audio)
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


def test_metadata_reaches_training_only(corpus):
    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus)
    for number, fitted in enumerate(result.estimators):
        train = result.fold != number
        seen = fitted[-1].seen_
        np.testing.assert_array_equal(seen["X"], result.features[train])
        np.testing.assert_array_equal(seen["y"], corpus.emotion[train])
        np.testing.assert_array_equal(seen["activation"], corpus.activation[train])
        np.testing.assert_array_equal(seen["groups"], corpus.speaker[train])


def test_labels_of_the_held_out_speaker_never_matter(corpus):
    """Activation of the test speaker, changed at will, changes nothing there."""
    pipeline = recipes.metric_dae("act", random_state=0)
    pipeline.set_params(metricdae__max_epochs=3)
    first = evaluate_by_speaker(pipeline, corpus)
    held_out = first.fold == 0
    changed = corpus.frame.copy()
    changed.loc[held_out, "activation"] = 6 - changed.loc[held_out, "activation"]
    second = evaluate_by_speaker(pipeline, Corpus(changed, name="changed"))
    np.testing.assert_array_equal(first.predicted[held_out], second.predicted[held_out])


def test_front_end_runs_once(corpus, monkeypatch):
    calls = []
    transform = EGeMAPS.transform
    monkeypatch.setattr(
        EGeMAPS, "transform", lambda self, X: calls.append(len(X)) or transform(self, X)
    )
    evaluate_by_speaker(recipes.egemaps_svc(), corpus)
    assert calls == [len(corpus)]


def test_broken_recordings_are_left_out_and_named(corpus):
    frame = corpus.frame.copy()
    frame.at[5, "waveform"] = np.full(16000, np.nan, dtype=np.float32)
    broken = Corpus(frame, name="broken")
    with pytest.warns(UserWarning, match="recording 5: waveform: .* NaN"):
        result = evaluate_by_speaker(recipes.egemaps_svc(on_error="warn"), broken)
    assert result.left_out == ["utterance 5"]
    assert len(result.corpus) == len(result.predicted) == len(corpus) - 1
    assert "left out, without features: utterance 5" in str(result)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (StratifiedKFold(2), "both in training and in test; use a splitter by group"),
        (GroupShuffleSplit(3, random_state=0), "holds out utterances of an earlier"),
        (GroupShuffleSplit(1, random_state=0), "utterances untested"),
    ],
)
def test_unfit_splitters_are_refused(corpus, cv, message):
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus, cv=cv)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_several_speakers_per_fold_and_workers(corpus, n_jobs):
    pipeline = recipes.metric_dae("act", random_state=0)
    pipeline.set_params(metricdae__max_epochs=2)
    result = evaluate_by_speaker(pipeline, corpus, cv=GroupKFold(2), n_jobs=n_jobs)
    alone = evaluate_by_speaker(pipeline, corpus, cv=GroupKFold(2))
    np.testing.assert_array_equal(result.predicted, alone.predicted)
    assert len(result.folds) == 2
    assert " " in max(result.folds["speakers"], key=len)


def test_a_step_that_mixes_rows_is_fitted_in_each_fold(corpus):
    """scikit-learn calls it stateless, but test speakers would reach its means."""
    centre = FunctionTransformer(lambda X: (X - X.mean(axis=0)) / X.std(axis=0))
    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), centre, SVC()), corpus)
    expected = cross_val_predict(
        make_pipeline(centre, SVC()), result.features, corpus.emotion,
        groups=corpus.speaker, cv=LeaveOneGroupOut(),
    )  # fmt: skip
    np.testing.assert_array_equal(result.predicted, expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_features_in_data_frames(corpus, container):
    estimator = recipes.egemaps_svc(on_error="nan").set_output(transform=container)
    plain = evaluate_by_speaker(recipes.egemaps_svc(), corpus)
    frame = corpus.frame.copy()
    frame.loc[len(frame)] = frame.loc[0]
    frame.at[len(frame) - 1, "waveform"] = np.zeros(3, dtype=np.float32)
    result = evaluate_by_speaker(estimator, Corpus(frame, name="with a fault"))
    np.testing.assert_array_equal(result.predicted, plain.predicted)


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_steps_that_are_left_out(corpus, nothing):
    estimator = recipes.egemaps_svc().set_params(standardscaler=nothing)
    assert len(evaluate_by_speaker(estimator, corpus, cv=2).folds) == 2


def test_no_recording_at_all(corpus):
    silent = corpus.frame.assign(waveform=[np.zeros(3, np.float32)] * len(corpus))
    with pytest.raises(ValueError, match="none of the 24 recordings has features"):
        evaluate_by_speaker(
            recipes.egemaps_svc(on_error="nan"), Corpus(silent, name="silent")
        )


def test_cv_as_scikit_learn_takes_it(corpus):
    estimator = recipes.egemaps_svc()
    by_number = evaluate_by_speaker(estimator, corpus, cv=2)
    splits = list(GroupKFold(2).split(corpus.audio, groups=corpus.speaker))
    by_splits = evaluate_by_speaker(estimator, corpus, cv=splits)
    np.testing.assert_array_equal(by_number.predicted, by_splits.predicted)


def test_a_splitter_of_ones_own_gets_the_speakers(corpus):
    class Own:
        def split(self, X, y=None, groups=None):
            return GroupKFold(2).split(X, y, groups)

        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

    estimator = recipes.egemaps_svc()
    own = evaluate_by_speaker(estimator, corpus, cv=Own())
    np.testing.assert_array_equal(
        own.predicted, evaluate_by_speaker(estimator, corpus, cv=2).predicted
    )


def test_segments_are_told_apart(corpus, tmp_path):
    waveforms = [waveform for waveform, _ in corpus.audio]
    ends = np.cumsum([len(waveform) for waveform in waveforms]) / 16000
    sf.write(tmp_path / "all.wav", np.concatenate(waveforms), 16000)
    frame = corpus.frame[["emotion", "speaker"]].assign(
        file=str(tmp_path / "all.wav"), start=[0, *ends[:-1]], end=ends
    )
    frame.loc[2, "start"] = frame.loc[2, "end"] - 0.01  # too short
    result = evaluate_by_speaker(
        recipes.egemaps_svc(on_error="nan"), Corpus(frame, name="segments")
    )
    (left_out,) = result.left_out
    assert left_out.endswith(f"from {frame.start[2]} to {frame.end[2]}")
    names = [row["recording"] for row in result.to_dict()["utterances"]]
    assert len(set(names)) == len(names) == len(corpus) - 1


def test_predictions_longer_than_the_labels(corpus):
    class LongWinded(Spy):
        def predict(self, X):
            return np.full(len(X), "something much longer")

    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), LongWinded()), corpus)
    assert set(result.predicted) == {"something much longer"}


def test_a_search_that_shares_speakers_is_named(corpus):
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3)
    with pytest.warns(UserWarning, match=r"cv=3, which does not look at speakers"):
        evaluate_by_speaker(make_pipeline(EGeMAPS(), StandardScaler(), search), corpus)


def test_embedding_of_searches_and_short_pipelines(corpus):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), PCA(3, random_state=0), SVC()),
        {"svc__C": [0.1, 1.0]}, cv=GroupKFold(2),
    )  # fmt: skip
    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), search), corpus)
    assert result.embedding(0).shape == (len(corpus), 3)
    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus)
    np.testing.assert_array_equal(result.embedding(0), result.features)


@pytest.mark.parametrize("factors", [(), (1.1,)])
def test_augmentation_runs_inside_the_folds(corpus, factors):
    """Only training recordings have copies; a broken one is left out all the same."""
    frame = corpus.frame.copy()
    frame.at[5, "waveform"] = np.full(16000, np.nan, dtype=np.float32)
    # Of 44 ms, of which a copy at 1.1 times the speed lasts no whole frame of 40 ms.
    short = 0.1 * np.random.default_rng(0).normal(size=690).astype(np.float32)
    frame.at[7, "waveform"] = short
    model = recipes.menan(
        max_epochs=1, shorter="keep", factors=factors, random_state=0, on_error="warn"
    )
    with pytest.warns(UserWarning, match="recording 5: waveform: .* NaN"):
        result = evaluate_by_speaker(model, Corpus(frame, name="broken"), cv=3)
    too_short = ["utterance 7"] if factors else []
    assert result.left_out == ["utterance 5", *too_short]
    of_fold = result.estimators[0]["speedperturbation"].estimator_["menan"]
    assert len(of_fold.speakers_) == 2
    # What MEnAN has learned, not what it was given.
    assert result.embedding(0).shape == (len(corpus) - len(result.left_out), 96)


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

FEW_EPOCHS = {"pretraining_epochs": 1, "feature_epochs": 1, "max_epochs": 1}


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


def test_no_auxiliary_corpora_come_back_from_a_search(corpus):
    rng = np.random.default_rng(0)
    auxiliary = AuxiliaryCorpora(rng.normal(size=(40, 88)), np.tile([1, 2, 3, 4], 10))
    search = GridSearchCV(
        PseudoSiameseGated(auxiliary, random_state=0, **FEW_EPOCHS),
        {"fusion": ["gate"]}, cv=GroupKFold(2), error_score="raise",
    )  # fmt: skip
    model = make_pipeline(EGeMAPS(), StandardScaler(), search)
    fitted = evaluate_by_speaker(model, corpus).estimators[0][-1]
    assert fitted.estimator.auxiliary_corpora is None
    assert fitted.best_estimator_.auxiliary_corpora is None
    assert search.estimator.auxiliary_corpora is auxiliary


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


def test_search_inside_is_nested_by_speaker(corpus):
    """A search in the pipeline gets the speakers of the training part."""
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MetricDAE("act", max_epochs=1, random_state=0),
                      SVC()),
        {"svc__C": [0.1, 1.0]}, cv=GroupKFold(2), error_score="raise",
    )  # fmt: skip
    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), search), corpus)
    assert len(result.folds) == 3


def test_an_estimator_that_is_no_pipeline(corpus):
    class FirstSample(Spy):
        def fit(self, X, y, activation=None, groups=None):
            assert isinstance(X[0], tuple)
            return super().fit(X, y, activation, groups)

    result = evaluate_by_speaker(FirstSample(), corpus)
    assert (result.predicted == "anger").all()


def test_result_is_json_and_says_how_it_came(corpus):
    estimator = recipes.egemaps_svc()
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
    assert estimator.get_params().keys() == before.keys()


def test_printed_table(corpus):
    text = str(evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus))
    lines = text.splitlines()
    assert lines[0].split() == ["held", "out", "utterances", "WA", "UA", "F1"]
    assert lines[1].split() == ["speaker01", "8", "0.250", "0.250", "0.100"]
    assert lines[-1].split() == ["pooled", "24", "0.250", "0.250", "0.100"]
    assert len({len(line) for line in lines}) == 1


# Levels of activation and valence


def table_corpus(levels, speakers, **columns):
    """Make a corpus whose recordings are rows of numbers, told by their level."""
    ratings = np.array([{"l": 1.5, "m": 3.0, "h": 4.5, "?": np.nan}[c] for c in levels])
    waveforms = [np.full(2, np.nan_to_num(rating)) for rating in ratings]
    frame = pd.DataFrame(
        {"waveform": waveforms, "sampling_rate": 8000, "speaker": list(speakers)}
        | {"emotion": "neutral", "valence": ratings}
        | columns
    )
    return Corpus(frame, name="table")


def numbers(recordings):
    return np.stack([waveform for waveform, _ in recordings])


@pytest.mark.parametrize("target", ["activation", "valence"])
def test_levels_are_what_is_learned_and_scored(corpus, target):
    result = evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus, target=target)
    levels = dimension_levels(getattr(corpus, target))
    assert result.target == target
    np.testing.assert_array_equal(result.truth, levels)
    for number, fitted in enumerate(result.estimators):
        train = result.fold != number
        np.testing.assert_array_equal(fitted[-1].seen_["y"], levels[train])
        # The ratings themselves still reach the steps that ask, in training.
        np.testing.assert_array_equal(
            fitted[-1].seen_["activation"], corpus.activation[train]
        )
    assert result.wa == wa_score(levels, result.predicted)
    assert result.ua == ua_score(levels, result.predicted)
    assert result.f1 == macro_f1_score(levels, result.predicted)
    assert set(result.classes) == set(levels) | set(result.predicted)
    stored = json.loads(json.dumps(result.to_dict()))
    assert stored["target"] == stored["settings"]["target"] == target
    assert [row["truth"] for row in stored["utterances"]] == levels.tolist()
    assert [row["emotion"] for row in stored["utterances"]] == corpus.emotion.tolist()
    assert sum(stored["settings"]["corpus"]["classes"].values()) == len(corpus)


def test_levels_come_in_their_order():
    result = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(numbers), SVC()),
        table_corpus("hlmhlmhlm", "aaabbbccc"),
        target="valence",
    )
    assert result.classes == ["low", "medium", "high"]
    assert result.f1 == result.wa == 1


def test_a_level_that_training_lacks():
    """Only speaker a has it: it is never predicted, and counts in the scores."""
    result = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(numbers), SVC(kernel="linear")),
        table_corpus("lhmlhlhlh", "aaabbbccc"),
        target="valence",
    )
    assert result.truth[2] == "medium"
    assert result.predicted[2] != "medium"
    assert result.folds["ua"].tolist() == [pytest.approx(2 / 3), 1, 1]
    assert result.ua == pytest.approx(2 / 3)
    others = pytest.approx(macro_f1_score(result.truth, result.predicted))
    assert result.f1 == others
    assert result.f1 < result.ua


def test_unrated_utterances_take_no_part():
    broken = table_corpus("lh?lh?lh", "aaabbbcc")
    seen = []

    def front(recordings):
        seen.append(len(recordings))
        return numbers(recordings)

    result = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(front), SVC()), broken, target="valence"
    )
    assert result.unrated == ["utterance 2", "utterance 5"]
    assert result.left_out == []
    assert len(result.corpus) == len(result.truth) == len(result.predicted) == 6
    assert max(seen) < 6
    assert str(result).endswith(
        "left out, without a rating of valence: utterance 2, utterance 5"
    )
    assert result.to_dict()["unrated"] == result.unrated
    whole = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(numbers), Spy()), broken
    )
    assert whole.unrated == []
    assert len(whole.predicted) == 8


def test_unrated_and_broken_are_told_apart(corpus):
    frame = corpus.frame.copy()
    frame.at[5, "waveform"] = np.full(16000, np.nan, dtype=np.float32)
    frame.loc[2, "activation"] = np.nan
    with pytest.warns(UserWarning, match="no features for 1 of 23"):
        result = evaluate_by_speaker(
            make_pipeline(EGeMAPS(on_error="warn"), Spy()),
            Corpus(frame, name="broken"),
            target="activation",
        )
    assert result.unrated == ["utterance 2"]
    assert result.left_out == ["utterance 5"]
    assert str(result).splitlines()[-2:] == [
        "left out, without features: utterance 5",
        "left out, without a rating of activation: utterance 2",
    ]


@pytest.mark.parametrize(
    ("ratings", "target", "message"),
    [
        ("lh", "activation", "the corpus table has no ratings of activation: load"),
        ("??", "valence", "the corpus table has no ratings of valence"),
        ("lh", "arousal", "'valence' or 'dominance', got 'arousal'"),
    ],
)
def test_a_target_without_ratings(ratings, target, message):
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(SVC(), table_corpus(ratings, "ab"), target=target)


def test_labels_of_the_held_out_speaker_never_matter_to_levels(corpus):
    pipeline = recipes.metric_dae("act", random_state=0)
    pipeline.set_params(metricdae__max_epochs=2)
    first = evaluate_by_speaker(pipeline, corpus, target="activation")
    held_out = first.fold == 0
    changed = corpus.frame.copy()
    changed.loc[held_out, "activation"] = 6 - changed.loc[held_out, "activation"]
    second = evaluate_by_speaker(
        pipeline, Corpus(changed, name="changed"), target="activation"
    )
    np.testing.assert_array_equal(first.predicted[held_out], second.predicted[held_out])
    assert (first.truth[held_out] != second.truth[held_out]).any()


def test_embedding_of_a_fold(corpus):
    pipeline = recipes.metric_dae("act", random_state=0)
    pipeline.set_params(metricdae__max_epochs=1)
    result = evaluate_by_speaker(pipeline, corpus)
    embedding = result.embedding(1)
    assert embedding.shape == (len(corpus), 2)
    np.testing.assert_array_equal(
        embedding, result.estimators[1][:-1].transform(result.features)
    )


def test_progress_bar(corpus, capsys):
    evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus)
    assert capsys.readouterr().err == ""
    evaluate_by_speaker(make_pipeline(EGeMAPS(), Spy()), corpus, verbose=True)
    assert "3/3" in capsys.readouterr().err
