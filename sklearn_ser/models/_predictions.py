"""Predictions for many recordings, of which some may be broken, as a table."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import is_classifier

from .._representation import augments
from ..audio import as_recordings
from ..evaluation._folds import predict_once
from ..evaluation._protocol import parts
from ..features import RecordingTransformer

EMOTION, ERROR = "emotion", "error"


def predict_table(
    model: Any, recordings: Any, *, batch_size: int = 16, name: str = EMOTION
) -> pd.DataFrame:
    """Predict recordings one by one as far as they can be read.

    Parameters
    ----------
    model : estimator
        Fitted, from recordings to emotions or values, such as `load` gives.
    recordings : collection of n recordings
        As front ends take them: paths, waveforms with their rates, a table with the
        columns ``file``, ``start`` and ``end``.
    batch_size : int, default=16
        Recordings that are predicted at a time.
    name : str, default="emotion"
        Of the column of what is predicted.

    Returns
    -------
    pandas.DataFrame of n rows
        The column ``emotion``, a column for each class with its probability where the
        model has probabilities, and ``error``: None, or why a recording has no
        prediction.

    Raises
    ------
    ValueError
        If the batches have no size.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import models, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.logmel_baseline().fit(corpus.audio, corpus.emotion)
    >>> recordings = [*corpus.audio[:2], (np.full(8000, np.nan), 16000)]
    >>> table = models.predict_table(model, recordings)
    >>> table["error"].isna().tolist()
    [True, True, False]
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size}.")
    model = for_prediction(model)
    batches = predict_batches(model, as_recordings(recordings), batch_size, name)
    columns = pd.DataFrame(columns=[name, *_classes(model), ERROR])
    found = [*batches]
    return pd.concat(found, ignore_index=True) if found else columns


def predict_batches(
    model: Any, recordings: NDArray[np.object_], batch_size: int, name: str
) -> Iterator[pd.DataFrame]:
    """Yield the rows of `predict_table`, batch by batch.

    Parameters
    ----------
    model : estimator
        As `for_prediction` gives it.
    recordings : ndarray of shape (n,) and dtype object
        As `sklearn_ser.audio.as_recordings` gives them.
    batch_size : int
        How many at a time.
    name : str
        Of the column of what is predicted.

    Yields
    ------
    pandas.DataFrame
        In the order of the recordings.
    """
    for start in range(0, len(recordings), batch_size):
        yield _rows(model, recordings[start : start + batch_size], name)


def for_prediction(model: Any, **front_end: Any) -> Any:
    """Return a copy whose front ends tell of each fault, and show no bars.

    Parameters
    ----------
    model : estimator
        Fitted.
    **front_end
        Other parameters of front ends that have them.

    Returns
    -------
    estimator
        A copy; of what only augments the training, that of the estimator inside.
    """
    while augments(model):
        model = model.estimator_
    model = copy.deepcopy(model)
    settings = {"on_error": "raise", "verbose": False, **front_end}
    for part in parts(model):
        if isinstance(part, RecordingTransformer):
            for name, value in settings.items():
                if hasattr(part, name):
                    setattr(part, name, value)
    return model


def _rows(model: Any, batch: NDArray[np.object_], name: str) -> pd.DataFrame:
    """Predict a batch at once, or one by one where one of them is faulty."""
    try:
        return _predicted(model, batch, name)
    except (ValueError, OSError) as error:  # an AudioError is a ValueError
        if len(batch) == 1:
            # Where one alone was asked for, its number says nothing.
            text = str(error).removeprefix("recording 0: ")
            empty = pd.DataFrame({name: [None], ERROR: [text]}, dtype=object)
            return empty.reindex(columns=[name, *_classes(model), ERROR])
    single = [_rows(model, batch[i : i + 1], name) for i in range(len(batch))]
    return pd.concat(single, ignore_index=True)


def _predicted(model: Any, batch: NDArray[np.object_], name: str) -> pd.DataFrame:
    """Return what a model says of recordings that can be read."""
    with config_context(enable_metadata_routing=True):
        found = predict_once(model, batch, {})
    table = pd.DataFrame({name: [*np.asarray(found.predicted)]}, dtype=object)
    if found.probabilities is not None:
        table[[str(label) for label in found.classes]] = found.probabilities
    return table.assign(**{ERROR: None}).astype({ERROR: object})


def _classes(model: Any) -> list[str]:
    """Name the columns of probabilities: none where the model has no such."""
    if not is_classifier(model) or not hasattr(model, "predict_proba"):
        return []
    return [str(label) for label in model.classes_]
