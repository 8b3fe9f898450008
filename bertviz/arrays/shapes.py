"""Arrays in any accepted form → one tensor of three axes per layer."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bertviz.arrays.outputs import is_generated, nothing_in, whole_rows
from bertviz.errors import a_type

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
    if isinstance(value, Mapping | str | bytes):
        raise TypeError(
            f"{name} is {a_type(value)}: expected a list with one array per layer, each"
            " (heads, query, key), or one array (layers, heads, query, key)."
        )
    if isinstance(value, Iterable) and not hasattr(value, "shape"):
        items = list(value)
        if not items:
            raise ValueError(nothing_in(name))
        for index, item in enumerate(items):
            if item is None:
                raise ValueError(
                    f"{name} holds None for layer {index}: models return no attention when they"
                    " run on a fast kernel such as sdpa. Pass the model itself,"
                    " head_view(model, tokenizer, text): its attention is captured on any kernel."
                    ' Or load the model with attn_implementation="eager".'
                )
        if is_generated(items):
            return whole_rows(
                [
                    [
                        as_layer(f"{name}[{i}][{j}]", as_tensor(name, x), batch_index)
                        for j, x in enumerate(step)
                    ]
                    for i, step in enumerate(items)
                ],
                name,
            )
        # A list of layers, which may differ in their heads.
        if any(hasattr(item, "shape") for item in items) or _depth(items) > 3:
            return [
                as_layer(f"{name}[{i}]", as_tensor(f"{name}[{i}]", x), batch_index)
                for i, x in enumerate(items)
            ]
        value = items
    tensor = as_tensor(name, value)
    if tensor.ndim == 5:
        return [as_layer(name, layer, batch_index) for layer in tensor]
    if tensor.ndim == 4:
        return list(tensor)
    return [as_layer(name, tensor, batch_index)]


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list | tuple):
        depth += 1
        value = value[0] if value else None
    return depth


def as_tensor(name: str, value: Any) -> Tensor:
    """A copy as a floating tensor on the CPU."""
    import numpy as np
    import torch

    if not isinstance(value, torch.Tensor):
        try:
            value = torch.from_numpy(np.array(value, dtype=_floating(np.asarray(value).dtype)))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{name} is {a_type(value)} that is not an array of numbers ({error}):"
                " expected torch tensors, NumPy arrays or nested lists of equal lengths."
            ) from None
    tensor: Tensor = value.detach().to("cpu", copy=True)
    return tensor if tensor.is_floating_point() else tensor.float()


def _floating(dtype: Any) -> Any:
    """The NumPy type to read as: float types that torch has are kept, others become float32."""
    import numpy as np

    if dtype.kind in "OSUV" and dtype.name != "bfloat16":
        raise TypeError(f"its type is {dtype}")
    return dtype if dtype in (np.float16, np.float32, np.float64) else np.dtype(np.float32)


def as_layer(name: str, tensor: Tensor, batch_index: int | None = None) -> Tensor:
    """(heads, ·, ·) from two to four axes."""
    shape = tuple(tensor.shape)
    if tensor.ndim == 4:
        if shape[0] != 1 and batch_index is None:
            raise ValueError(
                f"{name} has shape {shape}, a batch of {shape[0]} texts: say which one with"
                f" batch_index=0 to {shape[0] - 1}, and pass its tokens."
            )
        index = operator.index(batch_index or 0)
        if not -shape[0] <= index < shape[0]:
            raise ValueError(
                f"batch_index={index} is out of range: {name} holds {shape[0]} texts, 0 to"
                f" {shape[0] - 1}."
            )
        tensor = tensor[index]
    elif tensor.ndim == 2:
        tensor = tensor[None]
    elif tensor.ndim != 3:
        raise ValueError(
            f"{name} has shape {shape}: expected (heads, query, key) per layer, with or without a"
            " batch dimension of one."
        )
    if not all(tensor.shape):
        raise ValueError(f"{name} has shape {shape}, which holds nothing.")
    return tensor
