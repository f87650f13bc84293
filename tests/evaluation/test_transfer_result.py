"""The result of a transfer: scores over the seeds, classes, correlations, JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser.evaluation import evaluate_transfer
from sklearn_ser.metrics import (
    latent_correlation,
    macro_f1_score,
    pairwise_correlation,
    ua_score,
    wa_score,
)
from tests.evaluation.helpers import features_of, log_mel, log_mel_svc

THREE = ["anger", "neutral", "sadness"]


@pytest.fixture(scope="module")
def result(corpus, other):
    estimator = log_mel(StandardScaler(), PCA(2), SVC())
    return evaluate_transfer(
        estimator, corpus, other, seeds=[0, 1, 2], subsets=[THREE], upper_bound=True
    )


def test_scores_are_means_over_the_seeds(result):
    for name, score in (("wa", wa_score), ("ua", ua_score), ("f1", macro_f1_score)):
        of_runs = [score(run.truth, run.predicted) for run in result.runs]
        assert_allclose(result.scores[name], of_runs)
        assert getattr(result, name) == pytest.approx(np.mean(of_runs))
        assert result.std[name] == pytest.approx(np.std(of_runs, ddof=1))
    assert result.scores["seed"].tolist() == [0, 1, 2]
    assert len(result.truth) == len(result.predicted) == 60


def test_one_run_has_no_spread(corpus, other):
    one = evaluate_transfer(log_mel_svc(), corpus, other, seeds=[4])
    assert one.std == {"wa": None, "ua": None, "f1": None}
    assert one.by_class["recall_std"].isna().all()
    assert "sd of seeds" not in str(one)
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["ua"]["std"] is None


def test_table_of_classes(result):
    for emotion, row in result.by_class.iterrows():
        recall = [
            np.mean(run.predicted[run.truth == emotion] == emotion)
            for run in result.runs
        ]
        assert row["recall"] == pytest.approx(np.mean(recall))
        assert row["recall_std"] == pytest.approx(np.std(recall, ddof=1))
        n = np.mean([np.sum(run.truth == emotion) for run in result.runs])
        assert row["utterances"] == pytest.approx(n)
    assert result.by_class.index.tolist() == result.classes
    ua = np.mean([ua_score(run.truth, run.predicted) for run in result.runs])
    assert result.by_class["recall"].mean() == pytest.approx(ua)


def test_embedding_is_what_the_classifier_was_given(result, other):
    Z = features_of(other)
    for number, run in enumerate(result.runs):
        embedding = result.embedding(number)
        assert_allclose(embedding, run.estimator[:-1].transform(Z[run.scored]))
        assert_array_equal(run.estimator[-1].predict(embedding), run.predicted)
    three = result.subsets[0]
    kept = np.isin(result.runs[0].truth, THREE)
    assert_allclose(three.embedding(0), result.embedding(0)[kept])


def test_correlations_are_those_of_the_metrics(result, other):
    found = result.correlations(n_permutations=19)
    assert len(found) == 3 * 2 * 2
    keys = found.set_index(["seed", "dimension", "analysis"])
    for number, run in enumerate(result.runs):
        for name in ("activation", "valence"):
            given = result.embedding(number), getattr(other, name)[run.scored]
            chosen = {"n_permutations": 19, "random_state": run.seed}
            pairs = pairwise_correlation(*given, **chosen)
            latent = latent_correlation(*given, **chosen)
            for analysis, expected in (("pairs", pairs), ("latent", latent)):
                row = keys.loc[(run.seed, name, analysis)]
                for attribute in ("adjusted_r2", "p_value", "permutation_p_value"):
                    assert row[attribute] == getattr(expected, attribute)
            assert keys.loc[(run.seed, name, "pairs"), "r"] == pairs.r
    with pytest.raises(ValueError, match="n_permutations == -1"):
        result.correlations(-1)


def test_correlations_of_the_upper_bound_are_of_held_out_speakers(result):
    found = result.upper_bound_correlations(n_permutations=0)
    assert sorted(set(found["fold"])) == [0, 1, 2]
    bound = result.upper_bound
    held_out = bound.fold == 1
    expected = pairwise_correlation(
        bound.embedding(1)[held_out], bound.corpus.valence[held_out]
    )
    row = found.set_index(["fold", "dimension", "analysis"]).loc[1, "valence", "pairs"]
    assert row["r"] == expected.r
    with pytest.raises(ValueError, match="There is no upper bound"):
        result.subsets[0].upper_bound_correlations()


def test_what_is_not_defined_is_nan_and_without_ratings_there_is_nothing(corpus, other):
    flat = replace(other, frame=other.frame.assign(activation=3.0))
    bare = other.frame.drop(columns=["activation", "valence"])
    estimator = log_mel(DummyClassifier())
    found = evaluate_transfer(estimator, corpus, flat, seeds=[0]).correlations(0)
    undefined = found["dimension"] == "activation"
    assert found.loc[undefined, "r2"].isna().all()
    pairs = found[~undefined & (found["analysis"] == "pairs")]
    assert pairs["r2"].notna().all()
    nothing = evaluate_transfer(estimator, corpus, replace(other, frame=bare))
    assert nothing.correlations().empty


def test_result_is_json_and_says_how_it_came(result):
    stored = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert stored["ua"] == {"mean": result.ua, "std": result.std["ua"]}
    assert stored["classes"] == result.classes
    assert [run["seed"] for run in stored["runs"]] == [0, 1, 2]
    assert len(stored["runs"][0]["utterances"]) == 20
    assert len(stored["runs"][0]["statistics"]) == 4
    assert stored["subsets"][0]["classes"] == THREE
    assert stored["subsets"][0]["settings"]["classes"] == THREE
    assert stored["upper_bound"]["ua"] == result.upper_bound.ua
    settings = stored["settings"]
    assert settings["source"]["name"] == "synthetic"
    assert settings["target"]["utterances"] == 24
    assert settings["statistics"] == 0.2
    assert settings["seeds"] == [0, 1, 2]
    assert settings["versions"]["scikit-learn"]


def test_printed_tables(result):
    lines = str(result).splitlines()
    assert lines[0] == "synthetic → other: anger, happiness, neutral, sadness"
    assert lines[1] == (
        "trained on 24 utterances; statistics of 20 % of the target's utterances in "
        "standardscaler"
    )
    assert lines[2].split() == ["seed", "utterances", "WA", "UA", "F1"]
    assert [line.split()[:2] for line in lines[3:6]] == [
        [str(i), "20"] for i in range(3)
    ]
    assert lines[7].startswith("mean of seeds")
    assert f"anger, neutral, sadness: UA {result.subsets[0].ua:.3f} ± " in str(result)
    assert f"by speaker: UA {result.upper_bound.ua:.3f}" in str(result)


def test_printed_statistics_and_outliers(corpus, other):
    estimator = log_mel(DummyClassifier())
    plain = evaluate_transfer(estimator, corpus, other, statistics=None, seeds=[0])
    assert "no statistics of the target" in str(plain)
    every = evaluate_transfer(estimator, corpus, other, statistics=1, seeds=[0])
    assert "100 % of the target's utterances, which are scored, too, in no" in str(
        every
    )
    some = evaluate_transfer(
        estimator, corpus, other, statistics_by="speaker", outliers=2.2, seeds=[0]
    )
    assert "20 % of the target's speakers in no step" in str(some)
    counts = [len(some.outliers[side]) for side in ("source", "target")]
    assert "outliers left out: {} of source, {} of target".format(*counts) in str(some)
