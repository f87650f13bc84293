"""The synthetic corpus: deterministic, in range, and emotional to the ear."""

import random

import numpy as np
import pytest
import torch
from scipy.signal import butter, find_peaks, lfilter, sosfilt, sosfiltfilt

from sklearn_ser import load_audio
from sklearn_ser.datasets import emotion_dimensions, make_emotional_speech
from sklearn_ser.datasets._synthetic import (
    _BANDWIDTHS,
    _FRAME,
    _band_limited_step,
    _resonate,
    _smooth,
)

FOUR = ["anger", "happiness", "neutral", "sadness"]


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech()


@pytest.fixture(scope="module")
def measured(corpus):
    """Return the table with measured median pitch (Hz), level (dB) and duration (s)."""
    signals = [waveform.astype(float) for waveform, _ in corpus.audio]
    return corpus.frame.drop(columns="waveform").assign(
        measured_pitch=[mean_pitch(signal) for signal in signals],
        level=[10 * np.log10(np.mean(signal**2)) for signal in signals],
        seconds=[len(signal) / 16000 for signal in signals],
    )


def mean_pitch(signal, rate=16000, lowest=50, highest=500):
    """Return the median pitch of the voiced frames by autocorrelation."""
    size, hop = round(0.05 * rate), round(0.01 * rate)
    # Most of what lies above is formants.
    signal = sosfiltfilt(butter(2, highest, output="sos", fs=rate), signal)
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    correlation = np.fft.irfft(power)[:, :size]
    correlation /= np.arange(size, 0, -1) / size * correlation[:, :1]
    loud = np.mean(frames**2, axis=1) > 0.05 * np.mean(frames**2, axis=1).max()
    pitches = []
    for row in correlation[loud]:
        first, last = rate // highest, rate // lowest
        peaks, _ = find_peaks(row[first:last])
        heights = row[first:last][peaks]
        if len(peaks) and heights.max() > 0.5:
            # The first of the peaks about as high as the highest: no octave below.
            pitches.append(rate / (first + peaks[heights > 0.9 * heights.max()][0]))
    return np.median(pitches)


# ------------------------------------------------------------------------- layout


@pytest.mark.slow
def test_default_corpus(corpus):
    assert len(corpus) == 120
    assert dict(corpus.frame["emotion"].value_counts()) == dict.fromkeys(FOUR, 30)
    speakers, counts = np.unique(corpus.speaker, return_counts=True)
    assert speakers.tolist() == [f"speaker{i:02d}" for i in range(1, 7)]
    assert counts.tolist() == [20] * 6
    genders = corpus.frame.drop_duplicates("speaker")["gender"]
    assert genders.tolist() == ["female", "male"] * 3


def test_every_speaker_says_every_sentence_in_every_emotion(corpus):
    cells = corpus.frame.groupby(["speaker", "sentence", "emotion"]).size()
    assert len(cells) == 6 * 5 * 4
    assert set(cells) == {1}


def test_sentences_come_again_after_ten_and_are_spoken_differently():
    corpus = make_emotional_speech(1, 11, emotions=["neutral"])
    assert corpus.sentence[10] == corpus.sentence[0]
    assert len(set(corpus.sentence)) == 10
    first, again = corpus.audio[0][0], corpus.audio[10][0]
    assert len(first) != len(again) or not np.array_equal(first, again)


def test_waveforms_are_in_range_and_readable(corpus):
    for waveform, rate in corpus.audio:
        assert waveform.dtype == np.float32
        assert waveform.ndim == 1
        assert rate == 16000
        assert 0.01 < np.abs(waveform).max() <= 0.95
        assert 0.7 < len(waveform) / rate < 2.5
        assert abs(waveform.mean()) < 0.01
        # The peak is reached once in a while: nothing is cut off.
        assert np.sum(np.abs(waveform) > 0.999 * np.abs(waveform).max()) < 5
    signal, rate = load_audio(corpus.audio[0])
    assert rate == 16000
    np.testing.assert_array_equal(signal, corpus.audio[0][0])


