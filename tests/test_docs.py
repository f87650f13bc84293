"""The Python code in the documentation runs, and prints what it is said to."""

import doctest
import re
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md",
    "docs/index.md",
    "docs/models.md",
    "docs/own_recordings.md",
    "docs/timeline.md",
    "docs/user_guide.md",
]
NEEDS_CORPUS = "# needs EMO-DB"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """Return the line number and the code of each Python block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, found.start(1)), found[1])
        for found in BLOCK.finditer(text)
    ]


def with_corpus():
    return [
        pytest.param(page, line, code, id=f"{page}:{line + 1}")
        for page in PAGES
        for line, code in blocks(page)
        if code.startswith(NEEDS_CORPUS)
    ]


def run(page, line, code, names):
    """Run a block, or compare a session (>>>) with what it prints."""
    if not code.startswith(">>>"):
        # Empty lines before it make a traceback point into the page.
        exec(compile("\n" * line + code, str(ROOT / page), "exec"), names)
        return
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    session = doctest.DocTestParser().get_doctest(code, names, page, page, line)
    runner = doctest.DocTestRunner(optionflags=flags)
    report = []
    failed = runner.run(session, out=report.append, clear_globs=False).failed
    names.update(session.globs)
    assert not failed, "".join(report)


@pytest.fixture
def somewhere(tmp_path, monkeypatch):
    """Return an empty folder to run in; scikit-learn's configuration is put back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    with sklearn.config_context():
        yield tmp_path


# The guide trains every method, the README two: half a minute.
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] * (page != "docs/index.md"))
        for page in PAGES
    ],
)
def test_blocks_run_one_after_the_other(page, somewhere):
    names = {"__name__": "__main__"}
    for line, code in blocks(page):
        if not code.startswith(NEEDS_CORPUS):
            run(page, line, code, names)


@pytest.mark.parametrize(("page", "line", "code"), with_corpus())
def test_blocks_for_a_corpus_compile(page, line, code):
    compile(code, page, "exec")


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize(("page", "line", "code"), with_corpus())
def test_blocks_for_a_corpus_run(page, line, code, somewhere, data_home):
    (somewhere / "corpora").symlink_to(data_home.resolve(), target_is_directory=True)
    run(page, line, code, {"__name__": "__main__"})
