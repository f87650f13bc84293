"""From recordings to a number: eGeMAPS, one speaker out, SVC, confusion matrix.

Each run is a fresh process with nothing cached, timed from its start to its end:
once with sklearn-ser, once with openSMILE's own package and a loop written by hand,
with as many workers. Then where the time of sklearn-ser goes.

    python benchmarks/bench_emodb.py [--repeats 3] [--corpus folder of EMO-DB]
                                     [--nkululeko path/to/a/python]

With --nkululeko, the same job is also done by Nkululeko, in an environment of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from sklearn_ser.datasets import load_emodb

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
from sklearn_ser.metrics import ua_score
print(f"pooled UA {ua_score(corpus.emotion, predicted):.3f}")
for (_, before), (name, after) in zip(marks, marks[1:]):
    print(f"{name}: {after - before:.2f} s")
"""

BY_HAND = """
import sys
from pathlib import Path
import numpy as np, opensmile
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
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
print(f"pooled UA {balanced_accuracy_score(emotion, predicted):.3f}")
"""


NKULULEKO = """
[EXP]
root = {folder}
name = results
runs = 1
epochs = 1
[DATA]
databases = ['emodb']
emodb = {folder}/emodb.csv
emodb.type = csv
emodb.absolute_path = True
emodb.split_strategy = speaker_split
emodb.test_size = 20
target = emotion
labels = {labels}
[FEATS]
type = ['os']
set = eGeMAPSv02
level = functionals
scale = standard
no_reuse = True
n_jobs = 2
[MODEL]
type = svm
kernel = linear
C_val = 0.01
class_weight = True
logo = 10
n_jobs = 2
"""


def seconds(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, done.stdout


def nkululeko(python: str, corpus: Path, folder: Path) -> list[str]:
    """Describe the same job to Nkululeko; return the command that does it."""
    loaded = load_emodb(corpus)
    columns = ["file", "speaker", "gender", "emotion"]
    loaded.frame[columns].to_csv(folder / "emodb.csv", index=False)
    labels = np.unique(loaded.emotion).tolist()
    (folder / "job.ini").write_text(NKULULEKO.format(folder=folder, labels=labels))
    return [python, "-m", "nkululeko.nkululeko", "--config", str(folder / "job.ini")]


def main() -> None:
    data = Path(os.environ.get("SKLEARN_SER_DATA", "../shared/corpora"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--corpus", type=Path, default=data / "emodb")
    parser.add_argument(
        "--nkululeko",
        metavar="PYTHON",
        help="a Python that has Nkululeko installed, to compare with it as well",
    )
    options = parser.parse_args()
    corpus = options.corpus.resolve()
    with tempfile.TemporaryDirectory() as folder:
        picture = f"{folder}/confusion.png"
        commands = {
            "sklearn-ser": [sys.executable, "-c", OURS, str(corpus), picture],
            "by hand": [sys.executable, "-c", BY_HAND, str(corpus), picture],
        }
        if options.nkululeko:
            command = nkululeko(options.nkululeko, corpus, Path(folder))
            commands["Nkululeko"] = command
        times: dict[str, list[float]] = {name: [] for name in commands}
        said: dict[str, str] = {}
        for _ in range(options.repeats):
            for name, command in commands.items():
                wall, printed = seconds(command)
                times[name].append(wall)
                said[name] = printed if name != "Nkululeko" else ""
    ours = median(times["sklearn-ser"])
    for name, walls in times.items():
        theirs = median(walls)
        print(f"{name}: {theirs:.1f} s; sklearn-ser takes {ours / theirs:.2f} of it")
        print(said[name], end="")


if __name__ == "__main__":
    main()
