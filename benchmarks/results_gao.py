"""The numbers of `docs/results.md` on PseudoSiameseGated.

Prints Markdown tables: the five models of Gao et al. (2021) and the reference, by
speaker, on EMO-DB with CREMA-D and URDU as auxiliary corpora, and on CREMA-D with
EMO-DB and URDU; then the confusion matrices of PT_G and PSN_G, which --picture also
draws. The corpora are read from the folder that SKLEARN_SER_DATA names
(../shared/corpora without), in their official layouts: emodb, urdu and crema-d. What
has been computed is kept in the folder that RESULTS_CACHE names, where it names one,
so that a run can be interrupted.

    RESULTS_CACHE=cache python benchmarks/results_gao.py
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GroupKFold

from sklearn_ser import EGeMAPS, PseudoSiameseGated, SpectrogramSegmenter, recipes
from sklearn_ser.datasets import (
    AuxiliaryCorpora,
    Corpus,
    emotion_quadrant,
    load_crema_d,
    load_emodb,
    load_urdu,
)
from sklearn_ser.metrics import ua_score, wa_score

HOME = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
CACHE = joblib.Memory(os.environ.get("RESULTS_CACHE"), verbose=0)
# The emotions of the paper, in the target; the auxiliary corpora keep all of theirs.
FOUR = ["anger", "happiness", "neutral", "sadness"]
LOADERS = {
    "EMO-DB": lambda: load_emodb(HOME / "emodb"),
    "URDU": lambda: load_urdu(HOME / "urdu"),
    "CREMA-D": lambda: load_crema_d(HOME / "crema-d"),
}
AUXILIARY = {"EMO-DB": ["CREMA-D", "URDU"], "CREMA-D": ["EMO-DB", "URDU"]}
N_FOLDS = {"EMO-DB": 5, "CREMA-D": 4}
REFERENCE = "eGeMAPS + SVC"
# Table 2; the models of a group have the same branches, which are trained once.
MODELS: dict[str, dict[str, dict[str, Any]]] = {
    "alone": {"CNN-BLSTM": {"fusion": None}},
    "pre-trained": {
        "PT": {"fusion": "concatenate", "triplets": None},
        "PT_G": {"fusion": "gate", "triplets": None},
    },
    "pseudo-siamese": {
        "PSN": {"fusion": "concatenate"},
        "PSN_G": {"fusion": "gate"},
    },
}


@CACHE.cache
def segments(name: str) -> tuple[Corpus, np.ndarray]:
    corpus = LOADERS[name]()
    return corpus, SpectrogramSegmenter().transform(corpus.audio)


def target_of(name: str) -> tuple[Corpus, np.ndarray]:
    corpus, X = segments(name)
    kept = np.flatnonzero(np.isin(corpus.emotion, FOUR))
    return corpus.select(kept), X[kept]


def auxiliary_of(name: str) -> AuxiliaryCorpora:
    parts = [segments(other) for other in AUXILIARY[name]]
    return AuxiliaryCorpora(
        np.concatenate([X for _, X in parts]),
        np.concatenate([emotion_quadrant(corpus.emotion) for corpus, _ in parts]),
        corpus=np.repeat(AUXILIARY[name], [len(corpus) for corpus, _ in parts]),
    )


def folds(name: str, corpus: Corpus) -> list[Any]:
    splitter = GroupKFold(N_FOLDS[name])
    return list(splitter.split(corpus.emotion, groups=corpus.speaker))


@CACHE.cache
def run_fold(
    name: str, group: str, seed: int, fold: int, epochs: tuple[int, int]
) -> dict[str, np.ndarray]:
    """Predict the test speakers of a fold by the models of a group."""
    corpus, X = target_of(name)
    train, test = folds(name, corpus)[fold]
    auxiliary = None if group == "alone" else auxiliary_of(name)
    predicted = {}
    for model, settings in MODELS[group].items():
        estimator = PseudoSiameseGated(
            auxiliary,
            class_weight="balanced",
            pretraining_epochs=epochs[0],
            feature_epochs=epochs[1],
            memory=CACHE,
            random_state=seed,
            **settings,
        ).fit(X[train], corpus.emotion[train])
        predicted[model] = estimator.predict(X[test])
    return predicted


@CACHE.cache
def run_reference(name: str) -> np.ndarray:
    """Predict all folds by functionals and a support vector machine."""
    corpus, _ = target_of(name)
    X = EGeMAPS().transform(corpus.audio)
    predicted = np.empty_like(corpus.emotion)
    for train, test in folds(name, corpus):
        model = recipes.egemaps_svc()[1:].fit(X[train], corpus.emotion[train])
        predicted[test] = model.predict(X[test])
    return predicted


def predictions(
    seeds: int, epochs: tuple[int, int], names: list[str]
) -> dict[tuple[str, str, int], np.ndarray]:
    """Predict all utterances by all models, seed by seed."""
    corpora = {name: target_of(name)[0] for name in names}
    asked = [
        (name, group, seed, fold)
        for seed in range(seeds)
        for name in names
        for group in MODELS
        for fold in range(N_FOLDS[name])
    ]
    run = joblib.Parallel(n_jobs=2, return_as="generator", batch_size=1)(
        joblib.delayed(run_fold)(*call, epochs) for call in asked
    )
    found: dict[tuple[str, str, int], np.ndarray] = {}
    for (name, _, seed, fold), of_fold in zip(asked, run, strict=True):
        corpus = corpora[name]
        _, test = folds(name, corpus)[fold]
        for model, predicted in of_fold.items():
            whole = found.setdefault(
                (name, model, seed), np.full(len(corpus), "", corpus.emotion.dtype)
            )
            whole[test] = predicted
            score = ua_score(corpus.emotion[test], predicted)
            print(name, model, seed, fold, f"{score:.3f}", file=sys.stderr, flush=True)
    for name in names:
        found[name, REFERENCE, -1] = run_reference(name)
    return found


def table(found: dict[tuple[str, str, int], np.ndarray]) -> pd.DataFrame:
    """Give mean and standard deviation over the seeds, by corpus and model."""
    rows = []
    for (name, model, seed), predicted in found.items():
        truth = target_of(name)[0].emotion
        scores = {"WA": wa_score(truth, predicted), "UA": ua_score(truth, predicted)}
        rows.append({"target": name, "model": model, "seed": seed, **scores})
    frame = pd.DataFrame(rows)
    order = [REFERENCE, *(model for group in MODELS.values() for model in group)]
    frame["model"] = pd.Categorical(frame["model"], order)
    frame["target"] = pd.Categorical(frame["target"], list(AUXILIARY))

    def over_seeds(values: pd.Series) -> str:
        spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
        return f"{values.mean():.3f}{spread}"

    grouped = frame.groupby(["target", "model"], observed=True)
    result = grouped[["WA", "UA"]].agg(over_seeds)
    of_models = frame[frame["seed"] >= 0].groupby(["target", "model"], observed=True)
    return result.assign(seeds=of_models["seed"].nunique()).fillna({"seeds": 0})


def confusion(
    found: dict[tuple[str, str, int], np.ndarray], name: str, model: str
) -> pd.DataFrame:
    """Give the share of each true emotion that was taken for each, over all seeds."""
    of_model = [p for (n, m, _), p in found.items() if (n, m) == (name, model)]
    truth = np.tile(target_of(name)[0].emotion, len(of_model))
    shares = confusion_matrix(
        truth, np.concatenate(of_model), labels=FOUR, normalize="true"
    )
    return pd.DataFrame(
        shares, index=[f"{model}, {name}: {e}" for e in FOUR], columns=FOUR
    )


def draw(found: dict[tuple[str, str, int], np.ndarray], path: Path) -> None:
    """Draw the confusion matrices of PT_G and PSN_G."""
    import matplotlib as mpl

    mpl.use("Agg")
    from sklearn_ser.plotting import ConfusionComparisonDisplay

    for name in {name for name, _, _ in found}:
        pooled = {
            model: np.concatenate(
                [p for (n, m, _), p in found.items() if (n, m) == (name, model)]
            )
            for model in ("PT_G", "PSN_G")
        }
        truth = target_of(name)[0].emotion
        display = ConfusionComparisonDisplay.from_predictions(
            np.tile(truth, len(pooled["PT_G"]) // len(truth)),
            *pooled.values(),
            names=tuple(pooled),
        )
        display.figure_.savefig(path / f"confusion_{name.lower()}.png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--target", choices=list(AUXILIARY), action="append")
    parser.add_argument("--pretraining-epochs", type=int, default=2)
    parser.add_argument("--feature-epochs", type=int, default=6)
    parser.add_argument("--picture", type=Path, help="folder for the pictures")
    arguments = parser.parse_args()
    epochs = (arguments.pretraining_epochs, arguments.feature_epochs)
    names = arguments.target or list(AUXILIARY)
    found = predictions(arguments.seeds, epochs, names)
    print(table(found).reset_index().to_markdown(index=False), end="\n\n")
    matrices = [confusion(found, n, m) for n in names for m in ("PT_G", "PSN_G")]
    print(pd.concat(matrices).round(3).to_markdown())
    if arguments.picture is not None:
        draw(found, arguments.picture)


if __name__ == "__main__":
    main()
