"""Memory of a corpus: log-mel segments extracted, then learned from.

Prints the peak of the process's memory above what it needs for a corpus of a few
seconds, relative to the bytes of the frames. The corpus has utterances of 2 to 14 s,
cut out of one synthetic recording.

    python benchmarks/bench_memory.py --hours 10
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from sklearn.base import clone

from sklearn_ser import CVAE, LogMelSegmenter, SequenceClassifier

RATE = 16000
ONE_EPOCH = {"max_epochs": 1, "random_state": 0}
LEARNERS = {
    "nothing": None,
    "SequenceClassifier on frames": SequenceClassifier(hidden_size=16, **ONE_EPOCH),
    "SequenceClassifier on segments": SequenceClassifier(hidden_size=16, **ONE_EPOCH),
    "CVAE": CVAE(**ONE_EPOCH),
    "CVAE, and what it encodes": CVAE(**ONE_EPOCH),
}


def peak() -> int:
    """Return the highest resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def corpus(path: Path, hours: float) -> list[tuple[str, float, float]]:
    """Cut utterances of 2 to 14 s out of one recording, over and over."""
    rng = np.random.default_rng(0)
    segments, seconds = [], 0.0
    while seconds < hours * 3600:
        length = rng.uniform(2, 14)
        start = rng.uniform(0, 60 - length)
        segments.append((str(path), start, start + length))
        seconds += length
    return segments


def run(learner: str, path: Path, hours: float) -> None:
    """Extract and learn in this process, and print its peak."""
    front_end = LogMelSegmenter(segment=None if "frames" in learner else 0.1)
    estimator = LEARNERS[learner]

    def job(recordings: list[tuple[str, float, float]]) -> int:
        X = front_end.transform(recordings)
        if estimator is not None:
            model = clone(estimator).fit(X, np.arange(len(X)) % 4)
            if "encodes" in learner:
                model.transform(X)
        return sum(x.nbytes for x in X)

    job(corpus(path, 0.05))  # imports, and the batches
    before = peak()
    frames = job(corpus(path, hours))
    print(
        f"| {learner} | {frames / 2**20:,.0f} MiB | {(peak() - before) / frames:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        run(arguments.only, arguments.recording, arguments.hours)
        return
    print("| learner | frames | peak / frames |\n| --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "minute.wav"
        rng = np.random.default_rng(0)
        sf.write(recording, rng.uniform(-0.1, 0.1, 60 * RATE), RATE)
        for learner in LEARNERS:
            options = ["--only", learner, "--recording", str(recording)]
            command = [sys.executable, __file__, f"--hours={arguments.hours}", *options]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
