"""One attention as it was computed: what is kept, and how far it is from the model's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bertviz.trace import Formula, LayerAttention

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Keep:
    """Which part of an attention is kept, and where.

    Attributes:
        row: The text's place in the batch.
        layers: The model's own layer numbers; all by default.
        heads: The model's own head numbers; all by default.
        device: Where queries and keys are moved to.
    """

    row: int = 0
    layers: frozenset[int] | None = None
    heads: frozenset[int] | None = None
    device: torch.device = CPU


@dataclass(eq=False)
class Record:
    """One attention, as it was computed.

    Attributes:
        path: The attention module's path.
        count: How many heads the model has there.
        heads: The heads that are kept; none where the layer is not wanted.
        shape: (query, key), of what the model computed.
        formula: What the attention of the kept heads is computed from.
        cross: Whether this is cross-attention.
        module_is_causal: Whether the module calls itself causal.
        dtype: The dtype that the model computed in.
        order: Place among the attentions of its tower, in one forward.
        offset: While generating: the token that the first key belongs to.
        difference: How far it is from what the model computed, where that was checked.
        all_keys: While generating, until it is checked: the keys of earlier steps too.
    """

    path: str
    count: int
    heads: tuple[int, ...]
    shape: tuple[int, int]
    formula: Formula
    cross: bool = False
    module_is_causal: bool = False
    dtype: str = "float32"
    order: int = 0
    offset: int = 0
    difference: float | None = None
    all_keys: Tensor | None = None

    def as_layer(self, index: int = 0, rotary: bool = False) -> LayerAttention:
        """The attention as a layer of a trace."""
        formula = replace(self.formula, rotary=rotary)
        return LayerAttention(index=index, name=self.path, heads=self.heads, formula=formula)

    def check_output(self, values: Tensor, output: Tensor) -> None:
        """Note how far our weights times the values are from what the attention returned.

        Args:
            values: (value heads, key, d).
            output: (heads, query, d), of all heads of the model.
        """
        scale = float(values.abs().max()) or 1.0

        def difference(head: int, weights: Tensor) -> Tensor:
            value = values[head * values.shape[0] // self.count].to(weights)
            return (weights @ value[: weights.shape[-1]] - output[head].to(weights)) / scale

        self._check(difference)

    def check_weights(self, weights: Tensor) -> None:
        """Note how far our weights are from the model's, (heads, query, key)."""
        self._check(lambda head, ours: ours - weights[head].to(ours))

    def _check(self, difference: Callable[[int, Tensor], Tensor]) -> None:
        if not self.heads:
            return
        held, self.difference = self.as_layer(), 0.0
        if self.all_keys is not None:
            formula = replace(held.explained, keys=self.all_keys, key_heads=None)
            held, self.all_keys = replace(held, formula=formula), None
        for head in self.heads:
            rows = difference(head, held.weights(head)[0]).abs().amax(-1)
            visible = held.visible(head)
            if visible is not None:  # rows of padding see nothing; kernels fill them arbitrarily
                rows = rows[visible[0].any(-1).to(rows.device)]
            if rows.numel():
                self.difference = max(self.difference, float(rows.max()))


def narrowed(tensor: Tensor) -> Tensor:
    """Drop repeats: an axis of stride zero gets size one."""
    for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if size > 1 and stride == 0:
            tensor = tensor.narrow(axis, 0, 1)
    return tensor


def unrepeated(keys: Tensor) -> Tensor:
    """Key heads once each, where a model repeats every one for several heads in a row.

    >>> unrepeated(torch.arange(6.0).view(3, 2, 1).repeat_interleave(2, 0)).shape
    torch.Size([3, 2, 1])
    """
    heads = keys.shape[0]
    group = 1
    while group < heads and torch.equal(keys[group], keys[0]):
        group += 1
    if group == 1 or heads % group:
        return keys
    groups = keys.unflatten(0, (heads // group, group))
    same = all(torch.equal(groups[:, i], groups[:, 0]) for i in range(1, group))
    return groups[:, 0] if same else keys


def tower(path: str) -> str:
    """The part of a module path before its first number: what repeats is below.

    >>> tower("encoder.layer.3.attention.self")
    'encoder.layer'
    """
    parts = path.split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdecimal()]
    return ".".join(parts[: numbers[0]]) if numbers else path


def numbers_in(path: str) -> list[int]:
    """The numbers in a module path.

    >>> numbers_in("block.3.layer.0")
    [3, 0]
    """
    return [int(part) for part in path.split(".") if part.isdecimal()]
