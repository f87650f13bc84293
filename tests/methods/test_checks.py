"""What scikit-learn asks of every estimator."""

import os
import subprocess
import sys

import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
)

from sklearn_ser import MEnAN, PseudoSiameseGated
from tests.checks import (
    brief,
    parametrize_with_checks,
    parametrize_with_quick_checks,
)
from tests.estimators import CHECKED, AdversarialMEnAN, LabeledMetricDAE

# The checks know of no speakers, without which the default of one has no adversary,
# and of no auxiliary corpora, without which that of another is not pre-trained.
nothing_else = pytest.mark.filterwarnings(
    "ignore:MEnAN.* needs two or more speakers",
    "ignore:PseudoSiameseGated has no auxiliary corpora",
    "ignore:Valence and activation make no triplet",  # of one class
    "ignore:MetricDAE does not learn",  # from one sample, or from equal ones
    "ignore:LabeledMetricDAE does not learn",
)


# The two classes that take longest, and a variant of one, are left to the slow tests.
LONG = MEnAN | PseudoSiameseGated
QUICK = [e for e in CHECKED if not isinstance(e, LONG)]


@nothing_else
@parametrize_with_quick_checks(QUICK)
def test_scikit_learn_checks_in_short(estimator, check):
    check(estimator)


@pytest.mark.slow
@nothing_else
@parametrize_with_checks(CHECKED)
def test_all_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_short_checks_are_all_that_there_are():
    """Each check but the longest is made of each class."""

    def made(test):
        (mark,) = (m for m in test.pytestmark if m.name == "parametrize")
        return {(type(estimator), str(check)) for estimator, check in mark.args[1]}

    everything = made(test_all_scikit_learn_checks)
    missing = everything - made(test_scikit_learn_checks_in_short)
    missing = {pair for pair in missing if not issubclass(pair[0], LONG)}
    assert missing
    assert all("check_classifiers_train" in check for _, check in missing)


# What `transform` gives, and as what, differs between these.
ONE_OF_EACH_OUTPUT = [
    e
    for e in CHECKED
    if hasattr(e, "transform")
    and not isinstance(e, LabeledMetricDAE | AdversarialMEnAN)
]

OF_TRANSFORMERS = [
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
]


# The checks themselves pass arrays to what was fitted on a table.
@nothing_else
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("estimator", CHECKED, ids=str)
@pytest.mark.parametrize(
    "check",
    [check_dataframe_column_names_consistency, check_param_validation],
    ids=lambda check: check.__name__,
)
def test_checks_that_are_not_in_that_list(estimator, check):
    check(type(estimator).__name__, brief(estimator))


@nothing_else
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(
            estimator,
            marks=[pytest.mark.slow]
            * (str(estimator) not in ("MetricDAE()", "SequencePooling()", "CVAE()")),
        )
        for estimator in ONE_OF_EACH_OUTPUT
    ],
    ids=str,
)
@pytest.mark.parametrize("check", OF_TRANSFORMERS, ids=lambda check: check.__name__)
def test_checks_of_transformers_that_are_not_in_that_list(estimator, check):
    check(type(estimator).__name__, brief(estimator))


@pytest.mark.slow
def test_checks_of_array_api_inputs():
    """SCIPY_ARRAY_API has to be set before anything is imported; else they skip."""
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            __file__,
            "-k",
            "all_scikit_learn_checks and array_api",
            "-m",
            "slow or not slow",
        ],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "passed" in result.stdout
    assert "skipped" not in result.stdout
