"""The user's own arrays → AttentionTrace.

The problem. Attention comes as a list with a tensor per layer or as one stacked array, with or
without a batch dimension, from torch, NumPy or a JSON file, for one stack of tokens or for an
encoder and a decoder; and what is wrong with it (scores instead of weights, a batch of sixteen,
nothing at all) shows much later, as a blank picture. So everything is brought to one form and
checked here, by the names under which the user passed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

from bertviz.arguments import as_flag, as_index
from bertviz.arrays.checks import (
    check_scores,
    check_tokens,
    check_vectors,
    check_weights,
    kept_positions,
    scales_of,
    sentences_of,
)
from bertviz.arrays.kinds import check_values, warn_of_sums
from bertviz.arrays.outputs import is_generated
from bertviz.arrays.outputs import parts_of as parts_of
from bertviz.arrays.shapes import as_layers
from bertviz.errors import a_type, short
from bertviz.trace import (
    AttentionBlock,
    AttentionTrace,
    Formula,
    Kind,
    LayerAttention,
    Tokens,
    TraceKind,
)
from bertviz.trace.kinds import VALUE_KINDS
from bertviz.trace.masks import is_causal
from bertviz.trace.settings import plainly
from bertviz.trace.tokens import strings_of

if TYPE_CHECKING:
    from torch import Tensor


@plainly()
def from_arrays(
    tokens: Sequence[str] | None = None,
    weights: Any = None,
    queries: Any = None,
    keys: Any = None,
    scaling: float | Sequence[float] | None = None,
    *,
    query_tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    kind: Kind | TraceKind | None = None,
    sentence_b_start: int | None = None,
    prettify_tokens: bool = True,
    batch_index: int | None = None,
    attention_mask: Any = None,
    drop_padding: bool = True,
    name: str = "weights",
) -> AttentionTrace:
    """Make a trace of one block; see ``AttentionTrace.from_arrays``.

    Args:
        tokens: As in ``AttentionTrace.from_arrays``, like all others but the last.
        weights: (heads, query, key) per layer.
        queries: (heads, query, head_dim) per layer.
        keys: (key_value_heads, key, head_dim) per layer.
        scaling: The factor on q·k.
        query_tokens: The tokens that attend.
        key_tokens: The tokens attended to.
        kind: The block's kind, or what the numbers are.
        sentence_b_start: Position of the second sentence.
        prettify_tokens: Whether to leave out the tokenizer's own marks.
        batch_index: Which text of a batch.
        attention_mask: 0 for padding.
        drop_padding: Whether padding is left out.
        name: What the caller's argument for ``weights`` is called, for errors.
    """
    if tokens is not None and (query_tokens is not None or key_tokens is not None):
        raise TypeError(
            "tokens was given beside query_tokens or key_tokens: pass tokens where queries and keys"
            " are the same tokens, else the other two."
        )
    block_kind, trace_kind = _kinds(kind)
    prettify_tokens = as_flag("prettify_tokens", prettify_tokens)
    drop_padding = as_flag("drop_padding", drop_padding)
    if batch_index is not None:
        batch_index = as_index("batch_index", batch_index)
    if weights is None and queries is None and keys is None:
        raise ValueError(
            f"{name} is None, and there are no queries and keys either: pass {name} (layers, heads,"
            " query, key), or queries and keys. If a model returned None, it ran on a fast kernel"
            " such as sdpa: extract(model, tokenizer, text) captures its attention."
        )
    if (queries is None) != (keys is None):
        alone, missing = ("queries", "keys") if keys is None else ("keys", "queries")
        raise ValueError(f"{alone} was given without {missing}: pass both, or {name} alone.")
    if queries is not None and trace_kind != "attention":
        raise ValueError(
            f"kind={kind!r} does not go with queries and keys, from which attention is computed:"
            f" pass the values alone, as {name}."
        )

    given = None if weights is None else as_layers(name, weights, batch_index)
    vectors = None
    if queries is not None:
        vectors = check_vectors(
            as_layers("queries", queries, batch_index), as_layers("keys", keys, batch_index), given
        )
    if given is not None and is_generated(weights):
        tokens = _read_tokens("tokens", tokens, given)
    sides = _sides(name, given, vectors, (tokens, query_tokens, key_tokens))
    sentences = [sentences_of(sentence_b_start, side) for side in sides]
    whole = [
        Tokens.read(side, sentences=ids, prettify=prettify_tokens)
        for side, ids in zip(sides, sentences, strict=True)
    ]
    kept = None
    if attention_mask is not None:
        kept = kept_positions(attention_mask, batch_index, len(sides[0]), len(sides[1]))
    if kept is not None and drop_padding:
        whole = [side[kept] for side in whole]
        given = None if given is None else [layer[:, kept][:, :, kept] for layer in given]
        if vectors is not None:
            vectors = ([x[:, kept] for x in vectors[0]], [x[:, kept] for x in vectors[1]])
    if given is not None:
        _check(name, given, trace_kind, expected=kind == "attention")
    if block_kind is None:
        apart = tokens is None and (query_tokens is not None or key_tokens is not None)
        causal = given and trace_kind == "attention" and _are_causal(given)
        block_kind = "cross" if apart else "decoder" if causal else "encoder"
    layers = _layers(given, vectors, scales_of(scaling, vectors), causal=block_kind == "decoder")
    block = AttentionBlock(block_kind, block_kind, whole[0], whole[1], layers)
    return AttentionTrace(blocks={block.name: block}, dtype=layers[0].dtype, kind=trace_kind)


def _kinds(kind: object) -> tuple[Kind | None, TraceKind]:
    """The kind of the block, None to be found out, and that of the numbers."""
    block_kinds, trace_kinds = get_args(Kind), get_args(TraceKind)
    if not isinstance(kind, str | None):
        raise TypeError(f"kind={short(kind)} is {a_type(kind)}: expected a string.")
    if kind in block_kinds:
        return cast("Kind", kind), "attention"
    if kind is None or kind in trace_kinds:
        return None, cast("TraceKind", kind or "attention")
    raise ValueError(
        f"kind={short(kind)} is unknown: expected 'encoder', 'decoder' or 'cross' for attention, or"
        " 'signed' or 'unnormalized' for values that are not, or leave it out."
    )


def _check(name: str, layers: Sequence[Tensor], kind: TraceKind, expected: bool) -> None:
    """Refuse what is not of its kind; expected: whether rows may sum to anything."""
    if kind in VALUE_KINDS:
        check_values(name, layers, kind)
        return
    check_weights(name, layers)
    if not expected:
        warn_of_sums(name, layers)


def _sides(
    name: str,
    given: list[Tensor] | None,
    vectors: tuple[list[Tensor], list[Tensor]] | None,
    tokens: tuple[Sequence[str] | None, Sequence[str] | None, Sequence[str] | None],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens of both sides, by the names under which they were passed."""
    both, *apart = tokens
    rows, columns = (given, given) if given is not None else vectors or ([], [])
    query, key = ("tokens", "tokens") if both is not None else ("query_tokens", "key_tokens")
    strings = (both, both) if both is not None else apart
    return (
        check_tokens(query, strings[0], rows, -2, name),
        check_tokens(key, strings[1], columns, -1 if given is not None else -2, name),
    )


