"""Private names of other libraries, used in this one file only.

Those of scikit-learn stand in `_sklearn.py`. The functions here are given the foreign
object, so that this file imports none of the libraries.
"""

from __future__ import annotations

from typing import Any

__all__ = ["forget_callbacks"]


def forget_callbacks(smile: Any) -> None:
    """Let openSMILE's Python object drop the callbacks that it keeps alive.

    Its package keeps each callback for as long as the object lives, also after a
    reset, and has no public function to drop them.

    Parameters
    ----------
    smile : opensmile.core.lib.OpenSMILE
        The object; it has no callback afterwards.
    """
    smile._callbacks.clear()
