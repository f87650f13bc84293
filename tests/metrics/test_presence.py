"""The score of utterances with several emotions, against a loop."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.metrics import emotion_presence, presence_score, wa_score

SIX = ["happiness", "sadness", "anger", "fear", "disgust", "surprise"]
FOUR = ["anger", "happiness", "neutral", "sadness"]


def draw(n=200, seed=0):
    rng = np.random.default_rng(seed)
    ratings = rng.integers(0, 4, (n, 6)) * (rng.random((n, 6)) < 0.25)
    return ratings, rng.choice(FOUR, n)


def test_score_is_the_rule_of_the_paper_word_for_word():
    ratings, predicted = draw()
    right = used = 0
    for row, guess in zip(ratings, predicted, strict=True):
        rated = dict(zip(SIX, row, strict=True))
        present = [e for e in ("happiness", "sadness", "anger") if rated[e] > 0]
        if all(value == 0 for value in row):
            present = ["neutral"]
        if present:
            used += 1
            right += guess in present
    present = emotion_presence(ratings, SIX, classes=FOUR)
    some = present.any(axis=1)
    assert 0 < some.sum() < len(ratings)  # fear alone is left out
    assert some.sum() == used
    score = presence_score(present[some], predicted[some], classes=FOUR)
    assert score == pytest.approx(right / used)


def test_one_emotion_each_is_plain_accuracy():
    rng = np.random.default_rng(1)
    true, predicted = rng.choice(FOUR, 50), rng.choice(FOUR, 50)
    present = true[:, None] == np.array(FOUR)
    weights = rng.random(50)
    for weight in (None, weights):
        score = presence_score(present, predicted, classes=FOUR, sample_weight=weight)
        expected = wa_score(true, predicted, sample_weight=weight)
        assert score == pytest.approx(expected)


def test_more_presence_never_lowers_the_score_and_order_does_not_matter():
    ratings, predicted = draw(seed=2)
    present = emotion_presence(ratings, SIX, classes=FOUR)
    some = present.any(axis=1)
    present, predicted = present[some], predicted[some]
    score = presence_score(present, predicted, classes=FOUR)
    assert presence_score(present[:, ::-1], predicted, classes=FOUR[::-1]) == score
    assert presence_score(present | True, predicted, classes=FOUR) == 1
    assert presence_score(present.astype(int), predicted, classes=FOUR) == score


def test_a_class_without_a_column_is_wrong():
    assert presence_score([[1, 1]], ["fear"], classes=["anger", "sadness"]) == 0


def test_neutral_may_be_rated_itself():
    table = pd.DataFrame({"anger": [0, 1], "neutral": [0, 2]})
    present = emotion_presence(table, list(table), classes=["neutral", "anger"])
    assert present.tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"present": [[True, False], [False, False]]}, "no class in 1 .* at index 1"),
        ({"present": [[2, 0], [0, 1]]}, "must be True or False"),
        ({"classes": ["a", "b", "c"]}, "each of the 2 columns once, got a, b, c"),
        ({"classes": ["a", "a"]}, "each of the 2 columns once"),
        ({"y_pred": ["a"]}, "inconsistent numbers of samples"),
    ],
)
def test_what_a_score_refuses(change, message):
    given = {"present": [[1, 0], [0, 1]], "y_pred": ["a", "b"], "classes": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        presence_score(**(given | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratings": [[0, -1]]}, "negative rating in row 0"),
        ({"ratings": [[0, np.nan]]}, "NaN"),
        ({"classes": ["joy"]}, "names joy, .* emotions: anger, fear"),
        ({"emotions": ["anger"]}, "each of the 2 columns once"),
    ],
)
def test_what_presence_refuses(change, message):
    given = {"ratings": [[0, 1]], "emotions": ["anger", "fear"], "classes": ["fear"]}
    with pytest.raises(ValueError, match=message):
        emotion_presence(**(given | change))
