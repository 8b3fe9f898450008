"""What may be chosen for any view: the layers and heads it contains, and where it starts.

The problem. A layer that does not exist, or a head that is not included, would be a blank picture
below the cell that asked for it. So every number is checked here against the trace, before
anything is drawn, and the error says which numbers there are.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, get_args

from bertviz.arguments import as_index, as_indices, check_among
from bertviz.errors import a_type, short, suggestion
from bertviz.web.policy import check_nonce

if TYPE_CHECKING:
    from typing import SupportsIndex

    from bertviz.trace import AttentionBlock, AttentionTrace, LayerAttention

    Numbers: TypeAlias = SupportsIndex | Iterable[SupportsIndex]

DisplayMode: TypeAlias = Literal["auto", "light", "dark"]


class ViewOptions(TypedDict, total=False):
    """Keywords of every view.

    * ``include_layers``, ``include_heads``: what the view contains, by the model's own numbers, or
      counted from the end if negative; all by default, or if empty.
    * ``prettify_tokens``: whether tokens are shown without the tokenizer's own marks.
    * ``display_mode``: "light" and "dark" fix the theme; "auto" follows the notebook.
    * ``nonce``: what the output's script carries, for a page whose Content-Security-Policy asks for
      it; none by default. A saved page needs none.
    """

    include_layers: Numbers | None
    include_heads: Numbers | None
    prettify_tokens: bool
    display_mode: DisplayMode
    nonce: str | None


DEFAULTS: Mapping[str, Any] = {
    "include_layers": None,
    "include_heads": None,
    "prettify_tokens": True,
    "display_mode": "auto",
    "nonce": None,
}


def read_options(call: str, options: Mapping[str, Any], offered: Iterable[str]) -> dict[str, Any]:
    """The keywords of every view, checked, with what BertViz accepted in its present form.

    No ``display_mode`` is "auto"; 0, 1 and None are bools of ``prettify_tokens``; an empty list of
    layers or heads is all of them.

    Args:
        call: What was called, for errors.
        options: What was passed.
        offered: The names of all its options.

    Returns:
        Those that were passed.

    Raises:
        TypeError: An unknown keyword, a ``prettify_tokens`` that is not a bool, or a ``nonce`` that
            is not a str.
        ValueError: An unknown ``display_mode``, or a ``nonce`` that no policy can name.
    """
    unknown = [name for name in options if name not in DEFAULTS]
    if unknown:
        raise TypeError(f"{call}() takes no {unknown[0]}: {suggestion(unknown[0], offered)}")
    mode, pretty = (
        options.get(name, DEFAULTS[name]) for name in ("display_mode", "prettify_tokens")
    )
    if mode is None:
        mode = "auto"
    if not isinstance(mode, str) or mode not in get_args(DisplayMode):
        raise ValueError(
            f"display_mode={short(mode)} is unknown: expected 'auto' (follows the notebook),"
            " 'light' or 'dark'."
        )
    check_nonce(options.get("nonce"))
    if not is_switch(pretty):
        hint = " A second text (text_pair) goes with a model." if isinstance(pretty, str) else ""
        raise TypeError(
            f"prettify_tokens={short(pretty)} is {a_type(pretty)}: expected True or False.{hint}"
        )
    known = {"display_mode": mode, "prettify_tokens": bool(pretty)}
    return {
        name: None if is_empty(value) else known.get(name, value) for name, value in options.items()
    }


def is_switch(value: object) -> bool:
    """Whether this is True or False, also as 0, 1, None or a NumPy bool.

    >>> is_switch(0), is_switch(None), is_switch(2), is_switch("yes")
    (True, True, False, False)
    """
    if isinstance(value, numbers.Integral):  # bools among them
        return value in (0, 1)
    return value is None or type(value).__name__ in ("bool", "bool_")


def is_empty(value: object) -> bool:
    """Whether this is a list, tuple, set, range or array of nothing, which is taken for all.

    >>> is_empty([]), is_empty(range(0)), is_empty([0]), is_empty("")
    (True, True, False, False)
    """
    if isinstance(value, str | bytes) or not isinstance(value, Sized):
        return False
    try:
        return len(value) == 0
    except Exception:  # an array of no dimensions, or an object that raises when it is asked
        return False


def with_raw_tokens(trace: AttentionTrace) -> AttentionTrace:
    """The same trace, which displays the tokenizer's own strings."""
    blocks = {
        name: dataclasses.replace(
            block, query=block.query.unprettified(), key=block.key.unprettified()
        )
        for name, block in trace.blocks.items()
    }
    return dataclasses.replace(trace, blocks=blocks)


