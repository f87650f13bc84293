"""One file for a fitted model: pipeline, card, description and versions."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from ..evaluation._origin import versions
from ..evaluation._protocol import drop_pretraining
from ._model_card import model_card
from ._trusted import TRUSTED

if TYPE_CHECKING:
    from ..evaluation import SpeakerEvaluation

FORMAT = 1
_MANIFEST, _CARD, _DESCRIPTION = "manifest.json", "card.json", "README.md"
# What fills the memory is refused before it is read: no model is as large.
_LARGEST = 4 * 1024**3
_Path = str | os.PathLike[str]


class ModelFileError(ValueError):
    """A file that is no model, was changed, or holds what is not trusted."""


def save(
    model: Any,
    path: _Path,
    *,
    evaluation: SpeakerEvaluation | None = None,
    trusted: Sequence[str] = (),
    overwrite: bool = False,
) -> Path:
    """Write a fitted model to one file.

    Parameters
    ----------
    model : estimator
        Fitted: a pipeline that begins with a front end, such as
        `evaluate_by_speaker` gives as `refitted`, or any other estimator.
    path : str or os.PathLike
        The file; by custom it ends in ``.skops``.
    evaluation : SpeakerEvaluation or None, default=None
        How good the model is: its card goes into the file. None takes the card that
        `refitted` models carry, and none where there is none.
    trusted : sequence of str, default=()
        Dotted names of types of your own that the model may hold; `load` needs them,
        too.
    overwrite : bool, default=False
        Whether to write over a file that is there.

    Returns
    -------
    pathlib.Path
        The file. It is written whole or not at all.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the file is there, or the model holds types that `load` does not trust.

    See Also
    --------
    load : Reads the file.

    Notes
    -----
    The file is a zip of skops, with three more members: the card, a manifest with
    versions and checksums, and a description in Markdown. What a model does not need to
    predict is left out: corpora of a pre-training, and folders of caches.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ser import models, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.logmel_baseline().fit(corpus.audio, corpus.emotion)
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = models.save(model, Path(folder.name) / "model.skops")
    >>> loaded = models.load(path)
    >>> bool((loaded.predict(corpus.audio) == model.predict(corpus.audio)).all())
    True
    >>> folder.cleanup()
    """
    import skops.io

    path = Path(path)
    if path.exists() and not overwrite:
        raise ValueError(f"{path} is there already: give another name, or overwrite.")
    check_is_fitted(model)
    card = getattr(model, "card_", None) if evaluation is None else evaluation.card
    model = _for_prediction(model)
    if card is not None:
        model.card_ = card
    body = skops.io.dumps(model)
    _refuse_others(_types_in(body, path), trusted, "The model", versions())
    members = {
        _CARD: json.dumps(card, indent=1).encode(),
        _DESCRIPTION: model_card(model, card).encode(),
    }
    _write(path, body, members)
    return path


def load(path: _Path, *, trusted: Sequence[str] = ()) -> Any:
    """Read a model, and nothing that could run code.

    Parameters
    ----------
    path : str or os.PathLike
        A file that `save` has written.
    trusted : sequence of str, default=()
        Dotted names of types of your own that the model may hold, such as
        ``"mypackage.MyFrontEnd"``, beside those of this library, scikit-learn, numpy
        and scipy.

    Returns
    -------
    estimator
        The fitted model; its attribute `card_` is the card, if it has one.

    Raises
    ------
    ModelFileError
        If the file is no model, was cut or changed, or holds types that are not
        trusted: nothing of it is then constructed.
    FileNotFoundError
        If there is no file.

    Warns
    -----
    UserWarning
        If another version of this library or of scikit-learn has written the file.

    See Also
    --------
    describe : Tells what a file holds, and constructs nothing.

    Notes
    -----
    Checksums tell of damage. They are no signature: whoever can write the file can
    write checksums, too, but no types that are not trusted.
    """
    import skops.io

    content = _read(path)
    manifest = content.manifest
    found = _types_in(content.body, path)
    _refuse_others(found, trusted, str(path), manifest["versions"])
    _warn_of_versions(path, manifest["versions"])
    try:
        model = skops.io.loads(content.body, trusted=sorted(found))
    except Exception as error:  # whatever a file of another version gives
        raise ModelFileError(
            f"{path} cannot be put together ({error}). It was written with "
            f"{_named(manifest['versions'])}."
        ) from error
    if getattr(model, "card_", None) != content.card:
        raise ModelFileError(
            f"The card in {path} is not that of its model: one of them was changed."
        )
    return model


def describe(path: _Path) -> dict[str, Any]:
    """Tell what a model file holds; nothing of it is constructed.

    Parameters
    ----------
    path : str or os.PathLike
        A file that `save` has written.

    Returns
    -------
    dict
        ``"card"``, that of the evaluation, or None; ``"description"``, in Markdown;
        ``"versions"`` of what has written it; ``"types"`` of this library and of
        others that it holds, with whether `load` trusts them; ``"bytes"``.

    Raises
    ------
    ModelFileError
        If the file is no model, or was cut or changed.
    """
    content = _read(path)
    found = sorted(_types_in(content.body, path))
    return {
        "card": content.card,
        "description": content.description,
        "versions": content.manifest["versions"],
        "types": {name: name in TRUSTED for name in found},
        "bytes": Path(path).stat().st_size,
    }


def _for_prediction(model: Any) -> Any:
    """Return a copy without what a prediction elsewhere cannot use."""
    model = copy.deepcopy(model)
    drop_pretraining(model)
    if hasattr(model, "get_params"):
        names = [n for n in model.get_params() if n.rpartition("__")[2] == "memory"]
        model.set_params(**dict.fromkeys(names))
    return model


def _write(path: Path, body: bytes, members: Mapping[str, bytes]) -> None:
    """Write the zip of skops with further members, at once."""
    buffer = io.BytesIO(body)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        names = archive.namelist()
        checksums = {name: _checksum(archive.read(name)) for name in names}
        checksums |= {name: _checksum(member) for name, member in members.items()}
        manifest = {"format": FORMAT, "versions": versions(), "sha256": checksums}
        for name, member in members.items():
            archive.writestr(name, member)
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        own.write_bytes(buffer.getvalue())
        os.replace(own, path)
    finally:
        own.unlink(missing_ok=True)


class _Content:
    """What a file holds: its bytes, and what the manifest says of them."""

    def __init__(self, body: bytes, members: dict[str, bytes]) -> None:
        self.body = body
        self.manifest = json.loads(members[_MANIFEST])
        self.card = json.loads(members[_CARD])
        self.description = members[_DESCRIPTION].decode()


def _read(path: _Path) -> _Content:
    """Read a file whole, and check it against its manifest."""
    body = Path(path).read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _LARGEST:
                raise ModelFileError(f"{path} would fill the memory: it is no model.")
            members = {info.filename: archive.read(info) for info in infos}
        content = _Content(body, members)
        known = content.manifest["sha256"]
        is_known_format = content.manifest["format"] == FORMAT
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{path} is no model, or was cut ({error}): models are written by "
            "sklearn_ser.models.save."
        ) from error
    if not is_known_format:
        raise ModelFileError(
            f"{path} has the format {content.manifest['format']}, and this version "
            f"reads {FORMAT}: load it with {_named(content.manifest['versions'])}."
        )
    found = {n: _checksum(m) for n, m in members.items() if n != _MANIFEST}
    changed = {name for name, _ in found.items() ^ known.items()}
    if changed or len(infos) != len(members):
        what = ", ".join(sorted(changed)) or "a member that is there twice"
        raise ModelFileError(
            f"{path} was changed after it was written: {what}. Get it anew."
        )
    return content


def _types_in(body: bytes, path: _Path) -> list[str]:
    """Name the types that skops does not trust by itself; construct nothing."""
    import skops.io

    try:
        found: list[str] = skops.io.get_untrusted_types(data=body)
    except Exception as error:  # whatever a schema of another making gives
        raise ModelFileError(
            f"{path} holds no model that skops can read ({error}): it was changed, or "
            "another version has written it."
        ) from error
    return found


def _refuse_others(
    found: Sequence[str], trusted: Sequence[str], what: str, by: Mapping[str, Any]
) -> None:
    """Refuse types that are in no list."""
    others = sorted({*found} - TRUSTED - {*trusted})
    if others:
        raise ModelFileError(
            f"{what} holds {', '.join(others)}, which is not trusted: nothing was "
            f"loaded. It was written with {_named(by)}. If you know these types and "
            "where the file comes from, name them in load(..., trusted=[...])."
        )


def _warn_of_versions(path: _Path, by: Mapping[str, Any]) -> None:
    """Warn where libraries are others than those that have written a file."""
    import warnings

    here = versions()
    names = ("sklearn-ser", "scikit-learn")
    if any(by.get(name) != here.get(name) for name in names):
        warnings.warn(
            f"{path} was written with {_named(by)}, and is read with {_named(here)}: "
            "its predictions may differ.",
            UserWarning,
            stacklevel=3,
        )


def _named(by: Mapping[str, Any]) -> str:
    """Name the versions that matter."""
    names = ("sklearn-ser", "scikit-learn")
    return " and ".join(f"{name} {by.get(name)}" for name in names)


def _checksum(member: bytes) -> str:
    return hashlib.sha256(member).hexdigest()
