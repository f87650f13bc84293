"""Several corpora as one, and outliers of each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import LeaveOneGroupOut

from sklearn_ser.datasets import Corpus, join_corpora, make_emotional_speech
from sklearn_ser.metrics import zscore_outliers


def corpus_of(name, *, scale=(1.0, 5.0), **columns):
    frame = pd.DataFrame(
        {
            "file": [f"{name}/0.wav", f"{name}/1.wav"],
            "emotion": ["anger", "neutral"],
            "speaker": ["1", "2"],
        }
    )
    return Corpus(frame.assign(**columns), name=name, rating_scale=scale)


def test_names_are_those_of_a_corpus():
    one = corpus_of("A", sentence=["x", None], partner=["2", "1"])
    joined = join_corpora([one, corpus_of("B", sentence="x", session="Ses01")])
    assert joined.speaker.tolist() == ["A/1", "A/2", "B/1", "B/2"]
    assert joined.sentence.tolist() == ["A/x", None, "B/x", "B/x"]
    assert joined.frame["partner"].tolist()[:2] == ["A/2", "A/1"]
    assert joined.frame["session"].tolist()[2:] == ["B/Ses01"] * 2
    assert joined.frame["partner"].isna().tolist() == [False] * 2 + [True] * 2
    assert joined.frame["corpus"].tolist() == ["A", "A", "B", "B"]
    assert joined.audio.tolist() == ["A/0.wav", "A/1.wav", "B/0.wav", "B/1.wav"]
    assert joined.name == "A + B"
    assert join_corpora([one], name="C").name == "C"
    # What was given stays.
    assert one.speaker.tolist() == ["1", "2"]
    assert "corpus" not in one.frame


def test_texts_are_joined_once():
    texts = {"license": "L", "language": "English", "citation": "X. Y."}
    one = replace(corpus_of("A"), **texts)
    two = replace(corpus_of("B"), **texts | {"citation": "Z."})
    joined = join_corpora(iter([one, two, corpus_of("C")]))
    assert (joined.license, joined.language) == ("L", "English")
    assert joined.citation == "X. Y.\nZ."
    assert joined.description == ""


def test_segments_and_whole_files_stay_what_they_are():
    one = corpus_of("A", start=[0.0, 1.0], end=[1.0, 2.0])
    audio = join_corpora([one, corpus_of("B")]).audio
    assert audio[1] == ("A/1.wav", 1.0, 2.0)
    assert audio[2][0] == "B/0.wav"
    assert np.isnan(audio[2][1:]).all()  # from the beginning to the end


def test_ratings_are_carried_to_one_scale():
    one = corpus_of("A", scale=(1, 7), valence=[1.0, 4.0], dominance=[7.0, np.nan])
    two = corpus_of("B", valence=[1.0, 5.0])
    joined = join_corpora([one, two])
    assert joined.rating_scale == (1, 5)
    assert joined.valence.tolist() == [1, 3, 1, 5]
    np.testing.assert_array_equal(joined.dominance, [5, np.nan, np.nan, np.nan])
    assert joined.activation is None
    other = join_corpora([one, two], rating_scale=(0, 1))
    assert other.valence.tolist() == [0, 0.5, 0, 1]
    with pytest.raises(ValueError, match="rating_scale must be two finite numbers"):
        join_corpora([one, two], rating_scale=(1, 1))


@pytest.mark.parametrize("scale", [(1.0, 7.0), (-1.0, 1.0)])
def test_a_scale_that_all_share_is_kept(scale):
    """A corpus without ratings has no say."""
    one, two = (corpus_of(name, scale=scale, valence=scale) for name in "AB")
    joined = join_corpora([one, corpus_of("C"), two])
    assert joined.rating_scale == scale
    assert joined.valence.tolist()[-2:] == list(scale)


def test_emotions_get_one_name():
    one = corpus_of("A", emotion=["Angry", "joyful"])
    two = corpus_of("B", emotion=["anger", "contempt"])
    joined = join_corpora([one, two])
    assert joined.emotion.tolist() == ["anger", "happiness", "anger", "contempt"]


def test_waveforms():
    one, two = (
        replace(make_emotional_speech(2, n_repetitions=1, random_state=seed), name=name)
        for seed, name in enumerate("AB")
    )
    joined = join_corpora([one, two])
    assert joined.audio[16 - 1][0] is two.audio[-1][0]
    with pytest.raises(ValueError, match="cannot be joined with files: A consist of"):
        join_corpora([one, corpus_of("B")])


def test_what_cannot_be_joined():
    with pytest.raises(ValueError, match="no corpus to join"):
        join_corpora([])
    with pytest.raises(ValueError, match="2 corpora have the name A, so that"):
        join_corpora([corpus_of("A"), corpus_of("B"), corpus_of("A")])
    joined = join_corpora([corpus_of("A"), corpus_of("B")])
    with pytest.raises(ValueError, match=r"A \+ B has a column 'corpus' already"):
        join_corpora([joined, corpus_of("C")])


def test_a_corpus_at_a_time_is_held_out():
    joined = join_corpora([corpus_of("A"), corpus_of("B"), corpus_of("C")])
    folds = LeaveOneGroupOut().split(joined.audio, groups=joined.frame["corpus"])
    assert [test.tolist() for _, test in folds] == [[0, 1], [2, 3], [4, 5]]


# ------------------------------------------------------------------------ outliers


def many(name, n):
    frame = pd.DataFrame(
        {"file": [f"{i}.wav" for i in range(n)], "emotion": "anger", "speaker": "1"}
    )
    return Corpus(frame, name=name, license="mine")


@pytest.fixture
def features():
    X = np.random.default_rng(0).normal(size=(150, 3))
    X[[7, 90], [0, 2]] = 1e4, -1e4
    return X


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, np.ndarray.tolist])
def test_outliers_are_those_of_the_metric(features, container):
    corpus = many("A", 150)
    kept = corpus.drop_outliers(container(features))
    expected = corpus.select(~zscore_outliers(features))
    assert len(kept) == 148
    assert kept.audio.tolist() == expected.audio.tolist()
    assert (kept.name, kept.license) == ("A", "mine")
    assert len(corpus) == 150
    assert len(corpus.drop_outliers(features, threshold=2.5)) < 148


def test_outliers_are_those_of_the_corpus_of_origin(features):
    """Among the other corpus's features, they would be none."""
    joined = join_corpora([many("A", 150), many("B", 150)])
    wide = np.random.default_rng(1).normal(scale=1e4, size=(150, 3))
    X = np.r_[features, wide]
    assert not zscore_outliers(X).any()
    kept = joined.drop_outliers(X)
    assert kept.frame["corpus"].value_counts().to_dict() == {"A": 148, "B": 150}
    assert "7.wav" not in kept.audio[:148]
    table = pd.DataFrame(X, columns=list("abc"))
    assert kept.audio.tolist() == joined.drop_outliers(table).audio.tolist()


def test_few_utterances_have_no_outliers_and_faulty_rows_stay(features):
    corpus = many("A", 101)
    assert len(corpus.drop_outliers(features[:101])) == 101
    features[3] = np.nan
    assert len(many("A", 150).drop_outliers(features)) == 148


@pytest.mark.parametrize("X", [np.zeros((3, 2)), 0.0, np.zeros((0, 2))])
def test_features_need_a_row_for_each_utterance(X):
    with pytest.raises(ValueError, match="rows, but the corpus A has 4 utterances"):
        many("A", 4).drop_outliers(X)


def test_features_need_to_be_numbers():
    with pytest.raises(ValueError, match="threshold == 0"):
        many("A", 4).drop_outliers(np.zeros((4, 1)), threshold=0)
    with pytest.raises(ValueError, match="infinity"):
        many("A", 4).drop_outliers(np.full((4, 1), np.inf))
