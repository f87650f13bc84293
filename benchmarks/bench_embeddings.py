"""SpeechEmbedding: time against EGeMAPS, passes of a search over layers, and memory.

Run by hand:

    python benchmarks/bench_embeddings.py [folder of WAV files] [--model FOLDER]

The folder is ``$SKLEARN_SER_DATA/emodb/wav`` by default, the model the small Whisper in
``$SKLEARN_SER_MODELS``. Times are of the processor, one thread, median of five turns.
Memory is what the operating system counted of a process that embeds so many hours of
recordings of 30 s, each of which it makes when it is its turn.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import soundfile as sf
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS, SpeechEmbedding
from sklearn_ser.features import _encoders

PROGRAM = """
import sys
import numpy as np
from sklearn_ser import SpeechEmbedding
from sklearn_ser.features import _embedding
rng = np.random.default_rng(0)
waves = [rng.normal(scale=0.1, size=30 * 16000) for _ in range(4)]
# One object many times: the list takes no memory, each turn decodes its own.
list_of = [waves[i % 4] for i in range(round(float(sys.argv[2]) * 120))]
rows = SpeechEmbedding(sys.argv[1]).transform(list_of)
assert np.isfinite(rows).all()
"""


def processor_time(task: Callable[[], object]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


def compare_with_egemaps(paths: list[Path], model: str, repeats: int) -> None:
    hours = sum(sf.info(str(path)).duration for path in paths) / 3600
    ours, theirs = SpeechEmbedding(model), EGeMAPS()
    for front_end in (ours, theirs):
        front_end.transform(paths[:4])
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(repeats):
        times["ours"].append(processor_time(lambda: ours.transform(paths)))
        times["theirs"].append(processor_time(lambda: theirs.transform(paths)))
    embedding, functionals = median(times["ours"]), median(times["theirs"])
    print(
        f"{len(paths)} recordings, processor time for an hour of speech, median of "
        f"{repeats}\n"
        f"  SpeechEmbedding                      {embedding / hours:7.1f} s\n"
        f"  EGeMAPS                              {functionals / hours:7.1f} s\n"
        f"  ratio                                {embedding / functionals:7.2f}"
    )


def count_passes(paths: list[Path], model: str) -> None:
    """Search over layers, and count how often a recording reaches the encoder."""
    seen = []
    layers = _encoders.Encoder.layers

    def counting(self, inputs):  # type: ignore[no-untyped-def]
        seen.append(len(inputs))
        return layers(self, inputs)

    _encoders.Encoder.layers = counting  # type: ignore[method-assign]
    steps = StandardScaler(), SVC(kernel="linear")
    y = np.arange(len(paths)) % 4  # gives the classifier something to do
    with tempfile.TemporaryDirectory() as memory:
        pipe = make_pipeline(SpeechEmbedding(model, memory=memory), *steps)
        grid = {"speechembedding__layer": [0, 1, 2, 3, 4]}
        start = time.perf_counter()
        GridSearchCV(pipe, grid, cv=5, refit=False).fit(paths, y)
        searched = time.perf_counter() - start
    n_passes = sum(seen)
    _encoders.Encoder.layers = layers  # type: ignore[method-assign]
    start = time.perf_counter()
    rows = SpeechEmbedding(model).transform(paths)
    for _ in range(5):
        GridSearchCV(make_pipeline(*steps), {}, cv=5, refit=False).fit(rows, y)
    once = time.perf_counter() - start
    print(
        f"search of 5 layers x 5 folds on {len(paths)} recordings\n"
        f"  passes of the encoder                {n_passes:7d}\n"
        f"  the search                           {searched:7.2f} s\n"
        f"  one extraction, then the fits        {once:7.2f} s\n"
        f"  ratio                                {searched / once:7.2f}"
    )


def measure_memory(model: str, hours: list[float]) -> None:
    for n_hours in hours:
        child = subprocess.Popen([sys.executable, "-c", PROGRAM, model, str(n_hours)])
        _, status, usage = os.wait4(child.pid, 0)
        assert status == 0
        memory = usage.ru_maxrss / 1024
        print(f"  {n_hours:5.1f} hours                          {memory:7.0f} MB")


def main() -> None:
    home = os.environ.get("SKLEARN_SER_DATA", "../shared/corpora")
    models = os.environ.get("SKLEARN_SER_MODELS", "../shared/models")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=f"{home}/emodb/wav")
    parser.add_argument("--model", default=f"{models}/whisper-tiny.en-encoder")
    parser.add_argument("--hours", type=float, nargs="*", default=[0.1, 1, 10])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    paths = sorted(Path(options.folder).glob("*.wav"))[::5]
    compare_with_egemaps(paths, options.model, options.repeats)
    count_passes(paths, options.model)
    print("peak memory")
    measure_memory(options.model, options.hours)


if __name__ == "__main__":
    main()
