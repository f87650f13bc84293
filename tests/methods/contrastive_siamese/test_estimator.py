"""ContrastiveSiamese: what it learns, windows, auxiliary tasks, routing."""

import pickle

import numpy as np
import pytest
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_ser import ContrastiveSiamese
from sklearn_ser.losses import ContrastiveSiameseLoss, contrastive_loss
from sklearn_ser.methods.contrastive_siamese._batches import places_to_test
from sklearn_ser.sequences import Sequences
from tests.methods.contrastive_siamese.helpers import EMOTIONS, utterances


def small(**changed):
    settings = {"n_filters": 12, "lr": 0.003, "max_epochs": 15, "random_state": 0}
    return ContrastiveSiamese(**(settings | changed))


def quick(**changed):
    return small(**({"n_filters": 3, "max_epochs": 1} | changed))


# Over the seeds 0 to 7 of data and network, 0.93 and more of the new utterances were
# right, by chance 0.33; the loss fell to at most 0.95 of that of the first epoch for
# Euclidean features, else to at most 0.34.
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("position", ["features", "probabilities"])
@pytest.mark.parametrize("pairs", ["random", "balanced"])
def test_learns_emotions_of_ragged_utterances(distance, position, pairs):
    X, y = utterances(n=120)
    model = small(distance=distance, position=position, pairs=pairs)
    model.fit(X[:90], y[:90])
    assert model.score(X[90:], y[90:]) > 0.6
    losses = [epoch["train_loss"] for epoch in model.history_]
    assert losses[-1] < losses[0]


def cosines(Z):
    Z = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    return Z @ Z.T


def test_the_contrastive_loss_makes_classes_compact():
    """Also those of new utterances.

    Over the seeds 0 to 5 of data and network the spread was 0.023 to 0.040 lower, the
    loss at least 1.9 % lower.
    """
    X, y = utterances(n=60)
    new, labels = utterances(n=60, seed=100)
    alike = labels[:, None] == labels
    others = ~np.eye(60, dtype=bool)
    spreads, losses = [], []
    for weight in (0.0, 0.6):
        model = small(contrastive_weight=weight).fit(X, y)
        apart = 1 - cosines(model.transform(new))
        spreads.append(apart[alike & others].mean() / apart[~alike].mean())
        losses.append(model.history_[-1]["train_contrastive_loss"])
    assert spreads[1] < spreads[0] - 0.01
    assert losses[1] < losses[0]


