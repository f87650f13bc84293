"""The recipe of Das et al.: published settings, in both routing modes."""

import pytest
import sklearn
from sklearn.model_selection import GridSearchCV, GroupKFold

from sklearn_ser import recipes


def test_metric_dae_settings():
    pipeline = recipes.metric_dae(("act", "val"), random_state=3, on_error="warn")
    assert list(pipeline.named_steps) == [
        *("egemaps", "standardscaler", "metricdae", "svc")
    ]
    dae = pipeline["metricdae"]
    assert (dae.label, dae.latent_dim, dae.lr) == (("act", "val"), 2, 1e-3)
    assert (dae.max_epochs, dae.batch_size, dae.random_state) == (50, 64, 3)
    svc = pipeline["svc"]
    assert (svc.kernel, svc.C, svc.class_weight) == ("linear", 1.0, "balanced")
    assert pipeline["egemaps"].on_error == "warn"
    assert recipes.metric_dae()["metricdae"].label == "act"


@pytest.mark.slow
@pytest.mark.parametrize("routing", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_main_job(corpus, routing, tmp_path):
    """Recordings → eGeMAPS → MetricDAE → SVC, under GroupKFold and GridSearchCV."""
    pipeline = recipes.metric_dae("act", random_state=0, memory=str(tmp_path))
    pipeline.set_params(metricdae__max_epochs=20)
    grid = GridSearchCV(
        pipeline,
        {"metricdae__latent_dim": [2, 4], "svc__C": [0.1, 1]},
        cv=GroupKFold(2),
        scoring="balanced_accuracy",
        n_jobs=2,
        error_score="raise",
    )
    label = "activation" if routing else "metricdae__activation"
    with sklearn.config_context(enable_metadata_routing=routing):
        grid.fit(
            corpus.audio,
            corpus.emotion,
            groups=corpus.speaker,
            **{label: corpus.activation},
        )
    assert grid.cv_results_["mean_test_score"].shape == (4,)
    assert grid.best_score_ > 0.3
    assert set(grid.predict(corpus.audio[:3])) <= set(corpus.emotion)
    activation = grid.best_estimator_[:-1]
    assert activation.predict(corpus.audio).shape == (len(corpus),)
