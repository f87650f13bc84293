"""Votes of raters as distributions of emotions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ._corpus import Corpus

__all__ = ["VOTES", "emotion_votes"]

# The beginning of the columns that count votes.
VOTES = "votes_"


def emotion_votes(corpus: Corpus) -> pd.DataFrame:
    """Return the share of raters who heard each emotion: a soft target.

    Parameters
    ----------
    corpus : Corpus
        A corpus whose table has columns of votes, ``votes_anger`` and so on: that of
        ``load_crema_d(..., votes="voice")``, or one of your own.

    Returns
    -------
    pandas.DataFrame of shape (n_utterances, n_emotions), dtype float64
        Emotions in alphabetic order. The rows sum to one, or are NaN where nobody has
        voted.

    Raises
    ------
    ValueError
        If the corpus has no votes, or votes that are negative.

    Notes
    -----
    Multi-output regressors take such a target as it is. A classifier that takes
    `sample_weight` learns from it when each utterance is repeated for each emotion,
    with the shares as weights: the weighted cross-entropy is then that between the
    distributions.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.datasets import Corpus, emotion_votes
    >>> frame = pd.DataFrame(
    ...     {
    ...         "file": ["a.wav", "b.wav"],
    ...         "emotion": ["sadness", "anger"],
    ...         "speaker": ["1", "2"],
    ...         "votes_sadness": [3, 0],
    ...         "votes_anger": [1, 5],
    ...     }
    ... )
    >>> emotion_votes(Corpus(frame, name="Mine"))
       anger  sadness
    0   0.25     0.75
    1   1.00     0.00
    """
    names = sorted(
        name for name in map(str, corpus.frame.columns) if name.startswith(VOTES)
    )
    if not names:
        raise ValueError(
            f"The corpus {corpus.name} has no column of votes, such as {VOTES}anger: "
            'load CREMA-D with votes="voice", or add such columns to your table.'
        )
    votes = corpus.frame[names].astype(np.float64).fillna(0.0)
    if (votes < 0).to_numpy().any():
        raise ValueError(
            f"The corpus {corpus.name} has negative votes in "
            f"{votes.lt(0).any().idxmax()}: give how many raters have voted."
        )
    total = votes.sum(axis=1)
    shares = votes.div(total.where(total > 0), axis=0)
    return shares.rename(columns=lambda name: name.removeprefix(VOTES))
