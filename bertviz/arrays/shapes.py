"""Arrays in any accepted form → one tensor of three axes per layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertviz.arguments import as_index, as_items, offers
from bertviz.arrays.conversion import as_tensor
from bertviz.arrays.outputs import is_generated, nothing_in, whole_rows
from bertviz.errors import a_type
from bertviz.listed import DEEPEST

if TYPE_CHECKING:
    from torch import Tensor


def as_layers(name: str, value: Any, batch_index: int | None = None) -> list[Tensor]:
    """One tensor of three axes per layer, whatever form they came in.

    Args:
        name: The argument's name, for errors.
        value: A list with an array per layer, or one array; or such a list for each step of
            ``generate``.
        batch_index: Which text of a batch, where there are several.

    Returns:
        Floating-point copies on the CPU: (heads, ·, ·) each.

    >>> import torch
    >>> [tuple(layer.shape) for layer in as_layers("weights", torch.zeros(6, 12, 8, 8))][:2]
    [(12, 8, 8), (12, 8, 8)]
    """
    expected = (
        "expected a list with one array per layer, each (heads, query, key), or one array (layers,"
        " heads, query, key)"
    )
    if isinstance(value, Mapping | str | bytes):
        raise TypeError(f"{name} is {a_type(value)}: {expected}.")
    if not offers(value, "shape") and not offers(value, "__array__"):
        value = as_items(name, value, expected)
        if not value:
            raise ValueError(nothing_in(name))
        _refuse_none(name, value)
        if is_generated(value):
            return whole_rows(_steps(name, value, batch_index), name)
        # A list of layers, which may differ in their heads.
        if any(offers(item, "shape") for item in value) or _depth(value) > 3:
            layers = [(f"{name}[{i}]", x) for i, x in enumerate(value)]
            return [as_layer(part, as_tensor(part, x), batch_index) for part, x in layers]
    tensor = as_tensor(name, value)
    if tensor.ndim == 5 and tensor.shape[0]:
        return [as_layer(name, layer, batch_index) for layer in tensor]
    if tensor.ndim == 4 and tensor.shape[0]:
        return [as_layer(name, layer, batch_index, tuple(tensor.shape)) for layer in tensor]
    if tensor.ndim in (4, 5):
        raise ValueError(f"{name} has shape {tuple(tensor.shape)}: expected at least one layer.")
    return [as_layer(name, tensor, batch_index)]


def _refuse_none(name: str, items: Sequence[Any]) -> None:
    for index, item in enumerate(items):
        if item is None:
            raise ValueError(
                f"{name} holds None for layer {index}: models return no attention when they"
                " run on a fast kernel such as sdpa. Pass the model itself,"
                " head_view(model, tokenizer, text): its attention is captured on any kernel."
                ' Or load the model with attn_implementation="eager".'
            )


def _steps(
    name: str, steps: Sequence[Sequence[Any]], batch_index: int | None
) -> list[list[Tensor]]:
    """Per step of ``generate`` and layer, (heads, query, key)."""
    return [
        [as_layer(f"{name}[{i}][{j}]", as_tensor(name, x), batch_index) for j, x in enumerate(step)]
        for i, step in enumerate(steps)
    ]


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list | tuple) and depth < DEEPEST:
        depth += 1
        value = value[0] if value else None
    return depth


def as_layer(
    name: str,
    tensor: Tensor,
    batch_index: int | None = None,
    whole: tuple[int, ...] | None = None,
) -> Tensor:
    """(heads, ·, ·) from two to four axes.

    Args:
        name: The argument's name.
        tensor: One layer.
        batch_index: Which text, where there are several.
        whole: The shape of the array that the layer is a part of, for errors.
    """
    shape = whole or tuple(tensor.shape)
    index = 0 if batch_index is None else as_index("batch_index", batch_index)
    texts = tensor.shape[0] if tensor.ndim == 4 else 1
    if not all(tensor.shape):
        raise ValueError(f"{name} has shape {shape}, which holds nothing.")
    if texts != 1 and batch_index is None:
        raise ValueError(
            f"{name} has shape {shape}, a batch of {texts} texts: say which one with"
            f" batch_index=0 to {texts - 1}, and pass its tokens."
        )
    if not -texts <= index < texts:
        known = f"{texts} texts, 0 to {texts - 1}" if texts > 1 else _one_text(shape)
        raise ValueError(f"batch_index={index} is out of range: {name} holds {known}.")
    if tensor.ndim == 4:
        return tensor[index]
    if tensor.ndim == 3:
        return tensor
    if tensor.ndim == 2:
        return tensor[None]
    raise ValueError(
        f"{name} has shape {shape}: expected (heads, query, key) per layer, with or without a"
        " batch dimension of one."
    )


def _one_text(shape: tuple[int, ...]) -> str:
    """What an array without an axis of texts holds."""
    if len(shape) == 4:
        return (
            f"one text, since {shape} is (layers, heads, query, key); pass a list with one array"
            " per layer, each (batch, heads, query, key)"
        )
    return "one text"
