"""Numbers that several parts of the package have to agree on."""

from __future__ import annotations

import numpy as np

# The number that stands for a class, a speaker or a quadrant that is not known.
UNKNOWN = -1

# The largest number that float32 holds.
LARGEST = float(np.finfo(np.float32).max)

# The files, recordings or the like that one message lists before it says "and more".
N_LISTED = 10
