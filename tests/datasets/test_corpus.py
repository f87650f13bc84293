"""The corpus, its loaders on miniature trees and on real ones, the emotion table."""

import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from sklearn_ser import load_audio
from sklearn_ser.datasets import (
    Corpus,
    canonical_emotion,
    dimension_levels,
    emotion_dimensions,
    emotion_quadrant,
    load_crema_d,
    load_emodb,
    load_urdu,
)

EMODB = ["wav/16b10Td.wav", "wav/03a01Fa.wav", "wav/08a02Wb.wav", "wav/10b03Lc.wav"]
EMODB += ["wav/03a04Ea.wav", "wav/09a05Aa.wav", "wav/13a07Na.wav"]
URDU = ["Angry/SM1_F19_A019.wav", "Angry/SM4_F48_A0100.wav", "Happy/SF6_F6_H030.wav"]
URDU += ["Neutral/SF9_F1_N01.wav", "Sad/SM6_F4_S0100.wav"]
CREMA_D = ["AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1001_DFA_ANG_XX.wav"]
CREMA_D += ["AudioWAV/1001_IEO_SAD_MD.wav", "AudioWAV/1040_ITH_SAD_X.wav"]
CREMA_D += ["AudioWAV/1001_TIE_NEU_XX.wav", "AudioWAV/1001_IEO_FEA_HI.wav"]
CREMA_D += ["AudioWAV/1001_WSI_DIS_XX.wav"]
ACTORS = """\
"ActorID","Age","Sex","Race","Ethnicity"
1001,51,"Male","Caucasian","Not Hispanic"
1002,21,"Female","Caucasian","Not Hispanic"
"""

LOADERS = [(load_emodb, EMODB), (load_urdu, URDU), (load_crema_d, CREMA_D)]
WITH_DIMENSIONS = LOADERS[:2]


def make_tree(home: Path, names: list[str]) -> Path:
    """Write a tenth of a second of sound under each name."""
    tone = 0.1 * np.sin(2 * np.pi * 200 * np.arange(1600) / 16000)
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        sf.write(home / name, tone, 16000)
    return home


def by_file(corpus: Corpus, column: str) -> dict[str, object]:
    return {
        Path(file).name: value
        for file, value in zip(corpus.frame["file"], corpus.frame[column], strict=True)
    }


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


def test_emodb(tmp_path):
    corpus = load_emodb(str(make_tree(tmp_path, EMODB)))
    assert by_file(corpus, "emotion") == {
        "03a01Fa.wav": "happiness",
        "03a04Ea.wav": "disgust",
        "08a02Wb.wav": "anger",
        "09a05Aa.wav": "fear",
        "10b03Lc.wav": "boredom",
        "13a07Na.wav": "neutral",
        "16b10Td.wav": "sadness",
    }
    assert corpus.speaker.tolist() == ["03", "03", "08", "09", "10", "13", "16"]
    assert corpus.gender.tolist() == [
        *["male", "male", "female", "female", "male", "female", "female"]
    ]
    assert corpus.sentence.tolist()[:3] == ["a01", "a04", "a02"]
    assert corpus.frame["version"].tolist() == list("aabacad")
    assert corpus.activation is None
    assert corpus.valence is None


def test_emodb_women_are_five_of_the_ten_speakers(tmp_path):
    speakers = ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
    make_tree(tmp_path, [f"wav/{speaker}a01Na.wav" for speaker in speakers])
    corpus = load_emodb(tmp_path)
    women = corpus.speaker[corpus.gender == "female"]
    assert women.tolist() == ["08", "09", "13", "14", "16"]
    assert set(corpus.gender) == {"female", "male"}


def test_urdu(tmp_path):
    corpus = load_urdu(make_tree(tmp_path, URDU))
    assert by_file(corpus, "emotion") == {
        "SF6_F6_H030.wav": "happiness",
        "SF9_F1_N01.wav": "neutral",
        "SM1_F19_A019.wav": "anger",
        "SM4_F48_A0100.wav": "anger",
        "SM6_F4_S0100.wav": "sadness",
    }
    assert corpus.speaker.tolist() == ["SF6", "SF9", "SM1", "SM4", "SM6"]
    assert corpus.gender.tolist() == ["female"] * 2 + ["male"] * 3
    assert corpus.frame["take"].tolist() == [6, 1, 19, 48, 4]
    assert corpus.frame["number"].tolist() == [30, 1, 19, 100, 100]
    assert corpus.sentence is None


