"""The numbers of `docs/results.md` on ratings: MetricDAERegressor and its peers.

Prints Markdown tables for EMO-DB and URDU: the concordance correlation of ratings of
speakers that are held out, in five folds, pooled, mean and standard deviation over five
seeds. What each regressor is set to is chosen in each fold among the training speakers
alone (three folds by speaker, by `ccc_scorer`). Ridge and SVR have no seed: one run.
The corpora are read from the folder that SKLEARN_SER_DATA names (../shared/corpora
without).

    python benchmarks/results_regressor.py
    python benchmarks/results_regressor.py --layer 2
    python benchmarks/results_regressor.py --layer 2 --ablation

--ablation changes one setting of MetricDAERegressor after the other, for valence on
URDU, and gives its CCC on the training speakers, too. Nothing is chosen by it. The
features are those of `EGeMAPS`, or means and deviations of a layer of the encoder of
Whisper tiny.en, read from the folder that SKLEARN_SER_MODELS names (../shared/models).
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sklearn_ser import EGeMAPS, MetricDAERegressor, SpeechEmbedding
from sklearn_ser.datasets import Corpus, load_emodb, load_urdu
from sklearn_ser.metrics import ccc_scorer, concordance_correlation

SEEDS = range(5)
REGRESSORS: dict[str, tuple[Any, dict[str, list[Any]]]] = {
    "ridge": (Ridge(), {"alpha": [1.0, 10.0, 100.0, 1000.0]}),
    "SVR": (SVR(), {"C": [0.1, 1.0, 10.0]}),
    "MLP": (
        MLPRegressor(hidden_layer_sizes=(256, 64), max_iter=50, batch_size=64),
        {"alpha": [1e-4, 1.0]},
    ),
    "MetricDAERegressor": (
        MetricDAERegressor(),
        {"metric_weight": [1.0, 5.0]},
    ),
}


def corpora(home: Path) -> dict[str, Corpus]:
    labels = home / "labels"
    return {
        "EMO-DB": load_emodb(home / "emodb", dimensions=labels / "EMO_DB.csv"),
        "URDU": load_urdu(home / "urdu", dimensions=labels / "URDU.csv"),
    }


def search(name: str, seed: int) -> GridSearchCV:
    """Return a regressor with its settings to choose from."""
    regressor, grid = REGRESSORS[name]
    if "random_state" in regressor.get_params():
        regressor = regressor.set_params(random_state=seed)
    model = make_pipeline(StandardScaler(), regressor)
    step = model.steps[-1][0]
    named = {f"{step}__{parameter}": values for parameter, values in grid.items()}
    return GridSearchCV(model, named, scoring=ccc_scorer, cv=GroupKFold(3))


def score(X: Any, y: Any, speaker: Any, name: str, seed: int) -> float:
    """Return the CCC of one seed over all held-out speakers."""
    predicted = np.empty(len(y))
    for train, test in GroupKFold(5).split(X, y, speaker):
        model = search(name, seed).fit(X[train], y[train], groups=speaker[train])
        predicted[test] = model.predict(X[test])
    return float(concordance_correlation(y, predicted))


ABLATION: dict[str, dict[str, Any]] = {
    "defaults": {},
    "metric_weight=0": {"metric_weight": 0.0},
    "metric_weight=5": {"metric_weight": 5.0},
    "metric_weight=20": {"metric_weight": 20.0},
    "distance='signed', latent_dim=1": {"distance": "signed", "latent_dim": 1},
    "max_epochs=10": {"max_epochs": 10},
    "weight_decay=0.1": {"weight_decay": 0.1},
    "noise_std=0": {"noise_std": 0.0},
}


def ablate(X: Any, y: Any, speaker: Any, name: str, seed: int) -> dict[str, Any]:
    """Return the CCC of one setting, on held-out speakers and on those of training."""
    predicted, of_training = np.empty(len(y)), []
    for train, test in GroupKFold(5).split(X, y, speaker):
        regressor = MetricDAERegressor(random_state=seed, **ABLATION[name])
        model = make_pipeline(StandardScaler(), regressor).fit(X[train], y[train])
        predicted[test] = model.predict(X[test])
        of_training.append(concordance_correlation(y[train], model.predict(X[train])))
    held_out = concordance_correlation(y, predicted)
    return {
        "setting": name,
        "held out": held_out,
        "training": float(np.mean(of_training)),
    }


def features(corpus: Corpus, layer: int | None, jobs: int) -> Any:
    """Return a row for each recording."""
    if layer is None:
        return EGeMAPS(n_jobs=jobs).transform(corpus.audio)
    models = Path(os.environ.get("SKLEARN_SER_MODELS", "../shared/models"))
    encoder = str(models / "whisper-tiny.en-encoder")
    return SpeechEmbedding(encoder, layer=layer, n_jobs=jobs).transform(corpus.audio)


def ablation(home: Path, layer: int | None, jobs: int) -> pd.DataFrame:
    """Give mean and standard deviation over the seeds for each setting."""
    corpus = corpora(home)["URDU"]
    given = features(corpus, layer, jobs), corpus.valence, corpus.speaker
    run = Parallel(n_jobs=jobs)
    rows = run(
        delayed(ablate)(*given, name, seed) for name in ABLATION for seed in SEEDS
    )
    of_setting = pd.DataFrame(rows).groupby("setting", sort=False)
    return of_setting.agg(
        lambda ccc: f"{ccc.mean():.3f} ± {ccc.std(ddof=1):.3f}"
    ).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layer", type=int, help="of the encoder")
    parser.add_argument("--only", nargs="+", default=[], help="the corpora")
    parser.add_argument("--ratings", nargs="+", default=["activation", "valence"])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--ablation", action="store_true")
    arguments = parser.parse_args()
    home = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    if arguments.ablation:
        found = ablation(home, arguments.layer, arguments.jobs)
        print(found.to_markdown(index=False))
        return
    tasks = []
    for title, corpus in corpora(home).items():
        if arguments.only and title not in arguments.only:
            continue
        X = features(corpus, arguments.layer, arguments.jobs)
        for rated in arguments.ratings:
            y = getattr(corpus, rated)
            for name in REGRESSORS:
                seeds = (0,) if name in ("ridge", "SVR") else SEEDS
                given = (X, y, corpus.speaker, name)
                tasks += [((title, rated, name), (*given, seed)) for seed in seeds]
    run = Parallel(n_jobs=arguments.jobs, return_as="generator", batch_size=1)
    rows = []
    for (row, given), ccc in zip(
        tasks, run(delayed(score)(*given) for _, given in tasks), strict=True
    ):
        print(*row, given[-1], f"{ccc:.3f}", file=sys.stderr, flush=True)
        rows.append((*row, ccc))
    frame = pd.DataFrame(rows, columns=["corpus", "rating", "regressor", "CCC"])
    grouped = frame.groupby(["corpus", "rating", "regressor"], sort=False)["CCC"]
    result = grouped.agg(
        lambda ccc: (
            f"{ccc.mean():.3f}" + (f" ± {ccc.std(ddof=1):.3f}" if len(ccc) > 1 else "")
        )
    )
    print(result.unstack("regressor").to_markdown())


if __name__ == "__main__":
    main()
