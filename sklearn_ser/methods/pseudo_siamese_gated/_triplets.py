"""Which segments make a triplet (Gao et al., 2021)."""

from __future__ import annotations

from math import inf
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from ..._constants import UNKNOWN

Mining = Literal["random", "semihard"]

# Remainders of random numbers below this one are nearly uniformly distributed.
_MANY = 2**62


class Triplets(NamedTuple):
    """Rows of embeddings that make triplets, from `mine_triplets`."""

    anchor: Tensor
    """Rows of the anchors, of shape (n_triplets,), int64, in rising order."""
    positive: Tensor
    """Rows of the candidates that are positives, of shape (n_triplets,), int64."""
    negative: Tensor
    """Rows of the candidates that are negatives, of shape (n_triplets,), int64."""


def mine_triplets(
    anchors: Tensor,
    candidates: Tensor,
    anchor_quadrant: Tensor,
    candidate_quadrant: Tensor,
    *,
    mining: Mining = "random",
    margin: float = 1.0,
    exclude_self: bool = False,
    generator: torch.Generator | None = None,
) -> Triplets:
    """Find a triplet for each anchor that can have one.

    A positive is a candidate in the quadrant of the anchor, that is of the same valence
    and the same activation; a negative is one in another quadrant. An anchor without a
    positive or without a negative among the candidates gets no triplet.

    Parameters
    ----------
    anchors : Tensor of shape (n, n_features)
        Embeddings.
    candidates : Tensor of shape (m, n_features)
        Embeddings of possible positives and negatives.
    anchor_quadrant : Tensor of shape (n,), int64
        Quadrants of the anchors, as `sklearn_ser.datasets.emotion_quadrant` numbers
        them; -1 where it is not known: such an anchor gets no triplet.
    candidate_quadrant : Tensor of shape (m,), int64
        Those of the candidates; one of an unknown quadrant is in no triplet.
    mining : {"random", "semihard"}, default="random"
        How the negative is chosen; the positive is drawn at random. The paper does not
        say. ``"random"``: at random. ``"semihard"``: the nearest of those that are
        farther than the positive, but by less than the margin [1]_; where there is
        none, at random.
    margin : float, default=1.0
        Margin of ``"semihard"``, that of the loss, greater than 0.
    exclude_self : bool, default=False
        Whether candidate i stems from the same input as anchor i, and can therefore not
        be its positive. There must be as many candidates as anchors.
    generator : torch.Generator or None, default=None
        Of the CPU, wherever the embeddings are, so that a seed means the same on every
        device. None is torch's global one.

    Returns
    -------
    Triplets
        At most n, on the device of the embeddings; no gradient flows through them.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or mining or margin are not among the values
        above.

    Notes
    -----
    The random numbers of an anchor depend on the number of anchors, but not on the
    other anchors, nor on how its negative is mined.

    References
    ----------
    .. [1] F. Schroff, D. Kalenichenko and J. Philbin, "FaceNet: a unified embedding
       for face recognition and clustering", CVPR, 2015, arXiv:1503.03832.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import mine_triplets
    >>> embeddings, quadrants = torch.eye(3), torch.tensor([1, 2, -1])
    >>> mine_triplets(embeddings, embeddings, quadrants, quadrants)
    Triplets(anchor=tensor([0, 1]), positive=tensor([0, 1]), negative=tensor([1, 0]))
    """
    check_mining(mining)
    check_margin(margin)
    _check_embeddings(anchors, candidates, anchor_quadrant, candidate_quadrant)
    if exclude_self and len(anchors) != len(candidates):
        raise ValueError(
            "exclude_self needs as many candidates as anchors, candidate i of the same "
            f"input as anchor i; got {len(anchors)} anchors and {len(candidates)} "
            "candidates."
        )
    same = anchor_quadrant[:, None] == candidate_quadrant
    # An anchor of an unknown quadrant has then no positive, and no triplet.
    known = candidate_quadrant != UNKNOWN
    positives, negatives = known & same, known & ~same
    if exclude_self:
        positives.fill_diagonal_(False)
    # For each anchor, also for one without a triplet: see the Notes.
    drawn = torch.randint(_MANY, (2, len(anchors)), generator=generator, device="cpu")
    drawn = drawn.to(anchors.device)
    anchor = (positives.any(dim=1) & negatives.any(dim=1)).nonzero().squeeze(dim=1)
    negatives = negatives[anchor]
    positive = _choose(positives[anchor], drawn[0, anchor])
    negative = _choose(negatives, drawn[1, anchor])
    if mining == "semihard" and len(anchor):
        distances = torch.cdist(
            anchors.detach()[anchor],
            candidates.detach(),
            # Computed by matrix products, small distances would be lost to rounding.
            compute_mode="donot_use_mm_for_euclid_dist",
        )
        to_positive = distances.gather(1, positive[:, None])
        farther = (distances > to_positive) & (distances < to_positive + margin)
        semihard = negatives & farther
        nearest = distances.where(semihard, inf).argmin(dim=1)
        negative = nearest.where(semihard.any(dim=1), negative)
    return Triplets(anchor, positive, negative)


def _choose(allowed: Tensor, drawn: Tensor) -> Tensor:
    """Return for each row one of the columns that are allowed, at least one."""
    counts = allowed.cumsum(dim=1)
    # The first column up to which there are as many as were drawn.
    rank = drawn % allowed.sum(dim=1) + 1
    return torch.searchsorted(counts, rank[:, None]).squeeze(dim=1)


def _check_embeddings(
    anchors: Tensor,
    candidates: Tensor,
    anchor_quadrant: Tensor,
    candidate_quadrant: Tensor,
) -> None:
    """Refuse shapes that do not fit together."""
    if (
        anchors.ndim != 2
        or candidates.ndim != 2
        or anchors.shape[1] != candidates.shape[1]
    ):
        raise ValueError(
            "anchors and candidates must have shapes (n, n_features) and "
            f"(m, n_features), got {tuple(anchors.shape)} and "
            f"{tuple(candidates.shape)}."
        )
    for name, embeddings, quadrant in (
        ("anchor", anchors, anchor_quadrant),
        ("candidate", candidates, candidate_quadrant),
    ):
        if quadrant.shape != embeddings.shape[:1]:
            raise ValueError(
                f"{name}_quadrant must have one number for each of the "
                f"{len(embeddings)} {name}s, got shape {tuple(quadrant.shape)}."
            )


def check_margin(margin: float) -> None:
    """Refuse a margin that is not finite and positive.

    Parameters
    ----------
    margin : float
        Margin of a triplet loss.

    Raises
    ------
    ValueError
        If it is not finite and greater than 0.
    """
    if not 0 < margin < inf:
        raise ValueError(f"margin must be finite and greater than 0, got {margin}.")


def check_mining(mining: str) -> None:
    """Refuse an unknown kind of mining.

    Parameters
    ----------
    mining : str
        How negatives are chosen.

    Raises
    ------
    ValueError
        If it is neither ``"random"`` nor ``"semihard"``.
    """
    if mining not in get_args(Mining):
        raise ValueError(f"mining must be 'random' or 'semihard', got {mining!r}.")
