"""Recordings that libsndfile does not read: by ffmpeg, here by one that plays it."""

import os
import stat
import sys

import numpy as np
import pytest
import soundfile as sf

from sklearn_ser import EGeMAPS, load_audio
from sklearn_ser.audio import SUFFIXES, AudioError

WAVE = (0.1 * np.sin(np.arange(22050) / 9)).astype(np.float32)

# It writes what its input holds: numbers of 32 bits, or a reason to fail.
FFMPEG = """#!{python}
import sys
sys.path[:0] = {path!r}
import numpy as np
import soundfile as sf
source, output = sys.argv[sys.argv.index("-i") + 1], sys.argv[-1]
assert source.startswith("file:/"), source
content = open(source.removeprefix("file:"), "rb").read()
with open({log!r}, "a") as log:
    log.write(source + "\\n")
if content.startswith(b"damaged"):
    sys.exit("[mov] moov atom not found")
if content.startswith(b"half"):
    print("[aac] Input buffer exhausted", file=sys.stderr)
    content = content[4:]
sf.write(output, np.frombuffer(content, "<f4"), 22050, subtype="FLOAT")
"""


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Put an ffmpeg on the path; return where it notes what it decodes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ffmpeg"
    log = tmp_path / "log"
    program.write_text(
        FFMPEG.format(python=sys.executable, path=sys.path, log=str(log))
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return log


def record(path, content=None):
    path.write_bytes(WAVE.tobytes() if content is None else content)
    return str(path)


@pytest.mark.parametrize("name", ["a.m4a", "A.MP4", "-i.aac", "a b.wma"])
def test_a_file_is_decoded(name, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / name)
    signal, rate = load_audio(name, None)
    assert rate == 22050
    np.testing.assert_array_equal(signal, WAVE)
    part, _ = load_audio((name, 0.25, 0.5), None)
    np.testing.assert_array_equal(part, WAVE[round(0.25 * 22050) : 11025])


def test_segments_decode_once(log, tmp_path):
    path = record(tmp_path / "a.m4a")
    features = EGeMAPS().transform([(path, 0, 0.5), (path, 0.5, 1)])
    assert np.isfinite(features).all()
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"damaged", r"ffmpeg cannot read it \(\[mov\] moov atom not found\)"),
        (b"half" + WAVE.tobytes(), r"ffmpeg cannot read it \(\[aac\] Input buffer"),
        (b"", "it is empty"),
    ],
)
def test_what_is_damaged_is_refused(content, message, log, tmp_path):
    path = record(tmp_path / "a.m4a", content)
    with pytest.raises(AudioError, match=message):
        load_audio(path)
    good = record(tmp_path / "b.m4a")
    features = EGeMAPS(on_error="nan").transform([path, good])
    assert np.isnan(features).all(axis=1).tolist() == [True, False]


def test_without_ffmpeg_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = record(tmp_path / "a.m4a")
    with pytest.raises(AudioError, match=r"a\.m4a: .* does not read \.m4a files: "):
        EGeMAPS().transform([path])


def test_the_suffixes_are_lower_case_and_each_once():
    assert len({*SUFFIXES}) == len(SUFFIXES)
    assert all(suffix == suffix.lower() for suffix in SUFFIXES)


@pytest.mark.parametrize("suffix", ["opus", "aiff", "au", "caf", "w64"])
def test_libsndfile_reads_the_others(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    wave = np.resize(WAVE, 24000)
    formats = {"opus": {"format": "OGG", "subtype": "OPUS"}}
    sf.write(path, wave, 24000, **formats.get(suffix, {}))
    signal, _ = load_audio(path, None)
    assert len(signal) == len(wave)
