"""``python -m sklearn_ser.cli``."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
