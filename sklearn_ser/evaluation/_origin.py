"""What the scores of an evaluation depend on, and where they were computed."""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import joblib
import numpy as np

from ..datasets import Corpus
from ._result import Target, classes_of

_PACKAGES = (
    *("sklearn-ser", "scikit-learn", "numpy", "scipy", "pandas", "soundfile", "soxr"),
    *("opensmile", "torch", "skorch"),
)


def settings_of(
    estimator: Any, splitter: Any, corpus: Corpus, target: Target
) -> dict[str, Any]:
    """Return what the scores depend on, as text for people.

    Parameters
    ----------
    estimator : estimator
        What was evaluated.
    splitter : splitter
        What made the folds.
    corpus : Corpus
        The utterances that were evaluated.
    target : {"emotion", "activation", "valence", "dominance"}
        What was predicted.

    Returns
    -------
    dict
        Estimator, splitter, target, corpus, versions.
    """
    return {
        "estimator": {
            name: repr(value) for name, value in estimator.get_params().items()
        },
        "splitter": repr(splitter),
        "target": target,
        "corpus": {
            "name": corpus.name,
            "utterances": len(corpus),
            "speakers": len(np.unique(corpus.speaker)),
            "emotions": dict(Counter(sorted(corpus.emotion.tolist()))),
            "classes": dict(Counter(sorted(classes_of(corpus, target).tolist()))),
        },
        "versions": versions(),
    }


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of all packages that compute.

    Returns
    -------
    dict of str to str or None
        None for what is not installed.
    """
    return {"python": platform.python_version()} | {
        name: _version(name) for name in _PACKAGES
    }


def machine() -> dict[str, Any]:
    """Describe the machine, without names of its own or of its user.

    Returns
    -------
    dict
        Architecture, processors, operating system, and torch's threads, None where
        torch has not been imported.
    """
    torch = sys.modules.get("torch")
    return {
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": joblib.cpu_count(),
        "system": platform.system(),
        "release": platform.release(),
        "torch_threads": None if torch is None else torch.get_num_threads(),
    }


def now() -> str:
    """Return the time of day in UTC, to the second.

    Returns
    -------
    str
        As in ISO 8601.
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def _processor() -> str | None:
    """Return the model of the processor, if the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = (line for line in file if line.startswith("model name"))
            line = next(models, "")
    except OSError:
        line = ""
    return line.partition(":")[2].strip() or platform.processor() or None


def _version(package: str) -> str | None:
    """Return the version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
