"""Attention inside one function, with arguments at random: exact, or skipped with a reason.

What a function really weighted its values by is read off its output: the values are unit vectors.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812, its usual name
from torch import Tensor, nn

from bertviz import NothingCaptured, extract
from tests.campaigns.ran import Ran

DIM = 9  # of a head: more than there are keys


class Sdpa(Ran):
    """scaled_dot_product_attention with arguments of its own."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.heads = int(random.choice([1, 2, 4]))
        self.key_heads = int(random.choice([1, 2])) if self.heads > 1 else 1
        self.queries, self.keys = (int(x) for x in random.integers(2, DIM - 1, 2))
        self.project = nn.Linear(6, (self.heads + self.key_heads) * DIM)
        self.options: dict[str, Any] = {"enable_gqa": self.key_heads != self.heads}
        masks = {
            "none": {},
            "causal": {"is_causal": True},
            "bool": {"attn_mask": _mask(random, self.queries, self.keys)},
            "heads": {
                "attn_mask": torch.from_numpy(
                    random.normal(size=(1, self.heads, self.queries, self.keys))
                ).float()
            },
            "low": {
                "attn_mask": torch.zeros(self.queries, self.keys).masked_fill(
                    ~_mask(random, self.queries, self.keys), float(random.choice([-math.inf, -1e9]))
                )
            },
            "keys": {"attn_mask": torch.arange(self.keys)[None] != 1},
        }
        self.mask = str(random.choice(list(masks)))
        self.options |= masks[self.mask]
        if random.random() < 0.4:
            self.options["scale"] = float(random.choice([0.1, 1.0, -0.5]))
        if random.random() < 0.1:
            self.options["dropout_p"] = 0.4
        self.size = float(random.choice([1.0, 1.0, 5.0, 1e25]))

    def forward(self, x: Tensor) -> Tensor:
        q, k = self.project(x).split([self.heads * DIM, self.key_heads * DIM], -1)
        q = q[:, : self.queries].unflatten(-1, (self.heads, DIM)).transpose(1, 2) * self.size
        k = k[:, -self.keys :].unflatten(-1, (self.key_heads, DIM)).transpose(1, 2) * self.size
        v = torch.eye(self.keys).expand(len(x), self.key_heads, -1, -1)
        self.weights = F.scaled_dot_product_attention(q, k, v, **self.options)
        return self.weights

    def extra_repr(self) -> str:
        return f"{self.mask}, {self.options.keys()}, size {self.size}"


