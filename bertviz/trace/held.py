"""Checks what a trace is made of; views rely on it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bertviz.errors import a_type, short
from bertviz.trace.block import AttentionBlock


def check_blocks(blocks: object) -> None:
    """Refuse anything but a mapping from names to blocks."""
    expected = "expected a mapping from names to AttentionBlocks"
    if not isinstance(blocks, Mapping):
        raise TypeError(f"blocks={short(blocks)} is {a_type(blocks)}: {expected}.")
    if not blocks:
        raise ValueError(f"blocks is empty: {expected}.")
    for name, block in blocks.items():
        if not isinstance(name, str) or not isinstance(block, AttentionBlock):
            raise TypeError(f"blocks[{short(name)}] is {a_type(block)}: {expected}.")


def check_skipped(skipped: object) -> None:
    """Refuse anything but a mapping from paths to reasons."""
    if not isinstance(skipped, Mapping) or not all(
        isinstance(text, str) for pair in skipped.items() for text in pair
    ):
        raise TypeError(
            f"skipped={short(skipped)} is {a_type(skipped)}: expected a mapping from the paths of"
            " modules to reasons."
        )


def check_exactness(exactness: object) -> None:
    """Refuse anything but the report of a comparison with the model."""
    expected = "expected a mapping of JSON types with a max_difference, as verify gives"
    if not isinstance(exactness, Mapping):
        raise TypeError(f"exactness={short(exactness)} is {a_type(exactness)}: {expected}.")
    try:
        largest = float(exactness["max_difference"])
        json.dumps({**exactness, "max_difference": largest}, allow_nan=False)
    except Exception:
        raise TypeError(f"exactness={short(exactness)} is something else: {expected}.") from None
