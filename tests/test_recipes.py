"""What holds for all recipes."""

from sklearn.base import clone

from sklearn_ser import recipes


def test_recipes_clone_and_share_nothing():
    first, second = recipes.metric_dae(), recipes.metric_dae()
    first.set_params(svc__C=7.0)
    assert second["svc"].C == 1.0
    assert clone(first)["svc"].C == 7.0
