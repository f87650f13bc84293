"""Ready pipelines from recordings to emotions.

The settings are the published ones where the papers state them; the notes of a recipe
say what is ours.

Each recipe returns a new, unfitted scikit-learn `Pipeline`, or, where the training data
are augmented, a `SpeedPerturbation` around one; every parameter in it can be changed
with ``set_params``. The attribute ``needs`` of a recipe, a `Needs`, says what it needs
beyond recordings and emotions. `DEFAULT` names the recipe that the command line takes.
"""

from __future__ import annotations

from ._needs import Needs as Needs
from .methods.baselines._recipe import (
    compare16_svc,
    egemaps_svc,
    embedding_svc,
    logmel_baseline,
)
from .methods.contrastive_siamese._recipe import contrastive_siamese
from .methods.cvae._recipe import ae_lstm, cvae_lstm, vae_lstm
from .methods.menan._recipe import dat, menan
from .methods.metric_dae._recipe import metric_dae
from .methods.pseudo_siamese_gated._recipe import (
    cnn_blstm,
    pseudo_siamese_gated,
    psn,
    pt,
    pt_g,
)

DEFAULT = "metric_dae"

__all__ = [
    "ae_lstm",
    "cnn_blstm",
    "compare16_svc",
    "contrastive_siamese",
    "cvae_lstm",
    "dat",
    "egemaps_svc",
    "embedding_svc",
    "logmel_baseline",
    "menan",
    "metric_dae",
    "pseudo_siamese_gated",
    "psn",
    "pt",
    "pt_g",
    "vae_lstm",
]