def test_urdu_recording_in_the_wrong_folder_is_left_out(tmp_path):
    make_tree(tmp_path, [*URDU, "Sad/SM9_F1_A01.wav"])
    with pytest.warns(UserWarning, match=r"Sad/SM9_F1_A01\.wav"):
        assert len(load_urdu(tmp_path)) == len(URDU)


def test_crema_d_without_the_table_of_actors(tmp_path):
    corpus = load_crema_d(make_tree(tmp_path, CREMA_D))
    assert by_file(corpus, "emotion") == {
        "1001_DFA_ANG_XX.wav": "anger",
        "1001_IEO_FEA_HI.wav": "fear",
        "1001_IEO_SAD_MD.wav": "sadness",
        "1001_TIE_NEU_XX.wav": "neutral",
        "1001_WSI_DIS_XX.wav": "disgust",
        "1002_IEO_HAP_LO.wav": "happiness",
        "1040_ITH_SAD_X.wav": "sadness",
    }
    assert corpus.speaker.tolist() == ["1001"] * 5 + ["1002", "1040"]
    assert corpus.sentence.tolist()[:2] == ["DFA", "IEO"]
    levels = [None if pd.isna(x) else x for x in corpus.frame["level"]]
    assert levels == [None, "high", "medium", None, None, "low", None]
    assert corpus.gender is None
    assert corpus.activation is None


def test_crema_d_with_the_table_of_actors(tmp_path):
    make_tree(tmp_path, CREMA_D)
    (tmp_path / "VideoDemographics.csv").write_text(ACTORS)
    corpus = load_crema_d(tmp_path)
    # Actor 1040 is missing from this table.
    assert corpus.gender.tolist() == ["male"] * 5 + ["female", None]
    np.testing.assert_array_equal(corpus.frame["age"], [51] * 5 + [21, np.nan])


def test_crema_d_table_of_actors_without_a_column(tmp_path):
    make_tree(tmp_path, CREMA_D)
    (tmp_path / "VideoDemographics.csv").write_text("ActorID,Age\n1001,51\n")
    with pytest.raises(ValueError, match=r"VideoDemographics\.csv has no column Sex"):
        load_crema_d(tmp_path)


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_missing_folders_say_where_the_corpus_is_to_be_had(load, names, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*to be had\s+from http"):
        load(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=names[0].split("/")[0]):
        load(tmp_path)
    for folder in {name.split("/")[0] for name in names}:
        (tmp_path / folder).mkdir()
    with pytest.raises(FileNotFoundError, match=r"no recording .*to be had"):
        load(tmp_path)
    make_tree(tmp_path, [names[0].split("/")[0] + "/other.wav"])
    with pytest.raises(FileNotFoundError, match=r"only .*/other\.wav"):
        load(tmp_path)


def test_urdu_with_one_folder_missing(tmp_path):
    shutil.rmtree(make_tree(tmp_path, URDU) / "Neutral")
    with pytest.raises(FileNotFoundError, match=r"no folder .*Neutral"):
        load_urdu(tmp_path)


@pytest.mark.parametrize(("load", "names"), LOADERS)
def test_odd_names_are_left_out_with_one_warning(load, names, tmp_path):
    make_tree(tmp_path, names)
    folder = tmp_path / Path(names[0]).parent
    (folder / f"._{Path(names[0]).name}").write_bytes(b"\0")
    (folder / "stray.wav").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "notes.txt").write_text("not audio")
    with pytest.warns(UserWarning, match="left out 2 of") as record:
        corpus = load(tmp_path)
    assert len(record) == 1
    assert record[0].filename == __file__
    assert f"/._{Path(names[0]).name}" in str(record[0].message)
    assert "/stray.wav" in str(record[0].message)
    assert len(corpus) == len(names)


