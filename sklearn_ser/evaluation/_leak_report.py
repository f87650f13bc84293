"""What leaks from the test into the training, as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from .._constants import N_LISTED

Severity = Literal["leak", "note"]

# What each kind means, and what to do about it.
KINDS = {
    "speakers": (
        "speakers on both sides of a fold",
        "Split by speaker: GroupKFold or LeaveOneGroupOut, with speakers as groups.",
    ),
    "sentences": (
        "sentences on both sides of a fold",
        'Hold out sentences too: cv="speaker_sentence", or SpeakerSentenceKFold.',
    ),
    "recordings": (
        "segments of one source recording on both sides of a fold",
        "Split by source recording: give the files as groups, or join the speakers "
        "that share one.",
    ),
    "duplicates": (
        "the same audio on both sides of a fold",
        "Leave out all but one of each, after it is clear whose speech it is.",
    ),
    "augmentation": (
        "altered copies of a recording on both sides of a fold",
        "Augment inside of the folds, the training alone.",
    ),
    "statistics": (
        "statistics fitted outside the folds",
        "Put the unfitted scaler into the pipeline, so that each fold fits its own.",
    ),
    "search": (
        "searches whose inner folds share speakers",
        "Give it a splitter by group, such as cv=GroupKFold(5).",
    ),
    "early stopping": (
        "early stopping on speakers that are tested or trained on",
        "Stop by training speakers that are held out, with early_stopping=True and "
        "groups in fit; name none who is tested.",
    ),
    "pretraining": (
        "pre-training on a corpus that holds the tested speakers",
        "Leave the corpus out of the pre-training.",
    ),
    "speaker statistics": (
        "statistics of the tested speakers in the predictions",
        'Say so beside the score, or choose SpeakerScaler(by="corpus").',
    ),
}


@dataclass(frozen=True)
class Leak:
    """One finding, in one fold or in the estimator.

    Parameters
    ----------
    kind : str
        One of those of `LeakageReport`.
    severity : {"leak", "note"}
        Whether the report is true for it.
    n_utterances : int
        How many tested utterances it touches.
    names : tuple of str
        What is shared, or where it is.
    fold : int or None, default=None
        The fold, None where it is about all.
    remark : str, default=""
        What more is to be said.
    """

    kind: str
    severity: Severity
    n_utterances: int
    names: tuple[str, ...]
    fold: int | None = None
    remark: str = ""


@dataclass(frozen=True)
class LeakageReport:
    """What a test shares with its training, and what that is worth.

    It is true if there is a leak, and false if there is none or if there are notes
    alone. Printed, it tells the kinds, the utterances that they touch, the prices and
    what to do.

    Parameters
    ----------
    findings : tuple of Leak
        Each kind in each fold.
    prices : dict of tuple of two floats
        For a kind, the score with and without it.
    metric : {"UA", "CCC"}, default="UA"
        What the scores are: unweighted accuracy of classes, or the concordance
        correlation of ratings, over all tested utterances at once.
    n_utterances : int, default=0
        Utterances that are tested, over all folds.
    unheard : tuple of str
        Recordings that could not be read, and were not compared with others.

    Notes
    -----
    The kinds are

    - ``"speakers"``, ``"sentences"``, ``"recordings"`` (segments of one file),
      ``"duplicates"`` (the same audio) and ``"augmentation"`` (audio that was altered):
      on both sides of a fold;
    - ``"statistics"``: a scaler that was fitted outside of the folds;
    - ``"search"`` and ``"early stopping"``: parameters or epochs chosen by speakers who
      are in the training, or who are tested;
    - ``"pretraining"``: auxiliary corpora with the tested speakers;
    - ``"speaker statistics"``: predictions that use other speech of a tested speaker.

    Examples
    --------
    >>> from sklearn.model_selection import StratifiedKFold
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> from sklearn_ser.evaluation import leakage_report
    >>> corpus = make_emotional_speech(n_speakers=3, n_repetitions=2)
    >>> report = leakage_report(corpus, cv=StratifiedKFold(2))
    >>> bool(report), report.table["kind"].unique().tolist()
    (True, ['speakers', 'sentences'])
    """

    findings: tuple[Leak, ...]
    prices: dict[str, tuple[float, float]] = field(default_factory=dict)
    metric: str = "UA"
    n_utterances: int = 0
    unheard: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(finding.severity == "leak" for finding in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each kind and fold.

        The columns are ``kind``, ``severity`` (``"leak"`` or ``"note"``), ``fold``
        (missing where it is about all), ``n_utterances`` (tested ones that it
        touches), ``names`` (tuple of str), ``score`` and ``score_without`` (NaN where
        unknown) and ``remedy``.
        """
        rows = []
        for finding in self.findings:
            score, without = self.prices.get(finding.kind, (float("nan"),) * 2)
            rows.append(
                (
                    *(finding.kind, finding.severity, finding.fold),
                    *(finding.n_utterances, finding.names, score, without),
                    KINDS[finding.kind][1],
                )
            )
        columns = ["kind", "severity", "fold", "n_utterances", "names"]
        columns += ["score", "score_without", "remedy"]
        return pd.DataFrame(rows, columns=columns).astype({"fold": "Int64"})

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON.

        Returns
        -------
        dict
            ``"leaks"``, whether there is one; ``"findings"``, each with kind, severity,
            fold, utterances, names, scores (None where unknown) and remedy;
            ``"metric"``; ``"n_utterances"``; ``"unheard"``.
        """
        table = self.table.astype(object)
        table = table.where(table.notna(), None)
        return {
            "leaks": bool(self),
            "findings": [
                {**row, "names": list(row["names"])} for row in table.to_dict("records")
            ],
            "metric": self.metric,
            "n_utterances": self.n_utterances,
            "unheard": list(self.unheard),
        }

    def __repr__(self) -> str:
        kinds = self._by_severity()
        return (
            f"<LeakageReport: leaks {', '.join(kinds['leak']) or 'none'}; notes "
            f"{', '.join(kinds['note']) or 'none'}>"
        )

    def __str__(self) -> str:
        if not self.findings:
            lines = [f"No leaks found in {self.n_utterances:,} tested utterances."]
        else:
            lines = [line for kind in KINDS for line in self.of(kind)]
        if self.unheard:
            lines.append(f"not compared, unreadable: {_listed(self.unheard)}")
        return "\n".join(lines)

    def _by_severity(self) -> dict[str, list[str]]:
        """Return the kinds of each severity, in their order."""
        return {
            severity: [
                kind
                for kind in KINDS
                if any((x.kind, x.severity) == (kind, severity) for x in self.findings)
            ]
            for severity in ("leak", "note")
        }

    def of(self, kind: str) -> list[str]:
        """Describe the findings of a kind.

        Parameters
        ----------
        kind : str
            One of those of the table.

        Returns
        -------
        list of str
            Lines of the printed report; empty where there is none.
        """
        lines = []
        for severity in ("leak", "note"):
            found = [
                x for x in self.findings if (x.kind, x.severity) == (kind, severity)
            ]
            if found:
                lines += self._described(kind, severity, found)
        return lines

    def _described(self, kind: str, severity: str, found: Sequence[Leak]) -> list[str]:
        """Describe the findings of a kind and a severity."""
        meaning, remedy = KINDS[kind]
        folds = [x.fold for x in found if x.fold is not None]
        in_folds = f" in {len(folds)} fold{'s' * (len(folds) != 1)}" if folds else ""
        touched = sum(x.n_utterances for x in found)
        names = tuple(dict.fromkeys(name for x in found for name in x.names))
        remarks = dict.fromkeys(x.remark for x in found if x.remark)
        lines = [
            f"{severity}: {meaning}: {touched:,} of {self.n_utterances:,} tested "
            f"utterances{in_folds}",
            f"    {_listed(names)}",
            *(f"    {remark}" for remark in remarks),
        ]
        if kind in self.prices:
            score, without = self.prices[kind]
            lines.append(f"    {self.metric} {score:.3f} with, {without:.3f} without")
        return [*lines, f"    {remedy}"]


def name_leaks(findings: Iterable[tuple[str, str, int]]) -> list[str]:
    """Say in a line for each kind of leak how much it touches.

    Parameters
    ----------
    findings : iterable of tuple
        Kind, severity and number of utterances. Notes are passed over, and statistics
        of tested speakers, which results name by themselves.

    Returns
    -------
    list of str
    """
    touched: Counter[str] = Counter()
    for kind, severity, n_utterances in findings:
        if severity == "leak" and kind != "speaker statistics":
            touched[kind] += n_utterances
    return [
        f"{KINDS[kind][0]} ({n:,} tested utterances)" for kind, n in touched.items()
    ]


def _listed(names: Sequence[str]) -> str:
    """Name some, and count the others."""
    more = len(names) - N_LISTED
    shown = [*names[:N_LISTED], *([f"{more:,} more"] if more > 0 else [])]
    return ", ".join(shown)
