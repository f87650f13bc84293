"""`PseudoSiameseGated.fit` against a torch loop written by hand.

Both sides train both branches on the same segments of 32 x 129, in batches of 128, by
cross-entropy, triplets and reconstruction, on one thread: the second phase, which with
the first takes nearly all of the time. The two run in turn in one process; the medians
of the seconds per epoch and their ratio are printed: of the fit, what three epochs more
add to one. The hand-written loop standardises once, holds a copy of the corpus, records
nothing and validates nothing.

    python benchmarks/bench_gao.py [--repeats 3] [--utterances 60]
"""

import argparse
import time
import warnings
from itertools import chain
from statistics import median

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, triplet_margin_loss

from sklearn_ser import PseudoSiameseGated
from sklearn_ser.nets import PseudoSiameseNet

N_FEATURES = 32 * 129


def by_hand(x: Tensor, y: Tensor, epochs: int) -> float:
    """Train both branches; return the seconds."""
    net = PseudoSiameseNet((32, 129), 4)
    optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0)
    x = (x - x.mean(0)) / x.std(0)
    start = time.perf_counter()
    order = (torch.randperm(len(x)).split(128) for _ in range(epochs))
    for batch in chain.from_iterable(order):
        logits, deep, latent, reconstruction = net(x[batch], x[batch])
        same = y[batch][:, None] == y[batch]
        positive = torch.multinomial(same.float(), 1)[:, 0]
        negative = torch.multinomial((~same).float() + 1e-9, 1)[:, 0]
        triplets = triplet_margin_loss(deep, latent[positive], latent[negative])
        loss = 0.6 * cross_entropy(logits, y[batch]) + 0.2 * triplets
        loss = loss + 0.2 * mse_loss(reconstruction, x[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def timed_fit(X: list[np.ndarray], y: np.ndarray, epochs: int) -> float:
    """Return the seconds of a fit."""
    model = PseudoSiameseGated(
        feature_epochs=epochs, max_epochs=1, random_state=0, device="cpu"
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PseudoSiameseGated has no auxiliary")
        model.fit(X, y)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--utterances", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    rng = np.random.default_rng(0)
    lengths = (10 * rng.lognormal(sigma=0.3, size=arguments.utterances)).astype(int)
    X = [rng.normal(size=(n, N_FEATURES)).astype(np.float32) for n in lengths.clip(2)]
    y = rng.integers(4, size=len(X))
    x = torch.from_numpy(np.concatenate(X))
    of_segments = torch.from_numpy(np.repeat(y, lengths.clip(2)))
    ours, hand = [], []
    for _ in range(arguments.repeats):
        ours.append((timed_fit(X, y, 4) - timed_fit(X, y, 1)) / 3)
        hand.append(by_hand(x, of_segments, epochs=3) / 3)
    print(
        f"{len(x)} segments: PseudoSiameseGated.fit {median(ours):.2f} s per epoch, "
        f"hand-written loop {median(hand):.2f} s, "
        f"ratio {median(ours) / median(hand):.2f}"
    )


if __name__ == "__main__":
    main()
