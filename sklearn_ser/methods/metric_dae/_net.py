"""Network of Das et al. (2022): a small fully connected autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from torch import Tensor, nn

DecoderReLU = Literal["all", "released"]


class DenoisingOutput(NamedTuple):
    """What `DenoisingAutoencoder` makes of features."""

    embedding: Tensor
    """The bottleneck, of shape (n, latent_dim)."""
    reconstruction: Tensor
    """The features again, of shape (n, n_features)."""


class DenoisingAutoencoder(nn.Module):
    """Fully connected autoencoder 88-40-20-10-2-10-20-40-88 of Das et al. (2022).

    With the published sizes the encoder has 4,612 parameters and the decoder 4,698,
    together 9,310. The embedding and the reconstruction are linear. The noise is added
    in training, not here.

    Parameters
    ----------
    n_features : int, default=88
        Width of the input; 88 eGeMAPS functionals in the paper.
    latent_dim : int, default=2
        Width of the embedding.
    hidden_sizes : sequence of int, default=(40, 20, 10)
        Widths of the encoder's hidden layers; the decoder mirrors them.
    decoder_relu : {"all", "released"}, default="all"
        Where the decoder has rectified linear units: after all its hidden
        layers (the paper's text), or after the second only (the script that the
        authors released).

    References
    ----------
    .. [1] S. Das et al., "Continuous metric learning for transferable speech
       emotion recognition and embedding across low-resource languages",
       Northern Lights Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser.nets import DenoisingAutoencoder
    >>> net = DenoisingAutoencoder()
    >>> sum(parameter.numel() for parameter in net.parameters())
    9310
    """

    def __init__(
        self,
        n_features: int = 88,
        latent_dim: int = 2,
        hidden_sizes: Sequence[int] = (40, 20, 10),
        decoder_relu: DecoderReLU = "all",
    ) -> None:
        super().__init__()
        if decoder_relu not in get_args(DecoderReLU):
            raise ValueError(
                f"decoder_relu must be 'all' or 'released', got {decoder_relu!r}."
            )
        widths = (n_features, *hidden_sizes, latent_dim)
        n_hidden = len(hidden_sizes)
        self.encoder = _dense(widths, relu_after=range(n_hidden))
        self.decoder = _dense(
            widths[::-1],
            relu_after=range(n_hidden)
            if decoder_relu == "all"
            else range(1, min(2, n_hidden)),
        )

    def forward(self, x: Tensor) -> DenoisingOutput:
        """Return embedding and reconstruction.

        Parameters
        ----------
        x : Tensor of shape (batch_size, n_features)
            Features, noisy in training.

        Returns
        -------
        DenoisingOutput
        """
        embedding = self.encoder(x)
        return DenoisingOutput(embedding, self.decoder(embedding))


def _dense(widths: Sequence[int], relu_after: range) -> nn.Sequential:
    """Chain linear layers, with a ReLU after those numbered in `relu_after`."""
    layers: list[nn.Module] = []
    for index, (n_in, n_out) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(n_in, n_out))
        if index in relu_after:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)
