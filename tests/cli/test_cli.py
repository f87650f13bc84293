"""The installed program."""

import subprocess
import sys


def test_the_installed_program():
    result = subprocess.run(
        [sys.executable, "-c", "import sys; from sklearn_ser.cli import main; "
         "sys.argv[0] = 'sklearn-ser'; main(['--help'])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "evaluate" in result.stdout
    assert "extract" in result.stdout
