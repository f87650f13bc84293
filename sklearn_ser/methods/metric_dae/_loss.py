"""The continuous metric loss (Das et al., 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, and_
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._net import DenoisingOutput

Distance = Literal["euclidean", "mean_euclidean", "signed"]
Combine = Literal["sum", "log"]


class ContinuousMetricTerms(NamedTuple):
    """The parts of the continuous metric loss, each a tensor without dimensions."""

    slope_loss: Tensor
    """Distance of the slope from one, Eq. 3."""
    residual_loss: Tensor
    """Mean squared residual over the pairs, Eq. 4."""
    slope: Tensor
    """Ordinary least squares slope through the origin, Eq. 2."""


def continuous_metric_loss(
    embedding: Tensor, label: Tensor, *, distance: Distance = "euclidean"
) -> Tensor:
    r"""Continuous metric loss, Eqs. 2 to 5 of Das et al. (2022).

    Over all pairs :math:`i < j` of a batch, the distances of the embedding,
    :math:`n_{ij}`, are regressed through the origin on the distances of the
    label, :math:`l_{ij}`. The loss asks for a slope of one and for small
    residuals:

    .. math::

        b = \frac{\sum l_{ij} n_{ij}}{\sum l_{ij}^2}, \qquad
        \mathcal{L} = |b - 1| + \frac{1}{P} \sum (n_{ij} - b\, l_{ij})^2

    It is zero where the embedding keeps every label distance, and one where
    the embedding has collapsed to a point.

    Parameters
    ----------
    embedding : Tensor of shape (batch_size, latent_dim)
        Latent representation :math:`z`, floating point.
    label : Tensor of shape (batch_size,)
        Activation or valence. NaN means "unlabelled": only pairs of labelled
        rows count.
    distance : {"euclidean", "mean_euclidean", "signed"}, default="euclidean"
        Distance of a pair. ``"euclidean"``: :math:`\lVert z_i - z_j \rVert` and
        :math:`|l_i - l_j|`, as the paper's text says. ``"mean_euclidean"``: the
        former divided by ``latent_dim``, the latter as it is. ``"signed"``: the mean
        over the latent dimensions of :math:`z_i - z_j`, and :math:`l_i - l_j`, as in
        the script that the authors released (its :math:`\epsilon = 10^{-6}`, there to
        avoid a division by zero, is not needed here).

    Returns
    -------
    Tensor without dimensions
        The loss. Zero, with a zero gradient, where a batch says nothing:
        fewer than two labelled rows, or all labels equal.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or `distance` is unknown.

    See Also
    --------
    continuous_metric_terms : The parts of this loss.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg and L. H.
       Clemmensen, "Continuous metric learning for transferable speech emotion
       recognition and embedding across low-resource languages", Northern Lights
       Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import continuous_metric_loss
    >>> activation = torch.tensor([1.0, 2.0, 4.5])
    >>> isometry = torch.stack([activation, torch.zeros(3)], dim=1)
    >>> continuous_metric_loss(isometry, activation).item()
    0.0
    >>> continuous_metric_loss(torch.zeros(3, 2), activation).item()
    1.0
    """
    terms = continuous_metric_terms(embedding, label, distance=distance)
    return terms.slope_loss + terms.residual_loss


def continuous_metric_terms(
    embedding: Tensor, label: Tensor, *, distance: Distance = "euclidean"
) -> ContinuousMetricTerms:
    """Return the parts of `continuous_metric_loss`, Eqs. 2 to 4 of Das et al. (2022).

    Parameters
    ----------
    embedding : Tensor of shape (batch_size, latent_dim)
        Latent representation.
    label : Tensor of shape (batch_size,)
        Activation or valence; NaN means "unlabelled".
    distance : {"euclidean", "mean_euclidean", "signed"}, default="euclidean"
        See `continuous_metric_loss`.

    Returns
    -------
    ContinuousMetricTerms
        ``slope_loss`` (Eq. 3), ``residual_loss`` (Eq. 4) and ``slope`` (Eq. 2).
        Where a batch says nothing, the losses are zero and the slope is NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or `distance` is unknown.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import continuous_metric_terms
    >>> activation = torch.tensor([1.0, 2.0, 4.5])
    >>> terms = continuous_metric_terms(3 * activation[:, None], activation)
    >>> terms.slope.item(), terms.residual_loss.item()
    (3.0, 0.0)
    """
    if embedding.ndim != 2 or label.shape != embedding.shape[:1]:
        raise ValueError(
            "embedding must have shape (batch_size, latent_dim) and label "
            f"(batch_size,), got {tuple(embedding.shape)} and {tuple(label.shape)}."
        )
    if distance not in get_args(Distance):
        raise ValueError(
            "distance must be 'euclidean', 'mean_euclidean' or 'signed', "
            f"got {distance!r}."
        )
    if not label.is_floating_point():
        label = label.to(embedding.dtype)
    labeled = ~label.isnan()
    if not bool(labeled.all()):
        embedding, label = embedding[labeled], label[labeled]
    if len(embedding) < 2:
        nothing = embedding.sum() * 0.0
        return ContinuousMetricTerms(nothing, nothing, nothing * torch.nan)

    of_embedding, of_label = _pair_distances(embedding, label, distance)
    of_label = of_label.to(embedding.dtype)
    spread = of_label.dot(of_label)
    # No branch on a value: a batch of equal labels is masked out instead.
    informative = spread > len(of_label) * _rounding(label).square()
    weight = informative.to(embedding.dtype)
    slope = weight * of_label.dot(of_embedding) / spread.where(informative, weight + 1)
    residual = functional.mse_loss(of_embedding, slope * of_label)
    return ContinuousMetricTerms(
        weight * (slope - 1.0).abs(),
        weight * residual,
        slope.where(informative, torch.nan),
    )


def _rounding(label: Tensor) -> Tensor:
    """Return by how much equal labels may differ: relative, so that no unit matters."""
    return torch.finfo(label.dtype).eps * label.abs().max()


def _pair_distances(
    embedding: Tensor, label: Tensor, distance: Distance
) -> tuple[Tensor, Tensor]:
    """Return the distances of embedding and label over all pairs i < j."""
    if distance == "signed":
        first, second = torch.triu_indices(
            len(label), len(label), offset=1, device=label.device
        )
        mean = embedding.mean(dim=1)
        return mean[first] - mean[second], label[first] - label[second]
    # The gradient of pdist at coincident points is zero, hence finite.
    of_embedding = functional.pdist(embedding)
    of_label = functional.pdist(label[:, None])
    if distance == "mean_euclidean":
        of_embedding = of_embedding / embedding.shape[1]
    return of_embedding, of_label


class MetricDAELoss(nn.Module):
    r"""Loss of the denoising autoencoder, Eqs. 1 and 6 of Das et al. (2022).

    .. math:: \mathcal{L} = \mathcal{L}_{DAE} + w \sum_k \mathcal{L}_{metric}^{(k)}

    with the mean squared error of the reconstruction, and one metric loss per
    label, each on its own equal share of the latent dimensions.

    Parameters
    ----------
    distance : {"euclidean", "mean_euclidean", "signed"}, default="euclidean"
        See `continuous_metric_loss`.
    combine : {"sum", "log"}, default="sum"
        ``"sum"`` as above; ``"log"`` takes the logarithm of the sum, as in the script
        that the authors released. Without labels the loss is the plain reconstruction
        error in both cases, as in that script.
    metric_weight : float, default=1.0
        Weight :math:`w`; one in the paper.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import MetricDAELoss
    >>> from sklearn_ser.nets import DenoisingOutput
    >>> x, embedding = torch.ones(4, 88), torch.arange(8.0).reshape(4, 2)
    >>> loss = MetricDAELoss()(DenoisingOutput(embedding, x), {"X": x})
    >>> loss["loss"].item()
    0.0
    """

    counted: ClassVar = {"slope_loss": "labels", "residual_loss": "labels"}

    def __init__(
        self,
        distance: Distance = "euclidean",
        combine: Combine = "sum",
        metric_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if combine not in get_args(Combine):
            raise ValueError(f"combine must be 'sum' or 'log', got {combine!r}.")
        self.distance = distance
        self.combine = combine
        self.metric_weight = metric_weight

    def forward(
        self, output: DenoisingOutput, batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the loss and its parts.

        Parameters
        ----------
        output : DenoisingOutput
            The ``reconstruction`` of shape (batch_size, n_features) and the
            ``embedding`` of shape (batch_size, latent_dim).
        batch : mapping
            ``"X"``, the clean features, of shape (batch_size, n_features), and,
            where labels are learned, ``"labels"`` of shape (batch_size,
            n_labels), NaN for unlabelled.

        Returns
        -------
        dict of str to Tensor without dimensions
            ``"loss"``, the value to minimise; ``"reconstruction_loss"``; and,
            where labels are learned, ``"slope_loss"`` and ``"residual_loss"``,
            summed over the labels that the batch says anything of; NaN if there is
            none, which counts as zero in the loss.
        """
        reconstruction = functional.mse_loss(output.reconstruction, batch["X"])
        if "labels" not in batch:
            return {"loss": reconstruction, "reconstruction_loss": reconstruction}
        labels = batch["labels"]
        if output.embedding.shape[1] < labels.shape[1]:
            raise ValueError(
                f"{output.embedding.shape[1]} latent dimensions cannot be shared by "
                f"{labels.shape[1]} labels."
            )
        # With one label, views of all the embedding would only cost time.
        shares = (
            output.embedding.tensor_split(labels.shape[1], dim=1)
            if labels.shape[1] > 1
            else [output.embedding]
        )
        terms = [
            continuous_metric_terms(share, label, distance=self.distance)
            for share, label in zip(shares, labels.unbind(dim=1), strict=True)
        ]
        slope = reduce(add, (term.slope_loss for term in terms))
        residual = reduce(add, (term.residual_loss for term in terms))
        metric = slope + residual
        if self.metric_weight != 1.0:
            metric = self.metric_weight * metric
        total = reconstruction + metric
        if self.combine == "log":
            # The logarithm is unbounded below: stop where the number format ends.
            total = total.clamp_min(torch.finfo(total.dtype).tiny).log()
        parts = {"slope_loss": slope, "residual_loss": residual}
        nothing = reduce(and_, (term.slope.isnan() for term in terms))
        # On a GPU, a look at a value would wait for it; on the CPU it saves two steps.
        if not nothing.is_cpu or nothing:
            parts = {n: x.masked_fill(nothing, torch.nan) for n, x in parts.items()}
        return {"loss": total, "reconstruction_loss": reconstruction, **parts}
