"""Classifiers that note what they are given, cheap ones, and results of none."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import LogMel, SequencePooling
from sklearn_ser.datasets import Corpus
from sklearn_ser.evaluation import SpeakerEvaluation


class Spy(ClassifierMixin, BaseEstimator):
    """Predicts one class, and notes what it was given."""

    __metadata_request__fit = {"activation": True, "groups": True}

    def fit(self, X, y, activation=None, groups=None):
        self.classes_ = np.unique(y)
        self.seen_ = {"X": X, "y": y, "activation": activation, "groups": groups}
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def evaluation_of(truth, predicted, speaker, *, fold=None, folder="wav", **fields):
    """Return an evaluation of given predictions, without estimators."""
    frame = pd.DataFrame(
        {
            "file": [f"{folder}/{number:03}.wav" for number in range(len(truth))],
            "emotion": truth,
            "speaker": speaker,
        }
    )
    held_out = np.unique(speaker, return_inverse=True)[1] if fold is None else fold
    return SpeakerEvaluation(
        corpus=Corpus(frame, name="Mine"),
        predicted=np.array(predicted),
        fold=np.asarray(held_out),
        estimators=[],
        features=None,
        settings={"corpus": {"name": "Mine"}},
        **fields,
    )


def drawn(random, n_speakers=6, n_utterances=60, share=0.6):
    """Return true and predicted emotions, and speakers, at random."""
    emotions = np.array(["anger", "fear", "neutral"])
    truth = random.choice(emotions, n_utterances)
    right = random.random(n_utterances) < share
    predicted = np.where(right, truth, random.choice(emotions, n_utterances))
    speaker = np.char.add("s", (np.arange(n_utterances) % n_speakers).astype(str))
    return truth, predicted, speaker


def log_mel(*steps):
    """Return a pipeline from recordings to a few quick features, and further steps."""
    front_end = LogMel(8, duration=None)
    return make_pipeline(front_end, SequencePooling(("mean", "std")), *steps)


def log_mel_svc(**settings):
    """Return a cheap reference: quick features, standardised, and a classifier."""
    return log_mel(StandardScaler(), SVC(kernel="linear", **settings))


def features_of(corpus):
    """Return the quick features of a corpus."""
    return log_mel().fit_transform(corpus.audio)


class PredictionSpy(ClassifierMixin, BaseEstimator):
    """Predicts one class, and notes of whom it was asked."""

    __metadata_request__predict = {"groups": True}

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X, groups=None):
        self.groups_ = groups
        return np.full(len(X), self.classes_[0])
