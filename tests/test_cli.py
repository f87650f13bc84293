"""The command line, as a user calls it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from sklearn_ser import EGeMAPS, SpeechEmbedding
from sklearn_ser.cli import main
from sklearn_ser.datasets import make_emotional_speech
from tests.features.encoders import make_encoder


@pytest.fixture(scope="module")
def emodb(tmp_path_factory):
    """A miniature of EMO-DB: three speakers, three emotions."""
    home = tmp_path_factory.mktemp("emodb")
    (home / "wav").mkdir()
    speech = make_emotional_speech(
        n_speakers=3, n_repetitions=2, emotions=("anger", "neutral", "sadness")
    )
    codes = {"anger": "W", "neutral": "N", "sadness": "T"}
    speakers = dict(zip(sorted(set(speech.speaker)), ("03", "08", "11"), strict=True))
    for i, (waveform, rate) in enumerate(speech.audio):
        emotion, version = codes[speech.emotion[i]], "ab"[i % 2]
        name = f"{speakers[speech.speaker[i]]}a01{emotion}{version}.wav"
        sf.write(home / "wav" / name, waveform, rate)
    return home


@pytest.fixture
def broken_emodb(emodb, tmp_path):
    """The same with two broken files."""
    home = shutil.copytree(emodb, tmp_path / "broken emodb")
    whole = (home / "wav" / "08a01Na.wav").read_bytes()
    (home / "wav" / "03a02Wa.wav").write_bytes(bytes(len(whole)))
    (home / "wav" / "08a02Na.wav").write_bytes(whole[: len(whole) // 2])
    return home


@pytest.fixture(scope="module")
def crema_d(tmp_path_factory):
    """A miniature of CREMA-D: one speaker, four emotions."""
    home = tmp_path_factory.mktemp("crema-d")
    (home / "AudioWAV").mkdir()
    speech = make_emotional_speech(n_speakers=1, n_repetitions=1, random_state=1)
    codes = {"anger": "ANG", "happiness": "HAP", "neutral": "NEU", "sadness": "SAD"}
    for emotion, (waveform, rate) in zip(speech.emotion, speech.audio, strict=True):
        name = f"1001_DFA_{codes[emotion]}_XX.wav"
        sf.write(home / "AudioWAV" / name, waveform, rate)
    return home


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.slow
def test_evaluate_the_synthetic_corpus(tmp_path, capsys):
    assert run("evaluate", "--output", tmp_path / "new" / "folder") == 0
    printed = capsys.readouterr()
    assert "6 speakers" in printed.out
    assert "speaker06" in printed.out
    assert "120/120" in printed.err  # the progress bar
    written = tmp_path / "new" / "folder"
    for name in ("confusion.png", "embedding.png"):
        assert (written / name).read_bytes().startswith(b"\x89PNG")
    scores = json.loads((written / "scores.json").read_text())
    assert scores["settings"]["seed"] == 0
    assert scores["settings"]["command"]["recipe"] == "metric_dae"
    assert scores["settings"]["command"]["labels_from"] == "the corpus"
    assert f"{scores['ua']:.3f}" in printed.out.splitlines()[-3]
    # Far above the four classes' chance; 0.59 to 0.63 over five seeds.
    assert scores["ua"] > 0.45


def test_evaluate_a_corpus_with_broken_files(broken_emodb, tmp_path, capsys):
    with pytest.warns(UserWarning, match="No features for 2 of 20 recordings"):
        status = run(
            *("evaluate", "--corpus", "emodb", "--data-home", broken_emodb, "--quiet"),
            *("--recipe", "egemaps_svc", "--output", tmp_path, "--n-jobs", 1),
        )
    assert status == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "03a02Wa.wav" in printed.out
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert len(scores["left_out"]) == 2
    assert len(scores["utterances"]) == 18


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        "vae_lstm",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("cvae_lstm", "ae_lstm")
        ),
    ],
)
def test_evaluate_an_autoencoder(tmp_path, capfd, recipe):
    settings = ["cvae__hidden_sizes=(16,)", "cvae__latent_dim=4", "cvae__max_epochs=2"]
    arguments = [
        *("evaluate", "--recipe", recipe, "--folds", 2, "--output", tmp_path),
        *(part for setting in settings for part in ("--set", setting)),
    ]
    assert run(*arguments) == 0
    assert (tmp_path / "embedding.png").stat().st_size > 10_000
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert f"{recipe}, seed 0" in capfd.readouterr().out
    assert len(scores["folds"]) == 2
    assert scores["settings"]["estimator"]["cvae__variant"] == repr(recipe[:-5])


@pytest.mark.slow
def test_evaluate_under_a_condition(tmp_path):
    settings = [
        *("cvae__hidden_sizes=()", "cvae__latent_dim=2", "cvae__max_epochs=1"),
        *("sequenceclassifier__hidden_size=2", "sequenceclassifier__max_epochs=1"),
    ]
    common = ["evaluate", "--recipe", "cvae_lstm", "--folds", 2, "--target", "act"]
    predicted = []
    for name, options in {"a": [], "b": ["--condition", "gender"]}.items():
        arguments = [*common, "--output", tmp_path / name, *options]
        assert run(*arguments, *(p for s in settings for p in ("--set", s))) == 0
        predicted.append((tmp_path / name / "scores.json").read_text())
    assert json.loads(predicted[0])["ua"] != json.loads(predicted[1])["ua"]


@pytest.mark.slow
def test_evaluate_a_schedule(tmp_path):
    arguments = ["evaluate", "--recipe", "metric_dae", "--schedule", "small_corpus"]
    brief = ["--folds", 2, "--set", "metricdae__max_epochs=1"]
    assert run(*arguments, *brief, "--output", tmp_path) == 0
    settings = json.loads((tmp_path / "scores.json").read_text())["settings"]
    assert settings["estimator"]["metricdae__schedule"] == "'small_corpus'"
    assert settings["estimator"]["metricdae__weight_decay"] == "0.0001"


@pytest.mark.slow
def test_evaluate_an_adversary(tmp_path, capfd):
    settings = [
        *("estimator__menan__max_epochs=1", "factors=()"),
        "estimator__logmelprosody__shorter=keep",
    ]
    arguments = [
        *("evaluate", "--recipe", "dat", "--folds", 2, "--output", tmp_path),
        *("--emotions", "anger,sadness"),
        *(part for setting in settings for part in ("--set", setting)),
    ]
    assert run(*arguments) == 0
    assert (tmp_path / "embedding.png").stat().st_size > 10_000
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["settings"]["estimator"]["factors"] == "()"
    captured = capfd.readouterr()
    assert "dat, seed 0" in captured.out
    assert "speakers" not in captured.err  # no warning that there are none


@pytest.mark.parametrize(
    "recipe",
    [pytest.param("pseudo_siamese_gated", marks=pytest.mark.slow), "cnn_blstm"],
)
def test_evaluate_with_auxiliary_corpora(emodb, crema_d, tmp_path, capsys, recipe):
    pretrained = recipe != "cnn_blstm"
    settings = [
        *("pseudosiamesegated__feature_epochs=1", "pseudosiamesegated__max_epochs=1"),
        *(
            "pseudosiamesegated__pretraining_epochs=1",
            "spectrogramsegmenter__f_max=250",
        ),
    ]
    arguments = [
        *("evaluate", "--corpus", "emodb", "--data-home", emodb, "--quiet"),
        *("--recipe", recipe, "--folds", 2, "--output", tmp_path),
        *("--emotions", "anger,neutral", "--cache", tmp_path / "cache"),
        *(part for setting in settings for part in ("--set", setting)),
        *(("--auxiliary", f"crema-d={crema_d}") if pretrained else ()),
    ]
    assert run(*arguments) == 0
    assert (tmp_path / "embedding.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    # All emotions of the auxiliary corpus, by the front end as --set has left it.
    assert ("<AuxiliaryCorpora CREMA-D: 4 utterances, " in printed) == pretrained
    assert (" segments of 288 values" in printed) == pretrained
    settings = json.loads((tmp_path / "scores.json").read_text())["settings"]
    auxiliary = settings["estimator"]["pseudosiamesegated__auxiliary_corpora"]
    assert auxiliary in (printed if pretrained else "None")
    # 32 x 9: of a band of 250 Hz.
    assert settings["estimator"]["pseudosiamesegated__segment_shape"] == "(32, 9)"
    assert settings["command"]["auxiliary"] == [f"crema-d={crema_d}"] * pretrained
    assert any((tmp_path / "cache").rglob("learn_branches"))


def test_evaluate_options(emodb, tmp_path, capsys):
    status = run(
        *("evaluate", "--corpus", "emodb", "--data-home", emodb, "--quiet"),
        *("--label", "act+val", "--emotions", "anger,sadness", "--folds", 2),
        *("--set", "metricdae__max_epochs=2", "--set", "svc__kernel=rbf"),
        *("--seed", 5, "--cache", tmp_path / "cache", "--output", tmp_path),
    )
    assert status == 0
    assert "derived from the emotions" in capsys.readouterr().out
    scores = json.loads((tmp_path / "scores.json").read_text())
    estimator = scores["settings"]["estimator"]
    assert estimator["metricdae__label"] == "('act', 'val')"
    assert estimator["metricdae__max_epochs"] == "2"
    assert estimator["metricdae__random_state"] == "5"
    assert estimator["svc__kernel"] == "'rbf'"
    assert len(scores["folds"]) == 2
    assert set(scores["settings"]["corpus"]["emotions"]) == {"anger", "sadness"}
    assert any((tmp_path / "cache").iterdir())


def dimensions_of(emodb, path):
    """Write ratings of the miniature, all but one, in the layout of EMO-DB's table."""
    files = sorted(file.name for file in (emodb / "wav").glob("*.wav"))
    ratings = {"W": (4.5, 1.5), "N": (3.0, 3.0), "T": (2.0, 2.0)}
    rows = [(name, *ratings[name[5]]) for name in files]
    rows[-1] = (rows[-1][0], np.nan, np.nan)
    table = pd.DataFrame(rows, columns=["filename", "activation", "valence "])
    table.to_csv(path, index=False)
    return files


