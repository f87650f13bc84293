"""Losses of the papers, as plain torch functions and modules, usable alone."""

from __future__ import annotations

from .methods.contrastive_siamese._loss import ContrastiveSiameseLoss, contrastive_loss
from .methods.cvae._loss import (
    ELBOTerms,
    VariationalLoss,
    elbo_terms,
    kl_standard_normal,
    negative_elbo,
)
from .methods.cvae._net import reparameterize
from .methods.menan._loss import (
    SpeakerAdversarialLoss,
    cross_entropy_to_uniform,
    prediction_entropy,
)
from .methods.menan._net import reverse_gradient
from .methods.metric_dae._loss import (
    ContinuousMetricTerms,
    MetricDAELoss,
    continuous_metric_loss,
    continuous_metric_terms,
)
from .methods.pseudo_siamese_gated._loss import PseudoSiameseLoss, triplet_loss
from .methods.pseudo_siamese_gated._triplets import Triplets, mine_triplets

__all__ = [
    "ContinuousMetricTerms",
    "ContrastiveSiameseLoss",
    "ELBOTerms",
    "MetricDAELoss",
    "PseudoSiameseLoss",
    "SpeakerAdversarialLoss",
    "Triplets",
    "VariationalLoss",
    "continuous_metric_loss",
    "continuous_metric_terms",
    "contrastive_loss",
    "cross_entropy_to_uniform",
    "elbo_terms",
    "kl_standard_normal",
    "mine_triplets",
    "negative_elbo",
    "prediction_entropy",
    "reparameterize",
    "reverse_gradient",
    "triplet_loss",
]
