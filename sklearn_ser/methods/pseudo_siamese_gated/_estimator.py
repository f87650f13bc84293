"""PseudoSiameseGated: triplets across corpora and gated fusion (Gao et al., 2021)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from joblib import Memory
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    validate_parameter_constraints,
)
from ...datasets import AuxiliaryCorpora
from ...sequences import Sequences, as_sequences, check_sequences
from ...training._base import Data, resolve_device
from ...training._net import TrainingNet, UtteranceBatches, one_thread
from ...training._sequences import (
    SequenceClassifierMixin,
    SequenceEstimator,
    WeightedCrossEntropy,
)
from ...training._state import to_torch
from ._branches import (
    BranchTrainer,
    learned_branches,
    represent_segments,
    shape_of_segments,
)
from ._loss import check_loss_weights
from ._net import PseudoSiameseGatedNet
from ._quadrants import (
    check_auxiliary,
    class_quadrants,
    warn_of_learned,
    warn_of_no_triplets,
)


class _FusionNet(TrainingNet):
    """Net that trains the second network, on what the branches make of segments."""

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Pass a batch of represented segments through the second network."""
        if not isinstance(x, Mapping):
            return super().infer(x, **fit_params)
        return self.module_.fusion(x["X"], x["lengths"], x["generator"])


