"""What mypy tells users of the library about their own scripts."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import sklearn_ser

MODULES = (
    *("audio", "augmentation", "datasets", "evaluation", "estimators", "features"),
    *("losses", "metrics", "nets", "plotting", "recipes", "sequences"),
)

GOOD = """
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from typing import Any, assert_type

import sklearn_ser
from sklearn_ser import (
    CVAE,
    MFCC,
    ContrastiveSiamese,
    EGeMAPS,
    LogMel,
    LogMelProsody,
    LogMelSegmenter,
    MEnAN,
    MetricDAE,
    MetricDAERegressor,
    PseudoSiameseGated,
    SequenceClassifier,
    SequencePooling,
    SpeakerScaler,
    SpectrogramSegmenter,
    SpeechEmbedding,
    SpeedPerturbation,
    losses,
    nets,
    recipes,
)
from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import Corpus, load_emodb, make_emotional_speech
from sklearn_ser.evaluation import SpeakerEvaluation, evaluate_by_speaker, verify_card
from sklearn_ser.features import RecordingTransformer
from sklearn_ser.metrics import mantel_test, MantelResult, ua_score
from sklearn_ser.plotting import TSNEDisplay

corpus = make_emotional_speech(n_speakers=2, random_state=0)
assert_type(corpus, Corpus)
assert_type(load_emodb("emodb"), Corpus)
assert_type(corpus.emotion, NDArray[np.str_])
assert_type(load_audio("a.wav"), tuple[NDArray[np.float32], int])
y, speaker = corpus.emotion, corpus.speaker

assert_type(EGeMAPS(level="functionals", n_jobs=2).fit(corpus.audio), EGeMAPS)
X = assert_type(EGeMAPS().transform(corpus.audio), NDArray[Any])
frames = assert_type(LogMel(n_mels=40).transform(corpus.audio), NDArray[Any])
assert_type(LogMel().fit(corpus.audio), LogMel)
assert_type(LogMelProsody().fit(corpus.audio), LogMelProsody)


