"""``sklearn-ser describe``."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from ._corpora import add_corpus, check_corpus, load_corpus

if TYPE_CHECKING:
    from ..datasets import Corpus


def add_describe(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``describe``."""
    parser = commands.add_parser(
        "describe",
        parents=[common],
        help="tell what a corpus holds",
        description="Print how recordings were understood: counts, durations, rates, "
        "emotions by speaker, ratings, and what may mislead an evaluation.",
    )
    add_corpus(parser)
    parser.add_argument("--json", action="store_true", help="all of it as JSON")
    parser.set_defaults(run=_describe, target="emotion")


def _describe(options: argparse.Namespace) -> int:
    """Run ``describe``."""
    check_corpus(options)
    options.say_how = not options.json
    corpus = load_corpus(options, ())
    told = describe_corpus(corpus)
    if options.json:
        print(json.dumps(told, indent=1))
        return 0
    print(f"{corpus}\n")
    print(_as_text(corpus, told))
    return 0


def describe_corpus(corpus: Corpus) -> dict[str, Any]:
    """Return what a corpus holds as plain values.

    Parameters
    ----------
    corpus : Corpus
        With or without ratings.

    Returns
    -------
    dict
        Ready for JSON; times in seconds, rates in Hz.
    """
    import numpy as np
    import pandas as pd

    from .._dimensions import DIMENSIONS

    table = pd.crosstab(corpus.speaker, corpus.emotion)
    of_speakers = table.gt(0).sum(axis=1)
    seconds, rates = _lengths(corpus)
    rated = {name: getattr(corpus, name) for name in DIMENSIONS}
    return {
        "name": corpus.name,
        "description": corpus.description,
        "utterances": len(corpus),
        "seconds": {
            "all": round(float(np.nansum(seconds)), 2),
            "shortest": round(float(np.nanmin(seconds)), 2),
            "median": round(float(np.nanmedian(seconds)), 2),
            "longest": round(float(np.nanmax(seconds)), 2),
        },
        "sampling_rates": rates,
        "emotions_by_speaker": {
            str(speaker): {str(name): int(n) for name, n in row.items()}
            for speaker, row in table.iterrows()
        },
        "speakers_of_one_emotion": int((of_speakers == 1).sum()),
        "association_of_speaker_and_emotion": round(_association(table), 3),
        "ratings": {
            name: [float(np.nanmin(values)), float(np.nanmax(values))]
            for name, values in rated.items()
            if values is not None and not np.isnan(values).all()
        },
    }


def _lengths(corpus: Corpus) -> tuple[Any, dict[str, int]]:
    """Return the seconds of each utterance, and how many have which rate."""
    import numpy as np

    rates: dict[str, int] = {}
    seconds = np.full(len(corpus), np.nan)
    for row, recording in enumerate(corpus.audio):
        duration, rate = _length(recording)
        seconds[row] = duration
        key = "unknown" if rate is None else str(rate)
        rates[key] = rates.get(key, 0) + 1
    return seconds, rates


def _length(recording: Any) -> tuple[float, int | None]:
    """Return seconds and rate of a recording; what is not known is NaN, or None."""
    import numpy as np
    import soundfile as sf

    path, *times = recording if isinstance(recording, tuple) else (recording,)
    if isinstance(path, np.ndarray):
        return len(path) / times[0], int(times[0])
    try:
        info = sf.info(path)
    except (sf.SoundFileError, OSError):
        return np.nan, None
    start, end = times or (None, None)
    end = info.duration if end is None or np.isnan(end) else end
    return end - (0.0 if start is None or np.isnan(start) else start), info.samplerate


def _association(table: Any) -> float:
    """Return Cramér's V of speaker and emotion: 1 if one tells the other."""
    import numpy as np
    from scipy.stats.contingency import association

    if min(table.shape) < 2:
        return 1.0
    return float(association(np.asarray(table), method="cramer"))


def _as_text(corpus: Corpus, told: dict[str, Any]) -> str:
    """Return what a person wants to read."""
    import pandas as pd

    of = told["seconds"]
    rates = ", ".join(f"{rate} Hz ({n})" for rate, n in told["sampling_rates"].items())
    lines = [
        f"duration: {of['all'] / 60:.1f} minutes in all; {of['shortest']:g} to "
        f"{of['longest']:g} s, median {of['median']:g} s",
        f"sampling rates: {rates}",
        *(
            f"{name}: {low:g} to {high:g}, of a scale from "
            f"{corpus.rating_scale[0]:g} to {corpus.rating_scale[1]:g}"
            for name, (low, high) in told["ratings"].items()
        ),
        "",
        pd.crosstab(corpus.speaker, corpus.emotion).rename_axis(None).to_string(),
        "",
        "association of speaker and emotion (Cramér's V, 0 to 1): "
        f"{told['association_of_speaker_and_emotion']:.2f}",
    ]
    if told["speakers_of_one_emotion"]:
        lines.append(
            f"{told['speakers_of_one_emotion']} speakers have one emotion alone: where "
            "they are held out, nobody can tell voice from emotion."
        )
    return "\n".join(lines)
