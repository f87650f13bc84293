"""Recordings in: forms, formats, rates, channels, segments, and every fault."""

import datetime
import errno
import os
import pickle
import re
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import soxr
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser._mpeg import scan
from sklearn_ser.audio import (
    AudioError,
    AudioFileNotFoundError,
    as_recordings,
    fingerprint,
    load_audio,
)

RATE = 16000


def tone(seconds=1.0, rate=RATE, pitch=220.0):
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal(times.size)
    wave = np.sin(2 * np.pi * pitch * times) * (1 + np.sin(7 * times))
    return (0.3 * wave + 0.01 * noise).astype(np.float32)


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "speech.wav"
    sf.write(path, tone(), RATE)
    return path


def cut(path: Path, n_bytes: int) -> Path:
    """Write the beginning of a file beside it."""
    shorter = path.with_name(f"cut-{path.name}")
    shorter.write_bytes(path.read_bytes()[:n_bytes])
    return shorter


# What a collection is


def assert_recordings(X, expected):
    result = as_recordings(X)
    assert result.dtype == object
    assert result.shape == (len(expected),)
    for got, wanted in zip(result, expected, strict=True):
        assert type(got) is type(wanted)
        if isinstance(wanted, np.ndarray):
            np.testing.assert_array_equal(got, wanted)
        else:
            assert got == wanted


def test_collections_of_paths():
    paths = ["a.wav", "b.wav"]
    for X in (
        paths,
        tuple(paths),
        np.array(paths, dtype=object),
        pd.Series(paths, index=[7, 8]),
        pd.DataFrame({"file": paths, "emotion": ["anger", "fear"]}),
        pd.Index(paths, name="file"),
        pd.Series(["anger", "fear"], index=pd.Index(paths, name="file")),
        pd.DataFrame({"emotion": ["anger", "fear"]}, pd.Index(paths, name="file")),
    ):
        assert_recordings(X, paths)
    assert_recordings([Path("a.wav")], [Path("a.wav")])
    assert list(as_recordings(np.array(paths))) == paths


def test_collections_of_segments():
    second = pd.Timedelta("1s")
    segments = [("a.wav", 0 * second, second), ("b.wav", second, 3 * second)]
    index = pd.MultiIndex.from_tuples(segments, names=["file", "start", "end"])
    swapped = index.reorder_levels(["start", "end", "file"])
    labels = ["anger", "fear"]
    for X in (
        segments,
        index,
        swapped,
        pd.Series(labels, index),
        pd.DataFrame({"emotion": labels}, index),
        index.to_frame(index=False),
    ):
        assert_recordings(X, segments)


def test_collections_of_segments_without_a_bound():
    starts = pd.DataFrame({"file": ["a.wav"], "start": [0.5]})
    ends = pd.DataFrame({"file": ["a.wav"], "end": [0.5]})
    assert_recordings(starts, [("a.wav", 0.5, None)])
    assert_recordings(ends, [("a.wav", None, 0.5)])


def test_waveforms_of_equal_length_stay_apart():
    waves = [tone(0.01), tone(0.01, pitch=330)]
    for X in (waves, tuple(waves), np.stack(waves)):
        assert_recordings(X, waves)
    pairs = [(waves[0], 8000), (waves[1], RATE)]
    result = as_recordings(pairs)
    assert result.shape == (2,)
    assert result[0][0] is waves[0]


def test_no_recordings():
    for X in ([], np.array([]).astype(object), pd.Series([], dtype=object)):
        assert as_recordings(X).shape == (0,)


