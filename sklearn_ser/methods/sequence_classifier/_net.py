"""Recurrent classifiers of sequences, blind to padding."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pad_packed_sequence,
)

from ...training._layers import ATTENTION, Dropout

Pooling = Literal["last", "mean", "max", "attention", "attentive_statistics"]


class SequenceOutput(NamedTuple):
    """What a classifier makes of sequences."""

    representation: Tensor
    """What the linear layer is given: one vector for each, of shape (n, width)."""
    logits: Tensor
    """Logits of the classes, of shape (n, n_classes)."""


class RecurrentClassifier(nn.Module):
    """Layers of LSTM over sequences, a pooling over time and a linear layer.

    The default is the classifier of Latif et al. (2018): two layers whose activation
    is the hyperbolic tangent, and the last state of the second. Its width is not
    published; with 256 features, 128 units and four classes it has 330,244
    parameters.

    Parameters
    ----------
    n_features : int
        Width of a frame.
    n_classes : int
        Number of classes.
    hidden_size : int, default=128
        Units of each layer, in each direction.
    n_layers : int, default=2
        Number of layers.
    bidirectional : bool, default=False
        Whether each layer also reads backwards.
    pooling : {"last", "mean", "max", "attention", "attentive_statistics"}, \
default="last"
        Which of the last layer's states are classified: the one after the last frame
        (and, backwards, the one after the first), their mean or maximum over time, or
        a mean with weights that are learned, see `AttentionPooling`, or mean and
        deviation with such weights, see `AttentiveStatistics`.
    dropout : float, default=0.0
        Share of the values that are dropped in training, before each layer but the
        first and before the linear layer.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import RecurrentClassifier
    >>> net = RecurrentClassifier(n_features=256, n_classes=4)
    >>> sum(parameter.numel() for parameter in net.parameters())
    330244
    >>> net(torch.zeros(2, 30, 256), lengths=torch.tensor([30, 12])).logits.shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden_size: int = 128,
        n_layers: int = 2,
        bidirectional: bool = False,
        pooling: Pooling = "last",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ValueError(
                f"pooling must be one of {get_args(Pooling)}, got {pooling!r}."
            )
        self.pooling = pooling
        self.dropout = Dropout(dropout)
        width = hidden_size * (2 if bidirectional else 1)
        # One by one, and not a stack, whose dropout draws from the global generator.
        self.layers = nn.ModuleList(
            nn.LSTM(
                width if index else n_features,
                hidden_size,
                batch_first=True,
                bidirectional=bidirectional,
            )
            for index in range(n_layers)
        )
        attention = ATTENTION.get(pooling)
        n_statistics = attention.n_statistics if attention else 1
        self.head = nn.Linear(n_statistics * width, n_classes)
        self.attention = attention(width) if attention else None

    def forward(
        self,
        x: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> SequenceOutput:
        """Return representations, and the logits of the classes.

        Parameters
        ----------
        x : Tensor of shape (n, n_frames, n_features)
            Sequences; values after their ends do not count.
        lengths : Tensor of shape (n,), int64
            Frames of each sequence, at least one.
        generator : torch.Generator or None, default=None
            Where dropout is drawn; None is torch's global generator.

        Returns
        -------
        SequenceOutput
            The representations are those before dropout.
        """
        pooled = self.encode(x, lengths, generator)
        return SequenceOutput(pooled, self.head(self.dropout(pooled, generator)))

    def encode(
        self,
        x: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return what the linear layer classifies: one vector for each sequence.

        Parameters
        ----------
        x : Tensor of shape (n, n_frames, n_features)
            As for `forward`.
        lengths : Tensor of shape (n,), int64
            As for `forward`.
        generator : torch.Generator or None, default=None
            As for `forward`.

        Returns
        -------
        Tensor of shape (n, hidden_size), or (n, 2 * hidden_size)
        """
        packed = pack_padded_sequence(
            x, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        state = x
        for index, layer in enumerate(self.layers):
            if index:
                packed = packed._replace(data=self.dropout(packed.data, generator))
            packed, (state, _) = layer(packed)
        return self._pool(packed, state)

    def _pool(self, packed: PackedSequence, state: Tensor) -> Tensor:
        """Return one vector for each sequence, of shape (n, width)."""
        if self.pooling == "last":
            return torch.cat(list(state), dim=1)
        fill = -torch.inf if self.pooling == "max" else 0.0
        states, lengths = pad_packed_sequence(
            packed, batch_first=True, padding_value=fill
        )
        if self.pooling == "max":
            return states.amax(dim=1)
        lengths = lengths.to(states.device)
        if self.attention is not None:
            attended: Tensor = self.attention(states, lengths)
            return attended
        return states.sum(dim=1) / lengths.to(states)[:, None]
