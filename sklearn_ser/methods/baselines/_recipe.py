"""The reference: functionals and a support vector machine."""

from __future__ import annotations

from typing import Any, Literal

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..._needs import needs
from ...features import EGeMAPS


@needs(seed=False)
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
