"""The branches of a pseudo-siamese network, and how they learn from segments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import skorch
import torch
from sklearn.utils.validation import check_memory

from ...datasets import AuxiliaryCorpora
from ...sequences import Sequences
from ...training._base import (
    Data,
    NetEstimator,
    check_sizes,
    resolve_device,
)
from ...training._net import (
    Batch,
    Batches,
    EpochProgress,
    FrameBatches,
    TrainingNet,
    epoch_seed,
    first_weights,
    one_thread,
)
from ...training._state import plain_history, to_numpy, to_torch
from ._loss import PseudoSiameseLoss
from ._net import PseudoSiameseNet

Weights = dict[str, Any]
Histories = dict[str, list[dict[str, Any]]]

# Frames of a segment by default: those of SpectrogramSegmenter.
_N_FRAMES = 32

# Segments that pass the branches at once in inference, always as many: what a
# segment becomes must not depend on how many there are.
_CHUNK = 64

# What trained branches are cached by, beside the parameters and the data: to be raised
# where a change of the code gives other branches.
_VERSIONS = {"branches": 1, "torch": torch.__version__, "skorch": skorch.__version__}


class SegmentBatches(FrameBatches):
    """Segments of the target, which both branches see.

    What the autoencoder sees is ``"P"``, with its quadrants ``"P_quadrant"``.
    """

    def _deal(self, generator: torch.Generator) -> Iterator[Batch]:
        for batch in super()._deal(generator):
            shared = {"P": batch["X"]}
            if "quadrant" in batch:
                shared["P_quadrant"] = batch["quadrant"]
            yield batch | shared


class PretrainingBatches(Batches):
    """Segments of the auxiliary corpora, and beside them as many of the target.

    An epoch passes over the auxiliary corpora once; the segments of the target are
    drawn at random.

    Parameters
    ----------
    data : mapping of str to ndarray or Sequences
        The target, with one row per utterance.
    auxiliary_corpora : AuxiliaryCorpora
        What the autoencoder sees.
    standardize : bool
        Whether it is standardised, each corpus by itself.
    **kwargs
        As for `Batches`.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        auxiliary_corpora: AuxiliaryCorpora,
        standardize: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.auxiliary_corpora = auxiliary_corpora
        self.standardize = standardize

    def _deal(self, generator: torch.Generator) -> Iterator[Batch]:
        data = dict(self.data)
        sequences = data.pop("X")
        order = torch.randperm(len(self.auxiliary_corpora), generator=generator).numpy()
        for first in range(0, len(order), self.batch_size):
            rows = order[first : first + self.batch_size]
            drawn = torch.randint(
                sequences.n_frames, (len(rows),), generator=generator
            ).numpy()
            utterances = sequences.utterance[drawn]
            batch = {name: values[utterances] for name, values in data.items()}
            batch["X"] = sequences.frames(drawn)
            batch["P"] = self.auxiliary_corpora.take(rows, standardize=self.standardize)
            batch["P_quadrant"] = self.auxiliary_corpora.segment_quadrant[rows]
            yield self._corrupted(self._to_device(batch), generator)


def represent_segments(branches: PseudoSiameseNet, sequences: Sequences) -> Sequences:
    """Return what the branches make of each segment of utterances.

    In float32: in float64 the convolutions would take twenty times as long. Batches
    of one size keep the last digits of a segment from depending on how many others
    there are.

    Parameters
    ----------
    branches : PseudoSiameseNet
        Trained, in float32.
    sequences : Sequences
        Standardised utterances of segments.

    Returns
    -------
    Sequences
        Of as many rows, with both representations side by side.
    """
    device = next(branches.parameters()).device
    rows = []
    with one_thread(), torch.inference_mode():
        for chunk in sequences.chunks(_CHUNK):
            padded = np.zeros((_CHUNK, sequences.n_features), np.float32)
            padded[: len(chunk)] = chunk
            output = branches.represent(torch.from_numpy(padded).to(device))
            rows.append(output[: len(chunk)].cpu().numpy())
    return Sequences(np.split(np.concatenate(rows), np.cumsum(sequences.lengths)[:-1]))


