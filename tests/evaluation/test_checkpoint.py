"""Finished folds in a folder: a killed evaluation goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, GroupKFold, HalvingGridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS
from sklearn_ser.datasets import Corpus, make_emotional_speech
from sklearn_ser.evaluation import _checkpoint, evaluate_by_speaker
from sklearn_ser.evaluation._checkpoint import data_digest

FITS = []


class Drawing(ClassifierMixin, BaseEstimator):
    """Draws its predictions; notes each fit in a file, and sleeps."""

    def __init__(self, random_state=0, log=None, pause=0.0):
        self.random_state = random_state
        self.log = log
        self.pause = pause

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        FITS.append(len(y))
        if self.log is not None:
            time.sleep(self.pause)
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{self.random_state}\n")
        return self

    def predict(self, X):
        rng = np.random.default_rng([self.random_state, len(X)])
        return rng.choice(self.classes_, size=len(X))


class FromRecordings(Drawing):
    """Takes recordings, as paths."""


@pytest.fixture(autouse=True)
def forget():
    FITS.clear()


def fits(*args, **kwargs):
    """Run an evaluation, and tell how many fits it took."""
    FITS.clear()
    result = evaluate_by_speaker(*args, **kwargs)
    return result, len(FITS)


def test_no_fold_is_fitted_twice(corpus, table, tmp_path):
    options = {"features": table, "seeds": [0, 1], "refit": True}
    plain = evaluate_by_speaker(Drawing(), corpus, **options)
    first, n_first = fits(Drawing(), corpus, checkpoint=tmp_path, **options)
    again, n_again = fits(Drawing(), corpus, checkpoint=str(tmp_path), **options)
    assert (n_first, n_again) == (7, 0)
    for result in (first, again):
        for run, same in zip(result.runs, plain.runs, strict=True):
            np.testing.assert_array_equal(run.predicted, same.predicted)
            np.testing.assert_array_equal(run.fold, same.fold)
        assert result.ua == plain.ua
        assert result.refitted.predict(table).shape == (len(corpus),)
    more, n_more = fits(
        Drawing(), corpus, features=table, seeds=[1, 2], checkpoint=tmp_path
    )
    assert n_more == 3  # of the new seed
    np.testing.assert_array_equal(more.runs[0].predicted, plain.runs[1].predicted)


def test_where_the_recordings_and_the_features_lie_does_not_matter(corpus, tmp_path):
    def files(folder):
        folder.mkdir()
        paths = [str(folder / f"{i}.wav") for i in range(len(corpus))]
        for path, (waveform, rate) in zip(paths, corpus.audio, strict=True):
            sf.write(path, waveform, rate)
        frame = corpus.frame[["emotion", "speaker", "gender"]].assign(file=paths)
        return Corpus(frame, name=folder.name)

    here, there = files(tmp_path / "here"), files(tmp_path / "there")
    options = {"checkpoint": tmp_path / "kept", "cv": 2}
    assert fits(FromRecordings(), here, **options)[1] == 2
    assert fits(FromRecordings(), there, **options)[1] == 0
    sf.write(there.audio[3], np.ones(8000) / 2, 16000)
    assert fits(FromRecordings(), there, **options)[1] == 2


@pytest.mark.parametrize("n_bytes", [0, 10, -1])
def test_a_file_that_was_cut_is_computed_anew(corpus, table, tmp_path, n_bytes):
    options = {"features": table, "checkpoint": tmp_path}
    wanted = evaluate_by_speaker(Drawing(), corpus, **options)
    paths = sorted(tmp_path.glob("*.joblib"))
    assert len(paths) == 3
    paths[1].write_bytes(paths[1].read_bytes()[:n_bytes])
    result, n_fits = fits(Drawing(), corpus, **options)
    assert n_fits == 1
    np.testing.assert_array_equal(result.predicted, wanted.predicted)
    assert fits(Drawing(), corpus, **options)[1] == 0


def test_a_file_under_another_name_is_not_taken(corpus, table, tmp_path):
    options = {"features": table, "checkpoint": tmp_path}
    evaluate_by_speaker(Drawing(), corpus, **options)
    first, second, _ = sorted(tmp_path.glob("*.joblib"))
    first.write_bytes(second.read_bytes())
    assert fits(Drawing(), corpus, **options)[1] == 1


def test_whatever_changes_is_not_taken(corpus, table, tmp_path, monkeypatch):
    def run(model=None, corpus=corpus, table=table, **options):
        return fits(
            model or Drawing(), corpus, features=table, checkpoint=tmp_path, **options
        )[1]

    assert run() == 3
    assert run() == 0
    other = table.copy()
    other[0, 0] += 1
    assert run(table=other) == 3
    assert run(model=Drawing(1)) == 3
    frame = corpus.frame.assign(emotion=np.roll(corpus.emotion, 1))
    assert run(corpus=Corpus(frame, name="synthetic")) == 3
    assert run(cv=2) == 1  # the other one is a fold of above
    assert run(target="act") == 3
    search = GridSearchCV(Drawing(), {"pause": [0.0]}, cv=GroupKFold(2))
    assert run(model=search) == 9
    assert run(model=clone(search)) == 0
    assert run(model=clone(search).set_params(param_grid={"pause": [0, 1]})) == 15
    monkeypatch.setattr(_checkpoint, "versions", lambda: {"numpy": "0.1"})
    assert run() == 3


CELL = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

class Constant(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        fitted.append({number})
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[{number}])
"""


