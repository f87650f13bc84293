"""How networks are trained beside what the papers publish: for small corpora."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from .._sklearn import Interval, StrOptions, validate_parameter_constraints
from ._batches import Batch

# The share of the epochs before the highest learning rate, and its factor there.
_HIGHEST = {"one_cycle": (0.3, 3.0), "cosine": (0.0, 1.0)}
# Where it begins, relative to the highest.
_FIRST = 0.04


class Schedule(BaseEstimator):
    """What is done in training beside what a paper publishes.

    For corpora with few speakers. Each part can be turned on by itself; the defaults
    turn on none, which is what ``schedule="paper"`` means. It is given to an estimator
    as its parameter ``schedule``, and searched by names such as
    ``menan__schedule__label_smoothing``.

    Parameters
    ----------
    lr_policy : {"one_cycle", "cosine"} or None, default=None
        How the learning rate goes from epoch to epoch, in the place of what the paper
        does: up to three times `lr` during the first 0.3 of them and down again (Smith,
        2018), or down from `lr` from the beginning, both along a cosine. None leaves
        the paper's.
    label_smoothing : float, default=0.0
        Share of the target that is spread evenly over all classes (Szegedy et al.,
        2016), from 0 to 1.
    mixup : float, default=0.0
        Parameter of the beta distribution from which the shares are drawn in which two
        utterances of a batch, and their classes, are mixed (Zhang et al., 2018). The
        larger share is that of the first, whose length is kept; the frames of a shorter
        second are repeated. 0 mixes none.
    time_masks, feature_masks : int, default=0
        How many masks cover some frames, and some features, of each utterance
        (SpecAugment; Park et al., 2019). What they cover is 0, the mean of standardised
        features.
    mask_share : float, default=0.1
        Share of the frames or features that a mask covers at most, from 0 to 1; how
        many, and where, is drawn.
    average_from : float or None, default=None
        The weights at the end are the mean of those after each epoch from this share of
        the epochs on (Izmailov et al., 2018), from 0 to below 1. None takes the last.

    Notes
    -----
    Which parts an estimator has is told by its parameter ``schedule``; another one is
    an error. Nothing is changed when held-out speakers are measured for early stopping.
    Early stopping keeps the weights of one epoch: it excludes `average_from`.

    References
    ----------
    .. [1] L. N. Smith, "A disciplined approach to neural network hyper-parameters: part
       1", 2018, arXiv:1803.09820.
    .. [2] C. Szegedy et al., "Rethinking the inception architecture for computer
       vision", CVPR, 2016, arXiv:1512.00567.
    .. [3] H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, "mixup: beyond empirical
       risk minimization", ICLR, 2018, arXiv:1710.09412.
    .. [4] D. S. Park et al., "SpecAugment: a simple data augmentation method for
       automatic speech recognition", Interspeech, 2019, arXiv:1904.08779.
    .. [5] P. Izmailov et al., "Averaging weights leads to wider optima and better
       generalization", UAI, 2018, arXiv:1803.05407.

    Examples
    --------
    >>> from sklearn_ser import MEnAN, Schedule
    >>> MEnAN(schedule=Schedule(lr_policy="one_cycle", label_smoothing=0.1))
    MEnAN(schedule=Schedule(label_smoothing=0.1, lr_policy='one_cycle'))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lr_policy": [StrOptions({"one_cycle", "cosine"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "mixup": [Interval(Real, 0, None, closed="left")],
        "time_masks": [Interval(Integral, 0, None, closed="left")],
        "feature_masks": [Interval(Integral, 0, None, closed="left")],
        "mask_share": [Interval(Real, 0, 1, closed="both")],
        "average_from": [Interval(Real, 0, 1, closed="left"), None],
    }

    def __init__(
        self,
        *,
        lr_policy: Literal["one_cycle", "cosine"] | None = None,
        label_smoothing: float = 0.0,
        mixup: float = 0.0,
        time_masks: int = 0,
        feature_masks: int = 0,
        mask_share: float = 0.1,
        average_from: float | None = None,
    ) -> None:
        self.lr_policy = lr_policy
        self.label_smoothing = label_smoothing
        self.mixup = mixup
        self.time_masks = time_masks
        self.feature_masks = feature_masks
        self.mask_share = mask_share
        self.average_from = average_from


# What the value of the parameter `schedule` may be named.
SCHEDULES: dict[str, dict[str, Any]] = {
    "paper": {},
    "small_corpus": {"lr_policy": "one_cycle", "label_smoothing": 0.1},
}

# The parts that a network has, by what it learns from.
OF_ALL = frozenset({"lr_policy", "average_from"})
OF_CLASSES = OF_ALL | {"label_smoothing"}
OF_FRAMES = OF_CLASSES | {"time_masks", "feature_masks", "mask_share"}
OF_UTTERANCES = OF_FRAMES | {"mixup"}


