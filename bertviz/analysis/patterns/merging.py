"""A layer's weights and mask, in tokens or in words.

A word attends to a word with the sum over the subword tokens that are attended to, and the mean
over those that attend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertviz.analysis.patterns.text import Text

if TYPE_CHECKING:
    from torch import Tensor

    from bertviz.trace import AttentionBlock, LayerAttention


class Merging:
    """Merges the subword tokens of words, if the text is one of words; else changes nothing."""

    def __init__(self, block: AttentionBlock, text: Text) -> None:
        import torch

        self.merges = text.in_words
        if self.merges:
            sides = (
                torch.tensor(side.words, dtype=torch.int64, device="cpu")
                for side in (block.query, block.key)
            )
            (_, queries), (_, keys) = (
                torch.unique_consecutive(side, return_inverse=True) for side in sides
            )
            self.query = torch.nn.functional.one_hot(queries).float()  # (tokens, words)
            self.key = torch.nn.functional.one_hot(keys).float()

    def _tokens(self, rows: slice) -> slice:
        """The tokens of some words."""
        if not self.merges:
            return rows
        places = self.query[:, rows].any(1).nonzero()
        return slice(int(places[0]), int(places[-1]) + 1)

    def weights(self, layer: LayerAttention, rows: slice) -> Tensor:
        """(heads, rows, key)."""
        tokens = self._tokens(rows)
        weights = layer.weights(None, tokens).cpu()
        if not self.merges:
            return weights
        part = self.query[tokens, rows]
        return (part / part.sum(0)).T @ (weights @ self.key)

    def visible(self, layer: LayerAttention, rows: slice) -> list[tuple[slice, Tensor | None]]:
        """(rows, key) for each group of heads with the same mask; None where nothing is masked."""
        tokens = self._tokens(rows)
        visible = layer.visible(rows=tokens)
        if visible is None:
            return [(slice(None), None)]
        if self.merges:
            visible = self.query[tokens, rows].T @ (visible.float() @ self.key) > 0
        if visible.shape[0] == 1:
            return [(slice(None), visible[0])]
        return [(slice(head, head + 1), part) for head, part in enumerate(visible)]

    def padding(self, layer: LayerAttention, text: Text, step: int) -> Tensor:
        """(query): queries that are padding, which no query sees."""
        import torch

        unseen = layer.unseen_keys(step)
        if self.merges:
            unseen = self.key.T @ (~unseen).float() == 0
        count = text.shape[0]
        if text.shared:
            return unseen[len(unseen) - count :]
        return torch.zeros(count, dtype=torch.bool, device="cpu")