@pytest.mark.parametrize(
    "X", ["a.wav", Path("a.wav"), tone(0.01), ("a.wav", 0.5, None), (tone(0.01), RATE)]
)
def test_one_recording_is_not_a_collection(X):
    with pytest.raises(ValueError, match=r"X is one recording .* wrap it in a list"):
        as_recordings(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([("a.wav", 0, 1)], dtype=object), "shape .1, 3. and dtype object"),
        (np.zeros((2, 3, 4)), "shape .2, 3, 4."),
        (np.array(0.5), "shape .. and dtype float64"),
        (None, "got NoneType"),
        ({"file": ["a.wav"]}, "got dict"),
        (pd.DataFrame({"path": ["a.wav"], "n": [1]}), "needs a column 'file'"),
        (
            pd.MultiIndex.from_tuples([("a.wav", 1)], names=["file", "part"]),
            "MultiIndex of recordings needs the levels 'file'",
        ),
    ],
)
def test_not_a_collection(X, message):
    with pytest.raises(ValueError, match=message):
        as_recordings(X)


# Formats, channels and rates


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", "PCM_16", 1e-4),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_U8", 1e-2),
        ("a.wav", "FLOAT", 0),
        ("a.flac", "PCM_16", 1e-4),
        ("a.ogg", "VORBIS", 0.1),
        ("a.ogg", "OPUS", 0.1),
        ("a.mp3", "MPEG_LAYER_III", 0.1),
        ("a.aiff", "PCM_16", 1e-4),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_formats(tmp_path, name, subtype, tolerance, channels):
    if name == "a.mp3" and channels > 2:
        pytest.skip("MP3 has two channels at most")
    if subtype in ("OPUS", "VORBIS") and channels > 2:
        pytest.skip("these encoders mix many channels together")
    path = tmp_path / name
    wave = tone()
    mix = np.linspace(0.2, 1, channels, dtype=np.float32)
    sf.write(path, wave[:, None] * mix, RATE, subtype=subtype)
    signal, rate = load_audio(path)
    assert rate == RATE
    assert signal.dtype == np.float32
    assert signal.shape == wave.shape
    assert signal.flags.c_contiguous
    np.testing.assert_allclose(signal, wave * mix.mean(), atol=tolerance + 1e-7)
    assert np.corrcoef(signal, wave)[0, 1] > 0.995


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_rates(tmp_path, rate):
    path = tmp_path / "a.wav"
    sf.write(path, tone(rate=rate), rate, subtype="FLOAT")
    own, own_rate = load_audio(str(path), None)
    assert own_rate == rate
    np.testing.assert_array_equal(own, tone(rate=rate))
    signal, new_rate = load_audio(path)
    assert new_rate == RATE
    np.testing.assert_array_equal(signal, soxr.resample(own, rate, RATE, "HQ"))
    same, _ = load_audio((own, rate))
    np.testing.assert_array_equal(same, signal)


def test_waveforms():
    wave = tone()
    for given_as in (wave, wave.astype(np.float64), wave[::-1][::-1], (wave, RATE)):
        signal, rate = load_audio(given_as)
        assert rate == RATE
        assert signal.dtype == np.float32
        assert signal.flags.c_contiguous
        np.testing.assert_array_equal(signal, wave)
    assert load_audio(wave, 8000)[1] == 8000
    assert load_audio((wave, 8000.0), None)[1] == 8000
    assert load_audio((wave, np.int64(8000)), None)[1] == 8000


# Segments


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_segments_are_exact(tmp_path, name, rate):
    path = tmp_path / name
    sf.write(path, tone(2.0, rate), rate)
    whole, _ = load_audio(path, None)
    for start, end in ((0, 0.4), (0.5, 1.25), (1.111, 2.0), (0.7771, 0.9)):
        part, _ = load_audio((path, start, end), None)
        np.testing.assert_array_equal(
            part, whole[round(start * rate) : round(end * rate)]
        )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0.25, 0.75),
        (pd.Timedelta("250ms"), pd.Timedelta("750ms")),
        (np.timedelta64(250, "ms"), np.timedelta64(750, "ms")),
        (datetime.timedelta(seconds=0.25), np.float32(0.75)),
    ],
)
def test_bounds_in_all_forms(wav, start, end):
    signal, _ = load_audio((wav, start, end))
    np.testing.assert_array_equal(signal, load_audio(wav)[0][4000:12000])


