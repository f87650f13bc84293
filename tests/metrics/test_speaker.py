"""The probe of speakers: halves, chance, and representations of every kind."""

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from sklearn_ser import SequencePooling
from sklearn_ser.metrics import SpeakerProbeResult, speaker_probe
from sklearn_ser.metrics._speaker import _halves, _probed, _speaker_codes


def voices(n=60, n_speakers=4, n_dimensions=6, strength=1.0, seed=0):
    """Return a representation that tells something of the speaker, and the speaker."""
    rng = np.random.default_rng(seed)
    speaker = rng.permutation(np.arange(n) % n_speakers)
    X = rng.normal(size=(n, n_dimensions))
    return X + strength * np.eye(n_speakers, n_dimensions)[speaker], speaker


def names(speaker):
    return np.array(["spk03", "spk08", "spk09", "spk10"])[speaker]


def probe_once(X, speaker, n_repeats=3, **keywords):
    return speaker_probe(X, speaker, n_repeats=n_repeats, random_state=0, **keywords)


# What is measured


@pytest.mark.slow
def test_noise_is_at_chance():
    # The mean of 40 seeds: its standard error is 0.0065 (from 300 seeds).
    results = []
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=(120, 4))
        speaker = np.arange(120) % 3
        results.append(speaker_probe(noise, speaker, n_repeats=3, random_state=seed))
    assert_allclose(np.mean([r.ua for r in results]), 1 / 3, atol=0.03)
    assert_allclose(np.mean([r.above_chance for r in results]), 0, atol=0.045)


@pytest.mark.parametrize("n_speakers", [2, 3, 8])
def test_a_code_of_the_speaker_is_recognised(n_speakers):
    speaker = np.arange(40) % n_speakers
    result = probe_once(np.eye(n_speakers)[speaker], speaker)
    expected = SpeakerProbeResult(1.0, 0.0, 1 / n_speakers, n_speakers, 40, 0)
    assert result == expected
    assert result.above_chance == 1


def test_more_voice_is_measured_as_more():
    uas = [probe_once(*voices(200, strength=s)).ua for s in (0, 1, 2, 4)]
    assert uas == sorted(uas)
    assert uas[0] < 0.4 < 0.9 < uas[-1]


@pytest.mark.parametrize("counts", [(90, 30), (200, 10, 10)])
def test_a_constant_is_at_chance_whatever_the_counts(counts):
    speaker = np.repeat(np.arange(len(counts)), counts)
    result = probe_once(np.ones((len(speaker), 3)), speaker)
    assert_allclose(result.ua, result.chance)
    assert_allclose(result.above_chance, 0, atol=1e-12)


def test_speakers_weigh_alike_in_training():
    # Overlapping voices: without weights the rare speaker would hardly be named.
    rng = np.random.default_rng(0)
    speaker = np.repeat([0, 1], [400, 40])
    X = rng.normal(size=(440, 1)) + speaker[:, None]
    weighted = speaker_probe(X, speaker, random_state=0)
    plain = speaker_probe(X, speaker, probe=LogisticRegression(), random_state=0)
    assert weighted.ua > 0.65 > 0.6 > plain.ua


