"""Evaluations that are read again."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.evaluation import (
    SavedEvaluation,
    compare_evaluations,
    read_evaluation,
)
from tests.evaluation.helpers import drawn, evaluation_of


@pytest.fixture
def evaluation():
    return evaluation_of(
        *drawn(np.random.default_rng(0)), left_out=["x.wav"], speaker_statistics="means"
    )


def test_what_is_read_says_the_same(evaluation, tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(evaluation.to_dict()))
    saved = read_evaluation(path)
    assert str(saved) == str(evaluation)
    assert repr(saved) == repr(evaluation).replace("Speaker", "Saved", 1)
    assert saved.interval("f1", level=0.8) == evaluation.interval("f1", level=0.8)
    pd.testing.assert_frame_equal(saved.per_class, evaluation.per_class)
    pd.testing.assert_frame_equal(saved.per_speaker, evaluation.per_speaker)
    pairs = compare_evaluations([saved, evaluation]).pairs
    assert pairs["difference"].tolist() == [0]
    assert pairs["p"].tolist() == [1]
    with pytest.raises(ValueError, match="no probabilities"):
        saved.calibration_error()


def test_scores_of_before_intervals_are_read(evaluation):
    scores = evaluation.to_dict()
    for name in ("intervals", "calibration_error", "settings", "unrated"):
        del scores[name]
    for row in scores["utterances"]:
        del row["recording"]
    saved = SavedEvaluation.from_dict(scores)
    assert saved.ua == evaluation.ua
    assert saved.recordings[1] == "utterance 1"


def test_runs_are_kept(evaluation):
    right = replace(evaluation, predicted=evaluation.truth, seed=1)
    several = replace(evaluation, _runs=(evaluation, right, evaluation))
    scores = json.loads(json.dumps(several.to_dict()))
    assert scores["ua"] == pytest.approx((2 * evaluation.ua + 1) / 3)
    saved = SavedEvaluation.from_dict(scores)
    assert saved.ua == several.ua
    assert saved.interval() == several.interval()
    assert saved.per_class.equals(several.per_class)
    assert "6 speakers, 3 runs" in repr(saved)
    runs = [evaluation.ua, 1, evaluation.ua]
    assert several.spread["ua"] == pytest.approx(np.std(runs, ddof=1))
    assert scores["spread"] == several.spread == saved.spread
    assert "sd of 3 runs " in str(several)
    assert evaluation.spread is None
    assert "spread" not in evaluation.to_dict()


def test_faults(evaluation, tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"scores\.json is no JSON"):
        read_evaluation(path)
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"scores\.json: The scores have no utt"):
        read_evaluation(path)
    scores = evaluation.to_dict()
    del scores["utterances"][3]["truth"]
    with pytest.raises(ValueError, match="no truth of utterance 3"):
        SavedEvaluation.from_dict(scores)
    with pytest.raises(FileNotFoundError):
        read_evaluation(tmp_path / "none.json")