def _read_tokens(
    name: str, tokens: Sequence[str] | None, layers: Sequence[Tensor]
) -> Sequence[str] | None:
    """The tokens without the last one that ``generate`` wrote, which was never read."""
    if tokens is None:
        return None
    strings = strings_of(name, tokens)
    return strings[: -1 if len(strings) == layers[0].shape[-2] + 1 else None]


def _are_causal(layers: Sequence[Tensor]) -> bool:
    """Whether no weight of square layers lies above the diagonal."""
    return all(layer.shape[-1] == layer.shape[-2] and is_causal(layer == 0) for layer in layers)


def _layers(
    given: list[Tensor] | None,
    vectors: tuple[list[Tensor], list[Tensor]] | None,
    scales: Sequence[float],
    causal: bool,
) -> tuple[LayerAttention, ...]:
    """A layer for each array."""
    layers = []
    for index, array in enumerate(given if given is not None else vectors[0] if vectors else ()):
        formula = None
        if vectors is not None:
            queries, keys = vectors[0][index], vectors[1][index]
            formula = Formula(queries, keys, scales[index], causal=causal)
            check_scores(formula, index)
        layers.append(
            LayerAttention(
                index=index,
                name="",
                heads=tuple(range(int(array.shape[0]))),
                formula=formula,
                given_weights=given[index] if given is not None else None,
                given_causal=causal and given is not None,
            )
        )
    return tuple(layers)


