"""Tables of activation and valence, joined to any corpus of files."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import (
    Corpus,
    add_dimensions,
    load_emodb,
    load_urdu,
    make_emotional_speech,
)


@pytest.fixture
def corpus():
    frame = pd.DataFrame(
        {
            "file": ["x/a.wav", "x/b.flac"],
            "emotion": ["anger", "fear"],
            "speaker": "1",
            "valence": [7.0, 1.0],
            "dominance": [7.0, 4.0],
        }
    )
    return Corpus(frame, name="Mine", license="mine", rating_scale=(1, 7))


def table(folder, text):
    path = folder / "table.csv"
    path.write_text(text)
    return path


def test_ratings_replace_those_given(corpus, tmp_path):
    path = table(tmp_path, ",filname,activation,valence \n,B.wav,4.5,2\n,,,\n")
    rated = add_dimensions(corpus, path)
    np.testing.assert_array_equal(rated.activation, [np.nan, 4.5])
    np.testing.assert_array_equal(rated.valence, [np.nan, 2])
    # What the table lacks goes to the same scale.
    assert rated.dominance.tolist() == [5, 3]
    assert rated.rating_scale == (1, 5)
    assert (rated.name, rated.license) == ("Mine", "mine")
    assert corpus.valence.tolist() == [7, 1]
    assert corpus.activation is None


def test_dominance_of_the_table_comes_first(corpus, tmp_path):
    text = "filename,activation,valence,dominance\na.wav,-1,1,0.5\n"
    rated = add_dimensions(corpus, table(tmp_path, text), rating_scale=(-1, 1))
    assert rated.dominance[0] == 0.5
    assert rated.rating_scale == (-1, 1)


@pytest.mark.corpus
def test_it_is_what_the_loaders_do(data_home):
    for load, folder, name in (
        (load_emodb, "emodb", "EMO_DB.csv"),
        (load_urdu, "urdu", "URDU.csv"),
    ):
        labels = data_home / "labels" / name
        added = add_dimensions(load(data_home / folder), labels)
        loaded = load(data_home / folder, dimensions=labels)
        assert added.frame.equals(loaded.frame)


def test_what_cannot_be_joined(corpus, tmp_path):
    path = table(tmp_path, "filename,activation,valence\na.wav,6,1\n")
    with pytest.raises(ValueError, match="activation 6 in row 0, outside its scale"):
        add_dimensions(corpus, path)
    with pytest.raises(ValueError, match="rating_scale must be two finite numbers"):
        add_dimensions(corpus, path, rating_scale=(5, 1))
    with pytest.raises(FileNotFoundError, match=r"no file .*absent"):
        add_dimensions(corpus, tmp_path / "absent.csv")
    with pytest.raises(ValueError, match="synthetic has no column 'file', by which"):
        add_dimensions(make_emotional_speech(1, n_repetitions=1), path)
