"""MetricDAE: denoising autoencoder with continuous metric learning (Das 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,
)

from ..._dimensions import dimension_name
from ..._sklearn import StrOptions, available_if, fit_context
from ...training._labels import check_ratings, routing_hint
from ...training._schedule import Schedule
from ._autoencoder import MetricAutoencoder

Label = Literal["act", "val", "activation", "valence"]
_LABELS = {"act", "val", "activation", "valence"}


def _learns_a_label(estimator: MetricDAE) -> bool:
    """Tell whether the estimator can predict a label."""
    if estimator.label is None:
        raise AttributeError(
            "MetricDAE(label=None) learns no label, so it cannot predict one; "
            "use label='act', 'val' or ('act', 'val')."
        )
    return True


class MetricDAE(MetricAutoencoder):
    """Denoising autoencoder with continuous metric learning (Das et al., 2022).

    Compresses standardised functionals of an utterance, such as those of `EGeMAPS`,
    into a few latent dimensions, in which the distance of two utterances follows the
    distance of their activation or valence. The labels are only needed in training.
    They may be missing (NaN) for some utterances, which still train the autoencoder.
    Their unit does not matter: training brings them to the spread of the paper's.

    Parameters
    ----------
    label : {"act", "val"}, ("act", "val") or None, default=None
        What the embedding learns to keep: activation, valence, or both, each in
        its own half of the latent dimensions, in the order given. The long names,
        ``"activation"`` and ``"valence"``, mean the same. None is the paper's
        unsupervised baseline, a plain denoising autoencoder.
    latent_dim : int, default=2
        Dimensions of the embedding; 2 in the paper. With two labels, an even number.
    hidden_sizes : sequence of int, default=(40, 20, 10)
        Widths of the encoder's hidden layers, mirrored by the decoder. With 88
        features the default is the published network of 9,310 parameters.
    decoder_relu : {"all", "released"}, default="all"
        Rectified linear units after all hidden layers of the decoder, as the
        paper says, or after the second only, as in the script that the authors
        released.
    noise_std : float, default=1.0
        Standard deviation of the Gaussian noise that is added to the features
        in training, relative to standardised features; from the released
        script, as the paper does not say. `transform` adds none.
    distance : {"euclidean", "mean_euclidean", "signed"}, default="euclidean"
        Distance of a pair: see `sklearn_ser.losses.continuous_metric_loss`.
    combine : {"sum", "log"}, default="sum"
        Whether reconstruction error and metric loss are summed, or the logarithm
        of their sum is minimised, as in the released script.
    metric_weight : float, default=1.0
        Weight of the metric loss beside the reconstruction error.
    lr : float, default=1e-3
        Learning rate of Adam (paper).
    weight_decay : float, default=0.0
        Penalty on large weights: the `weight_decay` of the torch optimiser, which adds
        so much of each weight to its gradient (L2). 0 is none.
    schedule : {"paper", "small_corpus"} or Schedule, default="paper"
        What is done in training beside what the paper publishes: nothing, what was
        chosen for few speakers, or the parts of a `sklearn_ser.Schedule`.
    max_epochs : int, default=50
        Passes over the training data (paper).
    batch_size : int, default=64
        Utterances in a batch (paper). The metric loss uses all their pairs. Where few
        are labelled, each batch gets an equal share of these, and at least two: then
        some are in several batches, which grow by up to two for each label.
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
        ``{"optimizer__eps": 1e-6}``.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module, a
        `sklearn_ser.nets.DenoisingAutoencoder`.
    coef_ : ndarray of shape (n_labels, latent_dim)
        Coefficients of the least squares estimate of the labels from the
        embedding. Only where a label was learned.
    intercept_ : ndarray of shape (n_labels,)
        Its intercepts.
    label_mean_ : ndarray of shape (n_labels,)
        Mean of the labels that were trained on, without those of held-out speakers.
        Only where a label was learned, as `label_scale_`.
    label_scale_ : ndarray of shape (n_labels,)
        Difference of the labels, in their unit, that is trained to be a distance of one
        in the embedding: their standard deviation divided by 0.92, that of the
        authors' ratings from 1 to 5. NaN while no two labels differ.
    history_ : list of dict
        One entry per epoch: ``"epoch"``, and the means over the epoch of
        ``"train_loss"``, ``"train_reconstruction_loss"``,
        ``"train_slope_loss"`` and ``"train_residual_loss"``, and the same with
        ``"valid_"`` under early stopping. The last two are NaN where no batch held two
        labels that differ. ``pandas.DataFrame(history_)`` is a table.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` had names.

    See Also
    --------
    sklearn_ser.recipes.metric_dae : The paper's pipeline from recordings on.
    sklearn_ser.metrics.pairwise_correlation : How well distances are kept.

    Notes
    -----
    The features must be standardised: put a `StandardScaler` before this step.

    The released script also adds noise when it extracts embeddings. That makes
    embeddings random, so it is left out here.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg and L. H.
       Clemmensen, "Continuous metric learning for transferable speech emotion
       recognition and embedding across low-resource languages", Northern Lights
       Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import MetricDAE
    >>> rng = np.random.default_rng(0)
    >>> activation = rng.uniform(1, 5, size=200)
    >>> X = np.outer(activation - 3, rng.normal(size=12)) + rng.normal(size=(200, 12))
    >>> dae = MetricDAE(label="act", random_state=0).fit(X, activation=activation)
    >>> dae.transform(X).shape
    (200, 2)
    >>> bool(np.corrcoef(dae.predict(X), activation)[0, 1] > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MetricAutoencoder._parameter_constraints,
        "label": [StrOptions(_LABELS), tuple, list, np.ndarray, None],
    }

    __metadata_request__fit = {"activation": True, "valence": True, "groups": True}
    __metadata_request__partial_fit = {"activation": True, "valence": True}

    def __init__(
        self,
        label: Label | tuple[Label, ...] | None = None,
        *,
        latent_dim: int = 2,
        hidden_sizes: Sequence[int] = (40, 20, 10),
        decoder_relu: Literal["all", "released"] = "all",
        noise_std: float = 1.0,
        distance: Literal["euclidean", "mean_euclidean", "signed"] = "euclidean",
        combine: Literal["sum", "log"] = "sum",
        metric_weight: float = 1.0,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        schedule: Literal["paper", "small_corpus"] | Schedule = "paper",
        max_epochs: int = 50,
        batch_size: int = 64,
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
        self.label = label
        self.latent_dim = latent_dim
        self.hidden_sizes = hidden_sizes
        self.decoder_relu = decoder_relu
        self.noise_std = noise_std
        self.distance = distance
        self.combine = combine
        self.metric_weight = metric_weight
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
        self,
        X: Any,
        y: Any = None,
        *,
        activation: Any = None,
        valence: Any = None,
        groups: Any = None,
    ) -> MetricDAE:
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.
        y : Ignored
            Present for API consistency.
        activation : array-like of shape (n_samples,), default=None
            Activation of the utterances, on any scale, on which the result does not
            depend; the paper's is 1 to 5. NaN where it is unknown. Needed where `label`
            names it.
        valence : array-like of shape (n_samples,), default=None
            Valence, likewise.
        groups : array-like of shape (n_samples,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        MetricDAE
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a label or the speakers are needed and missing, if all labels are
            NaN, or if the lengths differ.
        """
        self._reset()
        X, labels = self._validate(X, activation, valence, reset=True)
        self._learn(X, labels, groups)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any = None, *, activation: Any = None, valence: Any = None
    ) -> MetricDAE:
        """Go on training for one epoch over some more data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.
        y : Ignored
            Present for API consistency.
        activation : array-like of shape (n_samples,), default=None
            As in `fit`.
        valence : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        MetricDAE
            The estimator itself. The estimate of the labels is fitted anew to these
            data, unless they hold too few labels (fewer than ``latent_dim + 2``). The
            first labels that differ set their scale. Pass many samples at a time,
            because scale and `predict` know no others.

        Raises
        ------
        ValueError
            As in `fit`; also with ``early_stopping=True``.
        """
        if self.early_stopping:
            raise ValueError("partial_fit cannot stop early: set early_stopping=False.")
        begins = not hasattr(self, "net_")
        X, labels = self._validate(X, activation, valence, reset=begins)
        self._learn_more(X, labels)
        return self

    @available_if(_learns_a_label)
    def predict(self, X: Any) -> NDArray[np.float64]:
        """Estimate the learned label by least squares on the embedding.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, 2)
            Activation or valence, on the scale of the labels in `fit`; two
            columns, in the order of `label`, where both were learned.
        """
        check_is_fitted(self)
        if not hasattr(self, "coef_"):
            raise NotFittedError(
                "MetricDAE has seen no labelled sample yet, so it cannot predict."
            )
        estimate = self._estimate(X)
        return estimate if estimate.shape[1] > 1 else estimate[:, 0]

    def _targets(self) -> list[str]:
        """Return the names of the targets that are learned, in order."""
        if self.label is None:
            return []
        given = [self.label] if isinstance(self.label, str) else list(self.label)
        names = [dimension_name(x) if str(x) in _LABELS else "" for x in given]
        if "" in names or not 1 <= len(set(names)) == len(names):
            raise ValueError(
                "label must be 'act', 'val', ('act', 'val') or None, "
                f"got {self.label!r}."
            )
        return names

    def _validate(
        self, X: Any, activation: Any, valence: Any, *, reset: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the features, and the labels with one column per target."""
        X = validate_data(self, X, dtype=np.float32, reset=reset)
        names = self._targets()
        if len(names) > 1 and self.latent_dim % len(names):
            raise ValueError(
                f"latent_dim={self.latent_dim} cannot be halved: with two labels "
                "each takes half of the latent dimensions."
            )
        given = {"activation": activation, "valence": valence}
        for name in names:
            if given[name] is None:
                raise ValueError(
                    f"MetricDAE(label={self.label!r}) learns from {name}, but fit did "
                    f"not get it. {routing_hint(self, name)}"
                )
        targets = {
            name: check_ratings(name, values, X)
            for name, values in given.items()
            if values is not None
        }
        labels = [targets[name] for name in names]
        return X, np.stack(labels, axis=1) if labels else np.empty((len(X), 0))