@plainly()
def from_stacks(
    *,
    encoder_attention: Any = None,
    decoder_attention: Any = None,
    cross_attention: Any = None,
    encoder_tokens: Sequence[str] | None = None,
    decoder_tokens: Sequence[str] | None = None,
    prettify_tokens: bool = True,
    kind: TraceKind | None = None,
    batch_index: int | None = None,
) -> AttentionTrace:
    """Make a trace of an encoder-decoder's weights, in the form of BertViz 1.x.

    Args:
        encoder_attention: Weights of an encoder; needs ``encoder_tokens``.
        decoder_attention: Weights of a decoder's self-attention; needs ``decoder_tokens``.
        cross_attention: Weights of the decoder's attention to the encoder; needs both tokens.
        encoder_tokens: The encoder's tokens.
        decoder_tokens: The decoder's tokens.
        prettify_tokens: Show tokens without the tokenizer's own marks.
        kind: What the numbers are: "attention" by default, or "signed" or "unnormalized".
        batch_index: Which text of a batch.

    Returns:
        A trace with up to three blocks.

    Raises:
        TypeError: A value is not an array.
        ValueError: As in ``AttentionTrace.from_arrays``, or tokens are missing.

    >>> import torch
    >>> from_stacks(encoder_attention=torch.full((6, 12, 2, 2), 0.5), encoder_tokens=["a", "b"])
    AttentionTrace(encoder: 6 layers, 2 x 2 tokens)
    """
    stacks: dict[str, tuple[Any, Kind, str, str]] = {
        "encoder_attention": (encoder_attention, "encoder", "encoder_tokens", "encoder_tokens"),
        "decoder_attention": (decoder_attention, "decoder", "decoder_tokens", "decoder_tokens"),
        "cross_attention": (cross_attention, "cross", "decoder_tokens", "encoder_tokens"),
    }
    prettify_tokens = as_flag("prettify_tokens", prettify_tokens)
    strings: dict[str, Sequence[str] | None]
    strings = {"encoder_tokens": encoder_tokens, "decoder_tokens": decoder_tokens}
    block_kind, trace_kind = _kinds(kind)
    if block_kind is not None:
        raise ValueError(
            f"kind={kind!r} is said by the names of the arguments: expected 'signed' or"
            " 'unnormalized', for values that are not attention, or leave it out."
        )
    blocks: dict[str, AttentionBlock] = {}
    for name, (value, stack, query_side, key_side) in stacks.items():
        if value is None:
            continue
        if is_generated(value) and value[0][0].shape[0] > 1:
            raise ValueError(
                f"{name} holds the steps of generate() for {value[0][0].shape[0]} texts or beams,"
                " which change places in beam search: generate from one text, with num_beams=1 and"
                " num_return_sequences=1."
            )
        weights = as_layers(name, value, batch_index)
        _check(name, weights, trace_kind, expected=kind == "attention")
        if stack != "encoder" and is_generated(value):
            strings["decoder_tokens"] = _read_tokens("decoder_tokens", decoder_tokens, weights)
        for side in dict.fromkeys((query_side, key_side)):
            if strings[side] is None:
                raise ValueError(
                    f"{name} was given without {side}: pass {side}, a list of"
                    f" {weights[0].shape[-2 if side == query_side else -1]} strings."
                )
        sides = [
            Tokens.read(
                check_tokens(side, strings[side], weights, axis, name), prettify=prettify_tokens
            )
            for side, axis in ((query_side, -2), (key_side, -1))
        ]
        layers = [
            LayerAttention(
                index=index,
                name="",
                heads=tuple(range(layer.shape[0])),
                given_weights=layer,
                given_causal=stack == "decoder",
            )
            for index, layer in enumerate(weights)
        ]
        blocks[stack] = AttentionBlock(stack, stack, sides[0], sides[1], tuple(layers))
    if not blocks:
        raise ValueError(
            "encoder_attention, decoder_attention and cross_attention are all None: pass one of"
            " them. If a model returned None, it ran on a fast kernel such as sdpa: pass the model"
            " itself, head_view(model, tokenizer, text)."
        )
    dtype = next(iter(blocks.values())).layers[0].dtype
    return AttentionTrace(blocks=blocks, dtype=dtype, kind=trace_kind)
