"""Several networks of other seeds as one estimator."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from ._seeds import names_of_seeds
from ._sklearn import HasMethods, Interval, available_if, fit_context

__all__ = ["SeedEnsemble"]


def _can(method: str) -> Callable[[SeedEnsemble], bool]:
    """Make the check whether the estimator inside has a method."""

    def check(self: SeedEnsemble) -> bool:
        getattr(self.estimator, method)
        return True

    return check


class SeedEnsemble(MetaEstimatorMixin, BaseEstimator):
    """Average an estimator over several seeds.

    What a network has learned depends on its first weights and on the order of the
    batches, the more so the smaller the corpus. Several networks that differ in the
    seed alone are trained on the same data; the means of their probabilities, or of
    their predictions of ratings, depend on chance less, and are mostly better.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba``, or a regressor. It is cloned, not changed.
    n_estimators : int, default=5
        How many are trained.
    n_jobs : int or None, default=None
        How many are trained, and predict, at a time, as in joblib; None means 1 unless
        in a :obj:`joblib.parallel_config` context. The numbers are the same.
    random_state : int, RandomState instance or None, default=None
        Where the seeds are drawn from: each parameter ``random_state`` of an estimator
        and of its steps gets one of its own. The same integer gives the same result;
        None draws from numpy's global generator.

    Attributes
    ----------
    estimators_ : list of estimator
        The fitted estimators.
    classes_ : ndarray of shape (n_classes,)
        The classes of a classifier.
    n_features_in_ : int
        Number of features, where the estimator tells it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where the estimator has them.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : The mean of different classifiers.

    Notes
    -----
    It costs the time of its members. In a pipeline, put it around the network alone, as
    in the example, so that the front end before it runs once.

    Parameters of ``fit`` reach every member: with metadata routing where they are
    requested, without it as they are given. An estimator without a parameter
    ``random_state`` would be trained to the same result each time, and is refused.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import SeedEnsemble, SequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["high", "low"], 10)
    >>> X = [rng.normal(level == "high", size=(rng.integers(5, 9), 3)) for level in y]
    >>> classifier = SequenceClassifier(hidden_size=8)
    >>> ensemble = SeedEnsemble(classifier, n_estimators=3, random_state=0).fit(X, y)
    >>> len(ensemble.estimators_), ensemble.predict_proba(X).shape
    (3, (20, 2))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        n_estimators: int = 5,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.n_jobs = n_jobs
        self.random_state = random_state

    # The estimator inside is validated by its own fit.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> SeedEnsemble:
        """Fit the estimators.

        Parameters
        ----------
        X : array-like or sequences of length n
            As the estimator takes them.
        y : array-like of length n
            Labels, as the estimator takes them.
        **params : dict
            Further parameters of the estimator's ``fit``.

        Returns
        -------
        SeedEnsemble
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If the estimator has no seed, or is a classifier without probabilities.
        """
        self._check_estimator()
        random_state = check_random_state(self.random_state)
        members = [
            _seeded(self.estimator, random_state) for _ in range(self.n_estimators)
        ]
        params = self._routed("fit", params)
        self.estimators_: list[Any] = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit)(member, X, y, params) for member in members
        )
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimators_[0], name):
                setattr(self, name, getattr(self.estimators_[0], name))
        return self

    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Predict by the mean of all estimators.

        Parameters
        ----------
        X : array-like or sequences of length n
            As in `fit`.
        **params : dict
            Metadata for the estimators.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            The class whose mean probability is the largest, or the mean prediction.
        """
        if not is_classifier(self.estimator):
            return self._mean("predict", X, params)
        best = self._mean("predict_proba", X, params, of="predict").argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[best]
        return predicted

    @available_if(_can("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> NDArray[np.float64]:
        """Give the mean of the probabilities of all estimators.

        Parameters
        ----------
        X : array-like or sequences of length n
            As in `fit`.
        **params : dict
            Metadata for the estimators.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of ``classes_``.
        """
        return self._mean("predict_proba", X, params)

    def score(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> float:
        """Return the accuracy of `predict`, or the R² of predicted ratings.

        Parameters
        ----------
        X : array-like or sequences of length n
            As in `fit`.
        y : array-like of length n
            True classes or ratings.
        sample_weight : array-like of shape (n,), default=None
            Weights of the utterances.
        **params : dict
            Metadata for the predictions of the estimators.

        Returns
        -------
        float
        """
        measure = accuracy_score if is_classifier(self.estimator) else r2_score
        predicted = self.predict(X, **params)
        return float(measure(y, predicted, sample_weight=sample_weight))

    @property
    def classes_(self) -> NDArray[Any]:
        """Classes of the fitted classifiers."""
        classes: NDArray[Any] = self.estimators_[0].classes_
        return classes

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell which metadata the estimator inside asks for.

        Returns
        -------
        MetadataRouter
            The requests of the estimator, method by method.
        """
        mapping = MethodMapping()
        for caller, callee in (
            *(("fit", "fit"), ("predict_proba", "predict_proba")),
            *((caller, self._called()) for caller in ("predict", "score")),
        ):
            mapping.add(caller=caller, callee=callee)
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _called(self) -> str:
        """Return the method of the estimators that a prediction calls."""
        return "predict_proba" if is_classifier(self.estimator) else "predict"

    def _check_estimator(self) -> None:
        """Refuse what would be the same each time, or what cannot be averaged."""
        name = type(self.estimator).__name__
        if not names_of_seeds(self.estimator):
            raise ValueError(
                f"SeedEnsemble trains several {name}, but none of its parameters is "
                "random_state: all of them would be the same."
            )
        if is_classifier(self.estimator) and not hasattr(
            self.estimator, "predict_proba"
        ):
            raise ValueError(
                f"SeedEnsemble averages probabilities, but {name} has no predict_proba."
            )

    def _mean(
        self, method: str, X: Any, params: dict[str, Any], of: str | None = None
    ) -> NDArray[np.float64]:
        """Return the mean of what a method of all estimators gives."""
        check_is_fitted(self)
        params = self._routed(of or method, params, method)
        results = Parallel(n_jobs=self.n_jobs)(
            delayed(_call)(one, method, X, params) for one in self.estimators_
        )
        mean: NDArray[np.float64] = np.mean(results, axis=0)
        return mean

    def _routed(
        self, caller: str, params: dict[str, Any], callee: str | None = None
    ) -> dict[str, Any]:
        """Return the metadata that the estimators inside are given."""
        if not get_config()["enable_metadata_routing"]:
            return params
        routed = process_routing(self, caller, **params)["estimator"]
        return dict(routed[callee or caller])

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there are fitted estimators."""
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that this is the kind of estimator that is inside."""
        tags = get_tags(self.estimator)
        tags.transformer_tags = None
        tags.requires_fit = True
        return tags


def _seeded(estimator: Any, random_state: np.random.RandomState) -> Any:
    """Return a clone with seeds of its own."""
    names = names_of_seeds(estimator)
    seeds = {name: int(random_state.randint(2**31 - 1)) for name in names}
    return clone(estimator).set_params(**seeds)


def _fit(estimator: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
    """Fit an estimator."""
    return estimator.fit(X, y, **params)


def _call(estimator: Any, method: str, X: Any, params: dict[str, Any]) -> Any:
    """Call a method of an estimator."""
    return getattr(estimator, method)(X, **params)
