"""Segments of spectrograms: their size, their bins, equal to librosa."""

import librosa
import numpy as np
import pytest

from sklearn_ser import SpectrogramSegmenter

RATE = 16000
# Both sides compute in float32; on noise they differ by a hundredth of this.
TOLERANCE_DB = 1e-3


def noise(n, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, n).astype(np.float32)


def tone(frequency, n, rate=RATE):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / rate)).astype("f4")


@pytest.mark.parametrize(
    ("preset", "rate"),
    [("gao2021_s1", 16000), ("gao2021_s1", 8000), ("gao2021_s2", 16000)],
)
def test_a_segment_of_265_ms_is_32_by_129(preset, rate):
    segmenter = SpectrogramSegmenter.from_preset(preset, sampling_rate=rate)
    assert segmenter.segment_shape == (32, 129)
    length = round(0.265 * rate)
    for n, count in ((length, 1), (length + 1, 2), (3 * length, 3), (rate // 40, 1)):
        rows = segmenter.transform([noise(n)])[0]
        assert rows.shape == (count, 32 * 129)
        assert rows.dtype == np.float32
    rows = segmenter.set_params(remainder="drop").transform([noise(2 * length - 1)])
    assert rows[0].shape == (1, 32 * 129)


# Below bin 3 the main lobe of the window reaches the negative frequencies; the sine
# of half the sampling rate, bin 128 of the second preset, is zero in every sample.
@pytest.mark.parametrize(
    ("preset", "distance", "index"),
    [
        *(("gao2021_s1", 31.25, index) for index in (3, 4, 37, 64, 127, 128)),
        *(("gao2021_s2", 62.5, index) for index in (3, 4, 37, 64, 127)),
    ],
)
def test_a_tone_peaks_in_its_bin(preset, distance, index):
    signal = tone(index * distance, 4240)
    segmenter = SpectrogramSegmenter.from_preset(preset)
    spectrogram = segmenter.transform([signal])[0].reshape(32, 129)
    assert (spectrogram.argmax(axis=1) == index).all()


@pytest.mark.parametrize("preset", ["gao2021_s1", "gao2021_s2"])
def test_spectrograms_equal_to_librosa(preset):
    segmenter = SpectrogramSegmenter.from_preset(preset)
    length = {"gao2021_s1": (512, 400, 120), "gao2021_s2": (256, 256, 128)}[preset]
    n_fft, window, hop = length
    signal = noise(3 * 4240 - 1000)
    rows = segmenter.transform([signal])[0]
    padded = np.pad(signal, (0, 1000))
    for row, segment in zip(rows, padded.reshape(3, 4240), strict=True):
        spectrum = librosa.stft(
            segment,
            n_fft=n_fft,
            win_length=window,
            hop_length=hop,
            window=segmenter.window_type,
            center=False,
        )
        wanted = librosa.power_to_db(np.abs(spectrum[:129]) ** 2, top_db=None).T
        # Single bins can be far below their frame, hence less exact than bands.
        np.testing.assert_allclose(row.reshape(32, 129), wanted, atol=0.05, rtol=0)
        close = wanted > wanted.max() - 40
        np.testing.assert_allclose(
            row.reshape(32, 129)[close], wanted[close], atol=TOLERANCE_DB, rtol=0
        )


def test_overlapping_spectrograms():
    signal = noise(4240 * 2)
    rows = SpectrogramSegmenter(segment_hop=0.1325).transform([signal])[0]
    assert rows.shape == (3, 4128)
    middle = SpectrogramSegmenter().transform([signal[2120 : 2120 + 4240]])[0]
    np.testing.assert_allclose(rows[1], middle[0], atol=1e-4)
