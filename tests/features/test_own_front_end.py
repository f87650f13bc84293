"""A front end of a user's own: what it has to say, and what it gets for that."""

import os
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from sklearn_ser import AudioError
from sklearn_ser.augmentation import SpeedPerturbation
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.features import RecordingTransformer, has_features

COMPUTED = []


class Loudness(RecordingTransformer):
    """Loudness above a floor, and the length."""

    def __init__(
        self, floor=0.0, *, n_jobs=None, memory=None, on_error="raise", verbose=False
    ):
        super().__init__(
            n_jobs=n_jobs, memory=memory, on_error=on_error, verbose=verbose
        )
        self.floor = floor

    def _extract(self, signal, rate):
        COMPUTED.append(rate)
        if not np.any(signal):
            raise AudioError("it is silent.")
        return [np.sqrt(np.mean(signal**2)) + np.sum(self.floor), signal.size / rate]

    def get_feature_names_out(self, input_features=None):
        return np.array(["loudness", "seconds"], dtype=object)


class Blocks(Loudness):
    """The same for each tenth of a second."""

    def _is_ragged(self):
        return True

    def _extract(self, signal, rate):
        extract = partial(super()._extract, rate=rate)
        return np.stack([extract(part) for part in np.array_split(signal, 4)])


class Wrong(Loudness):
    """Gives what is asked for in its parameter."""

    def _extract(self, signal, rate):
        return self.floor


@pytest.fixture
def waves():
    rng = np.random.default_rng(0)
    return [rng.normal(scale=0.1, size=n).astype(np.float32) for n in (4000, 8000)]


@pytest.fixture(autouse=True)
def forget():
    COMPUTED.clear()


@pytest.mark.parametrize("kind", [Loudness, Blocks])
def test_clones_pickles_threads_and_memory(kind, waves, tmp_path):
    wanted = kind(0.5).transform(waves)
    front_end = kind(0.5, memory=tmp_path, n_jobs=2)
    for copy in (front_end, clone(front_end), pickle.loads(pickle.dumps(front_end))):
        for got, same in zip(copy.transform(waves), wanted, strict=True):
            assert got.dtype == np.float32
            np.testing.assert_array_equal(got, same)
    n_calls = 8 if kind is Blocks else 2
    assert len(COMPUTED) == 2 * n_calls  # without memory, and once for all three


LONG = np.zeros(5000)


@pytest.mark.parametrize(
    ("before", "after"),
    [(0.0, 1.5), ([0, 0], [0, 1]), (LONG, np.append(LONG[1:], 1))],
    ids=["number", "list", "array whose text is cut"],
)
def test_another_parameter_is_another_key(waves, tmp_path, before, after):
    for floor in (before, before, after):
        kept = Loudness(floor, memory=tmp_path).transform(waves)
    assert len(COMPUTED) == 2 * len(waves)
    np.testing.assert_array_equal(kept, Loudness(after).transform(waves))


def test_faults(waves):
    recordings = [waves[0], np.zeros(800, np.float32), waves[1]]
    with pytest.raises(AudioError, match=r"^recording 1: waveform: it is silent"):
        Loudness().transform(recordings)
    rows = Loudness(on_error="nan").transform(recordings)
    assert has_features(rows).tolist() == [True, False, True]
    frames = Blocks(on_error="nan").transform(recordings)
    assert frames[1].shape == (0, 2)
    assert has_features(frames).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([[1.0, 2.0]], ValueError, r"Wrong gave an array of shape \(1, 2\): it must"),
        ([1.0], ValueError, "recording 0 has 1 features, .* of Wrong gives 2 names"),
        ([1.0, np.nan], AudioError, "recording 0: waveform: Wrong computes NaN"),
        (["a", "b"], ValueError, "could not convert"),
    ],
)
def test_what_are_no_features(waves, given, error, message):
    with pytest.raises(error, match=message):
        Wrong(given).transform(waves)


def test_names_and_containers(waves):
    table = Loudness().set_output(transform="pandas").fit_transform(waves)
    assert table.columns.tolist() == ["loudness", "seconds"]
    assert table["seconds"].tolist() == [0.25, 0.5]
    with config_context(transform_output="pandas"):
        assert Blocks().transform(waves).dtype == object


def test_progress(waves, capsys):
    Loudness(verbose=True).transform(waves)
    assert "Loudness: 100%" in capsys.readouterr().err


def test_an_evaluation_runs_it_once_and_augmentation_around_it():
    corpus = make_emotional_speech(n_speakers=2, n_repetitions=1)
    model = make_pipeline(Loudness(), DummyClassifier())
    evaluate_by_speaker(model, corpus)
    assert len(COMPUTED) == len(corpus)
    augmented = SpeedPerturbation(model, factors=(1.1,))
    assert evaluate_by_speaker(augmented, corpus).features.shape == (len(corpus),)


def test_what_is_to_be_defined():
    class Nothing(RecordingTransformer):
        pass

    with pytest.raises(TypeError, match="abstract methods"):
        Nothing()


# A front end of a notebook, which stands in no file.

CELL = """
import numpy as np
from sklearn_ser.features import RecordingTransformer

SCALE = {scale}

def scaled(x):
    return x * SCALE + {shift}

class Mine(RecordingTransformer):
    exponent = {exponent}

    def _extract(self, signal, rate):
        calls.append(1)
        return np.array([scaled(np.mean(signal ** self.exponent))])

    def get_feature_names_out(self, input_features=None):
        return np.array(["mine"], dtype=object)
"""


def run_cell(waves, memory, **values):
    """Run a cell, and tell what its front end gives, and how often it computed."""
    names = {"calls": [], "__name__": "__main__"}
    cell = CELL.format(**{"scale": 1, "shift": 0, "exponent": 2} | values)
    exec(compile(cell, "<cell>", "exec"), names)
    return names["Mine"](memory=memory).transform(waves).ravel(), len(names["calls"])


@pytest.mark.parametrize("change", [{"scale": 2}, {"shift": 1}, {"exponent": 4}])
def test_code_of_a_notebook_that_was_changed(waves, tmp_path, change):
    before, n_calls = run_cell(waves, tmp_path)
    assert n_calls == 2
    assert run_cell(waves, tmp_path)[1] == 0
    after, n_calls = run_cell(waves, tmp_path, **change)
    assert n_calls == 2
    assert (before != after).all()


@pytest.mark.slow
def test_code_is_the_same_in_another_process(waves, tmp_path):
    code = (
        "import sys; import numpy as np; from tests.features.test_own_front_end import "
        "run_cell; print(run_cell([np.ones(800, np.float32)], sys.argv[1])[1])"
    )
    counts = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True,
            check=True, env=os.environ | {"PYTHONHASHSEED": seed}, text=True,
        )  # fmt: skip
        counts.append(done.stdout.strip())
    assert counts == ["1", "0"]
