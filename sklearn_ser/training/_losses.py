"""Losses over the utterances of a batch: those whose class is known, and weighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .._constants import UNKNOWN


def n_known(batches: Sequence[Tensor]) -> NDArray[np.int64]:
    """Return how many numbers of each batch are known.

    Parameters
    ----------
    batches : sequence of n Tensor
        Numbers of classes, -1 where they are not known, or labels, with NaN there.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    values = torch.cat([batch.reshape(-1) for batch in batches])
    known = ~values.isnan() if values.is_floating_point() else values != UNKNOWN
    ends = np.cumsum([batch.numel() for batch in batches])
    totals: NDArray[np.int64] = np.cumsum(known.cpu().numpy())[ends - 1]
    return np.diff(totals, prepend=0)


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


def class_losses(
    logits: Tensor, batch: Mapping[str, Any], label_smoothing: float = 0.0
) -> Tensor:
    """Return the weighted cross-entropy of each utterance, which may be a mixture.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Predictions.
    batch : mapping of str to Tensor
        ``"y"``, the numbers of the classes, -1 where they are not known; where there is
        one, the ``"weight"`` of each utterance; and where utterances are mixed, the
        number ``"partner"`` of the second and the ``"share"`` of the first.
    label_smoothing : float, default=0.0
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    Tensor of shape (n,)
        0 where no class is known.
    """

    def of(rows: Any) -> Tensor:
        losses = cross_entropy(
            logits,
            batch["y"][rows],
            ignore_index=UNKNOWN,
            reduction="none",
            label_smoothing=label_smoothing,
        )
        weight = batch.get("weight")
        return losses if weight is None else losses * weight[rows]

    losses = of(slice(None))
    if "partner" not in batch:
        return losses
    share: Tensor = batch["share"]
    return share * losses + (1 - share) * of(batch["partner"])


class HasLogits(Protocol):
    """What a classifying network returns."""

    @property
    def logits(self) -> Tensor:
        """Logits of the classes, of shape (n, n_classes)."""


class WeightedCrossEntropy(nn.Module):
    """Mean over a batch of the cross-entropy, each utterance with its weight.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the target that is spread evenly over all classes in training.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, output: HasLogits, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the loss.

        Parameters
        ----------
        output : NamedTuple
            With the ``logits`` of the classes.
        batch : mapping of str to Tensor
            As for `class_losses`.

        Returns
        -------
        dict of str to Tensor
            ``"loss"``, the value to minimise.
        """
        smoothing = self.label_smoothing if self.training else 0.0
        return {"loss": class_losses(output.logits, batch, smoothing).mean()}
