"""What the command line shows, and how it ends."""

import io
import os
import sys
from importlib.metadata import version

import pytest
from tqdm import tqdm

from sklearn_ser.cli import _evaluate, _parser, main
from sklearn_ser.cli._recipes import build_recipe, check_options
from sklearn_ser.cli._terminal import readable_progress
from tests.cli.helpers import run


class Terminal(io.StringIO):
    def isatty(self):
        return True


def bar(stream):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with readable_progress():
            pause = os.environ.get("TQDM_MININTERVAL")
            for _ in tqdm(range(3), mininterval=0):
                pass
            print("heard", file=sys.stderr)
    return stream.getvalue(), pause


def test_a_log_gets_a_line_for_each_state(monkeypatch):
    monkeypatch.delenv("TQDM_MININTERVAL", raising=False)
    text, pause = bar(io.StringIO())
    lines = text.splitlines()
    assert "\r" not in text
    assert all(lines)
    assert lines[0].lstrip().startswith("0%")
    assert lines[-2].startswith("100%")
    assert lines[-1] == "heard"
    assert float(pause) > 10
    assert "TQDM_MININTERVAL" not in os.environ


def test_a_terminal_keeps_its_bar():
    text, pause = bar(Terminal())
    assert "\r" in text
    assert pause == os.environ.get("TQDM_MININTERVAL")


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"sklearn-ser {version('sklearn-ser')}\n"


@pytest.mark.parametrize(
    ("options", "kept"),
    [([], "nothing was kept"), (["--cache", "folder"], "features are in folder")],
)
def test_an_interruption_is_no_fault(options, kept, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_evaluate, "load_corpus", interrupt)
    assert run("evaluate", "--output", tmp_path / "new", *options) == 130
    assert capsys.readouterr().err.endswith(f"sklearn-ser: interrupted; {kept}\n")


def test_results_are_not_overwritten_in_silence(tmp_path, monkeypatch, capsys):
    def load(*_):
        raise ValueError("loaded")

    monkeypatch.setattr(_evaluate, "load_corpus", load)
    (tmp_path / "scores.json").write_text("{}")
    assert run("evaluate", "--output", tmp_path) == 2
    assert "scores.json holds the result of an earlier run" in capsys.readouterr().err
    assert run("evaluate", "--output", tmp_path, "--overwrite") == 2
    assert "loaded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("svc__c", "Did you mean svc__C? It has svc__C, svc__break_ties"),
        ("egemap__n_jobs", "Did you mean egemaps__n_jobs"),
        ("nothing_like_it", "no such parameter. It has memory, steps"),
    ],
)
def test_a_wrong_parameter_is_answered_with_the_right_one(name, message):
    options = _parser().parse_args(
        ["evaluate", "--recipe", "egemaps_svc", "--set", f"{name}=1"]
    )
    check_options(options)
    with pytest.raises(ValueError, match="--set") as error:
        build_recipe(options)
    assert message in str(error.value)


def test_every_option_is_explained():
    parser = _parser()
    commands = next(a for a in parser._actions if a.choices)
    for name, command in commands.choices.items():
        for action in command._actions:
            assert action.help, (name, action.option_strings)
