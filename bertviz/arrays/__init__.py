"""The user's own arrays → AttentionTrace.

The problem. Attention comes as a list with a tensor per layer or as one stacked array, with or
without a batch dimension, from torch, NumPy or a JSON file, for one stack of tokens or for an
encoder and a decoder; and what comes wrong (scores instead of weights, a batch of sixteen, nothing
at all) fails much later, as a blank picture. So everything is brought to one form and checked here,
by the names under which the user passed it.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bertviz.trace import AttentionBlock, AttentionTrace, Kind, LayerAttention
from bertviz.trace.readable import display_text, special_tokens, words_of

if TYPE_CHECKING:
    from torch import Tensor

# Weights in half precision may pass 1 by rounding.
TOLERANCE = 1e-3


def from_arrays(
    tokens: Sequence[str] | None = None,
    weights: Any = None,
    queries: Any = None,
    keys: Any = None,
    scaling: float | Sequence[float] | None = None,
    *,
    query_tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    kind: Kind | None = None,
    sentence_b_start: int | None = None,
    prettify_tokens: bool = True,
    batch_index: int | None = None,
    attention_mask: Any = None,
    drop_padding: bool = True,
    name: str = "weights",
) -> AttentionTrace:
    """Make a trace of one block; see ``AttentionTrace.from_arrays``.

    Args:
        tokens: See there, like all others.
        weights: See there.
        queries: See there.
        keys: See there.
        scaling: See there.
        query_tokens: See there.
        key_tokens: See there.
        kind: See there.
        sentence_b_start: See there.
        prettify_tokens: See there.
        batch_index: See there.
        attention_mask: See there.
        drop_padding: See there.
        name: What the caller's argument for ``weights`` is called, for errors.
    """
    if tokens is not None and (query_tokens is not None or key_tokens is not None):
        raise TypeError(
            "tokens was given beside query_tokens or key_tokens: pass tokens where queries and keys"
            " are the same tokens, else the other two."
        )
    if kind not in (None, "encoder", "decoder", "cross"):
        raise ValueError(
            f"kind={kind!r} is unknown: expected 'encoder', 'decoder' or 'cross', or leave it out."
        )
    if weights is None and queries is None and keys is None:
        raise ValueError(
            f"{name} is None, and there are no queries and keys either: pass {name} (layers, heads,"
            " query, key), or queries and keys. If a model returned None, it ran on a fast kernel"
            " such as sdpa: extract(model, tokenizer, text) captures its attention."
        )
    if (queries is None) != (keys is None):
        given, missing = ("queries", "keys") if keys is None else ("keys", "queries")
        raise ValueError(f"{given} was given without {missing}: pass both, or {name} alone.")

    given_weights = None if weights is None else as_layers(name, weights, batch_index)
    vectors = None
    if queries is not None:
        vectors = _vectors(
            as_layers("queries", queries, batch_index),
            as_layers("keys", keys, batch_index),
            given_weights,
        )
    q_side, k_side = ("tokens", "tokens") if tokens is not None else ("query_tokens", "key_tokens")
    rows = given_weights if given_weights is not None else vectors[0]  # type: ignore[index]
    columns = given_weights if given_weights is not None else vectors[1]  # type: ignore[index]
    key_axis = -1 if given_weights is not None else -2
    if _written(weights) and tokens is not None and len(tokens) == rows[0].shape[-2] + 1:
        tokens = list(tokens)[:-1]  # the last token that generate() wrote was never read
    query_strings = _tokens(q_side, tokens if tokens is not None else query_tokens, rows, -2, name)
    key_strings = _tokens(
        k_side, tokens if tokens is not None else key_tokens, columns, key_axis, name
    )
    sentences = [_sentences(sentence_b_start, side) for side in (query_strings, key_strings)]
    if attention_mask is not None and drop_padding:
        kept = _kept(attention_mask, batch_index, len(query_strings), len(key_strings))
        query_strings, key_strings = (
            tuple(side[i] for i in kept) for side in (query_strings, key_strings)
        )
        sentences = [None if s is None else tuple(s[i] for i in kept) for s in sentences]
        if given_weights is not None:
            given_weights = [layer[:, kept][:, :, kept] for layer in given_weights]
        if vectors is not None:
            queries_, keys_ = ([layer[:, kept] for layer in side] for side in vectors)
            vectors = (queries_, keys_)
        rows = given_weights if given_weights is not None else vectors[0]  # type: ignore[index]
    if given_weights is not None:
        _check_weights(name, given_weights)
    if kind is None:
        if tokens is None and (query_tokens is not None or key_tokens is not None):
            kind = "cross"
        else:
            kind = "decoder" if given_weights and _is_causal(given_weights) else "encoder"

    count = len(rows)
    scales = _scales(scaling, vectors)
    layers = []
    for index in range(count):
        heads = int(rows[index].shape[0])
        layers.append(
            LayerAttention(
                index=index,
                name="",
                heads=tuple(range(heads)),
                queries=vectors[0][index] if vectors else None,
                keys=vectors[1][index] if vectors else None,
                scaling=scales[index] if vectors else None,
                causal=kind == "decoder" and given_weights is None,
                given_weights=given_weights[index] if given_weights else None,
            )
        )
    block = make_block(
        kind,
        kind,
        query_strings,
        key_strings,
        layers,
        query_sentences=sentences[0],
        key_sentences=sentences[1],
        prettify_tokens=prettify_tokens,
    )
    return AttentionTrace(
        blocks=MappingProxyType({block.name: block}), model_name=None, dtype=layers[0].dtype
    )


def trace_from_attention(
    *,
    attention: Any = None,
    tokens: Sequence[str] | None = None,
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Sequence[str] | None = None,
    decoder_tokens: Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    include_layers: Iterable[int] | None = None,
    prettify_tokens: bool = True,
) -> AttentionTrace:
    """Make a trace of weights in the form of BertViz 1.x.

    Args:
        attention: Weights of a model with one stack.
        tokens: Its tokens.
        encoder_attention: Weights of an encoder; needs ``encoder_tokens``.
        decoder_attention: Weights of a decoder's self-attention; needs ``decoder_tokens``.
        cross_attention: Weights of the decoder's look at the encoder; needs both tokens.
        encoder_tokens: The encoder's tokens.
        decoder_tokens: The decoder's tokens.
        sentence_b_start: With ``attention``: position of the second sentence's first token.
        include_layers: The layers to keep, by the model's own numbers; all by default.
        prettify_tokens: Show tokens without the tokenizer's own marks.

    Returns:
        A trace with the block of ``attention``, or up to three. Layers keep their numbers.

    Raises:
        TypeError: Something that is no array.
        ValueError: As ``AttentionTrace.from_arrays``; tokens that are missing; layers that no
            block has.

    >>> import torch
    >>> trace = trace_from_attention(attention=torch.full((6, 12, 2, 2), 0.5), tokens=["a", "b"],
    ...                              include_layers=[4, 5])
    >>> [layer.index for layer in trace.blocks["encoder"].layers]
    [4, 5]
    """
    if attention is not None:
        trace = from_arrays(
            tokens,
            attention,
            sentence_b_start=sentence_b_start,
            prettify_tokens=prettify_tokens,
            name="attention",
        )
        return trace if include_layers is None else _chosen(trace, include_layers)
    sides: dict[str, tuple[Any, Kind, str, str]] = {
        "encoder_attention": (encoder_attention, "encoder", "encoder_tokens", "encoder_tokens"),
        "decoder_attention": (decoder_attention, "decoder", "decoder_tokens", "decoder_tokens"),
        "cross_attention": (cross_attention, "cross", "decoder_tokens", "encoder_tokens"),
    }
    strings = {"encoder_tokens": encoder_tokens, "decoder_tokens": decoder_tokens}
    blocks: dict[str, AttentionBlock] = {}
    for name, (value, kind, query_side, key_side) in sides.items():
        if value is None:
            continue
        layers = as_layers(name, value)
        _check_weights(name, layers)
        for side in dict.fromkeys((query_side, key_side)):
            if strings[side] is None:
                raise ValueError(
                    f"{name} was given without {side}: pass {side}, a list of"
                    f" {layers[0].shape[-2 if side == query_side else -1]} strings."
                )
        query_strings = _tokens(query_side, strings[query_side], layers, -2, name)
        key_strings = _tokens(key_side, strings[key_side], layers, -1, name)
        blocks[kind] = make_block(
            kind,
            kind,
            query_strings,
            key_strings,
            [
                LayerAttention(
                    index=index, name="", heads=tuple(range(layer.shape[0])), given_weights=layer
                )
                for index, layer in enumerate(layers)
            ],
            prettify_tokens=prettify_tokens,
        )
    if not blocks:
        raise ValueError(
            "attention is None, and so are encoder_attention, decoder_attention and"
            " cross_attention: pass one of them. If a model returned None, it ran on a fast kernel"
            " such as sdpa: pass the model itself, head_view(model, tokenizer, text)."
        )
    dtype = next(iter(blocks.values())).layers[0].dtype
    trace = AttentionTrace(blocks=MappingProxyType(blocks), model_name=None, dtype=dtype)
    return trace if include_layers is None else _chosen(trace, include_layers)


def _chosen(trace: AttentionTrace, numbers: Iterable[int]) -> AttentionTrace:
    """The trace with some of its layers; blocks without any of them are left out."""
    chosen = {operator.index(number) for number in numbers}
    known = {layer.index for block in trace.blocks.values() for layer in block.layers}
    if not chosen or chosen - known:
        raise ValueError(f"include_layers={sorted(chosen)}: expected layers among {sorted(known)}.")
    blocks = {}
    for name, block in trace.blocks.items():
        layers = tuple(layer for layer in block.layers if layer.index in chosen)
        if layers:
            blocks[name] = dataclasses.replace(block, layers=layers)
    return dataclasses.replace(trace, blocks=MappingProxyType(blocks))


def make_block(
    name: str,
    kind: Kind,
    query_tokens: Iterable[str],
    key_tokens: Iterable[str],
    layers: Iterable[LayerAttention],
    *,
    query_sentences: tuple[int, ...] | None = None,
    key_sentences: tuple[int, ...] | None = None,
    prettify_tokens: bool = True,
    tokenizer: Any = None,
) -> AttentionBlock:
    """A block with what is read off its tokens: display text, words, special ones."""
    queries, keys = tuple(query_tokens), tuple(key_tokens)
    special = [special_tokens(side, tokenizer) for side in (queries, keys)]
    return AttentionBlock(
        name=name,
        kind=kind,
        query_tokens=queries,
        key_tokens=keys,
        query_text=display_text(queries, tokenizer) if prettify_tokens else queries,
        key_text=display_text(keys, tokenizer) if prettify_tokens else keys,
        query_sentences=query_sentences,
        key_sentences=key_sentences,
        query_words=words_of(queries, special[0], tokenizer),
        key_words=words_of(keys, special[1], tokenizer),
        query_special=special[0],
        key_special=special[1],
        layers=tuple(layers),
    )


def parts_of(output: Any) -> dict[str, Any] | None:
    """The attentions of what a Hugging Face model or ``generate`` returned.

    Args:
        output: Anything.

    Returns:
        By the names of the views' arguments: ``attention``, or ``encoder_attention``,
        ``decoder_attention`` and ``cross_attention``, None where it holds none; or None if
        ``output`` is no such output.
    """
    if not isinstance(output, Mapping):
        return None
    names = {
        "attentions": "attention",
        "encoder_attentions": "encoder_attention",
        "decoder_attentions": "decoder_attention",
        "cross_attentions": "cross_attention",
    }
    fields = getattr(type(output), "__dataclass_fields__", {})
    known = {**dict.fromkeys(fields), **output}
    found = {short: known[name] for name, short in names.items() if name in known}
    if not found:
        return None
    given = {name: value for name, value in found.items() if _holds(value)}
    return given or {"attention": None}


def _holds(value: Any) -> bool:
    """Whether a field of an output has something in it: under sdpa it is (None, None, …)."""
    return value is not None and not (
        isinstance(value, list | tuple) and all(layer is None for layer in value)
    )


def _written(value: Any) -> bool:
    """Whether these are the attentions of ``generate``: per step, a tuple with one per layer."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(
            isinstance(step, list | tuple)
            and bool(step)
            and all(getattr(layer, "ndim", 0) == 4 for layer in step)
            for step in value
        )
    )


