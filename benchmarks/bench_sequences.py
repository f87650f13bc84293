"""`CVAE.fit` and `SequenceClassifier.fit` against torch loops written by hand.

Both sides do the same steps on one thread: the same networks, batches, losses and
optimiser, on 400 utterances of 10 to 50 segments with 800 values. They run in turn in
one process; the ratio of the medians is printed. The hand-written loops standardise
once, hold a copy of the corpus, record nothing and validate nothing.

    python benchmarks/bench_sequences.py [--repeats 5] [--epochs 3]
"""

import argparse
import time
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from sklearn_ser import CVAE, SequenceClassifier


def standardized(X: list[np.ndarray]) -> Tensor:
    frames = torch.from_numpy(np.concatenate(X))
    return (frames - frames.mean(0)) / frames.std(0)


def autoencoder(X: list[np.ndarray], y: np.ndarray, epochs: int, seed: int) -> None:
    """Train the variational autoencoder of 1,182,240 parameters."""
    generator = torch.Generator().manual_seed(seed)
    frames = standardized(X)
    hidden = nn.Sequential(
        *(nn.Linear(800, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU())
    )
    to_mean, to_logvar = nn.Linear(256, 128), nn.Linear(256, 128)
    decoder = nn.Sequential(
        *(nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU()),
        nn.Linear(512, 800),
    )
    net = nn.ModuleList([hidden, to_mean, to_logvar, decoder])
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(frames), generator=generator)
        for batch in order.split(128):
            x = frames[batch]
            optimizer.zero_grad()
            h = hidden(x)
            mean, logvar = to_mean(h), to_logvar(h)
            noise = torch.randn(mean.shape, generator=generator)
            decoded = decoder(mean + noise * (0.5 * logvar).exp())
            error = (x - decoded).square().sum(1)
            kl = 0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1)
            (error + kl).mean().backward()
            optimizer.step()


def classifier(X: list[np.ndarray], y: np.ndarray, epochs: int, seed: int) -> None:
    """Train two layers of LSTM with 128 units."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([len(x) for x in X])
    sequences = standardized(X).split(lengths.tolist())
    target = torch.from_numpy(y)
    lstm, head = nn.LSTM(800, 128, 2, batch_first=True), nn.Linear(128, 4)
    parameters = [*lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    for _ in range(epochs):
        blurred = lengths.log() + 0.1 * torch.rand(len(X), generator=generator)
        batches = blurred.argsort().split(32)
        for i in torch.randperm(len(batches), generator=generator).tolist():
            batch = batches[i]
            padded = pad_sequence([sequences[j] for j in batch.tolist()], True)
            packed = pack_padded_sequence(padded, lengths[batch], True, False)
            optimizer.zero_grad()
            _, (state, _) = lstm(packed)
            cross_entropy(head(state[-1]), target[batch]).backward()
            optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    rng = np.random.default_rng(0)
    X = [
        rng.normal(size=(length, 800)).astype(np.float32)
        for length in rng.integers(10, 51, size=400)
    ]
    y = rng.integers(4, size=400)
    settings = {"max_epochs": arguments.epochs, "device": "cpu"}
    for estimator, loop in (
        (CVAE("vae", **settings), autoencoder),
        (SequenceClassifier(**settings), classifier),
    ):
        ours, by_hand = [], []
        for seed in range(arguments.repeats):
            start = time.perf_counter()
            estimator.set_params(random_state=seed).fit(X, y)
            middle = time.perf_counter()
            loop(X, y, arguments.epochs, seed)
            ours.append(middle - start)
            by_hand.append(time.perf_counter() - middle)
        print(
            f"{type(estimator).__name__}.fit {median(ours):.2f} s, hand-written loop "
            f"{median(by_hand):.2f} s, ratio {median(ours) / median(by_hand):.2f}"
        )


if __name__ == "__main__":
    main()
