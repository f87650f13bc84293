"""An evaluation as HTML: a summary for notebooks, and a page of its own."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._constants import N_LISTED
from ..datasets._corpus import counted
from ._formats import SCORE_NAMES, bounds, number, percent
from ._intervals import LEVEL, METRICS
from ._outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ._scored import ScoredBySpeaker

_DPI = 160  # readable where a phone enlarges it

# No script and nothing from elsewhere. Pictures keep their white ground in the dark.
_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --line: #cccccc;
  --soft: #f3f3f3; --note: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616;
  --line: #444444; --soft: #242424; --note: #ffb760; } }
body { margin: 0 auto; padding: 1rem; max-width: 54rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  overflow-wrap: normal; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  text-align: right; }
th:first-child, td:first-child { text-align: left; }
.settings td { text-align: left; overflow-wrap: anywhere; }
.cautions { color: var(--note); }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; background: #ffffff; border-radius: .3rem; }
summary { cursor: pointer; padding: .3rem; background: var(--soft); }
"""


def summary(evaluation: ScoredBySpeaker) -> str:
    """Return the scores, and tables to open, for a notebook.

    Parameters
    ----------
    evaluation : SpeakerEvaluation or SavedEvaluation
        What is shown.

    Returns
    -------
    str
        A fragment of HTML.
    """
    outcome = evaluation._outcome()
    return "".join(
        [
            f"<div><p><b>{escape(_title(outcome))}</b><br>{escape(_size(outcome))}</p>",
            _table(_scores(evaluation)),
            _cautions(outcome),
            *(_folded(name, table) for name, table in _tables(evaluation).items()),
            "</div>",
        ]
    )


def report_page(evaluation: ScoredBySpeaker) -> str:
    """Return the report of an evaluation.

    Parameters
    ----------
    evaluation : SpeakerEvaluation or SavedEvaluation
        What is reported.

    Returns
    -------
    str
        A whole page of HTML, which refers to nothing outside of it.
    """
    outcome = evaluation._outcome()
    title = escape(_title(outcome))
    tables = _tables(evaluation)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{title}</h1>\n<p>{escape(_size(outcome))}</p>",
            _table(_scores(evaluation)),
            _cautions(outcome),
            *_pictures(evaluation, outcome),
            "<h2>Tables</h2>",
            *(_folded(name, table) for name, table in tables.items()),
            "<h2>Settings</h2>",
            _settings(outcome.settings),
            "</body>\n</html>\n",
        ]
    )


def _title(outcome: Outcome) -> str:
    """Say what was predicted, and on what."""
    return f"{outcome.target.capitalize()} on {outcome.corpus}".strip()


def _size(outcome: Outcome) -> str:
    """Say how much was evaluated."""
    sizes = [
        counted(len(outcome.truth), "utterance"),
        counted(len(outcome.speakers), "speaker"),
        counted(int(outcome.fold.max()) + 1, "fold"),
        counted(len(outcome.predictions), "run"),
    ]
    return ", ".join(sizes if len(outcome.predictions) > 1 else sizes[:-1])


def _scores(evaluation: ScoredBySpeaker) -> pd.DataFrame:
    """Tabulate the pooled scores with their intervals."""
    outcome, spread = evaluation._outcome(), evaluation.spread
    rows = []
    for metric in METRICS:
        known = len(outcome.speakers) > 1
        limits = bounds(*evaluation.interval(metric)) if known else "–"
        pooled = number(getattr(evaluation, metric))
        over_runs = "–" if spread is None else number(spread[metric])
        rows.append((SCORE_NAMES[metric], pooled, limits, over_runs))
    if outcome.probabilities:
        error = number(evaluation.calibration_error())
        rows.append(("calibration error", error, "–", "–"))
    interval = f"{percent(LEVEL)} interval over speakers"
    deviation = f"sd over {len(outcome.predictions)} runs"
    table = pd.DataFrame(rows, columns=["score", "pooled", interval, deviation])
    return table.drop(columns=[deviation] if spread is None else [])


def _tables(evaluation: ScoredBySpeaker) -> dict[str, pd.DataFrame]:
    """Return what is shown below the scores, by its name."""
    classes = evaluation.per_class
    limits = [
        bounds(low, high)
        for low, high in zip(classes["recall_low"], classes["recall_high"], strict=True)
    ]
    classes = classes.drop(columns=["recall_low", "recall_high"])
    classes.insert(3, f"{percent(LEVEL)} interval", limits)
    named = {metric: SCORE_NAMES[metric] for metric in METRICS}
    return {
        "Classes": classes.rename(columns={"f1": "F1"}),
        "Speakers": evaluation.per_speaker.rename(columns=named),
        "Folds": evaluation.folds.rename(columns=named),
    }


