"""Which of the papers' orders hold: scores with intervals, and tests of differences.

For Lian et al. (2018), Li et al. (2020), Latif et al. (2018) and Gao et al. (2021),
the models that each compares, on the corpora that are at hand: a table of pooled UA
with 95 % intervals over speakers, and one of the differences, with p-values of
permutations of speakers, corrected by Holm's method for all pairs of the table.
`gao_random` is Gao's ladder under the paper's own split, at random, whose test
speakers are known. The corpora are read from the folder that SKLEARN_SER_DATA names
(without, ../shared/corpora), in their official layouts.

What is finished is kept in a folder, fold by fold and seed by seed, so that a run can
be interrupted and several can share the work; the results lie there as JSON, too,
which `sklearn-ser compare` reads. On two processors all of it takes more than a day.

    python benchmarks/results_orders.py orders --seeds 3 --jobs 2
    python benchmarks/results_orders.py orders --papers li --corpora EMO-DB
"""

import argparse
import itertools
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import torch
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CVAE,
    MFCC,
    ContrastiveSiamese,
    LogMelProsody,
    LogMelSegmenter,
    MEnAN,
    PseudoSiameseGated,
    SequenceClassifier,
    SpectrogramSegmenter,
)
from sklearn_ser.datasets import (
    AuxiliaryCorpora,
    Corpus,
    emotion_quadrant,
    load_crema_d,
    load_emodb,
    load_urdu,
)
from sklearn_ser.evaluation import (
    SpeakerEvaluation,
    compare_evaluations,
    evaluate_by_speaker,
)

DATA = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
LOADERS = {
    "EMO-DB": lambda: load_emodb(DATA / "emodb"),
    "URDU": lambda: load_urdu(DATA / "urdu"),
    "CREMA-D": lambda: load_crema_d(DATA / "crema-d"),
}
FOUR = ["anger", "happiness", "neutral", "sadness"]
# 4 s, and on the corpora of shorter recordings 2.5 and 3 s.
N_FRAMES = {"EMO-DB": 398, "URDU": 248, "CREMA-D": 298}
AUXILIARY = {"EMO-DB": ["CREMA-D", "URDU"], "CREMA-D": ["EMO-DB", "URDU"]}


class Paper(NamedTuple):
    """What a paper compares, and how: the front end, the corpora and the models.

    Models of a group share what is trained once.
    """

    front_end: Any
    corpora: tuple[str, ...]
    models: tuple[tuple[str, ...], ...]
    four_emotions: bool = True


PAPERS = {
    "lian": Paper(
        MFCC(duration=None),
        ("EMO-DB", "URDU", "CREMA-D"),
        (
            ("baseline",),
            ("random pairs, features, cosine",),
            ("random pairs, probabilities, cosine",),
            ("balanced pairs, features, cosine",),
            ("random pairs, features, Euclidean",),
        ),
    ),
    "li": Paper(
        LogMelProsody(shorter="keep"),
        ("EMO-DB", "URDU", "CREMA-D"),
        (("emotion alone",), ("multi-task",), ("DAT",), ("MEnAN",)),
    ),
    "latif": Paper(
        LogMelSegmenter(),
        ("EMO-DB", "URDU", "CREMA-D"),
        (
            ("log-mel segments + LSTM",),
            ("AE + LSTM",),
            ("VAE + LSTM",),
            ("CVAE + LSTM",),
        ),
        four_emotions=False,
    ),
    "gao": Paper(
        SpectrogramSegmenter(),
        ("EMO-DB", "CREMA-D"),
        (("CNN-BLSTM",), ("PT", "PT_G"), ("PSN", "PSN_G")),
    ),
}
PAPERS["gao_random"] = PAPERS["gao"]

PAIRS: dict[str, dict[str, Any]] = {
    "baseline": {"contrastive_weight": 0.0},
    "random pairs, features, cosine": {},
    "random pairs, probabilities, cosine": {"position": "probabilities"},
    "balanced pairs, features, cosine": {"pairs": "balanced"},
    "random pairs, features, Euclidean": {"distance": "euclidean"},
}
ADVERSARIES = {
    "emotion alone": None,
    "multi-task": "multitask",
    "DAT": "gradient_reversal",
    "MEnAN": "entropy",
}
LADDER: dict[str, dict[str, Any]] = {
    "CNN-BLSTM": {"fusion": None},
    "PT": {"fusion": "concatenate", "triplets": None},
    "PT_G": {"fusion": "gate", "triplets": None},
    "PSN": {"fusion": "concatenate"},
    "PSN_G": {"fusion": "gate"},
}


def features(folder: Path, name: str, corpus_name: str) -> tuple[Corpus, np.ndarray]:
    """Return a corpus, with what the front end of a paper makes of it."""
    warnings.filterwarnings("ignore", "Only .* recordings of .* are in")
    extract = joblib.Memory(folder / "features", verbose=0).cache(transformed)
    corpus = LOADERS[corpus_name]()
    X = extract(PAPERS[name].front_end, corpus_name)
    if not PAPERS[name].four_emotions:
        return corpus, X
    kept = np.flatnonzero(np.isin(corpus.emotion, FOUR))
    return corpus.select(kept), X[kept]


def transformed(front_end: Any, corpus_name: str) -> np.ndarray:
    return front_end.transform(LOADERS[corpus_name]().audio)


