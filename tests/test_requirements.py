"""The files of pinned versions agree with the ranges in pyproject.toml."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
# Its lower bound is not tested, as constraints-lowest.txt says.
NOT_TESTED = {"torch"}


def requirements(*extras):
    """Return the requirements of the package and of some extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [
        requirement
        for requirement in map(Requirement, lines)
        if requirement.name != project["name"]
    ]


def pinned(name):
    """Return the versions in a file of constraints."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and line[0] != "#"]
    assert pins
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_constraints_pin_every_requirement_within_its_range():
    pins = pinned("constraints.txt")
    for requirement in requirements(
        "egemaps", "embeddings", "mosei", "test", "docs", "dev"
    ):
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_lowest_constraints_are_the_lower_bounds():
    pins = pinned("constraints-lowest.txt")
    bounds = {
        canonicalize_name(requirement.name): Version(specifier.version)
        for requirement in requirements("egemaps", "mosei", "test")
        for specifier in requirement.specifier
        if specifier.operator == ">="
    }
    assert bounds.keys() == {
        canonicalize_name(requirement.name)
        for requirement in requirements("egemaps", "mosei", "test")
    }
    tested = bounds.keys() - NOT_TESTED
    assert {name: pins[name] for name in tested} == {n: bounds[n] for n in tested}
    assert pins["torch"] == pinned("constraints.txt")["torch"]
