"""SpeakerScaler: what it takes away, from whom, and who must say so."""

import warnings

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    ContrastiveSiamese,
    EGeMAPS,
    LogMel,
    SequencePooling,
    SpeakerScaler,
    SpeedPerturbation,
)
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.metrics import ua_score, ua_scorer
from sklearn_ser.sequences import as_sequences
from tests.checks import parametrize_with_checks

RNG = np.random.default_rng(0)
SPEAKERS = np.repeat(["a", "b", "c", "d"], 6)
CLASSES = np.tile(["anger", "sadness", "neutral"], 8)
# Each speaker's own place and width, and a class that moves it by little.
X = RNG.normal(size=(24, 3)) * (1 + np.arange(4).repeat(6)[:, None])
X += 10 * np.arange(4).repeat(6)[:, None] + (CLASSES == "anger")[:, None]
SEQUENCES = as_sequences(
    [row + RNG.normal(size=(k % 4 + 2, 3)) for k, row in enumerate(X)]
)


class GivenSpeakers(SpeakerScaler):
    """SpeakerScaler that takes each row for a speaker of its own.

    scikit-learn's checks know of no speakers, and compare rows with what becomes of
    them alone.
    """

    def fit(self, X, y=None, *, groups=None, neutral=None):
        return super().fit(X, y, groups=self._alone(X), neutral=neutral)

    def fit_transform(self, X, y=None, *, groups=None, neutral=None):
        return self.fit(X, y).transform(X)

    def transform(self, X, *, groups=None, neutral=None):
        return super().transform(X, groups=self._alone(X), neutral=neutral)

    @staticmethod
    def _alone(X):
        rows = np.asarray(X)  # sparse is a scalar: for the class itself to refuse
        return np.arange(len(rows)) if rows.ndim else [0]


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=2)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def by_hand(X, groups, enrolled=None, divide=True):
    """Scale each speaker by the frames of the enrolled utterances, slowly."""
    result = [None] * len(X)
    for i, (own, speaker) in enumerate(zip(X, groups, strict=True)):
        frames = np.concatenate(
            [
                np.atleast_2d(X[k])
                for k in range(len(X))
                if groups[k] == speaker and (enrolled is None or k in enrolled)
            ]
        ).astype(float)
        scale = frames.std(axis=0) if divide else np.ones(frames.shape[1])
        result[i] = (own - frames.mean(axis=0)) / scale
    return result


def assert_close(got, wanted):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


# scikit-learn's contract