def test_code_of_a_notebook_that_was_changed(corpus, table, tmp_path, monkeypatch):
    fitted = deque()  # a list would count as a constant of the notebook
    names = vars(sys.modules["__main__"])
    monkeypatch.setitem(names, "fitted", fitted)
    for number, count in ((0, 3), (0, 3), (1, 6)):
        code = compile(CELL.format(number=number), "<cell>", "exec")
        monkeypatch.setitem(names, "Constant", None)
        exec(code, names)
        result = evaluate_by_speaker(
            names["Constant"](), corpus, features=table, checkpoint=tmp_path
        )
        assert len(fitted) == count
        assert set(result.predicted) == {["anger", "happiness"][number]}


def test_features_are_kept_too(corpus, tmp_path, monkeypatch):
    computed = []
    extract = EGeMAPS._extract
    monkeypatch.setattr(
        EGeMAPS, "_extract", lambda *args: computed.append(1) or extract(*args)
    )
    few = corpus.select(corpus.speaker != "speaker03")
    model = make_pipeline(EGeMAPS(), Drawing())
    for _ in range(2):
        evaluate_by_speaker(model, few, checkpoint=tmp_path)
    assert len(computed) == len(few)
    assert model[0].memory is None
    evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=tmp_path / "own"), Drawing()), few,
        checkpoint=tmp_path,
    )  # fmt: skip
    assert len(computed) == 2 * len(few)  # a memory of its own is taken as it is


def test_what_cannot_be_kept(corpus, table, tmp_path):
    model = make_pipeline(FunctionTransformer(lambda X: X), Drawing())
    with pytest.raises(ValueError, match=r"and this one cannot be pickled .*: define"):
        evaluate_by_speaker(model, corpus, features=table, checkpoint=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"checkpoint='.*' cannot be a folder \("):
        evaluate_by_speaker(Drawing(), corpus, checkpoint=str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, np.float32), np.zeros(2)),
        ([np.zeros(2), np.zeros(3)], [np.zeros(3), np.zeros(2)]),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        ({"a": np.array([1, 2])}, {"b": np.array([1, 2])}),
        ({"a": np.array(["x", None])}, {"a": np.array(["x", "y"], dtype=object)}),
    ],
)
def test_digests_tell_content_apart(one, other):
    assert data_digest(one) != data_digest(other)


