"""Frames and log-mel energies: equal to librosa and to a naive loop, in any chunks."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser import (
    MFCC,
    AudioError,
    LogMel,
    LogMelSegmenter,
    SpectrogramSegmenter,
    load_audio,
)
from sklearn_ser.features import _frames
from sklearn_ser.features._frames import (
    fft_length,
    frame_signal,
    log_mel,
    mel_filters,
    n_samples,
    taper,
)
from sklearn_ser.features._segments import count_segments

RATE = 16000
# Both sides compute in float32; on noise they differ by a hundredth of this.
TOLERANCE_DB = 1e-3


def noise(n, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, n).astype(np.float32)


def tone(frequency, n, rate=RATE):
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / rate)).astype("f4")


def by_librosa(signal, rate, window, hop, n_fft, n_mels, top_db=None, **options):
    """Compute log-mel energies with librosa, whose frames are of n_fft samples."""
    # It puts the window in the middle of a frame: shift ours to there.
    before = (n_fft - window) // 2
    power = librosa.feature.melspectrogram(
        y=np.pad(signal, (before, n_fft - window - before)),
        sr=rate,
        n_fft=n_fft,
        win_length=window,
        hop_length=hop,
        window="hamming",
        center=False,
        n_mels=n_mels,
        **options,
    )
    return librosa.power_to_db(power, ref=1, amin=1e-10, top_db=top_db)


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


# Of front ends: the values and frames of librosa


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


# Of front ends: segments


@given(
    length=st.integers(1, 100),
    segment=st.integers(1, 20),
    data=st.data(),
)
def test_segments_are_counted(length, segment, data):
    step = data.draw(st.integers(1, segment))
    complete = sum(start + segment <= length for start in range(0, length, step))
    assert count_segments(length, segment, step, "drop") == max(1, complete)
    padded = count_segments(length, segment, step, "pad")
    covered = (padded - 1) * step + segment
    assert covered >= length
    assert padded == 1 or covered - step < length


@pytest.mark.parametrize("remainder", ["drop", "pad"])
@pytest.mark.parametrize("n_frames", [1, 9, 10, 11, 20, 33, 47])
@pytest.mark.parametrize("segment_hop", [None, 0.1, 0.05, 0.03])
def test_segments_are_runs_of_frames(remainder, n_frames, segment_hop):
    signal = noise(400 + 160 * (n_frames - 1) + 159)
    frames = LogMelSegmenter(None).transform([signal])[0]
    assert frames.shape == (n_frames, 80)
    segments = LogMelSegmenter(segment_hop=segment_hop, remainder=remainder).transform(
        [signal]
    )[0]
    step = round((segment_hop or 0.1) / 0.01)
    indices = np.arange(10) + step * np.arange(len(segments))[:, None]
    if remainder == "drop" and n_frames >= 10:
        assert indices.max() < n_frames <= indices.max() + step
    wanted = frames[np.minimum(indices, n_frames - 1)]  # the last one is repeated
    np.testing.assert_allclose(
        segments, wanted.reshape(len(segments), 800), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("remainder", ["drop", "pad"])
def test_segments_cost_their_own_memory_only(remainder):
    signal = noise(5 * RATE + 1234)
    segments = LogMelSegmenter(remainder=remainder).transform([signal])[0]
    frames = segments.base
    assert np.shares_memory(segments, frames)
    assert frames.shape == (10 * len(segments), 80)
    assert frames.base is None
    assert frames.nbytes == segments.nbytes
    assert segments.flags.writeable
    overlapping = LogMelSegmenter(segment_hop=0.05, remainder=remainder)
    assert overlapping.transform([signal])[0].base is None


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