@pytest.mark.filterwarnings("ignore:Of .* speakers there is one utterance alone")
@parametrize_with_checks(
    [SpeakerScaler(), SpeakerScaler(statistics="mean"), GivenSpeakers("speaker")]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# By corpus


def test_by_corpus_is_the_standard_scaler_on_a_table():
    scaler = SpeakerScaler().fit(X[:12])
    wanted = StandardScaler().fit(X[:12])
    np.testing.assert_allclose(scaler.transform(X), wanted.transform(X))
    np.testing.assert_allclose(scaler.mean_, wanted.mean_)
    np.testing.assert_allclose(scaler.scale_, wanted.scale_)
    mean = SpeakerScaler(statistics="mean").fit(X[:12])
    np.testing.assert_allclose(mean.transform(X), X - X[:12].mean(axis=0))


def test_by_corpus_takes_the_frames_of_all_sequences():
    scaler = SpeakerScaler().fit(SEQUENCES[:12])
    frames = np.concatenate(SEQUENCES[:12])
    wanted = [(x - frames.mean(axis=0)) / frames.std(axis=0) for x in SEQUENCES]
    scaled = scaler.transform(SEQUENCES)
    assert_close(scaled, wanted)
    assert scaled.dtype == object
    assert scaled[0].dtype == np.float32


# By utterance


def test_by_utterance_needs_nothing_else():
    scaled = SpeakerScaler("utterance").transform(SEQUENCES)
    assert_close(scaled, [(x - x.mean(axis=0)) / x.std(axis=0) for x in SEQUENCES])
    alone = SpeakerScaler("utterance").transform(SEQUENCES[3:4])
    np.testing.assert_array_equal(alone[0], scaled[3])


def test_a_table_has_no_utterances_to_scale_by():
    with pytest.raises(ValueError, match=r"by='utterance' takes the mean over the fr"):
        SpeakerScaler("utterance").fit(X)


# By speaker


@pytest.mark.parametrize("data", [X, SEQUENCES], ids=["table", "sequences"])
@pytest.mark.parametrize("divide", [True, False])
def test_by_speaker(data, divide):
    scaler = SpeakerScaler("speaker", statistics="mean_std" if divide else "mean")
    wanted = by_hand(data, SPEAKERS, divide=divide)
    assert_close(scaler.fit_transform(data, groups=SPEAKERS), wanted)
    assert_close(scaler.transform(data, groups=SPEAKERS), wanted)
    order = RNG.permutation(len(data))
    shuffled = scaler.transform(data[order], groups=SPEAKERS[order])
    assert_close(shuffled, [wanted[i] for i in order])


@pytest.mark.filterwarnings("ignore:Of .* speakers there is one utterance alone")
@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=12), st.integers(0, 99))
def test_another_place_and_width_of_a_speaker_changes_nothing(speakers, seed):
    rng = np.random.default_rng(seed)
    speakers = np.array(speakers)
    rows = rng.normal(size=(len(speakers), 2))
    place, width = rng.normal(size=(3, 2)) * 5, rng.uniform(0.5, 3, (3, 2))
    number = np.unique(speakers, return_inverse=True)[1]
    scaler = SpeakerScaler("speaker")
    np.testing.assert_allclose(
        scaler.fit_transform(rows * width[number] + place[number], groups=speakers),
        scaler.fit_transform(rows, groups=speakers),
        atol=1e-6,
    )


@pytest.mark.parametrize("data", [X, SEQUENCES], ids=["table", "sequences"])
def test_enrolment_takes_a_few_of_each_speaker(data):
    scaler = SpeakerScaler("speaker", enrolment=2)
    wanted = by_hand(data, SPEAKERS, {0, 1, 6, 7, 12, 13, 18, 19})
    assert_close(scaler.fit_transform(data, groups=SPEAKERS), wanted)
    enough = SpeakerScaler("speaker", enrolment=99).fit_transform(data, groups=SPEAKERS)
    assert_close(enough, by_hand(data, SPEAKERS))


def test_random_enrolment_is_that_of_the_seed():
    scaler = SpeakerScaler("speaker", enrolment=2, selection="random", random_state=0)
    first = scaler.fit_transform(X, groups=SPEAKERS)
    np.testing.assert_array_equal(scaler.transform(X, groups=SPEAKERS), first)
    other = clone(scaler).set_params(random_state=1)
    assert not np.allclose(other.fit_transform(X, groups=SPEAKERS), first)
    in_order = SpeakerScaler("speaker", enrolment=2).fit_transform(X, groups=SPEAKERS)
    assert not np.allclose(in_order, first)


def test_enrolment_by_what_is_neutral():
    neutral = CLASSES == "neutral"
    scaler = SpeakerScaler("speaker")
    scaled = scaler.fit_transform(X, groups=SPEAKERS, neutral=neutral)
    assert_close(scaled, by_hand(X, SPEAKERS, set(np.flatnonzero(neutral))))
    one = SpeakerScaler("speaker", enrolment=1, statistics="mean")
    assert_close(
        one.fit_transform(X, groups=SPEAKERS, neutral=neutral),
        by_hand(X, SPEAKERS, {2, 8, 14, 20}, divide=False),
    )
    with pytest.raises(ValueError, match="speaker b has no neutral utterance"):
        scaler.transform(X, groups=SPEAKERS, neutral=neutral & (SPEAKERS != "b"))
    with pytest.raises(ValueError, match="neutral must be True or False for each"):
        scaler.transform(X, groups=SPEAKERS, neutral=CLASSES)


