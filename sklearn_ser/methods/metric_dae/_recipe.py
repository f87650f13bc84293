"""The pipeline of Das et al. (2022)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..._needs import needs
from ..._schedules import ScheduleName, follow_schedule
from ...features import EGeMAPS


@needs(seed=True, schedule=True, encoder="mean_std", label=("activation", "valence"))
def metric_dae(
    label: Any = "act",
    *,
    schedule: ScheduleName = "paper",
    front_end: Any = None,
    random_state: int | np.random.RandomState | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return the pipeline of Das et al. (2022).

    88 standardised eGeMAPS functionals, the denoising autoencoder with continuous
    metric learning, and a support vector machine with a linear kernel on its
    embedding.

    Parameters
    ----------
    label : {"act", "val"}, ("act", "val") or None, default="act"
        What the embedding learns to keep; `fit` then needs ``activation`` or
        ``valence``. None is the paper's unsupervised baseline.
    schedule : {"paper", "small_corpus"}, default="paper"
        How the networks are trained: as published, or as was chosen for few speakers,
        with what the documentation's results tell of each part.
    front_end : transformer or None, default=None
        What makes features of the recordings in the place of the paper's, such as
        `sklearn_ser.SpeechEmbedding`. None is the paper's, to which alone `memory`,
        `n_jobs` and `on_error` go.
    random_state : int, RandomState instance or None, default=None
        Seed of all that is random in `fit`; None draws one from numpy's.
    memory : str, joblib.Memory or None, default=None
        Where the front end caches the features of each recording; by default nowhere.
    n_jobs : int or None, default=None
        Number of threads in which the front end computes the features.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What the front end does with a faulty recording: see its parameter.
    verbose : bool, default=False
        Whether to show progress bars over recordings and epochs.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``egemaps``, ``standardscaler``, ``metricdae`` and ``svc``.

    Notes
    -----
    The paper names no C and no class weights for the support vector machine. Here
    they are C = 1 and classes weighted by their frequency: the score is UA, and with
    folds by speaker the classes of training and test may differ much.

    The paper trains on about 3,600 utterances, that is, with 2,800 steps of the
    optimiser in 50 epochs. A corpus of 500 utterances makes 400 steps in as many
    epochs; ``set_params(metricdae__max_epochs=350)`` restores the number of steps.

    Two dimensions that follow one rating cannot tell seven emotions apart. By the
    schedule for few speakers the encoder is linear, has 64 dimensions, and the metric
    loss a weight of 0.01: enough is kept of the features for a classifier behind it.
    Where the rating itself is wanted, take the published network.

    References
    ----------
    .. [1] S. Das, N. L. Lund, N. N. Lønfeldt, A. K. Pagsberg and L. H.
       Clemmensen, "Continuous metric learning for transferable speech emotion
       recognition and embedding across low-resource languages", Northern Lights
       Deep Learning Workshop, 2022, arXiv:2203.14867.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> pipeline = recipes.metric_dae(random_state=0)
    >>> pipeline.fit(
    ...     corpus.audio, corpus.emotion, metricdae__activation=corpus.activation
    ... ).predict(corpus.audio).shape
    (16,)
    """
    # Imported here: the reference needs no torch, which takes seconds to import.
    from ._estimator import MetricDAE

    if front_end is None:
        front_end = EGeMAPS(
            memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
        )
    embedding = MetricDAE(label=label, random_state=random_state)
    if follow_schedule(schedule, embedding):
        embedding.set_params(hidden_sizes=(), latent_dim=64, metric_weight=0.01)
    classifier = SVC(kernel="linear", class_weight="balanced")
    return make_pipeline(front_end, StandardScaler(), embedding, classifier)
