"""What the command line reads from recipes and loaders, and names it understands."""

import json

import numpy as np
import pytest
import soundfile as sf

from sklearn_ser import SpeechEmbedding, recipes
from sklearn_ser._needs import needs
from sklearn_ser.cli import _evaluate, _parser, main
from sklearn_ser.cli._corpora import loaders, rated_corpora
from sklearn_ser.cli._recipes import build_recipe, check_recipe
from sklearn_ser.features._egemaps import FEATURE_SETS

NETWORKS = [name for name in recipes.__all__ if getattr(recipes, name).needs.schedule]


def shown_by(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out + printed.err


def evaluate(*arguments):
    return main(["evaluate", "--quiet", *map(str, arguments)])


def test_recipes_corpora_and_features_are_read(capsys):
    status, text = shown_by(capsys, "evaluate", "--help")
    assert status == 0
    assert "{" + ",".join(recipes.__all__) + "}" in text
    assert "{synthetic," + ",".join(loaders()) + "}" in text
    assert f"(default: {recipes.DEFAULT})" in text
    status, text = shown_by(capsys, "extract", "--help")
    assert "{" + ",".join(FEATURE_SETS) + "}" in text


@pytest.mark.slow
def test_a_new_recipe_needs_no_word_in_the_command_line(monkeypatch, capsys, tmp_path):
    """What it declares is what it is given."""
    given = {}

    @needs(label=("dominance",))
    def seedless(**settings):
        given.update(settings)
        return recipes.egemaps_svc()

    monkeypatch.setattr(recipes, "seedless", seedless, raising=False)
    monkeypatch.setattr(recipes, "__all__", [*recipes.__all__, "seedless"])
    common = ("--recipe", "seedless", "--folds", 2, "--output", tmp_path)
    assert evaluate(*common, "--cache", tmp_path / "cache") == 0
    assert given.pop("label") == "dom"
    assert given == {"memory": str(tmp_path / "cache"), "n_jobs": -1,
                     "on_error": "warn"}  # fmt: skip
    assert "seedless, label dom, seed 0" in capsys.readouterr().out
    assert evaluate(*common, "--label", "act+dom") == 2
    shown = capsys.readouterr().err
    assert "--recipe seedless learns from dominance, not from activation: " in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "target", "given"),
    [
        ("val+activation", "emotion", ("act", "val")),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                (None, "val", "val"),
                ("none", "emotion", None),
                (None, "emotion", "act"),
                (None, "activation", "act"),
                ("act", "valence", "act"),
                ("valence", "emotion", "val"),
                ("act+val", "emotion", ("act", "val")),
            ]
        ),
    ],
)
def test_labels_by_long_and_short_names(
    tmp_path, feature_cache, monkeypatch, label, target, given
):
    monkeypatch.setattr(_evaluate, "_draw", lambda evaluation, folder: [])
    options = ["--target", target, *(("--label", label) if label else ())]
    status = evaluate(
        *options, "--folds", 2, "--set", "metricdae__max_epochs=1",
        "--output", tmp_path, "--cache", feature_cache,
    )  # fmt: skip
    assert status == 0
    settings = json.loads((tmp_path / "scores.json").read_text())["settings"]
    assert settings["estimator"]["metricdae__label"] == repr(given)
    expected = {"val": "valence"}.get(target, target)
    assert settings["target"] == settings["command"]["target"] == expected
    assert settings["command"]["labels_from"] == ("the corpus" if given else "not used")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--label", "arousal"], "'arousal' is not a dimension"),
        (["--label", "act+"], "Give one, several with + between them, or none."),
        (["--target", "joy"], "invalid choice: 'joy'"),
        (["--recipe", "svm"], "invalid choice: 'svm'"),
    ],
)
def test_names_that_are_none(capsys, options, message):
    status, text = shown_by(capsys, "evaluate", *options)
    assert status == 2
    assert message in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--label", "dominance"],
            "--recipe metric_dae learns from activation and valence, not from "
            "dominance: leave it out of --label.",
        ),
        (
            ["--recipe", "menan", "--label", "none"],
            "--label goes with --recipe metric_dae, not menan.",
        ),
        (
            ["--recipe", "cnn_blstm", "--auxiliary", "emodb=x"],
            "--auxiliary goes with --recipe pseudo_siamese_gated, psn, pt, pt_g, not "
            "cnn_blstm.",
        ),
        (
            ["--recipe", "egemaps_svc", "--schedule", "small_corpus"],
            f"--schedule goes with --recipe {', '.join(NETWORKS)}, not egemaps_svc.",
        ),
        (["--corpus", "emodb"], "--corpus emodb needs --data-home, the folder that "
                                "holds it."),
        (["--recipe", "psn", "--set", "x"], "takes STEP__PARAMETER=VALUE, got 'x'."),
    ],
)  # fmt: skip
def test_options_that_have_no_effect(capsys, tmp_path, options, message):
    assert evaluate("--output", tmp_path / "out", *options) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("sklearn-ser: ")
    assert shown.endswith(f"{message}\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_what_to_do_without_ratings(capsys, tmp_path):
    """The corpus at hand is never what is advised."""
    assert evaluate("--output", tmp_path, "--target", "dom") == 2
    shown = capsys.readouterr().err
    assert "--target dominance needs ratings, and synthetic comes without: " in shown
    assert shown.endswith("choose --corpus aesdd, cafe, emodb, urdu, with a table "
                          "of them in --dimensions.\n")  # fmt: skip
    (tmp_path / "wav").mkdir()
    sf.write(tmp_path / "wav" / "03a01Wa.wav", np.zeros(1600), 16000)
    table = tmp_path / "table.csv"
    table.write_text("filename,activation,valence \n03a01Wa.wav,2,3\n")
    options = ("--corpus", "emodb", "--data-home", tmp_path, "--dimensions", table)
    assert evaluate("--output", tmp_path, "--target", "dominance", *options) == 2
    shown = capsys.readouterr().err
    assert shown.endswith("the table of --dimensions needs a column of dominance.\n")


def test_loaders_that_take_ratings():
    assert rated_corpora() == ["aesdd", "cafe", "emodb", "urdu"]
    assert set(loaders()) > {*rated_corpora(), "crema-d", "iemocap"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "folds", "threads"),
    [([], "auto", -1), (["--n-jobs", 1], 1, 1), (["--n-jobs", 3], 3, 3)],
)
def test_processors_for_folds_and_features(
    monkeypatch, tmp_path, options, folds, threads
):
    def spying(estimator, corpus, *, n_jobs, **settings):
        assert n_jobs == folds
        assert estimator[0].n_jobs == threads
        raise ValueError("Seen.")

    monkeypatch.setattr("sklearn_ser.evaluation.evaluate_by_speaker", spying)
    with pytest.raises(ValueError, match=r"Seen\."):
        evaluate("--recipe", "egemaps_svc", "--debug", "--output", tmp_path, *options)


