"""No test opens a window."""

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def _no_screen():
    """Draw with Agg, and close every figure."""
    mpl.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
