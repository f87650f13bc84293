"""The numbers of `docs/results.md` on AE, VAE and CVAE with an LSTM.

Prints Markdown tables, over five folds of speakers. The corpora are read from the
folder that SKLEARN_SER_DATA names (../shared/corpora without), in their official
layouts: emodb, urdu, crema-d, and labels/EMO_DB.csv and labels/URDU.csv. What is
trained is kept in the folder of --cache, so that a run can be interrupted.

    python benchmarks/results_cvae.py --seeds 3 --cache /tmp/cvae
"""

import argparse
import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold

from sklearn_ser import CVAE, EGeMAPS, LogMelSegmenter, SequenceClassifier, recipes
from sklearn_ser.datasets import (
    Corpus,
    dimension_levels,
    load_crema_d,
    load_emodb,
    load_urdu,
)
from sklearn_ser.metrics import ua_score, wa_score

FOUR = ["anger", "happiness", "neutral", "sadness"]
Targets = dict[str, np.ndarray]


def corpora(home: Path) -> dict[str, Corpus]:
    labels = home / "labels"
    emodb = load_emodb(home / "emodb", dimensions=labels / "EMO_DB.csv")
    return {
        "EMO-DB": emodb,
        "URDU": load_urdu(home / "urdu", dimensions=labels / "URDU.csv"),
        "CREMA-D": load_crema_d(home / "crema-d"),
        "EMO-DB, 4 classes": emodb.keep_emotions(FOUR),
    }


def targets(corpus: Corpus) -> dict[str, np.ndarray]:
    """Return the emotion, and three levels of the dimensions where they are rated."""
    rated = {d: getattr(corpus, d) for d in ("activation", "valence")}
    levels = {d: dimension_levels(r) for d, r in rated.items() if r is not None}
    return {"emotion": corpus.emotion} | levels


def lstm(seed: int) -> SequenceClassifier:
    return SequenceClassifier(class_weight="balanced", random_state=seed)


def reference(
    audio: np.ndarray, wanted: Targets, splits: list[Any]
) -> dict[str, dict[str, np.ndarray]]:
    """Predict all targets by functionals and a support vector machine."""
    features = EGeMAPS(n_jobs=-1).transform(audio)
    found: dict[str, dict[str, np.ndarray]] = {}
    for target, y in wanted.items():
        predicted = np.empty_like(y)
        for train, test in splits:
            model = recipes.egemaps_svc()[1:].fit(features[train], y[train])
            predicted[test] = model.predict(features[test])
        found[target] = {"eGeMAPS + SVC": predicted}
    return found


def predict_fold(
    audio: np.ndarray, wanted: Targets, train: np.ndarray, test: np.ndarray, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Predict all targets of one fold by all models, encoders fitted once for all."""
    X = LogMelSegmenter().transform(audio)
    encoded = {"log-mel segments": X}
    for variant in ("ae", "vae"):
        encoder = CVAE(variant, random_state=seed).fit(X[train])
        encoded[variant.upper()] = encoder.transform(X)
    found: dict[str, dict[str, np.ndarray]] = {}
    for target, y in wanted.items():
        found[target] = {}
        of_target = dict(encoded)
        cvae = CVAE(random_state=seed).fit(X[train], y[train])
        of_target["CVAE, posterior"] = cvae.transform(X)
        of_target["CVAE, prior"] = cvae.set_params(condition="prior").transform(X)
        found[target]["CVAE, generative"] = cvae.predict(X[test])
        if target == "emotion":
            of_target["CVAE, oracle (leaks)"] = cvae.transform(X, oracle_labels=y)
            cvae = CVAE(condition="zero", label_dropout=0.5, random_state=seed)
            of_target["CVAE, zero"] = cvae.fit(X[train], y[train]).transform(X)
        for name, sequences in of_target.items():
            model = lstm(seed).fit(sequences[train], y[train])
            found[target][f"{name} + LSTM"] = model.predict(sequences[test])
    return found


def scores(corpus: Corpus, name: str, cache: joblib.Memory, seeds: int) -> list[Any]:
    """Pool the folds and score them."""
    wanted = targets(corpus)
    if "classes" in name:  # the ratings are scored on the whole corpus
        wanted = {"emotion": wanted["emotion"]}
    splits = list(GroupKFold(5).split(corpus.audio, corpus.emotion, corpus.speaker))
    runs = {-1: cache.cache(reference)(corpus.audio, wanted, splits)}
    for seed in range(seeds):
        folds = joblib.Parallel(n_jobs=2)(
            joblib.delayed(cache.cache(predict_fold))(
                corpus.audio, wanted, train, test, seed
            )
            for train, test in splits
        )
        order = np.argsort(np.concatenate([test for _, test in splits]))
        runs[seed] = {
            target: {
                model: np.concatenate([fold[target][model] for fold in folds])[order]
                for model in models
            }
            for target, models in folds[0].items()
        }
    rows = []
    for seed, run in runs.items():
        for target, y in wanted.items():
            for model, predicted in run[target].items():
                f1 = f1_score(y, predicted, average="macro")
                row = {"corpus": name, "target": target, "model": model, "seed": seed}
                row |= {"UA": ua_score(y, predicted), "WA": wa_score(y, predicted)}
                rows.append(row | {"F1": f1})
    return rows


def table(rows: list[Any]) -> pd.DataFrame:
    """Give mean and standard deviation over the seeds."""

    def over_seeds(values: pd.Series) -> str:
        spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
        return f"{values.mean():.3f}{spread}"

    by = ["corpus", "target", "model"]
    grouped = pd.DataFrame(rows).drop(columns="seed").groupby(by, sort=False)
    return grouped.agg(over_seeds).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", default=None, help="folder to keep results in")
    parser.add_argument("--corpora", nargs="+", help="some of them only")
    arguments = parser.parse_args()
    home = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    cache = joblib.Memory(arguments.cache, verbose=0)
    rows: list[Any] = []
    for name, corpus in corpora(home).items():
        if not arguments.corpora or name in arguments.corpora:
            rows += scores(corpus, name, cache, arguments.seeds)
    result = table(rows)
    for target, of_target in result.groupby("target", sort=False):
        print(
            f"\n{target}\n\n{of_target.drop(columns='target').to_markdown(index=False)}"
        )


if __name__ == "__main__":
    main()
