"""At the softmax: the queries and keys of one text's heads, and what was added to their scores.

The problem. A product has rows and columns; which of them are one text's queries and keys, head by
head, is known only at the softmax. And a rule may have misunderstood what the model did. So what
was read is compared at once with the weights that the model's own softmax gives: attention that was
misunderstood is skipped, with a reason, and never shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bertviz.extractor.capture import Capture
from bertviz.extractor.comparison import ROWS, WEIGHTS, coarser, largest, sample, tolerated
from bertviz.extractor.operations.after import Fate, Weights
from bertviz.extractor.operations.axes import Axes
from bertviz.extractor.operations.products import Product
from bertviz.extractor.projection import unexplained
from bertviz.extractor.records import Record, narrowed
from bertviz.extractor.skips import cause
from bertviz.extractor.wrapped import plain
from bertviz.trace.formula import together


@dataclass(frozen=True)
class Attention:
    """One text's attention, as it was followed."""

    queries: Tensor  # (heads, query, head_dim)
    keys: Tensor  # (key_heads, key, head_dim)
    key_heads: tuple[int, ...]  # of each head: its row of keys
    scaling: float
    softcap: float | None
    masked: Tensor | None  # bool, (heads or 1, query or 1, key)
    bias: Tensor | None  # (heads or 1, query or 1, key)
    weights: Tensor  # (heads, query, key), the model's own
    axes: Axes


