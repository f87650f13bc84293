"""The pipelines of Gao et al. (2021)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from ..._needs import needs
from ..._schedules import ScheduleName, follow_schedule
from ...datasets import AuxiliaryCorpora, Corpus
from ...features import SpectrogramSegmenter

# What may stand for the auxiliary corpora.
Auxiliary = AuxiliaryCorpora | Corpus | Iterable[Corpus] | None


def _settle(
    model: Any, corpora: Sequence[Corpus], changed: Mapping[str, Any]
) -> AuxiliaryCorpora | None:
    """Make the classifier follow its front end as it is now; see `Needs`."""
    shape, fusion, auxiliary = (
        f"pseudosiamesegated__{name}"
        for name in ("segment_shape", "fusion", "auxiliary_corpora")
    )
    for name in (fusion, auxiliary):
        if corpora and changed.get(name, "") is None:
            raise ValueError(
                f"Auxiliary corpora have no effect with {name}=None: leave out one of "
                "the two."
            )
    of_front_end = getattr(model[0], "segment_shape", None)
    if shape in model.get_params() and shape not in changed and of_front_end:
        model.set_params(**{shape: of_front_end})
    if not corpora:
        return None
    made = AuxiliaryCorpora.from_corpora(corpora, model[0])
    model.set_params(**{auxiliary: made})
    return made


@needs(seed=True, schedule=True, auxiliary_corpora=True, settle=_settle)
def pseudo_siamese_gated(
    auxiliary_corpora: Auxiliary = None,
    *,
    preset: Literal["gao2021_s1", "gao2021_s2"] = "gao2021_s1",
    pretraining_epochs: int = 2,
    feature_epochs: int = 6,
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
    """Return the pipeline of Gao et al. (2021) with triplets and the gate, PSN_G.

    Log spectrograms of segments of 265 ms, 32 x 129 values each, and
    `sklearn_ser.PseudoSiameseGated`.

    Parameters
    ----------
    auxiliary_corpora : AuxiliaryCorpora, Corpus, iterable of Corpus or None, \
default=None
        The corpora of the pre-training, without the target. From one `Corpus` or
        several, the recipe makes `sklearn_ser.datasets.AuxiliaryCorpora` at once, with
        the front end of the pipeline. This takes the time of reading them: make these
        yourself to share them among recipes, or set `memory`. None leaves out the
        pre-training, and `fit` warns.
    preset : {"gao2021_s1", "gao2021_s2"}, default="gao2021_s1"
        How segments of 265 ms become 32 x 129 values, which the paper leaves open; see
        `sklearn_ser.SpectrogramSegmenter`.
    pretraining_epochs : int, default=2
        Passes over the auxiliary corpora; not published. This and the next two are
        the defaults of `sklearn_ser.PseudoSiameseGated`, for two processors.
    feature_epochs : int, default=6
        Passes over the training data in which the branches learn; not published.
    max_epochs : int, default=30
        Passes over the training data in which the rest learns; not published.
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
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the front end caches the features of each recording; by default nowhere.
        The trained branches are kept there, too, if `random_state` is an integer: fits
        on the same data share them where they differ only in the fusion, as `pt` and
        `pt_g` do, or `psn` and this recipe.
    n_jobs : int or None, default=None
        Number of threads in which the front end computes the features.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What the front end does with a faulty recording: see its parameter. The same
        holds for the auxiliary corpora.
    verbose : bool, default=False
        Whether to show progress bars over recordings and epochs.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``spectrogramsegmenter`` and ``pseudosiamesegated``.

    See Also
    --------
    psn, pt_g, pt, cnn_blstm : The models with which the paper compares it.

    Notes
    -----
    The paper publishes 16 kHz, segments of 265 ms with 32 x 129 values, frames of
    25 ms, a convolutional network after [2]_, the weights of the losses in both phases,
    Adadelta, batches of 128, and which segments are positive and negative.

    All else is ours:

    - Segments do not overlap, and the last one is padded with zeros. Each corpus is
      standardised by itself.
    - In the networks: the maximum of two frames and two bins after each convolution,
      then a linear layer to 128 values; in the decoder, the repetition of each value
      twice before a convolution; the hyperbolic tangent as f; one head of attention,
      added to its input and normalised; 128 units of the LSTM, whose last states in
      both directions go to the softmax layer; the first weights. Without the gate there
      is no attention either.
    - The triplets are drawn at random, with a margin of 1. In the pre-training, the
      anchors are segments of the target drawn with replacement.
    - The loss of the autoencoder is the mean over the values of a segment; Eq. 1 of
      [1]_ prints a squared norm, that is, a sum.
    - The branches are frozen in the last phase. The paper can be read either way: it
      says that the framework is fine-tuned with the target, but of the second phase.
    - The batches of the last phase have 32 utterances. The learning rate is torch's.
      The numbers of epochs are ours.
    - The classes are weighted by their frequency, as in the other recipes; the paper's
      cross-entropy weighs all utterances alike.

    The target and the auxiliary corpora have to come from the same front end.
    Spectrograms of the two presets have the same size, so a mixture of them cannot be
    detected. If you change settings of the front end with ``set_params``, give the
    classifier the new shape of a segment, because `fit` refuses segments of another
    size, and make the auxiliary corpora anew::

        pipeline.set_params(spectrogramsegmenter__f_max=2000.0)
        pipeline.set_params(
            pseudosiamesegated__segment_shape=pipeline[0].segment_shape,
            pseudosiamesegated__auxiliary_corpora=AuxiliaryCorpora.from_corpora(
                corpora, pipeline[0]
            ),
        )

    References
    ----------
    .. [1] Y. Gao, J. Liu, L. Wang and J. Dang, "Metric learning based feature
       representation with gated fusion model for speech emotion recognition",
       Interspeech, 2021.
    .. [2] A. Satt, S. Rozenberg and R. Hoory, "Efficient emotion recognition from
       speech using deep learning on spectrograms", Interspeech, 2017.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> others = make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=1)
    >>> pipeline = recipes.pseudo_siamese_gated(others, random_state=0)
    >>> list(pipeline.named_steps)
    ['spectrogramsegmenter', 'pseudosiamesegated']
    >>> pipeline["pseudosiamesegated"].auxiliary_corpora.n_utterances
    4
    """
    # Imported here: the reference needs no torch, which takes seconds to import.
    from ._estimator import PseudoSiameseGated

    if front_end is None:
        front_end = SpectrogramSegmenter.from_preset(
            preset, memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
        )
    corpora = auxiliary_corpora
    if corpora is not None and not isinstance(corpora, AuxiliaryCorpora):
        corpora = AuxiliaryCorpora.from_corpora(corpora, front_end)
    classifier = PseudoSiameseGated(
        corpora,
        segment_shape=getattr(front_end, "segment_shape", None),
        class_weight="balanced",
        pretraining_epochs=pretraining_epochs,
        feature_epochs=feature_epochs,
        max_epochs=max_epochs,
        early_stopping=early_stopping,
        memory=memory,
        random_state=random_state,
        verbose=verbose,
    )
    follow_schedule(schedule, classifier)
    return make_pipeline(front_end, classifier)


@needs(seed=True, schedule=True, auxiliary_corpora=True, settle=_settle)
def psn(auxiliary_corpora: Auxiliary = None, **settings: Any) -> Pipeline:
    """Return the pipeline of Gao et al. (2021) with triplets and no gate, PSN.

    As `pseudo_siamese_gated`, with the representations of both branches side by side.

    Parameters
    ----------
    auxiliary_corpora : AuxiliaryCorpora, Corpus, iterable of Corpus or None, \
