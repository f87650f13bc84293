"""A corpus from a table of one's own: every kind of table, and every fault of a row."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser.datasets import Corpus, load_crema_d, load_emodb
from sklearn_ser.datasets._table import _speakers, _text
from sklearn_ser.datasets._table_faults import Faults

ROWS = [
    ("a.wav", "p1", "calm"),
    ("b.wav", "p2", "tense"),
    ("sub/c.wav", "p1", "tense"),
    ("sub/d.wav", "p3", "calm"),
]
FRAME = pd.DataFrame(ROWS, columns=["path", "patient", "label"])


@pytest.fixture
def home(tmp_path):
    """Return a folder of four recordings of a second at 8 kHz."""
    (tmp_path / "sub").mkdir()
    for number, (name, *_) in enumerate(ROWS):
        tone = 0.1 * np.sin(0.1 * (number + 1) * np.arange(8000))
        sf.write(tmp_path / name, tone, 8000)
    return tmp_path


def is_the_corpus(corpus, home):
    assert corpus.emotion.tolist() == ["calm", "tense", "tense", "calm"]
    assert corpus.speaker.tolist() == ["p1", "p2", "p1", "p3"]
    assert [Path(file) for file in corpus.audio] == [home / name for name, *_ in ROWS]


@pytest.mark.parametrize(
    ("suffix", "separator", "encoding"),
    [
        ("csv", ",", "utf-8"),
        ("csv", ";", "utf-8-sig"),
        ("tsv", "\t", "utf-16"),
        ("txt", "|", "cp1252"),
    ],
)
def test_text(home, suffix, separator, encoding):
    path = home / f"table.{suffix}"
    frame = FRAME.assign(note="Größe, „gut“" if separator != "," else "Größe")
    path.write_bytes(frame.to_csv(index=False, sep=separator).encode(encoding))
    corpus = Corpus.from_table(path)
    is_the_corpus(corpus, home)
    assert corpus.frame["note"].tolist() == frame["note"].tolist()
    assert corpus.name == "table"
    assert "file from path, speaker from patient" in corpus.description


def test_other_files_and_frames(home):
    import polars as pl

    FRAME.to_parquet(home / "t.parquet")
    FRAME.to_excel(home / "t.xlsx", index=False)
    for source in (home / "t.parquet", home / "t.xlsx"):
        is_the_corpus(Corpus.from_table(source), home)
    for source in (FRAME, FRAME.set_index(pd.Index([7, 8, 9, 7])), pl.DataFrame(FRAME)):
        is_the_corpus(Corpus.from_table(source, root=home), home)
    with pytest.raises(TypeError, match=r"A table is a path, .*; got dict"):
        Corpus.from_table({"file": []})


def test_what_cannot_be_read_is_said(home):
    path = home / "t.csv"
    with pytest.raises(FileNotFoundError, match="There is no table"):
        Corpus.from_table(path)
    path.write_bytes(b"file,speaker,emotion\na.wav,1,\x81\n")
    with pytest.raises(ValueError, match=r"not utf-8 or cp1252: see byte 29 \(0x81\)"):
        Corpus.from_table(path)
    with pytest.raises(ValueError, match="There is no encoding 'klingon'"):
        Corpus.from_table(path, encoding="klingon")
    assert Corpus.from_table(path, encoding="latin-1").emotion.tolist() == ["\x81"]
    (home / "t.xlsx").write_bytes(b"no workbook")
    with pytest.raises(ValueError, match=r"t\.xlsx is no table that can be read"):
        Corpus.from_table(home / "t.xlsx")
    with pytest.raises(ValueError, match="is a folder, and no dataset"):
        Corpus.from_table(home)


def test_columns_by_name_and_by_hand(home):
    odd = FRAME.rename(columns={"path": "Where", "label": "mood"})
    with pytest.raises(ValueError, match=r"known as emotion, file: say which .*Where"):
        Corpus.from_table(odd, root=home)
    columns = {"file": "Where", "emotion": "mood"}
    is_the_corpus(Corpus.from_table(odd, root=home, columns=columns), home)
    with pytest.raises(ValueError, match="Did you mean 'mood'"):
        Corpus.from_table(odd, root=home, columns={**columns, "emotion": "moods"})


def test_all_faults_at_once_by_line(home):
    (home / "broken.wav").write_bytes(b"RIFF")
    sf.write(home / "empty.wav", np.zeros(0), 8000)
    (home / "copy.wav").write_bytes((home / "a.wav").read_bytes())
    lines = [
        "file,speaker,emotion,arousal,start,end",
        "a.wav,1,calm,3,,",
        "absent.wav,1,calm,3,,",
        "broken.wav,1,calm,3,,",
        "empty.wav,1,calm,3,,",
        "b.wav,1,  ,3,,",
        "b.wav,,calm,3,,",
        "b.wav,1,calm,9,,",
        "b.wav,1,calm,high,,",
        "b.wav,1,calm,3,0.5,0.4",
        "b.wav,1,calm,3,0.5,1.4",
        "b.wav,1,calm,3,soon,",
        "copy.wav,2,calm,3,,",
        "sub/c.wav,2,calm,,0 days 00:00:00.25,0.75",
    ]
    table = home / "t.csv"
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match="12 of 13 rows of t cannot be used") as caught:
        Corpus.from_table(table)
    said = str(caught.value)
    for line, text in {
        2: "the same audio under speakers 1 and 2 (line 2, line 13)",
        3: f"there is no file {home / 'absent.wav'}",
        4: f"{home / 'broken.wav'} is no audio",
        5: f"{home / 'empty.wav'} holds no sound",
        6: "it has no emotion",
        7: "it has no speaker",
        8: "its activation 9 is outside the scale from 1 to 5",
        9: "its activation is no number: 'high'",
        10: "it ends at 0.4 s, and starts at 0.5 s",
        11: f"it goes to 1.4 s, but {home / 'b.wav'} has 1.00 s",
        12: "its start is no number: 'soon'",
    }.items():
        assert f"  line {line}: {text}" in said
    with pytest.warns(UserWarning, match="Left out 12 of 13 rows of t:"):
        corpus = Corpus.from_table(table, on_error="warn")
    assert corpus.audio[0] == (str(home / "sub/c.wav"), 0.25, 0.75)
    assert np.isnan(corpus.activation[0])
    table.write_text("\n".join(lines[:1] + lines[2:5]) + "\n")
    with pytest.raises(ValueError, match="No row of t can be used"):
        Corpus.from_table(table, on_error="warn")


def test_many_faults_are_counted(home):
    frame = pd.concat([FRAME] * 10, ignore_index=True).assign(path="absent.wav")
    with pytest.raises(ValueError, match="and 20 more") as caught:
        Corpus.from_table(frame, root=home)
    assert str(caught.value).count("\n  row ") == 20


def test_ratings_on_their_scale_and_decimal_commas(home):
    table = home / "t.csv"
    table.write_text(
        "file;speaker;emotion;Arousal;valence;Geschlecht\n"
        "a.wav;1;calm;8,5;NaN;w\nb.wav;2;calm;1;9;m\n"
    )
    corpus = Corpus.from_table(
        table, rating_scale=(1, 9), columns={"gender": "Geschlecht"}
    )
    assert corpus.activation.tolist() == [8.5, 1.0]
    assert np.isnan(corpus.valence[0])
    assert corpus.rating_scale == (1, 9)
    assert corpus.gender.tolist() == ["female", "male"]


def test_emotions_are_renamed_and_left_out(home):
    frame = FRAME.assign(label=[" calm", "xxx", "tense ", "calm"])
    names = {"calm": "neutral", "xxx": None}
    corpus = Corpus.from_table(frame, root=home, emotions=names)
    assert corpus.emotion.tolist() == ["neutral", "tense", "neutral"]
    with pytest.raises(ValueError, match="emotions names yyy, which the table has not"):
        Corpus.from_table(frame, root=home, emotions={"yyy": None})


def test_speakers_of_mixed_type(home):
    frame = FRAME.assign(patient=["3", "3.0", "03", "4"])
    with (
        pytest.warns(UserWarning, match=r"are written as 3 and 3\.0"),
        pytest.warns(UserWarning, match="look alike, and count as several: 03, 3"),
    ):
        corpus = Corpus.from_table(frame, root=home)
    assert corpus.speaker.tolist() == ["3", "3", "03", "4"]
    numbers = FRAME.assign(patient=[1.0, 2.0, np.nan, 1.0])
    with pytest.warns(UserWarning, match="it has no speaker"):
        corpus = Corpus.from_table(numbers, root=home, on_error="warn")
    assert corpus.speaker.tolist() == ["1", "2", "1"]


@given(
    st.lists(st.text(max_size=5) | st.none() | st.integers() | st.floats(), min_size=1)
)
def test_any_text_is_a_label(values):
    found = _text(pd.Series(values, dtype=object))
    for value, text in zip(values, found, strict=True):
        is_missing = value is None or value != value or not str(value).split()
        assert (text is None) == is_missing
        assert text is None or text == " ".join(text.split())


@given(st.integers(-999, 999))
def test_a_number_is_one_speaker_however_it_is_written(number):
    faults = Faults(["row 0"] * 2)
    found = _speakers(pd.Series([number, float(number)], dtype=object), faults)
    assert found.tolist() == [str(number)] * 2


def test_a_dataset_of_hugging_face(home):
    datasets = pytest.importorskip("datasets")
    names = [home / name for name, *_ in ROWS]
    columns = {
        "audio": [{"path": None, "bytes": path.read_bytes()} for path in names],
        "speaker_id": [speaker for _, speaker, _ in ROWS],
        "label": [int(emotion == "tense") for *_, emotion in ROWS],
    }
    dataset = datasets.Dataset.from_dict(columns)
    for name, kind in {
        "audio": datasets.Audio(decode=False),
        "label": datasets.ClassLabel(names=["calm", "tense"]),
    }.items():
        dataset = dataset.cast_column(name, kind)
    for source in (dataset, home / "saved"):
        if source is not dataset:
            dataset.save_to_disk(str(source))
        corpus = Corpus.from_table(source)
        assert corpus.emotion.tolist() == ["calm", "tense", "tense", "calm"]
        waveform, rate = corpus.audio[2]
        np.testing.assert_allclose(waveform, sf.read(names[2])[0], atol=1e-6)
        assert rate == 8000


class Features(dict):
    """Stands for those of a dataset."""


def test_a_dataset_without_the_package(home):
    class Audio:
        def __init__(self, decode=True):
            self.decode = decode

    class Dataset:
        features = Features(audio=Audio())

        def cast_column(self, name, kind):
            assert not kind.decode
            return self

        def to_pandas(self):
            buffer = io.BytesIO((home / "b.wav").read_bytes())
            audio = [
                {"path": str(home / "a.wav"), "bytes": None},
                {"path": "b.wav", "bytes": buffer.getvalue()},
            ]
            return FRAME[["patient", "label"]][:2].assign(audio=audio)

    with pytest.raises(ValueError, match="its audio cannot be decoded"):
        Corpus.from_table(Dataset())  # one has bytes, the other a path alone


# Of audformat itself, by a new pandas.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_tables_of_audformat(home):
    audformat = pytest.importorskip("audformat")
    path = home / "db.emotion.csv"
    path.write_text(
        "file,start,end,emotion,speaker\n"
        "a.wav,0 days 00:00:00,0 days 00:00:00.500000,calm,1\n"
        "b.wav,0 days 00:00:00.250000,NaT,tense,2\n"
    )
    corpus = Corpus.from_table(path)
    assert corpus.frame["start"].tolist() == [0.0, 0.25]
    assert corpus.frame["end"].tolist()[0] == 0.5
    database = audformat.Database("visits")
    for name in ("emotion", "speaker"):
        database.schemes[name] = audformat.Scheme("str")
    index = audformat.segmented_index(
        ["a.wav", "b.wav"], ["0s", "0.25s"], ["0.5s", "1s"]
    )
    database["emotion"] = audformat.Table(index)
    database["emotion"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["emotion"]["emotion"].set(["calm", "tense"])
    database["files"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    database["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    database["files"]["speaker"].set(["1", "2"])
    database.save(str(home))
    corpus = Corpus.from_table(home)
    assert corpus.speaker.tolist() == ["1", "2"]
    assert corpus.audio[1] == (str(home / "b.wav"), 0.25, 1.0)


def test_a_folder_of_kaldi(home):
    for name, text in {
        "wav.scp": f"r1 {home / 'a.wav'}\nr2 {home / 'b.wav'}\n",
        "segments": "u1 r1 0 0.5\nu2 r1 0.5 1.0\nu3 r2 0 1\n",
        "utt2spk": "u1 p1\nu2 p1\nu3 p2\n",
        "utt2emo": "u1 calm\nu2 tense\nu3 calm\n",
        "spk2gender": "p1 f\np2 m\n",
    }.items():
        (home / name).write_text(text)
    corpus = Corpus.from_table(home)
    assert corpus.audio[1] == (str(home / "a.wav"), 0.5, 1.0)
    assert corpus.speaker.tolist() == ["p1", "p1", "p2"]
    assert corpus.gender.tolist() == ["female", "female", "male"]
    (home / "utt2emo").write_text("u1 calm\n")
    with pytest.raises(ValueError, match="utterance u2: it has no emotion"):
        Corpus.from_table(home)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("load", "folder", "pattern"),
    [
        (load_crema_d, "crema-d", "{speaker}_{sentence}_{emotion}_*"),
        (load_emodb, "emodb", r"(?P<speaker>\d\d)\w\d\d(?P<emotion>\w)\w"),
    ],
)
@pytest.mark.filterwarnings("ignore:Left out")
def test_real_corpora_come_out_as_from_their_loaders(
    data_home, tmp_path, load, folder, pattern
):
    theirs = load(data_home / folder)
    table = tmp_path / "table.csv"
    columns = ["file", "speaker", "emotion"]
    theirs.frame.assign(file=theirs.frame["file"].map(lambda f: Path(f).resolve()))[
        columns
    ].to_csv(table, index=False)
    mine = Corpus.from_table(table, on_error="warn")
    if folder == "emodb":
        assert mine.emotion.tolist() == theirs.emotion.tolist()
    read = Corpus.from_folder(
        data_home / folder, emotion=pattern, speaker=pattern, on_error="warn"
    )
    of_file = dict(zip(map(Path, theirs.audio), theirs.speaker, strict=True))
    for file, speaker in zip(read.audio, read.speaker, strict=True):
        assert of_file[Path(file)] == speaker
    assert len(read) == len(mine)
