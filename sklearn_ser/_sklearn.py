"""scikit-learn's semi-private helpers, imported in this one file only.

What is taken here has been stable since scikit-learn 1.6, but is not in its
public documentation; a change there is mended here.
"""

from sklearn.base import _fit_context as fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "fit_context",
    "output_config",
    "take_rows",
    "validate_parameter_constraints",
]


def output_config(estimator: object) -> str:
    """Return the container that ``estimator.transform`` is set to give.

    Parameters
    ----------
    estimator : estimator
        A transformer with ``set_output``.

    Returns
    -------
    str
        ``"default"``, ``"pandas"`` or ``"polars"``.
    """
    config: str = _get_output_config("transform", estimator)["dense"]
    return config
