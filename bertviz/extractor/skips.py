"""Attention that was seen and has no record, and why.

The problem. A layer that is left out without a word is a gap that nobody notices, and the layer
after it takes its number. So what was recognized as attention but not understood, or could not be
noted, keeps its place among the others, with a reason.

Some attention is not between tokens: over the layers below, say, at each token by itself, with the
tokens where heads would be. It is told, too, but is none of the layers that are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from bertviz.errors import short_list


@dataclass(frozen=True)
class Skip:
    """One attention without a record.

    Attributes:
        path: The attention module's path.
        reason: Why it was skipped, as a clause.
        cross: Whether it is cross-attention, as far as is known.
        order: Place among the attentions of its tower, in one forward.
        place: Place among all attentions seen.
        shape: (query, key), where they are known.
        apart: Whether it is not between tokens, so that no layer is missing.
    """

    path: str
    reason: str
    cross: bool
    order: int
    place: int
    shape: tuple[int, int] | None = None
    apart: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


NOT_BETWEEN_TOKENS = (
    "all that stands in place of heads has one query: it is not between tokens, but over"
    " something else at each of them, such as the layers below"
)


def has_one_query(queries: Tensor) -> bool:
    """Whether all heads share the memory of one query, as what is no head may.

    Args:
        queries: (heads, query, head_dim).

    >>> import torch
    >>> has_one_query(torch.ones(1, 8).expand(12, 1, 8)), has_one_query(torch.ones(12, 1, 8))
    (True, False)
    """
    return queries.shape[0] > 1 and queries.stride(0) == 0


def cause(error: BaseException) -> str:
    """An error as a reason, in one line.

    >>> cause(MemoryError()), cause(ZeroDivisionError("a bug of ours"))
    ('out of memory', 'a bug of ours (ZeroDivisionError)')
    """
    text = str(error).strip().partition("\n")[0]
    kind = type(error).__name__
    if kind in ("MemoryError", "OutOfMemoryError") or "out of memory" in text:
        kind = "out of memory"
    return f"{text} ({kind})" if text else kind


def reasons(skips: Iterable[Skip]) -> dict[str, str]:
    """Each path with the first reason that was found there.

    >>> reasons([Skip("a", "x", False, 0, 0), Skip("a", "y", False, 1, 1)])
    {'a': 'x'}
    """
    found: dict[str, str] = {}
    for skip in skips:
        found.setdefault(skip.path, skip.reason)
    return found


def told(skipped: Mapping[str, str]) -> str:
    """The sentence of a warning: how many, the first one's reason, and the others' names.

    >>> told({"a": "x", "b": "y"})
    '2 attention modules were not captured. a: x. Also: b.'
    """
    first, *others = skipped.items()
    many = f"{len(skipped)} attention modules were" if others else "1 attention module was"
    also = f" Also: {short_list([path for path, _ in others])}." if others else ""
    return f"{many} not captured. {first[0] or 'the model itself'}: {first[1]}.{also}"
