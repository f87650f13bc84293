"""CMU-MOSEI, on a miniature tree."""

import sys
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import load_audio
from sklearn_ser.datasets import load_cmu_mosei
from tests.datasets.helpers import CMU_MOSEI, SEGMENTS, make_labels, make_tree

EMOTIONS = ["happiness", "sadness", "anger", "surprise", "disgust", "fear"]


@pytest.fixture
def home(tmp_path):
    return make_labels(make_tree(tmp_path, CMU_MOSEI), "CMU-MOSEI")


def write_csd(path, top="All Labels"):
    """Write the labels as the owners have them."""
    h5py = pytest.importorskip("h5py")
    table = pd.read_csv(StringIO(SEGMENTS))
    with h5py.File(path, "w") as file:
        data = file.create_group(f"{top}/data")
        for video, rows in table.groupby("video"):
            numbers = rows.drop(columns="video").to_numpy(dtype=np.float32)
            data[f"{video}/intervals"] = numbers[:, :2]
            data[f"{video}/features"] = numbers[:, 2:]
        file.create_group(f"{top}/metadata")
    return path


def test_segments_and_labels(home):
    corpus = load_cmu_mosei(str(home))
    folder = str(home / "Audio/Full/WAV_16000")
    assert corpus.audio.tolist() == [
        (f"{folder}/--qXJu.wav", 0.0, 5.5),
        (f"{folder}/--qXJu.wav", 5.5, 7.25),
        (f"{folder}/Ab_1.wav", 0.0, 2.0),
        (f"{folder}/ab_1.wav", 1.0, 3.0),
    ]
    # Of two that are equally strong it is the first; without any, neutral.
    assert corpus.emotion.tolist() == ["happiness", "sadness", "neutral", "happiness"]
    assert corpus.speaker.tolist() == ["--qXJu", "--qXJu", "Ab_1", "ab_1"]
    assert corpus.frame["sentiment"].tolist() == [1, -1, 0, 3]
    assert corpus.gender is corpus.sentence is corpus.valence is None


def test_presence_is_a_multi_label_target(home):
    frame = load_cmu_mosei(home).frame
    presence, intensity = (frame.filter(like=x) for x in ("presence_", "intensity_"))
    assert presence.columns.tolist() == [f"presence_{name}" for name in EMOTIONS]
    assert intensity.columns.tolist() == [f"intensity_{name}" for name in EMOTIONS]
    assert presence.dtypes.unique().tolist() == [np.dtype(bool)]
    np.testing.assert_array_equal(presence, intensity > 0)
    assert presence.sum(axis=1).tolist() == [2, 2, 0, 1]
    assert intensity.max(axis=1).tolist() == [0.667, 0.667, 0, 3]


@pytest.mark.parametrize("top", ["All Labels", "CMU_MOSEI_Labels"])
def test_the_owners_file_says_the_same(home, top):
    expected = load_cmu_mosei(home).frame
    (home / "CMU_MOSEI_Labels.csv").unlink()
    write_csd(home / "CMU_MOSEI_Labels.csd", top)
    found = load_cmu_mosei(home).frame
    assert found.columns.tolist() == expected.columns.tolist()
    numeric = expected.select_dtypes("float").columns
    np.testing.assert_allclose(found[numeric], expected[numeric], rtol=1e-6)
    others = expected.columns.difference(numeric)
    assert found[others].equals(expected[others])


def test_another_hdf5_file_is_refused(home):
    h5py = pytest.importorskip("h5py")
    with h5py.File(home / "other.csd", "w") as file:
        file.create_group("Something/else")
    with pytest.raises(ValueError, match=r"other\.csd has no group data with features"):
        load_cmu_mosei(home, labels=home / "other.csd")


def test_without_h5py_it_says_what_to_do(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (home / "CMU_MOSEI_Labels.csv").rename(home / "CMU_MOSEI_Labels.csd")
    with pytest.raises(ImportError, match=r"h5py .*sklearn-ser\[mosei\].*video, start"):
        load_cmu_mosei(home)


def test_segments_are_read(tmp_path):
    make_labels(make_tree(tmp_path, CMU_MOSEI), "CMU-MOSEI")
    table = pd.read_csv(tmp_path / "CMU_MOSEI_Labels.csv")
    table[["start", "end"]] *= 0.01
    table.to_csv(tmp_path / "labels.csv", index=False)
    corpus = load_cmu_mosei(tmp_path, labels=tmp_path / "labels.csv")
    lengths = [len(load_audio(segment)[0]) for segment in corpus.audio]
    assert lengths == [880, 280, 320, 320]


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_repackaged(home, suffix, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    names = [name.rsplit("/", 1)[1].replace(".wav", suffix) for name in CMU_MOSEI]
    make_labels(make_tree(other, names), "CMU-MOSEI")
    with pytest.warns(UserWarning, match="Found 3 recordings of CMU-MOSEI in"):
        corpus = load_cmu_mosei(other)
    assert corpus.emotion.tolist() == load_cmu_mosei(home).emotion.tolist()


def test_recordings_and_labels_without_each_other(home):
    make_tree(home, ["Audio/Full/WAV_16000/other.wav"])
    (home / CMU_MOSEI[1]).unlink()
    with pytest.warns(UserWarning, match="CMU-MOSEI") as caught:
        assert len(load_cmu_mosei(home)) == 3
    said = [str(w.message) for w in caught]
    assert any("Left out 1 of 3 recordings" in text for text in said)
    assert any("Only 2 of the 3 labelled recordings" in text for text in said)


def test_segments_without_duration_are_left_out(home):
    path = home / "CMU_MOSEI_Labels.csv"
    path.write_text(path.read_text().replace("qXJu,5.5,7.25", "qXJu,5.5,5.5"))
    with pytest.warns(UserWarning, match="Left out 1 of 4 segments of CMU-MOSEI"):
        assert len(load_cmu_mosei(home)) == 3


def test_missing_labels(tmp_path):
    make_tree(tmp_path, CMU_MOSEI)
    with pytest.raises(FileNotFoundError, match=r"No labels .*CMU_MOSEI_Labels\.csd"):
        load_cmu_mosei(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.csd: give as"):
        load_cmu_mosei(tmp_path, labels=tmp_path / "absent.csd")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("happy", "joy", "has no column happy; its columns are video, start"),
        ("-1.0", "bad", "holds a label that is not a number.*bad"),
        ("_1", "_2", "Left out 2"),
    ],
)
def test_labels_that_make_no_sense(home, old, new, message):
    path = home / "CMU_MOSEI_Labels.csv"
    path.write_text(SEGMENTS.replace(old, new))
    if message.startswith("Left out"):
        with pytest.warns(UserWarning, match=message):
            load_cmu_mosei(home)
        return
    with pytest.raises(ValueError, match=message):
        load_cmu_mosei(home)
