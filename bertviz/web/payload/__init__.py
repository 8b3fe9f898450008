"""AttentionTrace → JSON: what travels from Python to the page, and the one place that defines it.

The problem. All weights of a BERT-sized model are 144 matrices of query × key numbers. Written as
decimals they take 31 MB at 128 tokens and 472 MB at 512, and a browser skips a script that long
without a word. Dropping the small weights makes them fit, but then a head that spreads its
attention evenly seems to look nowhere. So weights are *listed* (sparse, in fixed steps) where they
can be seen, and what is not listed is one number per row, its *hidden mass*: listed + hidden is the
row. Queries and keys, which the neuron view needs, are shipped instead of weights, and the page
makes scores and weights from them by the same formula as the trace. Only the model view of a short
text has both: a head that catches the eye there is a click away from its neurons, and where all
queries and keys are below a megabyte that costs nobody anything.

The schema, version 1. ``js/payload.js`` is the decoder; the two change together::

    {
      "version": 1,
      "view": "head" | "model" | "neuron",
      "theme": "auto" | "light" | "dark",       auto follows the notebook
      "model": {"name": str | null, "dtype": str, "exactness": null | {...}},
      "blocks": [{
        "name": str, "kind": "encoder" | "decoder" | "cross",
        "query": Tokens, "key": Tokens | null,  null: the same as query
        "layers": [{
          "index": int, "name": str, "heads": [int, ...],   the model's own numbers and path
          "weights": Sparse | null,             head and model view; what b has more in a comparison
          "less": Sparse | null,                there: what a has more, in weights above zero
          "neurons": Neurons | null             neuron view; model view of a short text
        }, ...]
      }, ...],
      "difference": bool,                       weights of b minus weights of a, of two traces
      "measures": [Measure, ...],               model view: what cells may be coloured by
      "explanation": null | {"block": str, "layer": int, "head": int, "what": str,
                             "contributions": [float, ...]},   neuron view: of each neuron
      "neurons": "here" | "left out" | "none",  none: the trace has no queries and keys
      "state": {...},                           where the view starts; js/state.js fills the rest
      "chunks": [str, ...]                      base64(gzip(bytes)), each decoded when needed
    }

    Tokens  = {"text": [str, ...], "raw": [str, ...] | null, "sentences": [int, ...] | null,
               "words": {"of": [int, ...], "text": [str, ...]} | null, "special": [int, ...]}
              text is for display; raw, the tokenizer's own strings, only where they differ; words,
              each token's and their texts, only where one has several pieces; special: positions
    Sparse  = {"chunk": int, "listed": n, "steps": int}, rows ordered by head, then query:
              float32 hidden[rows], uint32 counts[rows], then four byte planes of length n:
              key deltas low and high byte (the first of a row counts from 0), values low and high
              byte; weight = value / steps
    Neurons = {"queries": Array, "keys": Array, (heads, query, d) and (key heads, key, d)
               "keyHead": [int, ...],           per head, which row of keys it uses
               "scaling": float, "softcap": float | null,
               "sinks": [float, ...] | [[float, ...], ...] | null,   per head, or per head and query
               "causal": bool, "rotary": bool, "bias": Array | null}
    Measure = {"name": str, "diverging": bool, "values": Values, "null": Values | null}
              null is what a head has by chance
    Values  = [[[float | null, ...], ...], ...] per block, layer and head, as they are above
    Array   = {"chunk": int, "offset": bytes, "dtype": "f2" | "f4", "shape": [int, ...]}
              little-endian; of "f2" the low bytes of all, then the high bytes; masked cells of a
              bias are -inf

Every matrix is shipped once: sentence pairs and filters are index ranges, made in the page, and a
bias that several layers share is one chunk.
"""

from __future__ import annotations

import base64
import gzip
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from bertviz.trace.masks import is_causal, lowest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bertviz.analysis.neurons import HeadExplanation
    from bertviz.trace import AttentionTrace, Formula, LayerAttention, Tokens

