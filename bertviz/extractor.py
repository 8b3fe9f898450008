"""Model + text → AttentionTrace.

The problem. A model gives its attention only with ``output_attentions=True``, under its slowest
kernel, after being loaded for it, and then as all weights at once, without the queries and keys
they come from. And it is the user's: nothing of it may be changed, whatever happens.

The way. Every attention of transformers asks ``AttentionInterface.get_interface`` for the function
that computes it. That method is wrapped once in a process; while a capture is on (a context
variable, so no other thread is concerned), the function it gives out is wrapped too: it notes
queries, keys, scaling, mask and what else enters the softmax, by value, and calls the model's own
function, which computes what it always computes. The configuration and the attention
implementation are never touched: some models ask for them by name and change their output.

Forward hooks, one pair per module and removed in any case, tell which attention module is running
and what its projections read, so that cross-attention is told from self-attention by where queries
and keys come from, and not by a name.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import takewhile
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_utils import AttentionInterface

from bertviz.arrays import make_block
from bertviz.trace import AttentionBlock, AttentionTrace, Kind, LayerAttention


class NothingCaptured(RuntimeError):  # noqa: N818, the name is public
    """The model ran, but no softmax attention could be captured; the message says what was seen."""


def extract(
    model: nn.Module,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    batch_index: int | None = None,
    drop_padding: bool = True,
) -> AttentionTrace:
    """Capture queries, keys and attention of every layer and head, for one text.

    The model runs once, without gradients and in eval mode, on its own attention kernel, and is
    afterwards as it was before.

    >>> import torch
    >>> from transformers import BertConfig, BertModel
    >>> config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    ...                     intermediate_size=64, vocab_size=100)
    >>> trace = extract(BertModel(config), inputs={"input_ids": torch.tensor([[2, 7, 8, 3]])})
    >>> trace.blocks["encoder"].layers[1].weights().shape  # (heads, query, key)
    torch.Size([4, 4, 4])
    >>> trace.blocks["encoder"].layers[1].name
    'encoder.layer.1.attention.self'

    Args:
        model: A Hugging Face model, as ``from_pretrained`` gives it.
        tokenizer: The model's tokenizer; needed for ``text``, and for the tokens' names: without
            one, positions name them.
        text: What the model reads.
        text_pair: The second sentence; for an encoder-decoder model, what its decoder reads
            (as when it is trained to write it). Without it such a decoder reads its start token
            alone.
        inputs: In place of a text, what the model is called with: a BatchEncoding or a dict of
            tensors, moved to the model's device where they are not there.
        batch_index: Which text of ``inputs`` to keep, where there are several.
        drop_padding: Leave out the positions that ``attention_mask`` says are padding.

    Returns:
        The trace, on the CPU. It holds no part of the model.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: No text, a text that is too long for the model, ids that the model has no
            embedding for, several texts without ``batch_index``.
        NothingCaptured: The model computed no attention that could be captured.
    """
    _check_model(model)
    _check_tokenizer(tokenizer)
    if inputs is None:
        encoding = _encode(model, tokenizer, text, text_pair)
    else:
        if text is not None or text_pair is not None:
            raise TypeError("extract() got text and inputs: pass one of them.")
        if not isinstance(inputs, Mapping):
            raise TypeError(
                f"inputs is a {type(inputs).__name__}: expected a BatchEncoding or a dict of"
                " tensors, such as tokenizer(text, return_tensors='pt') gives. A text goes into"
                " text=."
            )
        encoding = inputs
    batch = _tensors(model, encoding)
    if inputs is None:
        batch = _accepted(model, batch)
    row = _batch_row(batch, batch_index)
    _check_ids(model, batch, given=inputs is not None)

    capture = _Capture(model, row, batch.get("input_ids"))
    try:
        _run(model, batch, capture)
    except (AttributeError, TypeError, ValueError):
        if not _lacks_decoder_inputs(model, batch):
            raise
        # BART makes its decoder's tokens from the text, T5 fails without; then the start token.
        size = _first_tensor(batch).shape[0]
        batch["decoder_input_ids"] = _start(model, size).to(_device(model))
        capture = _Capture(model, row, batch.get("input_ids"))
        _run(model, batch, capture)
    if not capture.records:
        raise NothingCaptured(_nothing(model, capture))
    sides = _Sides(model, tokenizer, batch, encoding, capture, row, drop_padding)
    return AttentionTrace(
        blocks=MappingProxyType(_blocks(capture, sides)),
        model_name=type(model).__name__,
        dtype=str(capture.records[0].queries.dtype).removeprefix("torch."),
    )


# --- running the model -----------------------------------------------------------------------


@dataclass(eq=False)
class _Record:
    """One attention, as it was computed."""

    path: str
    queries: Tensor  # (heads, query, head_dim)
    keys: Tensor
    scaling: float
    softcap: float | None
    sinks: Tensor | None
    mask: Tensor | None
    position_bias: Tensor | None
    causal: bool
    cross: bool


@dataclass(eq=False)
class _Frame:
    """A module that is running, and where the outputs of its projections came from."""

    module: nn.Module
    sources: dict[int, int] = field(default_factory=dict)  # output's storage → input's storage
    kept: list[Tensor] = field(default_factory=list)  # outputs, so that no storage is reused


class _Capture:
    """What is noted during one forward."""

    def __init__(self, model: nn.Module, row: int, input_ids: Any = None) -> None:
        self.names = {module: name for name, module in model.named_modules()}
        self.row = row
        self.records: list[_Record] = []
        self.skipped = 0  # attentions over something else than the texts of the batch
        self.implementations: set[str] = set()
        self.decoder = _decoder_of(model)
        self.decoder_ids: Tensor | None = None
        self.input_ids = input_ids
        self.readers: list[str] = []  # paths of the embeddings that read input_ids
        self.frames: list[_Frame] = []
        self._shared: dict[tuple[Any, ...], tuple[Tensor, Tensor]] = {}

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
            part = part[self.row if part.shape[0] > 1 else 0]
            part = part[..., :keys] if part.shape[-1] > 1 else part
            # The tensor is kept during the forward, so that its memory is not used again.
            self._shared[place] = (tensor, _copy(part))
        return self._shared[place][1]

    def is_cross(self, module: nn.Module, query: Tensor, key: Tensor) -> bool:
        """Whether queries and keys are made from different things."""
        frame = next((f for f in reversed(self.frames) if f.module is module), None)
        if frame is None:
            return False
        query_source = frame.sources.get(_storage(query))
        key_source = frame.sources.get(_storage(key))
        if query_source is not None and key_source is not None:
            return query_source != key_source
        # Rotary embeddings make new tensors; then the first projection, which makes queries,
        # stands against the next ones, which make keys; the last makes values.
        sources = list(frame.sources.values())
        return len(set(sources[: max(2, len(sources) - 1)])) > 1


_current: ContextVar[_Capture | None] = ContextVar("bertviz_capture", default=None)
_installing = threading.Lock()
_original: Callable[..., Callable[..., Any]] | None = None


def _install() -> None:
    """Wrap the one place where models ask for their attention function, once in a process."""
    global _original
    with _installing:
        if _original is not None:
            return
        original = _original = AttentionInterface.get_interface

        def get_interface(
            self: AttentionInterface, attn_implementation: str, default: Callable[..., Any]
        ) -> Callable[..., Any]:
            function: Callable[..., Any] = original(self, attn_implementation, default)
            capture = _current.get()
            if capture is None:
                return function

            def attention(
                module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kw: Any
            ) -> Any:
                mask = args[0] if args else kw.get("attention_mask")
                _note(capture, str(attn_implementation), module, query, key, mask, kw)
                return function(module, query, key, value, *args, **kw)

            return attention

        AttentionInterface.get_interface = get_interface  # type: ignore[method-assign]


def _note(
    capture: _Capture,
    implementation: str,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    mask: Any,
    kw: Mapping[str, Any],
) -> None:
    """Record one attention by value."""
    capture.implementations.add(implementation)
    if query.ndim != 4 or query.shape[0] <= capture.row:
        capture.skipped += 1
        return
    if (mask is not None and not isinstance(mask, Tensor)) or "flash" in implementation:
        raise ValueError(
            f"This model runs with attn_implementation={implementation!r}, whose masks cannot be"
            " captured. Run it once on another kernel: model.set_attn_implementation('sdpa'),"
            " then extract again."
        )
    own = getattr(module, "is_causal", True)
    wanted = kw.get("is_causal")
    causal = (
        mask is None
        and implementation != "eager"
        and query.shape[2] > 1
        and bool(own if wanted is None else wanted)
    )
    # sdpa looks at as many keys as there are queries then (an empty static cache is longer).
    keys = key[capture.row][:, : query.shape[2]] if causal else key[capture.row]
    scaling = kw.get("scaling")
    sinks = next(
        (
            x
            for x in (kw.get("s_aux"), kw.get("sinks"), getattr(module, "sinks", None))
            if x is not None
        ),
        None,
    )
    mask = capture.shared(mask, keys.shape[1])
    if causal and keys.shape[1] < query.shape[2]:
        # With fewer keys than queries, sdpa lines up their beginnings, not their ends.
        mask = torch.ones(1, query.shape[2], keys.shape[1], dtype=torch.bool).tril()
        causal = False
    capture.records.append(
        _Record(
            path=capture.names.get(module, type(module).__name__),
            queries=_copy(query[capture.row]),
            keys=_copy(keys),
            scaling=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
            softcap=None if kw.get("softcap") is None else float(kw["softcap"]),
            sinks=None if sinks is None else _copy(sinks.reshape(-1)),
            mask=mask,
            position_bias=capture.shared(kw.get("position_bias"), keys.shape[1]),
            causal=causal,
            cross=capture.is_cross(module, query, key),
        )
    )


def _run(model: nn.Module, batch: Mapping[str, Any], capture: _Capture) -> None:
    """One forward with the capture on; whatever happens, the model is as before."""
    _install()
    with contextlib.ExitStack() as undo:
        undo.enter_context(_evaluating(model))
        devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
        undo.enter_context(torch.random.fork_rng(devices=sorted(devices)))
        undo.enter_context(torch.no_grad())
        undo.enter_context(_hooked(model, capture))
        token = _current.set(capture)
        undo.callback(_current.reset, token)
        model(**batch)


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode; afterwards every submodule has its own flag back."""
    flags = {module: module.training for module in model.modules()}
    try:
        for module in flags:
            module.training = False
        yield
    finally:
        for module, flag in flags.items():
            module.training = flag


