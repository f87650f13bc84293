"""The numbers of `docs/results.md`: eGeMAPS + SVC and MetricDAE on real corpora.

Prints Markdown tables. The corpora are read from the folder that SKLEARN_SER_DATA
names (../shared/corpora without), in their official layouts: emodb, urdu, crema-d, and
labels/EMO_DB.csv and labels/URDU.csv. With --layer, the features are the means and
deviations of a layer of Whisper tiny.en, from the folder of models that
SKLEARN_SER_MODELS names (../shared/models without).

    python benchmarks/results_metric_dae.py by-speaker
    python benchmarks/results_metric_dae.py by-speaker --steps 2800
    python benchmarks/results_metric_dae.py transfer
    python benchmarks/results_metric_dae.py transfer --layer 2
    python benchmarks/results_metric_dae.py units
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS, SpeechEmbedding, recipes
from sklearn_ser.datasets import Corpus, load_crema_d, load_emodb, load_urdu
from sklearn_ser.evaluation import evaluate_by_speaker, evaluate_transfer
from sklearn_ser.metrics import ua_score, wa_score

SEEDS = range(5)
LABELS = (None, "act", "val")
FOUR = ["anger", "happiness", "neutral", "sadness"]
THREE = ["anger", "neutral", "sadness"]
MODELS = Path(os.environ.get("SKLEARN_SER_MODELS", "../shared/models"))
# On 768 values of a speech encoder; with fewer, the published network.
WIDE: dict[str, Any] = {"hidden_sizes": (256, 64), "latent_dim": 8}


def corpora(home: Path) -> dict[str, Corpus]:
    labels = home / "labels"
    return {
        "EMO-DB": load_emodb(home / "emodb", dimensions=labels / "EMO_DB.csv"),
        "URDU": load_urdu(home / "urdu", dimensions=labels / "URDU.csv"),
        "CREMA-D": load_crema_d(home / "crema-d").derive_dimensions(),
    }


def splitter(corpus: Corpus) -> Any:
    """One speaker out; five folds of speakers where they are many and uneven."""
    few = len(np.unique(corpus.speaker)) <= 10
    return LeaveOneGroupOut() if few else GroupKFold(5)


def classifier(C: float = 1.0) -> SVC:
    """Classify every representation alike: linear, classes balanced."""
    return SVC(kernel="linear", C=C, class_weight="balanced")


def score_by_speaker(
    corpus: Corpus, method: str, pipeline: Any, seed: int
) -> dict[str, Any]:
    result = evaluate_by_speaker(pipeline, corpus, cv=splitter(corpus))
    folds = result.folds
    return {
        "corpus": title(corpus),
        "method": method,
        "seed": seed,
        "pooled UA": result.ua,
        "pooled WA": result.wa,
        "mean of folds UA": folds["ua"].mean(),
        "mean of folds WA": folds["wa"].mean(),
    }


def score_labels(corpus: Corpus) -> dict[str, Any]:
    """Classify by the true labels, to have something to compare embeddings with."""
    X, y = np.c_[corpus.activation, corpus.valence], corpus.emotion
    cv, svc, groups = splitter(corpus), classifier(), corpus.speaker
    predicted = cross_val_predict(svc, X, y, groups=groups, cv=cv)
    tests = [test for _, test in cv.split(X, y, groups)]
    return {
        "corpus": title(corpus),
        "method": "true activation and valence",
        "seed": 0,
        "pooled UA": ua_score(y, predicted),
        "pooled WA": wa_score(y, predicted),
        "mean of folds UA": np.mean([ua_score(y[t], predicted[t]) for t in tests]),
        "mean of folds WA": np.mean([wa_score(y[t], predicted[t]) for t in tests]),
    }


def title(corpus: Corpus) -> str:
    return f"{corpus.name}, {len(np.unique(corpus.emotion))} classes"


def by_speaker(home: Path, steps: int | None) -> pd.DataFrame:
    def tasks(cache: str) -> Iterator[Any]:
        for corpus in corpora(home).values():
            EGeMAPS(n_jobs=-1, memory=cache, verbose=True).transform(corpus.audio)
            for C in (0.01, 1.0):
                pipe = recipes.egemaps_svc(C=C, memory=cache)
                yield delayed(score_by_speaker)(corpus, f"eGeMAPS, C = {C:g}", pipe, 0)
            compressed = recipes.metric_dae(memory=cache)
            compressed.set_params(metricdae=PCA(2))
            yield delayed(score_by_speaker)(corpus, "PCA(2)", compressed, 0)
            if corpus.name != "CREMA-D":  # its labels are made from its emotions
                yield delayed(score_labels)(corpus)
            for label in LABELS:
                for seed in SEEDS:
                    pipe = recipes.metric_dae(label, random_state=seed, memory=cache)
                    if steps is not None:
                        folds = splitter(corpus).get_n_splits(groups=corpus.speaker)
                        batches = -(-len(corpus) * (folds - 1) // folds // 64)
                        pipe.set_params(metricdae__max_epochs=round(steps / batches))
                    name = f"MetricDAE({label!r})"
                    yield delayed(score_by_speaker)(corpus, name, pipe, seed)

    with tempfile.TemporaryDirectory() as cache:
        rows = Parallel(n_jobs=2)(tasks(cache))
    return table(rows, ["corpus", "method"])


def transfer_once(
    source: Corpus, target: Corpus, method: str, pipeline: Any, learns: bool
) -> list[dict[str, Any]]:
    """Fit on the source, standardise 80 % of the target by the other 20 %."""
    result = evaluate_transfer(
        pipeline, source, target, classes=FOUR, subsets=[THREE], seeds=SEEDS
    )
    found = result.correlations(n_permutations=199) if learns else pd.DataFrame()
    rows = []
    for number, seed in enumerate(SEEDS):
        row = {"transfer": f"{source.name} → {target.name}", "method": method}
        row["seed"] = seed
        for part in (result, *result.subsets):
            row[f"UA, {len(part.classes)} classes"] = part.runs[number].ua
        if learns:
            row |= explained_by(found[found["seed"] == seed])
        rows.append(row)
    return rows


def explained_by(found: pd.DataFrame) -> dict[str, float]:
    """Give how much of the labels an embedding explains, by the names of columns."""
    row = {}
    for name in ("activation", "valence"):
        of_label = found[found["dimension"] == name].set_index("analysis")
        pairs, latent = of_label.loc["pairs"], of_label.loc["latent"]
        row[f"{name}, pairs: R²adj"] = pairs["adjusted_r2"]
        row[f"{name}, pairs: r"] = pairs["r"]
        row[f"{name}, pairs: Mantel p"] = pairs["permutation_p_value"]
        row[f"{name}, latent: R²adj"] = latent["adjusted_r2"]
        row[f"{name}, latent: F-test p"] = latent["p_value"]
    return row


def methods(layer: int | None, cache: str) -> Iterator[tuple[str, Any, bool]]:
    """Give each method by name, and whether its embedding is analysed."""
    front_end, shown = EGeMAPS(n_jobs=-1, memory=cache), "eGeMAPS"
    network: dict[str, Any] = {}
    if layer is not None:
        encoder = str(MODELS / "whisper-tiny.en-encoder")
        front_end = SpeechEmbedding(encoder, layer=layer, memory=cache)
        shown, network = f"layer {layer}", WIDE
    for C in (0.01, 1.0):
        reference = make_pipeline(front_end, StandardScaler(), classifier(C))
        yield f"{shown}, C = {C:g}", reference, False
    for label in LABELS:
        pipeline = recipes.metric_dae(label, front_end=front_end)
        pipeline["metricdae"].set_params(**network)
        yield f"MetricDAE({label!r})", pipeline, True


def transfer(home: Path, layer: int | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the classification and the share of the labels that is explained."""
    loaded = corpora(home)
    four = {name: loaded[name].keep_emotions(FOUR) for name in ("EMO-DB", "URDU")}
    directions = [("EMO-DB", "URDU"), ("URDU", "EMO-DB")]
    with tempfile.TemporaryDirectory() as cache:
        # Once with a look at it, before the processes share the cache.
        for corpus in four.values():
            next(methods(layer, cache))[1][0].transform(corpus.audio)
        runs = Parallel(n_jobs=2)(
            delayed(transfer_once)(four[source], four[target], *method)
            for source, target in directions
            for method in methods(layer, cache)
        )
    by = ["transfer", "method"]
    scores = table([row for run in runs for row in run], by)
    classes = [name for name in scores if name.startswith("UA")]
    explained = scores.drop(columns=classes)
    return scores[by + classes], explained[explained.iloc[:, -1] != ""]


