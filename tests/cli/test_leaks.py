"""``sklearn-ser leaks``, as a user calls it."""

import json
import shutil

import pytest

from tests.cli.helpers import run


def leaks(home, *options):
    return run("leaks", "--corpus", "emodb", "--data-home", home, *options)


def test_a_clean_corpus_has_none(emodb, capsys):
    assert leaks(emodb, "--folds", 3) == 0
    assert "EMO-DB: 18 utterances" in capsys.readouterr().out


def test_a_copy_under_another_speaker_is_found(emodb, tmp_path, capsys):
    home = shutil.copytree(emodb, tmp_path / "home")
    (home / "wav" / "08a01Wa.wav").rename(home / "wav" / "old.wav")
    shutil.copy(home / "wav" / "03a01Wa.wav", home / "wav" / "08a01Wa.wav")
    (home / "wav" / "old.wav").unlink()
    written = tmp_path / "leaks.json"
    assert leaks(home, "--json", written) == 1
    assert "03a01Wa" in capsys.readouterr().out
    assert "03a01Wa" in written.read_text()
    assert json.loads(written.read_text())
    assert leaks(home, "--json", written) == 2
    assert "is there already" in capsys.readouterr().err


def test_faults_of_leaks(capsys, tmp_path):
    assert run("leaks", "--corpus", "urdu") == 2
    assert "needs --data-home" in capsys.readouterr().err
    options = ("--new-sentences", "--folds", 2, "--output", tmp_path / "out")
    assert run("evaluate", *options) == 2
    assert "makes its own folds" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run("evaluate", "--on-leak", "pray")
