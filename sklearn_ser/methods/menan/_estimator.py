"""MEnAN: emotions without speakers by a max-entropy adversary (Li et al., 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._constants import UNKNOWN
from ..._sklearn import Interval, StrOptions, available_if, fit_context
from ..._warnings import warn_user
from ...sequences import Sequences, check_sequences
from ...training._base import NetTransformerMixin, check_sizes, draw_seed
from ...training._batches import Data, UtteranceBatches
from ...training._labels import check_groups, encode_labels, routing_hint
from ...training._schedule import OF_UTTERANCES, Schedule
from ...training._sequences import (
    SequenceClassifierMixin,
    SequenceEstimator,
    check_classes,
)
from ...training._spec import NetSpec
from ._adversary import AdversarialNet
from ._loss import Adversary, SpeakerAdversarialLoss
from ._net import Pooling, SpeakerInvariantNet


def _has_speaker_head(estimator: MEnAN) -> bool:
    """Tell whether speakers can be predicted."""
    if not hasattr(estimator, "net_"):
        return estimator.adversary is not None
    return len(estimator.speakers_) > 0


class MEnAN(NetTransformerMixin, SequenceClassifierMixin, SequenceEstimator):
    r"""Max-entropy adversarial network (Li et al., 2020).

    An encoder represents each utterance. From the representation, an emotion head
    learns to predict the emotion, and a speaker head the speaker. The encoder learns to
    help the emotion head and to leave the speaker head uncertain: it maximises the
    entropy of the predicted speakers. The representation then says less about who
    speaks, and should work better for speakers who were never heard. `transform` gives
    the representation, `predict` the emotion.

    Parameters
    ----------
    adversary : str or None, default="auto"
        How the speakers are used. ``"entropy"`` is the paper's model. ``"uniform"``
        brings the predicted speakers closer to the uniform distribution by a
        cross-entropy. Its gradient does not vanish where the speaker head is certain,
        unlike that of the entropy. ``"gradient_reversal"`` is domain-adversarial
        training (DAT), ``"multitask"`` learns to recognise the speakers, and None
        learns emotions alone: these are the paper's other models. All but None need two
        or more speakers to train on. ``"auto"`` is ``"entropy"`` where `groups` names
        them, and None, with a warning, where it does not.
    emotion_weight : float, default=0.5
        :math:`\lambda` in Eq. 5 (paper), above 0: weight of the emotions' loss. That of
        the speakers has the weight :math:`1 - \lambda`.
    hidden_size : int, default=32
        Channels of the convolutions and units of the recurrent layer (paper).
    kernel_sizes : sequence of int, default=(10, 5)
        Frames that each convolution sees at once (paper); each has a stride of 2.
    head_sizes : sequence of int, default=(32, 10)
        Widths of the hidden layers of both heads (paper).
    pooling : {"statistics", "attention", "attentive_statistics"}, default="statistics"
        What is taken over time: mean, standard deviation and maximum (paper), a mean
        whose weights over time are learned (Neumann and Vu, 2017), see
        `sklearn_ser.nets.AttentionPooling`, or mean and deviation with such weights
        (Okabe et al., 2018), see `sklearn_ser.nets.AttentiveStatistics`.
    dropout : float, default=0.0
        Share of the values that are dropped in training: those before both heads, the
        same for both.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the cross-entropy, as in scikit-learn: ``"balanced"``
        makes up for their frequencies among the utterances that are trained on.
    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over all
        frames or segments that are trained on.
    lr : float, default=1e-3
        Learning rate of Adam at the beginning (paper).
    weight_decay : float, default=0.0
        Penalty on large weights: the `weight_decay` of the torch optimiser, which adds
        so much of each weight to its gradient (L2). 0 is none.
    schedule : {"paper", "small_corpus"} or Schedule, default="paper"
        What is done in training beside what the paper publishes: nothing, what was
        chosen for few speakers, or the parts of a `sklearn_ser.Schedule`.
    lr_power : float, default=1.0
        The learning rate falls with the epochs as ``lr * (1 - epoch / max_epochs) **
        lr_power``. The paper names a polynomial decay without its power. 0 is a
        constant learning rate.
    max_epochs : int, default=50
        Passes over the training data. The paper makes 300 over a much larger corpus,
        as does `sklearn_ser.recipes.menan`.
    batch_size : int, default=16
        Utterances in a batch (paper). Their lengths are similar.
    early_stopping : bool, default=False
        Whether to hold out some speakers, to stop when the loss on them no longer
        falls, and to keep the weights of the best epoch. Needs `groups` in `fit`. It
        watches the loss of the emotions, and no speaker may be missing.
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
        `sklearn_ser.nets.SpeakerInvariantNet`.
    classes_ : ndarray of shape (n_classes,)
        The emotions.
    adversary_ : str or None
        How the speakers were used: `adversary`, or what ``"auto"`` has chosen.
    speakers_ : ndarray of shape (n_speakers,)
        The speakers that the speaker head tells apart: those that are trained on.
        Empty without a speaker head.
    mean_ : ndarray of shape (n_features,)
        Mean of each feature over the frames that were trained on.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations; 1 for constants.
    history_ : list of dict
        One entry per epoch: ``"epoch"``, ``"lr"``, and the means over the epoch of
        ``"train_loss"``, ``"train_emotion_loss"``, ``"train_speaker_loss"`` (the
        cross-entropy of the speaker head) and ``"train_speaker_entropy"`` (of its
        predictions), where the model has them; under early stopping also
        ``"valid_loss"`` and ``"valid_emotion_loss"``.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features of a frame in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` was a table with names.

    See Also
    --------
    sklearn_ser.recipes.menan : The paper's pipeline from recordings on.
    sklearn_ser.features.LogMelProsody : The paper's features.
    sklearn_ser.metrics.speaker_probe : How much of the speaker a representation tells.

    Notes
    -----
    With ``"entropy"`` and ``"uniform"``, each batch makes two steps: one of the
    speaker head, which leaves the encoder as it is; then one of encoder and emotion
    head, which leaves the speaker head as it is. The paper does not say how often the
    two alternate. The other models make one step.

    An utterance with an unknown speaker (None or NaN in `groups`) counts only in the
    loss of the emotions, and one with an unknown emotion (None or NaN in `y`) only in
    the loss of the speakers. The speaker head does not know the speakers that early
    stopping holds out, so early stopping watches the loss of their emotions.

    Without metadata routing, a search hands ``groups`` to its splitter only. Search
    over ``make_pipeline(MEnAN())`` then, and pass the speakers a second time, as
    ``menan__groups``.

    Utterances may differ in length. The padding of a batch has no effect on states or
    statistics. The paper repeats short utterances up to 14 s instead;
    `sklearn_ser.features.LogMelProsody` does so by default.

    The paper does not normalise by speaker or by utterance, and names no other
    normalisation. Here each feature is standardised over all training data together,
    because f0 is in Hz and the energies are in dB; ``standardize=False`` leaves the
    features as they are.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import MEnAN
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 20)
    >>> speaker = np.repeat(["s1", "s2", "s3", "s4"], 10)
    >>> X = [rng.normal(2 * (e < "b"), size=(rng.integers(20, 40), 8)) for e in y]
    >>> menan = MEnAN(max_epochs=10, random_state=0).fit(X, y, groups=speaker)
    >>> menan.transform(X).shape, menan.predict_speaker_proba(X).shape
    ((40, 96), (40, 4))
    >>> menan.score(X, y)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SequenceEstimator._parameter_constraints,
        "adversary": [
            StrOptions({"auto", *get_args(Adversary)}),
            None,
        ],
        "emotion_weight": [Interval(Real, 0, 1, closed="right")],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "kernel_sizes": ["array-like"],
        "head_sizes": ["array-like"],
        "pooling": [StrOptions(set(get_args(Pooling)))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "class_weight": SequenceClassifierMixin._class_weight_constraint,
        "lr_power": [Interval(Real, 0, None, closed="left")],
    }

    __metadata_request__fit = {"groups": True}
    _schedule_parts = OF_UTTERANCES

    def __init__(
        self,
        adversary: Literal[
            "auto", "entropy", "uniform", "gradient_reversal", "multitask"
        ]
        | None = "auto",
        *,
        emotion_weight: float = 0.5,
        hidden_size: int = 32,
        kernel_sizes: Sequence[int] = (10, 5),
        head_sizes: Sequence[int] = (32, 10),
        pooling: Literal[
            "statistics", "attention", "attentive_statistics"
        ] = "statistics",
        dropout: float = 0.0,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        standardize: bool = True,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        schedule: Literal["paper", "small_corpus"] | Schedule = "paper",
        lr_power: float = 1.0,
        max_epochs: int = 50,
        batch_size: int = 16,
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
        self.adversary = adversary
        self.emotion_weight = emotion_weight
        self.hidden_size = hidden_size
        self.kernel_sizes = kernel_sizes
        self.head_sizes = head_sizes
        self.pooling = pooling
        self.dropout = dropout
        self.class_weight = class_weight
        self.standardize = standardize
        self.lr = lr
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.lr_power = lr_power
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
    def fit(self, X: Any, y: Any, *, groups: Any = None) -> MEnAN:
        """Train the network.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances as sequences of frames; each row of a 2-D array is an utterance
            of one frame.
        y : array-like of shape (n,)
            Emotion of each utterance, None or NaN where it is not known.
        groups : array-like of shape (n,), default=None
            Speaker of each utterance, None or NaN where it is not known. Needed where
            `adversary` is named, and without gaps for early stopping.

        Returns
        -------
        MEnAN
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an utterance is not a sequence of finite numbers, if no emotion is
            known, if a named adversary has fewer than two speakers, if early stopping
            lacks speakers or their emotions, or if the lengths differ.

        Warns
        -----
        UserWarning
            If there are fewer than two speakers for ``adversary="auto"``, so that only
            emotions are learned.
        """
        self._reset()
        sequences = check_sequences(self, X, reset=True)
        groups = check_groups(self, groups, sequences)
        self.classes_, codes = check_classes(self, sequences, y, allow_unknown=True)
        seed = draw_seed(self.random_state)
        data: dict[str, Any] = {"X": sequences, "y": codes}
        if self.adversary is not None and groups is not None:
            data["speaker"] = groups
        train, valid = self._split_off_speakers(data, groups, seed)
        self._check_emotions(train, valid)
        self.adversary_, self.speakers_ = self._resolve_adversary(train)
        train = _with_speakers(train, self.speakers_)
        valid = valid and _with_speakers(valid, self.speakers_)
        train, valid = self._with_class_weights(train, valid)
        train, valid = self._fit_scaling(train, valid)
        self._train(self._specify(seed), train, valid)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Encode utterances.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n, 3 * hidden_size), float32
            Mean, standard deviation and maximum over time of each encoded utterance;
            with ``pooling="attention"`` its weighted mean, and with
            ``"attentive_statistics"`` its weighted mean and deviation.
        """
        check_is_fitted(self)
        encoded = self._infer(
            self._check_X(X),
            self._n_features_out,
            lambda module, x, lengths: module.encode(x, lengths),
        )
        return encoded.astype(np.float32)

    @available_if(_has_speaker_head)
    def predict_speaker_proba(self, X: Any) -> NDArray[np.float64]:
        """Predict the probabilities of the speakers, by the speaker head.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_frames_i, n_features), \
or array-like of shape (n, n_frames, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n, n_speakers)
            In the order of ``speakers_``. For any other speaker, they tell whose voices
            are similar.
        """
        check_is_fitted(self)
        return self._infer(
            self._check_X(X),
            len(self.speakers_),
            lambda module, x, lengths: module(x, lengths).speaker.softmax(dim=1),
        )

    @property
    def _n_features_out(self) -> int:
        """Width of what `transform` gives, for `get_feature_names_out`."""
        return int(self.net_.module_.n_features_out)

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._infer(
            sequences,
            len(self.classes_),
            lambda module, x, lengths: module(x, lengths).emotion.log_softmax(dim=1),
        )

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from."""
        return NetSpec(
            module=SpeakerInvariantNet,
            module_params={
                "n_features": self.n_features_in_,
                "n_classes": len(self.classes_),
                "n_speakers": len(self.speakers_),
                "hidden_size": int(self.hidden_size),
                "kernel_sizes": check_sizes("kernel_sizes", self.kernel_sizes),
                "head_sizes": check_sizes("head_sizes", self.head_sizes),
                "reverse": self.adversary_ == "gradient_reversal",
                "pooling": self.pooling,
                "dropout": self.dropout,
            },
            criterion=SpeakerAdversarialLoss,
            criterion_params={
                "adversary": self.adversary_,
                "emotion_weight": self.emotion_weight,
                "label_smoothing": self._resolve_schedule().label_smoothing,
            },
            inputs={"x": "X", "lengths": "lengths", "generator": "generator"},
            batches=UtteranceBatches,
            net=AdversarialNet,
            lr_schedule={
                "policy": "PolynomialLR",
                "total_iters": self.max_epochs,
                "power": self.lr_power,
            },
            **self._shared_settings(seed),
        )

    def _check_emotions(self, train: Data, valid: Data | None) -> None:
        """Refuse to train, or to stop early, where no emotion is known."""
        if (train["y"] == UNKNOWN).all():
            raise ValueError(
                "No utterance to train on has an emotion that is known: give y more "
                "emotions, or hold out fewer speakers."
            )
        if valid is not None and (valid["y"] == UNKNOWN).all():
            raise ValueError(
                "Early stopping watches the emotions of the held-out speakers "
                f"{self.validation_groups_.tolist()}, but none is known: hold "
                "out more."
            )

    def _resolve_adversary(self, train: Data) -> tuple[str | None, NDArray[Any]]:
        """Return how the speakers to train on are used, and who they are."""
        if self.adversary is None:
            return None, np.array([])
        speakers = np.array([])
        if "speaker" in train:
            speakers, _ = encode_labels("groups", train["speaker"])
        auto = self.adversary == "auto"
        if len(speakers) > 1:
            return "entropy" if auto else self.adversary, speakers
        lack = (
            f"{type(self).__name__}(adversary={self.adversary!r}) needs two or more "
            f"speakers to train on, but {self._why_too_few(train, speakers)}"
        )
        if not auto:
            raise ValueError(f"{lack} adversary=None learns emotions alone.")
        warn_user(f"{lack} It learns emotions alone, as with adversary=None.")
        return None, speakers[:0]

    def _why_too_few(self, train: Data, speakers: NDArray[Any]) -> str:
        """Tell speakers that were not passed from speakers that are too few."""
        if "speaker" not in train:
            return f"fit did not get them as groups. {routing_hint(self, 'groups')}"
        left = " after early stopping has held some out" if self.early_stopping else ""
        return (
            f"groups names fewer{left} (n_speakers={len(speakers)}, "
            f"n_samples={len(train['X'])})."
        )


def _with_speakers(data: Data, speakers: NDArray[Any]) -> Data:
    """Return the data with the number of each speaker."""
    names = data.get("speaker", np.full(len(data["X"]), None))
    number = {name: index for index, name in enumerate(speakers.tolist())}
    codes = [number.get(name, UNKNOWN) for name in names.tolist()]
    return {**data, "speaker": np.array(codes, dtype=np.int64)}
