"""What holds for every front end: parameters, names, memory, faults."""

import errno
import os
import pickle
import re
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn.base import clone
from sklearn.utils import estimator_checks

from sklearn_ser import (
    MFCC,
    AudioError,
    EGeMAPS,
    LogMel,
    LogMelProsody,
    LogMelSegmenter,
    SpectrogramSegmenter,
)
from sklearn_ser.features import RecordingTransformer, has_features

FRONT_ENDS = [
    EGeMAPS(),
    EGeMAPS(level="low_level_descriptors"),
    LogMel(),
    LogMel.from_preset("li2020"),
    LogMelProsody(),
    LogMelProsody(duration=0.4, shorter="keep"),
    LogMelSegmenter(),
    LogMelSegmenter(None),
    LogMelSegmenter(segment_hop=0.02, remainder="pad"),
    MFCC(),
    MFCC(duration=None, top_db=80.0),
    SpectrogramSegmenter(),
    SpectrogramSegmenter.from_preset("gao2021_s2"),
]

# Another valid value of each parameter, with which the features differ.
OTHER = {
    "duration": 0.25,
    "f_max": 3000.0,
    "f_min": 100.0,
    "feature_set": "emobase",
    "hop": 0.005,
    "max_f0": 300.0,
    "min_f0": 150.0,
    "n_fft": 2048,
    "n_mels": 20,
    "n_mfcc": 12,
    "segment": 0.2,
    "segment_hop": 0.05,
    "top_db": 20.0,
    "window": 0.020,
    "window_type": "boxcar",
}
# Where the value depends on the one that is there.
SWAPPED = {
    **{"drop": "pad", "pad": "drop", "keep": "repeat", "repeat": "keep"},
    **{"functionals": "low_level_descriptors", "low_level_descriptors": "functionals"},
}
INVALID = {
    "channel": -1,
    **{"duration": 0.0, "f_max": 0.0, "f_min": -1.0, "feature_set": "egemaps"},
    **{"hop": 0.0, "level": "lld", "memory": 3, "n_fft": 512.0, "n_jobs": "2"},
    **{"max_f0": 1001.0, "min_f0": 0.0, "shorter": "pad"},
    **{"n_mels": 0, "n_mfcc": 0, "on_error": "ignore", "remainder": "keep"},
    **{"sampling_rate": 16000.5, "segment": -0.1, "segment_hop": 0.0, "top_db": -80.0},
    **{"verbose": "yes", "window": -0.025, "window_type": "hammming"},
}
# Names in scikit-learn, which has no list of checks for input that is no table.
CHECKS = [
    *("do_not_raise_errors_in_init_or_set_params", "estimator_cloneable"),
    *("estimator_repr", "estimator_tags_renamed", "get_params_invariance"),
    *("mixin_order", "no_attributes_set_in_init", "param_validation"),
    *("parameters_default_constructible", "set_params", "valid_tag_types"),
]
RATE = 16000


def buzz(seconds=0.33, rate=RATE, pitch=130):
    """Make a tone with harmonics, a moving loudness and some noise."""
    times = np.arange(round(seconds * rate)) / rate
    harmonics = sum(np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 12))
    noise = np.random.default_rng(pitch).normal(0, 0.003, times.size)
    loudness = 0.02 + 0.15 * np.sin(8 * times) ** 2
    return (loudness * harmonics + noise).astype(np.float32)


def identify(front_end):
    return re.sub(r"\s+", " ", repr(front_end))


@pytest.fixture(params=FRONT_ENDS, ids=identify)
def front_end(request):
    return clone(request.param)


@pytest.fixture(scope="module")
def waves():
    return [buzz(pitch=pitch) for pitch in (100, 150, 200)] + [buzz(0.5)]


@pytest.fixture
def runs(front_end, monkeypatch):
    """List the rates of the signals of which features are computed."""
    computed = []
    extract = type(front_end)._extract

    def listing(self, signal, rate):
        computed.append(rate)
        return extract(self, signal, rate)

    monkeypatch.setattr(type(front_end), "_extract", listing)
    return computed


def assert_same(got, wanted):
    assert len(got) == len(wanted)
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)


# Parameters


