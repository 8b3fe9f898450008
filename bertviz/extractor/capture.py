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

from bertviz.extractor import comparison
from bertviz.extractor.inputs import Reading
from bertviz.extractor.provenance import Provenance
from bertviz.extractor.recording import Recorder
from bertviz.extractor.records import Keep, Record, numbers_in, tower
from bertviz.extractor.sharing import Sharing
from bertviz.extractor.skips import NOT_BETWEEN_TOKENS, Skip, cause, has_one_query
from bertviz.extractor.unseen import Unseen
from bertviz.trace.settings import plainly


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
        self.unseen = Unseen()
        self.doubtful = False  # whether texts and heads could not be told apart
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
        self._apart: set[str] = set()  # attentions that are not between tokens
        self._places = 0  # attentions seen
        self._compared: dict[str, int] = {}  # attentions per path that could be compared
        self.sharing = Sharing(keep.row, keep.device)
        self.recorder = Recorder(keep, self.sharing, generating)

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

    @plainly()
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
        if self.check or not self.generating or step < 4 or not step & (step - 1):
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

    @plainly()
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
        known = [record.path for record in self.records] + [skip.path for skip in self.skipped]
        for path, reason in self.unseen.besides(known).items():
            self.skip(path, reason)
        # While generating, an attention that failed in one step has a gap.
        gone = {(skip.path, skip.cross, skip.order) for skip in self.skipped}
        self.records = [
            record
            for record in self.records
            if (record.path, record.cross, record.order) not in gone
            or not (self.generating or record.problem is not None)
        ]
        self.skipped.sort(key=lambda skip: skip.place)

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
            **known: See `Recorder.record`.

        Returns:
            The record; None if it could not be made, then the attention is skipped.
        """
        if self._progress is not None:
            self._progress()
        # Keys from a cache have lost their provenance; the first step's answer holds.
        cross = self._crosses.setdefault(path, cross) if self.generating else cross
        shape = (int(queries.shape[1]), int(keys.shape[1]))
        if has_one_query(queries) or path in self._apart:
            self._apart.add(path)
            place = self._next_place()
            skip = Skip(path, NOT_BETWEEN_TOKENS, cross, -1, place, shape, apart=True)
            self.skipped.append(skip)
            return None
        order, place = self._next_order(path, cross), self._next_place()
        record: Record | None = None
        with self.noting(path, cross=cross, shape=shape, order=order, place=place):
            record = self.recorder.record(path, cross, order, queries, keys, **known)
            record.place = place
            self.records.append(record)
        return record

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


current: ContextVar[Capture | None] = ContextVar("bertviz_capture", default=None)
