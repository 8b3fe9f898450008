"""Patches are named by row and column where their number fits the image, and not otherwise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bertviz.extractor.patches import name_images, patch_names


def config(size: Any = None, **more: Any) -> Any:
    return SimpleNamespace(**({} if size is None else {"patch_size": size}), **more)


def pixels(height: int, width: int, *first: int) -> dict[str, Any]:
    return {"pixel_values": torch.zeros(*(first or (1, 3)), height, width)}


@pytest.mark.parametrize(
    ("length", "size", "image", "first", "last"),
    [
        (6, 8, (16, 24), "patch 0,0", "patch 1,2"),
        (7, 8, (16, 24), "[CLS]", "patch 1,2"),
        (9, 8, (16, 24), "[CLS]", "patch 1,2"),
        (14, 8, (16, 24), "[CLS]", "patch 1,2"),  # eight besides
        (6, (8, 4), (16, 12), "patch 0,0", "patch 1,2"),
        (6, [1, 8, 4], (16, 12), "patch 0,0", "patch 1,2"),  # of a video
        (6, 1, (2, 3), "patch 0,0", "patch 1,2"),
        (8, 4, (16, 32), "patch 0,0", "patch 1,3"),  # merged once
        (2, 4, (16, 32), "patch 0,0", "patch 0,1"),  # merged twice
    ],
)
def test_patches_of_an_encoder(
    length: int, size: Any, image: tuple[int, int], first: str, last: str
) -> None:
    for held in (config(size), config(vision_config=config(size))):
        names = patch_names(length, held, pixels(*image))
        assert names is not None
        assert (len(names), names[0], names[-1]) == (length, first, last)
        assert len(set(names)) == length


def test_what_stands_before_the_patches() -> None:
    names = patch_names(9, config(8), pixels(16, 24))
    assert names is not None
    assert names[:4] == ("[CLS]", "extra 1", "extra 2", "patch 0,0")


@pytest.mark.parametrize(
    ("length", "size", "batch"),
    [
        (15, 8, pixels(16, 24)),  # nine besides
        (5, 8, pixels(8, 48)),  # fewer than there are, in one row
        (6, None, pixels(16, 24)),
        (6, 0, pixels(16, 24)),
        (6, "8", pixels(16, 24)),
        (6, (8,), pixels(16, 24)),
        (6, 8, {}),
        (6, 8, {"pixel_values": torch.zeros(3, 16, 24)}),
        (6, 8, {"pixel_values": [1]}),
    ],
)
def test_what_are_not_patches(length: int, size: Any, batch: dict[str, Any]) -> None:
    assert patch_names(length, config(size), batch) is None


@pytest.mark.parametrize("name", ["image_token_id", "image_token_index"])
def test_placeholders_in_a_text(name: str) -> None:
    held = config(8, **{name: 9})
    ids = [1, 9, 9, 9, 9, 9, 9, 2, 9, 9, 9, 9, 3, 9, 9, 9]
    tokens = [f"t{place}" for place in range(len(ids))]
    named = name_images(tokens, ids, held, pixels(16, 24))
    assert named[:8] == (
        *("t0", "patch 0,0", "patch 0,1", "patch 0,2"),
        *("patch 1,0", "patch 1,1", "patch 1,2", "t7"),
    )
    assert named[8:13] == ("patch 0,0", "patch 0,1", "patch 1,0", "patch 1,1", "t12"), "a square"
    assert named[13:] == ("patch 0", "patch 1", "patch 2"), "neither the image's nor a square"
    assert name_images(tokens[:1], ids[:1], held, {}) == ("t0",)
    assert name_images(tokens[:2], ids[:2], config(8), {}) == ("t0", "t1")
    assert name_images(tokens[:2], ids[:2], config(8, **{name: "9"}), {}) == ("t0", "t1")
    assert name_images(tokens[:3], [9, 9, 1], held, {}) == ("patch 0", "patch 1", "t2")
    merged = name_images(tokens[:2], [9, 9], held, pixels(16, 32))
    assert merged == ("patch 0,0", "patch 0,1"), "four patches became one"
