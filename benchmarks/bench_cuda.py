"""Training on a GPU against one processor thread, for each method at its defaults.

Both train on the same made-up data from the same seed, in turn, in one process, after a
short fit that loads the libraries; the seconds and their ratio are printed, with the
largest difference of what comes out.

    python benchmarks/bench_cuda.py [--utterances 300] [--epochs 3]
"""

import argparse
import time
import warnings
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from sklearn_ser import (
    CVAE,
    ContrastiveSiamese,
    MEnAN,
    MetricDAE,
    PseudoSiameseGated,
    SequenceClassifier,
)

# The estimator, the width of a frame, and about how many frames an utterance has:
# log-mel for the sequence methods, segments for the last, one row for the first.
METHODS: list[tuple[Any, int, int]] = [
    (MetricDAE("act", random_state=0), 88, 0),
    (CVAE(random_state=0), 80, 100),
    (SequenceClassifier(random_state=0), 80, 100),
    (ContrastiveSiamese(random_state=0), 36, 300),
    (MEnAN(random_state=0), 40, 300),
    (PseudoSiameseGated(random_state=0, feature_epochs=2), 32 * 129, 8),
]


def make_data(n: int, width: int, length: int) -> tuple[Any, Any, Any]:
    """Make features of classes that can be told apart, their classes and speakers."""
    rng = np.random.default_rng(0)
    emotion = np.tile(["anger", "happiness", "neutral", "sadness"], n)[:n]
    direction = {name: rng.normal(size=width) for name in np.unique(emotion)}
    rows = np.stack([direction[name] for name in emotion])
    speakers = np.repeat(np.arange(10), -(-n // 10))[:n]
    if length == 0:
        return (rows + rng.normal(size=rows.shape)).astype("f4"), emotion, speakers
    X = np.empty(n, dtype=object)
    for i, row in enumerate(rows):
        frames = rng.normal(size=(rng.integers(length // 2, 2 * length), width))
        X[i] = (0.5 * row + frames).astype("f4")
    return X, emotion, speakers


def timed_fit(model: Any, data: tuple[Any, Any, Any]) -> tuple[Any, float]:
    """Fit an estimator; return it with the seconds."""
    X, emotion, speakers = data
    known: dict[str, Any] = {}
    if isinstance(model, MetricDAE):
        known["activation"] = np.unique(emotion, return_inverse=True)[1] + 1.0
    if isinstance(model, MEnAN):
        known["groups"] = speakers
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PseudoSiameseGated has no auxiliary")
        model.fit(X, emotion, **known)
    torch.cuda.synchronize()
    return model, time.perf_counter() - start


def outcome(model: Any, X: Any) -> Any:
    """Return what the estimator is used for, as one array."""
    found = model.predict_proba(X) if hasattr(model, "predict_proba") else None
    found = model.transform(X) if found is None else found
    return np.concatenate(list(found)) if found.dtype == object else found


def main() -> None:
    """Print a line for each method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    for estimator, width, length in METHODS:
        data = make_data(arguments.utterances, width, length)
        models, seconds = {}, {}
        for device in ("cuda", "cpu"):
            model = clone(estimator).set_params(
                device=device, max_epochs=arguments.epochs
            )
            timed_fit(clone(model), make_data(40, width, min(length, 4)))
            models[device], seconds[device] = timed_fit(model, data)
        apart = np.abs(
            outcome(models["cuda"], data[0]) - outcome(models["cpu"], data[0])
        )
        print(
            f"{type(estimator).__name__}: {seconds['cuda']:.2f} s, one thread "
            f"{seconds['cpu']:.2f} s, ratio {seconds['cpu'] / seconds['cuda']:.1f}, "
            f"outputs at most {apart.max():.1e} apart",
            flush=True,
        )


if __name__ == "__main__":
    main()
