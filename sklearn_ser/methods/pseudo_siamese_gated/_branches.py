"""The branches of a pseudo-siamese network, and how they learn from segments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import skorch
import torch
from sklearn.utils.validation import check_memory

from ..._computing import computing
from ...datasets import AuxiliaryCorpora
from ...sequences import Sequences
from ...training._base import check_sizes
from ...training._batches import Batch, Batches, Data, FrameBatches
from ...training._callbacks import without_checkpoints
from ...training._net import TrainingNet, epoch_seed
from ...training._spec import NetSpec
from ...training._state import plain_history, to_numpy
from ._loss import PseudoSiameseLoss, check_loss_weights
from ._net import PseudoSiameseNet

Weights = dict[str, Any]
Histories = dict[str, list[dict[str, Any]]]

# Frames of a segment by default: those of SpectrogramSegmenter.
_N_FRAMES = 32

# Segments that pass the branches at once in inference. The number is always the same:
# the result for a segment must not depend on how many there are.
_SEGMENTS_AT_ONCE = 64

# Part of the key under which trained branches are cached, beside the specifications and
# the data. Raise it when a change of the code gives other branches.
_VERSIONS = {"branches": 1, "torch": torch.__version__, "skorch": skorch.__version__}


class SegmentBatches(FrameBatches):
    """Segments of the target, which both branches see.

    What the autoencoder sees is ``"P"``, with its quadrants ``"P_quadrant"``.
    """

    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        for batch in super().iter_batches(generator):
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

    def iter_batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
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
            yield self._transformed(self._to_device(batch), generator)


def represent_segments(
    branches: PseudoSiameseNet, sequences: Sequences, n_threads: int = 1
) -> Sequences:
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
    n_threads : int, default=1
        How many threads torch has.

    Returns
    -------
    Sequences
        The same number of rows, with both representations side by side.
    """
    device = next(branches.parameters()).device
    rows = []
    with computing(n_threads), torch.inference_mode():
        for chunk in sequences.chunks(_SEGMENTS_AT_ONCE):
            padded = np.zeros((_SEGMENTS_AT_ONCE, sequences.n_features), np.float32)
            padded[: len(chunk)] = chunk
            output = branches.represent(torch.from_numpy(padded).to(device))
            rows.append(output[: len(chunk)].cpu().numpy())
    return Sequences(np.split(np.concatenate(rows), np.cumsum(sequences.lengths)[:-1]))


@dataclass(frozen=True)
class BranchSpecs:
    """What the nets of the first two phases are built from."""

    pretraining: NetSpec | None
    """Of the pre-training; None where there is none."""
    features: NetSpec
    """Of the second phase, in which both branches learn from the target."""


def specify_branches(estimator: Any, settings: dict[str, Any]) -> BranchSpecs:
    """Return what the branches of an estimator are built from.

    Parameters without effect on the branches are left out: estimators that differ only
    in those find the same branches in a cache.

    Parameters
    ----------
    estimator : PseudoSiameseGated
        Its parameters, ``segment_shape_`` and ``classes_`` are read.
    settings : dict
        What a `NetSpec` takes from the parameters that all estimators have.

    Returns
    -------
    BranchSpecs

    Raises
    ------
    ValueError
        If the weights of a phase are not valid, or leave nothing to learn from.
    """
    has_autoencoder = estimator.fusion is not None
    triplets = estimator.triplets if has_autoencoder else None
    mining: dict[str, Any] = {"mining": triplets}
    if triplets is not None:
        mining |= {"margin": estimator.margin, "normalize": estimator.normalize}
    shared = _for_both_phases(estimator, settings)
    seed = settings["seed"]
    weights = {
        name: check_loss_weights(name, getattr(estimator, name))
        for name in ("pretraining_weights", "feature_weights")
    }
    inputs = {"x": "X", "p": "P"} if has_autoencoder else {"x": "X"}
    _check_effect("feature_weights", weights["feature_weights"], inputs, triplets)
    of_features = {"weights": weights["feature_weights"], "exclude_self": True}
    features = NetSpec(
        **shared
        | {
            "criterion_params": mining | of_features,
            "inputs": inputs,
            "batches": SegmentBatches,
            "max_epochs": estimator.feature_epochs,
            "seed": epoch_seed(seed, 1),
        }
    )
    if not has_autoencoder or estimator.auxiliary_corpora is None:
        return BranchSpecs(None, features)
    # Without triplets nothing passes from one branch to the other, and the first is
    # made anew afterwards.
    inputs = {"p": "P"} if triplets is None else inputs
    name = "pretraining_weights"
    _check_effect(name, weights[name], inputs, triplets)
    pretraining = NetSpec(
        **shared
        | {
            "criterion_params": mining | {"weights": weights[name]},
            "inputs": inputs,
            "batches": PretrainingBatches,
            "batch_params": {
                "auxiliary_corpora": estimator.auxiliary_corpora,
                "standardize": estimator.standardize,
            },
            "max_epochs": estimator.pretraining_epochs,
            "seed": epoch_seed(seed, 0),
            "early_stopping": None,
        }
    )
    return BranchSpecs(pretraining, features)