@pytest.mark.parametrize(
    "nothing", [None, np.nan, pd.NaT, pd.NA, np.timedelta64("NaT")]
)
def test_open_bounds(wav, nothing):
    whole, _ = load_audio(wav)
    np.testing.assert_array_equal(load_audio((wav, nothing, nothing))[0], whole)
    np.testing.assert_array_equal(load_audio((wav, 0.5, nothing))[0], whole[8000:])
    np.testing.assert_array_equal(load_audio((wav, nothing, 0.5))[0], whole[:8000])


def test_the_end_of_a_segment_may_be_rounded(wav):
    whole, _ = load_audio(wav)
    np.testing.assert_array_equal(load_audio((wav, 0.5, 1.009))[0], whole[8000:])


@given(st.integers(1, 15999))
def test_adjacent_segments_tile_the_file(tmp_path_factory, border):
    path = tmp_path_factory.getbasetemp() / "tiled.wav"
    if not path.exists():
        sf.write(path, tone(), RATE)
    seconds = border / RATE
    parts = [load_audio((path, 0, seconds))[0], load_audio((path, seconds, None))[0]]
    np.testing.assert_array_equal(np.concatenate(parts), load_audio(path)[0])


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (0.5, 0.5, "end after its start"),
        (0.6, 0.5, "end after its start"),
        (-0.1, 0.5, "start at 0 s or later"),
        (0, 1.5, "beyond the end of the file, which lasts 1 s: correct its bounds"),
        (1.0, None, "beyond the end"),
        (0.5, 0.50001, "holds no sample"),
        ("0.5", None, "bound '0.5' of the segment is not a time"),
        (0, np.inf, "bound inf of the segment is not a time"),
    ],
)
def test_impossible_segments(wav, start, end, message):
    with pytest.raises(
        AudioError, match=rf"speech\.wav from {start} to {end}: .*{message}"
    ):
        load_audio((wav, start, end))


# Faulty files


def test_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AudioFileNotFoundError) as caught:
        load_audio("none.wav")
    assert str(caught.value) == (
        f"none.wav: the file does not exist (seen from {tmp_path}): check the path."
    )
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(
        FileNotFoundError, match=r"none\.wav from 0 to 1: .* exist: check"
    ):
        load_audio((tmp_path / "none.wav", 0, 1))


def test_directory(tmp_path):
    with pytest.raises(AudioError, match="it is a directory: give the paths of the"):
        load_audio(tmp_path)


def test_file_that_cannot_be_opened():
    with pytest.raises(AudioError, match=r"cannot be opened .*: check the path"):
        load_audio("null\0.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.txt"])
def test_empty_file(tmp_path, name):
    path = tmp_path / name
    path.touch()
    with pytest.raises(AudioError, match=rf"{name}: it is empty \(0 bytes\): copy it"):
        load_audio(path)


def test_only_a_header(wav):
    sf.write(wav, np.zeros(0), RATE)
    with pytest.raises(AudioError, match=r"speech\.wav: it holds no audio, or its"):
        load_audio(wav)


@pytest.mark.parametrize(
    "name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.raw", "a.txt", "a"]
)
@pytest.mark.parametrize("content", [b"not audio at all\n" * 100, b"RIFF", bytes(2000)])
def test_not_audio(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"not audio that libsndfile reads.*convert"):
        load_audio(path)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.wav", {"subtype": "PCM_16"}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.wav", {"format": "WAVEX"}),
        ("a.wav", {"endian": "BIG"}),
        ("a.flac", {}),
        ("a.ogg", {"subtype": "VORBIS"}),
        ("a.ogg", {"subtype": "OPUS"}),
        ("a.mp3", {}),
        ("a.mp3", {"bitrate_mode": "VARIABLE"}),
    ],
)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_truncated_file(tmp_path, name, settings, kept):
    path = tmp_path / name
    sf.write(path, tone(3), RATE, **settings)
    assert load_audio(path)[0].size == 3 * RATE
    short = cut(path, int(kept * path.stat().st_size))
    with pytest.raises(
        AudioError, match=rf"cut-{name}: it is truncated or damaged \(.*copy it again"
    ):
        load_audio(short)


