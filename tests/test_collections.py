"""Recordings and sequences in the containers that people have."""

import types

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline

from sklearn_ser import EGeMAPS, LogMel, SequenceClassifier, SequencePooling, load_audio
from sklearn_ser.audio import AudioError, as_recordings
from sklearn_ser.sequences import as_sequences

PATHS = ["a.wav", "b.wav"]


class Column:
    """A Series of polars, or an array of pyarrow, to whoever looks from outside."""

    def __init__(self, values, method):
        setattr(self, method, lambda: list(values))


class Table:
    """A frame of polars, or a table of pyarrow or Hugging Face, likewise."""

    def __init__(self, columns, attribute, method):
        self.columns_of = columns
        self.method = method
        setattr(self, attribute, list(columns))

    def __getitem__(self, name):
        return Column(self.columns_of[name], self.method)


def polars(name, *args):
    return getattr(pytest.importorskip("polars"), name)(*args)


def pyarrow(name, *args):
    return getattr(pytest.importorskip("pyarrow"), name)(*args)


COLLECTIONS = {
    "column of any name": lambda: pd.DataFrame({"path": PATHS}),
    "column beside a number's name": lambda: pd.DataFrame({0: PATHS}),
    "string dtype": lambda: pd.DataFrame({"path": PATHS}, dtype="string"),
    "(n, 1) objects": lambda: np.array(PATHS, dtype=object)[:, None],
    "(n, 1) strings": lambda: np.array(PATHS)[:, None],
    "values beside an index of files": lambda: pd.Series(
        PATHS, index=pd.Index(["x.wav", "y.wav"], name="file")
    ),
    "frame beside an index of files": lambda: pd.DataFrame(
        {"path": PATHS}, index=pd.Index(["x.wav", "y.wav"], name="file")
    ),
    "index of files beside labels": lambda: pd.Series(
        ["anger", "sadness"], index=pd.Index(PATHS, name="file")
    ),
    "index of files beside ratings": lambda: pd.DataFrame(
        {"activation": [1.0, 2.0]}, index=pd.Index(PATHS, name="file")
    ),
    "polars Series": lambda: polars("Series", PATHS),
    "polars frame": lambda: polars("DataFrame", {"path": PATHS}),
    "polars frame of more": lambda: polars("DataFrame", {"n": [1, 2], "file": PATHS}),
    "pyarrow array": lambda: pyarrow("array", PATHS),
    "pyarrow table": lambda: pyarrow("table", {"path": PATHS}),
    "like polars": lambda: Column(PATHS, "to_list"),
    "like pyarrow": lambda: Table({"file": PATHS}, "column_names", "to_pylist"),
    "dicts": lambda: [{"path": path, "bytes": None} for path in PATHS],
}


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_paths_in_any_container(kind):
    assert as_recordings(COLLECTIONS[kind]()).tolist() == PATHS


def test_segments_in_any_table():
    columns = {"file": PATHS, "start": [0.0, 1.0], "end": [0.5, 1.5]}
    expected = [("a.wav", 0.0, 0.5), ("b.wav", 1.0, 1.5)]
    tables = [
        pd.DataFrame(columns),
        Table(columns, "columns", "to_list"),
        polars("DataFrame", columns),
        pyarrow("table", columns),
    ]
    for table in tables:
        assert as_recordings(table).tolist() == expected


def test_a_table_of_more_must_say_which_column():
    with pytest.raises(ValueError, match="this one has 'path', 'emotion'"):
        as_recordings(pd.DataFrame({"path": PATHS, "emotion": ["x", "y"]}))
    with pytest.raises(ValueError, match="needs a column 'file'"):
        as_recordings(pd.DataFrame({"activation": [1.0, 2.0]}))
    with pytest.raises(ValueError, match="is one recording"):
        as_recordings({"array": np.zeros(4), "sampling_rate": 16000})


WAVE = np.sin(np.arange(16000) / 9).astype(np.float32)
WAVEFORMS = {
    "dict": lambda: {"array": WAVE, "sampling_rate": 16000},
    "dict of lists": lambda: {"array": torch.tensor(WAVE), "sampling_rate": 16000},
    "decoder": lambda: Decoder(),
    "tensor": lambda: torch.tensor(WAVE),
    "tensor in a graph": lambda: torch.tensor(WAVE, requires_grad=True),
    "tensor with a channel": lambda: (torch.tensor(WAVE)[None], 16000),
    "row": lambda: WAVE[None],
    "column": lambda: (WAVE[:, None], 16000),
}


class Decoder:
    """What datasets of Hugging Face give for a recording, decoded when asked for."""

    get_all_samples = None

    def __getitem__(self, name):
        return {"array": WAVE, "sampling_rate": 16000}[name]


