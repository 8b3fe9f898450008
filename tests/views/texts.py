"""What the tests of views read, and what they look at in a view."""

from __future__ import annotations

from typing import Any

import torch

from bertviz import AttentionTrace
from bertviz.views.view import View

VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] i went to the store . at , bought fresh straw ##berries"
)
A = "I went to the store."
B = "At the store, I bought fresh strawberries."
READ = "[CLS] i went to the store . [SEP] at the store , i bought fresh straw ##berries . [SEP]"
TOKENS_AB = READ.split()
TOKENS = ["the", "cat", "sat"]


def state(view: View) -> dict[str, Any]:
    found: dict[str, Any] = view._payload["state"]
    return found


def weights(trace: AttentionTrace, layer: int = 1, block: str = "encoder") -> torch.Tensor:
    return trace.blocks[block].layers[layer].weights()


def same(one: AttentionTrace, other: AttentionTrace) -> None:
    assert list(one.blocks) == list(other.blocks)
    for name, block in one.blocks.items():
        assert block.query_tokens == other.blocks[name].query_tokens
        assert block.query.sentences == other.blocks[name].query.sentences
        for layer in range(len(block.layers)):
            torch.testing.assert_close(
                weights(one, layer, name), weights(other, layer, name), atol=1e-5, rtol=0
            )
