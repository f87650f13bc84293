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
SAVEE = ["AudioData/DC/a01.wav", "AudioData/DC/sa15.wav", "AudioData/JE/a01.wav"]
SAVEE += ["AudioData/KL/su03.wav", "AudioData/JK/n30.wav", "AudioData/JK/d02.wav"]
CAFE = ["Colère/Faible/01-C-1-1.wav", "Colère/Fort/02-C-2-6.wav"]
CAFE += ["Neutre/12-N-1-3.wav", "Joie/Fort/11-J-2-4.wav", "Peur/Faible/03-P-1-2.wav"]
AESDD = ["anger/a01 (1).wav", "disgust/d03 (01).wav", "fear/f20 (6).wav"]
AESDD += ["anger/a06 (5).wav", "anger/a06 (5)b.wav", "sadness/s05 (2).wav"]
EMOVDB = ["bea/Amused/amused_1-15_0001.wav", "bea/Neutral/neutral_1-28_0001.wav"]
EMOVDB += ["jenie/Angry/anger_29-56_0030.wav", "sam/Amused/amused_1-15_0001.wav"]
EMOVDB += ["josh/Sleepy/sleepiness_1-28_0007.wav", "sam/Disgust/disgust_1-28_0002.wav"]
RAVDESS = ["Actor_01/03-01-05-01-01-01-01.wav", "Actor_01/03-01-01-01-02-02-01.wav"]
RAVDESS += ["Actor_24/03-01-08-02-02-01-24.wav", "Actor_12/03-01-02-01-01-01-12.wav"]
TESS = ["OAF_angry/OAF_back_angry.wav", "OAF_neutral/OA_bite_neutral.wav"]
TESS += ["OAF_Pleasant_surprise/OAF_young_ps.wav", "YAF_fear/YAF_back_fear.wav"]
EMOVO = ["EMOVO/f1/dis-f1-b1.wav", "EMOVO/m3/gio-m3-n5.wav", "EMOVO/f2/rab-f2-l4.wav"]
EMOVO += ["EMOVO/m1/neu-m1-d2.wav", "EMOVO/m1/sor-m1-d2.wav"]
IEMOCAP = [
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav",
    "Session1/sentences/wav/Ses01M_impro01/Ses01M_impro01_F000.wav",
    "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_M011.wav",
    "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_F002.wav",
    "Session5/sentences/wav/Ses05F_script03_2/Ses05F_script03_2_F000.wav",
]
MSP_PODCAST = [f"Audios/MSP-PODCAST_000{i}_0008.wav" for i in range(1, 8)]
CMU_MOSEI = [f"Audio/Full/WAV_16000/{name}.wav" for name in ("--qXJu", "Ab_1", "ab_1")]


def make_tree(home: Path, names: list[str], rate: int = 16000) -> Path:
    """Write a tenth of a second of sound under each name."""
    tone = 0.1 * np.sin(2 * np.pi * 200 * np.arange(1600) / 16000)
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        sf.write(home / name, tone, rate)
    return home


EVALUATIONS = {
    "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 3.5000, 1.5000]
C-E2:\tNeutral;\t()
C-F1:\tNeutral;\t()
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M003\txxx\t[2.0000, 2.0000, 2.0000]
C-E2:\tAnger;\t()
""",
    "Session1/dialog/EmoEvaluation/Ses01M_impro01.txt": """\
[6.0000 - 8.2000]\tSes01M_impro01_F000\tfru\t[2.5000, 3.0000, 3.5000]
A-E3-:\tval 1; act 5; dom  ;\t()
""",
    "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt": """\
[1.0000 - 2.0000]\tSes05M_script01_1b_M011\thap\t[4.0000, 3.0000, 3.0000]
[3.0000 - 4.0000]\tSes05M_script01_1b_F002\texc\t[5.0000, 4.0000, 4.0000]
""",
    "Session5/dialog/EmoEvaluation/Ses05F_script03_2.txt": """\
[0.5000 - 1.0000]\tSes05F_script03_2_F000\toth\t[3.0000, 3.0000, 3.0000]
""",
}

CONSENSUS = """\
FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set
MSP-PODCAST_0001_0008.wav,N,4.0,4.5,4.2,127,Female,Train
MSP-PODCAST_0002_0008.wav,H,5.0,6.5,5.2,127,Female,Train
MSP-PODCAST_0003_0008.wav,A,6.0,1.5,6.2,8,Male,Test1
MSP-PODCAST_0004_0008.wav,X,4.0,4.5,4.2,8,Male,Test1
MSP-PODCAST_0005_0008.wav,C,4.0,2.5,4.2,Unknown,Unknown,Train
MSP-PODCAST_0006_0008.wav,S,2.0,2.5,3.2,009,Male,Development
MSP-PODCAST_0007_0008.wav,O,2.0,2.5,3.2,009,Male,Development
"""

SEGMENTS = """\
video,start,end,sentiment,happy,sad,anger,surprise,disgust,fear
--qXJu,5.5,7.25,-1.0,0.0,0.667,0.0,0.0,0.333,0.0
--qXJu,0.0,5.5,1.0,0.667,0.0,0.0,0.667,0.0,0.0
Ab_1,0.0,2.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0
ab_1,1.0,3.0,3.0,3.0,0.0,0.0,0.0,0.0,0.0
"""

# What lies beside the recordings.
LABELS = {
    "IEMOCAP": EVALUATIONS,
    "MSP-Podcast": {"Labels/labels_consensus.csv": CONSENSUS},
    "CMU-MOSEI": {"CMU_MOSEI_Labels.csv": SEGMENTS},
}


def make_labels(home: Path, corpus: str) -> Path:
    """Write the labels of a corpus that has some in files."""
    for name, text in LABELS.get(corpus, {}).items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
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
