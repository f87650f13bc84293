"""The numbers of `docs/results.md` on AE, VAE and CVAE with an LSTM.

Prints Markdown tables, over five folds of speakers. The corpora are read from the
folder that SKLEARN_SER_DATA names (../shared/corpora without), in their official
layouts: emodb, urdu, crema-d, and labels/EMO_DB.csv and labels/URDU.csv. What has
been computed is kept in the folder that CVAE_CACHE names, where it names one, so that
a run can be interrupted.

    CVAE_CACHE=cache python benchmarks/results_cvae.py --seeds 3 --seeds-of-levels 2

With --rotate, each of the five folds has another seed from 0 to 4: a single pass sees
five seeds, and five passes see each fold with each of them. --only names the corpora,
and --models the models.

    python benchmarks/results_cvae.py --rotate --seeds 5 --seeds-of-levels 0 --only URDU
        --models "CVAE, posterior" "CVAE, cross-fitted" "CVAE, prior" "CVAE, zero"
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from sklearn_ser import CVAE, EGeMAPS, LogMelSegmenter, SequenceClassifier, recipes
from sklearn_ser.datasets import (
    Corpus,
    dimension_levels,
    load_crema_d,
    load_emodb,
    load_urdu,
)
from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score

FOUR = ["anger", "happiness", "neutral", "sadness"]
MODELS = ("log-mel segments", "AE", "VAE", "CVAE, posterior")
CONDITIONS = ("CVAE, cross-fitted", "CVAE, prior", "CVAE, zero")
EXTRAS = ("CVAE, oracle", "CVAE alone")
# For levels: conditioned on the emotion, as the paper's Table 2 may be read.
OF_EMOTIONS = ("CVAE of emotions, posterior", "CVAE of emotions, prior")
# Folds of training speakers in cross-fitting.
INNER = 3
CACHE = joblib.Memory(os.environ.get("CVAE_CACHE"), verbose=0)


def corpora(home: Path) -> dict[str, Corpus]:
    labels = home / "labels"
    emodb = load_emodb(home / "emodb", dimensions=labels / "EMO_DB.csv")
    return {
        "EMO-DB": emodb,
        "URDU": load_urdu(home / "urdu", dimensions=labels / "URDU.csv"),
        "CREMA-D": load_crema_d(home / "crema-d"),
        "EMO-DB, 4 classes": emodb.keep_emotions(FOUR),
    }


def targets(name: str, corpus: Corpus) -> dict[str, np.ndarray]:
    """Return the emotion, and three levels of the dimensions where they are rated."""
    rated = {d: getattr(corpus, d) for d in ("activation", "valence")}
    if "classes" in name:  # the ratings are scored on the whole corpus
        rated = {}
    levels = {d: dimension_levels(r) for d, r in rated.items() if r is not None}
    return {"emotion": corpus.emotion} | levels


def egemaps_svc(
    audio: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Predict a fold by functionals and a support vector machine."""
    features = CACHE.cache(functionals)(audio)
    model = recipes.egemaps_svc()[1:].fit(features[train], y[train])
    return model.predict(features[test])


def functionals(audio: np.ndarray) -> np.ndarray:
    return EGeMAPS().transform(audio)


def encode(X: np.ndarray, train: np.ndarray, variant: str, seed: int) -> np.ndarray:
    """Encode all utterances by what is learned from some, without labels."""
    return CVAE(variant, random_state=seed).fit(X[train]).transform(X)


def represent(
    X: np.ndarray,
    y: np.ndarray,
    speaker: np.ndarray,
    train: np.ndarray,
    model: str,
    seed: int,
) -> np.ndarray:
    """Return what the LSTM of a model is given for all utterances."""
    if model == "log-mel segments":
        return X
    if model in ("AE", "VAE"):
        return CACHE.cache(encode)(X, train, model.lower(), seed)
    condition = model.partition(", ")[2]
    if condition == "cross-fitted":
        return CACHE.cache(cross_fit)(X, y, speaker, train, seed)
    cvae = CACHE.cache(fit_cvae)(X, y, train, 0.5 if condition == "zero" else 0.0, seed)
    if condition == "oracle":
        return cvae.transform(X, oracle_labels=y)
    return cvae.set_params(condition=condition).transform(X)


def cross_fit(
    X: np.ndarray, y: np.ndarray, speaker: np.ndarray, train: np.ndarray, seed: int
) -> np.ndarray:
    """Encode the training data as if they were new, and all others."""
    cvae = CVAE(cv=INNER, random_state=seed)
    encoded = cvae.fit_transform(X[train], y[train], groups=speaker[train])
    latents = cvae.transform(X)
    latents[train] = encoded
    return latents


