"""Warnings point at the user's line, however deep they are given."""

import warnings

import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from sklearn_ser._warnings import warn_user


class Careful(BaseEstimator):
    """Warns in `fit`."""

    def fit(self, X, y=None):
        warn_user("look")
        return self


@pytest.mark.parametrize("around", [lambda model: model, make_pipeline])
def test_what_is_named_is_outside_of_scikit_learn(around):
    model = around(Careful())
    with pytest.warns(UserWarning, match="^look$") as caught:
        model.fit([[0.0]])
    assert caught[0].filename == __file__


def test_frames_of_this_package_are_passed_over():
    code = compile("warn_user('look')", "inside.py", "exec")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(code, {"__name__": "sklearn_ser.some", "warn_user": warn_user})
    assert len(caught) == 1
    assert caught[0].filename == __file__
