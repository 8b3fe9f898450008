"""What is noted during one forward of the user's model.

Two mechanisms note attention, ``interface`` and ``operations``; both end here, in records by value.
Frames, kept by hooks, tell which module is running; ``provenance`` what a tensor was made from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from bertviz.extractor.inputs import decoder_of
from bertviz.extractor.provenance import Provenance
from bertviz.trace import LayerAttention

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Keep:
    """What of an attention is kept, and where.

    Attributes:
        row: The text's place in the batch.
        layers: The model's own layer numbers; all by default.
        heads: The model's own head numbers; all by default.
        device: Where queries and keys are moved to.
    """

    row: int = 0
    layers: frozenset[int] | None = None
    heads: frozenset[int] | None = None
    device: torch.device = CPU


@dataclass(eq=False)
class Record:
    """One attention, as it was computed."""

    path: str
    count: int  # heads that the model has there
    heads: tuple[int, ...]  # those that are kept
    shape: tuple[int, int]  # (query, key)
    queries: Tensor | None  # (heads, query, head_dim); None where the layer is not kept
    keys: Tensor | None
    key_heads: tuple[int, ...] | None
    scaling: float
    softcap: float | None = None
    sinks: Tensor | None = None
    mask: Tensor | None = None
    position_bias: Tensor | None = None
    causal: bool = False
    cross: bool = False
    module_is_causal: bool = False
    dtype: str = "float32"
    order: int = 0  # among those of its tower, in one forward
    offset: int = 0  # while generating: the token that the first key belongs to
    difference: float | None = None  # from what the model computed, where that was asked
    all_keys: Tensor | None = None  # until it is checked: those of the steps before too

    def as_layer(self, index: int = 0, rotary: bool = False) -> LayerAttention:
        """What it is in a trace."""
        return LayerAttention(
            index=index,
            name=self.path,
            heads=self.heads,
            queries=self.queries,
            keys=self.keys,
            scaling=self.scaling,
            softcap=self.softcap,
            sinks=self.sinks,
            causal=self.causal,
            mask=self.mask,
            position_bias=self.position_bias,
            key_heads=self.key_heads,
            rotary=rotary,
        )

    def check_output(self, values: Tensor, output: Tensor) -> None:
        """Note how far our weights times the values are from what the attention returned.

        Args:
            values: (value heads, key, d).
            output: (heads, query, d), of all heads of the model.
        """
        scale = float(values.abs().max()) or 1.0

        def difference(head: int, weights: Tensor) -> Tensor:
            value = values[head * values.shape[0] // self.count].to(weights)
            return (weights @ value[: weights.shape[-1]] - output[head].to(weights)) / scale

        self._check(difference)

    def check_weights(self, weights: Tensor) -> None:
        """Note how far our weights are from the model's, (heads, query, key)."""
        self._check(lambda head, ours: ours - weights[head].to(ours))

    def _check(self, difference: Callable[[int, Tensor], Tensor]) -> None:
        if self.queries is None:
            return
        held, self.difference = self.as_layer(), 0.0
        if self.all_keys is not None:
            held, self.all_keys = replace(held, keys=self.all_keys, key_heads=None), None
        for head in self.heads:
            rows = difference(head, held.weights(head)[0]).abs().amax(-1)
            bias = held.bias(head)
            if bias is not None:  # rows of padding see nothing; kernels fill them as they like
                seen = (bias[0] > torch.finfo(torch.float32).min / 4).any(-1)
                rows = rows[seen.expand(rows.shape)]
            if rows.numel():
                self.difference = max(self.difference, float(rows.max()))


@dataclass(eq=False)
class Frame:
    """A module that is running."""

    module: nn.Module
    path: str
    start: int  # what was given before it began
    given: frozenset[int]  # its arguments, see Provenance


