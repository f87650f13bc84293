"""Candidates of a search that are fitted once, though the search is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags

from .._sklearn import BaseSearchCV
from ._typed import digest_of, encode

Keeping = Callable[[Path, Callable[[], Any]], Any]


class KeptFit(BaseEstimator):
    """An estimator whose fit is looked up, and else kept.

    It stands in the place of the estimator of a search while the search runs: its
    parameters and methods are those of the estimator, and its fit turns it into the
    fitted estimator, so that no scorer meets another class than without it.

    Parameters
    ----------
    kept_estimator : estimator
        What is fitted.
    kept_folder : Path
        Where fits are kept.
    kept_by : tuple of callable
        What looks a result up in a file or makes it, and what gives a checksum of
        data.
    """

    def __init__(
        self,
        kept_estimator: Any,
        kept_folder: Path,
        kept_by: tuple[Keeping, Callable[..., str]],
    ) -> None:
        self.kept_estimator = kept_estimator
        self.kept_folder = kept_folder
        self.kept_by = kept_by

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the estimator, or, for a clone, what is kept how."""
        if deep:
            return dict(self.kept_estimator.get_params())
        return dict(super().get_params(deep=False))

    def set_params(self, **params: Any) -> KeptFit:
        """Set the parameters of the estimator."""
        self.kept_estimator.set_params(**params)
        return self

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Become the fitted estimator, by a fit or by what the same fit gave before."""
        keep, digest = self.kept_by
        key = digest_of([encode(self.kept_estimator), digest(X, y, params)])
        fit = partial(clone(self.kept_estimator).fit, X, y, **params)
        fitted = keep(self.kept_folder / f"{key}.joblib", fit)
        # What scikit-learn's callbacks hang on an estimator while it is fitted stays.
        given = {x: y for x, y in vars(self).items() if not x.startswith("kept_")}
        self.__class__, self.__dict__ = type(fitted), fitted.__dict__
        self.__dict__.update(given)
        return self

    def get_metadata_routing(self) -> Any:
        """Ask for what the estimator asks for."""
        return self.kept_estimator.get_metadata_routing()

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self.kept_estimator)

    def __getattr__(self, name: str) -> Any:
        # Of a copy that is being made there is nothing yet.
        if name.startswith("__") or "kept_estimator" not in vars(self):
            raise AttributeError(name)
        return getattr(self.kept_estimator, name)


def _can_become(estimator: Any) -> bool:
    """Tell whether the memory of an instance is laid out as that of plain classes."""
    try:
        object.__new__(KeptFit).__class__ = type(estimator)
    except TypeError:
        return False
    return True


def searches_in(estimator: Any) -> Iterator[Any]:
    """Yield the searches that an estimator consists of.

    Parameters
    ----------
    estimator : estimator
        A search, or a pipeline; searches in other meta-estimators are not found.

    Yields
    ------
    search
        In the order of the steps.
    """
    if isinstance(estimator, BaseSearchCV):
        yield estimator
    elif isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            yield from searches_in(step)


def keep_candidates(
    task: Any, folder: Path, kept_by: tuple[Keeping, Callable[..., str]]
) -> Any:
    """Run a fold whose searches keep the fit of each candidate.

    Parameters
    ----------
    task : functools.partial
        The fold, as `fold_tasks` makes it.
    folder : Path
        Where fits are kept.
    kept_by : tuple of callable
        As of `KeptFit`.

    Returns
    -------
    FoldResult
        What the task gives alone.
    """
    learner, *data = task.args
    if not any(searches_in(learner)):
        return task()
    folder.mkdir(exist_ok=True)
    keeping = clone(learner)
    for search in searches_in(keeping):
        if _can_become(search.estimator):
            search.estimator = KeptFit(search.estimator, folder, kept_by)
    result = task.func(keeping, *data)
    for search, given in zip(
        searches_in(result.fitted), searches_in(learner), strict=True
    ):
        search.estimator = clone(given.estimator)
        if search.scoring is None:  # what is asked is the estimator
            search.scorer_ = check_scoring(search.estimator)
    return result
