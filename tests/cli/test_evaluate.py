"""``sklearn-ser evaluate``, as a user calls it."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from tests.cli.helpers import run


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
    (pooled,) = (x for x in printed.out.splitlines() if x.startswith("pooled"))
    assert f"{scores['ua']:.3f}" in pooled
    # Far above the four classes' chance; 0.59 to 0.63 over five seeds.
    assert scores["ua"] > 0.45


def test_evaluate_a_corpus_with_broken_files(
    broken_emodb, tmp_path, capsys, feature_cache
):
    with pytest.warns(UserWarning, match="No features for 2 of 20 recordings"):
        status = run(
            *("evaluate", "--corpus", "emodb", "--data-home", broken_emodb, "--quiet"),
            *("--recipe", "egemaps_svc", "--output", tmp_path, "--n-jobs", 1),
            *("--cache", feature_cache),
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


@pytest.mark.slow
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


@pytest.mark.slow
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
                (
                    ["--set", "svc__D=1"],
                    "--set svc__D: the recipe has no such parameter",
                ),
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
            "tess, urdu as the corpus, or ",
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
