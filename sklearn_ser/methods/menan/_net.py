"""Encoder, emotion head and speaker head of Li et al. (2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ...training._layers import ATTENTION, Dropout

Pooling = Literal["statistics", "attention", "attentive_statistics"]


class _GradientReversal(torch.autograd.Function):
    """Identity, whose gradient is multiplied by a negative number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradients[0], None


def reverse_gradient(x: Tensor, scale: float = 1.0) -> Tensor:
    """Pass a tensor on as it is, and its gradient back with the opposite sign.

    The layers after it learn to minimise a loss, and the layers before it to maximise
    it. This is the layer of domain-adversarial training (Ganin et al., 2016).

    Parameters
    ----------
    x : Tensor
        Any tensor.
    scale : float, default=1.0
        Factor of the gradient, beside its sign.

    Returns
    -------
    Tensor
        The same values.

    References
    ----------
    .. [1] Y. Ganin, E. Ustinova, H. Ajakan, P. Germain, H. Larochelle, F. Laviolette,
       M. Marchand and V. Lempitsky, "Domain-adversarial training of neural networks",
       Journal of Machine Learning Research 17, 2016.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import reverse_gradient
    >>> x = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(x, scale=0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000, -0.5000])
    """
    reversed_: Tensor = _GradientReversal.apply(x, scale)  # type: ignore[no-untyped-call]
    return reversed_


class EmotionAndSpeaker(NamedTuple):
    """What `SpeakerInvariantNet` tells of utterances."""

    emotion: Tensor
    """Logits of the emotions, of shape (n, n_classes)."""
    speaker: Tensor | None
    """Logits of the speakers, of shape (n, n_speakers), where it has such a head."""


