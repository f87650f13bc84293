"""scikit-learn's checks of estimators, collected alike by all its versions."""

from functools import partial

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

# Those that ask for good predictions, hence for all epochs.
_OF_PREDICTIONS = {
    "check_classifiers_train",
    "check_classifiers_classes",
    "check_class_weight_classifiers",
}


def parametrize_with_checks(estimators):
    """Do what scikit-learn's function does, with a list of checks.

    Before scikit-learn 1.7 that function hands pytest a generator, which pytest 9
    deprecates.
    """
    mark = estimator_checks.parametrize_with_checks(estimators)
    names, checks = mark.args
    return pytest.mark.parametrize(names, list(checks), **mark.kwargs)


def parametrize_with_quick_checks(estimators):
    """Do the same in a tenth of the time.

    Estimators are trained for two epochs, where no check asks how good they are; those
    checks are left to the defaults of each class, and take the data once, read-only
    and in float32, not three times.
    """
    mark = estimator_checks.parametrize_with_checks(
        [brief(estimator) for estimator in estimators]
    )
    names, checks = mark.args
    chosen = [pair for pair in checks if _name_of(pair) not in _OF_PREDICTIONS]
    defaults = [e for e in estimators if repr(e) == f"{type(e).__name__}()"]
    of_defaults = estimator_checks.parametrize_with_checks(defaults).args[1]
    for pair in of_defaults:
        if _name_of(pair) in _OF_PREDICTIONS and not _is_repeated(pair):
            chosen.append(pair)
    return pytest.mark.parametrize(names, chosen, **mark.kwargs)


def brief(estimator):
    """Return the estimator with two epochs, if it has such."""
    estimator = clone(estimator)
    for name in ("max_epochs", "feature_epochs"):
        if hasattr(estimator, name):
            estimator.set_params(**{name: 2})
    return estimator


def _unwrapped(check):
    """Return the function and the settings of a check."""
    settings = {}
    while isinstance(check, partial):
        settings = {**check.keywords, **settings}
        check = check.func
    return check, settings


def _name_of(pair):
    """Return the name of the check in a pair of estimator and check."""
    return _unwrapped(pair[1])[0].__name__


def _is_repeated(pair):
    """Tell whether a check is made once more with read-only data in float32."""
    check, settings = _unwrapped(pair[1])
    return check.__name__ == "check_classifiers_train" and "X_dtype" not in settings
