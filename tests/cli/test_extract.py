"""``sklearn-ser extract``, as a user calls it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from sklearn_ser import EGeMAPS, SpeechEmbedding
from tests.cli.helpers import run
from tests.features.encoders import make_encoder


def test_extract_nothing_but_broken_files(tmp_path, capsys):
    (tmp_path / "broken.wav").write_text("no audio")
    output = tmp_path / "f.csv"
    with pytest.warns(UserWarning, match="No features for 1 of 1"):
        assert run("extract", tmp_path / "broken.wav", "--output", output) == 2
    assert "No recording gave features" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_extract(emodb, tmp_path, suffix, feature_cache):
    output = tmp_path / "sub" / f"features.{suffix}"
    assert run("extract", emodb, "--output", output, "--quiet") == 0
    read = pd.read_csv if suffix == "csv" else pd.read_parquet
    table = read(output)
    expected = EGeMAPS(memory=feature_cache).transform(table["file"])
    assert table.shape == (18, 89)
    np.testing.assert_allclose(table.iloc[:, 1:], expected, rtol=1e-6)
    assert list(table.columns[1:]) == list(EGeMAPS().get_feature_names_out())


@pytest.mark.slow
def test_extract_the_layers_of_an_encoder(emodb, tmp_path, capsys):
    model = str(make_encoder("whisper", tmp_path / "model"))
    output = tmp_path / "features.csv"
    common = ("extract", emodb, "--output", output, "--quiet", "--overwrite")
    assert run(*common, "--embedding", model, "--layer", 1) == 0
    table = pd.read_csv(output)
    expected = SpeechEmbedding(model, layer=1).transform(table["file"])
    np.testing.assert_allclose(table.iloc[:, 1:], expected, rtol=1e-4, atol=1e-5)
    assert run(*common, "--layer", 1) == 2
    assert run(*common, "--embedding", model, "--sampling-rate", 8000) == 2
    assert run(*common, "--embedding", tmp_path / "none") == 2
    shown = capsys.readouterr().err
    assert "--layer goes with --embedding" in shown
    assert "--sampling-rate goes without --embedding" in shown
    assert "is no folder: give one, or a name of the hub" in shown


def test_extract_segments_and_names_the_broken(emodb, tmp_path, capsys):
    file = next((emodb / "wav").glob("*.wav"))
    pd.DataFrame(
        {"file": [file, file], "start": [0.0, 0.5], "end": [0.5, None]}
    ).to_csv(tmp_path / "segments.csv", index=False)
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    output = tmp_path / "features.csv"
    with pytest.warns(UserWarning, match="recording 2: .*broken.wav.* not audio"):
        run(
            *("extract", tmp_path / "segments.csv", broken, "--output", output),
            *("--feature-set", "GeMAPSv01b", "--quiet"),
        )
    table = pd.read_csv(output)
    assert list(table.columns[:3]) == ["file", "start", "end"]
    assert table.shape == (3, 65)
    assert table.iloc[2, 3:].isna().all()
    assert not np.allclose(
        table.iloc[0, 3:].astype(float), table.iloc[1, 3:].astype(float)
    )


def test_extract_keeps_what_a_table_says(emodb, tmp_path, capsys):
    files = sorted((emodb / "wav").glob("*.wav"))[:2]
    table = pd.DataFrame({"file": files, "emotion": ["anger", None], "speaker": [3, 8]})
    table.to_csv(tmp_path / "table.csv", index=False)
    output = tmp_path / "features.csv"
    assert run("extract", tmp_path / "table.csv", files[0], "--output", output) == 0
    written = pd.read_csv(output)
    assert list(written.columns[:4]) == [*table, *written.columns[3:4]]
    assert written["speaker"].tolist()[:2] == [3, 8]
    assert written["emotion"].isna().tolist() == [False, True, True]
    assert written.shape == (3, 3 + 88)
    table.assign(loudness_sma3_amean=1.0).to_csv(tmp_path / "table.csv", index=False)
    output = tmp_path / "other.csv"
    assert run("extract", tmp_path / "table.csv", "--output", output) == 2
    assert "'loudness_sma3_amean', also a feature" in capsys.readouterr().err


def test_extract_tells_what_failed_by_its_status(emodb, tmp_path, capsys):
    files = [str(path) for path in sorted((emodb / "wav").glob("*.wav"))]
    broken = [tmp_path / f"broken{k}.wav" for k in range(12)]
    for path in broken:
        path.write_text("no audio")
    output = tmp_path / "features.csv"
    with pytest.warns(UserWarning, match="No features for 12 of"):
        assert run("extract", *files, *broken, "--output", output) == 1
    lines = capsys.readouterr().err.splitlines()
    assert {f"no features: {path}" for path in broken} <= {*lines}
    assert len(pd.read_csv(output)) == len(files) + 12
    assert not list(tmp_path.glob(".*"))  # no other file is left


def test_extract_finds_recordings_of_all_formats(tmp_path):
    wave = 0.1 * np.sin(np.arange(24000) / 9)
    for name, form in (("a.aiff", {}), ("b.AU", {"format": "AU"}), ("c.flac", {})):
        sf.write(tmp_path / name, wave, 24000, **form)
    sf.write(tmp_path / "d.opus", wave, 24000, format="OGG", subtype="OPUS")
    output = tmp_path / "features.csv"
    assert run("extract", tmp_path, "--output", output, "--channel", "0") == 0
    found = [Path(file).name for file in pd.read_csv(output)["file"]]
    assert found == ["a.aiff", "b.AU", "c.flac", "d.opus"]


def test_extract_writes_all_or_nothing(emodb, tmp_path, monkeypatch):
    output = tmp_path / "features.csv"
    output.write_text("before")

    def half(table, path, **kwargs):
        Path(path).write_text("half")
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    assert run("extract", emodb, "--output", output) == 2
    assert output.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [output.name]


def test_a_bad_output_is_found_before_the_work(emodb, tmp_path, capsys, monkeypatch):
    def never(self, X):
        raise AssertionError("the features were computed")

    monkeypatch.setattr(EGeMAPS, "transform", never)
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    for output, message in (
        ("file/f.csv", "cannot be written"),
        ("folder.csv", "is a folder"),
        ("f.xlsx", "must end in"),
    ):
        assert run("extract", emodb, "--output", tmp_path / output) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.wav", "--output", "f.txt"], "must end in .csv or .parquet"),
        (["{empty}", "--output", "{empty}/f.csv"], "holds no recording"),
        (["{table}", "--output", "{empty}/f.csv"], "needs a column 'file'"),
        (["{table}", "--output", "{table}"], "is one of the inputs"),
        (["{empty}/no.wav", "--output", "f.csv"], "There is no file or folder"),
    ],
)
def test_extract_faults(arguments, message, tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("name\nx.wav\n")
    (tmp_path / "empty").mkdir()
    filled = [a.format(empty=tmp_path / "empty", table=table) for a in arguments]
    assert run("extract", *filled) == 2
    assert message in capsys.readouterr().err
