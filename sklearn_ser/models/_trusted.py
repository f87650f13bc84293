"""The types of this library that a model file may hold: these names, and no others.

Those of scikit-learn, numpy and scipy are in the list of skops. Names, not prefixes: a
prefix would let in functions that do something when they are called.
"""

from __future__ import annotations

_FEATURES = {
    "_egemaps.EGeMAPS",
    "_embedding.SpeechEmbedding",
    "_embedding.take_layer",
    "_log_mel.LogMel",
    "_log_mel_segmenter.LogMelSegmenter",
    "_mfcc.MFCC",
    "_pooling.SequencePooling",
    "_prosody.LogMelProsody",
    "_spectrogram.SpectrogramSegmenter",
}
_METHODS = {
    "contrastive_siamese._batches.PairBatches",
    "contrastive_siamese._estimator.ContrastiveSiamese",
    "contrastive_siamese._loss.ContrastiveSiameseLoss",
    "contrastive_siamese._net.SiameseCNN",
    "cvae._condition.Categories",
    "cvae._condition.Numbers",
    "cvae._estimator.CVAE",
    "cvae._loss.VariationalLoss",
    "cvae._net.VariationalAutoencoder",
    "menan._adversary.AdversarialNet",
    "menan._estimator.MEnAN",
    "menan._loss.SpeakerAdversarialLoss",
    "menan._net.SpeakerInvariantNet",
    "metric_dae._autoencoder.AddNoise",
    "metric_dae._batches.LabeledBatches",
    "metric_dae._estimator.MetricDAE",
    "metric_dae._loss.MetricDAELoss",
    "metric_dae._net.DenoisingAutoencoder",
    "metric_dae._regressor.MetricDAERegressor",
    "pseudo_siamese_gated._estimator.PseudoSiameseGated",
    "pseudo_siamese_gated._net.PseudoSiameseGatedNet",
    "sequence_classifier._estimator.SequenceClassifier",
    "sequence_classifier._net.RecurrentClassifier",
}
_TRAINING = {
    "_batches.FrameBatches",
    "_batches.TableBatches",
    "_batches.UtteranceBatches",
    "_losses.WeightedCrossEntropy",
    "_net.TrainingNet",
    "_schedule.Schedule",
    "_spec.NetSpec",
}
_OTHERS = {
    "_folds.SpeakerFolds",
    "augmentation.SpeedPerturbation",
    "ensemble.SeedEnsemble",
    "metrics._scorer.SpeakerScorer",
    "metrics._scores.concordance_correlation",
    "metrics._scores.macro_f1_score",
    "metrics._scores.ua_score",
    "metrics._scores.wa_score",
    "preprocessing.SpeakerScaler",
}

TRUSTED = frozenset(
    f"sklearn_ser.{name}"
    for name in (
        *(f"features.{name}" for name in _FEATURES),
        *(f"methods.{name}" for name in _METHODS),
        *(f"training.{name}" for name in _TRAINING),
        *_OTHERS,
    )
)
