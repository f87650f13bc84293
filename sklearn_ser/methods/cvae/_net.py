"""The autoencoders of Latif et al. (2018): plain, variational and conditional."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

# Variances between e^-20 and e^20: wider than any use, and safe to exponentiate.
_MAX_LOGVAR = 20.0


class LatentDistribution(NamedTuple):
    """What `VariationalAutoencoder.encode` makes of features."""

    mean: Tensor
    """Means, of shape (n, latent_dim)."""
    logvar: Tensor | None
    """Logarithms of the variances, of the same shape; None of a plain autoencoder."""


class VariationalOutput(NamedTuple):
    """What `VariationalAutoencoder` makes of features."""

    mean: Tensor
    """Means of the latent distribution, of shape (n, latent_dim)."""
    logvar: Tensor | None
    """Logarithms of its variances, likewise; None of a plain autoencoder."""
    reconstruction: Tensor
    """The features again, of shape (n, n_features), from a sample of it."""


def reparameterize(
    mean: Tensor, logvar: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    r"""Sample a diagonal normal distribution, differentiably.

    .. math:: z = \mu + \delta \odot \sigma, \qquad \delta \sim \mathcal{N}(0, I)

    Parameters
    ----------
    mean : Tensor
        Means :math:`\mu`.
    logvar : Tensor of the same shape
        Logarithms of the variances, :math:`\log\sigma^2`.
    generator : torch.Generator or None, default=None
        Where the noise is drawn, on the generator's device; None is torch's global
        generator.

    Returns
    -------
    Tensor of the same shape
        One sample. Its gradient is 1 with respect to the mean, and :math:`\delta` with
        respect to the standard deviation.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import reparameterize
    >>> reparameterize(torch.ones(2), torch.full((2,), -torch.inf))
    tensor([1., 1.])
    """
    noise = torch.randn(
        mean.shape,
        generator=generator,
        dtype=mean.dtype,
        device=mean.device if generator is None else generator.device,
    )
    return mean + noise.to(mean.device) * torch.exp(0.5 * logvar)


class VariationalAutoencoder(nn.Module):
    """Autoencoder with dense layers, variational and conditional by parameter.

    With the published sizes and 800 features the plain autoencoder has 1,149,344
    parameters, the variational one 1,182,240, and the one that is conditional on
    four classes 1,185,312. Hidden layers have rectified linear units, latent and
    output layers are linear: the paper names no activations.

    Parameters
    ----------
    n_features : int, default=800
        Width of the input; 10 frames of 80 log-mel energies in the paper.
    latent_dim : int, default=128
        Width of the latent representation.
    hidden_sizes : sequence of int, default=(512, 256)
        Widths of the encoder's hidden layers; the decoder mirrors them.
    n_conditions : int, default=0
        Width of the condition that is appended to the input of the encoder and to
        that of the decoder.
    variational : bool, default=True
        Whether the latent representation is a distribution. If not, a linear layer
        takes its place.
    conditioned : {"both", "encoder", "decoder"}, default="both"
        Which of the two is told the condition. With the encoder alone, the published
        sizes and four classes, there are 1,184,288 parameters.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

    Examples
    --------
    >>> from sklearn_ser.nets import VariationalAutoencoder
    >>> net = VariationalAutoencoder(n_conditions=4)
    >>> sum(parameter.numel() for parameter in net.parameters())
    1185312
    """

    def __init__(
        self,
        n_features: int = 800,
        latent_dim: int = 128,
        hidden_sizes: Sequence[int] = (512, 256),
        n_conditions: int = 0,
        variational: bool = True,
        conditioned: Literal["both", "encoder", "decoder"] = "both",
    ) -> None:
        super().__init__()
        self.conditioned = conditioned
        n_inputs = n_features + n_conditions * (conditioned != "decoder")
        self.hidden = _hidden((n_inputs, *hidden_sizes))
        inner = hidden_sizes[-1] if hidden_sizes else n_inputs
        self.mean = nn.Linear(inner, latent_dim)
        self.logvar = nn.Linear(inner, latent_dim) if variational else None
        n_codes = latent_dim + n_conditions * (conditioned != "encoder")
        widths = (n_codes, *reversed(hidden_sizes))
        self.decoder = nn.Sequential(_hidden(widths), nn.Linear(widths[-1], n_features))

    def encode(self, x: Tensor, condition: Tensor | None = None) -> LatentDistribution:
        """Return the parameters of the latent distribution.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            Features.
        condition : Tensor of shape (n, n_conditions) or None, default=None
            The condition, where there is one.

        Returns
        -------
        LatentDistribution
        """
        told = None if self.conditioned == "decoder" else condition
        hidden = self.hidden(_append(x, told))
        if self.logvar is None:
            return LatentDistribution(self.mean(hidden), None)
        logvar = self.logvar(hidden).clamp(-_MAX_LOGVAR, _MAX_LOGVAR)
        return LatentDistribution(self.mean(hidden), logvar)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features from latent representations.

        Parameters
        ----------
        z : Tensor of shape (n, latent_dim)
            Latent representations.
        condition : Tensor of shape (n, n_conditions) or None, default=None
            The condition, where there is one.

        Returns
        -------
        Tensor of shape (n, n_features)
        """
        told = None if self.conditioned == "encoder" else condition
        features: Tensor = self.decoder(_append(z, told))
        return features

    def forward(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> VariationalOutput:
        """Encode, sample and decode.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            Features.
        condition : Tensor of shape (n, n_conditions) or None, default=None
            The condition, where there is one.
        generator : torch.Generator or None, default=None
            Where the sample is drawn; None is torch's global generator.

        Returns
        -------
        VariationalOutput
        """
        mean, logvar = self.encode(x, condition)
        z = mean
        if logvar is not None:
            z = reparameterize(mean, logvar, generator=generator)
        return VariationalOutput(mean, logvar, self.decode(z, condition))


def _append(x: Tensor, condition: Tensor | None) -> Tensor:
    """Append the condition, where there is one."""
    return x if condition is None else torch.cat([x, condition], dim=1)


def _hidden(widths: Sequence[int]) -> nn.Sequential:
    """Chain linear layers, each with a rectified linear unit."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers)
