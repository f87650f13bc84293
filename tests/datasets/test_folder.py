"""A corpus from folders and names of one's own."""

import numpy as np
import pytest
import soundfile as sf

from sklearn_ser.datasets import Corpus


def make(home, *names):
    for number, name in enumerate(names):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, np.full(80 + number, 0.1), 8000)
    return home


def labels(corpus):
    return list(zip(corpus.speaker.tolist(), corpus.emotion.tolist(), strict=True))


NESTED = ["anna/angry/1.wav", "anna/sad/1.wav", "ben/angry/1.wav", "ben/sad/2.flac"]
EXPECTED = [("anna", "angry"), ("anna", "sad"), ("ben", "angry"), ("ben", "sad")]


@pytest.mark.parametrize("order", [1, -1])
def test_two_folders_in_either_order(tmp_path, order):
    names = ["/".join([*n.split("/")[:2][::order], n.split("/")[2]]) for n in NESTED]
    corpus = Corpus.from_folder(make(tmp_path, *names, ".hidden/x/1.wav"))
    assert sorted(labels(corpus)) == EXPECTED
    assert "emotion and speaker by folder" in corpus.description
    assert "anna" in corpus.description


def test_names_by_a_pattern(tmp_path):
    make(tmp_path, "anna_s1_angry.wav", "ben_s2_sad.wav", "odd.wav", "notes.txt.wav")
    pattern = "{speaker}_{sentence}_{emotion}.wav"
    with pytest.warns(UserWarning, match=r"Left out 2 of 4 recordings .*odd\.wav"):
        corpus = Corpus.from_folder(tmp_path, emotion=pattern, speaker=pattern)
    assert labels(corpus) == [("anna", "angry"), ("ben", "sad")]
    assert corpus.sentence.tolist() == ["s1", "s2"]


def test_one_by_folder_and_one_by_a_pattern(tmp_path):
    make(tmp_path, "angry/a-1.wav", "sad/b-2.wav")
    assert labels(Corpus.from_folder(tmp_path, speaker="{speaker}-*")) == [
        ("a", "angry"),
        ("b", "sad"),
    ]
    make(tmp_path / "other", "p1/angry_1.wav", "p2/sad_2.wav")
    corpus = Corpus.from_folder(tmp_path / "other", emotion="{emotion}_*")
    assert labels(corpus) == [("p1", "angry"), ("p2", "sad")]


def test_patterns_of_paths_and_regular_expressions(tmp_path):
    make(tmp_path, "p1/visit1/good.wav", "p2/visit1/bad.wav")
    pattern = "{speaker}/*/{emotion}"
    corpus = Corpus.from_folder(tmp_path, emotion=pattern, speaker=pattern)
    assert labels(corpus) == [("p1", "good"), ("p2", "bad")]
    pattern = r"(?P<speaker>p\d)/visit\d/(?P<emotion>\w+)"
    assert labels(Corpus.from_folder(tmp_path, emotion=pattern, speaker=pattern)) == [
        ("p1", "good"),
        ("p2", "bad"),
    ]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"emotion": "{speaker}"}, ValueError, r"'\{speaker\}' has no \{emotion\}"),
        ({"emotion": "(?P<emotion>["}, ValueError, "cannot be read"),
        ({"emotion": "{emotion}_{emotion}"}, ValueError, "each once"),
        ({"emotion": "{emotion}_x_{speaker}"}, ValueError, "No recording in"),
        ({}, ValueError, "no names of emotions that are known"),
    ],
)
def test_faults(tmp_path, options, error, message):
    make(tmp_path, "x/y/1.wav", "z/w/2.wav")
    with pytest.raises(error, match=message):
        Corpus.from_folder(tmp_path, **options)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        Corpus.from_folder(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(FileNotFoundError, match="holds no recording"):
        Corpus.from_folder(tmp_path)


def test_broken_files_are_named(tmp_path):
    make(tmp_path, *NESTED)
    (tmp_path / "ben" / "sad" / "9.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"ben/sad/9\.wav: .* is no audio"):
        Corpus.from_folder(tmp_path)
    with pytest.warns(UserWarning, match="Left out 1 of 5 rows"):
        corpus = Corpus.from_folder(tmp_path, on_error="warn", emotions={"sad": "low"})
    assert sorted({*corpus.emotion}) == ["angry", "low"]
