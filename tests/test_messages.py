"""Messages are sentences that begin and end alike, and modules begin alike."""

import ast
import re
from pathlib import Path

import pytest

import sklearn_ser

PACKAGE = Path(sklearn_ser.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
# What stands before them: the name of the recording or of the option, and a colon.
CONTINUED = {"FfmpegError", "AudioError", "AudioFileNotFoundError", "ArgumentTypeError"}
# Places are named as they are in "Input X contains NaN: utterance 3 of 4, frame 0".
PLACES = {"fold", "recording", "utterance"}
# What may come last without a full stop of this message: it is a sentence of its own.
SENTENCES = {"error", "expectation", "lines", "note", "routing_hint"}


def calls(tree):
    """Give the calls that make an error or warn, each with the name of its function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = ast.unparse(node.func).rpartition(".")[2]
            if name == "warn_user" or re.fullmatch(r"[A-Z]\w*Error", name):
                yield node, name


def parts(node):
    """Give the parts of a text: constants as they are, and all else as its code."""
    match node:
        case ast.Constant(value=str(text)):
            yield text, True
        case ast.JoinedStr(values=values):
            for value in values:
                yield from parts(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from parts(left)
            yield from parts(right)
        case ast.FormattedValue(value=value):
            yield ast.unparse(value), False
        case _:
            yield ast.unparse(node), False


def names(tree):
    """Return the parameters and the fields of a module, as a set."""
    found = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    fields = (node.target for node in ast.walk(tree) if isinstance(node, ast.AnnAssign))
    return found | {field.id for field in fields if isinstance(field, ast.Name)}


def begins_well(text, known):
    """Tell whether a message begins with a capital letter or with a name in code."""
    word, after = re.match(r"(\w*)(.?)", text).groups()
    if not word or word[0].isupper():
        return True
    return "_" in word or after in set("=(") or word in known | PLACES


def messages():
    """Give each message of the package: its place, its maker, its parts."""
    for path, tree in MODULES.items():
        for call, maker in calls(tree):
            text = list(parts(call.args[0]))
            if any(is_text for _, is_text in text):
                yield path, f"{path}:{call.lineno}", maker, text


def test_messages_are_found():
    assert len(list(messages())) > 150


def test_messages_end_with_a_full_stop():
    wrong = []
    for _, place, _, text in messages():
        last, is_text = text[-1]
        ends = last.endswith((".", "?")) if is_text else set(re.findall(r"\w+", last))
        if not (ends if is_text else ends & SENTENCES):
            wrong.append(f"{place} ends with {last!r}")
    assert wrong == []


def test_messages_begin_with_a_capital_letter_or_a_name():
    wrong = []
    for path, place, maker, text in messages():
        first, is_text = text[0]
        if is_text and maker not in CONTINUED:
            known = names(MODULES[path])
            if not begins_well(first, known):
                wrong.append(f"{place} begins with {first!r}")
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ("The corpus is empty.", True),
        ("the corpus is empty.", False),
        ("threshold must be positive.", True),
        ("thresholds must be positive.", False),
        ("n_jobs must be a number.", True),
        ("fusion='gate' needs two branches.", True),
        ("utterance 3 has no frames.", True),
        ("--corpus needs --data-home.", True),
    ],
)
def test_beginnings(text, well):
    assert begins_well(text, {"threshold"}) is well


def has_code(tree):
    """Tell whether a module has more than a docstring."""
    return any(not isinstance(node, ast.Expr) for node in tree.body)


@pytest.mark.parametrize(
    "path", [path for path, tree in MODULES.items() if has_code(tree)]
)
def test_annotations_are_postponed(path):
    first = next(node for node in MODULES[path].body if not isinstance(node, ast.Expr))
    assert ast.unparse(first) == "from __future__ import annotations"