class SpeakerInvariantNet(nn.Module):
    """Encoder with an emotion head and a speaker head.

    The encoder has two convolutions over time, a gated recurrent unit (GRU) and a
    linear layer, and takes mean, standard deviation and maximum over time. Each of the
    two heads has three layers. With the defaults, 43 features, four emotions and eight
    speakers, the encoder has 26,339 parameters, the emotion head 3,480 and the speaker
    head 3,524.

    Parameters
    ----------
    n_features : int
        Width of a frame.
    n_classes : int
        Number of emotions.
    n_speakers : int, default=0
        Number of speakers; 0 is a network without speaker head.
    hidden_size : int, default=32
        Channels of the convolutions and units of the GRU.
    kernel_sizes : sequence of int, default=(10, 5)
        Frames that each convolution sees at once.
    stride : int, default=2
        Frames from one step of a convolution to the next.
    head_sizes : sequence of int, default=(32, 10)
        Widths of the hidden layers of both heads.
    reverse : bool, default=False
        Whether the gradient of the speaker head reaches the encoder with the opposite
        sign.
    pooling : {"statistics", "attention", "attentive_statistics"}, default="statistics"
        What is taken over time: mean, standard deviation and maximum, a mean with
        weights that are learned, see `AttentionPooling`, or mean and deviation with
        such weights, see `AttentiveStatistics`.
    dropout : float, default=0.0
        Share of the values that are dropped in training, before both heads.

    Attributes
    ----------
    n_features_out : int
        Width of the representation.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import SpeakerInvariantNet
    >>> net = SpeakerInvariantNet(n_features=43, n_classes=4, n_speakers=8)
    >>> sum(parameter.numel() for parameter in net.parameters())
    33343
    >>> x, lengths = torch.zeros(2, 1397, 43), torch.tensor([1397, 200])
    >>> net.encode(x, lengths).shape
    torch.Size([2, 96])
    >>> net(x, lengths).speaker.shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        n_speakers: int = 0,
        hidden_size: int = 32,
        kernel_sizes: Sequence[int] = (10, 5),
        stride: int = 2,
        head_sizes: Sequence[int] = (32, 10),
        reverse: bool = False,
        pooling: Pooling = "statistics",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ValueError(
                f"pooling must be one of {get_args(Pooling)}, got {pooling!r}."
            )
        self.kernel_sizes = tuple(kernel_sizes)
        self.stride = stride
        self.reverse = reverse
        widths = [n_features, *(hidden_size for _ in kernel_sizes)]
        layers: list[nn.Module] = []
        for index, size in enumerate(kernel_sizes):
            layers += [nn.Conv1d(widths[index], hidden_size, size, stride), nn.PReLU()]
        self.convolutions = nn.Sequential(*layers)
        self.gru = nn.GRU(widths[-1], hidden_size, batch_first=True)
        self.projection = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.PReLU())
        attention = ATTENTION.get(pooling)
        n_statistics = attention.n_statistics if attention else 3
        self.n_features_out = hidden_size * n_statistics
        self.emotion_head = _head(self.n_features_out, head_sizes, n_classes)
        self.speaker_head = (
            _head(self.n_features_out, head_sizes, n_speakers) if n_speakers else None
        )
        self.attention = attention(hidden_size) if attention else None
        self.dropout = Dropout(dropout)

    @property
    def min_frames(self) -> int:
        """Frames that the convolutions need for one step."""
        needed = 1
        for size in reversed(self.kernel_sizes):
            needed = (needed - 1) * self.stride + size
        return needed

    def encode(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the representation of utterances.

        Parameters
        ----------
        x : Tensor of shape (n, n_frames, n_features)
            Utterances; values after their ends do not count.
        lengths : Tensor of shape (n,), int64
            Frames of each utterance, at least one. Those that are too short for the
            convolutions are repeated until they are long enough.

        Returns
        -------
        Tensor of shape (n, n_features_out)
            Mean, standard deviation (with n in the denominator; the paper does not
            say) and maximum over time; or the weighted mean, with or without
            deviation.
        """
        x, lengths = _repeat_short(x, lengths, self.min_frames)
        steps = self.convolutions(x.transpose(1, 2)).transpose(1, 2)
        for size in self.kernel_sizes:
            lengths = (lengths - size) // self.stride + 1
        states, _ = self.gru(steps)
        states = self.projection(states)
        if self.attention is None:
            return _pool(states, lengths)
        attended: Tensor = self.attention(states, lengths)
        return attended

    def forward(
        self,
        x: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> EmotionAndSpeaker:
        """Return the logits of emotions and speakers.

        Parameters
        ----------
        x : Tensor of shape (n, n_frames, n_features)
            As for `encode`.
        lengths : Tensor of shape (n,), int64
            As for `encode`.
        generator : torch.Generator or None, default=None
            Where dropout is drawn; None is torch's global generator.

        Returns
        -------
        EmotionAndSpeaker
        """
        return self.classify(self.dropout(self.encode(x, lengths), generator))

    def classify(
        self, representation: Tensor, *, freeze_speaker_head: bool = False
    ) -> EmotionAndSpeaker:
        """Return the logits of emotions and speakers.

        Parameters
        ----------
        representation : Tensor of shape (n, n_features_out)
            What `encode` returns, after dropout.
        freeze_speaker_head : bool, default=False
            Whether no gradient reaches the weights of the speaker head, though it
            passes through them to the representation.

        Returns
        -------
        EmotionAndSpeaker
        """
        emotion = self.emotion_head(representation)
        head = self.speaker_head
        if head is None:
            return EmotionAndSpeaker(emotion, None)
        if self.reverse:
            representation = reverse_gradient(representation)
        if not freeze_speaker_head:
            return EmotionAndSpeaker(emotion, head(representation))
        # Without touching the weights, whose own step comes first.
        frozen = {name: weight.detach() for name, weight in head.named_parameters()}
        return EmotionAndSpeaker(
            emotion, functional_call(head, frozen, (representation,))
        )


def _head(width: int, sizes: Sequence[int], n_outputs: int) -> nn.Sequential:
    """Return linear layers with PReLU between them."""
    layers: list[nn.Module] = []
    for size in sizes:
        layers += [nn.Linear(width, size), nn.PReLU()]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, n_outputs))


def _repeat_short(x: Tensor, lengths: Tensor, least: int) -> tuple[Tensor, Tensor]:
    """Repeat utterances with too few frames in a cycle until they have enough."""
    if bool((lengths >= least).all()):
        return x, lengths
    n_frames = max(x.shape[1], least)
    frame = torch.arange(n_frames, device=x.device)
    cycle = torch.where(lengths < least, lengths, n_frames)
    index = frame % cycle[:, None]
    repeated = x.gather(1, index[:, :, None].expand(-1, -1, x.shape[2]))
    return repeated, lengths.clamp(min=least)


def _pool(x: Tensor, lengths: Tensor) -> Tensor:
    """Return mean, standard deviation and maximum over the steps that count."""
    frame = torch.arange(x.shape[1], device=x.device)
    after = (frame >= lengths[:, None])[:, :, None]
    n = lengths[:, None].to(x)
    mean = x.masked_fill(after, 0).sum(dim=1) / n
    deviation = (x - mean[:, None]).masked_fill(after, 0)
    # The gradient of a norm at zero is zero; that of a square root is infinite.
    std = torch.linalg.vector_norm(deviation, dim=1) / n.sqrt()
    highest = x.masked_fill(after, -torch.inf).amax(dim=1)
    return torch.cat([mean, std, highest], dim=1)
