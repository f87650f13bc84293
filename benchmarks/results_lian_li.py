"""The numbers of `docs/results.md` on ContrastiveSiamese and MEnAN.

Prints Markdown tables: `lian` and `li` by speaker, `transfer` from CREMA-D to EMO-DB,
`lengths` for what becomes of short recordings of EMO-DB in the encoder of Li et al.,
`sessions` for Table 2 of Li et al. by their protocol: the partner of the test speaker
in a session validates, then the two swap.
The corpora are read from the folder that SKLEARN_SER_DATA names (../shared/corpora
without), in their official layouts: emodb, urdu, crema-d, and labels/EMO_DB.csv and
labels/URDU.csv. What has been computed is kept in the folder that RESULTS_CACHE
names, where it names one, so that a run can be interrupted.

    RESULTS_CACHE=cache python benchmarks/results_lian_li.py lian --epochs 20
    RESULTS_CACHE=cache python benchmarks/results_lian_li.py li
    RESULTS_CACHE=cache python benchmarks/results_lian_li.py transfer
    RESULTS_CACHE=cache python benchmarks/results_lian_li.py lengths
    RESULTS_CACHE=cache python benchmarks/results_lian_li.py sessions
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    MFCC,
    ContrastiveSiamese,
    EGeMAPS,
    LogMel,
    LogMelProsody,
    MEnAN,
    recipes,
)
from sklearn_ser.datasets import Corpus, load_crema_d, load_emodb, load_urdu
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.metrics import speaker_probe, ua_score, wa_score
from sklearn_ser.sequences import as_sequences

HOME = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
CACHE = joblib.Memory(os.environ.get("RESULTS_CACHE"), verbose=0)
# The emotions of both papers, and of URDU.
FOUR = ["anger", "happiness", "neutral", "sadness"]
CORPORA = ("EMO-DB", "URDU", "CREMA-D")
REFERENCE = "eGeMAPS + SVC"

# Lian et al.: Table 3, then the tasks of Table 2 that the corpora have labels for.
LIAN: dict[str, dict[str, Any]] = {
    "baseline": {"contrastive_weight": 0.0},
    "random pairs, features, cosine": {},
    "random pairs, probabilities, cosine": {"position": "probabilities"},
    "balanced pairs, features, cosine": {"pairs": "balanced"},
    "random pairs, features, Euclidean": {"distance": "euclidean"},
    "attention (Neumann and Vu)": {"contrastive_weight": 0.0, "pooling": "attention"},
}
TASKS: dict[str, dict[str, Any]] = {
    f"baseline and {task}": {
        "contrastive_weight": 0.0, "auxiliary": task, "auxiliary_weight": weight
    }
    for task, weight in (("gender", 0.04), ("valence", 0.08), ("activation", 0.04))
}  # fmt: skip
# 4 s, and on the corpora of shorter recordings 2.5 and 3 s.
N_FRAMES = {"EMO-DB": 398, "URDU": 248, "CREMA-D": 298}
# Li et al.: Table 2.
LI: dict[str, dict[str, Any]] = {
    "emotion alone": {"adversary": None},
    "multi-task": {"adversary": "multitask"},
    "DAT": {"adversary": "gradient_reversal"},
    "MEnAN": {"adversary": "entropy"},
}

LOG_MEL = {"n_mels": 40, "window": 0.040, "f_max": None}
LENGTHS = {
    "43 features, as they are": LogMelProsody(shorter="keep"),
    "43 features, repeated up to 6 s": LogMelProsody(duration=6.0),
    "40 log-mel energies, as they are": LogMel(duration=None, **LOG_MEL),
    "40 log-mel energies, silence up to 6 s": LogMel(duration=6.0, **LOG_MEL),
}


@CACHE.cache
def load(name: str) -> Corpus:
    corpus = {
        "EMO-DB": lambda: load_emodb(
            HOME / "emodb", dimensions=HOME / "labels" / "EMO_DB.csv"
        ),
        "URDU": lambda: load_urdu(
            HOME / "urdu", dimensions=HOME / "labels" / "URDU.csv"
        ),
        "CREMA-D": lambda: load_crema_d(HOME / "crema-d"),
    }[name]()
    return corpus.keep_emotions(FOUR)


@CACHE.cache
def features(kind: str, name: str) -> np.ndarray:
    front_end = {
        "lian": MFCC(duration=None),
        "li": LogMelProsody(shorter="keep"),
        "reference": EGeMAPS(),
        **LENGTHS,
    }[kind]
    return front_end.transform(load(name).audio)


def splits(kind: str, corpus: Corpus) -> list[Any]:
    """Five folds for Lian et al.; one speaker in turn for Li et al., save for URDU."""
    few = len(np.unique(corpus.speaker)) <= 10
    splitter = LeaveOneGroupOut() if kind == "li" and few else GroupKFold(5)
    return list(splitter.split(corpus.emotion, groups=corpus.speaker))


def build(kind: str, settings: dict[str, Any], seed: int, epochs: int) -> Any:
    """Make an estimator that keeps the best epoch on a tenth of the speakers."""
    common = {
        "class_weight": "balanced",
        "early_stopping": True,
        "max_epochs": epochs,
        "n_iter_no_change": epochs,
        "random_state": seed,
    }
    model = ContrastiveSiamese if kind == "lian" else MEnAN
    return model(**{**common, **settings})


@CACHE.cache
def run_fold(
    kind: str, name: str, settings: dict[str, Any], seed: int, fold: int, epochs: int
) -> dict[str, Any]:
    """Fit one fold; predict its validation and test speakers, and probe the rest."""
    corpus, X = load(name), features(kind, name)
    train, test = splits(kind, corpus)[fold]
    needed = [settings["auxiliary"]] if settings.get("auxiliary") else []
    metadata = {task: getattr(corpus, task)[train] for task in needed}
    speaker = corpus.speaker
    if kind == "lian":
        settings = {"n_frames": N_FRAMES[name], **settings}
    # Another validation speaker in each fold, the same for all models.
    model = build(kind, settings, 100 * seed + fold, epochs)
    model.fit(X[train], corpus.emotion[train], groups=speaker[train], **metadata)
    held_out = np.isin(speaker[train], model.validation_groups_)
    valid = train[held_out]
    result = {"test": test, "test_predicted": model.predict(X[test])}
    result |= {"valid": valid, "valid_predicted": model.predict(X[valid])}
    if kind == "li":
        learned = train[~held_out]
        probe = speaker_probe(
            model.transform(X[learned]), speaker[learned], random_state=seed
        )
        result["probe"] = probe.above_chance
    return result


@CACHE.cache
def run_to_the_end(
    kind: str, name: str, settings: dict[str, Any], seed: int, fold: int, epochs: int
) -> dict[str, Any]:
    """Do the same without validation, for URDU: most speakers have one emotion."""
    corpus, X = load(name), features(kind, name)
    train, test = splits(kind, corpus)[fold]
    settings = {**settings, "early_stopping": False}
    if kind == "lian":
        settings["n_frames"] = N_FRAMES[name]
    model = build(kind, settings, 100 * seed + fold, epochs)
    speaker = corpus.speaker[train]
    model.fit(X[train], corpus.emotion[train], groups=speaker)
    result = {"test": test, "test_predicted": model.predict(X[test])}
    if kind == "li":
        probe = speaker_probe(model.transform(X[train]), speaker, random_state=seed)
        result["probe"] = probe.above_chance
    return result


@CACHE.cache
def run_reference(kind: str, name: str) -> np.ndarray:
    """Predict all folds by functionals and a support vector machine."""
    corpus, X = load(name), features("reference", name)
    predicted = np.empty_like(corpus.emotion)
    for train, test in splits(kind, corpus):
        model = recipes.egemaps_svc()[1:].fit(X[train], corpus.emotion[train])
        predicted[test] = model.predict(X[test])
    return predicted


@CACHE.cache
def run_transfer(
    settings: dict[str, Any], seed: int, epochs: int, by_corpus: bool
) -> dict[str, Any]:
    """Train on CREMA-D, test on EMO-DB."""
    source, target = load("CREMA-D"), load("EMO-DB")
    X, X_new = (features("li", name) for name in ("CREMA-D", "EMO-DB"))
    if by_corpus:
        X, X_new = by_itself(X), by_itself(X_new)
    model = build("li", settings, seed, epochs)
    model.fit(X, source.emotion, groups=source.speaker)
    held_out = np.isin(source.speaker, model.validation_groups_)
    probe = speaker_probe(model.transform(X_new), target.speaker, random_state=seed)
    return {
        "UA val": ua_score(source.emotion[held_out], model.predict(X[held_out])),
        **scores(target.emotion, model.predict(X_new)),
        "speaker": probe.above_chance,
    }


def by_itself(X: np.ndarray) -> np.ndarray:
    """Standardise frames, or rows, by the corpus that they are of; no label is used."""
    rows = np.concatenate(list(X)) if X.dtype == object else X
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    if X.dtype != object:
        return (X - mean) / std
    return as_sequences([(x - mean) / std for x in X])


def scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    return {
        "UA test": ua_score(truth, predicted),
        "WA test": wa_score(truth, predicted),
    }


def pooled(name: str, folds: list[dict[str, Any]]) -> dict[str, float]:
    """Score all validation speakers at once, all test speakers, and the difference."""
    emotion, result = load(name).emotion, {}
    for side in ("valid", "test"):
        if side not in folds[0]:
            continue
        truth = emotion[np.concatenate([fold[side] for fold in folds])]
        predicted = np.concatenate([fold[f"{side}_predicted"] for fold in folds])
        short = {"valid": "val", "test": "test"}[side]
        result[f"UA {short}"] = ua_score(truth, predicted)
        result[f"WA {short}"] = wa_score(truth, predicted)
    if "valid" in folds[0]:
        result["UA Δ"] = result["UA test"] - result["UA val"]
        result["WA Δ"] = result["WA test"] - result["WA val"]
    if "probe" in folds[0]:
        result["speaker"] = float(np.mean([fold["probe"] for fold in folds]))
    return result


def by_speaker(kind: str, seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Run all models of a paper on all corpora, seed by seed."""
    rows: list[dict[str, Any]] = []
    for name in CORPORA:
        truth = load(name).emotion
        of_reference = scores(truth, run_reference(kind, name))
        rows.append({"corpus": name, "model": REFERENCE, **of_reference})
        features(kind, name)
    models = LI if kind == "li" else LIAN | TASKS
    asked = [
        (name, model, settings, seed)
        for seed in range(seeds)
        for name in CORPORA
        for model, settings in models.items()
        # The tasks, to save time, on one corpus.
        if model not in TASKS or name == "EMO-DB"
    ]
    calls = [
        (kind, name, settings, seed, fold, epochs)
        for name, _, settings, seed in asked
        for fold in range(len(splits(kind, load(name))))
    ]
    parallel = joblib.Parallel(n_jobs=2, return_as="generator", batch_size=1)
    run = parallel(
        joblib.delayed(run_to_the_end if call[1] == "URDU" else run_fold)(*call)
        for call in calls
    )
    for name, model, _, seed in asked:
        folds = [next(run) for _ in splits(kind, load(name))]
        row = {"corpus": name, "model": model, "seed": seed, **pooled(name, folds)}
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def transfer(seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Run all models of Li et al. from CREMA-D to EMO-DB."""
    source, target = load("CREMA-D"), load("EMO-DB")
    rows: list[dict[str, Any]] = []
    for by_corpus in (True, False):
        title = "standardised by corpus" if by_corpus else "as they are"
        X, X_new = (features("reference", name) for name in ("CREMA-D", "EMO-DB"))
        if by_corpus:
            X, X_new = by_itself(X), by_itself(X_new)
        reference = recipes.egemaps_svc()[1:].fit(X, source.emotion)
        found = scores(target.emotion, reference.predict(X_new))
        rows.append({"corpus": title, "model": REFERENCE, **found})
        asked = [(model, seed) for seed in range(seeds) for model in LI]
        run = joblib.Parallel(n_jobs=2, batch_size=1)(
            joblib.delayed(run_transfer)(LI[model], seed, epochs, by_corpus)
            for model, seed in asked
        )
        for (model, seed), found in zip(asked, run, strict=True):
            rows.append({"corpus": title, "model": model, "seed": seed, **found})
    return rows


@CACHE.cache
def run_length(kind: str, seed: int, fold: int, epochs: int) -> np.ndarray:
    """Predict a fold of EMO-DB by the encoder and emotion head alone."""
    corpus, X = load("EMO-DB"), features(kind, "EMO-DB")
    train, test = splits("lian", corpus)[fold]
    settings = {"class_weight": "balanced", "max_epochs": epochs, "random_state": seed}
    model = MEnAN(None, **settings).fit(X[train], corpus.emotion[train])
    return model.predict(X[test])


def lengths(seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Compare what becomes of recordings that are shorter than others."""
    corpus = load("EMO-DB")
    tests = np.concatenate([test for _, test in splits("lian", corpus)])
    asked = [(kind, seed) for seed in range(seeds) for kind in LENGTHS]
    calls = [(*ask, fold, epochs) for ask in asked for fold in range(5)]
    parallel = joblib.Parallel(n_jobs=2, batch_size=1)
    found = parallel(joblib.delayed(run_length)(*call) for call in calls)
    rows = []
    for number, (kind, seed) in enumerate(asked):
        predicted = np.concatenate(found[5 * number : 5 * number + 5])
        of_kind = scores(corpus.emotion[tests], predicted)
        rows.append({"corpus": "EMO-DB", "model": kind, "seed": seed, **of_kind})
    return rows


def partners(corpus: Corpus) -> dict[str, str]:
    """Pair a woman and a man, as each session of IEMOCAP does."""
    women, men = (
        np.unique(corpus.speaker[corpus.gender == gender]).tolist()
        for gender in ("female", "male")
    )
    return dict(zip(women + men, men + women, strict=True))


@CACHE.cache
def run_sessions(
    settings: dict[str, Any], seed: int, epochs: int
) -> list[dict[str, Any]]:
    """Hold out one speaker of EMO-DB in turn, and stop early by the partner.

    The two folds of a session learn from the same speakers by the same seed: they
    differ only in the epoch that is kept, and not at all where that is the last.
    """
    corpus = load("EMO-DB")
    settings = {**settings, "validation_groups": partners(corpus)}
    front_end = LogMelProsody(shorter="keep", memory=CACHE.location)
    model = make_pipeline(front_end, build("li", settings, seed, epochs))
    result = evaluate_by_speaker(model, corpus)
    folds = []
    for number, fitted in enumerate(result.learners):
        test = np.flatnonzero(result.fold == number)
        watched = np.isin(corpus.speaker, fitted["menan"].validation_groups_)
        valid = np.flatnonzero(watched)
        learned = np.setdiff1d(np.flatnonzero(~watched), test)
        probe = speaker_probe(
            fitted.transform(result.features[learned]),
            corpus.speaker[learned],
            random_state=seed,
        )
        folds.append({
            "test": test, "test_predicted": result.predicted[test],
            "valid": valid, "valid_predicted": fitted.predict(result.features[valid]),
            "probe": probe.above_chance,
        })  # fmt: skip
    return folds


def sessions(seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Run Table 2 of Li et al. by the protocol of the paper."""
    asked = [(model, seed) for seed in range(seeds) for model in LI]
    parallel = joblib.Parallel(n_jobs=2, batch_size=1)
    found = parallel(
        joblib.delayed(run_sessions)(LI[model], seed, epochs) for model, seed in asked
    )
    of_corpus = {"corpus": "EMO-DB"}
    return [
        of_corpus | {"model": model, "seed": seed, **pooled("EMO-DB", folds)}
        for (model, seed), folds in zip(asked, found, strict=True)
    ]


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Give mean and standard deviation over the seeds, by corpus and model."""

    def over_seeds(values: pd.Series) -> str:
        if values.isna().all():
            return ""
        spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
        return f"{values.mean():.3f}{spread}"

    frame = pd.DataFrame(rows)
    columns = [c for c in frame if c not in ("corpus", "model", "seed")]
    grouped = frame.groupby(["corpus", "model"], sort=False)
    found = grouped[columns].agg(over_seeds)
    return found.assign(seeds=grouped["seed"].nunique()).reset_index()


FURTHER = {"transfer": transfer, "lengths": lengths, "sessions": sessions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["lian", "li", *FURTHER])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    if arguments.what in FURTHER:
        rows = FURTHER[arguments.what](arguments.seeds, arguments.epochs)
    else:
        rows = by_speaker(arguments.what, arguments.seeds, arguments.epochs)
    result = table(rows).sort_values(
        "corpus",
        kind="stable",
        key=lambda c: c.map({name: index for index, name in enumerate(CORPORA)}),
    )
    print(result.to_markdown(index=False))


if __name__ == "__main__":
    main()
