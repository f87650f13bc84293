"""What importing the package costs, and what it shows."""

import subprocess
import sys

import pytest

import sklearn_ser


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import sklearn_ser", ["torch", "opensmile", "sklearn", "matplotlib"]),
        pytest.param(
            "import sklearn_ser; sklearn_ser.EGeMAPS()",
            ["torch", "opensmile"],
            marks=pytest.mark.slow,
        ),
        ("from sklearn_ser import recipes; recipes.egemaps_svc()", ["torch"]),
        pytest.param(
            "import sklearn_ser.metrics, sklearn_ser.datasets",
            ["torch", "opensmile"],
            marks=pytest.mark.slow,
        ),
        ("import sklearn_ser.cli", ["torch", "opensmile", "sklearn", "matplotlib"]),
        ("import sklearn_ser._needs", ["torch", "opensmile", "sklearn", "matplotlib"]),
        pytest.param(
            "from sklearn_ser.cli import _parser; _parser()",
            ["torch", "opensmile"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "from sklearn_ser import MetricDAE",
            ["opensmile", "matplotlib"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_imports_are_lazy(code, absent):
    check = f"import sys; {code}; print([m for m in {absent!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_public_names_are_there_and_documented():
    for name in sklearn_ser.__all__:
        value = getattr(sklearn_ser, name)
        assert value.__doc__, name
    assert set(sklearn_ser.__all__) <= set(dir(sklearn_ser))
    assert sklearn_ser.__version__
    with pytest.raises(AttributeError, match="no_such_name"):
        sklearn_ser.no_such_name  # noqa: B018
