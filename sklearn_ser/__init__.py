"""Speech emotion recognition with scikit-learn.

Feature extractors and deep methods from the literature as scikit-learn
estimators. Public names load when they are first used: ``import sklearn_ser``
imports neither torch nor openSMILE.
"""

from __future__ import annotations

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = version("sklearn-ser")