def fit_cvae(
    X: np.ndarray, y: np.ndarray, train: np.ndarray, label_dropout: float, seed: int
) -> CVAE:
    """Fit one conditional model for all that is made of it."""
    return CVAE(label_dropout=label_dropout, random_state=seed).fit(X[train], y[train])


def predict(
    audio: np.ndarray,
    y: np.ndarray,
    emotion: np.ndarray,
    speaker: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    model: str,
    seed: int,
) -> np.ndarray:
    """Predict a fold by a model of sequences."""
    X = LogMelSegmenter().transform(audio)
    if model == "CVAE alone":
        return CACHE.cache(fit_cvae)(X, y, train, 0.0, seed).predict(X[test])
    condition = emotion if "of emotions" in model else y
    sequences = represent(X, condition, speaker, train, model, seed)
    lstm = SequenceClassifier(class_weight="balanced", random_state=seed)
    return lstm.fit(sequences[train], y[train]).predict(sequences[test])


def models(name: str, target: str, seed: int) -> tuple[str, ...]:
    """Return what is compared on a corpus."""
    if target != "emotion":
        return MODELS + OF_EMOTIONS
    if "classes" in name:
        return MODELS + CONDITIONS + EXTRAS
    return MODELS + CONDITIONS + (() if seed else EXTRAS)


def tasks(
    home: Path,
    seeds: int,
    seeds_of_levels: int,
    rotate: bool,
    only: list[str],
    of_models: list[str],
) -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Yield a name, the truth, and the calls for the folds, of each table row."""
    asked = [
        (seed, name, corpus, target, y)
        for seed in range(seeds)
        for name, corpus in corpora(home).items()
        if not only or name in only
        for target, y in targets(name, corpus).items()
        if seed < (seeds if target == "emotion" else seeds_of_levels)
        if not (seed and "classes" in name)  # one seed, for orientation
    ]
    for seed, name, corpus, target, y in asked:
        row = {"corpus": name, "target": target, "seed": seed}
        splits = list(GroupKFold(5).split(y, y, corpus.speaker))
        if not seed and not of_models:
            calls = [(egemaps_svc, (corpus.audio, y, *split)) for split in splits]
            yield row | {"model": "eGeMAPS + SVC"}, y, calls
        for model in models(name, target, seed):
            if of_models and model not in of_models:
                continue
            given = (corpus.audio, y, corpus.emotion, corpus.speaker)
            of_fold = [(k - seed) % 5 if rotate else seed for k in range(5)]
            calls = [
                (predict, (*given, *split, model, of_fold[k]))
                for k, split in enumerate(splits)
            ]
            title = f"{model} + LSTM" if model != "CVAE alone" else model
            yield row | {"model": title}, y, calls


def scores(home: Path, **options: Any) -> list[Any]:
    """Pool the folds of each row and score them."""
    rows = list(tasks(home, **options))
    calls = [call for _, _, of_row in rows for call in of_row]
    parallel = joblib.Parallel(n_jobs=2, return_as="generator", batch_size=1)
    run = parallel(joblib.delayed(CACHE.cache(f))(*given) for f, given in calls)
    results = []
    for row, y, of_row in rows:
        predicted = np.empty_like(y)
        for (call, given), of_fold in zip(of_row, run, strict=False):
            predicted[given[5 if call is predict else 3]] = of_fold
        scored = {
            "UA": ua_score(y, predicted),
            "WA": wa_score(y, predicted),
            "F1": macro_f1_score(y, predicted),
        }
        print(row | scored, file=sys.stderr, flush=True)
        results.append(row | scored)
    return results


def table(rows: list[Any]) -> pd.DataFrame:
    """Give mean and standard deviation over the seeds."""

    def over_seeds(values: pd.Series) -> str:
        spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
        return f"{values.mean():.3f}{spread}"

    by = ["corpus", "target", "model"]
    grouped = pd.DataFrame(rows).groupby(by, sort=False)
    found = grouped[["UA", "WA", "F1"]].agg(over_seeds)
    return found.assign(seeds=grouped["seed"].nunique()).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="for the emotions")
    parser.add_argument("--seeds-of-levels", type=int, default=2, help="for the levels")
    parser.add_argument("--rotate", action="store_true", help="another seed by fold")
    parser.add_argument("--only", nargs="+", default=[], help="the corpora")
    parser.add_argument("--models", dest="of_models", nargs="+", default=[])
    arguments = parser.parse_args()
    home = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    rows = scores(home, **vars(arguments))
    result = table(rows)
    for target, of_target in result.groupby("target", sort=False):
        print(
            f"\n{target}\n\n{of_target.drop(columns='target').to_markdown(index=False)}"
        )


if __name__ == "__main__":
    main()
