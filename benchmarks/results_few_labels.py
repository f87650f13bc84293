"""What it gains to deal labelled rows evenly to the batches, where labels are few.

Prints a Markdown table for EMO-DB: of the training utterances of each fold, a share
drawn at random keeps its rating. *Plain* batches are those of a permutation; *dealt*
are those of `MetricDAE`. CCC is of the rating that `predict` gives for speakers that
are held out, UA of a linear SVC on the embedding, which knows the emotions of all
training utterances. The corpus is read from the folder that SKLEARN_SER_DATA names
(../shared/corpora without).

    python benchmarks/results_few_labels.py
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS, MetricDAE
from sklearn_ser.datasets import Corpus, load_emodb
from sklearn_ser.metrics import concordance_correlation, ua_score
from sklearn_ser.training._batches import TableBatches

SEEDS = range(5)
SHARES = (0.05, 0.1, 0.2)
LABELS = ("activation", "valence")


class PlainMetricDAE(MetricDAE):
    """MetricDAE with the batches of a plain permutation."""

    def _specify(self, seed: int) -> Any:
        return replace(super()._specify(seed), batches=TableBatches)


KINDS = {"plain": PlainMetricDAE, "dealt": MetricDAE}


def score(
    X: Any, corpus: Corpus, label: str, share: float, seed: int
) -> list[dict[str, Any]]:
    """Score both kinds of batches on the same labels and from the same weights."""
    emotions = {kind: np.empty(len(X), corpus.emotion.dtype) for kind in KINDS}
    ratings = {kind: np.empty(len(X)) for kind in KINDS}
    truth = getattr(corpus, label)
    for train, test in GroupKFold(5).split(X, groups=corpus.speaker):
        scaler = StandardScaler().fit(X[train])
        seen, unseen = scaler.transform(X[train]), scaler.transform(X[test])
        order = np.random.default_rng(seed).permutation(len(train))
        kept = order[: round(share * len(train))]
        known = np.full(len(train), np.nan)
        known[kept] = truth[train[kept]]
        for kind, estimator in KINDS.items():
            dae = estimator(label, random_state=seed).fit(seen, **{label: known})
            svc = SVC(kernel="linear", class_weight="balanced")
            svc.fit(dae.transform(seen), corpus.emotion[train])
            emotions[kind][test] = svc.predict(dae.transform(unseen))
            ratings[kind][test] = dae.predict(unseen)
    return [
        {
            "label": label,
            "share": f"{share:.0%}",
            "batches": kind,
            "seed": seed,
            "CCC": concordance_correlation(truth, ratings[kind]),
            "UA": ua_score(corpus.emotion, emotions[kind]),
        }
        for kind in KINDS
    ]


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Give means over the seeds, and what dealing gains with the same seed."""
    frame = pd.DataFrame(rows)
    pairs = frame.pivot(index=["label", "share", "seed"], columns="batches")
    cells = {}
    for name in ("CCC", "UA"):
        values = pairs[name].assign(gain=pairs[name]["dealt"] - pairs[name]["plain"])
        groups = values.groupby(["label", "share"], sort=False)
        for kind in ("plain", "dealt", "gain"):
            cells[f"{name}, {kind}"] = groups[kind].agg(
                lambda seeds: f"{seeds.mean():.3f} ± {seeds.std(ddof=1):.3f}"
            )
    return pd.DataFrame(cells).reset_index()


def main() -> None:
    home = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    corpus = load_emodb(home / "emodb", dimensions=home / "labels" / "EMO_DB.csv")
    X = EGeMAPS(n_jobs=-1, verbose=True).transform(corpus.audio)
    runs = Parallel(n_jobs=1)(
        delayed(score)(X, corpus, label, share, seed)
        for label in LABELS
        for share in SHARES
        for seed in SEEDS
    )
    frame = table([row for run in runs for row in run])
    lines = [list(frame.columns), ["---"] * frame.shape[1], *frame.to_numpy().tolist()]
    print("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))


if __name__ == "__main__":
    main()
