"""Ready pipelines from recordings to emotions.

The settings are the published ones where the papers state them; the notes of a recipe
say what is ours.

Each recipe returns a new, unfitted scikit-learn `Pipeline`, or, where the training data
are augmented, a `SpeedPerturbation` around one; every parameter in it can be changed
with ``set_params``.
"""

from ._contrastive_siamese import contrastive_siamese
from ._cvae_lstm import ae_lstm, cvae_lstm, vae_lstm
from ._egemaps_svc import egemaps_svc
from ._menan import dat, menan
from ._metric_dae import metric_dae
from ._pseudo_siamese_gated import cnn_blstm, pseudo_siamese_gated, psn, pt, pt_g

__all__ = [
    "ae_lstm",
    "cnn_blstm",
    "contrastive_siamese",
    "cvae_lstm",
    "dat",
    "egemaps_svc",
    "menan",
    "metric_dae",
    "pseudo_siamese_gated",
    "psn",
    "pt",
    "pt_g",
    "vae_lstm",
]