def note(
    capture: Capture, product: Product, axis: int, scores: Tensor, weights: Tensor
) -> Weights | None:
    """Record what a softmax of scores along an axis was computed from, if that explains it."""
    try:
        found = _read(capture, product, axis, weights)
    except ValueError as error:
        capture.skip(product.path, str(error), cross=product.cross)
        return None
    except (RuntimeError, IndexError) as error:  # shapes that are not those of attention
        if "memory" in str(error):
            raise
        shape = tuple(product.layout.shape)
        capture.skip(product.path, f"its scores have the shape {shape}", cross=product.cross)
        return None
    capture.doubtful |= found.axes.doubtful
    heads, used = len(found.key_heads), found.keys.shape[0]
    even = tuple(head * used // heads for head in range(heads))
    bias = found.bias
    record = capture.add(
        product.path,
        found.queries,
        found.keys,
        scaling=found.scaling,
        cross=product.cross,
        key_heads=None if found.key_heads == even else found.key_heads,
        softcap=found.softcap,
        # The same memory in every layer is the same tensor in every record.
        position_bias=None if bias is None else capture.sharing.copy(bias[None], bias.shape[-1]),
        mask=None if found.masked is None else capture.sharing.seen_of(found.masked),
        strict=True,
    )
    if record is None:
        return None
    record.multiplied_in = coarser(record.multiplied_in, weights.dtype)
    again = None
    try:
        rows = _compared(capture, record, found, scores)
        again = _again(record, found, axis, rows)
    except Exception as error:  # what cannot be compared was not understood
        record.problem = cause(error)
    capture.judge(record)
    return Weights.begin(Fate(product.path, record, again), weights, axis)


def _compared(
    capture: Capture, record: Record, found: Attention, scores: Tensor
) -> list[int] | None:
    """Compare a record with what the model computed; gives the rows of which weights may be."""
    weights, count = found.weights, record.shape[0]
    if capture.check or count <= ROWS or not record.heads:
        record.check_weights(weights)
        return None
    most = _most_rows(weights)
    record.check_weights(weights, sample(count, ROWS))
    # The other rows by their scores, and by their weights where scores say nothing.
    own = found.axes.of_text(plain(scores.detach()))[together(list(record.heads))]
    rows = unexplained(record.on_its_device(), own)
    chosen = sample(count if rows is None else len(rows), most)
    if rows is not None and chosen is not None:
        rows = [rows[place] for place in chosen]
    elif rows is None:
        rows = chosen
    if rows != []:
        record.check_weights(weights, rows)
    return sample(count, most)


def _again(
    record: Record, found: Attention, axis: int, rows: list[int] | None
) -> Callable[[Tensor], bool]:
    """Compares weights that were changed on their way to the values, in the softmax's shape."""
    formula, axes = record.on_its_device(), found.axes

    def again(weights: Tensor) -> bool:
        own = axes.of_text(weights.movedim(-1, axis))
        off = largest(formula, rows, record.differences_of(own))
        return float(off) <= tolerated(coarser(record.multiplied_in, own.dtype), 0.0)

    return again


def _most_rows(weights: Tensor) -> int:
    """How many rows are compared: nearly always all; a longer text has its attention sampled."""
    return max(ROWS, WEIGHTS // (weights.shape[0] * weights.shape[-1]))


def _read(capture: Capture, product: Product, axis: int, weights: Tensor) -> Attention:
    """One text's attention.

    Raises:
        ValueError: This is not attention, or not understood; the message says why.
    """
    layout, rows, columns = product.layout, product.rows.shape[-2], product.columns.shape[-2]
    if layout.stride(axis) == columns > 1 and layout.shape[axis] == rows:
        product = product.exchanged()  # the softmax is over rows, so these are the keys
    axes = _axes(capture, product, layout=product.layout, key=axis)
    queries, keys, key_heads = _vectors(product, axes)
    scaling, softcap = _scaling(product)
    masked, bias = _terms(capture, product)
    return Attention(
        queries=queries,
        keys=keys,
        key_heads=key_heads,
        scaling=scaling,
        softcap=softcap,
        masked=masked,
        bias=bias,
        weights=axes.of_text(plain(weights.detach())),
        axes=axes,
    )


def _axes(capture: Capture, product: Product, layout: Tensor, key: int | None = None) -> Axes:
    return Axes.of(
        layout,
        rows=product.rows.shape[-2],
        columns=product.columns.shape[-2],
        text=capture.keep.row,
        texts=capture.batch_size,
        key=key,
    )


def _vectors(product: Product, axes: Axes) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Queries of every head, keys without repeats, and which of these each head uses."""
    rows, columns = product.rows, product.columns
    batches = torch.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    # Which matrix of the product a head is in, and where in it its queries begin.
    places = [divmod(axes.row(head), rows.shape[-2]) for head in range(axes.heads)]

    def matrices(side: Tensor) -> list[int]:
        """For each head, its matrix on one side; broadcasting may share them."""
        own = side.shape[:-2]
        count = torch.arange(math.prod(own), dtype=torch.int64, device="cpu")
        numbers = count.reshape(own).expand(batches).reshape(-1)
        return numbers[[matrix for matrix, _ in places]].tolist()

    flat, length = rows.reshape(-1, *rows.shape[-2:]), (axes.queries - 1) * axes.query_step + 1
    queries = torch.stack(
        [
            flat[matrix, start : start + length : axes.query_step]
            for matrix, (_, start) in zip(matrices(rows), places, strict=True)
        ]
    )
    own = matrices(columns)
    used = list(dict.fromkeys(own))
    keys = columns.reshape(-1, *columns.shape[-2:])[used]
    return queries, keys, tuple(used.index(matrix) for matrix in own)


def _scaling(product: Product) -> tuple[float, float | None]:
    """The factor on q·k, and the softcap."""
    if product.inner is None:
        return product.factor, None
    softcap = product.factor
    if softcap <= 0:
        raise ValueError("its scores pass through a tanh in a way that is not understood")
    return product.inner * softcap, softcap


def _terms(capture: Capture, product: Product) -> tuple[Tensor | None, Tensor | None]:
    """What masks this text's scores (bool), and what is added to them."""
    masked: Tensor | None = None
    bias: Tensor | None = None
    for term in product.terms:
        part = narrowed(_axes(capture, product, layout=term.layout).of_text(term.tensor))
        if term.masks:
            masked = part if masked is None else masked | part
        else:
            bias = part if bias is None else bias + part
    return masked, bias
