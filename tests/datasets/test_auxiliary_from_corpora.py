"""Auxiliary corpora from recordings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from sklearn_ser import AudioError, SpectrogramSegmenter
from sklearn_ser._constants import UNKNOWN
from sklearn_ser.datasets import AuxiliaryCorpora, Corpus, emotion_quadrant
from tests.datasets.helpers import assert_equal


def tone(pitch, seconds=0.6):
    times = np.arange(round(seconds * 16000)) / 16000
    return (0.3 * np.sin(2 * np.pi * pitch * times)).astype(np.float32)


def make_corpus(emotions, name="mine", pitch=200):
    waveforms = [tone(pitch + 10 * i, 0.3 * (i + 1)) for i in range(len(emotions))]
    frame = pd.DataFrame({"emotion": emotions, "speaker": "1", "sampling_rate": 16000})
    return Corpus(frame.assign(waveform=waveforms), name=name)


EMOTIONS = ["anger", "happiness", "neutral", "sadness", "fear", "disgust", "boredom"]


def test_from_corpora():
    first = make_corpus(EMOTIONS, "first")
    second = make_corpus(["joy", "surprise"], "second", pitch=300)
    auxiliary = AuxiliaryCorpora.from_corpora(iter([first, second]))
    front_end = SpectrogramSegmenter()
    X = [*front_end.transform(first.audio), *front_end.transform(second.audio)]
    expected = AuxiliaryCorpora(
        X,
        emotion_quadrant([*EMOTIONS, "joy", "surprise"]),
        corpus=["first"] * 7 + ["second"] * 2,
    )
    assert_equal(auxiliary, expected)
    assert auxiliary.names == ("first", "second")
    assert auxiliary.n_features == 32 * 129
    first_segments = np.cumsum([0, *map(len, X[:-1])])
    quadrants = auxiliary.segment_quadrant[first_segments]
    assert quadrants.tolist() == [2, 1, 4, 3, 2, 3, 3, 1, 1]
    assert auxiliary.holds(X).all()
    assert not auxiliary.holds(front_end.transform([tone(1000)])).any()


def test_from_one_corpus_and_another_front_end():
    corpus = make_corpus(["anger", "sadness"])
    front_end = SpectrogramSegmenter.from_preset("gao2021_s2")
    auxiliary = AuxiliaryCorpora.from_corpora(corpus, front_end)
    assert auxiliary.names == ("mine",)
    np.testing.assert_array_equal(
        auxiliary.segments, np.concatenate(front_end.transform(corpus.audio))
    )
    # The corpora of one emotion are as good as any.
    assert len(AuxiliaryCorpora.from_corpora([corpus.keep_emotions("anger")])) == 2


def test_emotions_without_a_quadrant():
    first = make_corpus(["anger", "contempt", "pride"], "first")
    second = make_corpus(["contempt", "sadness"], "second")
    with pytest.warns(UserWarning, match="contempt, pride: 3 utterances") as caught:
        auxiliary = AuxiliaryCorpora.from_corpora([first, second])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    lengths = [len(x) for x in SpectrogramSegmenter().transform(first.audio)]
    lengths += lengths[:2]
    expected = np.repeat([2, UNKNOWN, UNKNOWN, UNKNOWN, 3], lengths)
    np.testing.assert_array_equal(auxiliary.segment_quadrant, expected)


def in_files(folder, *, broken):
    """Make a corpus of four files, some of them broken."""
    paths = [folder / f"{i}.wav" for i in range(4)]
    for i, path in enumerate(paths):
        sf.write(path, tone(200 + 50 * i), 16000)
        if i in broken:
            path.write_bytes(b"no sound")
    emotions = ["anger", "sadness", "neutral", "happiness"]
    frame = pd.DataFrame({"file": paths, "emotion": emotions, "speaker": "1"})
    return Corpus(frame, name="on disk")


def test_a_broken_file_among_good_ones_is_left_out(tmp_path):
    corpus = in_files(tmp_path, broken=[1])
    good = corpus.select([0, 2, 3])
    expected = AuxiliaryCorpora.from_corpora(good)
    quiet = SpectrogramSegmenter(on_error="nan")
    assert_equal(AuxiliaryCorpora.from_corpora(corpus, quiet), expected)
    loud = SpectrogramSegmenter(on_error="warn")
    with pytest.warns(
        UserWarning, match=r"for 1 of 4 recordings:\nrecording 1: .*1\.wav"
    ):
        assert_equal(AuxiliaryCorpora.from_corpora(corpus, loud), expected)
    with pytest.raises(AudioError, match=r"corpus on disk: recording 1: .*1\.wav"):
        AuxiliaryCorpora.from_corpora(corpus)


def test_an_emotion_of_broken_files_alone_is_none(tmp_path):
    corpus = in_files(tmp_path, broken=[1])
    frame = corpus.frame.replace("sadness", "contempt")
    quiet = SpectrogramSegmenter(on_error="nan")
    auxiliary = AuxiliaryCorpora.from_corpora(replace(corpus, frame=frame), quiet)
    assert UNKNOWN not in auxiliary.segment_quadrant


def test_a_corpus_of_broken_files_is_named(tmp_path):
    broken = in_files(tmp_path, broken=range(4))
    quiet = SpectrogramSegmenter(on_error="nan")
    with pytest.raises(ValueError, match=r"No recording of the corpus on disk .* of 4"):
        AuxiliaryCorpora.from_corpora([make_corpus(["anger"]), broken], quiet)


def test_front_ends_that_give_tables():
    class Loudness:
        def transform(self, X):
            return np.array([[w.max(), w.size] for w, _ in X]) * [[1.0], [np.nan]]

    corpus = make_corpus(["anger", "sadness"])
    auxiliary = AuxiliaryCorpora.from_corpora(corpus, Loudness())
    assert auxiliary.n_utterances == len(auxiliary) == 1
    assert auxiliary.segment_quadrant.tolist() == [2]


@pytest.mark.parametrize(
    ("corpora", "error", "message"),
    [
        ([], ValueError, "corpora is empty"),
        (["EMO-DB"], TypeError, "at index 0 is a str"),
        ([make_corpus(["anger"])] * 2, ValueError, "Two corpora have the name 'mine'"),
        (
            make_corpus(["anger"]).select([False]),
            ValueError,
            "The corpus mine has no utterances",
        ),
    ],
)
def test_corpora_that_are_refused(corpora, error, message):
    with pytest.raises(error, match=message):
        AuxiliaryCorpora.from_corpora(corpora)
