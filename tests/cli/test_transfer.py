"""``sklearn-ser transfer``, as a user calls it."""

import json

import pytest

from tests.cli.helpers import run


def transfer(*options):
    return run("transfer", "--recipe", "egemaps_svc", "--quiet", *options)


def test_transfer(emodb, crema_d, tmp_path, capsys):
    sides = ("--source", f"emodb={emodb}", "--target", f"crema-d={crema_d}")
    common = (*sides, "--seeds", "0,3", "--output", tmp_path / "out", "--outliers", 0)
    with pytest.warns(UserWarning, match="recordings of CREMA-D"):
        assert transfer(*common, "--statistics", 0, "--cache", tmp_path / "cache") == 0
    printed = capsys.readouterr().out
    result = json.loads((tmp_path / "out" / "transfer.json").read_text())
    assert [each["seed"] for each in result["runs"]] == [0, 3]
    assert result["settings"]["command"]["recipe"] == "egemaps_svc"
    assert f"{result['ua']['mean']:.3f}" in printed
    assert "source: <Corpus EMO-DB: 18 utterances" in printed
    assert "target: <Corpus CREMA-D: 4 utterances" in printed
    assert transfer(*common) == 2
    assert "holds the result of an earlier run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "emodb=a", "--target", "b"], "--target takes CORPUS=DIR, with"),
        (["--source", "=a", "--target", "urdu=b"], "--source takes CORPUS=DIR, with"),
        (
            ["--source", "emodb=a", "--target", "urdu=b", "--label", "act"],
            "--label goes with",
        ),
        (
            ["--source", "tess=a", "--target", "urdu=b", "--source-dimensions", "c"],
            "--source-dimensions goes with aesdd, cafe, emodb, urdu, not tess",
        ),
        (["--source", "emodb=/no", "--target", "urdu=b"], "/no"),
    ],
)
def test_faults_of_a_transfer(options, message, tmp_path, capsys):
    assert transfer(*options, "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("a", "takes seeds such as"), ("3-1", "names no seed"), ("1,0-2", "one twice")],
)
def test_seeds_that_are_none(text, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        transfer("--source", "emodb=a", "--target", "urdu=b", "--seeds", text)
    assert message in capsys.readouterr().err
