"""What holds for every loader: order, missing folders, odd names, dimensions."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sklearn_ser import load_audio
from sklearn_ser.audio import AudioError
from sklearn_ser.datasets import (
    load_aesdd,
    load_cafe,
    load_crema_d,
    load_emodb,
    load_emovdb,
    load_emovo,
    load_ravdess,
    load_savee,
    load_tess,
    load_urdu,
)
from tests.datasets.helpers import (
    AESDD,
    CAFE,
    CREMA_D,
    EMODB,
    EMOVDB,
    EMOVO,
    RAVDESS,
    SAVEE,
    TESS,
    URDU,
    make_tree,
)

# Those whose names say all. The owners have the first three in one arrangement.
FIXED = [(load_emodb, EMODB), (load_urdu, URDU), (load_crema_d, CREMA_D)]
COUNTED = [
    *FIXED,
    *((load_savee, SAVEE), (load_cafe, CAFE), (load_ravdess, RAVDESS)),
    *((load_tess, TESS), (load_emovo, EMOVO)),
]
LOADERS = [*COUNTED, (load_aesdd, AESDD), (load_emovdb, EMOVDB)]
WITH_DIMENSIONS = [*FIXED[:2], (load_cafe, CAFE), (load_aesdd, AESDD)]


# ------------------------------------------------------------------------ loaders


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_loaders_sort_by_file_name_and_give_readable_paths(load, names, tmp_path):
    corpus = load(make_tree(tmp_path, names))
    found = [Path(path).name for path in corpus.audio]
    assert found == sorted(Path(name).name for name in names)
    assert all(type(path) is str for path in corpus.audio)
    assert corpus.audio.dtype == object
    assert [load_audio(path)[1] for path in corpus.audio] == [16000] * len(names)
    for text in (corpus.description, corpus.license, corpus.citation, corpus.language):
        assert text


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_missing_folders_say_where_the_corpus_is_to_be_had(load, names, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no folder .*You get the corpus .* from http"
    ):
        load(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=names[0].split("/")[0]):
        load(tmp_path)
    for folder in {name.split("/")[0] for name in names}:
        (tmp_path / folder).mkdir()
    with pytest.raises(FileNotFoundError, match=r"No recording .*You get the corpus"):
        load(tmp_path)
    make_tree(tmp_path, [names[0].split("/")[0] + "/other.wav"])
    with pytest.raises(FileNotFoundError, match=r"only .*/other\.wav"):
        load(tmp_path)


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_odd_names_are_left_out_with_one_warning(load, names, tmp_path):
    make_tree(tmp_path, names)
    folder = tmp_path / Path(names[0]).parent
    (folder / f"._{Path(names[0]).name}").write_bytes(b"\0")
    (folder / "stray.wav").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "notes.txt").write_text("not audio")
    with pytest.warns(UserWarning, match="Left out 2 of") as record:
        corpus = load(tmp_path)
    # The other says that most are missing, where their number is known.
    assert len(record) == 1 + ((load, names) in COUNTED)
    assert record[0].filename == __file__
    assert f"/._{Path(names[0]).name}" in str(record[0].message)
    assert "/stray.wav" in str(record[0].message)
    assert len(corpus) == len(names)


def test_many_odd_names_are_cut_short(tmp_path):
    make_tree(tmp_path, EMODB)
    for i in range(13):
        (tmp_path / "wav" / f"stray{i:02d}.wav").touch()
    with pytest.warns(UserWarning, match=r"stray09\.wav and 3 more\.$"):
        load_emodb(tmp_path)


def header_only(path):
    """Write a WAV file without a sample."""
    sf.write(path, np.zeros(0), 16000)


@pytest.mark.parametrize(
    "break_it",
    [
        header_only,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("?"),
    ],
)
@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_recordings_without_sound_are_named_and_left_out(
    load, names, break_it, tmp_path
):
    make_tree(tmp_path, names)
    for name in names[:1]:
        break_it(tmp_path / name)
    named = (
        rf"1 of {len(names)} recordings of .* hold no sound: {re.escape(names[0])}\."
    )
    with pytest.warns(UserWarning, match=named):
        corpus = load(tmp_path)
    assert len(corpus) == len(names) - 1
    assert str(tmp_path / names[0]) not in corpus.audio
    for name in names:
        break_it(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"no sound: .*\. Give as"):
        load(tmp_path)


def test_short_recordings_have_sound(tmp_path):
    make_tree(tmp_path, EMODB)
    sf.write(tmp_path / EMODB[0], np.zeros(1), 16000)
    assert len(load_emodb(tmp_path)) == len(EMODB)


def test_upper_case_suffix(tmp_path):
    make_tree(tmp_path, EMODB)
    (tmp_path / "wav" / "03a01Fa.wav").rename(tmp_path / "wav" / "03a01Fa.WAV")
    assert Path(load_emodb(tmp_path).audio[0]).name == "03a01Fa.WAV"


def test_home_directory_is_expanded(tmp_path, monkeypatch):
    make_tree(tmp_path / "emodb", EMODB)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert len(load_emodb("~/emodb")) == len(EMODB)


def flat(name):
    if "AudioData/" in name:  # SAVEE, which is distributed so, too
        return "_".join(Path(name).parts[-2:])
    if name.startswith(("bea", "jenie", "josh", "sam")):  # EmoV-DB
        return name.replace("/", "_", 1)
    return Path(name).name


def in_upper_case(name):
    return name.upper()


def in_lower_case(name):
    return name.lower()


def as_flac(name):
    return str(Path(name).with_suffix(".flac"))


def as_mp3(name):
    return str(Path(name).with_suffix(".mp3"))


def deeper(name):
    return f"release-1.0/audio/{name}"


@pytest.mark.parametrize(
    "repack", [flat, in_upper_case, in_lower_case, as_flac, as_mp3, deeper]
)
@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_repackaged_corpora_are_found(load, names, repack, tmp_path):
    expected = load(make_tree(tmp_path / "official", names))
    make_tree(tmp_path / "other", [repack(name) for name in names])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        corpus = load(tmp_path / "other")
    folders = {Path(path).parent for path in corpus.audio}
    usual = {(tmp_path / "other" / name).parent for name in names}
    said = [str(w.message) for w in caught if "not in" in str(w.message)]
    fixed = (load, names) in FIXED
    assert bool(said) == (fixed and not folders <= usual)
    assert all(f"Found {len(names)} recordings" in message for message in said)
    columns = ["emotion", "speaker"]
    found = corpus.frame[columns].sort_values(columns).to_numpy()
    same = expected.frame[columns].sort_values(columns).to_numpy()
    np.testing.assert_array_equal(found, same)
    assert all(Path(path).is_file() for path in corpus.audio)


def test_labels_are_joined_whatever_the_case_and_suffix(tmp_path):
    make_tree(tmp_path, [name.upper().replace(".WAV", ".flac") for name in EMODB])
    names = sorted(Path(name).name for name in EMODB)
    (tmp_path / "labels.csv").write_text(
        "filename,activation,valence\n"
        + "".join(f"{name},{k / 2 + 1},1\n" for k, name in enumerate(names))
    )
    with pytest.warns(UserWarning, match="Found 7 recordings"):
        corpus = load_emodb(tmp_path, dimensions=tmp_path / "labels.csv")
    assert corpus.activation.tolist() == [1, 1.5, 2, 2.5, 3, 3.5, 4]


@pytest.mark.parametrize(("load", "names"), COUNTED)
def test_missing_parts_are_counted(load, names, tmp_path):
    make_tree(tmp_path, names)
    n = len(names)
    with pytest.warns(UserWarning, match=rf"Only {n} of the \d+ recordings of .* are"):
        load(tmp_path)


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_pointers_of_git_lfs_are_told(load, names, tmp_path):
    make_tree(tmp_path, names)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (tmp_path / names[0]).write_text(pointer)
    with pytest.warns(UserWarning, match=r"1 of \d+ recordings .* run `git lfs pull`"):
        assert len(load(tmp_path)) == len(names) - 1
    with pytest.raises(AudioError, match="pointer of Git LFS, not audio"):
        load_audio(tmp_path / names[0])
    for name in names:
        (tmp_path / name).write_text(pointer)
    with pytest.raises(FileNotFoundError, match="run `git lfs pull` in"):
        load(tmp_path)


def test_a_recording_that_is_there_twice_is_refused(tmp_path):
    make_tree(tmp_path, [*EMODB, "wav/03a01fa.flac"])
    with pytest.raises(ValueError, match=r"03a01Fa of EMO-DB is there twice, .*: give"):
        load_emodb(tmp_path)


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_second_copies_are_left_out(load, names, tmp_path):
    """Also where the folder that holds both is a level above."""
    make_tree(tmp_path / "in" / "a copy", names)
    make_tree(tmp_path / "in", names)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        corpus = load(tmp_path)
    assert not [path for path in corpus.audio if "a copy" in path]
    assert len(corpus) == len(names)
    said = [str(w.message) for w in caught if "second copies" in str(w.message)]
    assert len(said) == 1
    assert f"Left out {len(names)} of {2 * len(names)} audio files" in said[0]
    assert f"in/a copy/{sorted(names)[0]}" in said[0]


def test_mp3_beside_better_copies_is_passed_over(tmp_path):
    """CREMA-D has both."""
    names = ["in/AudioWAV/1001_DFA_ANG_XX.wav", "in/AudioMP3/1001_DFA_ANG_XX.mp3"]
    with pytest.warns(UserWarning, match="Found 1 recordings of CREMA-D in .*AudioWAV"):
        corpus = load_crema_d(make_tree(tmp_path, names))
    assert [Path(path).suffix for path in corpus.audio] == [".wav"]


# ------------------------------------------------------------- dimensional labels


@pytest.mark.parametrize(
    "text",
    [
        "filename,activation,valence \n{0},3,2.5\n{1},4.5,\nother.wav,1,1\n",
        ",,filename,activation,valence\n,,{0},3,2.5\n,,{1},4.5,\n,,,,\n",
        "filname,activation,valence\n{0} ,3,2.5\n{1},4.5,NaN\n",
        "\ufefffilename,Activation,Valence\n{1},4.5,\n{0},3,2.5\n",
    ],
    ids=["trailing blank", "empty columns", "misspelt", "byte-order mark"],
)
@pytest.mark.parametrize(("load", "names"), WITH_DIMENSIONS)
def test_dimensions_are_joined_by_file_name(load, names, text, tmp_path):
    make_tree(tmp_path, names)
    first, second, *others = sorted(Path(name).name for name in names)
    labels = tmp_path / "labels.csv"
    labels.write_text(text.format(first, second), encoding="utf-8")
    corpus = load(tmp_path, dimensions=labels)
    unlabeled = [np.nan] * len(others)
    np.testing.assert_array_equal(corpus.activation, [3, 4.5, *unlabeled])
    np.testing.assert_array_equal(corpus.valence, [2.5, np.nan, *unlabeled])
    assert corpus.activation.dtype == corpus.valence.dtype == np.float64
    assert len(corpus) == len(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a CSV table"),
        ("filename,activation,valence\nother.wav,1,1\n", "labels none of the 7"),
        ("filename,activation,valence\n", "labels none of the 7"),
        ("filename,activation\n03a01Fa.wav,1\n", "has no column valence"),
        ("name,activation,valence\n03a01Fa.wav,1,2\n", "has no column filename"),
        ("filename,activation,valence\n03a01Fa.wav,low,2\n", "not a number.*low"),
        (
            "filename,activation,valence\n03a01Fa.wav,1,2\n03a01Fa.wav,2,2\n",
            "labels 03a01Fa.wav twice",
        ),
    ],
)
def test_dimensions_that_make_no_sense(text, message, tmp_path):
    make_tree(tmp_path, EMODB)
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_emodb(tmp_path, dimensions=tmp_path / "labels.csv")
    assert "labels.csv" in str(error.value)


def test_dimensions_that_are_missing(tmp_path):
    make_tree(tmp_path, EMODB)
    with pytest.raises(FileNotFoundError, match=r"absent\.csv.*Das et al"):
        load_emodb(tmp_path, dimensions=tmp_path / "absent.csv")
