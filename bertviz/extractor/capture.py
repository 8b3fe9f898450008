"""What is recorded during one forward pass of the user's model.

Two mechanisms record attention, ``interface`` and ``operations``; both end here, in records that
hold copies. Frames, kept by hooks, say which module is running; ``provenance`` says what a tensor
was computed from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from bertviz.extractor.inputs import Reading
from bertviz.extractor.provenance import Provenance
from bertviz.extractor.records import Keep, Record, narrowed, numbers_in, tower, unrepeated
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
        self.skipped: list[str] = []  # why an attention that was seen has no record
        self.seen: dict[str, int] = {}  # how often each function was called
        self.decoder = reading.decoder
        self.decoder_ids: Tensor | None = None
        self.input_ids = batch.get("input_ids")
        self.readers: list[str] = []  # paths of the embeddings that read input_ids
        self.frames: list[Frame] = []
        self.provenance = Provenance()
        self.closed = False  # after its run: it notes nothing any more
        self.quiet = 0  # above 0 inside a call that is recorded as a whole
        self.generating = generating
        self.check = check  # compare with what the model computes
        self._progress = progress  # called for every attention
        self.depth = 0  # layers of the deepest stack
        self._orders: dict[tuple[str, bool], int] = {}
        self._crosses: dict[str, bool] = {}
        self._read: dict[tuple[str, bool, int], int] = {}  # tokens that an attention has read
        self._shared: dict[tuple[Any, ...], tuple[Tensor, Tensor]] = {}
        self._seen: dict[int, tuple[Tensor, Tensor]] = {}

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

    def shared(self, tensor: Tensor | None, keys: int) -> Tensor | None:
        """A copy of this text's part of a mask or bias; the same object for the same memory.

        Layers may take views of one mask, and a mask may be longer than the keys.
        """
        if tensor is None:
            return None
        place = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, keys)
        if place not in self._shared:
            part = tensor.detach()
            while part.ndim < 4:
                part = part[None]
            part = part[self.keep.row if part.shape[0] > 1 else 0]
            part = part[..., :keys] if part.shape[-1] > 1 else part
            # The tensor is kept during the forward, so that its memory is not used again.
            self._shared[place] = (tensor, self.by_value(narrowed(part)))
        return self._shared[place][1]

    def seen_of(self, hidden: Tensor) -> Tensor:
        """The inverse of a mask of masked pairs; the same object for the same memory."""
        held = self.shared(hidden[None], hidden.shape[-1])
        assert held is not None
        if id(held) not in self._seen:
            self._seen[id(held)] = (held, ~held)
        return self._seen[id(held)][1]

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
        scaling: float,
        cross: bool,
        key_heads: tuple[int, ...] | None = None,
        sinks: Tensor | None = None,
        module_is_causal: bool = False,
        **terms: Any,
    ) -> Record:
        """Record one attention: this text's queries and keys, and what else enters its softmax.

        Args:
            path: The attention module's path.
            queries: (heads, query, head_dim), not copied yet.
            keys: (key_value_heads, key, head_dim), not copied yet.
            scaling: The factor on q·k.
            cross: Whether this is cross-attention.
            key_heads: The row of keys of each head, where they are not shared evenly.
            sinks: (heads,) or (heads, query), not copied yet.
            module_is_causal: Whether the module calls itself causal.
            **terms: ``softcap``, ``mask``, ``position_bias`` and ``causal`` of the formula, already
                copied.
        """
        if self._progress is not None:
            self._progress()
        if self.generating:
            # Keys from a cache have lost their provenance; the first step's answer holds.
            cross = self._crosses.setdefault(path, cross)
        order = self._next_order(path, cross)
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
        record = Record(
            path=path,
            count=count,
            heads=heads,
            shape=(int(queries.shape[1]), width),
            formula=Formula(
                queries=self.by_value(queries[part]),
                keys=self.by_value(keys if len(used) == keys.shape[0] else keys[used]),
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
        )
        if self.check and self.generating and heads:
            record.all_keys = all_keys[[head * all_keys.shape[0] // count for head in heads]]
        self.records.append(record)
        return record

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
