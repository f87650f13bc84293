"""scikit-learn's checks of estimators, collected alike by all its versions."""

import pytest
from sklearn.utils import estimator_checks


def parametrize_with_checks(estimators):
    """Do what scikit-learn's function does, with a list of checks.

    Before scikit-learn 1.7 that function hands pytest a generator, which pytest 9
    deprecates.
    """
    mark = estimator_checks.parametrize_with_checks(estimators)
    names, checks = mark.args
    return pytest.mark.parametrize(names, list(checks), **mark.kwargs)
