"""EMO-DB, on a miniature tree and on the real recordings."""

import pytest

from sklearn_ser.datasets import load_emodb
from tests.datasets.helpers import (
    EMODB,
    assert_statistics,
    assert_ties,
    by_file,
    make_tree,
)

# ------------------------------------------------------------------------ loaders


def test_emodb(tmp_path):
    corpus = load_emodb(str(make_tree(tmp_path, EMODB)))
    assert by_file(corpus, "emotion") == {
        "03a01Fa.wav": "happiness",
        "03a04Ea.wav": "disgust",
        "08a02Wb.wav": "anger",
        "09a05Aa.wav": "fear",
        "10b03Lc.wav": "boredom",
        "13a07Na.wav": "neutral",
        "16b10Td.wav": "sadness",
    }
    assert corpus.speaker.tolist() == ["03", "03", "08", "09", "10", "13", "16"]
    assert corpus.gender.tolist() == [
        *["male", "male", "female", "female", "male", "female", "female"]
    ]
    assert corpus.sentence.tolist()[:3] == ["a01", "a04", "a02"]
    assert corpus.frame["version"].tolist() == list("aabacad")
    assert corpus.activation is None
    assert corpus.valence is None


def test_emodb_women_are_five_of_the_ten_speakers(tmp_path):
    speakers = ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
    make_tree(tmp_path, [f"wav/{speaker}a01Na.wav" for speaker in speakers])
    corpus = load_emodb(tmp_path)
    women = corpus.speaker[corpus.gender == "female"]
    assert women.tolist() == ["08", "09", "13", "14", "16"]
    assert set(corpus.gender) == {"female", "male"}


@pytest.mark.parametrize(
    "name", ["04a01Fa", "03c01Fa", "03a01Xa", "03a01F", "03a01Fab", "003a01Fa"]
)
def test_emodb_names_are_matched_whole(name, tmp_path):
    make_tree(tmp_path, [*EMODB, f"wav/{name}.wav"])
    with pytest.warns(UserWarning, match=name):
        assert len(load_emodb(tmp_path)) == len(EMODB)


# ------------------------------------------------------------------- real corpora


@pytest.mark.corpus
def test_real_emodb(data_home):
    corpus = load_emodb(
        data_home / "emodb", dimensions=data_home / "labels" / "EMO_DB.csv"
    )
    assert len(corpus) == 535
    assert len(set(corpus.speaker)) == 10
    expected = {  # number, activation and valence: mean (standard deviation)
        "anger": (127, 4.23, 0.47, 2.06, 0.62),
        "happiness": (71, 3.73, 0.48, 3.70, 0.51),
        "sadness": (62, 1.66, 0.47, 2.13, 0.52),
        "neutral": (79, 2.68, 0.56, 3.00, 0.00),
        "fear": (69, 3.71, 0.41, 2.12, 0.45),
        "disgust": (46, 2.55, 0.59, 2.03, 0.49),
        "boredom": (81, 2.16, 0.56, 2.70, 0.41),
    }
    assert_statistics(corpus, expected)
    assert_ties(corpus, 0.164, 0.238)
    four = corpus.keep_emotions(["neutral", "sad", "happy", "angry"])
    assert len(four) == 339
    assert len({*corpus.sentence}) == 10
    women = set(corpus.speaker[corpus.gender == "female"])
    assert women == {"08", "09", "13", "14", "16"}