VERSION = 1
ViewName = Literal["head", "model", "neuron"]
Theme = Literal["auto", "light", "dark"]

# What a view can be told to show; js/state.js says what each means.
COMMON = ("block", "layer", "heads", "query", "key", "locked", "pair")
STATE: Mapping[ViewName, tuple[str, ...]] = {
    "head": (
        *COMMON,
        *("also", "mode", "words", "combine", "hide", "mass", "renormalize", "zoom"),
    ),
    "model": (*COMMON, "also", "cell", "measure", "sorted"),
    "neuron": (*COMMON, "also", "detail", "off", "sort"),
}

# Up to this many keys every weight that can be told from zero is listed; a picture of a sentence
# then hides nothing. Longer rows list what an 8-bit screen can show.
SHORT = 64
FINE_WEIGHTS = 2_000_000  # of all heads: a thousand heads of short rows are as heavy as long ones
SHORT_STEPS = 65535
LONG_STEPS = 511  # off by less than 0.002
LONG_THRESHOLD = 1 / 255

# Queries and keys below this many bytes travel as float32, so that what a short text shows is
# exact; above it float16 halves them (weights then differ by less than 0.001 as measured in
# tests/test_payload.py).
FLOAT32_BYTES = 1_500_000
GZIP_LEVEL = 3
_NONE = {"weights": None, "less": None}

# Queries and keys of a whole model, as float16, that the model view takes along.
BESIDE_BYTES = 1_000_000


def build(
    trace: AttentionTrace,
    view: ViewName,
    *,
    state: Mapping[str, Any] | None = None,
    include_layers: Collection[int] | None = None,
    include_heads: Collection[int] | None = None,
    display_mode: Theme = "auto",
    measures: Sequence[Mapping[str, Any]] = (),
    comparison: Any = None,
    explanation: Any = None,
) -> dict[str, Any]:
    """Serialize a trace for one view.

    Args:
        trace: What was captured.
        view: "head" and "model" ship weights, "neuron" ships queries and keys; "model" ships those
            too where they are small.
        state: Where the view starts: any of ``STATE[view]``.
        include_layers: The model's own layer numbers to ship; all by default.
        include_heads: The model's own head numbers to ship; all by default.
        display_mode: "light" and "dark" fix the theme, "auto" follows the notebook.
        measures: Numbers per head, in the form of ``measures.measures_of``.
        explanation: What ``explain_head`` gives, for the neuron view.
        comparison: What ``compare`` gives: its differences are shipped in place of weights. Then
            ``trace`` is its b.

    Returns:
        A dict of JSON types in the schema of this module's docstring.

    >>> from bertviz.trace import AttentionTrace
    >>> trace = AttentionTrace.from_arrays(tokens=["a", "b"], weights=[[[0.25, 0.75], [1.0, 0.0]]])
    >>> payload = build(trace, "head")
    >>> payload["blocks"][0]["layers"][0]["weights"]
    {'chunk': 0, 'listed': 3, 'steps': 65535}
    """
    packer = _Packer(_finely(trace, include_layers, include_heads), comparison)
    size = _neuron_bytes(trace, include_layers, include_heads)
    small = size is not None and size / 2 <= BESIDE_BYTES
    # Neurons are one trace's.
    with_neurons = view == "neuron" or (view == "model" and small and comparison is None)
    large = view == "model" or (size or 0) > FLOAT32_BYTES
    blocks = []
    for block in trace.blocks.values():
        query, key = _tokens(block.query), _tokens(block.key)
        layers = []
        for layer in block.layers:
            if include_layers is not None and layer.index not in include_layers:
                continue
            heads = [h for h in layer.heads if include_heads is None or h in include_heads]
            if not heads:
                continue
            layers.append(
                {
                    "index": layer.index,
                    "name": layer.name,
                    "heads": heads,
                    **(_NONE if view == "neuron" else packer.parts(block.name, layer, heads)),
                    "neurons": packer.neurons(layer, heads, large) if with_neurons else None,
                }
            )
        if layers:
            blocks.append(
                {
                    "name": block.name,
                    "kind": block.kind,
                    "query": query,
                    "key": None if query == key and block.kind != "cross" else key,
                    "layers": layers,
                }
            )
    return {
        "version": VERSION,
        "view": view,
        "theme": display_mode,
        "model": _model(trace) if comparison is None else _models(comparison.a, comparison.b),
        "blocks": blocks,
        "difference": comparison is not None,
        "measures": [_measure(measure, blocks) for measure in measures],
        "explanation": None if explanation is None else _explanation(explanation),
        "neurons": "here" if with_neurons else "none" if size is None else "left out",
        "state": dict(state or {}),
        "chunks": packer.chunks,
    }