@pytest.mark.parametrize(
    ("recipe", "options", "step"),
    [
        ("metric_dae", ["--layer", 1], {"layer": 1, "pooling": "mean_std"}),
        ("contrastive_siamese", [], {"layer": "middle", "pooling": None}),
        ("embedding_svc", ["--layer", 2], {"layer": [2]}),
        ("embedding_svc", [], {"layer": [0, 1, 2, 3, 4]}),
    ],
)
def test_a_speech_encoder_in_the_place_of_the_features(recipe, options, step):
    arguments = ["evaluate", "--recipe", recipe, "--embedding", "a/model", *options]
    parsed = _parser().parse_args([*map(str, arguments), "--cache", "kept"])
    check_recipe(parsed)
    front_end = build_recipe(parsed)[0]
    assert isinstance(front_end, SpeechEmbedding)
    found = front_end.get_params()
    assert found["model"] == "a/model"
    assert found["memory"] == "kept"
    assert {name: found[name] for name in step} == step


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "egemaps_svc", "--embedding", "m"], "--embedding goes with"),
        (["--recipe", "psn", "--embedding", "m"], "--embedding goes with"),
        (["--recipe", "metric_dae", "--layer", 1], "--layer goes with --embedding"),
    ],
)
def test_where_no_speech_encoder_goes(options, message, tmp_path, capsys):
    assert evaluate(*options, "--output", tmp_path / "output") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "output").exists()