def _whole_rows(name: str, steps: Sequence[Sequence[Any]], batch_index: int | None) -> list[Tensor]:
    """The attentions of all steps as one matrix per head: a step's rows below those before.

    With a cache of fixed size the first steps have room for more keys than there are tokens, with
    a sliding one the last steps have fewer.
    """
    layers = []
    for number in range(len(steps[0])):
        parts = [
            _as_layer(f"{name}[{i}][{number}]", _tensor(name, step[number]), batch_index)
            for i, step in enumerate(steps)
        ]
        if all(part.shape[1:] == parts[0].shape[1:] for part in parts[1:]) and (
            len(parts) > 1 and parts[0].shape[1] > 1
        ):
            raise ValueError(
                f"{name} holds {len(steps)} steps with as many queries each: expected the prompt"
                " first, then one token a step, as generate() with a cache returns them."
            )
        cross = name.startswith("cross")  # all keys are there from the beginning
        rows = sum(part.shape[1] for part in parts)
        width = parts[0].shape[2] if cross else rows
        whole = parts[0].new_zeros(parts[0].shape[0], rows, width)
        at = 0
        for part in parts:
            end = at + part.shape[1]
            offset = 0 if cross or part.shape[2] > end else end - part.shape[2]
            stop = min(width, offset + part.shape[2])
            whole[:, at:end, offset:stop] = part[..., : stop - offset]
            at = end
        layers.append(whole)
    return layers


