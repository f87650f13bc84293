"""A voice of known pitch, and log-mel energies by librosa."""

import librosa
import numpy as np

RATE = 16000


def by_librosa(signal, rate, window, hop, n_fft, n_mels, top_db=None, **options):
    """Compute log-mel energies with librosa, whose frames are of n_fft samples."""
    # It puts the window in the middle of a frame: shift ours to there.
    before = (n_fft - window) // 2
    power = librosa.feature.melspectrogram(
        y=np.pad(signal, (before, n_fft - window - before)),
        sr=rate,
        n_fft=n_fft,
        win_length=window,
        hop_length=hop,
        window="hamming",
        center=False,
        n_mels=n_mels,
        **options,
    )
    return librosa.power_to_db(power, ref=1, amin=1e-10, top_db=top_db)


def voice(pitch, rate=RATE, n_harmonics=8):
    """Make a voice whose pitch in Hz is given for every sample."""
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    harmonics = [np.cos(k * phase + k**2) / k for k in range(1, n_harmonics + 1)]
    return (0.1 * np.sum(harmonics, axis=0)).astype(np.float32)
