"""Scores of predictions for held-out speakers, and how sure they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._constants import N_LISTED
from ._formats import percent
from ._intervals import (
    LEVEL,
    METRICS,
    ConfidenceInterval,
    Metric,
    check_level,
    check_metric,
    score_interval,
)
from ._outcome import Outcome
from ._tables import (
    calibration_error,
    score_runs,
    tabulate_classes,
    tabulate_folds,
    tabulate_speakers,
)


class ScoredBySpeaker:
    """Scores, intervals, tables and reports of an outcome."""

    def _outcome(self) -> Outcome:
        """Return what was predicted for which utterances."""
        raise NotImplementedError

    def _representation(self) -> NDArray[Any] | None:
        """Return what the classifier of the first fold is given, where it is known."""
        return None

    @property
    def classes(self) -> list[str]:
        """The classes, true or predicted: levels by height, emotions by name."""
        return self._outcome().classes

    @property
    def wa(self) -> float:
        """Weighted accuracy, pooled: over all utterances; the mean of the runs."""
        return self._score("wa")

    @property
    def ua(self) -> float:
        """Unweighted accuracy, pooled: over all utterances; the mean of the runs."""
        return self._score("ua")

    @property
    def f1(self) -> float:
        """Mean F-measure of the classes, pooled as the others; the mean of the runs."""
        return self._score("f1")

    @property
    def spread(self) -> dict[str, float] | None:
        """Standard deviations of ``wa``, ``ua`` and ``f1`` over the runs.

        Those of a sample, divided by one less than their number; None for one run. They
        tell what the seed does, and the interval what the speakers do.
        """
        outcome = self._outcome()
        if len(outcome.predictions) < 2:
            return None
        return {
            metric: float(np.std(score_runs(outcome, metric), ddof=1))
            for metric in METRICS
        }

    @property
    def folds(self) -> pd.DataFrame:
        """One row per fold: ``speakers`` held out, ``utterances``, and the scores.

        These are ``wa``, ``ua`` and ``f1``, over the classes that the speakers have.
        """
        return tabulate_folds(self._outcome())

    @property
    def per_speaker(self) -> pd.DataFrame:
        """One row per speaker: ``speaker``, ``fold``, ``utterances``, and the scores.

        These are ``wa``, ``ua`` and ``f1``, over the classes that the speaker has.
        """
        return tabulate_speakers(self._outcome())

    @property
    def per_class(self) -> pd.DataFrame:
        """One row per class, over all utterances at once.

        ``class``; ``support``, the number of its utterances; ``recall`` with the limits
        ``recall_low`` and ``recall_high`` of its 95 % interval over the speakers, see
        :meth:`interval`; ``precision`` and ``f1``. NaN stands where a class is never
        true (recall, F1) or never predicted (precision), and for the limits where only
        one speaker has the class.
        """
        return tabulate_classes(self._outcome())

    def interval(
        self, metric: Metric = "ua", *, level: float = LEVEL
    ) -> ConfidenceInterval:
        r"""Return the confidence interval of a pooled score, over speakers.

        It answers what the score would be for other speakers of this kind. Intervals
        over utterances, as from a bootstrap of them, take the utterances of a speaker
        for independent, and are too narrow.

        Parameters
        ----------
        metric : {"wa", "ua", "f1"}, default="ua"
            The score.
        level : float, default=0.95
            The share of such intervals that contain the true score.

        Returns
        -------
        ConfidenceInterval
            ``low`` and ``high``, between 0 and 1; nothing about them is random. Around
            a score of 0 or 1, where no speaker differs from another, the other limit is
            that of Clopper and Pearson [1]_ for as many trials as speakers; around
            another such score, the limits are those of independent utterances.

        Raises
        ------
        ValueError
            If the name of the score or the level is none, or there is only one speaker.

        See Also
        --------
        compare_evaluations : Differences between systems, and whether they are there.

        Notes
        -----
        The standard error is that of the jackknife [2]_: the pooled score is computed
        anew without each speaker in turn. The interval is symmetric for the logit of
        the score, and as wide as the quantile of Student's t for
        :math:`\sqrt{n n_e} - 1` degrees of freedom. Here n is the number of speakers,
        and :math:`n_e = (\sum_i w_i)^2 / \sum_i w_i^2` the effective one, as a score
        rests on few of them where these have most of the utterances. The weight
        :math:`w_i` is the number of utterances for ``"wa"``, and the sum of the
        speaker's shares of the classes for the other two. In simulations of 6 to 90
        speakers, with sizes and classes equal or not, 93 to 96 % of the 95 % intervals
        contained the true score; of those of a percentile bootstrap over speakers, it
        was in 79 to 95 %, the less the fewer speakers.

        With several runs, the score is the mean over them, and so is that which is
        computed without a speaker.

        It says nothing of other corpora. The estimators of the folds share most of
        their training speakers, which no interval from one cross-validation accounts
        for. If only one speaker has a class, how speakers differ on it is unknown, and
        the interval is a guess.

        References
        ----------
        .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial
           limits illustrated in the case of the binomial", Biometrika 26(4), 1934,
           pp. 404-413.
        .. [2] R. G. Miller, "The jackknife - a review", Biometrika 61(1), 1974,
           pp. 1-15.
        """
        outcome = self._outcome()
        return score_interval(
            outcome.counts(), check_metric(metric), check_level(level)
        )

    def calibration_error(self, *, n_bins: int = 15) -> float:
        """Return the expected calibration error of the probabilities.

        A classifier is calibrated if it is right in 80 % of the utterances for whose
        class it gives a probability of 0.8. The utterances are sorted into bins by the
        largest probability. The error is the mean over the bins of how far its mean is
        from the share of utterances of which it names the class, weighted by their
        number [1]_.

        Parameters
        ----------
        n_bins : int, default=15
            Number of bins of equal width from 0 to 1. The default is that of [1]_.

        Returns
        -------
        float
            Between 0 (best) and 1. With several runs, the mean over them. A few hundred
            utterances give an error of some hundredths even if all is calibrated.

        Raises
        ------
        ValueError
            If the evaluation has no probabilities, or `n_bins` is less than 1.

        References
        ----------
        .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern
           neural networks", ICML, 2017, arXiv:1706.04599.
        """
        return calibration_error(self._outcome(), n_bins)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write a report: one HTML file with tables, pictures and settings.

        It needs nothing else, and can be sent or read on a phone, in light and dark.

        Parameters
        ----------
        path : str or path
            The file, which is written anew if it exists; its folder must exist.

        Returns
        -------
        Path
            The file.
        """
        from ._report import report_page

        target = Path(path)
        target.write_text(report_page(self), encoding="utf-8")
        return target

    def __str__(self) -> str:
        """Return the table of folds and the scores, as the command line prints it."""
        outcome, folds = self._outcome(), self.folds
        scores = folds[[*METRICS]]
        rows = [
            ("held out", "utterances", *map(str.upper, METRICS)),
            *folds.astype({"utterances": str}).itertuples(index=False, name=None),
            ("mean of folds", "", *scores.mean()),
            ("sd of folds", "", *scores.std(ddof=0)),
            ("pooled", str(len(outcome.truth)), *self._pooled().values()),
        ]
        if self.spread is not None:
            name = f"sd of {len(outcome.predictions)} runs"
            rows.append((name, "", *self.spread.values()))
        n_speakers = len(outcome.speakers)
        if n_speakers > 1:
            limits = [self.interval(metric) for metric in METRICS]
            rows += [
                (f"{percent(LEVEL)} from", "", *(low for low, _ in limits)),
                (f"{percent(LEVEL)} to", "", *(high for _, high in limits)),
            ]
        lines = [_table_row(*row) for row in rows]
        lines.insert(len(folds) + 1, "-" * len(lines[0]))
        if n_speakers > 1:
            lines.append(f"{percent(LEVEL)}: confidence over {n_speakers} speakers")
        lines += listed("features", outcome.left_out)
        lines += listed(f"a rating of {outcome.target}", outcome.unrated)
        if outcome.speaker_statistics is not None:
            lines.append(f"statistics of test speakers: {outcome.speaker_statistics}")
        lines += [f"leak: {leak}" for leak in outcome.leaks]
        return "\n".join(lines)

    def __repr__(self) -> str:
        outcome = self._outcome()
        n_speakers, n_runs = len(outcome.speakers), len(outcome.predictions)
        over = f"{len(outcome.truth):,} utterances, {n_speakers} speakers" + (
            f", {n_runs} runs" if n_runs > 1 else ""
        )
        ua = f"{self.ua:.3f}"
        if n_speakers > 1:
            low, high = self.interval("ua")
            ua += f" [{low:.3f}, {high:.3f}]"
        return (
            f"<{type(self).__name__} of {outcome.target} on {outcome.corpus}: {over}; "
            f"UA {ua}, WA {self.wa:.3f}, F1 {self.f1:.3f}>"
        )

    def _repr_html_(self) -> str:
        """Return the scores and tables for a notebook."""
        from ._report import summary

        return summary(self)

    def _score(self, metric: Metric) -> float:
        """Return a pooled score, the mean over the runs."""
        return float(score_runs(self._outcome(), metric).mean())

    def _intervals(self) -> dict[str, Any]:
        """Return the intervals of all scores, as plain values."""
        n_speakers = len(self._outcome().speakers)
        known = METRICS if n_speakers > 1 else ()
        found: dict[str, Any] = {"level": LEVEL, "n_speakers": n_speakers}
        found.update((metric, list(self.interval(metric))) for metric in known)
        return found

    def _pooled(self) -> dict[str, float]:
        """Return the scores over all utterances at once."""
        return {"wa": self.wa, "ua": self.ua, "f1": self.f1}


def _table_row(held_out: str, utterances: str, *scores: Any) -> str:
    """Lay out one row of the table of folds."""
    texts = (f"{x:.3f}" if isinstance(x, float) else x for x in scores)
    return f"{short(held_out):<18}{utterances:>10}" + "".join(
        f"{text:>8}" for text in texts
    )


def listed(missing: str, names: list[str]) -> list[str]:
    """Name, in one line, the recordings that were left out, if any."""
    if not names:
        return []
    more = len(names) - N_LISTED
    shown = [*names[:N_LISTED], *([f"{more} more"] if more > 0 else [])]
    return [f"left out, without {missing}: {', '.join(shown)}"]


def short(speakers: str, width: int = 17) -> str:
    """Cut a list of speakers to the width of a column."""
    return speakers if len(speakers) <= width else speakers[: width - 1] + "…"
