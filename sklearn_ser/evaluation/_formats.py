"""Tables as texts: numbers, Markdown, LaTeX."""

from __future__ import annotations

import re

import pandas as pd

from ._intervals import Metric

SCORE_NAMES = {"wa": "WA", "ua": "UA", "f1": "F1"}

_LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "−": "$-$",
}


def percent(level: float) -> str:
    """Write a level as a percentage: ``"95 %"``."""
    return f"{100 * level:.10g} %"


def bounds(low: float, high: float, *, signed: bool = False) -> str:
    """Write the limits of an interval: ``"0.580 to 0.760"``, a dash without them."""
    if low != low:
        return "–"
    return " to ".join(number(limit, signed=signed) for limit in (low, high))


def number(value: float, *, signed: bool = False) -> str:
    """Write a number with three digits, a dash where it is NaN."""
    if value != value:
        return "–"
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    # Zero has no sign.
    return text.replace("-", "−") if float(text) else text.lstrip("+-")


def p_value(p: float) -> str:
    """Write a p-value, never as 0."""
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def comparison_table(frame: pd.DataFrame, metric: Metric, level: float) -> pd.DataFrame:
    """Return a table of a comparison with texts in its cells.

    Parameters
    ----------
    frame : DataFrame
        The scores or the pairs, see `EvaluationComparison`.
    metric : {"wa", "ua", "f1"}
        The score.
    level : float
        The level of the intervals.

    Returns
    -------
    DataFrame
        One row for each of `frame`, the limits in one column.
    """
    name, paired = SCORE_NAMES[metric], "p" in frame
    limits = [
        bounds(low, high, signed=paired)
        for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    interval = {f"{percent(level)} interval": limits}
    if not paired:
        scores = [number(score) for score in frame["score"]]
        return pd.DataFrame({"system": frame["name"], name: scores, **interval})
    return pd.DataFrame(
        {
            "system": frame["second"],
            "against": frame["first"],
            f"difference in {name}": [
                number(d, signed=True) for d in frame["difference"]
            ],
            **interval,
            "p": [p_value(p) for p in frame["p"]],
            "p (Holm)": [p_value(p) for p in frame["p_holm"]],
        }
    )


def to_markdown(table: pd.DataFrame) -> str:
    """Write a table of texts in Markdown, numbers to the right."""
    rows = [list(table.columns), *table.to_numpy().tolist()]
    lines = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        for row in rows
    ]
    lines.insert(1, "|" + "".join(_side(n, "---|", "---:|") for n in table.columns))
    return "\n".join(lines)


def to_latex(table: pd.DataFrame) -> str:
    """Write a table of texts in LaTeX, with the rules of booktabs."""
    rows = [
        " & ".join(_escape_latex(cell) for cell in row) + r" \\"
        for row in [list(table.columns), *table.to_numpy().tolist()]
    ]
    sides = "".join(_side(name, "l", "r") for name in table.columns)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            rows[0],
            r"\midrule",
            *rows[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _side(column: str, left: str, right: str) -> str:
    """Return the sign for the side of a column: names stand left, numbers right."""
    return left if column in ("system", "against") else right


def _escape_latex(text: str) -> str:
    """Escape what LaTeX would take for a command."""
    return re.sub(r"[&%$#_{}\\~^<>−]", lambda found: _LATEX[found[0]], text)
