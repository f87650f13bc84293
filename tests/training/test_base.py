"""What a fitted estimator keeps, forgets and saves, and by which version."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest

from sklearn_ser import MetricDAE, SequenceClassifier
from sklearn_ser.training import _base
from sklearn_ser.training._base import check_sizes, draw_seed

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 5)).astype(np.float32)
GROUPS = np.tile(["s", "t", "u"], 10)


@pytest.fixture
def model():
    return MetricDAE(max_epochs=1, random_state=0).fit(X)


def test_a_model_of_another_version_names_both(model, monkeypatch):
    expected = model.transform(X)
    monkeypatch.setattr(_base, "_VERSION", "0.0.7")
    saved = pickle.dumps(model)
    monkeypatch.setattr(_base, "_VERSION", "3.2.1")
    with pytest.warns(
        UserWarning, match=r"MetricDAE was saved by .* 0\.0\.7 .* 3\.2\.1"
    ):
        restored = pickle.loads(saved)
    np.testing.assert_array_equal(restored.transform(X), expected)


def test_one_that_cannot_be_loaded_names_both_versions(model, monkeypatch):
    state = model.__getstate__()
    state["_trained"] = {"module": {}, "optimizer": {}}
    state["_version"] = "0.0.7"
    message = r"saved by sklearn-ser 0\.0\.7 and is loaded by .*cannot load it"
    with (
        pytest.warns(UserWarning, match=r"0\.0\.7"),
        pytest.raises(ValueError, match=message),
    ):
        MetricDAE.__new__(MetricDAE).__setstate__(state)


def test_an_unfitted_estimator_has_no_version():
    saved = pickle.dumps(MetricDAE())
    assert b"_version" not in saved.replace(b"_sklearn_version", b"")
    assert not hasattr(pickle.loads(saved), "net_")


@pytest.mark.slow
def test_models_of_before_say_why_they_do_not_load(tmp_path):
    old = b"csklearn_ser.estimators._menan\nMEnAN\n."  # a class by its module and name
    (tmp_path / "old.pkl").write_bytes(old)
    message = r"MEnAN was saved by an earlier version .* cannot load it\. Fit and save"
    with pytest.raises(ImportError, match=message):
        pickle.loads(old)
    code = f"import joblib; joblib.load({str(tmp_path / 'old.pkl')!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "saved by an earlier version of sklearn-ser" in done.stderr.splitlines()[-1]


def test_modules_that_are_gone_do_not_disturb_those_who_look_at_all_modules():
    import inspect

    assert inspect.getmodule(inspect.stack()[0][0]).__name__ == __name__
    assert not hasattr(sys.modules["sklearn_ser.estimators._cvae"], "__file__")


def test_a_new_fit_keeps_nothing_of_the_last(model):
    stopping = MetricDAE(early_stopping=True, max_epochs=1, random_state=0)
    stopping.fit(X, groups=GROUPS)
    assert stopping.validation_groups_.shape == (1,)
    stopping.set_params(early_stopping=False).fit(X)
    assert not hasattr(stopping, "validation_groups_")
    with pytest.raises(ValueError, match="NaN"):
        stopping.fit(X * np.nan)
    assert not any(name.endswith("_") for name in vars(stopping) if name[0] != "_")
    assert not hasattr(stopping, "_spec")


def test_requests_and_containers_outlive_a_fit():
    model = MetricDAE(max_epochs=1).set_output(transform="pandas")
    model.fit(X)
    assert list(model.fit(X).transform(X).columns) == ["metricdae0", "metricdae1"]


def test_held_out_speakers_are_drawn_by_the_seed_alone():
    y = np.tile(["a", "b"], 15)
    settings = {"early_stopping": True, "max_epochs": 1, "hidden_size": 2}

    def held_out(seed):
        model = SequenceClassifier(random_state=seed, **settings)
        return model.fit(X, y, groups=GROUPS).validation_groups_.tolist()

    assert held_out(0) == held_out(0)
    assert len({held_out(seed)[0] for seed in range(8)}) > 1


def test_a_seed_is_drawn_from_what_is_given():
    assert draw_seed(3) == draw_seed(3) != draw_seed(4)
    state = np.random.RandomState(0)
    assert draw_seed(state) != draw_seed(state)
    assert 0 <= draw_seed(None) < 2**31 - 1


@pytest.mark.parametrize("sizes", [(0,), (1.5,), (True,), ("3",), (-2, 3)])
def test_sizes_are_positive_integers(sizes):
    with pytest.raises(ValueError, match="sizes must be positive integers"):
        check_sizes("sizes", sizes)


def test_sizes_become_plain_integers():
    checked = check_sizes("sizes", np.array([3, 4]))
    assert checked == (3, 4)
    assert all(type(size) is int for size in checked)
    joblib.hash(checked)