class BranchTrainer(NetEstimator):
    """What trains both branches: the first two phases of `PseudoSiameseGated`.

    It holds all that the branches depend on, and nothing else, so that what it gives
    can be cached for every gate, attention and recurrent layer.

    Parameters
    ----------
    auxiliary_corpora, triplets, margin, normalize, pretraining_weights, \
feature_weights, embedding_size, standardize, lr, pretraining_epochs, \
feature_epochs, batch_size, early_stopping, n_iter_no_change, tol, device, net_params
        Those of `PseudoSiameseGated`.
    autoencoder : bool
        Whether there is a second branch.
    segment_shape : tuple of two int
        Frames and bins of a segment.
    n_classes : int
        Number of emotions.
    seed : int
        Root of all that is random.
    """

    _module_class = PseudoSiameseNet
    _criterion_class = PseudoSiameseLoss
    _optimizer_class = torch.optim.Adadelta

    def __init__(
        self,
        *,
        autoencoder: bool,
        segment_shape: tuple[int, int],
        n_classes: int,
        seed: int,
        auxiliary_corpora: AuxiliaryCorpora | None,
        triplets: str | None,
        margin: float,
        normalize: bool,
        pretraining_weights: Sequence[float],
        feature_weights: Sequence[float],
        embedding_size: int,
        standardize: bool,
        lr: float,
        pretraining_epochs: int,
        feature_epochs: int,
        batch_size: int,
        early_stopping: bool,
        n_iter_no_change: int,
        tol: float,
        device: str | torch.device,
        net_params: dict[str, Any] | None,
    ) -> None:
        self.autoencoder = autoencoder
        self.segment_shape = segment_shape
        self.n_classes = n_classes
        self.seed = seed
        self.auxiliary_corpora = auxiliary_corpora
        self.triplets = triplets
        self.margin = margin
        self.normalize = normalize
        self.pretraining_weights = pretraining_weights
        self.feature_weights = feature_weights
        self.embedding_size = embedding_size
        self.standardize = standardize
        self.lr = lr
        self.pretraining_epochs = pretraining_epochs
        self.feature_epochs = feature_epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.net_params = net_params

    @classmethod
    def of(cls, params: dict[str, Any]) -> BranchTrainer:
        """Return what trains branches, the same where they would be the same.

        Parameters
        ----------
        params : dict of str to object
            All parameters, among others.

        Returns
        -------
        BranchTrainer
            What has no effect on the branches is not as in `params`.
        """
        params = dict(params)
        if not params["autoencoder"]:
            params |= {"auxiliary_corpora": None, "triplets": None}
        if params["auxiliary_corpora"] is None:
            params |= {"pretraining_epochs": 1, "pretraining_weights": (1.0, 1.0, 1.0)}
        if params["triplets"] is None:
            params |= {"margin": 1.0, "normalize": False}
        if not params["early_stopping"]:
            params |= {"n_iter_no_change": 1, "tol": 0.0}
        return cls(**{name: params[name] for name in cls._get_param_names()})

    def learn(
        self, data: Data, valid: Data | None, *, verbose: int | bool
    ) -> tuple[Weights, Histories]:
        """Train the branches.

        Parameters
        ----------
        data : mapping
            Standardised utterances ``"X"`` that are trained on, with the ``"y"`` and
            ``"weight"`` of each and, where triplets are made, its ``"quadrant"``.
        valid : mapping or None
            The same of the held-out speakers.
        verbose : int or bool
            Whether to show a progress bar over the epochs of each phase.

        Returns
        -------
        weights : dict of str to ndarray
            State of a `PseudoSiameseNet`.
        histories : dict of str to list of dict
            For each phase, ``"pretraining"`` and ``"features"``, one entry per epoch.
        """
        histories: Histories = {}
        # Built first: what does not fit is said before anything is trained.
        net = self._feature_net(verbose)
        if self.autoencoder and self.auxiliary_corpora is not None:
            first = self._pretraining_net(self.auxiliary_corpora, verbose)
            _train(first, "pre-training", data)
            histories["pretraining"] = plain_history(first)
            # The paper keeps the autoencoder alone.
            weights = first.module_.state_dict()
            kept = {k: v for k, v in weights.items() if k.startswith("autoencoder.")}
            net.module_.load_state_dict(kept, strict=False)
        _train(net, "feature", data, valid)
        histories["features"] = plain_history(net)
        return to_numpy(net.module_.state_dict()), histories

    def built(self, weights: Weights) -> PseudoSiameseNet:
        """Return trained branches, on the device to compute on.

        Parameters
        ----------
        weights : dict of str to ndarray
            What `learn` returns.

        Returns
        -------
        PseudoSiameseNet
        """
        with first_weights(self.seed):
            branches = PseudoSiameseNet(**self._module_params())
        branches.load_state_dict(to_torch(weights))
        return branches.to(resolve_device(self.device))

    def _module_params(self) -> dict[str, Any]:
        return {
            "segment_shape": self.segment_shape,
            "n_classes": self.n_classes,
            "embedding_size": int(self.embedding_size),
            "autoencoder": self.autoencoder,
        }

    def _pretraining_net(
        self, corpora: AuxiliaryCorpora, verbose: int | bool
    ) -> TrainingNet:
        """Return the net of the first phase."""
        batches = partial(
            PretrainingBatches, auxiliary_corpora=corpora, standardize=self.standardize
        )
        # Without triplets nothing passes from one branch to the other, and the first
        # is made anew afterwards.
        inputs = {"p": "P"} if self.triplets is None else {"x": "X", "p": "P"}
        return self._branch_net(
            "pre-training",
            [],
            verbose,
            batches=batches,
            inputs=inputs,
            max_epochs=self.pretraining_epochs,
            seed=epoch_seed(self.seed, 0),
            criterion__weights=self._weights("pretraining_weights", inputs),
        )

    def _feature_net(self, verbose: int | bool) -> TrainingNet:
        """Return the net of the second phase."""
        inputs = {"x": "X", "p": "P"} if self.autoencoder else {"x": "X"}
        return self._branch_net(
            "features",
            self._stopping(),
            verbose,
            batches=SegmentBatches,
            inputs=inputs,
            max_epochs=self.feature_epochs,
            seed=epoch_seed(self.seed, 1),
            criterion__weights=self._weights("feature_weights", inputs),
            criterion__exclude_self=True,
        )

    def _weights(self, name: str, inputs: dict[str, str]) -> tuple[float, ...]:
        """Return the weights of a phase's losses; refuse those that leave nothing."""
        weights: tuple[float, ...] = getattr(self, name)
        there = {
            # Of the pre-training the autoencoder alone is kept.
            "cross-entropy": "x" in inputs and name != "pretraining_weights",
            "triplets": len(inputs) == 2 and self.triplets is not None,
            "reconstruction": "p" in inputs,
        }
        existing = [term for term, is_there in there.items() if is_there]
        of_terms = dict(zip(there, weights, strict=True))
        if not any(of_terms[term] for term in existing):
            raise ValueError(
                f"{name}={weights} leaves nothing to learn from: here only "
                f"{' and '.join(existing)} of the loss can have an effect."
            )
        return weights

    def _branch_net(
        self, phase: str, callbacks: list[Any], verbose: int | bool, **settings: Any
    ) -> TrainingNet:
        """Return a net of one of the phases."""
        if verbose:
            bar = EpochProgress(f"PseudoSiameseGated, {phase}")
            callbacks = [*callbacks, ("progress", bar)]
        return self._net(
            TrainingNet,
            callbacks,
            criterion__mining=self.triplets,
            criterion__margin=self.margin,
            criterion__normalize=self.normalize,
            **{f"module__{k}": v for k, v in self._module_params().items()},
            **settings,
        )


