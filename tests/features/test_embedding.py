"""SpeechEmbedding: tiny encoders of random weights, and the real one where it is."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils import estimator_checks

from sklearn_ser import AudioError, SequencePooling, SpeechEmbedding, features
from sklearn_ser.features import _embedding, _encoders
from sklearn_ser.features._embedding import (
    _Window,
    batches_of,
    joined_statistics,
    select_layers,
)
from tests.features.encoders import FAMILIES, make_encoder
from tests.features.test_base import CHECKS, buzz

RATE = 16000
N_LAYERS = 2  # of the tiny encoders
WIDTH = 16


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Return the folder of an encoder of each family."""
    top = tmp_path_factory.mktemp("encoders")
    return {family: str(make_encoder(family, top / family)) for family in FAMILIES}


@pytest.fixture(params=FAMILIES)
def folder(request, folders):
    return folders[request.param]


@pytest.fixture
def whisper(folders):
    return folders["whisper"]


@pytest.fixture(scope="module")
def waves():
    seconds = (0.33, 0.5, 0.33, 0.42, 0.8)
    return [buzz(s, pitch=100 + 20 * k) for k, s in enumerate(seconds)]


@pytest.fixture
def passes(monkeypatch):
    """List the lengths of the batches that the encoder is given."""
    seen = []
    layers = _encoders.Encoder.layers

    def listing(self, inputs):
        seen.append(len(inputs))
        return layers(self, inputs)

    monkeypatch.setattr(_encoders.Encoder, "layers", listing)
    return seen


def close(got, wanted, tolerance=1e-4):
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)


def hidden_states(folder, wave):
    """Compute the layers as transformers does."""
    from transformers import AutoFeatureExtractor, AutoModel

    extractor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    given = extractor(wave, sampling_rate=RATE, return_tensors="pt")
    encoder = model.get_encoder() if model.config.is_encoder_decoder else model
    with torch.no_grad():
        value = given[extractor.model_input_names[0]]
        states = encoder(value, output_hidden_states=True).hidden_states
    return [state[0].numpy() for state in states]


# The values


def test_layers_are_those_of_transformers(folder, waves):
    """For Whisper in its exact form, with the silence that it is trained with."""
    embedding = SpeechEmbedding(
        folder, layer=[0, 1, 2], pooling=None, pad_to_window=True
    )
    for frames, wave in zip(embedding.transform(waves), waves, strict=True):
        wanted = np.concatenate(hidden_states(folder, wave), axis=1)[: len(frames)]
        close(frames, wanted)
        assert len(frames) == pytest.approx(len(wave) / 320, abs=1)