def by_hand(model, X):
    """Average over windows in plain Python: probabilities and features."""
    net = pickle.loads(pickle.dumps(model)).net_.module_.double().eval()
    n = model.n_frames_
    features, probabilities = [], []
    for x in X:
        x = (x - model.mean_) / model.scale_
        last = max(0, len(x) - n)
        windows = [
            np.pad(w, ((0, n - len(w)), (0, 0)))
            for start in np.rint(np.linspace(0, last, max(1, -(-len(x) // n))))
            for w in [x[int(start) :][:n]]
        ]
        batch = torch.tensor(np.stack(windows).astype(np.float32)).double()
        with torch.no_grad():
            output = net(batch)
        features.append(output.features.mean(0).numpy())
        probabilities.append(output.logits.softmax(1).mean(0).numpy())
    return np.stack(features), np.stack(probabilities)


@pytest.mark.parametrize("position", ["features", "probabilities"])
def test_average_over_windows(position):
    X, y = utterances(n=45, longest=300)
    model = small(n_frames=35, max_epochs=3, position=position).fit(X, y)
    features, probabilities = by_hand(model, X)
    np.testing.assert_allclose(model.predict_proba(X), probabilities, rtol=1e-9)
    expected = features if position == "features" else probabilities
    np.testing.assert_allclose(model.transform(X), expected, rtol=1e-5, atol=1e-6)
    assert model.transform(X).dtype == np.float32
    assert model.get_feature_names_out().shape == (expected.shape[1],)
    np.testing.assert_array_equal(
        model.predict(X), model.classes_[probabilities.argmax(axis=1)]
    )


def test_crops_depend_on_the_utterance_and_the_seed_alone():
    X, y = utterances(n=45, shortest=100, longest=300)
    model = small(n_frames=35, max_epochs=3, testing="crop").fit(X, y)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_allclose(together, alone, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(X[::-1])[::-1], together, rtol=1e-9)
    wide = [np.asfortranarray(x, np.float64) for x in X]
    np.testing.assert_allclose(model.predict_proba(wide), together, rtol=1e-5)

    def crops(model):
        seed = model._spec.seed
        return np.array([places_to_test(x, 35, "crop", seed)[0] for x in X])

    starts = crops(model)
    room = np.array([len(x) - 35 for x in X])
    assert (starts >= 0).all()
    assert (starts <= room).all()
    # The mean of 45 uniform numbers has a standard deviation of 0.043.
    assert 0.3 < (starts / room).mean() < 0.7
    assert len(set(starts)) > 30
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert crops(other).tolist() != starts.tolist()
    # How to test is no matter of the fit.
    average = model.set_params(testing="average").predict_proba(X)
    assert not np.allclose(average, together)
    with pytest.raises(ValueError, match="'testing' parameter of ContrastiveSiamese"):
        model.set_params(testing="all").predict(X)


def test_short_utterances_need_no_window():
    X, y = utterances(n=30, longest=30)
    model = quick().fit(X, y)
    assert model.n_frames_ == 30
    np.testing.assert_array_equal(
        model.predict_proba(X), model.set_params(testing="crop").predict_proba(X)
    )


def test_frames_of_the_network():
    X, y = utterances(n=30)
    longest = max(map(len, X))
    assert quick().fit(X, y).n_frames_ == longest
    assert quick(n_frames=33).fit(X, y).n_frames_ == 33
    with pytest.raises(ValueError, match=r"'n_frames' .* range \[30, inf\)"):
        quick(n_frames=29).fit(X, y)
    # The held-out speakers have no say in it, nor has anything in the test.
    groups = np.repeat(["a", "b", "c"], 10)
    X[3] = np.concatenate([X[3]] * 5)
    for seed in range(9):
        model = quick(early_stopping=True, random_state=seed).fit(X, y, groups=groups)
        kept = ~np.isin(groups, model.validation_groups_)
        lengths = np.array([len(x) for x in X])
        assert model.n_frames_ == max(30, lengths[kept].max())


def test_what_stands_behind_the_cut_is_not_trained_on():
    X, y = utterances(n=30, shortest=50)
    changed = [np.r_[x[:40], -x[40:]] for x in X]
    models = [
        quick(n_frames=40, standardize=False).fit(sequences, y)
        for sequences in (X, changed)
    ]
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in models))


def test_weight_one_leaves_the_classifier_as_it_was():
    X, y = utterances(n=30)
    with pytest.warns(UserWarning, match="last linear layer untrained") as caught:
        model = quick(contrastive_weight=1.0, max_epochs=4).fit(X, y)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="predictions mean nothing"):
        first = quick(contrastive_weight=1, max_epochs=1, lr=1e-30).fit(X, y)
    torch.testing.assert_close(
        model.net_.module_.head.weight, first.net_.module_.head.weight
    )
    assert not np.allclose(model.transform(X), first.transform(X))
    # The probabilities are another matter, and need no warning.
    trained = quick(contrastive_weight=1, position="probabilities").fit(X, y)
    moved = trained.net_.module_.head.weight - first.net_.module_.head.weight
    assert moved.abs().max() > 1e-4


def test_auxiliary_task_learns_and_matters():
    X, y = utterances(n=90)
    rng = np.random.default_rng(1)
    activation = rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], 90)
    for x, rating in zip(X, activation, strict=True):
        x[:, 3] += rating - 3
    activation[::7] = np.nan
    one = small(auxiliary="activation", auxiliary_weight=0.3)
    model = one.fit(X, y, activation=activation)
    assert model.auxiliary_classes_.tolist() == ["low", "medium", "high"]
    losses = [epoch["train_auxiliary_loss"] for epoch in model.history_]
    # At most 0.13 over the seeds 0 to 5 of data and network.
    assert losses[-1] < 0.5 * losses[0]
    plain = small().fit(X, y)
    assert "train_auxiliary_loss" not in plain.history_[0]
    assert not hasattr(plain, "auxiliary_classes_")
    assert not np.allclose(plain.predict_proba(X), model.predict_proba(X))
    # A fit without the task forgets it.
    one.set_params(auxiliary=None).fit(X, y)
    assert not hasattr(one, "auxiliary_classes_")
    np.testing.assert_array_equal(one.predict_proba(X), plain.predict_proba(X))


