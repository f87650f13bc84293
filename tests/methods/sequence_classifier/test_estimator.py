"""SequenceClassifier: what it learns, weights, padding, bad input."""

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils.class_weight import compute_sample_weight

from sklearn_ser import SequenceClassifier
from sklearn_ser.sequences import Sequences


def contours(n=60, seed=0, noise=0.3):
    """Make ragged contours that rise or fall: only their order in time tells."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 2, "rising", "falling")
    X = []
    for label in y:
        length = rng.integers(4, 30)
        line = np.linspace(-1, 1, length) * (1 if label == "rising" else -1)
        X.append(np.c_[line, line**2] + noise * rng.normal(size=(length, 2)))
    return X, y


def small(**settings):
    return SequenceClassifier(
        **({"hidden_size": 12, "lr": 0.01, "random_state": 0} | settings)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pooling", "bidirectional"),
    [
        ("last", False),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                ("max", True),
                ("mean", False),
                ("max", False),
                ("last", True),
                ("mean", True),
            ]
        ),
    ],
)
def test_learns_from_the_order_of_frames(pooling, bidirectional):
    X, y = contours()
    model = small(pooling=pooling, bidirectional=bidirectional)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.85  # 0.98 and more, six seeds


def test_published_network_by_default():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(3, 256)) for _ in range(8)]
    model = SequenceClassifier(max_epochs=1).fit(X, np.tile(list("abcd"), 2))
    assert sum(p.numel() for p in model.net_.module_.parameters()) == 330_244


@pytest.mark.slow
def test_padding_reaches_no_prediction():
    X, y = contours()
    model = small(bidirectional=True).fit(X, y)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_allclose(together, alone, rtol=1e-9)
    np.testing.assert_allclose(together.sum(axis=1), 1)
    np.testing.assert_array_equal(
        model.predict(X), model.classes_[together.argmax(axis=1)]
    )


@pytest.mark.slow
def test_balanced_weights_help_the_rare_class():
    X, y = contours(n=120, noise=1.5)
    kept = np.flatnonzero((y == "falling") | (np.arange(120) % 12 == 1))
    X, y = [X[i] for i in kept], y[kept]
    recall = {
        weight: recall_score(
            y, small(class_weight=weight, max_epochs=8).fit(X, y).predict(X),
            pos_label="rising",
        )
        for weight in (None, "balanced")
    }  # fmt: skip
    assert recall["balanced"] > recall[None] + 0.3  # 0.5 and more over eight seeds


@pytest.mark.slow
def test_class_weights_are_those_of_scikit_learn():
    X, y = contours(n=30)
    y[:20] = "falling"
    data = {"X": Sequences(X)}
    model = small(class_weight="balanced").fit(X, y)
    data["y"] = np.searchsorted(model.classes_, y)
    weights = model._class_weights(data["y"])
    n_rising = (y == "rising").sum()
    np.testing.assert_allclose(weights, [15 / (30 - n_rising), 15 / n_rising])
    given = small(class_weight={"rising": 3.0}).fit(X, y)
    np.testing.assert_allclose(given._class_weights(data["y"]), [1, 3])


@pytest.mark.slow
@pytest.mark.parametrize("class_weight", ["balanced", {"other": 3.0, "rising": 2.0}])
def test_a_class_of_the_held_out_speakers_alone_breaks_nothing(class_weight):
    X, y = contours(n=40)
    y[:10] = "other"
    groups = np.repeat(["a", "b", "c", "d"], 10)
    for seed in range(20):
        model = small(
            class_weight=class_weight, early_stopping=True, validation_fraction=0.25,
            random_state=seed, max_epochs=2,
        ).fit(X, y, groups=groups)  # fmt: skip
        if model.validation_groups_.tolist() == ["a"]:
            break
    assert model.validation_groups_.tolist() == ["a"]
    assert np.isfinite(model.predict_proba(X)).all()
    assert model.classes_.tolist() == ["falling", "other", "rising"]


def test_held_out_speakers_are_scored_with_the_weights():
    X, y = contours(n=40)
    y[:16] = "falling"
    groups = np.arange(40) % 8 // 2
    model = small(
        class_weight="balanced", early_stopping=True, validation_fraction=0.25,
        max_epochs=1,
    ).fit(X, y, groups=groups)  # fmt: skip
    held_out = groups == model.validation_groups_
    codes = np.searchsorted(model.classes_, y)
    # As often as in training, whatever their share among the held-out speakers.
    weights = compute_sample_weight("balanced", y[~held_out])
    of_class = {label: weights[y[~held_out] == label][0] for label in model.classes_}
    log_proba = model.predict_log_proba(X)[np.arange(40), codes]
    weighted = [of_class[label] for label in y] * -log_proba
    expected = weighted[held_out].mean()
    assert model.history_[0]["valid_loss"] == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(-log_proba[held_out].mean(), rel=1e-3)


def test_dropout_only_in_training():
    X, y = contours()
    model = small(dropout=0.5, max_epochs=2).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    without = small(dropout=0.0, max_epochs=2).fit(X, y)
    assert not np.allclose(without.predict_proba(X), model.predict_proba(X))


@pytest.mark.slow
def test_grid_search_by_speaker_on_lists_and_object_arrays():
    X, y = contours(n=30)
    groups = np.arange(30) // 2 % 3
    grid = {"hidden_size": [4, 8], "pooling": ["last", "max"]}
    ragged = np.fromiter(X, dtype=object, count=len(X))
    results = [
        GridSearchCV(small(max_epochs=2), grid, cv=GroupKFold(3), error_score="raise")
        .fit(sequences, y, groups=groups)
        .cv_results_["mean_test_score"]
        for sequences in (X, ragged)
    ]
    np.testing.assert_array_equal(*results)


def test_bad_input_is_named():
    X, y = contours()
    with pytest.raises(ValueError, match="requires y to be passed"):
        small().fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small().fit(X, y[:-1])
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        small().fit(X, np.linspace(0, 1, len(X)))
    X[7] = X[7][:, :1]
    with pytest.raises(ValueError, match=r"utterance 7 of 60 has frames of 1 features"):
        small().fit(X, y)


def test_trains_on_the_device_that_is_asked_for():
    X, y = contours(n=20)
    model = small(max_epochs=1, device=torch.device("cpu")).fit(X, y)
    assert next(model.net_.module_.parameters()).device.type == "cpu"
