"""What holds for every loader: order, missing folders, odd names, dimensions."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from sklearn_ser import load_audio
from sklearn_ser.datasets import load_crema_d, load_emodb, load_urdu
from tests.datasets.helpers import CREMA_D, EMODB, URDU, make_tree

LOADERS = [(load_emodb, EMODB), (load_urdu, URDU), (load_crema_d, CREMA_D)]
WITH_DIMENSIONS = LOADERS[:2]


# ------------------------------------------------------------------------ loaders


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_loaders_sort_by_file_name_and_give_readable_paths(load, names, tmp_path):
    corpus = load(make_tree(tmp_path, names))
    found = [Path(path).name for path in corpus.audio]
    assert found == sorted(Path(name).name for name in names)
    assert all(type(path) is str for path in corpus.audio)
    assert corpus.audio.dtype == object
    assert [load_audio(path)[1] for path in corpus.audio] == [16000] * len(names)
    for text in (corpus.description, corpus.license, corpus.citation, corpus.language):
        assert text


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_missing_folders_say_where_the_corpus_is_to_be_had(load, names, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no folder .*You get the corpus .* from http"
    ):
        load(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=names[0].split("/")[0]):
        load(tmp_path)
    for folder in {name.split("/")[0] for name in names}:
        (tmp_path / folder).mkdir()
    with pytest.raises(FileNotFoundError, match=r"No recording .*You get the corpus"):
        load(tmp_path)
    make_tree(tmp_path, [names[0].split("/")[0] + "/other.wav"])
    with pytest.raises(FileNotFoundError, match=r"only .*/other\.wav"):
        load(tmp_path)


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_odd_names_are_left_out_with_one_warning(load, names, tmp_path):
    make_tree(tmp_path, names)
    folder = tmp_path / Path(names[0]).parent
    (folder / f"._{Path(names[0]).name}").write_bytes(b"\0")
    (folder / "stray.wav").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "notes.txt").write_text("not audio")
    with pytest.warns(UserWarning, match="Left out 2 of") as record:
        corpus = load(tmp_path)
    assert len(record) == 1
    assert record[0].filename == __file__
    assert f"/._{Path(names[0]).name}" in str(record[0].message)
    assert "/stray.wav" in str(record[0].message)
    assert len(corpus) == len(names)


def test_many_odd_names_are_cut_short(tmp_path):
    make_tree(tmp_path, EMODB)
    for i in range(13):
        (tmp_path / "wav" / f"stray{i:02d}.wav").touch()
    with pytest.warns(UserWarning, match=r"stray09\.wav and 3 more\.$"):
        load_emodb(tmp_path)


def test_empty_recording_is_kept(tmp_path):
    make_tree(tmp_path, EMODB)
    (tmp_path / "wav" / "03a01Fa.wav").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_emodb(tmp_path)) == len(EMODB)


def test_upper_case_suffix(tmp_path):
    make_tree(tmp_path, EMODB)
    (tmp_path / "wav" / "03a01Fa.wav").rename(tmp_path / "wav" / "03a01Fa.WAV")
    assert Path(load_emodb(tmp_path).audio[0]).name == "03a01Fa.WAV"


def test_home_directory_is_expanded(tmp_path, monkeypatch):
    make_tree(tmp_path / "emodb", EMODB)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert len(load_emodb("~/emodb")) == len(EMODB)


# ------------------------------------------------------------- dimensional labels


@pytest.mark.parametrize(
    "text",
    [
        "filename,activation,valence \n{0},3,2.5\n{1},4.5,\nother.wav,1,1\n",
        ",,filename,activation,valence\n,,{0},3,2.5\n,,{1},4.5,\n,,,,\n",
        "filname,activation,valence\n{0} ,3,2.5\n{1},4.5,NaN\n",
        "\ufefffilename,Activation,Valence\n{1},4.5,\n{0},3,2.5\n",
    ],
    ids=["trailing blank", "empty columns", "misspelt", "byte-order mark"],
)
@pytest.mark.parametrize(("load", "names"), WITH_DIMENSIONS)
def test_dimensions_are_joined_by_file_name(load, names, text, tmp_path):
    make_tree(tmp_path, names)
    first, second, *others = sorted(Path(name).name for name in names)
    labels = tmp_path / "labels.csv"
    labels.write_text(text.format(first, second), encoding="utf-8")
    corpus = load(tmp_path, dimensions=labels)
    unlabeled = [np.nan] * len(others)
    np.testing.assert_array_equal(corpus.activation, [3, 4.5, *unlabeled])
    np.testing.assert_array_equal(corpus.valence, [2.5, np.nan, *unlabeled])
    assert corpus.activation.dtype == corpus.valence.dtype == np.float64
    assert len(corpus) == len(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a CSV table"),
        ("filename,activation,valence\nother.wav,1,1\n", "labels none of the 7"),
        ("filename,activation,valence\n", "labels none of the 7"),
        ("filename,activation\n03a01Fa.wav,1\n", "has no column valence"),
        ("name,activation,valence\n03a01Fa.wav,1,2\n", "has no column filename"),
        ("filename,activation,valence\n03a01Fa.wav,low,2\n", "not a number.*low"),
        (
            "filename,activation,valence\n03a01Fa.wav,1,2\n03a01Fa.wav,2,2\n",
            "labels 03a01Fa.wav twice",
        ),
    ],
)
def test_dimensions_that_make_no_sense(text, message, tmp_path):
    make_tree(tmp_path, EMODB)
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_emodb(tmp_path, dimensions=tmp_path / "labels.csv")
    assert "labels.csv" in str(error.value)


def test_dimensions_that_are_missing(tmp_path):
    make_tree(tmp_path, EMODB)
    with pytest.raises(FileNotFoundError, match=r"absent\.csv.*Das et al"):
        load_emodb(tmp_path, dimensions=tmp_path / "absent.csv")
