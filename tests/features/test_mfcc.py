"""Cepstra and log-mel energies of recordings: equal to librosa, padded."""

import librosa
import numpy as np
import pytest

from sklearn_ser import MFCC, LogMel
from tests.features.helpers import by_librosa

RATE = 16000
# Both sides compute in float32; on noise they differ by a hundredth of this.
TOLERANCE_DB = 1e-3


def noise(n, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, n).astype(np.float32)


@pytest.mark.parametrize("top_db", [None, 80.0, 30.0])
def test_mfcc_equal_to_librosa(top_db):
    signal = noise(RATE)
    signal[8000:] *= 1e-4  # for top_db to have something to raise
    settings = {"window": 400, "hop": 160, "n_fft": 512, "fmin": 0, "fmax": 6500}
    energies = by_librosa(signal, RATE, n_mels=26, top_db=top_db, **settings)
    wanted = librosa.feature.mfcc(S=energies, n_mfcc=13).T
    got = MFCC(duration=None, top_db=top_db).transform([signal])[0]
    np.testing.assert_allclose(got, wanted, atol=5 * TOLERANCE_DB, rtol=0)
    got = LogMel(duration=None, top_db=top_db).transform([signal])[0]
    np.testing.assert_allclose(got, energies.T, atol=TOLERANCE_DB, rtol=0)


def test_mfcc_with_top_db_is_the_call_of_librosa():
    signal = noise(RATE)
    wanted = librosa.feature.mfcc(
        **{"y": np.pad(signal, 56), "sr": RATE, "n_mfcc": 13, "n_mels": 26},
        **{"n_fft": 512, "win_length": 400, "hop_length": 160, "window": "hamming"},
        **{"center": False, "fmax": 6500},
    )
    got = MFCC(duration=None, top_db=80.0).transform([signal])[0]
    np.testing.assert_allclose(got, wanted.T, atol=5 * TOLERANCE_DB, rtol=0)


@pytest.mark.parametrize("transformer", [LogMel, MFCC])
def test_nine_seconds_have_898_frames(transformer):
    short, long = noise(RATE), noise(10 * RATE)
    frames = transformer().transform([short, long, long[: 9 * RATE]])
    assert [len(x) for x in frames] == [898] * 3
    np.testing.assert_array_equal(frames[1], frames[2])  # cut at the end
    padded = np.concatenate([short, np.zeros(8 * RATE, "f4")])
    whole = transformer(duration=None).transform([padded])[0]
    np.testing.assert_allclose(frames[0], whole, atol=1e-3, rtol=0)


@pytest.mark.parametrize("hop", [0.005, 0.010, 0.025, 0.040])
@pytest.mark.parametrize("n", [400, 401, 1599, 1600, 1601, 3199, 3200, 3201, 5000])
def test_padding_is_that_of_the_signal(hop, n):
    signal = noise(n)
    padded = np.pad(signal, (0, max(0, 3200 - n)))[:3200]
    got = LogMel(hop=hop, duration=0.2).transform([signal])[0]
    wanted = LogMel(hop=hop, duration=None).transform([padded])[0]
    np.testing.assert_allclose(got, wanted, atol=1e-3, rtol=0)


def test_padding_is_silence():
    energies = LogMel().transform([noise(RATE)])[0]
    np.testing.assert_allclose(energies[100:], -100, atol=1e-4)
    cepstra = MFCC().transform([noise(RATE)])[0]
    np.testing.assert_allclose(cepstra[100:, 0], -100 * np.sqrt(26), rtol=1e-5)
    np.testing.assert_allclose(cepstra[100:, 1:], 0, atol=1e-3)
