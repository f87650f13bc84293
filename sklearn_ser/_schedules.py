"""The training of recipes for few speakers. This module imports no torch."""

from __future__ import annotations

from typing import Any, Literal

ScheduleName = Literal["paper", "small_corpus"]

# What each network is given of these that it has, chosen on EMO-DB and CREMA-D.
SMALL_CORPUS: dict[str, Any] = {
    "schedule": "small_corpus",
    "pooling": "attentive_statistics",
    "dropout": 0.5,
    "weight_decay": 1e-4,
    "head_sizes": (),
    "kernel_sizes": (5,),
}


def follow_schedule(schedule: str, *estimators: Any) -> bool:
    """Let the networks of a recipe be trained by a schedule.

    Parameters
    ----------
    schedule : {"paper", "small_corpus"}
        Its name.
    *estimators : estimator
        As the paper has them. They are changed.

    Returns
    -------
    bool
        Whether it is the one for few speakers.

    Raises
    ------
    ValueError
        If there is no such schedule.
    """
    if schedule not in ("paper", "small_corpus"):
        raise ValueError(
            f"schedule must be 'paper' or 'small_corpus', got {schedule!r}."
        )
    if schedule == "paper":
        return False
    for estimator in estimators:
        has = estimator.get_params(deep=False)
        own = {name: value for name, value in SMALL_CORPUS.items() if name in has}
        estimator.set_params(**own)
    return True
