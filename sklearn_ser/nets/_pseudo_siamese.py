"""The networks of Gao et al. (2021), with the convolutions of Satt et al. (2017)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from ._recurrent import RecurrentClassifier

Fusion = Literal["gate", "concatenate"]
Activation = Literal["tanh", "relu", "identity"]

# Filters, and their frames and bins: Satt et al. (2017), final model.
_CONVOLUTIONS = ((16, (12, 16)), (24, (8, 12)), (32, (5, 7)))
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "identity": nn.Identity,
}

Shape = tuple[int, int]


class SegmentEncoder(nn.Sequential):
    """Three convolutions with pooling, and a linear layer: a segment becomes a vector.

    The deep convolutional network of Satt et al. (2017): 16 filters of 12 frames and
    16 bins, 24 of 8 and 12, 32 of 5 and 7, each followed by a rectified linear unit
    and the maximum of two frames and two bins. On segments of 32 x 129 the
    convolutions have 66,888 parameters and the linear layer 262,272.

    Parameters
    ----------
    segment_shape : tuple of two int, default=(32, 129)
        Frames and bins of a segment. Of small ones, filters are no larger than what
        they see, and no maximum is taken over a dimension that is one.
    embedding_size : int, default=128
        Length of the vector; not published.

    Notes
    -----
    The first weights are those of He et al. (2015) for rectified linear units, with
    biases of zero: neither paper names its own, and with torch's the signal of a
    segment fades from layer to layer.

    References
    ----------
    .. [1] A. Satt, S. Rozenberg and R. Hoory, "Efficient emotion recognition from
       speech using deep learning on spectrograms", Interspeech, 2017.
    .. [2] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers:
       surpassing human-level performance on ImageNet classification", ICCV, 2015.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import SegmentEncoder
    >>> encoder = SegmentEncoder()
    >>> sum(parameter.numel() for parameter in encoder.parameters())
    329160
    >>> encoder(torch.zeros(2, 32 * 129)).shape
    torch.Size([2, 128])
    """

    def __init__(
        self, segment_shape: Sequence[int] = (32, 129), embedding_size: int = 128
    ) -> None:
        shapes = _shapes(segment_shape)
        layers: list[nn.Module] = [nn.Unflatten(1, (1, *shapes[0]))]
        channels = 1
        for index, shape in enumerate(shapes[:-1]):
            filters, kernel = _convolution(index, shape)
            pool = tuple(min(2, size) for size in shape)
            layers += [
                # Not padding="same", of which torch warns where a size is even.
                nn.ZeroPad2d(_margins(kernel)),
                nn.Conv2d(channels, filters, kernel),
                nn.MaxPool2d(pool),
                # After the maximum, as the rectified maximum is the maximum of what
                # is rectified: the same values from a quarter of the work.
                nn.ReLU(),
            ]
            channels = filters
        layers += [nn.Flatten(), nn.Linear(channels * prod(shapes[-1]), embedding_size)]
        super().__init__(*layers)
        self.apply(_initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class UpsampledConv2d(nn.Module):
    """Convolution of what has been repeated to twice its size, at the cost of half.

    Gives what repeating each value and `torch.nn.Conv2d` with zero padding that keeps
    the size would give. As neighbours are equal, the filters can be summed up before:
    the four values that stand for one are four filters of half the size.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    out_channels : int
        Channels of the output.
    kernel_size : tuple of two int
        Frames and bins of the filters.
    shape : tuple of two int
        Frames and bins of the output. What is more than that after the repetition is
        cut off; where it would be less, the last frame or bin is repeated once more.
    scale : tuple of two int, default=(2, 2)
        How often each frame and each bin is repeated.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import UpsampledConv2d
    >>> layer = UpsampledConv2d(2, 1, (12, 16), shape=(32, 129))
    >>> layer(torch.zeros(3, 2, 16, 64)).shape
    torch.Size([3, 1, 32, 129])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Shape,
        shape: Shape,
        scale: Shape = (2, 2),
    ) -> None:
        super().__init__()
        self.shape = shape
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels))
        frames, bins = (_taps(*of) for of in zip(kernel_size, scale, strict=True))
        self.margins = (*bins[1:], *frames[1:])
        self.register_buffer("frame_taps", frames[0], persistent=False)
        self.register_buffer("bin_taps", bins[0], persistent=False)
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Repeat and convolve.

        Parameters
        ----------
        x : Tensor of shape (n, in_channels, n_frames, n_bins)
            Half as large as the output, the half of an odd number rounded up or down.

        Returns
        -------
        Tensor of shape (n, out_channels, *shape)
        """
        frames, bins = (
            -(-size // scale)
            for size, scale in zip(self.shape, self.scale, strict=True)
        )
        missing = (0, bins - x.shape[3], 0, frames - x.shape[2])
        x = nn.functional.pad(x, missing, mode="replicate")
        # o: output, a and b: its place where one value stood, i: input, t and s: taps.
        weight = torch.einsum(
            "oiuv,atu,bsv->oabits", self.weight, self.frame_taps, self.bin_taps
        )
        bias = self.bias.repeat_interleave(self.scale[0] * self.scale[1])
        y = nn.functional.conv2d(
            nn.functional.pad(x, self.margins), weight.flatten(0, 2), bias
        )
        y = y.unflatten(1, weight.shape[:3])  # type: ignore[no-untyped-call]
        y = y.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)
        cut: Tensor = y[..., : self.shape[0], : self.shape[1]]
        return cut


def _taps(size: int, scale: int) -> tuple[Tensor, int, int]:
    """Return what the taps of a filter meet in values that are repeated.

    For each place where one value stood, each of the values that any tap meets, and
    each tap: whether they meet. Then how many of these values lie before and after.
    """
    place, tap = torch.arange(scale)[:, None], torch.arange(size)
    met = (place + tap - (size - 1) // 2).div(scale, rounding_mode="floor")
    first, last = int(met.min()), int(met.max())
    places = torch.arange(first, last + 1)[:, None]
    return (met[:, None] == places).float(), -first, last


class SegmentDecoder(nn.Sequential):
    """The way back from a vector to a segment: the layers of `SegmentEncoder` turned.

    A linear layer and three convolutions, before each of which every value is repeated
    until the size is that of the encoder's layer. For 32 x 129 values from 128 it has
    331,049 parameters.

    Parameters
    ----------
    segment_shape : tuple of two int, default=(32, 129)
        Frames and bins of a segment.
    embedding_size : int, default=128
        Length of the vector.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import SegmentDecoder
    >>> decoder = SegmentDecoder()
    >>> sum(parameter.numel() for parameter in decoder.parameters())
    331049
    >>> decoder(torch.zeros(2, 128)).shape
    torch.Size([2, 4128])
    """

    def __init__(
        self, segment_shape: Sequence[int] = (32, 129), embedding_size: int = 128
    ) -> None:
        shapes = _shapes(segment_shape)
        filters = [1, *(filters for filters, _ in _CONVOLUTIONS)]
        layers: list[nn.Module] = [
            nn.Linear(embedding_size, filters[-1] * prod(shapes[-1])),
            nn.Unflatten(1, (filters[-1], *shapes[-1])),
        ]
        for index in reversed(range(len(_CONVOLUTIONS))):
            shape = shapes[index]
            _, kernel = _convolution(index, shape)
            layers += [
                UpsampledConv2d(
                    filters[index + 1],
                    filters[index],
                    kernel,
                    shape,
                    scale=(min(2, shape[0]), min(2, shape[1])),
                ),
                nn.ReLU(),
            ]
        super().__init__(*layers[:-1], nn.Flatten())
        self.apply(_initialise)
        last = layers[-2]
        assert isinstance(last, UpsampledConv2d)
        nn.init.kaiming_uniform_(last.weight, nonlinearity="linear")


def _convolution(index: int, shape: Shape) -> tuple[int, Shape]:
    """Return the filters of a convolution, and the frames and bins that they see."""
    filters, (frames, bins) = _CONVOLUTIONS[index]
    return filters, (min(frames, shape[0]), min(bins, shape[1]))


def _initialise(layer: nn.Module) -> None:
    """Draw the first weights of a layer so that the signal keeps its size."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    elif isinstance(layer, nn.Linear):
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")
    else:
        return
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _margins(kernel: Shape) -> tuple[int, int, int, int]:
    """Return what keeps the size: zeros on the left, right, above and below."""
    frames, bins = kernel
    return (bins - 1) // 2, bins // 2, (frames - 1) // 2, frames // 2


