"""References: fixed features and a support vector machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from ..._folds import SpeakerFolds
from ..._needs import needs
from ...features import EGeMAPS, LogMel, SequencePooling, SpeechEmbedding, take_layer
from ...metrics import ua_scorer
from ...preprocessing import SpeakerScaler

# Moments, the trend, and quantiles that single frames do not move.
FUNCTIONALS = (
    *("mean", "std", "skewness", "kurtosis", "slope"),
    *("percentile5", "percentile25", "median", "percentile75", "percentile95"),
)

# Over the frames of a layer.
STATISTICS = ("mean", "std")

OnError = Literal["raise", "nan", "warn"]


@needs(seed=False)
def egemaps_svc(
    *,
    C: float = 0.01,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: OnError = "raise",
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
        With the steps ``egemaps``, ``standardscaler`` and ``svc``.

    See Also
    --------
    compare16_svc : Likewise with 6373 functionals.
    logmel_baseline : Likewise with functionals of log-mel energies, without openSMILE.
    embedding_svc : Likewise with the layers of a speech encoder.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> list(recipes.egemaps_svc().named_steps)
    ['egemaps', 'standardscaler', 'svc']
    """
    front_end = EGeMAPS(
        memory=memory, n_jobs=n_jobs, on_error=on_error, verbose=verbose
    )
    return make_pipeline(front_end, StandardScaler(), _linear_svc(C))


@needs(seed=False)
def compare16_svc(**settings: Any) -> Pipeline:
    """Return the baseline of the ComParE challenges: 6373 functionals and an SVC.

    Parameters
    ----------
    **settings
        As of `egemaps_svc`. C is 0.0003 if it is not given: so many features need
        more regularisation than 88.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``egemaps``, ``standardscaler`` and ``svc``.

    References
    ----------
    .. [1] B. Schuller et al., "The INTERSPEECH 2016 computational paralinguistics
       challenge: deception, sincerity & native language", Interspeech, 2016.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipes.compare16_svc()["egemaps"].feature_set
    'ComParE_2016'
    """
    model = egemaps_svc(**({"C": 0.0003} | settings))
    return model.set_params(egemaps__feature_set="ComParE_2016")


@needs(seed=False)
def logmel_baseline(
    *,
    C: float = 0.001,
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: OnError = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return functionals of log-mel energies and a linear support vector machine.

    It needs no openSMILE, whose licence excludes commercial use, and no weights: the
    distribution of 64 log-mel energies over time, and of their first and second
    differences, in 1920 functionals.

    Parameters
    ----------
    C : float, default=0.001
        Inverse strength of the regularisation.
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
        With the steps ``logmel``, ``sequencepooling``, ``standardscaler`` and ``svc``.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> list(recipes.logmel_baseline().named_steps)
    ['logmel', 'sequencepooling', 'standardscaler', 'svc']
    """
    front_end = LogMel(
        64,
        f_max=8000.0,
        duration=None,
        memory=memory,
        n_jobs=n_jobs,
        on_error=on_error,
        verbose=verbose,
    )
    pooling = SequencePooling(FUNCTIONALS, deltas=2)
    return make_pipeline(front_end, pooling, StandardScaler(), _linear_svc(C))


@needs(seed=False, encoder="model")
def embedding_svc(
    model: str = "openai/whisper-tiny",
    *,
    layers: Sequence[int] = (0, 1, 2, 3, 4),
    C: Sequence[float] = (0.001, 0.01),
    by: Literal["corpus", "speaker"] = "corpus",
    memory: Any = None,
    n_jobs: int | None = None,
    on_error: OnError = "raise",
    verbose: bool = False,
) -> Pipeline:
    """Return the layers of a speech encoder and a linear support vector machine.

    Which layer tells most of emotions differs between corpora. So each layer, by mean
    and standard deviation over time, and the means of all layers side by side, are
    tried on the training speakers, in up to five folds by speaker; the regularisation
    is chosen with them. All layers of a recording come from one pass of the encoder.

    Parameters
    ----------
    model : str, default="openai/whisper-tiny"
        A name of the hub of Hugging Face, or a folder: see `SpeechEmbedding`.
    layers : sequence of int, default=(0, 1, 2, 3, 4)
        Among which layers to choose; by default those of the smallest Whisper.
    C : sequence of float, default=(0.001, 0.01)
        Among which inverse strengths of the regularisation to choose.
    by : {"corpus", "speaker"}, default="corpus"
        "speaker" also takes the statistics of each speaker away, those of test speakers
        included: see `SpeakerScaler`.
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
        With the steps ``speechembedding``, with ``by="speaker"`` ``speakerscaler``, and
        ``gridsearchcv``, whose `fit` needs the speakers as ``groups``.

    Examples
    --------
    >>> from sklearn_ser import recipes
    >>> recipe = recipes.embedding_svc("openai/whisper-base", layers=range(7))
    >>> list(recipe.named_steps)
    ['speechembedding', 'gridsearchcv']
    """
    layers = list(layers)
    front_end = SpeechEmbedding(
        model,
        layer=layers,
        pooling="_".join(STATISTICS),
        memory=memory,
        n_jobs=n_jobs,
        on_error=on_error,
        verbose=verbose,
    )
    choosing = make_pipeline(
        FunctionTransformer(take_layer), StandardScaler(), _linear_svc(C[0])
    )
    sizes = {"n_layers": len(layers), "n_statistics": len(STATISTICS)}
    one_of = [{"layer": k, **sizes} for k in range(len(layers))]
    if len(layers) > 1:
        one_of.append({"statistic": STATISTICS.index("mean"), **sizes})
    search = GridSearchCV(
        choosing,
        {"functiontransformer__kw_args": one_of, "svc__C": list(C)},
        scoring=ua_scorer,
        cv=SpeakerFolds(5),
    )
    if by == "corpus":
        return make_pipeline(front_end, search)
    return make_pipeline(front_end, SpeakerScaler(by), search)


def _linear_svc(C: float) -> SVC:
    """Return a linear support vector machine with classes of equal weight."""
    return SVC(kernel="linear", C=C, class_weight="balanced")
