"""From segments to vectors and back: the convolutions of Satt et al. (2017)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

# Filters, and their frames and bins: Satt et al. (2017), final model.
_CONVOLUTIONS = ((16, (12, 16)), (24, (8, 12)), (32, (5, 7)))

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
        Frames and bins of a segment. For small segments, filters are no larger than
        their input, and no maximum is taken over a dimension that is one.
    embedding_size : int, default=128
        Length of the vector; not published.

    Notes
    -----
    The maximum of two by two, the linear layer and the first weights are ours. The
    weights are drawn after He et al. (2015), with biases of zero, so that the signal
    keeps its size through rectified linear units. With torch's own weights it fades
    from layer to layer.

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
        self.apply(_initialize)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class UpsampledConv2d(nn.Module):
    """Convolution of an input repeated to twice its size, without repeating it.

    The result is the same as that of repeating each value and then applying
    `torch.nn.Conv2d` with zero padding that keeps the size. Repeated neighbours are
    equal, so the weights that meet the same value are summed first. Each of the four
    values that stand for one then has a filter of half the frames and bins. This takes
    a third of the time.

    An output of odd size is computed as if the size were even, and then cut off.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    out_channels : int
        Channels of the output.
    kernel_size : tuple of two int
        Frames and bins of the filters.
    shape : tuple of two int
        Frames and bins of the output.
    scale : tuple of two int, default=(2, 2)
        How often each frame and each bin is repeated.
    nonlinearity : {"relu", "linear"}, default="relu"
        The function that follows; the first weights, after He et al. (2015), depend on
        it.

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
        nonlinearity: Literal["relu", "linear"] = "relu",
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
        nn.init.kaiming_uniform_(self.weight, nonlinearity=nonlinearity)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Repeat and convolve.

        Parameters
        ----------
        x : Tensor of shape (n, in_channels, n_frames, n_bins)
            Half as large as the output, the half of an odd number rounded up or down.

        Returns
        -------
        Tensor of shape (n, out_channels, n_frames_out, n_bins_out)

        Raises
        ------
        ValueError
            If the size is another.
        """
        frames, bins = (
            -(-size // scale)
            for size, scale in zip(self.shape, self.scale, strict=True)
        )
        missing = (0, bins - x.shape[3], 0, frames - x.shape[2])
        # What a value may lack is the half of an odd size that is rounded up.
        most = (
            bins * self.scale[1] - self.shape[1],
            frames * self.scale[0] - self.shape[0],
        )
        if not (0 <= missing[1] <= most[0] and 0 <= missing[3] <= most[1]):
            raise ValueError(
                f"An output of {self.shape} is made of {(frames, bins)} values, or of "
                f"one less where it is odd; got {tuple(x.shape[2:])}."
            )
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
    """From a vector back to a segment: the layers of `SegmentEncoder` in reverse.

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
                    nonlinearity="relu" if index else "linear",
                ),
                nn.ReLU(),
            ]
        super().__init__(*layers[:-1], nn.Flatten())
        self.apply(_initialize)


def _convolution(index: int, shape: Shape) -> tuple[int, Shape]:
    """Return the filters of a convolution, and the frames and bins that they see."""
    filters, (frames, bins) = _CONVOLUTIONS[index]
    return filters, (min(frames, shape[0]), min(bins, shape[1]))


def _initialize(layer: nn.Module) -> None:
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
