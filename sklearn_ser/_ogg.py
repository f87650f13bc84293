"""The pages of an Ogg file: libsndfile leaves out in silence what it cannot read."""

from __future__ import annotations

import struct
import zlib

_CONTINUED, _FIRST, _LAST = 1, 2, 4
# Ogg counts the bits of a byte from the other side than zlib does.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def fault_of_ogg(data: bytes) -> str | None:
    """Tell what an Ogg file lacks.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    str or None
        None if all its pages are there, unharmed, and of one stream.
    """
    position, expected, page = 0, 0, b""
    while (page := _page(data, position)) != b"":
        flags, number = page[5], struct.unpack_from("<I", page, 18)[0]
        if flags & _FIRST and expected:
            return (
                "it is chained: another stream follows the first, which would be lost"
            )
        if number != expected:
            return f"page {expected} of its stream is missing"
        if _checksum(page) != struct.unpack_from("<I", page, 22)[0]:
            return f"page {number} of its stream is damaged"
        position += len(page)
        expected += 1
        last = bool(flags & _LAST)
    if data.find(b"OggS", position + 1) >= 0:
        return f"page {expected} of its stream is damaged"
    return None if expected and last else "its last page is missing"


def _page(data: bytes, position: int) -> bytes:
    """Return the page at a position; nothing if there is no whole one."""
    head = data[position : position + 27]
    if len(head) < 27 or not head.startswith(b"OggS"):
        return b""
    lengths = data[position + 27 : position + 27 + head[26]]
    page = data[position : position + 27 + head[26] + sum(lengths)]
    return page if len(page) == 27 + head[26] + sum(lengths) else b""


def _checksum(page: bytes) -> int:
    """Return the checksum of a page, whose own field counts as zero."""
    cleared = page[:22] + bytes(4) + page[26:]
    # zlib inverts before and after, which Ogg does not.
    value = zlib.crc32(cleared.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)
