"""A model in a file: the same when it is loaded, and nothing else ever runs."""

import io
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_ser import SeedEnsemble, SpeakerScaler, models, recipes
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.evaluation import evaluate_by_speaker
from sklearn_ser.models import ModelFileError
from sklearn_ser.models._trusted import TRUSTED
from tests.estimators import TRAINED
from tests.evaluation.helpers import log_mel_svc
from tests.features.encoders import make_encoder
from tests.methods.test_common import fitted, outputs

EPOCHS = {"max_epochs", "feature_epochs", "pretraining_epochs"}


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=3, n_repetitions=1)


@pytest.fixture(scope="module")
def evaluation(corpus):
    return evaluate_by_speaker(log_mel_svc(), corpus, refit=True)


@pytest.fixture
def path(evaluation, tmp_path):
    return models.save(evaluation.refitted, tmp_path / "model.skops")


def rewritten(path, change):
    """Write a file again with changed members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return path


def with_checksums(members):
    """Make the checksums right again, as one who wants to harm would."""
    import hashlib

    manifest = json.loads(members["manifest.json"])
    manifest["sha256"] = {
        name: hashlib.sha256(member).hexdigest()
        for name, member in members.items()
        if name != "manifest.json"
    }
    members["manifest.json"] = json.dumps(manifest).encode()


def test_what_is_loaded_predicts_the_same_and_has_the_card(path, evaluation, corpus):
    model = models.load(path)
    np.testing.assert_array_equal(
        model.predict(corpus.audio), evaluation.refitted.predict(corpus.audio)
    )
    assert model.card_ == evaluation.refitted.card_ == evaluation.card
    told = models.describe(path)
    assert told["card"] == evaluation.card
    assert told["description"] == models.model_card(model)
    assert all(told["types"].values())
    assert told["bytes"] == path.stat().st_size
    assert type(skops.io.load(path, trusted=sorted(told["types"]))) is type(model)


def test_what_is_there_is_not_written_over(path, evaluation):
    with pytest.raises(ValueError, match="is there already"):
        models.save(evaluation.refitted, path)
    before = path.read_bytes()
    models.save(log_mel_svc().fit(*two()), path, overwrite=True)
    assert path.read_bytes() != before
    assert models.load(path).predict(two()[0]).shape == (2,)
    assert models.describe(path)["card"] is None
    assert [p.name for p in path.parent.iterdir()] == ["model.skops"]


def two():
    rng = np.random.default_rng(0)
    return [(0.1 * rng.normal(size=8000), 16000) for _ in range(2)], [
        "anger",
        "sadness",
    ]


def test_only_what_is_fitted_is_saved(tmp_path):
    with pytest.raises(NotFittedError):
        models.save(log_mel_svc(), tmp_path / "model.skops")
    assert not [*tmp_path.iterdir()]


def test_caches_and_corpora_stay_at_home(tmp_path, corpus):
    model = recipes.logmel_baseline(memory=str(tmp_path / "cache"))
    model.fit(corpus.audio, corpus.emotion)
    path = models.save(model, tmp_path / "model.skops")
    assert models.load(path)["logmel"].memory is None
    assert model["logmel"].memory == str(tmp_path / "cache")
    assert str(tmp_path).encode() not in path.read_bytes()


def test_types_of_others_are_named_when_saving(tmp_path):
    model = make_pipeline(FunctionTransformer(os.path.exists)).fit([[1.0]])
    with pytest.raises(ModelFileError, match=r"The model holds .*exists"):
        models.save(model, tmp_path / "model.skops")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "planted.Harm"])
def test_planted_types_run_nothing(path, tmp_path, monkeypatch, name):
    (tmp_path / "planted.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    module, _, attribute = name.rpartition(".")

    def plant(members):
        schema = json.loads(members["schema.json"])
        step = schema["content"]["content"]["steps"]["content"][-1]["content"][-1]
        assert step["__class__"] == "SVC"
        step["__class__"], step["__module__"] = attribute, module
        members["schema.json"] = json.dumps(schema).encode()
        with_checksums(members)

    rewritten(path, plant)
    with pytest.raises(ModelFileError, match=rf"holds {name}, which is not trusted"):
        models.load(path)
    assert models.describe(path)["types"][name] is False
    assert not (tmp_path / "ran").exists()


def test_planted_reduce_runs_nothing(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def plant(members):
        schema = json.loads(members["schema.json"])
        schema["content"]["content"]["steps"]["content"][-1]["content"][-1] = {
            "__class__": "function",
            "__module__": "posix",
            "__loader__": "ReduceNode",
            "__reduce__": {"args": ["touch ran"]},
            "__id__": 99,
        }
        members["schema.json"] = json.dumps(schema).encode()
        with_checksums(members)

    with pytest.raises(ModelFileError):
        models.load(rewritten(path, plant))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_file_that_was_cut_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    for read in (models.load, models.describe):
        with pytest.raises(ModelFileError, match="is no model, or was cut"):
            read(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.skops"
    with pytest.raises(FileNotFoundError):
        models.load(path)
    skops.io.dump(StandardScaler(), path)
    with pytest.raises(ModelFileError, match=r"written by sklearn_ser\.models\.save"):
        models.load(path)


def test_changes_are_found(path):
    def better(members):
        card = json.loads(members["card.json"])
        card["scores"]["ua"] = 1.0
        members["card.json"] = json.dumps(card).encode()

    whole = path.read_bytes()
    with pytest.raises(ModelFileError, match=r"changed after it was written: card\.j"):
        models.load(rewritten(path, better))
    path.write_bytes(whole)

    def better_and_right(members):
        better(members)
        with_checksums(members)

    with pytest.raises(ModelFileError, match=r"card in .* is not that of its model"):
        models.load(rewritten(path, better_and_right))
    path.write_bytes(whole)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.txt", "x")
    with pytest.raises(ModelFileError, match=r"changed .*more\.txt"):
        models.load(path)


def test_a_changed_byte_is_found(path):
    content = bytearray(path.read_bytes())
    for place in range(60, len(content) - 400, len(content) // 7):
        other = content.copy()
        other[place] ^= 0xFF
        path.write_bytes(other)
        with pytest.raises(ModelFileError):
            models.load(path)


def test_what_would_fill_the_memory_is_not_read(path, monkeypatch):
    monkeypatch.setattr("sklearn_ser.models._file._LARGEST", 1000)
    with pytest.raises(ModelFileError, match="would fill the memory"):
        models.load(path)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"format": 99}, "has the format 99, and this version reads 1"), ({}, None)],
)
def test_other_versions_are_named(path, change, error):
    def older(members):
        manifest = json.loads(members["manifest.json"])
        manifest["versions"]["sklearn-ser"] = "0.0.1"
        members["manifest.json"] = json.dumps(manifest | change).encode()

    rewritten(path, older)
    if error:
        with pytest.raises(ModelFileError, match=error):
            models.load(path)
    else:
        with pytest.warns(UserWarning, match=r"written with sklearn-ser 0\.0\.1"):
            models.load(path)


class Doubling(FunctionTransformer):
    """A type of the user."""


def test_own_types_are_trusted_by_name(tmp_path):
    model = make_pipeline(Doubling(np.sign), LogisticRegression())
    model.fit([[1.0], [-1.0]], [0, 1])
    own = ["tests.models.test_file.Doubling"]
    with pytest.raises(ModelFileError, match=own[0]):
        models.save(model, tmp_path / "model.skops")
    path = models.save(model, tmp_path / "model.skops", trusted=own)
    with pytest.raises(ModelFileError, match=own[0]):
        models.load(path)
    assert models.load(path, trusted=own).predict([[2.0]]) == [0]


def own_fits():
    """Make fitted estimators of each public class and variant."""
    for estimator, needs in TRAINED:
        yield fitted(estimator, needs)
    X, y = np.random.default_rng(0).normal(size=(20, 3)), [0, 1] * 10
    scaler = SpeakerScaler(by="corpus")
    yield make_pipeline(scaler, LogisticRegression()).fit(X, y), X
    forest = SeedEnsemble(
        LogisticRegression(solver="saga", max_iter=5000), n_estimators=2
    )
    yield forest.fit(X, y), X


@pytest.mark.slow
def test_every_estimator_comes_back(tmp_path):
    for number, (model, X) in enumerate(own_fits()):
        path = models.save(model, tmp_path / f"{number}.skops")
        for mine, other in zip(
            outputs(models.load(path), X), outputs(model, X), strict=True
        ):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PseudoSiameseGated has no auxiliary corpora")
@pytest.mark.parametrize("name", recipes.__all__)
def test_every_recipe_comes_back(name, corpus, tmp_path):
    if name == "embedding_svc":
        encoder = str(make_encoder("whisper", tmp_path))
        model = recipes.embedding_svc(encoder, layers=[0, 2], C=[0.01])
    else:
        model = getattr(recipes, name)()
    params = {key: key.rpartition("__")[2] for key in model.get_params()}
    model.set_params(**{key: 1 for key, last in params.items() if last in EPOCHS})
    evaluation = evaluate_by_speaker(model, corpus, refit=True)
    path = models.save(evaluation.refitted, tmp_path / "model.skops")
    loaded = models.load(path)
    np.testing.assert_array_equal(
        loaded.predict(corpus.audio), evaluation.refitted.predict(corpus.audio)
    )


def test_the_list_names_what_there_is():
    import importlib

    for name in TRUSTED:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


@pytest.mark.slow
def test_a_fresh_process_loads_it(path, corpus, tmp_path):
    wanted = models.load(path).predict(corpus.audio[:2]).tolist()
    for number, (waveform, rate) in enumerate(corpus.audio[:2]):
        import soundfile as sf

        sf.write(tmp_path / f"{number}.wav", waveform, rate, subtype="FLOAT")
    code = (
        "import sys; from sklearn_ser import models; m = models.load(sys.argv[1]);"
        "print(*m.predict(sys.argv[2:])); assert 'torch' not in sys.modules"
    )
    files = [str(tmp_path / f"{number}.wav") for number in range(2)]
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), *files], capture_output=True, text=True
    )
    assert done.stdout.split() == wanted, done.stderr


def test_bytes_of_a_zip_are_not_trusted(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", "[1]")
        archive.writestr("card.json", "null")
        archive.writestr("README.md", "x")
    path = tmp_path / "model.skops"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(ModelFileError):
        models.load(path)


def test_description_says_what_matters(evaluation, corpus):
    text = models.model_card(evaluation.refitted)
    assert f"| UA | {evaluation.ua:.3f} |" in text
    assert "12 utterances of 3 speakers" in text
    assert "openSMILE" not in text
    opensmile = recipes.egemaps_svc().fit(corpus.audio, corpus.emotion)
    assert "openSMILE" in models.model_card(opensmile)
    assert "It was not evaluated." in models.model_card(opensmile)