def test_one_repeat_by_hand():
    X, speaker = voices(31)  # counts 8, 8, 8 and 7
    order = np.random.RandomState(5).permutation(31)
    first_come = pd.unique(speaker)
    train = np.concatenate(
        [
            [i for i in order if speaker[i] == who][: (sum(speaker == who) + 1) // 2]
            for who in first_come
        ]
    )
    test = np.setdiff1d(np.arange(31), train)
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
    regression = LogisticRegression(class_weight="balanced", tol=1e-8, max_iter=10**4)
    regression.fit((X[train] - mean) / scale, speaker[train])
    found = regression.predict((X[test] - mean) / scale)
    recalls = [np.mean(found[speaker[test] == who] == who) for who in range(4)]
    result = speaker_probe(X, speaker, n_repeats=1, random_state=5)
    assert_allclose(result.ua, np.mean(recalls))
    assert 0.25 < result.ua < 1
    assert_allclose(result.above_chance, (result.ua - 0.25) / 0.75)
    assert np.isnan(result.std)


def test_mean_and_deviation_over_the_repeats():
    X, speaker = voices()
    random = np.random.RandomState(3)
    uas = [
        speaker_probe(X, speaker, n_repeats=1, random_state=random).ua for _ in range(4)
    ]
    result = speaker_probe(X, speaker, n_repeats=4, random_state=3)
    assert len(set(uas)) > 1
    assert_allclose(result.ua, np.mean(uas))
    assert_allclose(result.std, np.std(uas, ddof=1))


def test_the_result_is_a_value():
    result = probe_once(*voices())
    assert pickle.loads(pickle.dumps(result)) == result
    assert all(
        type(value) in (int, float) for value in [*vars(result).values(), result.ua]
    )
    with pytest.raises(FrozenInstanceError):
        result.ua = 1.0


# Halves


@given(st.lists(st.integers(2, 9), min_size=2, max_size=8), st.integers(0, 99))
def test_each_speaker_stands_on_both_sides(counts, seed):
    codes = np.repeat(np.arange(len(counts)), counts)
    codes = np.random.default_rng(seed).permutation(codes)
    train, test = _halves(codes, np.random.RandomState(seed))
    assert_array_equal(np.sort(np.append(train, test)), np.arange(len(codes)))
    assert_array_equal(np.bincount(codes[train]), (np.array(counts) + 1) // 2)
    assert_array_equal(np.bincount(codes[test]), np.array(counts) // 2)


def test_every_utterance_is_trained_on_and_tested():
    codes = np.array([0, 1, 0, 1, 1, 0])
    random = np.random.RandomState(0)
    trained = sum(np.isin(np.arange(6), _halves(codes, random)[0]) for _ in range(600))
    assert_allclose(trained / 600, 2 / 3, atol=0.08)  # 4 standard errors


@given(st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=20))
def test_who_is_probed(speaker):
    codes = _speaker_codes(speaker, len(speaker))
    keep = [i for i, x in enumerate(speaker) if x and speaker.count(x) >= 2]
    probed = list(dict.fromkeys(speaker[i] for i in keep))
    if len(probed) < 2:
        with pytest.raises(ValueError, match="at least 2 speakers with at least 2"):
            _probed(codes)
        return
    rows, numbers = _probed(codes)
    assert rows.tolist() == keep
    assert set(numbers.tolist()) == set(range(len(probed)))
    pairs = {(speaker[i], n) for i, n in zip(rows, numbers.tolist(), strict=True)}
    assert len(pairs) == len(probed)


# Invariances


def test_shift_and_scale_of_the_representation_do_not_matter():
    X, speaker = voices()
    result = probe_once(X, speaker)
    assert 0.3 < result.ua < 0.9
    assert probe_once(X * 2.0 ** np.arange(-30, 30, 10), speaker) == result
    assert probe_once(X * 3 + np.arange(6) * 100, speaker) == result
    assert probe_once(-X, speaker) == result


@pytest.mark.parametrize(
    "rename",
    [names, lambda s: 9 - s, lambda s: s / 4, lambda s: [str(9 - x) for x in s]],
)
def test_names_of_speakers_do_not_matter(rename):
    X, speaker = voices()
    assert probe_once(X, rename(speaker)) == probe_once(X, speaker)


def test_a_seed_repeats_it_and_global_state_stays():
    X, speaker = voices()
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = speaker_probe(X, speaker, n_repeats=2, random_state=1)
    state = np.random.RandomState(1)
    again = speaker_probe(X, speaker, n_repeats=2, random_state=state)
    assert first == again
    assert first != speaker_probe(X, speaker, n_repeats=2, random_state=2)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# Containers


def test_containers_of_rows():
    X, speaker = voices()
    X = X.astype(np.float32)
    before = X.copy()
    result = probe_once(X.astype(np.float64), speaker, 2)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(60) + 7)
    for container in (X, frame, X.tolist(), list(X), X.astype(object)):
        assert probe_once(container, speaker, 2) == result
    series = pd.Series(names(speaker), index=np.arange(60)[::-1])
    for labels in (
        names(speaker).tolist(),
        tuple(names(speaker)),
        series,
        series.astype("category"),
        series.to_frame(),
        names(speaker)[:, None],
    ):
        assert probe_once(X, labels, 2) == result
    assert_array_equal(X, before)


def test_sequences_are_probed_by_their_means():
    X, speaker = voices()
    rng = np.random.default_rng(0)
    counts = [2, 5, 3] * 20
    ragged = [row + rng.normal(size=(n, 6)) for row, n in zip(X, counts, strict=True)]
    pooled = SequencePooling(("mean",)).fit_transform(ragged)
    assert probe_once(ragged, speaker) == probe_once(pooled, speaker)
    cube = np.stack([frames[:2] for frames in ragged])
    assert probe_once(cube, speaker) == probe_once(cube.mean(axis=1), speaker)
    assert probe_once(X[:, None, :], speaker) == probe_once(X, speaker)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("make", [list, pd.Series, lambda x: np.array(x, dtype=object)])
def test_utterances_without_a_speaker_are_left_out(missing, make):
    X, speaker = voices()
    X[[3, 10]] = np.nan  # nobody looks at them
    labels = names(speaker).astype(object)
    labels[[3, 10]] = missing
    labels[5] = "alone"
    kept = np.setdiff1d(np.arange(60), [3, 5, 10])
    result = probe_once(X, make(list(labels)))
    expected = probe_once(X[kept], speaker[kept])
    assert vars(result) == vars(expected) | {"n_left_out": 3}
    assert result.n_utterances == 57


def test_numbers_with_nan_as_speakers():
    X, speaker = voices()
    labels = speaker.astype(float)
    labels[::10] = np.nan
    result = probe_once(X, labels)
    assert (result.n_speakers, result.n_left_out) == (4, 6)
    assert result == probe_once(X, labels.tolist())


# Awkward representations: warnings are errors here.


AWKWARD = {
    "constant": lambda x, _: np.ones_like(x),
    "some constant": lambda x, _: np.where(np.arange(40) < 20, 7, x),
    "collinear": lambda x, _: x[:, :2] @ x[:2],
    "duplicates": lambda x, _: np.repeat(x[:, :1], 40, axis=1),
    "scales": lambda x, _: x * np.logspace(-30, 30, 40),
    "largest": lambda x, _: x / np.abs(x).max() * 3e38,
    "tiny": lambda x, _: x * 1e-300,
    "offset": lambda x, _: x + 1e16,
    "rounding": lambda x, _: 0.1 + 1e-17 * x,
    "outlier": lambda x, _: np.where(np.arange(len(x))[:, None] == 3, 1e30, x),
    "heavy tails": lambda x, _: np.sinh(3 * x) ** 3,
    "separable": lambda _, s: 1e6 * np.eye(40)[s],
    "d >> n": lambda x, _: np.random.default_rng(1).normal(size=(len(x), 2000)),
    "bits": lambda x, _: (x > 2).astype(bool),
    "one dimension": lambda x, _: x[:, :1],
}


@pytest.mark.slow
@pytest.mark.parametrize("n", [16, 120])
@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_representations_converge(kind, n):
    X, speaker = voices(n, 8, 40, strength=0)
    result = probe_once(AWKWARD[kind](X, speaker), speaker)
    assert result.chance == 0.125
    assert result.ua == 1 if kind == "separable" else result.ua < 0.4


# Other probes


@pytest.mark.parametrize(
    "probe",
    [
        KNeighborsClassifier(3),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=3),
    ],
    ids=lambda probe: type(probe).__name__,
)
def test_any_classifier_can_be_the_probe(probe):
    X, speaker = voices(strength=3)
    before = repr(clone(probe).get_params())
    result = probe_once(X, speaker, probe=probe)
    assert result.ua > 0.6
    assert repr(probe.get_params()) == before
    assert not any(name.endswith("_") for name in vars(probe))


