"""The pipeline of Lian et al. (2018)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from ..._needs import needs
from ..._schedules import ScheduleName, follow_schedule
from ...features import MFCC


@needs(seed=True, schedule=True, encoder="frames")
def contrastive_siamese(
    *,
    n_frames: int | None = 898,
    max_epochs: int = 30,
    early_stopping: bool = False,
    schedule: ScheduleName = "paper",
    front_end: Any = None,
    random_state: int | np.random.RandomState | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return the pipeline of Lian et al. (2018).

    13 mel-frequency cepstral coefficients, and the siamese convolutional network with
    cross-entropy and contrastive loss in the configuration that is the paper's best by
    weighted accuracy: random pairs, the cosine loss, on the features.

    Parameters
    ----------
    n_frames : int or None, default=898
        Frames that the network sees at once, of `sklearn_ser.ContrastiveSiamese`: 9 s
        in the paper. The time of training grows with it; 398 are 4 s, which hold most
        of the emotion according to the paper's Figure 2.
    max_epochs : int, default=30
        Passes over the training data; not published.
    early_stopping : bool, default=False
        Whether to hold out some of the training speakers, to stop when the loss on
        them no longer falls, and to keep the weights of the best epoch; `fit` then
        needs ``groups``.
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
        With the steps ``mfcc`` and ``contrastivesiamese``.

    Notes
    -----
    The features keep the length of each recording. The network cuts and pads them, so
    that it can average over all segments of a longer recording in the test, as the
    paper does. Batches, epochs, margin and the best weight of the contrastive loss are
    not published. The paper's cross-entropy weighs all utterances alike; here the
    classes are weighted by their frequency, as in the other recipes.

    Table 3 compares five settings with the attentive network of Neumann and Vu (2017):
    that is ``set_params(contrastivesiamese__contrastive_weight=0,
    contrastivesiamese__pooling="attention")``, without its second learning objective.

    References
    ----------
    .. [1] Z. Lian, Y. Li, J. Tao and J. Huang, "Speech emotion recognition via
       contrastive loss under siamese networks", ASMMC-MMAC, 2018,
       doi:10.1145/3267935.3267946.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> list(recipes.contrastive_siamese().named_steps)
    ['mfcc', 'contrastivesiamese']
    """
    # Imported here: the reference needs no torch, which takes seconds to import.
    from ._estimator import ContrastiveSiamese

    if front_end is None:
        front_end = MFCC(
            duration=None,
            memory=memory,
            n_jobs=n_jobs,
            on_error=on_error,
            verbose=verbose,
        )
    classifier = ContrastiveSiamese(
        n_frames=n_frames,
        class_weight="balanced",
        max_epochs=max_epochs,
        early_stopping=early_stopping,
        random_state=random_state,
        verbose=verbose,
    )
    follow_schedule(schedule, classifier)
    return make_pipeline(front_end, classifier)
