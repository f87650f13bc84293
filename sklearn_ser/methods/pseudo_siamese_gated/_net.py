"""The networks of Gao et al. (2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from ..sequence_classifier._net import RecurrentClassifier, SequenceOutput
from ._segments import SegmentDecoder, SegmentEncoder

Fusion = Literal["gate", "concatenate"]
Nonlinearity = Literal["tanh", "relu", "identity"]

_NONLINEARITIES: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "identity": nn.Identity,
}


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


class GateOutput(NamedTuple):
    """What `GatedFusion` makes of two representations."""

    fused: Tensor
    """F_d and F_l, side by side, of shape (..., 2 * embedding_size)."""
    gate: Tensor
    """G: 1 where all comes from R_d, 0 where all comes from R_l."""


class GatedFusion(nn.Module):
    r"""Gate that weighs two representations, Eqs. 6 to 8 of Gao et al. (2021).

    .. math::

        G = \sigma(W_g [R_d; R_l] + b_g), \quad
        F_d = f(G \odot R_d), \quad
        F_l = f((1 - G) \odot R_l)

    Parameters
    ----------
    embedding_size : int, default=128
        Length of both; the gate has 32,896 parameters for 128.
    nonlinearity : {"tanh", "relu", "identity"}, default="tanh"
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
        self, embedding_size: int = 128, nonlinearity: Nonlinearity = "tanh"
    ) -> None:
        super().__init__()
        if nonlinearity not in _NONLINEARITIES:
            raise ValueError(
                f"nonlinearity must be one of {tuple(_NONLINEARITIES)}, got "
                f"{nonlinearity!r}."
            )
        self.gate = nn.Linear(2 * embedding_size, embedding_size)
        self.nonlinearity = _NONLINEARITIES[nonlinearity]()

    def forward(self, deep: Tensor, latent: Tensor) -> GateOutput:
        """Weigh and filter.

        Parameters
        ----------
        deep : Tensor of shape (..., embedding_size)
            R_d.
        latent : Tensor of shape (..., embedding_size)
            R_l.

        Returns
        -------
        GateOutput
        """
        gate = self.gate(torch.cat([deep, latent], dim=-1)).sigmoid()
        filtered = torch.cat([gate * deep, (1 - gate) * latent], dim=-1)
        return GateOutput(self.nonlinearity(filtered), gate)


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
        How the two are combined; None uses only the first.
    nonlinearity : {"tanh", "relu", "identity"}, default="tanh"
        See `GatedFusion`.
    n_heads : int, default=1
        Heads of the scaled dot-product attention after the gate; 0 means none. Its
        output is added to its input and normalised, as by Vaswani et al. (2017), whom
        the paper cites. Without this sum, attention that is not yet trained gives
        nearly the mean over the segments, the same for all of them.
    hidden_size : int, default=128
        Units of the LSTM, in each direction; not published.
    dropout : float, default=0.0
        Share of the values that are dropped in training, before the last layer.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.
    .. [2] A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez,
       L. Kaiser and I. Polosukhin, "Attention is all you need", NeurIPS, 2017.

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
    >>> net(torch.zeros(2, 9, 256), lengths=torch.tensor([9, 4])).logits.shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_classes: int,
        embedding_size: int = 128,
        fusion: Fusion | None = "gate",
        nonlinearity: Nonlinearity = "tanh",
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
            GatedFusion(embedding_size, nonlinearity) if fusion == "gate" else None
        )
        self.attention = None
        if fusion == "gate" and n_heads:
            if width % n_heads:
                raise ValueError(
                    f"n_heads={n_heads} does not divide the {width} values of the "
                    "fused representation."
                )
            self.attention = nn.MultiheadAttention(width, n_heads, batch_first=True)
            self.norm = nn.LayerNorm(width)
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
            R_d, and R_l beside it; values after the ends do not count.
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
        fused: Tensor = self.gated(*x.chunk(2, dim=-1)).fused
        if self.attention is None:
            return fused
        attended: Tensor = self.attention(
            fused, fused, fused, key_padding_mask=after, need_weights=False
        )[0]
        normalized: Tensor = self.norm(fused + attended)
        return normalized

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
    ) -> SequenceOutput:
        """Return representations, and the logits of the emotions.

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
        SequenceOutput
        """
        output: SequenceOutput
        output = self.classifier(self.fuse(x, lengths), lengths, generator)
        return output


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
        The network that represents segments.
    fusion : FusionClassifier
        The network that predicts emotions from these representations.

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
    >>> net(torch.zeros(2, 3, 4128), torch.tensor([3, 1])).logits.shape
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
    ) -> SequenceOutput:
        """Return representations, and the logits of the emotions.

        Parameters
        ----------
        x : Tensor of shape (n, n_segments, n_features)
            Segments of utterances; values after their ends do not count.
        lengths : Tensor of shape (n,), int64
            Segments of each utterance, at least one.
        generator : torch.Generator or None, default=None
            Where dropout is drawn; None is torch's global generator.

        Returns
        -------
        SequenceOutput
        """
        represented = self.branches.represent(x.flatten(0, 1))
        represented = represented.reshape(*x.shape[:2], -1)
        output: SequenceOutput = self.fusion(represented, lengths, generator)
        return output
