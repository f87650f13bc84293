"""Tests of the names of the emotional dimensions."""

import subprocess
import sys

import pytest

from sklearn_ser._dimensions import DIMENSIONS, dimension_name


def test_the_dimensions_are_activation_valence_and_dominance():
    assert DIMENSIONS == ("activation", "valence", "dominance")


@pytest.mark.parametrize(
    ("short", "full"), [("act", "activation"), ("val", "valence"), ("dom", "dominance")]
)
def test_either_form_of_a_dimension_gives_its_long_name(short, full):
    assert dimension_name(short) == full
    assert dimension_name(full) == full


@pytest.mark.parametrize("name", ["arousal", "Activation", "", None, 1, ["act"]])
def test_anything_else_is_refused_with_all_names(name):
    with pytest.raises(ValueError, match="is not a dimension") as refused:
        dimension_name(name)
    message = str(refused.value)
    assert repr(name) in message
    for known in (*DIMENSIONS, "act", "val", "dom"):
        assert repr(known) in message


def test_the_names_need_no_torch():
    code = "import sys, sklearn_ser._dimensions; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