def units(home: Path) -> pd.DataFrame:
    """Give the same ratings of activation in several units; five folds, two seeds."""
    corpus = corpora(home)["EMO-DB"]
    X = EGeMAPS(n_jobs=-1, verbose=True).transform(corpus.audio)
    scales = {"1 to 5": (1, 0), "-1 to 1": (0.5, -1.5), "0 to 1": (0.25, -0.25)}
    scales |= {"0 to 100": (25, -25), "0 to 1000": (250, -250)}
    scales |= {"0 to 0.01": (0.0025, -0.0025), "1e9 + a": (1, 1e9)}
    rows = []
    for name, (scale, shift) in scales.items():
        scores = []
        for seed in range(2):
            predicted = cross_val_predict(
                recipes.metric_dae("act", random_state=seed)[1:],
                X,
                corpus.emotion,
                groups=corpus.speaker,
                cv=GroupKFold(5),
                params={"metricdae__activation": scale * corpus.activation + shift},
            )
            scores.append(ua_score(corpus.emotion, predicted))
        rows.append({"ratings": name, "pooled UA": f"{np.mean(scores):.3f}"})
    return pd.DataFrame(rows)


def table(rows: list[dict[str, Any]], by: list[str]) -> pd.DataFrame:
    """Give mean and standard deviation over the seeds; of p-values, the largest."""
    frame = gains(pd.DataFrame(rows), by).drop(columns="seed")
    groups = frame.groupby(by, sort=False)

    def cell(values: pd.Series) -> str:
        if values.isna().all():
            return ""
        if str(values.name).endswith(" p"):
            return f"≤ {max(values.max(), 0.001):.3f}"
        spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
        return f"{values.mean():.3f}{spread}"

    return groups.agg(cell).reset_index()