def _kept(mask: Any, batch_index: int | None, queries: int, keys: int) -> list[int]:
    """Positions that are no padding."""
    flags = _tensor("attention_mask", mask)
    if flags.ndim == 2:
        flags = flags[batch_index or 0] if flags.shape[0] > 1 else flags[0]
    if tuple(flags.shape) != (queries,) or queries != keys:
        raise ValueError(
            f"attention_mask has shape {tuple(flags.shape)}, the arrays have {queries} queries and"
            f" {keys} keys: expected one number per token, for queries and keys that are the same"
            " tokens."
        )
    kept = [i for i, seen in enumerate(flags.tolist()) if seen]
    if not kept:
        raise ValueError("attention_mask is 0 everywhere, so nothing would be left.")
    return kept


def as_layers(name: str, value: Any, batch_index: int | None = None) -> list[Tensor]:
    """One tensor of three axes per layer, whatever form they came in.

    Args:
        name: The argument's name, for errors.
        value: A list with an array per layer, or one array; or per step of ``generate`` such a
            list.
        batch_index: Which text of a batch, where there are several.

    Returns:
        Copies, floating, on the CPU: (heads, ·, ·) each.

    >>> import torch
    >>> [tuple(layer.shape) for layer in as_layers("weights", torch.zeros(6, 12, 8, 8))][:2]
    [(12, 8, 8), (12, 8, 8)]
    """
    if isinstance(value, Mapping | str | bytes):
        raise TypeError(
            f"{name} is a {type(value).__name__}: expected a list with one array per layer, each"
            " (heads, query, key), or one array (layers, heads, query, key)."
        )
    if isinstance(value, Iterable) and not hasattr(value, "shape"):
        items = list(value)
        if not items:
            raise ValueError(f"{name} is empty: expected at least one layer.")
        for index, item in enumerate(items):
            if item is None:
                raise ValueError(
                    f"{name} holds None for layer {index}: models return no attention when they"
                    " run on a fast kernel such as sdpa. Pass the model itself,"
                    " head_view(model, tokenizer, text): its attention is captured on any kernel."
                    ' Or load the model with attn_implementation="eager".'
                )
        if _written(items):
            return _whole_rows(name, items, batch_index)
        # A list of layers, which may differ in their heads.
        if any(hasattr(item, "shape") for item in items) or _depth(items) > 3:
            return [
                _as_layer(f"{name}[{i}]", _tensor(f"{name}[{i}]", x), batch_index)
                for i, x in enumerate(items)
            ]
        value = items
    tensor = _tensor(name, value)
    if tensor.ndim == 5:
        return [_as_layer(name, layer, batch_index) for layer in tensor]
    if tensor.ndim == 4:
        return list(tensor)
    return [_as_layer(name, tensor, batch_index)]


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list | tuple):
        depth += 1
        value = value[0] if value else None
    return depth


