"""One corpus of a transfer: who takes part."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_ser import EGeMAPS, LogMel
from sklearn_ser.evaluation._side import prepare_side, voices_of
from sklearn_ser.metrics import zscore_outliers
from tests.evaluation.helpers import log_mel_svc


def test_outliers_of_sequences_are_told_by_their_means(corpus):
    front_end = LogMel(8, duration=None)
    side = prepare_side(None, [front_end], corpus, 2.2)
    frames = front_end.transform(corpus.audio)
    means = np.array([sequence.mean(axis=0) for sequence in frames])
    kept = ~zscore_outliers(means, 2.2)
    assert 0 < len(side.outliers) == (~kept).sum()
    assert [len(x) for x in side.features] == [len(x) for x in frames[kept]]
    assert side.corpus.speaker.tolist() == corpus.speaker[kept].tolist()


def test_recordings_without_features_are_named(corpus):
    frame = corpus.frame.copy()
    frame.at[3, "waveform"] = np.zeros(0)
    faulty = replace(corpus, frame=frame)
    front_end = [EGeMAPS(on_error="nan")]
    side = prepare_side(None, front_end, faulty.select([2, 3, 4]), None)
    assert side.left_out == ["utterance 1"]
    assert len(side.corpus) == len(side.features) == 2
    assert side.outliers == []
    assert not side.is_judged
    with pytest.raises(ValueError, match="None of the 1 recordings of synthetic"):
        prepare_side(None, front_end, faulty.select([3]), None)


def test_without_a_front_end_no_one_is_an_outlier(corpus):
    side = prepare_side(log_mel_svc()[-1], [], corpus, 0.1)
    assert side.outliers == []
    assert not side.is_judged


def test_voices_are_of_the_corpus(corpus):
    voices = voices_of(replace(corpus, name="x"))
    assert set(voices["groups"]) == {f"x: speaker0{i}" for i in (1, 2, 3)}
    assert voices["neutral"].sum() == 6
