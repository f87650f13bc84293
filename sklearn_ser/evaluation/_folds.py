"""What is fitted and predicted in a fold, as tasks that any process can run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from .._dimensions import DIMENSIONS
from .._sklearn import take_rows
from ..datasets import Corpus
from ..metrics._scorer import asked_at_prediction
from ._checks import naming_ragged
from ._prepare import Prepared
from ._protocol import drop_pretraining, predicting

# What a prediction may be given of the speakers that are held out.
AT_PREDICTION = ("groups", "neutral")
NEUTRAL = "neutral"

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, eq=False)
class FoldResult:
    """What a fold has given.

    Attributes
    ----------
    fitted : estimator
        The fitted learner.
    predicted : ndarray of shape (n_test,) or None
        The classes of the held-out utterances; None where nothing is held out.
    probabilities : ndarray of shape (n_test, n_classes) and dtype float64, or None
        Of the classes that the learner knows, if it gives them.
    classes : list
        These classes.
    """

    fitted: Any
    predicted: NDArray[Any] | None = None
    probabilities: NDArray[np.float64] | None = None
    classes: tuple[Any, ...] = ()


def fold_tasks(
    learner: Any, data: Prepared, splits: list[Split], *, refit: bool
) -> list[Callable[[], FoldResult]]:
    """Make a task of each fold, and of the fit on all speakers.

    Parameters
    ----------
    learner : estimator
        Unfitted; it is cloned.
    data : Prepared
        Features, classes, and the corpus with what else the learner may ask for.
    splits : list of tuple of ndarray
        The rows of training and test.
    refit : bool
        Whether all utterances are learned from in a last task.

    Returns
    -------
    list of callable
        To be called with metadata routing, in any process.
    """
    given = _asked(learner, data.corpus)
    sides: list[tuple[Any, Any]] = [*splits]
    if refit:
        sides.append((np.arange(len(data.corpus)), None))
    return [
        partial(fit_and_predict, learner, data.features, data.classes, given, *side)
        for side in sides
    ]


def metadata_of(corpus: Corpus) -> dict[str, NDArray[Any]]:
    """Return what steps may ask for of a corpus, by its names.

    Parameters
    ----------
    corpus : Corpus
        Utterances.

    Returns
    -------
    dict
        Without what the corpus does not tell.
    """
    metadata = {
        **{name: getattr(corpus, name) for name in DIMENSIONS},
        "emotion": corpus.emotion,
        "gender": corpus.gender,
        "groups": corpus.speaker,
        "neutral": corpus.emotion == NEUTRAL,
    }
    return {name: values for name, values in metadata.items() if values is not None}


def _asked(learner: Any, corpus: Corpus) -> dict[str, NDArray[Any]]:
    """Return what a learner asks for of the corpus."""
    known = metadata_of(corpus)
    asked = get_routing_for_object(learner).consumes("fit", known.keys())
    routing = get_routing_for_object(predicting(learner))
    asked |= routing.consumes("predict", AT_PREDICTION)
    return {name: known[name] for name in sorted(asked)}


def fit_and_predict(
    learner: Any,
    features: Any,
    classes: NDArray[Any],
    metadata: dict[str, NDArray[Any]],
    train: NDArray[np.intp],
    test: NDArray[np.intp] | None,
) -> FoldResult:
    """Fit on one part of the utterances and predict the other.

    Parameters
    ----------
    learner : estimator
        It is cloned.
    features : ndarray, data frame or sequence
        One row for each utterance.
    classes : ndarray
        One for each.
    metadata : dict of str to ndarray
        What the learner asks for, of each utterance.
    train, test : ndarray of int
        Rows; `test` is None where nothing is predicted.

    Returns
    -------
    FoldResult
    """
    of_training = {name: values[train] for name, values in metadata.items()}
    asked = get_routing_for_object(learner).consumes("fit", of_training.keys())
    of_training = {name: of_training[name] for name in asked}
    with naming_ragged(features):
        fitted = clone(learner).fit(
            take_rows(features, train), classes[train], **of_training
        )
    if test is None:
        drop_pretraining(fitted)
        return FoldResult(fitted)
    # Labels are never among these: only who speaks, and which speech is neutral.
    of_test = {
        name: values[test] for name, values in metadata.items() if name in AT_PREDICTION
    }
    result = predict_once(fitted, take_rows(features, test), of_test)
    drop_pretraining(fitted)
    return result


def predict_once(fitted: Any, X: Any, of_test: dict[str, Any]) -> FoldResult:
    """Predict, and ask for probabilities where there are such.

    Parameters
    ----------
    fitted : estimator
        A classifier, a regressor, or a pipeline of one, whose transformers run once.
    X : ndarray, data frame or sequence
        What it takes.
    of_test : dict of str to ndarray
        Metadata that it may ask for.

    Returns
    -------
    FoldResult
    """
    given = asked_at_prediction(predicting(fitted), **of_test)
    predictor = predicting(fitted) if given else fitted
    if not hasattr(predictor, "predict_proba"):
        return FoldResult(fitted, predictor.predict(X, **given))
    if not given and type(predictor) is Pipeline:
        # What Pipeline.predict does, but the steps transform once for both.
        for _, step in predictor.steps[:-1]:
            X = X if step in (None, "passthrough") else step.transform(X)
        predictor = predictor[-1]
    predicted = predictor.predict(X, **given)
    given = asked_at_prediction(predictor, method="predict_proba", **of_test)
    try:
        probabilities = np.asarray(predictor.predict_proba(X, **given), np.float64)
        classes = np.asarray(predictor.classes_)
    except (AttributeError, NotImplementedError):  # it has the name alone
        return FoldResult(fitted, predicted)
    if probabilities.shape != (len(predicted), *classes.shape):
        return FoldResult(fitted, predicted)
    return FoldResult(fitted, predicted, probabilities, tuple(classes.tolist()))


def joined(
    results: list[FoldResult], splits: list[Split], known: list[str]
) -> tuple[NDArray[Any], NDArray[np.float64] | None, list[str] | None]:
    """Bring the predictions of all folds into the order of the utterances.

    Parameters
    ----------
    results : list of FoldResult
        One for each fold.
    splits : list of tuple of ndarray
        Their rows.
    known : list of str
        Classes, in the order that is wanted.

    Returns
    -------
    predicted : ndarray of shape (n_utterances,)
        Classes.
    probabilities : ndarray of shape (n_utterances, n_classes), or None
        0 for classes that a fold does not know; None unless all folds have some.
    classes : list of str or None
        Their columns.
    """
    tested = np.concatenate([test for _, test in splits])
    predicted = np.concatenate([np.asarray(one.predicted) for one in results])
    predicted = predicted[np.argsort(tested)]
    if any(one.probabilities is None for one in results):
        return predicted, None, None
    found = {name: None for one in results for name in one.classes}
    columns = [*(name for name in known if name in found)]
    columns += [name for name in found if name not in columns]
    place = {name: column for column, name in enumerate(columns)}
    probabilities = np.zeros((len(tested), len(columns)))
    for (_, test), one in zip(splits, results, strict=True):
        known_here = np.array([place[name] for name in one.classes])
        probabilities[test[:, None], known_here] = one.probabilities
    return predicted, probabilities, columns
