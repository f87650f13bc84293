"""Whether the container of an audio file is whole; libsndfile does not tell."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

# Programs that write a WAV to a pipe leave the size of the data chunk at 0 or set
# it near 2^31 (sox) or 2^32 (ffmpeg): the size is then unknown.
UNKNOWN_SIZE = 0x7FFFF000
# An Ogg page holds a header of 27 bytes, at most 255 lengths and 255 × 255 bytes.
MAX_OGG_PAGE = 27 + 255 + 255 * 255


def missing_audio(file: BinaryIO) -> str | None:
    """Tell what a WAV or Ogg file promises but does not contain.

    Parameters
    ----------
    file : binary file
        The open file; its position is changed.

    Returns
    -------
    str or None
        What is missing. None if nothing is, or if it is another kind of file.
    """
    file.seek(0)
    match file.read(4):
        case b"RIFF":
            return _missing_from_wav(file, "<")
        case b"RIFX":
            return _missing_from_wav(file, ">")
        case b"OggS":
            return _missing_from_ogg(file)
    return None


def _missing_from_wav(file: BinaryIO, order: str) -> str | None:
    """Compare the size of the data chunk with the data that are there."""
    size = file.seek(0, os.SEEK_END)
    file.seek(12)
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", head)
        missing = length - (size - file.tell())
        if name == b"data":
            if missing <= 0 or length >= UNKNOWN_SIZE:
                return None
            return f"{missing:,} of {length:,} bytes of audio are missing"
        file.seek(length + length % 2, os.SEEK_CUR)
    return None


def _missing_from_ogg(file: BinaryIO) -> str | None:
    """Look for the last page of the stream, whole and marked as the last."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_OGG_PAGE))
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    is_last = len(page) > 27 and page[5] & 4
    if is_last and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]]):
        return None
    return "its last page is missing"
