"""``sklearn-ser compare`` and ``sklearn-ser verify``, as a user calls them."""

import json

import pytest

from tests.cli.helpers import run


@pytest.fixture(scope="module")
def results(emodb, tmp_path_factory, feature_cache):
    """Return the folder of two evaluations."""
    folder = tmp_path_factory.mktemp("results")
    common = ("--corpus", "emodb", "--data-home", emodb, "--recipe", "egemaps_svc")
    for name, C in (("weak", 1e-4), ("strong", 0.1)):
        options = ("--set", f"svc__C={C}", "--output", folder / name, "--quiet")
        assert run("evaluate", *common, *options, "--cache", feature_cache) == 0
    return folder


def test_compare(results, capsys):
    both = (results / "weak", results / "strong" / "scores.json")
    assert run("compare", *both, "--names", "weak", "strong") == 0
    text = capsys.readouterr().out
    assert "p (Holm)" in text
    assert "strong" in text
    assert run("compare", *both, "--format", "markdown", "--metric", "wa") == 0
    assert f"| {results / 'weak'} |" in capsys.readouterr().out
    assert run("compare", *both, "--format", "latex") == 0
    assert "tabular" in capsys.readouterr().out


def test_faults_of_a_comparison(results, tmp_path, capsys):
    assert run("compare", results / "weak") == 2
    assert "two results or more" in capsys.readouterr().err
    assert run("compare", results / "weak", tmp_path / "none.json") == 2
    assert "none.json" in capsys.readouterr().err
    other = json.loads((results / "weak" / "scores.json").read_text())
    other["utterances"] = other["utterances"][1:]
    (tmp_path / "other.json").write_text(json.dumps(other))
    assert run("compare", results / "weak", tmp_path / "other.json") == 2
    assert "utterances" in capsys.readouterr().err


def test_verify(results, emodb, tmp_path, capsys, feature_cache):
    corpus = ("--corpus", "emodb", "--data-home", emodb, "--cache", feature_cache)
    card = results / "weak" / "card.json"
    assert run("verify", card, *corpus) == 0
    assert "The numbers come out" in capsys.readouterr().out
    changed = json.loads(card.read_text())
    changed["scores"]["ua"] += 0.01
    (tmp_path / "changed.json").write_text(json.dumps(changed))
    assert run("verify", tmp_path / "changed.json", *corpus, "--quiet") == 1
    assert "ua" in capsys.readouterr().out
    assert run("verify", tmp_path / "none.json", *corpus) == 2
    assert "none.json" in capsys.readouterr().err
    for text, fault in (("{", "text.json is no JSON"), ("[]", "text.json is no card")):
        (tmp_path / "text.json").write_text(text)
        assert run("verify", tmp_path / "text.json", *corpus) == 2
        assert fault in capsys.readouterr().err


@pytest.mark.slow
def test_seeds_report_and_checkpoint(emodb, tmp_path, capsys):
    options = (
        *("evaluate", "--corpus", "emodb", "--data-home", emodb, "--quiet"),
        *(
            "--recipe",
            "metric_dae",
            "--set",
            "metricdae__max_epochs=1",
            "--seeds",
            "3,5",
        ),
        *("--report", tmp_path / "report.html", "--checkpoint", tmp_path / "kept"),
        *("--output", tmp_path / "out"),
    )
    assert run(*options) == 0
    first = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert [each["seed"] for each in first["runs"]] == [3, 5]
    assert "seed 3, 5" in capsys.readouterr().out
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    kept = sorted((tmp_path / "kept").rglob("*.*"))
    assert run(*options) == 2
    assert "report.html is there already" in capsys.readouterr().err
    assert run(*options, "--overwrite") == 0
    assert sorted((tmp_path / "kept").rglob("*.*")) == kept
    again = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert again["utterances"] == first["utterances"]


def test_what_has_no_seed(tmp_path, capsys):
    options = ("--recipe", "egemaps_svc", "--seeds", "0-4", "--output", tmp_path)
    assert run("evaluate", *options) == 2
    assert "depend on chance" in capsys.readouterr().err
    (tmp_path / "old.html").touch()
    options = ("--report", tmp_path / "old.html", "--output", tmp_path)
    assert run("evaluate", *options) == 2
    assert "is there already" in capsys.readouterr().err