def test_many_odd_names_are_cut_short(tmp_path):
    make_tree(tmp_path, EMODB)
    for i in range(13):
        (tmp_path / "wav" / f"stray{i:02d}.wav").touch()
    with pytest.warns(UserWarning, match=r"stray09\.wav and 3 more$"):
        load_emodb(tmp_path)


@pytest.mark.parametrize(
    "name", ["04a01Fa", "03c01Fa", "03a01Xa", "03a01F", "03a01Fab", "003a01Fa"]
)
def test_emodb_names_are_matched_whole(name, tmp_path):
    make_tree(tmp_path, [*EMODB, f"wav/{name}.wav"])
    with pytest.warns(UserWarning, match=name):
        assert len(load_emodb(tmp_path)) == len(EMODB)


def test_empty_recording_is_kept(tmp_path):
    make_tree(tmp_path, EMODB)
    (tmp_path / "wav" / "03a01Fa.wav").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
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
    unlabelled = [np.nan] * len(others)
    np.testing.assert_array_equal(corpus.activation, [3, 4.5, *unlabelled])
    np.testing.assert_array_equal(corpus.valence, [2.5, np.nan, *unlabelled])
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


# ------------------------------------------------------------------- real corpora


@pytest.mark.corpus
def test_real_emodb(data_home):
    corpus = load_emodb(
        data_home / "emodb", dimensions=data_home / "labels" / "EMO_DB.csv"
    )
    assert len(corpus) == 535
    assert len(set(corpus.speaker)) == 10
    expected = {  # number, activation and valence: mean (standard deviation)
        "anger": (127, 4.23, 0.47, 2.06, 0.62),
        "happiness": (71, 3.73, 0.48, 3.70, 0.51),
        "sadness": (62, 1.66, 0.47, 2.13, 0.52),
        "neutral": (79, 2.68, 0.56, 3.00, 0.00),
        "fear": (69, 3.71, 0.41, 2.12, 0.45),
        "disgust": (46, 2.55, 0.59, 2.03, 0.49),
        "boredom": (81, 2.16, 0.56, 2.70, 0.41),
    }
    assert_statistics(corpus, expected)
    assert_ties(corpus, 0.164, 0.238)
    four = corpus.keep_emotions(["neutral", "sad", "happy", "angry"])
    assert len(four) == 339
    assert len({*corpus.sentence}) == 10
    women = set(corpus.speaker[corpus.gender == "female"])
    assert women == {"08", "09", "13", "14", "16"}


@pytest.mark.corpus
def test_real_urdu(data_home):
    corpus = load_urdu(data_home / "urdu", dimensions=data_home / "labels" / "URDU.csv")
    assert len(corpus) == 400
    assert len(set(corpus.speaker)) == 29
    expected = {
        "anger": (100, 4.64, 0.44, 1.88, 0.84),
        "happiness": (100, 3.25, 0.69, 3.50, 0.81),
        "sadness": (100, 2.60, 0.76, 2.70, 0.51),
        "neutral": (100, 2.88, 0.66, 2.92, 0.36),
    }
    assert_statistics(corpus, expected)
    assert_ties(corpus, 0.196, 0.358)


@pytest.mark.corpus
def test_real_crema_d(data_home):
    corpus = load_crema_d(data_home / "crema-d")
    assert len(corpus) == 649
    assert len(set(corpus.speaker)) == 8
    emotions = {"anger", "disgust", "fear", "happiness", "neutral", "sadness"}
    assert set(corpus.emotion) == emotions
    voices = dict(zip(corpus.speaker.tolist(), corpus.gender, strict=True))
    assert [s for s in voices if voices[s] == "male"] == ["1001", "1005"]
    assert (corpus.frame["level"] == "high").sum() == 40


def assert_statistics(corpus, expected):
    """Compare numbers, means and population standard deviations by emotion."""
    assert set(corpus.emotion) == set(expected)
    for emotion, (n, *moments) in expected.items():
        some = corpus.keep_emotions(emotion)
        assert len(some) == n
        found = [
            f(x) for x in (some.activation, some.valence) for f in (np.mean, np.std)
        ]
        assert found == pytest.approx(moments, abs=0.0101), emotion