def _shapes(segment_shape: Sequence[int]) -> list[Shape]:
    """Return the frames and bins before the first convolution and after each."""
    shapes: list[Shape] = [(segment_shape[0], segment_shape[1])]
    for _ in _CONVOLUTIONS:
        frames, bins = shapes[-1]
        shapes.append((max(1, frames // 2), max(1, bins // 2)))
    return shapes


class PseudoSiameseOutput(NamedTuple):
    """What `PseudoSiameseNet` makes of segments; None for what it was not given."""

    logits: Tensor | None
    """Logits of the emotions by the first branch, of shape (n, n_classes)."""
    deep: Tensor | None
    """The first branch's representation R_d, of shape (n, embedding_size)."""
    latent: Tensor | None
    """The autoencoder's bottleneck R_l, of shape (m, embedding_size)."""
    reconstruction: Tensor | None
    """What the autoencoder makes of its input, of shape (m, n_features)."""


class PseudoSiameseNet(nn.Module):
    """Convolutional network and convolutional autoencoder with equal bottlenecks.

    The two branches of Gao et al. (2021), which share no weights.

    Parameters
    ----------
    segment_shape : tuple of two int
        Frames and bins of a segment.
    n_classes : int
        Number of emotions.
    embedding_size : int, default=128
        Length of both representations; not published.
    autoencoder : bool, default=True
        Whether there is a second branch.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import PseudoSiameseNet
    >>> net = PseudoSiameseNet((32, 129), n_classes=4)
    >>> sum(parameter.numel() for parameter in net.autoencoder.parameters())
    660209
    >>> output = net(torch.zeros(2, 4128), torch.zeros(3, 4128))
    >>> output.deep.shape, output.latent.shape
    (torch.Size([2, 128]), torch.Size([3, 128]))
    """

    def __init__(
        self,
        segment_shape: Sequence[int],
        n_classes: int,
        embedding_size: int = 128,
        autoencoder: bool = True,
    ) -> None:
        super().__init__()
        self.cnn = SegmentEncoder(segment_shape, embedding_size)
        self.head = nn.Linear(embedding_size, n_classes)
        self.autoencoder = None
        if autoencoder:
            self.autoencoder = nn.ModuleDict(
                {
                    "encoder": SegmentEncoder(segment_shape, embedding_size),
                    "decoder": SegmentDecoder(segment_shape, embedding_size),
                }
            )

    def forward(
        self, x: Tensor | None = None, p: Tensor | None = None
    ) -> PseudoSiameseOutput:
        """Pass segments through one branch or both.

        Parameters
        ----------
        x : Tensor of shape (n, n_features) or None, default=None
            Segments for the first branch.
        p : Tensor of shape (m, n_features) or None, default=None
            Segments for the autoencoder.

        Returns
        -------
        PseudoSiameseOutput
        """
        logits = deep = latent = reconstruction = None
        if x is not None:
            deep = self.cnn(x)
            logits = self.head(deep)
        if p is not None and self.autoencoder is not None:
            latent = self.autoencoder["encoder"](p)
            reconstruction = self.autoencoder["decoder"](latent)
        return PseudoSiameseOutput(logits, deep, latent, reconstruction)

    def represent(self, x: Tensor) -> Tensor:
        """Return what both branches make of the same segments, side by side.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            Segments.

        Returns
        -------
        Tensor of shape (n, 2 * embedding_size), or (n, embedding_size)
            R_d, and R_l where there is an autoencoder.
        """
        deep: Tensor = self.cnn(x)
        if self.autoencoder is None:
            return deep
        return torch.cat([deep, self.autoencoder["encoder"](x)], dim=1)


class GatedFusion(nn.Module):
    r"""Gate that weighs two representations against each other, Eqs. 6 to 8.

    .. math::

        G = \sigma(W_g [R_d; R_l] + b_g), \quad
        F_d = f(G \odot R_d), \quad
        F_l = f((1 - G) \odot R_l)

    Parameters
    ----------
    embedding_size : int, default=128
        Length of both; the gate has 32,896 parameters for 128.
    activation : {"tanh", "relu", "identity"}, default="tanh"
        The function f, which the paper does not name.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import GatedFusion
    >>> fused, gate = GatedFusion(2)(torch.ones(1, 2), torch.ones(1, 2))
    >>> fused.shape, gate.shape
    (torch.Size([1, 4]), torch.Size([1, 2]))
    """

    def __init__(
        self, embedding_size: int = 128, activation: Activation = "tanh"
    ) -> None:
        super().__init__()
        if activation not in _ACTIVATIONS:
            raise ValueError(
                f"activation must be one of {tuple(_ACTIVATIONS)}, got {activation!r}."
            )
        self.gate = nn.Linear(2 * embedding_size, embedding_size)
        self.activation = _ACTIVATIONS[activation]()

    def forward(self, deep: Tensor, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Weigh and filter.

        Parameters
        ----------
        deep : Tensor of shape (..., embedding_size)
            R_d.
        latent : Tensor of shape (..., embedding_size)
            R_l.

        Returns
        -------
        fused : Tensor of shape (..., 2 * embedding_size)
            F_d and F_l, side by side.
        gate : Tensor of shape (..., embedding_size)
            G: 1 where all comes from R_d, 0 where all comes from R_l.
        """
        gate = self.gate(torch.cat([deep, latent], dim=-1)).sigmoid()
        filtered = torch.cat([gate * deep, (1 - gate) * latent], dim=-1)
        return self.activation(filtered), gate


class FusionClassifier(nn.Module):
    """Gate, attention and bidirectional LSTM over the segments of utterances.

    The second network of Gao et al. (2021), and the simpler ones that it is compared
    with: two representations side by side, or one alone, without gate and attention.

    Parameters
    ----------
    n_classes : int
        Number of emotions.
    embedding_size : int, default=128
        Length of each representation.
    fusion : {"gate", "concatenate"} or None, default="gate"
        What becomes of the two; None is for the first alone.
    activation : {"tanh", "relu", "identity"}, default="tanh"
        See `GatedFusion`.
    n_heads : int, default=1
        Heads of the scaled dot-product attention after the gate; 0 is none.
    hidden_size : int, default=128
        Units of the LSTM, in each direction; not published.
    dropout : float, default=0.0
        Share of the values that are dropped in training, before the last layer.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import FusionClassifier
    >>> net = FusionClassifier(n_classes=4)
    >>> for part in (net.gated, net.attention, net.classifier):
    ...     print(sum(parameter.numel() for parameter in part.parameters()))
    32896
    263168
    396292
    >>> net(torch.zeros(2, 9, 256), lengths=torch.tensor([9, 4])).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_classes: int,
        embedding_size: int = 128,
        fusion: Fusion | None = "gate",
        activation: Activation = "tanh",
        n_heads: int = 1,
        hidden_size: int = 128,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if fusion is not None and fusion not in get_args(Fusion):
            raise ValueError(
                f"fusion must be 'gate', 'concatenate' or None, got {fusion!r}."
            )
        width = embedding_size * (1 if fusion is None else 2)
        self.gated = (
            GatedFusion(embedding_size, activation) if fusion == "gate" else None
        )
        self.attention = None
        if fusion == "gate" and n_heads:
            if width % n_heads:
                raise ValueError(
                    f"n_heads={n_heads} does not divide the {width} values of the "
                    "fused representation."
                )
            self.attention = nn.MultiheadAttention(width, n_heads, batch_first=True)
        self.classifier = RecurrentClassifier(
            width,
            n_classes,
            hidden_size=hidden_size,
            n_layers=1,
            bidirectional=True,
            dropout=dropout,
        )

    def fuse(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what the LSTM is given.

        Parameters
        ----------
        x : Tensor of shape (n, n_segments, n_features)
            R_d, and R_l beside it; what stands after the ends does not count.
        lengths : Tensor of shape (n,), int64
            Segments of each utterance, at least one.

        Returns
        -------
        Tensor of shape (n, n_segments, n_features)
        """
        if self.gated is None:
            return x
        after = torch.arange(x.shape[1], device=x.device) >= lengths[:, None]
        # A weight of zero is not enough: zero times NaN is NaN.
        x = x.masked_fill(after[..., None], 0.0)
        fused: Tensor = self.gated(*x.chunk(2, dim=-1))[0]
        if self.attention is None:
            return fused
        attended: Tensor = self.attention(
            fused, fused, fused, key_padding_mask=after, need_weights=False
        )[0]
        return attended

    def encode(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the representation of utterances that the last layer is given.

        Parameters
        ----------
        x : Tensor of shape (n, n_segments, n_features)
            As for `fuse`.
        lengths : Tensor of shape (n,), int64
            As for `fuse`.

        Returns
        -------
        Tensor of shape (n, 2 * hidden_size)
            The last states of both directions.
        """
        pooled: Tensor = self.classifier.encode(self.fuse(x, lengths), lengths)
        return pooled

    def forward(
        self,
        x: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the logits of the emotions.

        Parameters
        ----------
        x : Tensor of shape (n, n_segments, n_features)
            As for `fuse`.
        lengths : Tensor of shape (n,), int64
            As for `fuse`.
        generator : torch.Generator or None, default=None
            Where dropout is drawn; None is torch's global generator.

        Returns
        -------
        Tensor of shape (n, n_classes)
        """
        logits: Tensor = self.classifier(self.fuse(x, lengths), lengths, generator)
        return logits


class PseudoSiameseGatedNet(nn.Module):
    """Both networks of Gao et al. (2021): from the segments of utterances to emotions.

    Parameters
    ----------
    segment_shape : tuple of two int
        Frames and bins of a segment.
    n_classes : int
        Number of emotions.
    embedding_size : int, default=128
        Length of both representations of a segment; not published.
    fusion : {"gate", "concatenate"} or None, default="gate"
        See `FusionClassifier`; None is a network without autoencoder.
    **fusion_params
        The other parameters of `FusionClassifier`.

    Attributes
    ----------
    branches : PseudoSiameseNet
        What represents segments.
    fusion : FusionClassifier
        What makes emotions of these representations.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import PseudoSiameseGatedNet
    >>> net = PseudoSiameseGatedNet((32, 129), n_classes=4)
    >>> net(torch.zeros(2, 3, 4128), torch.tensor([3, 1])).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        segment_shape: Sequence[int],
        n_classes: int,
        embedding_size: int = 128,
        fusion: Fusion | None = "gate",
        **fusion_params: Any,
    ) -> None:
        super().__init__()
        self.branches = PseudoSiameseNet(
            segment_shape, n_classes, embedding_size, autoencoder=fusion is not None
        )
        self.fusion = FusionClassifier(
            n_classes, embedding_size, fusion, **fusion_params
        )

    def forward(
        self,
        x: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the logits of the emotions.

        Parameters
        ----------
        x : Tensor of shape (n, n_segments, n_features)
            Segments of utterances; what stands after their ends does not count.
        lengths : Tensor of shape (n,), int64
            Segments of each utterance, at least one.
        generator : torch.Generator or None, default=None
            Where dropout is drawn; None is torch's global generator.

        Returns
        -------
        Tensor of shape (n, n_classes)
        """
        represented = self.branches.represent(x.flatten(0, 1))
        represented = represented.reshape(*x.shape[:2], -1)
        logits: Tensor = self.fusion(represented, lengths, generator)
        return logits