def test_without_the_silence_whisper_gives_about_the_same(whisper, waves):
    short, padded = (
        SpeechEmbedding(whisper, layer=-1, pad_to_window=pad).transform(waves)
        for pad in (False, True)
    )
    assert not np.array_equal(short, padded)
    for a, b in zip(short, padded, strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.9


def test_rows_are_the_statistics_of_the_frames(folder, waves):
    embedding = SpeechEmbedding(folder, layer=1, pooling="mean_std_min_max")
    frames = SpeechEmbedding(folder, layer=1, pooling=None).transform(waves)
    pooled = SequencePooling(("mean", "std", "min", "max")).fit_transform(frames)
    rows = embedding.transform(waves)
    assert rows.dtype == np.float32
    close(rows, pooled)
    names = embedding.get_feature_names_out()
    assert names.shape == (rows.shape[1],)
    assert names[[0, 16, -1]].tolist() == [
        *("mean_layer1_00", "std_layer1_00", "max_layer1_15")
    ]


@pytest.mark.parametrize("pooling", ["mean_std", None])
def test_one_signal_is_a_batch_of_one(folder, waves, pooling):
    front_end = SpeechEmbedding(folder, pooling=pooling)
    (wanted,) = front_end.transform(waves[:1])
    np.testing.assert_array_equal(front_end._extract(waves[0], 16000), wanted)


@pytest.mark.slow
def test_several_layers_stand_side_by_side_or_are_weighted(folder, waves):
    def rows(layer, pooling="mean_max"):
        return SpeechEmbedding(folder, layer=layer, pooling=pooling).transform(waves)

    first, last = rows(0), rows(2)
    close(rows([0, 2]), np.hstack([first, last]), 1e-6)
    close(rows([2, 0]), np.hstack([last, first]), 1e-6)
    close(rows((0, -1)), rows(np.array([0, 2])), 0)
    close(rows("middle"), rows(1), 0)
    close(rows(np.int64(-1)), last, 0)
    close(rows({0: 0.25, 2: -2}), 0.25 * first - 2 * last, 1e-5)
    frames = [rows(layer, None)[1] for layer in (0, 2, {0: 0.25, 2: -2})]
    close(frames[2], 0.25 * frames[0] - 2 * frames[1], 1e-5)
    names = SpeechEmbedding(folder, layer={0: 1.0, 1: 1.0}).get_feature_names_out()
    assert names[0] == "mean_layers_00"
    frames = SpeechEmbedding(folder, layer=[2, 0], pooling=None)
    assert frames.get_feature_names_out()[[0, -1]].tolist() == [
        *("layer2_00", "layer0_15")
    ]


@pytest.mark.slow
def test_companions_change_nothing(folder, waves):
    rows = SpeechEmbedding(folder).transform(waves)
    for row, wave in zip(rows, waves, strict=True):
        close(SpeechEmbedding(folder).transform([wave])[0], row, 1e-5)
    close(
        SpeechEmbedding(folder, batch_size=2).transform(waves[::-1])[::-1], rows, 1e-5
    )
    frames = SpeechEmbedding(folder, pooling=None).transform(waves)
    for one, wave in zip(frames, waves, strict=True):
        alone = SpeechEmbedding(folder, pooling=None).transform([wave])[0]
        close(one, alone, 1e-5)


def test_batches_hold_several_recordings_where_the_model_takes_padding(
    folders, waves, passes
):
    similar = [waves[0], waves[2], waves[3][:6000]]
    for family, counts in [("whisper", [3]), ("large", [3]), ("hubert", [2, 1])]:
        passes.clear()
        SpeechEmbedding(folders[family]).transform(similar)
        assert passes == counts


def test_another_number_of_threads_gives_the_same(folder, waves):
    rows = SpeechEmbedding(folder, batch_size=1).transform(waves)
    close(SpeechEmbedding(folder, batch_size=1, n_jobs=2).transform(waves), rows, 1e-6)


def test_settings_of_torch_change_nothing(whisper, waves):
    rows = SpeechEmbedding(whisper).transform(waves)
    try:
        torch.set_default_dtype(torch.float64)
        np.testing.assert_array_equal(SpeechEmbedding(whisper).transform(waves), rows)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.enable_grad(), torch.autocast("cpu"):
        np.testing.assert_array_equal(SpeechEmbedding(whisper).transform(waves), rows)


def test_half_precision(whisper, waves):
    full = SpeechEmbedding(whisper).transform(waves)
    half = SpeechEmbedding(whisper, dtype="bfloat16").transform(waves)
    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 0.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_a_gpu_gives_about_the_same(folder, waves, dtype):
    """In half precision by default."""
    on_gpu = SpeechEmbedding(folder, device="cuda", dtype=dtype).transform(waves)
    on_cpu = SpeechEmbedding(folder, device="cpu").transform(waves)
    assert on_gpu.dtype == np.float32
    close(on_gpu, on_cpu, 0.05 if dtype == "auto" else 1e-3)


# Long recordings


@pytest.mark.parametrize("family", ["whisper", "hubert"])
@pytest.mark.parametrize("seconds", [1.3, 1.301, 1.62, 2.0, 3.77])
def test_windows_are_joined_without_a_gap(folders, family, seconds):
    wave = buzz(seconds)
    options = {"window": 1.0, "overlap": 0.4}
    whole = SpeechEmbedding(folders[family], layer=0, pooling=None).transform([wave])[0]
    cut = SpeechEmbedding(folders[family], layer=0, pooling=None, **options)
    assert abs(len(cut.transform([wave])[0]) - len(whole)) <= 1
    rows = SpeechEmbedding(folders[family], layer=0, **options).transform([wave])
    pooled = SequencePooling().fit_transform(cut.transform([wave]))
    close(rows, pooled)


def test_the_middle_of_an_overlap_is_where_one_window_takes_over(folders):
    """The frames of a convolution see little beside them, and show which window."""
    wave = buzz(1.6)
    frames = SpeechEmbedding(
        folders["hubert_local"], layer=0, pooling=None, window=1.0, overlap=0.4
    ).transform([wave])[0]
    first, second = (
        SpeechEmbedding(folders["hubert_local"], layer=0, pooling=None).transform([w])[
            0
        ]
        for w in (wave[:RATE], wave[RATE * 6 // 10 :])
    )
    close(frames[:40], first[:40], 1e-5)
    close(frames[40:], second[10:], 1e-5)


def test_the_longest_input_is_that_of_the_model(folders):
    """The tiny Whisper has 3 s."""
    wave = buzz(5.0)
    frames = SpeechEmbedding(folders["whisper"], pooling=None, overlap=0.5)
    assert len(frames.transform([wave])[0]) == 250
    with pytest.raises(ValueError, match=r"window=4 is longer than the 3 s"):
        clone(frames).set_params(window=4.0).transform([wave])
    with pytest.raises(ValueError, match=r"overlap=3 must be less than the window"):
        clone(frames).set_params(overlap=3.0).transform([wave])


def test_batches_are_of_similar_length_and_bounded():
    lengths = [300, 100, 110, 120, 126, 310, 320]
    windows = [_Window(np.empty(0), n, slice(None)) for n in lengths]

    def dealt(**options):
        batches = batches_of(windows, **{"similar": 1.25, "longest": 900, **options})
        return [[window.n_samples for window in batch] for batch in batches]

    assert dealt(batch_size=9) == [[100, 110, 120], [126], [300, 310], [320]]
    assert dealt(batch_size=2) == [[100, 110], [120, 126], [300, 310], [320]]
    assert dealt(batch_size=9, similar=1.0) == [[n] for n in sorted(lengths)]


def test_statistics_of_parts_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    frames = rng.normal(3, 2, size=(50, 2, 3)).astype(np.float32)
    functions = (np.mean, np.std, np.min, np.max)

    def statistics(part):
        return np.stack([compute(part, axis=0) for compute in functions], axis=1)

    parts = np.split(frames, [7, 30])
    joined = joined_statistics(
        np.stack([statistics(part) for part in parts]), np.array([7, 23, 20])
    )
    close(joined, statistics(frames).reshape(8, 3), 1e-5)


def test_layers_and_statistics_are_taken_by_their_place(whisper, waves):
    several = SpeechEmbedding(whisper, layer=[0, 2], pooling="mean_max")
    rows = several.transform(waves)
    sizes = {"n_layers": 2, "n_statistics": 2}
    for k, layer in enumerate([0, 2]):
        alone = clone(several).set_params(layer=layer)
        close(features.take_layer(rows, k, **sizes), alone.transform(waves), 0)
        maximum = clone(alone).set_params(pooling="max").transform(waves)
        close(features.take_layer(rows, k, 1, **sizes), maximum, 0)
    means = clone(several).set_params(pooling="mean").transform(waves)
    close(features.take_layer(rows, None, 0, **sizes), means, 0)
    table = several.set_output(transform="pandas").fit_transform(waves)
    taken = features.take_layer(table, 1, 1, **sizes)
    assert {name.rpartition("_")[0] for name in taken.columns} == {"max_layer2"}
    with pytest.raises(ValueError, match="layer must be from 0 to 1, got 2"):
        features.take_layer(rows, 2, **sizes)
    with pytest.raises(ValueError, match="statistic must be from 0 to 1, got -1"):
        features.take_layer(rows, None, -1, **sizes)
    with pytest.raises(ValueError, match="are not those of 3 layers with 1 statistics"):
        features.take_layer(rows[:, :-2], n_layers=3)


# The cache


def test_a_search_over_layers_and_statistics_takes_one_pass(whisper, passes, tmp_path):
    voices = [buzz(0.3 + 0.01 * k, pitch=100 + 10 * k) for k in range(12)]
    pipeline = make_pipeline(SpeechEmbedding(whisper, memory=str(tmp_path)), SVC())
    grid = {
        "speechembedding__layer": [0, 1, 2, [0, 2], {0: 1.0, 1: 1.0}],
        "speechembedding__pooling": ["mean", "mean_std"],
    }
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3))
    search.fit(voices, np.arange(12) % 2, groups=np.arange(12) // 2)
    assert sum(passes) == 12
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("pooling", ["std_mean", None])
def test_what_is_remembered_is_the_same(whisper, waves, tmp_path, passes, pooling):
    embedding = SpeechEmbedding(whisper, pooling=pooling)
    wanted = embedding.transform(waves)
    remembering = clone(embedding).set_params(memory=str(tmp_path))
    passes.clear()
    for n_passes in (True, False):
        for got, rows in zip(remembering.transform(waves), wanted, strict=True):
            np.testing.assert_array_equal(got, rows)
        assert bool(passes) == n_passes
        passes.clear()


@pytest.mark.parametrize(
    "changed",
    [
        *({"window": 0.3, "overlap": 0.1}, {"pad_to_window": True}, {"channel": 0}),
        *({"dtype": "bfloat16"}, {"overlap": 0.5}),
    ],
    ids=str,
)
def test_what_changes_the_numbers_is_computed_anew(
    whisper, waves, tmp_path, passes, changed
):
    embedding = SpeechEmbedding(whisper, memory=str(tmp_path))
    embedding.transform(waves)
    passes.clear()
    embedding.set_params(**changed).transform(waves)
    assert passes


def test_other_weights_in_the_same_folder_are_seen(waves, tmp_path):
    folder = make_encoder("wav2vec2", tmp_path / "model")
    embedding = SpeechEmbedding(str(folder), memory=str(tmp_path / "cache"))
    before = embedding.transform(waves)
    make_encoder("wav2vec2", folder, seed=1)
    after = embedding.transform(waves)
    assert np.abs(after - before).max() > 1e-3
    close(after, SpeechEmbedding(str(folder)).transform(waves), 0)


# Faults


def test_a_broken_recording_among_good_ones(folder, waves, tmp_path):
    (tmp_path / "broken.wav").write_text("no audio")
    sf.write(tmp_path / "good.wav", waves[0], RATE, subtype="FLOAT")
    paths = [tmp_path / "good.wav", tmp_path / "broken.wav", tmp_path / "good.wav"]
    with pytest.raises(AudioError, match=r"broken\.wav"):
        SpeechEmbedding(folder).transform(paths)
    with pytest.warns(UserWarning, match=r"1 of 3 recordings:\nrecording 1: .*broken"):
        rows = SpeechEmbedding(folder, on_error="warn").transform(paths)
    assert features.has_features(rows).tolist() == [True, False, True]
    close(rows[0], rows[2], 1e-6)
    frames = SpeechEmbedding(folder, on_error="nan", pooling=None).transform(paths)
    assert features.has_features(frames).tolist() == [True, False, True]
    assert frames[1].shape == (0, WIDTH)


def test_too_short_is_a_fault_by_name(folder):
    with pytest.raises(AudioError, match=r"recording 1: waveform: its 0\.01 s are too"):
        SpeechEmbedding(folder).transform([buzz(), buzz(0.01)])
    assert SpeechEmbedding(folder).transform([buzz(0.025)]).shape == (1, 2 * WIDTH)


def test_what_the_model_makes_nan_of_is_a_fault(whisper, waves, monkeypatch):
    monkeypatch.setattr(_embedding, "_pooled", lambda frames: frames[:4] * torch.nan)
    with pytest.raises(AudioError, match=r"recording 0: .*NaN .* try dtype='float32'"):
        SpeechEmbedding(whisper).transform(waves)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layer": 3}, r"layer must be one or several of 0 to 2"),
        ({"layer": [0, 9]}, r"layer must be one or several of 0 to 2"),
        ({"layer": []}, r"layer must be one or several of 0 to 2"),
        ({"layer": [2, -1]}, r"layer names a layer twice"),
        ({"layer": [0.5]}, r"layer must be one or several of 0 to 2"),
        ({"layer": {0: np.nan}}, r"weights of layer must be finite"),
        ({"layer": "last"}, r"'layer' parameter"),
        ({"pooling": "mean_median"}, r"pooling must be None, or name"),
        ({"pooling": "mean_mean"}, r"pooling must be None, or name"),
        ({"pooling": ""}, r"pooling must be None, or name"),
        ({"window": 0.0}, r"'window' parameter"),
        ({"overlap": -1.0}, r"'overlap' parameter"),
        ({"batch_size": 0}, r"'batch_size' parameter"),
        ({"dtype": "float64"}, r"'dtype' parameter"),
        ({"device": "warp"}, r"device must be 'auto' or a torch device"),
        ({"model": 3}, r"'model' parameter"),
    ],
    ids=str,
)
def test_invalid_parameters_are_named(whisper, waves, changed, message):
    embedding = SpeechEmbedding(whisper).set_params(**changed)
    with pytest.raises(ValueError, match=message):
        embedding.transform(waves)