def assert_ties(corpus, activation, valence):
    """Compare the share of pairs with the same label."""
    upper = np.triu_indices(len(corpus), k=1)
    for label, share in ((corpus.activation, activation), (corpus.valence, valence)):
        ties = np.equal.outer(label, label)[upper].mean()
        assert ties == pytest.approx(share, abs=0.0006)


# ------------------------------------------------------------------------- Corpus


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "file": list("abcd"),
            "emotion": ["anger", "sadness", "anger", "neutral"],
            "speaker": ["1", "1", "2", "3"],
            "gender": ["female", "female", None, "male"],
            "sentence": ["x", None, "y", "x"],
            "activation": [4, 2, np.nan, 3],
        },
        index=[7, 7, 8, 9],
    )


def test_corpus_attributes(frame):
    corpus = Corpus(frame, name="Mine")
    assert len(corpus) == 4
    assert corpus.audio.tolist() == list("abcd")
    assert corpus.emotion.dtype.kind == corpus.speaker.dtype.kind == "U"
    assert corpus.gender.tolist() == ["female", "female", None, "male"]
    assert corpus.sentence.tolist() == ["x", None, "y", "x"]
    np.testing.assert_array_equal(corpus.activation, [4, 2, np.nan, 3])
    assert corpus.valence is None
    assert corpus.frame.index.tolist() == [0, 1, 2, 3]
    assert repr(corpus) == (
        "<Corpus Mine: 4 utterances, 3 speakers (female 1, male 1), 3 emotions "
        "(anger 2, neutral 1, sadness 1), activation>"
    )


def test_corpus_leaves_the_table_given_alone(frame):
    corpus = Corpus(frame, name="Mine")
    frame.loc[8, "emotion"] = "fear"
    assert corpus.emotion[2] == "anger"
    with pytest.raises(AttributeError):
        corpus.name = "Yours"


def test_corpus_of_segments(frame):
    corpus = Corpus(frame.assign(start=0.5, end=[1, 2, 3, np.nan]), name="Mine")
    assert corpus.audio[:2].tolist() == [("a", 0.5, 1.0), ("b", 0.5, 2.0)]
    assert np.isnan(corpus.audio[3][2])


def test_corpus_of_waveforms(frame):
    waves = [np.zeros(5), np.ones(5), np.ones(5), np.ones(5)]
    table = frame.drop(columns="file").assign(waveform=waves, sampling_rate=8000)
    corpus = Corpus(table, name="Mine")
    assert corpus.audio.shape == (4,)
    assert isinstance(corpus.audio[0], tuple)
    np.testing.assert_array_equal(corpus.audio[1][0], np.ones(5))
    assert corpus.select([1]).audio[0][1] == 8000


@pytest.mark.parametrize("column", ["emotion", "speaker", "file"])
def test_corpus_needs_its_columns_complete(frame, column):
    with pytest.raises(ValueError, match=f"no column '{column}'"):
        Corpus(frame.drop(columns=column), name="Mine")
    frame[column] = [None, "a", "b", None]
    with pytest.raises(ValueError, match=rf"no {column} in row 0 \(2 rows"):
        Corpus(frame, name="Mine")


def test_corpus_of_waveforms_needs_the_rate(frame):
    with pytest.raises(ValueError, match="no column 'sampling_rate'"):
        Corpus(frame.assign(waveform=[np.zeros(1)] * 4), name="Mine")


def test_select(frame):
    corpus = Corpus(frame, name="Mine", license="l", citation="c", language="g")
    some = corpus.select([3, 0])
    assert some.audio.tolist() == ["d", "a"]
    assert some.frame.index.tolist() == [0, 1]
    assert (some.name, some.license, some.citation, some.language) == (
        *("Mine", "l", "c", "g"),
    )
    assert corpus.select(corpus.emotion == "anger").audio.tolist() == ["a", "c"]
    assert corpus.select(frame["emotion"] == "anger").audio.tolist() == ["a", "c"]
    assert corpus.select([-1]).audio.tolist() == ["d"]
    # A corpus with labels stays one, also where none of the selected has any.
    np.testing.assert_array_equal(corpus.select([2]).activation, [np.nan])