def _tensor(name: str, value: Any) -> Tensor:
    """A copy as a floating tensor on the CPU."""
    import numpy as np
    import torch

    if not isinstance(value, torch.Tensor):
        try:
            value = torch.from_numpy(np.array(value, dtype=_floating(np.asarray(value).dtype)))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{name} is a {type(value).__name__} that is no array of numbers ({error}):"
                " expected torch tensors, NumPy arrays or nested lists of equal lengths."
            ) from None
    tensor: Tensor = value.detach().to("cpu", copy=True)
    return tensor if tensor.is_floating_point() else tensor.float()


def _floating(dtype: Any) -> Any:
    """The NumPy type to read as: float kinds that torch has stay, the rest is float32."""
    import numpy as np

    if dtype.kind in "OSUV" and dtype.name != "bfloat16":
        raise TypeError(f"its type is {dtype}")
    return dtype if dtype in (np.float16, np.float32, np.float64) else np.dtype(np.float32)


def _as_layer(name: str, tensor: Tensor, batch_index: int | None = None) -> Tensor:
    """(heads, ·, ·) from two to four axes."""
    shape = tuple(tensor.shape)
    if tensor.ndim == 4:
        if shape[0] != 1 and batch_index is None:
            raise ValueError(
                f"{name} has shape {shape}, a batch of {shape[0]} texts: say which one with"
                f" batch_index=0 to {shape[0] - 1}, and pass its tokens."
            )
        index = operator.index(batch_index or 0)
        if not -shape[0] <= index < shape[0]:
            raise ValueError(
                f"batch_index={index} is out of range: {name} holds {shape[0]} texts, 0 to"
                f" {shape[0] - 1}."
            )
        tensor = tensor[index]
    elif tensor.ndim == 2:
        tensor = tensor[None]
    elif tensor.ndim != 3:
        raise ValueError(
            f"{name} has shape {shape}: expected (heads, query, key) per layer, with or without a"
            " batch dimension of one."
        )
    if not all(tensor.shape):
        raise ValueError(f"{name} has shape {shape}, which holds nothing.")
    return tensor


