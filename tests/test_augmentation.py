"""Speed perturbation: what the copies sound like, and that all goes with them."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import (
    check_do_not_raise_errors_in_init_or_set_params,
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimator_tags_renamed,
    check_get_params_invariance,
    check_mixin_order,
    check_no_attributes_set_in_init,
    check_param_validation,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
)

from sklearn_ser import (
    AudioError,
    EGeMAPS,
    MetricDAE,
    SpeedPerturbation,
    load_audio,
    perturb_speed,
    recipes,
)
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker

RATE = 16000
SPEEDS = (0.8, 0.9, 1.1, 1.2)


def tone(pitch=400.0, seconds=0.5, rate=RATE):
    times = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * pitch * times)).astype(np.float32)


def strongest(signal, rate):
    """Return the frequency in Hz of the highest peak of the spectrum."""
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(signal.size), 2**18))
    return spectrum.argmax() * rate / 2**18


class Memorist(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is fitted to, and knows a tone by its pitch."""

    __metadata_request__fit = {"activation": True, "groups": True}
    __metadata_request__predict = {"offset": True}
    __metadata_request__score = {"offset": True}

    def __init__(self, strength=1):
        self.strength = strength

    def fit(self, X, y=None, *, activation=None, groups=None, flag=None):
        self.X_, self.y_, self.flag_ = X, y, flag
        self.activation_, self.groups_ = activation, groups
        self.classes_ = np.unique(y)
        return self

    def predict(self, X, *, offset=0):
        return np.full(len(X), self.classes_[0]) + offset

    def predict_proba(self, X):
        return np.ones((len(X), 1))

    def score(self, X, y=None, sample_weight=None, *, offset=0):
        return len(X) + offset


@pytest.fixture
def recordings(tmp_path):
    """Make recordings of every kind, of tones of one pitch."""
    path = tmp_path / "tone.wav"
    sf.write(path, tone(rate=44100), 44100, subtype="FLOAT")
    return [
        str(path),
        (path, 0.1, 0.4),
        tone(),
        tone().astype(np.float64),
        (tone(rate=22050), 22050),
    ]


@pytest.fixture(params=[True, False], ids=["routing on", "routing off"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


# The recordings


@settings(max_examples=30)
@given(factor=st.floats(0.5, 2), kind=st.integers(0, 4))
def test_a_copy_is_shorter_and_higher(recordings_of_every_kind, factor, kind):
    recording = recordings_of_every_kind[kind]
    original, _ = load_audio(recording, RATE)
    factor = round(factor, 3)
    if factor == 1:
        return
    (copy,) = perturb_speed([recording], factors=[factor], include_original=False)
    signal, rate = load_audio(copy, RATE)
    assert rate == RATE
    assert signal.size == pytest.approx(original.size / factor, abs=2)
    assert strongest(signal, RATE) == pytest.approx(400 * factor, rel=2e-3)
    assert np.abs(signal).max() == pytest.approx(0.3, abs=0.02)


@pytest.fixture(scope="module")
def recordings_of_every_kind(tmp_path_factory):
    return recordings.__wrapped__(tmp_path_factory.mktemp("tones"))


def test_originals_are_untouched(recordings):
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in recordings]
    perturbed = perturb_speed(recordings)
    assert perturbed.shape == (25,)
    assert perturbed.dtype == object
    for given_, kept, copy in zip(recordings, perturbed[:5], before, strict=True):
        assert kept is given_
        if isinstance(given_, np.ndarray):
            assert_array_equal(given_, copy)


def test_rates_and_shared_waveforms(recordings):
    perturbed = perturb_speed(recordings).reshape(5, 5)
    for i, rate in ((0, 44100), (1, 44100), (4, 22050)):
        copies = perturbed[1:, i]
        assert [copy[1] for copy in copies] == [round(rate * f) for f in SPEEDS]
        assert all(np.shares_memory(copy[0], copies[0][0]) for copy in copies)
    assert np.shares_memory(perturbed[1, 4][0], recordings[4][0])
    assert all(isinstance(copy, np.ndarray) for copy in perturbed[1:, 2])


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"file": ["a.wav", "b.wav"], "start": [0, 1], "end": [1, 2]}),
        pd.Series(["a.wav", "b.wav"]),
        ("a.wav", "b.wav"),
    ],
)
def test_containers(X):
    perturbed, labels = perturb_speed(X, pd.Series([3, 4], index=[7, 7]))
    assert len(perturbed) == 2  # neither is there, so there are no copies
    assert list(labels) == [3, 4]
    assert isinstance(labels, pd.Series)