class _Packer:
    """Collects binary chunks and hands out references to them."""

    def __init__(self, fine: bool, comparison: Any) -> None:
        self.fine = fine  # may short rows list all of their weights?
        self.comparison = comparison
        self.chunks: list[str] = []
        self._shared: dict[tuple[object, ...], dict[str, Any] | None] = {}
        self._kept_alive: list[object] = []  # ids in _shared stay valid

    def chunk(self, data: bytes) -> int:
        packed = gzip.compress(data, GZIP_LEVEL, mtime=0)
        self.chunks.append(base64.b64encode(packed).decode("ascii"))
        return len(self.chunks) - 1

    def parts(self, block: str, layer: LayerAttention, heads: list[int]) -> dict[str, Any]:
        """A layer's weights; of a comparison, what b has more and what a has more."""
        fine = self.fine and layer.shape[1] <= SHORT
        # One head at a time: a layer of 12 heads at 4,096 tokens would be 800 MB of float32.
        if self.comparison is None:
            more = [sparse(layer.weights([head])[0].numpy(), fine) for head in heads]
            return {"weights": self.listed(more, fine), "less": None}
        more, less = [], []
        for head in heads:
            difference = self.comparison.weights(layer.index, [head], block)[0].numpy()
            more.append(sparse(difference, fine))
            less.append(sparse(-difference, fine))
        return {"weights": self.listed(more, fine), "less": self.listed(less, fine)}

    def listed(self, parts: Sequence[Sequence[NDArray[Any]]], fine: bool) -> dict[str, int]:
        """What ``sparse`` gave of every head, as a chunk."""
        import numpy as np

        hidden, counts, deltas, values = (
            np.concatenate([part[i] for part in parts]) for i in range(4)
        )
        data = b"".join(
            (
                hidden.astype("<f4").tobytes(),
                counts.astype("<u4").tobytes(),
                _planes(deltas),
                _planes(values),
            )
        )
        steps = SHORT_STEPS if fine else LONG_STEPS
        return {"chunk": self.chunk(data), "listed": len(values), "steps": steps}

    def neurons(self, layer: LayerAttention, heads: list[int], large: bool) -> dict[str, Any]:
        formula = layer.formula
        if formula is None:
            raise ValueError(
                f"Layer {layer.index} of this trace has no queries and keys, which the neuron view"
                " needs. Pass the model itself, neuron_view(model, tokenizer, text), or"
                " AttentionTrace.from_arrays(queries=..., keys=...)."
            )
        rows = layer.places(heads)
        key_heads = sorted({layer.key_head(head) for head in heads})
        queries = formula.queries[rows].float().numpy()
        keys = formula.keys[key_heads].float().numpy()
        # float16 ends at 65,504: a model with larger vectors keeps float32.
        largest = max(abs(queries).max(initial=0), abs(keys).max(initial=0))
        dtype = "f2" if large and largest < 60_000 else "f4"
        data = [_numbers(array, dtype) for array in (queries, keys)]
        chunk = self.chunk(b"".join(data))
        bias, causal = self._bias(layer, formula, heads, dtype)
        return {
            "queries": _array(chunk, 0, dtype, queries.shape),
            "keys": _array(chunk, len(data[0]), dtype, keys.shape),
            "keyHead": [key_heads.index(layer.key_head(head)) for head in heads],
            "scaling": formula.scaling,
            "softcap": formula.softcap,
            "sinks": None if formula.sinks is None else formula.sinks[rows].float().tolist(),
            "causal": causal,
            "rotary": formula.rotary,
            "bias": bias,
        }

    def _bias(
        self, layer: LayerAttention, formula: Formula, heads: list[int], dtype: str
    ) -> tuple[dict[str, Any] | None, bool]:
        """The layer's bias as an array, or as "none" or "causal", which need none."""
        if formula.mask is None and formula.position_bias is None:
            return None, formula.causal
        import numpy as np

        key = (id(formula.mask), id(formula.position_bias), formula.causal, tuple(heads), dtype)
        causal_key = (*key, "causal")
        if key not in self._shared:
            self._kept_alive += [formula.mask, formula.position_bias]
            tensor = layer.bias(heads)
            assert tensor is not None
            bias = tensor.numpy()
            hidden = lowest(tensor)
            masked = hidden.numpy()
            reference: dict[str, Any] | None = None
            causal = False
            plain = not bias[~masked].any()
            if plain and not masked.any():
                pass
            elif plain and bias.shape[-2:] == layer.shape and is_causal(hidden, exactly=True):
                causal = True
            else:
                bias = np.where(masked, -np.inf, bias)
                reference = _array(self.chunk(_numbers(bias, dtype)), 0, dtype, bias.shape)
            self._shared[key] = reference
            self._shared[causal_key] = {} if causal else None
        return self._shared[key], self._shared[causal_key] is not None


