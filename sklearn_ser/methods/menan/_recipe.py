"""The pipelines of Li et al. (2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.pipeline import make_pipeline

from ..._needs import needs
from ..._schedules import ScheduleName, follow_schedule
from ...augmentation import SPEEDS, SpeedPerturbation
from ...features import LogMelProsody


@needs(seed=True, schedule=True, encoder="frames")
def menan(
    *,
    max_epochs: int | None = None,
    shorter: Literal["repeat", "keep"] = "repeat",
    factors: Sequence[float] = SPEEDS,
    early_stopping: bool = False,
    schedule: ScheduleName = "paper",
    front_end: Any = None,
    random_state: int | np.random.RandomState | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> SpeedPerturbation:
    """Return the pipeline of Li et al. (2020) with the max-entropy adversary.

    The features are 40 log-mel energies, pitch and energy over 14 s. The training
    recordings are also used at four other speeds. `sklearn_ser.MEnAN` learns from them.

    Parameters
    ----------
    max_epochs : int or None, default=None
        Passes over the training data and its copies. None is 300 (paper, which has
        22,000 utterances), and with ``schedule="small_corpus"`` 30 in all: 6 with four
        other speeds, 30 without copies.
    shorter : {"repeat", "keep"}, default="repeat"
        Whether recordings shorter than 14 s are repeated up to that (paper), or keep
        their length, which on recordings of 3 s takes a fifth of the time; of
        `sklearn_ser.LogMelProsody`.
    factors : sequence of float, default=(0.8, 0.9, 1.1, 1.2)
        The other speeds (paper). Each adds the time of one more corpus; ``()`` means
        none. Of `sklearn_ser.SpeedPerturbation`.
    early_stopping : bool, default=False
        Whether to hold out some of the training speakers, to stop when the loss on them
        no longer falls, and to keep the weights of the best epoch; `fit` then needs
        ``groups``.
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
    sklearn_ser.SpeedPerturbation
        Around a pipeline with the steps ``logmelprosody`` and ``menan``. `fit` takes
        the speakers: ``groups`` with metadata routing, ``menan__groups`` without it.
        Without speakers it learns emotions alone, and warns.

    See Also
    --------
    dat : The same with domain-adversarial training.

    Notes
    -----
    ``schedule="small_corpus"`` makes the network wider and shallower, too: 64 channels,
    one convolution and heads without hidden layers.

    The paper's other two models are ``set_params(estimator__menan__adversary=…)`` with
    ``"multitask"`` and None. For other methods of the fitted network than `predict` and
    `transform`, use ``estimator_["menan"]`` on the output of
    ``estimator_["logmelprosody"]``. The power of the decay of the learning rate is not
    published. The paper's cross-entropy weighs all utterances alike; here the classes
    are weighted by their frequency, as in the other recipes. The paper names no
    normalisation; here each feature is standardised by the training data as a whole
    (``standardize=False`` leaves that out). In the paper's evaluation, the partner of
    the test speaker validates: that is ``early_stopping=True``, and a dict of each
    speaker's partner as ``estimator__menan__validation_groups``.

    References
    ----------
    .. [1] H. Li, M. Tu, J. Huang, S. Narayanan and P. Georgiou, "Speaker-invariant
       affective representation learning via adversarial training", ICASSP, 2020,
       arXiv:1911.01533.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.menan(max_epochs=2, shorter="keep", factors=())
    >>> list(model.estimator.named_steps)
    ['logmelprosody', 'menan']
    >>> model.fit(
    ...     corpus.audio, corpus.emotion, menan__groups=corpus.speaker
    ... ).predict(corpus.audio).shape
    (16,)
    """
    # Imported here: the reference needs no torch, which takes seconds to import.
    from ._estimator import MEnAN

    if front_end is None:
        front_end = LogMelProsody(
            shorter=shorter,
            memory=memory,
            n_jobs=n_jobs,
            on_error=on_error,
            verbose=verbose,
        )
    if max_epochs is None:
        max_epochs = 300 if schedule == "paper" else max(1, 30 // (1 + len(factors)))
    classifier = MEnAN(
        class_weight="balanced",
        max_epochs=max_epochs,
        early_stopping=early_stopping,
        random_state=random_state,
        verbose=verbose,
    )
    if follow_schedule(schedule, classifier):
        classifier.set_params(hidden_size=64)
    return SpeedPerturbation(make_pipeline(front_end, classifier), factors=factors)


@needs(seed=True, schedule=True, encoder="frames")
def dat(**settings: Any) -> SpeedPerturbation:
    """Return the pipeline of Li et al. (2020) with domain-adversarial training.

    As `menan`, with an encoder that learns to make the speaker head fail, by the
    reversed gradient of its loss.

    Parameters
    ----------
    **settings
        Those of `menan`.

    Returns
    -------
    sklearn_ser.SpeedPerturbation
        Around a pipeline with the steps ``logmelprosody`` and ``menan``. Without
        speakers its `fit` is an error.

    See Also
    --------
    menan : The paper's own model, its parameters, and the notes on both.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.dat(random_state=0).estimator["menan"].adversary
    'gradient_reversal'
    """
    model = menan(**settings)
    model.set_params(estimator__menan__adversary="gradient_reversal")
    return model
