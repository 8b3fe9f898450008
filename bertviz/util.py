"""BertViz 1.x's helper functions for a model's attention, under their old import path.

Projects that draw their own pictures import these: how many layers and heads there are, all layers
as one tensor, and tokens without the tokenizer's own marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

from bertviz.arguments import as_index, as_items, check_among
from bertviz.arrays.outputs import nothing_in
from bertviz.errors import a_type

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["format_attention", "format_special_chars", "num_heads", "num_layers"]


def format_attention(
    attention: Any,
    layers: Iterable[SupportsIndex] | None = None,
    heads: Iterable[SupportsIndex] | None = None,
) -> Tensor:
    """All layers as one tensor, without the batch dimension where it is one.

    The tensor stays on the device of the layers, with their type and gradients.

    >>> import torch
    >>> attention = tuple(torch.full((1, 12, 5, 5), 0.2) for _ in range(6))
    >>> format_attention(attention).shape, format_attention(attention, [2, 3], [0]).shape
    (torch.Size([6, 12, 5, 5]), torch.Size([2, 1, 5, 5]))

    Args:
        attention: A tensor (batch, heads, query, key) per layer, as models return them.
        layers: Positions of the layers to keep; all by default, or if empty.
        heads: Positions of the heads to keep; all by default, or if empty.

    Returns:
        (layers, heads, query, key), or (layers, batch, heads, query, key) for several texts.

    Raises:
        TypeError: ``attention`` is not a tensor per layer, or a number is not an integer.
        ValueError: It is empty, a tensor does not have four dimensions, there is no such layer or
            head, or the layers differ in their shape.
    """
    import torch

    given = _layers(attention)
    for index, layer in enumerate(given):
        shape = tuple(layer.shape)
        if len(shape) != 4:
            raise ValueError(
                f"attention[{index}] has shape {shape}: expected (batch, heads, query, key) per"
                " layer. Pass outputs.attentions of a model that was called with"
                " output_attentions=True."
            )
    if chosen := _positions("layers", layers, len(given), "layer"):
        given = [given[index] for index in chosen]
    if chosen := _positions("heads", heads, min(layer.shape[1] for layer in given), "head"):
        given = [layer[:, chosen] for layer in given]
    shapes = list(dict.fromkeys(tuple(layer.shape) for layer in given))
    if len(shapes) > 1:
        raise ValueError(
            f"The layers of attention have shapes {shapes[0]} and {shapes[1]}, which cannot be one"
            " tensor: choose layers that are alike."
        )
    # Tensors stay on their device.
    tensors = [
        layer if isinstance(layer, torch.Tensor) else torch.as_tensor(layer, device="cpu")
        for layer in given
    ]
    stacked = torch.stack(tensors)
    return stacked.squeeze(1)


def num_layers(attention: Any) -> int:
    """The number of layers of a model's attention.

    >>> import torch
    >>> num_layers(torch.zeros(6, 1, 12, 5, 5))
    6

    Args:
        attention: A tensor (batch, heads, query, key) per layer.

    Raises:
        TypeError: It is not a tensor per layer.
        ValueError: It is empty.
    """
    return len(_layers(attention))


def num_heads(attention: Any) -> int:
    """The number of heads of the first layer of a model's attention.

    >>> import torch
    >>> num_heads(torch.zeros(6, 1, 12, 5, 5))
    12

    Args:
        attention: A tensor (batch, heads, query, key) per layer.

    Raises:
        TypeError: It is not a tensor per layer.
        ValueError: It is empty, or the first tensor has fewer than three dimensions.
    """
    shape = tuple(_layers(attention)[0].shape)
    if len(shape) < 3:
        raise ValueError(
            f"attention[0] has shape {shape}: expected (batch, heads, query, key) per layer."
        )
    return int(shape[-3])


def format_special_chars(tokens: Iterable[str]) -> list[str]:
    """Tokens with spaces for the marks of byte-level and SentencePiece tokenizers.

    >>> format_special_chars(["Ġthe", "▁cat", "s</w>"])
    [' the', ' cat', 's']

    Args:
        tokens: The tokenizer's own strings.

    Raises:
        TypeError: ``tokens`` is one string, or holds something else than strings.
    """
    if isinstance(tokens, str):
        raise TypeError("tokens is one string: expected a list of strings.")
    strings = list(tokens)
    for index, token in enumerate(strings):
        if not isinstance(token, str):
            raise TypeError(
                f"tokens[{index}] is {a_type(token)}: expected strings; make them with"
                " tokenizer.convert_ids_to_tokens(ids)."
            )
    return [token.replace("Ġ", " ").replace("▁", " ").replace("</w>", "") for token in strings]


def _layers(attention: Any) -> Sequence[Any]:
    """The layers, if there are any."""
    if isinstance(attention, str | bytes | dict) or not hasattr(attention, "__len__"):
        raise TypeError(
            f"attention is {a_type(attention)}: expected a tensor (batch, heads, query, key) per"
            " layer, such as outputs.attentions."
        )
    if len(attention) == 0:
        raise ValueError(nothing_in("attention"))
    layers = as_items("attention", attention, "expected a tensor per layer")
    for index, layer in enumerate(layers):
        if not hasattr(layer, "shape"):
            raise (ValueError if layer is None else TypeError)(
                f"attention[{index}] is {a_type(layer)}: expected a tensor (batch, heads, query,"
                " key) per layer, such as outputs.attentions holds. Models return no attention on a"
                ' fast kernel such as sdpa: load the model with attn_implementation="eager".'
            )
    return layers


def _positions(
    name: str, numbers: Iterable[SupportsIndex] | None, count: int, what: str
) -> list[int]:
    """Positions that exist, counted from the end if negative; none means all."""
    found = [as_index(name, number, what) for number in (() if numbers is None else numbers)]
    found = [number + count if -count <= number < 0 else number for number in found]
    check_among(name, found, range(count), what, "the attention")
    return found
