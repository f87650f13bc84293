"""The emotion table: names, dimensions, quadrants, levels."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.datasets import (
    canonical_emotion,
    dimension_levels,
    emotion_dimensions,
    emotion_quadrant,
)

# Gao et al. (2021), Table 1, and the extension to the other corpora: quadrants
# 1 (+H), 2 (-H), 3 (-L), 4 (+L), under the names that each corpus uses.
QUADRANTS = {
    "IEMOCAP": {"happy": 1, "angry": 2, "sad": 3, "neutral": 4},
    "IEMOCAP extra": {"excited": 1, "frustrated": 2, "surprise": 1, "fear": 2}
    | {"disgust": 3},
    "IEMOCAP codes": {"ang": 2, "hap": 1, "exc": 1, "sad": 3, "neu": 4, "fru": 2}
    | {"fea": 2, "sur": 1, "dis": 3},
    "EmoV-DB": {"amused": 1, "angry": 2, "disgust": 3, "neutral": 4},
    "SAVEE": {"joy": 1, "surprise": 1, "angry": 2, "fear": 2, "disgust": 3}
    | {"sad": 3, "neutral": 4},
    "EMO-DB": {"happy": 1, "angry": 2, "fear": 2, "disgust": 3, "sad": 3}
    | {"neutral": 4, "boredom": 3},
    "CaFE": {"joy": 1, "surprise": 1, "anger": 2, "fear": 2, "disgust": 3}
    | {"sadness": 3, "neutral": 4},
    "URDU": {"Happy": 1, "Angry": 2, "Sad": 3, "Neutral": 4},
    "AESDD": {"happiness": 1, "anger": 2, "fear": 2, "disgust": 3, "sadness": 3},
    "RAVDESS": {"happy": 1, "surprised": 1, "angry": 2, "fearful": 2, "disgust": 3}
    | {"sad": 3, "neutral": 4, "calm": 4},
    "CREMA-D": {"happy": 1, "anger": 2, "fear": 2, "disgust": 3, "sad": 3}
    | {"neutral": 4},
}
SIGNS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1)}


@pytest.mark.parametrize("corpus", QUADRANTS)
def test_binary_scheme_is_the_published_table(corpus):
    emotions, quadrants = zip(*QUADRANTS[corpus].items(), strict=True)
    activation, valence = emotion_dimensions(emotions)
    pairs = list(zip(activation, valence, strict=True))
    assert pairs == [SIGNS[quadrant] for quadrant in quadrants]
    assert activation.dtype == valence.dtype == np.float64
    assert emotion_quadrant(emotions).tolist() == list(quadrants)


def test_ternary_scheme_follows_the_listeners():
    expected = {  # activation, valence
        "anger": (1, -1),
        "happiness": (1, 1),
        "sadness": (-1, -1),
        "neutral": (0, 0),
        "fear": (1, -1),
        "disgust": (0, -1),
        "surprise": (1, 0),
        "boredom": (-1, 0),
        "frustration": (1, -1),
    }
    found = zip(*emotion_dimensions(list(expected), "ternary"), strict=True)
    assert list(found) == list(expected.values())


def test_circumplex_scheme_is_the_mean_rating():
    expected = {
        "anger": (4.23, 2.03),
        "happiness": (3.48, 3.37),
        "sadness": (2.32, 2.27),
        "neutral": (2.80, 2.97),
        "fear": (3.44, 2.11),
        "disgust": (2.78, 2.20),
        "surprise": (3.25, 2.96),
        "boredom": (2.16, 2.70),
    }
    found = zip(*emotion_dimensions(list(expected), "circumplex"), strict=True)
    assert list(found) == list(expected.values())


def test_emotion_dimensions_keep_the_shape():
    assert emotion_dimensions("anger")[0].shape == ()
    assert emotion_dimensions([])[0].shape == (0,)
    assert emotion_dimensions(np.array([["joy", "sad"]]))[1].tolist() == [[1, -1]]
    assert emotion_quadrant([]).shape == (0,)
    assert emotion_quadrant("anger") == 2


def test_levels_lie_below_on_and_above_the_midpoint():
    ratings = [1, 2.5, 2.999, 3, 3.001, 3.5, 5]
    expected = ["low"] * 3 + ["medium"] + ["high"] * 3
    levels = dimension_levels(ratings)
    assert levels.tolist() == expected
    assert levels.dtype.kind == "U"
    centered = np.array(ratings) - 3
    assert dimension_levels(centered, rating_scale=(-2, 2)).tolist() == expected


def test_levels_keep_the_shape():
    assert dimension_levels(4).shape == ()
    assert dimension_levels(4) == "high"
    assert dimension_levels([]).shape == (0,)
    assert dimension_levels([[1, 3], [5, 3]]).tolist() == [
        *(["low", "medium"], ["high", "medium"]),
    ]
    series = pd.Series([2, 3], index=[7, 8])
    assert dimension_levels(series).tolist() == ["low", "medium"]


def test_levels_of_nothing_known():
    with pytest.raises(ValueError, match=r"NaN at index 1 \(2 of 4 values in all\)"):
        dimension_levels([1, np.nan, 3, np.nan])
    with pytest.raises(ValueError, match="NaN at index 0"):
        dimension_levels(None)


@pytest.mark.parametrize("unknown", ["sleepiness", "", None, "anger!"])
def test_unknown_emotion_is_named_with_those_known(unknown):
    with pytest.raises(ValueError, match=rf"{unknown!r}; known are anger, .*surprise"):
        emotion_dimensions(["anger", unknown])


def test_unrated_emotion_has_no_place_on_the_circumplex():
    with pytest.raises(ValueError, match="Nobody has rated 'frustration'"):
        emotion_dimensions(["anger", "frustrated"], "circumplex")


def test_unknown_scheme():
    with pytest.raises(ValueError, match="'trinary'"):
        emotion_dimensions(["anger"], "trinary")


def test_synonyms_lead_to_the_nouns():
    assert canonical_emotion(" Angry ") == "anger"
    nouns = {"anger", "boredom", "disgust", "fear", "frustration", "happiness"}
    for noun in nouns | {"neutral", "sadness", "surprise"}:
        assert canonical_emotion(noun) == noun
