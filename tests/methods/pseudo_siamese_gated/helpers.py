"""What the tests of the estimator, its branches and its quadrants share."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ser import PseudoSiameseGated
from sklearn_ser.datasets import AuxiliaryCorpora


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def drawn(net, seed=0):
    """Return the net in float64, its weights drawn anew from a seed."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return net.double()


SHAPE = (4, 8)
N_VALUES = 32
EMOTIONS = np.array(["anger", "happiness", "neutral", "sadness"])
QUADRANTS = {"anger": 2, "happiness": 1, "neutral": 4, "sadness": 3}
RUNGS = {
    "CNN-BLSTM": {"auxiliary_corpora": None, "fusion": None},
    "PT": {"fusion": "concatenate", "triplets": None},
    "PT_G": {"triplets": None},
    "PSN": {"fusion": "concatenate"},
    "PSN_G": {},
}
rungs = pytest.mark.parametrize("rung", RUNGS)
WITHOUT = "PseudoSiameseGated has no auxiliary corpora"
not_pretrained = pytest.mark.filterwarnings(f"ignore:{WITHOUT}")


def utterances(n=24, seed=0, gain=1.0, shift=0.0, shortest=1):
    """Make utterances of 1 to 5 noisy segments, each with a pattern of its emotion."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).normal(size=(4, N_VALUES))
    X = []
    for emotion in np.arange(n) % 4:
        noise = rng.normal(size=(rng.integers(shortest, 6), N_VALUES))
        X.append((gain * (patterns[emotion] + noise) + shift).astype(np.float32))
    return X, EMOTIONS[np.arange(n) % 4]


def corpora(n=24, seed=1):
    """Make two corpora with the same patterns, each recorded in its own way."""
    loud, y = utterances(n, seed, gain=3.0, shift=5.0)
    low, z = utterances(n, seed + 1000, gain=0.1, shift=-2.0)
    quadrant = [QUADRANTS[emotion] for emotion in (*y, *z)]
    names = ["loud"] * n + ["low"] * n
    return AuxiliaryCorpora([*loud, *low], quadrant, corpus=names)


AUXILIARY = corpora()
X, Y = utterances()
SPEAKER = np.repeat(list("abcdef"), 4)


def quick(**changed):
    params = {
        "auxiliary_corpora": AUXILIARY,
        "segment_shape": SHAPE,
        "embedding_size": 6,
        "hidden_size": 5,
        "pretraining_epochs": 1,
        "feature_epochs": 1,
        "max_epochs": 1,
        "batch_size": 32,
        "fusion_batch_size": 8,
        "device": "cpu",
        "random_state": 0,
    }
    return PseudoSiameseGated(**(params | changed))


def state_of(module):
    return {name: values.clone() for name, values in module.state_dict().items()}


def part(state, *names):
    """Return the weights whose names begin so."""
    return {name: v for name, v in state.items() if name.startswith(names)}


def equal(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(values, second[name]) for name, values in first.items())


def tagged():
    """Make two corpora whose first value tells the utterance, from 0 and from 24."""
    own, theirs = [x.copy() for x in X], utterances(seed=1)[0]
    for i, x in enumerate([*own, *theirs]):
        x[:, 0] = i / 100
    return own, theirs


def tags(batches, name):
    values = torch.cat([batch[name][:, 0] for batch in batches])
    return (100 * values).round().int().tolist()