def sparse(
    weights: NDArray[np.float32], fine: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """List the weights of one head in fixed steps; keep the rest of each row as hidden mass.

    Rounding runs along the row: the sum of the listed weights so far is what is rounded, so that
    errors do not add up. A listed weight is off by less than one step, a row's listed sum by half.

    Args:
        weights: (query, key), in 0..1; what is below zero counts as zero.
        fine: List all that can be told from zero, in small steps.

    Returns:
        hidden (query,), counts (query,), deltas (listed,) and values (listed,), see the schema.
    """
    import numpy as np

    queries, keys = weights.shape
    steps = SHORT_STEPS if fine else LONG_STEPS
    threshold = 0.5 / steps if fine else LONG_THRESHOLD
    flat = np.clip(weights, 0, 1).ravel()
    cell = np.flatnonzero(flat >= threshold)
    row, column = np.divmod(cell, keys)
    so_far = np.cumsum(flat[cell], dtype=np.float64)
    first = np.diff(row, prepend=-1) != 0
    before = np.concatenate(([0.0], so_far[:-1]))[first]  # of all rows above
    so_far -= np.repeat(before, np.diff(np.append(np.flatnonzero(first), len(cell))))
    rounded = np.rint(so_far * steps).astype(np.int64)
    values = np.diff(rounded, prepend=0)
    values[first] = rounded[first]

    kept = values > 0
    row, column, values = row[kept], column[kept], values[kept]
    first = np.diff(row, prepend=-1) != 0
    deltas = np.diff(column, prepend=0)
    deltas[first] = column[first]
    counts = np.bincount(row, minlength=queries)
    listed = np.bincount(row, weights=values, minlength=queries) / steps
    hidden = flat.reshape(queries, keys).sum(axis=1, dtype=np.float64) - listed
    return np.maximum(hidden, 0).astype(np.float32), counts, deltas, values


def _planes(values: NDArray[np.int64]) -> bytes:
    """Low bytes, then high bytes: the high plane is nearly constant, so it compresses to little."""
    import numpy as np

    return (values & 0xFF).astype(np.uint8).tobytes() + (values >> 8).astype(np.uint8).tobytes()


def _numbers(values: NDArray[Any], dtype: str) -> bytes:
    """An array's bytes; of halves all low ones, then all high ones, which compress better."""
    import numpy as np

    data: bytes = values.astype("<" + dtype).tobytes()
    if dtype == "f4":
        return data
    planes: bytes = np.frombuffer(data, np.uint8).reshape(-1, 2).T.tobytes()
    return planes


def _explanation(explanation: HeadExplanation) -> dict[str, Any]:
    """Neurons that belong together (pairs of a rotary model) share what they contribute."""
    each = [0.0] * sum(map(len, explanation.units))
    for unit, value in zip(explanation.units, explanation.contributions, strict=True):
        for neuron in unit:
            each[neuron] = value / len(unit)
    return {
        **{name: getattr(explanation, name) for name in ("block", "layer", "head", "what")},
        "contributions": each,
    }


def _array(chunk: int, offset: int, dtype: str, shape: tuple[int, ...]) -> dict[str, Any]:
    return {"chunk": chunk, "offset": offset, "dtype": dtype, "shape": list(shape)}


def _model(trace: AttentionTrace) -> dict[str, Any]:
    return {"name": trace.model_name, "dtype": trace.dtype, "exactness": trace.exactness}


def _models(a: AttentionTrace, b: AttentionTrace) -> dict[str, Any]:
    """Of two traces; how far a difference may be off is the sum of how far both are."""
    names = [trace.model_name or "arrays" for trace in (a, b)]
    exactness = None
    if a.exactness is not None and b.exactness is not None:
        both = [x["max_difference"] for x in (a.exactness, b.exactness)]
        exactness = {
            **b.exactness,
            "max_difference": sum(both),
            "note": f"a differs from its model by {both[0]:.1e}, b by {both[1]:.1e}",
        }
    return {
        "name": names[0] if names[0] == names[1] else f"{names[1]} minus {names[0]}",
        "dtype": b.dtype if a.dtype == b.dtype else f"{b.dtype} and {a.dtype}",
        "exactness": exactness,
    }


def _chosen(
    trace: AttentionTrace,
    include_layers: Collection[int] | None,
    include_heads: Collection[int] | None,
) -> Iterator[tuple[LayerAttention, list[int]]]:
    """The layers that are shipped, and which of their heads."""
    for block in trace.blocks.values():
        for layer in block.layers:
            heads = [h for h in layer.heads if include_heads is None or h in include_heads]
            if heads and (include_layers is None or layer.index in include_layers):
                yield layer, heads


def _finely(trace: AttentionTrace, *included: Collection[int] | None) -> bool:
    """Are all weights together few enough to be listed finely?"""
    count = sum(len(heads) * math.prod(layer.shape) for layer, heads in _chosen(trace, *included))
    return count <= FINE_WEIGHTS


def _neuron_bytes(trace: AttentionTrace, *included: Collection[int] | None) -> int | None:
    """Bytes of all queries and keys as float32; None where a layer has none."""
    count = 0
    for layer, heads in _chosen(trace, *included):
        if layer.queries is None or layer.keys is None:
            return None
        key_heads = len({layer.key_head(head) for head in heads})
        count += len(heads) * layer.queries[0].numel() + key_heads * layer.keys[0].numel()
    return 4 * count


def _measure(measure: Mapping[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """A measure for the heads that are shipped, in their order."""

    def aligned(values: Mapping[str, Any]) -> list[list[list[float | None]]]:
        found = []
        for block in blocks:
            of_block = values.get(block["name"], {})
            of_layers = [(of_block.get(row["index"], {}), row["heads"]) for row in block["layers"]]
            found.append([[_rounded(row.get(h)) for h in heads] for row, heads in of_layers])
        return found

    null = measure["null"]
    return {
        "name": measure["name"],
        "diverging": measure["diverging"],
        "values": aligned(measure["values"]),
        "null": None if null is None else aligned(null),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _tokens(tokens: Tokens) -> dict[str, Any]:
    words, text = tokens.words, tokens.text
    subwords = len(set(words)) < len(words)
    return {
        "text": list(text),
        "raw": None if text == tokens.strings else list(tokens.strings),
        "sentences": None if tokens.sentences is None else list(tokens.sentences),
        "words": {"of": list(words), "text": list(tokens.word_text)} if subwords else None,
        "special": [place for place, is_special in enumerate(tokens.special) if is_special],
    }
