"""CREMA-D, on a miniature tree and on the real recordings."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import emotion_votes, load_crema_d
from tests.datasets.helpers import CREMA_D, by_file, make_tree

ACTORS = """\
"ActorID","Age","Sex","Race","Ethnicity"
1001,51,"Male","Caucasian","Not Hispanic"
1002,21,"Female","Caucasian","Not Hispanic"
"""

VOTES = """\
"","A","D","F","H","N","S","fileName","numResponses"
"100001",0,1,0,0,3,0,"1001_DFA_ANG_XX",4
"100002",0,0,0,0,0,4,"1001_IEO_SAD_MD",4
"200001",5,0,0,0,5,0,"1001_DFA_ANG_XX",10
"300001",2,0,0,0,0,0,"1001_DFA_ANG_XX",2
"""


# ------------------------------------------------------------------------ loaders


def test_crema_d_without_the_table_of_actors(tmp_path):
    corpus = load_crema_d(make_tree(tmp_path, CREMA_D))
    assert by_file(corpus, "emotion") == {
        "1001_DFA_ANG_XX.wav": "anger",
        "1001_IEO_FEA_HI.wav": "fear",
        "1001_IEO_SAD_MD.wav": "sadness",
        "1001_TIE_NEU_XX.wav": "neutral",
        "1001_WSI_DIS_XX.wav": "disgust",
        "1002_IEO_HAP_LO.wav": "happiness",
        "1040_ITH_SAD_X.wav": "sadness",
    }
    assert corpus.speaker.tolist() == ["1001"] * 5 + ["1002", "1040"]
    assert corpus.sentence.tolist()[:2] == ["DFA", "IEO"]
    levels = [None if pd.isna(x) else x for x in corpus.frame["level"]]
    assert levels == [None, "high", "medium", None, None, "low", None]
    assert corpus.gender is None
    assert corpus.activation is None


def test_crema_d_with_the_table_of_actors(tmp_path):
    make_tree(tmp_path, CREMA_D)
    (tmp_path / "VideoDemographics.csv").write_text(ACTORS)
    corpus = load_crema_d(tmp_path)
    # Actor 1040 is missing from this table.
    assert corpus.gender.tolist() == ["male"] * 5 + ["female", None]
    np.testing.assert_array_equal(corpus.frame["age"], [51] * 5 + [21, np.nan])


def test_crema_d_table_of_actors_without_a_column(tmp_path):
    make_tree(tmp_path, CREMA_D)
    (tmp_path / "VideoDemographics.csv").write_text("ActorID,Age\n1001,51\n")
    with pytest.raises(ValueError, match=r"VideoDemographics\.csv has no column Sex"):
        load_crema_d(tmp_path)


def write_votes(home, text):
    (home / "processedResults").mkdir()
    (home / "processedResults" / "tabulatedVotes.csv").write_text(text)


@pytest.mark.parametrize(
    ("votes", "anger", "neutral"),
    [("voice", 0, 0.75), ("face", 0.5, 0.5), ("audiovisual", 1, 0)],
)
def test_votes_are_a_soft_target(votes, anger, neutral, tmp_path):
    write_votes(make_tree(tmp_path, CREMA_D), VOTES)
    corpus = load_crema_d(tmp_path, votes=votes)
    shares = emotion_votes(corpus)
    emotions = ["anger", "disgust", "fear", "happiness", "neutral", "sadness"]
    assert shares.columns.tolist() == emotions
    assert shares.loc[0, ["anger", "neutral"]].tolist() == [anger, neutral]
    assert shares.loc[0].sum() == 1
    # This table has no votes on the others, but for one.
    assert shares.isna().all(axis=1).sum() == len(corpus) - 1 - (votes == "voice")
    assert "votes_anger" not in load_crema_d(tmp_path).frame


def test_votes_that_are_missing(tmp_path):
    make_tree(tmp_path, CREMA_D)
    with pytest.raises(FileNotFoundError, match=r"no file .*tabulatedVotes\.csv: copy"):
        load_crema_d(tmp_path, votes="voice")
    with pytest.raises(ValueError, match=r"votes must be None or .*got 'both'"):
        load_crema_d(tmp_path, votes="both")
    write_votes(tmp_path, VOTES.replace('"A"', '"B"'))
    with pytest.raises(ValueError, match=r"tabulatedVotes\.csv has no column A; its"):
        load_crema_d(tmp_path, votes="voice")


# ------------------------------------------------------------------- real corpora


@pytest.mark.corpus
def test_real_crema_d(data_home):
    corpus = load_crema_d(data_home / "crema-d")
    assert len(corpus) == 649
    assert len(set(corpus.speaker)) == 8
    emotions = {"anger", "disgust", "fear", "happiness", "neutral", "sadness"}
    assert set(corpus.emotion) == emotions
    voices = dict(zip(corpus.speaker.tolist(), corpus.gender, strict=True))
    assert [s for s in voices if voices[s] == "male"] == ["1001", "1005"]
    assert (corpus.frame["level"] == "high").sum() == 40


@pytest.mark.corpus
def test_real_votes(data_home):
    """On the first clip, row 100062 of the table says 6, 2, 0, 0, 1 and 0 of 9."""
    corpus = load_crema_d(data_home / "crema-d", votes="voice")
    shares = emotion_votes(corpus)
    assert corpus.audio[0].endswith("1001_DFA_ANG_XX.wav")
    np.testing.assert_allclose(shares.loc[0], np.array([6, 2, 0, 0, 1, 0]) / 9)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    # From the voice alone, raters often hear another emotion than the one acted.
    agreed = (shares.idxmax(axis=1) == corpus.emotion).mean()
    assert agreed == pytest.approx(0.499, abs=0.001)