class PseudoSiameseGated(
    ClassNamePrefixFeaturesOutMixin,
    SequenceClassifierMixin,
    TransformerMixin,
    SequenceEstimator,
):
    r"""Pseudo-siamese network with gated fusion (Gao et al., 2021).

    Learns from the segments of utterances, such as those of `SpectrogramSegmenter`, in
    three phases. A convolutional network for the emotions of the target corpus and an
    autoencoder for other, auxiliary corpora are trained side by side, with a triplet
    loss between them: it draws a segment of the target nearer to those of the other
    corpora that have its valence and activation than to the rest. The autoencoder is
    kept, a new convolutional network made, and both are trained on the target. Then a
    gate weighs the two representations of each segment, and attention, a bidirectional
    LSTM and a softmax layer predict the emotion of the utterance.

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
        Table 1 of the paper. Without auxiliary corpora, and if it lacks one of the
        names, each class counts as a quadrant of its own. Estimators around this one
        that number the classes, such as `sklearn.ensemble.StackingClassifier`, need
        those of the numbers.
    pretraining_weights : sequence of three floats, default=(0.3, 0.3, 0.4)
        Weights :math:`\alpha, \beta, \gamma` of cross-entropy, triplet loss and
        reconstruction (Eq. 5) in the pre-training (paper).
    feature_weights : sequence of three floats, default=(0.6, 0.2, 0.2)
        The same when both branches learn from the target (paper).
    segment_shape : tuple of two int or None, default=None
        Frames and bins of a segment, whose product is the number of its values. None
        guesses 32 frames, those of `SpectrogramSegmenter` by default, where that
        divides the values, else one: give what `SpectrogramSegmenter.segment_shape`
        says where its settings are others.
    embedding_size : int, default=128
        Values of each branch's representation of a segment; not published.
    activation : {"tanh", "relu", "identity"}, default="tanh"
        The function f after the gate (Eqs. 7 and 8); not published.
    n_heads : int, default=1
        Heads of the attention after the gate, whose output is added to its input and
        normalised; not published. 0 leaves it out.
    hidden_size : int, default=128
        Units of the LSTM, in each direction; not published.
    dropout : float, default=0.0
        Share of the values that are dropped in training before the softmax layer.
    output : {"fused", "deep", "latent", "gate"}, default="fused"
        What `transform` gives: the states of the LSTM that the softmax layer is given,
        of ``2 * hidden_size`` values, or the mean over the segments of :math:`R_d`,
        :math:`R_l` or the gate :math:`G`. It may be changed after `fit`.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the cross-entropies, as in scikit-learn:
        ``"balanced"`` makes up for their frequencies among the utterances that are
        trained on.
    standardize : bool, default=True
        Whether to standardise each value of a segment by its mean and standard
        deviation over the segments that are trained on, and each auxiliary corpus by
        its own; not published.
    lr : float, default=1.0
        Learning rate of Adadelta, torch's default; the paper names the optimiser
        alone. Another optimiser in `net_params` needs another.
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
        Whether to hold out some speakers, to stop the second and the third phase when
        the loss on them no longer falls, and to keep the weights of the best epoch of
        each. Needs `groups` in `fit`.
    validation_fraction : float, default=0.1
        Share of the speakers to hold out for early stopping.
    n_iter_no_change : int, default=10
        Epochs without improvement after which early stopping stops.
    tol : float, default=1e-4
        Smallest improvement of the loss that counts.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the branches are cached: a fit that differs only in the gate or what
        comes after it then takes them from there. Only if `random_state` is an
        integer; others would never be found again. Callbacks in `net_params` then see
        the last phase alone, and have to be such that they can be pickled.
    device : str or torch.device, default="auto"
        Where to compute: ``"auto"`` takes CUDA where there is one, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, of batches and triplets, of dropout and of the
        held-out speakers. The same integer gives the same result under every joblib
        backend, and touches no global random state; None draws a seed from numpy's.
    verbose : int or bool, default=0
        Whether to show a progress bar over the epochs of each phase.
    net_params : dict or None, default=None
        Further parameters of the skorch nets of all phases, merged last, for instance
        ``{"optimizer__weight_decay": 1e-4}``.

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
        ``"train_reconstruction_loss"``, as far as there are such.
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

    An epoch of the pre-training passes over the auxiliary corpora once; beside each of
    their batches stand as many segments of the target, drawn at random, whose emotions
    the convolutional network learns, and which are the anchors of the triplets. In the
    second phase both branches see the same segments of the target, and a segment is
    never its own positive. The branches are not changed in the third phase. The
    segments of an utterance are never parted, and those of held-out speakers in no
    phase trained on.

    Utterances of `X` that are found in the auxiliary corpora are an error in `fit`, as
    what a cross-validation holds out may then be in them, too; after it, a warning.
    Other recordings of the same speakers cannot be found.

    On one processor, 1000 segments take about 5 s in the convolutional network and 7 s
    in the autoencoder; with the default epochs, 10,000 segments of auxiliary corpora
    and 3000 of the target about eight minutes. The attention needs memory for
    the square of the segments of an utterance.

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

    _module_class = PseudoSiameseGatedNet
    _criterion_class = WeightedCrossEntropy
    _net_class = _FusionNet
    _batches = UtteranceBatches
    _optimizer_class = torch.optim.Adadelta

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
        "activation": [StrOptions({"tanh", "relu", "identity"})],
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

    __metadata_request__fit = {"groups": True}

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
        activation: Literal["tanh", "relu", "identity"] = "tanh",
        n_heads: int = 1,
        hidden_size: int = 128,
        dropout: float = 0.0,
        output: Literal["fused", "deep", "latent", "gate"] = "fused",
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        standardize: bool = True,
        lr: float = 1.0,
        pretraining_epochs: int = 2,
        feature_epochs: int = 6,
        max_epochs: int = 30,
        batch_size: int = 128,
        fusion_batch_size: int = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        memory: str | os.PathLike[str] | Memory | None = None,
        device: str | torch.device = "auto",
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
        self.activation = activation
        self.n_heads = n_heads
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.output = output
        self.class_weight = class_weight
        self.standardize = standardize
        self.lr = lr
        self.pretraining_epochs = pretraining_epochs
        self.feature_epochs = feature_epochs
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.fusion_batch_size = fusion_batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.memory = memory
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.net_params = net_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, groups: Any = None) -> PseudoSiameseGated:
        """Train the network in its three phases.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances as sequences of segments, each a row; of a 2-D array, each row
            is an utterance of one segment.
        y : array-like of shape (n,)
            Emotion of each utterance.
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
            segments of another size or hold utterances of `X`, or if the quadrants of
            the emotions are not known.

        Warns
        -----
        UserWarning
            If there are no auxiliary corpora, so that nothing is pre-trained, or if
            the quadrants leave no triplet.
        """
        self._forget("segment_shape_", "pretraining_history_", "feature_history_")
        sequences = check_sequences(self, X, reset=True)
        check_consistent_length(sequences, groups)
        self.segment_shape_ = shape_of_segments(
            sequences.n_features, self.segment_shape
        )
        self._check_output(self.output, self.fusion)
        data: dict[str, Any] = {"X": sequences, "y": self._encode_classes(sequences, y)}
        if self.fusion is not None:
            check_auxiliary(self.auxiliary_corpora, sequences)
            if self.triplets is not None:
                other = self.auxiliary_corpora
                of_class = class_quadrants(self.classes_, self.quadrants, other)
                warn_of_no_triplets(of_class, other)
                data["quadrant"] = of_class[data["y"]]
        self._fit_net(data, groups)
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
        kind = self._check_output(self.output, self._params_at_fit["fusion"])
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
        self._check_output(output, self._params_at_fit["fusion"])
        segments = self._represent(self._check_X(X))
        return self._of_segments(segments, output)

    @property
    def _n_features_out(self) -> int:
        """Width of what `transform` gives, for `get_feature_names_out`."""
        if self.output == "fused":
            return 2 * int(self._architecture["hidden_size"])
        return int(self._architecture["embedding_size"])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the representation is float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_X(self, X: Any) -> Sequences:  # noqa: N802 - X is scikit-learn's name
        sequences = super()._check_X(X)
        pretrained = hasattr(self, "pretraining_history_")
        if pretrained and self.auxiliary_corpora is not None:
            warn_of_learned(self.auxiliary_corpora, sequences)
        return sequences

    def _represent(self, sequences: Sequences) -> Sequences:
        """Return what the trained branches make of validated utterances."""
        return represent_segments(self.net_.module_.branches, sequences)

    def _of_segments(self, segments: Sequences, kind: str) -> NDArray[Any]:
        """Return one representation of each segment, in an array per utterance."""
        size = int(self._architecture["embedding_size"])
        if kind in ("deep", "latent"):
            part = slice(size) if kind == "deep" else slice(size, None)
            return as_sequences([array[:, part] for array in segments.arrays])
        module, device = self._inference_module()
        fusion: Any = module.fusion
        arrays = []
        with one_thread(), torch.inference_mode():
            for array in segments.arrays:
                x = torch.from_numpy(array).to(device).double()[None]
                if kind == "gate":
                    values = fusion.gated(*x.chunk(2, dim=-1))[1]
                else:
                    values = fusion.fuse(x, torch.tensor([len(array)], device=device))
                arrays.append(values[0].float().cpu().numpy())
        return as_sequences(arrays)

    def _log_probabilities(self, sequences: Sequences) -> NDArray[np.float64]:
        return self._infer(
            self._represent(sequences),
            len(self.classes_),
            lambda module, x, lengths: module.fusion(x, lengths).log_softmax(dim=1),
        )

    def drop_pretraining_data(self) -> None:
        """Drop the auxiliary corpora, which no prediction needs."""
        self.auxiliary_corpora = None

    def _check_output(self, kind: str, fusion: str | None) -> str:
        """Return which representation is asked for; refuse one that there is not."""
        validate_parameter_constraints(
            self._parameter_constraints,
            {"output": kind},
            caller_name=type(self).__name__,
        )
        if (kind == "latent" and fusion is None) or (kind == "gate" != fusion):
            needed = "'gate'" if kind == "gate" else "'gate' or 'concatenate'"
            raise ValueError(f"output={kind!r} needs fusion={needed}, got {fusion!r}.")
        return kind

    def _draw(self) -> None:
        super()._draw()
        # A net is rebuilt without them: they need not be saved once more.
        self._params_at_fit["auxiliary_corpora"] = None

    def _prepare(self, data: Data, valid: Data | None) -> tuple[Data, Data | None]:
        """Train the branches, and replace all segments by what they make of them."""
        # Once before its time: what does not fit is said before the branches train.
        self._architecture = self._module_params()
        self._build_net()
        data, valid = super()._prepare(*self._with_class_weights(data, valid))
        trainer = self._trainer()
        # Without a seed, what is cached would never be found again.
        seeded = isinstance(self.random_state, int | np.integer)
        weights, histories = learned_branches(
            self.memory if seeded else None, trainer, data, valid, verbose=self.verbose
        )
        self.feature_history_ = histories["features"]
        if "pretraining" in histories:
            self.pretraining_history_ = histories["pretraining"]
        branches = trainer.built(weights)
        self._branch_weights = weights

        def represented(part: Data) -> Data:
            return {**part, "X": represent_segments(branches, part["X"])}

        return represented(data), valid and represented(valid)

    def _trainer(self) -> BranchTrainer:
        """Return what trains the branches, the same for the same branches."""
        params = {
            **self.get_params(deep=False),
            "autoencoder": self.fusion is not None,
            "segment_shape": self.segment_shape_,
            "n_classes": len(self.classes_),
            "seed": self._seed,
            **{
                name: check_loss_weights(name, getattr(self, name))
                for name in ("pretraining_weights", "feature_weights")
            },
            "device": resolve_device(self.device),
            "net_params": self.net_params or None,
        }
        return BranchTrainer.of(params)

    def _net(
        self, net_class: type[TrainingNet], callbacks: list[Any], **settings: Any
    ) -> TrainingNet:
        if net_class is self._net_class:
            settings["batch_size"] = self.fusion_batch_size
        return super()._net(net_class, callbacks, **settings)

    def _begin(self, net: TrainingNet) -> None:
        net.module_.branches.load_state_dict(to_torch(self._branch_weights))
        del self._branch_weights

    def _module_params(self) -> dict[str, Any]:
        return {
            "segment_shape": self.segment_shape_,
            "n_classes": len(self.classes_),
            "embedding_size": int(self.embedding_size),
            "fusion": self.fusion,
            "activation": self.activation,
            "n_heads": int(self.n_heads),
            "hidden_size": int(self.hidden_size),
            "dropout": self.dropout,
        }
