"""The public estimators, each with settings that are quick to train.

Every test that holds for all estimators takes them from here; a new estimator
is added to one list.
"""

import numpy as np
from sklearn.utils.validation import check_array

from sklearn_ser import (
    CVAE,
    ContrastiveSiamese,
    MEnAN,
    MetricDAE,
    MetricDAERegressor,
    PseudoSiameseGated,
    SequenceClassifier,
    SequencePooling,
)
from sklearn_ser.datasets import AuxiliaryCorpora


class LabeledMetricDAE(MetricDAE):
    """MetricDAE that takes its labels from the data.

    scikit-learn's checks call `fit(X, y)` and know of no metadata: with this
    they reach the supervised variant as well.
    """

    def fit(self, X, y=None, *, activation=None, valence=None, groups=None):
        return super().fit(X, y, **self._labels(X), groups=groups)

    def partial_fit(self, X, y=None, *, activation=None, valence=None):
        return super().partial_fit(X, y, **self._labels(X))

    @staticmethod
    def _labels(X):
        try:
            X = check_array(X, ensure_all_finite="allow-nan")
        except (TypeError, ValueError):
            # Not for this helper to judge: `fit` must name what is wrong with X.
            return {"activation": [0.0], "valence": [0.0]}
        return {"activation": X[:, 0], "valence": X[:, -1]}


class AdversarialMEnAN(MEnAN):
    """MEnAN that takes every second sample for another speaker, where none are told.

    scikit-learn's checks know of no speakers: with this they reach the adversary.
    """

    def fit(self, X, y, *, groups=None):
        if groups is None:
            try:
                groups = np.arange(len(np.asarray(X, dtype=object))) % 2
            except (TypeError, ValueError):  # not for this helper to judge
                groups = [0]
        return super().fit(X, y, groups=groups)


