"""Predictions of many recordings, some of which are broken."""

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklearn_ser import SpeedPerturbation, models
from sklearn_ser.datasets import make_emotional_speech
from tests.evaluation.helpers import log_mel, log_mel_svc


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=2, n_repetitions=1)


@pytest.fixture(scope="module")
def model(corpus):
    steps = (StandardScaler(), LogisticRegression())
    return log_mel(*steps).fit(corpus.audio, corpus.emotion)


@pytest.fixture
def files(corpus, tmp_path):
    """Return six files, of which the second and the fifth are broken."""
    paths = [str(tmp_path / f"{i}.wav") for i in range(6)]
    for path, (waveform, rate) in zip(paths, corpus.audio, strict=False):
        sf.write(path, waveform, rate, subtype="FLOAT")
    (tmp_path / "1.wav").write_bytes(b"RIFF no more")
    (tmp_path / "4.wav").unlink()
    return paths


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_a_broken_file_costs_no_other(files, model, batch_size):
    table = models.predict_table(model, files, batch_size=batch_size)
    good = [0, 2, 3, 5]
    assert table["error"].isna().tolist() == [i in good for i in range(6)]
    for row in (1, 4):
        assert f"{row}.wav" in table["error"][row]
        assert table["emotion"][row] is None
    heard = [files[i] for i in good]
    assert table["emotion"][good].tolist() == model.predict(heard).tolist()
    assert_allclose(
        table.loc[good, model.classes_.tolist()].to_numpy(float),
        model.predict_proba(heard),
    )
    assert [*table] == ["emotion", *model.classes_, "error"]
    assert table.iloc[[1, 4], 1:-1].isna().all(axis=None)


def test_the_model_is_left_as_it_is(files, model):
    assert model[0].on_error == "raise"
    lenient = log_mel(StandardScaler(), LogisticRegression())
    lenient[0].set_params(on_error="nan")
    lenient.fit(files[2:4], ["anger", "fear"])
    assert models.predict_table(lenient, files)["error"].notna().sum() == 2
    assert lenient[0].on_error == "nan"


def test_without_probabilities_and_without_classes(corpus, files):
    table = models.predict_table(log_mel_svc().fit(corpus.audio, corpus.emotion), files)
    assert [*table] == ["emotion", "error"]
    rated = log_mel(StandardScaler(), LinearRegression())
    rated.fit(corpus.audio, corpus.activation)
    table = models.predict_table(rated, files, name="activation")
    assert_allclose(table["activation"][0], rated.predict(files[:1])[0])
    assert pd.isna(table["activation"][1])


def test_around_and_empty(corpus, model):
    around = SpeedPerturbation(model, factors=(1.1,)).fit(corpus.audio, corpus.emotion)
    table = models.predict_table(around, corpus.audio[:2])
    assert table["emotion"].tolist() == around.predict(corpus.audio[:2]).tolist()
    assert len(models.predict_table(model, [])) == 0
    with pytest.raises(ValueError, match="batch_size must be 1 or more"):
        models.predict_table(model, corpus.audio, batch_size=0)


def test_recordings_of_one_speaker_that_cannot_be_heard(model):
    table = models.predict_table(model, [(np.full(8000, np.nan), 16000)] * 3)
    assert table["error"].notna().all()
