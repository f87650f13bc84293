"""The card of an evaluation, and the evaluation that is run again from it."""

import copy
import getpass
import json
import os
import platform
import socket
from dataclasses import replace

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import SpeakerScaler, recipes
from sklearn_ser.datasets import Corpus
from sklearn_ser.evaluation import evaluate_by_speaker, verify_card
from sklearn_ser.evaluation._result import SpeakerEvaluation

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())
TREES = make_pipeline(StandardScaler(), ExtraTreesClassifier(3))
SEARCH = GridSearchCV(TREES, {"extratreesclassifier__max_depth": [1, 3]},
                      cv=GroupKFold(2))  # fmt: skip


class First(ClassifierMixin, BaseEstimator):
    """A classifier of the user's own."""

    def __init__(self, shift=0):
        self.shift = shift

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[self.shift])


def through_json(card):
    return json.loads(json.dumps(card, allow_nan=False))


@pytest.mark.parametrize("routing", [True, False])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        (First(1), {}),
        (DummyClassifier(strategy="stratified"), {"seeds": [3, 4]}),
        (LOGISTIC, {"target": "val", "cv": 2}),
        (SEARCH, {"seeds": [0], "cv": StratifiedGroupKFold(3)}),
        (make_pipeline(SpeakerScaler(by="speaker"), LogisticRegression()), {}),
    ],
    ids=["own class", "dummy", "levels", "search", "speakers"],
)
def test_the_numbers_come_out(corpus, table, model, options, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        result = evaluate_by_speaker(model, corpus, features=table, **options)
        card = through_json(result.card)
        for estimator in (None, model):
            found = verify_card(card, corpus, estimator, features=table)
            assert found, str(found)
    assert str(found).startswith("The numbers come out: ")
    assert card["scores"]["ua"] == result.ua
    assert card["speaker_statistics"] == result.speaker_statistics
    assert card["seeds"] == options.get("seeds")


def test_what_stands_on_it(corpus, table):
    frame = corpus.frame.copy()
    features = table.copy()
    features[4] = np.nan
    result = evaluate_by_speaker(
        SEARCH, Corpus(frame, name="ours"), features=features, seeds=[0, 1]
    )
    card = result.card
    assert card["corpus"]["name"] == "ours"
    assert (card["corpus"]["utterances"], card["corpus"]["evaluated"]) == (24, 23)
    assert card["left_out"] == 1
    assert card["corpus"]["emotions"]["anger"] == 6
    assert card["folds"]["test"] == [[name] for name in sorted({*corpus.speaker})]
    assert card["estimator"]["estimator"].endswith(":GridSearchCV")
    chosen = card["chosen"][1][2][0]["params"]["dict"]
    best = result.runs[1].estimators[2][-1].best_params_
    assert chosen == [[name, value] for name, value in best.items()]
    assert len(card["chosen"]) == 2
    assert card["scores"]["spread"] == result.spread
    assert [run["ua"] for run in card["scores"]["runs"]] == [
        run.ua for run in result.runs
    ]
    assert card["time"]["seconds"] > 0
    assert card["machine"]["cores"] == os.cpu_count()
    assert card["versions"]["numpy"] == np.__version__
    card["scores"]["ua"] = 1.0  # a copy
    assert result.card["scores"]["ua"] == result.ua


def test_no_names_of_the_machine_and_its_user(corpus, table, tmp_path):
    model = make_pipeline(*LOGISTIC, memory=str(tmp_path))
    text = json.dumps(evaluate_by_speaker(model, corpus, features=table).card)
    names = (socket.gethostname(), platform.node(), str(tmp_path))
    for name in (*names, f"/{getpass.getuser()}"):
        assert name not in text


def test_content_of_the_corpus(corpus, table):
    def card(corpus):
        return evaluate_by_speaker(First(), corpus, features=table).card["corpus"]

    before = card(corpus)
    assert card(replace(corpus, name="synthetic")) == before
    waveforms = corpus.frame.copy()
    waveforms.at[2, "waveform"] = waveforms.at[2, "waveform"] * 0.5
    after = card(Corpus(waveforms, name="synthetic"))
    assert after["audio"] != before["audio"]
    assert after["labels"] == before["labels"]
    rated = corpus.frame.assign(activation=corpus.activation[::-1])
    after = card(Corpus(rated, name="synthetic"))
    assert after["audio"] == before["audio"]
    assert after["labels"] != before["labels"]


@pytest.fixture(scope="module")
def logistic_card(corpus, table):
    return evaluate_by_speaker(LOGISTIC, corpus, features=table).card


@pytest.mark.slow
def test_a_recipe_from_a_file(corpus, tmp_path, feature_cache):
    model = recipes.egemaps_svc(memory=str(feature_cache))
    card = evaluate_by_speaker(model, corpus).card
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    assert str(feature_cache) not in path.read_text(encoding="utf-8")
    assert verify_card(path, corpus)


def test_what_differs_is_said(corpus, table, logistic_card):
    card = copy.deepcopy(logistic_card)
    card["scores"]["ua"] += 1e-16 + card["scores"]["ua"] * 1e-15
    card["versions"]["numpy"] = "1.0"
    found = verify_card(card, corpus, features=table)
    assert not found
    lines = str(found).splitlines()
    assert lines[0].startswith("The numbers do not come out: 1 of ")
    assert lines[1].startswith("  ua: ")
    assert "versions numpy: 1.0 on the card" in lines[2]
    assert lines[2].endswith("(need not be the same)")
    assert not found.table.set_index("what").loc["ua", "same"]


@pytest.mark.parametrize("version", ["numpy", "torch"])
def test_other_versions_alone_are_no_fault(corpus, table, logistic_card, version):
    card = copy.deepcopy(logistic_card)
    card["versions"][version] = "0.0"
    assert verify_card(card, corpus, features=table)


def test_another_estimator_features_and_corpus(corpus, table, logistic_card):
    def differing(found):
        assert not found
        return {*found.table["what"][~found.table["same"]]}

    weak = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3))
    found = differing(verify_card(logistic_card, corpus, weak, features=table))
    assert {"estimator", "run 0 predictions"} <= found
    found = differing(verify_card(logistic_card, corpus, features=-(table**2)))
    assert {"features", "run 0 predictions"} <= found
    fewer = corpus.select(np.arange(20))
    found = differing(verify_card(logistic_card, fewer, features=table[:20]))
    assert {"corpus labels", "corpus utterances", "scores"} <= found


