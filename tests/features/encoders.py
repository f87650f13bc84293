"""Encoders of each family, tiny and of random weights."""

import torch

FAMILIES = ["whisper", "wav2vec2", "large", "hubert", "wavlm", "hubert_local"]

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


def make_encoder(family, folder, seed=0):
    """Save an encoder of random weights with what makes its input.

    Parameters
    ----------
    family : str
        One of `FAMILIES`. "large" is wav2vec 2.0 whose batches are padded, as those of
        its large models; the first layer of "hubert_local" sees 25 ms and no more.
    folder : pathlib.Path
        Where to save it.
    seed : int, default=0
        Of the weights.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    import transformers

    if family == "whisper":
        config = transformers.WhisperConfig(
            d_model=16,
            encoder_layers=2,
            encoder_attention_heads=2,
            encoder_ffn_dim=24,
            decoder_layers=1,
            decoder_attention_heads=2,
            decoder_ffn_dim=24,
            vocab_size=60,
            max_source_positions=150,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
        )
        extractor = transformers.WhisperFeatureExtractor(chunk_length=3)
        kind = transformers.WhisperModel
    else:
        names = {"large": "Wav2Vec2", "wav2vec2": "Wav2Vec2", "wavlm": "WavLM"}
        name = names.get(family, "Hubert")
        norm = "layer" if family in ("large", "hubert_local") else "group"
        config = getattr(transformers, f"{name}Config")(
            **SIZES, feat_extract_norm=norm, do_stable_layer_norm=family == "large"
        )
        if family == "hubert_local":
            config.num_conv_pos_embeddings = 1
        extractor = transformers.Wav2Vec2FeatureExtractor(
            return_attention_mask=norm == "layer", do_normalize=family == "large"
        )
        kind = getattr(transformers, f"{name}Model")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind(config)
        for weight in model.parameters():
            # The usual first weights are so small that all layers are alike.
            torch.nn.init.normal_(weight, std=0.3 if weight.ndim > 1 else 0.1)
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder
