"""The corpus: its table, its attributes, its parts."""

import pickle

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import Corpus


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "file": list("abcd"),
            "emotion": ["anger", "sadness", "anger", "neutral"],
            "speaker": ["1", "1", "2", "3"],
            "gender": ["female", "female", None, "male"],
            "sentence": ["x", None, "y", "x"],
            "activation": [4, 2, np.nan, 3],
        },
        index=[7, 7, 8, 9],
    )


def test_corpus_attributes(frame):
    corpus = Corpus(frame, name="Mine")
    assert len(corpus) == 4
    assert corpus.audio.tolist() == list("abcd")
    assert corpus.emotion.dtype.kind == corpus.speaker.dtype.kind == "U"
    assert corpus.gender.tolist() == ["female", "female", None, "male"]
    assert corpus.sentence.tolist() == ["x", None, "y", "x"]
    np.testing.assert_array_equal(corpus.activation, [4, 2, np.nan, 3])
    assert corpus.valence is None
    assert corpus.frame.index.tolist() == [0, 1, 2, 3]
    assert repr(corpus) == (
        "<Corpus Mine: 4 utterances, 3 speakers (female 1, male 1), 3 emotions "
        "(anger 2, neutral 1, sadness 1), activation>"
    )


def test_corpus_leaves_the_table_given_alone(frame):
    corpus = Corpus(frame, name="Mine")
    frame.loc[8, "emotion"] = "fear"
    assert corpus.emotion[2] == "anger"
    with pytest.raises(AttributeError):
        corpus.name = "Yours"


def test_corpus_of_segments(frame):
    corpus = Corpus(frame.assign(start=0.5, end=[1, 2, 3, np.nan]), name="Mine")
    assert corpus.audio[:2].tolist() == [("a", 0.5, 1.0), ("b", 0.5, 2.0)]
    assert np.isnan(corpus.audio[3][2])


def test_corpus_of_waveforms(frame):
    waves = [np.zeros(5), np.ones(5), np.ones(5), np.ones(5)]
    table = frame.drop(columns="file").assign(waveform=waves, sampling_rate=8000)
    corpus = Corpus(table, name="Mine")
    assert corpus.audio.shape == (4,)
    assert isinstance(corpus.audio[0], tuple)
    np.testing.assert_array_equal(corpus.audio[1][0], np.ones(5))
    assert corpus.select([1]).audio[0][1] == 8000


@pytest.mark.parametrize("column", ["emotion", "speaker", "file"])
def test_corpus_needs_its_columns_complete(frame, column):
    with pytest.raises(ValueError, match=f"no column '{column}'"):
        Corpus(frame.drop(columns=column), name="Mine")
    frame[column] = [None, "a", "b", None]
    with pytest.raises(ValueError, match=rf"no {column} in row 0 \(2 rows"):
        Corpus(frame, name="Mine")


def test_corpus_of_waveforms_needs_the_rate(frame):
    with pytest.raises(ValueError, match="no column 'sampling_rate'"):
        Corpus(frame.assign(waveform=[np.zeros(1)] * 4), name="Mine")


def test_select(frame):
    corpus = Corpus(frame, name="Mine", license="l", citation="c", language="g")
    some = corpus.select([3, 0])
    assert some.audio.tolist() == ["d", "a"]
    assert some.frame.index.tolist() == [0, 1]
    assert (some.name, some.license, some.citation, some.language) == (
        *("Mine", "l", "c", "g"),
    )
    assert corpus.select(corpus.emotion == "anger").audio.tolist() == ["a", "c"]
    assert corpus.select(frame["emotion"] == "anger").audio.tolist() == ["a", "c"]
    assert corpus.select([-1]).audio.tolist() == ["d"]
    # A corpus with labels stays one, also where none of the selected has any.
    np.testing.assert_array_equal(corpus.select([2]).activation, [np.nan])


def test_select_nothing(frame):
    corpus = Corpus(frame, name="Mine")
    for nothing in ([], np.zeros(4, dtype=bool)):
        empty = corpus.select(nothing)
        assert len(empty) == 0
        assert empty.audio.shape == empty.emotion.shape == (0,)
        assert empty.activation.shape == empty.gender.shape == (0,)
        assert repr(empty).startswith("<Corpus Mine: 0 utterances, 0 speakers")


def test_select_what_is_not_there(frame):
    corpus = Corpus(frame, name="Mine")
    with pytest.raises(ValueError, match="The mask has the shape"):
        corpus.select([True, False])
    with pytest.raises(IndexError):
        corpus.select([4])
    with pytest.raises(IndexError):
        corpus.select(["anger"])


def test_keep_emotions(frame):
    corpus = Corpus(frame, name="Mine")
    assert corpus.keep_emotions(["neutral", "angry"]).audio.tolist() == list("acd")
    assert corpus.keep_emotions("Sad").audio.tolist() == ["b"]
    with pytest.raises(ValueError, match="Mine has no joy, purple; it has anger, neu"):
        corpus.keep_emotions(["anger", "joy", "purple"])


def test_keep_emotions_prefers_the_corpus_own_name(frame):
    frame["emotion"] = ["excited", "happiness", "anger", "anger"]
    corpus = Corpus(frame, name="Mine")
    assert corpus.keep_emotions("excited").audio.tolist() == ["a"]
    assert corpus.keep_emotions("joy").audio.tolist() == ["b"]


def test_corpus_is_pickled(frame):
    corpus = pickle.loads(pickle.dumps(Corpus(frame, name="Mine")))
    assert corpus.frame.equals(Corpus(frame, name="Mine").frame)


def corpus_of(*emotions):
    return Corpus(
        pd.DataFrame(
            {
                "file": [f"{k}.wav" for k in range(len(emotions))],
                "emotion": emotions,
                "speaker": "1",
            }
        ),
        name="Mine",
    )


@pytest.mark.parametrize("asked", ["anger", "angry", "Angry", "ang"])
@pytest.mark.parametrize("named", ["anger", "angry", "Angry", "ANG"])
def test_synonyms_of_emotions_work_both_ways(asked, named):
    kept = corpus_of("sad", named, named).keep_emotions([asked, "sadness"])
    assert kept.emotion.tolist() == ["sad", named, named]
    assert corpus_of("sad", named).keep_emotions(asked).emotion.tolist() == [named]


def test_emotions_that_only_count_as_others():
    calm = corpus_of("calm", "neutral", "excited", "amusement")
    assert calm.keep_emotions("neutral").emotion.tolist() == ["neutral"]
    assert calm.keep_emotions("calmness").emotion.tolist() == ["calm"]
    assert calm.keep_emotions("excitement").emotion.tolist() == ["excited"]
    with pytest.raises(ValueError, match="'happiness' may be 'amusement' or 'excited'"):
        calm.keep_emotions("happiness")
    assert corpus_of("calm", "exc").keep_emotions("joy").emotion.tolist() == ["exc"]


@pytest.mark.parametrize("names", [("anger", "angry"), ("Sad", "sad"), ("hap", "joy")])
def test_one_emotion_under_two_names_is_refused(names):
    with pytest.raises(ValueError, match=r"Mine has both .* which are one emotion"):
        corpus_of("neutral", *names)
