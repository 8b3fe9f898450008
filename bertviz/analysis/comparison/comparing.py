"""From two traces to their comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bertviz.analysis.comparison.alignment import (
    LeftOut,
    aligned,
    check_same_heads,
    check_same_tokens,
)
from bertviz.analysis.comparison.comparison import NAMES, Comparison, HeadDifference
from bertviz.analysis.comparison.differences import differences
from bertviz.analysis.lookup import check_trace
from bertviz.arguments import as_choice, as_items
from bertviz.errors import a_type, short
from bertviz.trace import AttentionTrace, check_attention
from bertviz.trace.settings import plainly

Align = Literal["tokens"] | None
LONGEST = 40  # characters of a name, which stands in legends


@plainly()
def compare(
    a: AttentionTrace,
    b: AttentionTrace,
    *,
    align: Align = None,
    names: Sequence[str] = NAMES,
) -> Comparison:
    """How the heads of two traces differ, such as those of two checkpoints or two texts.

    >>> from bertviz import AttentionTrace
    >>> a = AttentionTrace.from_arrays(["x", "y"], weights=[[[0.5, 0.5], [0.5, 0.5]]])
    >>> b = AttentionTrace.from_arrays(["x", "y"], weights=[[[0.9, 0.1], [0.4, 0.6]]])
    >>> comparison = compare(a, b)
    >>> [round(number, 2) for number in comparison.largest()[0]]  # layer, head, TV, JS
    [0, 0, 0.25, 0.08]
    >>> comparison.weights(0)
    tensor([[[ 0.4000, -0.4000],
             [-0.1000,  0.1000]]])

    Args:
        a: The first trace.
        b: The second trace, with the same blocks, layers and heads.
        align: Where the tokens differ, "tokens" compares those that both have, in order (as diff
            compares lines); the weight on the others counts as one key. By default the tokens have
            to be the same.
        names: What views, tables and figures call the two, such as ``("before", "after")``.

    Returns:
        The comparison; differences are b - a.

    Raises:
        TypeError: An argument is not a trace, ``align`` is not a string, or ``names`` are not.
        ValueError: The traces cannot be compared; the message names the first difference.
    """
    for name, trace in (("a", a), ("b", b)):
        check_trace(name, trace)
        check_attention("compare", trace, "subtract the values, and show them with kind='signed'")
    if align is not None:
        as_choice("align", align, ["tokens"], " or None")
    called = _names(names)
    check_same_heads(a, b)
    left_out: LeftOut = {}
    if align == "tokens":
        a, b, left_out = aligned(a, b)
    check_same_tokens(a, b)
    rows = [
        HeadDifference(name, layer.index, head, *values)
        for name, block in a.blocks.items()
        for layer, same in zip(block.layers, b.blocks[name].layers, strict=True)
        for head, values in zip(layer.heads, differences(layer, same), strict=True)
    ]
    return Comparison(a, b, tuple(rows), left_out, called)


def _names(names: object) -> tuple[str, str]:
    """Two short names that can be told apart."""
    expected = 'expected two short strings, such as names=("before", "after")'
    found = as_items("names", names, expected)
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"names holds {short(name)}, {a_type(name)}: {expected}.")
    called = [" ".join(name.split()) for name in found]
    if len(called) != 2 or called[0] == called[1] or not all(called):
        raise ValueError(f"names={short(names)} do not tell the two apart: {expected}.")
    if max(map(len, called)) > LONGEST:
        raise ValueError(f"names={short(names)} are over {LONGEST} characters: {expected}.")
    return called[0], called[1]