def make_auxiliary(n_features=10, n=24):
    """Make auxiliary corpora whose segments are as wide as those of `make_data`."""
    rng = np.random.default_rng(2)
    quadrant = np.tile([2, 3, 4], n)[:n]
    sequences = [rng.normal(q, size=(rng.integers(1, 6), n_features)) for q in quadrant]
    return AuxiliaryCorpora(sequences, quadrant, corpus=["a", "b"] * (n // 2))


AUXILIARY = make_auxiliary()

CHECKED = [
    MetricDAE(),
    MetricDAE(combine="log", decoder_relu="released", noise_std=0.0, max_epochs=5),
    LabeledMetricDAE(label="act", max_epochs=5),
    LabeledMetricDAE(label="val", distance="signed", max_epochs=5),
    LabeledMetricDAE(label=("act", "val"), max_epochs=5),
    MetricDAERegressor(),
    SequencePooling(),
    CVAE(),
    CVAE(condition="zero", label_dropout=0.5, hidden_sizes=(32,), latent_dim=4),
    CVAE(conditioned="encoder", condition="prior", reconstruction_threshold=1e6),
    CVAE("vae", max_epochs=3),
    CVAE("ae", max_epochs=3, standardize=False),
    SequenceClassifier(),
    SequenceClassifier(
        bidirectional=True, pooling="attention", class_weight="balanced", dropout=0.2
    ),
    ContrastiveSiamese(),
    ContrastiveSiamese(
        position="probabilities", distance="euclidean", testing="crop", n_frames=30
    ),
    ContrastiveSiamese(pooling="attention", lr=1e-3),
    MEnAN(),
    AdversarialMEnAN(class_weight="balanced", max_epochs=20),
    AdversarialMEnAN("multitask", kernel_sizes=(3,), head_sizes=(), max_epochs=20),
    MEnAN(None, pooling="attentive_statistics", schedule="small_corpus", max_epochs=20),
    PseudoSiameseGated(),
    PseudoSiameseGated(
        fusion="concatenate",
        triplets=None,
        output="latent",
        class_weight="balanced",
        embedding_size=16,
        hidden_size=16,
        feature_epochs=5,
        max_epochs=15,
    ),
]

# What each deep estimator is trained with in the tests of routing, backends and
# state: (estimator, metadata that it needs).
TRAINED = [
    (MetricDAE(max_epochs=3, random_state=0), ()),
    (MetricDAE(label="act", max_epochs=3, random_state=0), ("activation",)),
    (
        MetricDAE(label=("act", "val"), max_epochs=3, random_state=0),
        ("activation", "valence"),
    ),
    (CVAE(hidden_sizes=(16,), latent_dim=3, max_epochs=3, random_state=0), ()),
    (
        CVAE(hidden_sizes=(16,), latent_dim=3, max_epochs=3, random_state=0),
        ("condition",),
    ),
    (CVAE("vae", hidden_sizes=(16,), latent_dim=3, max_epochs=3, random_state=0), ()),
    (CVAE("ae", hidden_sizes=(16,), latent_dim=3, max_epochs=3, random_state=0), ()),
    (SequenceClassifier(hidden_size=8, max_epochs=3, random_state=0), ()),
    (
        SequenceClassifier(
            hidden_size=8,
            bidirectional=True,
            pooling="attention",
            dropout=0.2,
            weight_decay=1e-3,
            class_weight="balanced",
            max_epochs=3,
            random_state=0,
        ),
        (),
    ),
    (ContrastiveSiamese(n_filters=8, max_epochs=3, random_state=0), ()),
    (
        ContrastiveSiamese(
            position="probabilities",
            distance="euclidean",
            pairs="balanced",
            auxiliary="activation",
            auxiliary_weight=0.2,
            class_weight="balanced",
            testing="crop",
            n_frames=30,
            n_filters=8,
            pooling="attention",
            dropout=0.2,
            weight_decay=1e-3,
            max_epochs=3,
            random_state=0,
        ),
        ("activation",),
    ),
    (MEnAN(hidden_size=8, max_epochs=3, random_state=0), ("groups",)),
    (
        MEnAN(
            "gradient_reversal",
            hidden_size=8,
            pooling="attention",
            dropout=0.2,
            weight_decay=1e-3,
            max_epochs=3,
            random_state=0,
        ),
        ("groups",),
    ),
    (MEnAN(None, hidden_size=8, max_epochs=3, random_state=0), ()),
    (
        PseudoSiameseGated(
            AUXILIARY,
            triplets="semihard",
            embedding_size=8,
            hidden_size=8,
            dropout=0.2,
            pretraining_epochs=1,
            feature_epochs=2,
            max_epochs=3,
            random_state=0,
        ),
        (),
    ),
    (
        PseudoSiameseGated(
            fusion=None,
            embedding_size=8,
            hidden_size=8,
            feature_epochs=2,
            max_epochs=3,
            random_state=0,
        ),
        (),
    ),
]


def make_data(n_speakers=6, n_per_speaker=12, n_features=10, seed=0):
    """Make features with emotion, speaker, activation and valence to learn."""
    rng = np.random.default_rng(seed)
    n = n_speakers * n_per_speaker
    emotion = np.tile(["anger", "neutral", "sadness"], n)[:n]
    activation = np.select([emotion == "anger", emotion == "neutral"], [4.0, 3.0], 2.0)
    activation += rng.integers(-1, 2, n) / 2
    valence = 6 - activation + rng.integers(-1, 2, n) / 2
    X = np.outer(activation, rng.normal(size=n_features))
    X += np.outer(valence, rng.normal(size=n_features))
    X += rng.normal(scale=0.5, size=X.shape)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    groups = np.repeat([f"s{i}" for i in range(n_speakers)], n_per_speaker)
    metadata = {"activation": activation, "valence": valence, "groups": groups}
    metadata["condition"] = activation
    return X.astype(np.float32), emotion, groups, metadata


def data_for(estimator, **settings):
    """Make data for an estimator: of sequences where it takes sequences."""
    X, *rest = make_data(**settings)
    if not estimator.__sklearn_tags__().input_tags.three_d_array:
        return X, *rest
    rng = np.random.default_rng(1)
    sequences = (
        row + rng.normal(scale=0.3, size=(rng.integers(1, 9), len(row))) for row in X
    )
    ragged = [sequence.astype(np.float32) for sequence in sequences]
    return np.fromiter(ragged, dtype=object, count=len(ragged)), *rest
