"""Which axis of followed scores is which.

The problem. At its softmax, a model's scores may be (text, head, query, key), (text · head, query,
key), (query, text, head, key) or (text, query, head, key). Sizes cannot tell these apart: a text
may have as many tokens as the model has heads. Strides can, because views preserve them: they say
which element of the product each element of the scores is.

A worked example. Two texts, three heads, four queries and five keys make a product of 120 numbers,
in rows of five. A model then moves the queries to the front:

    >>> import torch
    >>> scores = torch.empty(2, 3, 4, 5, device="meta").permute(2, 0, 1, 3)
    >>> scores.shape, scores.stride()
    (torch.Size([4, 2, 3, 5]), (5, 60, 20, 1))

The axis of stride 1 runs along a row of the product: these are the keys. Divided by the length of
a row, the other strides count rows: (1, 12, 4). Each head of each text has a matrix of four rows.
So steps of 12 and 4 rows lead from matrix to matrix, and the step of 1 stays inside a matrix: these
are the queries. Of the axes that remain, texts come before heads.

    >>> axes = Axes.of(scores, rows=4, columns=5, text=1, texts=2)
    >>> axes.key, axes.query, axes.rest
    (3, 0, (1, 2))

Text 1 begins in row 12, and from one of its heads to the next there are four rows:

    >>> [axes.row(head) for head in range(axes.heads)]
    [12, 16, 20]
    >>> [axes.row(head=2, query=query) for query in range(axes.queries)]
    [20, 21, 22, 23]

Where all heads share their keys, models multiply once, with heads among the rows: the queries of a
head are then every third row of a single matrix.

    >>> shared = torch.empty(1, 4 * 3, 4, device="meta").view(1, 4, 3, 4)
    >>> shared.stride()  # of (text, query, head, key)
    (48, 12, 4, 1)
    >>> axes = Axes.of(shared, rows=12, columns=4)
    >>> [axes.row(head=2, query=query) for query in range(axes.queries)]
    [2, 5, 8, 11]
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Axes:
    """The axes of scores, and where one text's heads and queries stand in the product.

    Attributes:
        key: The axis of keys.
        query: The axis of queries; None for a single query, whose axis may be gone.
        rest: Other axes longer than one, in their order: texts, heads, or both in one axis.
        heads: How many heads the text has.
        queries: How many queries a head has.
        start: The row of the product in which the text begins.
        head_step: Rows from one head to the next.
        query_step: Rows from one query to the next.
        part: Where the text is in the first of ``rest``; None where there is one text only.
        doubtful: Whether texts and heads are as many, so that only the order of ``rest`` tells.
    """

    key: int
    query: int | None
    rest: tuple[int, ...]
    heads: int
    queries: int
    start: int
    head_step: int
    query_step: int
    part: slice | None
    doubtful: bool

    @classmethod
    def of(
        cls,
        layout: Tensor,
        *,
        rows: int,
        columns: int,
        text: int = 0,
        texts: int = 1,
        key: int | None = None,
    ) -> Axes:
        """Read the axes from the strides of a layout.

        Args:
            layout: See `Product`.
            rows: Rows of each matrix of the product.
            columns: Its columns, and the length of a row.
            text: Which text is read.
            texts: How many there are.
            key: The axis of the softmax, which must be the axis of keys; found by default.

        Raises:
            ValueError: The axes are not those of texts, heads, queries and keys; the message says
                why.
        """
        shape, strides = layout.shape, layout.stride()
        key = _key_axis(layout, columns, key)
        others = [axis for axis in range(layout.ndim) if axis != key and shape[axis] > 1]
        steps = {axis: strides[axis] // columns for axis in others}  # in rows of the product
        inside = [axis for axis in others if steps[axis] % rows]
        if len(inside) > 1:  # heads that share keys stand among the rows
            inside = [axis for axis in inside if shape[axis] == columns] or inside
        if not inside and rows > 1:
            raise ValueError("it has no axis of queries")
        query = inside[0] if inside else None
        rest = [axis for axis in others if axis != query]
        sizes = [shape[axis] for axis in rest]
        doubtful = texts > 1 and sizes == [texts, texts]
        start, part = layout.storage_offset() // columns, None
        if texts > 1:
            if not sizes or sizes[0] % texts:
                raise ValueError(f"scores of shape {tuple(shape)} are not those of the texts")
            sizes[0] //= texts
            start += text * sizes[0] * steps[rest[0]]
            part = slice(text * sizes[0], (text + 1) * sizes[0])
        several = [axis for axis, size in zip(rest, sizes, strict=True) if size > 1]
        if len(several) > 1:
            raise ValueError(f"scores of shape {tuple(shape)} have more axes than attention has")
        return cls(
            key=key,
            query=query,
            rest=tuple(rest),
            heads=math.prod(sizes),
            queries=1 if query is None else shape[query],
            start=start,
            head_step=steps[several[0]] if several else 0,
            query_step=1 if query is None else steps[query],
            part=part,
            doubtful=doubtful,
        )

    def row(self, head: int, query: int = 0) -> int:
        """The row of the product that holds the scores of a query, counted over all matrices."""
        return self.start + head * self.head_step + query * self.query_step

    def of_text(self, tensor: Tensor) -> Tensor:
        """(heads or 1, query or 1, key) of a tensor with these axes; repeats stay strides of 0."""
        order = [*self.rest, *([] if self.query is None else [self.query]), self.key]
        ones = [axis for axis in range(tensor.ndim) if axis not in order]
        tensor = tensor.permute(*ones, *order)
        for _ in ones:
            tensor = tensor[0]
        if self.part is not None:
            tensor = tensor[self.part]
        for axis in reversed(range(len(self.rest))):
            if tensor.shape[axis] == 1:
                tensor = tensor.squeeze(axis)
        if self.heads == 1:
            tensor = tensor[None]
        return tensor.unsqueeze(1) if self.query is None else tensor


def _key_axis(layout: Tensor, columns: int, wanted: int | None) -> int:
    along = [
        axis
        for axis, (size, stride) in enumerate(zip(layout.shape, layout.stride(), strict=True))
        if stride == 1 and size == columns > 1
    ]
    if wanted is None:
        return along[0] if along else layout.ndim - 1
    if wanted not in along and columns > 1:
        raise ValueError("its softmax is not over keys")
    return wanted
