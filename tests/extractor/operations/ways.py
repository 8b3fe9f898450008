"""Ways to write the same attention in torch operations."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor

from tests.extractor.operations.own import BIAS, DIM, HEADS, LENGTH, LOWER, flat


def in_place(q: Tensor, k: Tensor) -> Tensor:
    scores = q @ k.transpose(-2, -1)
    scores /= math.sqrt(DIM)
    scores += BIAS
    scores.masked_fill_(~LOWER, float("-inf"))
    return scores.softmax(-1)


def heads_among_rows(q: Tensor, k: Tensor) -> Tensor:
    """Multi-query, as in GPT-BigCode: (batch, query · heads, d) against one key head."""
    rows = q.transpose(1, 2).reshape(len(q), -1, DIM)
    scores = torch.bmm(rows, k[:, 0].transpose(1, 2)).view(len(q), LENGTH, HEADS, LENGTH)
    return scores.softmax(-1).transpose(1, 2)


def baddbmm_in_place(q: Tensor, k: Tensor) -> Tensor:
    scores = BIAS.repeat(len(q), 1, 1)
    scores.baddbmm_(flat(q), flat(k).mT, beta=0.5, alpha=0.3)
    return scores.softmax(-1).view(len(q), HEADS, LENGTH, LENGTH)


def arranged_in_place(q: Tensor, k: Tensor) -> Tensor:
    """A bias is added before, so its own layout must not turn with the scores."""
    scores = (k @ q.mT) * 0.3 + BIAS.mT
    return scores.transpose_(-1, -2).softmax(-1)


def into_memory_of_its_own(q: Tensor, k: Tensor) -> Tensor:
    scores = torch.empty(len(q), HEADS, LENGTH, LENGTH)
    torch.matmul(q, k.mT, out=scores)
    torch.add(scores, BIAS, alpha=0.5, out=scores)
    return torch.softmax(scores, -1)


def arguments_by_name(q: Tensor, k: Tensor) -> Tensor:
    scores = torch.matmul(input=q, other=k.mT)
    scores = torch.add(input=BIAS, other=scores, alpha=0.5)
    scores = torch.masked_fill(input=scores, mask=~LOWER, value=-1e9)
    return torch.softmax(input=scores, dim=-1)


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "plain": lambda q, k: F.softmax(q @ k.transpose(-1, -2) / math.sqrt(DIM), dim=-1),
    "mT": lambda q, k: (q @ k.mT * 0.5).softmax(-1),
    "scaled before": lambda q, k: ((q * 0.2) @ k.mT).softmax(-1),
    "bmm": lambda q, k: F.softmax(torch.bmm(flat(q), flat(k).transpose(1, 2)), -1).view(
        len(q), HEADS, LENGTH, LENGTH
    ),
    "baddbmm": lambda q, k: torch.softmax(
        torch.baddbmm(BIAS.repeat(len(q), 1, 1), flat(q), flat(k).mT, beta=0.5, alpha=0.3), -1
    ).view(len(q), HEADS, LENGTH, LENGTH),
    "einsum": lambda q, k: torch.einsum("bhid,bhjd->bhij", q, k).softmax(-1),
    "einsum with an ellipsis": lambda q, k: torch.einsum("...id,...jd->...ij", q, k).softmax(-1),
    "einsum with an ellipsis, keys first": lambda q, k: torch.einsum(
        "... j d, ... i d -> ... i j", k, q
    ).softmax(-1),
    "einsum of other axes": lambda q, k: (
        torch.einsum("ibhd,jbhd->ijbh", q.permute(2, 0, 1, 3), k.permute(2, 0, 1, 3))
        .permute(2, 3, 0, 1)
        .softmax(-1)
    ),
    "keys times queries": lambda q, k: (k @ q.mT * 0.3).transpose(-1, -2).softmax(-1),
    "softmax over columns": lambda q, k: (k @ q.mT * 0.3).softmax(-2).transpose(-1, -2),
    "masked_fill": lambda q, k: (q @ k.mT).masked_fill(~LOWER, -1e9).softmax(-1),
    "where": lambda q, k: torch.where(LOWER, q @ k.mT, torch.tensor(-1e9)).softmax(-1),
    "Tensor.where": lambda q, k: (q @ k.mT).where(LOWER, torch.tensor(-1e9)).softmax(-1),
    "bias and mask, merged axes": lambda q, k: F.softmax(
        (
            (torch.bmm(flat(q), flat(k).mT).view(len(q), HEADS, LENGTH, LENGTH) + BIAS)
            + torch.zeros(1, 1, LENGTH, LENGTH).masked_fill(~LOWER, torch.finfo(torch.float32).min)
        ).view(-1, LENGTH, LENGTH),
        dim=-1,
    ).view(len(q), HEADS, LENGTH, LENGTH),
    "scaled after the bias": lambda q, k: ((q @ k.mT + BIAS) * 0.2).softmax(-1),
    "subtracted": lambda q, k: (q @ k.mT - BIAS).softmax(-1),
    "subtracted with alpha": lambda q, k: torch.sub(q @ k.mT, BIAS, alpha=2).softmax(-1),
    "subtracted from a bias": lambda q, k: torch.sub(BIAS, q @ k.mT, alpha=0.5).softmax(-1),
    "subtracted from a number": lambda q, k: (2 - q @ k.mT).softmax(-1),
    "added with alpha": lambda q, k: torch.add(q @ k.mT, BIAS, alpha=0.3).softmax(-1),
    "softcap": lambda q, k: (torch.tanh(q @ k.mT * 0.3 / 2) * 2 + BIAS).softmax(-1),
    "stable": lambda q, k: (
        lambda scores: (scores - scores.max(-1, keepdim=True).values).softmax(-1)
    )(q @ k.mT),
    "temperature of each head": lambda q, k: (
        q @ k.mT * torch.arange(1.0, 5).view(1, HEADS, 1, 1)
    ).softmax(-1),
    "zeros and lows": lambda q, k: (q @ k.mT * LOWER.float() - 1e4 * (1 - LOWER.float())).softmax(
        -1
    ),
    "in place": in_place,
    "baddbmm in place": baddbmm_in_place,
    "arranged in place": arranged_in_place,
    "into memory of its own": into_memory_of_its_own,
    "arguments by name": arguments_by_name,
    "in half precision and back": lambda q, k: (q @ k.mT).float().softmax(-1, torch.float32),
    "clamped": lambda q, k: (q @ k.mT).clamp(min=-50000, max=50000).softmax(-1),
    "one key head": lambda q, k: (q @ k[:, :1].mT).softmax(-1),
    "heads among rows": heads_among_rows,
    "repeated": lambda q, k: (q @ k[:, :2].repeat_interleave(2, 1).mT).softmax(-1),
    "groups": lambda q, k: (q.unflatten(1, (2, 2)) @ k[:, :2, None].mT).flatten(1, 2).softmax(-1),
}
KEY_HEADS = {"one key head": 1, "heads among rows": 1, "repeated": 2, "groups": 2}
