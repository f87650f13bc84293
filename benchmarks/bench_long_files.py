"""Peak memory and time of front ends over one long recording.

Writes recordings of several lengths (mono, 16 kHz, a voice that comes and goes), and
has each front end compute its features in a process of its own, whose peak memory is
what the operating system counted. The first row of each length is the process alone.

    python benchmarks/bench_long_files.py --minutes 10 30 180
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf

RATE = 16000
FRONT_ENDS = {
    "nothing": "EGeMAPS().transform([wave])",
    "EGeMAPS": "EGeMAPS(verbose=True).transform([path])",
    "LogMelSegmenter": "LogMelSegmenter(verbose=True).transform([path])",
}
PROGRAM = """
import sys
import numpy as np
from sklearn_ser import EGeMAPS, LogMelSegmenter
path, wave = sys.argv[1], np.random.default_rng(0).normal(scale=0.1, size=16000)
features = {call}
assert np.isfinite(features[0]).all()
"""


def write(path: Path, minutes: float) -> None:
    """Write a recording, a minute at a time."""
    rng = np.random.default_rng(0)
    time_s = np.arange(60 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 9))
    voice *= 0.1 * (np.sin(2 * np.pi * 0.4 * time_s) > 0)
    with sf.SoundFile(path, "w", RATE, 1, subtype="PCM_16") as file:
        for _ in range(round(minutes)):
            file.write(voice + rng.normal(scale=0.01, size=len(voice)))


def measure(call: str, path: Path) -> tuple[float, float]:
    """Return the peak memory (MB) and the time (s) of a call in a new process."""
    before = time.perf_counter()
    program = PROGRAM.format(call=call)
    child = subprocess.Popen([sys.executable, "-c", program, str(path)])
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0
    return usage.ru_maxrss / 1024, time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 30, 180])
    arguments = parser.parse_args()
    print("| minutes | front end | peak memory (MB) | time (s) |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in arguments.minutes:
            path = Path(folder) / f"{minutes:g}.wav"
            write(path, minutes)
            for name, call in FRONT_ENDS.items():
                peak, seconds = measure(call, path)
                row = f"| {minutes:g} | {name} | {peak:.0f} | {seconds:.0f} |"
                print(row, flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
