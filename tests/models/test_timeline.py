"""Emotions along a recording: the same of a file, of blocks and of any chunks."""

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklearn_ser import models
from sklearn_ser.audio import AudioError
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.models import Timeline, TimelineStream, predict_timeline
from sklearn_ser.models._speech import SpeechRule
from tests.evaluation.helpers import log_mel, log_mel_svc

RATE = 16000


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=2, n_repetitions=2)


@pytest.fixture(scope="module")
def model(corpus):
    steps = (StandardScaler(), LogisticRegression())
    return log_mel(*steps).fit(corpus.audio, corpus.emotion)


@pytest.fixture(scope="module")
def signal(corpus):
    """Return speech, two seconds of a pause, and speech again."""
    rng = np.random.default_rng(0)
    speech = np.concatenate([waveform for waveform, _ in corpus.audio[:8]])
    pause = 1e-4 * rng.normal(size=2 * RATE)
    return np.concatenate([speech, pause, speech]).astype(np.float32)


SETTINGS = {"window": 1.0, "hop": 0.4}


def test_windows_are_those_cut_by_hand(model, signal):
    timeline = predict_timeline(model, (signal, RATE), min_speech=None, **SETTINGS)
    starts = np.arange(len(timeline)) * 0.4
    np.testing.assert_allclose(timeline.start, starts)
    total = len(signal) / RATE
    np.testing.assert_allclose(timeline.end, np.minimum(starts + 1.0, total))
    assert timeline.end[-1] == total > timeline.end[-2]
    windows = [
        (signal[round(a * RATE) : round(b * RATE)], RATE)
        for a, b in zip(timeline.start, timeline.end, strict=True)
    ]
    assert timeline.predicted.tolist() == model.predict(windows).tolist()
    np.testing.assert_allclose(
        timeline.probabilities, model.predict_proba(windows), atol=1e-6
    )
    assert timeline.classes == model.classes_.tolist()


def test_pauses_have_no_emotion(model, signal):
    timeline = predict_timeline(model, (signal, RATE), **SETTINGS)
    frame = timeline.to_frame()
    n_speech = (len(signal) - 2 * RATE) // 2 / RATE
    inside = (frame["start"] > n_speech) & (frame["end"] < n_speech + 2)
    assert inside.sum() >= 2
    assert frame["emotion"][inside].isna().all()
    assert (frame["speech"][inside] < 0.05).all()
    assert np.isnan(timeline.probabilities[inside]).all()
    assert frame["emotion"][frame["speech"] > 0.5].notna().all()
    assert frame["error"].isna().all()
    assert "windows" in repr(timeline)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=8))
def test_any_chunks_give_the_same(model, signal, cuts):
    whole = predict_timeline(model, (signal, RATE), **SETTINGS)
    places = np.cumsum(cuts)
    stream = TimelineStream(model, RATE, **SETTINGS)
    chunks = np.split(signal, places[places < len(signal)])
    frames = [stream.push(chunk).frame for chunk in chunks] + [stream.close().frame]
    joined = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole.frame, atol=1e-6, check_dtype=False)


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_is_read_as_its_samples(model, signal, tmp_path, rate, channels):
    path = tmp_path / "long.wav"
    sf.write(path, np.stack([signal] * channels, axis=1), rate, subtype="FLOAT")
    of_file = predict_timeline(model, path, **SETTINGS)
    of_samples = predict_timeline(model, (signal, rate), **SETTINGS)
    pd.testing.assert_frame_equal(of_file.frame, of_samples.frame, atol=1e-6)


def test_short_recordings_and_gaps(model, signal):
    short = predict_timeline(model, (signal[:8000], RATE))
    assert (short.start.tolist(), short.end.tolist()) == ([0.0], [0.5])
    exact = predict_timeline(model, (signal[: 3 * RATE], RATE), window=1, hop=1)
    assert exact.end.tolist() == [1.0, 2.0, 3.0]
    gaps = predict_timeline(model, (signal[: 3 * RATE], RATE), window=0.5, hop=2)
    assert gaps.start.tolist() == [0.0, 2.0]


def test_runs_are_merged():
    emotion = ["anger", "anger", None, "anger", "fear"]
    frame = pd.DataFrame({
        "start": [0.0, 1.0, 2.0, 3.0, 4.0], "end": [3.0, 4.0, 5.0, 6.0, 6.5],
        "emotion": pd.Series(emotion, dtype=object), "speech": 1.0, "error": None,
    })  # fmt: skip
    merged = Timeline(frame).merge()
    assert merged["start"].tolist() == [0.0, 3.0, 4.0]
    assert merged["end"].tolist() == [2.0, 4.0, 6.5]
    assert merged["emotion"].tolist() == ["anger", "anger", "fear"]


def test_without_probabilities(corpus, signal):
    model = log_mel_svc().fit(corpus.audio, corpus.emotion)
    timeline = predict_timeline(model, (signal, RATE), **SETTINGS)
    assert timeline.probabilities is None
    assert timeline.classes == []
    silent = predict_timeline(model, (np.full(RATE, 1e-6, np.float32), RATE))
    assert silent.predicted.tolist() == [None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0}, "window and hop are seconds above 0"),
        ({"hop": -1.0}, "window and hop are seconds above 0"),
        ({"min_speech": 2.0}, "min_speech is a share"),
    ],
)
def test_wrong_settings(model, signal, change, message):
    with pytest.raises(ValueError, match=message):
        predict_timeline(model, (signal, RATE), **change)
    with pytest.raises(ValueError, match="A chunk is one channel"):
        TimelineStream(model, RATE).push(np.zeros((3, 2)))


def test_files_that_cannot_be_read(model, tmp_path):
    path = tmp_path / "x.wav"
    with pytest.raises(AudioError, match="cannot be read"):
        predict_timeline(model, path)
    sf.write(path, np.zeros(0), RATE)
    with pytest.raises(AudioError, match="holds no sound"):
        predict_timeline(model, path)


def test_the_rule_follows_the_pauses():
    rng = np.random.default_rng(0)
    quiet, loud = (a * rng.normal(size=RATE).astype("f4") for a in (0.001, 0.1))
    rule = SpeechRule(RATE)
    for samples, expected in ((quiet, 0.0), (loud, 1.0), (quiet, 0.0)):
        levels = rule.hear(samples)
        rule.count(levels)
        assert rule.share(levels) == pytest.approx(expected, abs=0.05)
    assert rule.share(levels[:0]) == 0.0
    np.testing.assert_allclose(levels.mean(), -60, atol=0.5)


def test_memory_does_not_grow_with_the_recording(model):
    stream = TimelineStream(model, RATE, window=1.0, hop=0.5, min_speech=1.0)
    for _ in range(50):
        stream.push(np.zeros(RATE, dtype=np.float32))
    assert len(stream._signal) <= 2 * RATE
    assert len(stream._levels) <= 150


def test_a_model_from_a_file_and_its_caches(model, signal, tmp_path):
    kept = log_mel(StandardScaler(), LogisticRegression())
    kept[0].set_params(memory=str(tmp_path / "cache"))
    kept.fit([(signal[:RATE], RATE), (signal[RATE : 2 * RATE], RATE)], ["a", "b"])
    n_files = len([*(tmp_path / "cache").rglob("*")])
    predict_timeline(kept, (signal, RATE))
    assert len([*(tmp_path / "cache").rglob("*")]) == n_files
    loaded = models.load(models.save(model, tmp_path / "m.skops"))
    mine, other = (predict_timeline(m, (signal, RATE)).frame for m in (model, loaded))
    pd.testing.assert_frame_equal(mine, other)