@pytest.mark.parametrize(
    "kind", ["AIFF", "AU", "W64", "RF64", "CAF", "NIST", "WAVEX", "WAV"]
)
@pytest.mark.parametrize("endian", ["FILE", "LITTLE"])
def test_formats_that_tell_how_much_they_hold(tmp_path, kind, endian):
    path = tmp_path / "a.bin"
    if endian != "FILE" and kind not in ("AIFF", "AU", "CAF"):
        pytest.skip("its byte order is given")
    sf.write(path, tone(), RATE, format=kind, endian=endian)
    assert load_audio(path)[0].size == RATE
    for lost in (1, 1000, 20000):
        with pytest.raises(
            AudioError, match=rf"\({lost:,} of 32,00[048] bytes of audio"
        ):
            load_audio(cut(path, path.stat().st_size - lost))


def test_wav_and_ogg_without_their_last_byte(tmp_path):
    for name in ("a.wav", "a.ogg"):
        path = tmp_path / name
        sf.write(path, tone(), RATE)
        with pytest.raises(AudioError, match="truncated"):
            load_audio(cut(path, path.stat().st_size - 1))


def test_a_wav_says_how_much_is_missing(wav):
    with pytest.raises(AudioError, match=r"16,000 of 32,000 bytes of audio"):
        load_audio(cut(wav, 44 + 16000))


def test_chunks_around_the_audio_are_no_truncation(wav):
    content = wav.read_bytes()
    note = b"note" + struct.pack("<I", 3) + b"abc\0"
    wav.write_bytes(content[:12] + note + content[12:] + note)
    assert load_audio(wav)[0].size == RATE


@pytest.mark.parametrize(
    ("whole", "audio"), [(8, 0), (0x7FFFF048, 0x7FFFF024), (0xFFFFFFFF, 0xFFFFFFFF)]
)
def test_wav_written_to_a_pipe(wav, whole, audio):
    content = bytearray(wav.read_bytes())
    struct.pack_into("<I", content, 4, whole)
    struct.pack_into("<I", content, content.index(b"data") + 4, audio)
    wav.write_bytes(content)
    assert load_audio(wav)[0].size == RATE


def test_flac_of_unknown_length(tmp_path):
    path = tmp_path / "a.flac"
    sf.write(path, tone(), RATE)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the 36 bits of the number of samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(AudioError, match="does not tell its length"):
        load_audio(path)


# Faulty samples


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [None, 2])
def test_samples_that_are_not_finite(tmp_path, value, channels):
    wave = tone()
    wave[[4000, 5000]] = value
    message = "2 of its 16,000 samples are NaN or infinite, the first at 0.25 s"
    with pytest.raises(AudioError, match=f"^waveform: {message}"):
        load_audio((wave, RATE))
    path = tmp_path / "a.wav"
    if channels:
        wave = np.stack([tone(), wave], axis=1)
    sf.write(path, wave, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=rf"a\.wav: {message}"):
        load_audio(path)


def test_unscaled_samples(tmp_path):
    path = tmp_path / "a.wav"
    sf.write(path, tone() * 32768, RATE, subtype="FLOAT")
    for recording in (path, tone() * 32768, -np.abs(tone()) * 32768):
        with pytest.raises(
            AudioError, match=r"reach \d.* divide them \(int16: by 32768"
        ):
            load_audio(recording)
    assert load_audio(tone() * 4)[0].max() > 1  # a loud mix is not a fault


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        ((tone() * 32767).astype(np.int16), "samples are int16, not floats: scale"),
        (np.array(["a", "b"]), "not floats"),
        (np.array([1 + 1j]), "samples are complex128"),
        (np.zeros((2, 100)), r"its shape is \(2, 100\).* take the mean"),
        (np.zeros(0), "holds no samples"),
        ((np.zeros(10), 0), "sampling rate 0 is not possible: give a whole number"),
        ((np.zeros(10), -1), "sampling rate -1"),
        ((np.zeros(10), True), "sampling rate True is not possible: give"),
        ((np.zeros(10), 10**15), "sampling rate 1000000000000000 is not possible"),
        (np.ma.masked_array(np.zeros(9), np.eye(9)[0]), "is a masked array"),
        ((np.zeros(10), 0.5), "sampling rate 0.5"),
        ((np.zeros(10), np.nan), "sampling rate nan"),
        ((np.zeros(10), None), "sampling rate None"),
        ((np.zeros(10), "16000"), "sampling rate '16000'"),
        ((np.zeros(1), 192000), "nothing is left of it at 16000 Hz"),
    ],
)
def test_faulty_waveforms(recording, message):
    with pytest.raises(AudioError, match=f"^waveform: .*{message}"):
        load_audio(recording)


