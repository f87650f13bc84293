"""Scorers that hand the speakers on to predictions which ask for them."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Self

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object


class SpeakerScorer:
    """A scorer of predictions, as `sklearn.metrics.make_scorer` makes them.

    Those of scikit-learn give metadata to the score alone. This one also gives the
    speakers to ``predict`` where a step asks for them, such as
    ``SpeakerScaler(by="speaker")``.

    Parameters
    ----------
    score_func : callable
        ``score_func(y_true, y_pred)``, of which more is better; it may take
        ``sample_weight``.
    """

    def __init__(self, score_func: Callable[..., Any]) -> None:
        self.score_func = score_func
        self._requests: dict[str, bool | str | None] = {
            "groups": True,
            "sample_weight": None,
        }

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Request metadata for the score, as of scikit-learn's scorers.

        Parameters
        ----------
        **requests : bool, str or None
            Of ``groups`` and ``sample_weight``.

        Returns
        -------
        SpeakerScorer
            Another scorer, as this one is shared.

        Raises
        ------
        TypeError
            If other metadata are named.
        """
        unknown = set(requests) - set(self._requests)
        if unknown:
            raise TypeError(f"A score takes no {min(unknown)}.")
        other = copy(self)
        other._requests = self._requests | requests
        return other

    def get_metadata_routing(self) -> MetadataRequest:
        """Say which metadata are requested.

        Returns
        -------
        MetadataRequest
            Those of the score.
        """
        request = MetadataRequest(owner=type(self).__name__)
        for name, alias in self._requests.items():
            request.score.add_request(param=name, alias=alias)
        return request

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y_true: Any,
        *,
        groups: Any = None,
        sample_weight: Any = None,
    ) -> float:
        """Score the predictions of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            The fitted estimator.
        X : array-like
            What it predicts from.
        y_true : array-like of shape (n_samples,)
            What is true.
        groups : array-like of shape (n_samples,), default=None
            Speakers, for predictions that ask for them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for the score.

        Returns
        -------
        float
            The score; more is better.
        """
        given = {} if groups is None else asked_at_prediction(estimator, groups=groups)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        predicted = estimator.predict(X, **given)
        return float(self.score_func(y_true, predicted, **weights))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.score_func.__name__})"


def asked_at_prediction(
    estimator: Any, method: str = "predict", **known: Any
) -> dict[str, Any]:
    """Return those metadata that ``predict`` of an estimator asks for.

    Parameters
    ----------
    estimator : estimator
        A pipeline, or any other estimator.
    method : str, default="predict"
        Another method that predicts.
    **known : array-like
        What can be given.

    Returns
    -------
    dict
        Empty without metadata routing, which alone can hand them to the steps.
    """
    if not get_config()["enable_metadata_routing"]:
        return {}
    asked = get_routing_for_object(estimator).consumes(method, known.keys())
    return {name: known[name] for name in asked}
