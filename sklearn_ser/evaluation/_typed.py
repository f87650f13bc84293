"""Parameters as plain JSON that tells their types, and back."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import joblib
import numpy as np
from sklearn import config_context
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object

from ..metrics._scorer import SpeakerScorer

# The most elements of an array that are written out; of others, a digest.
_WRITTEN = 1000
# What depends on the machine, and not the numbers on it.
_LEFT_OUT = ("memory",)
_METHODS = ("fit", "partial_fit", "predict", "predict_proba", "score", "transform")


def encode(value: Any) -> Any:
    """Write a value as plain JSON.

    Estimators are written by class and parameters, classes and functions by where they
    are imported from. What cannot be built again is written as ``"opaque"``, with a
    digest where there can be one: fitted models, large arrays, functions that cannot be
    imported. Paths, and all that is called ``memory``, are left out.

    Parameters
    ----------
    value : object
        A parameter, or an estimator.

    Returns
    -------
    None, bool, int, float, str, list or dict
        A dict has one key, which names the type, or that of an estimator several.
    """
    if isinstance(value, str):
        return {"path": None} if os.path.isabs(value) else str(value)
    if isinstance(value, os.PathLike):
        return {"path": None}
    if isinstance(value, np.generic | np.ndarray):
        return _encode_numpy(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [encode(x) for x in value]
    if isinstance(value, tuple):
        kind = {} if type(value) is tuple else {"kind": path_of(type(value))}
        return {"tuple": [encode(x) for x in value], **kind}
    if isinstance(value, set | frozenset):
        return {type(value).__name__: sorted(map(encode, value), key=json.dumps)}
    if isinstance(value, Mapping) and type(value) is dict:
        return {"dict": [[encode(k), encode(x)] for k, x in value.items()]}
    return _encode_object(value)


def decode(value: Any, place: str = "estimator") -> Any:
    """Build a value from what `encode` has written.

    It imports the modules that are named, and calls the classes: no further than
    estimators, splitters, dataclasses and scorers.

    Parameters
    ----------
    value : object
        Plain JSON.
    place : str, default="estimator"
        What it is called in an error.

    Returns
    -------
    object
        The value.

    Raises
    ------
    ValueError
        If it cannot be built, or is not what a card may name.
    """
    if isinstance(value, list):
        return [decode(x, f"{place}[{i}]") for i, x in enumerate(value)]
    if not isinstance(value, dict):
        return value
    for kind, build in _DECODERS.items():
        if kind in value:
            return build(value, place)
    raise ValueError(f"{place} of the card is of no known type: {sorted(value)}.")


def digest_of(value: Any) -> str:
    """Return a checksum of plain JSON.

    Parameters
    ----------
    value : object
        What `encode` has written.

    Returns
    -------
    str
        The same for the same value, in any process.
    """
    text = json.dumps(value, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def path_of(value: Any) -> str:
    """Return where a class or a function is imported from.

    Parameters
    ----------
    value : type or callable
        It has a name.

    Returns
    -------
    str
        As in ``"sklearn.svm._classes:SVC"``.
    """
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    module = getattr(value, "__module__", None) or "numpy"  # ufuncs have none
    return f"{module}:{name}"


def _encode_numpy(value: Any) -> Any:
    """Write a number or an array of numpy, with its dtype."""
    if isinstance(value, np.generic):
        return {"scalar": encode(value.item()), "dtype": value.dtype.str}
    if value.size > _WRITTEN or value.dtype.kind not in "biufUO":
        return _opaque(value, shape=list(value.shape), dtype=value.dtype.str)
    items = [encode(x) for x in value.ravel().tolist()]
    return {"array": items, "shape": list(value.shape), "dtype": value.dtype.str}


def _encode_object(value: Any) -> Any:
    """Write a class, a function, an estimator, or another object."""
    if (
        isinstance(value, type)
        or inspect.isroutine(value)
        or isinstance(value, np.ufunc)
    ):
        kind = "class" if isinstance(value, type) else "function"
        path = path_of(value)
        return {kind: path} if _found(path) is value else _opaque(value, name=path)
    if isinstance(value, partial):
        parts = {"args": list(value.args), "keywords": value.keywords}
        return {
            "partial": encode(value.func),
            **{k: encode(x) for k, x in parts.items()},
        }
    if hasattr(value, "get_params") and not isinstance(value, FrozenEstimator):
        return _encode_estimator(value)
    if not _is_allowed(type(value)):
        return _opaque(value)
    try:
        written = {"object": path_of(type(value)), "params": _arguments(value)}
        # Only if nothing of it is lost, such as what was set after it was made.
        is_whole = joblib.hash(decode(written)) == joblib.hash(value)
    except Exception:  # its constructor, and pickle, raise what they like
        return _opaque(value)
    return written if is_whole else _opaque(value)


def _encode_estimator(estimator: Any) -> dict[str, Any]:
    """Write an estimator: its class, parameters and metadata requests."""
    params = {
        name: encode(value)
        for name, value in sorted(estimator.get_params(deep=False).items())
        if name not in _LEFT_OUT
    }
    requests = _requests(estimator)
    return {
        "estimator": path_of(type(estimator)),
        "params": params,
        **({"requests": requests} if requests else {}),
    }


def _requests(estimator: Any) -> dict[str, Any]:
    """Return the metadata requests of an estimator that its class does not make."""
    request = get_routing_for_object(estimator)
    if not isinstance(request, MetadataRequest):
        return {}
    try:
        usual = get_routing_for_object(type(estimator)())
    except Exception:  # a constructor of the user's, with parameters that it needs
        usual = None
    changed = {}
    for method in _METHODS:
        asked = dict(getattr(request, method).requests)
        known = dict(getattr(usual, method).requests) if usual is not None else {}
        other = {k: v for k, v in asked.items() if v is not None and known.get(k) != v}
        if other:
            changed[method] = other
    return changed


def _opaque(value: Any, **more: Any) -> dict[str, Any]:
    """Write what cannot be built again: its type, and a digest if it has one."""
    try:
        digest = joblib.hash(value)
    except Exception:  # pickle calls methods of the user's, which raise what they like
        digest = None
    return {"opaque": path_of(type(value)), "digest": digest, **more}


def _arguments(value: Any) -> dict[str, Any]:
    """Write the arguments of a constructor that keeps them under their names."""
    names = [p for p in inspect.signature(type(value)).parameters if hasattr(value, p)]
    return {name: encode(getattr(value, name)) for name in names}


def _is_allowed(kind: Any) -> bool:
    """Tell whether a card may name a class, to be called with arguments."""
    if not isinstance(kind, type):
        return False
    methods = ({"get_params", "set_params"}, {"split", "get_n_splits"})
    is_known = any(all(hasattr(kind, m) for m in of_kind) for of_kind in methods)
    return is_known or dataclasses.is_dataclass(kind) or issubclass(kind, SpeakerScorer)


def _found(path: str) -> Any:
    """Import what a path names, None where there is nothing."""
    module, _, names = path.partition(":")
    try:
        value: Any = import_module(module)
        for name in names.split("."):
            value = getattr(value, name)
    except (ImportError, AttributeError, ValueError):
        return None
    return value


def _import(path: Any, place: str) -> Any:
    """Import what a path names, or say that it is not there."""
    value = _found(path) if isinstance(path, str) else None
    if value is None:
        raise ValueError(
            f"{place} of the card is {path}, which cannot be imported here: install "
            "its library, or give the estimator."
        )
    return value


def _build(value: dict[str, Any], place: str) -> Any:
    """Call a class that a card may name."""
    path = value.get("estimator") or value.get("object")
    kind = _import(path, place)
    if not _is_allowed(kind):
        raise ValueError(
            f"{place} of the card is {path}, which is neither an estimator nor a "
            "splitter, a scorer or a dataclass: it is not built."
        )
    params = {k: decode(x, f"{place}.{k}") for k, x in value["params"].items()}
    built = kind(**params)
    with config_context(enable_metadata_routing=True):
        for method, asked in value.get("requests", {}).items():
            getattr(built, f"set_{method}_request")(**asked)
    return built


def _decode_array(value: dict[str, Any], place: str) -> Any:
    """Build an array from its elements."""
    array = np.empty(len(value["array"]), dtype=np.dtype(value["dtype"]))
    for index, x in enumerate(value["array"]):
        array[index] = decode(x, place)
    return array.reshape(value["shape"])


def _decode_partial(value: dict[str, Any], place: str) -> Any:
    """Build a function some of whose arguments are given."""
    args, keywords = (decode(value[name], place) for name in ("args", "keywords"))
    return partial(decode(value["partial"], place), *args, **keywords)


def _decode_tuple(value: dict[str, Any], place: str) -> Any:
    """Build a tuple, also one with names."""
    items = [decode(x, place) for x in value["tuple"]]
    if "kind" not in value:
        return tuple(items)
    kind = _import(value["kind"], place)
    if not (isinstance(kind, type) and issubclass(kind, tuple)):
        raise ValueError(f"{place} of the card is {value['kind']}, which is no tuple.")
    return kind(*items)


def _refuse(value: dict[str, Any], place: str) -> Any:
    """Say that something is not on a card."""
    what = "a path" if "path" in value else f"a {value['opaque']}"
    raise ValueError(
        f"{place} is {what}, which is not on the card: give the estimator itself, by "
        "estimator=."
    )


_DECODERS: dict[str, Callable[[dict[str, Any], str], Any]] = {
    "estimator": _build,
    "object": _build,
    "tuple": _decode_tuple,
    "dict": lambda v, p: {decode(k, p): decode(x, f"{p}[{k}]") for k, x in v["dict"]},
    "array": _decode_array,
    "scalar": lambda v, p: np.dtype(v["dtype"]).type(decode(v["scalar"], p)),
    "float": lambda v, p: float(v["float"]),
    "set": lambda v, p: set(decode(v["set"], p)),
    "frozenset": lambda v, p: frozenset(decode(v["frozenset"], p)),
    "class": lambda v, p: _import(v["class"], p),
    "function": lambda v, p: _import(v["function"], p),
    "partial": _decode_partial,
    "path": _refuse,
    "opaque": _refuse,
}
