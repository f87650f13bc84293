"""The convolutional network of Lian et al. (2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from ...training._layers import ATTENTION, Dropout

Pooling = Literal["max", "attention", "attentive_statistics"]


class SiameseOutput(NamedTuple):
    """What `SiameseCNN` gives for each sequence."""

    features: Tensor
    """Features before dropout and linear layer, of shape (n, n_features_out)."""
    logits: Tensor
    """Logits of the classes, of shape (n, n_classes)."""
    auxiliary: Tensor | None
    """Logits of the auxiliary classes, of shape (n, n_auxiliary), if there are any."""


class SiameseCNN(nn.Module):
    """Parallel convolutions over time, a maximum pooling and a linear layer.

    One branch of the siamese network of Lian et al. (2018), and the whole network in
    the test. Both members of a pair pass the same weights. Pass them in one batch, so
    that they also share the statistics of the batch normalisation. Each convolution is
    followed by batch normalisation, a rectified linear unit and a maximum pooling; the
    features of all are concatenated and flattened. With 13 features, 898 frames and
    four classes it has 258,604 parameters.

    Parameters
    ----------
    n_features : int
        Width of a frame.
    n_frames : int
        Frames of each sequence, at least `pool_size`.
    n_classes : int
        Number of classes.
    n_filters : int, default=100
        Filters of each convolution (paper).
    kernel_sizes : sequence of int, default=(13, 7)
        Frames of the filters of each convolution (paper), odd numbers: the sequence
        is padded with zeros by half of them, and keeps its length.
    pool_size : int, default=30
        Frames over which the maximum is taken (paper).
    pool_stride : int, default=3
        Frames from one maximum to the next (paper).
    n_auxiliary : int, default=0
        Classes of an auxiliary task, which a second linear layer tells apart; 0 is
        none.
    pooling : {"max", "attention", "attentive_statistics"}, default="max"
        What is taken over time: the maxima of windows (paper), or in their place a mean
        over all frames with weights that are learned, see `AttentionPooling`, or mean
        and deviation with such weights, see `AttentiveStatistics`.
    dropout : float, default=0.0
        Share of the values that are dropped in training, before the linear layers.

    Attributes
    ----------
    n_features_out : int
        Number of flattened features; of attention, one or two for each filter.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under siamese networks", ASMMC-MMAC, 2018,
       doi:10.1145/3267935.3267946.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import SiameseCNN
    >>> net = SiameseCNN(n_features=13, n_frames=898, n_classes=4)
    >>> sum(parameter.numel() for parameter in net.parameters())
    258604
    >>> output = net(torch.zeros(2, 898, 13))
    >>> output.features.shape, output.logits.shape
    (torch.Size([2, 58000]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        n_features: int,
        n_frames: int,
        n_classes: int,
        n_filters: int = 100,
        kernel_sizes: Sequence[int] = (13, 7),
        pool_size: int = 30,
        pool_stride: int = 3,
        n_auxiliary: int = 0,
        pooling: Pooling = "max",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ValueError(
                f"pooling must be one of {get_args(Pooling)}, got {pooling!r}."
            )
        if any(size % 2 == 0 for size in kernel_sizes):
            raise ValueError(
                "kernel_sizes must be odd, so that a sequence keeps its length, got "
                f"{tuple(kernel_sizes)}."
            )
        if n_frames < pool_size:
            raise ValueError(
                f"n_frames must be at least pool_size={pool_size}, got {n_frames}."
            )
        self.n_frames = n_frames
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(n_features, n_filters, size, padding=size // 2),
                nn.BatchNorm1d(n_filters),
                *(_pooling(pool_size, pool_stride) if pooling == "max" else ()),
                # After the pooling, as the maximum of what is rectified is the
                # rectified maximum: the same values from a third of the work.
                nn.ReLU(),
            )
            for size in kernel_sizes
        )
        width = len(kernel_sizes) * n_filters
        n_positions = (n_frames - pool_size) // pool_stride + 1
        attention = ATTENTION.get(pooling)
        n_statistics = attention.n_statistics if attention else n_positions
        self.n_features_out = width * n_statistics
        self.head = nn.Linear(self.n_features_out, n_classes)
        self.auxiliary_head = (
            nn.Linear(self.n_features_out, n_auxiliary) if n_auxiliary else None
        )
        self.attention = attention(width) if attention else None
        self.dropout = Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> SiameseOutput:
        """Return features and logits.

        Parameters
        ----------
        x : Tensor of shape (n, n_frames, n_features)
            Sequences of one length.
        lengths : Tensor of shape (n,), int64, or None, default=None
            Frames before the padding of each sequence, to which alone attention is
            paid; None counts all. The maxima see the padding, as in the paper.
        generator : torch.Generator or None, default=None
            Where dropout is drawn; None is torch's global generator.

        Returns
        -------
        SiameseOutput
            Of n rows each.

        Raises
        ------
        ValueError
            If the sequences have another length than the network was built for.
        """
        if x.shape[1] != self.n_frames:
            raise ValueError(
                f"The network takes {self.n_frames} frames, got {x.shape[1]}."
            )
        time_last = x.transpose(1, 2).contiguous()
        features = torch.cat([branch(time_last) for branch in self.branches], dim=1)
        if self.attention is None:
            features = features.flatten(1)
        else:
            features = self.attention(features.transpose(1, 2), lengths)
        kept = self.dropout(features, generator)
        auxiliary = None
        if self.auxiliary_head is not None:
            auxiliary = self.auxiliary_head(kept)
        return SiameseOutput(features, self.head(kept), auxiliary)


def _pooling(size: int, stride: int) -> list[nn.Module]:
    """Return layers that take the maximum over windows in time."""
    if stride == 1 or size % stride:
        return [nn.MaxPool1d(size, stride)]
    # A window of 30 is ten of 3, each of which several windows share.
    return [nn.MaxPool1d(stride), nn.MaxPool1d(size // stride, 1)]