@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learn_checks(front_end, check):
    getattr(estimator_checks, f"check_{check}")(type(front_end).__name__, front_end)


def test_clones_and_pickles_compute_the_same(front_end, waves):
    wanted = front_end.transform(waves)
    for copy in (clone(front_end), pickle.loads(pickle.dumps(front_end))):
        assert copy.get_params() == front_end.get_params()
        assert_same(copy.transform(waves), wanted)


def test_parameters_are_checked(front_end, waves):
    for name in front_end.get_params():
        wrong = clone(front_end).set_params(**{name: INVALID[name]})
        message = f"The '{name}' parameter of {type(front_end).__name__} must be"
        for use in (wrong.fit, wrong.transform, wrong.get_feature_names_out):
            with pytest.raises(ValueError, match=message):
                use(waves)


@pytest.mark.parametrize(
    ("front_end", "message"),
    [
        (LogMel(sampling_rate=8000), "0 to 6500 Hz are not possible.* 4000 Hz"),
        (LogMel(f_min=7000.0), "7000 to 6500 Hz are not possible: they must rise"),
        (LogMel(n_mels=300), "300 mel bands .* lower n_mels or raise n_fft"),
        (LogMel(n_fft=256), "n_fft=256 is shorter than the window of 400 samples"),
        (LogMel(hop=1e-5), "1e-05 s are less than one sample at 16000 Hz"),
        (LogMel(duration=0.02), "duration=0.02 s holds no frame of window=0.025 s"),
        (MFCC(n_mfcc=27), "n_mfcc=27 coefficients cannot come from n_mels=26 bands"),
        (MFCC(27, sampling_rate=None), "n_mfcc=27 coefficients cannot come from"),
        (LogMelSegmenter(0.105), "segment=0.105 s is not a whole .* take 0.1 s"),
        (LogMelSegmenter(0.001), "segment=0.001 s is not a whole .* take 0.01 s"),
        (LogMelSegmenter(segment_hop=0.033), "segment_hop=0.033 s is not a whole"),
        (LogMelSegmenter(segment_hop=0.2), "segment_hop=0.2 s leaves gaps .* 0.1 s"),
        (LogMelSegmenter(None, segment_hop=0.1), "segment_hop=0.1 s needs segments"),
        (SpectrogramSegmenter(0.03), "segment=0.03 s is shorter .* n_fft=512 samples"),
        (SpectrogramSegmenter(segment_hop=0.3), "segment_hop=0.3 s leaves gaps"),
        (SpectrogramSegmenter(f_max=4010.0), "4010 Hz is not .* 31.25 Hz .* take 4000"),
        (SpectrogramSegmenter(f_max=9000.0), "f_max=9000 Hz is not .* take 8000"),
        (
            SpectrogramSegmenter(sampling_rate=22050),
            r"segment=0.265 s are 5843.25 samples at 22050 Hz.*\(16000 in the paper",
        ),
    ],
    ids=identify,
)
def test_parameters_that_do_not_fit_together(front_end, message, waves):
    # No recording can mend them, so that nothing may hide them.
    front_end.set_params(on_error="nan")
    for use in (front_end.fit, front_end.transform, front_end.get_feature_names_out):
        with pytest.raises(ValueError, match=message) as caught:
            use(waves)
        assert not isinstance(caught.value, AudioError)


def test_presets(front_end):
    cls = type(front_end)
    for name, settings in getattr(cls, "presets", {}).items():
        made = cls.from_preset(name, n_jobs=2)
        assert made.get_params().items() >= {**settings, "n_jobs": 2}.items()
        changed = cls.from_preset(name, window=0.03, verbose=True)
        assert (changed.window, changed.verbose) == (0.03, True)
        assert clone(changed).get_params() == changed.get_params()


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (LogMel, "lian2018"),
        (LogMelSegmenter, "latif2018"),
        (MFCC, "lian2018"),
        (SpectrogramSegmenter, "gao2021_s1"),
    ],
)
def test_the_defaults_are_those_of_the_paper(cls, name):
    assert cls.from_preset(name).get_params() == cls().get_params()


