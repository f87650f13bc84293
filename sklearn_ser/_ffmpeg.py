"""Recordings that libsndfile does not read, by ffmpeg where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# What phones, messengers and cameras write.
SUFFIXES = (
    *(".m4a", ".aac", ".wma", ".amr", ".3gp", ".mka", ".ac3"),
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".mpg", ".mpeg"),
)


class FfmpegError(Exception):
    """There is no ffmpeg, or it does not read a file; the message says which."""


@contextmanager
def as_wav(path: str | os.PathLike[str]) -> Iterator[str]:
    """Decode the first audio stream of a file.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Yields
    ------
    str
        A WAV file of 32-bit floats, at the rate and with the channels of the stream,
        which is deleted after the block.

    Raises
    ------
    FfmpegError
        If ffmpeg is not installed, or reports any fault of the file.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise FfmpegError(
            f"libsndfile does not read {Path(path).suffix} files: install ffmpeg, "
            "which is then used, or convert it to WAV or FLAC."
        )
    with TemporaryDirectory() as folder:
        decoded = os.path.join(folder, "decoded.wav")
        # With its scheme, no name is taken for an option or an address.
        source = f"file:{os.path.abspath(path)}"
        run = subprocess.run(
            [
                *(program, "-nostdin", "-v", "error", "-xerror", "-i", source),
                *("-map", "0:a:0", "-c:a", "pcm_f32le", "-rf64", "auto", decoded),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        said = run.stderr.decode(errors="replace").strip().splitlines()
        if run.returncode or said:
            reason = said[-1] if said else f"exit status {run.returncode}"
            raise FfmpegError(
                f"ffmpeg cannot read it ({reason}): copy it again from its source, or "
                "leave it out."
            )
        yield decoded
