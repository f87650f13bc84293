"""What the command line shows: warnings in a line, progress that a log can keep."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

# Seconds between two states of a progress bar where each is a line of a file.
_PAUSE = "30"


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Show warnings as text, without the line of code that they come from.

    Yields
    ------
    None
    """
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *args, **kwargs: (
        f"sklearn-ser: warning: {message}\n"
    )
    try:
        yield
    finally:
        warnings.formatwarning = before


@contextmanager
def readable_progress() -> Iterator[None]:
    """Where standard error is no terminal, show progress as lines, and fewer of them.

    A bar goes back to the start of its line for each new state: in a file, hundreds of
    states become one line.

    Yields
    ------
    None
    """
    stream = sys.stderr
    if stream.isatty():
        yield
        return
    before = os.environ.get("TQDM_MININTERVAL")
    # Read when tqdm is imported, also by processes that are started from here.
    os.environ.setdefault("TQDM_MININTERVAL", _PAUSE)
    sys.stderr = _Lines(stream)
    try:
        yield
    finally:
        sys.stderr = stream
        if before is None:
            os.environ.pop("TQDM_MININTERVAL", None)


class _Lines(io.TextIOBase):
    """A stream that begins a new line where a bar would go back to the first column.

    Parameters
    ----------
    stream : text stream
        Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._in_line = False

    def write(self, text: str) -> int:
        for piece in text.splitlines(keepends=True):
            line = piece.rstrip("\r\n")
            if line.strip():
                self._stream.write(line)
                self._in_line = True
            if piece != line and self._in_line:
                self._stream.write("\n")
                self._in_line = False
        return len(text)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()