class Multi(Ran):
    """multi_head_attention_forward with arguments of its own, by nn.MultiheadAttention."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.heads, self.keys = int(random.choice([1, 3])), int(random.integers(2, DIM - 2))
        self.same = bool(random.random() < 0.5)
        self.queries = self.keys if self.same else int(random.integers(2, DIM))
        width = self.heads * DIM
        self.inner = nn.MultiheadAttention(
            width,
            self.heads,
            batch_first=True,
            add_bias_kv=bool(random.random() < 0.3),
            add_zero_attn=bool(random.random() < 0.3),
            dropout=0.3,
        )
        with torch.no_grad():
            self.inner.in_proj_weight[2 * width :] = torch.eye(width)
            self.inner.in_proj_bias.normal_()
            self.inner.in_proj_bias[2 * width :] = 0
            self.inner.out_proj.weight.copy_(torch.eye(width))
            self.inner.out_proj.bias.zero_()
            self.values = torch.zeros(self.keys, width)
            for head, key in itertools.product(range(self.heads), range(self.keys)):
                self.values[key, head * DIM + key] = 1
            if self.inner.bias_v is not None:
                self.inner.bias_v.zero_()
                self.inner.bias_v[..., [head * DIM + self.keys for head in range(self.heads)]] = 1
        self.options: dict[str, Any] = {"need_weights": bool(random.random() < 0.5)}
        mask = ~_mask(random, self.queries, self.keys)
        kind = random.choice(["none", "bool", "float", "hint", "false hint", "padding"])
        later = torch.ones(self.queries, self.keys, dtype=torch.bool).triu(1)
        self.options |= {
            "none": {},
            "bool": {"attn_mask": mask},
            "float": {"attn_mask": torch.zeros(mask.shape).masked_fill(mask, -math.inf)},
            "hint": {"attn_mask": later, "is_causal": True},
            "false hint": {"attn_mask": mask, "is_causal": True},
            "padding": {"key_padding_mask": torch.arange(self.keys)[None] == self.keys - 1},
        }[str(kind)]
        self.kind = str(kind)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.repeat(1, 1, 8)[..., : self.heads * DIM]
        query, key = wide[:, : self.queries] * 2, wide[:, -self.keys :]
        padding = self.options.get("key_padding_mask")
        options = self.options | (
            {"key_padding_mask": padding.expand(len(x), -1)} if padding is not None else {}
        )
        out = self.inner(query, key, self.values.expand(len(x), -1, -1), **options)[0]
        parts = out.detach().unflatten(-1, (self.heads, DIM)).transpose(1, 2)
        self.weights = parts[..., : self.keys + (self.inner.bias_k is not None)]
        return out


def _mask(random: np.random.Generator, queries: int, keys: int) -> Tensor:
    """True for what is unmasked: every row sees something."""
    mask = random.random((queries, keys)) < 0.7
    mask[:, 0] |= ~mask.any(1)
    return torch.from_numpy(mask)


@pytest.mark.parametrize("made", [Sdpa, Multi])
def test_torch_functions_with_arguments_at_random(
    made: Callable[..., Any],
    rounds: Callable[[int, int], int],
    seed: int,
    random: np.random.Generator,
) -> None:
    counts: Counter[str] = Counter()
    bad: list[str] = []
    for number in range(rounds(40, 1500)):
        torch.manual_seed(number)
        model = nn.Sequential(made(random)).eval()
        x = torch.randn(int(random.choice([1, 2])), DIM, 6)
        verdict = _verdict(model, {"input": x}, len(x) - 1)
        counts[verdict.split(":")[0]] += 1
        if verdict.split(":")[0] not in ("exact", "told"):
            bad.append(f"round {number}: {verdict} {model}, {getattr(model[0], 'kind', '')}")
    print(f"{made.__name__}, seed {seed}: {dict(counts)}")
    assert not bad, f"seed {seed}, {len(bad)}:\n" + "\n".join(bad[:10])


def _verdict(model: Any, inputs: Any, index: int) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trace = extract(model, inputs=inputs, batch_index=index)
        except NothingCaptured as error:
            return "told" if "not understood" in str(error) else f"missing: {error}"
    [block] = trace.blocks.values()
    weights, expected = block.layers[0].weights(), model[0].weights[index]
    weights = weights[..., : expected.shape[-1]]  # a key of zeros has no value to be seen by
    difference = (weights - expected).abs().max()
    return "exact" if bool(difference < 1e-5) else f"wrong: by {float(difference):.2g}"


RAN: dict[int, Tensor] = {}  # weights of each layer, outside the model: what runs is a copy


def _kernels() -> dict[str, Callable[..., Any]]:
    """Attention functions that a user may register, each with something of its own."""

    def kernel(change: Callable[..., Any], after: Callable[[Tensor], Any] = lambda w: w) -> Any:
        def function(
            module: Any, q: Tensor, k: Tensor, v: Tensor, mask: Any, scaling: float = 1.0, **_: Any
        ) -> Any:
            groups = q.shape[1] // k.shape[1]
            k, v = (x.repeat_interleave(groups, 1) for x in (k, v))
            scores = q @ k.mT * scaling
            if mask is not None:
                scores = (
                    scores + mask if mask.is_floating_point() else scores.masked_fill(~mask, -1e9)
                )
            else:
                later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
                scores = scores.masked_fill(later, -1e9)
            scores = change(scores, q)
            weights = after(scores.softmax(-1))
            RAN[module.layer_idx] = weights.detach().clone()
            return (weights @ v).transpose(1, 2), weights

        return function

    def row(scores: Tensor, q: Tensor) -> Tensor:
        scores[:, :, 3].mul_(0.2)
        return scores

    def query(scores: Tensor, q: Tensor) -> Tensor:
        q.zero_()
        return scores

    return {
        "right": kernel(lambda s, q: s),
        "a row": kernel(row),
        "colder": kernel(lambda s, q: s * 1.3),
        "the query after": kernel(query),
        "a bias": kernel(lambda s, q: s + 0.1 * torch.arange(s.shape[-1])),
        "not a number": kernel(lambda s, q: s.masked_fill(s > s.amax() - 1e-6, math.nan)),
        "dropped": kernel(lambda s, q: s, lambda w: F.dropout(w, 0.4)),
        "a head": kernel(lambda s, q: s, lambda w: w * (torch.arange(4) > 1)[:, None, None]),
    }


@pytest.mark.parametrize("name", _kernels())
def test_kernels_that_a_user_registers(name: str, build: Callable[[str], Any]) -> None:
    from transformers import AttentionInterface

    AttentionInterface.register("own_kernel", _kernels()[name])
    model = build("llama")
    model.set_attn_implementation("own_kernel")
    inputs = {"input_ids": torch.randint(5, 99, (1, 9))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trace = extract(model, inputs=inputs)
        except NothingCaptured as error:
            why: str | None = str(error)
        else:
            why = None
    if why is not None:
        assert name != "right"
        assert "not understood" in why
        return
    found = {layer.name: layer for block in trace.blocks.values() for layer in block.layers}
    for number in range(len(model.model.layers)):
        path = f"model.layers.{number}.self_attn"
        if path in found:
            torch.testing.assert_close(found[path].weights(), RAN[number][0], atol=1e-5, rtol=0)
        else:
            assert trace.skipped[path]
