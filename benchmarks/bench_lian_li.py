"""`ContrastiveSiamese.fit` and `MEnAN.fit` against torch loops written by hand.

Both sides do the same steps on one thread: the same networks, losses and optimiser,
batches of the same sizes and lengths. 400 utterances have the lengths of short acted
speech (log-normal around 2.5 s). The two run in turn in one process; the medians of
the seconds per epoch and their ratio are printed, and the padded frames per real frame
in the batches of `MEnAN`. The hand-written loops standardise once, hold a copy of the
corpus, record nothing and validate nothing.

    python benchmarks/bench_lian_li.py [--repeats 5] [--epochs 3]
"""

import argparse
import time
from statistics import median

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_embedding_loss, cross_entropy
from torch.nn.utils.rnn import pad_sequence

from sklearn_ser import ContrastiveSiamese, MEnAN
from sklearn_ser.nets import SiameseCNN, SpeakerInvariantNet
from sklearn_ser.sequences import Sequences

N_FRAMES = 398  # 4 s


def standardized(X: list[np.ndarray]) -> list[Tensor]:
    frames = torch.from_numpy(np.concatenate(X))
    frames = (frames - frames.mean(0)) / frames.std(0)
    return list(frames.split([len(x) for x in X]))


def by_pairs(X: list[np.ndarray], y: Tensor, speaker: Tensor, epochs: int) -> None:
    """Train the siamese network on random pairs of a fixed length."""
    x = torch.zeros(len(X), N_FRAMES, X[0].shape[1])
    for row, frames in zip(x, standardized(X), strict=True):
        row[: len(frames)] = frames[:N_FRAMES]
    net = SiameseCNN(x.shape[2], N_FRAMES, 4)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for first, second in zip(*(half.split(16) for half in order.chunk(2))):  # noqa: B905
            both = torch.cat([first, second])
            features, logits, _ = net(x[both])
            one, other = features.chunk(2)
            same = torch.where(y[first] == y[second], 1, -1)
            contrastive = cosine_embedding_loss(one, other, same)
            loss = 0.6 * contrastive + 0.4 * cross_entropy(logits, y[both])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def adversarial(X: list[np.ndarray], y: Tensor, speaker: Tensor, epochs: int) -> None:
    """Train encoder and emotion head against a speaker head, step by step."""
    lengths = torch.tensor([len(x) for x in X])
    sequences = standardized(X)
    net = SpeakerInvariantNet(X[0].shape[1], 4, 8)
    head = list(net.speaker_head.parameters())
    rest = [p for name, p in net.named_parameters() if "speaker" not in name]
    of_head = torch.optim.Adam(head, lr=1e-3, fused=True)
    of_rest = torch.optim.Adam(rest, lr=1e-3, fused=True)
    for _ in range(epochs):
        blurred = lengths.log() + 0.1 * torch.rand(len(X))
        batches = blurred.argsort().split(16)
        for i in torch.randperm(len(batches)).tolist():
            batch = batches[i]
            padded = pad_sequence([sequences[j] for j in batch.tolist()], True)
            v = net.encode(padded, lengths[batch])
            of_head.zero_grad()
            cross_entropy(net.speaker_head(v.detach()), speaker[batch]).backward()
            of_head.step()
            logs = net.speaker_head(v).log_softmax(1)
            entropy = -(logs.exp() * logs).sum(1).mean()
            loss = 0.5 * cross_entropy(net.emotion_head(v), y[batch]) - 0.5 * entropy
            of_rest.zero_grad()
            loss.backward()
            of_rest.step()


def padding(X: list[np.ndarray], epochs: int = 40) -> float:
    """Return the frames in the batches of 16 per frame of the utterances."""
    sequences, rng = Sequences(X), np.random.default_rng(0)
    padded = sum(
        len(batch) * sequences.lengths[batch].max()
        for _ in range(epochs)
        for batch in sequences.buckets(16, rng)
    )
    return padded / (epochs * sequences.n_frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    rng = np.random.default_rng(0)
    lengths = (250 * rng.lognormal(sigma=0.4, size=400)).astype(int).clip(50)
    y, speaker = rng.integers(4, size=400), rng.integers(8, size=400)
    settings = {"max_epochs": arguments.epochs, "device": "cpu"}
    for estimator, loop, width in (
        (ContrastiveSiamese(n_frames=N_FRAMES, **settings), by_pairs, 13),
        (MEnAN(**settings), adversarial, 43),
    ):
        X = [rng.normal(size=(n, width)).astype(np.float32) for n in lengths]
        tensors = torch.from_numpy(y), torch.from_numpy(speaker)
        ours, by_hand = [], []
        for seed in range(arguments.repeats):
            start = time.perf_counter()
            estimator.set_params(random_state=seed).fit(X, y, groups=speaker)
            middle = time.perf_counter()
            loop(X, *tensors, arguments.epochs)
            ours.append((middle - start) / arguments.epochs)
            by_hand.append((time.perf_counter() - middle) / arguments.epochs)
        print(
            f"{type(estimator).__name__}.fit {median(ours):.2f} s per epoch, "
            f"hand-written loop {median(by_hand):.2f} s, "
            f"ratio {median(ours) / median(by_hand):.2f}"
        )
    print(f"padded frames per real frame in batches of 16: {padding(X):.3f}")


if __name__ == "__main__":
    main()
