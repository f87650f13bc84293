"""An evaluation run again from its card."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ..datasets import Corpus
from ._card import FORMAT, FoldsOfCard, corpus_card, make_card
from ._intervals import METRICS
from ._leak_checks import LEAKS
from ._run import evaluate_by_speaker
from ._typed import decode, digest_of, encode

# What may differ while the numbers come out.
_CIRCUMSTANCES = ("versions", "machine")


@dataclass(frozen=True, eq=False)
class CardVerification:
    """What `verify_card` has found; true if the numbers came out.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each thing that was compared: ``"what"``, what it was on the
        ``"card"``, and what it is ``"now"``; whether they are the ``"same"``, and
        whether it ``"counts"``: versions and machine may differ.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.evaluation import CardVerification
    >>> row = {"what": "ua", "card": 0.5, "now": 0.6, "same": False, "counts": True}
    >>> verification = CardVerification(pd.DataFrame([row]))
    >>> bool(verification)
    False
    >>> print(verification)
    The numbers do not come out: 1 of 1 differ.
      ua: 0.5 on the card, 0.6 now
    """

    table: pd.DataFrame

    def __bool__(self) -> bool:
        return bool(self.table["same"][self.table["counts"].astype(bool)].all())

    def __str__(self) -> str:
        """Return a sentence, and a line for each difference."""
        differing = self.table[~self.table["same"].astype(bool)]
        counting = int(differing["counts"].sum())
        compared = int(self.table["counts"].sum())
        verdict = (
            f"The numbers come out: {compared} compared."
            if self
            else f"The numbers do not come out: {counting} of {compared} differ."
        )
        lines = (
            f"  {row.what}: {row.card} on the card, {row.now} now"
            + ("" if row.counts else " (need not be the same)")
            for row in differing.itertuples()
        )
        return "\n".join([verdict, *lines])


def verify_card(
    card: dict[str, Any] | str | os.PathLike[str],
    corpus: Corpus,
    estimator: Any = None,
    *,
    features: Any = None,
    n_jobs: int | Literal["auto"] | None = None,
) -> CardVerification:
    """Run an evaluation again from its card, and compare the numbers.

    With the same versions of the libraries they are compared to the last digit.
    Corpus, features, folds, choices of searches, predictions and scores count;
    versions and machine are compared, too, as they may explain a difference.

    Parameters
    ----------
    card : dict, str or os.PathLike
        `SpeakerEvaluation.card`, or a JSON file that holds it.
    corpus : Corpus
        The corpus that was evaluated, with all its utterances.
    estimator : estimator or None, default=None
        What was evaluated; None builds it from the card. It is needed where
        parameters were not written on the card: paths, fitted models, large arrays,
        functions that cannot be imported. A card leaves every `memory` out.
    features : array-like, data frame, sequences or None, default=None
        The features, where the evaluation was given them.
    n_jobs : int, "auto" or None, default=None
        Folds to fit at once, as of `evaluate_by_speaker`.

    Returns
    -------
    CardVerification
        True if the numbers came out; its text says what differs.

    Raises
    ------
    ValueError
        If the card is of another format; if it names what cannot be imported, or what
        is neither an estimator nor a splitter, a scorer or a dataclass; or if
        something that it does not hold is needed.

    See Also
    --------
    evaluate_by_speaker : Makes the evaluation whose card this is.

    Notes
    -----
    A card runs code: it names classes and functions, whose modules are imported and
    which are called with the parameters on the card. So look at the card of somebody
    else before it is verified, as you would at a program.

    An estimator without seeds, whose ``random_state`` is None, gives other numbers each
    time.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import evaluate_by_speaker, verify_card
    >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=1)
    >>> X = [[len(waveform), waveform.std()] for waveform, rate in corpus.audio]
    >>> card = evaluate_by_speaker(GaussianNB(), corpus, features=X).card
    >>> verification = verify_card(card, corpus, features=X)
    >>> bool(verification)
    True
    >>> bool(verify_card(card, corpus, GaussianNB(var_smoothing=1.0), features=X))
    False
    """
    if not isinstance(card, dict):
        card = json.loads(Path(card).read_text(encoding="utf-8"))
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ValueError(f"The card is none of format {FORMAT}, the one that is read.")
    if card["features"]["given"] and features is None:
        raise ValueError(
            "The evaluation of the card was given features: give them as features=."
        )
    found = corpus_card(corpus)
    rows = list(_compared("corpus", card["corpus"], found))
    if found["labels"] != card["corpus"]["labels"]:
        rows.append(_row("scores", "scored", "not run, as the corpus is another"))
        return CardVerification(pd.DataFrame(rows))
    if estimator is None:
        estimator = decode(card["estimator"])
        _check_estimator(estimator)
    else:
        digests = (digest_of(x) for x in (card["estimator"], encode(estimator)))
        rows.append(_row("estimator", *digests))
    with warnings.catch_warnings():
        # They are on the card, and are compared.
        warnings.filterwarnings("ignore", LEAKS)
        evaluation = evaluate_by_speaker(
            estimator,
            corpus,
            target=card["target"],
            cv=FoldsOfCard(card["folds"]),
            features=features,
            seeds=card["seeds"],
            n_jobs=n_jobs,
            on_leak="ignore" if card["leaks"] is None else "warn",
        )
    rows += _compared_runs(card, make_card(evaluation))
    return CardVerification(pd.DataFrame(rows))


def _check_estimator(estimator: Any) -> None:
    """Refuse what is not to be evaluated."""
    if not all(hasattr(estimator, name) for name in ("fit", "predict", "get_params")):
        raise ValueError(
            f"The estimator of the card is a {type(estimator).__name__}, which has no "
            "fit and predict."
        )


def _compared_runs(card: dict[str, Any], now: dict[str, Any]) -> Iterator[Any]:
    """Compare what was computed, and where."""
    for place in ("features", "folds"):
        yield _row(place, card[place]["digest"], now[place]["digest"])
    yield _row("chosen", digest_of(card["chosen"]), digest_of(now["chosen"]))
    for name in ("speaker_statistics", "left_out", "unrated", "leaks"):
        yield _row(name, card[name], now[name])
    for name in METRICS:
        yield _row(name, card["scores"][name], now["scores"][name])
    runs = zip(card["scores"]["runs"], now["scores"]["runs"], strict=True)
    for number, (old, new) in enumerate(runs):
        yield from _compared(f"run {number}", old, new)
    for place in _CIRCUMSTANCES:
        yield from _compared(place, card[place], now[place], counts=False)


def _compared(
    place: str, card: dict[str, Any], now: dict[str, Any], *, counts: bool = True
) -> Iterator[dict[str, Any]]:
    """Compare two dicts, entry by entry."""
    for name in card:
        if name in now:
            yield _row(f"{place} {name}".strip(), card[name], now[name], counts=counts)


def _row(what: str, card: Any, now: Any, *, counts: bool = True) -> dict[str, Any]:
    """Make a row of the table."""
    return {
        "what": what,
        "card": card,
        "now": now,
        "same": card == now,
        "counts": counts,
    }
