"""The index of equations names what there is, and leaves out no number."""

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")
# How many numbered equations each paper has.
EQUATIONS = {
    "Das et al. (2022)": 6,
    "Gao et al. (2021)": 8,
    "Latif et al. (2018)": 2,
    "Li et al. (2020)": 5,
    "Lian et al. (2018)": 9,
}
COLUMNS = "| equation | what it says | computed by | file | test |"


class Paper(NamedTuple):
    """The section of a paper: its folders and its equations."""

    code: Path
    tests: Path
    rows: list[list[str]]


def read(section):
    """Return what the section of a paper says."""
    code, tests = re.search(r"Code: `(.+?)`, tests:\s`(.+?)`", section).groups()
    header, rule, *lines = re.findall(r"^\|.*\|$", section, re.MULTILINE)
    assert (header, rule) == (COLUMNS, "|---|---|---|---|---|")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return Paper(ROOT / code, ROOT / tests, rows)


PAPERS = {
    section.partition(",")[0]: read(section)
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
}
ROWS = [
    pytest.param(paper, *row, id=f"{name}-{row[0]}")
    for name, paper in PAPERS.items()
    for row in paper.rows
]
every_equation = pytest.mark.parametrize(
    ("paper", "number", "formula", "computed", "files", "tests"), ROWS
)


def quoted(cell):
    """Return what stands in backticks, links left out."""
    return re.findall(r"`([^`]+)`", re.sub(r"\{py:obj\}`[^`]+`", "", cell))


def load(path):
    """Return the object of a dotted path, however deep it stands."""
    parts = path.split(".")
    for n in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for name in parts[n:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


def functions(path):
    """Return the names of the test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_paper_has_each_of_its_equations_once():
    numbers = {name: [row[0] for row in paper.rows] for name, paper in PAPERS.items()}
    assert numbers == {
        name: [f"({i + 1})" for i in range(n)] for name, n in EQUATIONS.items()
    }


@every_equation
def test_what_computes_an_equation_is_there(
    paper, number, formula, computed, files, tests
):
    assert formula.count("$") >= 2
    links = re.findall(r"\{py:obj\}`~([\w.]+)`", computed)
    assert links or computed.startswith("nothing: ")
    folder = ".".join(paper.code.relative_to(ROOT).parts)
    for link in links:
        found = load(link)
        # It lies in this room, in one of the files that are named.
        module, _, file = found.__module__.rpartition(".")
        assert module == folder
        assert f"{file}.py" in quoted(files) or file == "_estimator"
        # The name is that of a link: what is private has no page.
        assert not any(part.startswith("_") for part in link.split("."))


@every_equation
def test_files_and_tests_are_there(paper, number, formula, computed, files, tests):
    assert quoted(files)
    for name in quoted(files):
        assert (paper.code / name).is_file(), name
    assert quoted(tests)
    for test in quoted(tests):
        file, _, name = test.partition("::")
        assert name.startswith("test_")
        assert name in functions(paper.tests / file), test


@every_equation
def test_names_of_parameters_and_parts_stand_in_the_code(
    paper, number, formula, computed, files, tests
):
    """Names without a link are found in the files of the room."""
    code = "".join(path.read_text("utf-8") for path in paper.code.glob("*.py"))
    for name in quoted(computed):
        word = name.partition("=")[0]
        if word.endswith(".py"):
            assert word in quoted(files)
        else:
            assert re.search(rf"\b{word}\b", code), name
