"""Which axis of scores is which, read from how they lie in the product."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bertviz.extractor.operations.axes import Axes

TEXTS, HEADS, ROWS, COLUMNS = 2, 3, 4, 5


def layout(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def numbered() -> Tensor:
    """Scores that say where they are: text, head, query and key as digits."""
    digits = [torch.arange(size) for size in (TEXTS, HEADS, ROWS, COLUMNS)]
    text, head, query, key = torch.meshgrid(*digits, indexing="ij")
    return 1000 * text + 100 * head + 10 * query + key


ORDERS = {
    "as usual": lambda x: x,
    "keys first": lambda x: x.mT,
    "heads last": lambda x: x.permute(0, 2, 3, 1),
    "texts and heads in one": lambda x: x.flatten(0, 1),
    "one more axis": lambda x: x[None],
    "an axis in the middle": lambda x: x[:, :, None],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", range(TEXTS))
def test_a_text_is_found_in_any_order_of_axes(order: str, text: int) -> None:
    """Also where there are axes of one, which say nothing."""
    change = ORDERS[order]
    found = Axes.of(
        change(layout(TEXTS, HEADS, ROWS, COLUMNS)),
        rows=ROWS,
        columns=COLUMNS,
        text=text,
        texts=TEXTS,
    )
    assert (found.heads, found.queries) == (HEADS, ROWS)
    assert torch.equal(found.of_text(change(numbered())), numbered()[text])
    for head in range(HEADS):
        for query in range(ROWS):
            assert found.row(head, query) == (text * HEADS + head) * ROWS + query


def test_a_part_of_the_scores_begins_where_it_begins() -> None:
    found = Axes.of(layout(HEADS, ROWS, COLUMNS)[1:], rows=ROWS, columns=COLUMNS)
    assert (found.heads, found.row(0), found.row(1, 2)) == (HEADS - 1, ROWS, 2 * ROWS + 2)


def test_a_single_query_may_have_no_axis() -> None:
    for scores in (layout(HEADS, COLUMNS), layout(HEADS, 1, COLUMNS)):
        found = Axes.of(scores, rows=1, columns=COLUMNS)
        assert (found.query, found.queries, found.query_step, found.heads) == (None, 1, 1, HEADS)
        assert found.of_text(torch.ones(scores.shape)).shape == (HEADS, 1, COLUMNS)


@pytest.mark.parametrize("shape", [(3, ROWS, COLUMNS), (ROWS, COLUMNS)])
def test_scores_that_the_texts_do_not_share_evenly_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="are not those of the texts"):
        Axes.of(layout(*shape), rows=ROWS, columns=COLUMNS, texts=2)


def test_what_attention_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="more axes than attention has"):
        Axes.of(layout(2, HEADS, ROWS, COLUMNS), rows=ROWS, columns=COLUMNS)
    with pytest.raises(ValueError, match="no axis of queries"):
        Axes.of(layout(HEADS, ROWS, COLUMNS)[:, 0], rows=ROWS, columns=COLUMNS)
    with pytest.raises(ValueError, match="not over keys"):
        Axes.of(layout(HEADS, ROWS, COLUMNS), rows=ROWS, columns=COLUMNS, key=1)
