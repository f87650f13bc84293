"""Leaks that are planted are found, and none is where there is none."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import soxr
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from sklearn_ser import MetricDAE, SpeakerScaler, SpeedPerturbation, perturb_speed
from sklearn_ser.datasets import Corpus, make_emotional_speech
from sklearn_ser.evaluation import (
    LeakageReport,
    SpeakerSentenceKFold,
    evaluate_by_speaker,
    leakage_report,
)


@pytest.fixture(scope="module")
def table(corpus):
    """Return a table of features that tell speakers and emotions a little."""
    rng = np.random.default_rng(0)
    _, emotion = np.unique(corpus.emotion, return_inverse=True)
    _, speaker = np.unique(corpus.speaker, return_inverse=True)
    table = rng.normal(size=(len(corpus), 6))
    table[:, 0] += emotion
    table[:, 1] += 3 * speaker
    return table + 5


def with_copies(corpus, make, rows=(0, 1), speaker="someone"):
    """Return a corpus with copies of some utterances under another speaker."""
    copied = corpus.frame.iloc[list(rows)].copy()
    copied["speaker"] = speaker
    made = [make(*corpus.audio[row]) for row in rows]
    copied["waveform"] = [waveform for waveform, _ in made]
    copied["sampling_rate"] = [rate for _, rate in made]
    return Corpus(pd.concat([corpus.frame, copied]), name="copied")


def kinds(report, severity="leak"):
    table = report.table
    return set(table.loc[table["severity"] == severity, "kind"])


# Clean


def test_nothing_is_found_where_nothing_is(corpus, table):
    report = leakage_report(corpus, estimator=DummyClassifier())
    assert not report
    assert kinds(report) == set()
    assert kinds(report, "note") == {"sentences"}
    scaled = make_pipeline(StandardScaler(), GaussianNB())
    report = leakage_report(table, corpus.emotion, corpus.speaker, 3, scaled)
    assert not report
    assert not report.findings
    assert "No leaks found in 24 tested utterances" in str(report)
    assert report.to_dict()["findings"] == []
    assert report.table.empty


# One by one


def test_speakers_on_both_sides(corpus, table):
    random = StratifiedKFold(2, shuffle=True, random_state=0)
    model = GaussianNB()
    report = leakage_report(table, corpus.emotion, corpus.speaker, random, model)
    assert kinds(report) == {"speakers"}
    assert report.table["n_utterances"].tolist() == [12, 12]
    assert report.table["names"][0] == tuple(np.unique(corpus.speaker))
    score, without = report.prices["speakers"]
    assert report.table["score"].tolist() == [score] * 2
    assert 0 < without < 1


def test_sentences_shared_by_design_are_a_note_with_a_price(corpus, table):
    model = GaussianNB()
    report = leakage_report(corpus, estimator=DummyClassifier())
    assert not report
    assert "shared between speakers by design" in str(report)
    given = corpus.emotion, corpus.speaker, None, model
    report = leakage_report(table, *given, sentences=corpus.sentence)
    assert set(report.prices) == {"sentences"}
    together = leakage_report(corpus, cv="speaker_sentence")
    assert not together.findings


def test_sentences_shared_by_few_are_a_leak(corpus):
    own = [f"{who} {n}" for n, who in enumerate(corpus.speaker)]
    own[0] = own[-1] = "the same"
    report = leakage_report(corpus.audio, groups=corpus.speaker, sentences=own)
    assert kinds(report) == {"sentences"}
    assert report.table["n_utterances"].sum() == 2
    assert set(report.table["names"]) == {("the same",)}


def test_segments_of_one_recording_on_both_sides():
    segments = [
        (f"{name}.wav", start, start + 1.0) for name in "abc" for start in (0, 2)
    ]
    folds = [([0, 2, 4], [1, 3, 5]), ([1, 2, 3, 4, 5], [0])]
    splits = [tuple(map(np.array, split)) for split in folds]
    report = leakage_report(segments, cv=splits)
    assert kinds(report) == {"recordings"}
    assert report.table["n_utterances"].tolist() == [3, 1]
    assert report.table["names"][1][0].endswith("a.wav")
    assert len(report.unheard) == 6
    assert "unreadable: a.wav from 0 to 1.0" in str(report)
    # A dialogue has two speakers: so the corpus was recorded.
    dialogues = leakage_report(segments, groups=list("ababab"))
    assert not dialogues
    assert kinds(dialogues, "note") == {"recordings"}


@pytest.mark.parametrize(
    "make",
    [
        lambda x, rate: (x, rate),
        lambda x, rate: (np.float32(0.1) * x, rate),
        lambda x, rate: (-x[round(0.012 * rate) :], rate),
        lambda x, rate: (np.round(x * 127) / 127, rate),
    ],
    ids=["itself", "quieter", "inverted, 12 ms later", "8 bits"],
)
def test_the_same_audio_under_another_speaker(corpus, make):
    report = leakage_report(with_copies(corpus, make), estimator=DummyClassifier())
    assert kinds(report) == {"duplicates"}
    found = report.table.query("kind == 'duplicates'")
    assert found["n_utterances"].sum() == 4
    names = {name for names in found["names"] for name in names}
    assert names == {
        "utterance 0 = utterance 24",
        "utterance 1 = utterance 25",
        "utterance 24 = utterance 0",
        "utterance 25 = utterance 1",
    }
    assert "duplicates" in report.prices


def test_rows_of_features_that_are_equal(corpus, table):
    table = np.concatenate([table, table[:2]])
    groups = [*corpus.speaker, "other", "other"]
    report = leakage_report(table, groups=groups)
    assert kinds(report) == {"duplicates"}
    assert report.table["n_utterances"].sum() == 4


def test_augmentation_before_the_split(corpus):
    recordings, emotion = perturb_speed(corpus.audio, corpus.emotion, factors=(0.9,))
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    report = leakage_report(recordings, emotion, cv=folds)
    assert kinds(report) == {"augmentation"}
    assert report.table["n_utterances"].sum() > 12
    # Within the folds of speakers, copies stay with their speakers.
    groups = np.tile(corpus.speaker, 2)
    assert not leakage_report(recordings, emotion, groups)


def test_noise_on_a_copy_is_augmentation(corpus):
    rng = np.random.default_rng(0)

    def noisy(x, rate):
        noise = rng.normal(size=len(x)) * np.sqrt(np.mean(x**2)) * 10 ** (-15 / 20)
        return (x + noise).astype(np.float32), rate

    report = leakage_report(with_copies(corpus, noisy))
    assert kinds(report) == {"augmentation"}


def test_augmentation_before_the_folds_of_a_search(corpus):
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior"]}, cv=2)
    report = leakage_report(table_of(corpus), cv=2, groups=corpus.speaker,
                            estimator=SpeedPerturbation(search))  # fmt: skip
    assert kinds(report) == {"augmentation", "search"}
    inside = GridSearchCV(SpeedPerturbation(DummyClassifier()), {}, cv=GroupKFold(2))
    report = leakage_report(table_of(corpus), cv=2, groups=corpus.speaker,
                            estimator=inside)  # fmt: skip
    assert not report


def table_of(corpus):
    return np.random.default_rng(1).normal(size=(len(corpus), 5))


@pytest.mark.parametrize(
    "scaler", [StandardScaler(), MinMaxScaler()], ids=lambda s: type(s).__name__
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_table_that_was_scaled_as_a_whole(corpus, table, scaler, dtype):
    scaled = scaler.fit_transform(table.astype(dtype))
    report = leakage_report(scaled, corpus.emotion, corpus.speaker)
    assert kinds(report) == {"statistics"}
    assert report.table["n_utterances"].tolist() == [24]
    train = scaler.fit(table[8:]).transform(table)
    assert not leakage_report(train, corpus.emotion, corpus.speaker)


@pytest.mark.parametrize(
    "scaler", [StandardScaler(), MinMaxScaler(), RobustScaler(), SpeakerScaler()],
    ids=lambda s: type(s).__name__,
)  # fmt: skip
def test_a_frozen_scaler(corpus, table, scaler):
    given = corpus.emotion, corpus.speaker, 3
    frozen = FrozenEstimator(scaler.fit(table))
    model = make_pipeline(frozen, GaussianNB())
    report = leakage_report(table, *given, model)
    assert kinds(report) == {"statistics"}
    assert np.isfinite(report.prices["statistics"]).all()
    elsewhere = FrozenEstimator(scaler.fit(table[:5] + 1))
    report = leakage_report(table, *given, make_pipeline(elsewhere, DummyClassifier()))
    assert not report
    assert kinds(report, "note") == {"statistics"}


def test_a_search_whose_folds_share_speakers(corpus, table):
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [0.1, 1.0]}, cv=2)
    model = make_pipeline(StandardScaler(), search)
    report = leakage_report(table, corpus.emotion, corpus.speaker, estimator=model)
    assert kinds(report) == {"search"}
    assert np.isfinite(report.prices["search"]).all()
    assert "does not look at speakers" in str(report)
    alone = leakage_report(table, corpus.emotion, corpus.speaker, estimator=search)
    assert np.isfinite(alone.prices["search"]).all()
    search.set_params(cv=GroupKFold(2))
    assert not leakage_report(table, corpus.emotion, corpus.speaker, estimator=model)


def test_early_stopping_on_speakers_who_are_tested(corpus, table):
    first, second, third = np.unique(corpus.speaker)
    shared = [(np.arange(24), np.flatnonzero(corpus.speaker == first))]
    model = MetricDAE("act", early_stopping=True, validation_groups=[first])
    report = leakage_report(table, None, corpus.speaker, shared, model)
    assert kinds(report) == {"speakers", "early stopping"}
    # The folds of speakers leave them out of the training, and they are passed over.
    report = leakage_report(table, None, corpus.speaker, None, model)
    assert not report
    assert report.table[["kind", "fold"]].to_numpy().tolist() == [["early stopping", 0]]
    partners = {first: second, second: third, third: first}
    model.set_params(validation_groups=partners)
    assert not leakage_report(table, None, corpus.speaker, None, model).findings


@pytest.mark.parametrize(
    "model",
    [
        MLPClassifier(early_stopping=True),
        GradientBoostingClassifier(n_iter_no_change=3),
    ],
)
def test_early_stopping_by_utterance_is_a_note(corpus, table, model):
    report = leakage_report(table, None, corpus.speaker, estimator=model)
    assert not report
    assert kinds(report, "note") == {"early stopping"}
    plain = type(model)()
    assert not leakage_report(table, None, corpus.speaker, estimator=plain).findings


class Pretrained(TransformerMixin, BaseEstimator):
    """Knows of a corpus by its name and by its content."""

    def __init__(self, name="other", rows=None):
        self.name = name
        self.rows = rows

    def pretraining_corpora(self):
        return [self.name]

    def holds(self, X):
        return np.isin(X[:, 0], [] if self.rows is None else self.rows)

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


def test_pretraining_on_what_is_tested(corpus, table):
    model = make_pipeline(Pretrained(corpus.name), DummyClassifier())
    assert kinds(leakage_report(corpus, y=None, estimator=model)) == {"pretraining"}
    held = Pretrained("renamed", table[:3, 0])
    report = leakage_report(
        table, None, corpus.speaker, estimator=make_pipeline(held, DummyClassifier())
    )
    assert kinds(report) == {"pretraining"}
    assert report.table["n_utterances"].tolist() == [3]
    assert "renamed" in str(report)
    clean = make_pipeline(Pretrained(), DummyClassifier())
    assert not leakage_report(table, None, corpus.speaker, estimator=clean).findings


class Refusing(DummyClassifier):
    """Is not fitted to what it is pre-trained on."""

    def fit(self, X, y):
        raise ValueError("row 0 of X is known already.")


def test_what_cannot_be_fitted_has_no_price(corpus, table):
    model = make_pipeline(Pretrained("renamed", table[:3, 0]), Refusing())
    options = {"groups": corpus.speaker, "estimator": model}
    assert not leakage_report(table, corpus.emotion, **options).prices
    with pytest.warns(UserWarning, match=r"cannot be fitted: row 0 of X is known"):
        report = leakage_report(table, corpus.emotion, cv=StratifiedKFold(2), **options)
    assert {"speakers", "pretraining"} <= kinds(report)
    assert not report.prices


def test_statistics_of_the_tested_speakers(corpus, table):
    model = make_pipeline(SpeakerScaler("speaker"), GaussianNB())
    report = leakage_report(table, corpus.emotion, corpus.speaker, estimator=model)
    assert kinds(report) == {"speaker statistics"}
    assert np.isfinite(report.prices["speaker statistics"]).all()
    before = SpeakerScaler("speaker").fit_transform(table, groups=corpus.speaker)
    report = leakage_report(before, corpus.emotion, corpus.speaker)
    assert "speaker statistics" in kinds(report) or "statistics" in kinds(report)
    centred = before.copy()
    centred[:8] *= 2
    assert kinds(leakage_report(centred, groups=corpus.speaker)) == {
        "speaker statistics"
    }


# Prices


def test_without_copies_the_tested_utterances_stay(corpus, table):
    table = np.concatenate([table, table[:3]])
    y = [*corpus.emotion, *corpus.emotion[:3]]
    splits = [(np.arange(8, 27), np.arange(8))]
    model = GaussianNB()
    report = leakage_report(table, y, cv=splits, estimator=model)
    clean = model.fit(table[8:24], y[8:24]).predict(table[:8])
    recall = [np.mean(clean[:8][np.array(y[:8]) == c] == c) for c in np.unique(y[:8])]
    assert report.prices["duplicates"][1] == pytest.approx(np.mean(recall))


def test_ratings_are_scored_by_ccc(corpus, table):
    random = [(np.arange(0, 24, 2), np.arange(1, 24, 2))]
    ratings = corpus.activation
    report = leakage_report(table, ratings, corpus.speaker, random, Ridge())
    assert report.metric == "CCC"
    assert "CCC" in str(report)


# The report


def test_a_report_as_text_and_as_plain_values(corpus, table):
    random = StratifiedKFold(2, shuffle=True, random_state=0)
    report = leakage_report(table, corpus.emotion, corpus.speaker, random, GaussianNB())
    assert repr(report) == "<LeakageReport: leaks speakers; notes none>"
    lines = str(report).splitlines()
    assert lines[0] == (
        "leak: speakers on both sides of a fold: 24 of 24 tested utterances in 2 folds"
    )
    assert lines[1] == "    speaker01, speaker02, speaker03"
    assert lines[2].startswith("    UA 0.")
    assert lines[3].startswith("    Split by speaker")
    stored = json.loads(json.dumps(report.to_dict()))
    assert stored["leaks"] is True
    assert stored["findings"][0]["names"] == ["speaker01", "speaker02", "speaker03"]
    assert stored["findings"][0]["fold"] == 0
    assert isinstance(report, LeakageReport)
    unpriced = leakage_report(table, corpus.emotion, corpus.speaker, random)
    assert json.loads(json.dumps(unpriced.to_dict()))["findings"][0]["score"] is None


def test_lengths_that_differ_are_refused(corpus, table):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        leakage_report(table, corpus.emotion[:3], corpus.speaker)
    with pytest.raises(ValueError, match="cv='speakers' is unknown"):
        leakage_report(table, corpus.emotion, corpus.speaker, "speakers")


# What an evaluation by speaker does about them


def first_sample(X):
    return np.array([[waveform[0], len(waveform)] for waveform, _ in X])


def test_an_evaluation_warns_of_the_same_audio(corpus):
    copied = with_copies(corpus, lambda x, rate: (np.float32(0.5) * x, rate))
    with pytest.warns(UserWarning, match="the same audio on both sides"):
        result = evaluate_by_speaker(DummyClassifier(), copied)
    assert kinds(result.leaks) == {"duplicates"}
    assert json.loads(json.dumps(result.to_dict()))["leaks"]["leaks"] is True
    with pytest.raises(ValueError, match="leaks into the training"):
        evaluate_by_speaker(DummyClassifier(), copied, on_leak="raise")
    assert (
        evaluate_by_speaker(DummyClassifier(), copied, on_leak="ignore").leaks is None
    )


def test_an_evaluation_of_shared_speakers_only_where_asked_for(corpus):
    random = StratifiedKFold(2, shuffle=True, random_state=0)
    for on_leak in (None, "raise"):
        with pytest.raises(ValueError, match="both in training and in test"):
            evaluate_by_speaker(DummyClassifier(), corpus, cv=random, on_leak=on_leak)
    with pytest.warns(UserWarning, match="speakers on both sides"):
        evaluate_by_speaker(DummyClassifier(), corpus, cv=random, on_leak="warn")
    evaluate_by_speaker(DummyClassifier(), corpus, cv=random, on_leak="ignore")
    with pytest.raises(ValueError, match="on_leak must be"):
        evaluate_by_speaker(DummyClassifier(), corpus, on_leak="fail")


def test_an_evaluation_of_pretraining_only_where_asked_for(corpus):
    model = make_pipeline(Pretrained(corpus.name), DummyClassifier())
    with pytest.raises(ValueError, match="would be in the pre-training"):
        evaluate_by_speaker(model, corpus)
    with pytest.warns(UserWarning, match="pre-training on a corpus"):
        evaluate_by_speaker(model, corpus, on_leak="warn")


def test_statistics_of_speakers_are_left_to_the_result(corpus):
    steps = FunctionTransformer(first_sample), SpeakerScaler("speaker")
    model = make_pipeline(*steps, GaussianNB())
    result = evaluate_by_speaker(model, corpus)
    assert kinds(result.leaks) == {"speaker statistics"}
    with pytest.raises(ValueError, match="statistics of the tested speakers"):
        evaluate_by_speaker(model, corpus, on_leak="raise")


def test_an_evaluation_by_speaker_and_sentence(corpus):
    result = evaluate_by_speaker(DummyClassifier(), corpus, cv="speaker_sentence")
    assert not result.leaks.findings
    by_hand = SpeakerSentenceKFold()
    n_folds = by_hand.get_n_splits(groups=corpus.speaker, sentences=corpus.sentence)
    assert len(result.estimators) == n_folds
    coarse = SpeakerSentenceKFold(3, 2)
    result = evaluate_by_speaker(DummyClassifier(), corpus, cv=coarse)
    assert len(result.estimators) == 6
    free = replace(corpus, frame=corpus.frame.drop(columns="sentence"))
    with pytest.raises(ValueError, match="sentences is missing"):
        evaluate_by_speaker(DummyClassifier(), free, cv="speaker_sentence")


# Files


def test_files_in_other_containers_and_at_other_rates(tmp_path):
    corpus = make_emotional_speech(n_speakers=2, n_repetitions=1, random_state=3)
    frame = corpus.frame.drop(columns=["waveform", "sampling_rate"])
    files = []
    for row, (waveform, rate) in enumerate(corpus.audio):
        files.append(tmp_path / f"{row}.wav")
        sf.write(files[-1], waveform, rate)
    waveform, rate = corpus.audio[0]
    sf.write(tmp_path / "a.mp3", 0.3 * waveform, rate)
    sf.write(tmp_path / "b.ogg", soxr.resample(waveform, rate, 11025), 11025)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    others = "a.mp3", "b.ogg", "broken.wav"
    copies = frame.iloc[[0, 0, 0]].assign(speaker="other")
    table = pd.concat([frame, copies]).assign(
        file=[*map(str, files), *(str(tmp_path / name) for name in others)]
    )
    report = leakage_report(Corpus(table, name="files"))
    assert kinds(report) == {"duplicates"}
    assert report.table.query("kind == 'duplicates'")["n_utterances"].sum() == 3
    assert [name.rpartition("/")[2] for name in report.unheard] == ["broken.wav"]
