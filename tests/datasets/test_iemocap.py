"""IEMOCAP, on a miniature tree."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut

from sklearn_ser.datasets import load_iemocap
from sklearn_ser.training._held_out import find_held_out
from tests.datasets.helpers import IEMOCAP, by_file, make_labels, make_tree


@pytest.fixture
def home(tmp_path):
    return make_labels(make_tree(tmp_path, IEMOCAP), "IEMOCAP")


def test_labels_and_names(home):
    corpus = load_iemocap(str(home))
    assert by_file(corpus, "emotion") == {
        "Ses01F_impro01_F000.wav": "neutral",
        "Ses01M_impro01_F000.wav": "frustration",
        "Ses05M_script01_1b_F002.wav": "excitement",
        "Ses05M_script01_1b_M011.wav": "happiness",
    }
    # The speaker is that of the last part of the name, not that of the dialogue.
    assert corpus.speaker.tolist() == ["Ses01F", "Ses01F", "Ses05F", "Ses05M"]
    assert corpus.gender.tolist() == ["female", "female", "female", "male"]
    assert corpus.valence.tolist() == [2.5, 2.5, 5, 4]
    assert corpus.activation.tolist() == [3.5, 3, 4, 3]
    assert corpus.dominance.tolist() == [1.5, 3.5, 4, 3]
    assert corpus.rating_scale == (1, 5)
    assert corpus.sentence is None
    frame = corpus.frame
    assert frame["session"].tolist() == ["Ses01", "Ses01", "Ses05", "Ses05"]
    assert frame["partner"].tolist() == ["Ses01M", "Ses01M", "Ses05M", "Ses05F"]
    assert frame["scenario"].tolist() == ["improvised"] * 2 + ["scripted"] * 2
    assert frame["dialog"].tolist()[1:3] == ["Ses01M_impro01", "Ses05M_script01_1b"]
    assert frame["dialog_start"].tolist() == [6.2901, 6, 3, 1]
    assert frame["dialog_end"].tolist() == [8.2357, 8.2, 4, 2]
    # Whole files: the times are those in the dialogue.
    assert all(type(path) is str for path in corpus.audio)


def test_others_are_kept_where_asked_for(home):
    kept = by_file(load_iemocap(home, keep_others=True), "emotion")
    assert len(kept) == len(IEMOCAP)
    assert kept["Ses01F_impro01_M003.wav"] == "no agreement"
    assert kept["Ses05F_script03_2_F000.wav"] == "other"


def test_excitement_is_merged_where_asked_for(home):
    merged = load_iemocap(home, merge_excitement=True)
    assert set(merged.emotion) == {"neutral", "frustration", "happiness"}


def test_scenarios(home):
    assert set(load_iemocap(home, scenario="improvised").speaker) == {"Ses01F"}
    scripted = load_iemocap(home, scenario="scripted", keep_others=True)
    assert len(scripted) == 3
    with pytest.raises(ValueError, match=r"scenario must be one of .*got 'script'"):
        load_iemocap(home, scenario="script")


def test_nothing_left(tmp_path):
    make_labels(make_tree(tmp_path, IEMOCAP[1:2]), "IEMOCAP")
    with pytest.raises(ValueError, match="None of the recordings of IEMOCAP"):
        load_iemocap(tmp_path)


def test_sessions_are_groups_and_partners_watch(home):
    corpus = load_iemocap(home)
    sessions = corpus.frame["session"]
    folds = list(LeaveOneGroupOut().split(sessions, groups=sessions))
    assert [test.tolist() for _, test in folds] == [[0, 1], [2, 3]]
    partner = dict(zip(corpus.speaker, corpus.frame["partner"], strict=True))
    train = corpus.select(corpus.speaker != "Ses05F")
    held_out = find_held_out(train.speaker, partner)
    assert set(train.speaker[held_out]) == {"Ses05M"}


def flat(name):
    return Path(name).name


def in_upper_case(name):
    return name.upper()


def deeper(name):
    return f"data/IEMOCAP_full_release/{name}"


def as_flac(name):
    return name.replace(".wav", ".flac")


@pytest.mark.parametrize("repack", [flat, in_upper_case, deeper, as_flac])
def test_repackaged(home, repack, tmp_path_factory):
    other = make_tree(tmp_path_factory.mktemp("other"), list(map(repack, IEMOCAP)))
    labels = make_labels(other, "IEMOCAP")
    if repack is flat:
        for path in labels.glob("*/*/*/*.txt"):
            path.rename(labels / path.name)
    columns = ["emotion", "speaker", "dialog", "session", "scenario", "valence"]
    found, expected = (
        load_iemocap(folder).frame[columns].sort_values(columns)
        for folder in (other, home)
    )
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())


def test_what_else_is_in_the_distribution_is_passed_over(home):
    """Sound of whole dialogues, labels of single raters, transcriptions, resources."""
    make_tree(home, ["Session1/dialog/wav/Ses01F_impro01.wav"])
    single = home / "Session1/dialog/EmoEvaluation/Categorical"
    single.mkdir()
    (single / "Ses01F_impro01_e1_cat.txt").write_text(
        "Ses01F_impro01_F000 :Anger; ()\n"
    )
    said = home / "Session1/dialog/transcriptions"
    said.mkdir()
    (said / "Ses01F_impro01.txt").write_text(
        "Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n"
    )
    resource = home / "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt"
    resource.write_bytes(b"\x00\x05\x16\x07\xff")
    assert len(load_iemocap(home)) == 4


def test_recordings_without_labels_are_named(home):
    (home / "Session5/dialog/EmoEvaluation/Ses05F_script03_2.txt").unlink()
    with pytest.warns(UserWarning, match="Left out 1 of 6 .* no label: Ses05F_script"):
        load_iemocap(home)


def test_labels_are_missing(tmp_path):
    make_tree(tmp_path, IEMOCAP)
    with pytest.raises(FileNotFoundError, match=r"No label of IEMOCAP .*EmoEvaluation"):
        load_iemocap(tmp_path)


def evaluation(home, line):
    """Add a file of labels."""
    path = home / "Session1/dialog/EmoEvaluation/Ses01F_impro09.txt"
    path.write_text(f"[1.0 - 2.0]\t{line}\n")


def test_labels_of_others_are_refused(home):
    evaluation(home, "Ses02F_impro01_F000\tneu\t[2.5, 2.5, 2.5]")
    for path in home.glob("Session?/dialog/EmoEvaluation/*.txt"):
        if path.stem != "Ses01F_impro09":
            path.unlink()
    with pytest.raises(ValueError, match="labels of IEMOCAP are of none of the 6"):
        load_iemocap(home)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Ses01F_impro01_F000\tang\t[2.5, 2.5, 2.5]", "F000 otherwise than another"),
        ("Ses01F_impro02_F000\tjoy\t[2.5, 2.5, 2.5]", "the unknown emotion 'joy'"),
    ],
)
def test_labels_that_make_no_sense(home, line, message):
    evaluation(home, line)
    with pytest.raises(ValueError, match=message) as error:
        load_iemocap(home)
    assert "Ses01" in str(error.value)
    assert ".txt" in str(error.value)


def test_ratings_beyond_the_scale_are_set_to_its_end(home):
    path = home / "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt"
    path.write_text(path.read_text().replace("[5.0000,", "[5.5000,"))
    with pytest.warns(UserWarning, match=r"1 of 4 .* outside .*: Ses05M_.*_F002\."):
        corpus = load_iemocap(home)
    assert corpus.valence.max() == 5
