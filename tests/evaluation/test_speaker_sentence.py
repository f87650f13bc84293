"""Folds that share neither speakers nor sentences."""

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_predict, cross_validate

from sklearn_ser.evaluation import SpeakerSentenceKFold

SPEAKERS = np.repeat(list("abcd"), 6)
SENTENCES = np.tile(list("uvwxyz"), 4)
GIVEN = {"groups": SPEAKERS, "sentences": SENTENCES}


@settings(max_examples=20)
@given(
    n_speakers=st.none() | st.integers(2, 4),
    n_sentences=st.none() | st.integers(2, 6),
    seed=st.none() | st.integers(0, 5),
    rows=st.permutations(range(24)),
)
def test_each_is_tested_once_by_others_and_other_sentences(
    n_speakers, n_sentences, seed, rows
):
    folds = SpeakerSentenceKFold(
        n_speakers, n_sentences, shuffle=seed is not None, random_state=seed
    )
    speakers, sentences = SPEAKERS[rows], SENTENCES[rows]
    splits = list(folds.split(rows, groups=speakers, sentences=sentences))
    assert len(splits) == folds.get_n_splits(groups=speakers, sentences=sentences)
    assert len(splits) == (n_speakers or 4) * (n_sentences or 6)
    tested = np.concatenate([test for _, test in splits])
    assert sorted(tested) == list(range(24))
    for train, test in splits:
        assert not {*speakers[train]} & {*speakers[test]}
        assert not {*sentences[train]} & {*sentences[test]}
        # All others of other sentences are trained on.
        others = ~np.isin(speakers, speakers[test]) & ~np.isin(
            sentences, sentences[test]
        )
        np.testing.assert_array_equal(train, np.flatnonzero(others))


def test_pairs_that_were_not_recorded_make_no_fold():
    kept = np.arange(1, 24)
    splits = SpeakerSentenceKFold().split(
        kept, groups=SPEAKERS[1:], sentences=SENTENCES[1:]
    )
    assert len(list(splits)) == 23


def test_seeds_deal_anew():
    def dealt(seed):
        folds = SpeakerSentenceKFold(2, 2, shuffle=True, random_state=seed)
        return [test.tolist() for _, test in folds.split(SPEAKERS, **GIVEN)]

    assert dealt(0) == dealt(0)
    assert len({str(dealt(seed)) for seed in range(4)}) > 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sentences": None}, "sentences is missing"),
        ({"groups": None}, "groups is missing"),
        ({"sentences": ["u", None] * 12}, r"sentences has none at index 1 \(12 in all"),
        ({"groups": ["a"] * 24}, "groups has 1 different values, and 2 parts"),
        ({"sentences": SENTENCES[:3]}, "inconsistent numbers"),
        ({"groups": [*"aab"] * 8, "sentences": [*"uvu"] * 8}, "nothing to train"),
    ],
)
def test_what_cannot_be_split_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        list(SpeakerSentenceKFold().split(SPEAKERS, **(GIVEN | changed)))
    with pytest.raises(ValueError, match="sentences has 6 different values, and 7"):
        list(SpeakerSentenceKFold(2, 7).split(SPEAKERS, **GIVEN))


def test_scikit_learn_splits_by_it():
    X, y = np.zeros((24, 1)), np.tile([0, 1], 12)
    folds = clone(SpeakerSentenceKFold(2, 3), safe=False)
    assert repr(folds).startswith("SpeakerSentenceKFold(")
    splits = list(folds.split(X, y, SPEAKERS, sentences=SENTENCES))
    assert cross_val_predict(DummyClassifier(), X, y, cv=splits).shape == (24,)
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_validate(DummyClassifier(), X, y, cv=folds, params=GIVEN)
    assert len(scores["test_score"]) == 6
