"""The exact numbers behind a picture, one row for every weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bertviz.arguments import as_index
from bertviz.trace.settings import plainly
from bertviz.web.payload.state_tokens import check_position

if TYPE_CHECKING:
    from typing import SupportsIndex

    from torch import Tensor

    from bertviz.trace import AttentionBlock, LayerAttention
    from bertviz.views.view import View

    Shown = tuple[AttentionBlock, LayerAttention, list[int]]


MOST_ROWS = 10_000_000


@plainly()
def columns_of(
    view: View,
    query: SupportsIndex | None = None,
    key: SupportsIndex | None = None,
    top: SupportsIndex | None = None,
) -> dict[str, Any]:
    """Columns of the numbers that a picture starts with, as NumPy arrays.

    Args:
        view: The view.
        query: The position of one query; all by default.
        key: The position of one key; all by default.
        top: How many weights to keep of each query and head, the largest first; all by default.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: A position is out of range, ``top`` is below 1, or there are too many rows.
    """
    import numpy as np

    at = {"query": _position(view, "query", query), "key": _position(view, "key", key)}
    count = _top(top)
    shown = shown_at_start(view)
    _check_count(shown, at, count)
    parts = [
        _of_head(view, block, layer, head, at, count)
        for block, layer, heads in shown
        for head in heads
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _check_count(shown: list[Shown], at: Mapping[str, int | None], top: int | None) -> None:
    """Refuse what would fill the memory, with the ways to ask for less.

    Raises:
        ValueError: There would be more than ten million rows.
    """
    total = 0
    for block, _, heads in shown:
        queries = len(block.query) if at["query"] is None else 1
        keys = len(block.key) if at["key"] is None else 1
        total += len(heads) * queries * min(keys, top or keys)
    if total > MOST_ROWS:
        block, layer, heads = shown[0]
        raise ValueError(
            f"top={top} and query={at['query']} give {total:,} rows, and more than {MOST_ROWS:,}"
            " do not fit into memory: pass top=20, query= or key=, show fewer layers or heads, or"
            f" take the weights as a tensor, trace.blocks[{block.name!r}].layer({layer.index})"
            f".weights({heads[0]})."
        )


def _of_head(
    view: View,
    block: AttentionBlock,
    layer: LayerAttention,
    head: int,
    at: Mapping[str, int | None],
    count: int | None,
) -> dict[str, Any]:
    import numpy as np

    queries, keys = (
        np.arange(len(side)) if place is None else np.arange(len(side))[place : place + 1]
        for side, place in ((block.query, at["query"]), (block.key, at["key"]))
    )
    weights = _weights(view, layer, head, block.name).cpu().numpy()[np.ix_(queries, keys)]
    order = np.broadcast_to(np.arange(len(keys)), weights.shape)
    if count is not None:  # of differences, the largest in either direction
        order = np.argsort(-np.abs(weights), axis=1, kind="stable")[:, :count]
    query = np.broadcast_to(queries[:, None], order.shape).ravel()
    key = keys[order].ravel()
    columns = {
        "block": np.full(query.shape, block.name, dtype=object),
        "layer": np.full(query.shape, layer.index),
        "head": np.full(query.shape, head),
        "query": query,
        "key": key,
        "query_token": np.array(block.query.text, dtype=object)[query],
        "key_token": np.array(block.key.text, dtype=object)[key],
        "weight" if view.trace.kind == "attention" else "value": np.take_along_axis(
            weights, order, axis=1
        ).ravel(),
    }
    if view.kind == "neuron":
        columns["score"] = layer.scores(head)[0].cpu().numpy()[query, key]
    return columns


def shown_at_start(view: View) -> list[Shown]:
    """The layers that a picture starts with, and which of their heads."""
    payload = view._payload
    state = payload["state"]
    blocks = view.trace.blocks
    shipped = [
        (blocks[sent["name"]], blocks[sent["name"]].layer(row["index"]), list(row["heads"]))
        for sent in payload["blocks"]
        for row in sent["layers"]
    ]
    if view.kind == "model":
        return shipped
    first = shipped[0]
    wanted = (state.get("block", first[0].name), state.get("layer", first[1].index))
    block, layer, heads = next(
        (each for each in shipped if (each[0].name, each[1].index) == wanted), first
    )
    chosen = [head for head in heads if head in state.get("heads", heads)]
    return [(block, layer, chosen[:1] if view.kind == "neuron" else chosen)]


def _weights(view: View, layer: LayerAttention, head: int, block: str) -> Tensor:
    """(query, key): the weights, or in a comparison those of b minus those of a."""
    if view._comparison is None:
        return layer.weights(head)[0]
    difference: Tensor = view._comparison.weights(layer.index, [head], block)[0]
    return difference


def _position(view: View, side: str, value: object) -> int | None:
    """A position that at least one of the blocks has."""
    if value is None:
        return None
    position = as_index(side, value)
    names = {block.name for block, *_ in shown_at_start(view)}
    blocks = [block for block in view._payload["blocks"] if block["name"] in names]
    longest = max(blocks, key=lambda block: len((block[side] or block["query"])["text"]))
    check_position(side, position, side, longest, {})
    return position


def _top(value: object) -> int | None:
    if value is None:
        return None
    count = as_index("top", value)
    if count < 1:
        raise ValueError(f"top={count} keeps nothing: expected an integer of at least 1.")
    return count
