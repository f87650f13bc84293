"""EGeMAPS against openSMILE's own package, and what `memory` saves a grid search.

Run by hand:

    python benchmarks/bench_egemaps.py [folder of WAV files]

The folder is ``$SKLEARN_SER_DATA/emodb/wav`` by default. Both parts print times in
seconds and their ratio, measured in one run, turn by turn.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import opensmile
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS

C_VALUES = np.logspace(-4, 3, 8)


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def compare_with_opensmile(paths: list[Path], repeats: int) -> None:
    ours = EGeMAPS(n_jobs=2)
    smile = opensmile.Smile(
        opensmile.FeatureSet.eGeMAPSv02,
        opensmile.FeatureLevel.Functionals,
        num_workers=2,
    )
    ours.transform(paths[:4])
    smile.process_files(paths[:4])
    one_thread, times, theirs = [], [], []
    for _ in range(repeats):
        times.append(seconds(lambda: ours.transform(paths)))
        theirs.append(seconds(lambda: smile.process_files(paths)))
        one_thread.append(seconds(lambda: EGeMAPS().transform(paths)))
    two, smiles, one = median(times), median(theirs), median(one_thread)
    print(
        f"{len(paths)} recordings, median of {repeats}\n"
        f"  EGeMAPS(n_jobs=2)                    {two:7.2f} s\n"
        f"  opensmile.Smile(num_workers=2)       {smiles:7.2f} s\n"
        f"  ratio                                {two / smiles:7.2f}\n"
        f"  one thread against two               {one / two:7.2f}"
    )


def compare_grid_searches(paths: list[Path], repeats: int) -> None:
    # The labels only give the classifier something to do.
    y = np.arange(len(paths)) % 4
    steps = StandardScaler(), SVC(kernel="linear")
    grid = {"svc__C": C_VALUES}

    def with_memory() -> None:
        with tempfile.TemporaryDirectory() as memory:
            pipe = make_pipeline(EGeMAPS(memory=memory), *steps)
            GridSearchCV(pipe, grid, cv=5).fit(paths, y)

    def by_hand() -> None:
        features = EGeMAPS().transform(paths)
        GridSearchCV(make_pipeline(*steps), grid, cv=5).fit(features, y)

    cached, best = [], []
    for _ in range(repeats):
        cached.append(seconds(with_memory))
        best.append(seconds(by_hand))
    print(
        f"grid search of 5 folds and 8 settings on {len(paths)} recordings, median of "
        f"{repeats}\n"
        f"  Pipeline with EGeMAPS(memory=...)    {median(cached):7.2f} s\n"
        f"  one extraction, then the fits        {median(best):7.2f} s\n"
        f"  ratio                                {median(cached) / median(best):7.2f}"
    )


def main() -> None:
    home = os.environ.get("SKLEARN_SER_DATA", "../shared/corpora")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(home) / "emodb" / "wav"
    )
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.wav"))
    if not paths:
        parser.error(f"there are no WAV files in {options.folder}")
    compare_with_opensmile(paths, options.repeats)
    compare_grid_searches(paths[:120], options.repeats)


if __name__ == "__main__":
    main()