def _for_both_phases(estimator: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a `NetSpec` that both phases share."""
    return {
        **settings,
        "module": PseudoSiameseNet,
        "module_params": {
            "segment_shape": estimator.segment_shape_,
            "n_classes": len(estimator.classes_),
            "embedding_size": int(estimator.embedding_size),
            "autoencoder": estimator.fusion is not None,
        },
        "criterion": PseudoSiameseLoss,
        "progress": None,
        "net_params": without_checkpoints(settings["net_params"]) or None,
    }


def _check_effect(
    name: str, weights: tuple[float, ...], inputs: dict[str, str], triplets: str | None
) -> None:
    """Refuse weights that leave nothing to learn from."""
    there = {
        # Only the autoencoder of the pre-training is kept.
        "cross-entropy": "x" in inputs and name != "pretraining_weights",
        "triplets": len(inputs) == 2 and triplets is not None,
        "reconstruction": "p" in inputs,
    }
    existing = [term for term, is_there in there.items() if is_there]
    of_terms = dict(zip(there, weights, strict=True))
    if not any(of_terms[term] for term in existing):
        raise ValueError(
            f"{name}={weights} leaves nothing to learn from: here only "
            f"{' and '.join(existing)} of the loss can have an effect."
        )


def learn_branches(
    specs: BranchSpecs,
    data: Data,
    valid: Data | None,
    versions: dict[str, Any],
    *,
    verbose: int | bool,
) -> tuple[Weights, Histories]:
    """Train the branches.

    Parameters
    ----------
    specs : BranchSpecs
        What their nets are built from.
    data : mapping
        Standardised utterances ``"X"`` that are trained on, with the ``"y"`` and
        ``"weight"`` of each and, where triplets are made, its ``"quadrant"``.
    valid : mapping or None
        The same of the held-out speakers.
    versions : dict
        What else a cached result depends on.
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
    # Built first, so that errors in parameters are raised before anything is trained.
    net = _built(specs.features, "features", verbose)
    if specs.pretraining is not None:
        first = _built(specs.pretraining, "pre-training", verbose)
        _train(first, "pre-training", data)
        histories["pretraining"] = plain_history(first)
        # The paper keeps the autoencoder alone.
        weights = first.module_.state_dict()
        kept = {k: v for k, v in weights.items() if k.startswith("autoencoder.")}
        net.module_.load_state_dict(kept, strict=False)
    _train(net, "feature", data, valid)
    histories["features"] = plain_history(net)
    return to_numpy(net.module_.state_dict()), histories


def _built(spec: NetSpec, phase: str, verbose: int | bool) -> TrainingNet:
    """Return the net of a phase."""
    bar = f"PseudoSiameseGated, {phase}" if verbose else None
    return replace(spec, progress=bar).build()


def _train(net: TrainingNet, phase: str, data: Data, valid: Data | None = None) -> None:
    """Train a net; say in which phase it diverges."""
    try:
        net.train_on(data, valid)
    except ValueError as error:
        raise ValueError(f"In the {phase} phase: {error}") from error


def learned_branches(
    memory: Any,
    specs: BranchSpecs,
    data: Data,
    valid: Data | None,
    *,
    verbose: int | bool,
) -> tuple[Weights, Histories]:
    """Return the result of `learn_branches`, from the cache where it has one.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        The cache, if there is one.
    specs, data, valid, verbose
        As for `learn_branches`.

    Returns
    -------
    weights : dict of str to ndarray
        As from `learn_branches`.
    histories : dict of str to list of dict
        As from `learn_branches`.
    """
    if isinstance(memory, os.PathLike):
        memory = os.fspath(memory)
    learn = check_memory(memory).cache(learn_branches, ignore=["verbose"])
    learned: tuple[Weights, Histories]
    learned = learn(specs, data, valid, _VERSIONS, verbose=verbose)
    return learned


def shape_of_segments(n_features: int, segment_shape: Any) -> tuple[int, int]:
    """Return frames and bins of a segment.

    Parameters
    ----------
    n_features : int
        Its number of values.
    segment_shape : sequence of two int or None
        The parameter of the estimator.

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
