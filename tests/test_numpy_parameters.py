"""Parameters as grids make them: numpy's scalars, and arrays for sequences."""

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from sklearn_ser import features
from sklearn_ser.augmentation import SpeedPerturbation
from tests.estimators import data_for
from tests.methods.test_common import one_of_each_class

SLOW = pytest.mark.slow


def wide(value):
    """Return a value as numpy keeps it in an array of its kind."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int | float | str):
        return np.asarray(value)[()]
    if isinstance(value, tuple | list):
        return np.asarray(value)
    if isinstance(value, dict):
        return {wide(key): wide(number) for key, number in value.items()}
    return value


def narrow(value):
    """Return a value in the least of numpy's types that holds it."""
    if isinstance(value, bool | str):
        return wide(value)
    if isinstance(value, int):
        return np.min_scalar_type(value).type(value)
    if isinstance(value, float):
        return np.float32(value)
    if isinstance(value, tuple | list):
        narrowed = [narrow(one) for one in value]
        return np.array(narrowed, dtype=np.result_type(*narrowed))
    if isinstance(value, dict):
        return {wide(key): narrow(number) for key, number in value.items()}
    return value


def python(value):
    """Return the value that a user would have written, if not in numpy's types."""
    if isinstance(value, np.ndarray):
        return tuple(python(one) for one in value)
    if isinstance(value, dict):
        return {python(key): python(number) for key, number in value.items()}
    return value.item() if isinstance(value, np.generic) else value


# What an estimator has beside the parameters of `TRAINED`.
MORE = [
    {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 2},
    {"net_params": {"optimizer__weight_decay": 0.25, "optimizer__eps": 0.125}},
]


def settings(estimator):
    """Return all parameters that are plain values."""
    kinds = (bool, int, float, str, tuple, list, dict)
    params = estimator.get_params(deep=False)
    return {name: value for name, value in params.items() if isinstance(value, kinds)}


@pytest.mark.parametrize("as_numpy", [pytest.param(wide, marks=SLOW), narrow])
@pytest.mark.parametrize("more", MORE, ids=["stopping", "net_params"])
@one_of_each_class
def test_a_fit_does_not_depend_on_the_types_of_numbers(
    estimator, needs, more, as_numpy
):
    X, y, groups, metadata = data_for(estimator, n_per_speaker=6)
    given = {name: metadata[name] for name in needs} | {"groups": groups}
    params = settings(clone(estimator).set_params(**more))
    in_numpy = {name: as_numpy(value) for name, value in params.items()}
    written = {name: python(value) for name, value in in_numpy.items()}
    result, expected = (
        clone(estimator).set_params(**kind).fit(X, y, **given)
        for kind in (in_numpy, written)
    )
    assert str(result.history_) == str(expected.history_)
    for name, value in in_numpy.items():
        assert getattr(result, name) is value  # fit changes no parameter


# Settings of the front ends, numbers for all that may be None.
FRONT_ENDS = [
    features.EGeMAPS(channel=0),
    features.EGeMAPS("GeMAPSv01b", sampling_rate=8000, n_jobs=2),
    features.LogMel(channel=1, n_fft=4096, top_db=60.0, f_min=50, n_mels=200),
    features.MFCC(n_fft=512, duration=0.25, n_mels=40, n_mfcc=20),
    features.LogMelProsody(f_max=4000, duration=0.5, n_mels=20, sampling_rate=44100),
    features.LogMelSegmenter(segment_hop=0.05, f_max=7000.0, n_fft=512),
    features.SpectrogramSegmenter(segment_hop=0.25, n_fft=1024, sampling_rate=8000),
]


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    """Write two recordings of two channels."""
    folder = tmp_path_factory.mktemp("audio")
    rng = np.random.default_rng(0)
    paths = [str(folder / name) for name in ("a.wav", "b.wav")]
    for path, n in zip(paths, (9000, 12000), strict=True):
        soundfile.write(path, rng.normal(scale=0.1, size=(n, 2)), 16000)
    return paths


@pytest.mark.parametrize("as_numpy", [wide, narrow])
@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_features_do_not_depend_on_the_types_of_numbers(front_end, as_numpy, audio):
    in_numpy = {name: as_numpy(value) for name, value in settings(front_end).items()}
    written = {name: python(value) for name, value in in_numpy.items()}
    result, expected = (
        clone(front_end).set_params(**kind).fit_transform(audio)
        for kind in (in_numpy, written)
    )
    for one, same in zip(result, expected, strict=True):
        np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("as_numpy", [wide, narrow])
def test_functionals_and_speeds_may_be_arrays(as_numpy, audio):
    frames = features.LogMel(duration=0.25).fit_transform(audio)
    pooling = features.SequencePooling(("mean", "max"), threshold=0.5)
    in_numpy = {name: as_numpy(value) for name, value in settings(pooling).items()}
    pooled = clone(pooling).set_params(**in_numpy)
    np.testing.assert_array_equal(
        pooled.fit_transform(frames), pooling.fit_transform(frames)
    )
    assert len(pooled.get_feature_names_out()) == 2 * 26
    speeds = SpeedPerturbation(
        make_pipeline(features.LogMel(duration=0.25), pooling, DummyClassifier()),
        factors=as_numpy((0.5, 2.0)),
        include_original=as_numpy(True),
    )
    assert speeds.fit(audio, ["a", "b"]).predict(audio).tolist() == ["a", "a"]