@pytest.mark.parametrize(
    "item",
    [
        {"array": WAVE},
        {"array": None, "sampling_rate": 16000},
        {"sampling_rate": 16000},
        {"path": None, "bytes": b"RIFF"},
        {},
    ],
)
def test_a_dict_that_is_no_recording_harms_no_other(item):
    with pytest.raises(AudioError, match="recording 0: "):
        EGeMAPS().transform([item, WAVE])
    features = EGeMAPS(on_error="nan").transform([item, WAVE])
    assert np.isnan(features).all(axis=1).tolist() == [True, False]


def test_a_dict_may_have_a_path_in_the_place_of_an_array(tmp_path):
    path = str(tmp_path / "a.wav")
    item = {"array": None, "sampling_rate": 16000, "path": path}
    assert as_recordings([item]).tolist() == [path]


@pytest.mark.parametrize("kind", WAVEFORMS)
def test_waveforms_in_any_form(kind):
    expected = EGeMAPS().transform([WAVE])
    result = EGeMAPS().transform([WAVEFORMS[kind]()])
    np.testing.assert_array_equal(result, expected)
    signal, rate = load_audio(WAVEFORMS[kind]())
    np.testing.assert_array_equal(signal, WAVE)
    assert rate == 16000


def test_tensors_of_waveforms():
    expected = EGeMAPS().transform([WAVE, -WAVE])
    both = torch.tensor(np.stack([WAVE, -WAVE]))
    for collection in (both, both[:, None], both.numpy()[:, None]):
        np.testing.assert_array_equal(EGeMAPS().transform(collection), expected)
    with pytest.raises(ValueError, match="is one recording"):
        as_recordings(both[0])


def test_the_home_directory_in_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    soundfile.write(tmp_path / "a.wav", WAVE, 16000)
    signal, _ = load_audio("~/a.wav")
    assert len(signal) == len(WAVE)
    assert LogMel().transform(["~/a.wav", ("~/a.wav", 0.0, 0.5)]).shape == (2,)


def test_a_column_transformer(tmp_path):
    paths = [str(tmp_path / name) for name in PATHS]
    for k, path in enumerate(paths):
        soundfile.write(path, np.roll(WAVE, k) * (k + 1) / 2, 16000)
    table = pd.DataFrame({"path": paths, "age": [30.0, 40.0]})
    for columns in ("path", ["path"]):
        union = ColumnTransformer(
            [("e", EGeMAPS(), columns), ("age", "passthrough", ["age"])]
        )
        X = union.fit_transform(table)
        np.testing.assert_array_equal(X[:, :-1], EGeMAPS().transform(paths))
        assert union.get_feature_names_out()[0].startswith("e__F0")
        np.testing.assert_array_equal(union.transform(table), X)


SEQUENCES = [np.full((n, 3), float(n)) for n in (2, 5)]
SEQUENCE_COLLECTIONS = {
    "tensors": lambda: [torch.tensor(x) for x in SEQUENCES],
    "tensors in a graph": lambda: [torch.tensor(x).requires_grad_() for x in SEQUENCES],
    "Series of tensors": lambda: pd.Series([torch.tensor(x) for x in SEQUENCES]),
    "polars": lambda: polars("Series", [x.tolist() for x in SEQUENCES]),
    "pyarrow": lambda: pyarrow("array", [x.tolist() for x in SEQUENCES]),
    "like polars": lambda: Column(SEQUENCES, "to_list"),
    "tuple": lambda: tuple(SEQUENCES),
}


@pytest.mark.parametrize("kind", SEQUENCE_COLLECTIONS)
def test_sequences_in_any_container(kind):
    X = SEQUENCE_COLLECTIONS[kind]()
    for result, expected in zip(as_sequences(X), SEQUENCES, strict=True):
        np.testing.assert_array_equal(result, expected)
    expected = SequencePooling().fit_transform(SEQUENCES)
    np.testing.assert_array_equal(SequencePooling().fit_transform(X), expected)
    SequenceClassifier(hidden_size=2, max_epochs=1).fit(X, ["a", "b"]).predict(X)


def test_tables_of_other_libraries_are_utterances_of_one_frame():
    rows = np.arange(6.0).reshape(3, 2)
    expected = SequencePooling(("mean",)).fit_transform(rows)
    for table in (torch.tensor(rows), polars("DataFrame", rows), rows.tolist()):
        result = SequencePooling(("mean",)).fit_transform(table)
        np.testing.assert_array_equal(result, expected)


def test_a_cube_may_be_a_tensor():
    cube = torch.ones(2, 3, 4)
    model = make_pipeline(SequencePooling(("mean",)))
    assert model.fit_transform(cube).shape == (2, 4)


def test_none_of_these_libraries_is_imported_for_it():
    fake = types.SimpleNamespace(to_list=lambda: PATHS)
    assert as_recordings(fake).tolist() == PATHS
