"""EGeMAPS: equal to openSMILE bit for bit, guarded, cached, threaded, a transformer."""

import copy
import multiprocessing
import pickle
import shutil
import sys
import threading
import warnings
from collections import Counter

import joblib
import numpy as np
import opensmile
import pandas as pd
import pytest
import soundfile as sf
from opensmile.core.lib import OpenSMILE, OpenSmileException
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
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

from sklearn_ser import AudioError, EGeMAPS
from sklearn_ser.features import _egemaps

RATE = 16000
SETS = ["eGeMAPSv02", "eGeMAPSv01b", "GeMAPSv01b", "ComParE_2016", "emobase"]
LEVELS = {
    "functionals": opensmile.FeatureLevel.Functionals,
    "low_level_descriptors": opensmile.FeatureLevel.LowLevelDescriptors,
}
every_set = pytest.mark.parametrize("feature_set", SETS)
every_level = pytest.mark.parametrize("level", list(LEVELS))


def speech(seconds=0.3, rate=RATE, pitch=120, seed=0):
    """Make a buzz with a moving pitch and loudness, and some noise."""
    times = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch + 30 * np.sin(12 * times)) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 15))
    loudness = 0.1 + 0.2 * np.sin(9 * times) ** 2
    noise = np.random.default_rng(seed).normal(0, 0.005, times.size)
    return (loudness * buzz + noise).astype(np.float32)


@pytest.fixture(scope="module")
def waves():
    return [speech(pitch=pitch) for pitch in (90, 120, 150, 180, 210, 240)]


@pytest.fixture
def files(tmp_path, waves):
    paths = [tmp_path / f"{i}.wav" for i in range(len(waves))]
    for path, wave in zip(paths, waves, strict=True):
        sf.write(path, wave, RATE)
    return paths


@pytest.fixture
def runs(monkeypatch):
    """Count the runs of openSMILE."""
    counted = Counter()
    run = _egemaps._run

    def counting(*args):
        counted["runs"] += 1
        return run(*args)

    monkeypatch.setattr(_egemaps, "_run", counting)
    return counted