@contextlib.contextmanager
def _hooked(model: nn.Module, capture: _Capture) -> Iterator[None]:
    """Hooks that keep track of which modules run and what their children read."""

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if _current.get() is not capture:
            return
        capture.frames.append(_Frame(module))
        if module is capture.decoder:
            ids = kwargs.get("input_ids", args[0] if args else None)
            if isinstance(ids, Tensor) and not ids.is_floating_point():
                capture.decoder_ids = ids
        if isinstance(module, nn.Embedding) and args and _same(args[0], capture.input_ids):
            capture.readers.append(capture.names[module])

    def after(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        if _current.get() is not capture:
            return
        while capture.frames and capture.frames.pop().module is not module:
            pass
        # Projections are leaves with a weight; larger modules' outputs are not kept alive.
        if not capture.frames or getattr(module, "weight", None) is None:
            return
        read = next((x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)), None)
        if isinstance(out, Tensor) and read is not None:
            frame = capture.frames[-1]
            # A norm reads what a projection made of the same thing.
            frame.sources[_storage(out)] = frame.sources.get(_storage(read), _storage(read))
            frame.kept += [out, read]

    handles: list[Any] = []
    try:
        for module in capture.names:
            handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(module.register_forward_hook(after, with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _copy(tensor: Tensor) -> Tensor:
    # By value: a view would keep all three of a fused q, k and v.
    return tensor.detach().to("cpu", copy=True).contiguous()


def _has_two_stacks(model: nn.Module) -> bool:
    """Whether a model is an encoder-decoder; its encoder alone has the same configuration."""
    if not getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        return False
    known = inspect.signature(model.forward).parameters
    return "decoder_input_ids" in known or not isinstance(model, PreTrainedModel)


def _decoder_of(model: nn.Module) -> nn.Module | None:
    if not _has_two_stacks(model):
        return None
    get_decoder = getattr(model, "get_decoder", None)
    decoder = get_decoder() if callable(get_decoder) else None
    return decoder if isinstance(decoder, nn.Module) else None


# --- what the model reads --------------------------------------------------------------------


def _check_model(model: object) -> None:
    if isinstance(model, nn.Module):
        return
    if isinstance(model, str):
        fix = f"load it first: AutoModel.from_pretrained({model!r})"
    elif isinstance(getattr(model, "model", None), nn.Module):
        fix = "pass the model that it holds, x.model"
    else:
        fix = "pass what AutoModel.from_pretrained(...) gives"
    raise TypeError(f"model is a {type(model).__name__}: expected a torch.nn.Module; {fix}.")


def _check_tokenizer(tokenizer: object) -> None:
    if tokenizer is None or hasattr(tokenizer, "convert_ids_to_tokens"):
        return
    inner = getattr(tokenizer, "tokenizer", None)
    hint = "pass x.tokenizer" if inner is not None else "pass AutoTokenizer.from_pretrained(...)"
    raise TypeError(
        f"tokenizer is a {type(tokenizer).__name__}: expected a Hugging Face tokenizer; {hint}. A"
        " text comes third: extract(model, tokenizer, text)."
    )


def _encode(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase | None, text: object, text_pair: object
) -> Mapping[str, Any]:
    """Tokenize a text, or a pair, whole."""
    if text is None:
        raise TypeError(
            "extract() got no text: pass extract(model, tokenizer, text), or inputs=..., a batch"
            " that the tokenizer made."
        )
    for name, value in (("text", text), ("text_pair", text_pair)):
        if value is None:
            continue
        if not isinstance(value, str):
            raise TypeError(
                f"{name} is a {type(value).__name__}: expected a string. For several texts make a"
                " batch: inputs=tokenizer(texts, padding=True, return_tensors='pt'), and say which"
                " one with batch_index."
            )
        if not value.strip():
            raise ValueError(f"{name}={value!r} is empty: expected a text of at least one word.")
    if tokenizer is None:
        raise TypeError(
            "tokenizer is None, and text needs one: pass extract(model, tokenizer, text), or"
            " inputs=... in place of the text."
        )
    decoder_text = None
    two_stacks = _has_two_stacks(model)
    if two_stacks:
        decoder_text, text_pair = text_pair, None
    encoding: Mapping[str, Any] = tokenizer(
        text, text_pair, return_tensors="pt", truncation=False, verbose=False
    )
    if encoding["input_ids"].numel() == 0:
        raise ValueError(f"text={text!r} gives no tokens: expected a text of at least one word.")
    if decoder_text is not None:
        labels = tokenizer(text_target=decoder_text, return_tensors="pt", truncation=False)
        return {**encoding, "decoder_input_ids": _shifted(model, labels["input_ids"])}
    if two_stacks:
        return {**encoding, "decoder_input_ids": _start(model, 1)}
    return encoding


def _shifted(model: nn.Module, labels: Tensor) -> Tensor:
    """What a decoder reads to write the labels: its start token, then all but the last."""
    own = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if callable(own):
        ids: Tensor = own(labels=labels)
        return ids
    return torch.cat([_start(model, labels.shape[0]), labels[:, :-1]], 1)


def _start(model: nn.Module, rows: int) -> Tensor:
    """The token with which a decoder starts."""
    config: Any = model.config
    generation = getattr(model, "generation_config", None)
    for holder in (config, generation, getattr(config, "decoder", None)):
        for name in ("decoder_start_token_id", "bos_token_id"):
            number = getattr(holder, name, None)
            if isinstance(number, int):
                return torch.full((rows, 1), number)
    raise ValueError(
        f"{type(model).__name__} has no decoder_start_token_id in its config, so its decoder has"
        " nothing to read: pass decoder_input_ids in inputs=."
    )


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def _tensors(model: nn.Module, encoding: Mapping[str, Any]) -> dict[str, Any]:
    """What the model is called with, on its device."""
    device = _device(model)
    batch = {}
    for name, value in encoding.items():
        if isinstance(value, list):
            try:
                value = torch.tensor(value)
            except (TypeError, ValueError):
                raise TypeError(
                    f"inputs[{name!r}] is a list that is no tensor: make the batch with"
                    " tokenizer(..., return_tensors='pt')."
                ) from None
            if value.ndim == 1:
                value = value[None]
        batch[name] = value.to(device) if isinstance(value, Tensor) else value
    if not any(isinstance(value, Tensor) and value.ndim for value in batch.values()):
        raise ValueError(
            "inputs holds no tensors: expected what tokenizer(text, return_tensors='pt') gives."
        )
    return batch


def _accepted(model: nn.Module, batch: dict[str, Any]) -> dict[str, Any]:
    """Without what a tokenizer of another model gives and this model does not take."""
    known = inspect.signature(model.forward).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return batch
    return {name: value for name, value in batch.items() if name in known}


def _lacks_decoder_inputs(model: nn.Module, batch: Mapping[str, Any]) -> bool:
    names = ("decoder_input_ids", "decoder_inputs_embeds", "labels")
    return _has_two_stacks(model) and all(batch.get(name) is None for name in names)


def _first_tensor(batch: Mapping[str, Any]) -> Tensor:
    return next(value for value in batch.values() if isinstance(value, Tensor) and value.ndim)


def _batch_row(batch: Mapping[str, Any], batch_index: int | None) -> int:
    size = _first_tensor(batch).shape[0]
    if batch_index is None:
        if size == 1:
            return 0
        raise ValueError(
            f"inputs holds a batch of {size} texts: pass batch_index=0 to {size - 1} to say which"
            " one to show."
        )
    if isinstance(batch_index, bool) or not isinstance(batch_index, int):
        raise TypeError(
            f"batch_index={batch_index!r} is a {type(batch_index).__name__}: expected an int."
        )
    if not -size <= batch_index < size:
        raise ValueError(
            f"batch_index={batch_index} is out of range: inputs holds {size} texts, 0 to"
            f" {size - 1}."
        )
    return batch_index % size


def _check_ids(model: nn.Module, batch: Mapping[str, Any], given: bool) -> None:
    """Refuse what would fail deep inside the model: too long a text, unknown ids."""
    decoder = _decoder_of(model)
    soft = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    for name, stack in (("input_ids", model), ("decoder_input_ids", decoder or model)):
        ids = batch.get(name)
        if not isinstance(ids, Tensor) or ids.ndim != 2 or not ids.numel():
            continue
        table = _input_embeddings(stack)
        lowest, highest = int(ids.min()), int(ids.max())
        if table is not None and (lowest < 0 or highest >= table):
            raise ValueError(
                f"{name} holds {lowest if lowest < 0 else highest}, but the model has embeddings"
                f" for ids 0 to {table - 1}: the tokenizer does not fit the model. Load both from"
                " the same name."
            )
        length, limit = ids.shape[1], _positions(stack)
        where = f"inputs[{name!r}]" if given else "text" if name == "input_ids" else "text_pair"
        if limit is not None and length > limit:
            raise ValueError(
                f"{where} has {length} tokens, special tokens included; {type(model).__name__}"
                f" takes at most {limit}. Shorten it, or pass inputs=tokenizer(text,"
                f" truncation=True, max_length={limit}, return_tensors='pt')."
            )
        if limit is None and isinstance(soft, int) and length > soft > 0:
            # Rotary and relative positions have no end: the model runs, but was not trained so.
            warnings.warn(
                f"{where} has {length} tokens, more than the {soft} positions that"
                f" {type(model).__name__} was made for.",
                stacklevel=3,
            )


def _input_embeddings(model: nn.Module) -> int | None:
    try:
        table = model.get_input_embeddings()  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return None
    return int(table.num_embeddings) if isinstance(table, nn.Embedding) else None


def _positions(model: nn.Module) -> int | None:
    """How many positions a model has an embedding for; None if they have no end."""
    names = {"position_embeddings", "position_embedding", "embed_positions", "wpe"}
    limits = []
    for parent in model.modules():
        tables = {n: m for n, m in parent.named_children() if isinstance(m, nn.Embedding)}
        if not set(tables) - names:
            continue  # the positions of an image's patches stand beside no table of tokens
        for module in (tables[name] for name in names & set(tables)):
            # RoBERTa counts from after its padding index, BART skips two.
            first = module.padding_idx + 1 if module.padding_idx is not None else 0
            limits.append(module.num_embeddings - max(first, int(getattr(module, "offset", 0))))
    return min(limits) if limits else None


# --- records → blocks ------------------------------------------------------------------------


class _Sides:
    """Tokens, sentences and padding of what a stack reads."""

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        batch: Mapping[str, Any],
        encoding: Mapping[str, Any],
        capture: _Capture,
        row: int,
        drop_padding: bool,
    ) -> None:
        self.tokenizer = tokenizer
        self.two_stacks = _has_two_stacks(model)
        towers = {_tower(record.path) for record in capture.records}
        self.readers = _readers(towers, capture.readers)
        self.ids: dict[str, Tensor | None] = {
            "encoder": _row_of(batch.get("input_ids"), row),
            "decoder": _row_of(
                batch.get("decoder_input_ids")
                if batch.get("decoder_input_ids") is not None
                else capture.decoder_ids,
                row,
            ),
        }
        self.masks = {
            "encoder": _row_of(batch.get("attention_mask"), row) if drop_padding else None,
            "decoder": _row_of(batch.get("decoder_attention_mask"), row) if drop_padding else None,
            "other": _row_of(batch.get("encoder_attention_mask"), row) if drop_padding else None,
        }
        self._sentences = _sentence_ids(encoding, batch, row)

    def stack(self, tower: str, kind: Kind, side: str) -> str:
        """Whose tokens stand on one side of a block: "other" is what has no names."""
        if self.two_stacks:
            read = kind == "encoder" or (kind == "cross" and side == "key")
            return "encoder" if read else "decoder"
        if tower not in self.readers or (kind == "cross" and side == "key"):
            return "other"
        return "encoder"

    def kept(self, stack: str, length: int) -> list[int]:
        """Positions that are not padding."""
        mask = self.masks[stack]
        if mask is None or mask.ndim != 1 or mask.shape[0] != length or not bool(mask.any()):
            return list(range(length))
        return [i for i, seen in enumerate(mask.tolist()) if seen]

    def tokens(self, stack: str, length: int) -> tuple[str, ...]:
        """The tokenizer's own strings of all positions, or their numbers."""
        ids = self.ids.get(stack)
        if self.tokenizer is None or ids is None or ids.shape[0] != length:
            return tuple(map(str, range(length)))
        strings = self.tokenizer.convert_ids_to_tokens(ids.tolist())
        return tuple(
            text if isinstance(text, str) else f"<{number}>"
            for text, number in zip(map(_as_text, strings), ids.tolist(), strict=True)
        )

    def sentences(self, stack: str, length: int) -> tuple[int, ...] | None:
        """The sentence of each position, if there are two."""
        ids = self._sentences if stack == "encoder" else None
        return ids if ids is not None and len(ids) == length else None


def _as_text(token: Any) -> Any:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else token


def _row_of(value: Any, row: int) -> Tensor | None:
    return value[row].cpu() if isinstance(value, Tensor) and value.ndim == 2 else None


def _sentence_ids(
    encoding: Mapping[str, Any], batch: Mapping[str, Any], row: int
) -> tuple[int, ...] | None:
    """The sentence of each token, 0 or 1, if there are two."""
    types = _row_of(batch.get("token_type_ids"), row)
    mask = _row_of(batch.get("attention_mask"), row)
    if types is not None and set(types.tolist()) == {0, 1}:
        # Padding is of type 0 also after the second sentence, so it says nothing.
        seen = [True] * len(types) if mask is None else [bool(x) for x in mask.tolist()]
        if len(seen) != len(types):
            return None
        return _filled([t if s else None for t, s in zip(types.tolist(), seen, strict=True)])
    sequence_ids = getattr(encoding, "sequence_ids", None)
    if sequence_ids is None or not getattr(encoding, "is_fast", False):
        return None
    return _filled(sequence_ids(row))


def _filled(sentences: Sequence[int | None]) -> tuple[int, ...] | None:
    """Special tokens belong to a sentence too: of those between the two, the first closes one.

    >>> _filled([None, 0, 0, None, None, 1, None])
    (0, 0, 0, 0, 1, 1, 1)
    """
    known = [place for place, number in enumerate(sentences) if number is not None]
    if {sentences[place] for place in known} != {0, 1}:
        return None
    filled = []
    for place, number in enumerate(sentences):
        if number is None:
            before = [k for k in known if k < place]
            after = [k for k in known if k > place]
            closes = before and (not after or place == before[-1] + 1)
            number = sentences[before[-1]] if closes else sentences[after[0]]
        filled.append(int(number or 0))
    return tuple(filled)


def _readers(towers: set[str], embeddings: Sequence[str]) -> set[str]:
    """The towers that read the text: those nearest to an embedding that did."""
    if not embeddings or len(towers) < 2:
        return towers

    def common(tower: str) -> int:
        ways = [zip(tower.split("."), path.split("."), strict=False) for path in embeddings]
        return max(sum(1 for _ in takewhile(lambda two: two[0] == two[1], way)) for way in ways)

    nearest = max(map(common, towers))
    return {tower for tower in towers if common(tower) == nearest}


def _blocks(capture: _Capture, sides: _Sides) -> dict[str, AttentionBlock]:
    """Group the records by what they read, and name the groups."""
    with_cross = {_tower(record.path) for record in capture.records if record.cross}
    groups: dict[tuple[str, Kind, int, int], list[_Record]] = {}
    for record in capture.records:
        kind: Kind
        if record.cross:
            kind = "cross"
        elif _tower(record.path) in with_cross or _is_causal(record, capture):
            kind = "decoder"
        else:
            kind = "encoder"
        shape = (record.queries.shape[1], record.keys.shape[1])
        groups.setdefault((_tower(record.path), kind, *shape), []).append(record)

    order: list[Kind] = ["encoder", "decoder", "cross"]
    kinds = [key[1] for key in groups]
    # An encoder-decoder has two stacks, and its blocks are told apart by their kind; other models
    # with several stacks (text and vision, say) by the stack.
    unrelated = len({key[0] for key in groups}) > 1 and not with_cross
    blocks: dict[str, AttentionBlock] = {}
    for key in sorted(groups, key=lambda key: order.index(key[1])):
        tower, kind, queries, keys = key
        name: str = kind
        if unrelated or kinds.count(kind) > 1:
            name = tower.rpartition(".")[0] or tower or kind
            if name in blocks or sum(k[0] == tower for k in groups) > 1:
                name = f"{name} {kind} {queries}x{keys}"
        blocks[name] = _block(name, kind, groups[key], sides)
    return blocks


def _block(name: str, kind: Kind, records: Sequence[_Record], sides: _Sides) -> AttentionBlock:
    first = records[0]
    lengths = {"query": first.queries.shape[1], "key": first.keys.shape[1]}
    tower = _tower(first.path)
    stacks = {side: sides.stack(tower, kind, side) for side in lengths}
    kept = {side: sides.kept(stacks[side], length) for side, length in lengths.items()}
    rows, columns = kept["query"], kept["key"]
    whole = len(rows) == lengths["query"] and len(columns) == lengths["key"]
    shared: dict[int, Tensor] = {}

    def part(tensor: Tensor | None) -> Tensor | None:
        """A mask or bias without the padding; shared ones stay shared."""
        if tensor is None or whole:
            return tensor
        if id(tensor) not in shared:
            small = tensor[:, rows] if tensor.shape[1] > 1 else tensor
            shared[id(tensor)] = small[..., columns] if small.shape[2] > 1 else small
        return shared[id(tensor)]

    layers = [
        LayerAttention(
            index=index,
            name=record.path,
            heads=tuple(range(record.queries.shape[0])),
            queries=record.queries if whole else record.queries[:, rows],
            keys=record.keys if whole else record.keys[:, columns],
            scaling=record.scaling,
            softcap=record.softcap,
            sinks=record.sinks,
            causal=record.causal,
            mask=part(record.mask),
            position_bias=part(record.position_bias),
        )
        for index, record in zip(_indices(records), records, strict=True)
    ]
    strings = {
        side: tuple(sides.tokens(stacks[side], length)[i] for i in kept[side])
        for side, length in lengths.items()
    }
    sentences = {}
    for side, length in lengths.items():
        ids = sides.sentences(stacks[side], length)
        chosen = None if ids is None else tuple(ids[i] for i in kept[side])
        sentences[side] = chosen if chosen is not None and len(set(chosen)) == 2 else None
    return make_block(
        name,
        kind,
        strings["query"],
        strings["key"],
        layers,
        query_sentences=sentences["query"],
        key_sentences=sentences["key"],
        tokenizer=sides.tokenizer,
    )


def _is_causal(record: _Record, capture: _Capture) -> bool:
    """Whether no key after a query is seen."""
    if record.causal:
        return True
    queries, keys = record.queries.shape[1], record.keys.shape[1]
    mask = record.mask
    if queries < 2:
        # One token tells nothing; the module says.
        module = next((m for m, name in capture.names.items() if name == record.path), None)
        return bool(getattr(module, "is_causal", False))
    if mask is None or mask.shape[1:] != (queries, keys):
        return False
    hidden = ~mask if mask.dtype == torch.bool else mask < torch.finfo(mask.dtype).min / 2
    later = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
    return bool(hidden[:, later].all())


def _tower(path: str) -> str:
    """The part of a module path before its first number: what repeats is below."""
    parts = path.split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdecimal()]
    return ".".join(parts[: numbers[0]]) if numbers else path


