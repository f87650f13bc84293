"""The house is as CONTRIBUTING draws it: its rooms, and what may import what."""

import ast
import re
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sklearn_ser"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("methods/*/__init__.py"))
# From the last that is imported to the first; other files of a room stand between.
STOREYS = ("_net", "_loss", "_estimator", "_recipe")
FACES = {"estimators", "losses", "nets", "recipes"}
# A room without a paper, whose network other rooms use.
SHARED = "sequence_classifier"


def drawn():
    """Return the paths in the tree of CONTRIBUTING: folders, and files."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    flags = re.MULTILINE | re.DOTALL
    tree = re.search(r"^```\n(\S+/ .*?)^```$", text, flags)[1]
    folders, files, above = set(), set(), []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.match(r"[\w./]+(, [\w./]+)*", line.lstrip())[0].split(", ")
        for name in names:
            path = Path(*above[:depth], name)
            (folders if name.endswith("/") else files).add(path)
        above = [*above[:depth], names[0]]
    return folders, files


def folders_of(name):
    """Return the packages in a folder, as paths from there."""
    top = ROOT / name
    return {path.parent.relative_to(top) for path in top.rglob("__init__.py")}


def imported(path):
    """Return what a file of the package imports of it, as dotted paths from its top."""
    here = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = here[: len(here) - node.level + 1]
            module = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{module}.{alias.name}".lstrip(".")
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if node.module.partition(".")[0] == PACKAGE.name:
                    yield f"{node.module}.{alias.name}".removeprefix("sklearn_ser.")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("sklearn_ser."):
                    yield alias.name.removeprefix("sklearn_ser.")


def test_the_tree_shows_each_folder():
    folders, files = drawn()
    assert all((ROOT / path).is_dir() for path in folders), folders
    assert all((ROOT / path).is_file() for path in files), files
    package = {path for path in folders if path.parts[0] == PACKAGE.name}
    of_package = {path.relative_to(PACKAGE.name) for path in package}
    assert of_package == folders_of(PACKAGE.name)
    others = {"benchmarks", "docs", "tests"}
    assert folders - package == set(map(Path, others))


def test_tests_lie_as_the_package_lies():
    assert folders_of("tests") == folders_of("sklearn_ser")
    for room in ROOMS:
        for test in (ROOT / "tests" / "methods" / room).glob("test_*.py"):
            file = test.name.removeprefix("test")
            assert (PACKAGE / "methods" / room / file).is_file(), test


@pytest.mark.parametrize("room", ROOMS)
def test_imports_of_a_room_run_one_way(room):
    places = {}
    for path in (PACKAGE / "methods" / room).glob("*.py"):
        places[path.stem] = {
            name.split(".")[2]
            for name in imported(path)
            if name.startswith(f"methods.{room}.")
        }
        others = {
            name.split(".")[1]
            for name in imported(path)
            if name.startswith("methods.") and name.split(".")[1] != room
        }
        assert others <= {SHARED}, path
        assert not FACES & {name.split(".")[0] for name in imported(path)}, path
    # Each file is put above all that it imports, until none is left.
    order = []
    while len(order) < len(places):
        ready = [n for n in places if n not in order and places[n] <= set(order)]
        assert ready, f"a circle among {set(places) - set(order)}"
        order += sorted(ready)
    for low, high in combinations(STOREYS, 2):
        assert low not in places or high not in reach(places, low)


def reach(places, name):
    """Return all that a file imports, at however many removes."""
    found, waiting = set(), {name}
    while waiting:
        found |= waiting
        waiting = set().union(*(places[n] for n in waiting)) - found
    return found


def test_only_the_faces_name_a_room():
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.is_relative_to(PACKAGE / "methods") or path.stem in FACES:
            continue
        rooms = {name for name in imported(path) if name.startswith("methods")}
        assert not rooms, path


def test_what_is_shared_imports_nothing_that_is_above_it():
    for path in (PACKAGE / "training").glob("*.py"):
        tops = {name.split(".")[0] for name in imported(path)}
        assert not tops & (FACES | {"methods", "evaluation", "cli"}), path
