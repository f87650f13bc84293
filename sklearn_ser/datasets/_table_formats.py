"""Tables of every kind, read as they are: text, with the numbers of their rows."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import soundfile as sf

__all__ = ["Table", "read_table"]

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SEPARATORS = ",;\t|"
# A header is line 1 of a file, so that its first row is line 2.
_FIRST_LINE = 2


@dataclass(frozen=True)
class Table:
    """A table, and what is needed to speak of it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows, numbered from 0.
    rows : list of str
        What a user calls each row: ``"line 2"`` of a file, ``"row 0"`` of a frame.
    name : str
        Of the corpus, if it has no other.
    folder : Path or None
        Where relative paths begin, if no other folder is given.
    """

    frame: pd.DataFrame
    rows: list[str]
    name: str
    folder: Path | None


def read_table(source: Any, encoding: str | None = None) -> Table:
    """Read a table of any kind.

    Parameters
    ----------
    source : str, os.PathLike or data frame
        See `Corpus.from_table`.
    encoding : str or None, default=None
        Of text; None finds out.

    Returns
    -------
    Table

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no table.
    """
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source).expanduser(), encoding)
    frame = _as_pandas(source)
    rows = [f"row {label}" for label in frame.index]
    return Table(frame.reset_index(drop=True), rows, "table", None)


def _as_pandas(source: Any) -> pd.DataFrame:
    """Return a frame of pandas, polars, or a dataset of Hugging Face."""
    if isinstance(source, pd.DataFrame):
        return source
    if hasattr(source, "cast_column") and hasattr(source, "features"):
        return _from_dataset(source)
    if hasattr(source, "to_pandas"):
        frame: pd.DataFrame = source.to_pandas()
        return frame
    raise TypeError(
        "A table is a path, a data frame of pandas or polars, or a dataset of Hugging "
        f"Face; got {type(source).__name__}."
    )


def _read_path(path: Path, encoding: str | None) -> Table:
    """Read a file or a folder."""
    if path.is_dir():
        return Table(*_read_folder(path), path.resolve().name, path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no table {path}.")
    suffix = path.suffix.lower()
    readers: dict[str, Callable[..., pd.DataFrame]] = {
        ".parquet": pd.read_parquet,
        ".xlsx": pd.read_excel,
        ".xls": pd.read_excel,
        ".ods": pd.read_excel,
    }
    text = "" if suffix in readers else _decoded(path, encoding)
    try:
        frame = readers[suffix](path) if suffix in readers else _from_text(text)
    except ImportError as error:
        raise ImportError(f"{path} cannot be read: {error}") from error
    except (ValueError, OSError) as error:
        raise ValueError(f"{path} is no table that can be read ({error}).") from error
    kind = "row" if suffix == ".parquet" else "line"
    first = 0 if suffix == ".parquet" else _FIRST_LINE
    rows = [f"{kind} {first + number}" for number in range(len(frame))]
    return Table(frame, rows, path.stem, path.parent)


def _from_text(text: str) -> pd.DataFrame:
    """Read separated text, in which no word stands for a missing value."""
    header = text.lstrip("\n\r").partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    frame = pd.read_csv(
        io.StringIO(text),
        sep=separator,
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
        quoting=csv.QUOTE_MINIMAL,
    )
    if separator != ";":
        return frame
    # Where a semicolon separates, a comma is often the point of a number.
    return frame.replace(r"^\s*(-?\d+),(\d+)\s*$", r"\1.\2", regex=True)


def _decoded(path: Path, encoding: str | None) -> str:
    """Return the text of a file."""
    content = path.read_bytes()
    if encoding is None:
        marked = (name for bom, name in _BOMS.items() if content.startswith(bom))
        candidates = [next(marked, "utf-8"), "cp1252"]
    else:
        candidates = [encoding]
    for name in candidates:
        try:
            return content.decode(name)
        except UnicodeDecodeError as error:
            place = f"byte {error.start} (0x{content[error.start]:02x})"
        except LookupError as error:
            raise ValueError(f"There is no encoding {name!r}.") from error
    raise ValueError(
        f"The text of {path} is not {' or '.join(candidates)}: see {place}. Name its "
        "encoding, such as encoding='latin-1' or 'mac_roman'."
    )


def _read_folder(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read a folder that is a table: of Hugging Face, audformat or Kaldi."""
    if (path / "dataset_info.json").is_file() and (path / "state.json").is_file():
        frame = _from_dataset(_needs("datasets").load_from_disk(str(path)))
        return frame, [f"row {number}" for number in range(len(frame))]
    if (path / "db.yaml").is_file():
        frame = _from_database(_needs("audformat").Database.load(path))
        return frame, [f"row {number}" for number in range(len(frame))]
    if (path / "wav.scp").is_file():
        frame = _from_kaldi(path)
        return frame.reset_index(drop=True), [f"utterance {x}" for x in frame.index]
    raise ValueError(
        f"{path} is a folder, and no dataset of Hugging Face (dataset_info.json), "
        "database of audformat (db.yaml) or folder of Kaldi (wav.scp): give a table, "
        "or read the recordings by Corpus.from_folder."
    )


