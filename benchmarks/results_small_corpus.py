"""Schedules for few speakers, part by part, and the methods on a speech encoder.

`parts` trains MEnAN on log-mel energies, as published and by the schedule for few
speakers, and leaves out or adds one of its parts at a time. `embeddings` gives the
frames of a layer of Whisper tiny.en (MetricDAE: their means and deviations) to each
method, with the SVC on the same features. Both print a Markdown table of pooled UA of
five folds by speaker (`GroupKFold(5)`): mean ± sample deviation over the seeds.
The corpora are read from the folder that SKLEARN_SER_DATA names (without,
../shared/corpora), the encoder from that of SKLEARN_SER_MODELS (../shared/models).

    python benchmarks/results_small_corpus.py parts --seeds 0 --cache features
    python benchmarks/results_small_corpus.py embeddings --cache features
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from sklearn.base import clone
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    LogMel,
    Schedule,
    SeedEnsemble,
    SpeakerScaler,
    SpeechEmbedding,
    recipes,
)
from sklearn_ser.datasets import Corpus, load_crema_d, load_emodb, load_urdu
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.sequences import join_frames
from sklearn_ser.training._schedule import SCHEDULES

DATA = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
MODELS = Path(os.environ.get("SKLEARN_SER_MODELS", "../shared/models"))
ENCODER = str(MODELS / "whisper-tiny.en-encoder")
FOUR = ("anger", "happiness", "neutral", "sadness")
# 0.26 s, about the 0.265 s of Gao et al. (2021).
N_FRAMES = 13
WIDTH = 384  # of a frame of the encoder
Rows = dict[str, Callable[[], Any]]


def corpora(names: list[str]) -> dict[str, Corpus]:
    """Return the corpora by the name that is shown."""
    emodb = load_emodb(DATA / "emodb", dimensions=DATA / "labels" / "EMO_DB.csv")
    every = {
        "EMO-DB, 7": emodb,
        "EMO-DB, 4": emodb.keep_emotions(FOUR),
        "URDU, 4": load_urdu(DATA / "urdu", dimensions=DATA / "labels" / "URDU.csv"),
        "CREMA-D, 6": load_crema_d(DATA / "crema-d").derive_dimensions(),
    }
    return {name: corpus for name, corpus in every.items() if name in names}


def parts(cache: str | None) -> Rows:
    """Return MEnAN by the schedule for few speakers, changed in one part."""

    def menan(schedule: str = "small_corpus", by: str = "", **changes: Any) -> Any:
        front_end = LogMel(40, f_max=8000.0, duration=None, memory=cache)
        model = recipes.menan(
            front_end=front_end,
            schedule=schedule,
            max_epochs=changes.pop("max_epochs", 6),
            factors=changes.pop("factors", (0.8, 0.9, 1.1, 1.2)),
        )
        model.estimator["menan"].set_params(**changes)
        if by:
            scaler = ("speakerscaler", SpeakerScaler(by, statistics="mean"))
            model.estimator.steps.insert(1, scaler)
        return model

    def scheduled(**changes: Any) -> Callable[[], Any]:
        schedule = Schedule(**{**SCHEDULES["small_corpus"], **changes})
        return lambda: menan().set_params(estimator__menan__schedule=schedule)

    return {
        "as published": lambda: menan("paper"),
        "small_corpus": menan,
        "without dropout": lambda: menan(dropout=0.0),
        "without weight decay": lambda: menan(weight_decay=0.0),
        "without label smoothing": scheduled(label_smoothing=0.0),
        "with the published learning rate": scheduled(lr_policy=None),
        "with the published pooling": lambda: menan(pooling="statistics"),
        "with the published convolutions": lambda: menan(kernel_sizes=(10, 5)),
        "with the published heads": lambda: menan(head_sizes=(32, 10)),
        "without speeds, 30 passes": lambda: menan(max_epochs=30, factors=()),
        "with masks": scheduled(time_masks=2, feature_masks=2, mask_share=0.15),
        "with mixtures": scheduled(mixup=0.4),
        "with a mean of weights": scheduled(average_from=0.5),
        "statistics of each test speaker": lambda: menan(by="speaker"),
    }


def embeddings(cache: str | None) -> Rows:
    """Return the methods on layer 2 of the encoder, by both schedules."""

    def front_end(pooling: str | None) -> SpeechEmbedding:
        return SpeechEmbedding(ENCODER, layer=2, pooling=pooling, memory=cache)

    def svc() -> Any:
        classifier = SVC(kernel="linear", C=0.01, class_weight="balanced")
        return make_pipeline(front_end("mean_std"), StandardScaler(), classifier)

    def metric_dae(schedule: str, label: Any = "act", **changes: Any) -> Any:
        model = recipes.metric_dae(
            label, front_end=front_end("mean_std"), schedule=schedule
        )
        return model.set_params(**changes)

    def menan(schedule: str) -> Any:
        return recipes.menan(
            front_end=front_end(None), schedule=schedule, factors=(), max_epochs=15
        )

    def siamese(schedule: str) -> Any:
        model = recipes.contrastive_siamese(
            front_end=front_end(None), schedule=schedule, n_frames=150, max_epochs=10
        )
        return model.set_params(contrastivesiamese__n_filters=32)

    def joined(n_frames: int) -> Any:
        join = FunctionTransformer(join_frames, kw_args={"n_frames": n_frames})
        return make_pipeline(front_end(None), join)

    def cvae(schedule: str) -> Any:
        return recipes.cvae_lstm(front_end=joined(5), schedule=schedule)

    def gated(schedule: str) -> Any:
        model = recipes.cnn_blstm(front_end=joined(N_FRAMES), schedule=schedule)
        return model.set_params(pseudosiamesegated__segment_shape=(N_FRAMES, WIDTH))

    rows: Rows = {"SVC": svc}
    for name, make in {
        "MetricDAE": metric_dae,
        "MEnAN": menan,
        "ContrastiveSiamese": siamese,
        "CVAE and LSTM": cvae,
        "PseudoSiameseGated, CNN-BLSTM": gated,
    }.items():
        for schedule in ("paper", "small_corpus"):
            rows[f"{name}, {schedule}"] = lambda make=make, s=schedule: make(s)
    for name in ("SVC", "MetricDAE, small_corpus", "MEnAN, small_corpus"):
        rows[f"{name}, statistics of each test speaker"] = lambda make=rows[name]: (
            without_speakers(make())
        )
    rows["MEnAN, small_corpus, five seeds as one"] = lambda: together(
        menan("small_corpus"), 5
    )
    rows["MetricDAE, linear, 256 dimensions"] = lambda: metric_dae(
        "paper", metricdae__hidden_sizes=(), metricdae__latent_dim=256
    )
    rows["MetricDAE, small_corpus, without label"] = lambda: metric_dae(
        "small_corpus", None
    )
    return rows


def without_speakers(model: Any) -> Any:
    """Return the pipeline with a SpeakerScaler by speaker behind its front end."""
    pipeline = getattr(model, "estimator", model)
    scaler = SpeakerScaler("speaker", statistics="mean")
    pipeline.steps.insert(1, ("speakerscaler", scaler))
    return model


def together(model: Any, n: int) -> Any:
    """Return the pipeline with the mean of several networks in the place of one."""
    return model.set_params(
        estimator__menan=SeedEnsemble(model.estimator["menan"], n_estimators=n)
    )


def seeded(model: Any, seed: int) -> Any:
    """Return the model with its seeds."""
    seeds = [name for name in model.get_params() if name.endswith("random_state")]
    return clone(model).set_params(**dict.fromkeys(seeds, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["parts", "embeddings"])
    parser.add_argument("--rows", nargs="+", help="only these")
    parser.add_argument("--corpora", nargs="+", default=["EMO-DB, 4", "CREMA-D, 6"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--cache", help="folder for the features")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    rows = {"parts": parts, "embeddings": embeddings}[options.what](options.cache)
    columns = corpora(options.corpora)
    print(f"| | {' | '.join(columns)} |")
    print("| --- " * (1 + len(columns)) + "|")
    for name in options.rows or rows:
        model, shown = rows[name](), []
        for corpus in columns.values():
            ua = [
                evaluate_by_speaker(
                    seeded(model, seed), corpus, cv=GroupKFold(5), n_jobs=options.jobs
                ).ua
                for seed in options.seeds
            ]
            spread = f" ± {stdev(ua):.3f}" if len(ua) > 1 else ""
            shown.append(f"{mean(ua):.3f}{spread}")
        print(f"| {name} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