default=None
        The corpora of the pre-training.
    **settings
        The others of `pseudo_siamese_gated`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``spectrogramsegmenter`` and ``pseudosiamesegated``.

    See Also
    --------
    pseudo_siamese_gated : The paper's own model, its parameters, and the notes on all.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.psn(random_state=0)["pseudosiamesegated"].fusion
    'concatenate'
    """
    pipeline = pseudo_siamese_gated(auxiliary_corpora, **settings)
    return pipeline.set_params(pseudosiamesegated__fusion="concatenate")


@needs(seed=True, schedule=True, auxiliary_corpora=True, settle=_settle)
def pt_g(auxiliary_corpora: Auxiliary = None, **settings: Any) -> Pipeline:
    """Return the pipeline of Gao et al. (2021) with the gate and no triplets, PT_G.

    As `pseudo_siamese_gated`, with an autoencoder that learns nothing of emotions.

    Parameters
    ----------
    auxiliary_corpora : AuxiliaryCorpora, Corpus, iterable of Corpus or None, \
default=None
        The corpora of the pre-training.
    **settings
        The others of `pseudo_siamese_gated`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``spectrogramsegmenter`` and ``pseudosiamesegated``.

    See Also
    --------
    pseudo_siamese_gated : The paper's own model, its parameters, and the notes on all.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> classifier = recipes.pt_g(random_state=0)["pseudosiamesegated"]
    >>> classifier.fusion, classifier.triplets
    ('gate', None)
    """
    pipeline = pseudo_siamese_gated(auxiliary_corpora, **settings)
    return pipeline.set_params(pseudosiamesegated__triplets=None)


@needs(seed=True, schedule=True, auxiliary_corpora=True, settle=_settle)
def pt(auxiliary_corpora: Auxiliary = None, **settings: Any) -> Pipeline:
    """Return the pipeline of Gao et al. (2021) with pre-training alone, PT.

    As `pt_g`, with the representations of both branches side by side.

    Parameters
    ----------
    auxiliary_corpora : AuxiliaryCorpora, Corpus, iterable of Corpus or None, \
default=None
        The corpora of the pre-training.
    **settings
        The others of `pseudo_siamese_gated`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``spectrogramsegmenter`` and ``pseudosiamesegated``.

    See Also
    --------
    pseudo_siamese_gated : The paper's own model, its parameters, and the notes on all.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> classifier = recipes.pt(random_state=0)["pseudosiamesegated"]
    >>> classifier.fusion, classifier.triplets
    ('concatenate', None)
    """
    pipeline = pt_g(auxiliary_corpora, **settings)
    return pipeline.set_params(pseudosiamesegated__fusion="concatenate")


@needs(seed=True, schedule=True, settle=_settle)
def cnn_blstm(**settings: Any) -> Pipeline:
    """Return the pipeline of Gao et al. (2021) without an autoencoder, CNN-BLSTM.

    The convolutional network and the recurrent layer, which learn from the target
    alone: there are no auxiliary corpora.

    Parameters
    ----------
    **settings
        Those of `pseudo_siamese_gated`, without `auxiliary_corpora` and
        `pretraining_epochs`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``spectrogramsegmenter`` and ``pseudosiamesegated``.

    Raises
    ------
    TypeError
        If one of these two is given, as there is nothing to pre-train.

    See Also
    --------
    pseudo_siamese_gated : The paper's own model, its parameters, and the notes on all.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.cnn_blstm(random_state=0)["pseudosiamesegated"].fusion is None
    True
    """
    for name in ("auxiliary_corpora", "pretraining_epochs"):
        if name in settings:
            raise TypeError(
                f"cnn_blstm() takes no {name}: without an autoencoder there is nothing "
                "to pre-train."
            )
    pipeline = pseudo_siamese_gated(None, **settings)
    return pipeline.set_params(pseudosiamesegated__fusion=None)
