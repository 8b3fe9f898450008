"""Looks up names and numbers in a trace or a result; errors say which ones exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bertviz.arguments import as_index
from bertviz.errors import a_type, numbers_in_words, short
from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention


def check_name(argument: str, value: object, known: Iterable[str], hint: str = "") -> None:
    """Refuse a name that does not exist.

    >>> check_name("block", "x", ["encoder", "cross"])
    Traceback (most recent call last):
        ...
    ValueError: block='x' is unknown: expected one of encoder, cross.

    Args:
        argument: The argument's name.
        value: Its value.
        known: The names that exist.
        hint: An alternative that ends the sentence.

    Raises:
        TypeError: The value is not a string.
        ValueError: The value is not one of them.
    """
    known = list(known)
    expected = f"expected one of {', '.join(known)}{hint}"
    if not isinstance(value, str):
        raise TypeError(f"{argument}={short(value)} is {a_type(value)}: {expected}.")
    if value not in known:
        raise ValueError(f"{argument}={short(value)} is unknown: {expected}.")


def check_trace(argument: str, value: object) -> None:
    """Refuse anything but a trace.

    Args:
        argument: The argument's name.
        value: Its value.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, AttentionTrace):
        raise TypeError(
            f"{argument} is {a_type(value)}: expected an AttentionTrace, as"
            " extract(model, tokenizer, text) gives."
        )


def block_with_layer(
    blocks: Mapping[str, AttentionBlock], layer: int, head: int, block: str | None = None
) -> tuple[AttentionBlock, LayerAttention]:
    """The first block that has a layer with a head, and the layer.

    Args:
        blocks: The blocks of a trace.
        layer: The model's own number.
        head: The model's own number.
        block: The name of the block to look in; all by default.

    Raises:
        TypeError: A number is not an integer, or the name not a string.
        ValueError: There is no such block, layer or head.
    """
    layer, head = as_index("layer", layer, "layer"), as_index("head", head, "head")
    if block is not None:
        check_name("block", block, blocks)
        blocks = {block: blocks[block]}
    found = [
        (held, held.layer(layer))
        for held in blocks.values()
        if layer in {one.index for one in held.layers}
    ]
    if not found:
        known = numbers_in_words({one.index for held in blocks.values() for one in held.layers})
        raise ValueError(f"layer={layer} is not in the trace: expected one of {known}.")
    for held, one in found:
        if head in one.heads:
            return held, one
    heads = numbers_in_words({number for _, one in found for number in one.heads})
    raise ValueError(f"head={head} is not in layer {layer}: expected one of {heads}.")
