"""What recipes declare, and who reads it."""

import ast
import inspect
import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import sklearn_ser
from sklearn_ser import MFCC, EGeMAPS, estimators, recipes
from sklearn_ser._needs import needs
from sklearn_ser.datasets import make_emotional_speech

PACKAGE = Path(sklearn_ser.__file__).parent
READERS = sorted(
    [*(PACKAGE / "cli").glob("*.py"), *(PACKAGE / "evaluation").glob("*.py")]
)
RECIPES = {name: getattr(recipes, name) for name in recipes.__all__}
PRETRAINED = ["pseudo_siamese_gated", "psn", "pt", "pt_g"]


def test_a_declaration_stays_and_changes_nothing_else():
    @needs(seed=True, label=("valence",))
    def recipe(one, *, two=2):
        """Say what it is."""
        return one, two

    assert recipe(1) == (1, 2)
    assert recipe.__doc__ == "Say what it is."
    assert list(inspect.signature(recipe).parameters) == ["one", "two"]
    assert recipe.needs == recipes.Needs(seed=True, label=("valence",))
    with pytest.raises(FrozenInstanceError):
        recipe.needs.seed = False


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_take_what_they_declare(name):
    declared = RECIPES[name].needs
    common = {"memory": None, "n_jobs": 1, "on_error": "nan", "verbose": False}
    model = RECIPES[name](**common)
    offers = {
        "random_state": (declared.seed, 0),
        "schedule": (declared.schedule, "small_corpus"),
        "front_end": (declared.schedule, MFCC(duration=None)),
        "label": (bool(declared.label), None),
        "auxiliary_corpora": (declared.auxiliary_corpora, None),
        "condition": (bool(declared.condition), "gender"),
    }
    for parameter, (is_declared, value) in offers.items():
        if is_declared:
            assert type(RECIPES[name](**{parameter: value})) is type(model)
        else:
            with pytest.raises(TypeError, match=parameter):
                RECIPES[name](**{parameter: value})


def test_what_recipes_declare():
    with_label = {name: x.needs.label for name, x in RECIPES.items() if x.needs.label}
    assert with_label == {"metric_dae": ("activation", "valence")}
    assert [x for x in RECIPES if RECIPES[x].needs.condition] == ["cvae_lstm"]
    assert [x for x in RECIPES if RECIPES[x].needs.auxiliary_corpora] == PRETRAINED
    settled = [x for x in RECIPES if RECIPES[x].needs.settle is not None]
    assert settled == ["cnn_blstm", *PRETRAINED]
    assert recipes.DEFAULT in RECIPES


# What follows a front end that was changed


@pytest.mark.parametrize("name", ["cnn_blstm", *PRETRAINED])
def test_segments_follow_the_front_end(name):
    model = RECIPES[name]()
    changed = {"spectrogramsegmenter__f_max": 250.0}
    model.set_params(**changed)
    assert model["pseudosiamesegated"].segment_shape == (32, 129)
    assert RECIPES[name].needs.settle(model, [], changed) is None
    assert model["pseudosiamesegated"].segment_shape == (32, 9)
    shape = {"pseudosiamesegated__segment_shape": (4, 72)}
    model.set_params(**shape)
    RECIPES[name].needs.settle(model, [], changed | shape)
    assert model["pseudosiamesegated"].segment_shape == (4, 72)


def test_auxiliary_corpora_are_made_by_the_front_end():
    corpus = make_emotional_speech(n_speakers=1, n_repetitions=1)
    model = recipes.psn()
    model.set_params(spectrogramsegmenter__f_max=250.0)
    made = recipes.psn.needs.settle(model, [corpus], {})
    assert made.names == ("synthetic",)
    assert made.n_features == 32 * 9
    assert model["pseudosiamesegated"].auxiliary_corpora is made


@pytest.mark.parametrize("name", ["fusion", "auxiliary_corpora"])
def test_auxiliary_corpora_without_effect_are_refused(name):
    corpus = make_emotional_speech(n_speakers=1, n_repetitions=1)
    changed = {f"pseudosiamesegated__{name}": None}
    model = recipes.psn().set_params(**changed)
    with pytest.raises(ValueError, match=f"no effect with pseudosiamesegated__{name}="):
        recipes.psn.needs.settle(model, [corpus], changed)
    assert recipes.psn.needs.settle(model, [], changed) is None


def test_a_step_that_was_replaced_has_nothing_to_follow():
    model = recipes.psn()
    model.set_params(spectrogramsegmenter=EGeMAPS(), pseudosiamesegated="passthrough")
    assert recipes.psn.needs.settle(model, [], {}) is None


# Who reads it


def words_of(path):
    """Return the words in all names and texts of a file, but not in docstrings."""
    words = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None  # a docstring: it comes before what is in it
        for _, value in ast.iter_fields(node):
            if isinstance(value, str):
                words.update(re.split(r"__|[^\w]", value))
    return words


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.name)
def test_readers_name_no_recipe_and_no_estimator(path):
    # Not Schedule, which all networks have.
    classes = {*estimators.__all__} - {"Schedule"}
    classes |= {"SpeedPerturbation", "AuxiliaryCorpora"}
    named = {*RECIPES, *classes, *map(str.lower, classes), "segment_shape"}
    assert words_of(path) & named == set()


def test_words_are_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        '"""Of psn."""\nfrom x import MEnAN\nf(**{"svc__C": 1}, dat=a.pt)\nb"no text"\n'
    )
    assert words_of(path) >= {"MEnAN", "svc", "C", "dat", "pt"}
    assert "psn" not in words_of(path)
