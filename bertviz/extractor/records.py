"""One attention as it was computed: what is kept, and how far it is from the model's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bertviz.extractor import comparison
from bertviz.extractor.comparison import Compare
from bertviz.trace import Formula, LayerAttention
from bertviz.trace.formula import together

CPU = torch.device("cpu")
FAR = 1e38  # products beyond this may overflow float32


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
        place: Place among all attentions seen.
        offset: While generating: the token that the first key belongs to.
        near: Until the record is judged: puts the formula on the model's device, with all keys.
        multiplied_in: The precision of the model's matrix products.
        difference: How far it is from what the model computed, where that was compared.
        strict: Whether a difference means that this is not attention as it was understood.
        problem: Why it cannot be shown, as a clause, if it cannot.
        used: Whether values were weighted by it as it is.
        changed: Why they were weighted by something else, as a clause, as far as is known.
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
    place: int = 0
    offset: int = 0
    near: Callable[[Formula], Formula] | None = None
    multiplied_in: torch.dtype = torch.float32
    difference: float | None = None
    strict: bool = False
    problem: str | None = None
    used: bool = False
    changed: str | None = None

    def as_layer(self, index: int = 0, rotary: bool = False) -> LayerAttention:
        """The attention as a layer of a trace."""
        formula = replace(self.formula, rotary=rotary)
        return LayerAttention(index=index, name=self.path, heads=self.heads, formula=formula)

    def check_output(self, values: Tensor, output: Tensor, rows: list[int] | None) -> None:
        """Note how far our weights times the values are from what the attention returned.

        Args:
            values: (value heads, key, d).
            output: (heads, query, d), of all heads of the model.
            rows: Which queries; all by default.
        """
        scale = values.abs().amax().float()
        scale = torch.where(scale == 0, 1.0, scale)

        def difference(places: list[int], part: slice | list[int], weights: Tensor) -> Tensor:
            heads = [self.heads[place] for place in places]
            used = together([head * values.shape[0] // self.count for head in heads])
            value = values[used][:, : weights.shape[-1]].to(weights)
            return (weights @ value).sub_(output[together(heads)][:, part]).div_(scale)

        self._check(difference, rows)

    def check_weights(self, weights: Tensor, rows: list[int] | None = None) -> None:
        """Note how far our weights are from the model's, (heads, query, key)."""
        self._check(self.differences_of(weights), rows)

    def differences_of(self, weights: Tensor) -> Compare:
        """Compares our weights with others, (heads, query, key), of all heads of the model."""

        def difference(places: list[int], part: slice | list[int], ours: Tensor) -> Tensor:
            return ours.sub_(weights[together([self.heads[place] for place in places])][:, part])

        return difference

    def _check(self, compare: Compare, rows: list[int] | None) -> None:
        if self.heads:
            off = comparison.largest(self.on_its_device(), rows, compare)
            self.difference = max(self.difference or 0.0, float(off))

    def judge(self, checked: bool) -> None:
        """Decide whether what was captured can be shown; if not, ``problem`` says why.

        Args:
            checked: Whether differences are reported, and an error, rather than a problem.
        """
        if not self.heads or self.near is None:
            return
        near, self.near = self.on_its_device(), None
        reach = comparison.reach(near.queries, near.keys)
        if not reach < FAR and comparison.overflows(near):
            self.problem = "its queries times keys overflow float32: its weights are not numbers"
        if self.difference is None or (checked and not self.strict):
            return
        limit = comparison.tolerated(self.multiplied_in, reach * abs(near.scaling))
        if self.problem is None and not self.difference <= limit:
            self.problem = (
                "what it computed is not a number (NaN)"
                if self.difference == float("inf")
                else f"what was captured differs from what the model computed by"
                f" {self.difference:.1e}"
            )

    def on_its_device(self) -> Formula:
        """The formula that is compared: where the model is, with all keys that it used."""
        return self.formula if self.near is None else self.near(self.formula)


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
