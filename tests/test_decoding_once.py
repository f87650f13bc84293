"""Segments of files in which seeking is not exact: decoded once for all of them."""

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn.base import clone

from sklearn_ser import EGeMAPS, LogMel, audio, load_audio, perturb_speed
from sklearn_ser.audio import AudioError, decoding_once

RATE = 16000


@pytest.fixture(params=["mp3", "ogg"])
def files(request, tmp_path):
    """Write two files of four seconds."""
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{name}.{request.param}") for name in "ab"]
    for path in paths:
        sf.write(path, rng.normal(scale=0.1, size=4 * RATE), RATE)
    return paths


@pytest.fixture
def decoded(monkeypatch):
    """Count the files that are decoded from beginning to end."""
    runs = []
    decode = audio._decode_whole

    def counting(path, sound):
        runs.append(path)
        return decode(path, sound)

    monkeypatch.setattr(audio, "_decode_whole", counting)
    return runs


def segments(files, n=12):
    """Alternate between the files, from the end to the beginning."""
    starts = np.linspace(3, 0, n)
    return [(files[k % 2], start, start + 0.5) for k, start in enumerate(starts)]


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"n_jobs": 2}, {"memory": "folder"}])
@pytest.mark.parametrize("front_end", [EGeMAPS(), LogMel()])
def test_a_file_is_decoded_once_for_all_its_segments(
    front_end, settings, files, decoded, tmp_path
):
    if "memory" in settings:
        settings = {"memory": tmp_path / "memory"}
    X = segments(files)
    expected = [front_end.transform([load_audio(one)[0]])[0] for one in X]
    assert len(decoded) == len(X)
    del decoded[:]
    result = clone(front_end).set_params(**settings).transform(X)
    assert sorted(decoded) == files
    for one, same in zip(result, expected, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not audio._LAST_DECODED._known  # nothing is kept afterwards


def test_tables_and_faults_keep_their_places(files, decoded):
    X = segments(files, 6)
    X[3] = (files[1], 10.0, 11.0)
    table = pd.DataFrame(X, columns=["file", "start", "end"])
    features = EGeMAPS(on_error="nan").transform(table)
    assert np.isnan(features).any(axis=1).tolist() == [k == 3 for k in range(6)]
    assert sorted(decoded) == files
    with pytest.raises(AudioError, match=r"recording 3: .*beyond the end of the file"):
        EGeMAPS().transform(table)


def test_copies_at_other_speeds_decode_once(files, decoded):
    copies = perturb_speed(segments(files), factors=(0.9,))
    assert len(copies) == 24
    assert sorted(decoded) == files


def test_a_file_that_changes_is_decoded_anew(files, decoded):
    with decoding_once([]):
        before, _ = load_audio((files[0], 0.0, 0.5))
        sf.write(files[0], np.zeros(5 * RATE) + 0.01, RATE)
        after, _ = load_audio((files[0], 0.0, 0.5))
    assert len(decoded) == 2
    assert not np.array_equal(before, after)


def test_whole_files_are_not_kept(files, decoded):
    with decoding_once(files):
        for path in files * 2:
            load_audio(path)
        assert not audio._LAST_DECODED._known


def test_the_order_keeps_what_belongs_to_no_file():
    wave = np.zeros(8)
    recordings = [("b", 0, 1), wave, ("a", 0, 1), ("b", 1, 2), "b", ("a", 1, 2)]
    with decoding_once(recordings) as order:
        assert order == [0, 3, 1, 2, 5, 4]