def _tokens(
    side: str, tokens: Sequence[str] | None, layers: Sequence[Tensor], axis: int, name: str
) -> tuple[str, ...]:
    """The tokens of one side, checked against every layer."""
    lengths = [int(layer.shape[axis]) for layer in layers]
    for index, length in enumerate(lengths):
        if length != lengths[0]:
            raise ValueError(
                f"{name}[{index}] has {length} positions where {name}[0] has {lengths[0]}: all"
                " layers of a block share their tokens."
            )
    if tokens is None:
        return tuple(map(str, range(lengths[0])))
    if isinstance(tokens, str):
        raise TypeError(
            f"{side} is one string: expected a list of {lengths[0]} strings, one per position, such"
            " as tokenizer.convert_ids_to_tokens(inputs.input_ids[0]) gives."
        )
    strings = list(tokens)
    for index, token in enumerate(strings):
        if not isinstance(token, str):
            raise TypeError(
                f"{side}[{index}] is a {type(token).__name__}: expected strings; make them with"
                " tokenizer.convert_ids_to_tokens(ids)."
            )
    if len(strings) != lengths[0]:
        what = "query" if axis == -2 else "key"
        raise ValueError(
            f"{side} holds {len(strings)} strings, {name} of shape {tuple(layers[0].shape)} has"
            f" {lengths[0]} {what} positions: expected one string per position. Padding and special"
            " tokens count; take the tokens from the same input_ids that the model read."
        )
    return tuple(strings)