def test_a_probe_that_knows_nothing_is_at_chance():
    X, speaker = voices(strength=5)
    result = probe_once(X, speaker, probe=DummyClassifier())
    assert_allclose(result.ua, 0.25)


class Watched(ClassifierMixin, BaseEstimator):
    """Keeps what it sees."""

    seen = []

    def fit(self, X, y):
        self.trained_ = {tuple(row) for row in X}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        tested = {tuple(row) for row in X}
        assert not tested & self.trained_
        self.seen.append((len(self.trained_), len(tested), self.classes_.tolist()))
        return np.zeros(len(X), dtype=int)


def test_what_the_probe_sees():
    Watched.seen.clear()
    X, speaker = voices(20)
    result = probe_once(X, names(speaker), probe=Watched())
    assert Watched.seen == [(12, 8, [0, 1, 2, 3])] * 3  # of five utterances, three
    assert result.ua == 0.25


def test_ua_is_the_mean_recall():
    X, speaker = voices(50, 3, strength=1)
    train, test = _halves(pd.factorize(speaker)[0], np.random.RandomState(0))
    probe = KNeighborsClassifier(1).fit(X[train], speaker[train])
    expected = recall_score(speaker[test], probe.predict(X[test]), average="macro")
    result = speaker_probe(X, speaker, probe=probe, n_repeats=1, random_state=0)
    assert_allclose(result.ua, expected)


# What is refused


def spoilt(value):
    X, _ = voices()
    X[7, 2] = value
    return X


@pytest.mark.parametrize(
    ("X", "speaker", "message"),
    [
        (voices()[0], [0] * 60, "at least 2 speakers with at least 2 utterances each, "
         r"got 1 \(of 1 speakers of 60 utterances; 0 have no speaker"),
        (voices()[0], range(60), r"got 0 \(of 60 speakers of 60 utterances"),
        (voices()[0], [None] * 60, r"got 0 \(of 0 speakers of 0 utterances; 60 have"),
        (voices()[0], [0, 0, 1, 1], r"inconsistent numbers of samples: \[60, 4\]"),
        (voices()[0], np.ones((60, 2)), "y should be a 1d array"),
        (spoilt(np.nan), voices()[1], "utterance 7 of X contains NaN, infinity or"),
        (spoilt(-np.inf), voices()[1], "utterance 7 of X contains NaN"),
        (spoilt(1e39), voices()[1], "utterance 7 of X .* too large for float32"),
        ([np.ones((2, 3)), np.ones((0, 3))] * 2, [0, 0, 1, 1], "utterance 1 of X has no"
         " frames.*has_features"),
        ([np.ones((2, 3)), np.ones((2, 4))], [0, 0], "utterance 1 of 2 has frames of "),
        (["a.wav", "b.wav"], [0, 0], "put a front end before this step"),
        (np.ones(4), [0, 0, 1, 1], "one for each utterance, got an array of shape"),
        (np.ones((4, 0)), [0, 0, 1, 1], r"0 feature\(s\)"),
        (np.ones((0, 3)), [], "at least 2 speakers"),
    ],
)  # fmt: skip
def test_faults_of_the_data(X, speaker, message):
    with pytest.raises(ValueError, match=message):
        speaker_probe(X, speaker)


@pytest.mark.parametrize(
    "probe", [LinearRegression(), StandardScaler(), "svc", LogisticRegression]
)
def test_the_probe_must_be_a_classifier(probe):
    with pytest.raises(TypeError, match="probe must be a classifier of scikit-learn"):
        speaker_probe(*voices(), probe=probe)


def test_repeats_are_counted():
    with pytest.raises(ValueError, match="n_repeats == 0, must be >= 1"):
        speaker_probe(*voices(), n_repeats=0)
    with pytest.raises(TypeError, match="n_repeats must be an instance of int"):
        speaker_probe(*voices(), n_repeats=2.0)
