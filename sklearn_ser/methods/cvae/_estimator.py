"""CVAE: variational autoencoders of speech segments (Latif et al., 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import Tags

from ..._sklearn import Interval, StrOptions, fit_context
from ..._warnings import warn_user
from ...sequences import Sequences, check_sequences
from ...training._base import check_sizes, draw_seed
from ...training._batches import Data, FrameBatches
from ...training._labels import check_groups, routing_hint
from ...training._schedule import Schedule
from ...training._sequences import SequenceEstimator, check_classes
from ...training._spec import NetSpec
from ._condition import (
    Condition,
    DropCondition,
    check_condition,
    learn_categories,
    learn_numbers,
)
from ._crossfit import infer_across_folds
from ._encoding import TrainedAutoencoder
from ._loss import VariationalLoss
from ._net import VariationalAutoencoder


class CVAE(TrainedAutoencoder):
    r"""Conditional variational autoencoder of segments (Latif et al., 2018).

    Learns to compress segments of speech, such as those of `LogMelSegmenter`, into
    the mean and the variance of a latent distribution, under the condition of the
    utterance's emotion. `transform` gives these for each segment; they are the
    features for a classifier of sequences.

    The emotion of a new utterance is not known. `transform` therefore never uses it,
    not even for the training data: it uses what the model itself infers.

    Parameters
    ----------
    variant : {"cvae", "vae", "ae"}, default="cvae"
        Conditional variational autoencoder, variational autoencoder, or plain
        autoencoder: the three models of the paper. The latter two learn without
        labels.
    latent_dim : int, default=128
        Dimensions of the latent distribution (paper; it studies 32 to 512).
    hidden_sizes : sequence of int, default=(512, 256)
        Widths of the encoder's hidden layers (paper), mirrored by the decoder.
    output : {"mean_variance", "mean"}, default="mean_variance"
        What `transform` gives: mean and variance, "the parameters of the
        probability distribution" in the paper, or the mean alone. An autoencoder
        without variance has only the latent representation.
    condition : {"posterior", "prior", "zero"}, default="posterior"
        What stands for the unknown emotion in `transform`: the probabilities of the
        classes that `predict_proba` infers, ``condition_prior_``, or no class at all,
        see the notes. For the last, train with `label_dropout` or with utterances whose
        emotion is not known. Only for ``variant="cvae"``.
    cv : int or None, default=None
        Folds across which `fit_transform` infers what stands for the emotion of the
        training data with ``condition="posterior"``, see the notes: of whole speakers
        where `groups` are given, else with like shares of the classes. It then trains
        ``cv + 1`` models. None infers it by the model itself.
    conditioned : {"both", "encoder", "decoder"}, default="both"
        Which part is told the emotion: both as in the paper's equations, or the encoder
        alone as in its text.
    label_dropout : float, default=0.0
        Share of the segments that are trained without their emotion, so that the model
        also learns to do without it. Only for ``variant="cvae"``.
    priors : array-like of shape (n_classes,), "uniform" or None, default=None
        Probabilities of the classes before an utterance is heard. None takes their
        frequencies in training. Only for ``variant="cvae"``, and not for a condition
        that is continuous.
    beta : float, default=1.0
        Weight in training of the divergence from the standard normal distribution.
    annealing_epochs : int, default=0
        Epochs over which that weight rises to `beta`.
    free_bits : float, default=0.0
        Nats that each latent dimension may hold without cost.
    recon_scale : float, default=1.0
        Factor of the squared error: 1 as in Eq. 2, 0.5 for a decoder of unit
        variance.
    reconstruction_threshold : float or None, default=None
        Stop after the first epoch whose reconstruction error is below this: the squared
        error of a segment's standardised features, summed over them as in Eq. 2 and not
        scaled by `recon_scale`, in the mean over the training segments, or over those
        of the held-out speakers under early stopping. It is the paper's "predefined
        threshold", whose value is not published. None trains for `max_epochs`.
    standardize : bool, default=True
        Whether to standardise each feature by its mean and standard deviation over all
        frames or segments that are trained on. The paper says nothing of it; squared
        errors need it.
    lr : float, default=1e-3
        Learning rate of Adam (paper).
    weight_decay : float, default=0.0
        Penalty on large weights: the `weight_decay` of the torch optimiser, which adds
        so much of each weight to its gradient (L2). 0 is none.
    schedule : {"paper", "small_corpus"} or Schedule, default="paper"
        What is done in training beside what the paper publishes: nothing, what was
        chosen for few speakers, or the parts of a `sklearn_ser.Schedule`.
    max_epochs : int, default=20
        Passes over the training data; not published. The paper stops at an
        unpublished reconstruction error.
    batch_size : int, default=128
        Segments in a batch; not published.
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
        no global random state; None draws a seed from numpy's.
    verbose : int or bool, default=0
        Whether to show a progress bar over the epochs.
    net_params : dict or None, default=None
        Further parameters of the skorch net, merged last, for instance
        ``{"optimizer__eps": 1e-6}``. The notes say more of Adam's.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module, a
        `sklearn_ser.nets.VariationalAutoencoder`.
    classes_ : ndarray of shape (n_classes,)
        The emotions; only for ``variant="cvae"`` whose condition is `y`.
    class_prior_ : ndarray of shape (n_classes,)
        Their probabilities before an utterance is heard, likewise.
    condition_values_ : ndarray of shape (n_values,) or (n_values, n_columns)
        What the condition may be: the classes, other categories, or, where it is
        continuous, its different values or 16 points among them. Only for
        ``variant="cvae"``.
    condition_prior_ : ndarray of shape (n_values,)
        Their probabilities before an utterance is heard, likewise.
    mean_ : ndarray of shape (n_features,)
        Mean of each feature over the segments that were trained on.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations; 1 for constants.
    history_ : list of dict
        One entry per epoch: ``"epoch"``, and the means over the epoch of
        ``"train_loss"``, ``"train_reconstruction_loss"`` and, except for
        ``variant="ae"``, ``"train_kl_loss"``, the divergence without weight; the same
        with ``"valid_"`` under early stopping, whose loss has the full `beta`.
        `reconstruction_threshold` is compared with the reconstruction loss over
        `recon_scale`.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` was a table with names.

    See Also
    --------
    SequenceClassifier : The classifier of the paper.
    sklearn_ser.recipes.cvae_lstm : The paper's pipeline from recordings on.
    sklearn_ser.features.LogMelSegmenter : The paper's segments.

    Notes
    -----
    The paper gives the encoder the true emotion and classifies what it encodes; it does
    not say what the encoder is given in the test. The true emotion there would make the
    result worthless. For comparison, ``transform(X, oracle_labels=y)`` uses it and
    gives an upper bound.

    The probabilities of the classes take the place of the label. The encoder has only
    seen labels that are certain; it is run once, and not averaged over the classes. The
    model was trained with the labels of the training data, so it infers their emotions
    correctly more often than those of new data. A classifier that is trained on the
    latent values of the same data may trust them too much. ``condition="prior"``, the
    same for all utterances, avoids this; so does `cv`: `fit_transform`, which a
    pipeline calls, then infers the emotion of each training utterance by a model that
    has not seen it (cross-fitting, as in scikit-learn's `TargetEncoder`), and encodes
    it by the model that has seen all. It is then not what ``fit(X, y).transform(X)``
    gives.

    The condition may be another than what the classifier after it is to find. In the
    paper's Table 2 the model is conditioned on the emotion, and levels of activation
    are classified: ``fit(X, levels, condition=emotion)``. Without metadata routing a
    pipeline takes ``cvae__condition=emotion``; with it, ``condition=emotion``, or
    another name that ``set_fit_request(condition="emotion")`` asks for. In the test
    such a condition is inferred like any other. Only one that is known beforehand may
    be told to `transform`, as ``known_condition``, which is never routed unless
    ``set_transform_request(known_condition=True)`` asks for it.

    A continuous condition is standardised, and told to the net with a one for "known".
    What is inferred is its mean over ``condition_values_``.

    With ``conditioned="encoder"`` no reconstruction depends on the condition, so an
    inferred one rests on how well the encoder fits alone.

    The paper appends the label to "the speech frame representation". Here it is
    appended once to each segment, not to each of its frames.

    `predict` uses the conditional generative model itself as a classifier. It gives the
    class with the highest evidence lower bound (at the mean of the latent distribution,
    and with a divergence of weight 1 whatever `beta`), summed over the segments, plus
    the logarithm of its prior probability. As segments are not independent, its
    probabilities are nearly always close to 0 or 1.

    The paper's values for Adam, :math:`\beta_1 = 0.999` and :math:`\beta_2 = 0.99`,
    are probably exchanged: they violate a condition of its proof of convergence
    [2]_, :math:`\beta_1^2 < \sqrt{\beta_2}`. The default is (0.9, 0.999).

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.
    .. [2] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization",
       ICLR, 2015, arXiv:1412.6980.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import CVAE
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "sadness"], 20)
    >>> X = [rng.normal(loc, size=(rng.integers(5, 15), 8)) for loc in 2 * (y < "b")]
    >>> cvae = CVAE(latent_dim=2, hidden_sizes=(16,), random_state=0).fit(X, y)
    >>> latents = cvae.transform(X)
    >>> latents.shape, latents[0].shape == (len(X[0]), 4)
    ((40,), True)
    >>> bool(cvae.score(X, y) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SequenceEstimator._parameter_constraints,
        "variant": [StrOptions({"cvae", "vae", "ae"})],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_sizes": ["array-like"],
        "output": [StrOptions({"mean_variance", "mean"})],
        "condition": [StrOptions({"posterior", "prior", "zero"})],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "conditioned": [StrOptions({"both", "encoder", "decoder"})],
        "label_dropout": [Interval(Real, 0, 1, closed="left")],
        "priors": ["array-like", StrOptions({"uniform"}), None],
        "beta": [Interval(Real, 0, None, closed="left")],
        "annealing_epochs": [Interval(Integral, 0, None, closed="left")],
        "free_bits": [Interval(Real, 0, None, closed="left")],
        "recon_scale": [Interval(Real, 0, None, closed="neither")],
        "reconstruction_threshold": [
            Interval(Real, 0, None, closed="neither"),
            None,
        ],
    }

    __metadata_request__fit = {"condition": True, "groups": True}

    def __init__(
        self,
        variant: Literal["cvae", "vae", "ae"] = "cvae",
        *,
        latent_dim: int = 128,
        hidden_sizes: Sequence[int] = (512, 256),
        output: Literal["mean_variance", "mean"] = "mean_variance",
        condition: Literal["posterior", "prior", "zero"] = "posterior",
        cv: int | None = None,
        conditioned: Literal["both", "encoder", "decoder"] = "both",
        label_dropout: float = 0.0,
        priors: Any = None,
        beta: float = 1.0,
        annealing_epochs: int = 0,
        free_bits: float = 0.0,
        recon_scale: float = 1.0,
        reconstruction_threshold: float | None = None,
        standardize: bool = True,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        schedule: Literal["paper", "small_corpus"] | Schedule = "paper",
        max_epochs: int = 20,
        batch_size: int = 128,
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
        self.variant = variant
        self.latent_dim = latent_dim
        self.hidden_sizes = hidden_sizes
        self.output = output
        self.condition = condition
        self.cv = cv
        self.conditioned = conditioned
        self.label_dropout = label_dropout
        self.priors = priors
        self.beta = beta
        self.annealing_epochs = annealing_epochs
        self.free_bits = free_bits
        self.recon_scale = recon_scale
        self.reconstruction_threshold = reconstruction_threshold
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
    def fit(
        self, X: Any, y: Any = None, *, condition: Any = None, groups: Any = None
    ) -> CVAE:
        """Train the autoencoder.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances as sequences of segments; each row of a 2-D array is an utterance
            of one segment.
        y : array-like of shape (n,), default=None
            Emotion of each utterance, None or NaN where it is not known. Needed for
            ``variant="cvae"`` without a `condition`, else ignored.
        condition : array-like of shape (n,) or (n, n_columns), default=None
            What the model is conditioned on in the place of `y`. Strings, integers and
            booleans are categories; floats are numbers, in one column or more, on any
            scale. None or NaN where it is not known. Only for ``variant="cvae"``, else
            ignored.
        groups : array-like of shape (n,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        CVAE
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an utterance is not a sequence of finite numbers, if conditions or
            speakers are needed and missing, or if the lengths differ.

        Warns
        -----
        UserWarning
            If ``condition="zero"`` is to feed what is not trained, or if
            `reconstruction_threshold` is not reached.
        """
        self._reset()
        sequences = check_sequences(self, X, reset=True)
        groups = check_groups(self, groups, sequences)
        data: dict[str, Any] = {"X": sequences}
        values = None
        if self.variant == "cvae":
            values, data["condition"] = self._check_condition(sequences, y, condition)
        seed = draw_seed(self.random_state)
        train, valid = self._split_off_speakers(data, groups, seed)
        self._coder = self._learn_condition(values, train, seed)
        train, valid = self._told(train), valid and self._told(valid)
        self._note_gaps(train)
        train, valid = self._fit_scaling(train, valid)
        self._train(self._specify(seed), train, valid)
        self._warn_of_threshold()
        return self

    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        *,
        condition: Any = None,
        groups: Any = None,
        known_condition: Any = None,
    ) -> NDArray[Any]:
        """Train the autoencoder, and encode the utterances that it was trained on.

        With `cv` it differs from ``fit(...).transform(X)``: what stands for the
        condition of an utterance is then inferred by a model that was not trained on
        it, as for new data.

        Parameters
        ----------
        X : list or 1-D object array of n arrays of shape (n_segments_i, n_features), \
or array-like of shape (n, n_segments, n_features) or (n, n_features)
            Utterances, as in `fit`.
        y : array-like of shape (n,), default=None
            As in `fit`.
        condition : array-like of shape (n,) or (n, n_columns), default=None
            As in `fit`. The utterances are not encoded by it.
        groups : array-like of shape (n,), default=None
            As in `fit`. With `cv`, the folds are of whole speakers.
        known_condition : array-like of shape (n,) or (n, n_columns), default=None
            As in `transform`.

        Returns
        -------
        ndarray of shape (n,) and dtype object, (n, n_segments, n_outputs) or \
(n, n_outputs)
            As from `transform`.
        """
        given = {
            name: values
            for name, values in {"condition": condition, "groups": groups}.items()
            if values is not None
        }
        self.fit(X, y, **given)
        if known_condition is not None:
            return self.transform(X, known_condition=known_condition)
        if self.cv is None or self._stand_in() != "posterior":
            return self.transform(X)
        sequences = self._check_X(X)
        told = infer_across_folds(self, X, y, given)
        return self._encode(sequences, self._inference(), told)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn whether this is a classifier."""
        tags = super().__sklearn_tags__()
        # After a fit its variant counts: one that is set later waits for the next fit.
        fitted = hasattr(self, "_spec")
        if hasattr(self, "classes_") if fitted else self.variant == "cvae":
            return tags
        tags.estimator_type = None
        tags.classifier_tags = None
        tags.target_tags.required = False
        return tags

    def _specify(self, seed: int) -> NetSpec:
        """Return what the net is built from."""
        inputs = {"x": "X", "generator": "generator"}
        drop_condition = None
        if self._coder is not None:
            inputs["condition"] = "condition"
            if self.label_dropout:
                drop_condition = DropCondition(float(self.label_dropout))
        stop_below = None
        if self.reconstruction_threshold is not None:
            threshold = self.reconstruction_threshold * self.recon_scale
            stop_below = {"monitor": self._watched(), "threshold": threshold}
        return NetSpec(
            module=VariationalAutoencoder,
            module_params={
                "n_features": self.n_features_in_,
                "latent_dim": self.latent_dim,
                "hidden_sizes": check_sizes("hidden_sizes", self.hidden_sizes),
                "n_conditions": len(self._coder.points[0]) if self._coder else 0,
                "variational": self.variant != "ae",
                "conditioned": self.conditioned,
            },
            criterion=VariationalLoss,
            criterion_params={
                "beta": self.beta,
                "recon_scale": self.recon_scale,
                "annealing_epochs": self.annealing_epochs,
                "free_bits": self.free_bits,
            },
            inputs=inputs,
            batches=FrameBatches,
            batch_transform=drop_condition,
            stop_below=stop_below,
            **self._shared_settings(seed),
        )

    def _watched(self) -> str:
        """Return the name in the history of what the threshold is for."""
        part = "valid" if self.early_stopping else "train"
        return f"{part}_reconstruction_loss"

    def _warn_of_threshold(self) -> None:
        """Warn where the error never fell below the threshold."""
        stop = self._spec.stop_below
        if stop is None:
            return
        error = self.history_[-1][stop["monitor"]] / self.recon_scale
        if error >= self.reconstruction_threshold:
            warn_user(
                f"The reconstruction error of CVAE is {error:.4g} after "
                f"{len(self.history_)} epochs and has not fallen below "
                f"reconstruction_threshold={self.reconstruction_threshold:.4g}: raise "
                "max_epochs or the threshold."
            )

    # The condition in training

    def _check_condition(
        self, sequences: Sequences, y: Any, condition: Any
    ) -> tuple[NDArray[Any] | None, NDArray[Any]]:
        """Return the categories, if it is of such, and the condition by utterance."""
        if condition is not None:
            return check_condition(condition, sequences)
        asked = self.get_metadata_routing().fit.requests.get("condition")
        if isinstance(asked, str):
            raise ValueError(
                f"This CVAE asks for {asked} as its condition (set_fit_request), but "
                f"fit did not get it. {routing_hint(self, 'condition')}"
            )
        self.classes_, numbers = check_classes(self, sequences, y, allow_unknown=True)
        return self.classes_, numbers

    def _learn_condition(
        self, values: NDArray[Any] | None, train: Data, seed: int
    ) -> Condition | None:
        """Learn what the training data say of the condition, if there is one.

        A class that only held-out speakers show is never learned, and must not be
        predicted: its probability is zero.
        """
        if "condition" not in train:
            return None
        coder: Condition
        if values is None:
            coder = learn_numbers(train["condition"], self.priors, seed)
        else:
            coder = learn_categories(values, train["condition"], self.priors)
        self.condition_values_, self.condition_prior_ = coder.values, coder.prior
        if hasattr(self, "classes_"):
            self.class_prior_ = coder.prior
        return coder

    def _told(self, data: Data) -> Data:
        """Return the data with the condition as the net is told it."""
        if self._coder is None:
            return data
        return {**data, "condition": self._coder.encode(data["condition"])}

    def _note_gaps(self, train: Data) -> None:
        """Note whether the net learns to do without a condition; warn if it must."""
        told = train.get("condition", np.ones((1, 1)))
        self._trains_zeros = bool(self.label_dropout or not told.any(axis=1).all())
        self._warn_of_zeros()
