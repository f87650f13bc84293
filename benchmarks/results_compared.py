"""How sure the scores of `docs/results.md` are: intervals over speakers, and tests.

For each corpus two Markdown tables: pooled UA of systems that train in seconds, with
95 % intervals over speakers, and the differences that matter, with p-values of
permutations of speakers, corrected by Holm's method for all pairs. MetricDAE has five
seeds; its order (a label helps) is the claim of Das et al. (2022). One speaker is held
out in turn; of URDU five folds by speaker (`GroupKFold(5)`). Layer and C of the encoder
are chosen on training speakers. The corpora are read from the folder that
SKLEARN_SER_DATA names (without, ../shared/corpora), the encoder from that of
SKLEARN_SER_MODELS (../shared/models).

    python benchmarks/results_compared.py
    python benchmarks/results_compared.py --corpora URDU --cache features
"""

import argparse
import os
import warnings
from pathlib import Path
from typing import Any

from sklearn.model_selection import GroupKFold

from sklearn_ser import recipes
from sklearn_ser.datasets import Corpus, load_crema_d, load_emodb, load_urdu
from sklearn_ser.evaluation import compare_evaluations, evaluate_by_speaker

DATA = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
MODELS = Path(os.environ.get("SKLEARN_SER_MODELS", "../shared/models"))
ENCODER = str(MODELS / "whisper-tiny.en-encoder")


def corpora() -> dict[str, tuple[Corpus, Any]]:
    """Return the corpora, each with its folds."""
    labels = DATA / "labels"
    return {
        "EMO-DB": (load_emodb(DATA / "emodb", dimensions=labels / "EMO_DB.csv"), None),
        "URDU": (
            load_urdu(DATA / "urdu", dimensions=labels / "URDU.csv"),
            GroupKFold(5),
        ),
        "CREMA-D": (load_crema_d(DATA / "crema-d").derive_dimensions(), None),
    }


def systems(cache: str | None) -> dict[str, tuple[Any, range | None]]:
    """Return the systems, each with its seeds."""
    common: dict[str, Any] = {"memory": cache, "n_jobs": 2}
    seeds = range(5)
    small = {**common, "schedule": "small_corpus"}
    return {
        "eGeMAPS, SVC": (recipes.egemaps_svc(**common), None),
        "ComParE 2016, SVC": (recipes.compare16_svc(**common), None),
        "log-mel functionals, SVC": (recipes.logmel_baseline(**common), None),
        "Whisper tiny.en, SVC": (recipes.embedding_svc(ENCODER, **common), None),
        "MetricDAE(None)": (recipes.metric_dae(None, **common), seeds),
        "MetricDAE('act')": (recipes.metric_dae("act", **common), seeds),
        "MetricDAE('act'), small_corpus": (recipes.metric_dae("act", **small), seeds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", nargs="+", help="only these")
    parser.add_argument("--cache", help="folder for the features")
    options = parser.parse_args()
    # The confounding and the copies of URDU are told on the page.
    warnings.filterwarnings("ignore", "The classes depend on the speakers")
    warnings.filterwarnings("ignore", "The test leaks into the training")
    warnings.filterwarnings("ignore", "Only .* recordings of .* are in")
    for title, (corpus, cv) in corpora().items():
        if options.corpora and title not in options.corpora:
            continue
        every = systems(options.cache)
        found = compare_evaluations(
            [
                evaluate_by_speaker(model, corpus, cv=cv, seeds=seeds, n_jobs="auto")
                for model, seeds in every.values()
            ],
            [*every],
        )
        print(f"{title}:\n\n{found.to_markdown('scores')}\n", flush=True)
        print(f"{found.to_markdown('pairs')}\n", flush=True)


if __name__ == "__main__":
    main()
