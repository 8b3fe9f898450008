"""Layers that share their query and key tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bertviz.arguments import as_choice, as_index, as_items
from bertviz.errors import numbers_in_words
from bertviz.trace.checked import check_instance
from bertviz.trace.layer import LayerAttention
from bertviz.trace.tokens import Tokens

Kind = Literal["encoder", "decoder", "cross"]


@dataclass(frozen=True, eq=False, repr=False)
class AttentionBlock:
    """Layers that share their query and key tokens.

    Attributes:
        name: The block's key in ``AttentionTrace.blocks``.
        kind: "encoder", "decoder" or "cross".
        query: The tokens that attend.
        key: The tokens attended to.
        layers: The layers, from the first to the last.
    """

    name: str
    kind: Kind
    query: Tokens
    key: Tokens
    layers: tuple[LayerAttention, ...]

    def __post_init__(self) -> None:
        """Check what the block is made of.

        Raises:
            TypeError: An argument is of another type.
            ValueError: A kind is unknown, or a layer is of other tokens.
        """
        check_instance("name", self.name, str, "a string, such as 'encoder'")
        object.__setattr__(self, "name", str.__str__(self.name))
        as_choice("kind", self.kind, get_args(Kind))
        for side in ("query", "key"):
            check_instance(side, getattr(self, side), Tokens, "Tokens.read(['the', 'store'])")
        layers = tuple(as_items("layers", self.layers, "expected a list of LayerAttention"))
        size = (len(self.query), len(self.key))
        for place, layer in enumerate(layers):
            check_instance(f"layers[{place}]", layer, LayerAttention, "a LayerAttention")
            if layer.shape != size:
                raise ValueError(
                    f"layers[{place}] has {layer.shape[0]} queries and {layer.shape[1]} keys, but"
                    f" query has {size[0]} tokens and key {size[1]}: expected the same numbers."
                )
        object.__setattr__(self, "layers", layers)

    @property
    def query_tokens(self) -> tuple[str, ...]:
        """The tokenizer's own strings of the tokens that attend."""
        return self.query.strings

    @property
    def key_tokens(self) -> tuple[str, ...]:
        """The tokenizer's own strings of the tokens attended to."""
        return self.key.strings

    def __repr__(self) -> str:
        """One line with the block's size.

        >>> from bertviz import AttentionTrace
        >>> AttentionTrace.from_arrays(weights=[[[0.25, 0.75], [1.0, 0.0]]]).blocks["encoder"]
        AttentionBlock(encoder: 1 layers, 2 x 2 tokens)
        """
        size = f"{len(self.query)} x {len(self.key)} tokens"
        return f"AttentionBlock({self.name}: {len(self.layers)} layers, {size})"

    @property
    def shares_tokens(self) -> bool:
        """Whether the queries are the last of the keys: the same text on both sides."""
        queries, keys = self.query.strings, self.key.strings
        return (
            self.kind != "cross"
            and len(queries) <= len(keys)
            and queries == keys[len(keys) - len(queries) :]
        )

    def layer(self, number: int) -> LayerAttention:
        """The layer with the model's own number; ``layers[i]`` is the one at position i.

        Raises:
            TypeError: It is not an integer.
            ValueError: The block has no such layer; the message says which it has.
        """
        number = as_index("layer", number, "layer")
        for layer in self.layers:
            if layer.index == number:
                return layer
        known = numbers_in_words([layer.index for layer in self.layers])
        raise ValueError(
            f"layer={number} is not in block {self.name!r}: expected one of its layers, {known}."
        )
