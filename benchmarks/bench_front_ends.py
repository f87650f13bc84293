"""The spectral front ends against librosa's calls, and the memory of a long corpus.

Run by hand:

    python benchmarks/bench_front_ends.py [folder of WAV files] [--hours 10]

The folder is ``$SKLEARN_SER_DATA/emodb/wav`` by default; without one, recordings of
noise take its place. The recordings are read once, before anything is timed. Both
sides compute the same values from them (the last column tells how far apart they are
at most), turn by turn, without threads in BLAS. LogMelProsody is compared with the
log-mel energies alone, and with librosa's tracker of pitch, which is another. The
corpus of the last part is one minute of noise that is read again and again.
"""

import argparse
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import librosa
import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sklearn_ser import (
    MFCC,
    LogMel,
    LogMelProsody,
    LogMelSegmenter,
    SpectrogramSegmenter,
    load_audio,
)

RATE = 16000
Wave = NDArray[np.float32]
# 25 ms every 10 ms, the window in the middle of a frame of 512 samples.
MEL = {
    **{"sr": RATE, "n_fft": 512, "win_length": 400, "hop_length": 160},
    **{"window": "hamming", "center": False},
}


def framed(wave: Wave) -> Wave:
    """Move the windows of librosa's frames to where those of ours are."""
    return np.pad(wave, 56)


def log_mel(wave: Wave, **options: Any) -> Wave:
    power = librosa.feature.melspectrogram(y=framed(wave), **MEL, **options)
    return librosa.power_to_db(power, top_db=None).T


def segments(wave: Wave) -> Wave:
    frames = log_mel(wave, n_mels=80)
    count = len(frames) // 10
    return frames[: 10 * count].reshape(count, 800)


def nine_seconds(wave: Wave) -> Wave:
    return librosa.util.fix_length(wave, size=9 * RATE)


def mfcc(wave: Wave) -> Wave:
    energies = log_mel(nine_seconds(wave), n_mels=26, fmax=6500)
    return librosa.feature.mfcc(S=energies.T, n_mfcc=13).T


def spectrogram(wave: Wave, n_fft: int, hop: int, **options: Any) -> Wave:
    count = -(-wave.size // 4240)
    parts = librosa.util.fix_length(wave, size=count * 4240).reshape(count, 4240)
    spectra = librosa.stft(parts, n_fft=n_fft, hop_length=hop, center=False, **options)[
        :, :129
    ]
    power = librosa.power_to_db(np.abs(spectra) ** 2, top_db=None)
    return power.transpose(0, 2, 1).reshape(count, -1)


PAIRS: dict[str, tuple[Any, Callable[[Wave], Wave]]] = {
    "LogMelSegmenter()": (LogMelSegmenter(), segments),
    "LogMel()": (
        LogMel(),
        lambda wave: log_mel(nine_seconds(wave), n_mels=26, fmax=6500),
    ),
    "LogMel(duration=None)": (
        LogMel(duration=None),
        lambda wave: log_mel(wave, n_mels=26, fmax=6500),
    ),
    "MFCC()": (MFCC(), mfcc),
    "SpectrogramSegmenter()": (
        SpectrogramSegmenter(),
        lambda wave: spectrogram(wave, 512, 120, win_length=400, window="hamming"),
    ),
    "... 'gao2021_s2'": (
        SpectrogramSegmenter.from_preset("gao2021_s2"),
        lambda wave: spectrogram(wave, 256, 128, window="hann"),
    ),
}


def read(folder: Path, limit: int) -> list[Wave]:
    paths = sorted(folder.glob("*.wav"))[:limit]
    if paths:
        return [load_audio(path, RATE)[0] for path in paths]
    print(f"there are no WAV files in {folder}: noise takes their place")
    generator = np.random.default_rng(0)
    return [
        generator.normal(0, 0.1, n).astype(np.float32)
        for n in generator.integers(RATE, 5 * RATE, limit)
    ]


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def turn_by_turn(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[float, float]:
    times = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    mine, librosas = map(median, zip(*times, strict=True))
    return mine, librosas


def compare_with_librosa(waves: list[Wave], repeats: int) -> None:
    hours = sum(wave.size for wave in waves) / RATE / 3600
    print(
        f"{len(waves)} recordings, {hours * 60:.1f} min, median of {repeats}: seconds "
        "for an hour of speech\n"
        f"{'':26}{'threads':>8}{'ours':>8}{'librosa':>9}{'ratio':>7}{'apart':>12}"
    )
    for name, (front_end, calls) in PAIRS.items():
        ours, theirs = front_end.transform(waves[:9]), map(calls, waves[:9])
        apart = max(np.abs(x - y).max() for x, y in zip(ours, theirs, strict=True))
        tasks = [joblib.delayed(calls)(wave) for wave in waves]
        for n_jobs in (1, 2):
            mine, librosas = turn_by_turn(
                partial(front_end.set_params(n_jobs=n_jobs).transform, waves),
                partial(joblib.Parallel(n_jobs, prefer="threads"), tasks),
                repeats,
            )
            print(
                f"{name:26}{n_jobs:8}{mine / hours:8.2f}{librosas / hours:9.2f}"
                f"{librosas / mine:7.1f}{apart:9.4f} dB"
            )


def pitch(wave: Wave) -> Wave:
    return librosa.pyin(
        wave, fmin=50, fmax=400, sr=RATE, frame_length=1024, hop_length=160
    )[0]


def measure_prosody(waves: list[Wave], repeats: int) -> None:
    hours = sum(wave.size for wave in waves) / RATE / 3600
    prosody = partial(LogMelProsody(shorter="keep").transform, waves)
    others: dict[str, Callable[[], object]] = {
        "LogMel, its 40 bands": partial(
            LogMel(n_mels=40, window=0.04, duration=None).transform, waves
        ),
        "librosa.pyin": lambda: [pitch(wave) for wave in waves],
    }
    for name, other in others.items():
        other()  # what is compiled or kept at first
        mine, theirs = turn_by_turn(prosody, other, repeats)
        print(
            f"LogMelProsody(), {len(waves)} recordings: {mine / hours:.1f} s for an "
            f"hour, {3600 * hours / mine:.0f} times real time; {name} "
            f"{theirs / hours:.1f} s, ratio {mine / theirs:.3f}"
        )


def measure_memory(hours: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 60 * RATE).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "minute.wav"
        sf.write(path, noise, RATE)
        segmenter = LogMelSegmenter()
        segmenter.transform([path])  # imports, and fills what is kept
        tracemalloc.start()
        features = segmenter.transform([path] * round(60 * hours))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    kept = sum(x.nbytes for x in features)
    print(
        f"{hours:g} h as segments of 10 frames of 80 bands\n"
        f"  bytes of the features                {kept / 2**20:7.0f} MiB\n"
        f"  peak while they are computed         {peak / 2**20:7.0f} MiB\n"
        f"  ratio                                {peak / kept:7.3f}"
    )


def main() -> None:
    home = os.environ.get("SKLEARN_SER_DATA", "../shared/corpora")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(home) / "emodb" / "wav"
    )
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--hours", type=float, default=10)
    options = parser.parse_args()
    waves = read(options.folder, options.recordings)
    with threadpool_limits(1, user_api="blas"):
        compare_with_librosa(waves, options.repeats)
        measure_prosody(waves[::10], options.repeats)
    measure_memory(options.hours)


if __name__ == "__main__":
    main()
