"""The papers' methods as scikit-learn estimators, one file per paper."""

from ._contrastive_siamese import ContrastiveSiamese
from ._cvae import CVAE
from ._menan import MEnAN
from ._metric_dae import MetricDAE
from ._pseudo_siamese_gated import PseudoSiameseGated
from ._sequence_classifier import SequenceClassifier

__all__ = [
    "CVAE",
    "ContrastiveSiamese",
    "MEnAN",
    "MetricDAE",
    "PseudoSiameseGated",
    "SequenceClassifier",
]
