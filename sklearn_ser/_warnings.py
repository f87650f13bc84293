"""Warnings that point at the line of the user's own code."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

# A pipeline or a search of scikit-learn stands between the user and an estimator.
_INSIDE = {"sklearn_ser", "sklearn"}


def warn_user(message: str) -> None:
    """Warn, and name the line from which this package was called.

    Parameters
    ----------
    message : str
        What the user should know.

    Warns
    -----
    UserWarning
        As if it came from the innermost frame that is neither of this package nor of
        scikit-learn.
    """
    frame = inspect.currentframe()
    level = 1
    while frame is not None and _package_of(frame) in _INSIDE:
        frame = frame.f_back
        level += 1
    warnings.warn(message, stacklevel=level)


def _package_of(frame: FrameType) -> str:
    """Return the name of the package whose code runs in a frame."""
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
