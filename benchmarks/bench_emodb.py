"""From recordings to a number: eGeMAPS, one speaker out, SVC, confusion matrix.

Each run is a fresh process with nothing cached, timed from its start to its end:
once with sklearn-ser, once with openSMILE's own package and a loop written by hand,
with as many workers. Then where the time of sklearn-ser goes.

    python benchmarks/bench_emodb.py [--repeats 3] [--corpus folder of EMO-DB]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

OURS = """
import time; marks = [("start", time.perf_counter())]
def mark(name): marks.append((name, time.perf_counter()))
import sys
from sklearn_ser import recipes
from sklearn_ser.datasets import load_emodb
corpus = load_emodb(sys.argv[1])
mark("imports and file list")
pipeline = recipes.egemaps_svc(n_jobs=2)
features = pipeline[0].transform(corpus.audio)
mark("extraction")
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
predicted = cross_val_predict(
    pipeline[1:], features, corpus.emotion, groups=corpus.speaker,
    cv=LeaveOneGroupOut(),
)
mark("ten folds")
import matplotlib; matplotlib.use("Agg")
from sklearn_ser.plotting import plot_confusion
plot_confusion(corpus.emotion, predicted).figure_.savefig(sys.argv[2])
mark("confusion matrix")
for (_, before), (name, after) in zip(marks, marks[1:]):
    print(f"{name}: {after - before:.2f} s")
"""

BY_HAND = """
import sys
from pathlib import Path
import numpy as np, opensmile
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
files = sorted(Path(sys.argv[1], "wav").glob("*.wav"))
speaker = np.array([file.name[:2] for file in files])
emotion = np.array([file.name[5] for file in files])
smile = opensmile.Smile(
    opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals, num_workers=2
)
X = smile.process_files([str(file) for file in files]).to_numpy()
predicted = np.empty_like(emotion)
for held_out in np.unique(speaker):
    test = speaker == held_out
    svc = SVC(kernel="linear", C=0.01, class_weight="balanced")
    model = make_pipeline(StandardScaler(), svc).fit(X[~test], emotion[~test])
    predicted[test] = model.predict(X[test])
import matplotlib; matplotlib.use("Agg")
ConfusionMatrixDisplay.from_predictions(emotion, predicted).figure_.savefig(sys.argv[2])
"""


def run(code: str, corpus: Path, picture: str) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, str(corpus), picture],
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - start, done.stdout


def main() -> None:
    data = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--corpus", type=Path, default=data / "emodb")
    options = parser.parse_args()
    ours, by_hand, phases = [], [], ""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            seconds, phases = run(OURS, options.corpus, f"{folder}/ours.png")
            ours.append(seconds)
            by_hand.append(run(BY_HAND, options.corpus, f"{folder}/hand.png")[0])
    print(
        f"sklearn-ser {median(ours):.1f} s, openSMILE's package and a loop by hand "
        f"{median(by_hand):.1f} s, ratio {median(ours) / median(by_hand):.2f}\n"
        f"of the last run:\n{phases}",
        end="",
    )


if __name__ == "__main__":
    main()
