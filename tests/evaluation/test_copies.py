"""Recordings that share audio are found by what is heard, and no others."""

import io

import numpy as np
import pytest
import soundfile as sf
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_ser.datasets import load_crema_d, load_emodb, load_urdu
from sklearn_ser.evaluation import leakage_report
from sklearn_ser.evaluation._copies import find_copies
from sklearn_ser.evaluation._fingerprints import N_BANDS, RATE, Fingerprint, powers
from sklearn_ser.evaluation._leak_folds import copies_of_audio


def copies_among(recordings):
    """Return the copies among recordings, compared anew and by sound alone."""
    prints, faulty = Fingerprint().attempt(recordings)
    assert not faulty
    signals = [soxr.resample(x, rate, RATE) for x, rate in recordings]
    return find_copies(prints, [None] * len(recordings), signals.__getitem__)


def as_objects(recordings):
    array = np.empty(len(recordings), dtype=object)
    array[:] = recordings
    return array


def encoded(format, subtype, **settings):
    def encode(waveform, rate):
        file = io.BytesIO()
        sf.write(file, waveform, rate, format=format, subtype=subtype, **settings)
        file.seek(0)
        return sf.read(file, dtype="float32")

    return encode


def at_rate(other):
    return lambda x, rate: (soxr.resample(x, rate, other), other)


ALTERED = {
    "gain": lambda x, rate: (np.float32(0.03) * x, rate),
    "inverted": lambda x, rate: (-x, rate),
    "5 ms later": lambda x, rate: (np.pad(x, (rate // 200, 0)), rate),
    "cut at both ends": lambda x, rate: (x[rate // 75 : -rate // 30], rate),
    "silence before": lambda x, rate: (np.pad(x, (rate // 3, 0)), rate),
    "8 kHz": at_rate(8000),
    "44.1 kHz": at_rate(44100),
    "8 bits": encoded("WAV", "PCM_U8"),
    "telephone": encoded("WAV", "ULAW"),
    "MP3": encoded("MP3", "MPEG_LAYER_III"),
    "Vorbis": encoded("OGG", "VORBIS"),
    "Opus": encoded("OGG", "OPUS"),
}


@pytest.mark.parametrize("make", ALTERED.values(), ids=ALTERED)
def test_altered_copies_of_two_utterances_are_found(corpus, make):
    recordings = list(corpus.audio[:6])
    copies = [make(*recordings[row]) for row in (1, 4)]
    found = copies_among(as_objects([*recordings, *copies]))
    assert [(copy.first, copy.second) for copy in found] == [(1, 6), (4, 7)]
    assert all(copy.speed == 1 and copy.similarity > 0.8 for copy in found)


@settings(max_examples=5)
@given(speed=st.floats(0.75, 0.95) | st.floats(1.05, 1.3))
def test_copies_at_another_speed_are_found(corpus, speed):
    recordings = list(corpus.audio[:6])
    waveform, rate = recordings[2]
    fast = soxr.resample(waveform, speed, 1.0)
    found = copies_among(as_objects([*recordings, (fast, rate)]))
    assert [(copy.first, copy.second) for copy in found] == [(2, 6)]
    assert found[0].is_altered
    assert found[0].speed == pytest.approx(speed, rel=0.01)


def test_excerpts_that_overlap_are_found(corpus):
    waveform = np.concatenate([x for x, _ in corpus.audio[:2]])
    rate, n = corpus.audio[0][1], len(waveform)
    excerpts = [waveform[: 3 * n // 4], waveform[n // 4 :], waveform[: n // 5]]
    found = copies_among(as_objects([(x, rate) for x in excerpts]))
    assert [(copy.first, copy.second) for copy in found] == [(0, 1), (0, 2)]


def test_the_same_sentence_of_the_same_speaker_is_no_copy(corpus):
    assert copies_among(corpus.audio) == []


def test_noise_tones_and_silence_are_no_copies_of_each_other():
    rng = np.random.default_rng(0)
    noise = [rng.normal(0, 0.1, 16000).astype(np.float32) for _ in range(4)]
    time = np.arange(16000) / 16000
    tones = [0.1 * np.sin(2 * np.pi * hertz * time) for hertz in (200, 300)]
    silent = [np.zeros(16000), np.zeros(16000), np.full(2, 0.1), np.full(2, 0.1)]
    signals = [np.float32(x) for x in (*noise, *tones, *silent)]
    assert copies_of_audio(as_objects([(x, 16000) for x in signals])) == ([], [])


def test_short_recordings_are_compared_by_their_samples():
    rng = np.random.default_rng(0)
    short = rng.normal(0, 0.1, 3200).astype(np.float32)
    other = rng.normal(0, 0.1, 3200).astype(np.float32)
    audio = as_objects([(short, 16000), (other, 16000), (short.copy(), 16000)])
    copies, _ = copies_of_audio(audio)
    assert [(copy.first, copy.second) for copy in copies] == [(0, 2)]


def test_a_faulty_recording_is_left_out():
    audio = as_objects(["nowhere.wav", (np.full(800, np.nan), 8000), None])
    assert copies_of_audio(audio) == ([], [0, 1, 2])


def test_a_fingerprint_knows_no_gain(corpus):
    waveform, rate = corpus.audio[0]
    loud, quiet = Fingerprint().transform([(waveform, rate), (waveform / 30, rate)])
    np.testing.assert_allclose(loud, quiet, atol=1e-3)
    assert loud.shape[1] == N_BANDS
    assert powers(loud).mean() == pytest.approx(1, abs=1e-4)


def test_recordings_are_compared_once(corpus, monkeypatch):
    first = copies_of_audio(corpus.audio)
    monkeypatch.setattr(Fingerprint, "attempt", None)
    assert copies_of_audio(corpus.audio) is first


@pytest.mark.slow
def test_hundreds_of_recordings():
    """Of 800 different ones, ten have a quieter copy."""
    rng = np.random.default_rng(0)
    audio = []
    for _ in range(800):
        level = np.repeat(rng.exponential(size=12), 800)
        audio.append((level * rng.normal(0, 0.05, 9600), 8000))
    copies = [(0.5 * waveform, rate) for waveform, rate in audio[:10]]
    found, _ = copies_of_audio(as_objects([*audio, *copies]))
    pairs = [(copy.first, copy.second) for copy in found]
    assert pairs == [(row, 800 + row) for row in range(10)]


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "folder", "pairs"),
    [
        (load_emodb, "emodb", []),
        # The same speech, cut at other places.
        (load_urdu, "urdu", [
            "SF1_F4_H04 SF4_F3_H019", "SF6_F10_H034 SF6_F5_H029",
            "SM24_F14_S026 SM24_F15_S027", "SM25_F8_S058 SM25_F9_S059",
        ]),
        # One recording under two emotions.
        (load_crema_d, "crema-d", ["1006_TIE_HAP_XX 1006_TIE_NEU_XX"]),
    ],
    ids=["EMO-DB", "URDU", "CREMA-D"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Only .* recordings")
def test_the_copies_in_real_corpora(data_home, load, folder, pairs):
    corpus = load(data_home / folder)
    copies, unheard = copies_of_audio(corpus.audio)
    names = [name.rpartition("/")[2][:-4] for name in corpus.frame["file"]]
    assert [f"{names[c.first]} {names[c.second]}" for c in copies] == pairs
    assert unheard == []
    report = leakage_report(corpus)
    across = [
        pair for pair in pairs if len({x.split("_")[0] for x in pair.split()}) > 1
    ]
    assert bool(report) == bool(across)
    leaks = report.table.query("severity == 'leak'")
    assert leaks["n_utterances"].sum() == 2 * len(across)