def test_levels_of_ratings():
    X, y = utterances(n=12)
    ratings = np.array([1, 2, 2.01, 3, 3.99, 4, 5, np.nan, 2, 4, 3, 1])

    def codes(ratings, **settings):
        model = quick(auxiliary="dominance", **settings)
        given = {"dominance": ratings}
        return model._check_auxiliary(Sequences(X[: len(ratings)]), given)[1].tolist()

    assert codes(ratings) == [0, 0, 1, 1, 1, 2, 2, -1, 0, 2, 1, 0]
    assert codes(2 * ratings - 1, rating_scale=(1, 9)) == codes(ratings)
    assert codes(ratings, level_bounds="latif2018") == [
        *(0, 0, 0, 1, 2, 2, 2, -1, 0, 2, 1, 0)
    ]
    bounds = {"level_bounds": (-0.5, 0.5), "rating_scale": (-2, 2)}
    assert codes(ratings - 3, **bounds) == [0, 0, 0, 1, 2, 2, 2, -1, 0, 2, 1, 0]
    assert codes([2.2, 2.3, 4.0, 4.1], level_bounds=(2.2, 4.1)) == [0, 1, 1, 2]
    for bounds in [(2,), (4, 2), "ab", (1, np.nan)]:
        with pytest.raises(ValueError, match="level_bounds"):
            quick(auxiliary="valence", level_bounds=bounds).fit(X, y, valence=ratings)


def test_ratings_outside_their_scale_are_refused():
    X, y = utterances(n=12)
    ratings = np.linspace(1, 9, 12)
    with pytest.raises(ValueError, match=r"auxiliary=.*: The rating .* outside"):
        quick(auxiliary="valence").fit(X, y, valence=ratings)
    model = quick(auxiliary="val", rating_scale=(1, 9)).fit(X, y, valence=ratings)
    assert model.auxiliary_classes_.tolist() == ["low", "medium", "high"]


def test_what_transform_gives_is_chosen_by_output():
    X, y = utterances(n=12)
    model = quick(output="probabilities").fit(X, y)
    np.testing.assert_allclose(model.transform(X), model.predict_proba(X), rtol=1e-5)
    assert len(model.get_feature_names_out()) == len(model.classes_)
    width = model.set_params(output="features").transform(X).shape[1]
    assert width == model.net_.module_.n_features_out
    assert model.set_params(output=None).transform(X).shape[1] == width
    with pytest.raises(ValueError, match="'output' parameter of ContrastiveSiamese"):
        model.set_params(output="other").transform(X)


@pytest.mark.parametrize(
    "gender",
    [["f", "m", None] * 4, np.array([1.0, 2.0, np.nan] * 4), ["f", "f", None] * 4],
)
def test_gender_may_be_unknown(gender):
    X, y = utterances(n=12)
    model = quick(auxiliary="gender", auxiliary_weight=0.5).fit(X, y, gender=gender)
    known = [g for g in gender if g in ("f", "m", 1.0, 2.0)]
    assert model.auxiliary_classes_.tolist() == sorted(set(known))
    assert np.isfinite(model.history_[0]["train_auxiliary_loss"])


def test_bad_auxiliary_targets_are_named():
    X, y = utterances(n=12)
    with pytest.raises(ValueError, match="learns from gender, but fit did not") as seen:
        quick(auxiliary="gender").fit(X, y, valence=np.ones(12))
    assert "fit(X, y, gender=…)" in str(seen.value)
    assert "contrastivesiamese__gender=…" in str(seen.value)
    with pytest.raises(ValueError, match="valence is unknown for all 12 utterances"):
        quick(auxiliary="valence").fit(X, y, valence=np.full(12, np.nan))
    with pytest.raises(ValueError, match="gender is unknown for all 12"):
        quick(auxiliary="gender").fit(X, y, gender=[None] * 12)
    with pytest.raises(ValueError, match="activation must be one number per sample"):
        quick(auxiliary="activation").fit(X, y, activation=["high"] * 12)
    with pytest.raises(ValueError, match="Unknown label type"):
        quick(auxiliary="gender").fit(X, y, gender=np.linspace(0, 1, 12))
    for name in ("gender", "valence", "activation", "dominance", "groups"):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            quick().fit(X, y, **{name: np.ones(11)})
    # What is not asked for is not looked at.
    quick().fit(X, y, activation=["?"] * 12, gender=[None] * 12)


