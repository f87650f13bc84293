"""Small corpora in official layouts."""

import shutil

import pytest
import soundfile as sf

from sklearn_ser.datasets import make_emotional_speech


@pytest.fixture(scope="module")
def emodb(tmp_path_factory):
    """A miniature of EMO-DB: three speakers, three emotions."""
    home = tmp_path_factory.mktemp("emodb")
    (home / "wav").mkdir()
    speech = make_emotional_speech(
        n_speakers=3, n_repetitions=2, emotions=("anger", "neutral", "sadness")
    )
    codes = {"anger": "W", "neutral": "N", "sadness": "T"}
    speakers = dict(zip(sorted(set(speech.speaker)), ("03", "08", "11"), strict=True))
    for i, (waveform, rate) in enumerate(speech.audio):
        emotion, version = codes[speech.emotion[i]], "ab"[i % 2]
        name = f"{speakers[speech.speaker[i]]}a01{emotion}{version}.wav"
        sf.write(home / "wav" / name, waveform, rate)
    return home


@pytest.fixture
def broken_emodb(emodb, tmp_path):
    """The same with two broken files."""
    home = shutil.copytree(emodb, tmp_path / "broken emodb")
    whole = (home / "wav" / "08a01Na.wav").read_bytes()
    (home / "wav" / "03a02Wa.wav").write_bytes(bytes(len(whole)))
    (home / "wav" / "08a02Na.wav").write_bytes(whole[: len(whole) // 2])
    return home


@pytest.fixture(scope="module")
def crema_d(tmp_path_factory):
    """A miniature of CREMA-D: one speaker, four emotions."""
    home = tmp_path_factory.mktemp("crema-d")
    (home / "AudioWAV").mkdir()
    speech = make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=1)
    codes = {"anger": "ANG", "happiness": "HAP", "neutral": "NEU", "sadness": "SAD"}
    for emotion, (waveform, rate) in zip(speech.emotion, speech.audio, strict=True):
        name = f"1001_DFA_{codes[emotion]}_XX.wav"
        sf.write(home / "AudioWAV" / name, waveform, rate)
    return home
