"""The scale on which a corpus is rated, and its dominance."""

import pickle

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from sklearn_ser.datasets import (
    Corpus,
    dimension_levels,
    load_emodb,
    make_emotional_speech,
)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "file": list("abcd"),
            "emotion": ["anger", "sadness", "anger", "neutral"],
            "speaker": ["1", "1", "2", "3"],
        }
    )


DIMENSIONS = ["activation", "valence", "dominance"]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_each_dimension_is_read_from_its_column(frame, dimension):
    corpus = Corpus(frame.assign(**{dimension: [4, 2, np.nan, 3]}), name="Mine")
    found = getattr(corpus, dimension)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [4, 2, np.nan, 3])
    assert all(getattr(corpus, d) is None for d in DIMENSIONS if d != dimension)
    assert repr(corpus).endswith(f"sadness 1), {dimension}>")


def test_all_dimensions_are_shown_in_their_order(frame):
    corpus = Corpus(frame.assign(dominance=3, valence=2, activation=1), name="Mine")
    assert repr(corpus).endswith("sadness 1), activation, valence, dominance>")


def test_ratings_of_pandas_own_types(frame):
    column = pd.array([1, None, 2, 3], dtype="Int64")
    corpus = Corpus(frame.assign(dominance=column), name="Mine")
    np.testing.assert_array_equal(corpus.dominance, [1, np.nan, 2, 3])


def test_the_scale_is_from_one_to_five_and_is_kept(frame):
    assert Corpus(frame, name="Mine").rating_scale == (1.0, 5.0)
    corpus = Corpus(frame.assign(valence=0.5), name="Mine", rating_scale=[-1, 1])
    assert corpus.rating_scale == (-1.0, 1.0)
    assert all(type(bound) is float for bound in corpus.rating_scale)
    assert corpus.select([0]).rating_scale == (-1.0, 1.0)
    assert corpus.keep_emotions("anger").rating_scale == (-1.0, 1.0)
    assert pickle.loads(pickle.dumps(corpus)).rating_scale == (-1.0, 1.0)


@pytest.mark.parametrize("scale", [(5, 1), (2, 2), (1, np.inf), 5, None, (1, "5")])
def test_a_scale_is_two_finite_numbers(frame, scale):
    with pytest.raises(ValueError, match="rating_scale must be two finite numbers"):
        Corpus(frame, name="Mine", rating_scale=scale)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("value", [7.0, 0.5, np.inf])
def test_ratings_outside_the_scale_are_refused(frame, dimension, value):
    table = frame.assign(**{dimension: [3, np.nan, value, value]})
    match = (
        rf"Mine has the {dimension} {value:g} in row 2, outside its scale from 1 to 5 "
        r"\(rows outside: 2 of 4\)\. .*rating_scale=\("
    )
    with pytest.raises(ValueError, match=match):
        Corpus(table, name="Mine")
    wide = Corpus(table.replace(np.inf, 8), name="Mine", rating_scale=(0, 9))
    assert len(wide) == 4


def test_the_ends_of_the_scale_are_on_it(frame):
    ends = np.float32([0.1, 0.7, 0.1, 0.7])
    corpus = Corpus(frame.assign(valence=ends), name="Mine", rating_scale=(0.1, 0.7))
    levels = dimension_levels(corpus.valence, rating_scale=corpus.rating_scale)
    assert levels.tolist() == ["low", "high", "low", "high"]


def test_ratings_that_are_no_numbers_are_refused(frame):
    with pytest.raises(ValueError, match="Mine has ratings of valence that are not"):
        Corpus(frame.assign(valence="high"), name="Mine")


@pytest.mark.parametrize(
    ("scheme", "scale"),
    [("binary", (-1, 1)), ("ternary", (-1, 1)), ("circumplex", (1, 5))],
)
def test_derived_dimensions_come_with_their_scale(frame, scheme, scale):
    corpus = Corpus(frame.assign(activation=9), name="Mine", rating_scale=(0, 9))
    derived = corpus.derive_dimensions(scheme)
    assert derived.rating_scale == scale
    levels = dimension_levels(derived.activation, rating_scale=derived.rating_scale)
    assert levels.tolist()[:3] == ["high", "low", "high"]


def test_dominance_is_carried_to_the_scale_of_derived_dimensions(frame):
    corpus = Corpus(frame.assign(dominance=[1, 2, np.nan, 5]), name="Mine")
    binary = corpus.derive_dimensions("binary")
    np.testing.assert_array_equal(binary.dominance, [-1, -0.5, np.nan, 1])
    same = corpus.derive_dimensions("circumplex")
    np.testing.assert_array_equal(same.dominance, corpus.dominance)


def test_synthetic_speech_is_rated_from_one_to_five():
    corpus = make_emotional_speech(n_speakers=1, n_repetitions=1)
    assert corpus.rating_scale == (1, 5)
    assert corpus.dominance is None


@pytest.fixture
def emodb(tmp_path):
    (tmp_path / "wav").mkdir()
    for name in ("03a01Fa", "08a02Wb"):
        sf.write(tmp_path / "wav" / f"{name}.wav", np.zeros(160), 16000)
    return tmp_path


def test_loaders_read_dominance_where_there_is_such_a_column(emodb):
    labels = emodb / "labels.csv"
    labels.write_text("filename,activation,valence,Dominance\n08a02Wb.wav,3,2,4.5\n")
    corpus = load_emodb(emodb, dimensions=labels)
    np.testing.assert_array_equal(corpus.dominance, [np.nan, 4.5])
    np.testing.assert_array_equal(corpus.activation, [np.nan, 3])
    assert corpus.rating_scale == (1, 5)
    labels.write_text("filename,activation,valence\n08a02Wb.wav,3,2\n")
    assert load_emodb(emodb, dimensions=labels).dominance is None


def test_loaders_refuse_ratings_outside_their_scale(emodb):
    labels = emodb / "labels.csv"
    labels.write_text("filename,activation,valence\n08a02Wb.wav,3,6\n")
    with pytest.raises(ValueError, match="EMO-DB has the valence 6 in row 1, outside"):
        load_emodb(emodb, dimensions=labels)