class First(RecordingTransformer):
    def _extract(self, signal: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        return signal[:1]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        return np.array(["first"], dtype=object)


assert_type(First(n_jobs=2).fit(corpus.audio), First)
assert_type(MFCC.from_preset("lian2018").fit(corpus.audio), MFCC)
assert_type(LogMelSegmenter().fit(corpus.audio).segment_shape, tuple[int, int])
assert_type(SpectrogramSegmenter().fit(corpus.audio), SpectrogramSegmenter)
assert_type(SpeakerScaler("speaker").fit(X, groups=speaker), SpeakerScaler)
assert_type(SpeechEmbedding(layer=[1, 2]).fit(corpus.audio), SpeechEmbedding)
assert_type(LogMel().get_feature_names_out(), NDArray[Any])
assert_type(SequencePooling().fit(frames).transform(frames), NDArray[np.float32])

dae = MetricDAE(label="act", latent_dim=4, random_state=0)
assert_type(dae.fit(X, activation=corpus.activation), MetricDAE)
assert_type(dae.partial_fit(X, activation=corpus.activation), MetricDAE)
assert_type(dae.predict(X), NDArray[np.float64])
latent = assert_type(dae.transform(X), NDArray[np.float32])
assert_type(dae.inverse_transform(latent), NDArray[np.float32])
regressor = MetricDAERegressor(latent_dim=4).fit(X, corpus.activation, groups=y)
assert_type(regressor, MetricDAERegressor)
assert_type(regressor.predict(X), NDArray[np.float64])

cvae = assert_type(CVAE(latent_dim=8).fit(frames, y), CVAE)
assert_type(cvae.transform(frames, oracle_labels=y), NDArray[Any])
assert_type(cvae.fit_transform(frames, y, condition=corpus.gender), NDArray[Any])
assert_type(cvae.inverse_transform(frames, known_condition=y), NDArray[Any])
assert_type(cvae.score_samples(frames), NDArray[np.float64])

siamese = assert_type(ContrastiveSiamese().fit(frames, y), ContrastiveSiamese)
assert_type(siamese.transform(frames), NDArray[np.float32])

adversary = assert_type(MEnAN().fit(frames, y, groups=speaker), MEnAN)
assert_type(adversary.transform(frames), NDArray[np.float32])
assert_type(adversary.predict_speaker_proba(frames), NDArray[np.float64])

gated = assert_type(PseudoSiameseGated().fit(frames, y), PseudoSiameseGated)
assert_type(gated.transform(frames), NDArray[np.float32])

recurrent = SequenceClassifier(hidden_size=8, early_stopping=True)
assert_type(recurrent.fit(frames, y, groups=speaker), SequenceClassifier)
for classifier in (siamese, adversary, gated, recurrent):
    assert_type(classifier.predict(frames), NDArray[Any])
    assert_type(classifier.predict_proba(frames), NDArray[np.float64])
    assert_type(classifier.predict_log_proba(frames), NDArray[np.float64])
    assert_type(classifier.score(frames, y), float)

model = SpeedPerturbation(recipes.egemaps_svc(), factors=(0.9, 1.1))
assert_type(model.fit(corpus.audio, y, groups=speaker), SpeedPerturbation)
result = evaluate_by_speaker(recipes.egemaps_svc(), corpus)
assert_type(bool(verify_card(result.card, corpus)), bool)
assert_type(result, SpeakerEvaluation)
assert_type(result.ua, float)
assert_type(ua_score(y, result.truth), float)
assert_type(mantel_test(latent, latent), MantelResult)

autoencoder = nets.DenoisingAutoencoder(n_features=88, latent_dim=2)
assert_type(autoencoder, nets.DenoisingAutoencoder)


def loss_of(embedding: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    return assert_type(losses.triplet_loss(embedding, positive, negative), Tensor)


assert_type(sklearn_ser.__version__, str)
display = TSNEDisplay.from_embedding(latent, y, random_state=0)
assert_type(display, TSNEDisplay)
"""

ERROR = re.compile(r"^(\w+)\.py:(\d+): error: (.*)$", re.MULTILINE)

# The parts of torch that no type of ours needs, and that take mypy half of its time.
CONFIGURATION = """
[mypy]
strict = true
# Mistakes in the library itself are for `make types` to find.
follow_imports = silent

[mypy-torch._dynamo.*,torch._inductor.*,torch.distributed.*,torch.fx.*]
follow_imports = skip
"""

# Each line with a comment is a mistake, and the comment is part of mypy's message.
BAD = """
from sklearn_ser import (
    CVAE,
    EGeMAPS,
    LogMel,
    MEnAN,
    MetricDAE,
    SequenceClassifier,
    losses,
    recipes,
)
from sklearn_ser import load_audoi  # has no attribute "load_audoi"
from sklearn_ser.datasets import load_emodb
from sklearn_ser.evaluation import evaluate_by_speaker

X = [[0.0, 1.0]]
y = ["anger"]
a = [2.0]

MetricDAE(label="act").fit(X, activatoin=a)  # Unexpected keyword argument "activatoin"
MetricDAE().fit(X, y, a)  # Too many positional arguments
MetricDAE(label="arousal")  # "label" to "MetricDAE" has incompatible type
MetricDAE(latent_dim="two")  # has incompatible type "str"; expected "int"
MetricDAE(latent_dims=2)  # Unexpected keyword argument "latent_dims"
MetricDAE().partial_fit(X, groups=y)  # Unexpected keyword argument "groups"
MetricDAE().transform()  # Missing positional argument "X"
MetricDAE().predict(X, y)  # Too many arguments
MEnAN().fit(X, groups=y)  # Missing positional argument "y"
MEnAN().fit(X, y, speaker=y)  # Unexpected keyword argument "speaker"
MEnAN().predict_speaker_proba()  # Missing positional argument "X"
SequenceClassifier().fit(X)  # Missing positional argument "y"
SequenceClassifier().fit(X, y, 3)  # Too many positional arguments
SequenceClassifier().predict_proba(X, groups=y)  # Unexpected keyword argument
SequenceClassifier().score(X)  # Missing positional argument "y"
SequenceClassifier().predict(X).shap  # has no attribute "shap"
CVAE().transform(X, labels=y)  # Unexpected keyword argument "labels"
EGeMAPS(featureset="eGeMAPSv02")  # Unexpected keyword argument "featureset"
EGeMAPS().fit()  # Missing positional argument "X"
LogMel().transform(X, 16000)  # Too many arguments
LogMel(verbose="yes")  # has incompatible type "str"; expected "bool"
load_emodb()  # Missing positional argument "data_home"
recipes.metric_dae(labels="act")  # Unexpected keyword argument "labels"
recipes.egemaps_scv()  # has no attribute "egemaps_scv"
losses.triplet_loss(margins=1.0)  # Unexpected keyword argument "margins"
evaluate_by_speaker(EGeMAPS())  # Missing positional argument "corpus"
evaluate_by_speaker(EGeMAPS(), X)  # expected "Corpus"
count: int = MetricDAE().predict(X)  # Incompatible types in assignment
"""


def public_objects():
    """Give where each public class and function lives, its name and itself."""
    for module_name in MODULES:
        module = importlib.import_module(f"sklearn_ser.{module_name}")
        for name in module.__all__:
            public = getattr(module, name)
            if inspect.isclass(public) or inspect.isfunction(public):
                yield f"sklearn_ser.{module_name}.{name}", public


def is_checkable(function):
    """Tell whether a function refuses arguments that it does not know."""
    parameters = inspect.signature(function).parameters.values()
    return all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters)


def own_methods(estimator):
    """Give the names of the public methods that the library itself writes."""
    bases = [b for b in estimator.__mro__ if b.__module__.startswith("sklearn_ser.")]
    names = {name for base in bases for name in vars(base) if name[0] != "_"}
    for name in sorted(names):
        # The routing methods `set_fit_request` ... are made by scikit-learn.
        method = getattr(estimator, name)
        if inspect.isfunction(method) and method.__module__.startswith("sklearn_ser."):
            yield name, method


def misspelt_calls():
    """Give calls of all that is public with an argument that does not exist."""
    for path, public in public_objects():
        if inspect.isclass(public) and issubclass(public, Exception):
            continue
        if is_checkable(public):
            yield f"{path}(misspelt=0)"
        if inspect.isclass(public) and hasattr(public, "fit"):
            for name, method in own_methods(public):
                if is_checkable(method):
                    yield f"{path}.{name}(None, misspelt=0)"


CALLS = list(misspelt_calls())


def messages_of_mypy(scripts, folder, cache):
    """Run mypy once over all scripts; return its errors by script and line."""
    for name, script in scripts.items():
        (folder / f"{name}.py").write_text(script)
    (folder / "mypy.ini").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "mypy", f"--cache-dir={cache}"]
    result = subprocess.run(
        [*command, *(f"{name}.py" for name in scripts)],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(Path(sklearn_ser.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.stderr
    messages = {name: defaultdict(list) for name in scripts}
    # Notes may be about other files.
    for name, number, text in ERROR.findall(result.stdout):
        messages[name][int(number)].append(text)
    return messages


# One test, so that mypy runs once however the tests are dealt to processes.
@pytest.mark.slow
def test_mypy_finds_the_mistakes_in_scripts_and_no_others(tmp_path, request):
    imports = [f"import sklearn_ser.{module}" for module in MODULES]
    scripts = {"good": GOOD, "bad": BAD, "misspelt": "\n".join([*imports, *CALLS])}
    # pytest's cache outlives this run: a first one has to read torch.
    cache = getattr(request.config, "cache", None)
    messages = messages_of_mypy(
        scripts, tmp_path, cache.mkdir("mypy") if cache else tmp_path / "cache"
    )
    assert dict(messages["good"]) == {}

    comments = [line.partition("  # ")[2] for line in BAD.splitlines()]
    mistakes = {n: text for n, text in enumerate(comments, start=1) if text}
    assert sorted(messages["bad"]) == sorted(mistakes)
    for line, comment in mistakes.items():
        assert any(comment in text for text in messages["bad"][line])

    expected = 'Unexpected keyword argument "misspelt"'
    unseen = [
        call
        for line, call in enumerate(CALLS, start=len(imports) + 1)
        if not any(expected in text for text in messages["misspelt"][line])
    ]
    assert unseen == []


def test_the_good_script_shows_every_estimator():
    for path, public in public_objects():
        if inspect.isclass(public) and hasattr(public, "fit"):
            name = path.rpartition(".")[2]
            # Called, or for a base class derived from.
            calls = GOOD.replace(".from_preset", "").replace(f"({name})", f"{name}()")
            assert f"{name}(" in calls


def test_the_misspelt_calls_reach_every_estimator():
    fitted = {call.split(".")[2] for call in CALLS if ".fit(" in call}
    # That of SpeedPerturbation passes on what the estimator inside takes.
    assert fitted == {
        path.rpartition(".")[2]
        for path, public in public_objects()
        if hasattr(public, "fit")
    } - {"SpeedPerturbation"}
    assert "sklearn_ser.estimators.MEnAN.predict_proba(None, misspelt=0)" in CALLS