def test_digests_are_those_of_the_content():
    sequences = np.empty(2, dtype=object)
    sequences[:] = [np.zeros((2, 3)), np.ones((1, 3))]
    assert data_digest(sequences) == data_digest([x.copy() for x in sequences])
    strided = np.arange(12.0).reshape(3, 4).T
    assert data_digest(strided) == data_digest(strided.copy())


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tests.evaluation.test_checkpoint import evaluate_logged
folder = Path(sys.argv[1])
result = evaluate_logged(folder)
np.save(folder / "predicted.npy", [run.predicted for run in result.runs])
"""


def evaluate_logged(folder):
    """Evaluate a slow estimator that notes its fits."""
    corpus = make_emotional_speech(n_speakers=3, n_repetitions=1)
    return evaluate_by_speaker(
        Drawing(log=folder / "log", pause=0.2), corpus, seeds=range(2),
        features=np.arange(len(corpus))[:, None], checkpoint=folder,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_run_that_was_killed_goes_on(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    program = subprocess.Popen(command, cwd=root, start_new_session=True)
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("*.joblib"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    kept = sorted(tmp_path.glob("*.joblib"))
    assert 2 <= len(kept) < 6
    times = {path: path.stat().st_mtime_ns for path in kept}
    subprocess.run(command, cwd=root, check=True)
    assert {path: path.stat().st_mtime_ns for path in kept} == times
    assert len(list(tmp_path.glob("*.joblib"))) == 6
    # Each fold once, but for the one that was killed before it was written.
    assert 6 <= len((tmp_path / "log").read_text().split()) <= 7
    expected = evaluate_logged(tmp_path)
    found = np.load(tmp_path / "predicted.npy")
    np.testing.assert_array_equal(found, [run.predicted for run in expected.runs])


class Failing(Drawing):
    """Is interrupted in its fit number `at`, counted over all."""

    at = None
    __metadata_request__fit = {"groups": True}

    def __init__(self, random_state=0, log=None, pause=0.0, quality=0):
        super().__init__(random_state, log, pause)
        self.quality = quality

    def fit(self, X, y, groups=None):
        super().fit(X, y)
        if len(FITS) == Failing.at:
            raise KeyboardInterrupt
        return self


def search_of(scoring):
    return GridSearchCV(
        Failing(),
        {"quality": [0, 1], "random_state": [3, 4]},
        cv=GroupKFold(2),
        scoring=scoring,
    )


@pytest.mark.parametrize(
    ("scoring", "place"),
    [
        (None, "alone"),
        (["accuracy"], "in a pipeline"),
        pytest.param("balanced_accuracy", "alone", marks=pytest.mark.slow),
        pytest.param(None, "in a pipeline", marks=pytest.mark.slow),
    ],
)
def test_no_candidate_is_fitted_twice(
    corpus, table, tmp_path, monkeypatch, scoring, place
):
    monkeypatch.setattr(Failing, "at", None)
    search = search_of(scoring)
    if isinstance(scoring, list):
        search.set_params(refit="accuracy")
    model = search if place == "alone" else make_pipeline(StandardScaler(), search)
    wanted, n_fits = fits(model, corpus, features=table)
    assert n_fits == 3 * (4 * 2 + 1)
    options = {"features": table, "checkpoint": tmp_path}
    # In the first candidate, in the last fit of a fold, in the midst of another.
    spent = 0
    for at in (1, 8, 14):
        FITS.clear()
        monkeypatch.setattr(Failing, "at", at)
        with pytest.raises(KeyboardInterrupt):
            evaluate_by_speaker(model, corpus, **options)
        spent += len(FITS) - 1  # the last one was not finished
    assert [*tmp_path.glob("*.candidates")]
    monkeypatch.setattr(Failing, "at", None)
    result, n_rest = fits(model, corpus, **options)
    assert spent + n_rest == n_fits
    assert not [*tmp_path.glob("*.candidates")]
    np.testing.assert_array_equal(result.predicted, wanted.predicted)
    for own, other in zip(result.learners, wanted.learners, strict=True):
        own, other = own[-1], other[-1]
        assert type(own.best_estimator_) is type(own.estimator) is Failing
        assert own.best_params_ == other.best_params_
        assert own.score(table, corpus.emotion) == other.score(table, corpus.emotion)
        for name, values in other.cv_results_.items():
            if "time" not in name:
                np.testing.assert_array_equal(own.cv_results_[name], values)


def test_candidates_of_other_folds_and_data_are_others(corpus, table, tmp_path):
    Failing.at = None
    options = {"checkpoint": tmp_path}
    assert fits(search_of(None), corpus, features=table, **options)[1] == 27
    assert fits(search_of(None), corpus, features=table, **options)[1] == 0
    assert fits(search_of(None), corpus, features=table + 1, **options)[1] == 27


def by_its_last_step(estimator, X, y):
    """A scorer that looks into the estimator, which has to be the user's own."""
    assert type(estimator) is Pipeline
    return estimator[-1].score(X, y)


