"""The reference recipe: its settings, and its number on EMO-DB."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_val_predict

from sklearn_ser import recipes
from sklearn_ser.metrics import ua_score


def test_reference_settings():
    pipeline = recipes.egemaps_svc()
    svc = pipeline["svc"]
    assert (svc.kernel, svc.C, svc.class_weight) == ("linear", 0.01, "balanced")
    assert list(pipeline.named_steps) == ["egemaps", "standardscaler", "svc"]


@pytest.mark.slow
def test_the_reference_beats_chance_by_far(corpus):
    predicted = cross_val_predict(
        recipes.egemaps_svc(n_jobs=2),
        corpus.audio,
        corpus.emotion,
        groups=corpus.speaker,
        cv=GroupKFold(4),
    )
    assert ua_score(corpus.emotion, predicted) > 0.5


@pytest.mark.slow
@pytest.mark.corpus
def test_emodb_by_speaker(data_home):
    """The reference number of the field, within a point."""
    from sklearn.model_selection import LeaveOneGroupOut

    from sklearn_ser.datasets import load_emodb

    corpus = load_emodb(data_home / "emodb")
    predicted = cross_val_predict(
        recipes.egemaps_svc(n_jobs=2)[1:],
        recipes.egemaps_svc(n_jobs=2)[0].transform(corpus.audio),
        corpus.emotion,
        groups=corpus.speaker,
        cv=LeaveOneGroupOut(),
    )
    assert ua_score(corpus.emotion, predicted) == pytest.approx(0.67, abs=0.01)
    assert np.unique(predicted).size == 7
