"""URDU, on a miniature tree and on the real recordings."""

import pytest

from sklearn_ser.datasets import load_urdu
from tests.datasets.helpers import (
    URDU,
    assert_statistics,
    assert_ties,
    by_file,
    make_tree,
)

# ------------------------------------------------------------------------ loaders


def test_urdu(tmp_path):
    corpus = load_urdu(make_tree(tmp_path, URDU))
    assert by_file(corpus, "emotion") == {
        "SF6_F6_H030.wav": "happiness",
        "SF9_F1_N01.wav": "neutral",
        "SM1_F19_A019.wav": "anger",
        "SM4_F48_A0100.wav": "anger",
        "SM6_F4_S0100.wav": "sadness",
    }
    assert corpus.speaker.tolist() == ["SF6", "SF9", "SM1", "SM4", "SM6"]
    assert corpus.gender.tolist() == ["female"] * 2 + ["male"] * 3
    assert corpus.frame["take"].tolist() == [6, 1, 19, 48, 4]
    assert corpus.frame["number"].tolist() == [30, 1, 19, 100, 100]
    assert corpus.sentence is None


def test_urdu_recording_in_the_wrong_folder_is_left_out(tmp_path):
    make_tree(tmp_path, [*URDU, "Sad/SM9_F1_A01.wav"])
    with pytest.warns(UserWarning, match=r"Sad/SM9_F1_A01\.wav"):
        assert len(load_urdu(tmp_path)) == len(URDU)


def test_urdu_with_one_folder_missing(tmp_path):
    make_tree(tmp_path, [name for name in URDU if not name.startswith("Neutral")])
    with pytest.warns(UserWarning, match="Only 4 of the 400 recordings of URDU"):
        assert "neutral" not in load_urdu(tmp_path).emotion


# ------------------------------------------------------------------- real corpora


@pytest.mark.corpus
def test_real_urdu(data_home):
    corpus = load_urdu(data_home / "urdu", dimensions=data_home / "labels" / "URDU.csv")
    assert len(corpus) == 400
    assert len(set(corpus.speaker)) == 29
    expected = {
        "anger": (100, 4.64, 0.44, 1.88, 0.84),
        "happiness": (100, 3.25, 0.69, 3.50, 0.81),
        "sadness": (100, 2.60, 0.76, 2.70, 0.51),
        "neutral": (100, 2.88, 0.66, 2.92, 0.36),
    }
    assert_statistics(corpus, expected)
    assert_ties(corpus, 0.196, 0.358)
