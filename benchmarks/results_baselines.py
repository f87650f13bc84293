"""The first table of `docs/results.md`: fixed features and a linear SVC, by speaker.

Prints a Markdown table of pooled UA. One speaker is held out in turn; of URDU, whose
speakers have few utterances, five folds by speaker, dealt anew for five seeds. *New
sentences* also leaves the sentence of an utterance out of the training: EMO-DB has ten.
Layer and C of `embedding_svc` are chosen in each fold on its training speakers. The
corpora are read from the folder that SKLEARN_SER_DATA names (without,
../shared/corpora), the encoder from that of SKLEARN_SER_MODELS (../shared/models).

    python benchmarks/results_baselines.py
    python benchmarks/results_baselines.py --recipes egemaps_svc logmel_baseline
"""

import argparse
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from sklearn_ser import recipes
from sklearn_ser.datasets import Corpus, load_crema_d, load_emodb, load_urdu
from sklearn_ser.evaluation import evaluate_by_speaker

DATA = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
MODELS = Path(os.environ.get("SKLEARN_SER_MODELS", "../shared/models"))
ENCODER = str(MODELS / "whisper-tiny.en-encoder")
FOUR = ("anger", "happiness", "neutral", "sadness")
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "egemaps_svc": ("eGeMAPS", {}),
    "compare16_svc": ("ComParE 2016", {}),
    "logmel_baseline": ("log-mel functionals", {}),
    "embedding_svc": ("Whisper tiny.en", {"model": ENCODER}),
    "embedding_svc, by speaker": (
        "Whisper tiny.en, statistics of each test speaker",
        {"model": ENCODER, "by": "speaker"},
    ),
}
COLUMNS = [
    *("EMO-DB, 7", "EMO-DB, 4", "EMO-DB, 7, new sentences", "URDU, 4", "CREMA-D, 6")
]
Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def new_sentences(corpus: Corpus) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Hold out each sentence of each speaker; train on neither."""
    sentence = np.asarray(corpus.sentence, dtype=str)
    for speaker in np.unique(corpus.speaker):
        for text in np.unique(sentence):
            test = (corpus.speaker == speaker) & (sentence == text)
            train = (corpus.speaker != speaker) & (sentence != text)
            if test.any():
                yield np.flatnonzero(train), np.flatnonzero(test)


def cells() -> dict[str, tuple[Corpus, list[Any]]]:
    """Return the corpora, each with the splits of each seed."""
    emodb = load_emodb(DATA / "emodb")
    urdu = load_urdu(DATA / "urdu")
    dealt = [GroupKFold(5, shuffle=True, random_state=seed) for seed in range(5)]
    every: list[tuple[Corpus, list[Any]]] = [
        (emodb, [None]),
        (emodb.keep_emotions(FOUR), [None]),
        (emodb, [list(new_sentences(emodb))]),
        (urdu, dealt),
        (load_crema_d(DATA / "crema-d"), [None]),
    ]
    return dict(zip(COLUMNS, every, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", nargs="+", default=[*ROWS], choices=[*ROWS])
    parser.add_argument("--columns", nargs="+", default=COLUMNS, choices=COLUMNS)
    parser.add_argument("--cache", help="folder for the features")
    options = parser.parse_args()
    # The confounding of URDU is what the table shows.
    warnings.filterwarnings("ignore", "The classes depend on the speakers")
    warnings.filterwarnings("ignore", "Only .* recordings of .* are in")
    columns = {name: cell for name, cell in cells().items() if name in options.columns}
    print(f"| features | recipe | {' | '.join(columns)} |")
    print("| --- " * (2 + len(columns)) + "|")
    for row in options.recipes:
        name, settings = ROWS[row]
        recipe = getattr(recipes, row.partition(",")[0])
        model = recipe(memory=options.cache, n_jobs=2, **settings)
        shown = []
        for corpus, splits in columns.values():
            ua = [
                evaluate_by_speaker(model, corpus, cv=cv, n_jobs=2).ua for cv in splits
            ]
            spread = f" ± {stdev(ua):.3f}" if len(ua) > 1 else ""
            shown.append(f"{mean(ua):.3f}{spread}")
        print(
            f"| {name} | `{row.partition(',')[0]}` | {' | '.join(shown)} |", flush=True
        )


if __name__ == "__main__":
    main()