def auxiliary(folder: Path, corpus_name: str) -> AuxiliaryCorpora:
    """Return the other corpora with all of their emotions, as segments of Gao et al."""
    extract = joblib.Memory(folder / "features", verbose=0).cache(transformed)
    names = AUXILIARY[corpus_name]
    corpora = [LOADERS[name]() for name in names]
    return AuxiliaryCorpora(
        np.concatenate([extract(PAPERS["gao"].front_end, name) for name in names]),
        np.concatenate([emotion_quadrant(corpus.emotion) for corpus in corpora]),
        corpus=np.repeat(names, [len(corpus) for corpus in corpora]),
    )


def build(paper: str, corpus_name: str, model: str, folder: Path, device: str) -> Any:
    """Make the estimator of a row, as the tables of each paper on the page have it."""
    common: dict[str, Any] = {"class_weight": "balanced", "device": device}
    # Three speakers of URDU that validate would have one emotion.
    validates = {"early_stopping": corpus_name != "URDU"}
    if paper == "lian":
        frames, epochs = {"n_frames": N_FRAMES[corpus_name]}, 20
        stop = {"max_epochs": epochs, "n_iter_no_change": epochs, **validates}
        settings = {**common, **frames, **stop, **PAIRS[model], "random_state": 0}
        return ContrastiveSiamese(**settings)
    if paper == "li":
        stop = {"max_epochs": 30, "n_iter_no_change": 30, **validates}
        adversary = ADVERSARIES[model]
        return MEnAN(adversary=adversary, **common, **stop, random_state=0)
    if paper == "latif":
        lstm = SequenceClassifier(**common, random_state=0)
        variant = model.partition(" ")[0].lower()
        if variant == "log-mel":
            return lstm
        return make_pipeline(CVAE(variant, device=device, random_state=0), lstm)
    settings = {**LADDER[model]}
    others = auxiliary(folder, corpus_name) if model != "CNN-BLSTM" else None
    memory = joblib.Memory(folder / "branches", verbose=0)
    return PseudoSiameseGated(
        others, **common, **settings, memory=memory, random_state=0
    )


def folds(paper: str, corpus_name: str, corpus: Corpus) -> Any:
    """Return the folds: by speaker, or at random as in Gao et al."""
    few = len(np.unique(corpus.speaker)) <= 10
    if paper == "gao_random":
        return StratifiedKFold(5, shuffle=True, random_state=0)
    if paper == "li" and few:
        return None  # one speaker in turn
    return GroupKFold(4 if (paper, corpus_name) == ("gao", "CREMA-D") else 5)


def evaluate(
    paper: str,
    corpus_name: str,
    model: str,
    seeds: list[int],
    folder: Path,
    device: str,
) -> SpeakerEvaluation:
    """Evaluate a row, with what is finished of it taken from the folder."""
    torch.set_num_threads(1)
    # Both are told on the page.
    warnings.filterwarnings("ignore", "The classes depend on the speakers")
    corpus, X = features(folder, paper, corpus_name)
    return evaluate_by_speaker(
        build(paper, corpus_name, model, folder, device),
        corpus,
        features=X,
        cv=folds(paper, corpus_name, corpus),
        seeds=seeds,
        checkpoint=folder / "folds",
        # The copies in URDU are told on the page; a fold at random is no surprise.
        on_leak="ignore",
    )


def asked_for(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield papers and corpora."""
    for paper in options.papers or PAPERS:
        for corpus_name in PAPERS[paper].corpora:
            if not options.corpora or corpus_name in options.corpora:
                yield paper, corpus_name


def fill(options: argparse.Namespace) -> None:
    """Run all rows side by side, the first seed of all before the second of any."""
    start = time.perf_counter()

    def one(paper: str, corpus_name: str, models: tuple[str, ...], seed: int) -> None:
        for model in models:
            evaluation = evaluate(
                paper, corpus_name, model, [seed], options.folder, options.device
            )
            print(
                f"{time.perf_counter() - start:.0f} s: {paper}, {corpus_name}, "
                f"{model}, seed {seed}: UA {evaluation.ua:.3f}",
                file=sys.stderr,
                flush=True,
            )

    parallel = joblib.Parallel(n_jobs=options.jobs, batch_size=1)
    # The features first, or each row would make them.
    parallel(
        joblib.delayed(features)(options.folder, *pair)
        for pair in [*asked_for(options)]
    )
    parallel(
        joblib.delayed(one)(paper, corpus_name, models, seed)
        for seed in range(options.seeds)
        for paper, corpus_name in asked_for(options)
        for models in PAPERS[paper].models
    )


def tables(options: argparse.Namespace) -> None:
    """Print the scores and the differences of each paper and corpus."""
    seeds = [*range(options.seeds)]
    for paper, corpus_name in asked_for(options):
        found: dict[str, SpeakerEvaluation] = {}
        for model in itertools.chain(*PAPERS[paper].models):
            evaluation = evaluate(
                paper, corpus_name, model, seeds, options.folder, options.device
            )
            name = f"{paper} {corpus_name} {model}.json".replace(",", "")
            path = options.folder / name.replace(" ", "_")
            path.write_text(json.dumps(evaluation.to_dict()), encoding="utf-8")
            found[model] = evaluation
        compared = compare_evaluations([*found.values()], [*found])
        print(f"{paper}, {corpus_name}:\n\n{compared.to_markdown('scores')}\n")
        print(f"{compared.to_markdown('pairs')}\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="for what is finished")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--papers", nargs="+", choices=list(PAPERS))
    parser.add_argument("--corpora", nargs="+", choices=list(LOADERS))
    parser.add_argument("--jobs", type=int, default=1, help="rows at once")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    fill(options)
    tables(options)


if __name__ == "__main__":
    main()