def test_an_unknown_preset():
    with pytest.raises(
        ValueError, match="LogMel has no preset 'gao': choose 'li2020', 'lian2018'"
    ):
        LogMel.from_preset("gao")
    with pytest.raises(TypeError, match="n_mel"):
        LogMel.from_preset("lian2018", n_mel=3)


@pytest.mark.slow
def test_making_them_imports_nothing_slow():
    code = (
        "import sys, sklearn_ser as s; s.LogMel(); s.SpectrogramSegmenter(); "
        "print([m for m in ('librosa', 'numba', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


# Features


def test_features_are_finite_float32_of_their_names(front_end, waves):
    names = front_end.get_feature_names_out(["recordings"])
    assert names.dtype == object
    assert len({*names}) == len(names)
    assert all(isinstance(name, str) for name in names)
    features = front_end.transform(waves)
    assert len(features) == len(waves)
    for x in features:
        assert type(x) is np.ndarray
        assert x.dtype == np.float32
        assert x.shape[-1] == len(names)
        assert np.isfinite(x).all()
        if front_end._is_ragged():
            assert x.ndim == 2
            assert x.flags.c_contiguous
    assert features.dtype == (object if front_end._is_ragged() else np.float32)


def test_columns_of_a_segment_are_frame_after_frame():
    bins = SpectrogramSegmenter().get_feature_names_out().reshape(32, 129)
    assert bins[0, 0] == "bin000_frame00"
    assert bins[31, 5] == "bin005_frame31"
    bands = LogMelSegmenter().get_feature_names_out().reshape(10, 80)
    assert bands[0, 79] == "logmel79_frame0"
    assert bands[9, 0] == "logmel00_frame9"
    assert list(LogMelSegmenter(None, n_mels=2).get_feature_names_out()) == [
        *("logmel0", "logmel1")
    ]
    assert LogMelSegmenter(None).segment_shape == (1, 80)
    assert list(MFCC(2).get_feature_names_out()) == ["mfcc0", "mfcc1"]


def test_features_depend_on_their_recording_alone(front_end, waves):
    together = front_end.transform(waves)  # without fit
    assert_same(front_end.fit(waves).transform(waves), together)
    assert_same(front_end.fit_transform(waves[::-1]), together[::-1])
    for wave, features in zip(waves, together, strict=True):
        assert_same(front_end.transform([wave]), [features])


def test_waveforms_stay_as_they_are(front_end, waves):
    before = [wave.copy() for wave in waves]
    front_end.transform(waves)
    assert_same(waves, before)


def test_silence_is_finite(front_end):
    (features,) = front_end.transform([np.zeros(RATE // 2, np.float32)])
    assert np.isfinite(features).all()


def test_files_segments_and_waveforms_are_the_same(front_end, tmp_path):
    wave = buzz(1.0)
    path = tmp_path / "voice.wav"
    sf.write(path, wave, RATE, subtype="FLOAT")
    table = pd.DataFrame({"file": [path, path], "start": [0, 0.25], "end": [1, 0.75]})
    wanted = front_end.transform([wave, wave[4000:12000]])
    assert_same(front_end.transform([path, (path, 0.25, 0.75)]), wanted)
    assert_same(front_end.transform(table), wanted)


def test_other_rates(front_end, waves):
    high = [(buzz(rate=32000), 32000), (waves[0], RATE)]
    names = front_end.get_feature_names_out()
    resampling = clone(front_end).set_params(sampling_rate=32000)
    assert len(resampling.get_feature_names_out()) == len(names)
    features = resampling.transform(high)
    assert all(np.isfinite(x).all() for x in features)
    if isinstance(front_end, SpectrogramSegmenter):  # its width depends on the rate
        with pytest.raises(ValueError, match="'sampling_rate' parameter"):
            front_end.set_params(sampling_rate=None).fit(waves)
        return
    keeping = clone(front_end).set_params(sampling_rate=None).transform(high)
    assert_same(keeping[:1], features[:1])
    assert_same(keeping[1:], front_end.transform(waves[:1]))


@pytest.mark.parametrize("front_end", [LogMel(), MFCC()], ids=identify)
def test_a_rate_that_does_not_fit(front_end, waves):
    X = [(waves[0], RATE), (buzz(rate=8000), 8000)]
    front_end = clone(front_end).set_params(sampling_rate=None)
    with pytest.raises(
        AudioError,
        match="recording 1: waveform: its sampling rate of 8000 Hz does not fit the "
        "settings: Mel bands from 0 to 6500 Hz are not possible",
    ):
        front_end.transform(X)
    features = front_end.set_params(on_error="nan").transform(X)
    assert [len(x) for x in features] == [898, 0]


def test_set_output(front_end, waves):
    plain = front_end.transform(waves)
    front_end.set_output(transform="pandas")
    if front_end._is_ragged():
        for frames in (front_end.transform(waves), front_end.fit_transform(waves)):
            assert frames.dtype == object
            for one, same in zip(frames, plain, strict=True):
                np.testing.assert_array_equal(one, same)
        return
    table = front_end.transform(waves)
    assert list(table.columns) == list(front_end.get_feature_names_out())
    np.testing.assert_array_equal(table.to_numpy(), plain)


@pytest.mark.parametrize("X", [[], pd.DataFrame({"file": []})], ids=["list", "table"])
def test_no_recordings(front_end, X):
    with pytest.raises(ValueError, match="X holds no recordings"):
        front_end.transform(X)


def test_progress(front_end, waves, capsys):
    front_end.set_params(verbose=True).transform(waves)
    shown = capsys.readouterr().err
    assert f"{type(front_end).__name__}: 100%" in shown
    assert "4/4" in shown


# Threads and memory


def test_jobs_change_nothing(front_end, waves):
    wanted = front_end.transform(waves * 3)
    assert_same(front_end.set_params(n_jobs=2).transform(waves * 3), wanted)


def test_memory_computes_once(front_end, waves, runs, tmp_path):
    wanted = front_end.transform(waves)
    front_end.set_params(memory=str(tmp_path))
    runs.clear()
    for settings in ({}, {"n_jobs": 2}, {"on_error": "nan"}, {"verbose": True}):
        remembering = clone(front_end).set_params(**settings)
        assert_same(remembering.transform(waves), wanted)
        assert runs == [RATE] * len(waves)


def test_every_parameter_matters_and_is_remembered(front_end, waves, tmp_path):
    settings = front_end.get_params()
    names = {*settings} - {*RecordingTransformer._parameter_constraints}
    if "segment" in settings and settings["segment"] is None:
        names -= {"segment_hop", "remainder"}
    remembering = clone(front_end).set_params(memory=str(tmp_path))
    before = remembering.transform(waves)
    for name in sorted(names):
        value = settings[name]
        change = {name: SWAPPED[value] if value in SWAPPED else OTHER[name]}
        features = clone(remembering).set_params(**change).transform(waves)
        assert_same(features, clone(front_end).set_params(**change).transform(waves))
        assert not all(map(np.array_equal, features, before)), name


def test_libraries_are_in_the_key(front_end, waves, runs, tmp_path, monkeypatch):
    if isinstance(front_end, EGeMAPS):
        return  # it has its own test
    libraries = {
        "numpy",
        "scipy",
        *(["librosa"] if hasattr(front_end, "n_mels") else []),
    }
    assert {version(name) for name in libraries} <= {*front_end._settings()}
    front_end.set_params(memory=str(tmp_path))
    for release, count in (("98", 1), ("98", 1), ("99", 2)):
        monkeypatch.setattr(np, "__version__", release)
        front_end.transform(waves[:1])
        assert len(runs) == count


# Faults


@pytest.fixture
def faulty(waves, tmp_path):
    """Return good recordings and, at 1 and 3, a broken file and one too short."""
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF, but nothing else")
    return [waves[0], broken, waves[1], waves[2][:99], waves[3]]


def test_raise_names_the_file(front_end, faulty):
    with pytest.raises(AudioError, match=r"^recording 1: .*broken\.wav: it is "):
        front_end.transform(faulty)


def test_a_recording_that_is_too_short(front_end, waves):
    with pytest.raises(
        AudioError, match=r"^recording 1: waveform: its 0.00\d+ s are too short: .* s; "
    ):
        front_end.transform([waves[0], waves[1][:99]])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_nan_keeps_the_others(front_end, faulty, n_jobs):
    features = front_end.set_params(on_error="nan", n_jobs=n_jobs).transform(faulty)
    assert_same(features[::2], front_end.transform(faulty[::2]))
    width = len(front_end.get_feature_names_out())
    for missing in features[1::2]:
        assert missing.dtype == np.float32
        if front_end._is_ragged():
            assert missing.shape == (0, width)
        else:
            assert missing.shape == (width,)
            assert np.isnan(missing).all()


def test_warn_lists_the_faults(front_end, faulty):
    front_end.set_params(on_error="warn")
    with pytest.warns(UserWarning, match="No features for 2 of 5 recordings") as caught:
        features = front_end.transform(faulty)
    assert len(caught) == 1
    lines = str(caught[0].message).splitlines()[1:]
    assert re.match(r"recording 1: .*broken\.wav: it is ", lines[0])
    assert re.match(r"recording 3: waveform: its 0.006\d* s are too short", lines[1])
    assert_same(features[::2], front_end.transform(faulty[::2]))


def test_one_window_is_enough(front_end):
    if isinstance(front_end, EGeMAPS):
        return  # it has its own test
    least = round(front_end.window * RATE)
    (features,) = front_end.transform([buzz()[:least]])
    assert len(features) >= 1
    assert np.isfinite(features).all()
    with pytest.raises(AudioError, match=f"a frame needs {front_end.window} s"):
        front_end.transform([buzz()[: least - 1]])


# Channels, and recordings that never end


@pytest.fixture
def stereo(waves, tmp_path):
    """Return files: two voices, one channel silent, one inverted."""
    pairs = {
        "two": (waves[0], waves[1]),
        "silent": (waves[0], 0 * waves[0]),
        "also": (0 * waves[1], waves[1]),
        "inverted": (waves[0], -waves[0]),
    }
    for name, channels in pairs.items():
        length = min(map(len, channels))
        both = np.stack([channel[:length] for channel in channels], axis=1)
        sf.write(tmp_path / f"{name}.wav", both, RATE, subtype="FLOAT")
    return {name: tmp_path / f"{name}.wav" for name in pairs}


def test_a_channel_is_chosen_and_cached_by_itself(front_end, waves, stereo, tmp_path):
    front_end.set_params(memory=tmp_path / "cache")
    length = min(len(waves[0]), len(waves[1]))
    for channel in (0, 1):
        chosen = clone(front_end).set_params(channel=channel)
        wanted = front_end.transform([waves[channel][:length]])
        assert_same(chosen.transform([stereo["two"]]), wanted)
    mean = front_end.transform([(waves[0][:length] + waves[1][:length]) / 2])
    assert_same(front_end.transform([stereo["two"]]), mean)


def test_silent_and_inverted_channels(front_end, stereo):
    names = ["silent", "inverted", "also", "silent"]
    front_end.set_params(on_error="nan")
    with pytest.warns(UserWarning, match="channel") as said:
        features = front_end.transform([stereo[name] for name in names])
    texts = sorted(str(warning.message) for warning in said)
    assert len(texts) == 2
    assert re.match(r"\S+also\.wav: channel 0 of 2 is silent.* channel=1\.", texts[0])
    assert re.match(r"\S+silent\.wav, \S+silent\.wav: channel 1 of 2", texts[1])
    assert list(has_features(features)) == [True, False, True, True]


@pytest.mark.parametrize("memory", [False, True])
def test_what_never_ends_is_one_fault(front_end, waves, tmp_path, memory):
    os.mkfifo(tmp_path / "pipe.wav")
    recordings = [waves[0], tmp_path / "pipe.wav", "/dev/zero", (waves[1], 16)]
    front_end.set_params(on_error="nan", memory=tmp_path / "c" if memory else None)
    features = front_end.transform([*recordings, (waves[1], True), waves[1]])
    assert list(has_features(features)) == [True, *[False] * 4, True]


def test_an_error_of_the_system_costs_one_recording(front_end, waves, monkeypatch):
    def read(recording, rate):
        if recording is waves[1]:
            raise OSError(errno.EIO, "Input/output error")
        return recording, rate

    monkeypatch.setattr("sklearn_ser.audio._read", read)
    features = front_end.set_params(on_error="nan").transform(waves[:3])
    assert list(has_features(features)) == [True, False, True]
