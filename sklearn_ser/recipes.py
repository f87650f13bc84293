"""Ready pipelines from recordings to emotions.

The settings are the published ones where the papers state them; the notes of a recipe
say what is ours.

Each recipe returns a new, unfitted scikit-learn `Pipeline`, or, where the training data
are augmented, a `SpeedPerturbation` around one; every parameter in it can be changed
with ``set_params``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from .augmentation import SPEEDS, SpeedPerturbation
from .features import MFCC, EGeMAPS, LogMelProsody, LogMelSegmenter

__all__ = [
    "ae_lstm",
    "contrastive_siamese",
    "cvae_lstm",
    "dat",
    "egemaps_svc",
    "menan",
    "metric_dae",
    "vae_lstm",
]


def egemaps_svc(
    *,
    C: float = 0.01,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return the reference: eGeMAPS functionals and a linear support vector machine.

    The baseline that a new method has to beat: 88 standardised functionals, a
    linear kernel, and classes weighted by their frequency.

    Parameters
    ----------
    C : float, default=0.01
        Inverse strength of the regularisation.
    memory : str, joblib.Memory or None, default=None
        Where the features of each recording are cached; of `sklearn_ser.EGeMAPS`.
    n_jobs : int or None, default=None
        Threads for the features; of `sklearn_ser.EGeMAPS`.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does; of `sklearn_ser.EGeMAPS`.
    verbose : bool, default=False
        Whether to show a progress bar over the recordings.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``egemaps``, ``standardscaler`` and ``svc``.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> list(recipes.egemaps_svc().named_steps)
    ['egemaps', 'standardscaler', 'svc']
    """
    front_end = EGeMAPS(
        memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
    )
    classifier = SVC(kernel="linear", C=C, class_weight="balanced")
    return make_pipeline(front_end, StandardScaler(), classifier)


