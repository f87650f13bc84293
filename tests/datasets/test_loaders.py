"""What holds for the loaders of all corpora, also of those with files of labels."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_ser import datasets
from sklearn_ser.cli import _parser
from sklearn_ser.cli._corpora import check_corpus, load_corpus
from sklearn_ser.datasets import emotion_quadrant
from tests.datasets import helpers
from tests.datasets.helpers import make_labels, make_tree

LOADERS = [name for name in datasets.__all__ if name.startswith("load_")]
# Emotions without a place in the binary table.
PLACELESS = {"contempt", "sleepiness"}
NAMES = {
    "load_cmu_mosei": "CMU-MOSEI",
    "load_iemocap": "IEMOCAP",
    "load_msp_podcast": "MSP-Podcast",
}


def tree_of(loader, home):
    """Write a miniature of the corpus that a loader reads."""
    names = getattr(helpers, loader.removeprefix("load_").upper())
    return make_labels(make_tree(home, names), NAMES.get(loader, ""))


@pytest.fixture(params=LOADERS)
def loader(request):
    return request.param


@pytest.fixture
def load(loader):
    return getattr(datasets, loader)


@pytest.fixture
def quiet():
    """Miniatures of MSP-Podcast have utterances of an unknown speaker."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Left out 1 utterance of . of MSP-Podcast")
        yield


@pytest.mark.usefixtures("quiet")
def test_what_is_loaded_is_complete(loader, load, tmp_path):
    corpus = load(tree_of(loader, tmp_path))
    assert len(corpus) > 2
    for text in (corpus.description, corpus.license, corpus.citation, corpus.language):
        assert text
        assert not text.endswith("\n")
    assert corpus.gender is None or set(corpus.gender) <= {"female", "male"}
    for emotion in set(corpus.emotion) - PLACELESS:
        assert emotion_quadrant(emotion) in (1, 2, 3, 4)
    # A speaker has one gender.
    if corpus.gender is not None:
        pairs = set(zip(corpus.speaker, corpus.gender, strict=True))
        assert len(pairs) == len(set(corpus.speaker))
    assert all(emotion for emotion in corpus.emotion)
    assert not corpus.frame.duplicated(["file", *corpus.frame.columns]).any()


@pytest.mark.usefixtures("quiet")
def test_all_can_be_joined(tmp_path):
    corpora = [
        getattr(datasets, loader)(tree_of(loader, tmp_path / loader))
        for loader in LOADERS
    ]
    joined = datasets.join_corpora(corpora)
    assert len(joined) == sum(map(len, corpora))
    n_speakers = sum(len(set(corpus.speaker)) for corpus in corpora)
    assert len(set(joined.speaker)) == n_speakers
    assert joined.rating_scale == (1, 5)
    columns = set().union(*(corpus.frame.columns for corpus in corpora))
    assert set(joined.frame.columns) == columns | {"corpus"}


@pytest.mark.usefixtures("quiet")
@pytest.mark.filterwarnings("ignore:Only . of the . labelled recordings:UserWarning")
def test_a_file_without_sound_is_named_and_left_out(loader, load, tmp_path):
    home = tree_of(loader, tmp_path)
    expected = load(home).frame
    broken = expected["file"][0]
    soundfile.write(broken, np.zeros(0), 16000)
    with pytest.warns(UserWarning, match="hold no sound: ") as caught:
        found = load(home).frame
    said = [str(w.message) for w in caught if "no sound" in str(w.message)]
    assert len(said) == 1
    assert Path(broken).name in said[0]
    left = expected[expected["file"] != broken].reset_index(drop=True)
    assert found.equals(left)


def test_a_folder_that_is_missing(load, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*\. Give as data_home .*"):
        load(tmp_path / "absent")


@pytest.mark.parametrize("files", [[], ["notes/readme.txt"]])
def test_a_folder_without_recordings(load, files, tmp_path):
    for name in files:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("nothing")
    with pytest.raises(FileNotFoundError, match=r"No recording .* from http"):
        load(tmp_path)


def test_another_layout_is_told_from_the_one_expected(loader, load, tmp_path):
    make_tree(tmp_path, ["somewhere/.1.wav"])
    with pytest.raises(FileNotFoundError, match=r"only somewhere/\.1\.wav\. Give") as e:
        load(tmp_path)
    assert "such as " in str(e.value)


@pytest.mark.usefixtures("quiet")
def test_the_command_line_takes_it(loader, load, tmp_path):
    home = tree_of(loader, tmp_path)
    name = loader.removeprefix("load_").replace("_", "-")
    arguments = ["evaluate", "--recipe", "egemaps_svc", "--corpus", name]
    options = _parser().parse_args([*arguments, "--data-home", str(home)])
    check_corpus(options)
    corpus = load_corpus(options, ())
    assert corpus.frame.equals(load(home).frame)


@pytest.mark.usefixtures("quiet")
def test_what_is_rated_needs_no_table(tmp_path):
    """A level of valence is a target at once."""
    for loader in ("load_iemocap", "load_msp_podcast"):
        home = tree_of(loader, tmp_path / loader)
        name = loader.removeprefix("load_").replace("_", "-")
        arguments = ["--corpus", name, "--data-home", str(home), "--target", "val"]
        options = _parser().parse_args(["evaluate", *arguments])
        assert load_corpus(options, ()).valence is not None