def test_missing_features_and_faulty_recordings():
    holes = X.copy()
    holes[0, 1] = np.nan
    holes[7] = np.nan
    scaled = SpeakerScaler("speaker").fit_transform(holes, groups=SPEAKERS)
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(holes))
    own = holes[:6, 1]
    wanted = (own - np.nanmean(own)) / np.nanstd(own)
    np.testing.assert_allclose(scaled[:6, 1], wanted)
    empty = SEQUENCES.copy()
    empty[3] = np.empty((0, 3), np.float32)
    scaled = SpeakerScaler("speaker").fit_transform(empty, groups=SPEAKERS)
    assert scaled[3].shape == (0, 3)
    kept = np.delete(np.arange(24), 3)
    assert_close(scaled[kept], by_hand(SEQUENCES[kept], SPEAKERS[kept]))


def test_constant_features_are_not_divided():
    constant = np.hstack([X, np.full((24, 1), 0.1)]).astype(np.float32)
    scaled = SpeakerScaler("speaker").fit_transform(constant, groups=SPEAKERS)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[:, 3], 0, atol=1e-7)


def test_names_and_containers():
    import pandas as pd

    table = pd.DataFrame(X, columns=["f0", "loudness", "rate"])
    scaler = SpeakerScaler("speaker").set_output(transform="pandas")
    scaled = scaler.fit_transform(table, groups=SPEAKERS)
    assert list(scaled.columns) == list(table.columns)
    with sklearn.config_context(transform_output="pandas"):
        frames = SpeakerScaler("speaker").fit_transform(SEQUENCES, groups=SPEAKERS)
    assert frames.dtype == object


