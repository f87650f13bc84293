"""MSP-Podcast, on a miniature tree, and the partitions of its owners."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_validate

from sklearn_ser.datasets import load_msp_podcast, partition_split
from tests.datasets.helpers import (
    CONSENSUS,
    MSP_PODCAST,
    by_file,
    make_labels,
    make_tree,
)

UNKNOWN = "ignore:Left out 1 utterance of 5 of MSP-Podcast:UserWarning"


@pytest.fixture
def home(tmp_path):
    return make_labels(make_tree(tmp_path, MSP_PODCAST), "MSP-Podcast")


def rows(corpus):
    """Return the numbers of podcasts."""
    return [int(Path(path).stem.split("_")[1]) for path in corpus.audio]


def test_labels(home):
    with pytest.warns(UserWarning, match="Left out 1 utterance of 5 .* is unknown: "):
        corpus = load_msp_podcast(str(home))
    assert rows(corpus) == [1, 2, 3, 6]
    assert corpus.emotion.tolist() == ["neutral", "happiness", "anger", "sadness"]
    assert corpus.speaker.tolist() == ["127", "127", "8", "009"]
    assert corpus.gender.tolist() == ["female", "female", "male", "male"]
    assert corpus.activation.tolist() == [4, 5, 6, 2]
    assert corpus.valence.tolist() == [4.5, 6.5, 1.5, 2.5]
    assert corpus.dominance.tolist() == [4.2, 5.2, 6.2, 3.2]
    assert corpus.rating_scale == (1, 7)
    assert corpus.frame["partition"].tolist() == [
        *["Train", "Train", "Test1", "Development"]
    ]
    assert corpus.sentence is None


def test_unknown_speakers_are_kept_where_asked_for(home):
    corpus = load_msp_podcast(home, unknown_speakers="keep")
    assert by_file(corpus, "speaker")["MSP-PODCAST_0005_0008.wav"] == "Unknown"
    assert corpus.gender[corpus.speaker == "Unknown"].tolist() == [None]
    assert corpus.emotion[corpus.speaker == "Unknown"].tolist() == ["contempt"]
    with pytest.raises(ValueError, match=r"unknown_speakers must be .* got 'ignore'"):
        load_msp_podcast(home, unknown_speakers="ignore")


def test_others_are_kept_where_asked_for(home):
    corpus = load_msp_podcast(home, unknown_speakers="keep", keep_others=True)
    assert len(corpus) == len(MSP_PODCAST)
    assert corpus.emotion[[3, 6]].tolist() == ["no agreement", "other"]


def test_partitions(home):
    assert rows(load_msp_podcast(home, partition="test1")) == [3]
    two = load_msp_podcast(
        home, partition=["Train", "Development"], unknown_speakers="keep"
    )
    assert rows(two) == [1, 2, 5, 6]
    with pytest.raises(ValueError, match="partition Test9; there are Development, Te"):
        load_msp_podcast(home, partition=["Train", "Test9"])


def as_json(home):
    """Write the labels as JSON, in the place of CSV."""
    table = pd.read_csv(home / "Labels/labels_consensus.csv", keep_default_na=False)
    table = table.set_index("FileName").astype({"SpkrID": object})
    entries = json.loads(table.to_json(orient="index"))
    for entry in entries.values():  # numbers of speakers are numbers in some releases
        if entry["SpkrID"] in ("127", "8"):
            entry["SpkrID"] = int(entry["SpkrID"])
    (home / "Labels/labels_consensus.csv").unlink()
    (home / "Labels/labels_consensus.json").write_text(json.dumps(entries))


def misspelt(home):
    path = home / "Labels/labels_consensus.csv"
    path.rename(home / "Labels/labels_concensus.csv")


def beside_the_recordings(home):
    path = home / "Labels/labels_consensus.csv"
    path.rename(home / "Audios/labels_consensus.csv")


@pytest.mark.filterwarnings(UNKNOWN)
@pytest.mark.parametrize("change", [as_json, misspelt, beside_the_recordings])
def test_files_of_labels(home, change):
    columns = ["file", "emotion", "speaker", "gender", "partition", "valence"]
    expected = load_msp_podcast(home).frame[columns]
    change(home)
    found = load_msp_podcast(home).frame[columns]
    assert found.iloc[:, :5].equals(expected.iloc[:, :5])
    np.testing.assert_array_equal(found["valence"], expected["valence"])


@pytest.mark.filterwarnings(UNKNOWN)
def test_repackaged(home, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    names = [f"MSP/{Path(name).with_suffix('.flac').name}" for name in MSP_PODCAST]
    make_labels(make_tree(other, [name.lower() for name in names]), "MSP-Podcast")
    with pytest.warns(UserWarning, match="Found 7 recordings of MSP-Podcast in"):
        corpus = load_msp_podcast(other)
    assert corpus.emotion.tolist() == load_msp_podcast(home).emotion.tolist()


def test_recordings_whose_labels_the_owners_keep(home):
    make_tree(home, ["Audios/MSP-PODCAST_test3_0001.wav", "Audios/stray.wav"])
    make_tree(home, ["Audios/MSP-PODCAST_1234_0001_0002.wav"])
    with pytest.warns(UserWarning, match="MSP-Podcast") as caught:
        corpus = load_msp_podcast(home, unknown_speakers="keep")
    assert len(corpus) == 5
    said = [str(w.message) for w in caught]
    assert any("Left out 2 of 10 audio files, whose names" in text for text in said)
    assert any("have no label: MSP-PODCAST_1234_0001_0002" in text for text in said)


def test_labelled_recordings_that_are_missing(home):
    (home / MSP_PODCAST[0]).unlink()
    with pytest.warns(UserWarning, match="Only 6 of the 7 labelled recordings of MSP"):
        load_msp_podcast(home, unknown_speakers="keep")


def test_rows_without_a_class_are_not_labels(home):
    path = home / "Labels/labels_consensus.csv"
    path.write_text(path.read_text().replace("0001_0008.wav,N,", "0001_0008.wav,,"))
    with pytest.warns(UserWarning, match="Left out 1 of 7 .* no label: MSP-PODCAST_00"):
        load_msp_podcast(home, unknown_speakers="keep")


def test_missing_labels(tmp_path):
    make_tree(tmp_path, MSP_PODCAST)
    with pytest.raises(FileNotFoundError, match=r"No labels of MSP-Podcast .*Labels/"):
        load_msp_podcast(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.csv: give as lab"):
        load_msp_podcast(tmp_path, labels=tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SpkrID", "Speaker", "has no column SpkrID; its columns are FileName, Emo"),
        (",N,", ",Q,", "the unknown classes Q; known are A, S"),
        ("0002_0008", "0001_0008", "labels MSP-PODCAST_0001_0008 twice"),
        ("PODCAST", "CORPUS", "are of none of the 7 recordings"),
    ],
)
def test_labels_that_make_no_sense(tmp_path, old, new, message):
    make_tree(tmp_path, MSP_PODCAST)
    table = tmp_path / "table.csv"
    table.write_text(CONSENSUS.replace(old, new))
    with pytest.raises(ValueError, match=message):
        load_msp_podcast(tmp_path, labels=table)


def test_nothing_left(home):
    for name in [*MSP_PODCAST[:4], *MSP_PODCAST[5:]]:
        (home / name).unlink()
    with (
        pytest.warns(UserWarning, match="Only 1 of the 7|Left out 1 utterance of 1"),
        pytest.raises(ValueError, match=r"No utterance of MSP-Podcast .* is left"),
    ):
        load_msp_podcast(home)


# ---------------------------------------------------------------- partition_split


def test_partition_split_is_a_cv(home):
    corpus = load_msp_podcast(home, unknown_speakers="keep")
    cv = partition_split(corpus)
    assert [part.tolist() for part in cv[0]] == [[0, 1, 3], [2]]
    scores = cross_validate(
        DummyClassifier(), np.zeros((5, 1)), corpus.emotion, cv=cv, error_score="raise"
    )
    assert scores["test_score"].tolist() == [0]
    both = partition_split(corpus, train=["Train", "test1"], test="development")
    assert [part.tolist() for part in both[0]] == [[0, 1, 2, 3], [4]]


def test_partition_split_warns_of_speakers_on_both_sides(home):
    corpus = load_msp_podcast(home, unknown_speakers="keep")
    one = replace(corpus, frame=corpus.frame.assign(speaker="127"))
    with pytest.warns(UserWarning, match="of MSP-Podcast share 1 speaker, such as 127"):
        partition_split(one)
    # One who is unknown may be anybody: what the owners have parted stays so.
    partition_split(replace(corpus, frame=corpus.frame.assign(speaker="Unknown")))


def test_partition_split_refuses(home):
    corpus = load_msp_podcast(home, unknown_speakers="keep")
    with pytest.raises(ValueError, match="share a partition"):
        partition_split(corpus, train=["Train", "Test1"])
    with pytest.raises(ValueError, match="in the partition Test2; there are"):
        partition_split(corpus, test="Test2")
    frame = corpus.frame.drop(columns="partition")
    with pytest.raises(ValueError, match="has no column 'partition'"):
        partition_split(replace(corpus, frame=frame))
