"""How much faster a fit is on several threads than on one.

Fits each deep estimator on random utterances of EMO-DB's lengths, with one thread and
with more, turn by turn, and prints the median seconds and their ratio. Run it on a
machine that does nothing else:

    python benchmarks/bench_threads.py --threads 2
"""

import argparse
import time
import warnings
from statistics import median
from typing import Any

import numpy as np
from sklearn.base import clone

from sklearn_ser import CVAE, ContrastiveSiamese, MEnAN, MetricDAE, PseudoSiameseGated

RNG = np.random.default_rng(0)


def utterances(n: int, low: int, high: int, width: int) -> list[Any]:
    """Make random sequences of the widths and lengths that a front end gives."""
    return [
        RNG.normal(size=(RNG.integers(low, high), width)).astype(np.float32)
        for _ in range(n)
    ]


def cases() -> dict[str, tuple[Any, Any]]:
    """Return the estimators and what they learn from, seconds each."""
    return {
        "MetricDAE, 5,000 x 88": (
            MetricDAE(max_epochs=10),
            RNG.normal(size=(5000, 88)),
        ),
        "CVAE, segments of 800": (
            CVAE("vae", max_epochs=2),
            utterances(200, 10, 50, 800),
        ),
        "ContrastiveSiamese, 900 frames of 13": (
            ContrastiveSiamese(max_epochs=1),
            utterances(120, 900, 901, 13),
        ),
        "MEnAN, frames of 43": (
            MEnAN(None, max_epochs=1),
            utterances(120, 200, 300, 43),
        ),
        "PseudoSiameseGated, segments of 32 x 129": (
            PseudoSiameseGated(
                fusion=None, triplets=None, feature_epochs=1, max_epochs=1
            ),
            utterances(40, 8, 12, 32 * 129),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "PseudoSiameseGated has no auxiliary corpora")
    print(f"{'':44}{'1 thread':>10}{f'{options.threads} threads':>11}{'times':>7}")
    for name, (estimator, X) in cases().items():
        y = np.arange(len(X)) % 4
        seconds: dict[int, list[float]] = {1: [], options.threads: []}
        for _ in range(options.repeats):
            for n_jobs, times in seconds.items():
                model = clone(estimator).set_params(random_state=0, n_jobs=n_jobs)
                start = time.perf_counter()
                model.fit(X, y)
                times.append(time.perf_counter() - start)
        one, more = (median(times) for times in seconds.values())
        print(f"{name:44}{one:10.2f}{more:11.2f}{one / more:7.2f}", flush=True)


if __name__ == "__main__":
    main()
