"""What the command line shows: warnings in a line, progress that a log can keep."""

from __future__ import annotations

import io
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

# Seconds between two states of a progress bar where each is a line of a file.
_PAUSE = 30.0


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
    """Where standard error is no terminal, show progress as lines, and few of them.

    A bar goes back to the start of its line for each new state: in a file, hundreds of
    states would stand in one line.

    Yields
    ------
    None
    """
    stream = sys.stderr
    if stream.isatty():
        yield
        return
    sys.stderr = _Lines(stream)
    try:
        yield
    finally:
        sys.stderr = stream


class _Lines(io.TextIOBase):
    """A stream in which the states of a bar are lines: some, and the last one.

    Parameters
    ----------
    stream : text stream
        Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown_at = -_PAUSE
        self._in_bar = False
        self._state = ""  # of a bar, if it has not been shown

    def write(self, text: str) -> int:
        # tqdm writes a carriage return and the state at once, and a line feed when the
        # bar is complete.
        if text.startswith("\r"):
            self._in_bar, self._state = True, text.strip()
            if time.monotonic() - self._shown_at >= _PAUSE:
                self._show_state()
        elif text == "\n" and self._in_bar:
            self._in_bar = False
            if self._state:
                self._show_state()
        else:
            self._in_bar = False
            self._stream.write(text)
        return len(text)

    def _show_state(self) -> None:
        self._stream.write(f"{self._state}\n")
        self._shown_at = time.monotonic()
        self._state = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()
