"""Layers that the networks of several rooms use."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEAST_VARIANCE = 1e-10


class AttentionPooling(nn.Module):
    r"""Mean over time whose weights are learned (Neumann and Vu, 2017).

    .. math::

        \alpha_i = \frac{\exp(w^\top x_i)}{\sum_j \exp(w^\top x_j)}, \quad
        y = \sum_i \alpha_i x_i

    Parameters
    ----------
    width : int
        Values of each step, and of the result.

    References
    ----------
    .. [1] M. Neumann and N. T. Vu, "Attentive convolutional neural network based speech
       emotion recognition: a study on the impact of input features, signal length, and
       acted speech", Interspeech, 2017, arXiv:1706.00612.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import AttentionPooling
    >>> pool = AttentionPooling(2)
    >>> x = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> pool(x, lengths=torch.tensor([1]))
    tensor([[1., 2.]], grad_fn=<SumBackward1>)
    """

    # Values of the result for each of a step.
    n_statistics = 1

    def __init__(self, width: int) -> None:
        super().__init__()
        # A bias would add the same to all scores, and change no weight.
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the weighted mean of each sequence.

        Parameters
        ----------
        x : Tensor of shape (n, n_steps, width)
            Sequences; values after their ends do not count.
        lengths : Tensor of shape (n,), int64, or None, default=None
            Steps of each sequence, at least one; None counts all.

        Returns
        -------
        Tensor of shape (n, width)
        """
        x, weights = self.weighted(x, lengths)
        return (weights * x).sum(dim=1)

    def weighted(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return sequences with zeros after their ends, and the weight of each step.

        Parameters
        ----------
        x, lengths
            As for `forward`.

        Returns
        -------
        x : Tensor of shape (n, n_steps, width)
        weights : Tensor of shape (n, n_steps, 1)
        """
        if lengths is None:
            return x, self.weights(x)
        after = torch.arange(x.shape[1], device=x.device) >= lengths[:, None]
        # A weight of zero is not enough: zero times NaN is NaN.
        x = x.masked_fill(after[..., None], 0.0)
        return x, self.weights(x, after)

    def weights(self, x: Tensor, after: Tensor | None = None) -> Tensor:
        """Return the weight of each step.

        Parameters
        ----------
        x : Tensor of shape (n, n_steps, width)
            Sequences.
        after : Tensor of shape (n, n_steps), bool, or None, default=None
            Which steps are after the end of their sequence.

        Returns
        -------
        Tensor of shape (n, n_steps, 1)
            Not negative, with a sum of one for each sequence.
        """
        scores: Tensor = self.score(x)
        if after is not None:
            scores = scores.masked_fill(after[..., None], -torch.inf)
        return scores.softmax(dim=1)


class AttentiveStatistics(AttentionPooling):
    r"""Mean and deviation over time with weights that are learned (Okabe et al., 2018).

    .. math::

        \mu = \sum_i \alpha_i x_i, \quad
        \sigma = \sqrt{\sum_i \alpha_i (x_i - \mu)^2}

    with the weights :math:`\alpha_i` of `AttentionPooling`.

    Parameters
    ----------
    width : int
        Values of each step; the result has twice as many.

    References
    ----------
    .. [1] K. Okabe, T. Koshinaka and K. Shinoda, "Attentive statistics pooling for deep
       speaker embedding", Interspeech, 2018, arXiv:1803.10963.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.nets import AttentiveStatistics
    >>> pool = AttentiveStatistics(1)
    >>> _ = torch.nn.init.zeros_(pool.score.weight)
    >>> pool(torch.tensor([[[1.0], [3.0]]]))
    tensor([[2., 1.]], grad_fn=<CatBackward0>)
    """

    n_statistics = 2

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return weighted mean and deviation of each sequence, side by side.

        Parameters
        ----------
        x : Tensor of shape (n, n_steps, width)
            Sequences; values after their ends do not count.
        lengths : Tensor of shape (n,), int64, or None, default=None
            Steps of each sequence, at least one; None counts all.

        Returns
        -------
        Tensor of shape (n, 2 * width)
            Deviations are at least 1e-5.
        """
        x, weights = self.weighted(x, lengths)
        mean = (weights * x).sum(dim=1)
        variance = (weights * (x - mean[:, None]).square()).sum(dim=1)
        # The gradient of a square root at zero is infinite.
        return torch.cat([mean, variance.clamp(min=_LEAST_VARIANCE).sqrt()], dim=1)


# By the name of the pooling.
ATTENTION: dict[str, type[AttentionPooling]] = {
    "attention": AttentionPooling,
    "attentive_statistics": AttentiveStatistics,
}


class Dropout(nn.Module):
    """Dropout whose random numbers come from a generator.

    That of torch draws from its global generator, which threads share.

    Parameters
    ----------
    share : float
        Share of the values that are dropped in training.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(
        self, values: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Drop values in training, and scale up the others.

        Parameters
        ----------
        values : Tensor
            Of any shape.
        generator : torch.Generator or None, default=None
            Where it is drawn what is dropped; None is torch's global generator.

        Returns
        -------
        Tensor
            Of the same shape.
        """
        if not (self.training and self.share):
            return values
        device = values.device if generator is None else generator.device
        kept = torch.rand(values.shape, generator=generator, device=device)
        return values * (kept.to(values.device) >= self.share) / (1 - self.share)

    def extra_repr(self) -> str:
        """Show the share where the module is printed."""
        return f"share={self.share}"
