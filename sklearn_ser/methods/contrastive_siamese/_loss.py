"""The losses of siamese networks (Lian et al., 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    cosine_embedding_loss,
    hinge_embedding_loss,
)

from ...training._losses import class_losses, known_cross_entropy
from ._net import SiameseOutput

Distance = Literal["cosine", "euclidean"]
Position = Literal["features", "probabilities"]

# Those of torch's functions; the paper names none.
_MARGINS = {"cosine": 0.0, "euclidean": 1.0}
# Distances of the features before the last linear layer exceed such a margin by far.
_LARGE_DISTANCES = ("euclidean", "features")


def contrastive_loss(
    x1: Tensor,
    x2: Tensor,
    same: Tensor,
    *,
    distance: Distance = "cosine",
    margin: float | None = None,
) -> Tensor:
    r"""Contrastive losses of pairs, Eqs. 4 to 7 of Lian et al. (2018).

    With the cosine of the angle (type 1),

    .. math::

        \ell = \begin{cases}
            1 - \cos(x_1, x_2) & \text{same class} \\
            \max(0, \cos(x_1, x_2) - m) & \text{other class,}
        \end{cases}

    or with the Euclidean distance, which is not squared (type 2),

    .. math::

        \ell = \begin{cases}
            \lVert x_1 - x_2 \rVert_2 & \text{same class} \\
            \max(0, m - \lVert x_1 - x_2 \rVert_2) & \text{other class.}
        \end{cases}

    Parameters
    ----------
    x1 : Tensor of shape (n, n_features)
        First members of the pairs.
    x2 : Tensor of shape (n, n_features)
        Second members.
    same : Tensor of shape (n,), bool
        Whether both are of the same class.
    distance : {"cosine", "euclidean"}, default="cosine"
        Type 1 or type 2.
    margin : float or None, default=None
        Margin :math:`m`: of the cosine from -1 to 1, of the distance at least 0. None
        is 0 for the cosine and 1 for the distance, the defaults of
        `torch.nn.functional.cosine_embedding_loss` and
        `~torch.nn.functional.hinge_embedding_loss`, which compute this; the paper
        does not name its margins.

    Returns
    -------
    Tensor of shape (n,)
        One value for each pair, none negative. The cosine with a vector of zeros
        counts as zero, and the gradients at such a vector and at a distance of zero
        are finite.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or if distance or margin are not among the
        values above.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under siamese networks", ASMMC-MMAC, 2018,
       doi:10.1145/3267935.3267946.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import contrastive_loss
    >>> x1, x2 = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[3.0, 4.0]] * 2)
    >>> same = torch.tensor([True, False])
    >>> contrastive_loss(x1, x2, same)
    tensor([0.4000, 0.6000])
    >>> contrastive_loss(x1, x2, same, distance="euclidean", margin=6.0)
    tensor([4.4721, 1.5279])
    """
    margin = _checked_margin(distance, margin)
    if x1.ndim != 2 or x1.shape != x2.shape or same.shape != x1.shape[:1]:
        raise ValueError(
            f"x1 {tuple(x1.shape)}, x2 {tuple(x2.shape)} and same "
            f"{tuple(same.shape)} do not fit together."
        )
    target = torch.where(same, 1, -1)
    if distance == "cosine":
        return cosine_embedding_loss(x1, x2, target, margin=margin, reduction="none")
    apart = torch.linalg.vector_norm(x1 - x2, dim=1)
    return hinge_embedding_loss(apart, target, margin=margin, reduction="none")


def _checked_margin(distance: str, margin: float | None) -> float:
    """Return the margin, or what None stands for."""
    if distance not in get_args(Distance):
        raise ValueError(f"distance must be 'cosine' or 'euclidean', got {distance!r}.")
    if margin is None:
        return _MARGINS[distance]
    if distance == "cosine" and not -1 <= margin <= 1:
        raise ValueError(
            f"margin must be from -1 to 1 with distance='cosine', got {margin}."
        )
    if distance == "euclidean" and not margin >= 0:
        raise ValueError(
            f"margin must be at least 0 with distance='euclidean', got {margin}."
        )
    return margin


class ContrastiveSiameseLoss(nn.Module):
    r"""Contrastive loss and cross-entropy, Eqs. 1, 8 and 9 of Lian et al. (2018).

    .. math:: L = \lambda L_\mathrm{con} + (1 - \lambda) L_\mathrm{cro}

    and, with an auxiliary task,

    .. math:: L_\mathrm{multi} = (1 - \mu) L + \mu L_\mathrm{add}.

    All are means over a batch: the first over its pairs (Eq. 3 has their sum), the
    others over the members of both branches.

    Parameters
    ----------
    contrastive_weight : float, default=0.6
        Weight :math:`\lambda` of the contrastive loss, from 0 to 1; the paper
        searches 0.6 to 1.
    distance : {"cosine", "euclidean"}, default="cosine"
        See `contrastive_loss`.
    margin : float or None, default=None
        See `contrastive_loss`; None is :math:`2 \sqrt d` for the Euclidean distance of
        d features, which grows with :math:`\sqrt d`.
    position : {"features", "probabilities"}, default="features"
        What is contrasted: the features before the last linear layer (pos_1), or the
        probabilities of the classes (pos_2).
    auxiliary_weight : float, default=0.04
        Weight :math:`\mu` of the auxiliary task's cross-entropy, from 0 to 1; the
        paper's best are 0.04 and 0.08.
    label_smoothing : float, default=0.0
        Share of a class's target that is spread evenly over all of them in training.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under siamese networks", ASMMC-MMAC, 2018,
       doi:10.1145/3267935.3267946.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import ContrastiveSiameseLoss
    >>> from sklearn_ser.nets import SiameseOutput
    >>> output = SiameseOutput(torch.eye(2), torch.zeros(2, 4), None)
    >>> losses = ContrastiveSiameseLoss()(output, {"y": torch.tensor([0, 0])})
    >>> {name: round(value.item(), 4) for name, value in losses.items()}
    {'loss': 1.1545, 'contrastive_loss': 1.0, 'cross_entropy_loss': 1.3863}
    """

    # The part of a batch that marks the utterances a loss averages over.
    counted: ClassVar[dict[str, str]] = {"auxiliary_loss": "auxiliary"}

    def __init__(
        self,
        contrastive_weight: float = 0.6,
        distance: Distance = "cosine",
        margin: float | None = None,
        position: Position = "features",
        auxiliary_weight: float = 0.04,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        for name, weight in (
            ("contrastive_weight", contrastive_weight),
            ("auxiliary_weight", auxiliary_weight),
        ):
            if not 0 <= weight <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {weight}.")
        if position not in get_args(Position):
            raise ValueError(
                f"position must be 'features' or 'probabilities', got {position!r}."
            )
        self.contrastive_weight = contrastive_weight
        self.distance: Distance = distance
        _checked_margin(distance, margin)
        self.margin = margin
        self.position = position
        self.auxiliary_weight = auxiliary_weight
        self.label_smoothing = label_smoothing

    def forward(
        self, output: SiameseOutput, batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the loss and its parts.

        Parameters
        ----------
        output : SiameseOutput
            Of 2 * n_pairs rows: the first members of the pairs, then the second.
        batch : mapping
            ``"y"``, the numbers of the classes, of shape (2 * n_pairs,); ``"weight"``,
            where there is one, the weight of each in the cross-entropy; and with an
            auxiliary task ``"auxiliary"``, the numbers of its classes, -1 where that
            is unknown.

        Returns
        -------
        dict of str to Tensor without dimensions
            ``"loss"``, the value to minimise; ``"contrastive_loss"``,
            ``"cross_entropy_loss"`` and, with an auxiliary task,
            ``"auxiliary_loss"``, each without its weight.
        """
        y = batch["y"]
        contrasted = output.features
        if self.position == "probabilities":
            contrasted = output.logits.softmax(dim=1)
        n_pairs = len(y) // 2
        margin = self.margin
        if margin is None and (self.distance, self.position) == _LARGE_DISTANCES:
            margin = 2 * sqrt(contrasted.shape[1])
        contrastive = contrastive_loss(
            contrasted[:n_pairs],
            contrasted[n_pairs:],
            y[:n_pairs] == y[n_pairs:],
            distance=self.distance,
            margin=margin,
        ).mean()
        smoothing = self.label_smoothing if self.training else 0.0
        classification = class_losses(output.logits, batch, smoothing).mean()
        weight = self.contrastive_weight
        loss = weight * contrastive + (1 - weight) * classification
        losses = {
            "contrastive_loss": contrastive,
            "cross_entropy_loss": classification,
        }
        if output.auxiliary is not None:
            added = known_cross_entropy(output.auxiliary, batch["auxiliary"])
            losses["auxiliary_loss"] = added
            weight = self.auxiliary_weight
            loss = (1 - weight) * loss + weight * added
        return {"loss": loss, **losses}
