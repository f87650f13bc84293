"""What every evaluation says of itself: tables, calibration, one line."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import classification_report

from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score
from tests.evaluation.helpers import drawn, evaluation_of


@pytest.fixture
def evaluation():
    return evaluation_of(*drawn(np.random.default_rng(0)))


def test_classes_are_those_of_scikit_learn(evaluation):
    table = evaluation.per_class.set_index("class")
    report = classification_report(
        evaluation.truth, evaluation.predicted, output_dict=True
    )
    for name in ("anger", "fear", "neutral"):
        row, expected = table.loc[name], report[name]
        assert row["support"] == expected["support"]
        assert_allclose(
            row[["recall", "precision", "f1"]].astype(float),
            [expected["recall"], expected["precision"], expected["f1-score"]],
        )
        assert row["recall_low"] < row["recall"] < row["recall_high"]
    assert_allclose(table["recall"].mean(), evaluation.ua)
    assert_allclose(table["f1"].mean(), evaluation.f1)


def test_classes_that_are_not_there():
    evaluation = evaluation_of(
        ["anger", "fear", "fear", "fear"], ["joy", "fear", "joy", "fear"], [*"abab"]
    )
    table = evaluation.per_class.set_index("class")
    assert np.isnan(
        table.loc["joy", ["recall", "f1", "recall_low"]].astype(float)
    ).all()
    assert table.loc["joy", "precision"] == 0
    assert np.isnan(table.loc["anger", "precision"])
    assert table.loc["anger", "f1"] == 0
    assert np.isnan(table.loc["anger", "recall_low"])  # one speaker has it
    assert_allclose(table.loc["fear", "recall"], 2 / 3)
    assert_allclose(table["f1"].mean(), evaluation.f1)


def test_speakers(evaluation):
    table = evaluation.per_speaker
    assert list(table) == ["speaker", "fold", "utterances", "wa", "ua", "f1"]
    assert table["utterances"].sum() == 60
    for row in table.itertuples():
        rows = evaluation.corpus.speaker == row.speaker
        labels = evaluation.truth[rows], evaluation.predicted[rows]
        scores = wa_score(*labels), ua_score(*labels), macro_f1_score(*labels)
        assert_allclose((row.wa, row.ua, row.f1), scores)
    folds = evaluation.folds
    assert folds["speakers"].tolist() == table["speaker"].tolist()


def test_calibration_by_hand():
    truth = ["anger", "fear", "fear", "anger"]
    evaluation = evaluation_of(
        *(truth, truth, [*"aabb"]),
        probabilities=np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.55, 0.45]]),
        probability_classes=["anger", "fear"],
    )
    # Bins of a fifth: 0.9 is right, 0.8 wrong, 0.7 right, 0.55 right.
    expected = (0.1 + abs(0.8 + 0.7 - 1) + 0.45) / 4
    assert_allclose(evaluation.calibration_error(n_bins=5), expected)
    assert_allclose(evaluation.calibration_error(n_bins=1), abs(2.95 - 3) / 4)
    assert evaluation.to_dict()["calibration_error"] == evaluation.calibration_error()
    with pytest.raises(ValueError, match="n_bins"):
        evaluation.calibration_error(n_bins=0)


def test_calibration_of_what_is_sure_and_right():
    truth = ["anger", "fear"]
    evaluation = evaluation_of(
        *(truth, truth, ["a", "b"]),
        probabilities=np.eye(2),
        probability_classes=truth,
    )
    assert evaluation.calibration_error() == 0


def test_calibration_needs_probabilities(evaluation):
    with pytest.raises(ValueError, match="no probabilities: evaluate a classifier"):
        evaluation.calibration_error()


def test_one_line(evaluation):
    low, high = evaluation.interval("ua")
    assert repr(evaluation) == (
        "<SpeakerEvaluation of emotion on Mine: 60 utterances, 6 speakers; "
        f"UA {evaluation.ua:.3f} [{low:.3f}, {high:.3f}], WA {evaluation.wa:.3f}, "
        f"F1 {evaluation.f1:.3f}>"
    )
    alone = evaluation_of(["anger"], ["anger"], ["a"])
    assert "UA 1.000, WA" in repr(alone)


def test_printed_interval_stands_below_the_score(evaluation):
    lines = str(evaluation).splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("pooled"))
    lows, highs = (
        [float(x) for x in line.split()[3:]] for line in lines[place + 1 :][:2]
    )
    for metric, low, high in zip(("wa", "ua", "f1"), lows, highs, strict=True):
        assert_allclose((low, high), evaluation.interval(metric), atol=5e-4)