def metric_dae(
    label: Any = "act",
    *,
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
    random_state : int, RandomState instance or None, default=None
        Of `sklearn_ser.MetricDAE`.
    memory : str, joblib.Memory or None, default=None
        Where the features of each recording are cached; of `sklearn_ser.EGeMAPS`.
    n_jobs : int or None, default=None
        Threads for the features; of `sklearn_ser.EGeMAPS`.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does; of `sklearn_ser.EGeMAPS`.
    verbose : bool, default=False
        Whether to show a progress bar over the recordings.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``egemaps``, ``standardscaler``, ``metricdae`` and ``svc``.

    Notes
    -----
    The paper names no C and no class weights for the support vector machine. Here
    they are C = 1 and classes weighted by their frequency: the score is UA, and with
    folds by speaker the classes of training and test may differ much.

    The paper trains on about 3,600 utterances, hence with 2,800 steps of the
    optimiser in 50 epochs. A corpus of 500 utterances makes 400 steps in as many
    epochs; ``set_params(metricdae__max_epochs=350)`` restores the number of steps.

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
    from .estimators import MetricDAE

    front_end = EGeMAPS(
        memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
    )
    embedding = MetricDAE(label=label, random_state=random_state)
    classifier = SVC(kernel="linear", class_weight="balanced")
    return make_pipeline(front_end, StandardScaler(), embedding, classifier)


def cvae_lstm(
    *,
    early_stopping: bool = False,
    random_state: int | np.random.RandomState | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return the pipeline of Latif et al. (2018) with the conditional autoencoder.

    Segments of 10 frames with 80 log-mel energies, the conditional variational
    autoencoder, and two layers of LSTM over the means and variances of its latent
    distribution. It predicts emotions, or the three levels of a dimension that
    `sklearn_ser.datasets.dimension_levels` makes.

    Parameters
    ----------
    early_stopping : bool, default=False
        Whether autoencoder and classifier each hold out some of the training
        speakers, and stop when their loss on them no longer falls; `fit` then needs
        ``groups``.
    random_state : int, RandomState instance or None, default=None
        Of `sklearn_ser.CVAE` and `sklearn_ser.SequenceClassifier`.
    memory : str, joblib.Memory or None, default=None
        Where the segments of each recording are cached; of
        `sklearn_ser.LogMelSegmenter`.
    n_jobs : int or None, default=None
        Threads for the segments; of `sklearn_ser.LogMelSegmenter`.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does; of `sklearn_ser.LogMelSegmenter`.
    verbose : bool, default=False
        Whether to show progress bars over recordings and epochs.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``logmelsegmenter``, ``cvae`` and ``sequenceclassifier``.

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
    other works, of which one computes functionals, such as those of
    `sklearn_ser.SequencePooling`. Here the LSTM reads the segments in order.

    The paper stops the autoencoder at a reconstruction error, and the classifier
    early, and publishes neither threshold nor rule. With an integer as
    `random_state`, both hold out the same speakers; otherwise the autoencoder may
    have been trained on those that the classifier holds out.

    The epochs are those of a large corpus. Where an epoch has few batches, the LSTM
    makes few steps in 20 of them: with some tens of utterances, take
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
    # Imported here: the reference needs no torch, which takes seconds to import.
    from .estimators import CVAE, SequenceClassifier

    front_end = LogMelSegmenter(
        memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
    )
    of_both: dict[str, Any] = {
        "early_stopping": early_stopping,
        "random_state": random_state,
        "verbose": verbose,
    }
    classifier = SequenceClassifier(class_weight="balanced", **of_both)
    return make_pipeline(front_end, CVAE(**of_both), classifier)


def vae_lstm(**settings: Any) -> Pipeline:
    """Return the pipeline of Latif et al. (2018) with the variational autoencoder.

    As `cvae_lstm`, with an autoencoder that learns without labels.

    Parameters
    ----------
    **settings
        Those of `cvae_lstm`.

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
    return cvae_lstm(**settings).set_params(cvae__variant="vae")


def ae_lstm(**settings: Any) -> Pipeline:
    """Return the pipeline of Latif et al. (2018) with the plain autoencoder.

    As `vae_lstm`, with a latent representation that is no distribution.

    Parameters
    ----------
    **settings
        Those of `cvae_lstm`.

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
    return cvae_lstm(**settings).set_params(cvae__variant="ae")


def contrastive_siamese(
    *,
    n_frames: int = 898,
    max_epochs: int = 30,
    early_stopping: bool = False,
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
    n_frames : int, default=898
        Frames that the network sees at once, of `sklearn_ser.ContrastiveSiamese`:
        9 s in the paper. The time of training grows with it; 398 are 4 s, which, by
        the paper's Figure 2, hold most of the emotion.
    max_epochs : int, default=30
        Passes over the training data; not published.
    early_stopping : bool, default=False
        Whether to hold out some of the training speakers, to stop when the loss on
        them no longer falls, and to keep the weights of the best epoch; `fit` then
        needs ``groups``.
    random_state : int, RandomState instance or None, default=None
        Of `sklearn_ser.ContrastiveSiamese`.
    memory : str, joblib.Memory or None, default=None
        Where the features of each recording are cached; of `sklearn_ser.MFCC`.
    n_jobs : int or None, default=None
        Threads for the features; of `sklearn_ser.MFCC`.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does; of `sklearn_ser.MFCC`.
    verbose : bool, default=False
        Whether to show progress bars over recordings and epochs.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``mfcc`` and ``contrastivesiamese``.

    Notes
    -----
    The features keep the length of each recording: it is the network that cuts and
    pads them, so that it can average over all segments of a longer recording in the
    test, as the paper does. Batches, epochs, margin and the best weight of the
    contrastive loss are not published. The paper's cross-entropy weighs all
    utterances alike; here the classes are weighted by their frequency, as in the
    other recipes.

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
    from .estimators import ContrastiveSiamese

    front_end = MFCC(
        duration=None, memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
    )
    classifier = ContrastiveSiamese(
        n_frames=n_frames,
        class_weight="balanced",
        max_epochs=max_epochs,
        early_stopping=early_stopping,
        random_state=random_state,
        verbose=verbose,
    )
    return make_pipeline(front_end, classifier)


def menan(
    *,
    max_epochs: int = 300,
    shorter: Literal["repeat", "keep"] = "repeat",
    factors: Sequence[float] = SPEEDS,
    early_stopping: bool = False,
    random_state: int | np.random.RandomState | None = None,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "nan", "warn"] = "raise",
    verbose: bool = False,
) -> SpeedPerturbation:
    """Return the pipeline of Li et al. (2020) with the max-entropy adversary.

    40 log-mel energies, pitch and energy over 14 s, the training recordings also at
    four other speeds, and `sklearn_ser.MEnAN`.

    Parameters
    ----------
    max_epochs : int, default=300
        Passes over the training data (paper), which the paper makes over 22,000
        utterances. Of a few hundred, 30 to 50 make the results of the documentation.
    shorter : {"repeat", "keep"}, default="repeat"
        Whether recordings shorter than 14 s are repeated up to that (paper), or keep
        their length, which on recordings of 3 s takes a fifth of the time; of
        `sklearn_ser.LogMelProsody`.
    factors : sequence of float, default=(0.8, 0.9, 1.1, 1.2)
        The other speeds (paper), each of which adds the time of one more corpus; none
        for ``()``. Of `sklearn_ser.SpeedPerturbation`.
    early_stopping : bool, default=False
        Whether to hold out some of the training speakers, to stop when the loss on
        them no longer falls, and to keep the weights of the best epoch.
    random_state : int, RandomState instance or None, default=None
        Of `sklearn_ser.MEnAN`.
    memory : str, joblib.Memory or None, default=None
        Where the features of each recording are cached; of
        `sklearn_ser.LogMelProsody`.
    n_jobs : int or None, default=None
        Threads for the features; of `sklearn_ser.LogMelProsody`.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does; of `sklearn_ser.LogMelProsody`.
    verbose : bool, default=False
        Whether to show progress bars over recordings and epochs.

    Returns
    -------
    sklearn_ser.SpeedPerturbation
        Around a pipeline with the steps ``logmelprosody`` and ``menan``. `fit` takes
        the speakers: ``groups`` with metadata routing, ``menan__groups`` without it.

    See Also
    --------
    dat : The same with domain-adversarial training.

    Notes
    -----
    The paper's other two models are ``set_params(estimator__menan__adversary=…)`` with
    ``"multitask"`` and None. What the fitted network can do beyond `predict` and
    `transform` is asked of ``estimator_["menan"]``, on what
    ``estimator_["logmelprosody"]`` gives. The power of the decay of the learning rate
    is not published. The paper's cross-entropy weighs all utterances alike; here the
    classes are weighted by their frequency, as in the other recipes. The paper names
    no normalisation; here each feature is standardised by the training data as a
    whole (``standardize=False`` leaves that out).

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
    from .estimators import MEnAN

    front_end = LogMelProsody(
        shorter=shorter,
        memory=memory,
        n_jobs=n_jobs,
        on_error=on_error,
        verbose=verbose,
    )
    classifier = MEnAN(
        class_weight="balanced",
        max_epochs=max_epochs,
        early_stopping=early_stopping,
        random_state=random_state,
        verbose=verbose,
    )
    return SpeedPerturbation(make_pipeline(front_end, classifier), factors=factors)


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
        Around a pipeline with the steps ``logmelprosody`` and ``menan``.

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
