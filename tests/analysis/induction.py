"""A decoder of two layers with a known induction head, and repeated random tokens to find it with.

The standard test for induction heads is a sequence of random tokens that is repeated: whatever a
head finds there, it finds by comparing tokens. The same head looks a fixed number of tokens back,
one period less one, so one period alone cannot tell the two apart.

The residual stream holds one-hot features: the token, its position, and the token that "previous
token" copied. Besides it and the induction head, one head looks a fixed number of tokens back, one
finds the same token, and the others have random weights.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from bertviz import AttentionTrace, extract

VOCABULARY, PLACES, HEADS = 100, 256, 4
BACK = 19  # what the head of a fixed distance looks back: the key of induction at a period of 20
PREVIOUS, FIXED, SAME, INDUCTION = (0, 0), (0, 1), (0, 2), (1, 0)
START = 0  # the token before the text


class Attention(nn.Module):
    """Causal attention, whose heads share a width."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            nn.Linear(hidden, HEADS * width, bias=False) for _ in range(3)
        )
        self.out = nn.Linear(HEADS * width, hidden, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        batch, count, _ = states.shape
        query, key, value = (
            part(states).view(batch, count, HEADS, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        mixed = nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=1.0
        )
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, count, -1))
        return out


class Decoder(nn.Module):
    """Two layers of attention, nothing else."""

    def __init__(self, strength: float, noise: float, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.hidden, self.width = 2 * VOCABULARY + PLACES, max(PLACES, VOCABULARY)
        self.layers = nn.ModuleList(Attention(self.hidden, self.width) for _ in range(2))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            for layer in self.layers:
                for part in (layer.query, layer.key):
                    part.weight.normal_(std=noise)
            token, place, copied = (
                slice(0, VOCABULARY),
                slice(VOCABULARY, VOCABULARY + PLACES),
                slice(VOCABULARY + PLACES, self.hidden),
            )
            first, second = self.layers
            self._compare(first, PREVIOUS[1], place, place, 30.0, back=1)
            self._compare(first, FIXED[1], place, place, 30.0, back=BACK)
            self._compare(first, SAME[1], token, token, strength)
            self._compare(second, INDUCTION[1], token, copied, strength)
            copies = torch.eye(VOCABULARY)
            first.value.weight[:VOCABULARY, token] = copies
            first.out.weight[copied, :VOCABULARY] = copies

    def _compare(
        self, layer: Any, head: int, query: slice, key: slice, strength: float, back: int = 0
    ) -> None:
        """Let a head find keys whose feature is the query's, or that of some places before."""
        count = query.stop - query.start
        rows = slice(head * self.width, (head + 1) * self.width)
        for part, columns, values in (
            (layer.query, query, math.sqrt(strength) * torch.eye(count).roll(-back, 0)),
            (layer.key, key, math.sqrt(strength) * torch.eye(count)),
        ):
            part.weight[rows] = 0
            part.weight[rows, columns][:count] = values

    def forward(self, input_ids: Tensor) -> Tensor:
        tokens = nn.functional.one_hot(input_ids, VOCABULARY)
        places = nn.functional.one_hot(torch.arange(input_ids.shape[1]), PLACES)
        places = places.expand(len(input_ids), -1, -1)
        states = torch.cat([tokens, places, torch.zeros_like(tokens)], -1).float()
        for layer in self.layers:
            states = states + layer(states)
        return states


def repeated(period: int, times: int, random: Any) -> list[int]:
    """A start token, and random tokens repeated."""
    some = random.choice(range(1, VOCABULARY), period, replace=False).tolist()
    return [START, *some * times]


class Names:
    """A tokenizer that only names tokens."""

    all_special_tokens = ("<s>",)

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return ["<s>" if number == START else f"w{number}" for number in ids]


def traces(model: nn.Module, sequences: list[list[int]]) -> list[AttentionTrace]:
    return [
        extract(model, Names(), inputs={"input_ids": torch.tensor([ids])}, progress=False)
        for ids in sequences
    ]
