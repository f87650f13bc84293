"""Folds by speaker where speakers may be few."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from sklearn_ser._folds import SpeakerFolds

X = np.zeros((12, 1))


@pytest.mark.parametrize(("n_speakers", "n_folds"), [(2, 2), (3, 3), (6, 3)])
def test_no_more_folds_than_speakers(n_speakers, n_folds):
    groups = np.arange(12) % n_speakers
    folds = SpeakerFolds(3)
    assert folds.get_n_splits(X, None, groups) == n_folds
    splits = list(folds.split(X, groups=groups))
    wanted = list(GroupKFold(n_folds).split(X, groups=groups))
    for (train, test), (of_train, of_test) in zip(splits, wanted, strict=True):
        np.testing.assert_array_equal(train, of_train)
        np.testing.assert_array_equal(test, of_test)
        assert not {*groups[train]} & {*groups[test]}


def test_one_speaker_is_too_few():
    with pytest.raises(ValueError, match="one speaker alone"):
        next(SpeakerFolds(3).split(X, groups=np.zeros(12)))
