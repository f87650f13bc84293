"""Private names of other libraries are used in two files only."""

import ast
from pathlib import Path

import pytest

import sklearn_ser

PACKAGE = Path(sklearn_ser.__file__).parent
DOORS = {"_sklearn.py", "_foreign.py"}
# Private by their spelling, yet documented: a NamedTuple's methods, and what
# scikit-learn asks of the authors of estimators.
DOCUMENTED = {"_asdict", "_fields", "_make", "_replace"}
DOCUMENTED |= {"_n_features_out", "_parameter_constraints"}
# Names that also stand for something of ours, so that the object has to tell.
KNOWN = {"_callbacks", "_get_param_names", "_set_training", "_validate_params"}


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def trees():
    """Give the syntax tree of each file of the package, by its path."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def own_names(trees):
    """Return the names that the package itself defines, as a set."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def foreign_attributes(tree, own):
    """Give the private attributes that another library has defined."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            of_self = ast.unparse(node.value) in {"self", "cls", "super()"}
            mine = node.attr in own and (of_self or node.attr not in KNOWN)
            if not mine and node.attr not in DOCUMENTED:
                yield f"{ast.unparse(node)} in line {node.lineno}"


def foreign_imports(tree):
    """Give the private modules and names that are imported from elsewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            imported = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        else:
            continue
        for name in imported:
            if any(is_private(part) for part in name.split(".")):
                yield f"{name} in line {node.lineno}"


def foreign_overrides(tree):
    """Give the methods of other libraries that a class of ours replaces."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in KNOWN - {"_callbacks"}:
            yield f"def {node.name} in line {node.lineno}"


@pytest.fixture(scope="module")
def findings():
    """Return what is found in each file."""
    parsed = trees()
    own = own_names(parsed.values())
    return {
        path: [
            *foreign_attributes(tree, own),
            *foreign_imports(tree),
            *foreign_overrides(tree),
        ]
        for path, tree in parsed.items()
    }


def test_no_file_but_the_doors_uses_a_foreign_private_name(findings):
    elsewhere = [
        f"{path}: {found}"
        for path, all_found in findings.items()
        for found in all_found
        if path not in DOORS
    ]
    assert elsewhere == []


def test_the_doors_are_seen_to_use_them(findings):
    assert all(findings[door] for door in DOORS)


@pytest.mark.parametrize(
    "line",
    [
        "from sklearn.utils import _safe_indexing",
        "import sklearn.utils._param_validation",
        "self._validate_params()",
        "smile._callbacks.clear()",
        "net._set_training(True)",
        "np._no_such_name",
        "class A:\n    def _validate_params(self): ...",
    ],
)
def test_a_foreign_private_name_is_found(line):
    tree = ast.parse(line)
    own = {"_callbacks"}
    found = [
        *foreign_attributes(tree, own),
        *foreign_imports(tree),
        *foreign_overrides(tree),
    ]
    assert len(found) == 1
