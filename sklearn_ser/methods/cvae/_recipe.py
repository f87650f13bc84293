"""The pipelines of Latif et al. (2018)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline, make_pipeline

from ..._needs import needs
from ..._schedules import ScheduleName, follow_schedule
from ...features import LogMelSegmenter

_CONDITIONS = ("emotion", "gender", "activation", "valence", "dominance")


@needs(seed=True, schedule=True, encoder="frames", condition=_CONDITIONS)
def cvae_lstm(
    *,
    condition: (
        Literal["emotion", "gender", "activation", "valence", "dominance"] | None
    ) = None,
    early_stopping: bool = False,
    schedule: ScheduleName = "paper",
    front_end: Any = None,
    random_state: int | np.random.RandomState | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return the pipeline of Latif et al. (2018) with the conditional autoencoder.

    Segments of 10 frames with 80 log-mel energies, the conditional variational
    autoencoder, and two layers of LSTM over the means and variances of its latent
    distribution. The pipeline predicts emotions, or the three levels of a dimension
    that `sklearn_ser.datasets.dimension_levels` makes.

    Parameters
    ----------
    condition : {"emotion", "gender", "activation", "valence", "dominance"} or None, \
default=None
        What the autoencoder is conditioned on. None is the target itself; any other is
        beside it, as the emotion is where the paper classifies levels of a dimension.
        `evaluate_by_speaker` hands it to `fit`; by hand, `fit` is given it under this
        name with metadata routing, or as ``cvae__condition`` without.
    early_stopping : bool, default=False
        Whether to hold out some of the training speakers, to stop when the loss on them
        no longer falls, and to keep the weights of the best epoch; `fit` then needs
        ``groups``. The autoencoder and the classifier each stop by themselves.
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
        With the steps ``logmelsegmenter``, ``cvae`` and ``sequenceclassifier``.

    Raises
    ------
    ValueError
        If `condition` is none of these.

    See Also
    --------
    vae_lstm, ae_lstm : The paper's other two models.

    Notes
    -----
    The paper does not say what the encoder gets for the unknown emotion in the test.
    Here it is what the model itself infers, in training as in the test; see
    `sklearn_ser.CVAE`. Batches, epochs of the autoencoder, units of the LSTM and
    class weights are not published; here the classes are weighted by their
    frequency, as in the other recipes.

    The paper merges the segments into utterance-level features by reference to two
    other works; one of these computes functionals, such as those of
    `sklearn_ser.SequencePooling`. Here the LSTM reads the segments in order.

    The paper stops the autoencoder at a reconstruction error, and the classifier
    early, and publishes neither threshold nor rule. With an integer as
    `random_state`, both hold out the same speakers; otherwise the autoencoder may
    have been trained on those that the classifier holds out.

    The epochs are those of a large corpus. Where an epoch has few batches, the LSTM
    makes few steps in 20 epochs: with some tens of utterances, take
    ``set_params(sequenceclassifier__max_epochs=100)`` or smaller batches.

    References
    ----------
    .. [1] S. Latif, R. Rana, J. Qadir and J. Epps, "Variational autoencoders for
       learning latent representations of speech emotion: a preliminary study",
       Interspeech, 2018, arXiv:1712.08708.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> list(recipes.cvae_lstm().named_steps)
    ['logmelsegmenter', 'cvae', 'sequenceclassifier']
    """
    if condition is not None and condition not in _CONDITIONS:
        raise ValueError(
            f"condition must be {', '.join(map(repr, _CONDITIONS))} or None, got "
            f"{condition!r}."
        )
    # Imported here: the reference needs no torch, which takes seconds to import.
    from ..sequence_classifier._estimator import SequenceClassifier
    from ._estimator import CVAE

    if front_end is None:
        front_end = LogMelSegmenter(
            memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
        )
    of_both: dict[str, Any] = {
        "early_stopping": early_stopping,
        "random_state": random_state,
        "verbose": verbose,
    }
    classifier = SequenceClassifier(class_weight="balanced", **of_both)
    encoder = CVAE(**of_both)
    follow_schedule(schedule, encoder, classifier)
    if condition is not None:
        with config_context(enable_metadata_routing=True):
            encoder.set_fit_request(condition=condition)
    return make_pipeline(front_end, encoder, classifier)


@needs(seed=True, schedule=True, encoder="frames")
def vae_lstm(**settings: Any) -> Pipeline:
    """Return the pipeline of Latif et al. (2018) with the variational autoencoder.

    As `cvae_lstm`, with an autoencoder that learns without labels.

    Parameters
    ----------
    **settings
        Those of `cvae_lstm`, but for its condition.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``logmelsegmenter``, ``cvae`` and ``sequenceclassifier``.

    See Also
    --------
    cvae_lstm : The conditional model, its parameters, and the notes on all three.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.vae_lstm(random_state=0)["cvae"].variant
    'vae'
    """
    return _without_condition("vae", **settings)


@needs(seed=True, schedule=True, encoder="frames")
def ae_lstm(**settings: Any) -> Pipeline:
    """Return the pipeline of Latif et al. (2018) with the plain autoencoder.

    As `vae_lstm`, with a latent representation that is not a distribution.

    Parameters
    ----------
    **settings
        Those of `cvae_lstm`, but for its condition.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``logmelsegmenter``, ``cvae`` and ``sequenceclassifier``.

    See Also
    --------
    cvae_lstm : The conditional model, its parameters, and the notes on all three.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.ae_lstm(random_state=0)["cvae"].variant
    'ae'
    """
    return _without_condition("ae", **settings)


def _without_condition(variant: str, **settings: Any) -> Pipeline:
    """Return the pipeline with an autoencoder that has no condition."""
    if "condition" in settings:
        raise TypeError(f"{variant}_lstm has no condition: cvae_lstm has one.")
    return cvae_lstm(**settings).set_params(cvae__variant=variant)
