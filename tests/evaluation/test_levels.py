"""Evaluation of levels of activation and valence."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from sklearn_ser import EGeMAPS, recipes
from sklearn_ser.datasets import Corpus, dimension_levels
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.metrics import macro_f1_score, ua_score, wa_score
from tests.evaluation.helpers import Spy


def table_corpus(levels, speakers, **columns):
    """Make a corpus whose recordings are rows of numbers, told by their level."""
    ratings = np.array([{"l": 1.5, "m": 3.0, "h": 4.5, "?": np.nan}[c] for c in levels])
    waveforms = [np.full(2, np.nan_to_num(rating)) for rating in ratings]
    frame = pd.DataFrame(
        {"waveform": waveforms, "sampling_rate": 8000, "speaker": list(speakers)}
        | {"emotion": "neutral", "valence": ratings}
        | columns
    )
    return Corpus(frame, name="table")


def numbers(recordings):
    return np.stack([waveform for waveform, _ in recordings])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["activation", "valence"])
def test_levels_are_what_is_learned_and_scored(corpus, target, feature_cache):
    result = evaluate_by_speaker(
        make_pipeline(EGeMAPS(memory=feature_cache), Spy()), corpus, target=target
    )
    levels = dimension_levels(getattr(corpus, target))
    assert result.target == target
    np.testing.assert_array_equal(result.truth, levels)
    for number, fitted in enumerate(result.estimators):
        train = result.fold != number
        np.testing.assert_array_equal(fitted[-1].seen_["y"], levels[train])
        # The ratings themselves still reach the steps that ask, in training.
        np.testing.assert_array_equal(
            fitted[-1].seen_["activation"], corpus.activation[train]
        )
    assert result.wa == wa_score(levels, result.predicted)
    assert result.ua == ua_score(levels, result.predicted)
    assert result.f1 == macro_f1_score(levels, result.predicted)
    assert set(result.classes) == set(levels) | set(result.predicted)
    stored = json.loads(json.dumps(result.to_dict()))
    assert stored["target"] == stored["settings"]["target"] == target
    assert [row["truth"] for row in stored["utterances"]] == levels.tolist()
    assert [row["emotion"] for row in stored["utterances"]] == corpus.emotion.tolist()
    assert sum(stored["settings"]["corpus"]["classes"].values()) == len(corpus)


def test_levels_come_in_their_order():
    result = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(numbers), SVC()),
        table_corpus("hlmhlmhlm", "aaabbbccc"),
        target="valence",
    )
    assert result.classes == ["low", "medium", "high"]
    assert result.f1 == result.wa == 1


def test_a_level_that_training_lacks():
    """Only speaker a has it: it is never predicted, and counts in the scores."""
    result = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(numbers), SVC(kernel="linear")),
        table_corpus("lhmlhlhlh", "aaabbbccc"),
        target="valence",
    )
    assert result.truth[2] == "medium"
    assert result.predicted[2] != "medium"
    assert result.folds["ua"].tolist() == [pytest.approx(2 / 3), 1, 1]
    assert result.ua == pytest.approx(2 / 3)
    others = pytest.approx(macro_f1_score(result.truth, result.predicted))
    assert result.f1 == others
    assert result.f1 < result.ua


def test_unrated_utterances_take_no_part():
    broken = table_corpus("lh?lh?lh", "aaabbbcc")
    seen = []

    def front(recordings):
        seen.append(len(recordings))
        return numbers(recordings)

    result = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(front), SVC()), broken, target="valence"
    )
    assert result.unrated == ["utterance 2", "utterance 5"]
    assert result.left_out == []
    assert len(result.corpus) == len(result.truth) == len(result.predicted) == 6
    assert max(seen) < 6
    assert str(result).endswith(
        "left out, without a rating of valence: utterance 2, utterance 5"
    )
    assert result.to_dict()["unrated"] == result.unrated
    whole = evaluate_by_speaker(
        make_pipeline(FunctionTransformer(numbers), Spy()), broken
    )
    assert whole.unrated == []
    assert len(whole.predicted) == 8


def test_unrated_and_broken_are_told_apart(corpus, feature_cache):
    frame = corpus.frame.copy()
    frame.at[5, "waveform"] = np.full(16000, np.nan, dtype=np.float32)
    frame.loc[2, "activation"] = np.nan
    with pytest.warns(UserWarning, match="No features for 1 of 23"):
        result = evaluate_by_speaker(
            make_pipeline(EGeMAPS(on_error="warn", memory=feature_cache), Spy()),
            Corpus(frame, name="broken"),
            target="activation",
        )
    assert result.unrated == ["utterance 2"]
    assert result.left_out == ["utterance 5"]
    assert str(result).splitlines()[-2:] == [
        "left out, without features: utterance 5",
        "left out, without a rating of activation: utterance 2",
    ]


@pytest.mark.parametrize(
    ("ratings", "target", "message"),
    [
        ("lh", "activation", "The corpus table has no ratings of activation: load"),
        ("??", "valence", "The corpus table has no ratings of valence"),
        ("lh", "arousal", "'valence' or 'dominance', got 'arousal'"),
    ],
)
def test_a_target_without_ratings(ratings, target, message):
    with pytest.raises(ValueError, match=message):
        evaluate_by_speaker(SVC(), table_corpus(ratings, "ab"), target=target)


@pytest.mark.slow
def test_labels_of_the_held_out_speaker_never_matter_to_levels(corpus, feature_cache):
    pipeline = recipes.metric_dae("act", random_state=0, memory=feature_cache)
    pipeline.set_params(metricdae__max_epochs=2)
    first = evaluate_by_speaker(pipeline, corpus, target="activation")
    held_out = first.fold == 0
    changed = corpus.frame.copy()
    changed.loc[held_out, "activation"] = 6 - changed.loc[held_out, "activation"]
    second = evaluate_by_speaker(
        pipeline, Corpus(changed, name="changed"), target="activation"
    )
    np.testing.assert_array_equal(first.predicted[held_out], second.predicted[held_out])
    assert (first.truth[held_out] != second.truth[held_out]).any()