class Capture:
    """Collects records; one per forward."""

    def __init__(
        self,
        model: nn.Module,
        keep: Keep,
        batch: Mapping[str, Any],
        batch_size: int = 1,
        generating: bool = False,
        check: bool = False,
        progress: Callable[[], None] | None = None,
    ) -> None:
        self.names = {module: name for name, module in model.named_modules()}
        self.keep = keep
        self.batch_size = batch_size
        # A text may stand beside one image, or several texts beside it.
        self.sizes = {int(x.shape[0]) for x in batch.values() if isinstance(x, Tensor) and x.ndim}
        config = getattr(model, "config", None)
        self.windowed = hasattr(config, "window_size") and hasattr(config, "image_size")
        self.records: list[Record] = []
        self.skipped: list[str] = []  # why attentions that were seen are not among the records
        self.seen: dict[str, int] = {}  # calls by what was called
        self.decoder = decoder_of(model)
        self.decoder_ids: Tensor | None = None
        self.input_ids = batch.get("input_ids")
        self.readers: list[str] = []  # paths of the embeddings that read input_ids
        self.frames: list[Frame] = []
        self.provenance = Provenance()
        self.quiet = 0  # inside what is noted already
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
        """What runs inside is noted already."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    def count(self, what: str) -> None:
        """Count a call, for the message when nothing was captured."""
        self.seen[what] = self.seen.get(what, 0) + 1

    def shared(self, tensor: Tensor | None, keys: int) -> Tensor | None:
        """This text's part of a mask or bias, by value; the same object for the same memory.

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
        """What may be seen, of a mask of what may not; shared likewise."""
        held = self.shared(hidden[None], hidden.shape[-1])
        assert held is not None
        if id(held) not in self._seen:
            self._seen[id(held)] = (held, ~held)
        return self._seen[id(held)][1]

    def by_value(self, tensor: Tensor) -> Tensor:
        """A copy that holds its own numbers alone, where the trace is to be."""
        # A view would keep all three of a fused q, k and v.
        copy = tensor.detach().to(self.keep.device, copy=True)
        return copy.contiguous()

    def enter(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """A module begins."""
        path = self.names.get(module, "")
        if not self.frames:
            self._orders.clear()
        start, given = self.provenance.given(module, args, kwargs)
        self.frames.append(Frame(module, path, start, given))

    def leave(self, module: nn.Module) -> None:
        """A module has ended; those inside it that an exception ended are forgotten too."""
        while self.frames and self.frames.pop().module is not module:
            pass

    def is_cross(self, query: Tensor, key: Tensor) -> bool:
        """Whether keys are made from something else than queries are, inside their layer."""
        apart = False
        for frame in reversed(self.frames):
            mine = self.provenance.among(query, frame.start, frame.given)
            theirs = self.provenance.among(key, frame.start, frame.given)
            if mine & theirs:
                return False
            apart = apart or bool(mine and theirs)
            # Beyond its layer, a decoder's stream has met the encoder's.
            if frame.path.rpartition(".")[2].isdecimal():
                break
        return apart

    def path(self, module: nn.Module | None = None) -> str:
        """Of a module, or of the innermost one that is running and is more than an operation."""
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
        **terms: Any,
    ) -> Record:
        """Note one attention: this text's queries and keys, and what else enters its softmax.

        Args:
            path: Of the attention module.
            queries: (heads, query, head_dim), not yet by value.
            keys: (key_value_heads, key, head_dim), likewise.
            scaling: The factor on q·k.
            cross: Whether keys come from elsewhere.
            key_heads: The row of keys of each head, where they are not shared evenly.
            sinks: (heads,) or (heads, query), not yet by value.
            **terms: The other fields of a record, by value.
        """
        if self._progress is not None:
            self._progress()
        count = int(queries.shape[0])
        heads = tuple(range(count))
        if self.keep.heads is not None:
            heads = tuple(head for head in heads if head in self.keep.heads)
        if self.generating:
            # A cache forgets what its keys were made from; the first step knew.
            cross = self._crosses.setdefault(path, cross)
        group = (tower(path), cross)
        order = self._orders.get(group, 0)
        self._orders[group] = order + 1
        self.depth = max(self.depth, order + 1)
        offset, width, all_keys = 0, int(keys.shape[1]), keys
        if self.generating:
            place = (path, cross, order)
            again = place in self._read
            end = self._read[place] = self._read.get(place, 0) + int(queries.shape[1])
            if cross and again:
                keys = keys[:, :0]
            elif not cross:
                # A cache that is longer than the text has room behind it, a shorter one is a
                # window of its end.
                offset = 0 if width > end else end - width
                first = end - int(queries.shape[1]) - offset if again else 0
                keys = keys[:, first : end - offset]
        wanted = self.keep.layers is None or bool({order, *_numbers(path)} & self.keep.layers)
        record = Record(
            path=path,
            count=count,
            heads=heads,
            shape=(int(queries.shape[1]), width),
            queries=None,
            keys=None,
            key_heads=None,
            scaling=scaling,
            cross=cross,
            dtype=str(queries.dtype).removeprefix("torch."),
            order=order,
            offset=offset,
            **terms,
        )
        self.records.append(record)
        if not wanted or not heads:
            return record
        if key_heads is None:
            keys = unrepeated(keys)
            rows = [head * keys.shape[0] // count for head in heads]
        else:
            rows = [key_heads[head] for head in heads]
        used = sorted(set(rows))
        whole = len(heads) == count
        if self.check and self.generating:
            record.all_keys = all_keys[[head * all_keys.shape[0] // count for head in heads]]
        record.queries = self.by_value(queries if whole else queries[list(heads)])
        record.keys = self.by_value(keys if len(used) == keys.shape[0] else keys[used])
        even = [place * len(used) // len(heads) for place in range(len(heads))]
        mapped = [used.index(row) for row in rows]
        record.key_heads = None if mapped == even else tuple(mapped)
        if sinks is not None:
            record.sinks = self.by_value(sinks if whole else sinks[list(heads)])
        for name in ("mask", "position_bias"):
            term = getattr(record, name)
            if term is not None and term.shape[0] > 1 and not whole:
                setattr(record, name, term[list(heads)].clone())
        return record


current: ContextVar[Capture | None] = ContextVar("bertviz_capture", default=None)


def narrowed(tensor: Tensor) -> Tensor:
    """Without repeats: an axis that repeats one number by its stride has size one."""
    for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if size > 1 and stride == 0:
            tensor = tensor.narrow(axis, 0, 1)
    return tensor


def unrepeated(keys: Tensor) -> Tensor:
    """Key heads once each, where a model repeats every one for several heads in a row.

    >>> unrepeated(torch.arange(6.0).view(3, 2, 1).repeat_interleave(2, 0)).shape
    torch.Size([3, 2, 1])
    """
    heads = keys.shape[0]
    group = 1
    while group < heads and torch.equal(keys[group], keys[0]):
        group += 1
    if group == 1 or heads % group:
        return keys
    groups = keys.unflatten(0, (heads // group, group))
    same = all(torch.equal(groups[:, i], groups[:, 0]) for i in range(1, group))
    return groups[:, 0] if same else keys


def tower(path: str) -> str:
    """The part of a module path before its first number: what repeats is below.

    >>> tower("encoder.layer.3.attention.self")
    'encoder.layer'
    """
    parts = path.split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdecimal()]
    return ".".join(parts[: numbers[0]]) if numbers else path


def _numbers(path: str) -> list[int]:
    return [int(part) for part in path.split(".") if part.isdecimal()]