def test_waveform_without_a_rate():
    with pytest.raises(AudioError, match=r"give \(waveform, rate\)"):
        load_audio(tone(), None)


@pytest.mark.parametrize("recording", [None, 3, [0.1, 0.2], ("a.wav",), (1, 2, 3)])
def test_not_a_recording(recording):
    for function in (load_audio, fingerprint):
        with pytest.raises(
            AudioError,
            match=f"^{type(recording).__name__}: it is not a recording: give",
        ):
            function(recording)


def test_a_rate_in_khz_is_named():
    for rate in (16, 44.1, np.int64(8)):
        with pytest.raises(AudioError, match=rf"\({rate} kHz are .*00 Hz\): give"):
            load_audio((tone(), rate))


@pytest.mark.parametrize("rate", [0, -1, 0.5, 1, 999, 768_001, 10**15, True, "16000"])
def test_impossible_sampling_rate(rate):
    with pytest.raises(AudioError, match=f"sampling rate {rate!r} is not possible"):
        load_audio(tone(), rate)


@pytest.mark.parametrize("kind", [AudioError, AudioFileNotFoundError])
def test_errors_travel_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind("a.wav: it is broken")))
    assert type(error) is kind
    assert str(error) == "a.wav: it is broken"
    assert type(kind.__new__(kind, "a.wav: it is broken")) is kind  # as of Dask


# Fingerprints


def test_fingerprint_is_of_the_content(wav, tmp_path):
    before = fingerprint(wav)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(wav.read_bytes())
    assert fingerprint(copy) == fingerprint(str(wav)) == before
    sf.write(wav, tone(pitch=330), RATE)
    assert fingerprint(wav) != before
    assert fingerprint(copy) == before


def test_fingerprints_differ(wav):
    wave = tone()
    recordings = [
        wav,
        (wav, 0, 0.5),
        (wav, 0.5, None),
        wave,
        wave[1:],
        wave.astype(np.float64),
        (wave, RATE),
        (wave, 8000),
    ]
    assert len({fingerprint(recording) for recording in recordings}) == 8
    assert fingerprint((wav, None, 0.5)) == fingerprint((wav, 0, pd.Timedelta("0.5s")))
    assert fingerprint(wave[::-1][::-1]) == fingerprint(wave)


# Files that libsndfile reads wrongly


def mp3(path, seconds=4, **settings):
    """Write an MP3 of noise that grows louder; return its frames as well."""
    wave = tone(seconds) * np.linspace(0.01, 1, seconds * RATE, dtype=np.float32)
    wave += np.random.default_rng(0).normal(0, 0.1, wave.size).astype("f4") * wave
    sf.write(path, wave, RATE, **settings)
    stream = scan(path.read_bytes())
    assert stream.fault is None
    return stream


APE = b"APETAGEX" + struct.pack("<IIII", 2000, 20000 + 32, 1, 0xA0000000) + bytes(8)
APE += bytes(20000) + APE[:20] + struct.pack("<I", 0x80000000) + bytes(8)
ID3 = b"ID3\x04\x00\x00" + bytes([0, 0, 7, 104]) + b"\xff\xfb\x90\x64" * 250
ID3V1 = b"TAG" + bytes(125)
LYRICS = b"LYRICSBEGIN" + b"a" * 90 + b"000101LYRICS200"


