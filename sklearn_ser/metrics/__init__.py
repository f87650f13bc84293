"""Scores of speech emotion recognition, and analyses of learned embeddings.

Classes are scored by weighted and unweighted accuracy (WA, UA) and the mean
F-measure, continuous labels by the concordance correlation coefficient. Two analyses
of [1]_ say how much of a continuous label an embedding carries:
:func:`pairwise_correlation` and :func:`latent_correlation`.
:func:`zscore_outliers` is the outlier rule of the same paper.
:func:`presence_score` scores utterances in which several emotions may be present.
:func:`speaker_probe` says how much any representation tells of the speaker.

``wa_scorer``, ``ua_scorer``, ``macro_f1_scorer`` and ``ccc_scorer`` are to hand to
``scoring=`` of scikit-learn's :class:`~sklearn.model_selection.GridSearchCV` and
:func:`~sklearn.model_selection.cross_validate`.

References
----------
.. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg and L. H. Clemmensen,
   "Continuous Metric Learning For Transferable Speech Emotion Recognition and
   Embedding Across Low-resource Languages", Proc. Northern Lights Deep Learning
   Workshop, 2022, arXiv:2203.14867.
"""

from __future__ import annotations

from ._correlation import (
    CorrelationResult,
    MantelResult,
    latent_correlation,
    mantel_test,
    pairwise_correlation,
)
from ._outliers import zscore_outliers
from ._presence import emotion_presence, presence_score
from ._scores import (
    adjusted_r2_score,
    ccc_scorer,
    concordance_correlation,
    macro_f1_score,
    macro_f1_scorer,
    ua_score,
    ua_scorer,
    wa_score,
    wa_scorer,
)
from ._speaker import SpeakerProbeResult, speaker_probe

__all__ = [
    "CorrelationResult",
    "MantelResult",
    "SpeakerProbeResult",
    "adjusted_r2_score",
    "ccc_scorer",
    "concordance_correlation",
    "emotion_presence",
    "latent_correlation",
    "macro_f1_score",
    "macro_f1_scorer",
    "mantel_test",
    "pairwise_correlation",
    "presence_score",
    "speaker_probe",
    "ua_score",
    "ua_scorer",
    "wa_score",
    "wa_scorer",
    "zscore_outliers",
]
