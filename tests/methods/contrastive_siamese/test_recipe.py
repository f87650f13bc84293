"""The recipe of Lian et al.: published settings, in both routing modes."""

import pytest
import sklearn

from sklearn_ser import recipes
from sklearn_ser.metrics import ua_score


def test_contrastive_siamese_settings():
    pipeline = recipes.contrastive_siamese(random_state=3, on_error="nan", n_jobs=2)
    front_end, siamese = pipeline
    assert (front_end.n_mfcc, front_end.window, front_end.hop) == (13, 0.025, 0.010)
    assert (front_end.duration, front_end.on_error) == (None, "nan")
    assert (siamese.n_frames, siamese.n_filters, siamese.lr) == (898, 100, 1e-4)
    assert (siamese.pairs, siamese.position) == ("random", "features")
    assert (siamese.distance, siamese.testing) == ("cosine", "average")
    assert (siamese.class_weight, siamese.random_state) == ("balanced", 3)


@pytest.mark.slow
@pytest.mark.parametrize("routing", [True, False])
def test_recordings_to_emotions_by_pairs(corpus, routing):
    model = recipes.contrastive_siamese(n_frames=150, random_state=0)
    model.set_params(contrastivesiamese__lr=1e-3)
    model.set_params(contrastivesiamese__auxiliary="gender")
    gender = "gender" if routing else "contrastivesiamese__gender"
    with sklearn.config_context(enable_metadata_routing=routing):
        model.fit(corpus.audio, corpus.emotion, **{gender: corpus.gender})
    assert ua_score(corpus.emotion, model.predict(corpus.audio)) > 0.4