def test_labels_are_ratings_near_the_emotion(corpus):
    for label, points in zip(
        (corpus.activation, corpus.valence),
        emotion_dimensions(corpus.emotion, "circumplex"),
        strict=True,
    ):
        assert set(np.unique(label)) <= set(np.arange(1, 5.5, 0.5))
        for emotion in FOUR:
            mine = corpus.emotion == emotion
            assert label[mine].std() > 0.1
            # 0.39 is the standard deviation by design; four standard errors.
            assert abs(label[mine].mean() - points[mine][0]) < 4 * 0.39 / np.sqrt(30)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_sampling_rates(rate):
    corpus = make_emotional_speech(2, 1, emotions=["anger"], sampling_rate=rate)
    for (waveform, its_rate), pitch in zip(
        corpus.audio, corpus.frame["pitch"], strict=True
    ):
        assert its_rate == rate
        assert np.isfinite(waveform).all()
        assert 0.7 < len(waveform) / rate < 2.5
        assert np.abs(waveform).max() <= 0.95
        assert mean_pitch(waveform.astype(float), rate) == pytest.approx(pitch, rel=0.2)


def test_all_rated_emotions_and_synonyms():
    emotions = ["Angry", "bored", "disgust", "fear", "joy", "calm", "sad", "surprise"]
    corpus = make_emotional_speech(1, 1, emotions=emotions)
    assert corpus.emotion.tolist() == [
        *("anger", "boredom", "disgust", "fear"),
        *("happiness", "neutral", "sadness", "surprise"),
    ]


# -------------------------------------------------------------------- determinism


def small(**settings):
    return make_emotional_speech(2, 1, emotions=["anger", "sadness"], **settings)


def same(one, other):
    """Tell whether two corpora are the same, bit for bit."""
    columns = one.frame.columns.drop("waveform")
    return one.frame[columns].equals(other.frame[columns]) and all(
        np.array_equal(a, b)
        for (a, _), (b, _) in zip(one.audio, other.audio, strict=True)
    )


def test_same_random_state_same_corpus_whatever_the_global_state():
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    first = small(random_state=3)
    np.random.seed(2)  # noqa: NPY002
    random.seed(2)
    assert same(first, small(random_state=3))
    assert not same(first, small(random_state=4))


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)])
def test_global_random_state_is_untouched(random_state):
    def state():
        numpy_state = np.random.get_state()[1].tolist()  # noqa: NPY002
        return numpy_state, random.getstate(), torch.get_rng_state().tolist()

    before = state()
    small(random_state=random_state)
    assert state() == before


def test_random_state_none_gives_another_corpus_every_time():
    assert not same(small(random_state=None), small(random_state=None))


def test_random_state_instance_advances():
    rng = np.random.RandomState(0)
    first, second = small(random_state=rng), small(random_state=rng)
    assert not same(first, second)
    assert same(first, small(random_state=np.random.RandomState(0)))


def test_more_speakers_leave_the_first_ones_as_they_are(corpus):
    fewer = make_emotional_speech(n_speakers=2)
    assert same(fewer, corpus.select(np.arange(len(fewer))))


# ------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_speakers": 0}, ValueError, "n_speakers == 0"),
        ({"n_repetitions": 0}, ValueError, "n_repetitions == 0"),
        ({"n_speakers": 2.5}, TypeError, "n_speakers must be an instance of"),
        ({"sampling_rate": 4000}, ValueError, "sampling_rate == 4000"),
        ({"emotions": []}, ValueError, "one or more emotions"),
        ({"emotions": ["anger", "angry"]}, ValueError, "each once"),
        ({"emotions": ["anger", "purple"]}, ValueError, "Unknown emotion 'purple'"),
        ({"emotions": ["frustration"]}, ValueError, "Nobody has rated"),
        ({"random_state": "zero"}, ValueError, "cannot be used to seed"),
    ],
)
def test_settings_that_make_no_sense(settings, error, message):
    with pytest.raises(error, match=message):
        make_emotional_speech(**settings)


def test_numpy_integers_are_integers():
    assert len(make_emotional_speech(np.int64(1), np.int32(1))) == 4


# ------------------------------------------------------------------------ the sound


def test_pitch_is_the_one_asked_for(measured):
    off = 12 * np.log2(measured["measured_pitch"] / measured["pitch"])
    assert off.abs().median() < 0.5
    assert off.abs().max() < 4


def test_women_speak_higher_than_men(measured):
    calm = measured[measured["emotion"] == "neutral"]
    pitch = calm.groupby("gender")["measured_pitch"].mean()
    assert pitch["female"] > 1.3 * pitch["male"]


