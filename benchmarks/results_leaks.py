"""What leaks cost: eGeMAPS and a linear SVC, with each leak and without.

Prints a Markdown table of pooled UA over five folds, dealt anew for each seed: mean ±
sample deviation over the seeds, and of the difference with the same seed. *Without* is
folds by speaker, but for the row of the sentences, where it is folds by speaker and
sentence. The corpora are read from the folder that SKLEARN_SER_DATA names (without,
../shared/corpora).

    python benchmarks/results_leaks.py --cache features
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import EGeMAPS, SpeakerScaler, recipes
from sklearn_ser.datasets import Corpus, load_emodb, load_urdu
from sklearn_ser.evaluation import SpeakerSentenceKFold
from sklearn_ser.metrics import ua_score

DATA = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
N_FOLDS = 5
SEEDS = range(5)
# Of the utterances, those that have a copy under the name of another speaker.
COPIED = 0.2
GRID = tuple(10.0**exponent for exponent in range(-4, 2))
Table = NDArray[Any]


def classifier() -> Pipeline:
    """Return the scaler and the SVC of the recipe."""
    return recipes.egemaps_svc()[1:]


def by_speaker(seed: int) -> GroupKFold:
    return GroupKFold(N_FOLDS, shuffle=True, random_state=seed)


def ua(
    X: Table, corpus: Corpus, splits: Any, model: Any = None, **settings: Any
) -> float:
    """Return the pooled UA of a model over splits."""
    model = classifier().set_params(**settings) if model is None else model
    y = corpus.emotion
    return ua_score(y, cross_val_predict(model, X, y, cv=list(splits)))


def dealt(X: Table, corpus: Corpus, seed: int) -> list[Any]:
    """Deal the speakers."""
    return list(by_speaker(seed).split(X, groups=corpus.speaker))


def random_folds(X: Table, corpus: Corpus, seed: int) -> tuple[float, float]:
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    random = folds.split(X, corpus.emotion)
    return ua(X, corpus, random), ua(X, corpus, dealt(X, corpus, seed))


def shared_sentences(X: Table, corpus: Corpus, seed: int) -> tuple[float, float]:
    folds = SpeakerSentenceKFold(N_FOLDS, N_FOLDS, shuffle=True, random_state=seed)
    new = folds.split(X, groups=corpus.speaker, sentences=corpus.sentence)
    return ua(X, corpus, dealt(X, corpus, seed)), ua(X, corpus, new)


def copies(X: Table, corpus: Corpus, seed: int) -> tuple[float, float]:
    """Give some utterances to another speaker as well; score the originals."""
    random = np.random.default_rng(seed)
    speakers = np.unique(corpus.speaker)
    copied = random.permutation(len(X))[: round(COPIED * len(X))]
    others = [
        random.choice(speakers[speakers != corpus.speaker[row]]) for row in copied
    ]
    y, predicted = corpus.emotion, np.empty_like(corpus.emotion)
    splits = dealt(X, corpus, seed)
    for train, test in splits:
        in_training = np.isin(others, corpus.speaker[train])
        rows = np.concatenate([train, copied[in_training]])
        predicted[test] = classifier().fit(X[rows], y[rows]).predict(X[test])
    return ua_score(y, predicted), ua(X, corpus, splits)


def scaled_before(X: Table, corpus: Corpus, seed: int) -> tuple[float, float]:
    splits = dealt(X, corpus, seed)
    scaled = StandardScaler().fit_transform(X)
    settings = {"standardscaler": "passthrough"}
    return ua(scaled, corpus, splits, **settings), ua(X, corpus, splits)


def statistics_of_speakers(X: Table, corpus: Corpus, seed: int) -> tuple[float, float]:
    splits = dealt(X, corpus, seed)
    # The statistics of a speaker are the same in every fold.
    own = SpeakerScaler("speaker").fit_transform(X, groups=corpus.speaker)
    return ua(own, corpus, splits), ua(X, corpus, splits)


def chosen_on_test(X: Table, corpus: Corpus, seed: int) -> tuple[float, float]:
    """Take the best C of all, by the scores that are reported; or choose inside."""
    splits, y = dealt(X, corpus, seed), corpus.emotion
    best = max(ua(X, corpus, splits, svc__C=C) for C in GRID)
    predicted = np.empty_like(y)
    for train, test in splits:
        search = GridSearchCV(
            classifier(),
            {"svc__C": GRID},
            cv=GroupKFold(N_FOLDS - 1),
            scoring="balanced_accuracy",
        )
        search.fit(X[train], y[train], groups=corpus.speaker[train])
        predicted[test] = search.predict(X[test])
    return best, ua_score(y, predicted)


ROWS: dict[str, Callable[[Table, Corpus, int], tuple[float, float]]] = {
    "random folds instead of folds by speaker": random_folds,
    "sentences of the test in training": shared_sentences,
    "copies of a fifth under other speakers": copies,
    "scaler fitted to all utterances": scaled_before,
    "statistics of each test speaker": statistics_of_speakers,
    "C chosen by the test scores": chosen_on_test,
}


def shown(scores: list[tuple[float, float]]) -> list[str]:
    """Show the scores with and without a leak, and their difference."""
    columns = *zip(*scores, strict=True), [with_ - without for with_, without in scores]
    return [f"{mean(column):.3f} ± {stdev(column):.3f}" for column in columns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", default=[*ROWS], choices=[*ROWS])
    parser.add_argument("--cache", help="folder for the features")
    options = parser.parse_args()
    corpora = {"EMO-DB": load_emodb(DATA / "emodb"), "URDU": load_urdu(DATA / "urdu")}
    front_end = EGeMAPS(memory=options.cache)
    tables = {name: front_end.transform(corpora[name].audio) for name in corpora}
    print("| leak | corpus | with | without | difference |\n|" + " --- |" * 5)
    for row in options.rows:
        for name, corpus in corpora.items():
            if ROWS[row] is shared_sentences and corpus.sentence is None:
                continue
            scores = [ROWS[row](tables[name], corpus, seed) for seed in SEEDS]
            print(f"| {row} | {name} | {' | '.join(shown(scores))} |", flush=True)


if __name__ == "__main__":
    main()
