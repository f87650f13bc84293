"""From what users give as `cv` to splits by speaker."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, check_cv
from sklearn.utils.metadata_routing import get_routing_for_object

from ._speaker_sentence import SpeakerSentenceKFold, Split

SPEAKER_SENTENCE = "speaker_sentence"


def make_splits(
    cv: Any,
    X: Any,
    classes: Any,
    speakers: NDArray[Any] | None,
    sentences: NDArray[Any] | None,
) -> tuple[Any, list[Split]]:
    """Split utterances, by speaker where nothing else is given.

    Parameters
    ----------
    cv : int, splitter, iterable of splits, "speaker_sentence" or None
        As of `evaluate_by_speaker`.
    X : array-like of length n
        What is split.
    classes : array-like of shape (n,) or None
        For splitters that stratify.
    speakers, sentences : ndarray of shape (n,) or None
        What is given to splitters that ask for it.

    Returns
    -------
    splitter : cross-validator
        What `cv` stands for.
    splits : list of tuple of ndarray
        Training and test rows of each fold.

    Raises
    ------
    ValueError
        If `cv` is another text, or if the splitter refuses the utterances.
    """
    splitter = _splitter(cv, has_speakers=speakers is not None)
    given = {"groups": speakers, "sentences": sentences}
    asked = {name: given[name] for name in given if takes(splitter, name)}
    return splitter, list(splitter.split(X, classes, **asked))


def _splitter(cv: Any, *, has_speakers: bool) -> Any:
    """Return a splitter; by speaker where nothing else is given."""
    if isinstance(cv, str):
        if cv != SPEAKER_SENTENCE:
            raise ValueError(
                f"cv={cv!r} is unknown: give a number of folds, a splitter, splits or "
                f"{SPEAKER_SENTENCE!r}."
            )
        return SpeakerSentenceKFold()
    if has_speakers and cv is None:
        return LeaveOneGroupOut()
    if has_speakers and isinstance(cv, Integral):
        return GroupKFold(cv)
    return check_cv(cv)


def takes(splitter: Any, name: str) -> bool:
    """Tell whether a splitter looks at the groups, or at the sentences.

    Parameters
    ----------
    splitter : cross-validator
        One that does not say is trusted to look at groups.
    name : {"groups", "sentences"}
        What it may look at.

    Returns
    -------
    bool
    """
    if not hasattr(splitter, "get_metadata_routing"):
        return name == "groups"
    return name in get_routing_for_object(splitter).consumes("split", [name])