def resolve_schedule(estimator: Any, parts: frozenset[str]) -> Schedule:
    """Return the schedule of an estimator, with the parts that it has.

    Parameters
    ----------
    estimator : estimator
        With the parameters ``schedule`` and ``early_stopping``.
    parts : frozenset of str
        The parameters of `Schedule` that it has.

    Returns
    -------
    Schedule
        Of a schedule by name, those parts alone.

    Raises
    ------
    ValueError
        If a part is given that it does not have, or is out of its range, or if early
        stopping excludes it.
    """
    given: str | Schedule = estimator.schedule
    if isinstance(given, str):
        named = {k: v for k, v in SCHEDULES[given].items() if k in parts}
        if estimator.early_stopping:
            named.pop("average_from", None)
        return Schedule(**named)
    params = given.get_params(deep=False)
    validate_parameter_constraints(
        given._parameter_constraints, params, caller_name="Schedule"
    )
    unchanged = Schedule().get_params()
    name = type(estimator).__name__
    for part in sorted(params.keys() - parts):
        if params[part] != unchanged[part]:
            raise ValueError(
                f"{name} has no {part}, which Schedule({part}={params[part]!r}) asks "
                f"for: it has {', '.join(sorted(parts))}."
            )
    if estimator.early_stopping and given.average_from is not None:
        raise ValueError(
            f"{name}(early_stopping=True) ends with the weights of its best epoch, and "
            f"Schedule(average_from={given.average_from!r}) with the mean of several: "
            "leave out one of the two."
        )
    return given


@dataclass(frozen=True)
class LearningRate:
    """The factor of the learning rate, epoch by epoch, along a cosine.

    Parameters
    ----------
    policy : {"one_cycle", "cosine"}
        See `Schedule`.
    n_epochs : int
        How many epochs there are; after them the last factor stays.
    """

    policy: str
    n_epochs: int

    def __call__(self, epoch: int) -> float:
        """Return the factor in the middle of an epoch, counted from 0."""
        done = min(epoch + 0.5, self.n_epochs - 0.5) / self.n_epochs
        warm_up, highest = _HIGHEST[self.policy]
        if done < warm_up:
            up = (1 - cos(pi * done / warm_up)) / 2
            return highest * (_FIRST + (1 - _FIRST) * up)
        return highest * (1 + cos(pi * (done - warm_up) / (1 - warm_up))) / 2


def augmentation_of(schedule: Schedule) -> Augmentation | None:
    """Return what changes the batches, if anything does.

    Parameters
    ----------
    schedule : Schedule
        Of an estimator.

    Returns
    -------
    Augmentation or None
    """
    if not (schedule.time_masks or schedule.feature_masks or schedule.mixup):
        return None
    return Augmentation(
        schedule.time_masks,
        schedule.feature_masks,
        schedule.mask_share,
        schedule.mixup,
    )


@dataclass(frozen=True)
class Augmentation:
    """Masks and mixtures in a batch of utterances.

    Parameters
    ----------
    time_masks, feature_masks, mask_share, mixup
        See `Schedule`.
    """

    time_masks: int
    feature_masks: int
    mask_share: float
    mixup: float

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with other frames.

        Parameters
        ----------
        batch : dict of str to Tensor
            ``"X"`` of shape (n, n_frames, n_features), the ``"lengths"`` and ``"y"``.
        generator : torch.Generator
            Where all is drawn.

        Returns
        -------
        dict of str to Tensor
            If utterances are mixed, ``"partner"`` is the number in the batch of each
            one's second, and ``"share"`` the share of its first.
        """
        drawn = int(torch.randint(2**31 - 1, (), generator=generator))
        rng = np.random.default_rng(drawn)
        x, lengths = batch["X"], batch["lengths"]
        mixed: Batch = {}
        if self.mixup:
            shares = rng.beta(self.mixup, self.mixup, len(x))
            shares = np.maximum(shares, 1 - shares).astype(np.float32)
            mixed["share"] = torch.from_numpy(shares).to(x)
            mixed["partner"] = torch.from_numpy(rng.permutation(len(x))).to(x.device)
            x = mix_sequences(x, lengths, **mixed)
        n_frames, n_features = x.shape[1:]
        hidden = self._masks(rng, self.time_masks, lengths.cpu().numpy(), n_frames)
        x = x.masked_fill(torch.from_numpy(hidden).to(x.device)[:, :, None], 0.0)
        widths = np.full(len(x), n_features)
        hidden = self._masks(rng, self.feature_masks, widths, n_features)
        x = x.masked_fill(torch.from_numpy(hidden).to(x.device)[:, None, :], 0.0)
        return {**batch, **mixed, "X": x}

    def _masks(
        self, rng: np.random.Generator, n_masks: int, lengths: Any, width: int
    ) -> Any:
        """Return which places are covered, of shape (n, width), bool."""
        size = (n_masks, len(lengths), 1)
        longest = np.floor(self.mask_share * lengths)[:, None]
        covered = np.floor(rng.random(size) * (longest + 1))
        first = np.floor(rng.random(size) * (lengths[:, None] - covered + 1))
        place = np.arange(width)
        return ((first <= place) & (place < first + covered)).any(axis=0)


def mix_sequences(x: Tensor, lengths: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    """Mix each sequence with another one, repeated as long as it is too short.

    Parameters
    ----------
    x : Tensor of shape (n, n_frames, n_features)
        Sequences.
    lengths : Tensor of shape (n,), int64
        Their lengths.
    share : Tensor of shape (n,)
        The share of the first.
    partner : Tensor of shape (n,), int64
        The number of the second.

    Returns
    -------
    Tensor of shape (n, n_frames, n_features)
    """
    frame = torch.arange(x.shape[1], device=x.device)
    index = frame % lengths[partner][:, None]
    second = x[partner].gather(1, index[:, :, None].expand(-1, -1, x.shape[2]))
    weight = share[:, None, None]
    return weight * x + (1 - weight) * second
