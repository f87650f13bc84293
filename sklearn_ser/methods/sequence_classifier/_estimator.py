"""SequenceClassifier: recurrent networks over ragged sequences."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from ..._sklearn import Interval, StrOptions, fit_context
from ...sequences import Sequences, check_sequences
from ...training._base import draw_seed
from ...training._batches import UtteranceBatches
from ...training._labels import check_groups
from ...training._losses import WeightedCrossEntropy
from ...training._schedule import OF_UTTERANCES, Schedule
from ...training._sequences import (
    SequenceClassifierMixin,
    SequenceEstimator,
    check_classes,
)
from ...training._spec import NetSpec
from ._net import Pooling, RecurrentClassifier


class SequenceClassifier(SequenceClassifierMixin, SequenceEstimator):
    """LSTM over ragged sequences of frames or segments.

    Classifies whole utterances. The default is the classifier of Latif et al. (2018):
    two layers of LSTM with the hyperbolic tangent, the last state, a linear layer and a
    softmax. The padding of a batch has no effect on states, pooling or loss. A
    prediction does not depend on what else is predicted.

    Parameters
    ----------
    hidden_size : int, default=128
        Units of each layer, in each direction; the paper chose them by
        cross-validation and does not name them.
    n_layers : int, default=2
        Number of layers (paper).
    bidirectional : bool, default=False
        Whether each layer also reads backwards (BLSTM).
    pooling : {"last", "mean", "max", "attention", "attentive_statistics"}, \
default="last"
        Which of the last layer's states are classified: the one after the last frame
        (and, backwards, the one after the first), their mean or maximum over time, or a
        mean whose weights over time are learned (Neumann and Vu, 2017), see
        `sklearn_ser.nets.AttentionPooling`, or mean and deviation with such weights
        (Okabe et al., 2018), see `sklearn_ser.nets.AttentiveStatistics`.
    dropout : float, default=0.0
        Share of the values that are dropped in training: those before each layer but
        the first and before the linear layer.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the cross-entropy, as in scikit-learn: ``"balanced"``
        makes up for their frequencies among the utterances that are trained on.
    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over all
        frames or segments that are trained on.
    lr : float, default=1e-3
        Learning rate of Adam (paper).
    weight_decay : float, default=0.0
        Penalty on large weights: the `weight_decay` of the torch optimiser, which adds
        so much of each weight to its gradient (L2). 0 is none.
    schedule : {"paper", "small_corpus"} or Schedule, default="paper"
        What is done in training beside what the paper publishes: nothing, what was
        chosen for few speakers, or the parts of a `sklearn_ser.Schedule`.
    max_epochs : int, default=20
        Passes over the training data (paper).
    batch_size : int, default=32
        Utterances in a batch; not published. Their lengths are similar.
    early_stopping : bool, default=False
        Whether to hold out some speakers, to stop when the loss on them no longer
        falls, and to keep the weights of the best epoch. Needs `groups` in `fit`.
        The paper stops early, and does not say on what.
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
        no global random state; None draws a seed from numpy's.
    verbose : int or bool, default=0
        Whether to show a progress bar over the epochs.
    net_params : dict or None, default=None
        Further parameters of the skorch net, merged last, for instance
        ``{"optimizer__eps": 1e-6}``.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module, a
        `sklearn_ser.nets.RecurrentClassifier`.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    mean_ : ndarray of shape (n_features,)
        Mean of each feature over the frames that were trained on.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations; 1 for constants.
    history_ : list of dict
        One entry per epoch: ``"epoch"``, ``"train_loss"`` and, under early stopping,
        ``"valid_loss"``.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features of a frame in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` was a table with names.

    See Also
    --------
    CVAE : Latent representations of segments, to be classified by this.
    sklearn_ser.features.SequencePooling : Fixed functionals, for any classifier.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import SequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> slopes = np.repeat([-1.0, 1.0], 30)
    >>> X = [
    ...     np.linspace(-slope, slope, rng.integers(8, 20))[:, None] for slope in slopes
    ... ]
    >>> y = np.where(slopes > 0, "rising", "falling")
    >>> classifier = SequenceClassifier(hidden_size=16, lr=0.01, random_state=0)
    >>> classifier.fit(X, y).score(X, y)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SequenceEstimator._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions(set(get_args(Pooling)))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "class_weight": SequenceClassifierMixin._class_weight_constraint,
    }

    __metadata_request__fit = {"groups": True}
    _schedule_parts = OF_UTTERANCES

    def __init__(
        self,
        *,
        hidden_size: int = 128,
        n_layers: int = 2,
        bidirectional: bool = False,
        pooling: Literal[
            "last", "mean", "max", "attention", "attentive_statistics"
        ] = "last",
        dropout: float = 0.0,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        standardize: bool = True,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        schedule: Literal["paper", "small_corpus"] | Schedule = "paper",
        max_epochs: int = 20,
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
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.dropout = dropout
        self.class_weight = class_weight
        self.standardize = standardize
        self.lr = lr
        self.weight_decay = weight_decay
        self.schedule = schedule
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
    def fit(self, X: Any, y: Any, *, groups: Any = None) -> SequenceClassifier:
        """Train the classifier.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances as sequences of frames; each row of a 2-D array is an utterance
            of one frame.
        y : array-like of shape (n,)
            Class of each utterance.
        groups : array-like of shape (n,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        SequenceClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an utterance is not a sequence of finite numbers, if speakers are
            needed and missing, or if the lengths differ.
        """
        self._reset()
        sequences = check_sequences(self, X, reset=True)
        groups = check_groups(self, groups, sequences)
        self.classes_, codes = check_classes(self, sequences, y)
        seed = draw_seed(self.random_state)
        data = {"X": sequences, "y": codes}
        train, valid = self._split_off_speakers(data, groups, seed)
        train, valid = self._with_class_weights(train, valid)
        train, valid = self._fit_scaling(train, valid)
        self._train(self._specify(seed), train, valid)
        return self

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._infer(
            sequences,
            len(self.classes_),
            lambda module, x, lengths: module(x, lengths).logits.log_softmax(dim=1),
        )

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from."""
        return NetSpec(
            module=RecurrentClassifier,
            module_params={
                "n_features": self.n_features_in_,
                "n_classes": len(self.classes_),
                "hidden_size": int(self.hidden_size),
                "n_layers": self.n_layers,
                "bidirectional": self.bidirectional,
                "pooling": self.pooling,
                "dropout": self.dropout,
            },
            criterion=WeightedCrossEntropy,
            criterion_params={
                "label_smoothing": self._resolve_schedule().label_smoothing
            },
            inputs={"x": "X", "lengths": "lengths", "generator": "generator"},
            batches=UtteranceBatches,
            **self._shared_settings(seed),
        )