@pytest.mark.parametrize(
    ("target", "classes"),
    [("activation", ["high", "low", "medium"]), ("valence", ["low", "medium"])],
)
def test_evaluate_levels_of_a_dimension(emodb, tmp_path, capsys, target, classes):
    files = dimensions_of(emodb, tmp_path / "table.csv")
    status = run(
        *("evaluate", "--corpus", "emodb", "--data-home", emodb, "--quiet"),
        *("--dimensions", tmp_path / "table.csv", "--target", target),
        *("--set", "metricdae__max_epochs=2", "--output", tmp_path / "out"),
    )
    assert status == 0
    printed = capsys.readouterr().out
    label = {"activation": "act", "valence": "val"}[target]
    assert f"metric_dae, label {label}, seed 0\n{target}, held out by" in printed
    (left_out,) = [line for line in printed.splitlines() if "left out, " in line]
    assert left_out.startswith(f"left out, without a rating of {target}: ")
    assert left_out.endswith(files[-1])
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert scores["target"] == scores["settings"]["target"] == target
    assert sorted(scores["settings"]["corpus"]["classes"]) == classes
    assert {row["truth"] for row in scores["utterances"]} == set(classes)
    assert {row["predicted"] for row in scores["utterances"]} <= set(classes)
    assert len(scores["utterances"]) == len(files) - 1
    for name in ("confusion.png", "embedding.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_plots_show_the_classes_of_the_target(tmp_path, monkeypatch):
    from sklearn_ser import plotting

    shown = {}
    confusion = plotting.plot_confusion
    monkeypatch.setattr(
        plotting,
        "plot_confusion",
        lambda *args, **kwargs: shown.update(kwargs) or confusion(*args, **kwargs),
    )
    draw = plotting.EmbeddingDisplay.from_embedding.__func__
    monkeypatch.setattr(
        plotting.EmbeddingDisplay,
        "from_embedding",
        classmethod(
            lambda cls, z, label, **kwargs: (
                shown.update(embedded=set(label), name=kwargs["label_name"])
                or draw(cls, z, label, **kwargs)
            )
        ),
    )
    run(
        *("evaluate", "--recipe", "egemaps_svc", "--target", "activation", "--quiet"),
        *("--folds", 2, "--output", tmp_path),
    )
    assert shown["labels"] == ["low", "medium", "high"]
    assert shown["label_name"] == shown["name"] == "activation"
    assert shown["embedded"] == {"low", "medium", "high"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "urdu"], "--corpus urdu needs --data-home"),
        (["--data-home", "/tmp"], "--data-home goes with a real corpus"),
        (
            ["--dimensions", "x.csv"],
            "--dimensions goes with --corpus aesdd, cafe, emodb, urdu.",
        ),
        (["--recipe", "egemaps_svc", "--label", "act"], "--label goes with --recipe"),
        (["--corpus", "urdu", "--data-home", "/no/such"], "github.com/siddiquelatif"),
        (["--set", "svc__C"], "--set takes STEP__PARAMETER=VALUE"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                (["--set", "svc=passthrough"], "no attribute 'predict'"),
                (
                    ["--set", "egemaps=5"],
                    "All intermediate steps should be transformers",
                ),
                (
                    ["--set", "metricdae__lr=-1"],
                    "'lr' parameter of MetricDAE must be",
                ),
                (["--emotions", "anger,bliss"], "has no bliss"),
                (["--set", "svc__D=1"], "Invalid parameter 'D'"),
                (["--folds", "50"], "Cannot have number of splits n_splits=50"),
                (
                    ["--auxiliary", "emodb=x"],
                    "--auxiliary goes with --recipe pseudo_siamese_",
                ),
                (
                    ["--condition", "gender"],
                    "--condition goes with --recipe cvae_lstm, not",
                ),
                (
                    ["--recipe", "cvae_lstm", "--condition", "age"],
                    "--condition takes emotion,",
                ),
            ]
        ),
    ],
)
def test_faults_are_said_in_a_line_and_a_status(
    arguments, message, tmp_path, feature_cache, capsys
):
    common = ("--quiet", "--output", tmp_path, "--cache", feature_cache)
    assert run("evaluate", *common, *arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("sklearn-ser: ")
    assert message in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("auxiliary", "message"),
    [
        (
            ["berlin=x"],
            "tess, urdu as the corpus, got ",
        ),
        (["urdu"], "--auxiliary takes CORPUS=DIR"),
        (["urdu="], "got 'urdu='"),
        (["urdu=x", "--auxiliary", "urdu=y"], "--auxiliary names urdu twice"),
        (["urdu=x", "emodb=y"], "--auxiliary emodb is what is evaluated"),
        (["urdu=/no/such"], "github.com/siddiquelatif"),
        (
            ["crema-d={}", "--set", "pseudosiamesegated__auxiliary_corpora=None"],
            "have no effect with pseudosiamesegated__auxiliary_corpora=None: leave",
        ),
        (
            ["crema-d={}", "--set", "pseudosiamesegated__fusion=None"],
            "have no effect with pseudosiamesegated__fusion=None: leave",
        ),
    ],
)
def test_auxiliary_corpora_that_are_none(
    emodb, crema_d, tmp_path, capsys, auxiliary, message
):
    auxiliary = [text.format(crema_d) for text in auxiliary]
    status = run(
        *("evaluate", "--corpus", "emodb", "--data-home", emodb, "--quiet"),
        *("--recipe", "psn", "--output", tmp_path, "--auxiliary", *auxiliary),
    )
    assert status == 2
    shown = capsys.readouterr().err
    assert shown.startswith("sklearn-ser: ")
    assert message in shown


