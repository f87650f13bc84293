"""Tells the users of models that an old version saved why they don't load."""

from __future__ import annotations

import sys
from importlib.metadata import version
from types import ModuleType
from typing import Any

# The modules that held the estimators before each paper had a folder of its own.
_GONE = (
    "contrastive_siamese",
    "cvae",
    "menan",
    "metric_dae",
    "pseudo_siamese_gated",
    "sequence_classifier",
)


class _GoneModule(ModuleType):
    """Stands for a module that is gone, and says so when something is taken from it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python's own tools look at all modules
            raise AttributeError(name)
        raise ImportError(
            f"This {name} was saved by an earlier version of sklearn-ser, which did "
            f"not write its number; sklearn-ser {version('sklearn-ser')} cannot load "
            "it. Fit and save it anew."
        )


for _name in _GONE:
    _path = f"sklearn_ser.estimators._{_name}"
    sys.modules.setdefault(_path, _GoneModule(_path))
