"""scikit-learn's checks of estimators, collected alike by all its versions."""

from functools import partial

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

# Those that ask for good predictions, hence for all epochs.
_OF_PREDICTIONS = {"check_classifiers_classes", "check_class_weight_classifiers"}
# That which does so five times over.
_LONG = "check_classifiers_train"


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

    Each class is checked once, as it is by default, and trained for two epochs, except
    where a check asks for good predictions; the longest check is left out.
    """
    kinds = [type(estimator) for estimator in estimators]
    firsts = [e for i, e in enumerate(estimators) if kinds.index(kinds[i]) == i]
    briefly = estimator_checks.parametrize_with_checks([brief(e) for e in firsts])
    fully = estimator_checks.parametrize_with_checks(firsts)
    names, checks = briefly.args
    chosen = [
        *(pair for pair in checks if _name_of(pair) not in {*_OF_PREDICTIONS, _LONG}),
        *(pair for pair in fully.args[1] if _name_of(pair) in _OF_PREDICTIONS),
    ]
    return pytest.mark.parametrize(names, chosen, **briefly.kwargs)


def brief(estimator):
    """Return the estimator with two epochs, if it has such."""
    estimator = clone(estimator)
    for name in ("max_epochs", "feature_epochs"):
        if hasattr(estimator, name):
            estimator.set_params(**{name: 2})
    return estimator


def _name_of(pair):
    """Return the name of the check in a pair of estimator and check."""
    check = pair[1]
    while isinstance(check, partial):
        check = check.func
    return check.__name__