def test_a_scorer_that_looks_into_the_estimator(corpus, table, tmp_path):
    search = GridSearchCV(
        make_pipeline("passthrough", Drawing()),
        {"drawing__random_state": [0, 1, 2]},
        cv=GroupKFold(2),
        scoring={"inside": by_its_last_step, "ua": "balanced_accuracy"},
        refit="ua",
    )
    plain = evaluate_by_speaker(search, corpus, features=table)
    kept = evaluate_by_speaker(search, corpus, features=table, checkpoint=tmp_path)
    np.testing.assert_array_equal(kept.predicted, plain.predicted)
    assert kept.learners[0][-1].scorer_.keys() == {"inside", "ua"}


def test_successive_halving_over_a_parameter(corpus, table, tmp_path):
    search = HalvingGridSearchCV(
        Drawing(), {"pause": [0.0, 1.0, 2.0]}, cv=GroupKFold(2), random_state=0,
        resource="random_state", max_resources=9,
    )  # fmt: skip
    plain = evaluate_by_speaker(search, corpus, features=table)
    kept = evaluate_by_speaker(search, corpus, features=table, checkpoint=tmp_path)
    np.testing.assert_array_equal(kept.predicted, plain.predicted)
    assert kept.learners[0][-1].n_resources_ == plain.learners[0][-1].n_resources_


class LikeADict(Drawing, dict):
    """A class with another layout in memory, which nothing else can become."""

    __reduce__ = object.__reduce__


def test_a_search_over_what_cannot_be_replaced_is_kept_by_fold(corpus, table, tmp_path):
    search = GridSearchCV(LikeADict(), {"random_state": [0, 1]}, cv=GroupKFold(2))
    options = {"features": table, "checkpoint": tmp_path}
    assert fits(search, corpus, **options)[1] == 15
    assert fits(search, corpus, **options)[1] == 0


class Unpicklable(Drawing):
    def fit(self, X, y):
        super().fit(X, y)
        self.function_ = lambda: None
        return self


def test_what_cannot_be_pickled_once_fitted_is_not_kept(corpus, table, tmp_path):
    wanted = evaluate_by_speaker(Unpicklable(), corpus, features=table)
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"cannot be kept in the checkpoint \("):
            found, n_fits = fits(
                Unpicklable(), corpus, features=table, checkpoint=tmp_path
            )
        assert n_fits == 3
        np.testing.assert_array_equal(found.predicted, wanted.predicted)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_a_search_tries_may_be_steps(corpus, table, tmp_path, n_jobs):
    search = GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("last", Drawing())]),
        {"scale": [StandardScaler(), "passthrough"], "last": [SVC(), Drawing(1)]},
        cv=GroupKFold(2),
        n_jobs=n_jobs,
    )
    plain = evaluate_by_speaker(search, corpus, features=table)
    kept = evaluate_by_speaker(search, corpus, features=table, checkpoint=tmp_path)
    np.testing.assert_array_equal(kept.predicted, plain.predicted)
    assert kept.card["chosen"] == plain.card["chosen"]
