"""What the front ends that cut segments share: their parameters and their number."""

from __future__ import annotations

from typing import Any

from .._sklearn import StrOptions
from ._frame_base import POSITIVE

SEGMENT_CONSTRAINTS: dict[str, list[Any]] = {
    "segment": [POSITIVE],
    "segment_hop": [POSITIVE, None],
    "remainder": [StrOptions({"drop", "pad"})],
}


def check_segment_hop(segment: float, segment_hop: float | None) -> None:
    """Refuse segments between which something would be lost."""
    if segment_hop is not None and segment_hop > segment:
        raise ValueError(
            f"segment_hop={segment_hop:g} s leaves gaps between segments of "
            f"{segment:g} s: lower it, or take None for one segment after the other."
        )


def count_segments(length: int, segment: int, step: int, remainder: str) -> int:
    """Count the complete segments of a sequence, or one if there are none.

    ``remainder="pad"`` counts the incomplete one at the end, too.
    """
    rest = max(0, length - segment)
    return 1 + (-(-rest // step) if remainder == "pad" else rest // step)


def names_in_segment(names: list[str], frames: list[str]) -> list[str]:
    """Name the features of a segment, frame after frame."""
    return [f"{name}_{frame}" for frame in frames for name in names]
