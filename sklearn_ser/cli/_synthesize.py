"""``sklearn-ser synthesize``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ._files import check_file

TABLE = "labels.csv"


def add_synthesize(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe ``synthesize``."""
    parser = commands.add_parser(
        "synthesize",
        parents=[common],
        help="write synthetic recordings with a table of their labels, to try things",
        description="Write the recordings of the synthetic corpus as WAV files, and "
        f"{TABLE} with their emotions, speakers and ratings.",
    )
    parser.add_argument("folder", type=Path, help="where they are written")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the corpus (default: %(default)s)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write over files that are there"
    )
    parser.set_defaults(run=_synthesize)


def _synthesize(options: argparse.Namespace) -> int:
    """Run ``synthesize``."""
    import soundfile as sf

    from ..datasets import make_emotional_speech

    table = options.folder / TABLE
    check_file(table, "the table", overwrite=options.overwrite)
    options.folder.mkdir(parents=True, exist_ok=True)
    corpus = make_emotional_speech(random_state=options.seed)
    names = [
        f"{speaker}_{emotion}_{number:03}.wav"
        for number, (speaker, emotion) in enumerate(
            zip(corpus.speaker, corpus.emotion, strict=True)
        )
    ]
    for name, (waveform, rate) in zip(names, corpus.audio, strict=True):
        sf.write(options.folder / name, waveform, rate)
    columns = ["speaker", "emotion", "gender", "activation", "valence"]
    labels = corpus.frame[columns].assign(file=names)
    labels[["file", *columns]].to_csv(table, index=False)
    print(f"{len(names)} recordings of {len({*corpus.speaker})} speakers: {table}")
    return 0