def test_what_is_wrong_is_named():
    with pytest.raises(
        ValueError, match=r"needs the speaker of each .*transform\(X, g"
    ):
        SpeakerScaler("speaker").fit(X)
    scaler = SpeakerScaler("speaker").fit(X, groups=SPEAKERS)
    with pytest.raises(ValueError, match=r"Without routing, scikit-learn gives a tran"):
        scaler.transform(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        scaler.transform(X, groups=SPEAKERS[:-1])
    unknown = SPEAKERS.astype(object)
    unknown[5] = None
    with pytest.raises(ValueError, match=r"no speaker at index 5 \(1 in all\)"):
        scaler.transform(X, groups=unknown)
    with pytest.raises(ValueError, match="'by' parameter of SpeakerScaler"):
        SpeakerScaler("voice").fit(X)


def test_a_row_that_is_all_of_a_speaker_is_warned_of():
    with pytest.warns(UserWarning, match=r"Of 1 of 2 speakers there is one utterance"):
        scaled = SpeakerScaler("speaker").fit_transform(X[:7], groups=SPEAKERS[:7])
    np.testing.assert_array_equal(scaled[6], 0)
    SpeakerScaler("speaker").fit_transform(SEQUENCES[:7], groups=SPEAKERS[:7])


# Confounded labels


def confounded(share):
    """Give speakers of one class each, but for a share of their utterances."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(12), 10)
    classes = speakers % 4
    mixed = rng.random(120) < share
    return speakers, np.where(mixed, rng.integers(4, size=120), classes)


@pytest.mark.parametrize(("share", "warns"), [(0.0, True), (0.2, True), (1.0, False)])
def test_classes_that_the_speaker_tells_are_warned_of(share, warns):
    speakers, y = confounded(share)
    rows = RNG.normal(size=(120, 2))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SpeakerScaler("speaker").fit(rows, y, groups=speakers)
        SpeakerScaler("corpus").fit(rows, y, groups=speakers)
        SpeakerScaler("speaker").fit(rows, rows[:, 0], groups=speakers)  # ratings
    assert len(caught) == warns
    if warns:
        assert "The classes depend on the speakers" in str(caught[0].message)


def test_the_number_of_such_speakers_is_told():
    speakers, y = confounded(0.0)
    y[:3] = 1
    with pytest.warns(UserWarning, match=r"\(11 of 12 speakers have one class alone\)"):
        SpeakerScaler("speaker").fit(np.ones((120, 1)), y, groups=speakers)


@pytest.mark.parametrize("seed", range(20))
def test_few_utterances_of_each_speaker_are_not_taken_for_confounded(seed):
    """By chance alone, of three utterances many are of one class."""
    rng = np.random.default_rng(seed)
    y, speakers = rng.integers(4, size=90), np.repeat(np.arange(30), 3)
    SpeakerScaler("speaker").fit(np.ones((90, 1)), y, groups=speakers)


# Callers


def test_pipelines_hand_the_speakers_on(routing):
    pipeline = make_pipeline(SpeakerScaler("speaker"), SVC())
    pipeline.fit(X, CLASSES, groups=SPEAKERS)
    scaled = SpeakerScaler("speaker").fit_transform(X, groups=SPEAKERS)
    wanted = SVC().fit(scaled, CLASSES)
    predicted = pipeline.predict(X, groups=SPEAKERS)
    np.testing.assert_array_equal(predicted, wanted.predict(scaled))
    score = pipeline.score(X, CLASSES, groups=SPEAKERS)
    assert score == wanted.score(scaled, CLASSES)


@pytest.mark.parametrize("scoring", [None, ua_scorer, {"ua": ua_scorer}], ids=str)
def test_searches_and_cross_validation_hand_the_speakers_on(routing, scoring):
    pipeline = make_pipeline(SpeakerScaler("speaker"), SVC())
    options = {"cv": GroupKFold(2), "scoring": scoring, "error_score": "raise"}
    scores = cross_validate(
        pipeline, X, CLASSES, params={"groups": SPEAKERS}, **options
    )
    (name,) = {"test_score", "test_ua"} & set(scores)
    scaled = SpeakerScaler("speaker").fit_transform(X, groups=SPEAKERS)
    by_hand = [
        ua_score(
            CLASSES[test],
            SVC().fit(scaled[train], CLASSES[train]).predict(scaled[test]),
        )
        for train, test in GroupKFold(2).split(X, CLASSES, SPEAKERS)
    ]
    np.testing.assert_allclose(scores[name], by_hand)
    grid = {"speakerscaler__statistics": ["mean", "mean_std"]}
    search = GridSearchCV(
        pipeline,
        grid,
        refit="ua" if scoring and scoring is not ua_scorer else True,
        **options,
    )
    search.fit(X, CLASSES, groups=SPEAKERS)
    predicted = search.best_estimator_.predict(X, groups=SPEAKERS)
    assert predicted.shape == CLASSES.shape


def test_the_scorer_is_what_make_scorer_makes_where_nobody_asks():
    from sklearn.metrics import make_scorer

    model = SVC().fit(X, CLASSES)
    theirs = make_scorer(ua_score)
    assert ua_scorer(model, X, CLASSES) == theirs(model, X, CLASSES)
    weights = np.arange(24.0)
    ours = ua_scorer(model, X, CLASSES, sample_weight=weights)
    assert ours == theirs(model, X, CLASSES, sample_weight=weights)
    assert repr(ua_scorer) == "SpeakerScorer(ua_score)"


def test_requests_of_a_scorer_are_those_of_a_copy(routing):
    weighing = ua_scorer.set_score_request(sample_weight=True)
    assert weighing.get_metadata_routing().consumes("score", ["sample_weight"])
    assert not ua_scorer.get_metadata_routing().consumes("score", ["sample_weight"])
    with pytest.raises(TypeError, match="A score takes no gender"):
        ua_scorer.set_score_request(gender=True)


def test_without_routing_the_remedy_is_named():
    pipeline = make_pipeline(SpeakerScaler("speaker"), SVC())
    pipeline.fit(X, CLASSES, speakerscaler__groups=SPEAKERS)
    with pytest.raises(ValueError, match=r"set_config\(enable_metadata_routing=True\)"):
        pipeline.predict(X)


def test_deep_methods_follow(routing):
    pipeline = make_pipeline(
        SpeakerScaler("speaker"),
        ContrastiveSiamese(n_filters=4, max_epochs=1, random_state=0),
    )
    pipeline.fit(SEQUENCES, CLASSES, groups=SPEAKERS)
    assert pipeline.predict(SEQUENCES, groups=SPEAKERS).shape == CLASSES.shape


# The evaluation


def test_the_result_says_whose_statistics_were_used(corpus, feature_cache):
    def evaluated(*steps):
        front_end = EGeMAPS(memory=str(feature_cache))
        return evaluate_by_speaker(make_pipeline(front_end, *steps, SVC()), corpus)

    of_corpus = evaluated(SpeakerScaler())
    assert of_corpus.speaker_statistics is None
    assert "statistics of test" not in str(of_corpus)
    assert of_corpus.to_dict()["speaker_statistics"] is None
    of_speaker = evaluated(SpeakerScaler("speaker", enrolment=3))
    said = "mean_std of first 3 utterances of each speaker"
    assert of_speaker.speaker_statistics == said
    assert of_speaker.to_dict()["speaker_statistics"] == said
    assert str(of_speaker).endswith(f"statistics of test speakers: {said}")
    assert of_speaker.embedding().shape[0] == len(corpus)
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = SpeakerScaler("speaker").set_fit_request(neutral=True)
        scaler = scaler.set_transform_request(neutral=True)
    assert evaluated(scaler).speaker_statistics == (
        "mean_std of all neutral utterances of each speaker"
    )


def test_the_evaluation_is_what_is_done_by_hand(corpus, feature_cache):
    front_end = EGeMAPS(memory=feature_cache)
    features = front_end.transform(corpus.audio)
    pipeline = make_pipeline(front_end, SpeakerScaler("speaker"), SVC())
    evaluation = evaluate_by_speaker(pipeline, corpus)
    scaled = SpeakerScaler("speaker").fit_transform(features, groups=corpus.speaker)
    for fold in range(3):
        test = evaluation.fold == fold
        model = SVC().fit(scaled[~test], corpus.emotion[~test])
        predicted = model.predict(scaled[test])
        np.testing.assert_array_equal(evaluation.predicted[test], predicted)


def test_searches_and_augmentation_in_an_evaluation(corpus, feature_cache):
    pipeline = make_pipeline(SpeakerScaler("speaker"), SVC())
    search = GridSearchCV(
        pipeline, {"svc__C": [1, 10]}, cv=GroupKFold(2), scoring=ua_scorer
    )
    front_end = EGeMAPS(memory=str(feature_cache))
    evaluation = evaluate_by_speaker(make_pipeline(front_end, search), corpus)
    assert evaluation.speaker_statistics == "mean_std of all utterances of each speaker"
    augmented = SpeedPerturbation(make_pipeline(front_end, pipeline), factors=(1.1,))
    evaluation = evaluate_by_speaker(augmented, corpus)
    assert evaluation.speaker_statistics == "mean_std of all utterances of each speaker"


def test_an_utterance_is_its_own_in_an_evaluation(corpus, feature_cache):
    pipeline = make_pipeline(
        LogMel(duration=None, memory=str(feature_cache)),
        SpeakerScaler("utterance", statistics="mean"),
        SequencePooling(("std",)),
        SVC(),
    )
    assert evaluate_by_speaker(pipeline, corpus).speaker_statistics is None


@pytest.mark.corpus
def test_speakers_of_urdu_are_warned_of_and_others_are_not(data_home):
    from sklearn_ser.datasets import load_crema_d, load_emodb, load_urdu

    loaders = {"emodb": load_emodb, "urdu": load_urdu, "crema-d": load_crema_d}
    for name, load in loaders.items():
        corpus = load(data_home / name)
        rows = np.ones((len(corpus), 1))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            SpeakerScaler("speaker").fit(rows, corpus.emotion, groups=corpus.speaker)
        assert bool(caught) == (name == "urdu")
