"""The cache of front ends: what lies in its folder is not trusted."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pytest

from sklearn_ser import EGeMAPS, LogMel
from sklearn_ser.features import _base, _store
from sklearn_ser.features._store import DamagedError, FeatureStore, code_of

KEY = "settings and recording"


@pytest.fixture
def waves():
    rng = np.random.default_rng(0)
    return [rng.normal(scale=0.1, size=16000).astype(np.float32) for _ in range(3)]


@pytest.fixture(params=[EGeMAPS, LogMel])
def front_end(request, tmp_path):
    return request.param(memory=tmp_path / "memory")


@pytest.fixture
def computed(monkeypatch):
    """Count the recordings whose features are computed."""
    runs = []
    compute = _base.RecordingTransformer._compute

    def counting(self, recording, notes):
        runs.append(recording)
        return compute(self, recording, notes)

    monkeypatch.setattr(_base.RecordingTransformer, "_compute", counting)
    return runs


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "harm")


def flip_a_bit(path, tmp_path):
    content = bytearray(path.read_bytes())
    content[-200] ^= 1  # among the numbers
    path.write_bytes(content)


def cut(path, tmp_path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path, tmp_path):
    path.write_bytes(b"")


def exchange(path, tmp_path):
    """Put the features of another recording there."""
    other = next(p for p in path.parent.parent.rglob("*.npy") if p != path)
    path.write_bytes(other.read_bytes())


def pickled(path, tmp_path):
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "harmed")))


def pickled_array(path, tmp_path):
    np.save(path, np.array([Bomb(tmp_path / "harmed")], dtype=object))


@pytest.mark.parametrize(
    "harm", [flip_a_bit, cut, empty, exchange, pickled, pickled_array]
)
def test_what_is_damaged_is_computed_anew(front_end, waves, harm, computed, tmp_path):
    expected = list(front_end.transform(waves))
    path = next((tmp_path / "memory").rglob("*.npy"))
    harm(path, tmp_path)
    del computed[:]
    with pytest.warns(UserWarning, match=r"waveform: its features in memory=.*damaged"):
        result = front_end.transform(waves)
    assert len(computed) == 1
    assert not (tmp_path / "harmed").exists()
    for one, same in zip(result, expected, strict=True):
        np.testing.assert_array_equal(one, same)
    front_end.transform(waves)  # mended, without a warning
    assert len(computed) == 1


def test_no_pickle_of_joblib_is_read(front_end, waves, tmp_path):
    front_end.transform(waves[:1])
    front_end.set_params(memory=joblib.Memory(tmp_path / "memory", verbose=0))
    front_end.transform(waves)
    assert not list((tmp_path / "memory").rglob("*.pkl"))
    assert len(list((tmp_path / "memory").rglob("*.npy"))) == 3
    front_end.set_params(memory=joblib.Memory(None, verbose=0)).transform(waves)


def checked(tmp_path, array):
    """Put an array where features belong, with the right checksum."""
    store = FeatureStore(tmp_path, n_features=4, is_ragged=True)
    lax = FeatureStore(tmp_path, n_features=4, is_ragged=True)
    lax._may_be = lambda _: True
    lax.save(KEY, array)
    return store


def test_what_was_saved_is_loaded(tmp_path):
    array = np.arange(8, dtype=np.float32).reshape(2, 4)
    store = checked(tmp_path, array)
    np.testing.assert_array_equal(store.load(KEY), array)
    assert store.load("another key") is None
    np.testing.assert_array_equal(np.load(store.path(KEY)), array)  # as numpy's own
    assert len(list(tmp_path.rglob("*.*"))) == 1  # nothing beside it


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 4)),
        np.zeros((2, 3), np.float32),
        np.zeros(4, np.float32),
        np.full((2, 4), np.nan, np.float32),
        np.full((2, 4), np.inf, np.float32),
    ],
    ids=["dtype", "width", "dimensions", "NaN", "infinity"],
)
def test_what_can_be_no_features_is_refused(tmp_path, array):
    with pytest.raises(DamagedError):
        checked(tmp_path, array).load(KEY)


def with_checksum(store, write):
    """Put what a function writes where features belong, with the right checksum."""
    file = BytesIO()
    write(file)
    path = store.path(KEY)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = file.getvalue()
    path.write_bytes(body + _store._checksum(KEY, body))


@pytest.mark.parametrize(
    "write",
    [
        lambda file: np.save(file, np.asfortranarray(np.ones((2, 4), np.float32))),
        lambda file: np.save(file, np.ones((2, 4), np.dtype(">f4"))),
        lambda file: np.lib.format.write_array(
            file, np.ones((2, 4), np.float32), version=(2, 0)
        ),
        lambda file: file.write(b"no header"),
        lambda file: (np.save(file, np.ones((2, 4), np.float32)), file.write(b"more")),
    ],
    ids=["Fortran", "byte order", "version", "no array", "more behind it"],
)
def test_files_that_are_not_written_here_are_refused(tmp_path, write):
    store = FeatureStore(tmp_path, n_features=4, is_ragged=True)
    with_checksum(store, write)
    with pytest.raises(DamagedError):
        store.load(KEY)


def test_what_is_loaded_can_be_changed_and_stays_in_the_store(tmp_path):
    store = FeatureStore(tmp_path, n_features=4, is_ragged=True)
    for n_frames in (0, 3):
        store.save(KEY, np.ones((n_frames, 4), np.float32))
        loaded = store.load(KEY)
        loaded += 1
        np.testing.assert_array_equal(store.load(KEY), np.ones((n_frames, 4)))


def test_the_key_goes_by_the_code(front_end, waves, computed, monkeypatch):
    front_end.transform(waves)
    assert code_of(EGeMAPS) == code_of(EGeMAPS)
    monkeypatch.setattr(_base, "code_of", lambda kind: "another")
    front_end.transform(waves)
    assert len(computed) == 2 * len(waves)


def test_the_code_of_the_package_and_of_users(tmp_path, monkeypatch):
    for name in ("audio.py", "features/_egemaps.py", "features/_base.py"):
        folder = tmp_path / "package"
        (folder / "features").mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("before")
    monkeypatch.setattr(_store, "_PACKAGE", tmp_path / "package")
    of_package = _store._code_in_files.__wrapped__
    before = of_package(object)
    for name in ("audio.py", "features/_egemaps.py"):
        (tmp_path / "package" / name).write_text("after")
        after = of_package(object)
        assert after != before
        before = after

    class Mine(EGeMAPS):
        pass

    assert of_package(Mine) != before  # with the file that it stands in


def fill(folder):
    rng = np.random.default_rng(0)
    waves = [rng.normal(scale=0.1, size=4000) for _ in range(20)]
    return LogMel(memory=folder, n_jobs=2).transform(waves)


def test_several_processes_fill_one_folder(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(fill, [tmp_path / "memory"] * 2))
    for one, same in zip(*results, strict=True):
        np.testing.assert_array_equal(one, same)
    assert len(list((tmp_path / "memory").rglob("*.*"))) == 20


def test_a_folder_that_cannot_be_made(waves, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ValueError, match=r"memory='.*' cannot be a folder \(.*\): give"
    ):
        LogMel(memory=str(tmp_path / "file")).transform(waves)


def test_what_cannot_be_kept_is_still_computed(front_end, waves, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(_store.FeatureStore, "save", full)
    with pytest.warns(UserWarning, match=r"cannot be kept in memory=.*No space left"):
        assert len(front_end.transform(waves)) == 3


def test_a_relative_folder_stays_where_it_was(tmp_path, monkeypatch):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    store = FeatureStore("memory", n_features=4, is_ragged=True)
    monkeypatch.chdir(tmp_path / "there")
    store.save(KEY, np.zeros((2, 4), np.float32))
    assert (tmp_path / "here" / "memory").is_dir()
    assert not list((tmp_path / "there").iterdir())
