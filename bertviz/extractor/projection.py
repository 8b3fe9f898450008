"""Whether the scores that a model put into its softmax are those of a formula, row by row.

The problem. Code may change a single row of scores in place where nobody sees it, so every row has
to be compared. But computing all weights a second time would cost a fifth of a whole layer.

The sum of a row's scores, each times a random number, is one number per row. Of the model's scores
it takes one pass; of the formula's hardly any computation, since sum(r · (q·k)) = q · sum(r · k).
Only where a key is masked for some of the queries, products are computed one by one: a few, as rows
are taken in blocks. If both sums agree, the row is the formula's. If not, nothing is known, as
rounding of large scores has the same effect: then the weights of that row are to be compared.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor

from bertviz.trace import Formula
from bertviz.trace.formula import together
from bertviz.trace.masks import MASKED

CLOSE = 1e-4  # how far sums may differ: scores that differ by less give nearly the same weights
SUMS = 2  # what one sum happens to miss, the other finds
BLOCK = 128  # of rows and keys; under a causal mask, only those on the diagonal are mixed
MOST_PRODUCTS = 0.75  # of all; more would take as long as comparing all weights
# What stands for masked scores, which may be of any low size: a number that no model writes.
STAND_IN = 0.7390851332151607


class Added(NamedTuple):
    """What is added to a block of rows.

    Attributes:
        sums: (heads or 1, rows, sums), with the stand-in where a key is masked.
        whole: (key blocks,), the blocks that all rows of all heads see.
        others: The places of keys that some rows see, outside of these blocks.
        seen: (heads or 1, rows, others), which rows see them.
    """

    sums: Tensor
    whole: Tensor
    others: Tensor
    seen: Tensor


def unexplained(formula: Formula, scores: Tensor) -> list[int] | None:
    """The rows whose scores may be others than those of a formula; None if that cannot be told.

    Args:
        formula: What was captured, on the model's device.
        scores: (heads, query, key), the model's own.
    """
    exact = all(x.dtype in (torch.float32, torch.float64) for x in (scores, formula.queries))
    queries, keys = formula.shape
    if not exact or not keys or formula.softcap is not None or formula.sinks is not None:
        return None
    draw = torch.Generator(device="cpu").manual_seed(keys)
    draws = torch.randn(SUMS, keys, generator=draw, dtype=torch.float32, device="cpu")
    draws = draws.to(scores.device)
    plain = not formula.causal and formula.mask is None and formula.position_bias is None
    height = queries if plain else BLOCK
    parts = [slice(start, min(start + height, queries)) for start in range(0, queries, height)]
    added = [None if plain else _added(formula, part, draws) for part in parts]
    products = sum(0 if terms is None else terms.seen[0].numel() for terms in added)
    if products > MOST_PRODUCTS * queries * keys:
        return None
    expected, found = _Expected(formula, draws), []
    for part, terms in zip(parts, added, strict=True):
        own = scores[:, part].float()
        if terms is not None:
            own = F.threshold(own, MASKED / 2, STAND_IN)
        found.append((_sums(own, draws) - expected.sums(part, terms)).abs().amax((0, 2)))
    close = torch.cat(found) <= CLOSE  # NaN is not
    return [] if bool(close.all()) else (~close).nonzero().squeeze(-1).tolist()


class _Expected:
    """What the scores of a formula add up to."""

    def __init__(self, formula: Formula, draws: Tensor) -> None:
        self.queries, self.scaling, self.draws = formula.queries, formula.scaling, draws
        self.keys = formula.keys[together(list(formula.key_rows()))].float()
        # The sums of keys, a block at a time: (blocks, heads, sums, d).
        starts = range(0, self.keys.shape[1], BLOCK)
        columns = [slice(start, start + BLOCK) for start in starts]
        self.blocks = torch.stack([draws[:, x] @ self.keys[:, x] for x in columns])

    def sums(self, part: slice, added: Added | None) -> Tensor:
        """(heads, rows, sums), of a block of rows."""
        queries = self.queries[:, part].float()
        if added is None:
            return queries @ self.blocks.sum(0).mT * self.scaling
        whole = self.blocks[added.whole].sum(0)
        # One product with both: few columns take as long as many.
        found = queries @ torch.cat([whole, self.keys[:, added.others]], 1).mT
        found.mul_(self.scaling)
        products = found[..., SUMS:].mul_(added.seen)
        return found[..., :SUMS] + _sums(products, self.draws[:, added.others]) + added.sums


def _added(formula: Formula, part: slice, draws: Tensor) -> Added | None:
    bias = formula.bias(list(range(formula.num_heads)), part)
    if bias is None:
        return None
    keys = formula.shape[1]
    bias = bias.expand(-1, part.stop - part.start, keys)
    # NaN is no mask; the smallest and the largest number are found faster than all() and any().
    by_all = F.pad(bias.amin((0, 1)) > MASKED, (0, -keys % BLOCK), value=True)
    whole = by_all.view(-1, BLOCK).all(-1)
    by_some = ~(bias.amax((0, 1)) <= MASKED)
    others = (by_some & ~whole.repeat_interleave(BLOCK)[:keys]).nonzero().squeeze(-1)
    seen = ~(bias[..., others] <= MASKED)
    return Added(_sums(F.threshold(bias, MASKED, STAND_IN), draws), whole, others, seen)


def _sums(numbers: Tensor, draws: Tensor) -> Tensor:
    """(heads, rows, sums): each row of numbers times each row of draws."""
    return F.linear(numbers.flatten(0, 1), draws).view(*numbers.shape[:-1], SUMS)
