"""Frames and log-mel energies: equal to librosa and to a naive sum."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser import AudioError, LogMelSegmenter, SpectrogramSegmenter, load_audio
from sklearn_ser.features import _frames
from sklearn_ser.features._frames import (
    fft_length,
    frame_signal,
    log_mel,
    mel_filters,
    n_samples,
    taper,
)
from tests.features.helpers import by_librosa

RATE = 16000
# Both sides compute in float32; on noise they differ by a hundredth of this.
TOLERANCE_DB = 1e-3


def noise(n, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, n).astype(np.float32)


def tone(frequency, n, rate=RATE):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / rate)).astype("f4")


def by_loops(signal, rate, window, hop, n_fft, filters):
    """Compute log-mel energies in float64, one frame after the other."""
    signal = signal.astype(np.float64)
    angles = 2 * np.pi * np.arange(window) / window
    shape = 0.54 - 0.46 * np.cos(angles)
    rows = []
    start = 0
    while start + window <= len(signal):
        spectrum = np.fft.rfft(signal[start : start + window] * shape, n_fft)
        bands = filters @ np.abs(spectrum) ** 2
        rows.append(10 * np.log10(np.maximum(bands, 1e-10)))
        start += hop
    return np.array(rows)


# Frames


@given(length=st.integers(1, 300), window=st.integers(1, 60), hop=st.integers(1, 80))
def test_frames_are_where_they_belong(length, window, hop):
    signal = np.arange(length, dtype=np.float32)
    if length < window:
        with pytest.raises(AudioError, match=f"{length} samples .* needs {window}"):
            frame_signal(signal, window, hop)
        return
    frames = frame_signal(signal, window, hop)
    assert frames.shape == (1 + (length - window) // hop, window)
    starts = hop * np.arange(len(frames))
    np.testing.assert_array_equal(frames, starts[:, None] + np.arange(window))


def test_frames_are_a_view_that_cannot_be_written():
    signal = noise(1000)
    frames = frame_signal(signal, 400, 160)
    assert np.shares_memory(frames, signal)
    assert not frames.flags.writeable
    assert frame_signal(noise(600).reshape(2, 3, 100), 40, 10).shape == (2, 3, 7, 40)


def test_times_are_rounded_to_samples():
    assert n_samples(0.025, 16000) == 400
    assert n_samples(0.025, 22050) == 551
    with pytest.raises(ValueError, match="1e-05 s are less than one sample at 16000"):
        n_samples(1e-5, 16000)


def test_lengths_of_transforms():
    assert [fft_length(n, None) for n in (1, 255, 256, 257, 400)] == [
        *(1, 256, 256, 512, 512)
    ]
    assert fft_length(400, 400) == 400
    with pytest.raises(ValueError, match=r"n_fft=256 is shorter than .* 400 samples"):
        fft_length(400, 256)


# Energies


@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 44100]),
    window=st.floats(0.016, 0.060),
    hop=st.floats(0.002, 0.080),
    seconds=st.floats(0.061, 0.4),
    n_mels=st.integers(1, 24),
    f_min=st.floats(0, 300),
    widen=st.integers(0, 300),
    seed=st.integers(0, 99),
)
def test_equal_to_librosa(rate, window, hop, seconds, n_mels, f_min, widen, seed):
    signal = noise(round(seconds * rate), seed)
    length, step = n_samples(window, rate), n_samples(hop, rate)
    n_fft = fft_length(length, None) + widen
    f_max = 0.45 * rate
    got = log_mel(
        signal,
        rate,
        window=window,
        hop=hop,
        n_mels=n_mels,
        f_min=f_min,
        f_max=f_max,
        n_fft=n_fft,
    )
    wanted = by_librosa(
        signal, rate, length, step, n_fft, n_mels, fmin=f_min, fmax=f_max
    ).T
    assert got.dtype == np.float32
    assert got.shape == (1 + (signal.size - length) // step, n_mels)
    np.testing.assert_allclose(got, wanted, atol=TOLERANCE_DB, rtol=0)


@pytest.mark.parametrize(
    ("rate", "n_mels", "f_max"), [(16000, 80, None), (8000, 26, 3e3)]
)
def test_equal_to_a_loop_in_float64(rate, n_mels, f_max):
    signal = noise(rate // 2, seed=3)
    window, hop = rate // 40, rate // 100
    n_fft = fft_length(window, None)
    filters = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmax=f_max or rate / 2, dtype=np.float64
    )
    wanted = by_loops(signal, rate, window, hop, n_fft, filters)
    got = log_mel(signal, rate, window=0.025, hop=0.010, n_mels=n_mels, f_max=f_max)
    np.testing.assert_allclose(got, wanted, atol=TOLERANCE_DB, rtol=0)


@pytest.mark.corpus
def test_equal_to_librosa_on_emodb(data_home):
    paths = sorted((data_home / "emodb" / "wav").glob("*.wav"))[:535:107]
    frames = LogMelSegmenter(None).transform(paths)
    for path, energies in zip(paths, frames, strict=True):
        signal, _ = load_audio(path, RATE)
        wanted = by_librosa(signal, RATE, 400, 160, 512, 80).T
        np.testing.assert_allclose(energies, wanted, atol=TOLERANCE_DB, rtol=0)


@pytest.mark.parametrize("chunk", [1, 7, 98, 10_000])
def test_chunks_change_nothing(monkeypatch, chunk):
    signal = noise(RATE)
    settings = {"window": 0.025, "hop": 0.010, "n_mels": 40}
    usual = log_mel(signal, RATE, **settings)
    spectrogram = SpectrogramSegmenter().transform([signal])[0]
    monkeypatch.setattr(_frames, "N_CHUNK", chunk)
    np.testing.assert_allclose(
        log_mel(signal, RATE, **settings), usual, atol=1e-4, rtol=0
    )
    again = SpectrogramSegmenter().transform([signal])[0]
    np.testing.assert_allclose(again, spectrogram, atol=1e-4, rtol=0)


def test_the_result_can_be_written_where_it_belongs():
    signal = noise(4000)
    settings = {"window": 0.025, "hop": 0.010, "n_mels": 26}
    out = np.zeros((23, 26), np.float32)
    assert log_mel(signal, RATE, **settings, out=out) is out
    np.testing.assert_array_equal(out, log_mel(signal, RATE, **settings))


def test_silence_has_the_floor():
    silent = log_mel(np.zeros(800, "f4"), RATE, window=0.025, hop=0.010, n_mels=40)
    np.testing.assert_allclose(silent, -100, atol=1e-4)


@pytest.mark.parametrize("frequency", [250, 1000, 3000, 5000])
def test_a_tone_lies_in_its_band(frequency):
    energies = log_mel(tone(frequency, 8000), RATE, window=0.025, hop=0.01, n_mels=40)
    edges = librosa.mel_frequencies(42, fmin=0, fmax=RATE / 2)
    loudest = energies.argmax(axis=1)
    assert (edges[loudest] < frequency).all()
    assert (frequency < edges[loudest + 2]).all()


@pytest.mark.parametrize("window_type", ["boxcar", "hamming", "hann"])
def test_windows_are_periodic(window_type):
    window = taper(window_type, 64)
    np.testing.assert_allclose(window[1:], window[:0:-1], atol=1e-7)
    a = {"boxcar": 1, "hamming": 0.54, "hann": 0.5}[window_type]
    assert window[0] == pytest.approx(2 * a - 1 if a < 1 else 1, abs=1e-7)
    assert not window.flags.writeable


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"f_max": 8001.0}, "8001 Hz are not possible.* 8000 Hz"),
        ({"f_min": 5000.0, "f_max": 4000.0}, "from 5000 to 4000 Hz are not possible"),
        (
            {"n_mels": 200},
            r"200 mel bands .* too narrow: \d+ of them hold no bin .*512",
        ),
        ({"n_fft": 399}, "n_fft=399 is shorter than the window of 400 samples"),
    ],
)
def test_bands_that_are_not_possible(settings, message):
    arguments = {"window": 0.025, "hop": 0.010, "n_mels": 26, **settings}
    with pytest.raises(ValueError, match=message):
        log_mel(noise(4000), RATE, **arguments)


@given(
    rate=st.sampled_from([8000, 16000, 22050]),
    n_fft=st.sampled_from([128, 200, 256, 512]),
    n_mels=st.integers(1, 100),
    f_min=st.floats(0, 500),
)
def test_every_filter_holds_a_bin(rate, n_fft, n_mels, f_min):
    try:
        filters = mel_filters(rate, n_fft, n_mels, f_min, None)
    except ValueError:
        return
    assert filters.shape == (n_mels, n_fft // 2)  # the last bin weighs nothing
    assert filters.dtype == np.float32
    assert (filters.toarray().max(axis=1) > 0).all()
