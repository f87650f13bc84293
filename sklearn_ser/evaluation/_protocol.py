"""What an evaluation asks of estimators, which may be the user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from .._sklearn import BaseSearchCV

# Where meta-estimators of scikit-learn and of this library keep what they have fitted.
_FITTED = ("estimator_", "best_estimator_")


@runtime_checkable
class ChecksRecordings(Protocol):
    """An estimator that tells beforehand which recordings it can use.

    An evaluation by speaker leaves out the others, and names them. It asks the
    estimator that gets the recordings: the one that is evaluated, the first step of its
    pipeline, or the one that a search fits. An estimator needs this method only if it
    takes recordings and computes their features itself. Where a feature extractor of
    this library stands first in a pipeline, its features tell the same.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, ClassifierMixin
    >>> from sklearn_ser.evaluation import ChecksRecordings
    >>> class Loudness(ClassifierMixin, BaseEstimator):
    ...     def usable_recordings(self, X):
    ...         return np.array([np.any(waveform) for waveform, rate in X])
    >>> isinstance(Loudness(), ChecksRecordings)
    True
    >>> Loudness().usable_recordings([(np.ones(800), 8000), (np.zeros(800), 8000)])
    array([ True, False])
    """

    def usable_recordings(self, X: Any) -> NDArray[np.bool_]:
        """Tell which recordings can be used, before anything is fitted.

        Parameters
        ----------
        X : ndarray of shape (n,) and dtype object
            Recordings, see :func:`sklearn_ser.audio.as_recordings`.

        Returns
        -------
        ndarray of shape (n,) and dtype bool
            False for each recording that is to be left out.
        """
        ...


@runtime_checkable
class NamesPretrainingCorpora(Protocol):
    """An estimator, or a value of a parameter, that brings corpora of a pre-training.

    An evaluation by speaker refuses to evaluate one of these corpora: the speakers that
    it holds out would be in the pre-training. It asks the estimator, its parameters
    with those of estimators inside, and the values that searches try.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, TransformerMixin
    >>> from sklearn_ser.evaluation import NamesPretrainingCorpora
    >>> class DownloadedEmbedding(TransformerMixin, BaseEstimator):
    ...     def pretraining_corpora(self):
    ...         return ["EMO-DB", "IEMOCAP"]
    >>> isinstance(DownloadedEmbedding(), NamesPretrainingCorpora)
    True
    """

    def pretraining_corpora(self) -> Sequence[str]:
        """Name the corpora of the pre-training.

        Returns
        -------
        sequence of str
            Their names, to be compared with `Corpus.name` of the corpus that is
            evaluated.
        """
        ...


@runtime_checkable
class DropsPretrainingData(Protocol):
    """An estimator that holds data which it does not need once it is fitted.

    An evaluation by speaker calls the method of each fitted estimator after its
    predictions, before a worker process sends the estimator back: otherwise each fold
    would have its own copy of the data. It asks the estimator, its parameters with
    those of estimators inside, and what searches and other meta-estimators have fitted.
    All of them are clones, and frozen estimators are not asked: the user's own
    estimators keep their data.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, ClassifierMixin
    >>> from sklearn_ser.evaluation import DropsPretrainingData
    >>> class Transfer(ClassifierMixin, BaseEstimator):
    ...     def __init__(self, others=None):
    ...         self.others = others
    ...     def drop_pretraining_data(self):
    ...         self.others = None
    >>> isinstance(Transfer(), DropsPretrainingData)
    True
    """

    def drop_pretraining_data(self) -> object:
        """Drop the data; predictions must stay what they are.

        Returns
        -------
        object
            Is not used.
        """
        ...


@runtime_checkable
class NamesSpeakerStatistics(Protocol):
    """A step that may use statistics of the speakers who are tested.

    An evaluation by speaker writes the answer into its result, so that no score with
    such statistics stands unmarked beside one without. It asks the estimator and its
    parameters with those of estimators inside.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, TransformerMixin
    >>> from sklearn_ser.evaluation import NamesSpeakerStatistics
    >>> class Centering(TransformerMixin, BaseEstimator):
    ...     def speaker_statistics(self):
    ...         return "mean of all utterances of each speaker"
    >>> isinstance(Centering(), NamesSpeakerStatistics)
    True
    """

    def speaker_statistics(self) -> str | None:
        """Say whose statistics a prediction uses.

        Returns
        -------
        str or None
            None where no statistics of the speakers themselves are used.
        """
        ...


@runtime_checkable
class AugmentsTraining(Protocol):
    """An estimator that trains what is inside of it also on altered copies.

    The leak checks ask it where a search is inside: the folds of the search are made
    after the copies, so that they are on both sides unless the search splits by
    speaker. One that also has the parameter ``estimator``, and after the fit the
    attribute ``estimator_``, is looked through as `SpeedPerturbation` is: for the
    representation inside, and for scalers to adapt.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, MetaEstimatorMixin
    >>> from sklearn_ser.evaluation import AugmentsTraining
    >>> class WithNoise(MetaEstimatorMixin, BaseEstimator):
    ...     def __init__(self, estimator=None, n_copies=1):
    ...         self.estimator = estimator
    ...         self.n_copies = n_copies
    ...     def augments_training(self):
    ...         return self.n_copies > 0
    >>> isinstance(WithNoise(), AugmentsTraining)
    True
    """

    def augments_training(self) -> bool:
        """Tell whether ``fit`` adds copies.

        Returns
        -------
        bool
        """
        ...


def find_speaker_statistics(estimator: Any) -> str | None:
    """Ask which statistics of the tested speakers the predictions use.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.

    Returns
    -------
    str or None
        All answers, joined; also where a step that has none asks for the speakers. None
        if no statistics are used.
    """
    naming = [p for p in parts(estimator) if isinstance(p, NamesSpeakerStatistics)]
    found = {part.speaker_statistics() for part in naming} - {None}
    with config_context(enable_metadata_routing=True):
        routing = get_routing_for_object(predicting(estimator))
        named = routing.consumes("predict", ["groups", "neutral"])
    if named and not naming:
        return "the speakers are given to the predictions"
    return "; ".join(sorted(filter(None, found))) or None


def predicting(estimator: Any) -> Any:
    """Return what predicts as an estimator does, and takes metadata.

    The ``predict`` of a search takes none, and its best estimator's does.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    estimator
        The same where no search stands last.
    """
    if isinstance(estimator, BaseSearchCV):
        return predicting(getattr(estimator, "best_estimator_", estimator.estimator))
    if isinstance(estimator, Pipeline) and isinstance(estimator[-1], BaseSearchCV):
        name = estimator.steps[-1][0]
        return Pipeline([*estimator.steps[:-1], (name, predicting(estimator[-1]))])
    return estimator


def find_usable(estimator: Any, X: NDArray[np.object_]) -> NDArray[np.bool_] | None:
    """Ask which recordings can be used.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.
    X : ndarray of shape (n,) and dtype object
        Recordings.

    Returns
    -------
    ndarray of shape (n,) and dtype bool, or None
        The answer; None if no estimator that gets the recordings has one.

    Raises
    ------
    ValueError
        If the answer is not one truth value for each recording.
    """
    while not isinstance(estimator, ChecksRecordings):
        if isinstance(estimator, Pipeline):
            estimator = estimator[0]
        elif hasattr(estimator, "estimator"):
            estimator = estimator.estimator
        else:
            return None
    usable = np.asarray(estimator.usable_recordings(X))
    if usable.shape != X.shape or usable.dtype != bool:
        raise ValueError(
            f"usable_recordings of {type(estimator).__name__} gave an array of shape "
            f"{usable.shape} and dtype {usable.dtype} for {len(X)} recordings: it must "
            "give one bool for each."
        )
    return usable.astype(bool)  # a copy, as the estimator may keep its own


def find_pretraining(estimator: Any) -> Iterator[tuple[str, set[str]]]:
    """Ask for the corpora of a pre-training.

    Parameters
    ----------
    estimator : estimator
        The one that is evaluated.

    Yields
    ------
    place : str
        The parameter that brings corpora, or ``"the estimator"``.
    names : set of str
        The names of these corpora.
    """
    params = estimator.get_params()
    # Where a value names corpora itself, its parameter is the place; else the innermost
    # parameter that contains such a value.
    places = sorted(
        params,
        key=lambda place: (
            not isinstance(params[place], NamesPretrainingCorpora),
            -place.count("__"),
        ),
    )
    values = {place: params[place] for place in places}
    for place, value in (values | {"the estimator": estimator}).items():
        for part in parts(value):
            if isinstance(part, NamesPretrainingCorpora):
                names = part.pretraining_corpora()
                yield place, {names} if isinstance(names, str) else set(names)


def drop_pretraining(fitted: Any) -> None:
    """Let each part of a fitted estimator drop the data of its pre-training.

    Parameters
    ----------
    fitted : estimator
        A fitted clone, which is changed.
    """
    # A frozen estimator is its own clone: it is the user's, who may go on with it.
    for part in parts(fitted, without=(FrozenEstimator,)):
        if isinstance(part, DropsPretrainingData):
            part.drop_pretraining_data()


def parts(value: Any, without: tuple[type, ...] = ()) -> Iterator[Any]:
    """Walk over a value, what it contains, its parameters and what it has fitted.

    Parameters
    ----------
    value : object
        An estimator, or what parameters may be.
    without : tuple of type, default=()
        What is passed over, with all that is in it.

    Yields
    ------
    object
        Each part once; no classes.
    """
    # Kept, because another object may get the id of a deleted one.
    seen: dict[int, Any] = {}
    ahead = [value]
    while ahead:
        part = ahead.pop()
        # A class has the methods, too, but they cannot be called on it.
        if id(part) in seen or isinstance(part, (type, *without)):
            continue
        seen[id(part)] = part
        yield part
        if isinstance(part, Mapping):
            ahead += part.values()
        elif isinstance(part, list | tuple):
            ahead += part
        elif hasattr(part, "get_params"):
            ahead += part.get_params(deep=False).values()
            ahead += [getattr(part, x) for x in _FITTED if hasattr(part, x)]
