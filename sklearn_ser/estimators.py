"""The papers' methods as scikit-learn estimators."""

from __future__ import annotations

from .methods.contrastive_siamese._estimator import ContrastiveSiamese
from .methods.cvae._estimator import CVAE
from .methods.menan._estimator import MEnAN
from .methods.metric_dae._estimator import MetricDAE
from .methods.metric_dae._regressor import MetricDAERegressor
from .methods.pseudo_siamese_gated._estimator import PseudoSiameseGated
from .methods.sequence_classifier._estimator import SequenceClassifier
from .training._schedule import Schedule

__all__ = [
    "CVAE",
    "ContrastiveSiamese",
    "MEnAN",
    "MetricDAE",
    "MetricDAERegressor",
    "PseudoSiameseGated",
    "Schedule",
    "SequenceClassifier",
]
