"""Losses over the utterances of a batch whose class is known."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from .._constants import UNKNOWN


def known_mean(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean of some values, 0 where there are none.

    Parameters
    ----------
    values : Tensor of shape (n,)
        Of each utterance.
    known : Tensor of shape (n,), bool
        Those that count.

    Returns
    -------
    Tensor of shape ()
    """
    return (values * known).sum() / known.sum().clamp(min=1)


def known_cross_entropy(
    logits: Tensor, classes: Tensor, weight: Tensor | float = 1.0
) -> Tensor:
    """Return the mean cross-entropy of the utterances whose class is known.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Predictions.
    classes : Tensor of shape (n,), int64
        Numbers of the classes, -1 where they are not known.
    weight : Tensor of shape (n,) or float, default=1.0
        Of each utterance.

    Returns
    -------
    Tensor of shape ()
        0 where no class is known.
    """
    losses = cross_entropy(logits, classes, ignore_index=UNKNOWN, reduction="none")
    return known_mean(losses * weight, classes != UNKNOWN)
