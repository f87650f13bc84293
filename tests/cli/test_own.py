"""Recordings of one's own, wherever a corpus is taken."""

import json

import pandas as pd
import pytest

from tests.cli.helpers import run

RECIPE = ("--recipe", "logmel_baseline", "--quiet")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    assert run("synthesize", folder) == 0
    table = pd.read_csv(folder / "labels.csv")
    few = table[table["speaker"].isin(["speaker01", "speaker02"])]
    few.rename(columns={"file": "clip", "speaker": "patient"}).to_csv(
        folder / "few.csv", index=False
    )
    return folder


def test_a_table_is_evaluated(speech, tmp_path, capsys):
    arguments = ("evaluate", "--table", speech / "few.csv", "--output", tmp_path)
    assert run(*arguments, *RECIPE, "--columns", "file=clip,x=patient") == 2
    assert "known as speaker" in capsys.readouterr().err
    assert run(*arguments, *RECIPE, "--columns", "file=clip") == 0
    said = capsys.readouterr().out
    assert "file from clip" in said
    assert "speaker from patient" in said
    scores = json.loads((tmp_path / "scores.json").read_text("utf-8"))
    assert scores["settings"]["corpus"]["name"] == "few"


def test_a_folder_is_evaluated_and_looked_at(speech, tmp_path, capsys):
    common = ("--folder", speech, "--pattern", "{speaker}_{emotion}_*")
    assert run("leaks", *common, "--rename", "fear=") == 2
    assert "emotions names fear" in capsys.readouterr().err
    assert run("leaks", *common) == 0
    assert "'{speaker}_{emotion}_*'" in capsys.readouterr().out
    path = tmp_path / "m.skops"
    arguments = ("train", *common, "--output", path, "--no-evaluation", *RECIPE)
    assert run(*arguments, "--rename", "anger=hot,sadness=") == 0
    assert run("model", path) == 0
    assert "happiness, hot, neutral" in capsys.readouterr().out


def test_levels_of_ratings_need_ratings(speech, tmp_path, capsys):
    arguments = ("evaluate", "--target", "val", "--output", tmp_path, *RECIPE)
    own = ("--folder", speech, "--pattern", "{speaker}_{emotion}_*")
    assert run(*arguments, *own) == 2
    assert "they need a column, or a place in the names" in capsys.readouterr().err
    own = ("--table", speech / "few.csv", "--columns", "file=clip")
    assert run(*arguments, *own, "--folds", 2) == 0
    scores = json.loads((tmp_path / "scores.json").read_text("utf-8"))
    assert {*scores["settings"]["corpus"]["classes"]} <= {"low", "medium", "high"}


@pytest.mark.slow
def test_transfer_from_and_to_ones_own(speech, tmp_path, capsys):
    arguments = ["transfer", "--source", f"table={speech / 'few.csv'}"]
    arguments += ["--target", f"folder={speech}", "--pattern", "{speaker}_{emotion}_*"]
    arguments += ["--columns", "file=clip", "--seeds", "0", "--output", tmp_path]
    assert run(*arguments, *RECIPE) == 0
    assert (tmp_path / "transfer.json").exists()
    assert run("transfer", "--source", "table", "--target", "x=y") == 2
    assert "table=FILE or folder=DIR" in capsys.readouterr().err


def test_describe(speech, capsys):
    arguments = ("describe", "--table", speech / "few.csv", "--columns", "file=clip")
    assert run(*arguments) == 0
    said = capsys.readouterr().out
    assert "40 utterances, 2 speakers" in said
    assert "16000 Hz (40)" in said
    assert "Cramér's V, 0 to 1): 0.00" in said
    assert run(*arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["utterances"] == 40
    assert told["emotions_by_speaker"]["speaker01"]["anger"] == 5
    assert told["speakers_of_one_emotion"] == 0
    assert run("describe", "--emotions", "anger") == 0
    assert "6 speakers have one emotion alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "a", "--folder", "b"), "Give one of --corpus, --table and"),
        (("--table", "a", "--data-home", "b"), "Give one of --corpus, --table and"),
        (("--pattern", "x"), "--pattern goes with --folder"),
        (("--folder", "x", "--audio-root", "y"), "--audio-root goes with --table"),
        (("--skip-faults",), "--skip-faults goes with --table or --folder"),
        (("--table", "absent.csv"), "There is no table absent.csv"),
        (("--folder", ".", "--pattern", "x"), "--pattern needs {emotion}"),
    ],
)
def test_faults(arguments, message, capsys):
    assert run("describe", *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--columns", "file"), "takes name=name"),
        (("--rating-scale", "one"), "takes such as 1-9"),
    ],
)
def test_malformed_options(arguments, message, capsys):
    with pytest.raises(SystemExit):
        run("describe", "--table", "x", *arguments)
    assert message in capsys.readouterr().err