def _needs(package: str) -> Any:
    """Import a package that is needed for one kind of table."""
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f"This kind of table needs the package {package}: run "
            f"`pip install {package}`."
        ) from error


def _from_dataset(dataset: Any) -> pd.DataFrame:
    """Return the rows of a dataset: audio as paths, or decoded where it is bytes."""
    is_audio = [k for k, f in dataset.features.items() if type(f).__name__ == "Audio"]
    for name in is_audio:
        # Else its own decoder is needed, and all is decoded.
        undecoded = type(dataset.features[name])(decode=False)
        dataset = dataset.cast_column(name, undecoded)
    frame: pd.DataFrame = dataset.to_pandas()
    for name, feature in dataset.features.items():
        if hasattr(feature, "int2str"):  # classes, as numbers
            frame[name] = [feature.int2str(int(number)) for number in frame[name]]
    for name in is_audio[:1]:
        frame = frame.join(pd.DataFrame([*map(_audio, frame.pop(name))]))
    return frame


def _audio(entry: Any) -> dict[str, Any]:
    """Return the columns of one recording of a dataset."""
    path, content = entry.get("path"), entry.get("bytes")
    if content is None or (path is not None and Path(path).is_file()):
        return {"file": path}
    try:
        waveform, rate = sf.read(io.BytesIO(content), dtype="float32")
    except sf.SoundFileError:
        return {"file": path, "waveform": None, "sampling_rate": None}
    return {"file": path, "waveform": waveform, "sampling_rate": rate}


def _from_database(database: Any) -> pd.DataFrame:
    """Return the table of a database of audformat that has the most rows and columns.

    What other tables say of whole files is joined to it.
    """
    tables = [database[name].df for name in database.tables]
    if not tables:
        raise ValueError("The database of audformat has no table.")
    main = max(tables, key=lambda table: (len(table), table.shape[1]))
    frame: pd.DataFrame = main.reset_index()
    for table in tables:
        new = [name for name in table.columns if name not in frame]
        if new and table.index.nlevels == 1:
            frame = frame.join(table[new], on="file")
    root = getattr(database, "root", None)
    if root is not None:
        frame["file"] = [str(Path(root, file)) for file in frame["file"]]
    return frame


def _from_kaldi(path: Path) -> pd.DataFrame:
    """Return the utterances of a folder of Kaldi, by their names."""

    def lines(name: str) -> dict[str, str]:
        file = path / name
        text = file.read_text("utf-8") if file.is_file() else ""
        pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
        return {pair[0]: pair[1].strip() if len(pair) > 1 else "" for pair in pairs}

    recordings = lines("wav.scp")
    segments = {name: line.split() for name, line in lines("segments").items()}
    if segments:
        columns = ["file", "start", "end"]
        frame = pd.DataFrame.from_dict(segments, orient="index", columns=columns)
        frame["file"] = frame["file"].map(recordings)
    else:
        frame = pd.DataFrame({"file": pd.Series(recordings, dtype=object)})
    found = {"speaker": ["utt2spk"], "emotion": ["utt2emo", "utt2label", "utt2emotion"]}
    for column, names in (
        found | {"sentence": ["text"], "gender": ["utt2gen"]}
    ).items():
        values = next(filter(None, map(lines, names)), None)
        if values is not None:
            frame[column] = pd.Series(frame.index, frame.index).map(values)
    if "gender" not in frame and (genders := lines("spk2gender")):
        frame["gender"] = frame.get("speaker", pd.Series(dtype=object)).map(genders)
    return frame
