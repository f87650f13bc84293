"""The losses of the pseudo-siamese network (Gao et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import inf
from numbers import Real
from operator import add
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, triplet_margin_loss

from ...training._losses import known_cross_entropy
from ._net import PseudoSiameseOutput
from ._triplets import Mining, check_margin, check_mining, mine_triplets

# In the order of their weights.
_TERMS = ("cross_entropy_loss", "triplet_loss", "reconstruction_loss")
# Shorter embeddings count as zero, as in torch.nn.functional.normalize.
_LEAST_LENGTH = 1e-12


def triplet_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0
) -> Tensor:
    r"""Triplet loss, Eqs. 2 to 4 of Gao et al. (2021).

    .. math::

        \ell = \max(0, d^+ - d^- + M), \qquad
        d^+ = \lVert a - p \rVert_2, \quad d^- = \lVert a - n \rVert_2

    It is zero where the negative is farther from the anchor than the positive by the
    margin. Unlike those of FaceNet [2]_, the distances are not squared.

    Parameters
    ----------
    anchor : Tensor of shape (n, n_features)
        Embeddings :math:`a`.
    positive : Tensor of shape (n, n_features)
        Embeddings :math:`p` of inputs that are like the anchors.
    negative : Tensor of shape (n, n_features)
        Embeddings :math:`n` of inputs that are not.
    margin : float, default=1.0
        Margin :math:`M`, greater than 0. The paper does not name its own; 1 is the
        default of `torch.nn.functional.triplet_margin_loss`, which computes this.

    Returns
    -------
    Tensor of shape (n,)
        One value for each triplet, none negative. A distance of zero has a gradient of
        zero: nothing is added to the distances to avoid it, as torch does by default.

    Raises
    ------
    ValueError
        If the shapes are not those above, or the margin is not greater than 0.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.
    .. [2] F. Schroff, D. Kalenichenko and J. Philbin, "FaceNet: a unified embedding
       for face recognition and clustering", CVPR, 2015, arXiv:1503.03832.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import triplet_loss
    >>> anchor, near = torch.zeros(1, 2), torch.tensor([[0.6, 0.8]])
    >>> triplet_loss(anchor, near, 1.5 * near), triplet_loss(anchor, near, 3 * near)
    (tensor([0.5000]), tensor([0.]))
    """
    check_margin(margin)
    if anchor.ndim != 2 or not anchor.shape == positive.shape == negative.shape:
        raise ValueError(
            "anchor, positive and negative must have one shape (n, n_features), got "
            f"{tuple(anchor.shape)}, {tuple(positive.shape)} and "
            f"{tuple(negative.shape)}."
        )
    # With torch's own eps, points that coincide are pushed along (1, …, 1).
    return triplet_margin_loss(
        anchor, positive, negative, margin=margin, eps=0.0, reduction="none"
    )


def check_loss_weights(name: str, weights: Any) -> tuple[float, ...]:
    """Validate the weights of a `PseudoSiameseLoss`.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    weights : sequence of three floats
        Of cross-entropy, triplets and reconstruction.

    Returns
    -------
    tuple of float

    Raises
    ------
    ValueError
        If they are not three finite numbers, one is negative or all are zero.
    """
    values: tuple[Any, ...] = tuple(weights) if np.iterable(weights) else ()
    valid = [isinstance(value, Real) and 0 <= float(value) < inf for value in values]
    if len(values) != len(_TERMS) or not all(valid) or not any(values):
        raise ValueError(
            f"{name} must be three finite numbers, of cross-entropy, triplets and "
            f"reconstruction, none negative and not all zero, got {weights!r}."
        )
    return tuple(map(float, values))


def _unit_length(embeddings: Tensor) -> Tensor:
    """Scale embeddings to length 1; one of zeros stays as it is."""
    lengths = torch.linalg.vector_norm(embeddings, dim=1, keepdim=True)
    # torch.nn.functional.normalize multiplies the gradient at zeros by 1e12, and
    # rectified units that are all off give zeros.
    scaled: Tensor = embeddings / lengths.where(lengths > _LEAST_LENGTH, 1.0)
    return scaled


class PseudoSiameseLoss(nn.Module):
    r"""Loss of the pseudo-siamese network, Eq. 5 of Gao et al. (2021).

    .. math:: L = \alpha L_\mathrm{cro} + \beta L_\mathrm{tri} + \gamma L_\mathrm{AE}

    with the cross-entropy of the classes that the network predicts, the triplet loss
    between its deep representations (anchors) and the latent ones of the autoencoder
    (positives and negatives), and the mean squared error of the reconstruction (Eq. 1).

    Parameters
    ----------
    weights : sequence of three floats, default=(0.6, 0.2, 0.2)
        :math:`\alpha`, :math:`\beta` and :math:`\gamma`, none negative and not all
        zero. These are the paper's for the feature extraction; in the pre-training it
        has (0.3, 0.3, 0.4).
    mining : {"random", "semihard"} or None, default="random"
        See `mine_triplets`; None leaves out the triplet loss.
    margin : float, default=1.0
        See `triplet_loss`.
    normalize : bool, default=False
        Whether embeddings are scaled to length 1 before their distances are taken. All
        distances are then at most 2, and no scale of the embeddings evades the margin.
        An embedding of zeros stays as it is.
    exclude_self : bool, default=False
        See `mine_triplets`: True where both branches see the same inputs.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import torch
    >>> from sklearn_ser.losses import PseudoSiameseLoss
    >>> output = SimpleNamespace(
    ...     logits=torch.zeros(2, 4), deep=torch.eye(2), latent=torch.zeros(2, 2),
    ...     reconstruction=torch.zeros(2, 8))
    >>> batch = {"y": torch.tensor([0, 1]), "quadrant": torch.tensor([1, 3])}
    >>> batch |= {"P": torch.ones(2, 8), "P_quadrant": torch.tensor([3, 1])}
    >>> losses = PseudoSiameseLoss()(output, batch)
    >>> for name, value in losses.items():
    ...     print(name, round(value.item(), 4))
    loss 1.2318
    cross_entropy_loss 1.3863
    triplet_loss 1.0
    reconstruction_loss 1.0
    """

    # The part of a batch that marks the utterances a loss averages over. No part tells
    # the number of triplets: their mean over an epoch is the mean of its batches.
    counted: ClassVar[dict[str, str]] = {"cross_entropy_loss": "y"}

    def __init__(
        self,
        weights: Sequence[float] = (0.6, 0.2, 0.2),
        mining: Mining | None = "random",
        margin: float = 1.0,
        normalize: bool = False,
        exclude_self: bool = False,
    ) -> None:
        super().__init__()
        weights = check_loss_weights("weights", weights)
        if mining is not None:
            check_mining(mining)
        check_margin(margin)
        self.weights = weights
        self.mining = mining
        self.margin = margin
        self.normalize = normalize
        self.exclude_self = exclude_self

    def forward(
        self, output: PseudoSiameseOutput, batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the loss, and each term whose tensors are given.

        Parameters
        ----------
        output : PseudoSiameseOutput
            ``logits`` of shape (n, n_classes), ``deep`` (n, n_features_out), ``latent``
            (m, n_features_out) and ``reconstruction`` (m, n_features), each of which
            may be None.
        batch : mapping
            For the cross-entropy, ``"y"``, the numbers of the classes, -1 where they
            are not known, of shape (n,), and, where there is one, the ``"weight"`` of
            each. For the triplets, ``"quadrant"`` of shape (n,) and ``"P_quadrant"`` of
            shape (m,), -1 where they are not known, and, where there is one, the
            ``"generator"`` that they are drawn from. For the reconstruction, ``"P"``,
            what the autoencoder has seen, of shape (m, n_features).

        Returns
        -------
        dict of str to Tensor without dimensions
            ``"loss"``, the value to minimise; ``"cross_entropy_loss"``, the mean over
            the known classes; ``"triplet_loss"``, the mean over the triplets; and
            ``"reconstruction_loss"``, the mean over all values; each without its
            weight. A mean over nothing is zero, and so is its gradient.

        Raises
        ------
        ValueError
            If the shapes do not fit together, or nothing is there to learn from.
        """
        terms: dict[str, Tensor] = {}
        if output.logits is not None:
            terms["cross_entropy_loss"] = known_cross_entropy(
                output.logits, batch["y"], batch.get("weight", 1.0)
            )
        if not (self.mining is None or output.deep is None or output.latent is None):
            terms["triplet_loss"] = self._of_triplets(output.deep, output.latent, batch)
        if output.reconstruction is not None:
            terms["reconstruction_loss"] = _of_values(output.reconstruction, batch["P"])
        if not terms:
            raise ValueError(
                "output has no logits and no reconstruction, and no triplets are "
                "mined: there is nothing to learn from."
            )
        weights = dict(zip(_TERMS, self.weights, strict=True))
        loss = reduce(add, (weights[name] * term for name, term in terms.items()))
        return {"loss": loss, **terms}

    def _of_triplets(
        self, deep: Tensor, latent: Tensor, batch: Mapping[str, Any]
    ) -> Tensor:
        """Return the mean triplet loss, 0 with a gradient of 0 without triplets."""
        if self.normalize:
            deep, latent = _unit_length(deep), _unit_length(latent)
        rows = mine_triplets(
            deep,
            latent,
            batch["quadrant"],
            batch["P_quadrant"],
            mining=self.mining or "random",
            margin=self.margin,
            exclude_self=self.exclude_self,
            generator=batch.get("generator"),
        )
        losses = triplet_loss(
            deep[rows.anchor],
            latent[rows.positive],
            latent[rows.negative],
            margin=self.margin,
        )
        return losses.sum() / max(len(losses), 1)


def _of_values(reconstruction: Tensor, seen: Tensor) -> Tensor:
    """Return the mean squared error, 0 with a gradient of 0 without values."""
    if reconstruction.shape != seen.shape:
        raise ValueError(
            f"reconstruction {tuple(reconstruction.shape)} and P {tuple(seen.shape)} "
            "must have the same shape."
        )
    return mse_loss(reconstruction, seen, reduction="sum") / max(seen.numel(), 1)
