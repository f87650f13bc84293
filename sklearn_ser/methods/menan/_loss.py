"""The losses of speaker-invariant learning (Li et al., 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from torch import Tensor, nn

from ..._constants import UNKNOWN
from ...training._losses import class_losses, known_cross_entropy, known_mean

Adversary = Literal["entropy", "uniform", "gradient_reversal", "multitask"]


def prediction_entropy(logits: Tensor) -> Tensor:
    r"""Entropy of predicted probabilities, Eq. 2 of Li et al. (2020).

    .. math:: H = -\sum_k p_k \log p_k, \qquad p = \mathrm{softmax}(s)

    Parameters
    ----------
    logits : Tensor of shape (..., n_classes)
        Logits :math:`s`.

    Returns
    -------
    Tensor of shape (...)
        In nats: 0 for a certain prediction, :math:`\log K` where all K classes are
        equally probable.

    Notes
    -----
    The gradient, :math:`\partial H / \partial s_k = -p_k (\log p_k + H)`, vanishes
    where all are equally probable, as it should, and also where the prediction is
    certain: there, `cross_entropy_to_uniform` still has one.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import prediction_entropy
    >>> prediction_entropy(torch.tensor([[0.0, 0.0], [5.0, 0.0]]))
    tensor([0.6931, 0.0402])
    """
    logs = logits.log_softmax(dim=-1)
    return -(logs.exp() * logs).sum(dim=-1)


def cross_entropy_to_uniform(logits: Tensor) -> Tensor:
    r"""Cross-entropy of predicted probabilities to the uniform distribution.

    .. math:: -\frac1K \sum_k \log p_k, \qquad p = \mathrm{softmax}(s)

    Parameters
    ----------
    logits : Tensor of shape (..., n_classes)
        Logits :math:`s`.

    Returns
    -------
    Tensor of shape (...)
        In nats, at least :math:`\log K`, its value where all K classes are equally
        probable. Its gradient, :math:`p - 1/K`, vanishes nowhere else.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import cross_entropy_to_uniform
    >>> cross_entropy_to_uniform(torch.tensor([[0.0, 0.0], [100.0, 0.0]]))
    tensor([ 0.6931, 50.0000])
    """
    return -logits.log_softmax(dim=-1).mean(dim=-1)


class SpeakerAdversarialLoss(nn.Module):
    r"""Loss of an encoder that learns to tell emotions, and to tell speakers or not to.

    .. math:: L = \lambda L_\mathrm{emotion} + (1 - \lambda) L_\mathrm{speaker}

    where the first term is the cross-entropy of the emotions (Eq. 4 of [1]_) and the
    second depends on the adversary: the negative entropy of the predicted speakers
    (Eq. 5), their cross-entropy to the uniform distribution, or the cross-entropy of
    the true speakers (Eq. 1). All are means over the utterances whose emotion, or
    speaker, is known.

    Parameters
    ----------
    adversary : str or None, default="entropy"
        How the speakers are used: ``"entropy"``, ``"uniform"``, ``"gradient_reversal"``
        or ``"multitask"``; None leaves the emotions alone. The loss of
        ``"gradient_reversal"`` is that of ``"multitask"``: the network reverses the
        gradient.
    emotion_weight : float, default=0.5
        :math:`\lambda`.
    label_smoothing : float, default=0.0
        Share of an emotion's target that is spread evenly over all of them in training.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> import torch
    >>> from sklearn_ser.losses import SpeakerAdversarialLoss
    >>> batch = {"y": torch.tensor([0, 1]), "weight": torch.ones(2)}
    >>> batch["speaker"] = torch.tensor([0, -1])
    >>> loss = SpeakerAdversarialLoss()
    >>> {name: round(float(value), 4) for name, value in
    ...     loss((torch.zeros(2, 4), torch.zeros(2, 8)), batch).items()}
    {'loss': -0.3466, 'emotion_loss': 1.3863, 'speaker_entropy': 2.0794}
    """

    def __init__(
        self,
        adversary: Adversary | None = "entropy",
        emotion_weight: float = 0.5,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        if adversary is not None and adversary not in get_args(Adversary):
            raise ValueError(
                f"adversary must be one of {get_args(Adversary)} or None, got "
                f"{adversary!r}."
            )
        if not 0 <= emotion_weight <= 1:
            raise ValueError(
                f"emotion_weight must be from 0 to 1, got {emotion_weight}."
            )
        self.adversary = adversary
        self.emotion_weight = emotion_weight
        self.label_smoothing = label_smoothing

    @property
    def counted(self) -> dict[str, str]:
        """The part of a batch that marks the utterances each loss averages over."""
        counted = {"emotion_loss": "y"}
        counted |= dict.fromkeys(("speaker_loss", "speaker_entropy"), "speaker")
        return counted if self.training else counted | {"loss": "y"}

    @property
    def alternates(self) -> bool:
        """Whether the speaker head learns in a step of its own."""
        return self.adversary in ("entropy", "uniform")

    def forward(
        self, output: tuple[Tensor, Tensor | None], batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the losses of encoder and emotion head.

        Parameters
        ----------
        output : tuple of Tensor of shape (n, n_classes) and Tensor of shape \
(n, n_speakers) or None
            Logits of emotions and speakers; None where there is no speaker head.
        batch : mapping of str to Tensor
            ``"y"``, numbers of the emotions, and ``"speaker"``, of the speakers, -1
            where they are not known; ``"weight"`` of each utterance; and where
            utterances are mixed, the number ``"partner"`` of the second and the
            ``"share"`` of the first, whose speaker counts alone.

        Returns
        -------
        dict of str to Tensor
            ``"loss"``, to be minimised, ``"emotion_loss"``, and in training
            ``"speaker_entropy"`` or ``"speaker_loss"``. In evaluation the loss is
            that of the emotions alone.
        """
        emotion, speaker = output
        smoothing = self.label_smoothing if self.training else 0.0
        emotion_loss = known_mean(
            class_losses(emotion, batch, smoothing), batch["y"] != UNKNOWN
        )
        # Also in evaluation: the head does not know the held-out speakers.
        if self.adversary is None or speaker is None or not self.training:
            return {"loss": emotion_loss, "emotion_loss": emotion_loss}
        known = batch["speaker"] != UNKNOWN
        if self.alternates:
            shown = {"speaker_entropy": known_mean(prediction_entropy(speaker), known)}
            term = -shown["speaker_entropy"]
            if self.adversary == "uniform":
                term = known_mean(cross_entropy_to_uniform(speaker), known)
        else:
            term = self.speaker_loss(speaker, batch["speaker"])
            shown = {"speaker_loss": term}
        loss = self.emotion_weight * emotion_loss + (1 - self.emotion_weight) * term
        return {"loss": loss, "emotion_loss": emotion_loss, **shown}

    def speaker_loss(self, logits: Tensor, speaker: Tensor) -> Tensor:
        """Return the cross-entropy of the true speakers, Eq. 1 of Li et al. (2020).

        Parameters
        ----------
        logits : Tensor of shape (n, n_speakers)
            Of the speakers.
        speaker : Tensor of shape (n,), int64
            Their numbers, -1 where they are not known.

        Returns
        -------
        Tensor of shape ()
        """
        return known_cross_entropy(logits, speaker)
