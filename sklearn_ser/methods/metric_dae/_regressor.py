"""MetricDAERegressor: the network of MetricDAE as a regressor of ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from ..._sklearn import fit_context
from ...training._schedule import Schedule
from ._autoencoder import Labels, MetricAutoencoder


class MetricDAERegressor(RegressorMixin, MetricAutoencoder):
    """Regression of ratings by continuous metric learning (Das et al., 2022).

    The network of `MetricDAE` as a regressor: the targets are `y`, so that scorers,
    searches and meta-estimators of scikit-learn take it as any other. Its predictions
    are least squares estimates from an embedding in which the distance of two
    utterances follows the distance of their ratings. Ratings may be missing (NaN) for
    some utterances, which still train the autoencoder, and may be in any unit.

    Parameters
    ----------
    latent_dim : int, default=8
        Dimensions of the embedding, shared by the columns of `y` as evenly as they can
        be. Not published; the paper's embedding to look at has 2.
    hidden_sizes : sequence of int, default=(256, 64)
        Widths of the encoder's hidden layers, mirrored by the decoder. Not published:
        wider than the paper's, for embeddings of some hundred features.
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
    n_outputs_ : int
        Number of columns of `y`.
    coef_ : ndarray of shape (n_outputs, latent_dim)
        Coefficients of the least squares estimate of `y` from the embedding.
    intercept_ : ndarray of shape (n_outputs,)
        Its intercepts.
    label_mean_ : ndarray of shape (n_outputs,)
        Mean of the ratings that were trained on, without those of held-out speakers.
    label_scale_ : ndarray of shape (n_outputs,)
        Difference of the ratings, in their unit, that is trained to be a distance of
        one in the embedding; see `MetricDAE`.
    history_ : list of dict
        One entry per epoch, as of `MetricDAE`.
    validation_groups_ : ndarray
        The speakers that early stopping has held out.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where `X` had names.

    See Also
    --------
    MetricDAE : The same network as a transformer that takes ratings beside `y`.
    sklearn_ser.metrics.ccc_scorer : Concordance correlation, the field's score.

    Notes
    -----
    The features must be standardised: put a `StandardScaler` before this step.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg and L. H.
       Clemmensen, "Continuous metric learning for transferable speech emotion
       recognition and embedding across low-resource languages", Northern Lights
       Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import MetricDAERegressor
    >>> rng = np.random.default_rng(0)
    >>> activation = rng.uniform(1, 5, size=200)
    >>> X = np.outer(activation - 3, rng.normal(size=12)) + rng.normal(size=(200, 12))
    >>> model = MetricDAERegressor(max_epochs=20, random_state=0).fit(X, activation)
    >>> bool(model.score(X, activation) > 0.8)
    True
    """

    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        *,
        latent_dim: int = 8,
        hidden_sizes: Sequence[int] = (256, 64),
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
    def fit(self, X: Any, y: Any, *, groups: Any = None) -> MetricDAERegressor:
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Ratings on any scale, such as activation, or activation and valence. NaN
            where one is not known.
        groups : array-like of shape (n_samples,), default=None
            Speaker of each utterance. Needed for early stopping only.

        Returns
        -------
        MetricDAERegressor
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If `y` or the speakers are needed and missing, if a column of `y` is NaN
            for all, or if the lengths differ.
        """
        self._reset()
        X = validate_data(self, X, dtype=np.float32)
        ratings = self._check_y(X, y)
        self.n_outputs_ = ratings.shape[1]
        if self.latent_dim < self.n_outputs_:
            raise ValueError(
                f"latent_dim={self.latent_dim} is less than the {self.n_outputs_} "
                "columns of y: each needs a dimension of its own."
            )
        self._learn(X, ratings, groups)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the ratings.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            On the scale of `y` in `fit`, and of its number of dimensions.
        """
        check_is_fitted(self)
        estimate = self._estimate(X)
        return estimate[:, 0] if self._is_1d else estimate

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination (R²) of `predict`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised features, one row per utterance.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their ratings.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the utterances.

        Returns
        -------
        float
            At best 1; the mean over the columns of `y`.
        """
        return float(super().score(X, y, sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that there may be several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def _check_y(self, X: NDArray[np.float32], y: Any) -> Labels:
        """Return the ratings with one column for each target."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        ratings: Labels = check_array(
            y,
            dtype=np.float64,
            ensure_2d=False,
            ensure_all_finite="allow-nan",
            input_name="y",
        )
        check_consistent_length(X, ratings)
        empty = np.flatnonzero(np.isnan(ratings.reshape(len(X), -1)).all(axis=0))
        if empty.size:
            raise ValueError(
                f"Input y contains NaN for all samples in column {empty[0]}: nothing "
                "to learn from."
            )
        self._is_1d = ratings.ndim == 1
        return ratings.reshape(len(X), -1)

    def _targets(self) -> list[str]:
        """Return the names of the labels that are learned, in order, for messages."""
        if self.n_outputs_ == 1:
            return ["y"]
        return [f"column {k} of y" for k in range(self.n_outputs_)]
