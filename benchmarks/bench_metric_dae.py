"""`MetricDAE.fit` on 5,000 × 88 against the best hand-written torch loop.

Both do the same steps on one thread: the same network, batches, noise, loss and
optimiser. They run in turn in one process; the ratio of the medians is printed, of
processor time, which other programs disturb less.
The hand-written loop records nothing and validates nothing.

    python benchmarks/bench_metric_dae.py [--repeats 5] [--epochs 50]
"""

import argparse
import time
from statistics import median

import numpy as np
import torch
from torch import nn

from sklearn_ser import MetricDAE
from sklearn_ser.losses import continuous_metric_loss


def hand_written(
    X: np.ndarray, activation: np.ndarray | None, epochs: int, seed: int
) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    encoder = nn.Sequential(
        *(nn.Linear(88, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU()),
        *(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 2)),
    )
    decoder = nn.Sequential(
        *(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 20), nn.ReLU()),
        *(nn.Linear(20, 40), nn.ReLU(), nn.Linear(40, 88)),
    )
    optimizer = torch.optim.Adam(
        [*encoder.parameters(), *decoder.parameters()], lr=1e-3, fused=True
    )
    clean_all = torch.from_numpy(X)
    label_all = None if activation is None else torch.from_numpy(activation)
    for _ in range(epochs):
        order = torch.randperm(len(X), generator=generator)
        clean = clean_all[order]
        noisy = clean + torch.randn(clean.shape, generator=generator)
        batches = zip(clean.split(64), noisy.split(64), strict=True)
        labels = None if label_all is None else label_all[order].split(64)
        for i, (x, x_noisy) in enumerate(batches):
            optimizer.zero_grad()
            z = encoder(x_noisy)
            loss = nn.functional.mse_loss(decoder(z), x)
            if labels is not None:
                loss = loss + continuous_metric_loss(z, labels[i])
            loss.backward()
            optimizer.step()
    return encoder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=50)
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 88)).astype(np.float32)
    activation = rng.integers(2, 11, size=5000).astype(np.float32) / 2
    for label in (None, "act"):
        target = None if label is None else activation
        estimator = MetricDAE(label=label, max_epochs=arguments.epochs, device="cpu")
        ours, loop = [], []
        for seed in range(arguments.repeats):
            start = time.process_time()
            estimator.set_params(random_state=seed).fit(X, activation=target)
            middle = time.process_time()
            hand_written(X, target, arguments.epochs, seed)
            ours.append(middle - start)
            loop.append(time.process_time() - middle)
        print(
            f"label={label!r}: MetricDAE.fit {median(ours):.2f} s, hand-written loop "
            f"{median(loop):.2f} s, ratio {median(ours) / median(loop):.2f}"
        )


if __name__ == "__main__":
    main()