def test_learning_rate_is_halved_where_the_loss_does_not_fall():
    X, y = utterances(n=20)
    rates = [
        [epoch.get("lr") for epoch in quick(
            lr=0.1, lr_patience=patience, max_epochs=25).fit(X, y).history_]
        for patience in (1, 4, None)
    ]  # fmt: skip
    assert rates[2] == [None] * 25
    model = quick(lr=0.1, lr_patience=1, max_epochs=25).fit(X, y)
    expected, lowest = [0.1], np.inf
    for epoch in model.history_:
        fell = epoch["train_loss"] < lowest
        lowest = min(lowest, epoch["train_loss"])
        expected.append(expected[-1] * (1 if fell else 0.5))
    assert rates[0] == pytest.approx(expected[:-1])
    # Over the seeds 0 to 5 at most 0.00005 and at least 0.0125.
    assert rates[0][-1] < rates[1][-1] <= 0.1


def test_learning_rate_follows_the_held_out_speakers():
    X, y = utterances(n=40)
    groups = np.arange(40) % 4
    model = quick(
        lr=0.1, lr_patience=1, max_epochs=12, early_stopping=True,
        validation_fraction=0.25,
    ).fit(X, y, groups=groups)  # fmt: skip
    lowest, rate = np.inf, 0.1
    for epoch in model.history_:
        assert epoch["lr"] == pytest.approx(rate)
        rate *= 1 if epoch["valid_loss"] < lowest else 0.5
        lowest = min(lowest, epoch["valid_loss"])
    assert rate < 0.1  # halved twice or more over the seeds 0 to 5


def test_too_few_for_pairs():
    X, y = utterances(n=12)
    with pytest.raises(ValueError, match="only 1 sample to train on"):
        quick().fit(X[:1], y[:1])
    groups = np.array(["rest"] * 11 + ["one"])
    # Whichever of the two speakers is held out.
    seen = set()
    for seed in range(8):
        model = quick(early_stopping=True, random_state=seed)
        with pytest.raises(ValueError, match="only 1 sample") as caught:
            model.fit(X, y, groups=groups)
        seen.add(str(caught.value))
    assert len(seen) == 2
    assert "Early stopping needs a pair of utterances, but the held-out speakers " in (
        max(seen)
    )
    assert "['one'] have only 1 sample: hold out more" in max(seen)
    assert "only 1 sample to train on" in min(seen)
    with pytest.raises(ValueError, match="only one class to train on"):
        quick(pairs="balanced").fit(X, ["anger"] * 12)
    with pytest.raises(ValueError, match="class 'sadness' has only 3"):
        quick(pairs="balanced").fit(X, np.repeat(EMOTIONS, [5, 4, 3]))
    lonely = quick().fit(X, ["anger"] * 12)
    np.testing.assert_array_equal(lonely.predict_proba(X), np.ones((12, 1)))


def test_class_weights_reach_the_cross_entropy():
    X, y = utterances(n=40)
    heavy = dict.fromkeys(EMOTIONS, 3.0)
    first, second = (
        quick(class_weight=weights, lr=1e-12).fit(X, y).history_[0]
        for weights in (None, heavy)
    )
    expected = 3 * first["train_cross_entropy_loss"]
    assert second["train_cross_entropy_loss"] == pytest.approx(expected)


