"""What treats each recording by itself runs once, also inside a search."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import SeedEnsemble
from sklearn_ser.audio import AudioError
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.evaluation._front_end import behind_front_end, split_front_end
from sklearn_ser.features import RecordingTransformer


class Level(RecordingTransformer):
    """Two levels of a recording; counts how often it is asked."""

    heard = 0

    def __init__(self, power=1.0, on_error="raise"):
        super().__init__(on_error=on_error)
        self.power = power

    def _extract(self, signal, rate):
        type(self).heard += 1
        return np.array([signal.std(), np.abs(signal).max()]) ** self.power

    def get_feature_names_out(self, input_features=None):
        return np.array(["std", "max"], dtype=object)


@pytest.fixture(autouse=True)
def silence():
    Level.heard = 0


def search_of(grid, kind=GridSearchCV, **settings):
    model = make_pipeline(Level(on_error="nan"), StandardScaler(), GaussianNB())
    return kind(model, grid, cv=GroupKFold(2), **settings)


SMOOTHING = {"gaussiannb__var_smoothing": [1e-9, 1e-3]}


@pytest.mark.parametrize("routing", [True, False])
def test_once_for_all_folds_and_candidates(corpus, routing):
    with config_context(enable_metadata_routing=routing):
        result = evaluate_by_speaker(search_of(SMOOTHING), corpus)
    assert Level.heard == len(corpus)
    assert [f[-1].best_params_.keys() for f in result.estimators] == [{*SMOOTHING}] * 3
    tested = result.fold == 0
    predicted = result.estimators[0].predict(corpus.audio[tested])
    assert (predicted == result.predicted[tested]).all()
    assert result.embedding(0).shape == (len(corpus), 2)


def with_a_fault(corpus):
    frame = corpus.frame.copy()
    frame.at[3, "waveform"] = np.full(8000, np.nan)
    return type(corpus)(frame, name="faulty")


def test_a_faulty_recording_is_left_out_of_an_ensemble_around_all(corpus):
    forest = ExtraTreesClassifier(3, random_state=0)
    recipe = make_pipeline(Level(on_error="nan"), StandardScaler(), forest)
    result = evaluate_by_speaker(
        SeedEnsemble(recipe, n_estimators=2), with_a_fault(corpus), seeds=[0]
    )
    assert result.left_out == ["utterance 3"]
    assert len(result.predicted) == len(corpus) - 1
    recipe.set_params(level__on_error="raise")
    with pytest.raises(AudioError, match="3"):
        evaluate_by_speaker(SeedEnsemble(recipe), with_a_fault(corpus), seeds=[0])


def test_a_faulty_recording_is_left_out_of_a_search(corpus):
    faulty = with_a_fault(corpus)
    result = evaluate_by_speaker(search_of(SMOOTHING), faulty, refit=True)
    assert result.left_out == ["utterance 3"]
    assert len(result.predicted) == len(corpus) - 1
    assert result.refitted.predict(corpus.audio[:2]).shape == (2,)


@pytest.mark.parametrize(
    ("grid", "n_steps"),
    [
        (SMOOTHING, 1),
        ([SMOOTHING, {"standardscaler__with_std": [False]}], 1),
        ({"level__power": [1.0, 0.5]}, 0),
        ({"level": [Level(), Level(0.5)]}, 0),
        ([SMOOTHING, {"level__power": [1.0]}], 0),
    ],
)
def test_what_is_searched_over_stays_in_the_search(grid, n_steps):
    front_end, learner = split_front_end(search_of(grid))
    assert len(front_end) == n_steps
    inner = learner[-1].estimator
    assert len(inner) == 3 - n_steps
    assert repr(learner[-1].param_grid) == repr(grid)


def test_a_search_at_random(corpus):
    search = search_of(SMOOTHING, RandomizedSearchCV, n_iter=2, random_state=0)
    result = evaluate_by_speaker(search, corpus)
    assert Level.heard == len(corpus)
    assert len(behind_front_end(result.estimators[0])) == 1


def test_a_search_over_the_front_end_still_works(corpus):
    result = evaluate_by_speaker(search_of({"level__power": [1.0, 0.5]}), corpus)
    assert Level.heard > len(corpus)
    assert result.ua > 0.25
