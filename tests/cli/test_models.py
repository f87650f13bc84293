"""``train``, ``model`` and ``predict``, as a user calls them."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from sklearn_ser import models
from tests.cli.helpers import run
from tests.evaluation.helpers import log_mel_svc


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Return a folder of recordings; two are broken."""
    folder = tmp_path_factory.mktemp("speech")
    assert run("synthesize", folder) == 0
    (folder / "a_broken.wav").write_bytes(b"RIFF")
    (folder / "z_empty.wav").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def model(speech, tmp_path_factory):
    """Return the file of a model."""
    labels = pd.read_csv(speech / "labels.csv")[::5]
    recordings = [str(speech / name) for name in labels["file"]]
    fitted = log_mel_svc().fit(recordings, labels["emotion"])
    return models.save(fitted, tmp_path_factory.mktemp("model") / "model.skops")


def test_synthetic_recordings_have_a_table(speech, capsys):
    labels = pd.read_csv(speech / "labels.csv")
    assert all((speech / name).is_file() for name in labels["file"])
    assert len(labels) == 120
    assert run("synthesize", speech) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "evaluated", [True, pytest.param(False, marks=pytest.mark.slow)]
)
def test_train_writes_a_model_with_its_scores(speech, tmp_path, capsys, evaluated):
    path, card = tmp_path / "new" / "model.skops", tmp_path / "card.md"
    arguments = ["train", "--recipe", "logmel_baseline", "--folds", 2, "--quiet"]
    arguments += ["--emotions", "anger,sadness", "--output", path, "--model-card", card]
    assert run(*arguments, *[] if evaluated else ["--no-evaluation"]) == 0
    said = capsys.readouterr().out
    assert ("held out by speaker" in said) is evaluated
    told = models.describe(path)
    assert told["description"] == card.read_text("utf-8")
    assert (told["card"] is not None) is evaluated
    assert models.load(path).classes_.tolist() == ["anger", "sadness"]
    assert run("model", path) == 0
    assert capsys.readouterr().out == told["description"] + "\n"
    assert run("model", path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["card"] == told["card"]
    before = path.read_bytes()
    assert run(*arguments) == 2
    assert "is there already" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "suffix", ["csv", pytest.param("jsonl", marks=pytest.mark.slow)]
)
def test_predict_a_folder_goes_on_where_it_was_stopped(
    speech, model, tmp_path, capsys, suffix
):
    output, other = tmp_path / f"all.{suffix}", tmp_path / f"cut.{suffix}"
    assert run("predict", model, speech, "--output", output, "--quiet") == 1
    assert "2 without a prediction" in capsys.readouterr().err
    read = pd.read_csv if suffix == "csv" else lambda p: pd.read_json(p, lines=True)
    table = read(output)
    assert len(table) == 122
    assert table["error"].notna().tolist() == [
        name.endswith(("a_broken.wav", "z_empty.wav")) for name in table["file"]
    ]
    heard = table["error"].isna()
    expected = models.load(model).predict(table["file"][heard].tolist())
    assert table["emotion"][heard].tolist() == expected.tolist()
    content = output.read_bytes()
    for n_bytes in (0, 5, len(content) // 2, len(content) - 3):
        other.write_bytes(content[:n_bytes])
        assert run("predict", model, speech, "--output", other, "--quiet") == 1
        assert other.read_bytes() == content
    capsys.readouterr()
    assert run("predict", model, speech, "--output", other, "--quiet") == 1
    assert "122 of them from before" in capsys.readouterr().err
    assert other.read_bytes() == content


def test_rows_of_another_model_are_not_mixed(speech, model, tmp_path, capsys):
    output = tmp_path / "p.csv"
    output.write_text("file,emotion,error,model\nx.wav,anger,,0123\n")
    before = output.read_bytes()
    files = [*speech.glob("speaker01_anger_*.wav")][:1]
    assert run("predict", model, *files, "--output", output, "--quiet") == 2
    assert "rows of another model" in capsys.readouterr().err
    assert output.read_bytes() == before
    arguments = ("--output", output, "--quiet", "--overwrite")
    assert run("predict", model, *files, *arguments) == 0
    assert pd.read_csv(output)["file"].tolist() == [str(files[0])]


def test_predict_segments_of_a_table(speech, model, tmp_path):
    file = str(next(speech.glob("speaker01_anger_*.wav")))
    rows = [(file, 0.0, 0.4), (file, 0.2, 0.6), (file, 0.2, 99.0), (file, 0.0, 0.4)]
    table = tmp_path / "segments.csv"
    pd.DataFrame(rows, columns=["file", "start", "end"]).to_csv(table, index=False)
    output = tmp_path / "p.csv"
    assert run("predict", model, table, "--output", output, "--quiet") == 1
    found = pd.read_csv(output)
    assert found["start"].tolist() == [0.0, 0.2, 0.2]
    assert found["error"].notna().tolist() == [False, False, True]
    assert run("predict", model, table, "--output", output, "--quiet") == 1
    assert len(pd.read_csv(output)) == 3


@pytest.mark.parametrize("kind", ["paths", "audio"])
def test_from_standard_input_to_standard_output(
    speech, model, capsys, monkeypatch, kind
):
    file = next(speech.glob("speaker01_anger_*.wav"))
    content = f"{file}\n\n".encode() if kind == "paths" else file.read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert run("predict", model, "-", "--quiet") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table["file"].tolist() == ["-" if kind == "audio" else str(file)]
    assert table["emotion"].tolist() == models.load(model).predict([file]).tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.wav"], "no file or folder absent.wav"),
        (["x.wav", "--output", "p.txt"], r"must end in \.csv or \.jsonl"),
        (["p.csv", "--output", "p.csv"], "is one of the inputs"),
    ],
)
def test_predict_faults(model, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run("predict", model, *arguments) == 2
    capsys.readouterr().err.index(message.replace("\\", ""))


def test_what_is_no_model_is_told(tmp_path, capsys):
    (tmp_path / "model.skops").write_bytes(b"PK")
    assert run("predict", tmp_path / "model.skops", tmp_path) == 2
    assert "is no model, or was cut" in capsys.readouterr().err


@pytest.mark.slow
def test_a_kill_costs_a_batch_at_most(speech, model, tmp_path):
    whole, killed = tmp_path / "whole.csv", tmp_path / "killed.csv"
    command = [sys.executable, "-m", "sklearn_ser.cli", "predict", str(model)]
    command += [str(speech), "--quiet", "--output"]
    assert subprocess.run([*command, str(whole)], check=False).returncode == 1
    for _ in range(3):
        process = subprocess.Popen([*command, str(killed)])
        size = killed.stat().st_size if killed.exists() else 0
        while process.poll() is None:
            if killed.exists() and killed.stat().st_size > size:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.001)
        process.wait()
    assert killed.stat().st_size > 0
    subprocess.run([*command, str(killed)], check=False)
    assert killed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_windows_along_recordings(speech, model, tmp_path, capsys, suffix):
    files = [*sorted(speech.glob("speaker01_anger_*.wav"))[:3], speech / "z_empty.wav"]
    output = tmp_path / f"w.{suffix}"
    arguments = ("predict", model, *files, "--quiet", "--output", output)
    assert run(*arguments, "--hop", 1) == 2
    assert "--hop goes with --window" in capsys.readouterr().err
    assert run(*arguments, "--window", 0.3, "--hop", 0.1) == 1
    read = pd.read_csv if suffix == "csv" else lambda p: pd.read_json(p, lines=True)
    table = read(output)
    assert table["file"].nunique() == 4
    assert table["error"].notna().sum() == 1
    assert table.groupby("file").size().max() > 3
    content = output.read_bytes()
    for n_bytes in (len(content) // 3, len(content) // 2, len(content)):
        output.write_bytes(content[:n_bytes])
        assert run(*arguments, "--window", 0.3, "--hop", 0.1) == 1
        assert output.read_bytes() == content
