"""scikit-learn's semi-private helpers, imported in this one file only.

These helpers have been stable since scikit-learn 1.6, but are not in its public
documentation; if they change, mend it here. scikit-learn has no types: here its
decorators get types that keep a method's signature for mypy. Private names of other
libraries stand in `_foreign.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any, ParamSpec, TypeVar

import numpy as np
from sklearn.base import TransformerMixin, _fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.metaestimators import available_if as _available_if
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "StrOptions",
    "TablesFollowSetOutput",
    "available_if",
    "check_feature_names_in",
    "fit_context",
    "num_samples",
    "take_rows",
    "validate_parameter_constraints",
    "validate_params",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Method = TypeVar("_Method", bound=Callable[..., Any])


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Validate the parameters before a ``fit`` runs; a decorator.

    Parameters
    ----------
    prefer_skip_nested_validation : bool
        Whether estimators that are fitted inside need no validation of their own.

    Returns
    -------
    callable
        The decorator, which keeps the signature of the method.
    """
    decorator: Callable[[Callable[_P, _R]], Callable[_P, _R]] = _fit_context(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return decorator


def available_if(check: Callable[[Any], object]) -> Callable[[_Method], _Method]:
    """Hide a method from the estimators that fail a check; a decorator.

    Parameters
    ----------
    check : callable
        It gets the estimator. The method is there where it returns something true,
        and not where it returns something false or raises an AttributeError.

    Returns
    -------
    callable
        The decorator, which keeps the signature of the method.
    """
    decorator: Callable[[_Method], _Method] = _available_if(check)
    return decorator


def validate_params(estimator: Any) -> None:
    """Check the parameters of an estimator against its ``_parameter_constraints``.

    Parameters
    ----------
    estimator : estimator
        Its parameters are checked one by one.

    Raises
    ------
    sklearn.utils._param_validation.InvalidParameterError
        A ValueError, where a parameter has a wrong type or value.
    """
    estimator._validate_params()


# The methods whose result set_output is about.
_OUTPUTS = ("transform", "fit_transform")


@wraps(TransformerMixin.fit_transform)
def _fit_transform(self: Any, X: Any, y: Any = None, **fit_params: Any) -> Any:
    """Fit, and transform: what `transform` gives is in its container already."""
    return unwrap(TransformerMixin.fit_transform)(self, X, y, **fit_params)


class TablesFollowSetOutput:
    """Mixin of transformers that give tables, or sequences of any length.

    A table comes in the container that ``set_output`` or ``transform_output`` asks for.
    Sequences fit into none, and stay as they are: so the container may be set for a
    whole pipeline. Comes before `TransformerMixin`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = {name: vars(cls)[name] for name in _OUTPUTS if name in vars(cls)}
        super().__init_subclass__(**kwargs)
        for name, method in own.items():  # without the wrapper of scikit-learn
            setattr(cls, name, _in_container(method))

    fit_transform: Any = _fit_transform


def _in_container(method: Callable[..., Any]) -> Callable[..., Any]:
    """Put the tables that a method gives into the container that is asked for."""

    @wraps(method)
    def transform(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, X, *args, **kwargs)
        if isinstance(result, np.ndarray) and result.ndim == 2:
            return _wrap_data_with_container("transform", result, X, self)
        return result

    return transform
