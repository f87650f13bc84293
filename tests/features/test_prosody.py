"""The features of log-mel energies and prosody."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_ser import LogMel, LogMelProsody
from sklearn_ser.features._pitch import track_pitch
from tests.features.helpers import voice

RATE = 16000


def track(signal, rate=RATE, **settings):
    return track_pitch(signal, rate, window=0.04, hop=0.01, **settings).T


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    signal = voice(np.linspace(120, 240, 3 * RATE)) * np.linspace(1, 0.1, 3 * RATE)
    return (signal + 0.01 * rng.normal(size=signal.size)).astype(np.float32)


def extract(signal, **settings):
    return LogMelProsody(**settings).fit_transform([signal])[0]


def test_what_the_features_are(speech):
    features = extract(speech, duration=None)
    assert features.shape == (297, 43)
    assert features.dtype == np.float32
    log_mel = LogMel.from_preset("li2020").fit_transform([speech])[0]
    assert_array_equal(features[:, :40], log_mel)
    assert_array_equal(features[:, 40:42], track(speech).T)
    for i in (0, 100, 296):
        frame = speech[160 * i : 160 * i + 640].astype(float)
        energy = 10 * np.log10(np.sum(frame**2) / 640)
        assert features[i, 42] == pytest.approx(energy, abs=1e-3)


def test_names():
    names = LogMelProsody().get_feature_names_out()
    assert names.shape == (43,)
    assert names.dtype == object
    assert [*names[:2], *names[39:]] == [
        *("logmel00", "logmel01", "logmel39"),
        *("f0", "nccf", "energy"),
    ]
    assert len(LogMelProsody(n_mels=20).get_feature_names_out()) == 23


def test_preset_is_the_default():
    preset = LogMelProsody.from_preset("li2020")
    assert preset.get_params() == LogMelProsody().get_params()


def test_silence_is_finite():
    features = extract(np.zeros(RATE))
    assert np.isfinite(features).all()
    assert_allclose(features[:, [0, 41, 42]], [[-100, 0, -100]] * 1397)


@settings(max_examples=20)
@given(size=st.integers(640, 40000), duration=st.sampled_from([0.5, 1.0, 1.003]))
def test_shorter_recordings_are_repeated(size, duration):
    signal = np.random.default_rng(0).normal(scale=0.1, size=size)
    own = extract(signal, duration=duration, shorter="keep")
    features = extract(signal, duration=duration)
    n_frames = 1 + (round(duration * RATE) - 640) // 160
    assert len(own) == min(n_frames, 1 + (size - 640) // 160)
    assert_array_equal(features, own[np.arange(n_frames) % len(own)])


@pytest.mark.parametrize("seconds", [0.5, 13.999, 14.0, 14.001, 20.0])
def test_fourteen_seconds(seconds):
    signal = np.random.default_rng(0).normal(scale=0.1, size=round(seconds * RATE))
    assert extract(signal).shape == (1397, 43)


@pytest.mark.parametrize("shorter", ["repeat", "keep"])
@pytest.mark.parametrize("extra", [1, 2, 159, 16001])
def test_longer_recordings_give_their_middle(speech, extra, shorter):
    before = extra // 2
    middle = speech[before : before + RATE]
    features = extract(speech[: RATE + extra], duration=1.0, shorter=shorter)
    assert_array_equal(features, extract(middle, duration=None))


def test_all_of_a_recording(speech):
    for shorter in ("repeat", "keep"):
        assert len(extract(speech, duration=None, shorter=shorter)) == 297


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_other_rates(rate):
    signal = voice(np.full(rate, 200), rate)
    recording = (signal, rate)
    resampled = LogMelProsody(shorter="keep").transform([recording])[0]
    own = LogMelProsody(shorter="keep", sampling_rate=None).transform([recording])[0]
    assert resampled.shape == own.shape == (97, 43)
    for features in (resampled, own):
        assert_allclose(features[2:-2, 40], 200, rtol=0.01)
    assert_allclose(resampled[:, 42], own[:, 42], atol=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_f0": 400}, r"min_f0=400 Hz must be lower than max_f0=400 Hz"),
        ({"duration": 0.03}, r"duration=0\.03 s holds no frame of window=0\.04 s"),
        ({"min_f0": 9.9}, "'min_f0' parameter of LogMelProsody must be"),
        ({"max_f0": 1200}, "'max_f0' parameter of LogMelProsody must be"),
        ({"shorter": "pad"}, "'shorter' parameter of LogMelProsody must be"),
    ],
)
def test_settings_that_do_not_fit(speech, settings, message):
    with pytest.raises(ValueError, match=message):
        LogMelProsody(**settings).fit_transform([speech])


def test_too_short(speech):
    features = LogMelProsody(on_error="nan").transform([speech[:639], speech])
    assert features[0].shape == (0, 43)
    assert features[1].shape == (1397, 43)
    with pytest.raises(ValueError, match=r"0\.03994 s are too short"):
        LogMelProsody().transform([speech[:639]])
