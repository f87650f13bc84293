"""A parameter that means the same everywhere is described in the same words."""

import importlib
import inspect

import pytest
from numpydoc.docscrape import NumpyDocString

import sklearn_ser

PUBLIC = (
    "sklearn_ser",
    "sklearn_ser.audio",
    "sklearn_ser.augmentation",
    "sklearn_ser.datasets",
    "sklearn_ser.estimators",
    "sklearn_ser.evaluation",
    "sklearn_ser.features",
    "sklearn_ser.losses",
    "sklearn_ser.metrics",
    "sklearn_ser.nets",
    "sklearn_ser.plotting",
    "sklearn_ser.recipes",
    "sklearn_ser.sequences",
)

OF_ESTIMATORS = {
    "class_weight": (
        "Weights of the classes in the cross-entropy, as in scikit-learn: "
        '``"balanced"`` makes up for their frequencies among the utterances that are '
        "trained on."
    ),
    "standardize": (
        "Whether to standardise each feature by its mean and standard deviation over "
        "all frames or segments that are trained on."
    ),
    "dropout": "Share of the values that are dropped in training:",
    "weight_decay": (
        "Penalty on large weights: the `weight_decay` of the torch optimiser, which "
        "adds so much of each weight to its gradient (L2). 0 is none."
    ),
    "early_stopping": (
        "Whether to hold out some speakers, to stop when the loss on them no longer "
        "falls, and to keep the weights of the best epoch. Needs `groups` in `fit`."
    ),
    "validation_fraction": "Share of the speakers to hold out for early stopping.",
    "validation_groups": (
        "The speakers to hold out for early stopping, named as in `groups`; None draws "
        "them by `validation_fraction`. Names that are not in `groups` are passed "
        "over, so that folds may lack some. A dict names for a speaker another one, "
        "such as the partner in a session, who is held out where the first is not in "
        "`groups`."
    ),
    "n_iter_no_change": (
        "Epochs without improvement after which early stopping stops."
    ),
    "tol": "Smallest improvement of the loss that counts for early stopping.",
    "device": (
        'Where to compute: ``"auto"`` takes CUDA where there is one, else the CPU.'
    ),
    "n_jobs": (
        "Threads of a fit and of a prediction; None means 1 unless in a "
        ":obj:`joblib.parallel_config` context, -1 means all processors. Worker "
        "processes have one each. Sums of several threads are rounded otherwise than "
        "those of one."
    ),
    "random_state": (
        "Seed of all that is random in `fit`: first weights, batches, held-out "
        "speakers. The same integer gives the same result under every joblib backend, "
        "and touches no global random state; None draws a seed from numpy's."
    ),
    "verbose": "Whether to show a progress bar over the epochs.",
    "net_params": (
        "Further parameters of the skorch net, merged last, for instance "
        '``{"optimizer__eps": 1e-6}``.'
    ),
}

OF_FEATURES = {
    "channel": (
        "Which channel of a recording is taken, counted from 0, or the mean of all. A "
        "silent channel beside others is warned of; channels that cancel each other in "
        "their mean are a fault."
    ),
    "n_jobs": (
        "Number of threads; None means 1 unless in a :obj:`joblib.parallel_config` "
        "context, -1 means all processors."
    ),
    "memory": (
        "Where the features of each recording are cached, by default nowhere. The "
        "content of a recording and the settings are the key: a renamed file is found "
        "again, a changed one is not, and faulty recordings are never cached."
    ),
    "on_error": (
        'What a faulty recording does. "raise" raises an error at once; "nan" gives a '
        'row of NaN, or a sequence without frames; "warn" does the same, and lists all '
        "such recordings in one warning at the end."
    ),
    "verbose": "Whether to show a progress bar over the recordings.",
}

OF_RECIPES = {
    "early_stopping": (
        "Whether to hold out some of the training speakers, to stop when the loss on "
        "them no longer falls, and to keep the weights of the best epoch; `fit` then "
        "needs ``groups``."
    ),
    "random_state": (
        "Seed of all that is random in `fit`; None draws one from numpy's."
    ),
    "memory": (
        "Where the front end caches the features of each recording; by default nowhere."
    ),
    "n_jobs": "Number of threads in which the front end computes the features.",
    "on_error": "What the front end does with a faulty recording: see its parameter.",
    "verbose": "Whether to show progress bars over recordings and epochs.",
}