# What belongs to them


@settings(max_examples=50)
@given(
    n=st.integers(1, 6),
    factors=st.lists(
        st.sampled_from([0.5, 0.8, 0.9, 1.1, 1.2, 2.0]), unique=True, max_size=4
    ),
    include_original=st.booleans(),
    faulty=st.sets(st.integers(0, 5)),
    seed=st.integers(0, 99),
)
def test_arrays_stay_aligned(n, factors, include_original, faulty, seed):
    if not factors and not include_original:
        return
    # The number of a recording is its level: it survives a change of speed.
    levels = (1 + np.arange(n)) / 10
    X = [np.full(400, level) for level in levels]
    for i in faulty & {*range(n)}:
        X[i] = f"missing {i}"
    labels = np.random.default_rng(seed).permutation(n)
    perturbed, y, names, nothing, table = perturb_speed(
        X,
        labels,
        [f"name {i}" for i in range(n)],
        None,
        pd.DataFrame({"level": levels}),
        factors=factors,
        include_original=include_original,
    )
    assert nothing is None
    assert isinstance(names, list)
    n_faulty = sum(isinstance(x, str) for x in X)
    n_whole = n - n_faulty
    assert len(perturbed) == n_whole * (len(factors) + include_original) + n_faulty
    assert len(perturbed) == len(y) == len(names) == len(table)
    for x, label, name, level in zip(perturbed, y, names, table["level"], strict=True):
        i = int(name.removeprefix("name "))
        assert label == labels[i]
        assert level == levels[i]
        if isinstance(x, str):
            assert x == f"missing {i}"
        else:
            assert np.median(x) == pytest.approx(levels[i], rel=0.02)
    assert sum(isinstance(x, str) for x in perturbed) == n_faulty


def test_without_arrays_there_is_no_list():
    assert isinstance(perturb_speed([tone()]), np.ndarray)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([0.0], "holds 0.0, which is not a speed"),
        ([-1], "holds -1, which is not a speed"),
        ([np.inf], "holds inf, which is not a speed"),
        ([np.nan], "holds nan, which is not a speed"),
        (["fast"], "holds 'fast', which is not a speed"),
        ([True], "holds True, which is not a speed"),
        ([0.9, 1.0], "holds 1, which changes nothing.*include_original=True"),
        ([0.9, 0.9], "holds a speed twice"),
        ([[0.9]], "must be a sequence of speeds"),
        (0.9, "must be a sequence of speeds|'factors' parameter .* must be"),
    ],
)
def test_bad_factors(factors, message):
    with pytest.raises(ValueError, match=message):
        perturb_speed([tone()], factors=factors)
    with pytest.raises(ValueError, match=message):
        SpeedPerturbation(Memorist(), factors=factors).fit([tone()], ["a"])


def test_nothing_to_train_on():
    with pytest.raises(ValueError, match="Nothing is left to train on"):
        perturb_speed([tone()], factors=(), include_original=False)