def test_select_nothing(frame):
    corpus = Corpus(frame, name="Mine")
    for nothing in ([], np.zeros(4, dtype=bool)):
        empty = corpus.select(nothing)
        assert len(empty) == 0
        assert empty.audio.shape == empty.emotion.shape == (0,)
        assert empty.activation.shape == empty.gender.shape == (0,)
        assert repr(empty).startswith("<Corpus Mine: 0 utterances, 0 speakers")


def test_select_what_is_not_there(frame):
    corpus = Corpus(frame, name="Mine")
    with pytest.raises(ValueError, match="the mask has the shape"):
        corpus.select([True, False])
    with pytest.raises(IndexError):
        corpus.select([4])
    with pytest.raises(IndexError):
        corpus.select(["anger"])


def test_keep_emotions(frame):
    corpus = Corpus(frame, name="Mine")
    assert corpus.keep_emotions(["neutral", "angry"]).audio.tolist() == list("acd")
    assert corpus.keep_emotions("Sad").audio.tolist() == ["b"]
    with pytest.raises(ValueError, match="Mine has no joy, purple; it has anger, neu"):
        corpus.keep_emotions(["anger", "joy", "purple"])


def test_keep_emotions_prefers_the_corpus_own_name(frame):
    frame["emotion"] = ["excited", "happiness", "anger", "anger"]
    corpus = Corpus(frame, name="Mine")
    assert corpus.keep_emotions("excited").audio.tolist() == ["a"]
    assert corpus.keep_emotions("joy").audio.tolist() == ["b"]


def test_corpus_is_pickled(frame):
    corpus = pickle.loads(pickle.dumps(Corpus(frame, name="Mine")))
    assert corpus.frame.equals(Corpus(frame, name="Mine").frame)


# -------------------------------------------------------------- the emotion table

# Gao et al. (2021), Table 1, and the extension to the other corpora: quadrants
# 1 (+H), 2 (-H), 3 (-L), 4 (+L), under the names that each corpus uses.
QUADRANTS = {
    "IEMOCAP": {"happy": 1, "angry": 2, "sad": 3, "neutral": 4},
    "IEMOCAP extra": {"excited": 1, "frustrated": 2, "surprise": 1, "fear": 2}
    | {"disgust": 3},
    "IEMOCAP codes": {"ang": 2, "hap": 1, "exc": 1, "sad": 3, "neu": 4, "fru": 2}
    | {"fea": 2, "sur": 1, "dis": 3},
    "EmoV-DB": {"amused": 1, "angry": 2, "disgust": 3, "neutral": 4},
    "SAVEE": {"joy": 1, "surprise": 1, "angry": 2, "fear": 2, "disgust": 3}
    | {"sad": 3, "neutral": 4},
    "EMO-DB": {"happy": 1, "angry": 2, "fear": 2, "disgust": 3, "sad": 3}
    | {"neutral": 4, "boredom": 3},
    "CaFE": {"joy": 1, "surprise": 1, "anger": 2, "fear": 2, "disgust": 3}
    | {"sadness": 3, "neutral": 4},
    "URDU": {"Happy": 1, "Angry": 2, "Sad": 3, "Neutral": 4},
    "AESDD": {"happiness": 1, "anger": 2, "fear": 2, "disgust": 3, "sadness": 3},
    "RAVDESS": {"happy": 1, "surprised": 1, "angry": 2, "fearful": 2, "disgust": 3}
    | {"sad": 3, "neutral": 4, "calm": 4},
    "CREMA-D": {"happy": 1, "anger": 2, "fear": 2, "disgust": 3, "sad": 3}
    | {"neutral": 4},
}
SIGNS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1)}


