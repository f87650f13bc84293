"""Losses of the papers, as plain torch functions and modules, usable alone."""

from ._contrastive import ContrastiveSiameseLoss, contrastive_loss
from ._metric import (
    ContinuousMetricTerms,
    MetricDAELoss,
    continuous_metric_loss,
    continuous_metric_terms,
)
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
    "VariationalLoss",
    "continuous_metric_loss",
    "continuous_metric_terms",
    "contrastive_loss",
    "elbo_terms",
    "kl_standard_normal",
    "negative_elbo",
    "reparameterize",
]
