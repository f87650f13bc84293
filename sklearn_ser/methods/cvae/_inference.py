"""A trained autoencoder over utterances: in float64, some segments at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
from torch import Tensor

from ..._computing import computing
from ...sequences import Sequences
from ._condition import Condition
from ._loss import negative_elbo

# Segments that pass the module at once.
_SEGMENTS_AT_ONCE = 2048
# Pairs of opposite samples of the latent distribution in the expected error.
_PAIRS = 8

# One vector for each utterance, or one for all; None for a model without a condition.
Told = NDArray[Any] | None


class Inference:
    """A trained module, and what it makes of utterances.

    Parameters
    ----------
    module : VariationalAutoencoder
        In float64 and evaluation mode.
    device : str
        Where it is.
    recon_scale : float
        Factor of the squared error that it was trained with.
    coder : Condition or None
        What it is conditioned on.
    n_threads : int, default=1
        How many threads torch has.
    """

    def __init__(
        self,
        module: Any,
        device: str,
        recon_scale: float,
        coder: Condition | None,
        n_threads: int = 1,
    ) -> None:
        self.n_threads = n_threads
        self.module = module
        self.device = device
        self.recon_scale = recon_scale
        self.coder = coder

    def tell(self, sequences: Sequences, known: Told, stand_in: str) -> Told:
        """Return what the module is told of utterances.

        Parameters
        ----------
        sequences : Sequences
            Of n utterances.
        known : ndarray of shape (n, width) or None
            What is known; zeros where it is nothing.
        stand_in : {"posterior", "prior", "zero"}
            What the module is told where nothing is known.

        Returns
        -------
        ndarray of shape (n, width), or None for a model without a condition
        """
        if self.coder is None:
            return None
        told = np.zeros((len(sequences), self.coder.points.shape[1]))
        if known is not None:
            told[:] = known
        gaps = np.flatnonzero(~told.any(axis=1))
        if gaps.size and stand_in == "posterior":
            posterior = np.exp(self.log_posterior(sequences[gaps]))
            told[gaps] = self.coder.expect(posterior, self.coder.values)
        elif stand_in == "prior":
            told[gaps] = self.coder.expect(self.coder.prior[None], self.coder.values)
        return told

    def log_posterior(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the logarithms of the probabilities of the values of the condition.

        The error is that at the mean of the latent distribution.
        """
        posterior: NDArray[np.float64] = log_softmax(
            self._log_joint(sequences, None), axis=1
        )
        return posterior

    def evidence(
        self, sequences: Sequences, known: Told, seed: int
    ) -> NDArray[np.float64]:
        """Return the bound of each utterance's evidence.

        Parameters
        ----------
        sequences : Sequences
            Of n utterances.
        known : ndarray of shape (n, width) or None
            Under what they are scored. Where it is nothing, all values of the condition
            count by their probabilities.
        seed : int
            As in `bound`.

        Returns
        -------
        ndarray of shape (n,)
        """
        if self.coder is None:
            return self.bound(sequences, [None], seed)[:, 0]
        if known is None:
            known = np.zeros((len(sequences), self.coder.points.shape[1]))
        result = np.empty(len(sequences))
        is_given = np.any(known, axis=1)
        given, gaps = np.flatnonzero(is_given), np.flatnonzero(~is_given)
        if given.size:
            told = known[given]
            result[given] = self.bound(sequences[given], [told], seed)[:, 0]
        if gaps.size:
            result[gaps] = logsumexp(self._log_joint(sequences[gaps], seed), axis=1)
        return result

    def encode(
        self, sequences: Sequences, told: Told, *, with_variance: bool
    ) -> NDArray[np.float32]:
        """Return the means of all segments, and their variances if asked for."""
        latent_dim = self.module.mean.out_features
        width = 2 * latent_dim if with_variance else latent_dim
        encoded = np.empty((sequences.n_frames, width), np.float32)
        first = 0
        with computing(self.n_threads), torch.inference_mode():
            for x, (told_of_x,) in self._chunks(sequences, [told]):
                mean, logvar = self.module.encode(x, told_of_x)
                parts = [mean, logvar.exp()] if with_variance else [mean]
                encoded[first : first + len(x)] = torch.cat(parts, dim=1).cpu()
                first += len(x)
        return encoded

    def decode(self, latents: Sequences, told: Told) -> NDArray[np.float64]:
        """Return the features of all segments from their latent representations."""
        with computing(self.n_threads), torch.inference_mode():
            decoded = [
                self.module.decode(z, told_of_z).cpu()
                for z, (told_of_z,) in self._chunks(latents, [told])
            ]
        features: NDArray[np.float64] = torch.cat(decoded).numpy()
        return features

    def bound(
        self, sequences: Sequences, conditions: Sequence[Told], seed: int | None = None
    ) -> NDArray[np.float64]:
        """Return the bound of each utterance's evidence under some conditions.

        Parameters
        ----------
        sequences : Sequences
            Of n utterances.
        conditions : sequence of ndarrays of shape (n, width) or (1, width), or None
            What the module is told.
        seed : int or None, default=None
            Draws the samples over which the squared error is averaged, the same for all
            segments. None takes the error at the mean of the latent distribution.

        Returns
        -------
        ndarray of shape (n, n_conditions)
            Summed over the segments, without the constant of the decoder's
            distribution.
        """
        noise = None if seed is None else self._noise(seed)
        of_segments = np.empty((sequences.n_frames, len(conditions)))
        first = 0
        with computing(self.n_threads), torch.inference_mode():
            for x, told in self._chunks(sequences, conditions):
                for k, told_of_x in enumerate(told):
                    loss = self._expected_loss(x, told_of_x, noise)
                    of_segments[first : first + len(x), k] = -loss.cpu()
                first += len(x)
        starts = np.cumsum(sequences.lengths) - sequences.lengths
        bound: NDArray[np.float64] = np.add.reduceat(of_segments, starts, axis=0)
        return bound

    def _log_joint(self, sequences: Sequences, seed: int | None) -> NDArray[np.float64]:
        """Return the bound plus the prior, for each value of the condition."""
        assert self.coder is not None
        bound = self.bound(sequences, [p[None] for p in self.coder.points], seed)
        with np.errstate(divide="ignore"):  # a prior may be zero
            joint: NDArray[np.float64] = bound + np.log(self.coder.prior)
        return joint

    def _expected_loss(
        self, x: Tensor, told: Tensor | None, noise: Tensor | None
    ) -> Tensor:
        """Return the negative bound of each segment."""
        mean, logvar = self.module.encode(x, told)
        samples = [mean]
        if noise is not None and logvar is not None:
            deviation = torch.exp(0.5 * logvar)
            samples = [mean + one * deviation for one in noise]
        total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for z in samples:
            decoded = self.module.decode(z, told)
            total += negative_elbo(
                x, decoded, mean, logvar, recon_scale=self.recon_scale
            )
        return total / len(samples)

    def _noise(self, seed: int) -> Tensor:
        """Draw pairs of opposite samples, of variance one over all of them.

        Mean and variance are then free of chance, and with them most of the error that
        the noise adds.
        """
        generator = torch.Generator("cpu").manual_seed(seed)
        shape = (_PAIRS, self.module.mean.out_features)
        noise = torch.randn(
            shape, generator=generator, dtype=torch.float64, device="cpu"
        )
        noise /= noise.square().mean(dim=0).sqrt()
        return torch.cat([noise, -noise]).to(self.device)

    def _chunks(
        self, sequences: Sequences, conditions: Sequence[Told]
    ) -> Iterator[tuple[Tensor, list[Tensor | None]]]:
        """Yield segments, and what the module is told of them in each condition."""
        told = [c if c is None else torch.from_numpy(c).double() for c in conditions]
        first = 0
        for frames in sequences.chunks(_SEGMENTS_AT_ONCE):
            rows = sequences.utterance[first : first + len(frames)].astype(np.int64)
            first += len(frames)
            x = torch.from_numpy(frames.astype(np.float64)).to(self.device)
            yield x, [None if c is None else self._of_rows(c, rows) for c in told]

    def _of_rows(self, told: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """Return what is told of some segments."""
        if len(told) == 1:
            return told.expand(len(rows), -1).to(self.device)
        return told[torch.from_numpy(rows)].to(self.device)
