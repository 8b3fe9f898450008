"""Attention written at random: what a stranger's module may do between a product and its softmax.

A program is a list of steps, each a small function that takes scores (or weights) and returns what
the module goes on with. Many change a few rows in place; some do what nobody should.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from tests.campaigns.ran import Ran

DIM = 8
Step = Callable[["Scene", Tensor], Tensor]


@dataclass
class Scene:
    """What steps draw on: queries, keys, and fixed random material."""

    q: Tensor  # (batch, heads, query, d)
    k: Tensor
    draw: np.random.Generator

    def noise(self, *shape: int) -> Tensor:
        values = self.draw.normal(size=shape) * 1.5
        return torch.from_numpy(values).float()

    def row(self) -> int:
        return int(self.draw.integers(self.q.shape[-2]))

    def lower(self) -> Tensor:
        return torch.ones(self.q.shape[-2], self.k.shape[-2], dtype=torch.bool).tril()


def _in_place(change: Callable[[Tensor, Scene], Any]) -> Step:
    """A step that changes its scores and goes on with them."""

    def step(scene: Scene, scores: Tensor) -> Tensor:
        change(scores, scene)
        return scores

    return step


def _some(scores: Tensor, scene: Scene) -> Tensor:
    return torch.from_numpy(scene.draw.normal(size=tuple(scores.shape))).to(scores)


# --- the product -----------------------------------------------------------------------------


def _flat(x: Tensor) -> Tensor:
    return x.reshape(-1, *x.shape[2:])


def _whole(scene: Scene, scores: Tensor) -> Tensor:
    return scores.view(*scene.q.shape[:2], *scores.shape[1:])


def _into_memory(scene: Scene) -> Tensor:
    scores = torch.empty(*scene.q.shape[:3], scene.k.shape[2])
    return torch.matmul(scene.q, scene.k.mT, out=scores)


PRODUCTS: dict[str, Callable[[Scene], Tensor]] = {
    "matmul": lambda s: s.q @ s.k.transpose(-1, -2),
    "by name": lambda s: torch.matmul(input=s.q, other=s.k.mT),
    "einsum": lambda s: torch.einsum("bhid,bhjd->bhij", s.q, s.k),
    "bmm": lambda s: _whole(s, torch.bmm(_flat(s.q), _flat(s.k).mT)),
    "baddbmm": lambda s: _whole(
        s,
        torch.baddbmm(
            s.noise(1, 1, s.k.shape[2]).expand(_flat(s.q).shape[0], -1, -1),
            *(_flat(s.q), _flat(s.k).mT),
            beta=0.7,
            alpha=0.4,
        ),
    ),
    "keys first": lambda s: (s.k @ s.q.mT).mT,
    "out": _into_memory,
    "inner": lambda s: torch.inner(s.q[0, 0], s.k[0, 0]).expand(*s.q.shape[:2], -1, -1),
}

# --- between the product and the softmax -----------------------------------------------------

BETWEEN: dict[str, Step] = {
    "scale": lambda s, x: x / math.sqrt(DIM),
    "scale in place": _in_place(lambda x, s: x.mul_(0.6)),
    "bias": lambda s, x: x + s.noise(1, x.shape[1], x.shape[2], x.shape[3]),
    "bias with alpha": lambda s, x: torch.add(x, s.noise(x.shape[2], x.shape[3]), alpha=0.5),
    "bias first with alpha": lambda s, x: torch.add(s.noise(*x.shape[2:]), x, alpha=0.5),
    "subtracted with alpha": lambda s, x: torch.sub(x, s.noise(*x.shape[2:]), alpha=2),
    "subtracted from": lambda s, x: s.noise(*x.shape[2:]) - x,
    "causal": lambda s, x: x.masked_fill(~s.lower(), -math.inf),
    "causal in place": _in_place(lambda x, s: x.masked_fill_(~s.lower(), -1e9)),
    "where": lambda s, x: torch.where(s.lower(), x, torch.tensor(-1e9)),
    "added mask": lambda s, x: x + torch.zeros(x.shape[2:]).masked_fill(~s.lower(), -3.4e38),
    "softcap": lambda s, x: torch.tanh(x / 3) * 3,
    "temperature of heads": lambda s, x: x * s.noise(1, x.shape[1], 1, 1).abs(),
    "temperature of rows": lambda s, x: x * s.noise(x.shape[2], 1).abs(),
    "less the largest": lambda s, x: x - x.max(-1, keepdim=True).values,
    "double": lambda s, x: x.double(),
    "there and back": lambda s, x: x.transpose(-1, -2).contiguous().transpose(-1, -2),
    "merged and split": lambda s, x: x.reshape(-1, *x.shape[2:]).view(x.shape),
    "dropout": lambda s, x: F.dropout(x, 0.5, training=False),
    "clamp": lambda s, x: x.clamp(-1, 1),
    "squared": lambda s, x: x**2,
    "relu": lambda s, x: F.relu(x),
    "rolled": lambda s, x: x.roll(1, -1),
    "flipped": lambda s, x: x.flip(-1),
    "sorted": lambda s, x: x.sort(-1).values,
    "summed up": lambda s, x: x.cumsum(-1),
    "rows reordered": lambda s, x: x[:, :, torch.randperm(x.shape[2])],
    "heads reordered": lambda s, x: x[:, torch.arange(x.shape[1]).flip(0)],
    "heads mixed": lambda s, x: torch.einsum(
        "bhij,hg->bgij", x, s.noise(x.shape[1], x.shape[1]).to(x)
    ),
    "heads mixed linearly": lambda s, x: F.linear(
        x.permute(0, 2, 3, 1), s.noise(x.shape[1], x.shape[1]).to(x)
    ).permute(0, 3, 1, 2),
    "convolved": lambda s, x: F.conv2d(x, s.noise(x.shape[1], x.shape[1], 3, 3).to(x), padding=1),
    "an extra key": lambda s, x: torch.cat([x, s.noise(*x.shape[:3], 1).to(x)], -1),
    "a key less": lambda s, x: x[..., 1:],
    "row added to": _in_place(lambda x, s: x[:, :, s.row()].add_(_some(x[:, :, 0], s))),
    "row multiplied": _in_place(lambda x, s: x.select(2, s.row()).mul_(-2)),
    "row set": _in_place(lambda x, s: x.__setitem__((..., s.row(), slice(None)), 0.0)),
    "row zeroed": _in_place(lambda x, s: x.narrow(2, s.row(), 1).zero_()),
    "row of .data": _in_place(lambda x, s: x.data[:, :, s.row()].mul_(3)),
    "row of numpy": _in_place(lambda x, s: x.numpy().__setitem__((0, 0, s.row()), 1.0)),
    "row of detached": _in_place(lambda x, s: x.detach()[:, :, s.row()].neg_()),
    "rows by index": _in_place(
        lambda x, s: x.index_add_(2, torch.tensor([s.row()]), _some(x[:, :, :1], s))
    ),
    "rows copied": _in_place(lambda x, s: x[:, :, s.row()].copy_(x[:, :, 0])),
    "a column": _in_place(lambda x, s: x[..., s.row() % x.shape[-1]].add_(2.0)),
    "unbound": _in_place(lambda x, s: x.unbind(2)[s.row()].mul_(2)),
    "chunked": _in_place(lambda x, s: x.chunk(2, 2)[0].mul_(2)),
    "diagonal": _in_place(lambda x, s: x.diagonal(0, -2, -1).fill_(-2.0)),
    "as strided": _in_place(lambda x, s: x.as_strided((3,), (1,), s.row()).add_(2)),
    "queries after": _in_place(lambda x, s: s.q.mul_(2)),
    "keys after": _in_place(lambda x, s: s.k[:, :, s.row() % s.k.shape[2]].zero_()),
    "overflowing": lambda s, x: x * 1e30,
    "not a number": _in_place(lambda x, s: x[:, :, s.row()].fill_(math.nan)),
    "infinite bias": lambda s, x: x + torch.full((x.shape[-1],), math.inf),
    "mapped": _in_place(lambda x, s: x.apply_(lambda v: v + (v > 0))),
    "lerp": lambda s, x: x.lerp(_some(x, s), 0.3),
    "addcmul": lambda s, x: torch.addcmul(x, _some(x, s), _some(x, s)),
    "stacked": lambda s, x: torch.stack(list(x.unbind(1)), 1),
    "scatter": lambda s, x: x.scatter(-1, x.topk(2, -1).indices, -9.0),
    "foreach": _in_place(lambda x, s: torch._foreach_add_([x[:, :, s.row()]], 1.5)),
}
HARMLESS = ("scale", "bias", "causal", "added mask", "there and back", "dropout", "softcap")

# --- the softmax -----------------------------------------------------------------------------

SOFTMAXES: dict[str, Step] = {
    "plain": lambda s, x: x.softmax(-1),
    "functional": lambda s, x: F.softmax(x, dim=-1, dtype=torch.float32),
    "module": lambda s, x: nn.Softmax(dim=-1)(x),
    "over queries": lambda s, x: x.softmax(-2),
    "over heads": lambda s, x: x.softmax(1),
    "over both": lambda s, x: x.flatten(2).softmax(-1).view(x.shape),
    "by hand": lambda s, x: x.exp() / x.exp().sum(-1, keepdim=True),
    "log": lambda s, x: x.log_softmax(-1).exp(),
    "sigmoid": lambda s, x: x.sigmoid(),
}

# --- between the softmax and the values ------------------------------------------------------

AFTER: dict[str, Step] = {
    "dropout": lambda s, w: F.dropout(w, 0.3, training=False),
    "always dropout": lambda s, w: F.dropout(w, 0.3),
    "converted": lambda s, w: w.to(torch.float64).to(torch.float32),
    "heads masked": lambda s, w: w * (torch.arange(w.shape[1]) > 0).view(1, -1, 1, 1),
    "a mask of ones": lambda s, w: w * torch.ones(1, w.shape[1], 1, 1),
    "normalized again": lambda s, w: w / (w.sum(-2, keepdim=True) + 1e-6),
    "keys hidden": lambda s, w: w.masked_fill(torch.arange(w.shape[-1]) == 1, 0.0),
    "squared": lambda s, w: w**2,
    "row zeroed": _in_place(lambda w, s: w[:, :, s.row()].zero_()),
    "row of .data": _in_place(lambda w, s: w.data[:, :, s.row()].mul_(0.5)),
    "scaled in place": _in_place(lambda w, s: w.mul_(0.5)),
    "heads mixed": lambda s, w: torch.einsum("bhij,hg->bgij", w, torch.eye(w.shape[1]).roll(1, 0)),
    "mean of heads": lambda s, w: w.mean(1, keepdim=True).expand_as(w),
    "largest alone": lambda s, w: w * (w == w.max(-1, keepdim=True).values),
    "less uniform": lambda s, w: w - 1 / w.shape[-1],
}


@dataclass
class Program:
    """Names of the steps, in order."""

    product: str
    between: list[str]
    softmax: str
    after: list[str]
    seed: int

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Program:
        """A program: half of its steps are harmless, so that it is not always too strange."""
        names = list(BETWEEN)
        between = [
            str(random.choice(HARMLESS if random.random() < 0.5 else names))
            for _ in range(int(random.integers(0, 4)))
        ]
        odd = random.random()
        return cls(
            product=str(random.choice(list(PRODUCTS))),
            between=between,
            softmax=str(random.choice(list(SOFTMAXES))) if odd < 0.15 else "plain",
            after=[str(random.choice(list(AFTER)))] if odd > 0.8 else [],
            seed=int(random.integers(2**31)),
        )


class Written(Ran):
    """The attention that a program writes down."""

    def __init__(self, program: Program, heads: int) -> None:
        super().__init__()
        self.program, self.heads = program, heads
        self.qkv = nn.Linear(heads * DIM, 3 * heads * DIM)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            t.unflatten(-1, (self.heads, DIM)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1)
        )
        program, scene = self.program, Scene(q, k, np.random.default_rng(self.program.seed))
        scores = PRODUCTS[program.product](scene)
        for name in program.between:
            scores = BETWEEN[name](scene, scores)
        weights = SOFTMAXES[program.softmax](scene, scores)
        for name in program.after:
            weights = AFTER[name](scene, weights)
        keys = weights.shape[-1]
        values = F.pad(v, (0, 0, 0, max(0, keys - v.shape[2])))[:, :, -keys:]
        out = weights.to(values) @ values
        self.weights = weights.detach().clone()
        return x + 0.1 * torch.nan_to_num(out.transpose(1, 2).flatten(2), 0.0, 0.0, 0.0)


class Tower(nn.Module):
    """Attentions of which each has a program of its own."""

    def __init__(self, programs: list[Program], heads: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Written(program, heads) for program in programs)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x
