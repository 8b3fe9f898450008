"""What is recorded during one forward pass of the user's model.

Two mechanisms record attention, ``interface`` and ``operations``; both end here, in records that
hold copies. Frames, kept by hooks, say which module is running; ``provenance`` says what a tensor
was computed from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from bertviz.extractor import comparison
from bertviz.extractor.inputs import Reading
from bertviz.extractor.provenance import Provenance
from bertviz.extractor.records import Keep, Record, numbers_in, tower, unrepeated
from bertviz.extractor.sharing import Sharing
from bertviz.extractor.skips import Skip, cause
from bertviz.trace import Formula


@dataclass(eq=False)
class Frame:
    """A module that is running."""

    module: nn.Module
    path: str
    start: int  # arguments numbered below this came before it
    given: frozenset[int]  # its arguments, see Provenance


class Capture:
    """Collects the records of one forward, or of all forwards of a generation."""

    def __init__(
        self,
        reading: Reading,
        keep: Keep,
        generating: bool = False,
        check: bool = False,
        progress: Callable[[], None] | None = None,
    ) -> None:
        model, batch = reading.model, reading.batch
        self.model = model
        self.names = {module: name for name, module in model.named_modules()}
        self.keep = keep
        self.batch_size = reading.size
        # Texts and images may differ in number: several texts may share one image.
        self.sizes = {int(x.shape[0]) for x in batch.values() if isinstance(x, Tensor) and x.ndim}
        config = getattr(model, "config", None)
        self.windowed = hasattr(config, "window_size") and hasattr(config, "image_size")
        self.records: list[Record] = []
        self.skipped: list[Skip] = []  # attentions that were seen and have no record
        self.seen: dict[str, int] = {}  # how often each function was called
        self.decoder = reading.decoder
        self.decoder_ids: Tensor | None = None
        self.input_ids = batch.get("input_ids")
        self.readers: list[str] = []  # paths of the embeddings that read input_ids
        self.frames: list[Frame] = []
        self.provenance = Provenance()
        self.quiet = 0  # above 0 inside a call that is recorded as a whole
        self.generating = generating
        self.check = check  # compare with what the model computes
        self._progress = progress  # called for every attention
        self.depth = 0  # layers of the deepest stack
        self._orders: dict[tuple[str, bool], int] = {}
        self._crosses: dict[str, bool] = {}
        self._read: dict[tuple[str, bool, int], int] = {}  # tokens that an attention has read
        self._places = 0  # attentions seen
        self._compared: dict[str, int] = {}  # attentions per path that could be compared
        self.sharing = Sharing(keep.row, keep.device)

    @contextlib.contextmanager
    def noting_nothing(self) -> Iterator[None]:
        """Record nothing inside: the call around it is recorded as a whole."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    def count(self, what: str) -> None:
        """Count a call, for the error when nothing was captured."""
        self.seen[what] = self.seen.get(what, 0) + 1

    @contextlib.contextmanager
    def noting(self, path: str, **known: Any) -> Iterator[None]:
        """Whatever goes wrong inside, the model runs on and the attention is skipped.

        Args:
            path: The attention module's path.
            **known: What is known of the attention, see `skip`.
        """
        try:
            yield
        except Exception as error:
            self.skip(path, cause(error), **known)

    def skip(
        self,
        path: str,
        reason: str,
        *,
        cross: bool | None = None,
        shape: tuple[int, int] | None = None,
        order: int | None = None,
        place: int | None = None,
    ) -> None:
        """Note that an attention was seen and cannot be recorded; it keeps its place.

        Args:
            path: The attention module's path.
            reason: Why, as a clause.
            cross: Whether it is cross-attention; by default as earlier at this path.
            shape: (query, key), where they are known.
            order: Its place among the attentions of its tower, if it has one already.
            place: Its place among all attentions, if it has one already.
        """
        if cross is None:
            cross = self._crosses.get(path, False)
        if order is None:
            order = self._next_order(path, cross)
        if place is None:
            place = self._next_place()
        skip = Skip(path, reason, cross, order, place, None if self.generating else shape)
        self.skipped.append(skip)

    def skips_wanted(self) -> list[Skip]:
        """Those that were skipped, of the layers that are wanted."""
        layers = self.keep.layers
        return [
            skip
            for skip in self.skipped
            if layers is None or {skip.order, *numbers_in(skip.path)} & layers
        ]

    def compare(self, record: Record, check: Callable[[list[int] | None], None]) -> None:
        """Compare a record with what the model computed, then judge it.

        Args:
            record: The record.
            check: Compares some rows, or all with None. What it raises says that the two cannot be
                compared.
        """
        # Most steps of a generation are like the ones before them.
        step = self._compared.get(record.path, 0)
        self._compared[record.path] = step + 1
        if self.check or step < 4 or not step & (step - 1):
            with contextlib.suppress(Exception):
                check(None if self.check else comparison.sample(record.shape[0], comparison.ROWS))
        self.judge(record)

    def judge(self, record: Record) -> None:
        """Decide whether a record can be shown."""
        try:
            record.judge(self.check)
        except Exception as error:
            record.problem = cause(error)
        record.near = None

    def settle(self) -> None:
        """After the run: records that cannot be shown are skipped."""
        for record in self.records:
            self.judge(record)
            if record.problem is None and not record.used:
                record.problem = record.changed
            if record.problem is not None:
                self.skip(
                    record.path,
                    record.problem,
                    cross=record.cross,
                    shape=record.shape,
                    order=record.order,
                    place=record.place,
                )
        # While generating, an attention that failed in one step has a gap.
        gone = {(skip.path, skip.cross, skip.order) for skip in self.skipped}
        self.records = [
            record
            for record in self.records
            if (record.path, record.cross, record.order) not in gone
            or not (self.generating or record.problem is not None)
        ]
        self.skipped.sort(key=lambda skip: skip.place)

    def by_value(self, tensor: Tensor) -> Tensor:
        """A copy of these numbers alone, on the trace's device."""
        # A view would keep all three of a fused q, k and v.
        copy = tensor.detach().to(self.keep.device, copy=True)
        return copy.contiguous()

    def enter(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Note that a module begins."""
        path = self.names.get(module, "")
        if not self.frames:
            self._orders.clear()
        start, given = self.provenance.start, frozenset[int]()
        with contextlib.suppress(Exception):  # a signature that cannot be read, say
            start, given = self.provenance.given(module, args, kwargs)
        self.frames.append(Frame(module, path, start, given))

    def leave(self, module: nn.Module) -> None:
        """Note that a module has ended, with those inside it that an exception ended."""
        while self.frames and self.frames.pop().module is not module:
            pass

    def is_cross(self, query: Tensor, key: Tensor) -> bool:
        """Whether keys and queries come from different inputs of their layer."""
        apart = False
        for frame in reversed(self.frames):
            mine = self.provenance.among(query, frame.start, frame.given)
            theirs = self.provenance.among(key, frame.start, frame.given)
            if mine & theirs:
                return False
            apart = apart or bool(mine and theirs)
            # Outside its layer, a decoder's states already depend on the encoder's.
            if frame.path.rpartition(".")[2].isdecimal():
                break
        return apart

    def module(self, path: str) -> nn.Module | None:
        """The module at a path, if there is one."""
        return next((module for module, name in self.names.items() if name == path), None)

    def path(self, module: nn.Module | None = None) -> str:
        """The path of a module; by default of the innermost running one that is not torch's own."""
        if module is None:
            for frame in reversed(self.frames):
                own = type(frame.module).__module__
                if not own.startswith("torch.nn") or isinstance(
                    frame.module, nn.MultiheadAttention
                ):
                    module = frame.module
                    break
            else:
                module = self.frames[0].module if self.frames else None
        return self.names.get(module, type(module).__name__) if module is not None else ""

    def add(
        self,
        path: str,
        queries: Tensor,
        keys: Tensor,
        *,
        cross: bool,
        **known: Any,
    ) -> Record | None:
        """Record one attention: this text's queries and keys, and what else enters its softmax.

        Args:
            path: The attention module's path.
            queries: (heads, query, head_dim), not copied yet.
            keys: (key_value_heads, key, head_dim), not copied yet.
            cross: Whether this is cross-attention.
            **known: See `_recorded`.

        Returns:
            The record; None if it could not be made, then the attention is skipped.
        """
        if self._progress is not None:
            self._progress()
        # Keys from a cache have lost their provenance; the first step's answer holds.
        cross = self._crosses.setdefault(path, cross) if self.generating else cross
        order, place = self._next_order(path, cross), self._next_place()
        shape = (int(queries.shape[1]), int(keys.shape[1]))
        record: Record | None = None
        with self.noting(path, cross=cross, shape=shape, order=order, place=place):
            record = self._recorded(path, cross, order, queries, keys, **known)
            record.place = place
            self.records.append(record)
        return record

    def _recorded(
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
        """A record, by value.

        Args:
            path: See `add`, like cross, queries and keys.
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
                queries=self.by_value(queries),
                keys=self.by_value(keys),
                scaling=scaling,
                key_heads=key_heads,
                sinks=None if sinks is None else self.by_value(sinks[part]),
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

    def _next_place(self) -> int:
        self._places += 1
        return self._places - 1

    def _next_order(self, path: str, cross: bool) -> int:
        """The place of an attention among those of its tower, in this forward."""
        group = (tower(path), cross)
        order = self._orders.get(group, 0)
        self._orders[group] = order + 1
        self.depth = max(self.depth, order + 1)
        return order

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
    """
    own = [head * rows // count if key_heads is None else key_heads[head] for head in heads]
    used = sorted(set(own))
    even = [place * len(used) // len(heads) for place in range(len(heads))]
    mapped = [used.index(row) for row in own]
    return used, None if mapped == even else tuple(mapped)


current: ContextVar[Capture | None] = ContextVar("bertviz_capture", default=None)