def _cautions(outcome: Outcome) -> str:
    """List what one has to know about the scores."""
    found = list(cautions(outcome))
    if not found:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in found)
    return f'<ul class="cautions">{items}</ul>'


def cautions(outcome: Outcome) -> Iterator[str]:
    """Say what one has to know about the scores.

    Parameters
    ----------
    outcome : Outcome
        What was evaluated.

    Yields
    ------
    str
        A sentence, in plain text.
    """
    if outcome.speaker_statistics is not None:
        yield (
            "The predictions used statistics of the held-out speakers: "
            f"{outcome.speaker_statistics}."
        )
    for leak in outcome.leaks:
        yield f"The training knows of the test: {leak}."
    for names, missing in (
        (outcome.left_out, "features"),
        (outcome.unrated, f"a rating of {outcome.target}"),
    ):
        if names:
            more = len(names) - N_LISTED
            shown = [*names[:N_LISTED], *([f"{more} more"] if more > 0 else [])]
            yield f"Left out, without {missing}: {', '.join(shown)}."
    for name in outcome.classes:
        speakers = np.unique(outcome.speaker[outcome.truth == name])
        if len(speakers) == 1:
            yield (
                f"Only the speaker {speakers[0]} has {name}: how speakers differ on it "
                "is unknown, and the intervals of UA and F1 are guesses."
            )


def _pictures(evaluation: ScoredBySpeaker, outcome: Outcome) -> Iterator[str]:
    """Draw the confusions, the speakers and the embedding."""
    from matplotlib.figure import Figure

    from ..plotting import SpeakerScoresDisplay, plot_confusion
    from ..plotting._confusion import CELL
    from ..plotting._speakers import figure_size

    side = 2 + CELL * len(outcome.classes)
    figure = Figure(figsize=(side, side), layout="constrained")
    runs = len(outcome.predictions)
    plot_confusion(
        np.tile(outcome.truth, runs),
        np.concatenate(outcome.predictions),
        labels=outcome.classes,
        label_name=outcome.target,
        ax=figure.add_subplot(),
    )
    counts = "utterances" if runs == 1 else f"utterances in {runs} runs"
    about = f"Recall of each class, and number of {counts} in brackets."
    yield "<h2>Confusions</h2>"
    yield _picture(figure, about)
    if len(outcome.speakers) > 1:
        figure = Figure(figsize=figure_size(len(outcome.speakers)))
        figure.set_layout_engine("constrained")
        SpeakerScoresDisplay.from_evaluation(evaluation, ax=figure.add_subplot())
        about = "Unweighted accuracy of each speaker; large marks have more utterances."
        yield "<h2>Speakers</h2>"
        yield _picture(figure, about)
    yield from _embedding(evaluation, outcome)


def _embedding(evaluation: ScoredBySpeaker, outcome: Outcome) -> Iterator[str]:
    """Draw the representation of the first fold, where there is one."""
    from matplotlib.figure import Figure

    from ..plotting import EmbeddingDisplay

    embedded = evaluation._representation()
    if embedded is None:
        return
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    yield "<h2>Embedding</h2>"
    try:
        EmbeddingDisplay.from_embedding(
            embedded,
            outcome.truth,
            held_out=outcome.fold == 0,
            label_name=outcome.target,
            ax=figure.add_subplot(),
        )
    except ValueError as error:  # as for one that is not finite
        yield f"<p>It cannot be drawn: {escape(str(error))}</p>"
        return
    speakers = " ".join(np.unique(outcome.speaker[outcome.fold == 0]))
    about = f"What the classifier of the first fold was given; held out: {speakers}."
    yield _picture(figure, about)


def _picture(figure: Figure, about: str) -> str:
    """Embed a figure and say what it shows."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = escape(about)
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _folded(name: str, table: pd.DataFrame) -> str:
    """Return a table that opens by its name."""
    heading = f"<summary>{escape(name)}</summary>"
    return f"<details>{heading}{_table(table)}</details>"


def _table(frame: pd.DataFrame) -> str:
    """Return a table that scrolls by itself where the screen is narrow."""
    table = frame.to_html(
        index=False, border=0, float_format="{:.3f}".format, na_rep="–", justify="right"
    )
    return f'<div class="scroll">{table}</div>'


def _settings(settings: Mapping[str, Any]) -> str:
    """Return all settings, each with the names of the groups that it is in."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, value in _flat(settings)
    )
    return (
        f"<details><summary>All settings</summary>"
        f'<table class="settings">{rows}</table></details>'
    )


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Walk over nested settings."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name} › ")
        else:
            yield f"{above}{name}", str(value)