def test_levels_need_ratings(emodb, tmp_path, capsys):
    """Derived from the emotions, they would be these under other names."""
    for recipe in ("egemaps_svc", "metric_dae"):
        status = run(
            *("evaluate", "--corpus", "emodb", "--data-home", emodb, "--quiet"),
            *("--recipe", recipe, "--target", "valence", "--output", tmp_path),
        )
        assert status == 2
        shown = capsys.readouterr().err
        assert "--target valence needs ratings, and EMO-DB comes without" in shown
        assert "give them by --dimensions" in shown


def test_a_corpus_that_nobody_can_rate_is_not_asked_for_ratings(tmp_path, capsys):
    """--dimensions itself is refused for CREMA-D."""
    (tmp_path / "AudioWAV").mkdir()
    sf.write(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav", np.zeros(1600), 16000)
    status = run(
        *("evaluate", "--corpus", "crema-d", "--data-home", tmp_path, "--quiet"),
        *("--target", "valence", "--output", tmp_path / "out"),
    )
    assert status == 2
    shown = capsys.readouterr().err
    assert "choose --corpus aesdd, cafe, emodb, urdu or synthetic" in shown
    assert "--dimensions" not in shown


def test_faults_with_debug_show_where(tmp_path):
    with pytest.raises(ValueError, match="needs --data-home"):
        run("evaluate", "--debug", "--corpus", "urdu", "--output", tmp_path)


def test_too_few_folds(capsys):
    with pytest.raises(SystemExit):
        run("evaluate", "--folds", 1)
    assert "at least 2 are needed, got 1" in capsys.readouterr().err


@pytest.mark.slow
def test_warnings_are_plain_text(emodb, tmp_path):
    (tmp_path / "broken.wav").write_text("no audio")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "sklearn_ser.cli", "extract", "--quiet", emodb),
            *(tmp_path / "broken.wav", "--output", tmp_path / "f.csv"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.startswith("sklearn-ser: warning: No features for 1 of")
    assert ".py" not in result.stderr


def test_extract_nothing_but_broken_files(tmp_path, capsys):
    (tmp_path / "broken.wav").write_text("no audio")
    output = tmp_path / "f.csv"
    with pytest.warns(UserWarning, match="No features for 1 of 1"):
        assert run("extract", tmp_path / "broken.wav", "--output", output) == 2
    assert "No recording gave features" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_extract(emodb, tmp_path, suffix):
    output = tmp_path / "sub" / f"features.{suffix}"
    assert run("extract", emodb, "--output", output, "--quiet") == 0
    read = pd.read_csv if suffix == "csv" else pd.read_parquet
    table = read(output)
    expected = EGeMAPS().transform(table["file"])
    assert table.shape == (18, 89)
    np.testing.assert_allclose(table.iloc[:, 1:], expected, rtol=1e-6)
    assert list(table.columns[1:]) == list(EGeMAPS().get_feature_names_out())


def test_extract_the_layers_of_an_encoder(emodb, tmp_path, capsys):
    model = str(make_encoder("whisper", tmp_path / "model"))
    output = tmp_path / "features.csv"
    common = ("extract", emodb, "--output", output, "--quiet")
    assert run(*common, "--embedding", model, "--layer", 1) == 0
    table = pd.read_csv(output)
    expected = SpeechEmbedding(model, layer=1).transform(table["file"])
    np.testing.assert_allclose(table.iloc[:, 1:], expected, rtol=1e-4, atol=1e-5)
    assert run(*common, "--layer", 1) == 2
    assert run(*common, "--embedding", model, "--sampling-rate", 8000) == 2
    assert run(*common, "--embedding", tmp_path / "none") == 2
    shown = capsys.readouterr().err
    assert "--layer goes with --embedding" in shown
    assert "--sampling-rate goes without --embedding" in shown
    assert "is no folder: give one, or a name of the hub" in shown


def test_extract_segments_and_names_the_broken(emodb, tmp_path, capsys):
    file = next((emodb / "wav").glob("*.wav"))
    pd.DataFrame(
        {"file": [file, file], "start": [0.0, 0.5], "end": [0.5, None]}
    ).to_csv(tmp_path / "segments.csv", index=False)
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    output = tmp_path / "features.csv"
    with pytest.warns(UserWarning, match="recording 2: .*broken.wav.* not audio"):
        run(
            *("extract", tmp_path / "segments.csv", broken, "--output", output),
            *("--feature-set", "GeMAPSv01b", "--quiet"),
        )
    table = pd.read_csv(output)
    assert list(table.columns[:3]) == ["file", "start", "end"]
    assert table.shape == (3, 65)
    assert table.iloc[2, 3:].isna().all()
    assert not np.allclose(
        table.iloc[0, 3:].astype(float), table.iloc[1, 3:].astype(float)
    )


def test_extract_keeps_what_a_table_says(emodb, tmp_path, capsys):
    files = sorted((emodb / "wav").glob("*.wav"))[:2]
    table = pd.DataFrame({"file": files, "emotion": ["anger", None], "speaker": [3, 8]})
    table.to_csv(tmp_path / "table.csv", index=False)
    output = tmp_path / "features.csv"
    assert run("extract", tmp_path / "table.csv", files[0], "--output", output) == 0
    written = pd.read_csv(output)
    assert list(written.columns[:4]) == [*table, *written.columns[3:4]]
    assert written["speaker"].tolist()[:2] == [3, 8]
    assert written["emotion"].isna().tolist() == [False, True, True]
    assert written.shape == (3, 3 + 88)
    table.assign(loudness_sma3_amean=1.0).to_csv(tmp_path / "table.csv", index=False)
    assert run("extract", tmp_path / "table.csv", "--output", output) == 2
    assert "'loudness_sma3_amean', also a feature" in capsys.readouterr().err


def test_extract_tells_what_failed_by_its_status(emodb, tmp_path, capsys):
    files = [str(path) for path in sorted((emodb / "wav").glob("*.wav"))]
    broken = [tmp_path / f"broken{k}.wav" for k in range(12)]
    for path in broken:
        path.write_text("no audio")
    output = tmp_path / "features.csv"
    with pytest.warns(UserWarning, match="No features for 12 of"):
        assert run("extract", *files, *broken, "--output", output) == 1
    lines = capsys.readouterr().err.splitlines()
    assert {f"no features: {path}" for path in broken} <= {*lines}
    assert len(pd.read_csv(output)) == len(files) + 12
    assert not list(tmp_path.glob(".*"))  # no other file is left


def test_extract_finds_recordings_of_all_formats(tmp_path):
    wave = 0.1 * np.sin(np.arange(24000) / 9)
    for name, form in (("a.aiff", {}), ("b.AU", {"format": "AU"}), ("c.flac", {})):
        sf.write(tmp_path / name, wave, 24000, **form)
    sf.write(tmp_path / "d.opus", wave, 24000, format="OGG", subtype="OPUS")
    output = tmp_path / "features.csv"
    assert run("extract", tmp_path, "--output", output, "--channel", "0") == 0
    found = [Path(file).name for file in pd.read_csv(output)["file"]]
    assert found == ["a.aiff", "b.AU", "c.flac", "d.opus"]


def test_extract_writes_all_or_nothing(emodb, tmp_path, monkeypatch):
    output = tmp_path / "features.csv"
    output.write_text("before")

    def half(table, path, **kwargs):
        Path(path).write_text("half")
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    assert run("extract", emodb, "--output", output) == 2
    assert output.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [output.name]


def test_a_bad_output_is_found_before_the_work(emodb, tmp_path, capsys, monkeypatch):
    def never(self, X):
        raise AssertionError("the features were computed")

    monkeypatch.setattr(EGeMAPS, "transform", never)
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    for output, message in (
        ("file/f.csv", "cannot be written"),
        ("folder.csv", "is a folder"),
        ("f.xlsx", "must end in"),
    ):
        assert run("extract", emodb, "--output", tmp_path / output) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.wav", "--output", "f.txt"], "must end in .csv or .parquet"),
        (["{empty}", "--output", "{empty}/f.csv"], "holds no recording"),
        (["{table}", "--output", "{empty}/f.csv"], "needs a column 'file'"),
        (["{table}", "--output", "{table}"], "is one of the inputs"),
        (["{empty}/no.wav", "--output", "f.csv"], "There is no file or folder"),
    ],
)
def test_extract_faults(arguments, message, tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("name\nx.wav\n")
    (tmp_path / "empty").mkdir()
    filled = [a.format(empty=tmp_path / "empty", table=table) for a in arguments]
    assert run("extract", *filled) == 2
    assert message in capsys.readouterr().err


def test_the_installed_program():
    result = subprocess.run(
        [sys.executable, "-c", "import sys; from sklearn_ser.cli import main; "
         "sys.argv[0] = 'sklearn-ser'; main(['--help'])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "evaluate" in result.stdout
    assert "extract" in result.stdout
