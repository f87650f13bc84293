"""Miniature corpora on disk, and comparisons of corpora."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sklearn_ser.datasets import Corpus

EMODB = ["wav/16b10Td.wav", "wav/03a01Fa.wav", "wav/08a02Wb.wav", "wav/10b03Lc.wav"]
EMODB += ["wav/03a04Ea.wav", "wav/09a05Aa.wav", "wav/13a07Na.wav"]
URDU = ["Angry/SM1_F19_A019.wav", "Angry/SM4_F48_A0100.wav", "Happy/SF6_F6_H030.wav"]
URDU += ["Neutral/SF9_F1_N01.wav", "Sad/SM6_F4_S0100.wav"]
CREMA_D = ["AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1001_DFA_ANG_XX.wav"]
CREMA_D += ["AudioWAV/1001_IEO_SAD_MD.wav", "AudioWAV/1040_ITH_SAD_X.wav"]
CREMA_D += ["AudioWAV/1001_TIE_NEU_XX.wav", "AudioWAV/1001_IEO_FEA_HI.wav"]
CREMA_D += ["AudioWAV/1001_WSI_DIS_XX.wav"]


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


ARRAYS = ["segments", "segment_quadrant", "segment_corpus", "mean", "scale"]


def assert_equal(found, expected):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    assert found.names == expected.names
    assert found.n_utterances == expected.n_utterances
    X = np.split(expected.segments, [3, 4])  # the first two are among them
    np.testing.assert_array_equal(found.holds(X), expected.holds(X))
