"""One attention of the model → a record that holds copies of its numbers.

The problem. What the model computes with is views of larger tensors, repeated keys, caches with
empty slots, several texts. A record holds what one text's attention is computed from, of the heads
that are wanted, and nothing that the model could change afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from bertviz.extractor import comparison
from bertviz.extractor.records import Keep, Record, numbers_in, unrepeated
from bertviz.extractor.sharing import Sharing
from bertviz.trace import Formula


class Recorder:
    """Makes the records of one capture.

    Args:
        keep: Which part of an attention is kept.
        sharing: The masks and biases that records share.
        generating: Whether the model runs step by step.
    """

    def __init__(self, keep: Keep, sharing: Sharing, generating: bool) -> None:
        self.keep = keep
        self.sharing = sharing
        self.generating = generating
        self._read: dict[tuple[str, bool, int], int] = {}  # tokens that an attention has read

    def record(
        self,
        path: str,
        cross: bool,
        order: int,
        queries: Tensor,
        keys: Tensor,
        *,
        scaling: float,
        key_heads: tuple[int, ...] | None = None,
        sinks: Tensor | None = None,
        module_is_causal: bool = False,
        strict: bool = False,
        **terms: Any,
    ) -> Record:
        """Record one attention.

        Args:
            path: The attention module's path.
            cross: Whether this is cross-attention.
            order: Its place in its tower.
            queries: (heads, query, head_dim).
            keys: (key_value_heads, key, head_dim).
            scaling: The factor on q·k.
            key_heads: The row of keys of each head, where they are not shared evenly.
            sinks: (heads,) or (heads, query), not copied yet.
            module_is_causal: Whether the module calls itself causal.
            strict: See `Record`.
            **terms: ``softcap``, ``mask``, ``position_bias`` and ``causal`` of the formula, already
                copied.
        """
        width, all_keys = int(keys.shape[1]), keys
        keys, offset = self._new_keys((path, cross, order), int(queries.shape[1]), keys)
        count = int(queries.shape[0])
        heads = self._wanted(path, order, count)
        if heads and key_heads is None:
            keys = unrepeated(keys)
        used, key_heads = _key_rows(heads, key_heads, count, int(keys.shape[0]))
        # Heads are chosen first: indexing makes a copy, so nothing else is kept alive.
        every = len(heads) == count
        part = slice(None) if every else list(heads)
        queries = queries[part]
        keys = keys if len(used) == keys.shape[0] else keys[used]
        record = Record(
            path=path,
            count=count,
            heads=heads,
            shape=(int(queries.shape[1]), width),
            formula=Formula(
                queries=self._by_value(queries),
                keys=self._by_value(keys),
                scaling=scaling,
                key_heads=key_heads,
                sinks=None if sinks is None else self._by_value(sinks[part]),
                **{name: self._of_heads(term, part) for name, term in terms.items()},
            ),
            cross=cross,
            module_is_causal=module_is_causal,
            dtype=str(queries.dtype).removeprefix("torch."),
            order=order,
            offset=offset,
            multiplied_in=comparison.multiplied_in(queries.dtype, queries.device),
            strict=strict,
        )
        if heads:
            record.near = self._near(record, queries, keys, all_keys)
        return record

    def _near(
        self, record: Record, queries: Tensor, keys: Tensor, all_keys: Tensor
    ) -> Callable[[Formula], Formula]:
        """Puts a record's formula on the model's device; while generating, with all keys.

        Args:
            record: The record.
            queries: Its queries, where the model has them.
            keys: Its keys, likewise.
            all_keys: Also those of earlier steps.
        """
        device, heads, count = queries.device, record.heads, record.count
        here = device == self.keep.device

        def near(formula: Formula) -> Formula:
            changes: dict[str, Any] = {}
            if self.generating:
                rows = [head * all_keys.shape[0] // count for head in heads]
                changes = {"keys": all_keys[rows], "key_heads": None}
            if not here:
                changes = {"queries": queries, "keys": keys} | changes
                for name in ("mask", "position_bias"):
                    changes[name] = self.sharing.near(getattr(formula, name), device)
                if formula.sinks is not None:
                    changes["sinks"] = formula.sinks.to(device)
            return replace(formula, **changes)

        return near

    def _new_keys(
        self, place: tuple[str, bool, int], rows: int, keys: Tensor
    ) -> tuple[Tensor, int]:
        """While generating, the keys that are new in this step, and the position of the first key.

        Args:
            place: Path, cross and order of the attention.
            rows: How many queries there are.
            keys: All keys, (key_value_heads, key, head_dim).
        """
        if not self.generating:
            return keys, 0
        again = place in self._read
        end = self._read[place] = self._read.get(place, 0) + rows
        if place[1]:  # cross-attention: all keys are there from the first step on
            return (keys[:, :0] if again else keys), 0
        # A cache longer than the text has empty slots at its end; a shorter one holds the last
        # keys.
        width = int(keys.shape[1])
        offset = 0 if width > end else end - width
        first = end - rows - offset if again else 0
        return keys[:, first : end - offset], offset

    def _wanted(self, path: str, order: int, count: int) -> tuple[int, ...]:
        """The heads to keep; none where the layer is not wanted."""
        layers, heads = self.keep.layers, self.keep.heads
        if layers is not None and not {order, *numbers_in(path)} & layers:
            return ()
        return tuple(head for head in range(count) if heads is None or head in heads)

    def _of_heads(self, term: Any, part: slice | list[int]) -> Any:
        """A mask or bias for the kept heads; one for all heads stays shared."""
        if isinstance(term, Tensor) and term.shape[0] > 1 and isinstance(part, list):
            return term[part].clone()
        return term

    def _by_value(self, tensor: Tensor) -> Tensor:
        """A copy of these numbers alone, on the trace's device."""
        # A view would keep all three of a fused q, k and v.
        copy = tensor.detach().to(self.keep.device, copy=True)
        return copy.contiguous()


def _key_rows(
    heads: tuple[int, ...], key_heads: tuple[int, ...] | None, count: int, rows: int
) -> tuple[list[int], tuple[int, ...] | None]:
    """Which rows of keys the kept heads use, and for each head its place among those.

    Args:
        heads: The kept heads.
        key_heads: For every head of the model, the row of keys it uses; None if they share them
            evenly.
        count: How many heads the model has.
        rows: How many rows of keys there are.

    Returns:
        The rows in use, and per kept head its place among them; None if they are shared evenly.

    >>> _key_rows((0, 3), None, 4, 2), _key_rows((0, 2, 3), None, 4, 2)
    (([0, 1], None), ([0, 1], (0, 1, 1)))
    >>> _key_rows((0, 1, 2), None, 4, 2)
    ([0, 1], (0, 0, 1))
    """
    own = [head * rows // count if key_heads is None else key_heads[head] for head in heads]
    used = sorted(set(own))
    even = [place * len(used) // len(heads) for place in range(len(heads))]
    mapped = [used.index(row) for row in own]
    # Three heads of which two share a row follow the even order, too, but do not share evenly.
    evenly = mapped == even and (not used or len(heads) % len(used) == 0)
    return used, None if evenly else tuple(mapped)
