"""Losses of the papers, as plain torch functions and modules, usable alone."""

from ._adversarial import (
    SpeakerAdversarialLoss,
    cross_entropy_to_uniform,
    prediction_entropy,
    reverse_gradient,
)
from ._contrastive import ContrastiveSiameseLoss, contrastive_loss
from ._metric import (
    ContinuousMetricTerms,
    MetricDAELoss,
    continuous_metric_loss,
    continuous_metric_terms,
)
from ._triplet import PseudoSiameseLoss, Triplets, mine_triplets, triplet_loss
from ._variational import (
    ELBOTerms,
    VariationalLoss,
    elbo_terms,
    kl_standard_normal,
    negative_elbo,
    reparameterize,
)

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