def gains(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Add what a label gains over no label with the same seed."""
    first = next(name for name in frame if "UA" in name)
    of_baseline = frame[frame["method"] == "MetricDAE(None)"]
    baseline = of_baseline.set_index([by[0], "seed"])[first]
    keys = pd.MultiIndex.from_frame(frame[[by[0], "seed"]])
    learns = frame["method"].isin([f"MetricDAE({label!r})" for label in LABELS[1:]])
    gain = frame[first].to_numpy() - baseline.reindex(keys).to_numpy()
    name = f"{first}, gain over None"
    frame.insert(frame.columns.get_loc(first) + 1, name, np.where(learns, gain, np.nan))
    return frame


def markdown(frame: pd.DataFrame) -> str:
    lines = [list(frame.columns), ["---"] * frame.shape[1], *frame.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", choices=["by-speaker", "transfer", "units"])
    parser.add_argument(
        "--steps", type=int, help="train for so many steps instead of 50 epochs"
    )
    parser.add_argument("--layer", type=int, help="of the encoder, for transfer")
    options = parser.parse_args()
    home = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    if options.experiment == "by-speaker":
        print(markdown(by_speaker(home, options.steps)))
    elif options.experiment == "units":
        print(markdown(units(home)))
    else:
        print("\n\n".join(markdown(part) for part in transfer(home, options.layer)))


if __name__ == "__main__":
    main()
