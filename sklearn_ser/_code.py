"""What tells the code of a class apart that stands in no file, as in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

# What a constant of a notebook may be, to be told apart by its text.
_PLAIN = (str, bytes, bool, int, float, complex, type(None))


def code_in_memory(kind: Any) -> list[str]:
    """Describe the code of a class, and what it uses, as far as no file holds it.

    Parameters
    ----------
    kind : type or callable
        The class, whose bases are looked at, too; or a function. Anything else has no
        code.

    Returns
    -------
    list of str
        Others after each change of a method, or of a function, class or constant of
        the same module that it uses. Empty for a class from a file.
    """
    texts: list[str] = []
    seen: set[int] = set()
    if isinstance(kind, FunctionType) and not _is_in_file(kind):
        texts += _of_function(kind, seen)
    for cls in getattr(kind, "__mro__", ()):
        texts += _of_class(cls, seen)
    return texts


def _of_class(cls: type, seen: set[int]) -> Iterator[str]:
    """Describe the methods and the constants of a class."""
    methods = [(name, _function(value)) for name, value in sorted(vars(cls).items())]
    for name, function in methods:
        if function is not None and not _is_in_file(function):
            yield name
            yield from _of_function(function, seen)
    if any(f is not None and not _is_in_file(f) for _, f in methods):
        constants = {k: v for k, v in vars(cls).items() if not k.startswith("__")}
        yield from (f"{k}={v!r}" for k, v in constants.items() if _is_plain(v))


def _function(value: Any) -> FunctionType | None:
    """Return the function in a method, a property or a decorated one."""
    for name in ("__func__", "fget", "__wrapped__"):
        value = getattr(value, name, value)
    return value if isinstance(value, FunctionType) else None


def _is_in_file(function: FunctionType) -> bool:
    """Tell whether the file of its module is where a function was read from."""
    module = sys.modules.get(function.__module__)
    return function.__code__.co_filename == getattr(module, "__file__", None)


def _of_function(function: FunctionType, seen: set[int]) -> Iterator[str]:
    """Describe a function, and what it uses of its module."""
    if id(function) in seen:
        return
    seen.add(id(function))
    yield repr((function.__defaults__, function.__kwdefaults__))
    yield from _of_code(function.__code__)
    for name in sorted(_names(function.__code__)):
        value = function.__globals__.get(name)
        if _is_plain(value):
            yield f"{name}={value!r}"
        elif getattr(value, "__module__", None) == function.__module__:
            inner = _function(value)
            if inner is not None:
                yield from _of_function(inner, seen)
            elif isinstance(value, type) and id(value) not in seen:
                seen.add(id(value))
                yield from _of_class(value, seen)


def _of_code(code: CodeType) -> Iterator[str]:
    """Describe what is compiled, without the place where it was written."""
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        elif isinstance(constant, frozenset):  # whose order differs between processes
            yield repr(sorted(map(repr, constant)))
        else:
            yield repr(constant)


def _names(code: CodeType) -> set[str]:
    """Return the global names in a function and in those inside of it."""
    inner = (c for c in code.co_consts if isinstance(c, CodeType))
    return {*code.co_names}.union(*map(_names, inner))


def _is_plain(value: Any) -> bool:
    """Tell whether the text of a value tells it apart."""
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
