"""The losses of variational autoencoders (Latif et al., 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ._net import VariationalOutput


class ELBOTerms(NamedTuple):
    """The parts of the negative evidence lower bound, one value a sample each."""

    reconstruction: Tensor
    """Squared error, summed over the features, times its scale."""
    kl: Tensor
    """Kullback-Leibler divergence from the standard normal distribution."""


def kl_standard_normal(mean: Tensor, logvar: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of a diagonal normal distribution from N(0, I).

    .. math:: \mathrm{KL} = \tfrac12 \sum_k (\mu_k^2 + \sigma_k^2 - \log\sigma_k^2 - 1)

    It is the second term of Eq. 2 of Latif et al. (2018), see `negative_elbo`.

    Parameters
    ----------
    mean : Tensor of shape (..., latent_dim)
        Means :math:`\mu`.
    logvar : Tensor of shape (..., latent_dim)
        Logarithms of the variances, :math:`\log\sigma^2`.

    Returns
    -------
    Tensor of shape (...)
        In nats; zero only for a mean of zero and a variance of one.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import kl_standard_normal
    >>> kl_standard_normal(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.zeros(2, 2))
    tensor([ 0.0000, 12.5000])
    """
    return _kl_by_dimension(mean, logvar).sum(dim=-1)


def _kl_by_dimension(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return the divergence of each dimension."""
    # expm1 keeps the digits of a variance near one, where exp - 1 would lose them.
    return 0.5 * (mean.square() + (torch.expm1(logvar) - logvar))


def elbo_terms(
    x: Tensor,
    reconstruction: Tensor,
    mean: Tensor,
    logvar: Tensor | None,
    *,
    recon_scale: float = 1.0,
) -> ELBOTerms:
    r"""Return the parts of `negative_elbo`.

    Parameters
    ----------
    x : Tensor of shape (n, n_features)
        What was encoded.
    reconstruction : Tensor of shape (n, n_features)
        What was decoded.
    mean : Tensor of shape (n, latent_dim)
        Means of the latent distribution.
    logvar : Tensor of shape (n, latent_dim) or None
        Logarithms of its variances. None is a plain autoencoder: no divergence.
    recon_scale : float, default=1.0
        Factor of the squared error, see `negative_elbo`.

    Returns
    -------
    ELBOTerms
        Two tensors of shape (n,).

    Raises
    ------
    ValueError
        If the shapes do not fit together: broadcasting would hide that.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import elbo_terms
    >>> zeros = torch.zeros(1, 2)
    >>> elbo_terms(torch.ones(1, 2), zeros, zeros, zeros)
    ELBOTerms(reconstruction=tensor([2.]), kl=tensor([0.]))
    """
    if x.shape != reconstruction.shape or len(mean) != len(x):
        raise ValueError(
            f"x {tuple(x.shape)}, reconstruction {tuple(reconstruction.shape)} and "
            f"mean {tuple(mean.shape)} do not fit together."
        )
    error = recon_scale * (x - reconstruction).square().sum(dim=-1)
    if logvar is None:
        return ELBOTerms(error, torch.zeros_like(error))
    if logvar.shape != mean.shape:
        raise ValueError(
            f"mean {tuple(mean.shape)} and logvar {tuple(logvar.shape)} do not fit "
            "together."
        )
    return ELBOTerms(error, kl_standard_normal(mean, logvar))


def negative_elbo(
    x: Tensor,
    reconstruction: Tensor,
    mean: Tensor,
    logvar: Tensor | None,
    *,
    beta: float = 1.0,
    recon_scale: float = 1.0,
) -> Tensor:
    r"""Negative evidence lower bound, Eq. 2 of Latif et al. (2018).

    .. math:: \mathcal{L} = s \lVert x - \hat x \rVert^2 + \beta\,\mathrm{KL}

    The paper writes :math:`\log P(X)` for the negative of this loss. That is a lower
    bound of :math:`\log P(X)` (up to a constant), and not equal to it.

    Parameters
    ----------
    x : Tensor of shape (n, n_features)
        What was encoded.
    reconstruction : Tensor of shape (n, n_features)
        What was decoded.
    mean : Tensor of shape (n, latent_dim)
        Means of the latent distribution.
    logvar : Tensor of shape (n, latent_dim) or None
        Logarithms of its variances. None is a plain autoencoder: no divergence.
    beta : float, default=1.0
        Weight of the divergence; 1 is the bound.
    recon_scale : float, default=1.0
        Factor :math:`s` of the squared error: 1 as in the paper's equation, 0.5 for a
        decoder of unit variance.

    Returns
    -------
    Tensor of shape (n,)
        One value for each sample, none negative.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import negative_elbo
    >>> x, zeros = torch.ones(1, 3), torch.zeros(1, 2)
    >>> negative_elbo(x, 2 * x, zeros, zeros, recon_scale=0.5)
    tensor([1.5000])
    """
    terms = elbo_terms(x, reconstruction, mean, logvar, recon_scale=recon_scale)
    return terms.reconstruction + beta * terms.kl


class VariationalLoss(nn.Module):
    r"""Mean over a batch of the negative evidence lower bound.

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the divergence, see `negative_elbo`.
    recon_scale : float, default=1.0
        Factor of the squared error, see `negative_elbo`.
    annealing_epochs : int, default=0
        Epochs over which the weight of the divergence rises linearly to `beta`; it is
        `beta` from the epoch after them. With 0, it is `beta` from the first epoch.
    free_bits : float, default=0.0
        Nats that each latent dimension may hold, on average over a batch, without
        cost: below, its divergence has no gradient.

    References
    ----------
    .. [1] D. P. Kingma et al., "Improved variational inference with inverse
       autoregressive flow", NeurIPS, 2016 (free bits).
    .. [2] S. R. Bowman et al., "Generating sentences from a continuous space",
       CoNLL, 2016 (annealing).

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import VariationalLoss
    >>> from sklearn_ser.nets import VariationalOutput
    >>> x, zeros = torch.ones(4, 3), torch.zeros(4, 2)
    >>> output = VariationalOutput(zeros + 2.0, zeros, reconstruction=x)
    >>> loss = VariationalLoss(annealing_epochs=4)
    >>> loss(output, {"X": x})["loss"]
    tensor(4.)
    >>> loss(output, {"X": x, "epoch": 1})["loss"]
    tensor(0.)
    """

    def __init__(
        self,
        beta: float = 1.0,
        recon_scale: float = 1.0,
        annealing_epochs: int = 0,
        free_bits: float = 0.0,
    ) -> None:
        super().__init__()
        self.beta = beta
        self.recon_scale = recon_scale
        self.annealing_epochs = annealing_epochs
        self.free_bits = free_bits

    def forward(
        self, output: VariationalOutput, batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the loss and its parts.

        Parameters
        ----------
        output : VariationalOutput
            The ``reconstruction`` of shape (batch_size, n_features), ``mean`` and
            ``logvar`` of shape (batch_size, latent_dim); ``logvar`` is None for a
            plain autoencoder.
        batch : mapping
            ``"X"`` of shape (batch_size, n_features) and, in training, ``"epoch"``,
            the number of the epoch from one. Without it the weight is `beta`, so
            that the losses of a validation can be compared.

        Returns
        -------
        dict of str to Tensor without dimensions
            ``"loss"``, the value to minimise; ``"reconstruction_loss"`` and, for a
            variational autoencoder, ``"kl_loss"``, the divergence without weight.
        """
        mean, logvar, reconstruction = output
        terms = elbo_terms(
            batch["X"], reconstruction, mean, logvar, recon_scale=self.recon_scale
        )
        error = terms.reconstruction.mean()
        if logvar is None:
            return {"loss": error, "reconstruction_loss": error}
        cost = terms.kl.mean()
        if self.free_bits:
            by_dimension = _kl_by_dimension(mean, logvar).mean(dim=0)
            cost = by_dimension.clamp_min(self.free_bits).sum()
        return {
            "loss": error + self._weight(batch.get("epoch")) * cost,
            "reconstruction_loss": error,
            "kl_loss": terms.kl.mean(),
        }

    def _weight(self, epoch: int | None) -> float:
        """Return the weight of the divergence in an epoch."""
        if epoch is None or epoch > self.annealing_epochs:
            return self.beta
        return self.beta * (epoch - 1) / self.annealing_epochs
