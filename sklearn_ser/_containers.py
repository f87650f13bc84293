"""Whether the container of an audio file is whole; libsndfile does not tell."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from ._ogg import fault_of_ogg

# Programs that write a WAV to a pipe leave the size of the data chunk at 0 or set
# it near 2^31 (sox) or 2^32 (ffmpeg): the size is then unknown.
UNKNOWN_SIZE = 0x7FFFF000
# Where the chunks of a format begin, how the head of a chunk is packed, to what its
# length is rounded up, whether the length counts the head, and which chunk is audio.
_CHUNKS = {
    b"RIFF": (12, "<4sI", 2, False, b"data"),
    b"RIFX": (12, ">4sI", 2, False, b"data"),
    b"RF64": (12, "<4sI", 2, False, b"data"),
    b"FORM": (12, ">4sI", 2, False, b"SSND"),
    b"caff": (8, ">4sq", 1, False, b"data"),
    b"riff": (40, "<4s12xQ", 8, True, b"data"),  # Wave64
}


def missing_audio(file: BinaryIO) -> str | None:
    """Tell what an audio file promises but does not contain.

    Parameters
    ----------
    file : binary file
        The open file, WAV, RF64, Wave64, AIFF, AU, CAF, NIST SPHERE or Ogg; its
        position is changed.

    Returns
    -------
    str or None
        What is missing. None if nothing is, or if it is another kind of file.
    """
    file.seek(0)
    magic = file.read(4)
    if magic == b"OggS":
        file.seek(0)
        return fault_of_ogg(file.read())
    if magic in _CHUNKS:
        promised, begin = _promised_by_chunks(file, magic)
    elif magic in (b".snd", b"dns."):
        begin, promised = struct.unpack(_order(magic) + "II", file.read(8).ljust(8))
    elif magic == b"NIST":
        promised, begin = _promised_by_sphere(file)
    else:
        return None
    missing = promised - (file.seek(0, os.SEEK_END) - begin)
    if missing <= 0 or UNKNOWN_SIZE <= promised <= 0xFFFFFFFF:
        return None
    return f"{missing:,} of {promised:,} bytes of audio are missing"


def _order(magic: bytes) -> str:
    """Return the byte order of an AU file."""
    return ">" if magic == b".snd" else "<"


def _promised_by_chunks(file: BinaryIO, magic: bytes) -> tuple[int, int]:
    """Return how long the chunk of audio should be, and where it begins."""
    whole = 0
    for name, length, begin in _iter_chunks(file, magic):
        if name == b"ds64":  # of RF64, whose own lengths have too few bits
            whole = int(struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0])
        if name == _CHUNKS[magic][-1]:
            return (whole if magic == b"RF64" else length), begin
    return 0, 0


def _iter_chunks(file: BinaryIO, magic: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, length and beginning of each chunk; its content may be read."""
    position, head, step, counts_head, _ = _CHUNKS[magic]
    size = struct.calcsize(head)
    file.seek(position)
    while len(packed := file.read(size)) == size:
        name, length = struct.unpack(head, packed)
        length -= size if counts_head else 0
        position = file.tell()
        yield name, length, position
        if length < 0:  # CAF: to the end of the file
            return
        file.seek(position + -(-length // step) * step)


def _promised_by_sphere(file: BinaryIO) -> tuple[int, int]:
    """Return how long the audio of a NIST SPHERE file should be, and its beginning."""
    file.seek(0)
    lines = file.read(1024).decode("latin-1").split("\n")
    fields = {words[0]: words[-1] for line in lines if (words := line.split())}
    if "," in fields.get("sample_coding", ""):  # compressed: shorter than it says
        return 0, 0
    try:
        bytes_per_sample, channels = fields["sample_n_bytes"], fields["channel_count"]
        count = int(fields["sample_count"]) * int(bytes_per_sample) * int(channels)
        return count, int(lines[1])
    except (KeyError, ValueError, IndexError):
        return 0, 0
