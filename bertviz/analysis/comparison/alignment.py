"""Whether two traces can be compared, and the parts of them that can.

Both traces must have the same architecture. Where their tokens differ, the tokens that both have
are compared, in order, as diff compares lines.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from bertviz.trace import AttentionBlock, AttentionTrace
from bertviz.trace.windows import pick

# By block: the queries that only a has, and those that only b has.
LeftOut = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]


def aligned(a: AttentionTrace, b: AttentionTrace) -> tuple[AttentionTrace, AttentionTrace, LeftOut]:
    """Both traces cut to the tokens they share, and the queries that only one has.

    Raises:
        ValueError: A block's tokens have nothing in common.
    """
    ones, others, left_out = {}, {}, {}
    for name, block in a.blocks.items():
        ones[name], others[name], left_out[name] = _aligned_blocks(block, b.blocks[name])
    return replace(a, blocks=ones), replace(b, blocks=others), left_out


def _aligned_blocks(
    a: AttentionBlock, b: AttentionBlock
) -> tuple[AttentionBlock, AttentionBlock, tuple[tuple[str, ...], tuple[str, ...]]]:
    rows = _common(a.query_tokens, b.query_tokens)
    columns = _common(a.key_tokens, b.key_tokens)
    if not rows[0] or not columns[0]:
        raise ValueError(
            f"The traces have no token in common in block {a.name!r}: expected texts that are"
            " largely the same."
        )
    alone = (_others(a.query_tokens, rows[0]), _others(b.query_tokens, rows[1]))
    return pick(a, rows[0], columns[0]), pick(b, rows[1], columns[1]), alone


def _others(tokens: Sequence[str], kept: Sequence[int]) -> tuple[str, ...]:
    """The tokens at all other positions."""
    known = set(kept)
    return tuple(token for place, token in enumerate(tokens) if place not in known)


def _common(a: Sequence[str], b: Sequence[str]) -> tuple[list[int], list[int]]:
    """Positions of the shared tokens, in order.

    >>> _common(["the", "cat", "sat"], ["the", "dog", "sat"])
    ([0, 2], [0, 2])
    """
    matches = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    one = [match.a + i for match in matches for i in range(match.size)]
    other = [match.b + i for match in matches for i in range(match.size)]
    return one, other


def check_same_heads(a: AttentionTrace, b: AttentionTrace) -> None:
    """Refuse traces of different architectures.

    Raises:
        ValueError: Blocks, layers or heads differ; the message names the first difference.
    """
    names = [list(trace.blocks) for trace in (a, b)]
    if names[0] != names[1]:
        raise ValueError(
            f"The traces have different blocks: a has {', '.join(names[0])}; b has"
            f" {', '.join(names[1])}. Expected two traces of one architecture."
        )
    for name, block in a.blocks.items():
        other = b.blocks[name]
        if block.kind != other.kind:
            raise ValueError(
                f"Block {name!r} is {block.kind!r} in a and {other.kind!r} in b: expected the same"
                " kind."
            )
        numbers = [[layer.index for layer in one.layers] for one in (block, other)]
        if numbers[0] != numbers[1]:
            raise ValueError(
                f"Block {name!r} has layers {numbers[0]} in a and {numbers[1]} in b: expected the"
                " same; extract(..., layers=[...]) keeps some."
            )
        for layer, same in zip(block.layers, other.layers, strict=True):
            if layer.heads != same.heads:
                raise ValueError(
                    f"Layer {layer.index} of block {name!r} has heads {list(layer.heads)} in a and"
                    f" {list(same.heads)} in b: expected the same; extract(..., heads=[...]) keeps"
                    " some."
                )


def check_same_tokens(a: AttentionTrace, b: AttentionTrace) -> None:
    """Refuse traces of different tokens.

    Raises:
        ValueError: Tokens differ; the message names the first difference.
    """
    for name, block in a.blocks.items():
        other = b.blocks[name]
        _check_same(name, "query", block.query.strings, other.query.strings)
        _check_same(name, "key", block.key.strings, other.key.strings)


def _check_same(block: str, side: str, a: Sequence[str], b: Sequence[str]) -> None:
    if a == b:
        return
    differing = (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    place = next(differing, min(len(a), len(b)))
    found = [repr(tokens[place]) if place < len(tokens) else "nothing" for tokens in (a, b)]
    raise ValueError(
        f"The {side} tokens of block {block!r} differ from position {place} on: {found[0]} in a,"
        f" {found[1]} in b. Expected the same tokens; align='tokens' compares those that both have."
    )