@pytest.mark.parametrize(
    "settings",
    [{"bitrate_mode": "VARIABLE", "compression_level": 0.3}, {}],
    ids=["variable", "constant"],
)
@pytest.mark.parametrize(
    ("before", "behind"),
    [(b"", b""), (ID3, ID3V1), (b"", APE), (bytes(500), LYRICS + ID3V1)],
    ids=["bare", "ID3", "APE", "Lyrics"],
)
def test_mp3_without_a_header_is_read_whole(tmp_path, settings, before, behind):
    path = tmp_path / "a.mp3"
    stream = mp3(path, **settings)
    signal, _ = load_audio(path)
    bare = tmp_path / "b.mp3"
    bare.write_bytes(before + stream.frames() + behind)
    read, _ = load_audio(bare)
    assert stream.n_samples - 529 <= read.size <= stream.n_samples
    # The encoder's header says how much of the beginning is delay: unknown without it.
    delays = range(read.size - signal.size + 1)
    apart = [np.abs(read[d : d + signal.size] - signal).max() for d in delays]
    assert min(apart) < 1e-4
    part, _ = load_audio((bare, 1.0, 2.5))
    np.testing.assert_array_equal(part, read[RATE : RATE * 5 // 2])


@pytest.mark.parametrize("behind", [ID3V1, APE])
def test_tags_behind_an_mp3_with_a_header(tmp_path, behind):
    path = tmp_path / "a.mp3"
    mp3(path)
    wanted, _ = load_audio(path)
    path.write_bytes(path.read_bytes() + behind)
    np.testing.assert_array_equal(load_audio(path)[0], wanted)


def test_mp3_without_a_header_that_is_cut(tmp_path):
    path = tmp_path / "a.mp3"
    frames = mp3(path).frames()
    path.write_bytes(frames[:-10] + ID3V1)
    with pytest.raises(
        AudioError, match=r"\(10 bytes of its last MPEG frame are missi"
    ):
        load_audio(path)
    path.write_bytes(frames[:3000] + bytes(40) + frames[3100:])
    with pytest.raises(AudioError, match=r"bytes in its middle are no audio"):
        load_audio(path)


def test_joined_mp3s_are_read_both(tmp_path):
    first, second = tmp_path / "a.mp3", tmp_path / "b.mp3"
    streams = mp3(first), mp3(second, 2)
    path = tmp_path / "joined.mp3"
    path.write_bytes(ID3 + first.read_bytes() + ID3V1 + ID3 + second.read_bytes())
    wanted = sum(stream.n_samples for stream in streams)
    assert wanted - 529 <= load_audio(path)[0].size <= wanted


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32", "NMS_ADPCM_24"])
def test_codecs_that_cannot_seek(tmp_path, subtype):
    path = tmp_path / "a.wav"
    sf.write(path, tone(2, 8000), 8000, subtype=subtype)
    whole, _ = load_audio(path, None)
    assert np.corrcoef(whole[:16000], tone(2, 8000))[0, 1] > 0.9
    for start, end in ((0, 0.5), (0.5, 1.25), (1.5, None)):
        part, _ = load_audio((path, start, end), None)
        last = None if end is None else round(end * 8000)
        np.testing.assert_array_equal(part, whole[round(start * 8000) : last])


def test_ogg_with_a_fault_in_its_middle(tmp_path):
    path = tmp_path / "a.ogg"
    sf.write(path, np.tile(tone(3), 8), RATE)
    content = path.read_bytes()
    pages = [match.start() for match in re.finditer(b"OggS", content)]
    assert len(pages) > 4
    a, b = pages[2:4]
    flipped = bytearray(content)
    flipped[a + 100] ^= 1
    for damaged, message in (
        (content[: a + 50] + content[a + 90 :], "page 2 of its stream is damaged"),
        (bytes(flipped), "page 2 of its stream is damaged"),
        (content[:a] + content[b:], "page 2 of its stream is missing"),
        (content + content, "it is chained: another stream follows the first"),
        (content[:a], "its last page is missing"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(AudioError, match=rf"a\.ogg: .*\({message}"):
            load_audio(path)


# What never ends


def test_pipes_and_devices_are_refused(tmp_path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/zero"):
        for use in (load_audio, fingerprint):
            with pytest.raises(AudioError, match="a pipe, a socket or a device, not"):
                use(path)


@pytest.mark.parametrize("rate", [1, 999, 800_000])
def test_impossible_rate_in_a_header(wav, rate):
    content = bytearray(wav.read_bytes())
    struct.pack_into("<I", content, 24, rate)
    wav.write_bytes(content)
    with pytest.raises(AudioError, match=rf"speech\.wav: the sampling rate {rate} is"):
        load_audio(wav)


def test_what_the_system_cannot_read(wav, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("sklearn_ser.audio.missing_audio", fails)
    with pytest.raises(
        AudioError, match=r"speech\.wav: it cannot be read \(Input/outp"
    ):
        load_audio(wav)


# Channels


def test_a_channel_is_chosen(tmp_path):
    path = tmp_path / "a.wav"
    left, right = tone(), tone(pitch=330)
    sf.write(path, np.stack([left, right], 1), RATE, subtype="FLOAT")
    np.testing.assert_array_equal(load_audio(path, channel=0)[0], left)
    np.testing.assert_array_equal(load_audio(path, channel=np.int64(1))[0], right)
    np.testing.assert_array_equal(load_audio(tone(), channel=0)[0], tone())
    np.testing.assert_array_equal(load_audio(tone(), channel=1)[0], tone())
    for wrong in (-1, "left"):
        with pytest.raises(AudioError, match=f"no channel {wrong!r}, but 1, counted"):
            load_audio(tone(), channel=wrong)
    for wrong in (2, -1, "left"):
        with pytest.raises(AudioError, match=f"no channel {wrong!r}, but 2, counted"):
            load_audio(path, channel=wrong)


@pytest.mark.parametrize("noise", [0, 0.01])
def test_channels_that_cancel_each_other(tmp_path, noise):
    path = tmp_path / "a.wav"
    rng = np.random.default_rng(0)
    both = np.stack([tone(), -tone()], 1) + noise * rng.normal(size=(RATE, 2))
    sf.write(path, both, RATE)
    with pytest.raises(AudioError, match=r"a\.wav: its 2 channels cancel .*channel=0"):
        load_audio(path)
    assert load_audio(path, channel=0)[0].std() > 0.1


@pytest.mark.parametrize("share", [0, 0.2, 0.5, 1])
def test_ordinary_stereo_does_not_cancel(tmp_path, share):
    path = tmp_path / "a.wav"
    voice, room = tone(), np.random.default_rng(0).normal(0, 0.2, (RATE, 2))
    sf.write(path, (1 - share) * voice[:, None] + share * room, RATE)
    load_audio(path)
    sf.write(path, np.zeros((RATE, 2)), RATE)
    load_audio(path)


def test_a_silent_channel_is_warned_of(tmp_path):
    path = tmp_path / "a.wav"
    sf.write(path, np.stack([0 * tone(), tone()], 1), RATE)
    with pytest.warns(
        UserWarning, match=r"a\.wav: channel 0 of 2 is silent.*channel=1"
    ):
        load_audio(path)
    load_audio(path, channel=1)


# Recordings of others


WHOLE = {
    "whole_with_info_header.mp3": 20207,
    "whole_cbr_44k_no_header.mp3": 442368,
    "whole_with_ape_tag.mp3": 21888,
    "two_joined.mp3": 43776,
    "gsm610.wav": 21120,
    "g721.wav": 20880,
}
FAULTY = {
    "chained.ogg": "chained",
    "damaged_middle.ogg": "page 2",
    "inverted_stereo.wav": "cancel each other",
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", [*WHOLE, *FAULTY])
def test_cases(data_home, name):
    path = data_home.parent / "cases" / "audio" / name
    if not path.exists():
        pytest.skip(f"{path} does not exist")
    if name in WHOLE:
        assert load_audio(path, None)[0].size == WHOLE[name]
    else:
        with pytest.raises(AudioError, match=FAULTY[name]):
            load_audio(path)
