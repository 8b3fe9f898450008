"""Random inputs that a model of any architecture accepts."""

from __future__ import annotations

import inspect
from typing import Any

TOKENS = 12
BATCH = 2
VARIANTS = ("plain", "with an image", "a video", "one channel of sound", "spectrogram")


def inputs_of(model: Any, variant: str = "plain") -> dict[str, Any]:
    """Random inputs for the arguments of forward."""
    import torch

    parameters = inspect.signature(model.forward).parameters
    config = model.config
    vision = getattr(config, "vision_config", None) or config
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 99, (BATCH, TOKENS), generator=generator)
    batch: dict[str, Any] = {}
    if "input_ids" in parameters:
        batch["input_ids"] = ids
        if "attention_mask" in parameters:
            batch["attention_mask"] = torch.ones_like(ids)
        if "bbox" in parameters:
            batch["bbox"] = torch.zeros(BATCH, TOKENS, 4, dtype=torch.long)
    encoder_decoder = getattr(config, "is_encoder_decoder", False)
    if "decoder_input_ids" in parameters and encoder_decoder:
        batch["decoder_input_ids"] = ids[:, :7]
    size = getattr(vision, "image_size", None) or getattr(config, "image_size", None) or 32
    size = size if isinstance(size, int) else max(size) if isinstance(size, list | tuple) else 32
    channels = getattr(vision, "num_channels", None) or 3
    if "pixel_values" in parameters and model.main_input_name != "input_ids":
        batch = {"pixel_values": torch.randn(BATCH, channels, size, size, generator=generator)}
    elif "pixel_values" in parameters and type(model).__name__.startswith(("CLIP", "Siglip")):
        batch["pixel_values"] = torch.randn(BATCH, channels, size, size, generator=generator)
    if "input_features" in parameters and "input_ids" not in parameters:
        mel = getattr(config, "num_mel_bins", None) or getattr(config, "feature_size", None) or 80
        length = 2 * (getattr(config, "max_source_positions", None) or 32)
        shape = (BATCH, mel, length) if "whisper" in config.model_type else (BATCH, length, mel)
        batch["input_features"] = torch.randn(shape, generator=generator)
        if "decoder_input_ids" in parameters:
            batch["decoder_input_ids"] = ids[:, :7]
    if "input_values" in parameters and "input_ids" not in parameters:
        batch["input_values"] = torch.randn(BATCH, 4000, generator=generator)
    image = torch.randn(BATCH, channels, size, size, generator=generator)
    if variant == "with an image" and "pixel_values" in parameters:
        batch["pixel_values"] = image
    elif variant == "a video":
        name = "pixel_values_videos" if "pixel_values_videos" in parameters else "pixel_values"
        frames = getattr(config, "num_frames", None) or 4
        batch = {name: image[:, None].expand(-1, frames, -1, -1, -1).clone()}
    elif variant == "one channel of sound":
        batch["input_values"] = torch.randn(BATCH, 1, 4000, generator=generator)
    elif variant == "spectrogram":
        mel = getattr(config, "num_mel_bins", None) or 80
        length = getattr(config, "max_length", None) or 128
        name = "input_values" if "input_values" in parameters else "input_features"
        batch[name] = torch.randn(BATCH, length, mel, generator=generator)
    return batch


def runnable(model: Any) -> dict[str, Any]:
    """Inputs that the model accepts; if there are none, raises its error for the plainest ones."""
    import torch

    first: Exception | None = None
    for variant in VARIANTS:
        try:
            batch = inputs_of(model, variant)
            with torch.no_grad():
                model(**batch)
            return batch
        except Exception as error:
            first = first or error
    assert first is not None
    raise first