def test_lengths_differ():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        perturb_speed([tone(), tone()], [1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SpeedPerturbation(Memorist()).fit([tone(), tone()], [1])


def test_one_recording_is_no_collection():
    with pytest.raises(ValueError, match="X is one recording"):
        perturb_speed("a.wav")


# The estimator


def spell(routing, **metadata):
    """Return metadata for a pipeline that ends in a Memorist, in both modes."""
    if routing:
        return metadata
    return {f"memorist__{name}": values for name, values in metadata.items()}


def memorist(**settings):
    pipe = make_pipeline(FunctionTransformer(), Memorist())
    return SpeedPerturbation(pipe, **settings)


def data(n_speakers=4, n_each=3):
    """Make recordings whose level is their number, and all that belongs to them."""
    number = np.arange(n_speakers * n_each)
    X = [np.full(400, (1 + i) / 100) for i in number]
    return X, number % 2, number // n_each, number.astype(float)


def test_fit_sees_copies_and_their_metadata(routing):
    X, y, groups, activation = data()
    metadata = spell(routing, activation=list(activation), groups=groups)
    model = memorist().fit(X, y, **metadata)
    seen = model.estimator_["memorist"]
    assert len(seen.X_) == 5 * len(X)
    number = np.array([round(100 * float(np.median(x))) - 1 for x in seen.X_])
    assert_array_equal(seen.y_, y[number])
    assert_array_equal(seen.groups_, groups[number])
    assert_array_equal(seen.activation_, activation[number])
    assert isinstance(seen.activation_, list)


def test_what_is_not_per_recording_is_passed_on():
    X, y, *_ = data()
    for flag in ("x" * 12, {"a": 1}, 3, np.arange(5), [1, 2]):
        model = SpeedPerturbation(Memorist()).fit(X, y, flag=flag)
        assert model.estimator_.flag_ is flag


def test_unrequested_metadata_raise():
    X, y, *_ = data()
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(TypeError, match=r"unexpected argument.*valence"),
    ):
        memorist().fit(X, y, valence=y)


def test_the_estimator_given_is_not_fitted():
    X, y, *_ = data()
    given_ = Memorist()
    model = SpeedPerturbation(given_)
    before = dict(vars(model))
    assert model.fit(X, y) is model
    assert not hasattr(given_, "X_")
    assert {name: vars(model)[name] for name in before} == before


def test_methods_are_passed_on(routing):
    X, y, *_ = data()
    model = SpeedPerturbation(Memorist()).fit(X, y)
    assert_array_equal(model.predict(X), np.zeros(12))
    assert_array_equal(model.predict(X, offset=2), np.full(12, 2))
    assert model.predict_proba(X).shape == (12, 1)
    assert_array_equal(model.classes_, [0, 1])
    assert model.score(X, y) == 12
    assert model.score(X, y, offset=1) == 13
    for name in ("transform", "decision_function", "predict_log_proba"):
        assert not hasattr(model, name)
    counter = SpeedPerturbation(FunctionTransformer(len)).fit(X)
    assert counter.transform(X) == 12
    assert not hasattr(counter, "predict")


def test_logarithms_and_decision_values_are_passed_on():
    X, y, *_ = data()
    X = [tone() + 0.1 * i for i in range(len(y))]
    measure = FunctionTransformer(lambda X: [[float(np.mean(_wave(x)))] for x in X])
    model = SpeedPerturbation(make_pipeline(measure, LogisticRegression())).fit(X, y)
    inner = model.estimator_
    assert_array_equal(model.predict_log_proba(X), inner.predict_log_proba(X))
    assert_array_equal(model.decision_function(X), inner.decision_function(X))


def _wave(recording):
    return recording[0] if isinstance(recording, tuple) else recording


def test_the_estimator_says_why_it_has_no_method():
    with pytest.raises(AttributeError) as error:
        SpeedPerturbation(MetricDAE()).predict([tone()])
    assert "learns no label" in str(error.value.__cause__.__cause__)


def test_not_fitted():
    model = memorist()
    for name in ("predict", "predict_proba", "score"):
        with pytest.raises(NotFittedError):
            getattr(model, name)([tone()])
    assert not hasattr(model, "classes_")


def test_tags():
    assert is_classifier(SpeedPerturbation(Memorist()))
    assert is_classifier(memorist())
    transformer = SpeedPerturbation(EGeMAPS())
    assert not is_classifier(transformer)
    assert transformer.__sklearn_tags__().requires_fit
    assert not EGeMAPS().__sklearn_tags__().requires_fit


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_cross_validation_never_perturbs_a_test_recording(routing, n_jobs):
    X, y, groups, activation = data()
    result = cross_validate(
        memorist(), X, y, cv=LeaveOneGroupOut(), n_jobs=n_jobs,
        params=spell(routing, activation=activation, groups=groups),
        return_estimator=True, return_indices=True, error_score="raise",
        **({} if routing else {"groups": groups}),
    )  # fmt: skip
    for model, test in zip(result["estimator"], result["indices"]["test"], strict=True):
        seen = model.estimator_["memorist"]
        number = np.array([round(100 * float(np.median(x))) - 1 for x in seen.X_])
        assert len(number) == 45
        assert not np.isin(number, test).any()
        assert_array_equal(seen.activation_, activation[number])
        assert not np.isin(seen.groups_, groups[test]).any()
    assert_array_equal(result["test_score"], 3)  # the number of test recordings


def test_cross_val_predict(routing):
    X, y, groups, activation = data()
    predicted = cross_val_predict(
        memorist(), X, y, cv=LeaveOneGroupOut(),
        params=spell(routing, activation=activation, groups=groups),
        **({} if routing else {"groups": groups}),
    )  # fmt: skip
    assert predicted.shape == (12,)


def test_search(routing):
    X, y, groups, activation = data()
    params = spell(routing, activation=activation, groups=groups) | {"groups": groups}
    grid = {
        "estimator__memorist__strength": [1, 2],
        "factors": [(), (0.9, 1.1)],
        "include_original": [True],
    }
    search = GridSearchCV(memorist(), grid, cv=GroupKFold(2), error_score="raise")
    search.fit(X, y, **params)
    assert len(search.cv_results_["params"]) == 4
    assert {*search.best_estimator_.get_params()} >= {*grid}
    sizes = {
        factors: len(
            memorist(factors=factors)
            .fit(X, y, **spell(routing, activation=activation))
            .estimator_["memorist"]
            .X_
        )
        for factors in [(), (0.9, 1.1)]
    }
    assert sizes == {(): 12, (0.9, 1.1): 36}


def test_inside_a_pipeline():
    X, y, *_ = data()
    levels = FunctionTransformer(lambda X: np.array([[np.median(x)] for x in X]))
    inner = make_pipeline(levels, StandardScaler())
    pipe = make_pipeline(SpeedPerturbation(inner), SVC()).fit(X, y)
    assert pipe["speedperturbation"].estimator_[-1].n_samples_seen_ == 60
    assert pipe["svc"].shape_fit_ == (12, 1)


def test_copies_of_the_estimator():
    X, y, *_ = data()
    model = memorist(factors=(0.5,)).fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    assert_array_equal(restored.predict(X), model.predict(X))
    fresh = clone(model)
    assert not hasattr(fresh, "estimator_")
    assert fresh.factors == (0.5,)


@pytest.mark.parametrize(
    "check",
    [
        check_do_not_raise_errors_in_init_or_set_params,
        check_estimator_cloneable,
        check_estimator_repr,
        check_estimator_tags_renamed,
        check_get_params_invariance,
        check_mixin_order,
        check_no_attributes_set_in_init,
        check_param_validation,
        check_parameters_default_constructible,
        check_set_params,
        check_valid_tag_types,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learn_checks(check):
    check("SpeedPerturbation", SpeedPerturbation(SVC()))


# With real front ends


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=1)


@pytest.mark.slow
def test_metric_dae(routing, corpus):
    pipe = recipes.metric_dae(random_state=0).set_params(metricdae__max_epochs=2)
    model = SpeedPerturbation(pipe, factors=(0.9,))
    name = "activation" if routing else "metricdae__activation"
    model.fit(corpus.audio, corpus.emotion, **{name: corpus.activation})
    assert model.estimator_["standardscaler"].n_samples_seen_ == 2 * len(corpus)
    assert model.predict(corpus.audio).shape == (len(corpus),)
    with pytest.raises(ValueError, match="activation"):
        model.fit(corpus.audio, corpus.emotion, **{name: corpus.activation[1:]})


def test_features_of_a_copy():
    model = SpeedPerturbation(EGeMAPS(), factors=(1.25,), include_original=False)
    voice = sum(tone(120 * k, 1.0) / k for k in range(1, 9))
    for recording in (voice, (voice, RATE)):
        (copy,) = perturb_speed([recording], factors=(1.25,), include_original=False)
        pitch = EGeMAPS().transform([recording, copy])[:, 0]
        assert pitch[1] - pitch[0] == pytest.approx(12 * np.log2(1.25), abs=0.1)
    features = model.fit([voice]).transform([voice])
    assert_allclose(features, EGeMAPS().transform([voice]))


@pytest.mark.slow
def test_faulty_recordings_are_named_by_the_front_end(tmp_path, corpus):
    X, y = list(corpus.audio), corpus.emotion
    X[2] = str(tmp_path / "no.wav")
    strict = SpeedPerturbation(recipes.egemaps_svc())
    with pytest.raises(AudioError, match=r"^recording 2: .*no\.wav: the file does not"):
        strict.fit(X, y)
    keeping = make_pipeline(EGeMAPS(on_error="warn"), FunctionTransformer(np.isnan))
    with pytest.warns(UserWarning, match=r"No features for 1 of 56 recordings"):
        SpeedPerturbation(keeping).fit(X, y)


@pytest.mark.slow
def test_evaluation_by_speaker(corpus, tmp_path):
    model = SpeedPerturbation(recipes.egemaps_svc(memory=str(tmp_path)), factors=(0.9,))
    result = evaluate_by_speaker(model, corpus)
    assert len(result.predicted) == len(corpus)
    for fitted in result.estimators:
        inner = fitted[-1].estimator_
        assert inner["standardscaler"].n_samples_seen_ == 2 * 8
    # Each recording and each copy was extracted once.
    assert len(list(tmp_path.rglob("*.npy"))) == 2 * len(corpus)


def test_the_channel_of_the_copies(tmp_path):
    rng = np.random.default_rng(0)
    both = rng.normal(scale=0.1, size=(8000, 2))
    path = str(tmp_path / "two.wav")
    sf.write(path, both, 16000, subtype="FLOAT")
    for channel, expected in ((0, both[:, 0]), (1, both[:, 1]), ("mean", both.mean(1))):
        copies = perturb_speed([path], factors=[0.5], channel=channel)
        assert copies[0] == path
        np.testing.assert_allclose(copies[1][0], expected, atol=1e-7)
    model = SpeedPerturbation(
        make_pipeline(EGeMAPS(channel=1), SVC()), factors=[0.5], channel=1
    )
    mono = SpeedPerturbation(make_pipeline(EGeMAPS(), SVC()), factors=[0.5])
    other = str(tmp_path / "one.wav")
    sf.write(other, both[:, 1], 16000, subtype="FLOAT")
    y = ["a", "b"]
    third = str(tmp_path / "three.wav")
    tone = np.sin(np.arange(16000) / 20) / 9
    sf.write(third, np.column_stack([both[:1].repeat(16000, 0)[:, 0], tone]), 16000)
    found = model.fit([path, third], y).estimator_["svc"].support_vectors_
    sf.write(third, tone, 16000)
    same = mono.fit([other, third], y).estimator_["svc"].support_vectors_
    np.testing.assert_array_equal(found, same)
