"""ContrastiveSiamese: contrastive loss and cross-entropy (Lian et al., 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
)
from torch import Tensor

from ..._computing import computing
from ..._constants import UNKNOWN
from ..._dimensions import DIMENSIONS, SHORT_DIMENSIONS, dimension_name
from ..._sklearn import (
    Interval,
    StrOptions,
    fit_context,
    validate_parameter_constraints,
)
from ..._warnings import warn_user
from ...datasets._levels import LEVELS, level_numbers
from ...sequences import Sequences, check_sequences
from ...training._base import NetTransformerMixin, draw_seed
from ...training._batches import Data
from ...training._labels import (
    check_groups,
    check_labels,
    check_ratings,
    encode_labels,
    routing_hint,
)
from ...training._schedule import OF_FRAMES, Schedule
from ...training._sequences import (
    SequenceClassifierMixin,
    SequenceEstimator,
    check_classes,
)
from ...training._spec import NetSpec
from ._batches import PairBatches, balanced_size, windows_to_test
from ._loss import ContrastiveSiameseLoss
from ._net import Pooling, SiameseCNN

# Frames that the network's pooling needs.
_MIN_FRAMES = 30

# Frames that pass the module at once in inference: some 50 megabytes a layer.
_FRAMES_AT_ONCE = 2**15


class ContrastiveSiamese(
    NetTransformerMixin, SequenceClassifierMixin, SequenceEstimator
):
    r"""Siamese convolutional network with contrastive loss (Lian et al., 2018).

    Learns from pairs of utterances of frames, such as those of `MFCC`: features of the
    same emotion move together and those of different emotions apart, while a linear
    layer on them learns the emotion,

    .. math:: L = \lambda L_\mathrm{con} + (1 - \lambda) L_\mathrm{cro}.

    The network takes utterances of one length: longer ones are cut in training, shorter
    ones padded with zeros at their end. In the test, a longer utterance
    is predicted from one window or several.

    Parameters
    ----------
    contrastive_weight : float, default=0.6
        Weight :math:`\lambda` of the contrastive loss, from 0, the paper's baseline
        without it, to 1. The paper searches 0.6 to 1 and does not name its best.
    distance : {"cosine", "euclidean"}, default="cosine"
        Contrastive loss of type 1 or of type 2 of the paper, see
        `sklearn_ser.losses.contrastive_loss`.
    margin : float or None, default=None
        Margin of the contrastive loss; not published. None is 0 for the cosine; for
        the Euclidean distance of probabilities 1, and of d features
        :math:`2 \sqrt d`, see the notes.
    position : {"features", "probabilities"}, default="features"
        What is contrasted: the flattened features before the last linear layer
        (pos_1 of the paper, its better one) or the probabilities of the classes
        (pos_2).
    output : {"features", "probabilities"} or None, default=None
        What `transform` gives. None is what is contrasted, see `position`. It may be
        changed after `fit`.
    pairs : {"random", "balanced"}, default="random"
        How pairs are drawn in each epoch. ``"random"`` pairs all utterances at random,
        each once, and leaves out an odd one (loader_1 of the paper, its better one).
        ``"balanced"`` takes as many utterances of each class as the rarest has, in as
        many pairs of one class as of two (loader_2). See the notes.
    auxiliary : {"gender", "valence", "activation", "dominance"} or None, default=None
        A further target, which a second linear layer learns; `fit` then needs it. With
        ``contrastive_weight=0`` this is the paper's comparison; together with the
        contrastive loss, its outlook.
    auxiliary_weight : float, default=0.04
        Weight :math:`\mu` of the auxiliary task's cross-entropy, below 1, beside
        :math:`1 - \mu` for all else. The paper's best is 0.08 for valence and 0.04
        for the others.
    level_bounds : str or tuple of two floats, default="lian2018"
        Where ratings are low, medium and high: the `thresholds` of
        `sklearn_ser.datasets.dimension_levels`, by name (``"lian2018"``,
        ``"latif2018"``) or as two numbers. The paper's are low up to 2 and high from
        4 on, on the scale from 1 to 5.
    rating_scale : tuple of two floats, default=(1.0, 5.0)
        The lowest and the highest rating that was possible; see
        `sklearn_ser.datasets.Corpus.rating_scale`.
    n_frames : int or None, default=None
        Frames of the utterances in the network, at least 30; the paper takes 9 s of
        frames at a hop of 10 ms, which are 898. None is the longest utterance that is
        trained on.
    testing : {"average", "crop"}, default="average"
        How an utterance of more than `n_frames` frames is predicted: by the mean over
        windows that cover it, or from one window at random. See the notes. It may be
        changed after `fit`.
    n_filters : int, default=100
        Filters of each convolution (paper).
    pooling : {"max", "attention", "attentive_statistics"}, default="max"
        What is taken over time: the maxima of windows (paper), or in their place a mean
        whose weights over time are learned (Neumann and Vu, 2017), see
        `sklearn_ser.nets.AttentionPooling`, or mean and deviation with such weights
        (Okabe et al., 2018), see `sklearn_ser.nets.AttentiveStatistics`. With
        ``pooling="attention"`` and ``contrastive_weight=0`` it stands for the attentive
        network that the paper compares itself with; padding has no weight, and each
        filter has one feature.
    dropout : float, default=0.0
        Share of the values that are dropped in training: those before the linear
        layers. What is contrasted at the features is not dropped.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the cross-entropy, as in scikit-learn:
        ``"balanced"`` makes up for their frequencies among the utterances that are
        trained on. The other losses have no weights.
    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over all
        frames or segments that are trained on. The paper standardises, and does not say
        over what. What is padded then stands for the mean.
    lr : float, default=1e-4
        Learning rate of Adam at first (paper).
    weight_decay : float, default=0.0
        Penalty on large weights: the `weight_decay` of the torch optimiser, which adds
        so much of each weight to its gradient (L2). 0 is none.
    schedule : {"paper", "small_corpus"} or Schedule, default="paper"
        What is done in training beside what the paper publishes: nothing, what was
        chosen for few speakers, or the parts of a `sklearn_ser.Schedule`.
    lr_patience : int or None, default=5
        The learning rate is halved after so many epochs without a new lowest loss: that
        on the held-out speakers under early stopping, else the training loss. The paper
        halves it when "the loss value doesn't decrease", and names no number. None
        leaves it as it is.
    max_epochs : int, default=30
        Passes over the training data; not published.
    batch_size : int, default=32
        Utterances in a batch, which are half as many pairs; not published.
    early_stopping : bool, default=False
        Whether to hold out some speakers, to stop when the loss on them no longer
        falls, and to keep the weights of the best epoch. Needs `groups` in `fit`.
    validation_fraction : float, default=0.1
        Share of the speakers to hold out for early stopping.
    validation_groups : array-like or dict, default=None
        The speakers to hold out for early stopping, named as in `groups`; None draws
        them by `validation_fraction`. Names that are not in `groups` are passed over,
        so that folds may lack some. A dict names for a speaker another one, such as
        the partner in a session, who is held out where the first is not in `groups`.
    n_iter_no_change : int, default=10
        Epochs without improvement after which early stopping stops.
    tol : float, default=1e-4
        Smallest improvement of the loss that counts for early stopping.
    device : str or torch.device, default="auto"
        Where to compute: ``"auto"`` takes CUDA where there is one, else the CPU.
    n_jobs : int or None, default=1
        Threads of a fit and of a prediction; None means 1 unless in a
        :obj:`joblib.parallel_config` context, -1 means all processors. Worker processes
        have one each. Sums of several threads are rounded otherwise than those of one.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in `fit`: first weights, batches, held-out speakers.
        The same integer gives the same result under every joblib backend, and touches
        no global random state; None draws a seed from numpy's. Also of the windows that
        ``testing="crop"`` draws.
    verbose : int or bool, default=0
        Whether to show a progress bar over the epochs.
    net_params : dict or None, default=None
        Further parameters of the skorch net, merged last, for instance
        ``{"optimizer__eps": 1e-6}``.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module, a
        `sklearn_ser.nets.SiameseCNN`.
    classes_ : ndarray of shape (n_classes,)
        The emotions.
    auxiliary_classes_ : ndarray
        The classes of the auxiliary task, where there is one: the genders in `fit`,
        or ``"low"``, ``"medium"`` and ``"high"``.
    n_frames_ : int
        Frames of the utterances in the network.
    mean_ : ndarray of shape (n_features,)
        Mean of each feature over the frames that were trained on.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations; 1 for constants.
    history_ : list of dict
        One entry per epoch: ``"epoch"``, ``"lr"`` where `lr_patience` is a number,
        and the means over the epoch of ``"train_loss"``,
        ``"train_contrastive_loss"``, ``"train_cross_entropy_loss"`` and, with an
        auxiliary task, ``"train_auxiliary_loss"``; the same with ``"valid_"`` under
        early stopping.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features of a frame in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` was a table with names.

    See Also
    --------
    sklearn_ser.losses.ContrastiveSiameseLoss : The loss alone.
    sklearn_ser.features.MFCC : The paper's frames.

    Notes
    -----
    With ``contrastive_weight=1``, the end of the range that the paper searches, and
    ``position="features"`` no loss reaches the last linear layer: its predictions
    mean nothing, and `fit` warns.

    The Euclidean distance of features grows with the square root of their number d:
    after the batch normalisation two utterances are about :math:`\sqrt d` apart, for
    4 s of speech (24,600 features) between 100 and 270. A smaller margin leaves pairs
    of different emotions without any loss, while pairs of the same are still drawn
    together.

    The loss of an epoch also varies with the pairs that it happens to draw. With a
    small `lr_patience`, and most with the Euclidean distance of features, the
    learning rate may fall to nothing before the network has learned.

    Both members of a pair pass the network in one batch, and share the statistics of
    its batch normalisation.

    With ``pairs="balanced"``, each epoch draws new pairs, with each utterance at most
    once. Both kinds of pairs are equally many only if the utterances of all classes
    together (with two classes, those of each) are a multiple of four. As many are drawn
    as the rarest class allows; the others are left out. The loss on held-out speakers
    is that of random pairs, the same in each epoch.

    With ``testing="average"`` an utterance of T frames has as many windows as
    :math:`\lceil T / n \rceil`, evenly spaced from its start to its end, so that they
    may overlap but need no padding. The paper does not say where its segments lie. With
    ``testing="crop"`` the place depends on `random_state` and on the content of the
    utterance: the same utterance is always cut at the same place, whatever else is
    predicted.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under siamese networks", ASMMC-MMAC, 2018,
       doi:10.1145/3267935.3267946.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import ContrastiveSiamese
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "sadness"], 20)
    >>> X = [rng.normal(loc, size=(rng.integers(30, 60), 5)) for loc in 2 * (y < "b")]
    >>> siamese = ContrastiveSiamese(n_filters=8, lr=0.003, random_state=0).fit(X, y)
    >>> siamese.n_frames_, siamese.transform(X).shape
    (59, (40, 160))
    >>> siamese.score(X, y)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SequenceEstimator._parameter_constraints,
        "contrastive_weight": [Interval(Real, 0, 1, closed="both")],
        "distance": [StrOptions({"cosine", "euclidean"})],
        "margin": [Interval(Real, -1, None, closed="left"), None],
        "position": [StrOptions({"features", "probabilities"})],
        "output": [StrOptions({"features", "probabilities"}), None],
        "pairs": [StrOptions({"random", "balanced"})],
        "auxiliary": [StrOptions({"gender", *DIMENSIONS, *SHORT_DIMENSIONS}), None],
        "auxiliary_weight": [Interval(Real, 0, 1, closed="left")],
        "level_bounds": [StrOptions({"lian2018", "latif2018"}), "array-like"],
        "rating_scale": ["array-like"],
        "n_frames": [Interval(Integral, _MIN_FRAMES, None, closed="left"), None],
        "testing": [StrOptions({"average", "crop"})],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions(set(get_args(Pooling)))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "class_weight": SequenceClassifierMixin._class_weight_constraint,
        "lr_patience": [Interval(Integral, 1, None, closed="left"), None],
    }

    _schedule_parts = OF_FRAMES
    __metadata_request__fit = {
        "gender": True,
        "valence": True,
        "activation": True,
        "dominance": True,
        "groups": True,
    }

    def __init__(
        self,
        *,
        contrastive_weight: float = 0.6,
        distance: Literal["cosine", "euclidean"] = "cosine",
        margin: float | None = None,
        position: Literal["features", "probabilities"] = "features",
        output: Literal["features", "probabilities"] | None = None,
        pairs: Literal["random", "balanced"] = "random",
        auxiliary: Literal["gender", "valence", "activation", "dominance"]
        | None = None,
        auxiliary_weight: float = 0.04,
        level_bounds: Literal["lian2018", "latif2018"]
        | tuple[float, float] = "lian2018",
        rating_scale: tuple[float, float] = (1.0, 5.0),
        n_frames: int | None = None,
        testing: Literal["average", "crop"] = "average",
        n_filters: int = 100,
        pooling: Literal["max", "attention", "attentive_statistics"] = "max",
        dropout: float = 0.0,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        standardize: bool = True,
        lr: float = 1e-4,
        weight_decay: float = 0.0,
        schedule: Literal["paper", "small_corpus"] | Schedule = "paper",
        lr_patience: int | None = 5,
        max_epochs: int = 30,
        batch_size: int = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        validation_groups: Any = None,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        device: str | torch.device = "auto",
        n_jobs: int | None = 1,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | bool = 0,
        net_params: dict[str, Any] | None = None,
    ) -> None:
        self.contrastive_weight = contrastive_weight
        self.distance = distance
        self.margin = margin
        self.position = position
        self.output = output
        self.pairs = pairs
        self.auxiliary = auxiliary
        self.auxiliary_weight = auxiliary_weight
        self.level_bounds = level_bounds
        self.rating_scale = rating_scale
        self.n_frames = n_frames
        self.testing = testing
        self.n_filters = n_filters
        self.pooling = pooling
        self.dropout = dropout
        self.class_weight = class_weight
        self.standardize = standardize
        self.lr = lr
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.lr_patience = lr_patience
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_groups = validation_groups
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.net_params = net_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        gender: Any = None,
        valence: Any = None,
        activation: Any = None,
        dominance: Any = None,
        groups: Any = None,
    ) -> ContrastiveSiamese:
        """Train the network.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances as sequences of frames; each row of a 2-D array is an utterance
            of one frame.
        y : array-like of shape (n,)
            Emotion of each utterance.
        gender : array-like of shape (n,), default=None
            Gender of the speaker of each utterance, None or NaN where it is unknown:
            then the utterance has no part in the auxiliary task. Needed where
            `auxiliary` names it, else only its length is checked.
        valence : array-like of shape (n,), default=None
            Valence of the utterances on the scale `rating_scale`, likewise; NaN
            where it is unknown.
        activation : array-like of shape (n,), default=None
            Activation, likewise.
        dominance : array-like of shape (n,), default=None
            Dominance, likewise.
        groups : array-like of shape (n,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        ContrastiveSiamese
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an utterance is not a sequence of finite numbers, if there are too few
            to make pairs, if the auxiliary target or the speakers are needed and
            missing, or if the lengths differ.

        Warns
        -----
        UserWarning
            If no loss reaches the classifier, see the notes.
        """
        self._reset()
        sequences = check_sequences(self, X, reset=True)
        groups = check_groups(self, groups, sequences)
        targets = {
            "gender": gender,
            "valence": valence,
            "activation": activation,
            "dominance": dominance,
        }
        check_consistent_length(sequences, *targets.values())
        self.classes_, codes = check_classes(self, sequences, y)
        data = {"X": sequences, "y": codes}
        if self.auxiliary is not None:
            self.auxiliary_classes_, data["auxiliary"] = self._check_auxiliary(
                sequences, targets
            )
        self._warn_of_untrained()
        seed = draw_seed(self.random_state)
        train, valid = self._split_off_speakers(data, groups, seed)
        self._check_pairs(train, valid)
        longest = int(train["X"].lengths.max())
        self.n_frames_ = self.n_frames or max(longest, _MIN_FRAMES)
        train, valid = self._with_class_weights(train, valid)
        train, valid = self._fit_scaling(train, valid)
        self._train(self._specify(seed), train, valid)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return features or probabilities of utterances.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n, n_outputs), float32
            The flattened features or the probabilities of the classes, as `output`
            says; where there are several windows, their mean.
        """
        check_is_fitted(self)
        kind = self._kind_of_output()
        sequences = self._check_X(X)
        if kind == "probabilities":
            return np.exp(self._log_probabilities(sequences)).astype(np.float32)
        result = np.zeros((len(sequences), self._n_features_out), np.float32)
        for utterance, share, output in self._by_window(sequences, "features"):
            result[utterance] += share * output
        return result

    @property
    def _n_features_out(self) -> int:
        """Width of what `transform` gives, for `get_feature_names_out`."""
        if self._kind_of_output() == "probabilities":
            return len(self.classes_)
        return int(self.net_.module_.n_features_out)

    def _kind_of_output(self) -> str:
        """Return what `transform` gives, by default what was contrasted in `fit`."""
        validate_parameter_constraints(
            self._parameter_constraints,
            {"output": self.output},
            caller_name="ContrastiveSiamese",
        )
        return str(self.output or self._spec.criterion_params["position"])

    def _check_auxiliary(
        self, sequences: Sequences, targets: dict[str, Any]
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the classes of the auxiliary task, and that of each utterance."""
        name = "gender"
        if self.auxiliary != "gender":
            name = dimension_name(str(self.auxiliary))
        if targets[name] is None:
            raise ValueError(
                f"ContrastiveSiamese(auxiliary={self.auxiliary!r}) learns from {name}, "
                f"but fit did not get it. {routing_hint(self, name)}"
            )
        if name in DIMENSIONS:
            ratings = check_ratings(name, targets[name], sequences)
            return np.array(LEVELS), self._level_numbers(name, ratings)
        classes, codes = encode_labels(name, check_labels(name, targets[name]))
        if len(classes):
            check_classification_targets(classes)
        return classes, codes

    def _level_numbers(
        self, name: str, ratings: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return the numbers of the levels of ratings, -1 for NaN."""
        try:
            return level_numbers(ratings, self.level_bounds, self.rating_scale)
        except ValueError as error:
            raise ValueError(
                f"ContrastiveSiamese(auxiliary={name!r}, "
                f"level_bounds={self.level_bounds!r}): {error}"
            ) from error

    def _warn_of_untrained(self) -> None:
        """Warn where no loss reaches the classifier."""
        if self.contrastive_weight == 1 and self.position == "features":
            warn_user(
                "contrastive_weight=1 with position='features' leaves the last linear "
                "layer untrained, so that predictions mean nothing: use transform "
                "alone, a smaller contrastive_weight or position='probabilities'."
            )

    def _check_pairs(self, train: Data, valid: Data | None) -> None:
        """Refuse data without pairs, or without known auxiliary targets."""
        if len(train["X"]) < 2:
            raise ValueError(
                "ContrastiveSiamese learns from pairs of utterances, but there is "
                "only 1 sample to train on."
            )
        if valid is not None and len(valid["X"]) < 2:
            raise ValueError(
                "Early stopping needs a pair of utterances, but the held-out speakers "
                f"{self.validation_groups_.tolist()} have only 1 sample: hold "
                "out more."
            )
        if self.pairs == "balanced":
            balanced_size(self.classes_[train["y"]])
        if self.auxiliary is not None and (train["auxiliary"] == UNKNOWN).all():
            raise ValueError(
                f"{self.auxiliary} is unknown for all {len(train['X'])} utterances to "
                "train on: nothing to learn from. ContrastiveSiamese(auxiliary=None) "
                "needs none."
            )

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from."""
        schedule = None
        if self.lr_patience is not None:
            schedule = {
                "policy": "ReduceLROnPlateau",
                "monitor": "valid_loss" if self.early_stopping else "train_loss",
                "factor": 0.5,
                "patience": self.lr_patience - 1,
                "threshold": 0.0,
            }
        return NetSpec(
            module=SiameseCNN,
            module_params={
                "n_features": self.n_features_in_,
                "n_frames": self.n_frames_,
                "n_classes": len(self.classes_),
                "n_filters": int(self.n_filters),
                "n_auxiliary": len(getattr(self, "auxiliary_classes_", ())),
                "pooling": self.pooling,
                "dropout": self.dropout,
            },
            criterion=ContrastiveSiameseLoss,
            criterion_params={
                "contrastive_weight": self.contrastive_weight,
                "distance": self.distance,
                "margin": self.margin,
                "position": self.position,
                "auxiliary_weight": self.auxiliary_weight,
                "label_smoothing": self._resolve_schedule().label_smoothing,
            },
            inputs={"x": "X", "lengths": "lengths", "generator": "generator"},
            batches=PairBatches,
            batch_params={"n_frames": self.n_frames_, "pairs": self.pairs},
            lr_schedule=schedule,
            **self._shared_settings(seed),
        )

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        result = np.full((len(sequences), len(self.classes_)), -np.inf)
        for utterance, share, output in self._by_window(sequences, "log_probabilities"):
            result[utterance] = np.logaddexp(result[utterance], output + np.log(share))
        return result

    def _by_window(
        self, sequences: Sequences, what: str
    ) -> Iterator[tuple[int, float, NDArray[np.float64]]]:
        """Yield what the module gives for each window, computed in float64.

        With it come the number of the utterance and the window's share of it.
        """
        validate_parameter_constraints(
            self._parameter_constraints,
            {"testing": self.testing},
            caller_name="ContrastiveSiamese",
        )
        module, device = self._inference_module()
        size = max(1, _FRAMES_AT_ONCE // self.n_frames_)
        for utterances, shares, windows, lengths in windows_to_test(
            sequences, self.n_frames_, self.testing, self._spec.seed, size
        ):
            x = torch.from_numpy(windows.astype(np.float64)).to(device)
            with computing(self._n_threads()), torch.inference_mode():
                output = module(x, torch.from_numpy(lengths).to(device))
                values: Tensor = output.features
                if what == "log_probabilities":
                    values = output.logits.log_softmax(dim=1)
            rows = values.cpu().numpy()
            yield from zip(utterances.tolist(), shares.tolist(), rows, strict=True)
