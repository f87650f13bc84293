"""CREMA-D, on a miniature tree and on the real recordings."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import load_crema_d
from tests.datasets.helpers import CREMA_D, by_file, make_tree

ACTORS = """\
"ActorID","Age","Sex","Race","Ethnicity"
1001,51,"Male","Caucasian","Not Hispanic"
1002,21,"Female","Caucasian","Not Hispanic"
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
