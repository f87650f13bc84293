"""The frames of an MP3 file, counted: libsndfile guesses where no header tells."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

# kbit/s by the index in the header of a frame; the first is "free", which no encoder
# of speech writes.
_BITRATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
# The divisor of the rates, and the table of bitrates, by the version of MPEG.
_VERSIONS = {3: (1, 1), 2: (2, 2), 0: (4, 2)}
# Version, layer and rate stay the same through a stream.
_CONSTANT = 0xFFFE0C00


@dataclass(frozen=True)
class _Frame:
    """What the header of a frame says."""

    length: int  # bytes
    samples: int
    side: int  # bytes of side information, behind which encoders write their header


@dataclass
class MpegStream:
    """What an MP3 file holds.

    Parameters
    ----------
    data : bytes
        The file.
    runs : list of tuple of int
        First byte of each unbroken run of frames with audio, and the one after its
        last.
    n_frames, n_samples : int
        Frames with audio, and samples in them.
    promised : int or None
        Frames that the header of the encoder promises.
    missing, foreign : int
        Bytes that the last frame lacks; bytes between frames that are neither audio
        nor a tag.
    """

    data: bytes
    runs: list[tuple[int, int]] = field(default_factory=list)
    n_frames: int = 0
    n_samples: int = 0
    promised: int | None = None
    missing: int = 0
    foreign: int = 0

    @property
    def fault(self) -> str | None:
        """What the file lacks, or None."""
        promised = self.promised or 0
        # Some encoders count their own header as a frame.
        if self.n_frames < promised - 1:
            lost = promised - self.n_frames
            return f"{lost:,} of {promised:,} MPEG frames are missing"
        if self.missing:
            return f"{self.missing:,} bytes of its last MPEG frame are missing"
        if self.foreign:
            return f"{self.foreign:,} bytes in its middle are no audio"
        return None

    @property
    def tells_its_length(self) -> bool:
        """Whether libsndfile finds the right length in the header of the encoder."""
        return self.promised is not None and abs(self.n_frames - self.promised) <= 1

    def with_header(self) -> bytes:
        """Return the frames alone, behind a header that tells how many they are.

        Returns
        -------
        bytes
            An MP3 file, which libsndfile reads without its first 529 samples, the
            decoder's delay.
        """
        begin = self.runs[0][0]
        header = bytearray(self.data[begin : begin + 4])
        header[1] |= 1  # without a checksum
        # The smallest of the bitrates whose frame has room for the header.
        for index in range(1, 15):
            header[2] = (header[2] & 0x0F) | index << 4
            frame = _frame(bytes(header))
            if frame and frame.length >= 4 + frame.side + 12:
                break
        assert frame is not None  # the first frame was one
        tag = b"Xing" + struct.pack(">II", 1, self.n_frames)
        first = (bytes(header) + bytes(frame.side) + tag).ljust(frame.length, b"\0")
        return first + self.frames()

    def frames(self) -> bytes:
        """Return the frames alone.

        Returns
        -------
        bytes
            An MP3 file without tags.
        """
        return b"".join(self.data[a:b] for a, b in self.runs)


def scan(data: bytes) -> MpegStream:
    """Walk through the frames of an MP3 file.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    MpegStream
        Without runs where no frames were found.
    """
    stream = MpegStream(data)
    end = _end_of_audio(data)
    position = _next_frame(data, 0, end)
    kind = None if position is None else _kind(data, position)
    while position is not None and position < end:
        frame = _frame(data[position : position + 4])
        if frame is None or _kind(data, position) != kind:
            if tag := _tag_length(data, position):
                position += tag
                continue
            found = _next_frame(data, position, end, kind)
            stream.foreign += 0 if found is None else found - position
            position = found
            continue
        stop = position + frame.length
        if stop > end:
            stream.missing = stop - end
            return stream
        promised = _promised(data, position, frame)
        if promised is None:
            stream.n_frames += 1
            stream.n_samples += frame.samples
            if stream.runs and stream.runs[-1][1] == position:
                stream.runs[-1] = (stream.runs[-1][0], stop)
            else:
                stream.runs.append((position, stop))
        elif stream.promised is None and not stream.runs:
            stream.promised = promised or None
        position = stop
    return stream


def _frame(header: bytes) -> _Frame | None:
    """Read the header of a frame; None if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE0:
        return None
    version, layer = _VERSIONS.get(header[1] >> 3 & 3), 4 - (header[1] >> 1 & 3)
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version is None or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    divisor, table = version
    bits = 1000 * _BITRATES[table, layer if table == 1 else min(layer, 2)][bitrate]
    samples = {1: 384, 2: 1152, 3: 1152 if divisor == 1 else 576}[layer]
    slot = 4 if layer == 1 else 1
    length = samples // 8 // slot * bits // (_RATES[rate] // divisor)
    padding = header[2] >> 1 & 1
    mono = header[3] >> 6 == 3
    side = (17 if mono else 32) if divisor == 1 else (9 if mono else 17)
    return _Frame((length + padding) * slot, samples, side)


def _kind(data: bytes, position: int) -> int:
    """Return the bits of a header that all frames of a stream share."""
    return int.from_bytes(data[position : position + 4]) & _CONSTANT


def _next_frame(
    data: bytes, position: int, end: int, kind: int | None = None
) -> int | None:
    """Find the next frame that another one follows, of the same kind."""
    while True:
        length = _tag_length(data, position)
        position = data.find(b"\xff", position + length, end)
        if position < 0:
            return None
        frame = _frame(data[position : position + 4])
        if frame is not None and kind in (None, _kind(data, position)):
            following = position + frame.length
            if following == end or (
                _frame(data[following : following + 4])
                and _kind(data, following) == _kind(data, position)
            ):
                return position
        position += 1


def _promised(data: bytes, position: int, frame: _Frame) -> int | None:
    """Return how many frames the encoder's header promises; 0 if it does not say.

    None if the frame is no such header, but audio.
    """
    tag = position + 4 + frame.side
    if data[tag : tag + 4] in (b"Xing", b"Info"):
        flags, count = struct.unpack_from(">II", data.ljust(tag + 12), tag + 4)
        return int(count) if flags & 1 else 0
    tag = position + 4 + 32
    if data[tag : tag + 4] == b"VBRI" and len(data) >= tag + 18:
        return int(struct.unpack_from(">I", data, tag + 14)[0])
    return None


def _tag_length(data: bytes, position: int) -> int:
    """Return the length of the tag at a position; 0 if there is none."""
    if data.startswith(b"ID3", position) and len(data) >= position + 10:
        flags, size = data[position + 5], data[position + 6 : position + 10]
        footer = 10 if flags & 0x10 else 0
        return 10 + footer + sum(byte << 7 * (3 - i) for i, byte in enumerate(size))
    if data.startswith(b"TAG", position):
        return 128
    if data.startswith(b"APETAGEX", position) and len(data) >= position + 32:
        return 32 + int(struct.unpack_from("<I", data, position + 12)[0])
    return 0


def _end_of_audio(data: bytes) -> int:
    """Return the position behind the last frame, before the tags at the end."""
    end = len(data)
    while True:
        if data[end - 128 : end - 125] == b"TAG":
            end -= 128
        elif data[end - 32 : end - 24] == b"APETAGEX":
            size, _, flags = struct.unpack_from("<III", data, end - 20)
            end -= size + (32 if flags >> 31 else 0)
        elif data[end - 9 : end] == b"LYRICS200" and data[end - 15 : end - 9].isdigit():
            end -= int(data[end - 15 : end - 9]) + 15
        else:
            return max(end, 0)