@pytest.mark.parametrize(
    ("column", "margin"), [("measured_pitch", 20), ("level", 4), ("seconds", -0.15)]
)
def test_anger_is_higher_louder_and_faster_than_sadness(measured, column, margin):
    means = measured.groupby(["speaker", "emotion"])[column].mean().unstack()
    difference = means["anger"] - means["sadness"]
    assert len(difference) == 6
    assert (difference / margin > 1).all()


def test_speakers_differ(measured):
    neutral = measured[measured["emotion"] == "neutral"]
    level = neutral.groupby("speaker")["level"].mean()
    assert level.max() - level.min() > 3


def test_pauses_are_near_silence(corpus):
    for waveform, rate in corpus.audio:
        size = round(0.01 * rate)
        frames = waveform[: len(waveform) // size * size].reshape(-1, size)
        level = 10 * np.log10(np.mean(frames.astype(float) ** 2, axis=1))
        assert level.min() < level.max() - 20
        # The recording's hiss is there all the time: no digital zeros.
        assert level.min() > -75


def test_resonators_that_stand_still_are_a_plain_filter():
    rng = np.random.default_rng(0)
    source = rng.standard_normal(1600)
    formants = np.array([500.0, 1500.0, 2500.0, 3500.0, 4500.0])
    moving = _resonate(source, np.tile(formants, (20, 1)), 80, 16000)
    still = source
    for frequency, width in zip(formants, (80, 100, 140, 220, 300), strict=True):
        pole = np.exp((-np.pi * width + 2j * np.pi * frequency) / 16000)
        denominator = np.real(np.poly([pole, pole.conj()]))
        still = lfilter([denominator.sum()], denominator, still)
    np.testing.assert_allclose(moving, still, atol=1e-10)


def test_resonators_that_move_are_filters_from_frame_to_frame():
    rng = np.random.default_rng(0)
    formants = np.sort(rng.uniform(200, 5000, (50, 5)))
    source = rng.standard_normal(50 * 80)
    state, expected = np.zeros((5, 2)), []
    for frame, part in zip(formants, source.reshape(50, 80), strict=True):
        radius = np.exp(-np.pi * _BANDWIDTHS / 16000)
        poles = -2 * radius * np.cos(2 * np.pi * frame / 16000), radius**2
        sections = [[1 + a + b, 0, 0, 1, a, b] for a, b in zip(*poles, strict=True)]
        filtered, state = sosfilt(sections, part, zi=state)
        expected.append(filtered)
    found = _resonate(source, formants, 80, 16000)
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-9, atol=1e-9)


def test_formants_outside_the_band_are_left_out():
    source = np.random.default_rng(0).standard_normal(400)
    formants = np.tile([500.0, 1500.0, 2500.0, 3900.0, 4500.0], (10, 1))
    filtered = _resonate(source, formants, 40, 8000)
    formants[:, 3:] = 1e6
    np.testing.assert_array_equal(_resonate(source, formants, 40, 8000), filtered)
    assert np.abs(filtered).max() < 100


def test_band_limited_step_lowers_aliasing():
    rate, pitch = 16000, 1234.5  # Hz; the harmonics above 8 kHz fold back
    step = np.full(rate, pitch / rate)
    phase = np.cumsum(step) % 1
    sawtooth = phase - 0.5
    better = sawtooth - _band_limited_step(phase, step)
    frequencies = np.fft.rfftfreq(rate, 1 / rate)
    off_harmonics = np.abs((frequencies / pitch + 0.5) % 1 - 0.5) > 0.1
    window = np.hanning(rate)
    alias, left = (
        np.sum(np.abs(np.fft.rfft(window * wave))[off_harmonics] ** 2)
        for wave in (sawtooth, better)
    )
    assert left < 0.2 * alias


@pytest.mark.parametrize("width", [0.015, 0.02, 0.06, 0.1])
def test_smoothing_keeps_length_and_constants(width):
    track = np.full((40, 2), 3.0)
    np.testing.assert_allclose(_smooth(track, width), track)
    impulse = np.zeros(41)
    impulse[20] = 1
    smoothed = _smooth(impulse, width)
    assert smoothed.shape == (41,)
    assert smoothed.sum() == pytest.approx(1)
    assert np.count_nonzero(smoothed) * _FRAME <= width + 1e-9
