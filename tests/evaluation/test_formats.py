"""Numbers and tables as texts."""

import pandas as pd
import pytest

from sklearn_ser.evaluation._formats import (
    bounds,
    number,
    p_value,
    percent,
    to_latex,
    to_markdown,
)


def test_numbers():
    assert number(0.1234) == "0.123"
    assert number(-0.5, signed=True) == "−0.500"
    assert number(0.5, signed=True) == "+0.500"
    assert number(-0.0001, signed=True) == number(0.0) == "0.000"
    assert number(float("nan")) == "–"
    assert bounds(-0.1, 0.25, signed=True) == "−0.100 to +0.250"
    assert bounds(float("nan"), float("nan")) == "–"
    assert [percent(level) for level in (0.95, 0.999)] == ["95 %", "99.9 %"]


@pytest.mark.parametrize(("p", "text"), [(0.05, "0.050"), (1, "1.000")])
def test_p_values(p, text):
    assert p_value(p) == text


def test_no_p_value_is_zero():
    assert p_value(0.0004) == "<0.001"


def test_tables():
    table = pd.DataFrame({"system": ["a|b", r"\x_1 ~ 5 % & {<^}"], "UA": ["−1", "#"]})
    assert to_markdown(table).splitlines() == [
        "| system | UA |",
        "|---|---:|",
        r"| a\|b | −1 |",
        r"| \x_1 ~ 5 % & {<^} | # |",
    ]
    lines = to_latex(table).splitlines()
    assert lines[0] == r"\begin{tabular}{lr}"
    assert lines[4] == r"a|b & $-$1 \\"
    assert lines[5] == (
        r"\textbackslash{}x\_1 \textasciitilde{} 5 \% \& "
        r"\{$<$\textasciicircum{}\} & \# \\"
    )