def _indices(records: Sequence[_Record]) -> list[int]:
    """The model's own layer numbers, from the paths, or the order where paths have none.

    A path may hold other numbers (T5's ``block.3.layer.0``), and a model that shares one module
    among its layers (ALBERT) has one path for all.
    """
    numbers = [[int(p) for p in record.path.split(".") if p.isdecimal()] for record in records]
    if len(records) == 1:
        return [numbers[0][0] if numbers[0] else 0]
    for place in range(min(map(len, numbers))):
        column = [row[place] for row in numbers]
        if len(set(column)) == len(column):
            return column
        if len(set(column)) > 1:
            break
    return list(range(len(records)))


def _nothing(model: nn.Module, capture: _Capture) -> str:
    config = getattr(model, "config", None)
    implementation = getattr(config, "_attn_implementation", None)
    name = type(model).__name__
    text = f"{name} ran once and no attention was captured (attn_implementation={implementation!r}"
    text += f", {capture.skipped} attentions seen and not understood)." if capture.skipped else ")."
    if config is None:
        cause = "it is not a transformers model"
    elif capture.skipped:
        cause = "its attention is not between the tokens of a text"
    else:
        cause = (
            "it has no softmax attention (as Mamba, FNet and convolutions have none), or it"
            " computes attention without transformers' attention interface"
        )
    return f"{text} The likely cause: {cause}."