# What one of them needs to say beside that.
MORE = {
    ("ContrastiveSiamese", "class_weight"): "The other losses have no weights.",
    ("ContrastiveSiamese", "standardize"): (
        "The paper standardises, and does not say over what. What is padded then "
        "stands for the mean."
    ),
    ("CVAE", "standardize"): "The paper says nothing of it; squared errors need it.",
    ("PseudoSiameseGated", "standardize"): (
        "Each auxiliary corpus is standardised by its own statistics. Not published."
    ),
    ("ContrastiveSiamese", "dropout"): (
        "those before the linear layers. What is contrasted at the features is not "
        "dropped."
    ),
    ("MEnAN", "dropout"): "those before both heads, the same for both.",
    ("PseudoSiameseGated", "dropout"): (
        "those before the softmax layer, in the last phase."
    ),
    ("SequenceClassifier", "dropout"): (
        "those before each layer but the first and before the linear layer."
    ),
    ("PseudoSiameseGated", "weight_decay"): "All phases have it.",
    ("MEnAN", "early_stopping"): (
        "It watches the loss of the emotions, and no speaker may be missing."
    ),
    ("PseudoSiameseGated", "early_stopping"): (
        "The second and the third phase stop, each by itself."
    ),
    ("SequenceClassifier", "early_stopping"): (
        "The paper stops early, and does not say on what."
    ),
    ("ContrastiveSiamese", "random_state"): (
        'Also of the windows that ``testing="crop"`` draws.'
    ),
    ("PseudoSiameseGated", "verbose"): "Each phase has one.",
    ("CVAE", "net_params"): "The notes say more of Adam's.",
    ("PseudoSiameseGated", "net_params"): "They go to the nets of all phases.",
    ("EGeMAPS", "n_jobs"): "openSMILE lets them run side by side.",
    ("SpeechEmbedding", "memory"): (
        "With `pooling`, the statistics of all layers are kept, so that a search over "
        "`layer` and `pooling` reads each recording once."
    ),
    (
        "cvae_lstm",
        "early_stopping",
    ): "The autoencoder and the classifier each stop by themselves.",
    ("pseudo_siamese_gated", "memory"): (
        "The trained branches are kept there, too, if `random_state` is an integer: "
        "fits on the same data share them where they differ only in the fusion, as "
        "`pt` and `pt_g` do, or `psn` and this recipe."
    ),
    ("pseudo_siamese_gated", "on_error"): "The same holds for the auxiliary corpora.",
}


def public():
    """Return each public class and function once, by its name."""
    found = {}
    for path in PUBLIC:
        module = importlib.import_module(path)
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if getattr(value, "__module__", "").startswith("sklearn_ser."):
                found.setdefault(value, name)
    return {name: value for value, name in found.items()}


def described(value):
    """Return the type and the text of each parameter in a docstring."""
    documented = NumpyDocString(inspect.getdoc(value))["Parameters"]
    return {
        name.strip(): (entry.type, " ".join(" ".join(entry.desc).split()))
        for entry in documented
        for name in entry.name.split(",")
    }


def shared(name, value):
    """Return what the parameters of a public name are to be described as."""
    if value.__module__.endswith("._recipe"):
        return OF_RECIPES
    if value.__module__.endswith("._estimator") and inspect.isclass(value):
        return OF_ESTIMATORS
    if value.__module__.startswith("sklearn_ser.features.") and hasattr(
        value, "get_feature_names_out"
    ):
        return OF_FEATURES
    return {}


CASES = [
    pytest.param(name, value, parameter, id=f"{name}-{parameter}")
    for name, value in public().items()
    for parameter in described(value)
    if parameter in shared(name, value)
]


@pytest.mark.parametrize(("name", "value", "parameter"), CASES)
def test_one_parameter_one_text(name, value, parameter):
    texts = [shared(name, value)[parameter]]
    if (name, parameter) in MORE:
        texts.append(MORE[name, parameter])
    assert described(value)[parameter][1] == " ".join(texts)


@pytest.mark.parametrize(
    "parameter", sorted({*OF_ESTIMATORS, *OF_FEATURES} - {"memory", "verbose"})
)
def test_one_parameter_one_type(parameter):
    types = {
        described(value)[parameter][0].partition(", default=")[0]
        for name, value in public().items()
        if parameter in described(value) and shared(name, value)
    }
    assert len(types) == 1


def test_what_is_said_besides_is_said_somewhere():
    names = {(case.values[0], case.values[2]) for case in CASES}
    assert set(MORE) <= names


def test_every_parameter_is_described():
    for name, value in public().items():
        if not inspect.isclass(value) or not hasattr(value, "get_params"):
            continue
        missing = set(inspect.signature(value).parameters) - set(described(value))
        assert not missing, (name, missing)


def test_shared_parameters_are_those_of_every_deep_estimator():
    kinds = [v for n, v in public().items() if shared(n, v) is OF_ESTIMATORS]
    everywhere = set.intersection(*(set(described(kind)) for kind in kinds))
    assert everywhere >= set(OF_ESTIMATORS) - {
        "class_weight",
        "dropout",
        "standardize",
    }
    assert sklearn_ser.MetricDAE in kinds
