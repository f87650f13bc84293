"""Logits to draw and gradients, for the tests of the network and of the losses."""

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_ser.nets import SpeakerInvariantNet

logits = st.integers(1, 9).flatmap(
    lambda k: arrays(np.float64, k, elements=st.floats(-30, 30, width=32))
).map(torch.from_numpy)  # fmt: skip


def gradient(function, x):
    x = x.clone().requires_grad_()
    function(x).sum().backward()
    return x.grad


def utterances(n=4, n_frames=40):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, n_frames, 5, generator=generator)
    return x, torch.full((n,), n_frames)


def encoder_gradient(sign, reverse=False, loss=None):
    """Return the gradient by the encoder of a loss of the speakers, times a sign."""
    torch.manual_seed(0)
    net = SpeakerInvariantNet(5, 3, 2, reverse=reverse).double()
    x, lengths = utterances()
    speaker = net(x.double(), lengths).speaker
    (sign * loss(speaker)).backward()
    return [p.grad for n, p in net.named_parameters() if "_head" not in n]
