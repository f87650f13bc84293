"""The recordings that are named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def listed(path: Path) -> pd.DataFrame:
    """Return the recordings that an input stands for, and what a table says of them."""
    import pandas as pd

    from ..audio import SUFFIXES

    if path.is_dir():
        found = sorted(
            p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()
        )
        if not found:
            raise ValueError(f"{path} holds no recording ({', '.join(SUFFIXES)}).")
        return pd.DataFrame({"file": [str(p) for p in found]})
    if not path.is_file():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    if path.suffix.lower() == ".csv":
        table = pd.read_csv(path)
        if "file" not in table or table["file"].isna().any() or table.empty:
            raise ValueError(f"{path} needs a column 'file' with a path in each row.")
        return table
    return pd.DataFrame({"file": [str(path)]})
