"""Names for tokens that are not text: patches of an image, by row and column.

The problem. An image's encoder numbers its patches, and a language model sees one placeholder per
patch; neither says where in the image a patch is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from torch import Tensor

MOST_BESIDES = 8  # class and register tokens, before an image's patches


def patch_names(length: int, config: Any, batch: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Names for the positions of an image's encoder; None where they are not patches.

    >>> import torch
    >>> from transformers import ViTConfig
    >>> pixels = {"pixel_values": torch.zeros(1, 3, 16, 24)}
    >>> patch_names(7, ViTConfig(patch_size=8), pixels)
    ('[CLS]', 'patch 0,0', 'patch 0,1', 'patch 0,2', 'patch 1,0', 'patch 1,1', 'patch 1,2')
    """
    pixels = batch.get("pixel_values")
    size = _patch_size(config)
    if not isinstance(pixels, Tensor) or pixels.ndim < 4 or size is None:
        return None
    rows, columns = (int(pixels.shape[-2 + i]) // size[i] for i in (0, 1))
    # Hierarchical encoders merge four patches into one from stage to stage.
    while rows * columns > length and rows > 1 and columns > 1:
        rows, columns = rows // 2, columns // 2
    besides = length - rows * columns
    if not 0 <= besides <= MOST_BESIDES:
        return None
    first = ["[CLS]", *(f"extra {number}" for number in range(1, besides))][:besides]
    return (*first, *_grid(rows, columns))


def name_images(
    tokens: Sequence[str], ids: Sequence[int], config: Any, batch: Mapping[str, Any]
) -> tuple[str, ...]:
    """The tokens of a text; placeholders for an image's patches are named by row and column."""
    image = _image_token(config)
    if image is None or image not in ids:
        return tuple(tokens)
    named, at = list(tokens), 0
    for number, run in groupby(ids):
        count = len(list(run))
        if number == image:
            rows, columns = _shape(count, batch, config)
            names = _grid(rows, columns) if rows else [f"patch {i}" for i in range(count)]
            named[at : at + count] = names
        at += count
    return tuple(named)


def _grid(rows: int, columns: int) -> list[str]:
    return [f"patch {row},{column}" for row in range(rows) for column in range(columns)]


def _shape(count: int, batch: Mapping[str, Any], config: Any) -> tuple[int, int]:
    """Rows and columns of ``count`` patches: the image's own, else a square; 0 if neither fits."""
    pixels, size = batch.get("pixel_values"), _patch_size(config)
    if isinstance(pixels, Tensor) and pixels.ndim >= 4 and size is not None:
        rows, columns = (int(pixels.shape[-2 + i]) // size[i] for i in (0, 1))
        while rows * columns > count and rows > 1 and columns > 1:
            rows, columns = rows // 2, columns // 2
        if rows * columns == count:
            return rows, columns
    side = math.isqrt(count)
    return (side, side) if side * side == count else (0, 0)


def _patch_size(config: Any) -> tuple[int, int] | None:
    for holder in (config, getattr(config, "vision_config", None)):
        size = getattr(holder, "patch_size", None)
        if isinstance(size, int) and size > 0:
            return size, size
        if isinstance(size, list | tuple) and len(size) >= 2:
            return int(size[-2]), int(size[-1])
    return None


def _image_token(config: Any) -> int | None:
    for name in ("image_token_id", "image_token_index"):
        number = getattr(config, name, None)
        if isinstance(number, int):
            return number
    return None