@pytest.mark.parametrize("corpus", QUADRANTS)
def test_binary_scheme_is_the_published_table(corpus):
    emotions, quadrants = zip(*QUADRANTS[corpus].items(), strict=True)
    activation, valence = emotion_dimensions(emotions)
    pairs = list(zip(activation, valence, strict=True))
    assert pairs == [SIGNS[quadrant] for quadrant in quadrants]
    assert activation.dtype == valence.dtype == np.float64
    assert emotion_quadrant(emotions).tolist() == list(quadrants)


def test_ternary_scheme_follows_the_listeners():
    expected = {  # activation, valence
        "anger": (1, -1),
        "happiness": (1, 1),
        "sadness": (-1, -1),
        "neutral": (0, 0),
        "fear": (1, -1),
        "disgust": (0, -1),
        "surprise": (1, 0),
        "boredom": (-1, 0),
        "frustration": (1, -1),
    }
    found = zip(*emotion_dimensions(list(expected), "ternary"), strict=True)
    assert list(found) == list(expected.values())


def test_circumplex_scheme_is_the_mean_rating():
    expected = {
        "anger": (4.23, 2.03),
        "happiness": (3.48, 3.37),
        "sadness": (2.32, 2.27),
        "neutral": (2.80, 2.97),
        "fear": (3.44, 2.11),
        "disgust": (2.78, 2.20),
        "surprise": (3.25, 2.96),
        "boredom": (2.16, 2.70),
    }
    found = zip(*emotion_dimensions(list(expected), "circumplex"), strict=True)
    assert list(found) == list(expected.values())


def test_emotion_dimensions_keep_the_shape():
    assert emotion_dimensions("anger")[0].shape == ()
    assert emotion_dimensions([])[0].shape == (0,)
    assert emotion_dimensions(np.array([["joy", "sad"]]))[1].tolist() == [[1, -1]]
    assert emotion_quadrant([]).shape == (0,)
    assert emotion_quadrant("anger") == 2


def test_levels_lie_below_on_and_above_the_midpoint():
    ratings = [1, 2.5, 2.999, 3, 3.001, 3.5, 5]
    expected = ["low"] * 3 + ["medium"] + ["high"] * 3
    levels = dimension_levels(ratings)
    assert levels.tolist() == expected
    assert levels.dtype.kind == "U"
    centered = np.array(ratings) - 3
    assert dimension_levels(centered, rating_scale=(-2, 2)).tolist() == expected


def test_levels_keep_the_shape():
    assert dimension_levels(4).shape == ()
    assert dimension_levels(4) == "high"
    assert dimension_levels([]).shape == (0,)
    assert dimension_levels([[1, 3], [5, 3]]).tolist() == [
        *(["low", "medium"], ["high", "medium"]),
    ]
    series = pd.Series([2, 3], index=[7, 8])
    assert dimension_levels(series).tolist() == ["low", "medium"]


def test_levels_of_nothing_known():
    with pytest.raises(ValueError, match=r"NaN at index 1 \(2 of 4 values in all\)"):
        dimension_levels([1, np.nan, 3, np.nan])
    with pytest.raises(ValueError, match="NaN at index 0"):
        dimension_levels(None)


@pytest.mark.parametrize("unknown", ["sleepiness", "", None, "anger!"])
def test_unknown_emotion_is_named_with_those_known(unknown):
    with pytest.raises(ValueError, match=rf"{unknown!r}; known are anger, .*surprise"):
        emotion_dimensions(["anger", unknown])


def test_unrated_emotion_has_no_place_on_the_circumplex():
    with pytest.raises(ValueError, match="nobody has rated 'frustration'"):
        emotion_dimensions(["anger", "frustrated"], "circumplex")


def test_unknown_scheme():
    with pytest.raises(ValueError, match="'trinary'"):
        emotion_dimensions(["anger"], "trinary")


def test_synonyms_lead_to_the_nouns():
    assert canonical_emotion(" Angry ") == "anger"
    nouns = {"anger", "boredom", "disgust", "fear", "frustration", "happiness"}
    for noun in nouns | {"neutral", "sadness", "surprise"}:
        assert canonical_emotion(noun) == noun