def original(feature_set, level):
    """Return openSMILE's own class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it deprecates older sets
        return opensmile.Smile(opensmile.FeatureSet[feature_set], LEVELS[level])


def assert_same(got, wanted):
    assert len(got) == len(wanted)
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)


# Equal to openSMILE


@every_set
@every_level
@pytest.mark.parametrize(
    ("rate", "sampling_rate"),
    [(RATE, RATE), pytest.param(44100, None, marks=pytest.mark.slow)],
)
def test_equal_to_opensmile(feature_set, level, rate, sampling_rate):
    # One engine runs them all: neither length nor failure may leave a trace.
    signals = [speech(seconds, rate) for seconds in (0.5, 0.02, 0.2, 0.06, 0.35)]
    signals[3:3] = [np.zeros(rate // 4, np.float32), speech(0.3, rate, 250) * 0.01]
    extractor = EGeMAPS(feature_set, level, sampling_rate=sampling_rate, on_error="nan")
    features = extractor.transform([(signal, rate) for signal in signals])
    smile = original(feature_set, level)
    for index, signal in enumerate(signals):
        if index == 1:  # too short
            assert np.isnan(features[index]).all()
            continue
        wanted = smile.process_signal(signal, rate).to_numpy()
        assert_same([np.atleast_2d(features[index])], [wanted])
    assert list(extractor.get_feature_names_out()) == smile.feature_names


@pytest.mark.slow
@pytest.mark.corpus
@every_set
def test_equal_to_opensmile_on_emodb(data_home, feature_set):
    paths = sorted((data_home / "emodb" / "wav").glob("*.wav"))[:535:107]
    features = EGeMAPS(feature_set, n_jobs=2).transform(paths)
    wanted = original(feature_set, "functionals").process_files(paths)
    assert_same(features, wanted.to_numpy())


@pytest.mark.corpus
def test_segments_equal_to_opensmile_on_emodb(data_home):
    path = sorted((data_home / "emodb" / "wav").glob("*.wav"))[0]
    segments = [(path, 0, 0.5), (path, 0.5, 1.25)]
    wanted = [
        original("eGeMAPSv02", "functionals").process_file(
            path, start=pd.Timedelta(start, "s"), end=pd.Timedelta(end, "s")
        )
        for _, start, end in segments
    ]
    assert_same(EGeMAPS().transform(segments), np.concatenate(wanted))


def test_files_equal_to_opensmile(files):
    wanted = original("eGeMAPSv02", "functionals").process_files(files)
    assert_same(EGeMAPS().transform(files), wanted.to_numpy())


def test_shapes(waves):
    rows = EGeMAPS().transform(waves)
    assert rows.shape == (6, 88)
    assert rows.dtype == np.float32
    frames = EGeMAPS(level="low_level_descriptors").transform([*waves, speech(0.5)])
    assert frames.shape == (7,)
    assert frames.dtype == object
    assert frames[0].shape == (26, 25)
    assert frames[6].shape == (46, 25)
    alike = EGeMAPS(level="low_level_descriptors").transform(waves)
    assert alike.shape == (6,)  # also where all have the same length


# Where openSMILE's package is wrong


def test_full_scale_is_clipped():
    loud = speech() * 20
    assert np.abs(loud).max() > 1
    clipped = np.clip(loud, -1, 32767 / 32768)
    wanted = original("eGeMAPSv02", "functionals").process_signal(clipped, RATE)
    with pytest.warns(
        UserWarning, match="^waveform: openSMILE clips .*: scale"
    ) as said:
        features = EGeMAPS().transform([np.clip(loud, -1, 1), np.clip(loud, -2, 2)])
    assert len(said) == 1
    assert_same(features, [wanted.to_numpy()[0]] * 2)


@every_set
@every_level
def test_the_least_length(feature_set, level):
    least = 0.04 if feature_set == "emobase" else 0.06
    extractor = EGeMAPS(feature_set, level)
    assert np.isfinite(extractor.transform([speech(least)])[0]).all()
    with pytest.raises(
        AudioError,
        match=rf"^recording 1: waveform: its {least - 0.001:.3f} s are too short: "
        rf"{feature_set} needs at least {least} s; leave it out",
    ):
        extractor.transform([speech(), speech(least - 0.001)])


def test_too_low_a_rate():
    keeping = EGeMAPS(sampling_rate=None)
    for rate in (500, 3_000_000_000):
        with pytest.raises(AudioError, match=f"sampling rate {rate} is not possible"):
            keeping.transform([(speech(2, 500), rate)])
    with pytest.raises(ValueError, match="'sampling_rate' parameter of EGeMAPS"):
        EGeMAPS(sampling_rate=5_000_000).transform([speech(2, 500)])


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        (np.full(8000, np.nan), "waveform: 8,000 of its 8,000 samples are NaN"),
        (speech() * 32768, "waveform: its samples reach .* divide them"),
        ("none.wav", "none.wav: the file does not exist"),
        (("none.wav", 2, 1), "none.wav from 2 to 1: the segment is not possible"),
        (None, "NoneType: it is not a recording"),
    ],
)
def test_faults_name_the_recording(recording, message):
    with pytest.raises(AudioError, match=f"^recording 1: {message}") as caught:
        EGeMAPS().transform([speech(), recording])
    missing = isinstance(caught.value, FileNotFoundError)
    assert missing == isinstance(recording, str)


def test_an_engine_that_fails_is_replaced(monkeypatch, waves):
    wanted = EGeMAPS().transform(waves[:3])
    run = OpenSMILE.run
    engines = []

    def failing(smile):
        engines.append(smile)
        if len(engines) == 2:
            raise OpenSmileException(1, "broken")
        run(smile)

    monkeypatch.setattr(OpenSMILE, "run", failing)
    features = EGeMAPS(on_error="nan").transform(waves[:3])
    assert engines[0] is engines[1]
    assert engines[1] is not engines[2]
    assert np.isnan(features[1]).all()
    assert_same(features[::2], wanted[::2])
    engines.clear()
    with pytest.raises(
        AudioError, match=r"recording 1.*openSMILE fails on it .*broken"
    ):
        EGeMAPS().transform(waves[:3])


def test_features_that_are_nan(monkeypatch, waves):
    monkeypatch.setattr(
        _egemaps, "_run", lambda *args: np.full((1, 88), np.nan, np.float32)
    )
    with pytest.raises(AudioError, match="openSMILE computes NaN from it"):
        EGeMAPS().transform(waves[:1])


def test_a_recording_that_opensmile_does_not_take(monkeypatch, waves):
    monkeypatch.setattr(
        OpenSMILE, "external_audio_source_write_data", lambda *args: False
    )
    with pytest.raises(AudioError, match="too long for openSMILE"):
        EGeMAPS().transform(waves[:1])


def test_opensmile_is_not_installed(monkeypatch, waves):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    EGeMAPS().fit(waves)
    for settings in ({}, {"n_jobs": 2}, {"memory": "not-made"}, {"on_error": "nan"}):
        with pytest.raises(ImportError, match=r"not for commercial use .*ser\[egemaps"):
            EGeMAPS(**settings).transform(waves)


# Threads, processes and engines


@pytest.mark.slow
@every_level
def test_jobs_change_nothing(waves, level):
    extractor = EGeMAPS(level=level)
    one = extractor.transform(waves)
    assert_same(clone(extractor).set_params(n_jobs=2).transform(waves), one)
    with joblib.parallel_config(n_jobs=2):
        assert_same(extractor.transform(waves), one)
    with joblib.parallel_config("loky", n_jobs=2):
        assert_same(extractor.transform(waves), one)


def test_engines_stay_in_their_thread_and_end_with_it(monkeypatch, waves):
    users, made, freed = {}, [], []
    set_up, run, free = _egemaps._new_engine, OpenSMILE.run, _egemaps._free

    def recording(*args):
        made.append(threading.get_ident())
        return set_up(*args)

    def running(smile):
        users.setdefault(id(smile), set()).add(threading.get_ident())
        assert len(smile._callbacks) == 1  # they do not pile up
        run(smile)

    def freeing(*args):
        freed.append(args)
        free(*args)

    monkeypatch.setattr(_egemaps, "_new_engine", recording)
    monkeypatch.setattr(_egemaps, "_free", freeing)
    monkeypatch.setattr(OpenSMILE, "run", running)
    thread = threading.Thread(target=EGeMAPS().transform, args=(waves * 2,))
    thread.start()
    thread.join()
    assert len(made) == len(freed) == 1
    EGeMAPS(n_jobs=2).transform(waves * 2)
    assert 2 <= len(made) <= 3
    assert all(len(threads) == 1 for threads in users.values())


def test_a_thread_keeps_few_engines(monkeypatch):
    freed = []
    monkeypatch.setattr(_egemaps, "_free", lambda smile, process: freed.append(smile))
    rates = range(8000, 8000 + 100 * (_egemaps.N_ENGINES + 2), 100)
    recordings = [(speech(0.1, rate), rate) for rate in rates]
    thread = threading.Thread(
        target=EGeMAPS(sampling_rate=None).transform, args=(recordings,)
    )
    thread.start()
    thread.join()
    assert len(freed) == len(recordings)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"
)
def test_a_fork_makes_its_own_engine(waves):
    wanted = EGeMAPS().transform(waves)
    with warnings.catch_warnings():
        # Newer versions of Python warn of forks beside threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert_same(pool.apply(EGeMAPS().transform, (waves,)), wanted)
    assert_same(EGeMAPS().transform(waves), wanted)


# Memory


@every_level
def test_memory_computes_once(tmp_path, files, runs, level):
    extractor = EGeMAPS(level=level, memory=str(tmp_path / "memory"))
    first = extractor.transform(files)
    assert runs["runs"] == 6
    for again in (
        extractor,
        clone(extractor).set_params(n_jobs=2),
        EGeMAPS(level=level, memory=joblib.Memory(str(tmp_path / "memory"), verbose=0)),
    ):
        assert_same(again.transform(files[::-1]), first[::-1])
    assert runs["runs"] == 6
    assert_same(EGeMAPS(level=level).transform(files), first)


def test_memory_goes_by_content(tmp_path, files, runs):
    extractor = EGeMAPS(memory=str(tmp_path / "memory"))
    first = extractor.transform(files[:2])
    files[0].rename(tmp_path / "renamed.wav")
    shutil.copy(files[1], tmp_path / "copied.wav")
    again = extractor.transform([tmp_path / "renamed.wav", tmp_path / "copied.wav"])
    assert_same(again, first)
    assert runs["runs"] == 2
    sf.write(files[1], speech(pitch=300), RATE)
    changed = extractor.transform([files[1]])
    assert runs["runs"] == 3
    assert_same(changed, EGeMAPS().transform([files[1]]))
    assert not np.array_equal(changed[0], first[1])


def test_memory_goes_by_settings_and_part(tmp_path, files, waves, runs):
    memory = str(tmp_path / "memory")
    wave = waves[0]
    cases = [
        ({}, files[0]),
        ({}, (files[0], 0, 0.2)),
        ({}, (files[0], 0.1, 0.3)),
        ({}, wave),
        ({}, (wave, 22050)),
        ({"sampling_rate": 8000}, files[0]),
        ({"sampling_rate": None}, files[0]),
        ({"feature_set": "emobase"}, files[0]),
        ({"level": "low_level_descriptors"}, files[0]),
    ]
    for _ in range(2):
        for settings, recording in cases:
            features = EGeMAPS(memory=memory, **settings).transform([recording])
            assert_same(features, EGeMAPS(**settings).transform([recording]))
    assert runs["runs"] == 3 * len(cases)  # one of three comes from the memory


def test_memory_forgets_with_another_opensmile(tmp_path, waves, runs, monkeypatch):
    extractor = EGeMAPS(memory=str(tmp_path / "memory"))
    extractor.transform(waves[:1])
    monkeypatch.setattr(opensmile, "__version__", "99")
    extractor.transform(waves[:1])
    assert runs["runs"] == 2


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_keeps_what_was_finished(tmp_path, waves, runs, n_jobs):
    extractor = EGeMAPS(memory=str(tmp_path / "memory"), n_jobs=n_jobs)
    for _ in range(2):  # a fault is not remembered
        with pytest.raises(AudioError, match="recording 3: waveform: 1 of its"):
            extractor.transform([*waves[:3], np.array([np.nan]), *waves[3:]])
    assert runs["runs"] >= 3
    before = runs["runs"]
    extractor.transform(waves[:3])
    assert runs["runs"] == before


# What a fault does


@pytest.fixture
def faulty(waves):
    """Return twelve faulty recordings among six good ones."""
    return [recording for wave in waves for recording in ("no.wav", wave, wave[:99])]


def test_raise_stops_at_the_first_fault(waves, runs):
    for n_jobs in (1, 2):
        runs.clear()
        with pytest.raises(AudioError, match=r"^recording 1: no\.wav: the file does"):
            EGeMAPS(n_jobs=n_jobs).transform([waves[0], "no.wav", None, *waves * 9])
        assert runs["runs"] <= 8 * n_jobs


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_nan_keeps_the_others(waves, faulty, n_jobs):
    features = EGeMAPS(on_error="nan", n_jobs=n_jobs).transform(faulty)
    assert features.dtype == np.float32
    assert_same(features[1::3], EGeMAPS().transform(waves))
    assert np.isnan(features[::3]).all()
    assert np.isnan(features[2::3]).all()


def test_nan_gives_no_frames(waves, faulty):
    extractor = EGeMAPS(level="low_level_descriptors", on_error="nan")
    features = extractor.transform(faulty)
    assert_same(features[1::3], extractor.transform(waves))
    assert all(x.shape == (0, 25) and x.dtype == np.float32 for x in features[::3])
    assert extractor.transform(["no.wav"])[0].shape == (0, 25)


def test_warn_lists_the_faults_once(faulty):
    extractor = EGeMAPS(on_error="warn")
    with pytest.warns(
        UserWarning, match="No features for 12 of 18 recordings"
    ) as caught:
        features = extractor.transform(faulty)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    lines = str(caught[0].message).splitlines()
    assert len(lines) == 12
    assert lines[1].startswith("recording 0: no.wav: the file does not exist")
    assert lines[2].startswith("recording 2: waveform: its 0.006 s are too short")
    assert lines[11] == "and 2 more"
    assert np.isnan(features).all(axis=1).sum() == 12


def test_warn_is_silent_without_faults(waves):
    EGeMAPS(on_error="warn").transform(waves)


# A transformer


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
    # check_estimator itself stops where the input is no table.
    check("EGeMAPS", EGeMAPS())


@pytest.mark.parametrize(
    "settings",
    [
        {"feature_set": "eGeMAPS"},
        {"level": "lld"},
        {"sampling_rate": 999},
        {"sampling_rate": 16000.5},
        {"n_jobs": "2"},
        {"memory": 3},
        {"on_error": "ignore"},
        {"verbose": "yes"},
    ],
)
def test_parameters_are_checked(waves, settings):
    (name,) = settings
    for method in ("fit", "transform", "fit_transform"):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of EGeMAPS must"):
            getattr(EGeMAPS(**settings), method)(waves)


def test_fit_returns_itself_and_learns_nothing(waves):
    extractor = EGeMAPS()
    before = dict(vars(extractor))
    assert extractor.fit(waves) is extractor
    extractor.transform(waves[:1])
    assert vars(extractor) == before
    assert not extractor.__sklearn_tags__().requires_fit


def test_copies(waves):
    extractor = EGeMAPS("emobase", on_error="nan").fit(waves)
    wanted = extractor.transform(waves)
    for other in (
        clone(extractor),
        copy.deepcopy(extractor),
        pickle.loads(pickle.dumps(extractor)),
    ):
        assert repr(other) == "EGeMAPS(feature_set='emobase', on_error='nan')"
        assert_same(other.transform(waves), wanted)


@pytest.mark.parametrize("X", [[], np.zeros((0, 100)), pd.Series([], dtype=object)])
def test_no_recordings(X):
    with pytest.raises(ValueError, match="X holds no recordings"):
        EGeMAPS().transform(X)


def test_not_a_collection(waves):
    for X in ("a.wav", waves[0], 3):
        with pytest.raises(ValueError, match=r"X (is one recording|must be a list)"):
            EGeMAPS(on_error="nan").transform(X)


def test_feature_names():
    names = EGeMAPS().get_feature_names_out(["audio"])
    assert names.shape == (88,)
    assert names.dtype == object
    assert names[0] == "F0semitoneFrom27.5Hz_sma3nz_amean"


def test_set_output(files, waves):
    extractor = EGeMAPS().set_output(transform="pandas")
    X = pd.DataFrame({"file": files}, index=[f"recording-{i}" for i in range(6)])
    table = extractor.fit_transform(X)
    assert list(table.columns) == list(extractor.get_feature_names_out())
    pd.testing.assert_index_equal(table.index, X.index)
    assert (table.dtypes == np.float32).all()
    assert_same(table.to_numpy(), EGeMAPS().transform(files))
    assert list(extractor.transform(files).index) == list(range(6))
    frames = EGeMAPS(level="low_level_descriptors").set_output(transform="pandas")
    assert frames.fit_transform(waves).dtype == object


def test_progress(capsys, waves):
    EGeMAPS(verbose=True, n_jobs=2).transform(waves)
    shown = capsys.readouterr().err
    assert "EGeMAPS: 100%" in shown
    assert "6/6" in shown
    EGeMAPS().transform(waves)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "backend", [pytest.param("loky", marks=pytest.mark.slow), "threading"]
)
def test_grid_search_extracts_once(tmp_path, files, waves, backend):
    memory = tmp_path / "memory"
    pipe = make_pipeline(EGeMAPS(memory=str(memory)), StandardScaler(), SVC())
    grid = GridSearchCV(pipe, {"svc__C": [0.1, 1]}, cv=2, n_jobs=2, error_score="raise")
    y = ["low"] * 3 + ["high"] * 3
    with joblib.parallel_config(backend):
        grid.fit(files, [y[i // 2 + i % 2 * 3] for i in range(6)])
    assert len(list(memory.rglob("*.npy"))) == 6
    assert set(grid.predict(files)) <= {"low", "high"}


def test_grid_search_over_its_own_parameters(waves):
    pipe = make_pipeline(EGeMAPS(), StandardScaler(), SVC())
    sets = ["GeMAPSv01b", "emobase"]
    grid = GridSearchCV(pipe, {"egemaps__feature_set": sets}, cv=2, error_score="raise")
    grid.fit(np.stack(waves), [0, 1, 0, 1, 0, 1])
    assert grid.best_params_["egemaps__feature_set"] in sets
