"""The commands of docs/results.md are there, and take the options that are shown."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def load(name):
    path = ROOT / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rebuild = load("rebuild_results")
COMMANDS = rebuild.commands((ROOT / "docs" / "results.md").read_text("utf-8"))


def test_commands_are_found_with_what_continues_them():
    page = "text\n    python benchmarks/a.py one \\\n        --two 'b c'\n\n    other\n"
    assert rebuild.commands(page) == {
        2: ["python", "benchmarks/a.py", "one", "--two", "b c"]
    }
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("words", COMMANDS.values(), ids=" ".join)
def test_a_command_has_its_script_and_options(words):
    source = (ROOT / words[1]).read_text("utf-8")
    for word in words[2:]:
        if word.startswith("--"):
            assert f'"{word}"' in source


def test_a_failed_command_leaves_no_result(tmp_path):
    path = tmp_path / "0001_a.md"
    assert rebuild.run(["python", "-c", "print('half'); exit(3)"], path) == 3
    assert not path.exists()
    assert rebuild.run(["python", "-c", "print('whole')"], path) == 0
    assert path.read_text() == "whole\n"
