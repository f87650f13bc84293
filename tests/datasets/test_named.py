"""The corpora whose file names say all, on miniature trees."""

import pytest

from sklearn_ser.datasets import (
    load_aesdd,
    load_cafe,
    load_emovdb,
    load_emovo,
    load_ravdess,
    load_savee,
    load_tess,
)
from tests.datasets import helpers
from tests.datasets.helpers import by_file, make_tree

# By the name of the file: emotion, speaker, gender, sentence.
EXPECTED = {
    load_cafe: {
        "01-C-1-1.wav": ("anger", "01", "male", "1"),
        "02-C-2-6.wav": ("anger", "02", "female", "6"),
        "03-P-1-2.wav": ("fear", "03", "male", "2"),
        "11-J-2-4.wav": ("happiness", "11", "male", "4"),
        "12-N-1-3.wav": ("neutral", "12", "female", "3"),
    },
    load_aesdd: {
        "a01 (1).wav": ("anger", "1", None, "01"),
        "a06 (5).wav": ("anger", "5", None, "06"),
        "a06 (5)b.wav": ("anger", "5", None, "06"),
        "d03 (01).wav": ("disgust", "1", None, "03"),
        "f20 (6).wav": ("fear", "6", None, "20"),
        "s05 (2).wav": ("sadness", "2", None, "05"),
    },
    load_ravdess: {
        "03-01-01-01-02-02-01.wav": ("neutral", "01", "male", "02"),
        "03-01-02-01-01-01-12.wav": ("calm", "12", "female", "01"),
        "03-01-05-01-01-01-01.wav": ("anger", "01", "male", "01"),
        "03-01-08-02-02-01-24.wav": ("surprise", "24", "female", "02"),
    },
    load_tess: {
        "OAF_back_angry.wav": ("anger", "OAF", "female", "back"),
        "OAF_young_ps.wav": ("surprise", "OAF", "female", "young"),
        "OA_bite_neutral.wav": ("neutral", "OAF", "female", "bite"),
        "YAF_back_fear.wav": ("fear", "YAF", "female", "back"),
    },
    load_emovo: {
        "dis-f1-b1.wav": ("disgust", "f1", "female", "b1"),
        "gio-m3-n5.wav": ("happiness", "m3", "male", "n5"),
        "neu-m1-d2.wav": ("neutral", "m1", "male", "d2"),
        "rab-f2-l4.wav": ("anger", "f2", "female", "l4"),
        "sor-m1-d2.wav": ("surprise", "m1", "male", "d2"),
    },
}


@pytest.mark.parametrize("load", EXPECTED)
def test_names_are_read(load, tmp_path):
    names = getattr(helpers, load.__name__.removeprefix("load_").upper())
    corpus = load(make_tree(tmp_path, names))
    columns = [corpus.emotion, corpus.speaker, corpus.gender, corpus.sentence]
    if corpus.gender is None:
        columns[2] = [None] * len(corpus)
    files = by_file(corpus, "file")
    found = dict(zip(files, zip(*columns, strict=True), strict=True))
    assert found == EXPECTED[load]
    assert corpus.activation is None


def test_savee_names_repeat_across_speakers(tmp_path):
    corpus = load_savee(make_tree(tmp_path, helpers.SAVEE))
    read = zip(corpus.speaker, corpus.emotion, corpus.sentence, strict=True)
    assert sorted(read) == [
        ("DC", "anger", "a01"),
        ("DC", "sadness", "sa15"),
        ("JE", "anger", "a01"),
        ("JK", "disgust", "d02"),
        ("JK", "neutral", "n30"),
        ("KL", "surprise", "su03"),
    ]
    assert set(corpus.gender) == {"male"}


@pytest.mark.parametrize("name", ["MK/a01", "DC/s01", "DC/a1", "DC/x01", "a01"])
def test_savee_names_are_matched_whole(name, tmp_path):
    make_tree(tmp_path, [*helpers.SAVEE, f"AudioData/{name}.wav"])
    with pytest.warns(UserWarning, match=f"AudioData/{name}.wav"):
        assert len(load_savee(tmp_path)) == len(helpers.SAVEE)


def test_cafe_levels(tmp_path):
    corpus = load_cafe(make_tree(tmp_path, helpers.CAFE))
    levels = by_file(corpus, "level")
    assert [levels[name] for name in ("01-C-1-1.wav", "02-C-2-6.wav")] == [
        *("weak", "strong")
    ]


def test_cafe_in_both_sampling_rates_is_refused(tmp_path):
    """Under one name: these are not copies."""
    for folder, rate in (("CaFE_48k", 48000), ("CaFE_192k", 192000)):
        make_tree(tmp_path / folder, helpers.CAFE, rate)
    with pytest.raises(ValueError, match=r" of CaFE is there twice, .*: give as"):
        load_cafe(tmp_path)
    assert len(load_cafe(tmp_path / "CaFE_48k")) == len(helpers.CAFE)


