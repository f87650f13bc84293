"""Tests of sklearn-ser, each with one thread: processes run side by side."""

import os

# The libraries read them when they are imported, and conftest.py imports them. Two
# threads in each of two processes on two cores wait for each other: t-SNE of a few
# points took ten times as long.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
