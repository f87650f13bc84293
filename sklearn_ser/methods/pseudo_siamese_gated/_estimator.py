"""PseudoSiameseGated: triplets across corpora and gated fusion (Gao et al., 2021)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from joblib import Memory
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._computing import computing, resolve_device
from ..._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    validate_parameter_constraints,
)
from ...datasets import AuxiliaryCorpora
from ...sequences import Sequences, as_sequences, check_sequences
from ...training._base import NetTransformerMixin, draw_seed
from ...training._batches import Data, UtteranceBatches
from ...training._labels import check_groups
from ...training._losses import WeightedCrossEntropy
from ...training._net import TrainingNet
from ...training._schedule import OF_CLASSES, Schedule
from ...training._sequences import (
    SequenceClassifierMixin,
    SequenceEstimator,
    check_classes,
)
from ...training._spec import NetSpec
from ...training._state import to_torch
from ._branches import (
    learned_branches,
    represent_segments,
    shape_of_segments,
    specify_branches,
)
from ._net import PseudoSiameseGatedNet
from ._quadrants import (
    check_auxiliary,
    utterance_quadrants,
    warn_of_learned,
    warn_of_no_triplets,
)


class PseudoSiameseGated(
    NetTransformerMixin, SequenceClassifierMixin, SequenceEstimator
):
    r"""Pseudo-siamese network with gated fusion (Gao et al., 2021).

    Learns from the segments of utterances, such as those of `SpectrogramSegmenter`, in
    three phases. First, a convolutional network learns the emotions of the target
    corpus while an autoencoder learns other, auxiliary corpora. A triplet loss links
    them: it moves a segment of the target nearer to the auxiliary segments with the
    same valence and activation than to the others. Second, the autoencoder is kept, a
    new convolutional network is made, and both are trained on the target. Third, a gate
    weighs the two representations of each segment, and attention, a bidirectional LSTM
    and a softmax layer predict the emotion of the utterance.

    Parameters
    ----------
    auxiliary_corpora : AuxiliaryCorpora or None, default=None
        The corpora :math:`P(X)` of the pre-training, see
        `sklearn_ser.datasets.AuxiliaryCorpora`. They are a parameter, so that a
        cross-validation never splits them. None leaves out the pre-training, with a
        warning. They may be taken out of a fitted estimator, to save it without them:
        ``set_params(auxiliary_corpora=None)``.
    fusion : {"gate", "concatenate"} or None, default="gate"
        How the representations of both branches become one: by the gate, followed by
        attention, or side by side. None leaves out the autoencoder, and with it
        pre-training and triplets: the paper's CNN-BLSTM.
    triplets : {"random", "semihard"} or None, default="random"
        How triplets are made, see `sklearn_ser.losses.mine_triplets`; the paper does
        not say. None leaves the triplet loss out, and with it all that the autoencoder
        learns of emotions: the paper's PT and PT_G.
    margin : float, default=1.0
        Margin M of the triplet loss; not published.
    normalize : bool, default=False
        Whether representations are scaled to length 1 for the triplet loss.
    quadrants : dict or None, default=None
        For each class the quadrant of valence and activation, from 1 to 4. None looks
        up the names of emotions in `sklearn_ser.datasets.emotion_quadrant`, which has
        Table 1 of the paper. If it lacks a name and there are no auxiliary corpora,
        each class counts as a quadrant of its own. If what is around this estimator
        numbers the classes, such as `sklearn.multiclass.OneVsRestClassifier`, give
        `fit` the `quadrant` of each utterance instead; in a
        `sklearn.ensemble.StackingClassifier`, give the quadrants of the numbers.
    pretraining_weights : sequence of three floats, default=(0.3, 0.3, 0.4)
        Weights :math:`\alpha, \beta, \gamma` of cross-entropy, triplet loss and
        reconstruction (Eq. 5) in the pre-training (paper).
    feature_weights : sequence of three floats, default=(0.6, 0.2, 0.2)
        The same when both branches learn from the target (paper).
    segment_shape : tuple of two int or None, default=None
        Frames and bins of a segment, whose product is the number of its values. None
        guesses 32 frames, the default of `SpectrogramSegmenter`, if 32 divides the
        number of values, else one frame. With other settings, give its
        `SpectrogramSegmenter.segment_shape`.
    embedding_size : int, default=128
        Values of each branch's representation of a segment; not published.
    nonlinearity : {"tanh", "relu", "identity"}, default="tanh"
        The function f after the gate (Eqs. 7 and 8); not published.
    n_heads : int, default=1
        Heads of the attention after the gate, whose output is added to its input and
        normalised; not published. 0 leaves it out.
    hidden_size : int, default=128
        Units of the LSTM, in each direction; not published.
    dropout : float, default=0.0
        Share of the values that are dropped in training: those before the softmax
        layer, in the last phase.
    output : {"fused", "deep", "latent", "gate"}, default="fused"
        What `transform` gives: the states of the LSTM that the softmax layer is given,
        of ``2 * hidden_size`` values, or the mean over the segments of :math:`R_d`,
        :math:`R_l` or the gate :math:`G`. It may be changed after `fit`.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the cross-entropy, as in scikit-learn: ``"balanced"``
        makes up for their frequencies among the utterances that are trained on.
    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over all
        frames or segments that are trained on. Each auxiliary corpus is standardised by
        its own statistics. Not published.
    lr : float, default=1.0
        Learning rate of Adadelta, torch's default; the paper only names the optimiser.
        Another optimiser in `net_params` needs another rate.
    weight_decay : float, default=0.0
        Penalty on large weights: the `weight_decay` of the torch optimiser, which adds
        so much of each weight to its gradient (L2). 0 is none. All phases have
        it.
    schedule : {"paper", "small_corpus"} or Schedule, default="paper"
        What is done in training beside what the paper publishes: nothing, what was
        chosen for few speakers, or the parts of a `sklearn_ser.Schedule`.
    pretraining_epochs : int, default=2
        Passes over the auxiliary corpora in the pre-training. The paper publishes no
        epochs; the defaults are for two processors, see the notes.
    feature_epochs : int, default=6
        Passes over the target when both branches learn from it.
    max_epochs : int, default=30
        Passes over the target in the last phase.
    batch_size : int, default=128
        Segments in a batch of the first two phases (paper).
    fusion_batch_size : int, default=32
        Utterances in a batch of the last phase, of similar length; not published.
    early_stopping : bool, default=False
        Whether to hold out some speakers, to stop when the loss on them no longer
        falls, and to keep the weights of the best epoch. Needs `groups` in `fit`. The
        second and the third phase stop, each by itself.
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
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the branches are cached. A fit that differs only in the gate or in later
        layers takes them from there. Only with an integer as `random_state`; otherwise
        they would never be found again. Callbacks in `net_params` then see only the
        last phase, and must be picklable.
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
        Whether to show a progress bar over the epochs. Each phase has one.
    net_params : dict or None, default=None
        Further parameters of the skorch net, merged last, for instance
        ``{"optimizer__eps": 1e-6}``. They go to the nets of all phases.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module, a
        `sklearn_ser.nets.PseudoSiameseGatedNet`.
    classes_ : ndarray of shape (n_classes,)
        The emotions.
    segment_shape_ : tuple of two int
        Frames and bins of a segment.
    mean_ : ndarray of shape (n_features,)
        Mean of each value over the segments that were trained on.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations; 1 for constants.
    pretraining_history_ : list of dict
        One entry per epoch of the pre-training, where there was one: ``"epoch"`` and
        the means over the epoch of ``"train_loss"`` and of its terms without their
        weights: ``"train_cross_entropy_loss"``, ``"train_triplet_loss"``,
        ``"train_reconstruction_loss"``, where they apply.
    feature_history_ : list of dict
        The same of the second phase; under early stopping also with ``"valid_"``.
    history_ : list of dict
        One entry per epoch of the last phase: ``"epoch"``, ``"train_loss"`` and, under
        early stopping, ``"valid_loss"``.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of values of a segment in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` was a table with names.

    See Also
    --------
    sklearn_ser.recipes.pseudo_siamese_gated : The paper's pipeline, and the models it
        is compared with.
    sklearn_ser.features.SpectrogramSegmenter : The paper's segments.
    sklearn_ser.plotting.TSNEDisplay : A look at a representation.

    Notes
    -----
    The paper's models are CNN-BLSTM (``fusion=None``), PT (``fusion="concatenate",
    triplets=None``), PT_G (``triplets=None``), PSN (``fusion="concatenate"``) and
    PSN_G, the default.

    An epoch of the pre-training passes over the auxiliary corpora once; as many
    segments of the target, drawn at random, join each batch. The convolutional network
    learns their emotions, and they are the anchors of the triplets. In the second phase
    both branches see the same segments of the target, and a segment is never its own
    positive. The third phase does not change the branches. The segments of an utterance
    always stay together, and no phase trains on those of held-out speakers.

    `fit` raises an error if utterances of `X` are also in the auxiliary corpora,
    because utterances that a cross-validation holds out may then be there, too.
    Predictions only warn of them. Other recordings of the same speakers cannot be
    detected.

    On one processor, 1000 segments take about 5 s in the convolutional network and 7 s
    in the autoencoder; with the default epochs, 10,000 segments of auxiliary corpora
    and 3000 of the target take about eight minutes. The memory of the attention grows
    with the square of the segments of an utterance.

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.
    .. [2] A. Satt, S. Rozenberg and R. Hoory, "Efficient emotion recognition from
       speech using deep learning on spectrograms", Interspeech, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import PseudoSiameseGated
    >>> from sklearn_ser.datasets import AuxiliaryCorpora
    >>> rng = np.random.default_rng(0)
    >>> def utterances(emotions):
    ...     return [rng.normal(e == "anger", size=(rng.integers(2, 5), 64))
    ...             for e in emotions]
    >>> y = np.tile(["anger", "sadness"], 20)
    >>> auxiliary = AuxiliaryCorpora(utterances(y), np.where(y == "anger", 2, 3))
    >>> X = utterances(y)
    >>> model = PseudoSiameseGated(auxiliary, random_state=0).fit(X, y)
    >>> model.transform(X).shape, model.score(X, y)
    ((40, 256), 1.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SequenceEstimator._parameter_constraints,
        "auxiliary_corpora": [AuxiliaryCorpora, None],
        "fusion": [StrOptions({"gate", "concatenate"}), None],
        "triplets": [StrOptions({"random", "semihard"}), None],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "normalize": ["boolean"],
        "quadrants": [dict, None],
        "pretraining_weights": ["array-like"],
        "feature_weights": ["array-like"],
        "segment_shape": ["array-like", None],
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "nonlinearity": [StrOptions({"tanh", "relu", "identity"})],
        "n_heads": [Interval(Integral, 0, None, closed="left")],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "output": [StrOptions({"fused", "deep", "latent", "gate"})],
        "class_weight": SequenceClassifierMixin._class_weight_constraint,
        "pretraining_epochs": [Interval(Integral, 1, None, closed="left")],
        "feature_epochs": [Interval(Integral, 1, None, closed="left")],
        "fusion_batch_size": [Interval(Integral, 1, None, closed="left")],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
    }

    __metadata_request__fit = {"quadrant": True, "groups": True}
    _schedule_parts = OF_CLASSES

    def __init__(
        self,
        auxiliary_corpora: AuxiliaryCorpora | None = None,
        *,
        fusion: Literal["gate", "concatenate"] | None = "gate",
        triplets: Literal["random", "semihard"] | None = "random",
        margin: float = 1.0,
        normalize: bool = False,
        quadrants: dict[Any, int] | None = None,
        pretraining_weights: Sequence[float] = (0.3, 0.3, 0.4),
        feature_weights: Sequence[float] = (0.6, 0.2, 0.2),
        segment_shape: tuple[int, int] | None = None,
        embedding_size: int = 128,
        nonlinearity: Literal["tanh", "relu", "identity"] = "tanh",
        n_heads: int = 1,
        hidden_size: int = 128,
        dropout: float = 0.0,
        output: Literal["fused", "deep", "latent", "gate"] = "fused",
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        standardize: bool = True,
        lr: float = 1.0,
        weight_decay: float = 0.0,
        schedule: Literal["paper", "small_corpus"] | Schedule = "paper",
        pretraining_epochs: int = 2,
        feature_epochs: int = 6,
        max_epochs: int = 30,
        batch_size: int = 128,
        fusion_batch_size: int = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        validation_groups: Any = None,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        memory: str | os.PathLike[str] | Memory | None = None,
        device: str | torch.device = "auto",
        n_jobs: int | None = 1,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | bool = 0,
        net_params: dict[str, Any] | None = None,
    ) -> None:
        self.auxiliary_corpora = auxiliary_corpora
        self.fusion = fusion
        self.triplets = triplets
        self.margin = margin
        self.normalize = normalize
        self.quadrants = quadrants
        self.pretraining_weights = pretraining_weights
        self.feature_weights = feature_weights
        self.segment_shape = segment_shape
        self.embedding_size = embedding_size
        self.nonlinearity = nonlinearity
        self.n_heads = n_heads
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.output = output
        self.class_weight = class_weight
        self.standardize = standardize
        self.lr = lr
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.pretraining_epochs = pretraining_epochs
        self.feature_epochs = feature_epochs
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.fusion_batch_size = fusion_batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_groups = validation_groups
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.memory = memory
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.net_params = net_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, *, quadrant: Any = None, groups: Any = None
    ) -> PseudoSiameseGated:
        """Train the network in its three phases.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances as sequences of segments, each a row; each row of a 2-D array is
            an utterance of one segment.
        y : array-like of shape (n,)
            Emotion of each utterance.
        quadrant : array-like of shape (n,), default=None
            Quadrant of valence and activation of each utterance, from 1 to 4, as
            `sklearn_ser.datasets.AuxiliaryCorpora` takes it; None or NaN where it is
            unknown: such an utterance is in no triplet. It stands in the place of
            `quadrants`, and is not read where there are no triplets.
        groups : array-like of shape (n,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        PseudoSiameseGated
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an utterance is not a sequence of finite numbers, if the lengths
            differ, if speakers are needed and missing, if the auxiliary corpora have
            segments of another size or hold utterances of `X`, if the quadrants of
            the emotions are not known, or if both `quadrant` and `quadrants` are given.

        Warns
        -----
        UserWarning
            If there are no auxiliary corpora, so that nothing is pre-trained, or if
            the quadrants leave no triplet.
        """
        self._reset()
        sequences = check_sequences(self, X, reset=True)
        groups = check_groups(self, groups, sequences)
        self.segment_shape_ = shape_of_segments(
            sequences.n_features, self.segment_shape
        )
        self._check_output(self.output, self.fusion)
        self.classes_, codes = check_classes(self, sequences, y)
        data: dict[str, Any] = {"X": sequences, "y": codes}
        if self.fusion is not None:
            check_auxiliary(self.auxiliary_corpora, sequences)
            if self.triplets is not None:
                data["quadrant"] = utterance_quadrants(self, codes, quadrant)
                warn_of_no_triplets(data["quadrant"], self.auxiliary_corpora)
        seed = draw_seed(self.random_state)
        train, valid = self._split_off_speakers(data, groups, seed)
        train, valid = self._with_class_weights(train, valid)
        train, valid = self._fit_scaling(train, valid)
        # Built first, so that errors in parameters are raised before the branches are
        # trained.
        spec = self._specify(seed)
        net = spec.build()
        self._train_branches(net, train, valid, seed)
        branches = net.module_.branches
        train = {
            **train,
            "X": represent_segments(branches, train["X"], self._n_threads()),
        }
        if valid is not None:
            valid = {
                **valid,
                "X": represent_segments(branches, valid["X"], self._n_threads()),
            }
        net.train_on(train, valid)
        self._set_fitted(spec, net)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Represent utterances.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances.

        Returns
        -------
        ndarray of shape (n, n_outputs), float32
            What `output` says: the fused representation that the last layer
            is given, or the mean over the segments of one of the others.
        """
        check_is_fitted(self)
        kind = self._check_output(self.output, self._spec.module_params["fusion"])
        segments = self._represent(self._check_X(X))
        if kind != "fused":
            of_segments = self._of_segments(segments, kind)
            return np.stack([array.mean(axis=0) for array in of_segments])
        fused = self._infer(
            segments,
            self._n_features_out,
            lambda module, x, lengths: module.fusion.encode(x, lengths),
        )
        return fused.astype(np.float32)

    def transform_segments(
        self,
        X: Any,
        output: Literal["fused", "deep", "latent", "gate"] = "fused",
    ) -> NDArray[Any]:
        """Represent each segment of utterances.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances.
        output : {"fused", "deep", "latent", "gate"}, default="fused"
            What the recurrent layer is given, R_d of the convolutional network, R_l of
            the autoencoder, or the gate G.

        Returns
        -------
        ndarray of shape (n,) and dtype object
            For each utterance an array of shape (n_segments_i, n_outputs), float32.
        """
        check_is_fitted(self)
        self._check_output(output, self._spec.module_params["fusion"])
        segments = self._represent(self._check_X(X))
        return self._of_segments(segments, output)

    @property
    def _n_features_out(self) -> int:
        """Width of what `transform` gives, for `get_feature_names_out`."""
        if self.output == "fused":
            return 2 * int(self._spec.module_params["hidden_size"])
        return int(self._spec.module_params["embedding_size"])

    def _represent(self, sequences: Sequences) -> Sequences:
        """Return what the trained branches make of validated utterances."""
        pretrained = hasattr(self, "pretraining_history_")
        if pretrained and self.auxiliary_corpora is not None:
            warn_of_learned(self.auxiliary_corpora, sequences)
        return represent_segments(
            self.net_.module_.branches, sequences, self._n_threads()
        )

    def _of_segments(self, segments: Sequences, kind: str) -> NDArray[Any]:
        """Return one representation of each segment, in an array per utterance."""
        size = int(self._spec.module_params["embedding_size"])
        if kind in ("deep", "latent"):
            part = slice(size) if kind == "deep" else slice(size, None)
            return as_sequences([array[:, part] for array in segments.arrays])
        module, device = self._inference_module()
        fusion: Any = module.fusion
        arrays = []
        with computing(self._n_threads()), torch.inference_mode():
            for array in segments.arrays:
                x = torch.from_numpy(array).to(device).double()[None]
                if kind == "gate":
                    values = fusion.gated(*x.chunk(2, dim=-1)).gate
                else:
                    values = fusion.fuse(x, torch.tensor([len(array)], device=device))
                arrays.append(values[0].float().cpu().numpy())
        return as_sequences(arrays)

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._infer(
            self._represent(sequences),
            len(self.classes_),
            lambda module, x, lengths: module.fusion(x, lengths).logits.log_softmax(
                dim=1
            ),
        )

    def drop_pretraining_data(self) -> None:
        """Drop the auxiliary corpora, which no prediction needs."""
        self.auxiliary_corpora = None

    def _check_output(self, kind: str, fusion: str | None) -> str:
        """Return the kind of representation; refuse one that does not exist."""
        validate_parameter_constraints(
            self._parameter_constraints,
            {"output": kind},
            caller_name=type(self).__name__,
        )
        if (kind == "latent" and fusion is None) or (kind == "gate" != fusion):
            needed = "'gate'" if kind == "gate" else "'gate' or 'concatenate'"
            raise ValueError(f"output={kind!r} needs fusion={needed}, got {fusion!r}.")
        return kind

    def _train_branches(
        self, net: TrainingNet, train: Data, valid: Data | None, seed: int
    ) -> None:
        """Train the branches of a net in the first two phases, or take them cached."""
        settings = self._shared_settings(seed) | {
            "optimizer": "Adadelta",
            "device": resolve_device(self.device),
        }
        # Without a seed, what is cached would never be found again.
        seeded = isinstance(self.random_state, int | np.integer)
        weights, histories = learned_branches(
            self.memory if seeded else None,
            specify_branches(self, settings),
            train,
            valid,
            verbose=self.verbose,
        )
        self.feature_history_ = histories["features"]
        if "pretraining" in histories:
            self.pretraining_history_ = histories["pretraining"]
        net.module_.branches.load_state_dict(to_torch(weights))

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from; the third phase trains its last part."""
        settings = self._shared_settings(seed)
        return NetSpec(
            module=PseudoSiameseGatedNet,
            module_params={
                "segment_shape": self.segment_shape_,
                "n_classes": len(self.classes_),
                "embedding_size": int(self.embedding_size),
                "fusion": self.fusion,
                "nonlinearity": self.nonlinearity,
                "n_heads": int(self.n_heads),
                "hidden_size": int(self.hidden_size),
                "dropout": self.dropout,
            },
            part="fusion",
            criterion=WeightedCrossEntropy,
            criterion_params={
                "label_smoothing": self._resolve_schedule().label_smoothing
            },
            inputs={"x": "X", "lengths": "lengths", "generator": "generator"},
            batches=UtteranceBatches,
            optimizer="Adadelta",
            **settings | {"batch_size": self.fusion_batch_size},
        )