def _check_weights(name: str, layers: Sequence[Tensor]) -> None:
    for index, layer in enumerate(layers):
        bad = layer.isnan()
        if bad.any():
            head, row, key = (int(i) for i in bad.nonzero()[0])
            raise ValueError(
                f"{name} holds NaN at layer {index}, head {head}, query {row}, key {key}: expected"
                " weights in 0..1. A row that is masked entirely gives NaN in a softmax; drop such"
                " rows (padding), or fill them with 0."
            )
        low, high = float(layer.min()), float(layer.max())
        if low < -TOLERANCE or high > 1 + TOLERANCE:
            worst = low if low < -TOLERANCE else high
            raise ValueError(
                f"{name} holds {worst:.4g} in layer {index}: expected weights in 0..1, each row the"
                " result of a softmax. If these are scores, apply a softmax over keys first."
            )


def _is_causal(layers: Sequence[Tensor]) -> bool:
    """Whether no weight of a square layer lies above the diagonal."""
    return all(
        layer.shape[-1] == layer.shape[-2] > 1 and not bool(layer.triu(1).any()) for layer in layers
    )


def _vectors(
    queries: list[Tensor], keys: list[Tensor], weights: list[Tensor] | None
) -> tuple[list[Tensor], list[Tensor]]:
    if len(queries) != len(keys) or (weights is not None and len(weights) != len(queries)):
        counts = f"queries {len(queries)}, keys {len(keys)}"
        if weights is not None:
            counts += f", weights {len(weights)}"
        raise ValueError(f"The arrays differ in their number of layers: {counts}.")
    for index, (query, key) in enumerate(zip(queries, keys, strict=True)):
        shapes = f"queries[{index}] {tuple(query.shape)} and keys[{index}] {tuple(key.shape)}"
        if query.shape[-1] != key.shape[-1]:
            raise ValueError(f"{shapes} differ in head_dim, their last axis.")
        if query.shape[0] % key.shape[0]:
            raise ValueError(
                f"{shapes} do not fit: the number of heads must be a multiple of the number of key"
                " heads."
            )
        for name, tensor in (("queries", query), ("keys", key)):
            if not bool(tensor.isfinite().all()):
                raise ValueError(f"{name} holds NaN or infinity in layer {index}.")
        if weights is not None:
            expected = (query.shape[0], query.shape[1], key.shape[1])
            if tuple(weights[index].shape) != tuple(expected):
                raise ValueError(
                    f"weights[{index}] has shape {tuple(weights[index].shape)}, {shapes} give"
                    f" {tuple(expected)}."
                )
    return queries, keys


def _scales(
    scaling: float | Sequence[float] | None, vectors: tuple[list[Tensor], list[Tensor]] | None
) -> list[float]:
    if vectors is None:
        if scaling is not None:
            raise ValueError("scaling was given without queries and keys, which it scales.")
        return []
    count = len(vectors[0])
    if scaling is None:
        return [1 / math.sqrt(query.shape[-1]) for query in vectors[0]]
    scales = (
        [float(scaling)] * count if isinstance(scaling, int | float) else list(map(float, scaling))
    )
    if len(scales) != count:
        raise ValueError(
            f"scaling holds {len(scales)} numbers for {count} layers: pass one, or one per layer."
        )
    return scales


def _sentences(start: int | None, tokens: tuple[str, ...]) -> tuple[int, ...] | None:
    if start is None:
        return None
    if isinstance(start, bool) or not isinstance(start, int):
        raise TypeError(
            f"sentence_b_start={start!r} is a {type(start).__name__}: expected a position."
        )
    if not 0 < start < len(tokens):
        raise ValueError(
            f"sentence_b_start={start} is out of range: expected the position of the second"
            f" sentence's first token, 1 to {len(tokens) - 1}, or None for one sentence."
        )
    return tuple(int(position >= start) for position in range(len(tokens)))