def included(
    trace: AttentionTrace, include_layers: Numbers | None, include_heads: Numbers | None
) -> tuple[list[int] | None, list[int] | None]:
    """The layers and heads that a view contains, each None for all.

    Negative numbers count from the end, as in BertViz.

    Raises:
        TypeError: A value is not an integer.
        ValueError: The trace does not have such a layer or head.
    """
    layers = heads = None
    every = [layer for block in trace.blocks.values() for layer in block.layers]
    if include_layers is not None:
        known = {layer.index for layer in every}
        layers = _from_start(as_indices("include_layers", include_layers, "layer"), known)
        check_among("include_layers", layers, known, "layer", _owner(trace))
        every = [layer for layer in every if layer.index in layers]
    if include_heads is not None:
        known = {head for layer in every for head in layer.heads}
        heads = _from_start(as_indices("include_heads", include_heads, "head"), known)
        check_among("include_heads", heads, known, "head", _owner(trace))
    return layers, heads


def _from_start(chosen: Iterable[int], known: Iterable[int]) -> list[int]:
    """Numbers without negative ones, which count from the end of those that exist."""
    order = sorted(known)
    found = (order[n] if -len(order) <= n < 0 else n for n in chosen)
    return list(dict.fromkeys(found))


def starting_state(
    trace: AttentionTrace,
    layer: SupportsIndex | None,
    heads: Numbers | None,
    include_layers: Sequence[int] | None,
    include_heads: Sequence[int] | None,
    heads_name: str,
) -> dict[str, Any]:
    """The state a view starts with: block, layer and heads, as far as they were chosen.

    Args:
        trace: What is shown.
        layer: The layer that was chosen.
        heads: The heads that were chosen; none of them is all.
        include_layers: The layers that the view contains, None for all.
        include_heads: The heads that it contains, None for all.
        heads_name: What the caller's argument for ``heads`` is called, "heads" or "head".

    Raises:
        TypeError: A value is not an integer.
        ValueError: The trace, or the view, does not have such a layer or head.
    """
    candidates = [
        (block, row)
        for block in trace.blocks.values()
        for row in block.layers
        if include_layers is None or row.index in include_layers
    ]
    state: dict[str, Any] = {}
    if layer is not None:
        candidates = _with_layer(trace, candidates, as_index("layer", layer, "layer"))
        state = {"block": candidates[0][0].name, "layer": candidates[0][1].index}
    if heads is not None and not is_empty(heads):
        chosen = as_indices(heads_name, heads, "head")
        _check_heads(heads_name, chosen, candidates[0][1], include_heads)
        state["heads"] = chosen
    return state


def _with_layer(
    trace: AttentionTrace, candidates: list[tuple[AttentionBlock, LayerAttention]], number: int
) -> list[tuple[AttentionBlock, LayerAttention]]:
    """The included layers with that number."""
    every = {row.index for block in trace.blocks.values() for row in block.layers}
    check_among("layer", number, every, "layer", _owner(trace))
    found = [(block, row) for block, row in candidates if row.index == number]
    if not found:
        present = sorted({row.index for _, row in candidates})
        raise ValueError(
            f"layer={number} is not among include_layers={present}: add it there, or pass"
            f" layer={' or layer='.join(map(str, present[:3]))}."
        )
    return found


def _check_heads(
    name: str, chosen: list[int], layer: LayerAttention, include_heads: Sequence[int] | None
) -> None:
    value = chosen[0] if name == "head" else chosen
    check_among(name, value, layer.heads, "head", f"layer {layer.index}")
    missing = [n for n in chosen if include_heads is not None and n not in include_heads]
    if missing:
        problem = f"{name}={value}" if name == "head" else f"{name}={value}: head {missing[0]}"
        raise ValueError(
            f"{problem} is not among include_heads={sorted(include_heads or ())}: add it there, or"
            f" choose {name} from those."
        )


def _owner(trace: AttentionTrace) -> str:
    return "the model" if trace.model_name else "the attention"
