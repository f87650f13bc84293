"""Scalers of a fitted estimator, given the statistics of other utterances."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from sklearn.base import BaseEstimator, OneToOneFeatureMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from ._representation import augments, transform_asked
from ._sklearn import BaseSearchCV
from .ensemble import SeedEnsemble

SCALERS = "scalers"


class Adapter:
    """Fits scalers of a fitted estimator anew, to unlabelled utterances.

    It walks over the steps from the first on, into pipelines, searches, what augments
    the training and `SeedEnsemble`, and fits each scaler to what the steps before it
    make of the utterances. Nothing is changed in place: what stays is shared
    with the estimator, what is adapted is a clone.

    Parameters
    ----------
    chosen : "scalers" or sequence of str
        Which steps to adapt: the scalers before the first step that is none, or those
        of these names. A scaler gives a feature for each feature, without labels.
    metadata : dict of array-like of shape (n_utterances,)
        What steps may ask for in ``transform``.

    Attributes
    ----------
    found : list of str
        The names of the steps that were adapted.
    passed : list of str
        The names of all steps that were come to.
    """

    def __init__(self, chosen: str | Sequence[str], metadata: dict[str, Any]) -> None:
        self.chosen = chosen
        self.metadata = metadata
        self.found: list[str] = []
        self.passed: list[str] = []

    def adapt(self, fitted: Any, X: Any) -> Any:
        """Return a fitted estimator whose scalers have the statistics of others.

        Parameters
        ----------
        fitted : estimator
            A pipeline, one of the others, or a last step.
        X : collection of n utterances
            What it takes: the utterances that give the statistics.

        Returns
        -------
        estimator
            Another one where a step was adapted, else the same.
        """
        if isinstance(fitted, Pipeline):
            return _with(fitted, "steps", self._adapted_steps(fitted.steps, X))
        if isinstance(fitted, BaseSearchCV):
            best = self.adapt(fitted.best_estimator_, X)
            return _with(fitted, "best_estimator_", best)
        if augments(fitted):
            return _with(fitted, "estimator_", self.adapt(fitted.estimator_, X))
        if isinstance(fitted, SeedEnsemble):
            members = [self.adapt(one, X) for one in fitted.estimators_]
            return _with(fitted, "estimators_", members)
        return fitted

    def _adapted_steps(
        self, steps: list[tuple[str, Any]], X: Any
    ) -> list[tuple[str, Any]]:
        """Adapt the steps of a pipeline, as far as they are to be."""
        steps = list(steps)
        waiting: list[Any] = []
        for place, (name, step) in enumerate(steps):
            self.passed += [name] * (name not in self.passed)
            if step is None or isinstance(step, str):  # "passthrough"
                continue
            chosen, goes_on = self._is_chosen(name, step), self._goes_on_after(step)
            if chosen or _holds_steps(step):
                # No sooner, as a step may warn of what nobody needs.
                for before in waiting:
                    X = transform_asked(before, X, self.metadata)
                waiting = []
                step = _fitted_anew(name, step, X) if chosen else self.adapt(step, X)
                self.found += [name] * (chosen and name not in self.found)
            steps[place] = (name, step)
            waiting.append(step)
            if not (chosen or goes_on):
                break
        return steps

    def _is_chosen(self, name: str, step: Any) -> bool:
        """Tell whether a step is to be adapted."""
        return is_scaler(step) if self.chosen == SCALERS else name in self.chosen

    def _goes_on_after(self, step: Any) -> bool:
        """Tell whether steps behind one that is not adapted may be."""
        if self.chosen == SCALERS:
            return isinstance(step, BaseEstimator) and not get_tags(step).requires_fit
        return not set(self.chosen) <= set(self.found) and hasattr(step, "transform")


def _holds_steps(step: Any) -> bool:
    """Tell whether an estimator has steps of its own."""
    return augments(step) or isinstance(step, Pipeline | BaseSearchCV | SeedEnsemble)


def is_scaler(step: Any) -> bool:
    """Tell whether a step learns, without labels, to give a feature for each feature.

    Parameters
    ----------
    step : estimator
        A step of a pipeline.

    Returns
    -------
    bool
        Such as for `StandardScaler` and ``SpeakerScaler(by="corpus")``.
    """
    if not isinstance(step, OneToOneFeatureMixin) or not hasattr(step, "transform"):
        return False
    tags = get_tags(step)
    return bool(tags.requires_fit and not tags.target_tags.required)


def _fitted_anew(name: str, step: Any, X: Any) -> Any:
    """Fit a clone of a step without labels."""
    if isinstance(step, BaseEstimator) and get_tags(step).target_tags.required:
        raise ValueError(
            f"The step {name}, which adapt names, is a {type(step).__name__}: it "
            "learns from labels, which the target must not give. Name steps that learn "
            "without."
        )
    return clone(step).fit(X)


def _with(holder: Any, attribute: str, value: Any) -> Any:
    """Return a shallow copy that holds another value."""
    changed = copy(holder)
    setattr(changed, attribute, value)
    return changed