def test_aesdd_versions_and_folders(tmp_path):
    make_tree(tmp_path, [*helpers.AESDD, "fear/a02 (1).wav"])
    with pytest.warns(UserWarning, match=r"Left out 1 .*: fear/a02 \(1\)\.wav\."):
        corpus = load_aesdd(tmp_path)
    assert by_file(corpus, "version")["a06 (5)b.wav"] == "b"
    assert by_file(corpus, "version")["a06 (5).wav"] == ""


def test_the_empty_header_of_aesdd_is_named(tmp_path):
    make_tree(tmp_path, [*helpers.AESDD, "sadness/s05 (3).wav"])
    header = (tmp_path / "sadness" / "s05 (3).wav").read_bytes()[:44]
    (tmp_path / "sadness" / "s05 (3).wav").write_bytes(header)
    with pytest.warns(UserWarning, match=r"no sound: sadness/s05 \(3\)\.wav\. They"):
        assert len(load_aesdd(tmp_path)) == len(helpers.AESDD)


def test_aesdd_ratings_are_joined_by_the_names_of_variants(tmp_path):
    make_tree(tmp_path, helpers.AESDD)
    table = tmp_path / "AESD.csv"
    table.write_text(
        "filename,activation,valence \na06 (5)b.wav,4,2.5\nd03 (01).wav,3,2\n"
        "s05 (3).wav,,\n"
    )
    corpus = load_aesdd(tmp_path, dimensions=table)
    rated = by_file(corpus, "activation")
    assert (rated["a06 (5)b.wav"], rated["d03 (01).wav"]) == (4, 3)


@pytest.mark.parametrize("folder", ["{}/{}", "{}_{}"])
def test_emovdb_folders(folder, tmp_path):
    """The names of the folders tell the speakers apart."""
    names = [folder.format(*name.split("/", 1)) for name in helpers.EMOVDB]
    corpus = load_emovdb(make_tree(tmp_path, names))
    read = zip(corpus.speaker, corpus.emotion, corpus.sentence, strict=True)
    assert sorted(read) == [
        ("bea", "amusement", "0001"),
        ("bea", "neutral", "0001"),
        ("jenie", "anger", "0030"),
        ("josh", "sleepiness", "0007"),
        ("sam", "amusement", "0001"),
        ("sam", "disgust", "0002"),
    ]
    genders = set(zip(corpus.speaker, corpus.gender, strict=True))
    assert sorted(genders) == [
        *(("bea", "female"), ("jenie", "female"), ("josh", "male"), ("sam", "male")),
    ]
    assert set(corpus.frame["part"]) == {"1-15", "1-28", "29-56"}


def test_emovdb_without_a_speaker_is_not_guessed(tmp_path):
    make_tree(tmp_path, ["flat/amused_1-15_0001.wav"])
    with pytest.raises(FileNotFoundError, match="such as bea/Amused/amused_1-15_0001"):
        load_emovdb(tmp_path)


SONG = "Actor_01/03-02-05-01-01-01-01.wav"


def test_ravdess_speech_and_song(tmp_path):
    make_tree(tmp_path, [*helpers.RAVDESS, SONG])
    assert len(load_ravdess(tmp_path)) == len(helpers.RAVDESS)
    song = load_ravdess(tmp_path, vocal_channel="song")
    assert song.frame["vocal_channel"].tolist() == ["song"]
    both = load_ravdess(tmp_path, vocal_channel="all")
    assert len(both) == len(helpers.RAVDESS) + 1
    assert set(both.frame["level"]) == {"normal", "strong"}
    assert set(both.frame["repetition"]) == {1, 2}
    with pytest.raises(ValueError, match=r"vocal_channel must be one of .*got 'both'"):
        load_ravdess(tmp_path, vocal_channel="both")


def test_ravdess_in_the_folders_of_its_archives(tmp_path):
    names = [f"Audio_Speech_Actors_01-24/{name}" for name in helpers.RAVDESS]
    make_tree(tmp_path, [*names, f"Audio_Song_Actors_01-24/{SONG}"])
    assert len(load_ravdess(tmp_path)) == len(helpers.RAVDESS)


def test_tess_copy_in_a_subfolder(tmp_path):
    again = "TESS Toronto emotional speech set data"
    make_tree(tmp_path, [*helpers.TESS, *(f"{again}/{name}" for name in helpers.TESS)])
    with pytest.warns(UserWarning, match="Left out 4 of 8 .* second copies: TESS Tor"):
        corpus = load_tess(tmp_path)
    assert len(corpus) == len(helpers.TESS)
    assert not [path for path in corpus.audio if again in path]
