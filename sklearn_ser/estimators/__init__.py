"""The papers' methods as scikit-learn estimators, one file per paper."""

from ._metric_dae import MetricDAE

__all__ = ["MetricDAE"]