class Aligned(ContrastiveSiamese):
    """ContrastiveSiamese that refuses metadata that is not of its rows."""

    def fit(self, X, y, *, gender=None, activation=None, groups=None):
        number = np.array([x[0, 0] for x in X])
        np.testing.assert_array_equal(activation, number)
        np.testing.assert_array_equal(np.asarray(gender) == "f", number % 2 == 0)
        np.testing.assert_array_equal(groups, number // 8)
        return super().fit(X, y, gender=gender, activation=activation, groups=groups)


@pytest.fixture(params=[True, False], ids=["routing on", "routing off"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


def numbered():
    """Make utterances that carry their number, and metadata that follow it."""
    X, y = utterances(n=48, longest=40)
    for i, x in enumerate(X):
        x[:, 0] = i
    number = np.arange(48)
    metadata = {"gender": np.where(number % 2, "m", "f"), "activation": 1.0 * number}
    return np.fromiter(X, dtype=object, count=48), y, number // 8, metadata


@pytest.mark.parametrize("auxiliary", ["gender", "activation"])
def test_metadata_reach_their_rows(routing, auxiliary):
    X, y, groups, metadata = numbered()
    estimator = Aligned(
        auxiliary=auxiliary, rating_scale=(0, 47), early_stopping=True,
        validation_fraction=0.3, n_filters=2, max_epochs=1, random_state=0,
    )  # fmt: skip
    same = FunctionTransformer(lambda X: X)
    pipeline = Pipeline([("same", same), ("siamese", estimator)])
    params = metadata | {"groups": groups}
    if not routing:
        params = {f"siamese__{name}": values for name, values in params.items()}
    splitter = {} if routing else {"groups": groups}
    scores = cross_validate(
        pipeline, X, y, cv=GroupKFold(3), params=params, error_score="raise",
        **splitter,
    )  # fmt: skip
    assert len(scores["test_score"]) == 3
    search = GridSearchCV(
        pipeline, {"siamese__contrastive_weight": [0.0, 0.6]}, cv=GroupKFold(2),
        error_score="raise",
    )  # fmt: skip
    search.fit(X, y, **params | {"groups": groups})
    assert search.best_estimator_.predict(X).shape == y.shape


@settings(max_examples=10)
@given(st.integers(0, 2**31 - 1))
def test_any_seed_predicts_probabilities(seed):
    X, y = utterances(n=12)
    probabilities = quick(random_state=seed).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@pytest.fixture
def seen(monkeypatch):
    """Collect what passes the loss: the network's outputs, and the batches."""
    calls = []
    forward = ContrastiveSiameseLoss.forward

    def watched(loss, output, batch):
        calls.append((output, batch["y"]))
        return forward(loss, output, batch)

    monkeypatch.setattr(ContrastiveSiameseLoss, "forward", watched)
    return calls


def contrast_by_hand(calls, position, **settings):
    """Compute the contrastive loss of the only batch."""
    ((output, y),) = calls
    contrasted = output.features
    if position == "probabilities":
        contrasted = output.logits.softmax(dim=1)
    n = len(y) // 2
    same = y[:n] == y[n:]
    assert 0 < same.sum() < n
    return contrastive_loss(contrasted[:n], contrasted[n:], same, **settings).mean()


@pytest.mark.parametrize("position", ["features", "probabilities"])
def test_position_reaches_the_loss(position, seen):
    X, y = utterances(n=30)
    model = quick(position=position).fit(X, y)
    found = model.history_[0]["train_contrastive_loss"]
    assert found == pytest.approx(contrast_by_hand(seen, position).item())
    other = {"features": "probabilities", "probabilities": "features"}[position]
    assert abs(found - contrast_by_hand(seen, other).item()) > 0.01


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.9])
@pytest.mark.parametrize("of_auxiliary", [0.04, 0.5])
def test_weights_reach_the_loss(weight, of_auxiliary):
    X, y = utterances(n=30)
    settings = {"contrastive_weight": weight, "auxiliary_weight": of_auxiliary}
    model = quick(auxiliary="gender", batch_size=8, max_epochs=2, **settings)
    for epoch in model.fit(X, y, gender=["f", "m"] * 15).history_:
        loss = weight * epoch["train_contrastive_loss"]
        loss += (1 - weight) * epoch["train_cross_entropy_loss"]
        loss = (1 - of_auxiliary) * loss + of_auxiliary * epoch["train_auxiliary_loss"]
        assert epoch["train_loss"] == pytest.approx(loss, rel=1e-5)


def test_emotions_need_a_weight_beside_the_auxiliary_task():
    X, y = utterances(n=12)
    with pytest.raises(ValueError, match="'auxiliary_weight' parameter of Contrast"):
        quick(auxiliary="gender", auxiliary_weight=1).fit(X, y, gender=["f", "m"] * 6)


@pytest.mark.parametrize(
    ("position", "margin"), [("features", 2 * 24**0.5), ("probabilities", 1)]
)
def test_margin_of_features_grows_with_their_number(position, margin, seen):
    X, y = utterances(n=30, longest=38)
    model = quick(n_filters=4, n_frames=38, position=position, distance="euclidean")
    model.fit(X, y)
    assert model.margin is None
    assert seen[0][0].features.shape[1] == 24
    found = model.history_[0]["train_contrastive_loss"]
    settings = {"distance": "euclidean", "margin": margin}
    expected = contrast_by_hand(seen, position, **settings).item()
    assert found == pytest.approx(expected, rel=1e-5)
    settings["margin"] += 0.1
    assert found < contrast_by_hand(seen, position, **settings).item() - 0.01
