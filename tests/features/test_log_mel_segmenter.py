"""Segments of log-mel energies: runs of frames, at their own cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser import LogMelSegmenter
from sklearn_ser.features._segments import count_segments

RATE = 16000


def noise(n, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, n).astype(np.float32)


@given(
    length=st.integers(1, 100),
    segment=st.integers(1, 20),
    data=st.data(),
)
def test_segments_are_counted(length, segment, data):
    step = data.draw(st.integers(1, segment))
    complete = sum(start + segment <= length for start in range(0, length, step))
    assert count_segments(length, segment, step, "drop") == max(1, complete)
    padded = count_segments(length, segment, step, "pad")
    covered = (padded - 1) * step + segment
    assert covered >= length
    assert padded == 1 or covered - step < length


@pytest.mark.parametrize("remainder", ["drop", "pad"])
@pytest.mark.parametrize("n_frames", [1, 9, 10, 11, 20, 33, 47])
@pytest.mark.parametrize("segment_hop", [None, 0.1, 0.05, 0.03])
def test_segments_are_runs_of_frames(remainder, n_frames, segment_hop):
    signal = noise(400 + 160 * (n_frames - 1) + 159)
    frames = LogMelSegmenter(None).transform([signal])[0]
    assert frames.shape == (n_frames, 80)
    segments = LogMelSegmenter(segment_hop=segment_hop, remainder=remainder).transform(
        [signal]
    )[0]
    step = round((segment_hop or 0.1) / 0.01)
    indices = np.arange(10) + step * np.arange(len(segments))[:, None]
    if remainder == "drop" and n_frames >= 10:
        assert indices.max() < n_frames <= indices.max() + step
    wanted = frames[np.minimum(indices, n_frames - 1)]  # the last one is repeated
    np.testing.assert_allclose(
        segments, wanted.reshape(len(segments), 800), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("remainder", ["drop", "pad"])
def test_segments_cost_their_own_memory_only(remainder):
    signal = noise(5 * RATE + 1234)
    segments = LogMelSegmenter(remainder=remainder).transform([signal])[0]
    frames = segments.base
    assert np.shares_memory(segments, frames)
    assert frames.shape == (10 * len(segments), 80)
    assert frames.base is None
    assert frames.nbytes == segments.nbytes
    assert segments.flags.writeable
    overlapping = LogMelSegmenter(segment_hop=0.05, remainder=remainder)
    assert overlapping.transform([signal])[0].base is None