def _train(net: TrainingNet, phase: str, data: Data, valid: Data | None = None) -> None:
    """Train a net; say in which phase it diverges."""
    try:
        net.train_on(data, valid)
    except ValueError as error:
        raise ValueError(f"In the {phase} phase: {error}") from error


def learn_branches(
    trainer: BranchTrainer,
    data: Data,
    valid: Data | None,
    versions: dict[str, Any],
    *,
    verbose: int | bool,
) -> tuple[Weights, Histories]:
    """Return what `BranchTrainer.learn` does: a function, so that it can be cached."""
    return trainer.learn(data, valid, verbose=verbose)


def learned_branches(
    memory: Any,
    trainer: BranchTrainer,
    data: Data,
    valid: Data | None,
    *,
    verbose: int | bool,
) -> tuple[Weights, Histories]:
    """Return what `BranchTrainer.learn` does, or has done before.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        Where that is kept, if anywhere.
    trainer : BranchTrainer
        What learns.
    data, valid, verbose
        As for `BranchTrainer.learn`.

    Returns
    -------
    weights : dict of str to ndarray
        As from `BranchTrainer.learn`.
    histories : dict of str to list of dict
        As from `BranchTrainer.learn`.
    """
    if isinstance(memory, os.PathLike):
        memory = os.fspath(memory)
    learn = check_memory(memory).cache(learn_branches, ignore=["verbose"])
    learned: tuple[Weights, Histories]
    learned = learn(trainer, data, valid, _VERSIONS, verbose=verbose)
    return learned


def shape_of_segments(n_features: int, segment_shape: Any) -> tuple[int, int]:
    """Return frames and bins of a segment.

    Parameters
    ----------
    n_features : int
        Its number of values.
    segment_shape : sequence of two int or None
        What is asked for.

    Returns
    -------
    tuple of two int

    Raises
    ------
    ValueError
        If they do not give that number.
    """
    if segment_shape is None:
        n_frames = _N_FRAMES if n_features % _N_FRAMES == 0 else 1
        return n_frames, n_features // n_frames
    shape = check_sizes("segment_shape", segment_shape)
    if len(shape) != 2 or shape[0] * shape[1] != n_features:
        raise ValueError(
            f"segment_shape={segment_shape!r} must be the frames and bins of a "
            f"segment, whose product is its {n_features} values."
        )
    return shape[0], shape[1]
