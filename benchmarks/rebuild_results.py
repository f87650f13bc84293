"""Run every command that docs/results.md gives, one after the other.

What each prints is written to a file of its own, whose name begins with the number of
its line in docs/results.md. A command whose file is there is not run again, so that an
interrupted run goes on. The corpora and the encoder are read from where the commands
read them, see each script; all of them together take days on two processors.

    python benchmarks/rebuild_results.py results
    python benchmarks/rebuild_results.py results --only metric_dae --list
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results.md"


def commands(page: str) -> dict[int, list[str]]:
    """Return the commands of a page, split into words, by the number of their line."""
    found: dict[int, list[str]] = {}
    lines = page.splitlines()
    for number, line in enumerate(lines, 1):
        if not re.match(r" {4}python benchmarks/\w+\.py", line):
            continue
        whole = line
        while whole.endswith("\\"):
            number_of_next = number + whole.count("\n")
            whole = whole[:-1] + "\n" + lines[number_of_next]
        found[number] = shlex.split(whole)
    return found


def run(words: list[str], path: Path) -> int:
    """Run a command and keep what it prints, whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with unfinished.open("w", encoding="utf-8") as out:
        status = subprocess.run(
            [sys.executable, *words[1:]], cwd=ROOT, stdout=out, env=environment
        ).returncode
    if status == 0:
        unfinished.replace(path)
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="folder for what is printed")
    parser.add_argument("--only", default="", help="commands that contain this text")
    parser.add_argument("--list", action="store_true", help="show them, run none")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    failed = 0
    for number, words in commands(PAGE.read_text(encoding="utf-8")).items():
        command = shlex.join(words)
        path = options.output.resolve() / f"{number:04d}_{Path(words[1]).stem}.md"
        if options.only not in command or (path.exists() and not options.list):
            continue
        print(command, flush=True)
        if options.list:
            continue
        start = time.perf_counter()
        status = run(words, path)
        failed += status != 0
        took = time.perf_counter() - start
        print(f"  {'failed' if status else 'done'} after {took:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
