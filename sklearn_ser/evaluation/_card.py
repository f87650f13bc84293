"""The card of an evaluation: what was evaluated, how, and with which result."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._dimensions import DIMENSIONS
from .._sklearn import BaseSearchCV
from ..audio import AudioError, fingerprint
from ..datasets import Corpus
from ._checkpoint import data_digest, encode_rows
from ._intervals import METRICS
from ._protocol import parts
from ._typed import digest_of, encode

if TYPE_CHECKING:
    from ._folds import Split
    from ._result import SpeakerEvaluation

FORMAT = 1


def make_card(evaluation: SpeakerEvaluation) -> dict[str, Any]:
    """Describe an evaluation in plain JSON.

    Parameters
    ----------
    evaluation : SpeakerEvaluation
        As `evaluate_by_speaker` has made it.

    Returns
    -------
    dict
        Plain values, without paths, or names of the machine and its user.

    Raises
    ------
    ValueError
        If the evaluation does not know how it was made.
    """
    origin, settings = evaluation.origin, evaluation.settings
    if not origin:
        raise ValueError(
            "There is no card: this evaluation was not made by evaluate_by_speaker."
        )
    has_seeds = evaluation.seed is not None
    card = {
        "format": FORMAT,
        "corpus": corpus_card(origin["given"])
        | {"evaluated": len(evaluation.corpus)}
        | {"classes": dict(Counter(sorted(evaluation.truth.tolist())))},
        "features": {
            "given": origin["features_given"],
            "digest": data_digest(evaluation.features),
        },
        "target": evaluation.target,
        "folds": folds_card(origin["splits"], evaluation.corpus)
        | {"splitter": encode(origin["splitter"])},
        "estimator": origin["estimator"],
        "seeds": [run.seed for run in evaluation.runs] if has_seeds else None,
        "chosen": [[chosen(f) for f in run.estimators] for run in evaluation.runs],
        "speaker_statistics": evaluation.speaker_statistics,
        "left_out": len(evaluation.left_out),
        "unrated": len(evaluation.unrated),
        "leaks": None if evaluation.leaks is None else evaluation.leaks.to_dict(),
        "scores": scores_card(evaluation),
        "versions": settings["versions"],
        "time": {"start": origin["start"], "seconds": origin["seconds"]},
        "machine": origin["machine"],
    }
    return copy.deepcopy(card)  # or a change of it would change the evaluation


def corpus_card(corpus: Corpus) -> dict[str, Any]:
    """Describe a corpus by its name, counts, and the content of audio and labels.

    Parameters
    ----------
    corpus : Corpus
        All utterances that were given.

    Returns
    -------
    dict
        Plain values; ``"audio"`` is None where no recording can be read.
    """
    labels = {name: getattr(corpus, name) for name in ("speaker", "emotion", "gender")}
    labels |= {name: getattr(corpus, name) for name in DIMENSIONS}
    known = {name: values for name, values in labels.items() if values is not None}
    return {
        "name": corpus.name,
        "utterances": len(corpus),
        "speakers": len(np.unique(corpus.speaker)),
        "emotions": dict(Counter(sorted(corpus.emotion.tolist()))),
        "rating_scale": list(corpus.rating_scale),
        "audio": _audio_digest(corpus),
        "labels": data_digest(known),
    }


def folds_card(splits: list[Split], corpus: Corpus) -> dict[str, Any]:
    """Describe folds by their speakers.

    Parameters
    ----------
    splits : list of tuple of ndarray
        The rows of training and test.
    corpus : Corpus
        The utterances that they number.

    Returns
    -------
    dict
        The speakers of each side, and a digest of the rows in their order. The rows
        themselves, too, where the speakers do not tell them: folds that hold out
        sentences, or that share speakers.
    """

    def named(rows: NDArray[np.intp]) -> list[str]:
        names: list[str] = np.unique(corpus.speaker[rows]).tolist()
        return names

    folds: dict[str, Any] = {
        "train": [named(train) for train, _ in splits],
        "test": [named(test) for _, test in splits],
        "digest": digest_of([encode_rows(*split) for split in splits]),
    }
    told = FoldsOfCard(folds).split(None, None, corpus.speaker)
    if not all(map(np.array_equal, chain(*told), chain(*splits))):
        folds["rows"] = [[side.tolist() for side in split] for split in splits]
    return folds


class FoldsOfCard:
    """The folds of a card, as a splitter.

    Parameters
    ----------
    folds : dict
        What `folds_card` has returned.
    """

    def __init__(self, folds: dict[str, Any]) -> None:
        self.folds = folds

    def split(self, X: Any, y: Any, groups: Any) -> Iterator[Split]:
        """Find the rows of each side, by their speakers where no rows are known."""
        if "rows" in self.folds:
            for train, test in self.folds["rows"]:
                yield np.array(train, dtype=np.intp), np.array(test, dtype=np.intp)
            return
        for train, test in zip(self.folds["train"], self.folds["test"], strict=True):
            yield (
                np.flatnonzero(np.isin(groups, train)),
                np.flatnonzero(np.isin(groups, test)),
            )

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Count the folds."""
        return len(self.folds["test"])


def scores_card(evaluation: SpeakerEvaluation) -> dict[str, Any]:
    """Return scores, with their intervals, and those of seeds.

    Parameters
    ----------
    evaluation : SpeakerEvaluation
        Of one or several seeds.

    Returns
    -------
    dict
        Plain values.
    """
    return {
        **{name: getattr(evaluation, name) for name in METRICS},
        "intervals": {
            name: [_plain(x) for x in evaluation.interval(name)] for name in METRICS
        },
        "spread": evaluation.spread,
        "runs": [
            {
                "seed": run.seed,
                **{name: getattr(run, name) for name in METRICS},
                "predictions": data_digest(run.predicted.astype(str), run.fold),
            }
            for run in evaluation.runs
        ],
    }


def chosen(fitted: Any) -> list[Any]:
    """Return what the searches in a fitted estimator have chosen.

    Parameters
    ----------
    fitted : estimator
        Searches may stand anywhere in it.

    Returns
    -------
    list of dict
        One for each search that has chosen parameters.
    """
    searches = (part for part in parts(fitted) if isinstance(part, BaseSearchCV))
    return [
        {"search": type(search).__name__, "params": encode(search.best_params_)}
        for search in searches
        if hasattr(search, "best_params_")
    ]


def _audio_digest(corpus: Corpus) -> str | None:
    """Return a checksum of the content of all recordings."""
    found = [_fingerprint(recording) for recording in corpus.audio]
    return digest_of(found) if any(found) else None


def _fingerprint(recording: Any) -> str | None:
    """Return the content of a recording, None where it cannot be read."""
    try:
        return fingerprint(recording)
    except AudioError:
        return None


def _plain(value: Any) -> float | None:
    """Return a number that JSON knows."""
    return float(value) if np.isfinite(value) else None
