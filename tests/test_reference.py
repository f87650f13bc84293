"""The reference of the documentation lists everything that is public."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import sklearn_ser

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.rst"
# What stands in a table of the page: the names below "autosummary".
LISTED = {
    f"sklearn_ser.{name}"
    for name in re.findall(r"^   (\w[\w.]*)$", PAGE.read_text("utf-8"), re.MULTILINE)
}
# Shown by the docstring of the module, as they are objects that have no page.
SCORERS = {"ccc_scorer", "macro_f1_scorer", "ua_scorer", "wa_scorer"}
MODULES = [
    *("audio", "augmentation", "datasets", "estimators", "evaluation", "features"),
    *("losses", "metrics", "nets", "plotting", "preprocessing", "recipes"),
    *("ensemble", "models", "sequences"),
]


def load(path):
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_listed(module):
    public = import_module(f"sklearn_ser.{module}")
    listed = [load(path) for path in LISTED]
    for name in public.__all__:
        if name in SCORERS:
            assert f"``{name}``" in public.__doc__
        else:
            assert getattr(public, name) in listed, name


def test_no_public_module_is_forgotten():
    folder = Path(sklearn_ser.__file__).parent
    files = {path.stem for path in folder.glob("[!_]*.py")}
    files |= {path.parent.name for path in folder.glob("[!_]*/__init__.py")}
    assert files - {"cli", "methods", "training"} == set(MODULES)


def test_what_is_listed_is_there():
    assert len(LISTED) > 90
    for path in LISTED:
        assert load(path).__doc__, path