def test_layers_from_numpy():
    assert select_layers(np.int64(-1), 4) == ((4,), None)
    assert select_layers(np.array([0, 3]), 4) == ((0, 3), None)
    assert select_layers("middle", 12) == ((6,), None)
    assert select_layers({np.int64(1): np.float32(0.5)}, 4) == ((1,), (0.5,))


# Models


def test_no_folder_is_said_at_once(waves, tmp_path):
    for name in (tmp_path / "none", "./none"):
        with pytest.raises(OSError, match=r"is no folder: give one"):
            SpeechEmbedding(name).transform(waves)


def test_without_a_network_a_model_says_how_to_get_it(waves, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(OSError, match=r"hf download nobody/nothing --local-dir"):
        SpeechEmbedding("nobody/nothing").transform(waves)


def test_another_kind_of_model_is_refused(waves, tmp_path):
    from transformers import BertConfig, BertModel

    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = BertConfig(**small, intermediate_size=8, vocab_size=5)
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises((OSError, ValueError), match=r"feature extractor|no encoder"):
        SpeechEmbedding(str(tmp_path)).transform(waves)


def test_lacking_weights_are_named(waves, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = make_encoder("hubert", tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layers.0.attention.k_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks 1 of its weights, such as .*k_proj"):
        SpeechEmbedding(str(folder)).transform(waves)


def test_transformers_is_an_extra(waves, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    SpeechEmbedding()  # needs nothing
    with pytest.raises(ImportError, match=r'pip install "sklearn-ser\[embeddings\]"'):
        SpeechEmbedding("x").transform(waves)


# The estimator


@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learn_checks(check, whisper):
    checked = getattr(estimator_checks, f"check_{check}")
    checked("SpeechEmbedding", SpeechEmbedding(whisper))


def test_clones_and_pickles_compute_the_same(whisper, waves):
    embedding = SpeechEmbedding(Path(whisper), layer=[0, 1])
    wanted = embedding.fit(waves).transform(waves)
    for other in (clone(embedding), pickle.loads(pickle.dumps(embedding))):
        np.testing.assert_array_equal(other.transform(waves), wanted)


def test_tables_follow_set_output_and_frames_stay(whisper, waves):
    embedding = SpeechEmbedding(whisper).set_output(transform="pandas")
    table = embedding.fit_transform(waves)
    assert list(table.columns) == list(embedding.get_feature_names_out())
    frames = embedding.set_params(pooling=None).fit_transform(waves)
    assert frames.dtype == object


def test_progress_bar_only_when_asked(whisper, waves, capsys):
    SpeechEmbedding(whisper).transform(waves)
    assert capsys.readouterr().err == ""
    SpeechEmbedding(whisper, verbose=True).transform(waves)
    assert "SpeechEmbedding: 100%" in capsys.readouterr().err


def test_segments_and_rates(whisper, waves, tmp_path):
    path = tmp_path / "long.wav"
    sf.write(path, np.concatenate([waves[0], waves[1]]), RATE, subtype="FLOAT")
    border = len(waves[0]) / RATE
    rows = SpeechEmbedding(whisper).transform([(path, 0, border), (path, border, None)])
    close(rows, SpeechEmbedding(whisper).transform(waves[:2]), 1e-5)
    doubled = np.repeat(waves[0], 2)
    assert (
        SpeechEmbedding(whisper).transform([(doubled, 2 * RATE)]).shape
        == rows[:1].shape
    )


# Real weights and real speech


@pytest.fixture(scope="session")
def real_model():
    named = os.environ.get("SKLEARN_SER_MODELS")
    beside = Path(__file__).resolve().parents[3] / "shared" / "models"
    folder = (Path(named) if named else beside) / "whisper-tiny.en-encoder"
    if not folder.is_dir():
        pytest.skip(f"no weights: {folder} does not exist; set SKLEARN_SER_MODELS")
    return str(folder)


def test_real_weights_are_those_of_transformers(real_model, waves):
    rows = SpeechEmbedding(real_model, layer=2, pooling="mean", pad_to_window=True)
    n_frames = len(SpeechEmbedding(real_model, pooling=None).transform(waves[:1])[0])
    wanted = hidden_states(real_model, waves[0])[2][:n_frames].mean(axis=0)
    close(rows.transform(waves[:1])[0], wanted, 1e-3)


@pytest.mark.slow
@pytest.mark.corpus
def test_emotions_of_speakers_never_heard(real_model, data_home):
    from sklearn.preprocessing import StandardScaler

    from sklearn_ser.datasets import load_emodb
    from sklearn_ser.evaluation import evaluate_by_speaker

    corpus = load_emodb(data_home / "emodb")
    model = make_pipeline(
        SpeechEmbedding(real_model, on_error="warn"),
        StandardScaler(),
        SVC(kernel="linear", C=0.01, class_weight="balanced"),
    )
    assert evaluate_by_speaker(model, corpus).ua > 0.85