def test_the_order_of_the_rows_is_on_the_card(corpus, table):
    """It counts for what is drawn."""
    splits = list(GroupKFold(2).split(table, groups=corpus.speaker))
    splits = [(train[::-1], test) for train, test in splits]
    card = evaluate_by_speaker(First(), corpus, features=table, cv=splits).card
    assert verify_card(card, corpus, features=table).table["same"].all()
    del card["folds"]["rows"]
    found = verify_card(card, corpus, features=table)
    assert found.table["what"][~found.table["same"]].tolist() == ["folds"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 0}, "The card is none of format 1"),
        ({"estimator": {"opaque": "a:B", "digest": None}}, "estimator is a a:B, which"),
        (
            {"estimator": {"estimator": "subprocess:Popen", "params": {"args": "x"}}},
            "estimator of the card is subprocess:Popen, which is neither an estimator",
        ),
        ({"estimator": {"object": "sklearn.model_selection:GroupKFold", "params": {}}},
         "is a GroupKFold, which has no fit and predict"),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_run(corpus, table, logistic_card, change, message):
    with pytest.raises(ValueError, match=message):
        verify_card({**logistic_card, **change}, corpus, features=table)


def test_features_that_are_not_given(corpus, logistic_card):
    with pytest.raises(ValueError, match="was given features: give them as feat"):
        verify_card(logistic_card, corpus)


def test_an_evaluation_that_was_put_together_has_no_card(corpus):
    alone = SpeakerEvaluation(corpus, corpus.emotion, np.zeros(24, int), [], None)
    with pytest.raises(ValueError, match="There is no card"):
        _ = alone.card


def test_leaks_and_intervals_are_on_it(corpus, table, logistic_card):
    evaluation = evaluate_by_speaker(LOGISTIC, corpus, features=table)
    assert logistic_card["leaks"] == evaluation.leaks.to_dict()
    low, high = logistic_card["scores"]["intervals"]["ua"]
    assert low == pytest.approx(evaluation.interval("ua").low)
    assert low < evaluation.ua < high
    ignored = evaluate_by_speaker(LOGISTIC, corpus, features=table, on_leak="ignore")
    assert ignored.card["leaks"] is None


@pytest.mark.parametrize(
    ("cv", "on_leak"),
    [
        ("speaker_sentence", None),
        (KFold(3, shuffle=True, random_state=0), "ignore"),
        (KFold(3, shuffle=True, random_state=0), "warn"),
    ],
)
@pytest.mark.filterwarnings("ignore:The test leaks into the training")
def test_folds_that_speakers_do_not_tell(corpus, table, cv, on_leak):
    model = GaussianNB()
    given = {"features": table, "cv": cv, "on_leak": on_leak}
    evaluation = evaluate_by_speaker(model, corpus, **given)
    card = json.loads(json.dumps(evaluation.card))
    assert len(card["folds"]["rows"]) == len(evaluation.estimators)
    assert verify_card(card, corpus, features=table)
    by_speaker = evaluate_by_speaker(model, corpus, features=table)
    assert "rows" not in by_speaker.card["folds"]
